//! Boxes on the way that keep state of connections: NATs, load balancers, firewalls.

use std::time::Duration;

use super::{HostId, Location};

/// Names a middlebox of the scenario: its position in [`Network::middleboxes`](super::Network::middleboxes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MiddleboxId(pub usize);

/// A box that segments pass on their way, and that keeps state of their connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middlebox {
    /// Its name.
    pub name: String,
    /// The two hosts between which it stands; `None`: between all.
    pub between: Option<[HostId; 2]>,
    /// What it does.
    pub settings: MiddleboxSettings,
    /// Where it stands in the text.
    pub location: Location,
}

impl Middlebox {
    /// Whether it stands between these two.
    pub fn is_between(&self, one: HostId, other: HostId) -> bool {
        let both = |[a, b]: [HostId; 2]| (a, b) == (one, other) || (b, a) == (one, other);
        one != other && self.between.is_none_or(both)
    }
}

/// What a middlebox does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MiddleboxSettings {
    /// How long it keeps the state of a connection on which nothing passes.
    pub idle: IdleTimes,
    /// What happens when that time is over.
    pub on_expiry: OnExpiry,
    /// What happens to a segment of a connection that it has no state of, unless it is a SYN.
    pub strays: Strays,
    /// What happens to a segment that it has a connection for, but that can not belong to it.
    pub invalid: Invalid,
    /// The most that the MSS option of a SYN may say, octets; what says more is changed.
    pub mss_clamp: Option<u16>,
    /// Whether it makes no new state: SYNs are lost, and nothing is adopted.
    pub blocks_new: bool,
}

/// How long a middlebox keeps the state of an idle connection, by its state there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdleTimes {
    times: [Option<Duration>; TrackedState::ALL.len()],
    /// No longer than this while it has passed on what nobody has acknowledged yet.
    pub unacknowledged: Option<Duration>,
}

impl IdleTimes {
    /// The same in every state.
    pub const fn all(time: Duration) -> IdleTimes {
        IdleTimes { times: [Some(time); TrackedState::ALL.len()], unacknowledged: None }
    }

    /// How long in this state; `None` is for ever.
    pub const fn of(&self, state: TrackedState) -> Option<Duration> {
        self.times[state as usize]
    }

    /// Says how long in this state; `None` is for ever.
    pub const fn set(&mut self, state: TrackedState, time: Option<Duration>) {
        self.times[state as usize] = time;
    }
}

/// The state of a connection as a box in the middle sees it. The states are those of Linux's nf_conntrack, which say what
/// has passed and not what either end knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrackedState {
    /// A SYN has passed.
    SynSent,
    /// A SYN+ACK has passed.
    SynReceived,
    /// The ACK of the SYN+ACK has passed.
    Established,
    /// A FIN has passed.
    FinWait,
    /// An ACK has passed after it: a half-closed connection, as a rule.
    CloseWait,
    /// Another FIN has passed.
    LastAck,
    /// An ACK has passed after that.
    TimeWait,
    /// A RST has passed.
    Closed,
}

impl TrackedState {
    /// All of them.
    pub const ALL: [TrackedState; 8] = [
        TrackedState::SynSent,
        TrackedState::SynReceived,
        TrackedState::Established,
        TrackedState::FinWait,
        TrackedState::CloseWait,
        TrackedState::LastAck,
        TrackedState::TimeWait,
        TrackedState::Closed,
    ];

    /// How it is spelt. In scenarios, the key under `idle` is the same in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            TrackedState::SynSent => "SYN-SENT",
            TrackedState::SynReceived => "SYN-RECEIVED",
            TrackedState::Established => "ESTABLISHED",
            TrackedState::FinWait => "FIN-WAIT",
            TrackedState::CloseWait => "CLOSE-WAIT",
            TrackedState::LastAck => "LAST-ACK",
            TrackedState::TimeWait => "TIME-WAIT",
            TrackedState::Closed => "CLOSED",
        }
    }

    /// Whether the ends still need the connection, as far as the box knows.
    pub const fn is_over(self) -> bool {
        matches!(self, TrackedState::TimeWait | TrackedState::Closed)
    }
}

/// What a middlebox does when it forgets an idle connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnExpiry {
    /// Nothing.
    #[default]
    Silent,
    /// It sends a RST to both ends, unless the connection is over already.
    ResetBoth,
}

impl OnExpiry {
    /// All of them.
    pub const ALL: [OnExpiry; 2] = [OnExpiry::Silent, OnExpiry::ResetBoth];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            OnExpiry::Silent => "silent",
            OnExpiry::ResetBoth => "reset-both",
        }
    }
}

/// What a middlebox does with a segment of a connection that it has no state of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strays {
    /// It is lost.
    #[default]
    Drop,
    /// It is lost, and its sender gets a RST, unless it is one itself.
    Reset,
    /// It passes and makes new state, in the middle of the connection. What has SYN, FIN or RST is lost.
    Adopt,
    /// It passes, but untranslated: see [`Invalid::Untranslated`].
    Untranslated,
}

impl Strays {
    /// All of them.
    pub const ALL: [Strays; 4] = [Strays::Drop, Strays::Reset, Strays::Adopt, Strays::Untranslated];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Strays::Drop => "drop",
            Strays::Reset => "reset",
            Strays::Adopt => "adopt",
            Strays::Untranslated => "untranslated",
        }
    }
}

/// What a middlebox does with a segment that can not belong to its connection, because it is outside of the windows or
/// can not come in the state that the connection is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invalid {
    /// It passes: nothing is checked.
    #[default]
    Pass,
    /// It is lost.
    Drop,
    /// It passes, but untranslated: it seems to come from an address that the receiver has no connection with. An answer
    /// to that address finds its way back.
    Untranslated,
}

impl Invalid {
    /// All of them.
    pub const ALL: [Invalid; 3] = [Invalid::Pass, Invalid::Drop, Invalid::Untranslated];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Invalid::Pass => "pass",
            Invalid::Drop => "drop",
            Invalid::Untranslated => "untranslated",
        }
    }
}

/// What goes wrong with a middlebox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MiddleboxFault {
    /// It loses the state of all connections. It does not happen if there is none.
    Forget,
    /// It makes no new state any more.
    BlocksNew {
        /// When it does again; `None` is never.
        unblocks_after: Option<Duration>,
    },
    /// It is gone, and nothing passes any more.
    PowerLoss,
    /// It is gone, and comes back without state.
    Reboot {
        /// How long it is away.
        back_after: Duration,
    },
}

impl MiddleboxFault {
    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            MiddleboxFault::Forget => "forget",
            MiddleboxFault::BlocksNew { .. } => "blocks-new",
            MiddleboxFault::PowerLoss => "power-loss",
            MiddleboxFault::Reboot { .. } => "reboot",
        }
    }
}
