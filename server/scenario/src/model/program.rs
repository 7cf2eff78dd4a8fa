//! Programs: what the applications do.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use halfopen_tcp::{Readiness, SendFlags, SocketOptions};

use super::{ConnectionRef, Errors, HostId, Location, Slot};

/// What one application does: its steps in sequence, from time 0.
///
/// A program is a process: when it ends, after its last step or because it is killed, its kernel closes its sockets. A step
/// that fails ends the program unless it [says otherwise](Step::failure). The run does not pass if a step was never
/// begun, or was not completed by the end of the run, unless the step is [endless](Action::is_endless) or
/// [may not happen](Step::may_not_happen), a fault has killed the program, or it waits for a peer whose host has lost
/// power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name; the host's if the text gives none.
    pub name: String,
    /// Where it runs.
    pub host: HostId,
    /// The names of the connections that it opens, if they have any, in the order in which the text opens them.
    pub connections: Vec<Option<String>>,
    /// Connections that other programs of the host open, and this one uses too. Their [`Slot`]s follow those of its own. A
    /// connection that several programs use is closed when the last of them ends, or when one of them closes it.
    pub shared: Vec<ConnectionRef>,
    /// What it does, in order. The steps within [`Action::Repeat`] follow it immediately.
    pub steps: Vec<Step>,
}

impl Program {
    /// The connection of another program that a slot stands for; `None`: it is one of its own.
    pub fn shared(&self, Slot(connection): Slot) -> Option<ConnectionRef> {
        self.shared.get(connection.checked_sub(self.connections.len())?).copied()
    }
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// What it means if it fails.
    pub failure: Failure,
    /// The longest time it may wait. After that it fails with `EAGAIN`, or `connect` with `EINPROGRESS` while the attempt
    /// continues, as with SO_SNDTIMEO and SO_RCVTIMEO. Zero: one call that does not block. For [`Action::Ping`] it applies to
    /// each heartbeat.
    pub timeout: Option<Duration>,
    /// Whether the run may pass if this step is not completed.
    pub may_not_happen: bool,
    /// Its place in the text.
    pub location: Location,
    /// Its text, on one line: `receive: 1 KiB`.
    pub text: String,
}

/// What it means if a step fails: with an error, or because the stream ended before everything was received.
/// [`Action::Repeat`] fails if a step in it fails and ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// The program ends, or the innermost repetition around the step whose failure means something else.
    #[default]
    EndsProgram,
    /// Nothing: the program continues, whether the step fails or not. Written as `may-fail: on`.
    May,
    /// It must fail with one of these errors, and the program then continues. If it succeeds or fails otherwise, the
    /// program ends and the run does not pass. Written as `error: EPIPE`.
    Must(Errors),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Passive open on every address of the host.
    Listen {
        /// The port.
        port: u16,
        /// How many established connections may wait for `accept`.
        backlog: u32,
        /// SO_REUSEADDR: whether the port may be that of earlier connections, such as those in TIME-WAIT. Otherwise it
        /// fails with EADDRINUSE until the kernel has forgotten them.
        reuse_address: bool,
        /// The options that its connections inherit.
        options: SocketOptions,
    },
    /// Waits for a connection and accepts it.
    Accept {
        /// The port that an earlier `listen` of the program opened.
        port: u16,
        /// The connection this makes.
        connection: Slot,
    },
    /// Active open; waits for the outcome.
    Connect {
        /// Where to. No host needs to have the address.
        to: SocketAddr,
        /// The local address; `None`: the first that the host has of the family.
        from: Option<IpAddr>,
        /// The local port; `None` is any.
        local_port: Option<u16>,
        /// The options that are set before the SYN is sent.
        options: SocketOptions,
        /// The connection this makes.
        connection: Slot,
    },
    /// Sends, and is completed once the last octet is in the send buffer.
    Send {
        /// On which connection.
        connection: Slot,
        /// What is sent each time.
        payload: Payload,
        /// How many times, at least 1.
        times: u32,
        /// The time from one transmission to the next. Zero: as fast as the send buffer permits.
        every: Duration,
        /// The flags of each.
        flags: SendFlags,
    },
    /// Receives.
    Receive {
        /// On which connection.
        connection: Slot,
        /// How much.
        amount: Amount,
    },
    /// Waits until one of these events is there, or an error, or both directions are closed (`poll`).
    Poll {
        /// On which connection.
        connection: Slot,
        /// For what, at least one.
        events: Vec<PollEvent>,
    },
    /// Heartbeats of the application: each sends some octets and receives as many.
    Ping {
        /// On which connection.
        connection: Slot,
        /// How many octets go each way, at least 1.
        octets: u64,
        /// How many times, at least 1; `None` is without end.
        times: Option<u32>,
        /// The least time from the start of one to the start of the next.
        every: Duration,
    },
    /// Passes on what arrives on one connection to the other, both ways, until both streams have ended; then it closes
    /// both. It does not read from one before the other takes what it has read.
    Relay {
        /// The connections.
        connections: [Slot; 2],
        /// What the end of one stream means.
        half_close: OnEnd,
        /// What an error of one connection means, such as a reset.
        reset: OnEnd,
        /// How long nothing may be passed on before it closes both; `None` is forever.
        idle: Option<Duration>,
    },
    /// Repeats the steps that follow it.
    Repeat {
        /// How many steps are within it, at least 1, including those within a nested repetition.
        body: usize,
        /// How many times, at least 1; `None` is without end.
        times: Option<u32>,
        /// The least time from the start of one round to the start of the next.
        every: Duration,
    },
    /// Waits this long.
    Wait(Duration),
    /// Waits until this time since the start of the run; completed at once if it is past.
    WaitUntil(Duration),
    /// Waits forever and keeps every connection. Always the last step.
    Hold,
    /// Half-closes the connection: nothing more is sent.
    ShutdownWrite {
        /// On which connection.
        connection: Slot,
    },
    /// Stops receiving: what arrives is still acknowledged, and reading ends once nothing is left to read.
    ShutdownRead {
        /// On which connection.
        connection: Slot,
    },
    /// Closes the connection.
    Close {
        /// Which.
        connection: Slot,
    },
    /// Closes a listener. Connections that were not accepted are reset.
    CloseListener {
        /// The port that an earlier `listen` of the program opened.
        port: u16,
    },
    /// Resets the connection.
    Abort {
        /// Which.
        connection: Slot,
    },
    /// Sets socket options.
    Set {
        /// Of which connection.
        connection: Slot,
        /// The options; at least one.
        options: SocketOptions,
    },
}

impl Action {
    /// How many connections may wait for `accept` by default (Linux `somaxconn`).
    pub const DEFAULT_BACKLOG: u32 = 4096;

    /// The word for it in scenarios, and the call it makes: `connect`.
    pub const fn name(&self) -> &'static str {
        match self {
            Action::Listen { .. } => "listen",
            Action::Accept { .. } => "accept",
            Action::Connect { .. } => "connect",
            Action::Send { .. } => "send",
            Action::Receive { .. } => "receive",
            Action::Poll { .. } => "poll",
            Action::Ping { .. } => "ping",
            Action::Relay { .. } => "relay",
            Action::Repeat { .. } => "repeat",
            Action::Wait(_) => "wait",
            Action::WaitUntil(_) => "wait-until",
            Action::Hold => "hold",
            Action::ShutdownWrite { .. } | Action::ShutdownRead { .. } => "shutdown",
            Action::Close { .. } | Action::CloseListener { .. } => "close",
            Action::Abort { .. } => "abort",
            Action::Set { .. } => "set",
        }
    }

    /// The connections that it is about, if it needs some that are open.
    pub fn connections(&self) -> impl Iterator<Item = Slot> {
        let [one, other] = match self {
            Action::Send { connection, .. }
            | Action::Receive { connection, .. }
            | Action::Poll { connection, .. }
            | Action::Ping { connection, .. }
            | Action::ShutdownWrite { connection }
            | Action::ShutdownRead { connection }
            | Action::Close { connection }
            | Action::Abort { connection }
            | Action::Set { connection, .. } => [Some(*connection), None],
            Action::Relay { connections, .. } => connections.map(Some),
            Action::Listen { .. }
            | Action::Accept { .. }
            | Action::Connect { .. }
            | Action::Repeat { .. }
            | Action::Wait(_)
            | Action::WaitUntil(_)
            | Action::Hold
            | Action::CloseListener { .. } => [None, None],
        };
        one.into_iter().chain(other)
    }

    /// Whether it continues until something fails or the run ends.
    pub const fn is_endless(&self) -> bool {
        matches!(self, Action::Hold | Action::Ping { times: None, .. } | Action::Repeat { times: None, .. })
    }
}

/// What a relay does when one of its connections ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEnd {
    /// It does the same to the other: half-closes it, or resets it.
    Passed,
    /// It closes both.
    ClosesBoth,
}

impl OnEnd {
    /// Every choice.
    pub const ALL: [OnEnd; 2] = [OnEnd::Passed, OnEnd::ClosesBoth];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            OnEnd::Passed => "passed",
            OnEnd::ClosesBoth => "closes-both",
        }
    }
}

/// What `poll` may wait for, by its name in POSIX and Linux (poll(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PollEvent {
    /// POLLIN: there is something to read, or the end of the stream.
    In,
    /// POLLOUT: there is room to write.
    Out,
    /// POLLRDHUP: the peer has closed.
    ReadHup,
    /// POLLHUP: both directions are closed.
    Hup,
    /// POLLERR: the connection has an error.
    Err,
}

impl PollEvent {
    /// All of them.
    pub const ALL: [PollEvent; 5] =
        [PollEvent::In, PollEvent::Out, PollEvent::ReadHup, PollEvent::Hup, PollEvent::Err];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            PollEvent::In => "POLLIN",
            PollEvent::Out => "POLLOUT",
            PollEvent::ReadHup => "POLLRDHUP",
            PollEvent::Hup => "POLLHUP",
            PollEvent::Err => "POLLERR",
        }
    }

    /// Whether it is there.
    pub const fn is_in(self, readiness: Readiness) -> bool {
        match self {
            PollEvent::In => readiness.readable,
            PollEvent::Out => readiness.writable,
            PollEvent::ReadHup => readiness.peer_closed,
            PollEvent::Hup => readiness.hung_up,
            PollEvent::Err => readiness.failed,
        }
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// This many octets, at least 1. The run chooses their content and checks that it arrives.
    Octets(u64),
    /// This text in UTF-8, not empty.
    Text(String),
}

impl Payload {
    /// How many octets.
    pub fn octets(&self) -> u64 {
        match self {
            Payload::Octets(octets) => *octets,
            Payload::Text(text) => text.len() as u64,
        }
    }
}

/// How much is received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Exactly this many octets, at least 1. It fails if the stream ends before that.
    Octets(u64),
    /// Whatever arrives next: some octets, or the end of the stream.
    Next,
    /// Everything until the end of the stream or an error. An error is reported and completes the step, and the program
    /// continues.
    End,
}
