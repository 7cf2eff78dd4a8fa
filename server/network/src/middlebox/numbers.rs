//! Sequence numbers that a middlebox moves, such as a firewall that randomizes the initial ones.

use halfopen_scenario::SequenceNumbers;
use halfopen_tcp::{Flags, Header, SackBlocks};

/// How far a middlebox moves the sequence numbers of a segment, modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Its own sequence number.
    pub(crate) sequence: u32,
    /// What it acknowledges.
    pub(crate) acknowledgment: u32,
    /// The edges of its SACK blocks.
    pub(crate) sack: u32,
}

impl Moved {
    /// For a segment from one side of a connection, to whose sides' numbers `added` is added.
    pub(super) fn from_side(side: usize, added: [u32; 2], settings: SequenceNumbers) -> Moved {
        let acknowledgment = added[1 - side].wrapping_neg();
        let sack = match settings {
            SequenceNumbers::RandomisedExceptSack => 0,
            SequenceNumbers::Kept | SequenceNumbers::Randomised => acknowledgment,
        };
        Moved { sequence: added[side], acknowledgment, sack }
    }
}

/// The header with its acknowledgment and SACK blocks in the receiver's own numbers, to which the middlebox added `added`.
pub(super) fn acknowledging(header: &Header, added: u32) -> Header {
    let mut header = header.clone();
    if header.flags.contains(Flags::ACK) {
        header.ack = header.ack - added;
    }
    let mut sack = SackBlocks::default();
    for (left, right) in header.options.sack.as_slice() {
        sack.push(*left - added, *right - added);
    }
    header.options.sack = sack;
    header
}
