//! How values of the protocol are written for people: the one place where types become words. Names are those of RFC 9293,
//! durations have units.

mod expectation;
mod fault;
mod tcp;

use std::time::Duration;

use halfopen_proto::v1::{
    KeepaliveVerdict, MiddleboxState, TcpFlags, TcpPurpose, TcpState, TcpTimer, UnreachableCode, Verdict,
};

pub use expectation::{expected, found, problem};
pub use fault::{fault, fault_kind, loss};
pub use tcp::{call, cause, drop_reason, step};

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

/// A number and its noun: `1 probe`, `10 probes`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
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

/// A duration with units, exact to the nanosecond: `2h 12m 30s`, `20ms`, `61.5ms`, `1m 0.25s`.
pub fn duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0 => "0s".to_owned(),
        1..1_000_000 => format!("{}µs", decimal(nanos, 1_000)),
        1_000_000..1_000_000_000 => format!("{}ms", decimal(nanos, 1_000_000)),
        _ => clock(duration),
    }
}

/// One second or longer, as hours, minutes and seconds, up to the last part that is not zero.
fn clock(duration: Duration) -> String {
    const MINUTE: u128 = 60_000_000_000;
    const HOUR: u128 = 60 * MINUTE;
    let nanos = duration.as_nanos();
    let (hours, minutes, rest) = (nanos / HOUR, nanos % HOUR / MINUTE, nanos % MINUTE);
    let mut parts = Vec::with_capacity(3);
    if hours > 0 {
        parts.push(format!("{hours}h"));
    }
    if minutes > 0 || (hours > 0 && rest > 0) {
        parts.push(format!("{minutes}m"));
    }
    if rest > 0 {
        parts.push(format!("{}s", decimal(rest, 1_000_000_000)));
    }
    parts.join(" ")
}

/// `value / unit` without zeros at the end.
fn decimal(value: u128, unit: u128) -> String {
    let digits = unit.ilog10() as usize;
    let fraction = format!("{:0digits$}", value % unit);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { (value / unit).to_string() } else { format!("{}.{fraction}", value / unit) }
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
    fn durations_print_with_units_and_without_noise() {
        let nanos = Duration::from_nanos;
        let cases = [
            (nanos(0), "0s"),
            (nanos(1), "0.001µs"),
            (Duration::from_micros(250), "250µs"),
            (Duration::from_millis(20), "20ms"),
            (Duration::from_micros(61_500), "61.5ms"),
            (nanos(61_500_001), "61.500001ms"),
            (Duration::from_millis(999), "999ms"),
            (Duration::from_secs(1), "1s"),
            (Duration::from_millis(1_060), "1.06s"),
            (Duration::from_secs(75), "1m 15s"),
            (Duration::from_millis(60_250), "1m 0.25s"),
            (Duration::from_secs(7_200), "2h"),
            (Duration::from_secs(7_230), "2h 0m 30s"),
            (Duration::from_secs(7_260), "2h 1m"),
            (Duration::from_secs(7_950), "2h 12m 30s"),
            (Duration::from_millis(7_950_060), "2h 12m 30.06s"),
        ];
        for (value, expected) in cases {
            assert_eq!(duration(value), expected, "{value:?}");
        }
    }

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
