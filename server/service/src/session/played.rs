//! What is played: the simulation of a session, the numbers of its sockets, and its record.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use halfopen_proto::v1;
use halfopen_scenario::{CallKind, Limits, Scenario, Socket};
use halfopen_sim::{Bound, Caller, Condition, Made, Refusal, RunOptions, Simulation, Sink, SocketId, Stop};
use halfopen_tcp::{Errno, Instant};
use halfopen_trace::HostId;
use tokio::sync::oneshot;
use tonic::{Code, Status};

use super::cursor::Cursor;
use super::log::Log;
use super::record::Record;
use super::referee::{Judged, Referee};
use crate::convert::Batch;
use crate::cost::Meter;
use crate::status;

/// The number of events after which another session of the thread has its turn.
const SLICE: u32 = 2000;
/// The number of sockets that a session may open.
pub(crate) const MAX_SOCKETS: usize = 100_000;
/// The size, in bytes, at which a response takes no further event.
const ENOUGH_BYTES: usize = 512 * 1024;

/// The simulation of a session, and the numbers of its sockets.
pub(crate) struct Played {
    scenario: Arc<Scenario>,
    /// `None` once it has ended.
    simulation: Option<Simulation>,
    /// When that was.
    end: Instant,
    record: Arc<Record>,
    meter: Meter,
    caller: Caller,
    log: Log,
    /// Every socket that there has been; the first has the number 1.
    sockets: Vec<SocketId>,
    numbers: BTreeMap<SocketId, u32>,
}

impl Played {
    /// It is time 0, and nothing has happened.
    pub(super) fn new(
        scenario: Arc<Scenario>,
        options: &RunOptions,
        meter: Meter,
        record: Arc<Record>,
    ) -> Played {
        let simulation = Some(Simulation::new(&scenario, options));
        let (caller, log) = (Caller::default(), Log::default());
        let (sockets, numbers) = (Vec::new(), BTreeMap::new());
        Played { scenario, simulation, end: Instant::ZERO, record, meter, caller, log, sockets, numbers }
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The virtual time.
    pub(super) fn time(&self) -> Instant {
        self.simulation.as_ref().map_or(self.end, Simulation::now)
    }

    /// The number of events so far.
    pub(super) fn events(&self) -> u64 {
        self.simulation.as_ref().map_or_else(|| self.record.events(), Simulation::events)
    }

    /// When something happens next unless somebody makes a call before; `None` if nothing can.
    pub(super) fn next_instant(&self) -> Option<Instant> {
        self.simulation.as_ref()?.next_instant()
    }

    /// Whether everything before a bound has happened.
    pub(super) fn is_at(&self, bound: Bound) -> bool {
        self.simulation.as_ref().is_some_and(|simulation| simulation.is_at(bound))
    }

    pub(super) fn holds(&self, condition: &Condition<'_>, seen: u64) -> bool {
        self.simulation.as_ref().is_some_and(|simulation| simulation.holds(condition, seen))
    }

    /// Gives readers what there is.
    pub(super) fn flush(&mut self) {
        if let Some(simulation) = &mut self.simulation {
            simulation.flush(&mut self.record.as_ref());
        }
    }

    /// The host of that name.
    pub(super) fn host(&self, name: &str) -> Result<HostId, Status> {
        let found = self.scenario.hosts.iter().position(|host| host.name == name);
        let names = || self.scenario.hosts.iter().map(|host| host.name.as_str());
        found.map(|index| HostId(index as u16)).ok_or_else(|| status::host_unknown(name, names()))
    }

    /// The socket with that number, which may be closed.
    pub(super) fn socket(&self, number: u32) -> Result<Socket, Status> {
        let index = (number as usize).checked_sub(1).filter(|index| *index < self.sockets.len());
        index.map(Socket).ok_or_else(|| status::socket_unknown(number))
    }

    /// What the simulation calls the socket with that number.
    pub(super) fn id(&self, number: u32) -> Result<SocketId, Status> {
        self.socket(number).map(|Socket(index)| self.sockets[index])
    }

    /// The socket that is opened next.
    pub(super) fn next_socket(&self) -> Socket {
        Socket(self.sockets.len())
    }

    /// The number of a socket that was opened.
    pub(super) fn number(&mut self, socket: SocketId) -> u32 {
        let next = self.sockets.len() as u32 + 1;
        let number = *self.numbers.entry(socket).or_insert(next);
        if number == next {
            self.sockets.push(socket);
        }
        number
    }

    /// Refuses to open a socket if there are too many.
    pub(super) fn has_room(&self) -> Result<(), Status> {
        match self.sockets.len() < MAX_SOCKETS {
            true => Ok(()),
            false => Err(status::session_full(&format!("a session opens at most {MAX_SOCKETS} sockets"))),
        }
    }

    /// A socket that is gone.
    pub(super) fn socket_closed(&self, socket: SocketId) -> Status {
        let number = self.numbers.get(&socket).copied().unwrap_or_default();
        let message = format!(
            "socket {number} is closed: by an earlier call, or because its process was killed or its host lost power"
        );
        status::session(Code::FailedPrecondition, "SOCKET_CLOSED", &message)
    }

    /// The session has no calls any more.
    pub(super) fn over(&self) -> Status {
        match self.simulation {
            Some(_) => status::session(
                Code::FailedPrecondition,
                "SESSION_OVER",
                "the session is at its end or at a limit; only FinishSession is left",
            ),
            None => status::session(Code::FailedPrecondition, "SESSION_FINISHED", "the session is finished"),
        }
    }

    /// Refuses calls once it is finished.
    pub(super) fn is_open(&self) -> Result<(), Status> {
        if self.simulation.is_some() { Ok(()) } else { Err(self.over()) }
    }

    /// Makes a call.
    pub(super) fn apply(&mut self, call: CallKind) -> Result<Made, Refusal> {
        let simulation = self.simulation.as_mut().ok_or(Refusal::Over)?;
        let mut record = self.record.as_ref();
        let mut metered = self.meter.run(&mut record);
        let (time, turns) = (simulation.now(), simulation.turns());
        let made = self.caller.make(simulation, &call);
        // What is too much ends the next Advance.
        let _ = metered.keep_going(simulation.memory());
        let has_effect = matches!(made, Ok(_) | Err(Refusal::Failed(_))) || simulation.turns() > turns;
        if has_effect {
            let has_opened = matches!(made, Ok(Made::Opened { .. }));
            self.log.add(time, turns, if has_opened { call } else { call.opening_nothing() });
        }
        made
    }

    /// Refuses faults if there would be too many.
    pub(super) fn has_room_for(&self, faults: usize) -> Result<(), Status> {
        let most = Limits::MAX_FAULTS;
        match self.scenario.faults.len() + self.record.added() + faults <= most {
            true => Ok(()),
            false => Err(status::session_full(&format!("a session has at most {most} faults"))),
        }
    }

    /// Makes a call. The inner error is what the system call would return.
    pub(super) fn make(&mut self, call: CallKind) -> Result<Result<Made, Errno>, Status> {
        match self.apply(call) {
            Ok(done) => Ok(Ok(done)),
            Err(Refusal::Failed(errno)) => Ok(Err(errno)),
            Err(refusal) => Err(self.refused(refusal)),
        }
    }

    /// Whether a call on a socket would return at once.
    pub(super) fn readiness(&self, socket: SocketId) -> v1::SocketReadiness {
        let number = self.numbers.get(&socket).copied().unwrap_or_default();
        let known = self.simulation.as_ref().and_then(|simulation| simulation.readiness(socket));
        let Some(known) = known else {
            return v1::SocketReadiness { socket: number, gone: true, ..Default::default() };
        };
        v1::SocketReadiness {
            socket: number,
            // Not while nothing runs on the host.
            readable: self.holds(&Condition::Readable(socket), 0),
            writable: self.holds(&Condition::Writable(socket), 0),
            peer_closed: known.peer_closed,
            hung_up: known.hung_up,
            failed: known.failed,
            gone: false,
        }
    }

    /// Plays for a slice; `None` if it is not there yet.
    pub(super) fn step_to(&mut self, bound: Option<Bound>, conditions: &[Condition<'_>]) -> Option<Stop> {
        let left = Cell::new(SLICE);
        let is_long = |_: &_| {
            left.set(left.get().saturating_sub(1));
            left.get() == 0
        };
        let mut all = conditions.to_vec();
        all.push(Condition::Event(&is_long));
        let simulation = self.simulation.as_mut()?;
        let stop = simulation.step_to(bound, &all, &mut self.meter.run(&mut self.record.as_ref()));
        Some(stop).filter(|stop| *stop != Stop::Condition(conditions.len()))
    }

    /// At most `max` of the next events, or a part of one that is larger than a message, and whether there are more.
    pub(super) fn read(
        &mut self,
        cursor: &mut Cursor,
        max: usize,
    ) -> (Vec<v1::Event>, Option<v1::EventPart>, bool) {
        let mut batch = Batch::default();
        if max > 0 {
            self.flush();
            batch = cursor.read(&self.record, max, ENOUGH_BYTES);
        }
        (batch.events, batch.part, cursor.has_more(self.events()))
    }

    /// The scenario that plays the same, if that can be said in one.
    pub(super) fn export(&self) -> Result<Scenario, Status> {
        let calls = self.log.calls()?;
        Ok(Scenario { calls, ..Scenario::clone(&self.scenario) })
    }

    /// Ends it, and has it judged; `None` if it is over already.
    pub(super) fn end(&mut self, referee: &Referee) -> Option<oneshot::Receiver<Judged>> {
        self.flush();
        let simulation = self.simulation.take()?;
        self.end = simulation.now();
        // The same limit ends what plays the same.
        if !simulation.is_cut_short() {
            self.log.add(simulation.now(), simulation.turns(), CallKind::Finish);
        }
        Some(referee.judge(simulation.end(), self.meter.take(), Arc::clone(&self.record)))
    }

    /// It was judged, and nothing happens any more.
    pub(super) fn judged(&mut self, meter: Meter) {
        self.meter = meter;
        self.record.close();
    }
}
