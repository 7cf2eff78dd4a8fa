//! What became of a segment that arrived and was sent again nevertheless.

use halfopen_proto::v1::{FaultKind, TcpDropReason};

use super::phrases::{self, Reasons};
use super::recovery::Piece;
use crate::timeline::{Entry, EntryIndex, EntryKind, Segment, Timeline};
use crate::words;

/// Why no acknowledgment of a piece that arrived came in time, in words that follow its name: `arrived, but the ACK of it
/// was lost (fault 1: drop)`.
pub(super) fn fate(timeline: &Timeline, piece: &Piece) -> String {
    let sent = piece.sent.iter().filter_map(|index| Some((*index, timeline.segment(*index)?)));
    let Some((index, first)) = sent.clone().next() else { return NOT_IN_TIME.to_owned() };
    let late = first.faults.iter().find(|fault| match fault.kind {
        FaultKind::Delay | FaultKind::Reorder => !first.is_lost_by(fault.number),
        _ => false,
    });
    if let Some(fault) = late {
        let be = if piece.is_plural() { "were" } else { "was" };
        return format!("{be} late (fault {}: {})", fault.number, fault.action);
    }
    let sender = &timeline.entries[index];
    let pronoun = piece.pronoun();
    for (_, segment) in sent {
        if let Some((receiver, why)) = not_used(timeline, sender, segment) {
            return format!("reached {receiver}, which did not use {pronoun}: {why}");
        }
    }
    acknowledgments(timeline, piece, index, first).unwrap_or_else(|| NOT_IN_TIME.to_owned())
}

const NOT_IN_TIME: &str = "arrived, but no acknowledgment came in time";

/// Where a segment arrived that was not used, and why not.
fn not_used(timeline: &Timeline, sender: &Entry, segment: &Segment) -> Option<(String, &'static str)> {
    let arrival = &timeline.entries[*segment.arrivals.first()?];
    let EntryKind::Arrived { dropped, .. } = arrival.kind else { return None };
    let why = words::drop_reason(dropped).filter(|_| dropped != TcpDropReason::Duplicate)?;
    let host = phrases::host(timeline, arrival.host?);
    let receiver = match arrival.connection {
        other if other != sender.connection && other != 0 => format!("{host}'s connection {other}"),
        _ => host.to_owned(),
    };
    Some((receiver, why))
}

/// What became of the acknowledgments of a piece, as long as it was sent again.
fn acknowledgments(timeline: &Timeline, piece: &Piece, index: EntryIndex, first: &Segment) -> Option<String> {
    let sender = &timeline.entries[index];
    let end = first.seq.wrapping_add(phrases::space(first));
    let pronoun = piece.pronoun();
    let mut lost = Reasons::default();
    let mut under_way = false;
    for entry in timeline.entries.get(index..*piece.sent.last()?)? {
        let EntryKind::Sent(ack) = &entry.kind else { continue };
        let acknowledges = ack.ack.is_some_and(|ack| (ack.wrapping_sub(end) as i32) >= 0);
        if entry.host != first.to || ack.to != sender.host || entry.connection != sender.connection {
            continue;
        }
        if acknowledges && ack.arrivals.is_empty() {
            lost.add(timeline, ack);
        } else if acknowledges
            && let EntryKind::Arrived { dropped, .. } = timeline.entries[*ack.arrivals.first()?].kind
            && let Some(why) = words::drop_reason(dropped)
        {
            let host = phrases::host(timeline, sender.host?);
            return Some(format!("arrived, but {host} did not use the ACK of {pronoun}: {why}"));
        } else {
            under_way |= acknowledges;
        }
    }
    let receiver = phrases::host(timeline, first.to?);
    Some(match lost.count() {
        0 if under_way => format!("arrived, but the ACK of {pronoun} was still under way"),
        0 => format!("arrived, but {receiver} had not acknowledged {pronoun} yet"),
        1 => format!("arrived, but the ACK of {pronoun} was lost ({})", lost.text()),
        _ => format!("arrived, but the ACKs of {pronoun} were lost ({})", lost.text()),
    })
}
