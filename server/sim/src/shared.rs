//! What the driver and the hosts' software share: they take turns on one thread.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use halfopen_scenario::{ConnectionRef, Scenario, Slot, When};
use halfopen_tcp::{Errno, Instant};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::connections::Connections;
use crate::network::{Flight, Network};
use crate::recorder::Recorder;
use crate::run::RunOptions;
use crate::snapshots::Snapshots;
use crate::trace::{ConnectionNumber, EventKind, FaultApplied, HostId, SegmentNumber};

/// Shared by the driver and the hosts' software.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) seed: u64,
    /// The virtual clock.
    pub(crate) now: Cell<Instant>,
    pub(crate) run: RefCell<Run>,
    hosts: Vec<Control>,
}

/// How the driver and one host speak to each other.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// There is something to do in the next step.
    pub(crate) work: Notify,
    /// When the host wants to be woken.
    pub(crate) wake: Cell<Option<Instant>>,
    /// Every process of the host is to die.
    pub(crate) kill: Cell<bool>,
    /// No process of the host does anything.
    pub(crate) frozen: Cell<bool>,
    /// Nothing of the host does anything.
    pub(crate) paused: Cell<bool>,
    /// What came to the host while it was paused.
    pub(crate) waiting: RefCell<Vec<(Flight, Vec<u8>)>>,
    /// What the time is on the host.
    pub(crate) clock: Cell<Clock>,
    /// Faults, by position, whose segments arrive at the host in the next step.
    pub(crate) forgeries: RefCell<Vec<usize>>,
    /// How often the host has been started.
    pub(crate) lives: Cell<u32>,
}

/// What a run has come to.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) recorder: Recorder,
    pub(crate) connections: Connections,
    pub(crate) network: Network,
    pub(crate) snapshots: Snapshots,
    pub(crate) progress: Progress,
}

/// What of the scenario has happened.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// By program and step.
    pub(crate) steps: Vec<Vec<StepState>>,
    /// How often each fault was applied.
    pub(crate) faults: Vec<u64>,
    /// Every connection that a program opened.
    pub(crate) opened: BTreeSet<(usize, Slot, ConnectionNumber)>,
    /// Steps that ended with an error, or that failed, where the text does not say that they may: each of them once.
    pub(crate) failures: BTreeSet<Failed>,
    /// Steps that ended otherwise than they say they must.
    pub(crate) surprises: Vec<String>,
    /// What must never be: data that is not what was sent.
    pub(crate) mistakes: Vec<String>,
}

/// A step that ended with an error, or that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failed {
    /// Position of its program.
    pub(crate) program: usize,
    /// Its position in that.
    pub(crate) step: usize,
    /// The error; `None`: it came to the end of the stream too early.
    pub(crate) error: Option<Errno>,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StepState {
    /// Never begun.
    #[default]
    Ahead,
    /// Begun.
    Begun,
    /// Ended, well or not.
    Ended,
}

impl Progress {
    /// Whether this connection is, or was, the one of that name.
    pub(crate) fn is(&self, meant: ConnectionRef, number: ConnectionNumber) -> bool {
        self.opened.contains(&(meant.program, meant.connection, number))
    }

    /// The connection that last had that name.
    pub(crate) fn newest(&self, meant: ConnectionRef) -> Option<ConnectionNumber> {
        let [first, last] = [NonZeroU32::MIN, NonZeroU32::MAX]
            .map(|number| (meant.program, meant.connection, ConnectionNumber(number)));
        self.opened.range(first..=last).next_back().map(|(_, _, number)| *number)
    }
}

impl Shared {
    /// The beginning of a run.
    pub(crate) fn new(scenario: &Arc<Scenario>, options: &RunOptions) -> Shared {
        let progress = Progress {
            steps: scenario
                .programs
                .iter()
                .map(|program| vec![StepState::Ahead; program.steps.len()])
                .collect(),
            faults: vec![0; scenario.faults.len()],
            ..Progress::default()
        };
        let mut connections = Connections::default();
        for fault in &scenario.faults {
            if let When::State { host, state, .. } = fault.when {
                connections.watch(host.into(), state);
            }
        }
        let run = Run {
            recorder: Recorder::default(),
            connections,
            network: Network::new(scenario, options.seed),
            snapshots: Snapshots::new(options.snapshot_length),
            progress,
        };
        Shared {
            scenario: Arc::clone(scenario),
            seed: options.seed,
            now: Cell::new(Instant::ZERO),
            run: RefCell::new(run),
            hosts: scenario.hosts.iter().map(|_| Control::default()).collect(),
        }
    }

    /// The line to a host.
    pub(crate) fn control(&self, host: HostId) -> &Control {
        &self.hosts[host.index()]
    }

    /// Every host.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (HostId, &Control)> {
        (0..).map(HostId).zip(&self.hosts)
    }
}

impl Run {
    /// A fault, by its position from 0, is applied.
    pub(crate) fn apply_fault(
        &mut self,
        scenario: &Scenario,
        now: Instant,
        (fault, action): (usize, String),
        host: Option<HostId>,
        segment: Option<(SegmentNumber, Option<ConnectionNumber>)>,
    ) {
        self.progress.faults[fault] += 1;
        let applied = FaultApplied {
            fault: fault as u32 + 1,
            action,
            segment: segment.map(|(number, _)| number),
            line: scenario.faults[fault].location.line,
        };
        let connection = segment.and_then(|(_, connection)| connection);
        self.recorder.push(now, host, connection, EventKind::FaultApplied(Box::new(applied)));
    }
}
