//! How values of the protocol are written for people: the one place where types become words. Names are those of RFC 9293,
//! durations have units.

mod expectation;
mod fault;
mod matching;
mod tcp;
mod tcp_info;

use std::time::Duration;

use halfopen_proto::v1::{
    KeepaliveVerdict, MiddleboxState, TcpFlags, TcpPurpose, TcpState, TcpTimer, TimeWindow, UnreachableCode,
    Verdict,
};

pub use expectation::{expected, found, limit_reached, problem};
pub use fault::{fault, fault_kind, loss};
pub use halfopen_units::{format_count as count, format_duration as duration};
pub use tcp::{call, cause, drop_reason, step};
pub use tcp_info::tcp_info;

/// A state as RFC 9293 prints it: `FIN-WAIT-1`.
pub const fn state(state: TcpState) -> &'static str {
    match state {
        TcpState::Unspecified => "?",
        TcpState::Closed => "CLOSED",
        TcpState::Listen => "LISTEN",
        TcpState::SynSent => "SYN-SENT",
        TcpState::SynReceived => "SYN-RECEIVED",
        TcpState::Established => "ESTABLISHED",
        TcpState::FinWait1 => "FIN-WAIT-1",
        TcpState::FinWait2 => "FIN-WAIT-2",
        TcpState::CloseWait => "CLOSE-WAIT",
        TcpState::Closing => "CLOSING",
        TcpState::LastAck => "LAST-ACK",
        TcpState::TimeWait => "TIME-WAIT",
    }
}

/// A middlebox's state of a connection, spelt as TCP's own.
pub const fn middlebox_state(state: MiddleboxState) -> &'static str {
    match state {
        MiddleboxState::Unspecified => "?",
        MiddleboxState::SynSent => "SYN-SENT",
        MiddleboxState::SynReceived => "SYN-RECEIVED",
        MiddleboxState::Established => "ESTABLISHED",
        MiddleboxState::FinWait => "FIN-WAIT",
        MiddleboxState::CloseWait => "CLOSE-WAIT",
        MiddleboxState::LastAck => "LAST-ACK",
        MiddleboxState::TimeWait => "TIME-WAIT",
        MiddleboxState::Closed => "CLOSED",
    }
}

/// Control bits as `SYN+ACK`; `none` if no bit is set.
pub fn flags(flags: TcpFlags) -> String {
    let bits = [
        (flags.syn, "SYN"),
        (flags.fin, "FIN"),
        (flags.rst, "RST"),
        (flags.psh, "PSH"),
        (flags.ack, "ACK"),
        (flags.urg, "URG"),
        (flags.ece, "ECE"),
        (flags.cwr, "CWR"),
    ];
    let names: Vec<&str> = bits.into_iter().filter(|(set, _)| *set).map(|(_, name)| name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join("+") }
}

/// Why a segment was sent, if that is worth saying: not for new data, nor for a reset, whose flag says so.
pub const fn purpose(purpose: TcpPurpose) -> Option<&'static str> {
    match purpose {
        TcpPurpose::Unspecified | TcpPurpose::Normal | TcpPurpose::Reset => None,
        TcpPurpose::Retransmission => Some("retransmission"),
        TcpPurpose::FastRetransmission => Some("fast retransmission"),
        TcpPurpose::TailLossProbe => Some("tail loss probe"),
        TcpPurpose::KeepaliveProbe => Some("keepalive probe"),
        TcpPurpose::WindowProbe => Some("window probe"),
        TcpPurpose::ChallengeAck => Some("challenge ACK"),
        TcpPurpose::DuplicateAck => Some("duplicate ACK"),
    }
}

/// Why a router cannot deliver a segment: `host unreachable`.
pub const fn unreachable(code: UnreachableCode) -> &'static str {
    match code {
        UnreachableCode::Unspecified => "unreachable",
        UnreachableCode::Net => "network unreachable",
        UnreachableCode::Host => "host unreachable",
        UnreachableCode::Port => "port unreachable",
        UnreachableCode::FragmentationNeeded => "fragmentation needed",
    }
}

/// A timer's name.
pub const fn timer(timer: TcpTimer) -> &'static str {
    match timer {
        TcpTimer::Unspecified => "unknown",
        TcpTimer::Retransmission => "retransmission",
        TcpTimer::TailLossProbe => "tail loss probe",
        TcpTimer::Reordering => "reordering",
        TcpTimer::Persist => "persist",
        TcpTimer::Keepalive => "keepalive",
        TcpTimer::DelayedAck => "delayed ACK",
        TcpTimer::FinWait2 => "FIN-WAIT-2",
        TcpTimer::TimeWait => "TIME-WAIT",
    }
}

/// What keepalive found out, in one word.
pub const fn keepalive(verdict: KeepaliveVerdict) -> &'static str {
    match verdict {
        KeepaliveVerdict::Unspecified => "unknown",
        KeepaliveVerdict::Probing => "probing",
        KeepaliveVerdict::Alive => "alive",
        KeepaliveVerdict::Reset => "reset",
        KeepaliveVerdict::Dead => "dead",
    }
}

/// The verdict in one word.
pub const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "unknown",
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Unfinished => "unfinished",
    }
}

/// The number of typing mistakes between a word and a known name, if it is small enough that the name may be meant.
pub fn mistakes(word: &str, name: &str) -> Option<usize> {
    let distance = strsim::damerau_levenshtein(word, name);
    (distance <= 1 + word.chars().count() / 3).then_some(distance)
}

/// The name that a misspelt word probably means, if one is near.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().filter_map(|name| Some((mistakes(word, name)?, name)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// The name of a run: the id of the scenario, with its variant if it has one: `pool/busy+both`.
pub fn run(scenario: &str, variant: &str) -> String {
    if variant.is_empty() { scenario.to_owned() } else { format!("{scenario}/{variant}") }
}

/// A text from elsewhere, with blanks instead of control characters, which would break the line or control a
/// terminal.
pub fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

/// How long keepalive probes went unanswered: `10 probes, 2h 12m 30s of silence`.
pub fn silence(probes: u32, silence: Duration) -> String {
    format!("{}, {} of silence", count(probes.into(), "probe"), duration(silence))
}

/// A time, or from when to when.
pub(super) fn range(window: &TimeWindow) -> String {
    const STEP: Duration = Duration::from_nanos(1);
    let [from, to] = [&window.earliest, &window.latest].map(|time| from_proto(time.as_ref()));
    if from == to {
        duration(from)
    } else if from.is_zero() {
        // `under` reads as a nanosecond less.
        match (to + STEP).subsec_micros() {
            0 if to.subsec_nanos() > 0 => format!("under {}", duration(to + STEP)),
            _ => format!("within {}", duration(to)),
        }
    } else {
        format!("between {} and {}", duration(from), duration(to))
    }
}

/// A duration as that of protobuf.
pub fn to_proto(duration: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Always less than a billion.
        nanos: duration.subsec_nanos() as i32,
    }
}

/// A protobuf duration as that of the standard library; zero if it is negative.
pub fn from_proto(duration: Option<&halfopen_proto::Duration>) -> Duration {
    let Some(duration) = duration else { return Duration::ZERO };
    let seconds = u64::try_from(duration.seconds).unwrap_or(0);
    Duration::new(seconds, u32::try_from(duration.nanos).unwrap_or(0).min(999_999_999))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_no_clock_has_is_zero_and_not_a_panic() {
        let odd = halfopen_proto::Duration { seconds: -5, nanos: -1 };
        assert_eq!(from_proto(Some(&odd)), Duration::ZERO);
        let odd = halfopen_proto::Duration { seconds: i64::MAX, nanos: i32::MAX };
        assert_eq!(from_proto(Some(&odd)).as_secs(), i64::MAX as u64);
    }

    #[test]
    fn a_name_is_near_if_about_a_third_of_the_word_is_wrong() {
        let names = ["junit", "tap", "json", "html"];
        for (word, expected) in
            [("junti", Some("junit")), ("tpa", Some("tap")), ("elephant", None), ("", None)]
        {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
    }

    #[test]
    fn flags_print_in_the_order_of_their_importance() {
        assert_eq!(flags(TcpFlags { syn: true, ack: true, ..TcpFlags::default() }), "SYN+ACK");
        assert_eq!(flags(TcpFlags::default()), "none");
    }

    #[test]
    fn a_run_is_named_after_its_scenario_and_its_variant() {
        assert_eq!((run("pool", "").as_str(), run("pool", "busy").as_str()), ("pool", "pool/busy"));
    }

    #[test]
    fn what_would_steer_a_terminal_is_blank() {
        assert_eq!(plain("a\u{1b}[31m\u{9b}0m\r\n\tß…"), "a [31m 0m   ß…");
    }
}
