//! The small phrases of an explanation: lists, intervals, reasons, rounded durations.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{Cause, LossReason, MiddleboxLossReason, OtherCause, SegmentLost, TcpTimer};

use crate::timeline::{HostIndex, Segment, Timeline};
use crate::words;

/// A duration as a person would say it: to 10 ms from a second on, to 10 µs from a millisecond on.
pub(super) fn about(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit: u64 = match nanos {
        0..1_000_000 => 1,
        1_000_000..1_000_000_000 => 10_000,
        _ => 10_000_000,
    };
    let rounded = (nanos + u128::from(unit / 2)) / u128::from(unit) * u128::from(unit);
    words::duration(Duration::new(
        u64::try_from(rounded / 1_000_000_000).unwrap_or(u64::MAX),
        u32::try_from(rounded % 1_000_000_000).unwrap_or(0),
    ))
}

/// `a`, `a and b`, `a, b and c`; of more than six the first five and how many more.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] if items.len() <= 6 => format!("{} and {last}", first.join(", ")),
        many => format!("{} and {} more", many[..5].join(", "), many.len() - 5),
    }
}

/// `once`, `twice`, `3 times`.
pub(super) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

/// Whether two intervals are the same to a hundredth, or to a tick of a kernel's clock.
fn alike(one: Duration, other: Duration) -> bool {
    let difference = one.abs_diff(other);
    difference <= one.max(other) / 100 || difference <= Duration::from_millis(4)
}

/// Intervals with their pattern: `200ms, then doubling from 200ms to 12.8s, then every 2m (5 times)`.
pub(super) fn intervals(intervals: &[Duration]) -> String {
    let run = |start: usize, next: &dyn Fn(Duration, Duration) -> bool| {
        let pairs = intervals[start..].windows(2).take_while(|pair| next(pair[0], pair[1])).count();
        pairs + 1
    };
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while at < intervals.len() && parts.len() < 6 {
        let first = about(intervals[at]);
        let then = if parts.is_empty() { "" } else { "then " };
        let same = run(at, &alike);
        let doubling = run(at, &|one, other| alike(one * 2, other));
        if same == intervals.len() && same > 1 {
            parts.push(format!("every {first}"));
            at += same;
        } else if same >= 3 {
            parts.push(format!("{then}every {first} ({})", times(same)));
            at += same;
        } else if doubling >= 3 {
            let last = about(intervals[at + doubling - 1]);
            parts.push(format!("{then}doubling from {first} to {last}"));
            at += doubling;
        } else {
            parts.push(first);
            at += 1;
        }
    }
    if at < intervals.len() {
        parts.push(format!("and {} more", intervals.len() - at));
    }
    parts.join(", ")
}

/// A host's name.
pub(super) fn host(timeline: &Timeline, host: HostIndex) -> &str {
    timeline.hosts.get(host).map_or("a host", String::as_str)
}

/// What a segment is to a reader.
pub(super) fn label(segment: &Segment) -> String {
    let flags = segment.flags;
    let name = match (flags.syn, flags.fin, flags.rst) {
        (true, _, _) if flags.ack => "SYN+ACK",
        (true, _, _) => "SYN",
        (_, _, true) => "RST",
        (_, true, _) => "FIN",
        _ if segment.length > 0 => return words::count(segment.length.into(), "byte"),
        _ => "ACK",
    };
    match segment.length {
        0 => name.to_owned(),
        octets => format!("{name} with {}", words::count(octets.into(), "byte")),
    }
}

/// One segment of that label: `a RST`, `an ACK`, `10 bytes`.
pub(super) fn one(label: &str) -> String {
    match label.chars().next() {
        Some('A') => format!("an {label}"),
        Some(first) if first.is_ascii_digit() => label.to_owned(),
        _ => format!("a {label}"),
    }
}

/// How much sequence space a segment takes.
pub(super) fn space(segment: &Segment) -> u32 {
    let flags = u32::from(segment.flags.syn) + u32::from(segment.flags.fin);
    segment.length.saturating_add(flags)
}

/// Why segments were lost: each reason with how often.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reasons(BTreeMap<Reason, usize>);

/// A reason in words, in the order of which they are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    text: String,
    /// The fault that it is.
    fault: Option<u32>,
}

impl Reasons {
    /// Notes why a segment did not arrive anywhere.
    pub(super) fn add(&mut self, timeline: &Timeline, segment: &Segment) {
        if let Some(lost) = segment.losses.first() {
            let fault = lost.fault.as_ref().map(|fault| fault.number);
            let reason = Reason { text: reason_of(timeline, segment, lost), fault };
            *self.0.entry(reason).or_default() += 1;
        }
    }

    /// Notes those of others too.
    pub(super) fn extend(&mut self, others: &Reasons) {
        for (reason, count) in &others.0 {
            *self.0.entry(reason.clone()).or_default() += count;
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> usize {
        self.0.values().sum()
    }

    /// The faults among them.
    pub(super) fn faults(&self) -> impl Iterator<Item = u32> {
        self.0.keys().filter_map(|reason| reason.fault)
    }

    /// In words: `fault 1: drop`, `2: fault 1: drop; 3: server was down`.
    pub(super) fn text(&self) -> String {
        match self.0.len() {
            1 => self.0.keys().next().map(|reason| reason.text.clone()).unwrap_or_default(),
            _ => {
                let part = |(reason, count): (&Reason, &usize)| format!("{count}: {}", reason.text);
                self.0.iter().map(part).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

fn reason_of(timeline: &Timeline, segment: &Segment, lost: &SegmentLost) -> String {
    let receiver = segment.to.and_then(|to| timeline.hosts.get(to)).map_or("the host", String::as_str);
    match lost.reason() {
        LossReason::Fault => segment.why_lost(lost),
        LossReason::HostDown => format!("{receiver} was down"),
        LossReason::Partition => "the network was partitioned".to_owned(),
        LossReason::NeighbourUnresolved => "nobody on the LAN answered for the address".to_owned(),
        LossReason::CablePulled => "the cable was unplugged".to_owned(),
        LossReason::QueueFull => "the queue before the link was full".to_owned(),
        LossReason::TooLarge => "larger than the path's MTU".to_owned(),
        LossReason::NoRoute => "no host has the address".to_owned(),
        LossReason::Middlebox => {
            let middlebox = &lost.middlebox;
            match lost.middlebox_reason() {
                MiddleboxLossReason::NoState => format!("{middlebox} had no state of the connection"),
                MiddleboxLossReason::Invalid => format!("invalid to {middlebox}"),
                MiddleboxLossReason::Blocked => format!("{middlebox} lets nothing new pass"),
                MiddleboxLossReason::Full => format!("{middlebox} had no room for one more connection"),
                MiddleboxLossReason::NoPort => {
                    format!("{middlebox} had no free port for one more connection")
                }
                MiddleboxLossReason::Reused => format!("{middlebox} still knew a connection of these ports"),
                MiddleboxLossReason::Down => format!("{middlebox} was down"),
                MiddleboxLossReason::Unspecified => words::loss(lost),
            }
        }
        LossReason::Unspecified | LossReason::HostPaused | LossReason::BlackHole | LossReason::Random => {
            words::loss(lost)
        }
    }
}

/// The timer whose retransmissions or probes reached their limit, if that was the cause.
pub(super) fn gave_up(cause: &Cause) -> Option<TcpTimer> {
    match cause.origin {
        Some(Origin::GaveUp(timer)) => TcpTimer::try_from(timer).ok(),
        _ => None,
    }
}

/// The timer that fired, if that was the cause.
pub(super) fn fired(cause: &Cause) -> Option<TcpTimer> {
    match cause.origin {
        Some(Origin::Timer(timer)) => TcpTimer::try_from(timer).ok(),
        _ => None,
    }
}

/// Whether a connection in TIME-WAIT made way for a new one.
pub(super) fn is_replaced(cause: &Cause) -> bool {
    cause.origin == Some(Origin::Other(OtherCause::Replaced.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_described_by_their_pattern() {
        let ms = |values: &[u64]| -> Vec<Duration> {
            values.iter().map(|value| Duration::from_millis(*value)).collect()
        };
        for (values, expected) in [
            (&[][..], ""),
            (&[240], "240ms"),
            (&[200, 300], "200ms, 300ms"),
            (&[1000, 1000], "every 1s"),
            (&[75_000; 9], "every 1m 15s"),
            (&[240, 240, 480, 960, 1920], "240ms, then doubling from 240ms to 1.92s"),
            (&[200, 400, 800, 800, 800, 800], "doubling from 200ms to 800ms, then every 800ms (3 times)"),
            (&[1, 20, 300, 7, 1000, 9, 33, 200], "1ms, 20ms, 300ms, 7ms, 1s, 9ms, and 2 more"),
        ] {
            assert_eq!(intervals(&ms(values)), expected, "{values:?}");
        }
    }

    #[test]
    fn durations_are_rounded_to_what_a_person_would_say() {
        for (nanos, expected) in [
            (0, "0s"),
            (250_000, "250µs"),
            (20_004_999, "20ms"),
            (61_500_000, "61.5ms"),
            (999_999_999, "1s"),
            (7_950_064_999_999, "2h 12m 30.06s"),
        ] {
            assert_eq!(about(Duration::from_nanos(nanos)), expected);
        }
        about(Duration::MAX);
    }

    #[test]
    fn a_long_list_is_cut() {
        let items = |count: usize| (0..count).map(|item| item.to_string()).collect::<Vec<_>>();
        let texts: Vec<String> = [0, 1, 2, 3, 6, 7].into_iter().map(|count| list(&items(count))).collect();
        assert_eq!(
            texts,
            ["", "0", "0 and 1", "0, 1 and 2", "0, 1, 2, 3, 4 and 5", "0, 1, 2, 3, 4 and 2 more"]
        );
    }
}
