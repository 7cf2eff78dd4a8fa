//! The event queue of a run: it knows the next instant at which anything happens, and plays what happens at one.
//!
//! An instant is made of rounds: faults on hosts and links first, then each host in the order of the scenario, with what
//! arrives, its timers and its application. What a host sends arrives in a later round, even without latency.

mod faults;
mod lift;
mod processes;
mod suspension;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use halfopen_scenario::{Fault, Scenario, When};
use halfopen_tcp::Instant;

use self::suspension::Suspension;
use crate::command::{Call, Refusal, Reply};
use crate::faults::Script;
use crate::host;
use crate::run::RunOptions;
use crate::shared::{Control, Shared};
use crate::world::World;
use halfopen_trace::{EventKind, FaultAdded, FaultId, HostId, HostState};

/// What makes the hosts of a run and the world between them go on.
pub(crate) struct Driver {
    pub(crate) shared: Rc<Shared>,
    world: World,
    script: Script,
    power: Vec<Power>,
    suspensions: Vec<Suspension>,
    progress: Progress,
    /// How much of the present instant has happened: beginnings and ends of rounds, and turns of hosts.
    turns: u32,
    /// The faults on the network that have begun and not ended.
    ongoing: BTreeSet<FaultId>,
}

/// How far the present instant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing has happened yet.
    Ahead,
    /// A round has begun: what is due was handed over, and hosts that have work have their turns.
    InRound {
        /// Whether the world has to make a step.
        busy: bool,
    },
    /// A round has ended; another one follows if something is still due.
    Between,
}

/// Whether a host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    On,
    /// Starts in the next step.
    Booting,
    /// Off, by this fault.
    Off(FaultId),
}

impl Driver {
    /// The beginning of a run.
    pub(crate) fn new(scenario: &Arc<Scenario>, options: &RunOptions) -> Driver {
        let shared = Rc::new(Shared::new(scenario, options));
        let mut world = World::new(scenario.hosts.len() as u16);
        for (host, control) in shared.hosts() {
            let shared = Rc::clone(&shared);
            control.has_work.set(true);
            world.install(host, move |port| host::live(Rc::clone(&shared), host, port));
        }
        Driver {
            script: Script::new(&scenario.faults),
            power: vec![Power::Booting; scenario.hosts.len()],
            suspensions: scenario.hosts.iter().map(|_| Suspension::default()).collect(),
            shared,
            world,
            progress: Progress::Ahead,
            turns: 0,
            ongoing: BTreeSet::new(),
        }
    }

    /// When something happens next; at the earliest now.
    pub(crate) fn next_instant(&self) -> Option<Instant> {
        let now = self.shared.now.get();
        if self.shared.hosts().any(|(_, control)| control.has_work.get()) {
            return Some(now);
        }
        let run = self.shared.run.borrow();
        let wakes = self.shared.hosts().filter_map(|(host, control)| self.next_turn(host, control));
        let script = self.script.next(&run.connections);
        wakes.chain(script).chain(run.network.poll_timeout()).min().map(|next| next.max(now))
    }

    /// When a host is to have a turn because of its TCP, its application, or somebody outside.
    fn next_turn(&self, host: HostId, control: &Control) -> Option<Instant> {
        let alarm = control.line.alarm().filter(|_| self.is_up(host));
        let alarm = alarm.map(|time| control.clock.get().time_of(time));
        control.wake.get().into_iter().chain(alarm).min()
    }

    /// The clock moves on to a later instant.
    pub(crate) fn move_to(&mut self, instant: Instant) {
        if instant > self.shared.now.get() {
            self.shared.now.set(instant);
            self.progress = Progress::Ahead;
            self.turns = 0;
        }
    }

    /// How much of the present instant has happened: beginnings and ends of rounds, and turns of hosts.
    pub(crate) fn turns(&self) -> u32 {
        self.turns
    }

    /// Whether the host has had its turn at this instant, as far as it is known that it needs one.
    pub(crate) fn has_had_turn(&self, host: HostId) -> bool {
        self.progress != Progress::Ahead && !self.shared.control(host).has_work.get()
    }

    /// Whether a round has begun and not ended.
    pub(crate) fn is_in_round(&self) -> bool {
        matches!(self.progress, Progress::InRound { .. })
    }

    /// Begins a round of what happens at this instant, as far as it is known now.
    pub(crate) fn begin_round(&mut self) {
        self.turns += 1;
        self.age();
        let mut busy = self.do_faults();
        busy |= self.deliver();
        let now = self.shared.now.get();
        for (host, control) in self.shared.hosts() {
            if self.next_turn(host, control).is_some_and(|time| time <= now) {
                control.has_work.set(true);
            }
        }
        self.progress = Progress::InRound { busy };
    }

    /// The next host that has work has its turn; with that of the last one the round ends.
    pub(crate) fn take_turn(&mut self) {
        let working = |(_, control): &(HostId, &Control)| control.has_work.get();
        if self.shared.hosts().filter(working).count() > 1 {
            let next = self.shared.hosts().find(working);
            self.give_turn(next.expect("there is more than one").0);
        } else {
            self.finish_round();
        }
    }

    /// One host has its turn.
    fn give_turn(&mut self, host: HostId) {
        let control = self.shared.control(host);
        control.has_work.set(false);
        control.turn.notify_one();
        self.turns += 1;
        self.world.step();
    }

    /// All hosts that still have work have their turns, and the round ends.
    pub(crate) fn finish_round(&mut self) {
        let Progress::InRound { mut busy } = self.progress else { return };
        self.turns += 1;
        for (_, control) in self.shared.hosts() {
            if control.has_work.replace(false) {
                control.turn.notify_one();
                self.turns += 1;
                busy = true;
            }
        }
        if busy {
            self.world.step();
        }
        self.world.end_round();
        for (host, power) in (0..).map(HostId).zip(&mut self.power) {
            if *power == Power::Booting {
                *power = Power::On;
                self.shared.run.borrow_mut().network.set_up(self.shared.now.get(), host, true);
            }
        }
        self.progress = Progress::Between;
    }

    /// Adds a fault, which may be due at once.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> FaultId {
        let now = self.shared.now.get();
        let shared = Rc::clone(&self.shared);
        let id = shared.faults.borrow_mut().add(fault.clone());
        let mut run = shared.run.borrow_mut();
        if let When::State { host, state, .. } = fault.when {
            run.connections.watch(host.into(), state);
        }
        run.network.add_fault(id, &fault);
        self.script.add(id, &fault);
        let added = FaultAdded { id, fault };
        run.recorder.push(now, None, None, EventKind::FaultAdded(Box::new(added)));
        drop(run);
        if self.progress != Progress::Ahead {
            // What arrives in this round was handed over to hosts that may now lose it.
            self.finish_round();
            self.do_faults();
        }
        id
    }

    /// The application outside makes a call on its host, in its turn of the present round.
    pub(crate) fn call(&mut self, call: Call) -> Result<Reply, Refusal> {
        let host = call.host();
        let has_work = self.shared.hosts().any(|(_, control)| control.has_work.get());
        if self.progress == Progress::Ahead || (self.progress == Progress::Between && has_work) {
            self.begin_round();
        }
        while self.shared.hosts().any(|(other, control)| other < host && control.has_work.get()) {
            self.take_turn();
        }
        match self.state(host) {
            HostState::Up => {}
            HostState::Frozen => return Err(Refusal::HostFrozen(host)),
            HostState::Paused => return Err(Refusal::HostPaused(host)),
            HostState::Down => return Err(Refusal::HostDown(host)),
        }
        self.shared.control(host).line.ask(call);
        self.give_turn(host);
        // Who has made too many events has no turn.
        self.shared.control(host).line.take_reply().unwrap_or(Err(Refusal::Over))
    }

    /// Middleboxes forget what they have to by now.
    pub(crate) fn age(&self) {
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
            self.shared.control(delivery.flight.to).has_work.set(true);
            self.world.deliver(delivery);
        }
        run.record_network();
        any
    }
}
