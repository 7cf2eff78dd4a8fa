//! What TCP_INFO says, with the words of the scenario language.

use halfopen_proto::v1::{TcpInfo, TcpInfoClaim, TcpInfoField, tcp_info_match, tcp_info_value};

use super::{duration, from_proto, range};

/// `cwnd 10, rtt 40ms`.
pub fn tcp_info(info: &TcpInfo) -> String {
    let values = info.values.iter().map(|value| {
        let name = field(value.field());
        match &value.value {
            Some(tcp_info_value::Value::Number(number)) => format!("{name} {number}{}", unit(value.field())),
            Some(tcp_info_value::Value::Time(time)) => format!("{name} {}", duration(from_proto(Some(time)))),
            None => format!("{name} not measured"),
        }
    });
    values.collect::<Vec<_>>().join(", ")
}

/// `cwnd at least 10, rtt 40ms, at 5s`.
pub(super) fn tcp_info_claim(claim: &TcpInfoClaim) -> String {
    use tcp_info_match::Value;
    let fields = claim.fields.iter().map(|wanted| {
        let name = field(wanted.field());
        match &wanted.value {
            Some(Value::Exactly(number)) => format!("{name} {number}{}", unit(wanted.field())),
            Some(Value::AtLeast(number)) => format!("{name} at least {number}{}", unit(wanted.field())),
            Some(Value::AtMost(number)) => format!("{name} at most {number}{}", unit(wanted.field())),
            Some(Value::Time(time)) => format!("{name} {}", range(time)),
            None => name.to_owned(),
        }
    });
    let fields: Vec<String> = fields.collect();
    format!("{}, at {}", fields.join(", "), duration(from_proto(claim.time.as_ref())))
}

const fn field(field: TcpInfoField) -> &'static str {
    match field {
        TcpInfoField::Unspecified => "?",
        TcpInfoField::Cwnd => "cwnd",
        TcpInfoField::Ssthresh => "ssthresh",
        TcpInfoField::Unacked => "unacked",
        TcpInfoField::Sacked => "sacked",
        TcpInfoField::Lost => "lost",
        TcpInfoField::Retrans => "retrans",
        TcpInfoField::Retransmits => "retransmits",
        TcpInfoField::TotalRetrans => "total-retrans",
        TcpInfoField::Delivered => "delivered",
        TcpInfoField::Reordering => "reordering",
        TcpInfoField::Rtt => "rtt",
        TcpInfoField::MinRtt => "min-rtt",
        TcpInfoField::Rto => "rto",
        TcpInfoField::Inq => "inq",
        TcpInfoField::Outq => "outq",
        TcpInfoField::Notsent => "notsent",
    }
}

/// What a number of this field counts, if that is to be said.
const fn unit(field: TcpInfoField) -> &'static str {
    match field {
        TcpInfoField::Inq | TcpInfoField::Outq | TcpInfoField::Notsent => " B",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use halfopen_proto::v1::{TcpInfoMatch, TcpInfoValue, TimeWindow};

    use super::*;

    #[test]
    fn values_and_claims_have_the_words_of_the_language() {
        let time = |millis: i32| halfopen_proto::Duration { seconds: 0, nanos: millis * 1_000_000 };
        let value = |field: TcpInfoField, value| TcpInfoValue { field: field.into(), value };
        let info = TcpInfo {
            values: vec![
                value(TcpInfoField::Cwnd, Some(tcp_info_value::Value::Number(10))),
                value(TcpInfoField::Rtt, Some(tcp_info_value::Value::Time(time(40)))),
                value(TcpInfoField::MinRtt, None),
                value(TcpInfoField::Notsent, Some(tcp_info_value::Value::Number(100))),
            ],
        };
        assert_eq!(tcp_info(&info), "cwnd 10, rtt 40ms, min-rtt not measured, notsent 100 B");
        let wanted = |field: TcpInfoField, value| TcpInfoMatch { field: field.into(), value: Some(value) };
        let window = TimeWindow { earliest: Some(time(39)), latest: Some(time(41)) };
        let claim = TcpInfoClaim {
            time: Some(halfopen_proto::Duration { seconds: 5, nanos: 0 }),
            fields: vec![
                wanted(TcpInfoField::TotalRetrans, tcp_info_match::Value::AtLeast(2)),
                wanted(TcpInfoField::Rtt, tcp_info_match::Value::Time(window)),
            ],
        };
        assert_eq!(tcp_info_claim(&claim), "total-retrans at least 2, rtt between 39ms and 41ms, at 5s");
    }
}
