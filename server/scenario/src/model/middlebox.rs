//! Middleboxes that track connections: NATs, load balancers, firewalls.

use std::net::IpAddr;
use std::time::Duration;

use super::{HostId, Location};

/// Identifies a middlebox of the scenario: its index in [`Network::middleboxes`](super::Network::middleboxes).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MiddleboxId(pub usize);

/// A middlebox: segments pass it on their way, and it keeps state of their connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Middlebox {
    /// Its name.
    pub name: String,
    /// Whose segments pass it.
    pub stands: Stands,
    /// What it does.
    pub settings: MiddleboxSettings,
    /// Its place in the text.
    pub location: Location,
}

impl Middlebox {
    /// Whether a segment from one host to another passes it.
    pub fn is_on_way(&self, from: HostId, to: HostId) -> bool {
        from != to
            && match &self.stands {
                Stands::Everywhere => true,
                Stands::Between([a, b]) => (*a, *b) == (from, to) || (*b, *a) == (from, to),
                Stands::InFrontOf(hosts) => hosts.contains(&from) != hosts.contains(&to),
                Stands::OneWay { from: a, to: b } => (*a, *b) == (from, to),
            }
    }
}

/// Where a middlebox stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stands {
    /// Between all hosts.
    #[default]
    Everywhere,
    /// Between these two.
    Between([HostId; 2]),
    /// Between each of these and all others.
    InFrontOf(Vec<HostId>),
    /// On the way from one host to another; the way back avoids it (asymmetric routing).
    OneWay {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
    },
}

/// What a middlebox does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MiddleboxSettings {
    /// How long it keeps the state of a connection on which nothing passes.
    pub idle: IdleTimes,
    /// What happens when that time has passed.
    pub on_expiry: OnExpiry,
    /// What happens to a segment, other than a SYN, of a connection that it has no state of.
    pub strays: Strays,
    /// What happens to a segment that cannot belong to its connection.
    pub invalid: Invalid,
    /// The largest MSS option that a SYN may have, in octets; a larger one is reduced to it.
    pub mss_clamp: Option<u16>,
    /// The address that the hosts behind it share.
    pub translates: Option<Translates>,
    /// Whether it creates no new state: SYNs are lost, and no connection is adopted.
    pub blocks_new: bool,
    /// What it does with sequence numbers.
    pub sequence_numbers: SequenceNumbers,
    /// The most connections that it can keep state of; `None`: any number.
    pub max_connections: Option<u32>,
    /// What happens to a segment that would create the state of one more.
    pub on_full: OnFull,
    /// What happens to a SYN between the sockets of a connection in TIME-WAIT.
    pub on_reuse: OnReuse,
}

/// The hosts behind a middlebox share an address: network address and port translation (RFC 3022 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Translates {
    /// The address that their connections have beyond the middlebox.
    pub to: IpAddr,
    /// How many of its ports the middlebox uses. To each socket outside there can be as many connections.
    pub ports: u16,
}

impl Translates {
    /// The first port that is used: those below are well-known (RFC 6056 §3.2).
    pub const FIRST_PORT: u16 = 1024;
    /// The ports from there on.
    pub const MAX_PORTS: u16 = u16::MAX - Translates::FIRST_PORT + 1;
}

/// How long a middlebox keeps the state of an idle connection, by its state there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdleTimes {
    times: [Option<Duration>; TrackedState::ALL.len()],
    /// The longest such time while something that has passed it is unacknowledged.
    pub unacknowledged: Option<Duration>,
}

impl IdleTimes {
    /// The same time in every state.
    pub const fn all(time: Duration) -> IdleTimes {
        IdleTimes { times: [Some(time); TrackedState::ALL.len()], unacknowledged: None }
    }

    /// The time in this state; `None` is forever.
    pub const fn of(&self, state: TrackedState) -> Option<Duration> {
        self.times[state as usize]
    }

    /// Sets the time in this state; `None` is forever.
    pub const fn set(&mut self, state: TrackedState, time: Option<Duration>) {
        self.times[state as usize] = time;
    }
}

/// The state of a connection as a middlebox sees it. The states are those of Linux's nf_conntrack: they tell what has
/// passed, not what either end knows.
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
    /// An ACK has passed after the FIN: usually the connection is half-closed.
    CloseWait,
    /// Another FIN has passed.
    LastAck,
    /// An ACK has passed after the second FIN.
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

    /// Its name. In scenarios, the key under `idle` is the same in lower case.
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

    /// Whether the connection is over, as far as the middlebox knows.
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
    /// It sends a RST to both ends, unless the connection is already over.
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

/// What a middlebox does with a segment that would create the state of one connection too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnFull {
    /// It is lost.
    #[default]
    Drop,
    /// It is lost, and its sender gets a RST.
    Reset,
    /// It passes; the connection on which nothing has passed for the longest time is forgotten.
    ForgetOldest,
}

impl OnFull {
    /// All of them.
    pub const ALL: [OnFull; 3] = [OnFull::Drop, OnFull::Reset, OnFull::ForgetOldest];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            OnFull::Drop => "drop",
            OnFull::Reset => "reset",
            OnFull::ForgetOldest => "forget-oldest",
        }
    }
}

/// What a middlebox does with the sequence numbers of a connection, from its first SYN on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SequenceNumbers {
    /// It leaves them as they are.
    #[default]
    Kept,
    /// It adds a random number to those of each direction, and takes it off acknowledgments and SACK blocks, so that nobody can
    /// guess the initial ones.
    Randomised,
    /// The same, except that it leaves SACK blocks as they are, which then name octets that their receiver never sent.
    RandomisedExceptSack,
}

impl SequenceNumbers {
    /// All of them.
    pub const ALL: [SequenceNumbers; 3] =
        [SequenceNumbers::Kept, SequenceNumbers::Randomised, SequenceNumbers::RandomisedExceptSack];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            SequenceNumbers::Kept => "kept",
            SequenceNumbers::Randomised => "randomised",
            SequenceNumbers::RandomisedExceptSack => "randomised-except-sack",
        }
    }
}

/// What a middlebox does with a SYN between the sockets of a connection in TIME-WAIT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OnReuse {
    /// It passes, and new state is created.
    #[default]
    Pass,
    /// It is lost, and the connection is forgotten, so that the retransmission passes (Linux IPVS before 5.9, `conn_reuse_mode` 1).
    DropFirstSyn,
}

impl OnReuse {
    /// All of them.
    pub const ALL: [OnReuse; 2] = [OnReuse::Pass, OnReuse::DropFirstSyn];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            OnReuse::Pass => "pass",
            OnReuse::DropFirstSyn => "drop-first-syn",
        }
    }
}

/// What a middlebox does with a segment of a connection that it has no state of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strays {
    /// It is lost.
    #[default]
    Drop,
    /// It is lost, and its sender gets a RST, unless it is itself a RST.
    Reset,
    /// It passes and creates new state in the middle of the connection. A segment with SYN, FIN or RST is lost.
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

/// What a middlebox does with a segment that cannot belong to its connection, because it is outside the windows or
/// invalid in the connection's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invalid {
    /// It passes: nothing is checked.
    #[default]
    Pass,
    /// It is lost.
    Drop,
    /// It passes untranslated: it appears to come from an address that the receiver has no connection with. An answer to
    /// that address reaches its sender.
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
    /// It creates no new state.
    BlocksNew {
        /// When it does so again; `None` is never.
        unblocks_after: Option<Duration>,
    },
    /// It loses power, and nothing passes.
    PowerLoss,
    /// It loses power, and returns without any state.
    Reboot {
        /// How long it is down.
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
