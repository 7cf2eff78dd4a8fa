//! Sequence numbers: arithmetic modulo 2^32.

use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A sequence number (RFC 9293 §3.4). Comparisons hold within half the space.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seq(pub u32);

impl Seq {
    /// How far `self` is behind `later`, modulo 2^32.
    pub const fn until(self, later: Seq) -> u32 {
        later.0.wrapping_sub(self.0)
    }

    /// Whether `self` stands before `other`.
    pub const fn before(self, other: Seq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// Whether `self` stands after `other`.
    pub const fn after(self, other: Seq) -> bool {
        other.before(self)
    }

    /// Whether `self` stands before `other` or is it.
    pub const fn at_or_before(self, other: Seq) -> bool {
        !other.before(self)
    }

    /// Whether `self` stands after `other` or is it.
    pub const fn at_or_after(self, other: Seq) -> bool {
        !self.before(other)
    }

    /// The later of the two.
    pub const fn max(self, other: Seq) -> Seq {
        if self.before(other) { other } else { self }
    }

    /// The earlier of the two.
    pub const fn min(self, other: Seq) -> Seq {
        if self.before(other) { self } else { other }
    }

    /// The order on the circle, as seen from `origin`: for sorting numbers of one window.
    pub fn cmp_from(self, other: Seq, origin: Seq) -> Ordering {
        origin.until(self).cmp(&origin.until(other))
    }
}

impl Add<u32> for Seq {
    type Output = Seq;
    fn add(self, octets: u32) -> Seq {
        Seq(self.0.wrapping_add(octets))
    }
}

impl AddAssign<u32> for Seq {
    fn add_assign(&mut self, octets: u32) {
        *self = *self + octets;
    }
}

impl Sub<u32> for Seq {
    type Output = Seq;
    fn sub(self, octets: u32) -> Seq {
        Seq(self.0.wrapping_sub(octets))
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
