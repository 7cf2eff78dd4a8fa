//! Lays out a timeline in rows.

use std::time::Duration;

use halfopen_proto::v1::HostState;

use super::foresight::Foresight;
use super::phrases;
use super::row::{Arrow, End, Note, NoteKind, Notes, Part, Place, Row, What};
use crate::timeline::{Entry, EntryIndex, EntryKind, Fault, Segment, Timeline};

/// A silence at least this long has a row that says so.
const LONG_SILENCE: Duration = Duration::from_secs(10);

/// Lays out a timeline.
pub(super) fn rows(timeline: &Timeline, timers: bool) -> Vec<Row> {
    let mut layout = Layout { timeline, timers, foresight: Foresight::new(timeline), rows: Vec::new() };
    for (index, entry) in timeline.entries.iter().enumerate() {
        layout.add(index, entry);
    }
    with_silences(layout.rows)
}

struct Layout<'a> {
    timeline: &'a Timeline,
    timers: bool,
    foresight: Foresight,
    rows: Vec<Row>,
}

impl Layout<'_> {
    fn add(&mut self, index: EntryIndex, entry: &Entry) {
        match &entry.kind {
            EntryKind::Sent(segment) => self.sent(index, entry, segment),
            EntryKind::Arrived { segment, copy, dropped } => {
                if *copy > 1 || !self.foresight.is_whole(*segment) {
                    self.arrived(index, entry, *segment, *copy, dropped);
                }
            }
            EntryKind::Unreachable { segment, code, mtu, dropped } => {
                let text = phrases::unreachable((*code, *mtu), self.timeline.segment(*segment), dropped);
                self.note(entry, NoteKind::Unreachable, text);
            }
            EntryKind::Middlebox { name, change, before } => {
                if let Some(text) = phrases::middlebox(name, *change, *before) {
                    self.note(entry, NoteKind::Middlebox, text);
                }
            }
            EntryKind::Transition { to, by_segment, by_call, cause } => {
                if by_segment.is_none() && !self.next_segment_shows(index, entry) {
                    let said = *by_call && self.application_follows(index, entry, |_| true);
                    let cause = if said { String::new() } else { cause.clone() };
                    self.note(entry, NoteKind::Transition, cause).state = Some(*to);
                }
            }
            EntryKind::Keepalive { verdict, probes, silence } => {
                if let Some(text) = phrases::keepalive(*verdict, *probes, *silence) {
                    self.note(entry, NoteKind::Keepalive, text);
                }
            }
            EntryKind::Timer { timer, change, expires } => {
                if self.timers {
                    self.note(entry, NoteKind::Timer, phrases::timer(*timer, *change, *expires));
                }
            }
            EntryKind::Error(errno) => {
                if !self.application_follows(index, entry, |error| error == errno) {
                    self.note(entry, NoteKind::Error, errno.clone());
                }
            }
            EntryKind::Fault(Fault { number, action, line }) => {
                self.note(entry, NoteKind::Fault, format!("fault {number}: {action}"));
                self.fired(*line);
            }
            EntryKind::Application { call, octets, end_of_stream, error, line, .. } => {
                let text = phrases::application(call, *octets, *end_of_stream, error);
                self.note(entry, NoteKind::Application, text);
                self.fired(*line);
            }
            EntryKind::Host(state) => self.host(entry, *state),
            EntryKind::Lost { .. } => {}
        }
    }

    fn sent(&mut self, index: EntryIndex, entry: &Entry, segment: &Segment) {
        let mut label = phrases::label(segment);
        label.extend(phrases::faults(segment));
        let arrival = segment.arrivals.first().filter(|_| self.foresight.is_whole(index));
        let (mut to, mut arrived) = (End { host: segment.to, state: None }, None);
        let part = if let Some(arrival) = arrival {
            let arrival_entry = &self.timeline.entries[*arrival];
            if let EntryKind::Arrived { dropped, .. } = &arrival_entry.kind {
                label.extend(phrases::not_used(dropped));
            }
            to.state = self.foresight.state(*arrival);
            arrived = Some(arrival_entry);
            Part::Whole
        } else if let (true, Some(why)) = (segment.arrivals.is_empty(), segment.losses.first()) {
            Part::Lost { at: place_of_loss(segment, why), why: why.clone() }
        } else {
            Part::Departure
        };
        let from = End { host: entry.host, state: self.foresight.state(index) };
        let events = [Some(entry.sequence), arrived.map(|arrived| arrived.sequence)];
        let arrow = Arrow {
            from,
            to,
            part,
            segment: segment.number,
            copy: 1,
            sent: entry.time,
            arrived: arrived.map(|arrived| arrived.time),
            flags: segment.flags,
            purpose: segment.purpose,
            label,
        };
        let lines = segment.faults.iter().map(|fault| fault.line).collect();
        self.arrow(entry, events.into_iter().flatten().collect(), lines, arrow);
    }

    fn arrived(&mut self, index: EntryIndex, entry: &Entry, sent: EntryIndex, copy: usize, dropped: &str) {
        let Some(segment) = self.timeline.segment(sent) else { return };
        let mut label = phrases::label(segment);
        if copy > 1 {
            label.push("· a duplicate".to_owned());
        }
        label.extend(phrases::not_used(dropped));
        let sender = &self.timeline.entries[sent];
        let arrow = Arrow {
            from: End { host: sender.host, state: None },
            to: End { host: entry.host, state: self.foresight.state(index) },
            part: Part::Arrival,
            segment: segment.number,
            copy,
            sent: sender.time,
            arrived: Some(entry.time),
            flags: segment.flags,
            purpose: segment.purpose,
            label,
        };
        self.arrow(entry, vec![entry.sequence], Vec::new(), arrow);
    }

    fn arrow(&mut self, entry: &Entry, events: Vec<u64>, lines: Vec<u32>, arrow: Arrow) {
        let (time, connection) = (entry.time, entry.connection);
        let what = What::Arrow(arrow);
        self.rows.push(Row { time, connection, events, lines, what, lives: Vec::new() });
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
                | EntryKind::Application { .. } => None,
            })
            .unwrap_or(false)
    }

    /// Whether a step of an application of the host ends at the same moment, later, with such an error. It says more than
    /// what announced it.
    fn application_follows(&self, index: EntryIndex, entry: &Entry, wanted: impl Fn(&str) -> bool) -> bool {
        self.timeline.entries[index + 1..]
            .iter()
            .take_while(|other| other.time == entry.time)
            .filter(|other| other.host == entry.host)
            .any(|other| matches!(&other.kind, EntryKind::Application { error, .. } if wanted(error)))
    }

    /// Adds a note, to the last row if that is of the same moment and place.
    fn note(&mut self, entry: &Entry, kind: NoteKind, text: String) -> &mut Notes {
        let notes = self.notes(entry);
        if !text.is_empty() {
            notes.notes.push(Note { text, kind });
        }
        notes
    }

    /// The notes of the entry's moment and place: those of the last row, or of a new one.
    fn notes(&mut self, entry: &Entry) -> &mut Notes {
        let (time, connection, host) = (entry.time, entry.connection, entry.host);
        let joins = self.rows.last().is_some_and(|row| {
            row.time == time
                && (row.connection == connection || row.connection == 0 || connection == 0)
                && matches!(&row.what, What::Notes(notes) if notes.host == host)
        });
        if !joins {
            let notes = Notes { host, state: None, becomes: None, notes: Vec::new() };
            self.rows.push(Row { connection, ..Row::gap(time, What::Notes(notes)) });
        }
        let row = self.rows.last_mut().expect("a row is there, or was made");
        row.connection = row.connection.max(connection);
        row.events.push(entry.sequence);
        let What::Notes(notes) = &mut row.what else { unreachable!("only notes are joined") };
        notes
    }

    /// The last row shows what stands in this line of the scenario.
    fn fired(&mut self, line: u32) {
        if let Some(row) = self.rows.last_mut().filter(|_| line > 0) {
            row.lines.push(line);
        }
    }

    /// A host is something else now: beside the fault that did it, if it was at this moment.
    fn host(&mut self, entry: &Entry, state: HostState) {
        let fault = self.rows.iter_mut().rev().take_while(|row| row.time == entry.time).find_map(|row| {
            let What::Notes(notes) = &mut row.what else { return None };
            let by_fault = notes.notes.iter().any(|note| note.kind == NoteKind::Fault);
            (notes.host == entry.host && by_fault).then_some((&mut row.events, notes))
        });
        match fault {
            Some((events, notes)) => {
                events.push(entry.sequence);
                notes.becomes = Some(state);
            }
            None => self.notes(entry).becomes = Some(state),
        }
    }
}

/// Where a segment was lost, as far as what is said of it tells.
fn place_of_loss(segment: &Segment, why: &str) -> Place {
    if why.starts_with("host is ") {
        Place::Receiver
    } else if segment.faults.iter().any(|fault| why == format!("fault {}", fault.number)) {
        Place::Sender
    } else {
        Place::Way
    }
}

/// Puts a row before what follows a long silence; not again for a silence just as long as the one before.
fn with_silences(rows: Vec<Row>) -> Vec<Row> {
    let mut result: Vec<Row> = Vec::with_capacity(rows.len());
    let mut last_silence = Duration::ZERO;
    let mut last_time = Duration::ZERO;
    for row in rows {
        let gap = row.time.saturating_sub(last_time);
        if gap >= LONG_SILENCE && gap != last_silence {
            result.push(Row::gap(row.time, What::Silence(gap)));
        }
        if gap >= LONG_SILENCE {
            last_silence = gap;
        }
        last_time = row.time;
        result.push(row);
    }
    result
}
