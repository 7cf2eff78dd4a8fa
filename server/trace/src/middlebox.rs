//! What middleboxes do.

use halfopen_scenario::TrackedState;

use crate::{MiddleboxId, SegmentNumber};

/// What changed in a middlebox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MiddleboxChanged {
    /// Which.
    pub middlebox: MiddleboxId,
    /// What it did.
    pub change: MiddleboxChange,
    /// The connection's state there before; `None`: it had none.
    pub before: Option<TrackedState>,
    /// The same after.
    pub after: Option<TrackedState>,
    /// The segment that it was because of, if it was one.
    pub segment: Option<SegmentNumber>,
}

/// What a middlebox did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MiddleboxChange {
    /// A SYN made state of a connection.
    Created,
    /// A segment in the middle of a connection made state of it.
    Adopted,
    /// The state of a connection is another.
    Moved,
    /// Nothing passed for too long, and the state is gone.
    Expired,
    /// The state is lost.
    Forgotten,
    /// The MSS option of the segment says less now.
    Clamped,
    /// The segment passed untranslated: the receiver cannot know where it is from.
    Untranslated,
}
