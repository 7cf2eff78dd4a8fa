//! Values that occur in many messages.

use std::time::Duration;

use halfopen_proto::v1;
use halfopen_scenario::{Unreachable, Window};
use halfopen_tcp::{DropReason, Errno, Flags};

use super::enums;

pub(super) fn bytes(datagram: Option<&[u8]>) -> Vec<u8> {
    datagram.unwrap_or_default().to_vec()
}

/// A wall-clock time, as microseconds since 1970.
pub(crate) fn timestamp(micros: i64) -> halfopen_proto::Timestamp {
    halfopen_proto::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        // Always less than a billion.
        nanos: (micros.rem_euclid(1_000_000) * 1_000) as i32,
    }
}

/// The same as microseconds since 1970.
pub(crate) fn micros(timestamp: &halfopen_proto::Timestamp) -> i64 {
    timestamp.seconds.saturating_mul(1_000_000).saturating_add(i64::from(timestamp.nanos / 1_000))
}

pub(crate) fn duration(duration: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Always less than a billion.
        nanos: duration.subsec_nanos() as i32,
    }
}

/// A time of a request; `None` if it is none.
pub(crate) fn time(time: &halfopen_proto::Duration) -> Option<Duration> {
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(time.seconds).ok()?, nanos))
}

pub(super) fn drop_reason(reason: Option<DropReason>) -> i32 {
    reason.map_or(v1::TcpDropReason::Unspecified, enums::drop_reason).into()
}

/// The POSIX name of an error; empty: none.
pub(super) fn errno(errno: Option<Errno>) -> String {
    errno.map(|errno| errno.name().to_owned()).unwrap_or_default()
}

/// The MTU that a router reports.
pub(super) fn mtu(code: Unreachable) -> u32 {
    match code {
        Unreachable::FragmentationNeeded { mtu } => mtu.into(),
        Unreachable::Net | Unreachable::Host | Unreachable::Port => 0,
    }
}

pub(super) fn flags(flags: Flags) -> v1::TcpFlags {
    v1::TcpFlags {
        syn: flags.contains(Flags::SYN),
        ack: flags.contains(Flags::ACK),
        fin: flags.contains(Flags::FIN),
        rst: flags.contains(Flags::RST),
        psh: flags.contains(Flags::PSH),
        urg: flags.contains(Flags::URG),
        ece: flags.contains(Flags::ECE),
        cwr: flags.contains(Flags::CWR),
    }
}

pub(super) fn window(window: Window) -> v1::TimeWindow {
    let time = |time: Duration| Some(duration(time));
    v1::TimeWindow { earliest: time(window.from), latest: time(window.to) }
}
