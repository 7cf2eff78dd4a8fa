//! The header of a segment.

use crate::{Flags, Seq};

/// The TCP header of one segment (RFC 9293 §3.1), without ports and checksum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `seg.seq`.
    pub seq: Seq,
    /// `seg.ack`; 0 without the ACK bit.
    pub ack: Seq,
    /// The control bits.
    pub flags: Flags,
    /// The window field as sent, not scaled.
    pub window: u16,
    /// The urgent pointer: octets from `seg.seq` to the end of the urgent data; 0 without the URG bit.
    pub urgent: u16,
    /// Octets of data.
    pub payload: u32,
    /// The options.
    pub options: Options,
}

/// The options of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Maximum segment size (RFC 9293 §3.7.1), octets.
    pub mss: Option<u16>,
    /// Window scale (RFC 7323 §2): the shift count.
    pub window_scale: Option<u8>,
    /// SACK permitted (RFC 2018 §2).
    pub sack_permitted: bool,
    /// Timestamps (RFC 7323 §3).
    pub timestamps: Option<Timestamps>,
    /// SACK blocks (RFC 2018 §3), at most four: left edge, right edge.
    pub sack: SackBlocks,
}

/// The timestamps option (RFC 7323 §3.2), milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamps {
    /// TSval: the sender's clock.
    pub value: u32,
    /// TSecr: the newest timestamp that the sender received.
    pub echo: u32,
}

/// Up to four SACK blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SackBlocks {
    blocks: [(Seq, Seq); 4],
    len: u8,
}

impl SackBlocks {
    /// Adds a block, unless there are four.
    pub fn push(&mut self, left: Seq, right: Seq) {
        if let Some(slot) = self.blocks.get_mut(usize::from(self.len)) {
            *slot = (left, right);
            self.len += 1;
        }
    }

    /// Drops the last blocks until the option takes no more than `octets`.
    pub(crate) fn fit(&mut self, octets: u32) {
        // Padding, kind and length take four octets, a block takes eight.
        let room = octets.saturating_sub(4) / 8;
        self.len = self.len.min(u8::try_from(room).unwrap_or(u8::MAX));
    }

    /// The blocks in the order of their sequence numbers.
    pub(crate) fn in_order(mut self) -> SackBlocks {
        let first = self.blocks[0].0;
        self.blocks[..usize::from(self.len)].sort_by_key(|(left, _)| first.until(*left).cast_signed());
        self
    }

    /// The blocks in the order of the option.
    pub fn as_slice(&self) -> &[(Seq, Seq)] {
        &self.blocks[..usize::from(self.len)]
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Header {
    /// `seg.len`: octets of data, plus one each for SYN and FIN.
    pub fn len(&self) -> u32 {
        self.payload + u32::from(self.flags.contains(Flags::SYN)) + u32::from(self.flags.contains(Flags::FIN))
    }

    /// Whether the segment takes no sequence space.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sequence number of the first octet of data, which follows the SYN.
    pub fn text(&self) -> Seq {
        self.seq + u32::from(self.flags.contains(Flags::SYN))
    }

    /// The RST that answers the segment where it belongs to no connection (RFC 9293 §3.10.7.1).
    pub(crate) fn refusal(&self) -> Header {
        if self.flags.contains(Flags::ACK) {
            Header { seq: self.ack, flags: Flags::RST, ..Header::default() }
        } else {
            Header { ack: self.end(), flags: Flags::RST | Flags::ACK, ..Header::default() }
        }
    }

    /// The sequence number after the segment.
    pub fn end(&self) -> Seq {
        self.seq + self.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_put_in_order_where_numbers_wrap() {
        let mut blocks = SackBlocks::default();
        for left in [20, u32::MAX - 10, 40, 0] {
            blocks.push(Seq(left), Seq(left) + 5);
        }
        let lefts: Vec<u32> = blocks.in_order().as_slice().iter().map(|(left, _)| left.0).collect();
        assert_eq!(lefts, [u32::MAX - 10, 0, 20, 40]);
    }
}
