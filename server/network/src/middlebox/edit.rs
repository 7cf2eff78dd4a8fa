//! The changes that a middlebox makes in a segment.

use halfopen_tcp::Flags;

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
