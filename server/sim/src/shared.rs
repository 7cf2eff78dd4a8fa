//! What the driver and the hosts' software share: they take turns on one thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::Arc;

use halfopen_network::random::Stream;
use halfopen_network::{Flight, Network};
use halfopen_scenario::{Scenario, When};
use halfopen_tcp::Instant;
use tokio::sync::Notify;

use crate::application::Process;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::connections::Connections;
use crate::faults::Faults;
use crate::line::Line;
use crate::recorder::Recorder;
use crate::run::RunOptions;
use crate::snapshots::Snapshots;
use halfopen_trace::{ConnectionNumber, EventKind, FaultApplied, FaultId, HostId, Phase, SegmentNumber};

/// Datagrams that may wait for a paused host: as many as Linux keeps for a virtual machine that does not read its TAP device
/// (`tx_queue_len` of an Ethernet device: `DEFAULT_TX_QUEUE_LEN` in include/net/pkt_sched.h).
const MOST_WAITING: usize = 1000;

/// Shared by the driver and the hosts' software.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) seed: u64,
    pub(crate) budget: Budget,
    /// The virtual clock.
    pub(crate) now: Cell<Instant>,
    pub(crate) run: RefCell<Run>,
    pub(crate) faults: RefCell<Faults>,
    /// The memory that all hosts take with their connections, and what waits for paused ones, octets.
    pub(crate) hosts_memory: Cell<u64>,
    hosts: Vec<Control>,
}

/// How the driver and one host speak to each other.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// There is something to do at this instant.
    pub(crate) has_work: Cell<bool>,
    /// It is the host's turn to do it, in the next step of the world.
    pub(crate) turn: Notify,
    /// When the host wants to be woken.
    pub(crate) wake: Cell<Option<Instant>>,
    /// The host has other addresses now.
    pub(crate) readdressed: Cell<bool>,
    /// What is to become of processes of the host, in order.
    pub(crate) signals: RefCell<Vec<Signal>>,
    /// The processes of the host that run, or will once the signals have reached them.
    pub(crate) processes: RefCell<BTreeSet<Process>>,
    /// No process of the host does anything.
    pub(crate) frozen: Cell<bool>,
    /// Nothing of the host does anything.
    pub(crate) paused: Cell<bool>,
    /// What came to the host while it was paused.
    waiting: RefCell<Vec<(Flight, Vec<u8>)>>,
    /// What the time is on the host.
    pub(crate) clock: Cell<Clock>,
    /// Faults whose segments arrive at the host in the next step.
    pub(crate) forgeries: RefCell<Vec<FaultId>>,
    /// How often the host has been started.
    pub(crate) lives: Cell<u32>,
    /// To its application, if that is somebody outside.
    pub(crate) line: Line,
}

/// What is to become of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// It dies.
    Kill(Process),
    /// It starts again.
    Start(Process),
}

/// What a run has come to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) recorder: Recorder,
    pub(crate) connections: Connections,
    pub(crate) network: Network,
    /// The initial sequence numbers of hosts without a TCP.
    pub(crate) scripted: Stream,
    pub(crate) snapshots: Snapshots,
}

impl Shared {
    /// The beginning of a run.
    pub(crate) fn new(scenario: &Arc<Scenario>, options: &RunOptions) -> Shared {
        let mut connections = Connections::default();
        for fault in &scenario.faults {
            if let When::State { host, state, .. } = fault.when {
                connections.watch(host.into(), state);
            }
        }
        let run = Run {
            recorder: Recorder::new(scenario, options.keeps_trace),
            connections,
            network: Network::new(scenario, options.seed),
            scripted: Stream::new(options.seed, "scripted"),
            snapshots: Snapshots::new(options.snapshot_length),
        };
        Shared {
            scenario: Arc::clone(scenario),
            seed: options.seed,
            budget: options.budget,
            now: Cell::new(Instant::ZERO),
            run: RefCell::new(run),
            faults: RefCell::new(Faults::new(scenario)),
            hosts_memory: Cell::new(0),
            hosts: scenario.hosts.iter().map(|_| Control::default()).collect(),
        }
    }

    /// The line to a host.
    pub(crate) fn control(&self, host: HostId) -> &Control {
        &self.hosts[host.index()]
    }

    /// The line to a host that may be unknown.
    pub(crate) fn find_control(&self, host: HostId) -> Option<&Control> {
        self.hosts.get(host.index())
    }

    /// The host is paused: a datagram waits there, unless as many do as may.
    pub(crate) fn keep_waiting(&self, host: HostId, flight: Flight, octets: &[u8]) -> bool {
        let mut waiting = self.control(host).waiting.borrow_mut();
        let has_room = waiting.len() < MOST_WAITING;
        if has_room {
            self.hosts_memory.set(self.hosts_memory.get() + octets.len() as u64);
            waiting.push((flight, octets.to_vec()));
        }
        has_room
    }

    /// What came to the host while it was paused: it waits no longer.
    pub(crate) fn take_waiting(&self, host: HostId) -> Vec<(Flight, Vec<u8>)> {
        let waiting = self.control(host).waiting.take();
        let octets: usize = waiting.iter().map(|(_, octets)| octets.len()).sum();
        self.hosts_memory.set(self.hosts_memory.get() - octets as u64);
        waiting
    }

    /// Every host.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (HostId, &Control)> {
        (0..).map(HostId).zip(&self.hosts)
    }
}

impl Control {
    /// Whether what processes the host has do anything.
    pub(crate) fn runs(&self) -> bool {
        !self.frozen.get() && !self.paused.get()
    }
}

impl Run {
    /// A fault is applied.
    pub(crate) fn apply_fault(
        &mut self,
        now: Instant,
        (fault, phase): (FaultId, Phase),
        host: Option<HostId>,
        segment: Option<(SegmentNumber, Option<ConnectionNumber>)>,
    ) {
        let (segment, connection) = segment.unzip();
        let applied = FaultApplied { fault, phase, segment };
        self.recorder.push(now, host, connection.flatten(), EventKind::FaultApplied(applied));
    }
}
