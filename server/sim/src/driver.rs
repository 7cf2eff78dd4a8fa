//! The event queue of a run: it picks the next instant at which anything happens, sets the clock, and lets
//! the world make one step. Virtual time never waits.
//!
//! At one instant: faults on hosts and links first, then each host in the order of the scenario, with what
//! arrives, its timers and its programs. What a host sends arrives in a later step, even without latency.

mod suspension;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use halfopen_network::{Command, MAX_UNDER_WAY, NetworkFault};
use halfopen_scenario::{Effect, MiddleboxFault, Scenario};
use halfopen_tcp::Instant;

use self::suspension::{Manner, Suspension};
use crate::conclusion::{self, Ending};
use crate::host;
use crate::run::{Outcome, RunOptions, Sink};
use crate::script::Script;
use crate::shared::Shared;
use crate::world::World;
use halfopen_trace::{EventKind, FaultId, HostId, Limit, Phase, RunStarted};

/// Runs a scenario.
///
/// The same scenario, seed and version give the same trace, octet by octet. Blocks until the run is over; a run
/// must not be started from within an async task.
///
/// # Panics
/// By a bug of ours only.
pub fn run(scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) -> Outcome {
    let mut driver = Driver::new(scenario, options);
    driver.announce();
    let ending = driver.play(sink);
    let shared = Rc::clone(&driver.shared);
    // The hosts go before the trace is closed: a host that is gone sends nothing.
    drop(driver);
    conclusion::conclude(&shared, ending, sink)
}

struct Driver {
    shared: Rc<Shared>,
    world: World,
    script: Script,
    power: Vec<Power>,
    suspensions: Vec<Suspension>,
}

/// Whether a host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    On,
    /// Starts in the next step.
    Booting,
    /// Off, by the fault at this position.
    Off(usize),
}

impl Driver {
    fn new(scenario: &Arc<Scenario>, options: &RunOptions) -> Driver {
        let shared = Rc::new(Shared::new(scenario, options));
        let mut world = World::new(scenario.hosts.len() as u16);
        for (host, _) in shared.hosts() {
            let shared = Rc::clone(&shared);
            world.install(host, move |port| host::live(Rc::clone(&shared), host, port));
        }
        Driver {
            script: Script::new(&scenario.faults),
            power: vec![Power::Booting; scenario.hosts.len()],
            suspensions: scenario.hosts.iter().map(|_| Suspension::default()).collect(),
            shared,
            world,
        }
    }

    fn announce(&self) {
        let scenario = Arc::clone(&self.shared.scenario);
        let started = RunStarted { scenario, seed: self.shared.seed, version: env!("CARGO_PKG_VERSION") };
        let kind = EventKind::RunStarted(Box::new(started));
        self.shared.run.borrow_mut().recorder.push(Instant::ZERO, None, None, kind);
    }

    fn play(&mut self, sink: &mut dyn Sink) -> Ending {
        let limits = self.shared.scenario.limits;
        let until = self.shared.scenario.until.map(|until| Instant::ZERO + until);
        let time_limit = (Instant::ZERO + limits.virtual_time).max(until.unwrap_or_default());
        loop {
            self.step();
            let mut run = self.shared.run.borrow_mut();
            run.recorder.hand_over(sink);
            if !sink.keep_going() {
                return Ending::Stopped;
            }
            if run.recorder.len() >= limits.events {
                return Ending::Limit(Limit::Events(limits.events));
            }
            if run.network.is_overflowed() {
                return Ending::Limit(Limit::UnderWay(MAX_UNDER_WAY as u64));
            }
            drop(run);
            let (next, ending) = match (self.next_instant(), until) {
                (Some(next), Some(until)) if next > until => (until, Some(Ending::Over)),
                (Some(next), _) if next > time_limit => {
                    (time_limit, Some(Ending::Limit(Limit::VirtualTime(limits.virtual_time))))
                }
                (Some(next), _) => (next, None),
                (None, Some(until)) => (until, Some(Ending::Over)),
                (None, None) => return Ending::Over,
            };
            self.shared.now.set(next.max(self.shared.now.get()));
            if let Some(ending) = ending {
                self.age();
                return ending;
            }
        }
    }

    /// When something happens next.
    fn next_instant(&self) -> Option<Instant> {
        let run = self.shared.run.borrow();
        let wakes = self.shared.hosts().filter_map(|(_, control)| control.wake.get());
        let script = self.script.next(&run.connections);
        wakes.chain(script).chain(run.network.poll_timeout()).min()
    }

    /// Everything that happens at this instant, as far as it is known now.
    fn step(&mut self) {
        self.age();
        let mut busy = self.do_faults();
        busy |= self.deliver();
        let now = self.shared.now.get();
        for (_, control) in self.shared.hosts() {
            if control.wake.get().is_some_and(|wake| wake <= now) {
                control.work.notify_one();
                busy = true;
            }
        }
        busy |= self.power.contains(&Power::Booting);
        if busy {
            self.world.step();
        }
        for (host, power) in (0..).map(HostId).zip(&mut self.power) {
            if *power == Power::Booting {
                *power = Power::On;
                self.shared.run.borrow_mut().network.set_up(host, true);
            }
        }
    }

    /// Middleboxes forget what they have to by now.
    fn age(&self) {
        let now = self.shared.now.get();
        let run = &mut *self.shared.run.borrow_mut();
        run.network.handle_timeout(now, &run.connections);
        run.record_network();
    }

    /// Hands over what arrives now. A host gets nothing while it is down, nor in the step in which it boots.
    fn deliver(&mut self) -> bool {
        let now = self.shared.now.get();
        let run = &mut *self.shared.run.borrow_mut();
        let mut any = false;
        while let Some(delivery) = run.network.poll_delivery(now, &run.connections) {
            any = true;
            self.shared.control(delivery.flight.to).work.notify_one();
            self.world.deliver(delivery);
        }
        run.record_network();
        any
    }

    fn do_faults(&mut self) -> bool {
        let now = self.shared.now.get();
        let mut any = false;
        loop {
            let next = self.script.take(now, &self.shared.run.borrow().connections);
            let Some((phase, fault)) = next else { return any };
            any = true;
            let shared = Rc::clone(&self.shared);
            match (&shared.scenario.faults[fault].effect, phase) {
                (Effect::Segment { .. }, _) => unreachable!("rules are not in the script"),
                (Effect::Inject(forgery), Phase::Begin) => self.inject(forgery.to.into(), fault),
                (Effect::PowerLoss(host), Phase::Begin) => self.power_off((*host).into(), fault, false),
                (Effect::Reboot { host, back_after }, Phase::Begin) => {
                    self.power_off((*host).into(), fault, true);
                    if self.power[host.0] == Power::Off(fault) {
                        self.script.plan(now + *back_after, Phase::End, fault);
                    }
                }
                (Effect::Reboot { host, .. }, Phase::End) => self.boot((*host).into(), fault),
                (Effect::Kill(host), Phase::Begin) => self.kill((*host).into(), fault),
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
                (Effect::Middlebox { middlebox, fault: what }, _) => {
                    let happens = NetworkFault::Middlebox((*middlebox).into(), *what);
                    self.command(fault, phase, happens, lasts(*what));
                }
                (
                    Effect::Inject(_) | Effect::PowerLoss(_) | Effect::Kill(_) | Effect::ClockJump { .. },
                    Phase::End,
                ) => {
                    unreachable!("these do not end")
                }
            }
        }
    }

    /// A host loses its power. One that is off already only learns that it will not come back.
    fn power_off(&mut self, host: HostId, fault: usize, returns: bool) {
        match self.power[host.index()] {
            Power::Off(_) if returns => return,
            Power::Off(earlier) => self.script.cancel_end(earlier),
            Power::On | Power::Booting => self.world.crash(host),
        }
        let before = self.state(host);
        self.power[host.index()] = Power::Off(fault);
        self.shared.run.borrow_mut().network.set_up(host, false);
        self.shared.control(host).wake.set(None);
        self.shared.control(host).kill.set(false);
        self.shared.control(host).forgeries.take();
        self.apply(fault, Phase::Begin, Some(host));
        self.lose_memory(host);
        self.note_state(host, before);
        self.shared.run.borrow_mut().connections.forget(host);
    }

    fn boot(&mut self, host: HostId, fault: usize) {
        let before = self.state(host);
        self.world.boot(host);
        self.power[host.index()] = Power::Booting;
        self.apply(fault, Phase::End, Some(host));
        self.note_state(host, before);
    }

    /// Every process of a host dies. A host that is off has none, nor has one on which they are dead already.
    fn kill(&mut self, host: HostId, fault: usize) {
        if self.power[host.index()] == Power::On && !self.suspensions[host.index()].killed {
            self.suspensions[host.index()].killed = true;
            self.shared.control(host).kill.set(true);
            self.shared.control(host).work.notify_one();
            self.apply(fault, Phase::Begin, Some(host));
        }
    }

    /// A fault on the network begins, for a time, or ends.
    fn command(&mut self, fault: usize, phase: Phase, what: NetworkFault, lasts: Option<Duration>) {
        let shared = Rc::clone(&self.shared);
        let run = &mut *shared.run.borrow_mut();
        let command = Command { fault: FaultId(fault as u32), phase, what };
        let applied = run.network.apply(shared.now.get(), &run.connections, &command);
        run.record_network();
        let Some(applied) = applied else { return };
        if let Some(replaced) = applied.replaces {
            self.script.cancel_end(replaced.index());
        }
        self.plan_end(fault, phase, lasts);
    }

    /// A segment that no host sent arrives. A host that is off does not notice, nor does one without a cable.
    fn inject(&mut self, to: HostId, fault: usize) {
        let reached = !self.shared.run.borrow().network.is_cable_out(to);
        if reached && self.power[to.index()] == Power::On {
            let control = self.shared.control(to);
            control.forgeries.borrow_mut().push(fault);
            control.work.notify_one();
        }
    }

    fn apply(&self, fault: usize, phase: Phase, host: Option<HostId>) {
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
