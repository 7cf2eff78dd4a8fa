//! Everything that can happen in a run.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{Scenario, Unreachable};
use halfopen_tcp::{Cause, DropReason, Errno, Instant, State, TcpInfo, Timer, TimerChange};

use crate::{
    ApplicationResult, CallReturned, ConnectionNumber, ConnectionOpened, ExpectationResult, FaultAdded,
    FaultApplied, FaultId, HostId, KeepaliveVerdict, Limit, LossReason, MiddleboxChanged, RunFinished,
    SegmentNumber, SegmentSent, StepId,
};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in virtual time.
    pub time: Instant,
    /// On which host; `None` for events of the whole run.
    pub host: Option<HostId>,
    /// To which connection, if to one.
    pub connection: Option<ConnectionNumber>,
    /// What.
    pub kind: EventKind,
}

impl Event {
    /// The memory that it takes, octets. Its datagram is not counted: others may have it, too. Sizes are rounded up and the same on every
    /// machine.
    pub fn memory(&self) -> u64 {
        /// What every event takes.
        const EVENT: u64 = 48;
        EVENT
            + match &self.kind {
                EventKind::SegmentSent(_) => 320,
                EventKind::TcpInfo(_) => 384,
                EventKind::FaultAdded(_) => 1024,
                EventKind::ConnectionCreated(_)
                | EventKind::MiddleboxChanged(_)
                | EventKind::RunStarted(_) => 112,
                EventKind::ExpectationResult(_) => 160,
                EventKind::RunFinished(finished) => {
                    256 + 48 * finished.problems.len() as u64 + 8 * finished.final_states.len() as u64
                }
                EventKind::SegmentArrived { .. }
                | EventKind::SegmentLost { .. }
                | EventKind::DestinationUnreachable { .. }
                | EventKind::StateTransition { .. }
                | EventKind::TimerChanged { .. }
                | EventKind::KeepaliveOutcome { .. }
                | EventKind::ConnectionError(_)
                | EventKind::FaultApplied(_)
                | EventKind::FaultLifted(_)
                | EventKind::HostChanged(_)
                | EventKind::ConnectionOpened(_)
                | EventKind::SocketOpened { .. }
                | EventKind::StepBlocked(_)
                | EventKind::DataWritten { .. }
                | EventKind::DataRead { .. }
                | EventKind::DataMistaken { .. }
                | EventKind::ApplicationResult(_)
                | EventKind::CallReturned(_)
                | EventKind::LimitReached(_)
                | EventKind::RunStopped => 0,
            }
    }

    /// The octets of the datagram that it tells of, if it has them.
    pub fn datagram(&self) -> Option<&Arc<[u8]>> {
        match &self.kind {
            EventKind::SegmentSent(sent) => sent.datagram.as_ref(),
            EventKind::SegmentArrived { datagram, .. }
            | EventKind::DestinationUnreachable { datagram, .. } => datagram.as_ref(),
            EventKind::RunStarted(_)
            | EventKind::ConnectionCreated(_)
            | EventKind::SegmentLost { .. }
            | EventKind::MiddleboxChanged(_)
            | EventKind::StateTransition { .. }
            | EventKind::TimerChanged { .. }
            | EventKind::KeepaliveOutcome { .. }
            | EventKind::ConnectionError(_)
            | EventKind::FaultAdded(_)
            | EventKind::FaultApplied(_)
            | EventKind::FaultLifted(_)
            | EventKind::HostChanged(_)
            | EventKind::ConnectionOpened(_)
            | EventKind::SocketOpened { .. }
            | EventKind::StepBlocked(_)
            | EventKind::DataWritten { .. }
            | EventKind::DataRead { .. }
            | EventKind::DataMistaken { .. }
            | EventKind::ApplicationResult(_)
            | EventKind::CallReturned(_)
            | EventKind::TcpInfo(_)
            | EventKind::LimitReached(_)
            | EventKind::RunStopped
            | EventKind::ExpectationResult(_)
            | EventKind::RunFinished(_) => None,
        }
    }
}

/// What happened. What is large or rare is boxed, so that an event stays small.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The run began. Always the first event.
    RunStarted(Box<RunStarted>),
    /// A connection was created on the host.
    ConnectionCreated(Box<ConnectionCreated>),
    /// The host sent a segment.
    SegmentSent(Box<SegmentSent>),
    /// A segment arrived at the host.
    SegmentArrived {
        /// Which.
        segment: SegmentNumber,
        /// Why TCP did not use it; `None` if it did.
        dropped: Option<DropReason>,
        /// Its datagram, if it is not the one that was sent: see [`SegmentSent::datagram`].
        datagram: Option<Arc<[u8]>>,
    },
    /// A segment that was under way is gone; the event's host is the one it was for.
    SegmentLost {
        /// Which.
        segment: SegmentNumber,
        /// Why.
        reason: LossReason,
    },
    /// The host received a router's message that its segment could not be delivered: ICMP destination unreachable, or packet
    /// too big.
    DestinationUnreachable {
        /// Which segment.
        segment: SegmentNumber,
        /// Why not.
        code: Unreachable,
        /// Why TCP did not use the message; `None` if it did.
        dropped: Option<DropReason>,
        /// The datagram of the message: see [`SegmentSent::datagram`].
        datagram: Option<Arc<[u8]>>,
    },
    /// What a middlebox knows of a connection, or does to a segment, changed.
    MiddleboxChanged(Box<MiddleboxChanged>),
    /// A connection changed its state.
    StateTransition {
        /// Before.
        from: State,
        /// After.
        to: State,
        /// Why.
        cause: Cause,
        /// The segment whose arrival it was, if it was one.
        segment: Option<SegmentNumber>,
    },
    /// A timer of a connection was set, fired or was cancelled.
    TimerChanged {
        /// Which.
        timer: Timer,
        /// What it did.
        change: TimerChange,
    },
    /// What keepalive found out.
    KeepaliveOutcome {
        /// What.
        verdict: KeepaliveVerdict,
        /// Probes sent since anything was last received.
        probes: u32,
        /// Time since anything was last received.
        silence: Duration,
    },
    /// An error that the application's next call gets.
    ConnectionError(Errno),
    /// A fault was added to those of the scenario.
    FaultAdded(Box<FaultAdded>),
    /// A fault was applied.
    FaultApplied(FaultApplied),
    /// A fault was lifted: it does nothing from now on. What it did to a host or the network ends, with an event of its own.
    FaultLifted(FaultId),
    /// The host went down, came back or was suspended. Every host is up when the run begins.
    HostChanged(HostState),
    /// A program of the scenario opened the connection.
    ConnectionOpened(ConnectionOpened),
    /// An application that is no program of the scenario opened the connection.
    SocketOpened {
        /// The number of its socket on the host, from 1 in the order of opening.
        socket: u32,
    },
    /// A step of an application blocked.
    StepBlocked(StepId),
    /// An application wrote: this many octets entered the connection's send buffer.
    DataWritten {
        /// How many.
        octets: u64,
    },
    /// An application read from the connection.
    DataRead {
        /// How many octets.
        octets: u64,
    },
    /// What an application read is not what was written to the connection's other end. Happens once for an end.
    DataMistaken {
        /// Offset in the stream of the first octet that is wrong.
        offset: u64,
    },
    /// A step of an application ended.
    ApplicationResult(ApplicationResult),
    /// A call that is no step returned the error of the connection, or saw the end of the stream: that of an application
    /// that is no program of the scenario, or one within a relay. Happens once for each of the two.
    CallReturned(CallReturned),
    /// What TCP_INFO says of the connection now. An expectation asks for it.
    TcpInfo(Box<TcpInfo>),
    /// A limit ends the run before it is over.
    LimitReached(Limit),
    /// The reader of the run cancelled it.
    RunStopped,
    /// An expectation was checked.
    ExpectationResult(Box<ExpectationResult>),
    /// The run is over. Always the last event.
    RunFinished(Box<RunFinished>),
}

/// A run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStarted {
    /// What is run. [`HostId`] and the like are positions in it.
    pub scenario: Arc<Scenario>,
    /// The seed that everything random follows from.
    pub seed: u64,
    /// The version of halfopen that runs it. Same scenario, seed and version: same events.
    pub version: &'static str,
}

/// A connection was created on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionCreated {
    /// Address and port of the host.
    pub local: SocketAddr,
    /// Address and port of the peer.
    pub remote: SocketAddr,
    /// The host that has the peer's address, if one has.
    pub remote_host: Option<HostId>,
    /// The number that the connection has at its other end, if that was created before on the same host.
    pub peer: Option<ConnectionNumber>,
}

/// What a host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostState {
    /// It runs.
    Up,
    /// Its processes do nothing; its kernel runs.
    Frozen,
    /// It does nothing, and forgets nothing.
    Paused,
    /// It is off, and everything it knew of connections is gone. When it is up again it begins anew.
    Down,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FinalState, Problem};

    #[test]
    fn what_is_boxed_takes_what_is_counted() {
        for (name, counted, size) in [
            ("segment", 320, size_of::<SegmentSent>()),
            ("TCP_INFO", 384, size_of::<TcpInfo>()),
            ("fault", 1024, size_of::<FaultAdded>()),
            ("connection", 112, size_of::<ConnectionCreated>()),
            ("change", 112, size_of::<MiddleboxChanged>()),
            ("result", 160, size_of::<ExpectationResult>()),
            ("end", 256, size_of::<RunFinished>()),
            ("problem", 48, size_of::<Problem>()),
            ("final state", 8, size_of::<FinalState>()),
        ] {
            assert!(
                size <= counted && counted <= 3 * size,
                "a {name} has {size} octets, {counted} are counted"
            );
        }
    }
}
