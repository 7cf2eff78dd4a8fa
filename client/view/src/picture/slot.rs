//! What stands in a row of a picture.

use std::time::Duration;

use super::row::{Alike, Silence};

/// The content of a row: an item, or several that are folded.
pub(super) enum Slot {
    /// The item at this position of [`Layout::items`].
    Item(usize),
    /// Folded items by their positions, and their description.
    Folded(Vec<usize>, String),
    /// A silence before the item at this position.
    Silence(usize, Silence),
    /// Connections that go the same way as one that is shown.
    Alike(Group),
}

/// Connections that go the same way as another one, with their items.
pub(super) struct Group {
    pub(super) alike: Alike,
    /// Their items, in order.
    pub(super) items: Vec<usize>,
    /// When each begins, that of the first included.
    pub(super) begins: Vec<Duration>,
}
