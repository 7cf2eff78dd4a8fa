//! What a ladder's rows say, before anything is drawn.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use halfopen_proto::v1::{KeepaliveVerdict, TcpState, TimerChange};

use crate::timeline::{Entry, EntryIndex, EntryKind, Fault, HostIndex, Segment, Timeline};
use crate::words;

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
    let mut layout = Layout::new(timeline, timers);
    for (index, entry) in timeline.entries.iter().enumerate() {
        layout.add(index, entry);
    }
    with_silences(layout.rows)
}

/// A connection of a host.
type Tcb = (HostIndex, u32);

struct Layout<'a> {
    timeline: &'a Timeline,
    timers: bool,
    /// The hosts of each connection, left one first.
    sides: BTreeMap<u32, (HostIndex, HostIndex)>,
    /// The receiver's state after each arrival.
    after: BTreeMap<EntryIndex, TcpState>,
    /// The segments whose arrival changed a state.
    changing: BTreeSet<EntryIndex>,
    /// The segments that another one, sent later, arrived before.
    overtaken: BTreeSet<EntryIndex>,
    /// Where states change.
    transitions: BTreeMap<Tcb, Vec<EntryIndex>>,
    /// For each segment sent so far, whether its row shows its arrival too.
    whole: BTreeMap<EntryIndex, bool>,
    states: BTreeMap<Tcb, TcpState>,
    rows: Vec<Row>,
}

impl<'a> Layout<'a> {
    fn new(timeline: &'a Timeline, timers: bool) -> Layout<'a> {
        let mut layout = Layout {
            timeline,
            timers,
            sides: BTreeMap::new(),
            after: BTreeMap::new(),
            changing: BTreeSet::new(),
            overtaken: BTreeSet::new(),
            transitions: BTreeMap::new(),
            whole: BTreeMap::new(),
            states: BTreeMap::new(),
            rows: Vec::new(),
        };
        layout.look_ahead();
        layout
    }

    /// Finds what a row must know of the future: the sides of each connection, and the states after each arrival.
    fn look_ahead(&mut self) {
        let mut states: BTreeMap<Tcb, TcpState> = BTreeMap::new();
        let mut latest: BTreeMap<Tcb, EntryIndex> = BTreeMap::new();
        for (index, entry) in self.timeline.entries.iter().enumerate() {
            let Some(host) = entry.host else { continue };
            match &entry.kind {
                EntryKind::Sent(segment) => {
                    let peer = segment.to.unwrap_or(if host == 0 { 1 } else { 0 });
                    self.sides.entry(entry.connection).or_insert((host.min(peer), host.max(peer)));
                }
                EntryKind::Arrived { segment, .. } => {
                    let tcb = (host, self.timeline.entries[*segment].connection);
                    if let Some(state) = states.get(&tcb) {
                        self.after.insert(index, *state);
                    }
                    let latest = latest.entry(tcb).or_insert(*segment);
                    if *latest > *segment {
                        self.overtaken.insert(*segment);
                    }
                    *latest = (*latest).max(*segment);
                }
                EntryKind::Transition { to, by_segment, .. } => {
                    states.insert((host, entry.connection), *to);
                    self.transitions.entry((host, entry.connection)).or_default().push(index);
                    let Some(sent) = by_segment else { continue };
                    self.changing.insert(*sent);
                    let arrivals = self.timeline.segment(*sent).map_or(&[][..], |segment| &segment.arrivals);
                    if let Some(arrival) = arrivals.iter().rev().find(|arrival| **arrival < index) {
                        self.after.insert(*arrival, *to);
                    }
                }
                EntryKind::Fault(_) => forget(&mut states, host),
                EntryKind::Lost { .. }
                | EntryKind::Timer { .. }
                | EntryKind::Keepalive { .. }
                | EntryKind::Error(_)
                | EntryKind::Application { .. } => {}
            }
        }
    }

    fn add(&mut self, index: EntryIndex, entry: &Entry) {
        match &entry.kind {
            EntryKind::Sent(segment) => self.sent(index, entry, segment),
            EntryKind::Arrived { segment, copy, dropped } => {
                let shown = *copy == 1 && self.whole.get(segment).copied().unwrap_or(false);
                if !shown {
                    self.arrived(index, entry, *segment, *copy, dropped);
                }
            }
            EntryKind::Transition { to, by_segment, by_call, cause } => {
                let Some(host) = entry.host else { return };
                self.states.insert((host, entry.connection), *to);
                if by_segment.is_none() && !self.next_segment_shows(index, entry) {
                    let said = *by_call && self.application_follows(index, entry, |_| true);
                    self.note(entry, Some(*to), Note::new(if said { String::new() } else { cause.clone() }));
                }
            }
            EntryKind::Keepalive { verdict, probes, silence } => {
                if let Some(text) = keepalive(*verdict, *probes, *silence) {
                    self.note(entry, None, Note::new(text));
                }
            }
            EntryKind::Timer { timer, change, expires } => {
                if self.timers {
                    let change = match change {
                        TimerChange::Unspecified => "?".to_owned(),
                        TimerChange::Set => format!("set to {}", words::duration(*expires)),
                        TimerChange::Fired => "fired".to_owned(),
                        TimerChange::Cancelled => "cancelled".to_owned(),
                    };
                    let text = format!("{} timer {change}", words::timer(*timer));
                    self.note(entry, None, Note::new(text));
                }
            }
            EntryKind::Error(errno) => {
                if !self.application_follows(index, entry, |error| error == errno) {
                    self.note(entry, None, Note::new(errno.clone()));
                }
            }
            EntryKind::Fault(Fault { number, action }) => {
                if let Some(host) = entry.host {
                    forget(&mut self.states, host);
                }
                let text = format!("fault {number}: {action}");
                self.note(entry, None, Note { text, fault: true });
            }
            EntryKind::Application { call, octets, end_of_stream, error } => {
                let text = application(call, *octets, *end_of_stream, error);
                self.note(entry, None, Note::new(text));
            }
            EntryKind::Lost { .. } => {}
        }
    }

    fn sent(&mut self, index: EntryIndex, entry: &Entry, segment: &Segment) {
        let Some(host) = entry.host else { return };
        let whole = self.is_whole(index, entry, segment);
        self.whole.insert(index, whole);
        let sender =
            self.states.get(&(host, entry.connection)).map_or(CellText::Nothing, |s| CellText::State(*s));
        let mut label = label(segment);
        label.extend(faults(segment));
        let (part, receiver) = if whole {
            if let Some((arrival, dropped)) = self.first_arrival(segment) {
                label.extend(not_used(dropped));
                (Part::Whole, self.after.get(&arrival).map_or(CellText::Nothing, |s| CellText::State(*s)))
            } else {
                (Part::Whole, CellText::Nothing)
            }
        } else if let (true, Some(reason)) = (segment.arrivals.is_empty(), segment.losses.first()) {
            (Part::Lost, CellText::Lost(reason.clone()))
        } else {
            (Part::Departure, CellText::Nothing)
        };
        let from = Cell { host: Some(host), text: sender };
        let to = Cell { host: segment.to, text: receiver };
        self.arrow(entry, from, to, part, label);
    }

    fn arrived(&mut self, index: EntryIndex, entry: &Entry, sent: EntryIndex, copy: usize, dropped: &str) {
        let Some(segment) = self.timeline.segment(sent) else { return };
        let mut label = label(segment);
        if copy > 1 {
            label.push("· a duplicate".to_owned());
        }
        label.extend(not_used(dropped));
        let state = self.after.get(&index).map_or(CellText::Nothing, |state| CellText::State(*state));
        let from = Cell { host: self.timeline.entries[sent].host, text: CellText::Nothing };
        let to = Cell { host: entry.host, text: state };
        self.arrow(entry, from, to, Part::Arrival, label);
    }

    fn arrow(&mut self, entry: &Entry, from: Cell, to: Cell, part: Part, label: Vec<String>) {
        // Towards nobody: away from the nearer edge.
        let rightwards = match (from.host, to.host) {
            (Some(from), Some(to)) => from <= to,
            (from, _) => from == Some(0),
        };
        let (left, right) = if rightwards { (from, to) } else { (to, from) };
        let middle = Middle::Arrow { rightwards, part, label };
        self.rows.push(Row { time: entry.time, connection: entry.connection, left, right, middle });
    }

    fn first_arrival(&self, segment: &Segment) -> Option<(EntryIndex, &'a str)> {
        let index = *segment.arrivals.first()?;
        let EntryKind::Arrived { dropped, .. } = &self.timeline.entries[index].kind else { return None };
        Some((index, dropped))
    }

    /// Whether one row can show both ends of the segment's way: nothing that is shown at its receiver in between would
    /// stand below a state that comes later.
    fn is_whole(&self, index: EntryIndex, entry: &Entry, segment: &Segment) -> bool {
        let (Some(to), Some(arrival)) = (segment.to, segment.arrivals.first()) else { return false };
        let changes = self.changing.contains(&index) || !segment.faults.is_empty();
        let transitions = self.transitions.get(&(to, entry.connection)).map_or(&[][..], Vec::as_slice);
        let next = transitions.partition_point(|transition| *transition < index);
        let disturbed =
            self.overtaken.contains(&index) || transitions.get(next).is_some_and(|next| next < arrival);
        if !changes && !disturbed {
            return true;
        }
        let between = self.timeline.entries.get(index + 1..*arrival).unwrap_or_default();
        between.iter().filter(|other| other.host == Some(to) && other.connection == entry.connection).all(
            |other| match &other.kind {
                EntryKind::Transition { by_segment: Some(cause), .. } => {
                    *cause == index || (*cause < index && self.whole.get(cause).copied().unwrap_or(false))
                }
                EntryKind::Transition { by_segment: None, .. } => false,
                EntryKind::Arrived { segment: earlier, .. } => *earlier <= index,
                EntryKind::Lost { .. } | EntryKind::Timer { .. } => true,
                EntryKind::Sent(_)
                | EntryKind::Keepalive { .. }
                | EntryKind::Error(_)
                | EntryKind::Fault(_)
                | EntryKind::Application { .. } => !changes,
            },
        )
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
                | EntryKind::Timer { .. }
                | EntryKind::Keepalive { .. }
                | EntryKind::Error(_)
                | EntryKind::Fault(_)
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
        let sides = self.sides.get(&entry.connection);
        let at_left = host.is_none_or(|host| sides.map_or(host == 0, |(left, _)| host == *left));
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

/// After a fault of a host its states are not known until it tells them: it may have lost them all.
fn forget(states: &mut BTreeMap<Tcb, TcpState>, host: HostIndex) {
    states.retain(|(other, _), _| *other != host);
}

/// A segment in words that a line may break between.
fn label(segment: &Segment) -> Vec<String> {
    let mut label = vec![words::flags(segment.flags), format!("seq={}", segment.seq)];
    label.extend(segment.ack.map(|ack| format!("ack={ack}")));
    if segment.length > 0 {
        label.push(format!("len={}", segment.length));
    }
    label.extend(words::purpose(segment.purpose).map(|purpose| format!("· {purpose}")));
    label
}

/// What faults did to a segment, but for the one that the cell at the arrow's end names.
fn faults(segment: &Segment) -> impl Iterator<Item = String> {
    let lost = segment.losses.first().filter(|_| segment.arrivals.is_empty());
    segment
        .faults
        .iter()
        .map(|Fault { number, action }| (format!("fault {number}"), action))
        .filter(move |(name, _)| lost != Some(name))
        .map(|(name, action)| format!("· {name}: {action}"))
}

fn not_used(dropped: &str) -> Option<String> {
    (!dropped.is_empty()).then(|| format!("· not used: {dropped}"))
}

/// What is worth a note: an answer or the end of asking. The probes are segments of their own.
fn keepalive(verdict: KeepaliveVerdict, probes: u32, silence: Duration) -> Option<String> {
    let name = words::keepalive(verdict);
    match verdict {
        KeepaliveVerdict::Unspecified | KeepaliveVerdict::Probing => None,
        KeepaliveVerdict::Alive => Some(format!("keepalive: {name}")),
        KeepaliveVerdict::Reset | KeepaliveVerdict::Dead => {
            Some(format!("keepalive: {name} after {}", words::silence(probes, silence)))
        }
    }
}

fn application(call: &str, octets: u64, end_of_stream: bool, error: &str) -> String {
    let mut text = call.to_owned();
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
