//! The events of a run with their parts joined: a segment knows its arrivals, its losses and its faults; hosts are
//! positions. Every picture of a run is drawn from this.

mod builder;
mod closing;

use std::collections::BTreeSet;
use std::time::Duration;

use halfopen_proto::v1::{
    Cause, Event, FaultKind, FaultPhase, HostState, KeepaliveVerdict, LossReason, MiddleboxChange,
    MiddleboxState, SegmentLost, StepKind, TcpDropReason, TcpFlags, TcpPurpose, TcpState, TcpTimer,
    TimerChange, UnreachableCode,
};

use self::builder::Builder;
pub use self::closing::Closer;
use crate::words;

/// The events of a run, joined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// The names of the hosts, in the order of the scenario. [`HostIndex`] points here.
    pub hosts: Vec<String>,
    /// The number of connections.
    pub connections: u32,
    /// What happened, in order.
    pub entries: Vec<Entry>,
    /// The ends of connections, in the order of creation.
    pub ends: Vec<End>,
    /// The hosts whose applications are not in the scenario: their calls are made from outside.
    pub outside: BTreeSet<HostIndex>,
    /// The ends whose applications waited in `close()`, as SO_LINGER lets them.
    lingering: BTreeSet<(HostIndex, u32)>,
}

/// One end of a connection, as it was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The event's sequence number in the run.
    pub sequence: u64,
    /// Its host.
    pub host: HostIndex,
    /// The connection. A host that lost its end may get another one of the same connection.
    pub connection: u32,
    /// Address and port of the host.
    pub local: String,
    /// Address and port of the peer.
    pub remote: String,
    /// The host that has the peer's address; `None` if none has.
    pub peer: Option<HostIndex>,
    /// The number of the connection at its other end, if that was created before on the same host; 0 otherwise: both ends
    /// have the same number.
    pub peer_connection: u32,
}

/// A host's position in [`Timeline::hosts`].
pub type HostIndex = usize;

/// A position in [`Timeline::entries`].
pub type EntryIndex = usize;

/// An entry of a timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The event's sequence number in the run.
    pub sequence: u64,
    /// Virtual time since the start of the run.
    pub time: Duration,
    /// The host; `None` for what concerns the whole run.
    pub host: Option<HostIndex>,
    /// The connection; 0: none.
    pub connection: u32,
    /// What happened.
    pub kind: EntryKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryKind {
    /// The host sent a segment.
    Sent(Box<Segment>),
    /// A segment arrived at the host.
    Arrived {
        /// Where it was sent.
        segment: EntryIndex,
        /// Which of its arrivals this is, from 1: a segment that was duplicated on the way arrives twice.
        copy: usize,
        /// Why TCP did not use it; unspecified if it did.
        dropped: TcpDropReason,
    },
    /// A segment that was under way is gone.
    Lost {
        /// Where it was sent.
        segment: EntryIndex,
    },
    /// A router reported to the host that it could not deliver a segment.
    Unreachable {
        /// Where it was sent.
        segment: EntryIndex,
        /// Why not.
        code: UnreachableCode,
        /// The MTU of the next link in bytes, if that is why.
        mtu: u32,
        /// Why TCP did not use the message; unspecified if it did.
        dropped: TcpDropReason,
    },
    /// Something changed in a middlebox.
    Middlebox {
        /// Its name.
        name: String,
        /// What happened to it.
        change: MiddleboxChange,
        /// The connection's state there before.
        before: MiddleboxState,
        /// The address and the port that it gave the connection; empty: none.
        translated_to: String,
        /// For how long nothing had passed, if it forgot the connection for that.
        idle: Duration,
        /// Whether it moves sequence numbers, but not those in SACK blocks.
        sack_kept: bool,
    },
    /// A connection of the host changed its state.
    Transition {
        /// Before.
        from: TcpState,
        /// After.
        to: TcpState,
        /// Where the segment was sent whose arrival was the cause, if there is one.
        by_segment: Option<EntryIndex>,
        /// Why it changed.
        cause: Cause,
    },
    /// A timer was set, fired or was cancelled.
    Timer {
        /// The timer.
        timer: TcpTimer,
        /// What happened to it.
        change: TimerChange,
        /// When it will fire, if it was set.
        expires: Duration,
    },
    /// What keepalive found out.
    Keepalive {
        /// What happened.
        verdict: KeepaliveVerdict,
        /// Probes since anything was last received.
        probes: u32,
        /// Time since anything was last received.
        silence: Duration,
    },
    /// An error for the next call of the application: its POSIX name.
    Error(String),
    /// A fault was applied to the host or the network. Those applied to segments are in [`Segment::faults`].
    Fault(Fault),
    /// The host goes down, comes back, or is suspended.
    Host(HostState),
    /// The run is over.
    End,
    /// A step of an application ended; or a call that is no step returned an error, or saw the end of the stream.
    Application {
        /// The name of the program; empty if the scenario does not have it.
        program: String,
        /// The step's position in its program, from 1.
        step: u32,
        /// The step's line in the scenario's text; 0: not known.
        line: u32,
        /// What the step does; unspecified if the call is no step.
        call: StepKind,
        /// Bytes sent or received.
        octets: u64,
        /// Whether the peer's end of stream was seen.
        end_of_stream: bool,
        /// The POSIX name of the error; empty: none.
        error: String,
    },
    /// An application wrote to the connection.
    Written {
        /// The number of bytes that the send buffer accepted.
        octets: u64,
    },
    /// An application read from the connection.
    Read {
        /// The number of bytes.
        octets: u64,
    },
}

/// A fault that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its position in the scenario's faults, from 1.
    pub number: u32,
    /// What it does.
    pub kind: FaultKind,
    /// Whether it began or ended.
    pub phase: FaultPhase,
    /// What was done, in words.
    pub action: String,
    /// Its line in the scenario's text; 0: not known.
    pub line: u32,
    /// The middlebox that it is applied to; empty: none.
    pub middlebox: String,
    /// The address that it moves, if that is what it does.
    pub address: Option<AddressMove>,
}

/// An address that another host has from now on, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressMove {
    /// The address.
    pub address: String,
    /// The host that had it; `None` if none did.
    pub from: Option<HostIndex>,
    /// The host that has it now; `None` if none does.
    pub to: Option<HostIndex>,
}

/// A segment and what happened to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its number in the run.
    pub number: u64,
    /// The destination host; `None` if no host has the address.
    pub to: Option<HostIndex>,
    /// The control bits.
    pub flags: TcpFlags,
    /// Relative sequence number.
    pub seq: u32,
    /// Relative acknowledgment number; `None` without the ACK bit.
    pub ack: Option<u32>,
    /// Bytes of data.
    pub length: u32,
    /// The largest segment that the sender accepts, in bytes of data, if it says so.
    pub mss: Option<u32>,
    /// The window in bytes, after scaling.
    pub window: u32,
    /// Why it was sent.
    pub purpose: TcpPurpose,
    /// Whether any of its sequence space was sent before.
    pub retransmission: bool,
    /// Whether a fault or a middlebox injected it: the host did not send it.
    pub injected: bool,
    /// The middlebox that injected it; empty: none.
    pub middlebox: String,
    /// The faults that were applied to it, in order.
    pub faults: Vec<Fault>,
    /// Where it arrived, in order.
    pub arrivals: Vec<EntryIndex>,
    /// Why it, or a copy of it, was lost; one for each loss.
    pub losses: Vec<SegmentLost>,
}

impl Fault {
    /// Whether it concerns a host, if it was applied to `host`; `None` is the network, and concerns everybody. A move of an
    /// address concerns the host that loses it, too.
    pub fn concerns(&self, host: Option<HostIndex>, other: HostIndex) -> bool {
        match &self.address {
            Some(AddressMove { from, to, .. }) => [*from, *to].contains(&Some(other)),
            None => host.is_none_or(|host| host == other),
        }
    }
}

impl Segment {
    /// Whether it never left its host, because nobody on the LAN answered for its destination.
    pub fn found_no_neighbour(&self) -> bool {
        self.losses.iter().any(|lost| lost.reason() == LossReason::NeighbourUnresolved)
    }

    /// Why it, or a copy of it, was lost: `fault 1: drop`, `host is down`.
    pub fn why_lost(&self, lost: &SegmentLost) -> String {
        let by =
            lost.fault.as_ref().and_then(|by| self.faults.iter().find(|fault| fault.number == by.number));
        let action = by.map(|fault| format!(": {}", fault.action)).unwrap_or_default();
        words::loss(lost) + &action
    }

    /// Whether this fault lost it, or a copy of it.
    pub fn is_lost_by(&self, fault: u32) -> bool {
        self.losses.iter().any(|lost| lost.fault.as_ref().is_some_and(|by| by.number == fault))
    }
}

impl Timeline {
    /// Joins the events of a run. Events that do not fit, such as the arrival of a segment that was never sent, are
    /// left out.
    pub fn new<'a>(events: impl IntoIterator<Item = &'a Event>) -> Timeline {
        let mut builder = Builder::default();
        for event in events {
            builder.add(event);
        }
        builder.finish()
    }

    /// The number that a connection has at its other end, if both ends are on one host.
    pub fn other_number(&self, connection: u32) -> Option<u32> {
        let numbers = |end: &End| [end.connection, end.peer_connection];
        let pairs = self.ends.iter().filter(|end| end.peer_connection != 0).map(numbers);
        pairs.into_iter().find_map(|[one, other]| match connection {
            _ if connection == one => Some(other),
            _ if connection == other => Some(one),
            _ => None,
        })
    }

    /// Whether a connection is that of a socket to itself.
    pub fn is_loop(&self, connection: u32) -> bool {
        self.ends.iter().any(|end| end.connection == connection && end.local == end.remote)
    }

    /// The segment that was sent at `index`; `None` if that entry is something else.
    pub fn segment(&self, index: EntryIndex) -> Option<&Segment> {
        if let EntryKind::Sent(segment) = &self.entries.get(index)?.kind { Some(segment) } else { None }
    }
}
