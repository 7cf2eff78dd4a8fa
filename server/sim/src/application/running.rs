//! One program: where it stands.

use std::collections::BTreeSet;
use std::time::Duration;

use halfopen_scenario::{Action, Program, Slot, Step};
use halfopen_tcp::{ConnectionId, Instant, ListenerId};

use super::next::{End, Next, Wait};
use super::relay::Relay;
use super::{Context, Opened, Socket, Turn};
use halfopen_trace::{ApplicationResult, ConnectionOpened, StepId};

/// A program that runs.
pub(super) struct Running {
    /// Position in the scenario's programs.
    pub(super) program: usize,
    /// The newest connection of each slot, its own and those that it shares.
    pub(super) connections: Vec<Option<ConnectionId>>,
    /// Every connection that it has and nobody has closed.
    pub(super) open: BTreeSet<ConnectionId>,
    pub(super) listeners: Vec<(u16, ListenerId)>,
    pub(super) step: usize,
    /// How far the step is; `None` before it begins.
    stage: Option<Stage>,
    /// The repetitions that it is in, outermost first.
    rounds: Vec<Rounds>,
    /// How the step failed that ended the innermost of them.
    failed: Option<End>,
    /// What it waits for.
    pub(super) waits: Wait,
    /// What it has just closed, for the others that have it.
    pub(super) closed: Option<ConnectionId>,
}

/// How far a step is.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) begun: Instant,
    /// Octets it has sent or received.
    pub(super) octets: u64,
    /// Whether the call was made whose outcome it waits for.
    pub(super) called: bool,
    /// Whether it has ever waited.
    blocked: bool,
    /// The ping that goes on.
    pub(super) ping: Ping,
    /// The relay that goes on.
    pub(super) relay: Relay,
}

/// One of the pings of a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ping {
    /// Those before it.
    pub(super) before: u32,
    /// When it is to begin, or did.
    pub(super) begins: Instant,
    pub(super) sent: u64,
    pub(super) received: u64,
}

/// A repetition that goes on.
struct Rounds {
    /// Position of its step.
    step: usize,
    begun: u32,
    last_begun: Instant,
}

impl Stage {
    fn new(now: Instant) -> Stage {
        let ping = Ping { before: 0, begins: now, sent: 0, received: 0 };
        Stage { begun: now, octets: 0, called: false, blocked: false, ping, relay: Relay::default() }
    }
}

fn sends(action: &Action) -> bool {
    matches!(action, Action::Send { .. })
}

impl Running {
    pub(super) fn new(position: usize, program: &Program) -> Running {
        Running {
            program: position,
            connections: vec![None; program.connections.len() + program.shared.len()],
            open: BTreeSet::new(),
            listeners: Vec::new(),
            step: 0,
            stage: None,
            rounds: Vec::new(),
            failed: None,
            waits: Wait::default(),
            closed: None,
        }
    }

    /// One turn of the step that it is in.
    pub(super) fn turn(&mut self, step: &Step, context: &mut Context<'_>, turn: &mut Turn) -> Next {
        let mut stage = self.stage.take().unwrap_or_else(|| Stage::new(context.now));
        let next = match step.action {
            Action::Repeat { times, every, .. } => self.next_round(times, every, context.now),
            _ => self.play(&step.action, &mut stage, context, turn),
        };
        let next = match (next, step.timeout) {
            (Next::Wait(wait), Some(timeout)) if wait.is_for_others() => {
                let deadline = stage.ping.begins + timeout;
                let until = wait.until.map_or(deadline, |until| until.min(deadline));
                match context.now < deadline {
                    true => Next::Wait(Wait { until: Some(until), ..wait }),
                    // A call that does not block sends what fits.
                    false if timeout.is_zero() && stage.octets > 0 && sends(&step.action) => End::of(Ok(())),
                    false => Next::End(End::timed_out(&step.action)),
                }
            }
            (next, _) => next,
        };
        if matches!(next, Next::Wait(_)) && !std::mem::replace(&mut stage.blocked, true) {
            turn.blocked = Some(self.step_id());
        }
        if !matches!(next, Next::Jump) {
            self.stage = Some(stage);
        }
        next
    }

    pub(super) fn step_id(&self) -> StepId {
        StepId { program: self.program as u32, step: self.step as u32 }
    }

    /// The next round of a repetition begins, or it ends.
    fn next_round(&mut self, times: Option<u32>, every: Duration, now: Instant) -> Next {
        if let Some(failed) = self.failed.take() {
            self.rounds.pop();
            return Next::End(failed);
        }
        if self.rounds.last().is_none_or(|rounds| rounds.step != self.step) {
            self.rounds.push(Rounds { step: self.step, begun: 0, last_begun: now });
        }
        let rounds = self.rounds.last_mut().expect("one was just pushed if there was none");
        if times.is_some_and(|times| rounds.begun >= times) {
            self.rounds.pop();
            return Next::End(End::default());
        }
        let begins = if rounds.begun > 0 { rounds.last_begun + every } else { now };
        if now < begins {
            return Wait::until(begins);
        }
        // One for ever may be at its end, but for its number.
        rounds.begun = if times.is_some() { rounds.begun + 1 } else { 1 };
        rounds.last_begun = now;
        self.step += 1;
        Next::Jump
    }

    /// The step has ended: what the application saw, and where it goes on.
    pub(super) fn end(&mut self, program: &Program, step: &Step, end: &End) -> ApplicationResult {
        let octets = self.stage.take().map_or(0, |stage| stage.octets);
        let End { error, end_of_stream, failed } = *end;
        let result = ApplicationResult { step: self.step_id(), octets, end_of_stream, error, failed };
        if end.is_fine(step.failure) {
            self.go_on(program, step);
        } else if let Some(rounds) = self.rounds.last() {
            self.step = rounds.step;
            self.failed = Some(*end);
        } else {
            self.step = program.steps.len();
        }
        result
    }

    /// Goes to the step after this one; after the last of a round, to the repetition itself.
    fn go_on(&mut self, program: &Program, step: &Step) {
        self.step += 1;
        if let Action::Repeat { body, .. } = step.action {
            self.step += body;
        }
        if let Some(Rounds { step, .. }) = self.rounds.last()
            && let Action::Repeat { body, .. } = program.steps[*step].action
            && self.step == step + 1 + body
        {
            self.step = *step;
        }
    }

    pub(super) fn open(&mut self, slot: Slot, id: ConnectionId, turn: &mut Turn) {
        self.connections[slot.0] = Some(id);
        self.open.insert(id);
        turn.connection = Some(id);
        let opened = ConnectionOpened { program: self.program as u32, slot: slot.0 as u32 };
        turn.opened = Some(Opened::ByProgram(opened));
    }

    /// A program has opened a connection that this one shares.
    pub(super) fn share(&mut self, slot: Slot, id: ConnectionId) {
        self.connections[slot.0] = Some(id);
        self.open.insert(id);
    }

    /// Nobody can use a connection any more.
    pub(super) fn close(&mut self, id: ConnectionId) {
        self.open.remove(&id);
        self.closed = Some(id);
    }

    /// What it has open, in the order in which a kernel closes it: that of opening, listeners first. It is over.
    pub(super) fn take_sockets(&mut self) -> Vec<Socket> {
        let listeners = self.listeners.drain(..).map(|(_, listener)| Socket::Listener(listener));
        listeners.chain(std::mem::take(&mut self.open).into_iter().map(Socket::Connection)).collect()
    }
}
