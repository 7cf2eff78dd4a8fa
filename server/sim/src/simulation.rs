//! A run that is played step by step.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;

use halfopen_scenario::{Fault, Limits, Scenario};
use halfopen_tcp::{Instant, Readiness};
use halfopen_trace::{EventKind, HostId, Limit, RunStarted};

use crate::application::Programs;
use crate::caller::Caller;
use crate::command::{Call, Command, Refusal, Reply, SocketId};
use crate::conclusion::{Ended, Ending};
use crate::condition::Condition;
use crate::driver::Driver;
use crate::faults;
use crate::run::{Outcome, RunOptions, Sink};

/// A run that is played step by step: time moves only in [`step_until`](Simulation::step_until), and a caller takes part by
/// [`apply`](Simulation::apply).
///
/// Hosts with programs in the scenario run those; on the others, the calls from outside are the application. The same
/// scenario, options and version, with the same commands at the same times, give the same trace, octet by octet, no matter
/// at which times and conditions the run stops in between. Two commands are at the same time if the same part of
/// their instant has been played: nothing of it after a stop at a time, the turns before a condition came true after that.
///
/// A simulation that is dropped before its [`end`](Simulation::end) has no outcome. It must not be used from within an async task.
pub struct Simulation {
    driver: Driver,
    /// Why it cannot go on; `None` while it can.
    ending: Option<Ending>,
}

/// How far to play. One that comes before another is reached first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    time: Instant,
    /// Whether what happens at that time is played, too.
    is_through: bool,
}

impl Bound {
    /// Until this time: what happens then has not happened yet.
    pub fn until(time: Instant) -> Bound {
        Bound { time, is_through: false }
    }

    /// Through this time: what happens then has happened.
    pub fn through(time: Instant) -> Bound {
        Bound { time, is_through: true }
    }

    /// Whether it is reached before what happens at an instant.
    fn precedes(self, next: Instant) -> bool {
        if self.is_through { self.time < next } else { self.time <= next }
    }
}

/// Why [`step_until`](Simulation::step_until) returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is the time that was asked for.
    Time,
    /// The condition at this position holds.
    Condition(usize),
    /// Nothing can happen any more unless somebody outside does something.
    Idle,
    /// The scenario ends here.
    End,
    /// A limit is reached. The run is over.
    Limit(Limit),
    /// The sink cancelled the run, which is over.
    Cancelled,
}

impl Simulation {
    /// The beginning of a run: it is time 0, and nothing has happened.
    pub fn new(scenario: &Arc<Scenario>, options: &RunOptions) -> Simulation {
        let driver = Driver::new(scenario, options);
        let started = RunStarted {
            scenario: Arc::clone(scenario),
            seed: options.seed,
            version: env!("CARGO_PKG_VERSION"),
        };
        let kind = EventKind::RunStarted(Box::new(started));
        driver.shared.run.borrow_mut().recorder.push(Instant::ZERO, None, None, kind);
        Simulation { driver, ending: None }
    }

    /// The current virtual time.
    pub fn now(&self) -> Instant {
        self.driver.shared.now.get()
    }

    /// Which calls on a socket would return at once; `None` if there is no such socket.
    pub fn readiness(&self, socket: SocketId) -> Option<Readiness> {
        self.driver.shared.find_control(socket.host)?.line.readiness(socket)
    }

    /// What stands for every address of a host: `0.0.0.0`, or `::` if its first is IPv6.
    pub(crate) fn any_address(&self, host: HostId) -> IpAddr {
        match self.driver.shared.scenario.hosts[host.index()].addresses.first() {
            Some(IpAddr::V6(_)) => Ipv6Addr::UNSPECIFIED.into(),
            Some(IpAddr::V4(_)) | None => Ipv4Addr::UNSPECIFIED.into(),
        }
    }

    /// The memory that it takes, octets.
    pub fn memory(&self) -> u64 {
        self.driver.shared.memory()
    }

    /// The number of events so far.
    pub fn events(&self) -> u64 {
        self.driver.shared.run.borrow().recorder.len()
    }

    /// When something happens next unless somebody outside does something before, or the run ends; `None` if nothing can
    /// happen, or the run is over.
    pub fn next_instant(&self) -> Option<Instant> {
        if self.ending.is_some() {
            return None;
        }
        if self.driver.is_in_round() {
            return Some(self.now());
        }
        match (self.driver.next_instant(), self.driver.shared.scenario.until) {
            (None, None) => None,
            (next, _) => Some(next.unwrap_or(Instant::FAR_FUTURE).min(self.last_instant().max(self.now()))),
        }
    }

    /// Whether it is over before its time: at a limit, or cancelled.
    pub fn is_cut_short(&self) -> bool {
        matches!(self.ending, Some(Ending::Limit(_) | Ending::Stopped))
    }

    /// How much of the present instant has happened: beginnings and ends of rounds, and turns of hosts.
    pub fn turns(&self) -> u32 {
        self.driver.turns()
    }

    /// Whether everything before a bound has happened.
    pub fn is_at(&self, bound: Bound) -> bool {
        bound.time < self.now()
            || (bound.time == self.now() && self.next_instant().is_none_or(|next| bound.precedes(next)))
    }

    /// Whether a condition holds; of events only those after the first `seen` count.
    pub fn holds(&self, condition: &Condition<'_>, seen: u64) -> bool {
        condition.holds(&self.driver, seen)
    }

    /// Plays until the first of: this time, one of these conditions, nothing can happen any more, the scenario's end, a limit.
    /// Conditions that hold already stop it at once. The sink gets the events in chunks, as they become full, and is asked
    /// again and again whether the run is still wanted.
    ///
    /// What happens at `time` has not happened yet when it returns. A condition is noticed when the host has had its turn
    /// that makes it true: hosts after that one, in the order of the scenario, have theirs when time goes on.
    ///
    /// # Panics
    /// By a bug of ours only.
    pub fn step_until(
        &mut self,
        time: Option<Instant>,
        conditions: &[Condition<'_>],
        sink: &mut dyn Sink,
    ) -> Stop {
        self.step_to(time.map(Bound::until), conditions, sink)
    }

    /// As [`step_until`](Simulation::step_until), but to a bound.
    ///
    /// # Panics
    /// By a bug of ours only.
    pub fn step_to(
        &mut self,
        bound: Option<Bound>,
        conditions: &[Condition<'_>],
        sink: &mut dyn Sink,
    ) -> Stop {
        conditions.iter().for_each(|condition| condition.watch(&self.driver));
        let stop = self.play(bound, conditions, sink);
        self.driver.shared.hosts().for_each(|(_, control)| control.line.clear_alarm());
        stop
    }

    /// Plays until so much of an instant has happened, or all of it; see [`turns`](Simulation::turns).
    ///
    /// # Panics
    /// By a bug of ours only.
    pub fn step_to_turn(&mut self, time: Instant, turns: u32, sink: &mut dyn Sink) -> Stop {
        // A round of the present instant is not finished before the call.
        let is_later = self.now() < time;
        let stop = if is_later { self.step_until(Some(time), &[], sink) } else { Stop::Time };
        while stop == Stop::Time && self.now() == time && self.driver.turns() < turns {
            let seen = self.events();
            if self.driver.is_in_round() {
                self.driver.take_turn();
                if !self.driver.is_in_round() {
                    self.ending = self.look_up(sink, seen);
                }
            } else if self.driver.next_instant().is_some_and(|next| next <= time) {
                self.driver.begin_round();
            } else {
                break;
            }
            if let Some(ending) = self.ending {
                return ending.into();
            }
        }
        stop
    }

    fn play(&mut self, bound: Option<Bound>, conditions: &[Condition<'_>], sink: &mut dyn Sink) -> Stop {
        let mut seen = self.driver.shared.run.borrow().recorder.len();
        loop {
            if let Some(ending) = self.ending {
                return ending.into();
            }
            if let Some(position) =
                conditions.iter().position(|condition| condition.holds(&self.driver, seen))
            {
                return Stop::Condition(position);
            }
            seen = self.driver.shared.run.borrow().recorder.len();
            if self.driver.is_in_round() {
                // Somebody who waits for a condition may make a call before the next host has its turn.
                match conditions.is_empty() {
                    true => self.driver.finish_round(),
                    false => self.driver.take_turn(),
                }
                if !self.driver.is_in_round() {
                    self.ending = self.look_up(sink, seen);
                }
            } else if let Some(stop) = self.advance(bound) {
                return stop;
            } else {
                self.driver.begin_round();
            }
        }
    }

    /// Moves the clock to the next instant at which anything happens; not past the one that was asked for, nor past the
    /// scenario's end or its limit.
    fn advance(&mut self, bound: Option<Bound>) -> Option<Stop> {
        let scenario = &self.driver.shared.scenario;
        let until = scenario.until;
        let ending = match until {
            Some(_) => Ending::Over,
            None => Ending::Limit(Limit::VirtualTime(scenario.limits.virtual_time)),
        };
        let next = self.driver.next_instant();
        let (now, last) = (self.now(), self.last_instant());
        let wanted = bound.filter(|bound| next.is_none_or(|next| bound.precedes(next)));
        match (wanted, next) {
            (Some(wanted), _) if wanted.precedes(last) => {
                self.driver.move_to(wanted.time);
                Some(Stop::Time)
            }
            (None, Some(next)) if next <= last => {
                self.driver.move_to(next);
                None
            }
            (None, None) if until.is_none() => Some(Stop::Idle),
            (Some(_), _) | (None, _) => {
                self.driver.move_to(last.max(now));
                self.ending = Some(ending);
                Some(ending.into())
            }
        }
    }

    /// The scenario's end, or its limit. What happens then happens, and what is asked for at that time may be done.
    fn last_instant(&self) -> Instant {
        let scenario = &self.driver.shared.scenario;
        Instant::ZERO + scenario.until.unwrap_or(scenario.limits.virtual_time)
    }

    /// After a round: the sink gets what there is; conditions have looked at the events up to `seen`. Whether the run ends.
    fn look_up(&self, sink: &mut dyn Sink, seen: u64) -> Option<Ending> {
        let shared = &self.driver.shared;
        shared.run.borrow_mut().recorder.hand_over(sink, seen);
        match sink.keep_going(shared.memory()) {
            ControlFlow::Continue(()) => shared.limit().map(Ending::Limit),
            ControlFlow::Break(interruption) => Some(interruption.into()),
        }
    }

    /// Applies a command at the current instant.
    ///
    /// # Errors
    /// The command is refused, and has no effect.
    ///
    /// # Panics
    /// By a bug of ours only.
    pub fn apply(&mut self, command: Command) -> Result<Reply, Refusal> {
        if self.ending.is_some() {
            return Err(Refusal::Over);
        }
        let reply = match command {
            Command::AddFault(fault) => {
                self.check_fault(&fault)?;
                Ok(Reply::Fault(self.driver.add_fault(*fault)))
            }
            Command::LiftFault(fault) => {
                if fault.index() >= self.driver.shared.faults.borrow().len() {
                    return Err(Refusal::UnknownFault(fault));
                }
                self.driver.lift_fault(fault).map(|()| Reply::Done)
            }
            Command::Call(call) => {
                self.check_call(&call)?;
                self.driver.call(call)
            }
        };
        self.ending = self.driver.shared.limit().map(Ending::Limit);
        reply
    }

    fn check_fault(&self, fault: &Fault) -> Result<(), Refusal> {
        let shared = &self.driver.shared;
        if shared.faults.borrow().len() >= Limits::MAX_FAULTS {
            return Err(Refusal::TooManyFaults);
        }
        faults::check(fault, &shared.scenario)
    }

    /// Refuses a call before anything happens, as far as that can be known.
    fn check_call(&self, call: &Call) -> Result<(), Refusal> {
        let (host, scenario) = (call.host(), &self.driver.shared.scenario);
        if host.index() >= scenario.hosts.len() {
            return Err(Refusal::UnknownHost(host));
        }
        if Programs::has(scenario, host) {
            return Err(Refusal::HasPrograms(host));
        }
        if scenario.hosts[host.index()].is_scripted {
            return Err(Refusal::NoTcp(host));
        }
        call.check()?;
        match call.socket() {
            Some(socket) if self.readiness(socket).is_none() => Err(Refusal::UnknownSocket(socket)),
            Some(_) | None => Ok(()),
        }
    }

    /// Gives the sink all events there are.
    pub fn flush(&mut self, sink: &mut dyn Sink) {
        let mut run = self.driver.shared.run.borrow_mut();
        run.recorder.flush();
        run.recorder.hand_over(sink, 0);
    }

    /// Ends the run here. It is to be judged.
    pub fn end(self) -> Ended {
        let Simulation { driver, ending } = self;
        driver.age();
        let shared = Rc::clone(&driver.shared);
        // The hosts go before the trace is closed: a host that is gone sends nothing.
        drop(driver);
        Ended::new(&shared, ending.unwrap_or(Ending::Over))
    }

    /// Ends the run here, judges it and closes its trace.
    pub fn finish(self, sink: &mut dyn Sink) -> Outcome {
        self.end().judge(sink)
    }
}

impl From<Ending> for Stop {
    fn from(ending: Ending) -> Stop {
        match ending {
            Ending::Over => Stop::End,
            Ending::Limit(limit) => Stop::Limit(limit),
            Ending::Stopped => Stop::Cancelled,
        }
    }
}

/// Runs a scenario: plays it until it is over, with the calls that it has and no others.
///
/// The same scenario, seed and version give the same trace, octet by octet. Blocks until the run is over; a run
/// must not be started from within an async task.
///
/// # Panics
/// By a bug of ours only.
pub fn run(scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) -> Outcome {
    let mut simulation = Simulation::new(scenario, options);
    if Caller::default().replay(&mut simulation, &scenario.calls.list, sink).is_none() {
        simulation.step_until(None, &[], sink);
    }
    simulation.finish(sink)
}
