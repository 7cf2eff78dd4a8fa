//! What keepalive finds out.

use std::time::Duration;

/// What keepalive found out about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeepaliveVerdict {
    /// A probe was sent and has no answer yet.
    Probing,
    /// The peer answered.
    Alive,
    /// The peer answered by RST: it does not know the connection.
    Reset,
    /// Nobody answered: the connection is gone.
    Dead,
}

/// What keepalive found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveFound {
    /// The finding.
    pub verdict: KeepaliveVerdict,
    /// Probes sent since anything was last received.
    pub probes: u32,
    /// Time since anything was last received.
    pub silence: Duration,
}
