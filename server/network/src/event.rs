//! What happens in the network, for whoever records it.

use std::collections::VecDeque;
use std::net::SocketAddr;

use halfopen_tcp::{Header, Instant};
use halfopen_trace::{
    ConnectionNumber, FaultId, HostId, LossReason, MiddleboxChanged, MiddleboxId, Phase, SegmentNumber,
};

use crate::flight::{Flight, Loss};

/// Something that happened in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When. A middlebox forgets a connection at its own time, which may be before the network is asked.
    pub time: Instant,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A segment is lost.
    SegmentLost(Loss),
    /// A rule took a segment, or a fault on the network began or ended.
    FaultApplied {
        /// The fault.
        fault: FaultId,
        /// Whether it began or ended.
        phase: Phase,
        /// The host that sent the segment, or that the fault is on.
        host: Option<HostId>,
        /// The segment that a rule took, and its connection.
        segment: Option<(SegmentNumber, Option<ConnectionNumber>)>,
    },
    /// What a middlebox knows about a connection changed, or it changed a segment.
    MiddleboxChanged {
        /// The connection.
        connection: Option<ConnectionNumber>,
        /// The change.
        changed: MiddleboxChanged,
    },
    /// A middlebox sent a RST in the name of a host.
    ResetSent(Box<ResetSent>),
}

/// A RST that a middlebox sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetSent {
    /// The middlebox.
    pub middlebox: MiddleboxId,
    /// The number of the segment.
    pub segment: SegmentNumber,
    /// The host in whose name it is sent.
    pub from: HostId,
    /// The receiver.
    pub to: HostId,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// The TCP header.
    pub header: Header,
    /// The IP datagram.
    pub datagram: Vec<u8>,
}

/// Events that nobody has polled yet.
#[derive(Debug, Default)]
pub(crate) struct Events(VecDeque<Event>);

impl Events {
    pub(crate) fn push(&mut self, time: Instant, kind: EventKind) {
        self.0.push_back(Event { time, kind });
    }

    /// A datagram is lost.
    pub(crate) fn lose(&mut self, time: Instant, flight: Flight, reason: LossReason) {
        if let Some(loss) = flight.lost(reason) {
            self.push(time, EventKind::SegmentLost(loss));
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Event> {
        self.0.pop_front()
    }
}
