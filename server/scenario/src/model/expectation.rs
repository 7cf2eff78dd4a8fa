//! What must come out.

use std::time::Duration;

use halfopen_tcp::{Errno, State};

use super::{HostId, Location, Match, Slot};

/// Something that must come out of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// What.
    pub claim: Claim,
    /// When what decides it must happen; `None` is at any time. What decides: the last transition of a path, the
    /// transition into the last state, keepalive's outcome, the error, the octet that completes what is received,
    /// the last of the segments. Where it is about all of a host's connections, it holds for each. Never there for
    /// [`HostClaim::Never`]. What nothing decides was at no time.
    pub at: Option<Window>,
    /// Where it stands in the text.
    pub location: Location,
    /// As it is written, on one line: `server: {error: ETIMEDOUT}`.
    pub text: String,
}

/// What is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// About a host.
    Host {
        /// Which.
        host: HostId,
        /// Which of its connections; `None`: each it ever had, and it must have had one.
        connection: Option<ConnectionRef>,
        /// What.
        claim: HostClaim,
    },
    /// About the wire: how many segments like this were sent, lost ones and retransmissions included. A copy
    /// that a fault makes does not count, nor does a segment that no host sent.
    Segments {
        /// Which.
        matching: Match,
        /// How many.
        count: Count,
        /// How long after one of them the next was sent: of the first so many, in order.
        spacing: Vec<Window>,
    },
    /// About the wire: of all segments like any of these, exactly these were sent, in this order. What counts is as for
    /// [`Claim::Segments`].
    Order(Vec<OrderItem>),
    /// Every connection that there ever was is closed on every host, or gone with it, and there was one. What decides
    /// is the last transition to CLOSED.
    AllClosed,
    /// All that applications wrote was read by their peers, octet by octet, and there was something.
    DataIntact,
    /// How much virtual time the run took.
    VirtualTime(Window),
}

/// A part of an order of segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderItem {
    /// One like this.
    Segment(Match),
    /// Any number of those that are like one of the others: `…`.
    Gap,
}

/// Names a connection of a host by the program that opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionRef {
    /// Position in [`Scenario::programs`](crate::Scenario::programs).
    pub program: usize,
    /// Which of its connections.
    pub connection: Slot,
}

/// What is claimed about a connection of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostClaim {
    /// It went through exactly these states, the one it began in (LISTEN or CLOSED) included, to its last.
    States(Vec<PathItem>),
    /// It was in this state when the run ended.
    Ends(State),
    /// It never was in one of these.
    Never(Vec<State>),
    /// What keepalive found out in the end.
    Keepalive {
        /// What.
        outcome: KeepaliveOutcome,
        /// Probes sent since anything was last received.
        probes: Option<u32>,
        /// Time since anything was last received.
        after: Option<Window>,
    },
    /// TCP gave this error to the application (the first, if there were several).
    Error(Errno),
    /// The application received exactly so many octets.
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
    /// A probe was answered, and nothing worse came after.
    Alive,
    /// Nobody answered.
    Dead,
    /// A probe was answered by RST.
    Reset,
    /// Not a single probe was sent.
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

/// From one time to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Not before.
    pub from: Duration,
    /// Not after.
    pub to: Duration,
}

impl Window {
    /// Whether it is then.
    pub fn contains(self, time: Duration) -> bool {
        self.from <= time && time <= self.to
    }
}

/// How many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// Exactly.
    Exactly(u64),
    /// So many or more.
    AtLeast(u64),
    /// So many or fewer.
    AtMost(u64),
}

impl Count {
    /// Whether so many are right.
    pub fn contains(self, count: u64) -> bool {
        match self {
            Count::Exactly(wanted) => count == wanted,
            Count::AtLeast(wanted) => count >= wanted,
            Count::AtMost(wanted) => count <= wanted,
        }
    }
}
