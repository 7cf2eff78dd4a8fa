//! What middleboxes do.

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_scenario::TrackedState;

use crate::{HostId, MiddleboxId, SegmentNumber};

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
    /// The segment that caused the change, if one did.
    pub segment: Option<SegmentNumber>,
}

/// What a middlebox did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MiddleboxChange {
    /// A SYN created the state of a connection.
    Created,
    /// A segment in the middle of a connection created its state.
    Adopted,
    /// The state of a connection changed.
    Moved,
    /// Nothing passed for too long, and the state is gone.
    Expired {
        /// For how long nothing had passed.
        idle: Duration,
    },
    /// The state is lost.
    Forgotten,
    /// It lowered the MSS option of the segment.
    Clamped,
    /// It gave the connection, whose state it has just created, an address and a port. Beyond the middlebox, the end that opened the
    /// connection is known by them.
    Translated {
        /// This address and port.
        to: SocketAddr,
    },
    /// It moves the sequence numbers of one end, beginning with this SYN, and what is acknowledged of them back.
    Renumbered {
        /// The host of this end.
        from: HostId,
        /// How much it adds, modulo 2^32.
        by: u32,
        /// Whether it moves the edges of SACK blocks too.
        with_sack: bool,
    },
    /// The segment passed untranslated: the receiver cannot know where it is from.
    Untranslated,
}
