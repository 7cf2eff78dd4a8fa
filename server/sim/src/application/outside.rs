//! An application that is somebody outside: it makes the calls that come over the host's line.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use halfopen_scenario::Scenario;
use halfopen_tcp::{ConnectionId, Errno, Instant, ListenerId, Readiness, Received};

use super::{Application, Context, Opened, Process, Socket, Turn};
use crate::command::{Call, Refusal, Reply, SocketId, SocketStatus};

/// The sockets of somebody outside in one of the host's lives.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    sockets: BTreeMap<SocketId, Socket>,
    by_connection: BTreeMap<ConnectionId, SocketId>,
    /// Sockets on which other calls than before may do something.
    changed: BTreeSet<SocketId>,
    killed: bool,
}

impl Application for Outside {
    fn connection_changed(&mut self, connection: ConnectionId) {
        self.changed.extend(self.by_connection.get(&connection));
    }

    fn listeners_changed(&mut self) {
        let listeners = self.sockets.iter().filter(|(_, socket)| matches!(socket, Socket::Listener(_)));
        self.changed.extend(listeners.map(|(id, _)| *id));
    }

    fn time_passed(&mut self, _now: Instant) {}

    fn turn(&mut self, context: &mut Context<'_>) -> Option<Turn> {
        let Some(call) = context.line.take_call() else {
            self.tell_readiness(context);
            return None;
        };
        let mut turn = Turn::default();
        let reply = self.make(&call, context, &mut turn);
        context.line.answer(reply);
        Some(turn)
    }

    fn next_time(&self) -> Option<Instant> {
        None
    }

    fn kill(&mut self, _process: Process) -> Vec<Socket> {
        let killed = std::mem::replace(self, Outside { killed: true, ..Outside::default() });
        killed.sockets.into_values().collect()
    }

    fn start(&mut self, _scenario: &Scenario, _process: Process) {
        self.killed = false;
    }
}

impl Outside {
    /// Makes a call.
    fn make(&mut self, call: &Call, context: &mut Context<'_>, turn: &mut Turn) -> Result<Reply, Refusal> {
        if self.killed {
            return Err(Refusal::ProcessKilled(context.host));
        }
        let now = context.now;
        match call {
            Call::Listen { port, options, .. } => {
                let listener = context.endpoint.listen_with(now, *port, *options)?;
                Ok(Reply::Socket(self.open(Socket::Listener(listener), context)))
            }
            Call::Connect { to, from, local_port, options, .. } => {
                let connection = context.connect(*to, *from, *local_port)?;
                context.set_options(connection, options);
                Ok(Reply::Socket(self.open_connection(connection, context, turn)))
            }
            Call::Accept(socket) => {
                let listener = self.listener(*socket)?;
                self.changed.insert(*socket);
                let connection = context.endpoint.accept(listener).ok_or(Errno::Again)?;
                Ok(Reply::Socket(self.open_connection(connection, context, turn)))
            }
            Call::Close(socket) => {
                match self.socket(*socket)? {
                    Socket::Listener(listener) => context.endpoint.close_listener(now, listener),
                    Socket::Connection(connection) => context.endpoint.close(now, connection),
                }
                self.close(*socket, context);
                Ok(Reply::Done)
            }
            Call::Abort(socket) => {
                let connection = self.connection(*socket)?;
                context.endpoint.abort(now, connection);
                self.close(*socket, context);
                Ok(Reply::Done)
            }
            Call::FinishConnect(socket)
            | Call::Send { socket, .. }
            | Call::Receive { socket, .. }
            | Call::ShutdownWrite(socket)
            | Call::ShutdownRead(socket)
            | Call::SetOptions(socket, _)
            | Call::Status(socket) => {
                let connection = self.connection(*socket)?;
                self.changed.insert(*socket);
                turn.connection = Some(connection);
                let reply = make_on(connection, call, context);
                turn.returned = match &reply {
                    Ok(Reply::EndOfStream) => context.first_end_of_stream(connection),
                    Err(Refusal::Failed(errno)) => context.returned_error(connection, *errno),
                    Ok(_) | Err(_) => None,
                };
                reply
            }
        }
    }

    fn socket(&self, id: SocketId) -> Result<Socket, Refusal> {
        self.sockets.get(&id).copied().ok_or(Refusal::UnknownSocket(id))
    }

    fn listener(&self, id: SocketId) -> Result<ListenerId, Refusal> {
        match self.socket(id)? {
            Socket::Listener(listener) => Ok(listener),
            Socket::Connection(_) => Err(Refusal::NotListening(id)),
        }
    }

    fn connection(&self, id: SocketId) -> Result<ConnectionId, Refusal> {
        match self.socket(id)? {
            Socket::Listener(_) => Err(Refusal::Listening(id)),
            Socket::Connection(connection) => Ok(connection),
        }
    }

    fn open(&mut self, socket: Socket, context: &Context<'_>) -> SocketId {
        let id = context.line.open(context.host);
        self.sockets.insert(id, socket);
        self.changed.insert(id);
        id
    }

    fn open_connection(&mut self, id: ConnectionId, context: &Context<'_>, turn: &mut Turn) -> SocketId {
        turn.connection = Some(id);
        let socket = self.open(Socket::Connection(id), context);
        turn.opened = Some(Opened::ByOutside { socket: socket.number });
        self.by_connection.insert(id, socket);
        socket
    }

    fn close(&mut self, id: SocketId, context: &Context<'_>) {
        if let Some(Socket::Connection(connection)) = self.sockets.remove(&id) {
            self.by_connection.remove(&connection);
        }
        self.changed.remove(&id);
        context.line.close(id);
    }

    /// Says on the line what calls would find.
    fn tell_readiness(&mut self, context: &Context<'_>) {
        while let Some(id) = self.changed.pop_first() {
            let readiness = match self.sockets.get(&id) {
                Some(Socket::Listener(listener)) => {
                    let readable = context.endpoint.is_acceptable(*listener);
                    Readiness { readable, ..Readiness::default() }
                }
                Some(Socket::Connection(connection)) => context.endpoint.readiness(*connection),
                None => continue,
            };
            context.line.update(id, readiness);
        }
    }
}

/// Makes a call on an open connection.
fn make_on(id: ConnectionId, call: &Call, context: &mut Context<'_>) -> Result<Reply, Refusal> {
    let now = context.now;
    match call {
        Call::FinishConnect(_) => match context.endpoint.connected(id) {
            Poll::Ready(outcome) => outcome?,
            Poll::Pending => return Err(Errno::InProgress.into()),
        },
        Call::Send { octets, from, flags, .. } => {
            let octets = octets.get(*from..).unwrap_or_default();
            let sent = context.write_own(id, octets, *flags)? as usize;
            let blocks = sent == 0 && !octets.is_empty();
            return if blocks { Err(Errno::Again.into()) } else { Ok(Reply::Sent(sent)) };
        }
        Call::Receive { max_len: 0, .. } => return Ok(Reply::Received(Vec::new())),
        Call::Receive { max_len, .. } => {
            return match context.read(id, *max_len as u64)? {
                Received::Octets(octets) => Ok(Reply::Received(context.data[..octets].to_vec())),
                Received::End => Ok(Reply::EndOfStream),
                Received::Nothing => Err(Errno::Again.into()),
            };
        }
        Call::ShutdownWrite(_) => context.endpoint.shutdown(now, id)?,
        Call::ShutdownRead(_) => context.endpoint.shutdown_read(now, id)?,
        Call::SetOptions(_, options) => {
            context.set_options(id, options);
        }
        Call::Status(_) => {
            let number = context.ends.get(&id).map(|end| end.number);
            let known = context.endpoint.status(id).zip(context.endpoint.info(now, id));
            let status = known.map(|(connection, info)| SocketStatus { number, connection, info });
            return status.map(|status| Reply::Status(Box::new(status))).ok_or(Errno::NotConnected.into());
        }
        Call::Listen { .. } | Call::Connect { .. } | Call::Accept(_) | Call::Close(_) | Call::Abort(_) => {
            unreachable!("not about a connection that stays open")
        }
    }
    Ok(Reply::Done)
}
