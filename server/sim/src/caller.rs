//! Somebody outside who makes calls: in a session as they come, in a run as its scenario has them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use halfopen_scenario::{CallKind, Socket, TimedCall};
use halfopen_tcp::{Errno, Instant, ListenOptions, SendFlags};
use halfopen_trace::{FaultId, HostId};

use crate::command::{Call, Command, Refusal, Reply, SocketId, SocketStatus};
use crate::run::Sink;
use crate::simulation::{Simulation, Stop};

/// The ports of listening sockets that do not say which (Linux `ip_local_port_range`).
const LOCAL_PORTS: RangeInclusive<u16> = 32_768..=60_999;

/// Makes the calls of a [scenario](halfopen_scenario::Calls) or session, and knows the sockets that they have opened. Some are more
/// than one [`Call`].
#[derive(Debug, Default)]
pub struct Caller {
    sockets: BTreeMap<Socket, Open>,
    /// The port of a host that was last given to who asked for any.
    last_ports: BTreeMap<HostId, u16>,
}

/// A socket that was opened.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: SocketId,
    is_listening: bool,
}

/// What a call has come to. An error of the system call is [`Refusal::Failed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is done.
    Done,
    /// A socket was opened.
    Opened {
        /// The socket.
        id: SocketId,
        /// Its own end; `None` if it is gone already.
        local: Option<SocketAddr>,
        /// Its other end, if it has one.
        peer: Option<SocketAddr>,
        /// Whether the outcome is not known yet (`EINPROGRESS`).
        is_in_progress: bool,
    },
    /// How many octets the send buffer took.
    Sent(usize),
    /// What was received; empty only if nothing was asked for.
    Received(Vec<u8>),
    /// The peer sends no more.
    EndOfStream,
    /// What the host's TCP knows of a connection.
    Status(Box<SocketStatus>),
    /// The fault that was added.
    Fault(FaultId),
}

impl Caller {
    /// The socket that a call has opened.
    pub fn socket(&self, socket: Socket) -> Option<SocketId> {
        self.sockets.get(&socket).map(|open| open.id)
    }

    /// Makes a call.
    ///
    /// # Errors
    /// It failed, or it is refused.
    pub fn make(&mut self, simulation: &mut Simulation, call: &CallKind) -> Result<Made, Refusal> {
        let on = |socket: &Socket| self.open(*socket, call);
        let made = match call {
            CallKind::Listen { host, port, address, backlog, reuse_address, options, .. } => {
                let listening = ListenOptions {
                    address: *address,
                    reuse_address: *reuse_address,
                    options: *options,
                    ..ListenOptions::new(*backlog)
                };
                self.listen(simulation, (*host).into(), *port, listening)?
            }
            CallKind::Connect { host, to, from, local_port, options, .. } => {
                let (host, to, from, local_port, options) =
                    ((*host).into(), *to, *from, *local_port, *options);
                connect(simulation, Call::Connect { host, to, from, local_port, options })?
            }
            CallKind::Accept { listener, .. } => {
                let id = opened(&simulation.apply(Command::Call(Call::Accept(on(listener)?)))?);
                connection(simulation, id, false)?
            }
            CallKind::Send { socket, octets, flags } => send(simulation, on(socket)?, octets, *flags)?,
            CallKind::Receive { socket, max } => receive(simulation, on(socket)?, *max as usize)?,
            CallKind::FinishConnect(socket) => done(simulation, Call::FinishConnect(on(socket)?))?,
            CallKind::ShutdownWrite(socket) => done(simulation, Call::ShutdownWrite(on(socket)?))?,
            CallKind::ShutdownRead(socket) => done(simulation, Call::ShutdownRead(on(socket)?))?,
            CallKind::Close(socket) => done(simulation, Call::Close(on(socket)?))?,
            CallKind::Abort(socket) => done(simulation, Call::Abort(on(socket)?))?,
            CallKind::Set { socket, options } => done(simulation, Call::SetOptions(on(socket)?, *options))?,
            CallKind::Status(socket) => match simulation.apply(Command::Call(Call::Status(on(socket)?)))? {
                Reply::Status(status) => Made::Status(status),
                _ => unreachable!("the call asks for the status"),
            },
            CallKind::AddFault(fault) => match simulation.apply(Command::AddFault(fault.clone()))? {
                Reply::Fault(id) => Made::Fault(id),
                _ => unreachable!("the command adds a fault"),
            },
            CallKind::LiftFault(fault) => {
                simulation.apply(Command::LiftFault(FaultId(*fault as u32)))?;
                Made::Done
            }
            CallKind::Finish => Made::Done,
        };
        if let (Some(socket), Made::Opened { id, .. }) = (call.opens(), &made) {
            let is_listening = matches!(call, CallKind::Listen { .. });
            self.sockets.insert(socket, Open { id: *id, is_listening });
        }
        Ok(made)
    }

    /// The socket that a call is made on, if it is of the right kind.
    fn open(&self, socket: Socket, call: &CallKind) -> Result<SocketId, Refusal> {
        let Open { id, is_listening } = *self.sockets.get(&socket).ok_or(Refusal::NotOpened(socket))?;
        match call {
            CallKind::Close(_) => Ok(id),
            CallKind::Accept { .. } if is_listening => Ok(id),
            CallKind::Accept { .. } => Err(Refusal::NotListening(id)),
            _ if is_listening => Err(Refusal::Listening(id)),
            _ => Ok(id),
        }
    }

    /// Makes the calls of a scenario, each when it is due. Why the run is to be judged before it has come to its end, if it is.
    pub(crate) fn replay(
        &mut self,
        simulation: &mut Simulation,
        calls: &[TimedCall],
        sink: &mut dyn Sink,
    ) -> Option<Stop> {
        for TimedCall { time, turn, call, .. } in calls {
            let stop = simulation.step_to_turn(Instant::ZERO + *time, *turn, sink);
            if stop != Stop::Time || *call == CallKind::Finish {
                return Some(stop);
            }
            // What a call comes to is in the trace.
            let _ = self.make(simulation, call);
        }
        None
    }

    /// Tries the ports that come into question.
    fn listen(
        &mut self,
        simulation: &mut Simulation,
        host: HostId,
        port: Option<u16>,
        options: ListenOptions,
    ) -> Result<Made, Refusal> {
        for tried in self.ports(host, port) {
            match simulation.apply(Command::Call(Call::Listen { host, port: tried, options })) {
                Err(Refusal::Failed(Errno::AddressInUse)) if port.is_none() => {}
                Err(refusal) => return Err(refusal),
                Ok(reply) => {
                    if port.is_none() {
                        self.last_ports.insert(host, tried);
                    }
                    let address = options.address.unwrap_or_else(|| simulation.any_address(host));
                    let local = Some(SocketAddr::new(address, tried));
                    return Ok(Made::Opened { id: opened(&reply), local, peer: None, is_in_progress: false });
                }
            }
        }
        Err(Errno::AddressInUse.into())
    }

    /// The ports to try: that one, or any, those that were given last at the end.
    fn ports(&self, host: HostId, port: Option<u16>) -> Vec<u16> {
        if let Some(port) = port {
            return vec![port];
        }
        let last = self.last_ports.get(&host).copied().unwrap_or(*LOCAL_PORTS.end());
        (last + 1..=*LOCAL_PORTS.end()).chain(*LOCAL_PORTS.start()..=last).collect()
    }
}

/// Opens a connection. On the same host the outcome may be there at once.
fn connect(simulation: &mut Simulation, call: Call) -> Result<Made, Refusal> {
    let id = opened(&simulation.apply(Command::Call(call))?);
    match simulation.apply(Command::Call(Call::FinishConnect(id))) {
        Ok(_) => connection(simulation, id, false),
        Err(Refusal::Failed(Errno::InProgress)) => connection(simulation, id, true),
        Err(refusal) => {
            // Nobody needs it any more, closed or not.
            let _ = simulation.apply(Command::Call(Call::Close(id)));
            Err(refusal)
        }
    }
}

/// A connection that was opened, with its ends.
fn connection(simulation: &mut Simulation, id: SocketId, is_in_progress: bool) -> Result<Made, Refusal> {
    let (local, peer) = match simulation.apply(Command::Call(Call::Status(id))) {
        Ok(Reply::Status(status)) => (Some(status.connection.local), Some(status.connection.remote)),
        Ok(_) | Err(Refusal::Failed(_)) => (None, None),
        Err(refusal) => return Err(refusal),
    };
    Ok(Made::Opened { id, local, peer, is_in_progress })
}

fn done(simulation: &mut Simulation, call: Call) -> Result<Made, Refusal> {
    simulation.apply(Command::Call(call)).map(|_| Made::Done)
}

/// As a system call does, goes on until nothing more is taken.
fn send(
    simulation: &mut Simulation,
    socket: SocketId,
    octets: &Arc<[u8]>,
    flags: SendFlags,
) -> Result<Made, Refusal> {
    let mut sent = 0;
    loop {
        let call = Call::Send { socket, octets: Arc::clone(octets), from: sent, flags };
        match simulation.apply(Command::Call(call)) {
            Ok(Reply::Sent(taken)) => {
                sent += taken;
                // An error is left for the next call.
                if taken == 0 || sent == octets.len() || has_failed(simulation, socket) {
                    return Ok(Made::Sent(sent));
                }
            }
            Err(refusal) if sent == 0 => return Err(refusal),
            Ok(_) | Err(_) => return Ok(Made::Sent(sent)),
        }
    }
}

/// As a system call does, goes on until nothing more is there.
fn receive(simulation: &mut Simulation, socket: SocketId, max: usize) -> Result<Made, Refusal> {
    let mut received = Vec::new();
    while received.len() < max {
        let max_len = max - received.len();
        match simulation.apply(Command::Call(Call::Receive { socket, max_len })) {
            Ok(Reply::Received(mut octets)) => {
                received.append(&mut octets);
                // An error or the end is left for the next call.
                let known = simulation.readiness(socket);
                if known.is_none_or(|known| known.failed || known.peer_closed) {
                    break;
                }
            }
            Ok(Reply::EndOfStream) if received.is_empty() => return Ok(Made::EndOfStream),
            Err(refusal) if received.is_empty() => return Err(refusal),
            Ok(_) | Err(_) => break,
        }
    }
    Ok(Made::Received(received))
}

fn has_failed(simulation: &Simulation, socket: SocketId) -> bool {
    simulation.readiness(socket).is_none_or(|known| known.failed)
}

/// The socket that a reply to an opening call names.
fn opened(reply: &Reply) -> SocketId {
    match reply {
        Reply::Socket(socket) => *socket,
        _ => unreachable!("the call opens a socket"),
    }
}
