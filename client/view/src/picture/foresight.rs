//! What a row must know of the future: the states to show, and whether a segment's arrival fits into its row.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{HostState, TcpState};

use super::pauses::Pauses;
use crate::timeline::{Entry, EntryIndex, EntryKind, HostIndex, Segment, Timeline};

/// A connection of a host.
type Tcb = (HostIndex, u32);

pub(super) struct Foresight {
    /// The sender's state where a segment was sent, the receiver's after it arrived.
    states: Vec<Option<TcpState>>,
    /// The states that an arrival led its connection to, in order.
    led_to: BTreeMap<EntryIndex, Vec<TcpState>>,
    /// The transitions among them.
    at_arrivals: BTreeSet<EntryIndex>,
    /// The arrivals that returned a SYN cookie.
    cookies: BTreeSet<EntryIndex>,
    /// The segments whose row shows their arrival too.
    whole: Vec<bool>,
}

impl Foresight {
    pub(super) fn new(timeline: &Timeline, pauses: Pauses<'_>) -> Foresight {
        let Changes { states, led_to, at_arrivals, cookies, changing, overtaken, transitions, .. } =
            Changes::new(timeline);
        let segments = vec![false; timeline.entries.len()];
        let mut whole = Whole { timeline, pauses, changing, overtaken, transitions, segments };
        for (index, entry) in timeline.entries.iter().enumerate() {
            if let EntryKind::Sent(segment) = &entry.kind
                && whole.fits(index, segment)
            {
                whole.segments[index] = true;
            }
        }
        Foresight { states, led_to, at_arrivals, cookies, whole: whole.segments }
    }

    /// Whether one row shows the whole way of the segment that was sent there.
    pub(super) fn is_whole(&self, sent: EntryIndex) -> bool {
        self.whole[sent]
    }

    /// The state where a segment was sent, or after it arrived.
    pub(super) fn state(&self, index: EntryIndex) -> Option<TcpState> {
        self.states[index]
    }

    /// The states to show where a segment was sent or arrived: all that the arrival led to, in order.
    pub(super) fn states(&self, index: EntryIndex) -> Vec<TcpState> {
        self.led_to.get(&index).cloned().unwrap_or_else(|| self.state(index).into_iter().collect())
    }

    /// Whether what arrived there returned a SYN cookie: until then, the receiver had not remembered the SYN.
    pub(super) fn returns_cookie(&self, arrival: EntryIndex) -> bool {
        self.cookies.contains(&arrival)
    }

    /// Whether the row of an arrival shows the transition.
    pub(super) fn is_at_arrival(&self, transition: EntryIndex) -> bool {
        self.at_arrivals.contains(&transition)
    }
}

/// The states of a run, walked through once.
#[derive(Default)]
struct Changes {
    states: Vec<Option<TcpState>>,
    led_to: BTreeMap<EntryIndex, Vec<TcpState>>,
    at_arrivals: BTreeSet<EntryIndex>,
    cookies: BTreeSet<EntryIndex>,
    /// The segments whose arrival changed a state.
    changing: Vec<bool>,
    /// The segments that another one, sent later, arrived before.
    overtaken: Vec<bool>,
    /// Where states change.
    transitions: BTreeMap<Tcb, Vec<EntryIndex>>,
    /// The states at present.
    now: BTreeMap<Tcb, TcpState>,
    /// The segment sent last of those that arrived.
    latest: BTreeMap<Tcb, EntryIndex>,
}

impl Changes {
    fn new(timeline: &Timeline) -> Changes {
        let entries = timeline.entries.len();
        let mut changes = Changes {
            states: vec![None; entries],
            changing: vec![false; entries],
            overtaken: vec![false; entries],
            ..Changes::default()
        };
        for (index, entry) in timeline.entries.iter().enumerate() {
            if let Some(host) = entry.host {
                changes.add(timeline, index, entry, host);
            }
        }
        changes
    }

    fn add(&mut self, timeline: &Timeline, index: EntryIndex, entry: &Entry, host: HostIndex) {
        match &entry.kind {
            EntryKind::Sent(_) => {
                self.states[index] = self.now.get(&(host, entry.connection)).copied();
            }
            EntryKind::Arrived { segment, .. } => {
                let tcb = (host, entry.connection);
                self.states[index] = self.now.get(&tcb).copied();
                let latest = self.latest.entry(tcb).or_insert(*segment);
                if *latest > *segment {
                    self.overtaken[*segment] = true;
                }
                *latest = (*latest).max(*segment);
            }
            EntryKind::Transition { to, by_segment, cause, .. } => {
                self.now.insert((host, entry.connection), *to);
                self.transitions.entry((host, entry.connection)).or_default().push(index);
                let Some(sent) = by_segment else { return };
                self.changing[*sent] = true;
                let arrivals = timeline.segment(*sent).map_or(&[][..], |segment| &segment.arrivals);
                let arrival = arrivals.iter().rev().find(|arrival| **arrival < index);
                if let Some(arrival) = arrival
                    && timeline.entries[*arrival].connection == entry.connection
                {
                    self.states[*arrival] = Some(*to);
                    self.led_to.entry(*arrival).or_default().push(*to);
                    self.at_arrivals.insert(index);
                    if matches!(&cause.origin, Some(Origin::Segment(segment)) if segment.syn_cookie) {
                        self.cookies.insert(*arrival);
                    }
                }
            }
            // All its states are gone.
            EntryKind::Host(HostState::Down) => self.now.retain(|(other, _), _| *other != host),
            EntryKind::Lost { .. }
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
            | EntryKind::Read { .. } => {}
        }
    }
}

/// Finds the segments whose row shows their arrival too.
struct Whole<'a> {
    timeline: &'a Timeline,
    pauses: Pauses<'a>,
    changing: Vec<bool>,
    overtaken: Vec<bool>,
    transitions: BTreeMap<Tcb, Vec<EntryIndex>>,
    /// Found so far.
    segments: Vec<bool>,
}

impl Whole<'_> {
    /// Whether one row can show both ends of the segment's way: nothing that is shown at its receiver in between would
    /// stand below a state that comes later.
    fn fits(&self, index: EntryIndex, segment: &Segment) -> bool {
        let (Some(to), Some(arrival)) = (segment.to, segment.arrivals.first()) else { return false };
        let entries = &self.timeline.entries;
        if self.pauses.separate(&entries[index], &entries[*arrival]) {
            return false;
        }
        let connection = entries[*arrival].connection;
        let changes = self.changing[index] || !segment.faults.is_empty();
        let transitions = self.transitions.get(&(to, connection)).map_or(&[][..], Vec::as_slice);
        let next = transitions.partition_point(|transition| *transition < index);
        let disturbed = self.overtaken[index] || transitions.get(next).is_some_and(|next| next < arrival);
        if !changes && !disturbed {
            return true;
        }
        let between = entries.get(index + 1..*arrival).unwrap_or_default();
        between.iter().filter(|other| other.host == Some(to) && other.connection == connection).all(|other| {
            match &other.kind {
                EntryKind::Transition { by_segment: Some(cause), .. } => {
                    *cause == index || (*cause < index && self.segments[*cause])
                }
                EntryKind::Transition { by_segment: None, .. } => false,
                EntryKind::Arrived { segment: earlier, .. } => *earlier <= index,
                EntryKind::Lost { .. }
                | EntryKind::Timer { .. }
                | EntryKind::Written { .. }
                | EntryKind::Read { .. } => true,
                EntryKind::Sent(_)
                | EntryKind::Unreachable { .. }
                | EntryKind::Middlebox { .. }
                | EntryKind::Keepalive { .. }
                | EntryKind::Error(_)
                | EntryKind::Fault(_)
                | EntryKind::Host(_)
                | EntryKind::End
                | EntryKind::Application { .. } => !changes,
            }
        })
    }
}
