//! What faults on hosts and the network do when they begin and end.

use std::rc::Rc;
use std::time::Duration;

use halfopen_network::{Command, NetworkFault};
use halfopen_scenario::{Effect, MiddleboxFault};
use halfopen_trace::{FaultId, HostId, HostState, Phase};

use super::suspension::Manner;
use super::{Driver, Power};

impl Driver {
    /// Does what faults are due; whether there were any.
    pub(super) fn do_faults(&mut self) -> bool {
        let now = self.shared.now.get();
        let mut any = false;
        loop {
            let next = self.script.take(now, &self.shared.run.borrow().connections);
            let Some((phase, fault)) = next else { return any };
            any = true;
            let shared = Rc::clone(&self.shared);
            match (&shared.faults.borrow().get(fault).effect, phase) {
                (Effect::Segment { .. }, _) => unreachable!("rules are not in the script"),
                (Effect::Inject(forgery), Phase::Begin) => {
                    self.inject([forgery.from, forgery.to].map(Into::into), fault);
                }
                (Effect::PowerLoss(host), Phase::Begin) => self.power_off((*host).into(), fault, false),
                (Effect::Reboot { host, back_after }, Phase::Begin) => {
                    self.power_off((*host).into(), fault, true);
                    if self.power[host.0] == Power::Off(fault) {
                        self.script.plan(now + *back_after, Phase::End, fault);
                    }
                }
                (Effect::Reboot { host, .. } | Effect::PowerLoss(host), Phase::End) => {
                    self.boot((*host).into(), fault);
                }
                (Effect::Kill { host, program, restarts_after }, Phase::Begin) => {
                    self.kill((*host).into(), fault, *program, *restarts_after);
                }
                (Effect::Kill { host, .. }, Phase::End) => self.restart((*host).into(), fault),
                (Effect::Freeze { host, resumes_after }, _) => {
                    self.suspend((*host).into(), fault, phase, (Manner::Frozen, *resumes_after));
                }
                (Effect::Pause { host, resumes_after, clock_stops }, _) => {
                    let manner = Manner::Paused { clock_stops: *clock_stops };
                    self.suspend((*host).into(), fault, phase, (manner, *resumes_after));
                }
                (Effect::ClockJump { host, by }, Phase::Begin) => self.jump((*host).into(), fault, *by),
                (Effect::CablePull { host, replug_after }, _) => {
                    self.command(fault, phase, NetworkFault::CablePull((*host).into()), *replug_after);
                }
                (Effect::BlackHole { hole, heals_after }, _) => {
                    self.command(fault, phase, NetworkFault::BlackHole(*hole), *heals_after);
                }
                (Effect::Partition { cut, heals_after }, _) => {
                    self.command(fault, phase, NetworkFault::Partition(cut.clone()), *heals_after);
                }
                (Effect::Address { change, returns_after }, _) => {
                    self.command(fault, phase, NetworkFault::Address(*change), *returns_after);
                }
                (Effect::Middlebox { middlebox, fault: what }, _) => {
                    let happens = NetworkFault::Middlebox((*middlebox).into(), *what);
                    self.command(fault, phase, happens, lasts(*what));
                }
                (Effect::Inject(_) | Effect::ClockJump { .. }, Phase::End) => {
                    unreachable!("these do not end")
                }
            }
        }
    }

    /// A host loses its power. One that is off already only learns that it will not come back.
    fn power_off(&mut self, host: HostId, fault: FaultId, returns: bool) {
        match self.power[host.index()] {
            Power::Off(_) if returns => return,
            Power::Off(earlier) => self.script.cancel_end(earlier),
            Power::On | Power::Booting => self.world.crash(host),
        }
        let before = self.state(host);
        self.power[host.index()] = Power::Off(fault);
        self.shared.run.borrow_mut().network.set_up(self.shared.now.get(), host, false);
        self.shared.control(host).wake.set(None);
        self.shared.control(host).readdressed.set(false);
        self.shared.control(host).forgeries.take();
        self.apply(fault, Phase::Begin, Some(host));
        self.lose_memory(host);
        self.note_state(host, before);
        self.shared.run.borrow_mut().connections.forget(host);
    }

    fn boot(&mut self, host: HostId, fault: FaultId) {
        let before = self.state(host);
        self.world.boot(host);
        self.power[host.index()] = Power::Booting;
        self.shared.control(host).has_work.set(true);
        self.apply(fault, Phase::End, Some(host));
        self.note_state(host, before);
    }

    /// A fault on the network begins, for a time, or ends.
    fn command(&mut self, fault: FaultId, phase: Phase, what: NetworkFault, lasts: Option<Duration>) {
        let shared = Rc::clone(&self.shared);
        let run = &mut *shared.run.borrow_mut();
        let command = Command { fault, phase, what };
        let applied = run.network.apply(shared.now.get(), &run.connections, &command);
        run.record_network();
        let Some(applied) = applied else { return };
        match phase {
            Phase::Begin => self.ongoing.insert(fault),
            Phase::End => self.ongoing.remove(&fault),
        };
        if let Some(replaced) = applied.replaces {
            self.script.cancel_end(replaced);
            self.ongoing.remove(&replaced);
        }
        for host in
            applied.readdressed.into_iter().flatten().filter(|host| self.state(*host) != HostState::Down)
        {
            self.shared.control(host).readdressed.set(true);
            self.shared.control(host).has_work.set(true);
        }
        self.plan_end(fault, phase, lasts);
    }

    /// A forged segment arrives, unless its receiver is off or without a cable; or its sender, if that is a host without a TCP.
    fn inject(&mut self, [from, to]: [HostId; 2], fault: FaultId) {
        let cable_out = |host| self.shared.run.borrow().network.is_cable_out(host);
        let is_on_net = |host: HostId| self.power[host.index()] == Power::On && !cable_out(host);
        let is_scripted = self.shared.scenario.hosts[from.index()].is_scripted;
        if is_on_net(to) && (!is_scripted || is_on_net(from)) {
            let control = self.shared.control(to);
            control.forgeries.borrow_mut().push(fault);
            control.has_work.set(true);
        }
    }

    pub(super) fn apply(&self, fault: FaultId, phase: Phase, host: Option<HostId>) {
        self.shared.run.borrow_mut().apply_fault(self.shared.now.get(), (fault, phase), host, None);
    }
}

/// How long a fault on a middlebox lasts; `None` if it does not end.
const fn lasts(fault: MiddleboxFault) -> Option<Duration> {
    match fault {
        MiddleboxFault::BlocksNew { unblocks_after } => unblocks_after,
        MiddleboxFault::Reboot { back_after } => Some(back_after),
        MiddleboxFault::Forget | MiddleboxFault::PowerLoss => None,
    }
}
