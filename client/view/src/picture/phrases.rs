//! Segments, timers, keepalive and applications, in the words of a picture.

use std::time::Duration;

use halfopen_proto::v1::{
    KeepaliveVerdict, MiddleboxChange, MiddleboxState, StepKind, TcpDropReason, TcpPurpose, TcpState,
    TcpTimer, TimerChange, UnreachableCode,
};

use super::row::{Word, WordKind};
use crate::timeline::{Fault, Segment};
use crate::words;

/// A segment in words that a line may break between.
pub(super) fn label(segment: &Segment) -> Vec<Word> {
    let number = |text: String| Word::new(WordKind::Number, text);
    let purpose = |text: String| Word::new(WordKind::Purpose, text);
    let mut label =
        vec![Word::new(WordKind::Flags, words::flags(segment.flags)), number(format!("seq={}", segment.seq))];
    label.extend(segment.ack.map(|ack| number(format!("ack={ack}"))));
    if segment.length > 0 {
        label.push(number(format!("len={}", segment.length)));
    }
    if segment.window == 0 && !segment.flags.rst {
        label.push(number("win=0".to_owned()));
    }
    if !segment.middlebox.is_empty() {
        label.push(purpose(format!("· by {}", segment.middlebox)));
    } else if segment.injected {
        label.push(purpose("· injected".to_owned()));
    }
    // The SYN+ACK of a simultaneous open sends the SYN again.
    let again = words::purpose(TcpPurpose::Retransmission).filter(|_| segment.retransmission);
    label.extend(words::purpose(segment.purpose).or(again).map(|why| purpose(format!("· {why}"))));
    label
}

/// What faults did to a segment, except for the one that the cell at the end of the arrow names.
pub(super) fn faults(segment: &Segment) -> impl Iterator<Item = Word> {
    let lost = segment.losses.first().filter(|_| segment.arrivals.is_empty());
    let lost = lost.and_then(|lost| lost.fault.as_ref()).map(|fault| fault.number);
    segment
        .faults
        .iter()
        .filter(move |fault| lost != Some(fault.number))
        .map(|Fault { number, action, .. }| Word::new(WordKind::Fault, format!("· fault {number}: {action}")))
}

pub(super) fn not_used(dropped: TcpDropReason) -> Option<String> {
    words::drop_reason(dropped).map(|why| format!("· not used: {why}"))
}

/// Why a state changed. A listener has no peer: what ended it is not the end of a connection.
pub(super) fn transition(from: TcpState, to: TcpState, why: impl FnOnce() -> String) -> String {
    match (from, to) {
        (TcpState::Listen, TcpState::Closed) => "stops listening".to_owned(),
        _ => why(),
    }
}

/// What a router reports about a segment.
pub(super) fn unreachable(
    (code, mtu): (UnreachableCode, u32),
    segment: Option<&Segment>,
    dropped: TcpDropReason,
) -> String {
    let mut text = format!("ICMP: {}", words::unreachable(code));
    if code == UnreachableCode::FragmentationNeeded {
        text.push_str(&format!(", MTU {mtu}"));
    }
    if let Some(segment) = segment {
        text.push_str(&format!(" ({} seq={})", words::flags(segment.flags), segment.seq));
    }
    if let Some(not_used) = not_used(dropped) {
        text.push_str(&format!(" {not_used}"));
    }
    text
}

/// What a middlebox did, where the segments do not show it already.
pub(super) fn middlebox(
    name: &str,
    change: MiddleboxChange,
    before: MiddleboxState,
    translated_to: &str,
) -> Option<String> {
    match change {
        MiddleboxChange::Unspecified | MiddleboxChange::Created | MiddleboxChange::Moved => None,
        MiddleboxChange::Adopted => Some(format!("{name} adopts the connection")),
        MiddleboxChange::Expired => {
            Some(format!("{name} forgets the idle connection ({})", words::middlebox_state(before)))
        }
        MiddleboxChange::Forgotten => {
            Some(format!("{name} loses the connection ({})", words::middlebox_state(before)))
        }
        MiddleboxChange::Clamped => Some(format!("{name} lowers the MSS")),
        MiddleboxChange::Translated => Some(format!("{name} translates it to {translated_to}")),
        MiddleboxChange::Renumbered => Some(format!("{name} moves the sequence numbers")),
        MiddleboxChange::Untranslated => Some(format!("{name} lets a segment pass untranslated")),
    }
}

/// The news of keepalive that are worth a note: an answer or the end. Probes are segments of their own.
pub(super) fn keepalive(verdict: KeepaliveVerdict, probes: u32, silence: Duration) -> Option<String> {
    let name = words::keepalive(verdict);
    match verdict {
        KeepaliveVerdict::Unspecified | KeepaliveVerdict::Probing => None,
        KeepaliveVerdict::Alive => Some(format!("keepalive: {name}")),
        KeepaliveVerdict::Reset | KeepaliveVerdict::Dead => {
            Some(format!("keepalive: {name} after {}", words::silence(probes, silence)))
        }
    }
}

pub(super) fn application(call: StepKind, octets: u64, end_of_stream: bool, error: &str) -> String {
    let mut text = words::step(call).to_owned();
    if octets > 0 {
        text.push_str(&format!(" {octets}"));
    }
    if end_of_stream {
        text.push_str(", end of stream");
    }
    if !error.is_empty() {
        text.push_str(&format!(": {error}"));
    }
    text
}

/// What a timer did.
pub(super) fn timer(timer: TcpTimer, change: TimerChange, expires: Duration) -> String {
    let name = words::timer(timer);
    match change {
        TimerChange::Unspecified => format!("{name} timer"),
        TimerChange::Set => format!("{name} timer set to {}", words::duration(expires)),
        TimerChange::Fired => format!("{name} timer fired"),
        TimerChange::Cancelled => format!("{name} timer cancelled"),
    }
}
