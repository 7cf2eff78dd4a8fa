//! TCP: states, flags, timers, purposes, causes.

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{Cause, OtherCause, StepKind, TcpCall, TcpDropReason, TcpTimer};

use super::{flags, timer};

/// Why a state changed: `received FIN+ACK`, `close()`, `TIME-WAIT timer fired`, `user timeout`.
pub fn cause(cause: &Cause) -> String {
    let name = |value: i32| timer(TcpTimer::try_from(value).unwrap_or_default());
    match &cause.origin {
        Some(Origin::Call(call)) => format!("{}()", self::call(TcpCall::try_from(*call).unwrap_or_default())),
        Some(Origin::Segment(segment)) => {
            let cookie = if segment.syn_cookie { " with a SYN cookie" } else { "" };
            format!("received {}{cookie}", flags(segment.flags.unwrap_or_default()))
        }
        Some(Origin::Timer(timer)) => format!("{} timer fired", name(*timer)),
        Some(Origin::GaveUp(_)) if cause.user_timeout => "user timeout".to_owned(),
        Some(Origin::GaveUp(timer)) => format!("{} timer: gave up", name(*timer)),
        Some(Origin::Unreachable(errno)) => format!("ICMP: {errno}"),
        Some(Origin::Other(other)) => match OtherCause::try_from(*other).unwrap_or_default() {
            OtherCause::Unspecified => "unknown".to_owned(),
            OtherCause::ListenerClosed => "the listener closed".to_owned(),
            OtherCause::Replaced => "a new connection takes its place".to_owned(),
        },
        None => String::new(),
    }
}

/// A call of the application.
pub const fn call(call: TcpCall) -> &'static str {
    match call {
        TcpCall::Unspecified => "unknown",
        TcpCall::Connect => "connect",
        TcpCall::Listen => "listen",
        TcpCall::Shutdown => "shutdown",
        TcpCall::Close => "close",
        TcpCall::Abort => "abort",
    }
}

/// The word of the scenario language for a step.
pub const fn step(kind: StepKind) -> &'static str {
    match kind {
        StepKind::Unspecified => "call",
        StepKind::Listen => "listen",
        StepKind::Accept => "accept",
        StepKind::Connect => "connect",
        StepKind::Send => "send",
        StepKind::Receive => "receive",
        StepKind::Ping => "ping",
        StepKind::Repeat => "repeat",
        StepKind::Wait => "wait",
        StepKind::WaitUntil => "wait-until",
        StepKind::Hold => "hold",
        StepKind::Relay => "relay",
        StepKind::Shutdown => "shutdown",
        StepKind::Close => "close",
        StepKind::Abort => "abort",
        StepKind::Set => "set",
        StepKind::Poll => "poll",
    }
}

/// Why TCP did not use what arrived; `None` if it did.
pub const fn drop_reason(reason: TcpDropReason) -> Option<&'static str> {
    match reason {
        TcpDropReason::Unspecified => None,
        TcpDropReason::Malformed => Some("malformed"),
        TcpDropReason::Checksum => Some("wrong checksum"),
        TcpDropReason::NotForUs => Some("not for this host"),
        TcpDropReason::NoConnection => Some("no such connection"),
        TcpDropReason::NoListener => Some("no listener on this port"),
        TcpDropReason::OutOfWindow => Some("outside the window"),
        TcpDropReason::Duplicate => Some("received before"),
        TcpDropReason::OldTimestamp => Some("old timestamp (PAWS)"),
        TcpDropReason::UnacceptableAck => Some("unacceptable ACK"),
        TcpDropReason::NoAck => Some("no ACK bit"),
        TcpDropReason::NoSyn => Some("no SYN bit"),
        TcpDropReason::SynFin => Some("SYN with FIN"),
        TcpDropReason::UnexpectedSyn => Some("unexpected SYN"),
        TcpDropReason::InexactReset => Some("RST not exactly at rcv.nxt"),
        TcpDropReason::QueueFull => Some("queue full"),
        TcpDropReason::AwaitingData => Some("no data yet (deferred accept)"),
        TcpDropReason::NoReceiver => Some("the application has closed"),
        TcpDropReason::ImpossibleMtu => Some("its MTU is below the minimum of IPv6"),
    }
}
