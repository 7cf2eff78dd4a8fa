//! Somebody outside who does what the programs of a scenario say.

use std::collections::BTreeMap;
use std::sync::Arc;

use halfopen_scenario::{Action, Amount, Effect, Failure, Payload, Program, Scenario, Slot};
use halfopen_sim::{
    Call, Command, Condition, Discard, Outcome, Refusal, Reply, RunOptions, Simulation, SocketId, Stop,
};
use halfopen_tcp::{Errno, Instant, ListenOptions};
use halfopen_trace::HostId;

/// One who plays a program.
struct Player<'a> {
    program: &'a Program,
    step: usize,
    /// When the step began, and how many octets it has sent or received; `None` before.
    stage: Option<(Instant, u64)>,
    listeners: BTreeMap<u16, SocketId>,
    sockets: BTreeMap<Slot, SocketId>,
    waits: Option<Condition<'static>>,
    done: bool,
}

/// How a step goes on.
enum Next {
    Again,
    Wait(Condition<'static>),
    Done,
    /// For ever.
    Hold,
    Failed(Option<Errno>),
}

/// Whether somebody outside can do all that the scenario's programs do: each host has one that waits for one thing at a time.
pub(crate) fn can_play(scenario: &Scenario) -> bool {
    let mut hosts: Vec<_> = scenario.programs.iter().map(|program| program.host).collect();
    hosts.sort_unstable();
    let one_each = scenario.calls.list.is_empty() && hosts.windows(2).all(|pair| pair[0] != pair[1]);
    let steps = || scenario.programs.iter().flat_map(|program| &program.steps);
    let is_simple = |action: &Action| match action {
        Action::Repeat { .. } | Action::Poll { .. } | Action::Ping { .. } | Action::Relay { .. } => false,
        Action::Set { options, .. } => options.linger.is_none(),
        Action::Listen { .. }
        | Action::Connect { .. }
        | Action::Send { .. }
        | Action::CloseListener { .. }
        | Action::Accept { .. }
        | Action::Receive { .. }
        | Action::Wait(_)
        | Action::WaitUntil(_)
        | Action::Hold
        | Action::ShutdownWrite { .. }
        | Action::ShutdownRead { .. }
        | Action::Close { .. }
        | Action::Abort { .. } => true,
    };
    // Who comes back with the host begins anew.
    let comes_back = scenario.faults.iter().any(|fault| matches!(fault.effect, Effect::Reboot { .. }));
    one_each && !comes_back && steps().all(|step| step.timeout.is_none() && is_simple(&step.action))
}

/// Runs a scenario of which these hosts are played from outside.
pub(crate) fn play(scenario: &Scenario, outside: &[HostId], options: &RunOptions) -> Outcome {
    let is_outside = |program: &&Program| outside.contains(&program.host.into());
    let mut rest = scenario.clone();
    rest.programs.retain(|program| !is_outside(&program));
    let mut simulation = Simulation::new(&Arc::new(rest), options);
    let mut players: Vec<Player<'_>> = scenario.programs.iter().filter(is_outside).map(Player::new).collect();
    players.sort_by_key(|player| player.program.host);
    loop {
        for player in &mut players {
            player.go_on(&mut simulation);
        }
        let waits: Vec<(usize, Condition<'_>)> = players
            .iter()
            .enumerate()
            .filter_map(|(index, player)| player.waits.filter(|_| !player.done).map(|waits| (index, waits)))
            .collect();
        let conditions: Vec<Condition<'_>> = waits.iter().map(|(_, waits)| *waits).collect();
        match simulation.step_until(None, &conditions, &mut Discard) {
            Stop::Condition(position) => players[waits[position].0].waits = None,
            Stop::Idle | Stop::End | Stop::Limit(_) => return simulation.finish(&mut Discard),
            stop @ (Stop::Time | Stop::Cancelled) => unreachable!("{stop:?}"),
        }
    }
}

impl<'a> Player<'a> {
    fn new(program: &'a Program) -> Player<'a> {
        Player {
            program,
            step: 0,
            stage: None,
            listeners: BTreeMap::new(),
            sockets: BTreeMap::new(),
            waits: None,
            done: false,
        }
    }

    /// Does what there is to do until it waits.
    fn go_on(&mut self, simulation: &mut Simulation) {
        while self.waits.is_none() && !self.done {
            let Some(step) = self.program.steps.get(self.step) else { return self.exit(simulation) };
            self.stage.get_or_insert((simulation.now(), 0));
            let next = match self.play(&step.action, simulation) {
                Ok(next) => next,
                Err(Refusal::Failed(errno)) => Next::Failed(Some(errno)),
                // The process is gone, and nobody is left to play.
                Err(_) => return self.done = true,
            };
            match next {
                Next::Again => {}
                Next::Hold => self.done = true,
                Next::Wait(condition) => self.waits = Some(condition),
                Next::Failed(_) if step.failure == Failure::EndsProgram => self.exit(simulation),
                Next::Failed(error) if matches!(step.failure, Failure::Must(errors) if error.is_none_or(|errno| !errors.contains(errno))) =>
                {
                    self.exit(simulation);
                }
                Next::Done | Next::Failed(_) => (self.step, self.stage) = (self.step + 1, None),
            }
        }
    }

    /// The process ends, and its kernel closes what it has open.
    fn exit(&mut self, simulation: &mut Simulation) {
        self.done = true;
        let (listeners, sockets) = (std::mem::take(&mut self.listeners), std::mem::take(&mut self.sockets));
        for socket in listeners.into_values().chain(sockets.into_values()) {
            let _ = simulation.apply(Command::Call(Call::Close(socket)));
        }
    }

    fn play(&mut self, action: &Action, simulation: &mut Simulation) -> Result<Next, Refusal> {
        let host = HostId::from(self.program.host);
        let (begun, octets) = self.stage.expect("it has begun");
        let mut call = |call| simulation.apply(Command::Call(call));
        let wait_until = |time: Instant, now: Instant| match now < time {
            true => Next::Wait(Condition::Clock(host, time)),
            false => Next::Done,
        };
        let socket = |slot: &Slot| self.sockets.get(slot).copied().ok_or(Refusal::from(Errno::NotConnected));
        match action {
            Action::Listen { port, backlog, reuse_address, options } => {
                let (reuse_address, options) = (*reuse_address, *options);
                let options = ListenOptions { reuse_address, options, ..ListenOptions::new(*backlog) };
                let reply = call(Call::Listen { host, port: *port, options })?;
                self.listeners.insert(*port, opened(&reply));
                Ok(Next::Done)
            }
            Action::CloseListener { port } => {
                let listener = self.listeners.remove(port).ok_or(Refusal::from(Errno::NotConnected))?;
                call(Call::Close(listener)).map(|_| Next::Done)
            }
            Action::Accept { port, connection } => {
                let listener = self.listeners[port];
                match call(Call::Accept(listener)) {
                    Err(Refusal::Failed(Errno::Again)) => Ok(Next::Wait(Condition::Readable(listener))),
                    reply => {
                        self.sockets.insert(*connection, opened(&reply?));
                        Ok(Next::Done)
                    }
                }
            }
            Action::Connect { to, from, local_port, options, connection } if octets == 0 => {
                let (to, from, local_port, options) = (*to, *from, *local_port, *options);
                let reply = call(Call::Connect { host, to, from, local_port, options })?;
                self.sockets.insert(*connection, opened(&reply));
                self.stage = Some((begun, 1));
                Ok(Next::Again)
            }
            Action::Connect { connection, .. } => {
                let socket = socket(connection)?;
                match call(Call::FinishConnect(socket)) {
                    Err(Refusal::Failed(Errno::InProgress)) => Ok(Next::Wait(Condition::Writable(socket))),
                    reply => reply.map(|_| Next::Done),
                }
            }
            Action::Wait(time) => Ok(wait_until(begun + *time, simulation.now())),
            Action::WaitUntil(time) => Ok(wait_until(Instant::ZERO + *time, simulation.now())),
            Action::Hold => Ok(Next::Hold),
            Action::Send { connection, payload, times, every, flags } => {
                let size = payload.octets();
                let time = begun + *every * u32::try_from(octets / size).expect("few");
                let socket = socket(connection)?;
                if simulation.now() < time {
                    return Ok(wait_until(time, simulation.now()));
                }
                let rest = rest_of(payload, (octets % size) as usize);
                match simulation.apply(Command::Call(Call::Send {
                    socket,
                    octets: rest.into(),
                    from: 0,
                    flags: *flags,
                })) {
                    Err(Refusal::Failed(Errno::Again)) => Ok(Next::Wait(Condition::Writable(socket))),
                    Ok(Reply::Sent(sent)) => {
                        let sent = octets + sent as u64;
                        self.stage = Some((begun, sent));
                        Ok(if sent == size * u64::from(*times) { Next::Done } else { Next::Again })
                    }
                    other => unreachable_reply(other),
                }
            }
            Action::Receive { connection, amount } => {
                let socket = socket(connection)?;
                self.receive(socket, *amount, simulation)
            }
            Action::ShutdownWrite { connection } => {
                call(Call::ShutdownWrite(socket(connection)?)).map(|_| Next::Done)
            }
            Action::ShutdownRead { connection } => {
                call(Call::ShutdownRead(socket(connection)?)).map(|_| Next::Done)
            }
            Action::Close { connection } => {
                let closed = call(Call::Close(socket(connection)?)).map(|_| Next::Done);
                self.sockets.remove(connection);
                closed
            }
            Action::Abort { connection } => {
                let aborted = call(Call::Abort(socket(connection)?)).map(|_| Next::Done);
                self.sockets.remove(connection);
                aborted
            }
            Action::Set { connection, options } => {
                call(Call::SetOptions(socket(connection)?, *options)).map(|_| Next::Done)
            }
            Action::Repeat { .. } | Action::Poll { .. } | Action::Ping { .. } | Action::Relay { .. } => {
                unreachable!("`can_play` has said no")
            }
        }
    }

    fn receive(
        &mut self,
        socket: SocketId,
        amount: Amount,
        simulation: &mut Simulation,
    ) -> Result<Next, Refusal> {
        let (begun, octets) = self.stage.expect("it has begun");
        let max_len = match amount {
            Amount::Octets(wanted) => (wanted - octets) as usize,
            Amount::Next | Amount::End => usize::MAX,
        };
        match simulation.apply(Command::Call(Call::Receive { socket, max_len })) {
            Ok(Reply::Received(received)) => {
                let octets = octets + received.len() as u64;
                self.stage = Some((begun, octets));
                let enough = match amount {
                    Amount::Octets(wanted) => octets == wanted,
                    Amount::Next => true,
                    Amount::End => false,
                };
                Ok(if enough { Next::Done } else { Next::Again })
            }
            Ok(Reply::EndOfStream) => match amount {
                Amount::Octets(_) => Ok(Next::Failed(None)),
                Amount::Next | Amount::End => Ok(Next::Done),
            },
            Err(Refusal::Failed(Errno::Again)) => Ok(Next::Wait(Condition::Readable(socket))),
            Err(Refusal::Failed(_)) if amount == Amount::End => Ok(Next::Done),
            other => unreachable_reply(other),
        }
    }
}

/// What is left of a payload from an octet on, as far as a program sends it at once.
fn rest_of(payload: &Payload, from: usize) -> Vec<u8> {
    match payload {
        Payload::Octets(octets) => vec![b'x'; (*octets as usize - from).min(64 * 1024)],
        Payload::Text(text) => text.as_bytes()[from..].to_vec(),
    }
}

fn opened(reply: &Reply) -> SocketId {
    match reply {
        Reply::Socket(socket) => *socket,
        other => panic!("{other:?} is no socket"),
    }
}

fn unreachable_reply(reply: Result<Reply, Refusal>) -> Result<Next, Refusal> {
    reply.map(|reply| panic!("unexpected {reply:?}"))
}
