//! Calls: what somebody outside did to a run, call by call, as in a session.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use halfopen_tcp::{SendFlags, SocketOptions};

use super::{Fault, HostId, Location};

/// What somebody outside does, in the order of time. Hosts on which calls are made run no programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// The names of the sockets that calls open. A [`Socket`] is an index into it.
    pub sockets: Vec<String>,
    /// The calls.
    pub list: Vec<TimedCall>,
}

/// Identifies a socket that a call opens: its index in [`Calls::sockets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Socket(pub usize);

/// A call, and when it is made. It takes no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedCall {
    /// The time of the run.
    pub time: Duration,
    /// How much of that instant has happened before the call: each beginning and end of a round and each turn of a host counts
    /// one. With zero, nothing has; with more than happens, everything.
    pub turn: u32,
    /// What is called.
    pub call: CallKind,
    /// Its place in the text.
    pub location: Location,
    /// Its text, on one line.
    pub text: String,
}

/// A call of an application (RFC 9293 §3.9.1) on a non-blocking socket, or something that is done to the run. A call that would block
/// fails with `EAGAIN`, and no failure ends anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// Passive open.
    Listen {
        /// On which host.
        host: HostId,
        /// The port; `None` is any that is free.
        port: Option<u16>,
        /// The address; `None`: every one of the host.
        address: Option<IpAddr>,
        /// How many established connections may wait for `accept`.
        backlog: u32,
        /// SO_REUSEADDR: see [`Action::Listen`](super::Action::Listen).
        reuse_address: bool,
        /// The options that its connections inherit.
        options: SocketOptions,
        /// The socket that this opens, if anything is to be done with it.
        socket: Option<Socket>,
    },
    /// Active open. The outcome is known later, unless the peer is on the same host.
    Connect {
        /// On which host.
        host: HostId,
        /// Where to. No host needs to have the address.
        to: SocketAddr,
        /// The local address; `None`: the first that the host has of the family.
        from: Option<IpAddr>,
        /// The local port; `None` is any.
        local_port: Option<u16>,
        /// The options that are set before the SYN is sent.
        options: SocketOptions,
        /// The socket that this opens, if anything is to be done with it.
        socket: Option<Socket>,
    },
    /// Takes the outcome of an active open, as SO_ERROR tells it.
    FinishConnect(Socket),
    /// Takes the oldest established connection of a listening socket.
    Accept {
        /// The listening socket.
        listener: Socket,
        /// The socket that this opens, if anything is to be done with it.
        socket: Option<Socket>,
    },
    /// Sends as much as the send buffer takes.
    Send {
        /// On which socket.
        socket: Socket,
        /// What.
        octets: Arc<[u8]>,
        /// How.
        flags: SendFlags,
    },
    /// Receives what has arrived.
    Receive {
        /// On which socket.
        socket: Socket,
        /// How many octets at most.
        max: u32,
    },
    /// Half-close: nothing more is sent (`SHUT_WR`).
    ShutdownWrite(Socket),
    /// Nothing more is received (`SHUT_RD`).
    ShutdownRead(Socket),
    /// Closes the socket.
    Close(Socket),
    /// Resets the connection and closes the socket.
    Abort(Socket),
    /// Sets socket options.
    Set {
        /// Of which socket.
        socket: Socket,
        /// The options.
        options: SocketOptions,
    },
    /// Asks what the host's TCP knows of the socket (STATUS of RFC 9293 §3.9.1.6).
    Status(Socket),
    /// Adds a fault. Its number follows those of the scenario's faults and of the faults that were added before.
    AddFault(Box<Fault>),
    /// Lifts the fault of this index.
    LiftFault(usize),
    /// Ends the run here. Always the last call.
    Finish,
}

impl Calls {
    /// The faults that they add, in order.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.list.iter().filter_map(|call| match &call.call {
            CallKind::AddFault(fault) => Some(&**fault),
            _ => None,
        })
    }
}

impl CallKind {
    /// The word for it in scenarios.
    pub const fn name(&self) -> &'static str {
        match self {
            CallKind::Listen { .. } => "listen",
            CallKind::Connect { .. } => "connect",
            CallKind::FinishConnect(_) => "finish-connect",
            CallKind::Accept { .. } => "accept",
            CallKind::Send { .. } => "send",
            CallKind::Receive { .. } => "receive",
            CallKind::ShutdownWrite(_) | CallKind::ShutdownRead(_) => "shutdown",
            CallKind::Close(_) => "close",
            CallKind::Abort(_) => "abort",
            CallKind::Set { .. } => "set",
            CallKind::Status(_) => "status",
            CallKind::AddFault(_) => "fault",
            CallKind::LiftFault(_) => "lift",
            CallKind::Finish => "finish",
        }
    }

    /// The socket that it is made on; `None` if it needs none.
    pub const fn on(&self) -> Option<Socket> {
        match self {
            CallKind::FinishConnect(socket)
            | CallKind::Accept { listener: socket, .. }
            | CallKind::Send { socket, .. }
            | CallKind::Receive { socket, .. }
            | CallKind::ShutdownWrite(socket)
            | CallKind::ShutdownRead(socket)
            | CallKind::Close(socket)
            | CallKind::Abort(socket)
            | CallKind::Set { socket, .. }
            | CallKind::Status(socket) => Some(*socket),
            CallKind::Listen { .. }
            | CallKind::Connect { .. }
            | CallKind::AddFault(_)
            | CallKind::LiftFault(_)
            | CallKind::Finish => None,
        }
    }

    /// The same call, if it opens no socket.
    #[must_use]
    pub fn opening_nothing(mut self) -> CallKind {
        if let CallKind::Listen { socket, .. }
        | CallKind::Connect { socket, .. }
        | CallKind::Accept { socket, .. } = &mut self
        {
            *socket = None;
        }
        self
    }

    /// The socket that it opens.
    pub const fn opens(&self) -> Option<Socket> {
        match self {
            CallKind::Listen { socket, .. }
            | CallKind::Connect { socket, .. }
            | CallKind::Accept { socket, .. } => *socket,
            _ => None,
        }
    }
}
