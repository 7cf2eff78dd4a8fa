//! How a run came out.

use std::time::Duration;

use halfopen_scenario::{Errors, InfoField, InfoValue};
use halfopen_tcp::{Errno, Flags, Instant, State};

use crate::{ConnectionNumber, ExpectationId, FaultId, HostId, KeepaliveFound, StepId};

/// An expectation was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectationResult {
    /// The expectation. What it expects is in [`Expectation::claim`](halfopen_scenario::Expectation::claim).
    pub expectation: ExpectationId,
    /// Whether it held.
    pub passed: bool,
    /// What was found instead, or as expected.
    pub finding: Finding,
    /// The connection that broke it, if one did.
    pub connection: Option<ConnectionNumber>,
    /// What decided it; `None`: the end of the run did.
    pub decided: Option<Decision>,
}

/// The event that decided an expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decision {
    /// Its sequence number.
    pub event: u64,
    /// When it happened.
    pub time: Instant,
}

/// What was found where something was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The host had no connection, or there was none at all.
    NoConnection,
    /// The connection with the expected name was never opened.
    NeverOpened,
    /// The states that the connection went through, the one it began in included.
    States(Vec<State>),
    /// The state the connection was in when the run ended; `None`: the host lost its memory.
    LastState(Option<State>),
    /// What keepalive found out last; `None`: it never sent a probe.
    Keepalive(Option<KeepaliveFound>),
    /// The error of the connection that a call of the application returned, if one did.
    Error(Option<Errno>),
    /// The connection has this error, and no call of the application returned it.
    PendingError(Errno),
    /// Whether a call of the application saw the end of the peer's stream.
    EndOfStream(bool),
    /// The values of the fields of TCP_INFO that the expectation asks for; `None` before the first measurement.
    TcpInfo(Vec<(InfoField, Option<InfoValue>)>),
    /// No connection existed then.
    NoConnectionThen,
    /// Octets that the application received.
    Received(u64),
    /// No host sent a segment.
    NoSegments,
    /// How many segments were sent.
    Segments {
        /// How many.
        count: u64,
        /// The time from each of the first segments to the next, as far as the expectation asks for it.
        spacing: Vec<Duration>,
    },
    /// The segments that were sent, in their order.
    Order {
        /// The first ones: the sender and the control bits of each.
        first: Vec<(HostId, Flags)>,
        /// How many more there were.
        more: u64,
    },
    /// Every connection was closed.
    AllClosed,
    /// A connection was not closed on a host.
    NotClosed {
        /// The host.
        host: HostId,
        /// The state it was in there.
        state: State,
    },
    /// All octets that were sent were received.
    DataIntact {
        /// How many.
        octets: u64,
    },
    /// Not all octets that were sent were received.
    DataMissing {
        /// The host that sent them.
        sender: HostId,
        /// Octets received.
        received: u64,
        /// Octets sent.
        sent: u64,
    },
    /// An application received something else than what was sent.
    DataMistaken,
    /// No application sent anything.
    NoData,
    /// How much virtual time the run took.
    VirtualTime(Duration),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every expectation held, and every fault and every step happened.
    Passed,
    /// An expectation did not hold, or something did not happen.
    Failed,
    /// A limit, or the reader, ended the run before it was over.
    Unfinished,
}

/// Why a run is not passed although no expectation is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// An application received something else than what was sent.
    DataMistaken {
        /// The connection.
        connection: ConnectionNumber,
        /// Offset in the stream of the first octet that is wrong.
        offset: u64,
    },
    /// A step that was required to fail with certain errors succeeded, or failed otherwise.
    StepEndedOtherwise {
        /// The step.
        step: StepId,
        /// The errors that were allowed.
        expected: Errors,
        /// The error that it ended with.
        error: Option<Errno>,
        /// Whether it failed at all.
        failed: bool,
    },
    /// A step failed although the scenario says nowhere that it may.
    StepFailed {
        /// The step.
        step: StepId,
        /// The error; `None`: the stream ended too early.
        error: Option<Errno>,
    },
    /// A fault was never applied.
    FaultNotApplied(FaultId),
    /// Steps of a program did not happen.
    StepsNotDone {
        /// The first of them.
        first: StepId,
        /// Whether it began.
        begun: bool,
        /// How many more there are after it.
        more: u32,
    },
    /// A limit ended the run.
    LimitReached(Limit),
    /// The reader stopped the run.
    Stopped,
}

/// A limit of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Virtual time that the run may take.
    VirtualTime(Duration),
    /// Events that the run may have.
    Events(u64),
    /// Datagrams that may be under way at once.
    UnderWay(u64),
    /// Octets of memory that the run may take.
    Memory(u64),
    /// Connections that the run may have, each end counted.
    Connections(u64),
    /// Comparisons of what happened with what the scenario expects.
    Comparisons(u64),
    /// Processor time that the run may take. The only limit that depends on the machine.
    ProcessorTime(Duration),
}

/// The run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFinished {
    /// How it ended.
    pub verdict: Verdict,
    /// Why it is not passed; broken expectations are not repeated here.
    pub problems: Vec<Problem>,
    /// Where each connection ended, on each host: by connection, then host.
    pub final_states: Vec<FinalState>,
    /// Counts.
    pub totals: Totals,
}

/// Where a connection ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalState {
    /// The host.
    pub host: HostId,
    /// The connection.
    pub connection: ConnectionNumber,
    /// Its last state.
    pub state: State,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Virtual time from start to end.
    pub virtual_time: Duration,
    /// Events, [`RunFinished`] included.
    pub events: u64,
    /// Segments sent.
    pub segments_sent: u64,
    /// Segments of which something had been sent before.
    pub retransmissions: u64,
    /// Segments that were sent and never arrived.
    pub segments_lost: u64,
    /// Expectations that held.
    pub expectations_passed: u32,
    /// Expectations that did not hold.
    pub expectations_failed: u32,
}
