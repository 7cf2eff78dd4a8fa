//! What can happen in a run. The types mirror `proto/halfopen/v1/event.proto` one to one.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{SegmentFacts, TrackedState, Unreachable};
use halfopen_tcp::{Cause, DropReason, Errno, Flags, Header, Instant, Purpose, State, Timer, TimerChange};

/// A host: its position in [`RunStarted::hosts`], from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u16);

impl HostId {
    /// The position as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<halfopen_scenario::HostId> for HostId {
    fn from(host: halfopen_scenario::HostId) -> HostId {
        HostId(u16::try_from(host.0).expect("a scenario has at most `Limits::MAX_HOSTS` hosts"))
    }
}

/// A middlebox: its position in [`RunStarted::middleboxes`], from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MiddleboxId(pub u16);

impl MiddleboxId {
    /// The position as an index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl From<halfopen_scenario::MiddleboxId> for MiddleboxId {
    fn from(middlebox: halfopen_scenario::MiddleboxId) -> MiddleboxId {
        let number = u16::try_from(middlebox.0);
        MiddleboxId(number.expect("a scenario has at most `Limits::MAX_MIDDLEBOXES` middleboxes"))
    }
}

/// A connection's number in the run, from 1 in order of first appearance; both ends have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionNumber(pub NonZeroU32);

impl ConnectionNumber {
    /// The connection of that number; `None` for 0.
    pub(crate) fn new(number: usize) -> Option<ConnectionNumber> {
        u32::try_from(number).ok().and_then(NonZeroU32::new).map(ConnectionNumber)
    }

    /// The number from 0.
    pub(crate) const fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A segment's number in the run, from 1 in the order of sending. A duplicate made on the way keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentNumber(pub NonZeroU64);

impl SegmentNumber {
    /// The segment of that number; `None` for 0.
    pub(crate) const fn new(number: u64) -> Option<SegmentNumber> {
        match NonZeroU64::new(number) {
            Some(number) => Some(SegmentNumber(number)),
            None => None,
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in virtual time.
    pub time: Instant,
    /// On which host; `None` for events of the whole run.
    pub host: Option<HostId>,
    /// To which connection, if to one.
    pub connection: Option<ConnectionNumber>,
    /// What.
    pub kind: EventKind,
}

impl Event {
    /// The octets of the datagram that it tells of, if it has them.
    pub fn datagram(&self) -> Option<&Arc<[u8]>> {
        match &self.kind {
            EventKind::SegmentSent(sent) => sent.datagram.as_ref(),
            EventKind::SegmentArrived { datagram, .. }
            | EventKind::DestinationUnreachable { datagram, .. } => datagram.as_ref(),
            EventKind::RunStarted(_)
            | EventKind::ConnectionCreated(_)
            | EventKind::SegmentLost { .. }
            | EventKind::MiddleboxChanged(_)
            | EventKind::StateTransition { .. }
            | EventKind::TimerChanged { .. }
            | EventKind::KeepaliveOutcome { .. }
            | EventKind::ConnectionError(_)
            | EventKind::FaultApplied(_)
            | EventKind::HostChanged(_)
            | EventKind::ApplicationResult(_)
            | EventKind::ExpectationResult(_)
            | EventKind::RunFinished(_) => None,
        }
    }
}

/// What happened. What is large or rare is boxed, so that an event stays small.
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind {
    /// The run began. Always the first event.
    RunStarted(Box<RunStarted>),
    /// A connection came to be on the host.
    ConnectionCreated(Box<ConnectionCreated>),
    /// The host sent a segment.
    SegmentSent(Box<SegmentSent>),
    /// A segment arrived at the host.
    SegmentArrived {
        /// Which.
        segment: SegmentNumber,
        /// Why TCP did not use it; `None` if it did.
        dropped: Option<DropReason>,
        /// Its datagram, if it is not the one that was sent: see [`SegmentSent::datagram`].
        datagram: Option<Arc<[u8]>>,
    },
    /// A segment that was under way is gone; the event's host is the one it was for.
    SegmentLost {
        /// Which.
        segment: SegmentNumber,
        /// Why.
        reason: LossReason,
    },
    /// A router told the host, its sender, that it could not deliver a segment: ICMP destination unreachable, or packet
    /// too big.
    DestinationUnreachable {
        /// Which segment.
        segment: SegmentNumber,
        /// Why not.
        code: Unreachable,
        /// Why TCP did not use the message; `None` if it did.
        dropped: Option<DropReason>,
        /// The datagram of the message: see [`SegmentSent::datagram`].
        datagram: Option<Arc<[u8]>>,
    },
    /// What a middlebox knows of a connection, or does to a segment, changed.
    MiddleboxChanged(Box<MiddleboxChanged>),
    /// A connection changed its state.
    StateTransition {
        /// Before.
        from: State,
        /// After.
        to: State,
        /// Why.
        cause: Cause,
        /// The segment whose arrival it was, if it was one.
        segment: Option<SegmentNumber>,
    },
    /// A timer of a connection was set, fired or was cancelled.
    TimerChanged {
        /// Which.
        timer: Timer,
        /// What it did.
        change: TimerChange,
    },
    /// What keepalive found out.
    KeepaliveOutcome {
        /// What.
        verdict: KeepaliveVerdict,
        /// Probes sent since anything was last received.
        probes: u32,
        /// Time since anything was last received.
        silence: Duration,
    },
    /// An error that the application's next call gets.
    ConnectionError(Errno),
    /// A fault of the scenario was applied.
    FaultApplied(Box<FaultApplied>),
    /// The host goes down, comes back, or stands still; when the run begins every host is up.
    HostChanged(HostState),
    /// A step of an application ended.
    ApplicationResult(Box<ApplicationResult>),
    /// An expectation was checked.
    ExpectationResult(Box<ExpectationResult>),
    /// The run is over. Always the last event.
    RunFinished(Box<RunFinished>),
}

/// A run began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStarted {
    /// The scenario's id.
    pub scenario: String,
    /// Which of its variants; empty if it has none.
    pub variant: String,
    /// The scenario's title.
    pub title: String,
    /// The seed that everything random follows from.
    pub seed: u64,
    /// The version of halfopen that runs it. Same scenario, seed and version: same events.
    pub version: &'static str,
    /// The hosts, in the order of the scenario; [`HostId`] points here.
    pub hosts: Vec<Host>,
    /// The names of the middleboxes, in the order of the scenario; [`MiddleboxId`] points here.
    pub middleboxes: Vec<String>,
}

/// A host of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The profile of its TCP.
    pub profile: &'static str,
}

/// A connection came to be on a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionCreated {
    /// Address and port of the host.
    pub local: SocketAddr,
    /// Address and port of the peer.
    pub remote: SocketAddr,
    /// The host that has the peer's address, if one has.
    pub remote_host: Option<HostId>,
}

/// A host sent a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSent {
    /// Its number.
    pub segment: SegmentNumber,
    /// The host it is for; `None` if no host has the address.
    pub to: Option<HostId>,
    /// Source address and port.
    pub source: SocketAddr,
    /// Destination address and port.
    pub destination: SocketAddr,
    /// The header with its options; numbers as on the wire.
    pub header: Header,
    /// Sequence number relative to the sender's initial one: the SYN has 0.
    pub relative_seq: u32,
    /// Acknowledgment number relative to the peer's initial sequence number; 0 without the ACK bit.
    pub relative_ack: u32,
    /// The peer's initial sequence number, which SACK blocks are relative to; 0 while it is unknown.
    pub peer_iss: u32,
    /// The window as the peer is to understand it, octets.
    pub window: u32,
    /// Octets of its IP datagram.
    pub size: u32,
    /// Why it was sent.
    pub purpose: Purpose,
    /// Whether any of its sequence space was sent before.
    pub retransmission: bool,
    /// The state of the connection at the sender; `None` if it has none there.
    pub sender_state: Option<State>,
    /// The same at the receiver, while the segment is sent.
    pub receiver_state: Option<State>,
    /// Whether no host sent it: a fault or a middlebox made it up, and it arrives as if this host had.
    pub injected: bool,
    /// The middlebox that made it up, if one did.
    pub middlebox: Option<MiddleboxId>,
    /// The first octets of its IP datagram, as many as [`RunOptions::snapshot_length`](crate::RunOptions::snapshot_length)
    /// says; `None` if it says 0.
    pub datagram: Option<Arc<[u8]>>,
}

impl SegmentSent {
    /// What a match of the scenario looks at.
    pub(crate) fn facts(&self, from: HostId) -> SegmentFacts {
        let id = |host: HostId| halfopen_scenario::HostId(host.index());
        SegmentFacts {
            from: Some(id(from)),
            to: self.to.map(id),
            flags: self.header.flags,
            octets: u64::from(self.header.payload),
            size: self.size.into(),
            sequence: self.relative_seq,
            acknowledgment: self.header.flags.contains(Flags::ACK).then_some(self.relative_ack),
            from_state: self.sender_state,
            to_state: self.receiver_state,
            retransmission: self.retransmission,
            keepalive_probe: self.purpose == Purpose::KeepaliveProbe,
            window_probe: self.purpose == Purpose::WindowProbe,
        }
    }
}

/// What a host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostState {
    /// It runs.
    Up,
    /// Its processes do nothing; its kernel runs.
    Frozen,
    /// It does nothing, and forgets nothing.
    Paused,
    /// It is off, and everything it knew of connections is gone. When it is up again it begins anew.
    Down,
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            HostState::Up => "up",
            HostState::Frozen => "frozen",
            HostState::Paused => "paused",
            HostState::Down => "down",
        })
    }
}

/// Why a segment that was under way is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LossReason {
    /// The fault at this position of the scenario, from 1, dropped it.
    Fault(u32),
    /// The hosts cannot reach each other.
    Partition,
    /// The host it was for is down.
    HostDown,
    /// The host it was for is paused, and no more can wait there.
    HostPaused,
    /// The cable of one of the hosts is out.
    CablePulled,
    /// A black hole took it, because it was too large.
    BlackHole,
    /// No host has the address it was for.
    NoRoute,
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
    /// It has no state of the connection, and the segment does not make it.
    NoState,
    /// The segment can not belong to its connection: it is outside of the windows, or can not come in this state.
    Invalid,
    /// It makes no new state.
    Blocked,
    /// It is down.
    Down,
}

impl fmt::Display for MiddleboxLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            MiddleboxLoss::NoState => "no state",
            MiddleboxLoss::Invalid => "invalid",
            MiddleboxLoss::Blocked => "blocks new",
            MiddleboxLoss::Down => "down",
        })
    }
}

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
    /// The segment passed untranslated: the receiver can not know where it is from.
    Untranslated,
}

impl fmt::Display for MiddleboxChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            MiddleboxChange::Created => "created",
            MiddleboxChange::Adopted => "adopted",
            MiddleboxChange::Moved => "moved",
            MiddleboxChange::Expired => "expired",
            MiddleboxChange::Forgotten => "forgotten",
            MiddleboxChange::Clamped => "clamped",
            MiddleboxChange::Untranslated => "untranslated",
        })
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LossReason::Fault(position) => write!(f, "fault {position}"),
            LossReason::Partition => f.write_str("partition"),
            LossReason::HostDown => f.write_str("host is down"),
            LossReason::HostPaused => f.write_str("host is paused, and its queue is full"),
            LossReason::CablePulled => f.write_str("cable is out"),
            LossReason::BlackHole => f.write_str("black hole"),
            LossReason::NoRoute => f.write_str("no host has this address"),
            LossReason::TooLarge => f.write_str("larger than the path's MTU"),
            LossReason::QueueFull => f.write_str("queue is full"),
            LossReason::Random => f.write_str("random loss"),
            LossReason::Middlebox { middlebox, why } => write!(f, "middlebox {}: {why}", middlebox.0 + 1),
        }
    }
}

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

impl fmt::Display for KeepaliveVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            KeepaliveVerdict::Probing => "probing",
            KeepaliveVerdict::Alive => "alive",
            KeepaliveVerdict::Reset => "reset",
            KeepaliveVerdict::Dead => "dead",
        })
    }
}

/// A fault of the scenario was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultApplied {
    /// Position in the scenario's faults, from 1.
    pub fault: u32,
    /// What was done: "drop", "delay 300ms", "power-loss".
    pub action: String,
    /// The segment it was done to, if to one.
    pub segment: Option<SegmentNumber>,
    /// Line of the fault in the YAML.
    pub line: u32,
}

/// A step of an application ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationResult {
    /// The program's name.
    pub program: Arc<str>,
    /// Position of the step in its program, from 1.
    pub step: u32,
    /// The call: "connect", "receive".
    pub call: &'static str,
    /// Octets sent or received by it.
    pub octets: u64,
    /// Whether the peer's end of stream was seen.
    pub end_of_stream: bool,
    /// The error; `None`: it went well.
    pub error: Option<Errno>,
    /// Line of the step in the YAML.
    pub line: u32,
}

/// An expectation was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectationResult {
    /// Position in the scenario's expectations, from 1.
    pub expectation: u32,
    /// Whether it held.
    pub passed: bool,
    /// The expectation in words.
    pub text: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub actual: String,
    /// Sequence of the event that decided it; 0: the end of the run did.
    pub deciding_event: u64,
    /// When it was decided, in virtual time; `None`: at the end of the run.
    pub decided_at: Option<Duration>,
    /// Line of the expectation in the YAML.
    pub line: u32,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every expectation held, every fault and every step happened.
    Passed,
    /// Something expected did not hold, or something did not happen.
    Failed,
    /// A limit, or the reader, ended the run before it was over.
    Unfinished,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Unfinished => "unfinished",
        })
    }
}

/// The run is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFinished {
    /// How it ended.
    pub verdict: Verdict,
    /// Why it is not passed, in words, a reason each; broken expectations are not repeated here.
    pub problems: Vec<String>,
    /// Where each connection ended, on each host: by connection, then host.
    pub final_states: Vec<FinalState>,
    /// Counts.
    pub totals: Totals,
}

/// Where a connection ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalState {
    /// The host.
    pub host: HostId,
    /// The connection.
    pub connection: ConnectionNumber,
    /// Its last state.
    pub state: State,
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Virtual time from start to end.
    pub virtual_time: Duration,
    /// Events, `RunFinished` included.
    pub events: u64,
    /// Segments sent.
    pub segments_sent: u64,
    /// Segments sent again for whatever reason.
    pub retransmissions: u64,
    /// Segments that were sent and never arrived.
    pub segments_lost: u64,
    /// Expectations that held.
    pub expectations_passed: u32,
    /// Expectations that did not.
    pub expectations_failed: u32,
}
