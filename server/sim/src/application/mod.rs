//! The scripted programs of a host, played over its TCP.
//!
//! A program is in one step at a time. A turn makes at most one call, so that what TCP does about one call is
//! seen before the next. A program that waits is not looked at until what it waits for may have come.

mod running;
mod steps;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use halfopen_scenario::{Action, Program, Scenario, Step};
use halfopen_tcp::{ConnectionId, Endpoint, Instant};

use self::running::{Next, Running, Wait};
use crate::connections::EndId;
use crate::shared::Run;
use halfopen_trace::{ApplicationResult, ConnectionOpened, HostId, StepId};

/// The programs of a host in one of its lives.
#[derive(Default)]
pub(crate) struct Programs {
    list: Vec<Running>,
    /// Who has a turn, in order.
    ready: VecDeque<usize>,
    /// Who waits for something to happen to a connection.
    on_connection: BTreeMap<ConnectionId, usize>,
    /// Who waits for a connection to accept.
    on_accept: Vec<usize>,
    /// Who waits for a time.
    on_time: BTreeSet<(Instant, usize)>,
    buffer: Vec<u8>,
}

/// What a turn is given.
pub(crate) struct Context<'a> {
    pub(crate) host: HostId,
    /// What the host's clock shows.
    pub(crate) now: Instant,
    /// The time of the run.
    pub(crate) time: Instant,
    pub(crate) endpoint: &'a mut Endpoint,
    pub(crate) run: &'a mut Run,
    /// The connections of the host.
    pub(crate) ends: &'a BTreeMap<ConnectionId, EndId>,
}

/// What a turn did.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The connection it was about.
    pub(crate) connection: Option<ConnectionId>,
    /// Whether it made a call and waits at once.
    pub(crate) called: bool,
    /// It opened that connection.
    pub(crate) opened: Option<ConnectionOpened>,
    /// The step that began to wait.
    pub(crate) blocked: Option<StepId>,
    /// How the step ended that it ended.
    pub(crate) ended: Option<ApplicationResult>,
}

impl Programs {
    /// The programs of a host. In a later life only those run that begin with `listen`: a service comes back
    /// with its host, and what a user had started does not.
    pub(crate) fn start(scenario: &Scenario, host: HostId, first_life: bool) -> Programs {
        let runs = |program: &Program| {
            HostId::from(program.host) == host
                && (first_life
                    || matches!(program.steps.first(), Some(Step { action: Action::Listen { .. }, .. })))
        };
        let list: Vec<Running> = (0..)
            .zip(&scenario.programs)
            .filter(|(_, program)| runs(program))
            .map(|(position, program)| Running::new(position, program))
            .collect();
        Programs { ready: (0..list.len()).collect(), list, ..Programs::default() }
    }

    /// Something happened to a connection.
    pub(crate) fn notice(&mut self, connection: ConnectionId) {
        if let Some(index) = self.on_connection.get(&connection) {
            self.wake(*index);
        }
    }

    /// A connection changed its state: there may be one to accept.
    pub(crate) fn notice_transition(&mut self) {
        while let Some(index) = self.on_accept.first() {
            self.wake(*index);
        }
    }

    /// When a program wants to go on.
    pub(crate) fn next_time(&self) -> Option<Instant> {
        self.on_time.first().map(|(time, _)| *time)
    }

    /// The time has come for the programs that waited for it.
    pub(crate) fn notice_time(&mut self, now: Instant) {
        while let Some((_, index)) = self.on_time.first().filter(|(time, _)| *time <= now) {
            self.wake(*index);
        }
    }

    /// A program has a turn; it waits for nothing any more.
    fn wake(&mut self, index: usize) {
        let Wait { connection, accept, until } = std::mem::take(&mut self.list[index].waits);
        if let Some(connection) = connection {
            self.on_connection.remove(&connection);
        }
        if accept {
            self.on_accept.retain(|waiting| *waiting != index);
        }
        if let Some(time) = until {
            self.on_time.remove(&(time, index));
        }
        self.ready.push_back(index);
    }

    /// The next turn of a program that can do something; `None` once all wait. A program goes on until it
    /// waits, then the next has its turn.
    pub(crate) fn turn(&mut self, scenario: &Scenario, context: &mut Context<'_>) -> Option<Turn> {
        while let Some(&index) = self.ready.front() {
            let running = &mut self.list[index];
            let program = &scenario.programs[running.program];
            let Some(step) = program.steps.get(running.step) else {
                self.ready.pop_front();
                continue;
            };
            let mut turn = Turn::default();
            let next = running.turn(step, context, &mut turn, &mut self.buffer);
            match next {
                Next::More => return Some(turn),
                Next::Wait(wait) => {
                    self.ready.pop_front();
                    self.wait(index, wait);
                    if turn.called || turn.blocked.is_some() {
                        return Some(turn);
                    }
                }
                Next::Jump => {}
                Next::End(end) => {
                    turn.ended = Some(running.end(program, step, &end));
                    return Some(turn);
                }
            }
        }
        None
    }

    fn wait(&mut self, index: usize, wait: Wait) {
        self.list[index].waits = wait;
        if let Some(connection) = wait.connection {
            self.on_connection.insert(connection, index);
        }
        if wait.accept {
            self.on_accept.push(index);
        }
        if let Some(time) = wait.until {
            self.on_time.insert((time, index));
        }
    }
}
