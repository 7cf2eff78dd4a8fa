//! What somebody outside does to a run: faults, and calls of a host's application.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use halfopen_scenario::{ConnectionRef, Fault, Limits, Socket};
use halfopen_tcp::{ConnectionStatus, Errno, ListenOptions, SendFlags, SocketOptions, TcpInfo};
use halfopen_trace::{ConnectionNumber, FaultId, HostId, MiddleboxId};
use thiserror::Error;

/// Something that is done to a run. It takes no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Adds a fault, from now on: it counts only segments that are sent from now on, and what was to happen before happens
    /// now. It takes effect before anything else that is still to happen at this time.
    AddFault(Box<Fault>),
    /// Lifts a fault: it does nothing from now on, and what it does to a host or the network ends. It takes effect as
    /// [`AddFault`](Command::AddFault) does.
    LiftFault(FaultId),
    /// An application makes a call.
    Call(Call),
}

/// A call of an application (RFC 9293 §3.9.1) on a non-blocking socket: one that would block fails with `EAGAIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Passive open. Replies with the socket.
    Listen {
        /// Where.
        host: HostId,
        /// The port.
        port: u16,
        /// On which address, with which backlog, and what its connections inherit.
        options: ListenOptions,
    },
    /// Active open. Replies with the socket, which is [writable](halfopen_tcp::Readiness::writable) once the outcome is
    /// known.
    Connect {
        /// From where.
        host: HostId,
        /// To where. Nobody need have the address.
        to: SocketAddr,
        /// From this address, or the first that the host has of the family.
        from: Option<IpAddr>,
        /// From this port, or any.
        local_port: Option<u16>,
        /// The options that are set before the SYN is sent.
        options: SocketOptions,
    },
    /// Takes the outcome of an active open; fails with `EINPROGRESS` while there is none.
    FinishConnect(SocketId),
    /// Takes the oldest established connection of a listening socket. Replies with its socket.
    Accept(SocketId),
    /// Queues octets. Replies with how many the send buffer took.
    Send {
        /// On which socket.
        socket: SocketId,
        /// What.
        octets: Arc<[u8]>,
        /// How many of them were sent before.
        from: usize,
        /// How.
        flags: SendFlags,
    },
    /// Takes received octets. Replies with them, or with the end of the stream.
    Receive {
        /// On which socket.
        socket: SocketId,
        /// How many octets at most; no more than 64 KiB come at once.
        max_len: usize,
    },
    /// Half-close: will send no more (`SHUT_WR`).
    ShutdownWrite(SocketId),
    /// Will receive no more (`SHUT_RD`).
    ShutdownRead(SocketId),
    /// Closes the socket.
    Close(SocketId),
    /// Resets the connection and closes the socket.
    Abort(SocketId),
    /// Sets options of a connection.
    SetOptions(SocketId, SocketOptions),
    /// Replies with the status of a connection.
    Status(SocketId),
}

impl Call {
    /// The host whose application makes it.
    pub fn host(&self) -> HostId {
        self.place().0
    }

    /// The socket that it is made on; `None` if it needs none.
    pub fn socket(&self) -> Option<SocketId> {
        self.place().1
    }

    /// Refuses values that no scenario could have.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        match self {
            Call::Listen { port, options, .. } => {
                require("a port is 1 to 65535", *port > 0)?;
                check_options(&options.options)
            }
            Call::Connect { to, local_port, options, .. } => {
                require("a port is 1 to 65535", to.port() > 0 && *local_port != Some(0))?;
                check_options(options)
            }
            Call::SetOptions(_, options) => {
                check_options(options)?;
                require("the connection has agreed on its segments already", options.mss.is_none())
            }
            Call::FinishConnect(_)
            | Call::Accept(_)
            | Call::Send { .. }
            | Call::Receive { .. }
            | Call::ShutdownWrite(_)
            | Call::ShutdownRead(_)
            | Call::Close(_)
            | Call::Abort(_)
            | Call::Status(_) => Ok(()),
        }
    }

    fn place(&self) -> (HostId, Option<SocketId>) {
        match self {
            Call::Listen { host, .. } | Call::Connect { host, .. } => (*host, None),
            Call::FinishConnect(socket)
            | Call::Accept(socket)
            | Call::Send { socket, .. }
            | Call::Receive { socket, .. }
            | Call::ShutdownWrite(socket)
            | Call::ShutdownRead(socket)
            | Call::Close(socket)
            | Call::Abort(socket)
            | Call::SetOptions(socket, _)
            | Call::Status(socket) => (socket.host, Some(*socket)),
        }
    }
}

/// Options that a scenario could set.
fn check_options(options: &SocketOptions) -> Result<(), Refusal> {
    let SocketOptions {
        keepalive,
        nodelay: _,
        cork: _,
        user_timeout,
        linger: _,
        receive_buffer,
        send_buffer,
        notsent_lowat,
        mss,
    } = options;
    if let Some(keepalive) = keepalive.flatten() {
        require("the idle time of keepalive must be greater than zero", !keepalive.idle.is_zero())?;
        require("the interval of keepalive must be greater than zero", !keepalive.interval.is_zero())?;
        require("keepalive needs at least one probe", keepalive.probes > 0)?;
    }
    require(
        "the user timeout must be greater than zero",
        user_timeout.flatten().is_none_or(|timeout| !timeout.is_zero()),
    )?;
    let is_buffer = |size: u32| (Limits::MIN_BUFFER..=Limits::MAX_BUFFER).contains(&size);
    require("a receive buffer is 256 B to 1 GiB", receive_buffer.is_none_or(is_buffer))?;
    require("a send buffer is 256 B to 1 GiB", send_buffer.is_none_or(is_buffer))?;
    require("the low-water mark must be greater than zero", *notsent_lowat != Some(Some(0)))?;
    require("an MSS is at least 48 B", mss.is_none_or(|mss| mss >= Limits::MIN_MSS))
}

fn require(rule: &'static str, is_met: bool) -> Result<(), Refusal> {
    if is_met { Ok(()) } else { Err(Refusal::Invalid(rule)) }
}

/// A socket of an application outside: a listening one, or one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId {
    /// The host that it is on.
    pub host: HostId,
    /// Its number on that host, from 1 in the order of opening. None is given twice in a run.
    pub number: u32,
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket {} of host {}", self.number, self.host.0)
    }
}

/// What a command replies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It is done.
    Done,
    /// The fault that was added.
    Fault(FaultId),
    /// The socket that was opened.
    Socket(SocketId),
    /// How many octets the send buffer took.
    Sent(usize),
    /// What was received; empty only if nothing was asked for.
    Received(Vec<u8>),
    /// The peer will send no more.
    EndOfStream,
    /// What the host's TCP knows of a connection.
    Status(Box<SocketStatus>),
}

/// What a host's TCP knows of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketStatus {
    /// Its number in the trace, if any event is about it.
    pub number: Option<ConnectionNumber>,
    /// At a glance.
    pub connection: ConnectionStatus,
    /// What TCP_INFO says.
    pub info: TcpInfo,
}

/// Why a command is refused. It has no effect then, but what was due on the host before the call has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The run is over.
    #[error("the run is over")]
    Over,
    /// The scenario has no such host.
    #[error("the scenario has no host {}", .0.0)]
    UnknownHost(HostId),
    /// The scenario has no such middlebox.
    #[error("the scenario has no middlebox {}", .0.0)]
    UnknownMiddlebox(MiddleboxId),
    /// The scenario has no such connection.
    #[error("the scenario has no connection {} in its program {}", .0.connection.0, .0.program)]
    UnknownConnection(ConnectionRef),
    /// The run has as many faults as it may have.
    #[error("a run has at most {} faults", halfopen_scenario::Limits::MAX_FAULTS)]
    TooManyFaults,
    /// The run has no such fault.
    #[error("the run has no fault {}", u64::from(.0.0) + 1)]
    UnknownFault(FaultId),
    /// The fault is over: nothing of it is left to lift.
    #[error("fault {} is over", u64::from(.0.0) + 1)]
    FaultOver(FaultId),
    /// A value that no scenario can have.
    #[error("{0}")]
    Invalid(&'static str),
    /// The scenario's programs are the host's application.
    #[error("host {} runs programs of the scenario; make calls on a host without programs", .0.0)]
    HasPrograms(HostId),
    /// The host has no TCP.
    #[error("host {} has no TCP; add faults that inject what it sends", .0.0)]
    NoTcp(HostId),
    /// The host is off.
    #[error("host {} is down", .0.0)]
    HostDown(HostId),
    /// The host is paused.
    #[error("host {} is paused", .0.0)]
    HostPaused(HostId),
    /// The processes of the host are frozen.
    #[error("the processes of host {} are frozen", .0.0)]
    HostFrozen(HostId),
    /// The processes of the host were killed; new ones start if the fault says when, or when the host reboots.
    #[error("the processes of host {} were killed", .0.0)]
    ProcessKilled(HostId),
    /// There is no such socket, or no more: it was closed, its process was killed, or its host lost power.
    #[error("there is no {0}")]
    UnknownSocket(SocketId),
    /// The call that was to open the socket has failed.
    #[error("socket {} was not opened", .0.0 + 1)]
    NotOpened(Socket),
    /// Only a listening socket takes the call.
    #[error("{0} is not listening")]
    NotListening(SocketId),
    /// Only the socket of a connection takes the call.
    #[error("{0} is listening")]
    Listening(SocketId),
    /// The call failed.
    #[error(transparent)]
    Failed(#[from] Errno),
}
