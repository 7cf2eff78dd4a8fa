//! Why segments are lost.

use crate::{FaultId, MiddleboxId};

/// Why a segment that was under way is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossReason {
    /// This fault dropped it.
    Fault(FaultId),
    /// The hosts cannot reach each other.
    Partition,
    /// The host it was for is down.
    HostDown,
    /// The host it was for is paused, and its queue is full.
    HostPaused,
    /// The cable of one of the hosts is out.
    CablePulled,
    /// A black hole took it, because it was too large.
    BlackHole,
    /// No host has the address it was for.
    NoRoute,
    /// Nobody on the LAN answered that it had the address it was for (ARP).
    NeighbourUnresolved,
    /// It was larger than the path's MTU.
    TooLarge,
    /// The queue before the link had no room for it.
    QueueFull,
    /// By chance.
    Random,
    /// A middlebox did not let it pass.
    Middlebox {
        /// Which.
        middlebox: MiddleboxId,
        /// Why.
        why: MiddleboxLoss,
    },
}

/// Why a middlebox does not let a segment pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MiddleboxLoss {
    /// It has no state of the connection, and the segment does not create it.
    NoState,
    /// The segment cannot belong to its connection: it is outside of the windows, or cannot come in this state.
    Invalid,
    /// It creates no state for new connections.
    Blocked,
    /// It has no room for the state of one more connection.
    Full,
    /// No port of its shared address is free for another connection to that destination.
    NoPort,
    /// The SYN uses the addresses and ports of a connection again that it still knew, and forgets now.
    Reused,
    /// It is down.
    Down,
}
