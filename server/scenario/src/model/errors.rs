//! Sets of errors.

use halfopen_tcp::Errno;

/// A set of errors, of which any one is enough. No scenario that is loaded has an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errors {
    /// A bit for each error of [`Errno::ALL`], in its order.
    bits: u32,
}

impl Errors {
    /// Whether an error is one of them.
    pub fn contains(self, errno: Errno) -> bool {
        self.iter().any(|known| known == errno)
    }

    /// Each of them, in the order of [`Errno::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Errno> {
        Errno::ALL
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.bits >> bit & 1 == 1)
            .map(|(_, errno)| errno)
    }
}

impl FromIterator<Errno> for Errors {
    fn from_iter<I: IntoIterator<Item = Errno>>(errors: I) -> Errors {
        let bit = |errno| Errno::ALL.iter().position(|known| *known == errno);
        Errors { bits: errors.into_iter().filter_map(bit).fold(0, |bits, bit| bits | 1 << bit) }
    }
}

impl From<Errno> for Errors {
    fn from(errno: Errno) -> Errors {
        Errors::from_iter([errno])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_into_it_once() {
        let errors = Errors::from_iter([Errno::TimedOut, Errno::Again, Errno::TimedOut]);
        assert_eq!(errors.iter().collect::<Vec<_>>(), [Errno::TimedOut, Errno::Again]);
        for errno in Errno::ALL {
            assert_eq!(errors.contains(errno), matches!(errno, Errno::TimedOut | Errno::Again));
            assert_eq!(Errors::from(errno).iter().collect::<Vec<_>>(), [errno]);
        }
    }
}
