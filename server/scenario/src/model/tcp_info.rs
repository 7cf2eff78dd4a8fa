//! What TCP_INFO and the ioctls about queues say of a connection, as far as a claim may ask for it.

use std::time::Duration;

use halfopen_tcp::TcpInfo;

use super::{Count, Window};

/// A field of TCP_INFO, or the length of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoField {
    /// The congestion window, segments.
    Cwnd,
    /// The slow start threshold, segments; 4294967295 before the first loss.
    Ssthresh,
    /// Segments sent and not acknowledged.
    Unacked,
    /// Of those, segments that the peer reported with SACK.
    Sacked,
    /// Of those, segments believed lost.
    Lost,
    /// Of those, segments sent again and still under way.
    Retrans,
    /// Retransmission timeouts since new data was last acknowledged.
    Retransmits,
    /// Segments sent again, since the connection was created.
    TotalRetrans,
    /// Segments that the peer has received.
    Delivered,
    /// Segments that must have been delivered after another before it counts as lost.
    Reordering,
    /// The smoothed round-trip time.
    Rtt,
    /// The shortest round trip.
    MinRtt,
    /// The retransmission timeout, with its backoff.
    Rto,
    /// Octets received and not read (SIOCINQ, TCP_INQ).
    Inq,
    /// Octets written and not acknowledged (SIOCOUTQ).
    Outq,
    /// Octets written and never sent (SIOCOUTQNSD).
    Notsent,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoValue {
    /// A count.
    Number(u64),
    /// A time.
    Time(Duration),
    /// A size, octets.
    Octets(u64),
}

/// What the value of a field must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InfoMatch {
    /// Of a count.
    Number(Count),
    /// Of a time.
    Time(Window),
    /// Of a size, octets.
    Octets(Count),
}

impl InfoField {
    /// Every field.
    pub const ALL: [InfoField; 16] = [
        InfoField::Cwnd,
        InfoField::Ssthresh,
        InfoField::Unacked,
        InfoField::Sacked,
        InfoField::Lost,
        InfoField::Retrans,
        InfoField::Retransmits,
        InfoField::TotalRetrans,
        InfoField::Delivered,
        InfoField::Reordering,
        InfoField::Rtt,
        InfoField::MinRtt,
        InfoField::Rto,
        InfoField::Inq,
        InfoField::Outq,
        InfoField::Notsent,
    ];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            InfoField::Cwnd => "cwnd",
            InfoField::Ssthresh => "ssthresh",
            InfoField::Unacked => "unacked",
            InfoField::Sacked => "sacked",
            InfoField::Lost => "lost",
            InfoField::Retrans => "retrans",
            InfoField::Retransmits => "retransmits",
            InfoField::TotalRetrans => "total-retrans",
            InfoField::Delivered => "delivered",
            InfoField::Reordering => "reordering",
            InfoField::Rtt => "rtt",
            InfoField::MinRtt => "min-rtt",
            InfoField::Rto => "rto",
            InfoField::Inq => "inq",
            InfoField::Outq => "outq",
            InfoField::Notsent => "notsent",
        }
    }

    /// Its value in a snapshot; `None` before the first measurement of a round trip.
    pub fn of(self, info: &TcpInfo) -> Option<InfoValue> {
        let number = |number: u32| Some(InfoValue::Number(number.into()));
        let octets = |octets: u32| Some(InfoValue::Octets(octets.into()));
        match self {
            InfoField::Cwnd => number(info.snd_cwnd),
            InfoField::Ssthresh => number(info.snd_ssthresh),
            InfoField::Unacked => number(info.unacked),
            InfoField::Sacked => number(info.sacked),
            InfoField::Lost => number(info.lost),
            InfoField::Retrans => number(info.retrans),
            InfoField::Retransmits => number(info.retransmits),
            InfoField::TotalRetrans => number(info.totals.total_retrans),
            InfoField::Delivered => number(info.totals.delivered),
            InfoField::Reordering => number(info.reordering),
            InfoField::Rtt => info.rtt.map(InfoValue::Time),
            InfoField::MinRtt => info.min_rtt.map(InfoValue::Time),
            InfoField::Rto => Some(InfoValue::Time(info.rto)),
            InfoField::Inq => octets(info.inq),
            InfoField::Outq => octets(info.outq),
            InfoField::Notsent => octets(info.notsent_bytes),
        }
    }
}

impl InfoMatch {
    /// Whether a value is as it must be.
    pub fn matches(self, value: Option<InfoValue>) -> bool {
        match (self, value) {
            (InfoMatch::Number(count), Some(InfoValue::Number(number)))
            | (InfoMatch::Octets(count), Some(InfoValue::Octets(number))) => count.contains(number),
            (InfoMatch::Time(window), Some(InfoValue::Time(time))) => window.contains(time),
            (InfoMatch::Number(_), Some(InfoValue::Time(_) | InfoValue::Octets(_)) | None)
            | (InfoMatch::Time(_), Some(InfoValue::Number(_) | InfoValue::Octets(_)) | None)
            | (InfoMatch::Octets(_), Some(InfoValue::Number(_) | InfoValue::Time(_)) | None) => false,
        }
    }
}
