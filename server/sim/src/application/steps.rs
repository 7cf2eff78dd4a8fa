//! What each step does in a turn.

use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use halfopen_scenario::{Action, Amount, Payload, PollEvent, Slot};
use halfopen_tcp::{ConnectionId, Errno, Instant, ListenOptions, Received, SendFlags, SocketOptions};

use super::next::{End, Next, Wait};
use super::relay::Orders;
use super::running::{Ping, Running, Stage};
use super::{Context, Turn};

impl Running {
    /// A turn of any step but a repetition.
    pub(super) fn play(
        &mut self,
        action: &Action,
        stage: &mut Stage,
        context: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Next {
        match action {
            Action::Listen { port, backlog, reuse_address, options } => {
                let (reuse_address, options) = (*reuse_address, *options);
                let options = ListenOptions { reuse_address, options, ..ListenOptions::new(*backlog) };
                let listener = context.endpoint.listen_with(context.now, *port, options);
                End::of(listener.map(|listener| self.listeners.push((*port, listener))))
            }
            Action::CloseListener { port } => End::of(self.close_listener(*port, context)),
            Action::Accept { port, connection } => self.accept(*port, *connection, context, turn),
            Action::Connect { to, from, local_port, options, connection } => {
                self.connect((*to, *from, *local_port), options, *connection, stage, context, turn)
            }
            Action::Wait(time) => wait_until(stage.begun + *time, context.now),
            Action::WaitUntil(time) => wait_until(Instant::ZERO + *time, context.now),
            Action::Hold => Next::Wait(Wait::default()),
            Action::Send { connection, .. }
            | Action::Receive { connection, .. }
            | Action::Poll { connection, .. }
            | Action::Ping { connection, .. }
            | Action::ShutdownWrite { connection }
            | Action::ShutdownRead { connection }
            | Action::Close { connection }
            | Action::Abort { connection }
            | Action::Set { connection, .. } => {
                let id = match self.slot(*connection, stage, context) {
                    Ok(id) => id,
                    Err(next) => return next,
                };
                turn.connection = Some(id);
                if matches!(action, Action::Close { .. } | Action::Abort { .. }) {
                    self.close(id);
                }
                play_on(id, action, stage, context, turn)
            }
            Action::Relay { connections, half_close, reset, idle } => {
                let orders = Orders { half_close: *half_close, reset: *reset, idle: *idle };
                self.relay(*connections, orders, stage, context, turn)
            }
            Action::Repeat { .. } => unreachable!("goes from step to step"),
        }
    }

    /// The connection of a slot; what the step does without one.
    fn slot(&self, slot: Slot, stage: &Stage, context: &Context<'_>) -> Result<ConnectionId, Next> {
        let program = &context.scenario.programs[self.program];
        match self.connections[slot.0] {
            Some(id) if stage.called || self.open.contains(&id) => Ok(id),
            None if program.shared(slot).is_some() => {
                Err(Next::Wait(Wait { opening: true, ..Wait::default() }))
            }
            None | Some(_) => Err(End::of(Err(Errno::NotConnected))),
        }
    }

    fn relay(
        &mut self,
        slots: [Slot; 2],
        orders: Orders,
        stage: &mut Stage,
        context: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Next {
        let ids = match slots.map(|slot| self.slot(slot, stage, context)) {
            [Ok(one), Ok(other)] => [one, other],
            [Err(next), _] | [_, Err(next)] => return next,
        };
        stage.called = true;
        let mut relay = std::mem::take(&mut stage.relay);
        let next = relay.turn(ids, orders, &mut stage.octets, context, turn);
        if let Some(closed) = turn.connection.filter(|_| relay.is_ending()) {
            self.close(closed);
        }
        stage.relay = relay;
        if let Some(returned) = &mut turn.returned {
            returned.step = Some(self.step_id());
        }
        next
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

    fn close_listener(&mut self, port: u16, context: &mut Context<'_>) -> Result<(), Errno> {
        let index = self.listeners.iter().position(|(listening, _)| *listening == port);
        let (_, listener) = self.listeners.remove(index.ok_or(Errno::NotConnected)?);
        context.endpoint.close_listener(context.now, listener);
        Ok(())
    }

    fn connect(
        &mut self,
        (to, from, local_port): (SocketAddr, Option<IpAddr>, Option<u16>),
        options: &SocketOptions,
        slot: Slot,
        stage: &mut Stage,
        context: &mut Context<'_>,
        turn: &mut Turn,
    ) -> Next {
        if stage.called {
            let id = self.connections[slot.0].expect("connect was called");
            turn.connection = Some(id);
            return match context.endpoint.connected(id) {
                Poll::Ready(result) => End::of(result),
                Poll::Pending => Wait::connection(id),
            };
        }
        (stage.called, turn.called) = (true, true);
        match context.connect(to, from, local_port) {
            Ok(id) => {
                context.set_options(id, options);
                self.open(slot, id, turn);
                Wait::connection(id)
            }
            Err(error) => End::of(Err(error)),
        }
    }
}

fn wait_until(time: Instant, now: Instant) -> Next {
    if now < time { Wait::until(time) } else { Next::End(End::default()) }
}

/// Steps about a connection that is open.
fn play_on(
    id: ConnectionId,
    action: &Action,
    stage: &mut Stage,
    context: &mut Context<'_>,
    turn: &mut Turn,
) -> Next {
    let now = context.now;
    match action {
        Action::Send { payload, times, every, flags, .. } => {
            send(id, (payload, *flags), (*times, *every), stage, context)
        }
        Action::Poll { events, .. } => poll(id, events, context),
        Action::Receive { amount, .. } => receive(id, *amount, stage, context),
        Action::Ping { octets, times, every, .. } => ping(id, *octets, (*times, *every), stage, context),
        Action::ShutdownWrite { .. } => End::of(context.endpoint.shutdown(now, id)),
        Action::ShutdownRead { .. } => End::of(context.endpoint.shutdown_read(now, id)),
        Action::Close { .. } => close(id, stage, context, turn),
        Action::Abort { .. } => {
            context.endpoint.abort(now, id);
            End::of(Ok(()))
        }
        Action::Set { options, .. } => {
            context.set_options(id, options);
            End::of(Ok(()))
        }
        Action::Listen { .. }
        | Action::CloseListener { .. }
        | Action::Accept { .. }
        | Action::Connect { .. }
        | Action::Relay { .. }
        | Action::Repeat { .. }
        | Action::Wait(_)
        | Action::WaitUntil(_)
        | Action::Hold => unreachable!("not about a connection that is open"),
    }
}

/// Sends the payload again and again: each time is begun when it is due, and goes on as the send buffer has room.
fn send(
    id: ConnectionId,
    (payload, flags): (&Payload, SendFlags),
    (times, every): (u32, Duration),
    stage: &mut Stage,
    context: &mut Context<'_>,
) -> Next {
    let size = payload.octets();
    let round = u32::try_from(stage.octets / size).unwrap_or(u32::MAX);
    let time = stage.begun + every.saturating_mul(round);
    if context.now < time {
        return Wait::until(time);
    }
    let in_round = stage.octets % size;
    let sent = match payload {
        Payload::Octets(_) => context.write_pattern(id, size - in_round, flags),
        Payload::Text(text) => context.write_own(id, &text.as_bytes()[in_round as usize..], flags),
    };
    match sent {
        Ok(0) => Wait::connection(id),
        Ok(taken) => {
            stage.octets += taken;
            if stage.octets == size * u64::from(times) { End::of(Ok(())) } else { Next::More }
        }
        Err(error) => End::of(Err(error)),
    }
}

fn receive(id: ConnectionId, amount: Amount, stage: &mut Stage, context: &mut Context<'_>) -> Next {
    let most = match amount {
        Amount::Octets(octets) => octets - stage.octets,
        Amount::Next | Amount::End => u64::MAX,
    };
    match context.read(id, most) {
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

/// Waits for one of the events; an error and the end of both directions are reported to everybody (poll(2)).
fn poll(id: ConnectionId, events: &[PollEvent], context: &mut Context<'_>) -> Next {
    let readiness = context.endpoint.poll(id);
    let mut reported = events.iter().chain(&[PollEvent::Hup, PollEvent::Err]);
    match reported.any(|event| event.is_in(readiness)) {
        true => End::of(Ok(())),
        false => Wait::connection(id),
    }
}

/// Sends, then wants as much back, again and again. In between it reads, so that it sees at once that the
/// connection is gone.
fn ping(
    id: ConnectionId,
    octets: u64,
    (times, every): (Option<u32>, Duration),
    stage: &mut Stage,
    context: &mut Context<'_>,
) -> Next {
    let now = context.now;
    let ping = &mut stage.ping;
    if ping.sent < octets && now >= ping.begins {
        match context.write_pattern(id, octets - ping.sent, SendFlags::default()) {
            Ok(0) => return Wait::connection(id),
            Ok(taken) => ping.sent += taken,
            Err(error) => return End::of(Err(error)),
        }
        return Next::More;
    }
    let wanted = if ping.sent == 0 { 0 } else { octets - ping.received };
    match context.read(id, wanted) {
        Ok(Received::Nothing) => {
            let until = (now < ping.begins).then_some(ping.begins);
            return Next::Wait(Wait { connections: [Some(id), None], until, ..Wait::default() });
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
            Next::Wait(Wait { connections: [Some(id), None], until: Some(until), ..Wait::default() })
        }
        _ => End::of(Ok(())),
    }
}
