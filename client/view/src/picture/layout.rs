//! What has a row, in order: positions in a timeline, which cost nothing until they are written.

use std::ops::Range;
use std::time::Duration;

use halfopen_proto::v1::{Cause, HostState, KeepaliveVerdict, MiddleboxChange, TcpState, cause};

use super::LONG_SILENCE;
use super::foresight::Foresight;
use super::pauses::Pauses;
use super::row::End;
use crate::timeline::{Entry, EntryIndex, EntryKind, HostIndex, Segment, Timeline};

/// What a row will show.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) time: Duration,
    /// The connection; 0: none. That of a segment is its sender's.
    pub(super) connection: u32,
    pub(super) what: ItemWhat,
    /// Whether it shows a state that no row before it shows. [`super::lives`] finds that out.
    pub(super) changes: bool,
}

#[derive(Clone, Debug)]
pub(super) enum ItemWhat {
    /// A segment leaves, was lost, or, if it is whole, goes from host to host.
    Sent { entry: EntryIndex, whole: bool },
    /// A segment arrives that left in an earlier row.
    Arrived { entry: EntryIndex, sent: EntryIndex },
    /// Something happened at a host, or in the network.
    Notes {
        host: Option<HostIndex>,
        /// Which of [`Layout::noted`].
        notes: Range<usize>,
        /// Where the host becomes something else.
        becomes: Option<EntryIndex>,
    },
}

/// A timeline with what has a row in it.
pub(super) struct Layout<'a> {
    pub(super) timeline: &'a Timeline,
    pauses: Pauses<'a>,
    foresight: Foresight,
    /// What has a row, in order: positions in a timeline, which cost nothing until they are written.
    pub(super) items: Vec<Item>,
    /// The entries that are notes.
    noted: Vec<EntryIndex>,
}

impl<'a> Layout<'a> {
    /// Finds what has a row. Timers do if it is asked for. If arrows slope, only what arrives at once has one row for both
    /// ends.
    pub(super) fn new(timeline: &'a Timeline, timers: bool, sloped: bool, pauses: Pauses<'a>) -> Layout<'a> {
        let foresight = Foresight::new(timeline, pauses);
        let (items, noted) = Default::default();
        let mut layout = Layout { timeline, pauses, foresight, items, noted };
        for (index, entry) in timeline.entries.iter().enumerate() {
            layout.add(index, entry, timers, sloped);
        }
        layout
    }

    /// Where an item begins.
    pub(super) fn entry(&self, index: usize) -> Option<EntryIndex> {
        match &self.items[index].what {
            ItemWhat::Sent { entry, .. } | ItemWhat::Arrived { entry, .. } => Some(*entry),
            ItemWhat::Notes { notes, becomes, .. } => self.noted[notes.clone()].first().copied().or(*becomes),
        }
    }

    /// The sequence number of an item's first event.
    pub(super) fn first(&self, index: usize) -> u64 {
        self.events(index).next().unwrap_or(0)
    }

    /// Whether an item shows the event of that sequence number.
    pub(super) fn shows(&self, index: usize, sequence: u64) -> bool {
        self.events(index).any(|event| event == sequence)
    }

    /// Whether an item is not drawn yet, or not as it is: a segment that was under way at the last pause is lost now.
    pub(super) fn is_new(&self, index: usize) -> bool {
        let Some(last) = self.pauses.last() else { return true };
        let mut new = self.timeline.entries.iter().rev().take_while(|entry| entry.sequence > last);
        match self.items[index].what {
            _ if self.is_later(index) => true,
            ItemWhat::Sent { entry, .. } => {
                let is_lost = |segment: &Segment| segment.arrivals.is_empty() && !segment.losses.is_empty();
                self.timeline.segment(entry).is_some_and(is_lost)
                    && new.any(|other| matches!(other.kind, EntryKind::Lost { segment } if segment == entry))
            }
            ItemWhat::Arrived { .. } | ItemWhat::Notes { .. } => false,
        }
    }

    /// Whether an item begins after what is drawn.
    pub(super) fn is_later(&self, index: usize) -> bool {
        self.pauses.last().is_none_or(|last| self.first(index) > last)
    }

    /// The sequence numbers of the events that an item shows.
    pub(super) fn events(&self, index: usize) -> impl Iterator<Item = u64> {
        let (one, other, notes) = match &self.items[index].what {
            ItemWhat::Sent { entry, whole } => {
                (Some(*entry), self.sent(*entry, *whole).and_then(|(_, arrival)| arrival), 0..0)
            }
            ItemWhat::Arrived { entry, .. } => (Some(*entry), None, 0..0),
            ItemWhat::Notes { notes, becomes, .. } => (*becomes, None, notes.clone()),
        };
        let noted = self.noted[notes].iter().copied();
        noted.chain(one).chain(other).map(|index| self.timeline.entries[index].sequence)
    }

    /// The state where a segment was sent, or after it arrived.
    pub(super) fn state(&self, index: EntryIndex) -> Option<TcpState> {
        self.foresight.state(index)
    }

    /// Whether what arrived there returned a SYN cookie.
    pub(super) fn returns_cookie(&self, arrival: EntryIndex) -> bool {
        self.foresight.returns_cookie(arrival)
    }

    /// The end of an arrow where its segment was sent or arrived, with the states to show there.
    pub(super) fn end(&self, index: EntryIndex) -> End {
        let Entry { host, connection, .. } = self.timeline.entries[index];
        End { host, connection, states: self.foresight.states(index) }
    }

    /// The connection at which an item's segment arrives, if the item shows that; 0: none.
    pub(super) fn arrives_at(&self, item: &Item) -> u32 {
        let arrival = match item.what {
            ItemWhat::Sent { entry, whole } => self.sent(entry, whole).and_then(|(_, arrival)| arrival),
            ItemWhat::Arrived { entry, .. } => Some(entry),
            ItemWhat::Notes { .. } => None,
        };
        arrival.map_or(0, |arrival| self.timeline.entries[arrival].connection)
    }

    /// The entries of an item's notes.
    pub(super) fn notes(&self, notes: &Range<usize>) -> impl Iterator<Item = (EntryIndex, &'a Entry)> {
        let entries = &self.timeline.entries;
        self.noted[notes.clone()].iter().map(|index| (*index, &entries[*index]))
    }

    /// The segment that was sent at `index`, with its first arrival if the row shows that.
    pub(super) fn sent(&self, index: EntryIndex, whole: bool) -> Option<(&'a Segment, Option<EntryIndex>)> {
        let segment = self.timeline.segment(index)?;
        Some((segment, segment.arrivals.first().copied().filter(|_| whole)))
    }

    /// Whether a transition needs no words: a call caused it that ends at the same moment.
    pub(super) fn call_shows(&self, index: EntryIndex, cause: &Cause) -> bool {
        matches!(cause.origin, Some(cause::Origin::Call(_))) && self.application_follows(index, |_| true)
    }

    fn add(&mut self, index: EntryIndex, entry: &Entry, timers: bool, sloped: bool) {
        match &entry.kind {
            EntryKind::Sent(segment) => {
                let arrival = segment.arrivals.first().map(|arrival| self.timeline.entries[*arrival].time);
                let level = !sloped || arrival == Some(entry.time);
                let whole = level && self.foresight.is_whole(index);
                self.push(entry.time, entry.connection, ItemWhat::Sent { entry: index, whole });
            }
            EntryKind::Arrived { segment, copy, .. } => {
                let sender = &self.timeline.entries[*segment];
                let at_once = sender.time == entry.time;
                let whole = (!sloped || at_once) && self.foresight.is_whole(*segment);
                if *copy > 1 || !whole {
                    let what = ItemWhat::Arrived { entry: index, sent: *segment };
                    self.push(entry.time, sender.connection, what);
                }
            }
            EntryKind::Middlebox { change, .. } => match change {
                MiddleboxChange::Unspecified | MiddleboxChange::Created | MiddleboxChange::Moved => {}
                MiddleboxChange::Adopted
                | MiddleboxChange::Expired
                | MiddleboxChange::Forgotten
                | MiddleboxChange::Clamped
                | MiddleboxChange::Translated
                | MiddleboxChange::Renumbered
                | MiddleboxChange::Untranslated => self.note(index, entry),
            },
            EntryKind::Transition { .. } => {
                if !self.foresight.is_at_arrival(index) && !self.next_segment_shows(index, entry) {
                    self.note(index, entry);
                }
            }
            EntryKind::Keepalive { verdict, .. } => match verdict {
                // The probes are segments of their own.
                KeepaliveVerdict::Unspecified | KeepaliveVerdict::Probing => {}
                KeepaliveVerdict::Alive | KeepaliveVerdict::Reset | KeepaliveVerdict::Dead => {
                    self.note(index, entry);
                }
            },
            // What happened last is the end, unless nothing did for long.
            EntryKind::End => {
                let last = self.items.last().map(|item| item.time).unwrap_or_default();
                if entry.time.saturating_sub(last) >= LONG_SILENCE {
                    self.note(index, entry);
                }
            }
            EntryKind::Timer { .. } => {
                if timers {
                    self.note(index, entry);
                }
            }
            EntryKind::Error(errno) => {
                if !self.application_follows(index, |error| error == errno) {
                    self.note(index, entry);
                }
            }
            EntryKind::Unreachable { .. } | EntryKind::Fault(_) | EntryKind::Application { .. } => {
                self.note(index, entry);
            }
            EntryKind::Host(_) => self.host(index, entry),
            EntryKind::Lost { .. } | EntryKind::Written { .. } | EntryKind::Read { .. } => {}
        }
    }

    fn push(&mut self, time: Duration, connection: u32, what: ItemWhat) {
        self.items.push(Item { time, connection, what, changes: false });
    }

    /// Whether the same host sends a segment of the connection at the same moment, whose row shows the state.
    fn next_segment_shows(&self, index: EntryIndex, entry: &Entry) -> bool {
        self.timeline.entries[index + 1..]
            .iter()
            .take_while(|other| other.time == entry.time)
            .filter(|other| other.host == entry.host && other.connection == entry.connection)
            .find_map(|other| match &other.kind {
                EntryKind::Sent(_) => Some(true),
                EntryKind::Transition { .. } => Some(false),
                EntryKind::Arrived { .. }
                | EntryKind::Lost { .. }
                | EntryKind::Unreachable { .. }
                | EntryKind::Middlebox { .. }
                | EntryKind::Timer { .. }
                | EntryKind::Keepalive { .. }
                | EntryKind::Error(_)
                | EntryKind::Fault(_)
                | EntryKind::Host(_)
                | EntryKind::End
                | EntryKind::Application { .. }
                | EntryKind::Written { .. }
                | EntryKind::Read { .. } => None,
            })
            .unwrap_or(false)
    }

    /// Whether a step of an application of the host ends at the same moment, later, with such an error. It says more
    /// than the announcement.
    fn application_follows(&self, index: EntryIndex, wanted: impl Fn(&str) -> bool) -> bool {
        let entry = &self.timeline.entries[index];
        self.timeline.entries[index + 1..]
            .iter()
            .take_while(|other| other.time == entry.time)
            .filter(|other| other.host == entry.host)
            .any(|other| matches!(&other.kind, EntryKind::Application { error, .. } if wanted(error)))
    }

    /// Adds a note, to the last row if that is of the same moment and place. It stands above what is sent to the host at this
    /// moment and arrives later.
    fn note(&mut self, index: EntryIndex, entry: &Entry) {
        let comes_later = |item: &&Item| match item.what {
            ItemWhat::Sent { entry: sent, whole } => {
                let (segment, arrival) = self.sent(sent, whole).unzip();
                let arrival = arrival.flatten().map(|arrival| self.timeline.entries[arrival].time);
                item.time == entry.time
                    && arrival > Some(entry.time)
                    && segment.is_some_and(|segment| segment.to.is_some() && segment.to == entry.host)
            }
            ItemWhat::Arrived { .. } | ItemWhat::Notes { .. } => false,
        };
        let at = self.items.len() - self.items.iter().rev().take_while(comes_later).count();
        self.noted.push(index);
        let end = self.noted.len();
        let stateless = |notes: &Range<usize>| {
            let is_state = |index: &EntryIndex| {
                matches!(self.timeline.entries[*index].kind, EntryKind::Transition { .. })
            };
            !self.noted[notes.clone()].iter().any(is_state)
        };
        // The states of a row are those of one connection.
        let goes_with = |connection: u32, notes: &Range<usize>| {
            connection == entry.connection
                || (connection == 0 && stateless(notes))
                || (entry.connection == 0 && stateless(&(end - 1..end)))
        };
        if let Some(Item { time, connection, what: ItemWhat::Notes { host, notes, .. }, .. }) =
            self.items[..at].last_mut()
            && *time == entry.time
            && *host == entry.host
            && notes.end + 1 == end
            && !self.pauses.separate(&self.timeline.entries[self.noted[notes.end - 1]], entry)
            && goes_with(*connection, notes)
        {
            notes.end = end;
            *connection = entry.connection.max(*connection);
        } else {
            let what = ItemWhat::Notes { host: entry.host, notes: end - 1..end, becomes: None };
            let item = Item { time: entry.time, connection: entry.connection, what, changes: false };
            self.items.insert(at, item);
        }
    }

    /// A host is something else now: beside the fault that did it, if it was at this moment.
    fn host(&mut self, index: EntryIndex, entry: &Entry) {
        let (timeline, noted, pauses) = (self.timeline, &self.noted, self.pauses);
        let is_fault = |index: &EntryIndex| {
            let earlier = &timeline.entries[*index];
            matches!(earlier.kind, EntryKind::Fault(_)) && !pauses.separate(earlier, entry)
        };
        let mut recent = self.items.iter_mut().rev().take_while(|item| item.time == entry.time);
        let fault = recent.find_map(|item| match &mut item.what {
            ItemWhat::Notes { host, notes, becomes: becomes @ None }
                if *host == entry.host && noted[notes.clone()].iter().any(is_fault) =>
            {
                Some(becomes)
            }
            _ => None,
        });
        if let Some(becomes) = fault {
            *becomes = Some(index);
            return;
        }
        let notes = self.noted.len()..self.noted.len();
        let what = ItemWhat::Notes { host: entry.host, notes, becomes: Some(index) };
        self.push(entry.time, entry.connection, what);
    }

    /// What the host becomes at that entry.
    pub(super) fn host_state(&self, index: EntryIndex) -> Option<HostState> {
        let EntryKind::Host(state) = self.timeline.entries.get(index)?.kind else { return None };
        Some(state)
    }
}
