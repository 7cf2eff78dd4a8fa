//! Datagrams: sent, under way, delivered or lost.

use halfopen_scenario::{SegmentFacts, Unreachable};
use halfopen_tcp::{Flags, Instant, Seq};
use halfopen_trace::{ConnectionNumber, HostId, LossReason, SegmentNumber};

/// A segment that a host sends: what rules match and events name.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing {
    /// Its number, from [`Network::next_segment`](crate::Network::next_segment).
    pub segment: SegmentNumber,
    /// The connection it belongs to.
    pub connection: Option<ConnectionNumber>,
    /// The sender.
    pub from: HostId,
    /// The receiver; `None` if no host has the address.
    pub to: Option<HostId>,
    /// What a match looks at.
    pub facts: SegmentFacts,
    /// The initial sequence numbers of the sender and of the receiver.
    pub initial: [Seq; 2],
    /// How far the receiver shifts the window field.
    pub window_shift: u8,
}

/// A datagram under way between two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// The segment it carries, or that its ICMP message is about.
    pub segment: SegmentNumber,
    /// The connection the segment belongs to.
    pub connection: Option<ConnectionNumber>,
    /// The sender.
    pub from: HostId,
    /// The receiver.
    pub to: HostId,
    /// Whether the segment asks for a connection: SYN without ACK.
    pub opens: bool,
    /// Whether a fault made it from another datagram.
    pub copy: bool,
    /// The ICMP message that a router sends instead of the segment; `None` if the datagram is the segment.
    pub message: Option<Unreachable>,
}

/// A datagram that arrives at [`Flight::to`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its endpoints and its segment.
    pub flight: Flight,
    /// The IP datagram.
    pub octets: Vec<u8>,
}

/// The loss of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The segment.
    pub segment: SegmentNumber,
    /// Its connection.
    pub connection: Option<ConnectionNumber>,
    /// The host it was for; `None` if no host has the address.
    pub to: Option<HostId>,
    /// Whether only a copy of the segment that a fault made is lost.
    pub copy: bool,
    /// Why.
    pub reason: LossReason,
}

/// A datagram under way, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct Packet {
    pub(crate) flight: Flight,
    pub(crate) octets: Vec<u8>,
    /// Which of the middleboxes on its way it meets next.
    pub(crate) place: usize,
    /// When it arrives at its host.
    pub(crate) due: Instant,
}

impl Flight {
    /// The datagram of a segment that a host sends to another.
    pub(crate) fn of(outgoing: &Outgoing, to: HostId) -> Flight {
        Flight {
            segment: outgoing.segment,
            connection: outgoing.connection,
            from: outgoing.from,
            to,
            opens: outgoing.facts.flags.without(Flags::ECN) == Flags::SYN,
            copy: false,
            message: None,
        }
    }

    /// The ICMP message that goes back when this datagram cannot be delivered.
    pub(crate) const fn answered(self, message: Unreachable) -> Flight {
        Flight { from: self.to, to: self.from, opens: false, message: Some(message), ..self }
    }

    /// What its loss means for the segment. The loss of an ICMP message is no event: its segment was lost before.
    pub fn lost(self, reason: LossReason) -> Option<Loss> {
        let Flight { segment, connection, to, copy, .. } = self;
        self.message.is_none().then_some(Loss { segment, connection, to: Some(to), copy, reason })
    }
}
