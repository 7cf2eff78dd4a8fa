//! The story of one connection as beats: things that happened, each put together from the events it consists of. Repeats
//! are one beat.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{
    HostState, MiddleboxChange, MiddleboxState, StepKind, TcpDropReason, TcpState, UnreachableCode,
};

use super::phrases::Reasons;
use super::recovery::Recovery;
use crate::stall::Held;
use crate::timeline::{EntryIndex, Fault, HostIndex, Segment, Timeline};

/// The beats of a connection, in the order of their beginnings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Story {
    pub(super) beats: Vec<Beat>,
    /// What was lost and sent again.
    pub(super) recoveries: Vec<Recovery>,
}

/// Something that happened, from an entry to an entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Beat {
    pub(super) from: EntryIndex,
    pub(super) until: EntryIndex,
    /// How often it happened.
    pub(super) count: usize,
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// Somebody called `connect`; where each host's end was ESTABLISHED.
    Opening { by: HostIndex, crossed: bool, established: Vec<(HostIndex, EntryIndex)> },
    /// Applications sent and received.
    Transfer(BTreeMap<HostIndex, Moved>),
    /// Segments were lost, or sent again: a number of [`Story::recoveries`].
    Recovery(usize),
    /// Segments without sequence space were lost.
    Lost { host: HostIndex, label: String, reasons: Reasons },
    /// Keepalive or window probes.
    Probes(Probes),
    /// The window of a host closed.
    WindowClosed { host: HostIndex },
    /// A host delayed its acknowledgments, each for this long; meanwhile the peer's Nagle algorithm held data back.
    DelayedAcks { host: HostIndex, delays: Vec<Duration>, held: Option<Held> },
    /// The state of an end changed, other than by opening.
    Step { host: HostIndex, from: TcpState, reset: Option<Reset> },
    /// An application read the end of the stream.
    EndOfStream { host: HostIndex },
    /// A call failed.
    Failed { host: HostIndex, call: StepKind, octets: u64, error: String },
    /// An error is pending for the next call of the application.
    Error { host: HostIndex, errno: String },
    /// A fault struck a host, or the network. What the host does since then, if that changed.
    Fault { host: Option<HostIndex>, fault: Fault, state: Option<HostState> },
    /// A host changes what it does, for no reported reason.
    Host { host: HostIndex, state: HostState },
    /// A fault did something to segments, other than losing them.
    Altered { host: Option<HostIndex>, fault: Fault, label: String },
    /// A segment that no host sent: in whose name, and by which fault or middlebox.
    Forged { name: Option<HostIndex>, by: Forger, label: String },
    /// Segments that were not used.
    NotUsed {
        host: HostIndex,
        from: Option<HostIndex>,
        label: String,
        why: TcpDropReason,
        /// The state of the host's end then; `None`: it never had one.
        state: Option<TcpState>,
        answer: Option<(Answer, usize)>,
    },
    /// A reset on its own.
    Reset { host: HostIndex, reset: Reset },
    /// A segment could not be delivered: a router says so, or the host itself, which found no neighbour; then for which host.
    Unreachable {
        host: HostIndex,
        label: String,
        code: UnreachableCode,
        mtu: u32,
        dropped: TcpDropReason,
        neighbour: Option<Option<HostIndex>>,
    },
    /// A middlebox did something.
    Middlebox {
        name: String,
        change: MiddleboxChange,
        before: MiddleboxState,
        translated_to: String,
        idle: Duration,
        sack_kept: bool,
    },
}

/// Who made up a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Forger {
    Fault(u32),
    Middlebox(String),
    Unknown,
}

/// What an application moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) sends: usize,
    pub(super) sent: u64,
    pub(super) receives: usize,
    pub(super) received: u64,
}

/// A RST that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reset {
    /// Why it was lost, if it was.
    pub(super) lost: Reasons,
}

/// How what was not used was answered.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Reset(Reset),
    Challenge,
    Ack,
}

/// Probes of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Probes {
    pub(super) host: HostIndex,
    pub(super) of_window: bool,
    /// Where each was sent.
    pub(super) sent: Vec<EntryIndex>,
    /// Those that were answered.
    pub(super) answered: usize,
    /// Whether the last was answered by a RST.
    pub(super) reset: bool,
    pub(super) lost: Reasons,
    /// The silence before the first.
    pub(super) silence: Duration,
    /// The silence before the last.
    pub(super) latest: Duration,
}

impl Probes {
    pub(super) fn add(&mut self, sent: EntryIndex, segment: &Segment, timeline: &Timeline) {
        self.sent.push(sent);
        self.lost.add(timeline, segment);
    }

    /// Removes the last probe, for another beat.
    pub(super) fn split(&mut self, others: &mut Probes, timeline: &Timeline) {
        let Some(last) = self.sent.pop() else { return };
        if let Some(segment) = timeline.segment(last) {
            others.add(last, segment, timeline);
        }
        // Those before were answered, so none of them was lost.
        self.lost = Reasons::default();
    }
}

impl What {
    /// The faults that it tells of.
    pub(super) fn faults(&self, recoveries: &[Recovery]) -> Vec<u32> {
        match self {
            What::Fault { fault, .. } | What::Altered { fault, .. } => vec![fault.number],
            What::Forged { by: Forger::Fault(number), .. } => vec![*number],
            What::Recovery(number) => {
                recoveries.get(*number).map(|recovery| recovery.lost.faults().collect()).unwrap_or_default()
            }
            What::Lost { reasons, .. } => reasons.faults().collect(),
            What::Probes(probes) => probes.lost.faults().collect(),
            What::Step { reset: Some(reset), .. }
            | What::Reset { reset, .. }
            | What::NotUsed { answer: Some((Answer::Reset(reset), _)), .. } => reset.lost.faults().collect(),
            What::Forged { .. }
            | What::Opening { .. }
            | What::Transfer(_)
            | What::WindowClosed { .. }
            | What::DelayedAcks { .. }
            | What::Step { .. }
            | What::EndOfStream { .. }
            | What::Failed { .. }
            | What::Error { .. }
            | What::Host { .. }
            | What::NotUsed { .. }
            | What::Unreachable { .. }
            | What::Middlebox { .. } => Vec::new(),
        }
    }

    /// Takes something alike into this.
    pub(super) fn takes(&mut self, other: &What) -> bool {
        match (self, other) {
            (What::Transfer(known), What::Transfer(new)) => {
                for (host, new) in new {
                    let known = known.entry(*host).or_default();
                    known.sends += new.sends;
                    known.sent += new.sent;
                    known.receives += new.receives;
                    known.received += new.received;
                }
                true
            }
            (What::Lost { host, label, reasons }, What::Lost { host: other, label: what, reasons: new }) => {
                let same = host == other && label == what;
                if same {
                    reasons.extend(new);
                }
                same
            }
            (
                What::NotUsed { host, from, label, why, state, .. },
                What::NotUsed { host: other, from: whom, label: what, why: reason, state: then, .. },
            ) => (&*host, &*from, &*label, &*why, &*state) == (other, whom, what, reason, then),
            (
                What::DelayedAcks { host, delays, held },
                What::DelayedAcks { host: other, delays: new, held: what },
            ) => {
                let same = host == other && held == what;
                if same {
                    delays.extend(new);
                }
                same
            }
            (
                known @ (What::Failed { octets: 0, .. }
                | What::Altered { .. }
                | What::Forged { .. }
                | What::Unreachable { .. }
                | What::Middlebox { .. }),
                other,
            ) => *known == *other,
            _ => false,
        }
    }
}
