//! The states along the lifelines.

use halfopen_proto::v1::{HostState, TcpState};

use super::layout::{Item, ItemWhat, Layout};
use super::row::Life;
use crate::timeline::{EntryKind, HostIndex, Timeline};

/// The hosts with their connections, after the rows so far.
pub(super) struct Lives {
    hosts: Vec<Host>,
}

#[derive(Default)]
struct Host {
    does: HostState,
    /// The state of each connection; position 0 is of what listens.
    states: Vec<TcpState>,
    /// How many connections are in each state, in the order of [`OPENNESS`].
    counts: [usize; OPENNESS.len()],
}

/// The states from the least to the most open one: of several a lifeline shows the last.
const OPENNESS: [TcpState; 11] = [
    TcpState::Closed,
    TcpState::Listen,
    TcpState::TimeWait,
    TcpState::LastAck,
    TcpState::Closing,
    TcpState::SynSent,
    TcpState::SynReceived,
    TcpState::CloseWait,
    TcpState::FinWait2,
    TcpState::FinWait1,
    TcpState::Established,
];

/// Marks the items that show a state which no item before them shows.
pub(super) fn mark_changes(layout: &mut Layout<'_>) {
    let mut lives = Lives::new(layout.timeline);
    let changes: Vec<bool> = layout.items.iter().map(|item| lives.pass(layout, item)).collect();
    layout.items.iter_mut().zip(changes).for_each(|(item, changes)| item.changes = changes);
}

impl Lives {
    pub(super) fn new(timeline: &Timeline) -> Lives {
        let host = |_| Host { does: HostState::Up, ..Host::default() };
        Lives { hosts: timeline.hosts.iter().map(host).collect() }
    }

    /// The states of the hosts, in their order.
    pub(super) fn present(&self) -> Vec<Life> {
        let life = |host: &Host| Life {
            host: host.does,
            state: host.counts.iter().rposition(|count| *count > 0).map(|position| OPENNESS[position]),
        };
        self.hosts.iter().map(life).collect()
    }

    /// Applies an item. Returns whether it shows a state that was not there before.
    pub(super) fn pass(&mut self, layout: &Layout<'_>, item: &Item) -> bool {
        match &item.what {
            ItemWhat::Sent { entry: index, whole } => {
                let entry = &layout.timeline.entries[*index];
                let sender = self.set(entry.host, item.connection, layout.state(*index));
                let Some((segment, Some(arrival))) = layout.sent(*index, *whole) else { return sender };
                self.set(segment.to, layout.arrives_at(item), layout.state(arrival)) || sender
            }
            ItemWhat::Arrived { entry: index, .. } => {
                let entry = &layout.timeline.entries[*index];
                self.set(entry.host, entry.connection, layout.state(*index))
            }
            ItemWhat::Notes { host, notes, becomes } => {
                let mut changed = false;
                for (_, entry) in layout.notes(notes) {
                    if let EntryKind::Transition { to, .. } = entry.kind {
                        self.set(*host, entry.connection, Some(to));
                        changed = true;
                    }
                }
                if let (Some(host), Some(state)) = (host, becomes.and_then(|index| layout.host_state(index)))
                {
                    self.becomes(*host, state);
                }
                changed
            }
        }
    }

    fn becomes(&mut self, host: HostIndex, state: HostState) {
        let Some(host) = self.hosts.get_mut(host) else { return };
        if state == HostState::Down {
            *host = Host::default();
        }
        host.does = state;
    }

    fn set(&mut self, host: Option<HostIndex>, connection: u32, state: Option<TcpState>) -> bool {
        let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) else { return false };
        let (Some(state), Ok(connection)) = (state, usize::try_from(connection)) else { return false };
        if host.states.len() <= connection {
            host.states.resize(connection + 1, TcpState::Closed);
        }
        let before = std::mem::replace(&mut host.states[connection], state);
        if before == state {
            return false;
        }
        let position = |state| OPENNESS.iter().position(|other| *other == state).filter(|found| *found > 0);
        if let Some(before) = position(before) {
            host.counts[before] = host.counts[before].saturating_sub(1);
        }
        if let Some(now) = position(state) {
            host.counts[now] += 1;
        }
        true
    }
}
