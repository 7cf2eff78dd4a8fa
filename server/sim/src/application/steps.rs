//! What each step does in a turn.

use std::task::Poll;
use std::time::Duration;

use halfopen_scenario::{Action, Amount, Payload, Slot, SocketOptions};
use halfopen_tcp::{ConnectionId, Endpoint, Errno, Instant, Received};
use halfopen_trace::EventKind;

use super::running::{End, Next, Ping, Running, Stage, Wait};
use super::{Context, Turn};
use crate::connections::EndId;
use crate::content::CHUNK;

impl Running {
    /// A turn of any step but a repetition.
    pub(super) fn play(
        &mut self,
        action: &Action,
        stage: &mut Stage,
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
                if stage.called {
                    return self.connected(*connection, context, turn);
                }
                (stage.called, turn.called) = (true, true);
                match context.endpoint.connect(now, *local_port, *to) {
                    Ok(id) => {
                        self.open(*connection, id, turn);
                        Wait::connection(id)
                    }
                    Err(error) => End::of(Err(error)),
                }
            }
            Action::Wait(time) if now < stage.begun + *time => Wait::until(stage.begun + *time),
            Action::WaitUntil(time) if now < Instant::ZERO + *time => Wait::until(Instant::ZERO + *time),
            Action::Wait(_) | Action::WaitUntil(_) => Next::End(End::default()),
            Action::Hold => Next::Wait(Wait::default()),
            Action::Send { connection, .. }
            | Action::Receive { connection, .. }
            | Action::Ping { connection, .. }
            | Action::ShutdownWrite { connection }
            | Action::ShutdownRead { connection }
            | Action::Close { connection }
            | Action::Abort { connection }
            | Action::Set { connection, .. } => {
                let Some(id) = self.connections[connection.0] else {
                    return End::of(Err(Errno::NotConnected));
                };
                turn.connection = Some(id);
                play_on(id, action, stage, context, (turn, buffer))
            }
            Action::Repeat { .. } => unreachable!("goes from step to step"),
        }
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
            None => Next::Wait(Wait { accept: true, ..Wait::default() }),
        }
    }

    fn connected(&self, slot: Slot, context: &mut Context<'_>, turn: &mut Turn) -> Next {
        let id = self.connections[slot.0].expect("connect was called");
        turn.connection = Some(id);
        match context.endpoint.connected(id) {
            Poll::Ready(result) => End::of(result),
            Poll::Pending => Wait::connection(id),
        }
    }
}

/// Steps about a connection that is open.
fn play_on(
    id: ConnectionId,
    action: &Action,
    stage: &mut Stage,
    context: &mut Context<'_>,
    (turn, buffer): (&mut Turn, &mut Vec<u8>),
) -> Next {
    let (now, endpoint) = (context.now, &mut *context.endpoint);
    match action {
        Action::Send { payload, times, every, .. } => {
            let round = stage.octets / payload.octets();
            let time = stage.begun + every.saturating_mul(u32::try_from(round).unwrap_or(u32::MAX));
            if now < time {
                return Wait::until(time);
            }
            send(id, payload, u64::from(*times), stage, context)
        }
        Action::Receive { amount, .. } => receive(id, *amount, stage, context, buffer),
        Action::Ping { octets, times, every, .. } => {
            ping(id, *octets, (*times, *every), stage, context, buffer)
        }
        Action::ShutdownWrite { .. } => End::of(endpoint.shutdown(now, id)),
        Action::ShutdownRead { .. } => End::of(endpoint.shutdown_read(now, id)),
        Action::Close { .. } => close(id, stage, context, turn),
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
        | Action::Repeat { .. }
        | Action::Wait(_)
        | Action::WaitUntil(_)
        | Action::Hold => unreachable!("not about a connection that is open"),
    }
}

fn send(
    id: ConnectionId,
    payload: &Payload,
    times: u64,
    stage: &mut Stage,
    context: &mut Context<'_>,
) -> Next {
    let size = payload.octets();
    let in_round = stage.octets % size;
    let sent = match payload {
        Payload::Octets(_) => context.write(id, size - in_round),
        Payload::Text(text) => context.write_text(id, text, in_round as usize),
    };
    match sent {
        Ok(0) => Wait::connection(id),
        Ok(taken) => {
            stage.octets += taken;
            if stage.octets == size * times { End::of(Ok(())) } else { Next::More }
        }
        Err(error) => End::of(Err(error)),
    }
}

fn receive(
    id: ConnectionId,
    amount: Amount,
    stage: &mut Stage,
    context: &mut Context<'_>,
    buffer: &mut Vec<u8>,
) -> Next {
    let most = match amount {
        Amount::Octets(octets) => octets - stage.octets,
        Amount::Next | Amount::End => u64::MAX,
    };
    match context.read(id, most, buffer) {
        Ok(Received::Nothing) => Wait::connection(id),
        Ok(Received::Octets(octets)) => {
            stage.octets += octets as u64;
            match amount {
                Amount::Octets(wanted) if stage.octets < wanted => Next::More,
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

/// Sends, then wants as much back, again and again. In between it listens: that the connection is gone, it sees at once.
fn ping(
    id: ConnectionId,
    octets: u64,
    (times, every): (Option<u32>, Duration),
    stage: &mut Stage,
    context: &mut Context<'_>,
    buffer: &mut Vec<u8>,
) -> Next {
    let now = context.now;
    let ping = &mut stage.ping;
    if ping.sent < octets && now >= ping.begins {
        match context.write(id, octets - ping.sent) {
            Ok(0) => return Wait::connection(id),
            Ok(taken) => ping.sent += taken,
            Err(error) => return End::of(Err(error)),
        }
        return Next::More;
    }
    let wanted = if ping.sent == 0 { 0 } else { octets - ping.received };
    match context.read(id, wanted, buffer) {
        Ok(Received::Nothing) => {
            let until = (now < ping.begins).then_some(ping.begins);
            return Next::Wait(Wait { connection: Some(id), until, ..Wait::default() });
        }
        Ok(Received::End) => return Next::End(End { error: None, end_of_stream: true, failed: true }),
        Err(error) => return End::of(Err(error)),
        Ok(Received::Octets(some)) => ping.received += some as u64,
    }
    if ping.received == octets {
        stage.octets += octets;
        let before = ping.before + 1;
        if times == Some(before) {
            return End::of(Ok(()));
        }
        let begins = (ping.begins + every).max(now);
        // Those of one for ever are not counted.
        *ping = Ping { before: times.map_or(0, |_| before), begins, sent: 0, received: 0 };
    }
    Next::More
}

/// Closes, and waits as SO_LINGER says.
fn close(id: ConnectionId, stage: &mut Stage, context: &mut Context<'_>, turn: &mut Turn) -> Next {
    if !stage.called {
        (stage.called, turn.called) = (true, true);
        context.endpoint.close(context.now, id);
    }
    match context.endpoint.lingers(id).map(|longest| stage.begun + longest) {
        Some(until) if context.now < until => {
            Next::Wait(Wait { connection: Some(id), until: Some(until), ..Wait::default() })
        }
        _ => End::of(Ok(())),
    }
}

/// Sets what is said.
fn set(endpoint: &mut Endpoint, now: Instant, id: ConnectionId, options: &SocketOptions) {
    let SocketOptions { keepalive, nodelay, user_timeout, linger, receive_buffer, send_buffer } = *options;
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
    if let Some(octets) = send_buffer {
        endpoint.set_send_buffer(now, id, octets);
    }
}

impl Context<'_> {
    /// Sends octets of our choice, at most so many. Zero: the send buffer is full.
    fn write(&mut self, id: ConnectionId, most: u64) -> Result<u64, Errno> {
        let end = self.ends.get(&id).ok_or(Errno::NotConnected)?;
        let octets = self.run.connections.end(*end).written.next(most);
        let taken = self.endpoint.send(self.now, id, octets)?;
        self.written(*end, taken);
        Ok(taken as u64)
    }

    /// Sends the rest of a text, from this octet of it on.
    fn write_text(&mut self, id: ConnectionId, text: &str, from: usize) -> Result<u64, Errno> {
        let end = self.ends.get(&id).ok_or(Errno::NotConnected)?;
        let taken = self.endpoint.send(self.now, id, &text.as_bytes()[from..])?;
        if from == 0 && taken > 0 {
            self.run.connections.end_mut(*end).written.begin_text(text);
        }
        self.written(*end, taken);
        Ok(taken as u64)
    }

    fn written(&mut self, end: EndId, octets: usize) {
        if octets > 0 {
            self.run.connections.end_mut(end).written.advance(octets);
            self.note(end, EventKind::DataWritten { octets: octets as u64 });
        }
    }

    /// Receives at most so many octets, checks them against what the peer's application sent, and counts them.
    fn read(&mut self, id: ConnectionId, most: u64, buffer: &mut Vec<u8>) -> Result<Received, Errno> {
        buffer.resize(CHUNK, 0);
        let room = &mut buffer[..CHUNK.min(usize::try_from(most).unwrap_or(CHUNK))];
        let received = self.endpoint.receive(self.now, id, room)?;
        if let Received::Octets(octets) = received {
            self.received(id, &room[..octets]);
        }
        Ok(received)
    }

    fn received(&mut self, id: ConnectionId, octets: &[u8]) {
        let Some(end) = self.ends.get(&id).copied() else { return };
        let connections = &mut self.run.connections;
        let offset = connections.end(end).received;
        // What one of the ends that the peer had has sent is right.
        let checks = || connections.peers(end).map(|peer| peer.written.check(offset, octets));
        let right = checks().any(|check| check.is_ok());
        let wrong = checks().filter_map(Result::err).max().unwrap_or(offset);
        let own = connections.end_mut(end);
        own.received = offset + octets.len() as u64;
        let is_news = !right && !std::mem::replace(&mut own.mistaken, true);
        self.note(end, EventKind::DataRead { octets: octets.len() as u64 });
        if is_news {
            self.note(end, EventKind::DataMistaken { offset: wrong });
        }
    }

    /// Something happened to an end on this host.
    fn note(&mut self, end: EndId, kind: EventKind) {
        self.run.recorder.push(self.time, Some(self.host), Some(end.number), kind);
    }
}
