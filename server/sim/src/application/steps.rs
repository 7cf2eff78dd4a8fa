//! One program, step by step.

use std::sync::Arc;
use std::task::Poll;

use halfopen_scenario::{Action, Amount, Failure, Payload, Program, Slot, SocketOptions, Step};
use halfopen_tcp::{ConnectionId, Endpoint, Errno, Instant, ListenerId, Received};

use super::{Context, Turn};
use crate::content::CHUNK;
use crate::shared::{Run, StepState};
use crate::trace::ApplicationResult;

/// A program that runs.
pub(super) struct Running {
    /// Position in the scenario's programs.
    pub(super) program: usize,
    name: Arc<str>,
    connections: Vec<Option<ConnectionId>>,
    listeners: Vec<(u16, ListenerId)>,
    pub(super) step: usize,
    /// When the step began; `None` before.
    begun: Option<Instant>,
    /// Octets the step has sent or received.
    octets: u64,
}

/// How a step goes on after a turn.
pub(super) enum Next {
    /// It has more to do at once.
    More,
    /// It waits.
    Wait(Wait),
    /// It has ended.
    End(End),
}

/// What a step waits for.
#[derive(Clone, Copy)]
pub(super) enum Wait {
    Connection(ConnectionId),
    Accept,
    Time(Instant),
    Nothing,
}

/// How a step ended.
#[derive(Default)]
pub(super) struct End {
    error: Option<Errno>,
    end_of_stream: bool,
    /// Whether it did not do what it was to do.
    failed: bool,
}

impl End {
    fn of(result: Result<(), Errno>) -> Next {
        let error = result.err();
        Next::End(End { error, end_of_stream: false, failed: error.is_some() })
    }

    /// Whether it ended in a way that the step allows, so that the program goes on.
    fn is_fine(&self, failure: Failure) -> bool {
        match failure {
            Failure::EndsProgram => !self.failed,
            Failure::May => true,
            Failure::Must(errno) => self.error == Some(errno),
        }
    }

    fn in_words(&self) -> String {
        match self.error {
            Some(errno) => format!("failed with {errno}"),
            None if self.failed => "came to the end of the stream".to_owned(),
            None => "went well".to_owned(),
        }
    }
}

impl Running {
    pub(super) fn new(position: usize, program: &Program) -> Running {
        Running {
            program: position,
            name: program.name.as_str().into(),
            connections: vec![None; program.connections.len()],
            listeners: Vec::new(),
            step: 0,
            begun: None,
            octets: 0,
        }
    }

    /// When the step began, which is now if it had not.
    pub(super) fn begin(&mut self, context: &mut Context<'_>) -> Instant {
        *self.begun.get_or_insert_with(|| {
            let state = &mut context.run.progress.steps[self.program][self.step];
            *state = (*state).max(StepState::Begun);
            context.now
        })
    }

    pub(super) fn end(
        &mut self,
        program: &Program,
        step: &Step,
        end: &End,
        run: &mut Run,
    ) -> Box<ApplicationResult> {
        run.progress.steps[self.program][self.step] = StepState::Ended;
        let result = ApplicationResult {
            program: Arc::clone(&self.name),
            step: self.step as u32 + 1,
            call: step.action.name(),
            octets: self.octets,
            end_of_stream: end.end_of_stream,
            error: end.error,
            line: step.location.line,
        };
        let fine = end.is_fine(step.failure);
        if let (Failure::Must(errno), false) = (step.failure, fine) {
            let (number, name, how) = (result.step, &program.name, end.in_words());
            let (text, line) = (&step.text, result.line);
            run.progress.surprises.push(format!(
                "step {number} of {name} {how} where it had to fail with {errno}: {text} (line {line})"
            ));
        }
        self.step = if fine { self.step + 1 } else { program.steps.len() };
        self.begun = None;
        self.octets = 0;
        Box::new(result)
    }

    pub(super) fn play(
        &mut self,
        action: &Action,
        began: Instant,
        context: &mut Context<'_>,
        turn: &mut Turn,
        buffer: &mut Vec<u8>,
    ) -> Next {
        let now = context.now;
        match action {
            Action::Listen { port, backlog } => {
                let listener = context.endpoint.listen(now, *port, *backlog);
                End::of(listener.map(|listener| self.listeners.push((*port, listener))))
            }
            Action::Accept { port, connection } => self.accept(*port, *connection, context, turn),
            Action::Connect { to, local_port, connection } => {
                if self.connections[connection.0].is_some() {
                    return self.connected(*connection, context, turn);
                }
                match context.endpoint.connect(now, *local_port, *to) {
                    Ok(id) => {
                        self.open(*connection, id, turn);
                        Next::Wait(Wait::Connection(id))
                    }
                    Err(error) => End::of(Err(error)),
                }
            }
            Action::Wait(time) if now < began + *time => Next::Wait(Wait::Time(began + *time)),
            Action::WaitUntil(time) if now < Instant::ZERO + *time => {
                Next::Wait(Wait::Time(Instant::ZERO + *time))
            }
            Action::Wait(_) | Action::WaitUntil(_) => Next::End(End::default()),
            Action::Hold => Next::Wait(Wait::Nothing),
            Action::Send { connection, .. }
            | Action::Receive { connection, .. }
            | Action::ShutdownWrite { connection }
            | Action::ShutdownRead { connection }
            | Action::Close { connection }
            | Action::Abort { connection }
            | Action::Set { connection, .. } => {
                let Some(id) = self.connections[connection.0] else {
                    return End::of(Err(Errno::NotConnected));
                };
                turn.connection = Some(id);
                self.play_on(id, action, began, context, buffer)
            }
        }
    }

    /// Steps about a connection that is open.
    fn play_on(
        &mut self,
        id: ConnectionId,
        action: &Action,
        began: Instant,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Next {
        let (now, endpoint) = (context.now, &mut *context.endpoint);
        match action {
            Action::Send { payload, times, every, .. } => {
                let round = self.octets / payload.octets();
                let time = began + every.saturating_mul(u32::try_from(round).unwrap_or(u32::MAX));
                if now < time {
                    return Next::Wait(Wait::Time(time));
                }
                self.send(id, payload, u64::from(*times), context)
            }
            Action::Receive { amount, .. } => self.receive(id, *amount, context, buffer),
            Action::ShutdownWrite { .. } => End::of(endpoint.shutdown(now, id)),
            Action::ShutdownRead { .. } => End::of(endpoint.shutdown_read(now, id)),
            Action::Close { .. } => End::of({
                endpoint.close(now, id);
                Ok(())
            }),
            Action::Abort { .. } => End::of({
                endpoint.abort(now, id);
                Ok(())
            }),
            Action::Set { options, .. } => {
                set(endpoint, now, id, options);
                End::of(Ok(()))
            }
            Action::Listen { .. }
            | Action::Accept { .. }
            | Action::Connect { .. }
            | Action::Wait(_)
            | Action::WaitUntil(_)
            | Action::Hold => unreachable!("not about a connection that is open"),
        }
    }

    fn open(&mut self, slot: Slot, id: ConnectionId, turn: &mut Turn) {
        self.connections[slot.0] = Some(id);
        turn.connection = Some(id);
        turn.opened = Some((self.program, slot, id));
    }

    fn accept(&mut self, port: u16, slot: Slot, context: &mut Context<'_>, turn: &mut Turn) -> Next {
        let listener = self.listeners.iter().find(|(listening, _)| *listening == port);
        let Some((_, listener)) = listener else {
            return End::of(Err(Errno::NotConnected));
        };
        match context.endpoint.accept(*listener) {
            Some(id) => {
                self.open(slot, id, turn);
                End::of(Ok(()))
            }
            None => Next::Wait(Wait::Accept),
        }
    }

    fn connected(&mut self, slot: Slot, context: &mut Context<'_>, turn: &mut Turn) -> Next {
        let id = self.connections[slot.0].expect("connect was called");
        turn.connection = Some(id);
        match context.endpoint.connected(id) {
            Poll::Ready(result) => End::of(result),
            Poll::Pending => Next::Wait(Wait::Connection(id)),
        }
    }

    fn send(&mut self, id: ConnectionId, payload: &Payload, times: u64, context: &mut Context<'_>) -> Next {
        let size = payload.octets();
        let in_round = self.octets % size;
        let end = context.ends.get(&id).map(|end| context.run.connections.end_mut(*end));
        let Some(end) = end else {
            return End::of(Err(Errno::NotConnected));
        };
        let octets = match payload {
            Payload::Octets(_) => end.written.next(size - in_round),
            Payload::Text(text) => {
                if in_round == 0 {
                    end.written.begin_text(text);
                }
                &text.as_bytes()[in_round as usize..]
            }
        };
        match context.endpoint.send(context.now, id, octets) {
            Ok(0) => Next::Wait(Wait::Connection(id)),
            Ok(taken) => {
                end.written.advance(taken);
                self.octets += taken as u64;
                if self.octets == size * times { End::of(Ok(())) } else { Next::More }
            }
            Err(error) => End::of(Err(error)),
        }
    }

    fn receive(
        &mut self,
        id: ConnectionId,
        amount: Amount,
        context: &mut Context<'_>,
        buffer: &mut Vec<u8>,
    ) -> Next {
        let most = match amount {
            Amount::Octets(octets) => octets - self.octets,
            Amount::Next | Amount::End => CHUNK as u64,
        };
        buffer.resize(CHUNK, 0);
        let room = &mut buffer[..CHUNK.min(usize::try_from(most).unwrap_or(CHUNK))];
        match context.endpoint.receive(context.now, id, room) {
            Ok(Received::Nothing) => Next::Wait(Wait::Connection(id)),
            Ok(Received::Octets(octets)) => {
                self.octets += octets as u64;
                context.received(id, &room[..octets]);
                match amount {
                    Amount::Octets(wanted) if self.octets < wanted => Next::More,
                    Amount::End => Next::More,
                    Amount::Octets(_) | Amount::Next => End::of(Ok(())),
                }
            }
            Ok(Received::End) => {
                let failed = matches!(amount, Amount::Octets(_));
                Next::End(End { error: None, end_of_stream: true, failed })
            }
            Err(error) => {
                let failed = !matches!(amount, Amount::End);
                Next::End(End { error: Some(error), end_of_stream: false, failed })
            }
        }
    }
}

/// Sets what is said.
fn set(endpoint: &mut Endpoint, now: Instant, id: ConnectionId, options: &SocketOptions) {
    let SocketOptions { keepalive, nodelay, user_timeout, linger, receive_buffer } = *options;
    if let Some(keepalive) = keepalive {
        endpoint.set_keepalive(now, id, keepalive);
    }
    if let Some(nodelay) = nodelay {
        endpoint.set_nodelay(now, id, nodelay);
    }
    if let Some(timeout) = user_timeout {
        endpoint.set_user_timeout(now, id, timeout);
    }
    if let Some(linger) = linger {
        endpoint.set_linger(now, id, linger);
    }
    if let Some(octets) = receive_buffer {
        endpoint.set_receive_buffer(now, id, octets);
    }
}

impl Context<'_> {
    /// Checks octets against what the peer's application sent, and counts them.
    fn received(&mut self, id: ConnectionId, octets: &[u8]) {
        let Some(end) = self.ends.get(&id).copied() else { return };
        let connections = &mut self.run.connections;
        let offset = connections.end(end).received.map_or(0, |(octets, _)| octets);
        // What one of the ends that the peer had has sent is right.
        let checks = || connections.peers(end).map(|peer| peer.written.check(offset, octets));
        let right = checks().any(|check| check.is_ok());
        let wrong = checks().filter_map(Result::err).max().unwrap_or(offset);
        connections.end_mut(end).received = Some((offset + octets.len() as u64, self.now));
        if !right {
            let number = end.number.0;
            let mistake =
                format!("connection {number}: octet {wrong} of what was received is not what was sent");
            self.run.progress.mistakes.push(mistake);
        }
    }
}
