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
    /// Whether the next segment left the stack in the same packet.
    pub(crate) joined: bool,
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

/// When a segment was last sent, and where it ends: RACK's order of segments (RFC 8985 §6.2, step 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Transmission {
    pub(crate) xmit_ts: Instant,
    pub(crate) end_seq: Seq,
}

impl Transmission {
    /// `RACK_sent_after`: the end breaks the tie.
    pub(crate) fn sent_after(self, other: Transmission) -> bool {
        self.xmit_ts > other.xmit_ts || (self.xmit_ts == other.xmit_ts && self.end_seq.after(other.end_seq))
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
            joined: false,
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
        Transmission { xmit_ts: self.last_sent, end_seq: self.end() }
    }

    /// Counts another transmission, and returns what it sends.
    pub(super) fn send_again(&mut self, now: Instant) -> Sent {
        self.transmissions += 1;
        self.last_sent = now;
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
