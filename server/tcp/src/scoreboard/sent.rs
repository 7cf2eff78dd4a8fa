//! A segment in flight.

use crate::{Flags, Instant, Seq};

/// A segment that takes sequence space, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// `seg.seq`.
    pub(crate) seq: Seq,
    /// `seg.len`: octets, plus one each for SYN and FIN.
    pub(crate) len: u32,
    /// SYN, FIN and PSH as sent.
    pub(crate) flags: Flags,
    /// When it was first sent.
    pub(crate) first_sent: Instant,
    /// When it was last sent.
    pub(crate) last_sent: Instant,
    /// How often it was sent.
    pub(crate) transmissions: u32,
    /// The number of its last transmission among those of the connection.
    pub(super) order: u64,
    /// Whether the next segment left the stack in the same packet.
    pub(crate) joined: bool,
    /// Whether its last octet ends a record (MSG_EOR).
    pub(crate) ends_record: bool,
    pub(super) mark: Mark,
}

/// What is believed of a segment in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is in the network.
    InFlight,
    /// The peer has it, but something before it is missing (RFC 2018).
    Sacked,
    /// It was lost and is still to be sent again.
    Lost,
    /// It was believed lost and was sent again.
    Resent,
}

/// RACK's order of segments (RFC 8985 §6.2, step 2).
///
/// `RACK_sent_after` compares the times of sending, then the ends. Here much happens in one instant, and what is sent again
/// may leave before or after new data: the order of transmission says both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transmission(pub(super) u64);

impl Transmission {
    /// `RACK_sent_after`.
    pub(crate) fn sent_after(self, other: Transmission) -> bool {
        self.0 > other.0
    }
}

impl Sent {
    pub(crate) fn new(seq: Seq, len: u32, flags: Flags, now: Instant) -> Sent {
        Sent {
            seq,
            len,
            flags,
            first_sent: now,
            last_sent: now,
            transmissions: 1,
            order: 0,
            joined: false,
            ends_record: false,
            mark: Mark::InFlight,
        }
    }

    /// Octets of data in it; a SYN has none.
    pub(super) fn octets(&self) -> u32 {
        self.len - u32::from(self.flags.contains(Flags::FIN))
    }

    /// The sequence number after it.
    pub(crate) fn end(&self) -> Seq {
        self.seq + self.len
    }

    pub(super) fn transmission(&self) -> Transmission {
        Transmission(self.order)
    }

    /// Counts another transmission, and returns what it sends.
    pub(super) fn send_again(&mut self, now: Instant, order: u64) -> Sent {
        self.transmissions += 1;
        (self.last_sent, self.order) = (now, order);
        self.clone()
    }
}

/// A packet cut into segments of at most `max_len` octets, all lost.
pub(super) fn cut(packet: &[Sent], max_len: u32) -> Vec<Sent> {
    let (Some(first), Some(last)) = (packet.first(), packet.last()) else { return Vec::new() };
    let mut octets = packet.iter().map(Sent::octets).sum::<u32>();
    let mut segments = Vec::new();
    let mut rest = Sent {
        len: packet.iter().map(|sent| sent.len).sum(),
        flags: last.flags,
        joined: last.joined,
        mark: Mark::Lost,
        ..first.clone()
    };
    while octets > max_len {
        let flags = rest.flags.without(Flags::FIN | Flags::PSH);
        segments.push(Sent { len: max_len, flags, joined: true, ..rest.clone() });
        rest.seq += max_len;
        rest.len -= max_len;
        octets -= max_len;
    }
    segments.push(rest);
    segments
}
