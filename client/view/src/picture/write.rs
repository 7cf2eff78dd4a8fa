//! Writes a row down: what an item of a layout says, in words.

use halfopen_proto::v1::{LossReason, SegmentLost, TcpDropReason, TcpState};

use super::layout::{Item, ItemWhat, Layout};
use super::phrases;
use super::row::{Arrow, End, Note, NoteKind, Notes, Part, Place, Row, What, Word, WordKind};
use crate::timeline::{Entry, EntryIndex, EntryKind, Fault};

impl Layout<'_> {
    /// The row of an item. Of notes only those that are `wanted`.
    pub(super) fn row(&self, item: &Item, wanted: &dyn Fn(&Entry) -> bool) -> Row {
        let mut row = match &item.what {
            ItemWhat::Sent { entry, whole } => self.sent_row(*entry, *whole),
            ItemWhat::Arrived { entry, sent } => self.arrived_row(*entry, *sent),
            ItemWhat::Notes { host, notes, becomes } => {
                let mut row = Row::empty(What::Notes(Notes { host: *host, ..Notes::default() }));
                for (index, entry) in self.notes(notes) {
                    self.write(&mut row, index, entry, wanted(entry));
                }
                if let (What::Notes(notes), Some(index)) = (&mut row.what, *becomes) {
                    notes.becomes = self.host_state(index);
                    row.events.push(self.timeline.entries[index].sequence);
                }
                row
            }
        };
        (row.time, row.connection) = (item.time, item.connection);
        row
    }

    fn sent_row(&self, index: EntryIndex, whole: bool) -> Row {
        let entry = &self.timeline.entries[index];
        let Some((segment, arrival)) = self.sent(index, whole) else {
            unreachable!("an item of what was sent points to a segment")
        };
        let mut label = phrases::label(segment);
        label.extend(phrases::faults(segment));
        let mut events = vec![entry.sequence];
        let (mut to, mut arrived) = (End { host: segment.to, ..End::default() }, None);
        let part = if let Some(arrival) = arrival {
            let arrival_entry = &self.timeline.entries[arrival];
            if let EntryKind::Arrived { dropped, .. } = &arrival_entry.kind {
                label.extend(self.at_arrival(arrival, *dropped));
            }
            events.push(arrival_entry.sequence);
            (to, arrived) = (self.end(arrival), Some(arrival_entry.time));
            Part::Whole
        } else if let (true, Some(lost)) = (segment.arrivals.is_empty(), segment.losses.first()) {
            Part::Lost { at: place_of_loss(lost), why: segment.why_lost(lost) }
        } else {
            Part::Departure
        };
        let arrow = Arrow {
            from: self.end(index),
            to,
            part,
            segment: segment.number,
            copy: 1,
            sent: entry.time,
            arrived,
            flags: segment.flags,
            purpose: segment.purpose,
            of_middlebox: !segment.middlebox.is_empty(),
            label,
        };
        let lines = segment.faults.iter().map(|fault| fault.line).filter(|line| *line > 0).collect();
        Row { events, lines, ..Row::empty(What::Arrow(arrow)) }
    }

    fn arrived_row(&self, index: EntryIndex, sent: EntryIndex) -> Row {
        let (entry, sender) = (&self.timeline.entries[index], &self.timeline.entries[sent]);
        let (EntryKind::Sent(segment), EntryKind::Arrived { copy, dropped, .. }) =
            (&sender.kind, &entry.kind)
        else {
            unreachable!("an item of what arrived points to an arrival and its segment")
        };
        let mut label = phrases::label(segment);
        if *copy > 1 {
            label.push(Word::new(WordKind::Fault, "· a duplicate"));
        }
        label.extend(self.at_arrival(index, *dropped));
        let arrow = Arrow {
            from: End { host: sender.host, ..End::default() },
            to: self.end(index),
            part: Part::Arrival,
            segment: segment.number,
            copy: *copy,
            sent: sender.time,
            arrived: Some(entry.time),
            flags: segment.flags,
            purpose: segment.purpose,
            of_middlebox: !segment.middlebox.is_empty(),
            label,
        };
        Row { events: vec![entry.sequence], ..Row::empty(What::Arrow(arrow)) }
    }

    /// What the receiver made of a segment, if its states do not say it.
    fn at_arrival(&self, arrival: EntryIndex, dropped: TcpDropReason) -> Option<Word> {
        let cookie = self.returns_cookie(arrival);
        let not_used = phrases::not_used(dropped).map(|text| Word::new(WordKind::NotUsed, text));
        not_used.or_else(|| cookie.then(|| Word::new(WordKind::Purpose, "· SYN cookie")))
    }

    /// Writes the note of an entry into a row of notes. The state of an unwanted one is shown all the same.
    fn write(&self, row: &mut Row, index: EntryIndex, entry: &Entry, wanted: bool) {
        let What::Notes(notes) = &mut row.what else { return };
        let (kind, text) = match &entry.kind {
            EntryKind::Unreachable { segment, code, mtu, dropped } => {
                let segment = self.timeline.segment(*segment);
                (NoteKind::Unreachable, phrases::unreachable((*code, *mtu), segment, *dropped))
            }
            EntryKind::Middlebox { name, change, before, translated_to, .. } => {
                let text = phrases::middlebox(name, *change, *before, translated_to);
                (NoteKind::Middlebox, text.unwrap_or_default())
            }
            EntryKind::Transition { from, to, cause, .. } => {
                notes.states.push(*to);
                // A listener has no peer to see that it is closed.
                let is_shown = *from != TcpState::Listen && self.call_shows(index, cause);
                let why = || phrases::transition(*from, *to, || self.timeline.why(index));
                let text = if is_shown { String::new() } else { why() };
                (NoteKind::Transition, text)
            }
            EntryKind::Keepalive { verdict, probes, silence } => {
                let text = phrases::keepalive(*verdict, *probes, *silence).unwrap_or_default();
                (NoteKind::Keepalive, text)
            }
            EntryKind::Timer { timer, change, expires } => {
                (NoteKind::Timer, phrases::timer(*timer, *change, *expires))
            }
            EntryKind::Error(errno) => (NoteKind::Error, errno.clone()),
            EntryKind::Fault(Fault { number, action, line, .. }) => {
                row.lines.extend(Some(*line).filter(|line| *line > 0));
                (NoteKind::Fault, format!("fault {number}: {action}"))
            }
            EntryKind::Application { call, octets, end_of_stream, error, line, .. } => {
                row.lines.extend(Some(*line).filter(|line| *line > 0));
                let kind = if error.is_empty() { NoteKind::Application } else { NoteKind::Failed };
                (kind, phrases::application(*call, *octets, *end_of_stream, error))
            }
            EntryKind::End => (NoteKind::End, "end of the run".to_owned()),
            EntryKind::Sent(_)
            | EntryKind::Arrived { .. }
            | EntryKind::Lost { .. }
            | EntryKind::Host(_)
            | EntryKind::Written { .. }
            | EntryKind::Read { .. } => return,
        };
        if wanted {
            row.events.push(entry.sequence);
            if !text.is_empty() {
                // The error that a change of state brings is pending first, but comes of it.
                let pending = notes.notes.iter().rev().take_while(|note| note.kind == NoteKind::Error);
                let behind = if kind == NoteKind::Transition { pending.count() } else { 0 };
                notes.notes.insert(notes.notes.len() - behind, Note { text, kind });
            }
        }
    }
}

/// Where a segment was lost, as far as the reason shows.
fn place_of_loss(lost: &SegmentLost) -> Place {
    match lost.reason() {
        LossReason::HostDown | LossReason::HostPaused => Place::Receiver,
        LossReason::Fault | LossReason::NeighbourUnresolved => Place::Sender,
        LossReason::Unspecified
        | LossReason::Partition
        | LossReason::CablePulled
        | LossReason::BlackHole
        | LossReason::NoRoute
        | LossReason::TooLarge
        | LossReason::QueueFull
        | LossReason::Random
        | LossReason::Middlebox => Place::Way,
    }
}
