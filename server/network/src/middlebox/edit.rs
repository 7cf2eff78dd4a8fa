//! The changes that a middlebox makes in a segment.

use halfopen_tcp::Flags;

use super::numbers::Moved;
use crate::wire::{self, Kind, Walk};

/// Lowers the MSS option of a SYN to `most` at most. Returns whether it had to.
pub(super) fn clamp_mss(segment: &mut [u8], most: u16) -> bool {
    if !wire::control_bits(segment).contains(Flags::SYN) {
        return false;
    }
    let (mut walk, mut clamped) = (Walk::over(Kind::Mss), false);
    while let Some(place) = walk.next(segment) {
        if let [high, low] = segment[place.clone()]
            && u16::from_be_bytes([high, low]) > most
        {
            wire::put(segment, place.start, &most.to_be_bytes());
            clamped = true;
        }
    }
    clamped
}

/// Moves the sequence numbers of a segment.
pub(super) fn renumber(segment: &mut [u8], Moved { sequence, acknowledgment, sack }: Moved) {
    let add = |segment: &mut [u8], place, number| {
        if number != 0 {
            wire::put_number(segment, place, wire::number(segment, place) + number);
        }
    };
    add(segment, wire::SEQUENCE, sequence);
    if wire::control_bits(segment).contains(Flags::ACK) {
        add(segment, wire::ACKNOWLEDGMENT, acknowledgment);
    }
    let mut walk = Walk::over(Kind::Sack);
    while let Some(place) = walk.next(segment) {
        let end = place.end;
        for edge in place.step_by(4).filter(|edge| edge + 4 <= end) {
            add(segment, edge, sack);
        }
    }
}
