//! Where the drawing of a picture that grows paused: what comes later cannot change the rows above.

use crate::timeline::Entry;

/// The sequence numbers of the last events that each part of a picture shows, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pauses<'a>(pub(super) &'a [u64]);

impl Pauses<'_> {
    /// Whether the rows of one entry were drawn before the other entry was known.
    pub(super) fn separate(self, earlier: &Entry, later: &Entry) -> bool {
        let next = self.0.partition_point(|last| *last < earlier.sequence);
        self.0.get(next).is_some_and(|last| *last < later.sequence)
    }

    /// The last event that is drawn.
    pub(super) fn last(self) -> Option<u64> {
        self.0.last().copied()
    }
}
