//! Folds repetitions: probes at an even pace, retransmissions with backoff, the bulk of a transfer.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::time::Duration;

use halfopen_proto::v1::{StepKind, TcpDropReason, TcpPurpose, TcpState};

use super::layout::{ItemWhat, Layout};
use super::row::{Alike, Folded, Row, What};
use super::slot::Slot;
use crate::pattern::{LONGEST_PATTERN, Pattern};
use crate::timeline::{EntryIndex, EntryKind, Segment};
use crate::words;

/// The number of rows above which a transfer is folded.
const BULK: usize = 16;
/// How many rows of it remain, before and after.
const BULK_ENDS: (usize, usize) = (5, 4);

/// Folds the items at `kept`, which are positions of [`Layout::items`] in order. Where a state changes, an error comes, or a
/// fault is applied to a host, nothing is folded.
pub(super) fn fold(layout: &Layout<'_>, kept: &[usize]) -> Vec<Slot> {
    let shapes: Vec<u64> = kept.iter().map(|index| shape(layout, *index)).collect();
    let bulk = bulk_lengths(layout, kept);
    let mut slots = Vec::with_capacity(kept.len().min(1024));
    let items = |range: Range<usize>| kept[range].iter().copied();
    let mut at = 0;
    while at < kept.len() {
        let pattern = Pattern::at(&shapes, at);
        if let Some(pattern) = pattern.filter(|found| bulk[at] <= BULK || found.length() * 2 >= bulk[at]) {
            let (begin, end) = (at + pattern.rows, at + pattern.length() - pattern.rows);
            slots.extend(items(at..begin).map(Slot::Item));
            slots.push(Slot::Folded(items(begin..end).collect(), text_of(&pattern, layout, &kept[at..])));
            slots.extend(items(end..end + pattern.rows).map(Slot::Item));
            at = end + pattern.rows;
        } else if bulk[at] > BULK && !pattern_soon(&shapes, at, bulk[at]) {
            let (begin, end) = (at + BULK_ENDS.0, at + bulk[at] - BULK_ENDS.1);
            slots.extend(items(at..begin).map(Slot::Item));
            let folded: Vec<usize> = items(begin..end).collect();
            let text = transfer(layout, &folded);
            slots.push(Slot::Folded(folded, text));
            slots.extend(items(end..end + BULK_ENDS.1).map(Slot::Item));
            at = end + BULK_ENDS.1;
        } else {
            slots.push(Slot::Item(kept[at]));
            at += 1;
        }
    }
    slots
}

/// The row of folded items.
pub(super) fn row(layout: &Layout<'_>, items: &[usize], text: String, alike: Option<Alike>) -> Row {
    let time = |index: Option<&usize>| index.map(|index| layout.items[*index].time).unwrap_or_default();
    let events = items.iter().flat_map(|index| layout.events(*index));
    let (first, last) =
        events.fold((u64::MAX, 0), |(first, last), event| (first.min(event), last.max(event)));
    let events = first..=last;
    let folded = Folded { rows: items.len(), until: time(items.last()), events, text, alike };
    let connection = |index: &usize| layout.items[*index].connection;
    let number = items.first().map(connection).unwrap_or_default();
    let same = items.iter().all(|index| connection(index) == number);
    let row = Row::empty(What::Folded(folded));
    Row { time: time(items.first()), connection: if same { number } else { 0 }, ..row }
}

/// The description of all repetitions of a pattern but the first and the last.
fn text_of(pattern: &Pattern, layout: &Layout<'_>, kept: &[usize]) -> String {
    let times = pattern.times - 2;
    let starts = kept.iter().step_by(pattern.rows).take(pattern.times);
    let starts: Vec<Duration> = starts.map(|index| layout.items[*index].time).collect();
    let intervals: Vec<Duration> = starts.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
    let pace = pace(&intervals);
    match pattern.rows {
        1 => format!("{times} more, {pace}"),
        rows => format!("these {rows} rows {times} times more, {pace}"),
    }
}

/// Whether a pattern that is most of a transfer begins soon.
fn pattern_soon(shapes: &[u64], at: usize, bulk: usize) -> bool {
    (at + 1..(at + 1 + LONGEST_PATTERN).min(at + bulk))
        .any(|at| Pattern::at(shapes, at).is_some_and(|pattern| pattern.length() * 2 >= bulk))
}

/// How far apart: `every 1m 15s`, `doubling from 1s to 2m, then every 2m`.
pub(super) fn pace(intervals: &[Duration]) -> String {
    let least = intervals.iter().min().copied().unwrap_or_default();
    let most = intervals.iter().max().copied().unwrap_or_default();
    let doubles = |pair: &[Duration]| {
        let twice = pair[0] * 2;
        pair[1] == pair[0] || pair[1].abs_diff(twice) <= twice / 20 || (pair[1] == most && pair[1] < twice)
    };
    let same = |end: Duration| intervals.iter().filter(|interval| **interval == end).count();
    let (short, long) = (words::duration(least), words::duration(most));
    if most.is_zero() {
        "at the same moment".to_owned()
    } else if least == most {
        format!("every {long}")
    } else if intervals.windows(2).all(|pair| pair[0] <= pair[1] && doubles(pair)) {
        let begin = match same(least) {
            0 | 1 => format!("doubling from {short}"),
            _ => format!("every {short}, then doubling"),
        };
        let end = if same(most) > 1 { format!(", then every {long}") } else { String::new() };
        format!("{begin} to {long}{end}")
    } else {
        format!("{short} to {long} apart")
    }
}

/// A transfer in words: `120 segments more: 170240 octets to server, in 12ms`.
fn transfer(layout: &Layout<'_>, items: &[usize]) -> String {
    let (mut segments, mut octets) = (0, BTreeMap::new());
    for index in items {
        if let ItemWhat::Sent { entry, .. } = &layout.items[*index].what
            && let Some(segment) = layout.timeline.segment(*entry)
        {
            segments += 1;
            *octets.entry(segment.to).or_insert(0) += u64::from(segment.length);
        }
    }
    let octets: Vec<String> = octets
        .into_iter()
        .filter(|(_, octets)| *octets > 0)
        .filter_map(|(to, octets)| {
            let name = layout.timeline.hosts.get(to?)?;
            Some(format!("{} to {name}", words::count(octets, "byte")))
        })
        .collect();
    let time = |index: Option<&usize>| index.map(|index| layout.items[*index].time).unwrap_or_default();
    let length = time(items.last()).saturating_sub(time(items.first()));
    let what = if octets.is_empty() { String::new() } else { format!("{}, ", octets.join(", ")) };
    format!("{} more: {what}in {}", words::count(segments, "segment"), words::duration(length))
}

/// For each item how many follow, it included, that are nothing but a transfer that goes well.
fn bulk_lengths(layout: &Layout<'_>, kept: &[usize]) -> Vec<usize> {
    let mut lengths = vec![0; kept.len()];
    let mut length = 0;
    for (at, index) in kept.iter().enumerate().rev() {
        length = if is_bulk(layout, *index) { length + 1 } else { 0 };
        lengths[at] = length;
    }
    lengths
}

fn is_bulk(layout: &Layout<'_>, index: usize) -> bool {
    !layout.items[index].changes
        && match &layout.items[index].what {
            ItemWhat::Sent { entry, .. } => layout.timeline.segment(*entry).is_some_and(goes_well),
            ItemWhat::Arrived { entry, sent } => {
                let used = match &layout.timeline.entries[*entry].kind {
                    EntryKind::Arrived { copy, dropped, .. } => {
                        *copy == 1 && *dropped == TcpDropReason::Unspecified
                    }
                    _ => false,
                };
                used && layout.timeline.segment(*sent).is_some_and(goes_well)
            }
            ItemWhat::Notes { notes, becomes, .. } => {
                becomes.is_none()
                    && layout.notes(notes).all(|(_, entry)| match &entry.kind {
                        EntryKind::Application { call, error, end_of_stream, .. } => {
                            error.is_empty()
                                && !end_of_stream
                                && matches!(call, StepKind::Send | StepKind::Receive)
                        }
                        EntryKind::Timer { .. } => true,
                        _ => false,
                    })
            }
        }
}

/// Whether a segment does nothing remarkable but carry or acknowledge data.
fn goes_well(segment: &Segment) -> bool {
    let flags = segment.flags;
    let plain = matches!(segment.purpose, TcpPurpose::Normal | TcpPurpose::Unspecified);
    let arrived = segment.losses.is_empty() && segment.faults.is_empty() && !segment.injected;
    plain && arrived && !flags.syn && !flags.fin && !flags.rst && !segment.retransmission
}

/// A number that is equal for rows that differ only in times and sequence numbers. A row that must not be folded has
/// a unique number.
fn shape(layout: &Layout<'_>, index: usize) -> u64 {
    let item = &layout.items[index];
    let mut hasher = DefaultHasher::new();
    (item.connection, layout.arrives_at(item)).hash(&mut hasher);
    let may_fold = !layout.items[index].changes
        && match &item.what {
            ItemWhat::Sent { entry, whole } => hash_sent(layout, *entry, *whole, &mut hasher),
            ItemWhat::Arrived { entry, sent } => {
                (1, layout.state(*entry).map(i32::from)).hash(&mut hasher);
                hash_arrival(layout, *entry, &mut hasher);
                layout.timeline.segment(*sent).is_some_and(|segment| {
                    hash_segment(segment, &mut hasher);
                    true
                })
            }
            ItemWhat::Notes { host, notes, becomes } => {
                (2, host, notes.len()).hash(&mut hasher);
                becomes.is_none() && layout.notes(notes).all(|(_, entry)| hash_note(&entry.kind, &mut hasher))
            }
        };
    if !may_fold {
        (3, index).hash(&mut hasher);
    }
    hasher.finish()
}

pub(super) fn hash_sent(
    layout: &Layout<'_>,
    entry: EntryIndex,
    whole: bool,
    hasher: &mut DefaultHasher,
) -> bool {
    let Some((segment, arrival)) = layout.sent(entry, whole) else { return false };
    (0, layout.timeline.entries[entry].host, whole).hash(hasher);
    let state = |index: EntryIndex| layout.state(index).unwrap_or(TcpState::Closed) as i32;
    (state(entry), arrival.map(state)).hash(hasher);
    if let Some(arrival) = arrival {
        hash_arrival(layout, arrival, hasher);
    }
    hash_segment(segment, hasher);
    true
}

pub(super) fn hash_arrival(layout: &Layout<'_>, arrival: EntryIndex, hasher: &mut DefaultHasher) {
    if let EntryKind::Arrived { copy, dropped, .. } = &layout.timeline.entries[arrival].kind {
        (copy, *dropped as i32).hash(hasher);
    }
}

pub(super) fn hash_segment(segment: &Segment, hasher: &mut DefaultHasher) {
    let flags = segment.flags;
    let bits = [flags.syn, flags.fin, flags.rst, flags.psh, flags.ack, flags.urg, flags.ece, flags.cwr];
    (segment.to, bits, segment.purpose as i32, segment.length, segment.injected, &segment.middlebox)
        .hash(hasher);
    segment.losses.iter().for_each(|loss| words::loss(loss).hash(hasher));
    (segment.losses.len(), segment.arrivals.len()).hash(hasher);
    for fault in &segment.faults {
        (fault.number, &fault.action).hash(hasher);
    }
}

/// Whether such a note may be folded.
pub(super) fn hash_note(kind: &EntryKind, hasher: &mut DefaultHasher) -> bool {
    match kind {
        EntryKind::Application { call, octets, error, end_of_stream, .. } => {
            (*call as i32, octets).hash(hasher);
            error.is_empty() && !end_of_stream
        }
        EntryKind::Timer { timer, change, .. } => {
            (*timer as i32, *change as i32).hash(hasher);
            true
        }
        EntryKind::Keepalive { verdict, .. } => {
            (*verdict as i32).hash(hasher);
            true
        }
        EntryKind::Unreachable { code, mtu, dropped, .. } => {
            (*code as i32, mtu, *dropped as i32).hash(hasher);
            true
        }
        // Each connection gets an address and a port of its own.
        EntryKind::Middlebox { name, change, before, .. } => {
            (name, *change as i32, *before as i32).hash(hasher);
            true
        }
        EntryKind::Sent(_)
        | EntryKind::Arrived { .. }
        | EntryKind::Lost { .. }
        | EntryKind::Transition { .. }
        | EntryKind::Error(_)
        | EntryKind::Fault(_)
        | EntryKind::Host(_)
        | EntryKind::End
        | EntryKind::Written { .. }
        | EntryKind::Read { .. } => false,
    }
}
