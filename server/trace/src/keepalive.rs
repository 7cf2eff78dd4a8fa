//! The results of keepalive.

use std::time::Duration;

/// How the peer responded to keepalive.
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

/// A result of keepalive, with the probes and the silence behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepaliveFound {
    /// How the peer responded.
    pub verdict: KeepaliveVerdict,
    /// Probes sent since anything was last received.
    pub probes: u32,
    /// Time since anything was last received.
    pub silence: Duration,
}
