//! What a ladder's rows say, before anything is drawn.

use std::time::Duration;

use halfopen_proto::v1::TcpState;

use super::foresight::Foresight;
use super::phrases;
use crate::timeline::{Entry, EntryIndex, EntryKind, Fault, HostIndex, Segment, Timeline};

/// A silence at least this long has a row that says so.
const LONG_SILENCE: Duration = Duration::from_secs(10);

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) time: Duration,
    /// The connection; 0: none.
    pub(super) connection: u32,
    pub(super) left: Cell,
    pub(super) right: Cell,
    pub(super) middle: Middle,
}

/// What stands in a host's column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) host: Option<HostIndex>,
    pub(super) text: CellText,
}

/// What is said about the host.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum CellText {
    #[default]
    Nothing,
    State(TcpState),
    /// Why a segment did not get here.
    Lost(String),
}

/// What stands between the hosts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Middle {
    /// A segment.
    Arrow { rightwards: bool, part: Part, label: Vec<String> },
    /// Something at one host.
    Notes { at_left: bool, notes: Vec<Note> },
    /// Nothing happened for so long.
    Silence(Duration),
    /// So many rows are left out.
    Omitted(usize),
}

/// Which part of a segment's way a row shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// From host to host.
    Whole,
    /// It leaves; it arrives in a later row, or the run ends before.
    Departure,
    /// It arrives; it left in an earlier row.
    Arrival,
    /// It never arrives.
    Lost,
}

/// Something at one host, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// Empty if the row's state says it all.
    pub(super) text: String,
    pub(super) fault: bool,
}

impl Note {
    fn new(text: String) -> Note {
        Note { text, fault: false }
    }
}

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
                self.note(entry, None, Note::new(text));
            }
            EntryKind::Middlebox { name, change, before } => {
                if let Some(text) = phrases::middlebox(name, *change, *before) {
                    self.note(entry, None, Note::new(text));
                }
            }
            EntryKind::Transition { to, by_segment, by_call, cause } => {
                if by_segment.is_none() && !self.next_segment_shows(index, entry) {
                    let said = *by_call && self.application_follows(index, entry, |_| true);
                    self.note(entry, Some(*to), Note::new(if said { String::new() } else { cause.clone() }));
                }
            }
            EntryKind::Keepalive { verdict, probes, silence } => {
                if let Some(text) = phrases::keepalive(*verdict, *probes, *silence) {
                    self.note(entry, None, Note::new(text));
                }
            }
            EntryKind::Timer { timer, change, expires } => {
                if self.timers {
                    self.note(entry, None, Note::new(phrases::timer(*timer, *change, *expires)));
                }
            }
            EntryKind::Error(errno) => {
                if !self.application_follows(index, entry, |error| error == errno) {
                    self.note(entry, None, Note::new(errno.clone()));
                }
            }
            EntryKind::Fault(Fault { number, action }) => {
                let text = format!("fault {number}: {action}");
                self.note(entry, None, Note { text, fault: true });
            }
            EntryKind::Application { call, octets, end_of_stream, error } => {
                let text = phrases::application(call, *octets, *end_of_stream, error);
                self.note(entry, None, Note::new(text));
            }
            // The fault that did it has a note.
            EntryKind::Host(_) | EntryKind::Lost { .. } => {}
        }
    }

    fn sent(&mut self, index: EntryIndex, entry: &Entry, segment: &Segment) {
        let mut label = phrases::label(segment);
        label.extend(phrases::faults(segment));
        let arrival = segment.arrivals.first().filter(|_| self.foresight.is_whole(index));
        let (part, receiver) = if let Some(arrival) = arrival {
            if let EntryKind::Arrived { dropped, .. } = &self.timeline.entries[*arrival].kind {
                label.extend(phrases::not_used(dropped));
            }
            (Part::Whole, self.foresight.state(*arrival))
        } else if let (true, Some(reason)) = (segment.arrivals.is_empty(), segment.losses.first()) {
            (Part::Lost, CellText::Lost(reason.clone()))
        } else {
            (Part::Departure, CellText::Nothing)
        };
        let from = Cell { host: entry.host, text: self.foresight.state(index) };
        let to = Cell { host: segment.to, text: receiver };
        self.arrow(entry, from, to, part, label);
    }

    fn arrived(&mut self, index: EntryIndex, entry: &Entry, sent: EntryIndex, copy: usize, dropped: &str) {
        let Some(segment) = self.timeline.segment(sent) else { return };
        let mut label = phrases::label(segment);
        if copy > 1 {
            label.push("· a duplicate".to_owned());
        }
        label.extend(phrases::not_used(dropped));
        let from = Cell { host: self.timeline.entries[sent].host, text: CellText::Nothing };
        let to = Cell { host: entry.host, text: self.foresight.state(index) };
        self.arrow(entry, from, to, Part::Arrival, label);
    }

    fn arrow(&mut self, entry: &Entry, from: Cell, to: Cell, part: Part, label: Vec<String>) {
        // Towards nobody: away from the nearer edge.
        let rightwards = match (from.host, to.host) {
            (Some(from), Some(to)) => from <= to,
            (from, to) => from == Some(0) || (from.is_none() && to != Some(0)),
        };
        let (left, right) = if rightwards { (from, to) } else { (to, from) };
        let middle = Middle::Arrow { rightwards, part, label };
        self.rows.push(Row { time: entry.time, connection: entry.connection, left, right, middle });
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
    fn note(&mut self, entry: &Entry, state: Option<TcpState>, note: Note) {
        let host = entry.host;
        let at_left = host.is_none_or(|host| self.foresight.is_left(host, entry.connection));
        let text = state.map_or(CellText::Nothing, CellText::State);
        if let Some(row) = self.rows.last_mut()
            && row.time == entry.time
            && (row.connection == entry.connection || row.connection == 0 || entry.connection == 0)
            && let Middle::Notes { at_left: same, notes } = &mut row.middle
            && *same == at_left
        {
            let cell = if at_left { &mut row.left } else { &mut row.right };
            if cell.host == host {
                notes.push(note);
                row.connection = row.connection.max(entry.connection);
                if text != CellText::Nothing {
                    cell.text = text;
                }
                return;
            }
        }
        let cell = Cell { host, text };
        let (left, right) = if at_left { (cell, Cell::default()) } else { (Cell::default(), cell) };
        let middle = Middle::Notes { at_left, notes: vec![note] };
        self.rows.push(Row { time: entry.time, connection: entry.connection, left, right, middle });
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
            let (left, right) = Default::default();
            result.push(Row { time: row.time, connection: 0, left, right, middle: Middle::Silence(gap) });
        }
        if gap >= LONG_SILENCE {
            last_silence = gap;
        }
        last_time = row.time;
        result.push(row);
    }
    result
}

/// Leaves out rows in the middle, so that not more than `limit` remain besides the one that says so.
pub(super) fn shortened(mut rows: Vec<Row>, limit: usize) -> Vec<Row> {
    if rows.len() > limit {
        let head = limit.div_ceil(2);
        let tail = rows.split_off(rows.len() - limit / 2);
        let (left, right) = Default::default();
        let middle = Middle::Omitted(rows.len() - head);
        rows.truncate(head);
        let time = rows.last().map(|row| row.time).unwrap_or_default();
        rows.push(Row { time, connection: 0, left, right, middle });
        rows.extend(tail);
    }
    rows
}
