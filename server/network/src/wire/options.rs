//! The options of a TCP header (RFC 9293 §3.1).

use std::ops::Range;

use super::{OPTIONS, header_length, put};

/// Options without a length.
const END: u8 = 0;
const NO_OPERATION: u8 = 1;

/// The kinds of options that are changed on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Maximum segment size (RFC 9293 §3.7.1).
    Mss = 2,
    /// Window scale (RFC 7323 §2).
    WindowScale = 3,
    /// SACK permitted (RFC 2018 §2).
    SackPermitted = 4,
    /// SACK blocks (RFC 2018 §3).
    Sack = 5,
    /// Timestamps (RFC 7323 §3).
    Timestamps = 8,
}

/// A walk over the options of a segment, whose values may be changed on the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    kind: Kind,
    place: usize,
}

impl Walk {
    /// A walk over the options of this kind.
    pub(crate) fn over(kind: Kind) -> Walk {
        Walk { kind, place: OPTIONS }
    }

    /// The place of the next value. Behind a length that makes no sense nothing can be read.
    pub(crate) fn next(&mut self, segment: &[u8]) -> Option<Range<usize>> {
        let end = header_length(segment).min(segment.len());
        while self.place < end && segment[self.place] != END {
            let start = self.place;
            if segment[start] == NO_OPERATION {
                self.place += 1;
                continue;
            }
            let length = segment.get(start + 1).map_or(0, |length| usize::from(*length));
            if length < 2 || start + length > end {
                return None;
            }
            self.place += length;
            if segment[start] == self.kind as u8 {
                return Some(start + 2..start + length);
            }
        }
        None
    }
}

/// Removes the option with its value at this place. Padding replaces it, as Linux's `TCPOPTSTRIP` does, so that the segment
/// keeps its size.
pub(crate) fn remove_option(segment: &mut [u8], value: Range<usize>) {
    for place in value.start - 2..value.end {
        put(segment, place, &[NO_OPERATION]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of MSS options among these octets.
    fn values(octets: &[u8]) -> Vec<Vec<u8>> {
        let length = (20 + octets.len()).next_multiple_of(4);
        let mut segment = vec![0; length];
        segment[12] = u8::try_from(length / 4).unwrap() << 4;
        segment[20..20 + octets.len()].copy_from_slice(octets);
        let mut walk = Walk::over(Kind::Mss);
        std::iter::from_fn(|| walk.next(&segment)).map(|place| segment[place].to_vec()).collect()
    }

    #[test]
    fn a_walk_finds_every_option_of_its_kind() {
        let cases: [(&[u8], &[&[u8]]); 7] = [
            (&[], &[]),
            (&[2, 4, 5, 6], &[&[5, 6]]),
            (&[1, 4, 2, 1, 2, 4, 5, 6, 2, 3, 7], &[&[5, 6], &[7]]),
            (&[8, 10, 2, 4, 0, 0, 2, 4, 0, 0, 2, 2], &[&[]]),
            (&[0, 2, 4, 5, 6], &[]),
            (&[3, 1, 2, 4, 5, 6], &[]),
            (&[254, 9, 2, 4, 5, 6], &[]),
        ];
        for (octets, expected) in cases {
            assert_eq!(values(octets), expected, "{octets:?}");
        }
    }
}
