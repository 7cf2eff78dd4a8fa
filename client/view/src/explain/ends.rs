//! The ends of every connection and their states, read once from the timeline.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_proto::v1::{HostState, TcpState};

use crate::timeline::{self, EntryIndex, EntryKind, HostIndex, Timeline};

/// One end of a connection, from its first event to its last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct End {
    pub(super) host: HostIndex,
    /// Its position in [`Timeline::ends`], if it was reported there.
    pub(super) created: Option<usize>,
    /// The states it went to, each with the transition.
    pub(super) stays: Vec<Stay>,
    /// Where its host went down, if it did while the end was there.
    pub(super) down: Option<EntryIndex>,
}

/// A state, from the transition that led there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stay {
    pub(super) state: TcpState,
    pub(super) since: EntryIndex,
}

impl End {
    /// Its last state; `None` if it never changed the one it began in.
    pub(super) fn state(&self) -> Option<TcpState> {
        self.stays.last().map(|stay| stay.state)
    }

    /// Where the end was gone: closed, or down with its host.
    pub(super) fn gone(&self) -> Option<EntryIndex> {
        let closed = self.stays.last().filter(|stay| stay.state == TcpState::Closed);
        self.down.or(closed.map(|stay| stay.since))
    }

    /// The state in which it was at an entry: after it, if it is a transition of its own.
    pub(super) fn state_at(&self, entry: EntryIndex) -> Option<TcpState> {
        let after = self.stays.partition_point(|stay| stay.since <= entry);
        self.stays[..after].last().map(|stay| stay.state)
    }

    /// The entry that ended a stay: the next transition, or the loss of the host.
    pub(super) fn left(&self, stay: usize) -> Option<EntryIndex> {
        self.stays.get(stay + 1).map(|next| next.since).or(self.down)
    }

    /// Whether it called `connect`.
    pub(super) fn opened(&self) -> bool {
        self.stays.first().is_some_and(|stay| stay.state == TcpState::SynSent)
    }
}

/// All ends of the connections, by number; those of one connection in the order of creation.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) connections: BTreeMap<u32, Vec<End>>,
    /// The connections of which each host has an end that is not closed.
    alive: BTreeMap<HostIndex, BTreeSet<u32>>,
}

impl Ends {
    pub(super) fn new(timeline: &Timeline) -> Ends {
        let mut ends = Ends::default();
        let mut created = timeline.ends.iter().enumerate().peekable();
        for (index, entry) in timeline.entries.iter().enumerate() {
            while let Some((number, end)) = created.next_if(|(_, end)| end.sequence < entry.sequence) {
                ends.create(number, end);
            }
            match (&entry.kind, entry.host) {
                (EntryKind::Transition { to, .. }, Some(host)) if entry.connection != 0 => {
                    ends.transition(host, entry.connection, Stay { state: *to, since: index });
                }
                (EntryKind::Host(HostState::Down), Some(host)) => ends.down(host, index),
                _ => {}
            }
        }
        ends
    }

    fn create(&mut self, number: usize, created: &timeline::End) {
        let end = End { host: created.host, created: Some(number), stays: Vec::new(), down: None };
        self.connections.entry(created.connection).or_default().push(end);
    }

    fn transition(&mut self, host: HostIndex, connection: u32, stay: Stay) {
        let ends = self.connections.entry(connection).or_default();
        let known = ends.iter().rposition(|end| end.host == host && end.gone().is_none());
        let end = match known {
            Some(known) => &mut ends[known],
            None => {
                ends.push(End { host, created: None, stays: Vec::new(), down: None });
                ends.last_mut().expect("one was pushed")
            }
        };
        end.stays.push(stay);
        let alive = self.alive.entry(host).or_default();
        if stay.state == TcpState::Closed {
            alive.remove(&connection);
        } else {
            alive.insert(connection);
        }
    }

    fn down(&mut self, host: HostIndex, index: EntryIndex) {
        for connection in self.alive.remove(&host).unwrap_or_default() {
            let ends = self.connections.get_mut(&connection).into_iter().flatten();
            for end in ends.filter(|end| end.host == host && end.gone().is_none()) {
                end.down = Some(index);
            }
        }
    }
}
