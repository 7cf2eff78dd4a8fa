//! What a run may cost.

use halfopen_network::MAX_UNDER_WAY;
use halfopen_trace::Limit;

use crate::shared::Shared;

/// Octets of memory that a host is counted with besides its connections and its data: its place in the world.
const HOST: u64 = 32 * 1024;

/// What a run may cost, besides the limits of its scenario. A run that would cost more is
/// [unfinished](halfopen_trace::Verdict::Unfinished), and says why.
///
/// Everything in it is counted, and nothing measured: the same run reaches the same limit at the same event on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Octets of memory: buffers and connections of hosts, datagrams under way, state of middleboxes, events that are kept, and what the
    /// verdict notes.
    pub memory: u64,
    /// Ends of connections, closed ones included.
    pub connections: u64,
    /// Comparisons of the verdict: of events and connections with what the scenario expects.
    pub comparisons: u64,
}

impl Budget {
    /// For a run on one's own machine: 4 GiB, a million ends of connections, ten billion comparisons.
    pub const OWN: Budget = Budget { memory: 4 << 30, connections: 1_000_000, comparisons: 10_000_000_000 };
    /// For a run among those of others: 512 MiB, 100,000 ends of connections, a billion comparisons.
    pub const SHARED: Budget = Budget { memory: 512 << 20, connections: 100_000, comparisons: 1_000_000_000 };
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::OWN
    }
}

impl Shared {
    /// The memory that the run takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        let run = self.run.borrow();
        let hosts = self.scenario.hosts.len() as u64 * HOST + self.hosts_memory.get();
        hosts
            + run.network.memory()
            + run.connections.memory()
            + run.recorder.memory()
            + run.snapshots.memory()
    }

    /// The limit that the run has reached, if it is not one of time.
    pub(crate) fn limit(&self) -> Option<Limit> {
        let Budget { memory, connections, comparisons: _ } = self.budget;
        let events = self.scenario.limits.events;
        let run = self.run.borrow();
        let reached = [
            (run.recorder.len() >= events, Limit::Events(events)),
            (run.network.is_overflowed(), Limit::UnderWay(MAX_UNDER_WAY as u64)),
            (run.connections.ends() > connections, Limit::Connections(connections)),
            (self.memory() > memory, Limit::Memory(memory)),
        ];
        reached.into_iter().find(|(is_reached, _)| *is_reached).map(|(_, limit)| limit)
    }
}
