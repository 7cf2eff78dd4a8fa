//! Hosts and processes that are suspended, and clocks that jump.

use std::time::Duration;

use halfopen_tcp::Instant;

use super::{Driver, Power};
use crate::application::Process;
use crate::clock::Clock;
use halfopen_trace::{EventKind, FaultId, HostId, HostState, LossReason, Phase};

/// What of a host that is on is suspended.
#[derive(Debug, Default)]
pub(super) struct Suspension {
    /// The faults that have killed processes which did not start again, and these processes.
    pub(super) killed: Vec<(FaultId, Vec<Process>)>,
    /// The faults that freeze or pause it now.
    by: Vec<(FaultId, Manner)>,
    /// Since when its clock stands still.
    clock_stopped: Option<Instant>,
}

/// How a host is suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Its processes do nothing.
    Frozen,
    /// Nothing of it does anything.
    Paused {
        /// Not even its clock goes on.
        clock_stops: bool,
    },
}

impl Suspension {
    fn is(&self, manner: impl Fn(Manner) -> bool) -> bool {
        self.by.iter().any(|(_, by)| manner(*by))
    }

    /// Whether this fault freezes or pauses it.
    pub(super) fn is_by(&self, fault: FaultId) -> bool {
        self.by.iter().any(|(by, _)| *by == fault)
    }

    /// Whether processes that this fault has killed did not start again.
    pub(super) fn has_killed(&self, fault: FaultId) -> bool {
        self.killed.iter().any(|(by, _)| *by == fault)
    }

    fn is_frozen(&self) -> bool {
        self.is(|manner| manner == Manner::Frozen)
    }

    fn is_paused(&self) -> bool {
        self.is(|manner| manner != Manner::Frozen)
    }

    /// The clock stops or goes on, as what holds the host says; how long it has stood still if it goes on.
    fn stop_clock(&mut self, now: Instant) -> Option<Duration> {
        let stops = self.is(|manner| manner == Manner::Paused { clock_stops: true });
        match self.clock_stopped {
            None if stops => self.clock_stopped = Some(now),
            Some(since) if !stops => {
                self.clock_stopped = None;
                return Some(now.since(since));
            }
            None | Some(_) => {}
        }
        None
    }
}

impl Driver {
    /// What a host does now.
    pub(super) fn state(&self, host: HostId) -> HostState {
        let suspension = &self.suspensions[host.index()];
        if let Power::Off(_) = self.power[host.index()] {
            HostState::Down
        } else if suspension.is_paused() {
            HostState::Paused
        } else if suspension.is_frozen() {
            HostState::Frozen
        } else {
            HostState::Up
        }
    }

    /// Whether the host runs, and its processes.
    pub(crate) fn is_up(&self, host: HostId) -> bool {
        self.state(host) == HostState::Up
    }

    /// Records what a host does if that is something else than before.
    pub(super) fn note_state(&self, host: HostId, before: HostState) {
        let state = self.state(host);
        if state != before {
            let now = self.shared.now.get();
            let kind = EventKind::HostChanged(state);
            self.shared.run.borrow_mut().recorder.push(now, Some(host), None, kind);
        }
    }

    /// Plans the end of a fault that begins and lasts so long.
    pub(super) fn plan_end(&mut self, fault: FaultId, phase: Phase, after: Option<Duration>) {
        if let (Phase::Begin, Some(after)) = (phase, after) {
            self.script.plan(self.shared.now.get() + after, Phase::End, fault);
        }
    }

    /// A host or its processes are suspended, or resume. A host that is off cannot be suspended, nor can processes that are dead.
    pub(super) fn suspend(
        &mut self,
        host: HostId,
        fault: FaultId,
        phase: Phase,
        (manner, lasts): (Manner, Option<Duration>),
    ) {
        let before = self.state(host);
        let suspension = &mut self.suspensions[host.index()];
        let is_idle = self.shared.control(host).processes.borrow().is_empty();
        match phase {
            Phase::Begin if before == HostState::Down || (manner == Manner::Frozen && is_idle) => {
                return;
            }
            Phase::Begin => suspension.by.push((fault, manner)),
            Phase::End => suspension.by.retain(|(by, _)| *by != fault),
        }
        let control = self.shared.control(host);
        if let Some(stood) = suspension.stop_clock(self.shared.now.get()) {
            let mut clock = control.clock.get();
            clock.lose(stood);
            control.clock.set(clock);
        }
        control.frozen.set(suspension.is_frozen());
        control.paused.set(suspension.is_paused());
        self.shared.run.borrow_mut().network.set_paused(host, suspension.is_paused());
        control.has_work.set(true);
        self.apply(fault, phase, Some(host));
        self.note_state(host, before);
        self.plan_end(fault, phase, lasts);
    }

    /// A host is off: its suspension is over, and what waited for it is lost.
    pub(super) fn lose_memory(&mut self, host: HostId) {
        let suspension = std::mem::take(&mut self.suspensions[host.index()]);
        let ends = suspension.by.iter().map(|(fault, _)| *fault);
        for fault in ends.chain(suspension.killed.iter().map(|(fault, _)| *fault)) {
            self.script.cancel_end(fault);
        }
        let control = self.shared.control(host);
        control.signals.take();
        control.processes.take();
        control.has_work.set(false);
        control.frozen.set(false);
        control.paused.set(false);
        self.shared.run.borrow_mut().network.set_paused(host, false);
        control.clock.set(Clock::default());
        control.line.close_all();
        let now = self.shared.now.get();
        for (flight, _) in self.shared.take_waiting(host) {
            self.shared.run.borrow_mut().lose(now, flight, LossReason::HostDown);
        }
    }

    /// The clock of a host goes forward. One that is off has none, and none goes further than it can count.
    pub(super) fn jump(&mut self, host: HostId, fault: FaultId, by: Duration) {
        let control = self.shared.control(host);
        let mut clock = control.clock.get();
        if self.state(host) != HostState::Down && clock.jump(by) {
            control.clock.set(clock);
            control.has_work.set(true);
            self.apply(fault, Phase::Begin, Some(host));
        }
    }
}
