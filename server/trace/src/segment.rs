//! A segment that was sent.

use std::net::SocketAddr;
use std::sync::Arc;

use halfopen_scenario::SegmentFacts;
use halfopen_tcp::{Flags, Header, Purpose, State};

use crate::{HostId, MiddleboxId, SegmentNumber};

/// A host sent a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSent {
    /// Its number.
    pub segment: SegmentNumber,
    /// The host it is for; `None` if no host has the address.
    pub to: Option<HostId>,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// The header with its options; numbers as on the wire.
    pub header: Header,
    /// Sequence number relative to the sender's initial one: the SYN has 0.
    pub relative_seq: u32,
    /// Acknowledgment number relative to the peer's initial sequence number; 0 without the ACK bit.
    pub relative_ack: u32,
    /// The peer's initial sequence number, which SACK blocks are relative to; 0 while it is unknown.
    pub peer_iss: u32,
    /// The window as the peer is to understand it, octets.
    pub window: u32,
    /// Octets of its IP datagram.
    pub size: u32,
    /// Why it was sent.
    pub purpose: Purpose,
    /// Whether any of its sequence space was sent before.
    pub retransmission: bool,
    /// The state of the connection at the sender; `None` if it has none there.
    pub sender_state: Option<State>,
    /// The same at the receiver, while the segment is sent.
    pub receiver_state: Option<State>,
    /// Whether no host sent it: a fault or a middlebox made it up, and it arrives as if this host had.
    pub injected: bool,
    /// The middlebox that made it up, if one did.
    pub middlebox: Option<MiddleboxId>,
    /// The first octets of its IP datagram, as many as the run was asked to keep; `None` if
    /// it keeps none.
    pub datagram: Option<Arc<[u8]>>,
}

impl SegmentSent {
    /// What a match of the scenario looks at.
    pub fn facts(&self, from: HostId) -> SegmentFacts {
        SegmentFacts {
            from: Some(from.into()),
            to: self.to.map(Into::into),
            flags: self.header.flags,
            octets: u64::from(self.header.payload),
            size: self.size.into(),
            sequence: self.relative_seq,
            acknowledgment: self.header.flags.contains(Flags::ACK).then_some(self.relative_ack),
            window: self.window.into(),
            mss: self.header.options.mss,
            window_scale: self.header.options.window_scale,
            sack_permitted: self.header.options.sack_permitted,
            sack: !self.header.options.sack.is_empty(),
            timestamps: self.header.options.timestamps.is_some(),
            from_state: self.sender_state,
            to_state: self.receiver_state,
            retransmission: self.retransmission,
            keepalive_probe: self.purpose == Purpose::KeepaliveProbe,
            window_probe: self.purpose == Purpose::WindowProbe,
        }
    }
}
