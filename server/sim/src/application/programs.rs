//! The programs of a scenario, played over the TCP of their host.
//!
//! A program is in one step at a time. One that waits is not looked at until what it waits for may have come.

use std::collections::{BTreeSet, VecDeque};

use halfopen_scenario::{Action, Program, Scenario, Slot, Step};
use halfopen_tcp::{ConnectionId, Instant};
use halfopen_trace::{ConnectionOpened, HostId};

use super::next::{Next, Wait};
use super::running::Running;
use super::{Application, Context, Opened, Process, Socket, Turn};

/// The programs of a host in one of its lives.
#[derive(Default)]
pub(crate) struct Programs {
    list: Vec<Running>,
    /// Who has a turn, in order.
    ready: VecDeque<usize>,
    /// Who waits for something to happen to a connection.
    on_connection: BTreeSet<(ConnectionId, usize)>,
    /// Who waits for a connection to accept.
    on_accept: Vec<usize>,
    /// Who waits for a time.
    on_time: BTreeSet<(Instant, usize)>,
}

impl Programs {
    /// Whether the scenario has programs for a host.
    pub(crate) fn has(scenario: &Scenario, host: HostId) -> bool {
        scenario.programs.iter().any(|program| HostId::from(program.host) == host)
    }

    /// The programs of a host, of which these run.
    pub(crate) fn new(scenario: &Scenario, processes: impl IntoIterator<Item = Process>) -> Programs {
        let mut programs = Programs::default();
        processes.into_iter().for_each(|process| programs.start(scenario, process));
        programs
    }

    /// The positions of a host's programs. In a later life only those run that begin with `listen`: a service comes back
    /// with its host, and what a user had started does not.
    pub(crate) fn of(scenario: &Scenario, host: HostId, first_life: bool) -> impl Iterator<Item = usize> {
        let runs = move |program: &Program| {
            HostId::from(program.host) == host
                && (first_life
                    || matches!(program.steps.first(), Some(Step { action: Action::Listen { .. }, .. })))
        };
        scenario
            .programs
            .iter()
            .enumerate()
            .filter(move |(_, program)| runs(program))
            .map(|(position, _)| position)
    }

    /// A program has a turn; it waits for nothing any more.
    fn wake(&mut self, index: usize) {
        self.stop_waiting(index);
        self.ready.push_back(index);
    }

    /// A program has opened a connection: those that share it have it, too.
    fn share(&mut self, scenario: &Scenario, opened: ConnectionOpened, id: ConnectionId) {
        for index in 0..self.list.len() {
            if let Some(slot) = self.shared_slot(scenario, index, opened) {
                self.list[index].share(slot, id);
                if self.list[index].waits.opening {
                    self.wake(index);
                }
            }
        }
    }

    /// The slot under which a program that runs shares what another has opened.
    fn shared_slot(&self, scenario: &Scenario, index: usize, opened: ConnectionOpened) -> Option<Slot> {
        let program = &scenario.programs[self.list[index].program];
        let place = program.shared.iter().position(|shared| *shared == opened.reference())?;
        Some(Slot(program.connections.len() + place))
    }

    /// A program that starts shares what others have opened before.
    fn share_earlier(&mut self, scenario: &Scenario, index: usize) {
        let program = &scenario.programs[self.list[index].program];
        for (place, shared) in program.shared.iter().enumerate() {
            let owner = self.list.iter().find(|running| running.program == shared.program);
            let newest = owner.and_then(|owner| {
                owner.connections[shared.connection.0].filter(|id| owner.open.contains(id))
            });
            if let Some(id) = newest {
                self.list[index].share(Slot(program.connections.len() + place), id);
            }
        }
    }

    /// What a program has open that nobody else has.
    fn take_sockets(&mut self, index: usize) -> Vec<Socket> {
        let mut sockets = self.list[index].take_sockets();
        sockets.retain(|socket| match socket {
            Socket::Listener(_) => true,
            Socket::Connection(id) => !self.list.iter().any(|running| running.open.contains(id)),
        });
        sockets
    }

    fn stop_waiting(&mut self, index: usize) {
        let Wait { connections, opening: _, accept, until } = std::mem::take(&mut self.list[index].waits);
        for connection in connections.into_iter().flatten() {
            self.on_connection.remove(&(connection, index));
        }
        if accept {
            self.on_accept.retain(|waiting| *waiting != index);
        }
        if let Some(time) = until {
            self.on_time.remove(&(time, index));
        }
    }

    fn wait(&mut self, index: usize, wait: Wait) {
        self.list[index].waits = wait;
        for connection in wait.connections.into_iter().flatten() {
            self.on_connection.insert((connection, index));
        }
        if wait.accept {
            self.on_accept.push(index);
        }
        if let Some(time) = wait.until {
            self.on_time.insert((time, index));
        }
    }
}

impl Application for Programs {
    fn connection_changed(&mut self, connection: ConnectionId) {
        let waiting = self.on_connection.range((connection, 0)..=(connection, usize::MAX));
        for index in waiting.map(|(_, index)| *index).collect::<Vec<_>>() {
            self.wake(index);
        }
    }

    fn listeners_changed(&mut self) {
        while let Some(index) = self.on_accept.first() {
            self.wake(*index);
        }
    }

    fn time_passed(&mut self, now: Instant) {
        while let Some((_, index)) = self.on_time.first().filter(|(time, _)| *time <= now) {
            self.wake(*index);
        }
    }

    /// A program goes on until it waits, then the next has its turn.
    fn turn(&mut self, context: &mut Context<'_>) -> Option<Turn> {
        while let Some(&index) = self.ready.front() {
            let running = &mut self.list[index];
            let position = running.program;
            let program = &context.scenario.programs[position];
            let Some(step) = program.steps.get(running.step) else {
                self.ready.pop_front();
                let exited = Some((Process::Program(position), self.take_sockets(index)));
                return Some(Turn { exited, ..Turn::default() });
            };
            let mut turn = Turn::default();
            let next = running.turn(step, context, &mut turn);
            if let Some(closed) = running.closed.take() {
                for running in &mut self.list {
                    running.open.remove(&closed);
                }
                self.connection_changed(closed);
            }
            if let (Some(Opened::ByProgram(opened)), Some(id)) = (turn.opened, turn.connection) {
                self.share(context.scenario, opened, id);
            }
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
                    turn.ended = Some(self.list[index].end(program, step, &end));
                    return Some(turn);
                }
            }
        }
        None
    }

    fn next_time(&self) -> Option<Instant> {
        self.on_time.first().map(|(time, _)| *time)
    }

    fn kill(&mut self, process: Process) -> Vec<Socket> {
        let killed = |running: &Running| Process::Program(running.program) == process;
        let Some(index) = self.list.iter().position(killed) else { return Vec::new() };
        self.stop_waiting(index);
        self.ready.retain(|ready| *ready != index);
        self.take_sockets(index)
    }

    fn start(&mut self, scenario: &Scenario, process: Process) {
        let Process::Program(position) = process else { return };
        let started = Running::new(position, &scenario.programs[position]);
        let index =
            self.list.iter().position(|running| running.program == position).unwrap_or(self.list.len());
        match self.list.get_mut(index) {
            Some(running) => *running = started,
            None => self.list.push(started),
        }
        self.share_earlier(scenario, index);
        self.ready.push_back(index);
    }
}
