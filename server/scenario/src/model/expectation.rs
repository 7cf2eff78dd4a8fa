//! Expectations: what must be true of a run.

use std::num::NonZeroU32;
use std::time::Duration;

use halfopen_tcp::State;

use super::{Errors, HostId, InfoField, InfoMatch, Location, Match, Slot};

/// Something that must be true of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub claim: Claim,
    /// When the claim must be decided; `None` is at any time. It is decided by the last transition of a path, the
    /// transition into the last state, keepalive's outcome, the call that returned the error or the end of the stream,
    /// the octet that completes what is received, or the last of the segments. A claim about all of a host's connections must be decided in time for each of them.
    /// [`HostClaim::Never`] has no such time. A claim that nothing decided does not hold at any time.
    pub at: Option<Window>,
    /// Its place in the text.
    pub location: Location,
    /// Its text, on one line: `server: {error: ETIMEDOUT}`.
    pub text: String,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// About a host.
    Host {
        /// Which.
        host: HostId,
        /// Which of its connections; `None`: every connection it ever had, at least one.
        connection: Option<ConnectionRef>,
        /// Whether it is enough that the claim is true of one of them.
        some: bool,
        /// What.
        claim: HostClaim,
    },
    /// About the wire: how many matching segments were sent, including lost ones and retransmissions. Copies that a fault
    /// makes do not count, and neither do segments that no host sent.
    Segments {
        /// Which.
        matching: Match,
        /// How many.
        count: Count,
        /// The times from each of the first matches to the next, in order.
        spacing: Vec<Window>,
    },
    /// About the wire: of all segments that match any of these, exactly these were sent, in this order. The same segments
    /// count as for [`Claim::Segments`].
    Order(Vec<OrderItem>),
    /// Every connection that ever existed, at least one, is closed on every host or gone with it. The last transition to
    /// CLOSED decides.
    AllClosed,
    /// What became of the data that applications wrote, at least one octet. None of it was changed.
    Data {
        /// The host of the applications; `None`: every host.
        sender: Option<HostId>,
        /// Whether their peers read all of it.
        wholeness: Wholeness,
    },
    /// How much virtual time the run took.
    VirtualTime(Window),
}

/// Whether all data was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    /// All of it.
    Intact,
    /// Not all of it.
    Incomplete,
}

/// A part of an order of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderItem {
    /// One that matches.
    Segment(Match),
    /// Any number of segments that match one of the other items: `…`.
    Gap,
}

/// Identifies connections of a host by the program that opens them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRef {
    /// The program's index in [`Scenario::programs`](crate::Scenario::programs).
    pub program: usize,
    /// Which of its connections.
    pub connection: Slot,
    /// Which of those that a repetition opened under that name, from 1 in the order of opening; `None`: all of them.
    pub nth: Option<NonZeroU32>,
}

/// What is claimed about a connection of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostClaim {
    /// It went through exactly these states, from the one it began in (LISTEN or CLOSED) to its last.
    States(Vec<PathItem>),
    /// It was in this state when the run ended.
    Ends(State),
    /// It was never in any of these.
    Never(Vec<State>),
    /// What keepalive finally found out.
    Keepalive {
        /// What.
        outcome: KeepaliveOutcome,
        /// Probes sent since anything was last received.
        probes: Option<u32>,
        /// Time since anything was last received.
        after: Option<Window>,
    },
    /// A call of the application returned the error of the connection, which is one of these.
    Error(Errors),
    /// A call of the application saw the end of the peer's stream.
    EndOfStream,
    /// What TCP_INFO said of it at a time. Connections that did not exist then are not meant.
    TcpInfo {
        /// When, at the end of the host's first turn.
        at: Duration,
        /// The fields, at least one, and what their values must be.
        fields: Vec<(InfoField, InfoMatch)>,
    },
    /// The application received exactly this many octets.
    Received(u64),
}

/// A part of a path of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathItem {
    /// This state.
    State(State),
    /// Any states, or none: `…`.
    Gap,
}

/// What keepalive found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepaliveOutcome {
    /// A probe was answered, and nothing worse followed.
    Alive,
    /// No probe was answered.
    Dead,
    /// A probe was answered by RST.
    Reset,
    /// No probe was sent.
    Silent,
}

impl KeepaliveOutcome {
    /// Every outcome.
    pub const ALL: [KeepaliveOutcome; 4] =
        [KeepaliveOutcome::Alive, KeepaliveOutcome::Dead, KeepaliveOutcome::Reset, KeepaliveOutcome::Silent];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            KeepaliveOutcome::Alive => "alive",
            KeepaliveOutcome::Dead => "dead",
            KeepaliveOutcome::Reset => "reset",
            KeepaliveOutcome::Silent => "silent",
        }
    }
}

/// A period from one time to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub from: Duration,
    /// Not after.
    pub to: Duration,
}

impl Window {
    /// Whether a time is within it.
    pub fn contains(self, time: Duration) -> bool {
        self.from <= time && time <= self.to
    }
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly.
    Exactly(u64),
    /// This many or more.
    AtLeast(u64),
    /// This many or fewer.
    AtMost(u64),
}

impl Count {
    /// Whether a number is as it should be.
    pub fn contains(self, count: u64) -> bool {
        match self {
            Count::Exactly(wanted) => count == wanted,
            Count::AtLeast(wanted) => count >= wanted,
            Count::AtMost(wanted) => count <= wanted,
        }
    }
}
