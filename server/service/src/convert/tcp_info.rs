//! What TCP_INFO says.

use halfopen_proto::v1::{self, tcp_info_match, tcp_info_value};
use halfopen_scenario::{Count, InfoField, InfoMatch, InfoValue};
use halfopen_tcp::TcpInfo;

use super::values::{duration, window};

/// Every field that an expectation may ask for.
pub(crate) fn tcp_info(info: &TcpInfo) -> v1::TcpInfo {
    let value = |field: InfoField| info_value(field, field.of(info));
    v1::TcpInfo { values: InfoField::ALL.into_iter().map(value).collect() }
}

pub(super) fn info_value(field: InfoField, value: Option<InfoValue>) -> v1::TcpInfoValue {
    let value = value.map(|value| match value {
        InfoValue::Number(number) | InfoValue::Octets(number) => tcp_info_value::Value::Number(number),
        InfoValue::Time(time) => tcp_info_value::Value::Time(duration(time)),
    });
    v1::TcpInfoValue { field: info_field(field).into(), value }
}

pub(super) fn info_match(field: InfoField, wanted: InfoMatch) -> v1::TcpInfoMatch {
    use tcp_info_match::Value;
    let value = match wanted {
        InfoMatch::Number(count) | InfoMatch::Octets(count) => match count {
            Count::Exactly(number) => Value::Exactly(number),
            Count::AtLeast(number) => Value::AtLeast(number),
            Count::AtMost(number) => Value::AtMost(number),
        },
        InfoMatch::Time(time) => Value::Time(window(time)),
    };
    v1::TcpInfoMatch { field: info_field(field).into(), value: Some(value) }
}

const fn info_field(field: InfoField) -> v1::TcpInfoField {
    match field {
        InfoField::Cwnd => v1::TcpInfoField::Cwnd,
        InfoField::Ssthresh => v1::TcpInfoField::Ssthresh,
        InfoField::Unacked => v1::TcpInfoField::Unacked,
        InfoField::Sacked => v1::TcpInfoField::Sacked,
        InfoField::Lost => v1::TcpInfoField::Lost,
        InfoField::Retrans => v1::TcpInfoField::Retrans,
        InfoField::Retransmits => v1::TcpInfoField::Retransmits,
        InfoField::TotalRetrans => v1::TcpInfoField::TotalRetrans,
        InfoField::Delivered => v1::TcpInfoField::Delivered,
        InfoField::Reordering => v1::TcpInfoField::Reordering,
        InfoField::Rtt => v1::TcpInfoField::Rtt,
        InfoField::MinRtt => v1::TcpInfoField::MinRtt,
        InfoField::Rto => v1::TcpInfoField::Rto,
        InfoField::Inq => v1::TcpInfoField::Inq,
        InfoField::Outq => v1::TcpInfoField::Outq,
        InfoField::Notsent => v1::TcpInfoField::Notsent,
    }
}
