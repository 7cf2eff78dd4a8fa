//! What the applications do.

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_tcp::{Errno, KeepaliveSettings};

use super::{HostId, Location, Slot};

/// What one application does: one step after the other, from time 0.
///
/// A step that fails ends the program unless it [says otherwise](Step::failure). A step that has not ended when the run does
/// (but for those that are [endless](Action::is_endless)), or was never begun, keeps the run from passing unless it [may](Step::may_not_happen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Its name; the host's where the text gives none.
    pub name: String,
    /// Where it runs.
    pub host: HostId,
    /// Its connections in the order in which the text opens them, each with the name it has if it has one.
    pub connections: Vec<Option<String>>,
    /// What it does, in order. The steps within [`Action::Repeat`] stand right after it.
    pub steps: Vec<Step>,
}

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What it does.
    pub action: Action,
    /// What it means if it fails.
    pub failure: Failure,
    /// How long it waits at most: then `connect` fails with `EINPROGRESS`, and goes on behind the program's back, and
    /// anything else with `EAGAIN`, as with SO_SNDTIMEO and SO_RCVTIMEO. Of [`Action::Ping`] each waits so long.
    pub timeout: Option<Duration>,
    /// Whether the run may pass without this step being done.
    pub may_not_happen: bool,
    /// Where it stands in the text.
    pub location: Location,
    /// As it is written, on one line: `receive: 1 KiB`.
    pub text: String,
}

/// What it means if a step fails: with an error, or with the end of the stream before all was received.
/// [`Action::Repeat`] fails as the step does that ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Failure {
    /// The program ends, or the innermost repetition around the step that says otherwise.
    #[default]
    EndsProgram,
    /// Nothing: the program goes on, whether it fails or not. Said as `may-fail: true`.
    May,
    /// It must fail with this error, and then the program goes on. That it did not, or failed otherwise, keeps the run
    /// from passing and ends the program. Said as `error: EPIPE`.
    Must(Errno),
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
    },
    /// Waits for a connection and takes it.
    Accept {
        /// The port that an earlier `listen` of the program opened.
        port: u16,
        /// The connection this makes.
        connection: Slot,
    },
    /// Active open; waits for the outcome.
    Connect {
        /// To where. Nobody need have the address.
        to: SocketAddr,
        /// From this port, or any.
        local_port: Option<u16>,
        /// The connection this makes.
        connection: Slot,
    },
    /// Sends, and goes on once the last octet is in the send buffer.
    Send {
        /// On which connection.
        connection: Slot,
        /// What, each time.
        payload: Payload,
        /// How often, at least 1.
        times: u32,
        /// From one time to the next. Zero: as fast as the send buffer takes it.
        every: Duration,
    },
    /// Receives.
    Receive {
        /// On which connection.
        connection: Slot,
        /// Until when.
        amount: Amount,
    },
    /// A heartbeat of the application: sends some octets and receives as many.
    Ping {
        /// On which connection.
        connection: Slot,
        /// How many octets go each way, at least 1.
        octets: u64,
        /// How often, at least 1; `None` is for ever.
        times: Option<u32>,
        /// At least so long from the start of one to the start of the next.
        every: Duration,
    },
    /// Does the steps right after it again and again.
    Repeat {
        /// How many of them are its own, at least 1; those within a repetition among them included.
        body: usize,
        /// How often, at least 1; `None` is for ever.
        times: Option<u32>,
        /// At least so long from the start of one round to the start of the next.
        every: Duration,
    },
    /// Does nothing for so long.
    Wait(Duration),
    /// Does nothing until then, counted from the start of the run. Over at once if that time is past.
    WaitUntil(Duration),
    /// Does nothing for ever and keeps every connection. Always the last step.
    Hold,
    /// Half-close: will send no more.
    ShutdownWrite {
        /// On which connection.
        connection: Slot,
    },
    /// Will receive no more: what comes is acknowledged, and reading ends once nothing is left to read.
    ShutdownRead {
        /// On which connection.
        connection: Slot,
    },
    /// Is done with the connection.
    Close {
        /// Which.
        connection: Slot,
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
    /// How many connections may wait for `accept` when the text does not say (Linux `somaxconn`).
    pub const DEFAULT_BACKLOG: u32 = 4096;

    /// The word for it in scenarios, and the call it makes: `connect`.
    pub const fn name(&self) -> &'static str {
        match self {
            Action::Listen { .. } => "listen",
            Action::Accept { .. } => "accept",
            Action::Connect { .. } => "connect",
            Action::Send { .. } => "send",
            Action::Receive { .. } => "receive",
            Action::Ping { .. } => "ping",
            Action::Repeat { .. } => "repeat",
            Action::Wait(_) => "wait",
            Action::WaitUntil(_) => "wait-until",
            Action::Hold => "hold",
            Action::ShutdownWrite { .. } | Action::ShutdownRead { .. } => "shutdown",
            Action::Close { .. } => "close",
            Action::Abort { .. } => "abort",
            Action::Set { .. } => "set",
        }
    }

    /// Whether it goes on until something fails, or the run ends.
    pub const fn is_endless(&self) -> bool {
        matches!(self, Action::Hold | Action::Ping { times: None, .. } | Action::Repeat { times: None, .. })
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// So many octets, at least 1; which, the run chooses, and checks that they arrive.
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
    /// Exactly so many octets, at least 1. End of stream before that is a failure.
    Octets(u64),
    /// Whatever comes next: some octets, or the end of the stream.
    Next,
    /// Everything until the end of the stream. An error ends it just as well: it is reported, the step is done and
    /// the program goes on.
    End,
}

/// Options of a socket; `None` leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SocketOptions {
    /// SO_KEEPALIVE with its numbers; `Some(None)` switches it off.
    pub keepalive: Option<Option<KeepaliveSettings>>,
    /// TCP_NODELAY.
    pub nodelay: Option<bool>,
    /// TCP_USER_TIMEOUT; `Some(None)` switches it off.
    pub user_timeout: Option<Option<Duration>>,
    /// SO_LINGER; zero makes `close` reset the connection, any other time makes it wait so long until all that was sent is
    /// acknowledged, `Some(None)` switches it off.
    pub linger: Option<Option<Duration>>,
    /// SO_RCVBUF: room for received data, octets.
    pub receive_buffer: Option<u32>,
    /// SO_SNDBUF: room for data that is not acknowledged, octets.
    pub send_buffer: Option<u32>,
}
