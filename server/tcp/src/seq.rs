//! Sequence numbers: arithmetic modulo 2^32.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A sequence number (RFC 9293 §3.4). Comparisons hold for numbers less than 2^31 apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Seq(pub u32);

impl Seq {
    /// The distance from `self` to `later`, modulo 2^32.
    pub const fn until(self, later: Seq) -> u32 {
        later.0.wrapping_sub(self.0)
    }

    /// Whether `self` is before `other`.
    pub const fn before(self, other: Seq) -> bool {
        (self.0.wrapping_sub(other.0) as i32) < 0
    }

    /// Whether `self` is after `other`.
    pub const fn after(self, other: Seq) -> bool {
        other.before(self)
    }

    /// Whether `self` is before `other` or equal to it.
    pub const fn at_or_before(self, other: Seq) -> bool {
        !other.before(self)
    }

    /// Whether `self` is after `other` or equal to it.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_wrap() {
        let last = Seq(u32::MAX);
        assert_eq!(last + 2, Seq(1));
        assert_eq!(Seq(1) - 2, last);
        assert!(last.before(Seq(0)) && Seq(0).after(last));
        assert_eq!(last.until(Seq(4)), 5);
        assert_eq!((last.max(Seq(3)), last.min(Seq(3))), (Seq(3), last));
    }

    proptest! {
        /// Within half the space the order is that of the distances, wherever the space wraps.
        #[test]
        fn order_is_distance(start: u32, near in 0_u32..1 << 30, far in 0_u32..1 << 30) {
            let (origin, a, b) = (Seq(start), Seq(start) + near, Seq(start) + far);
            prop_assert_eq!(a.before(b), near < far);
            prop_assert_eq!(a.after(b), near > far);
            prop_assert_eq!(a.at_or_before(b), near <= far);
            prop_assert_eq!(a.at_or_after(b), near >= far);
            prop_assert_eq!(a.max(b), origin + near.max(far));
            prop_assert_eq!(a.min(b), origin + near.min(far));
            prop_assert_eq!((a - near, origin.until(a)), (origin, near));
        }
    }
}
