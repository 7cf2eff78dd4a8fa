//! The events of a run with their parts joined: a segment knows its arrivals, its losses and its faults; hosts are
//! positions. Every picture of a run is drawn from this.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{
    ApplicationResult, CallReturned, Cause, ConnectionCreated, Event, FaultApplied, FaultKind, FaultPhase,
    HostState, KeepaliveVerdict, LossReason, MiddleboxChange, MiddleboxState, SegmentLost, SegmentSent,
    StateTransition, StepKind, TcpDropReason, TcpFlags, TcpPurpose, TcpState, TcpTimer, TimerChange,
    TimerChanged, UnreachableCode, cause, event,
};

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
    /// A step of an application ended.
    Application {
        /// The name of the program.
        program: String,
        /// The step's position in its program, from 1.
        step: u32,
        /// The step's line in the scenario's text; 0: not known.
        line: u32,
        /// What the step does.
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
    fn new(applied: &FaultApplied) -> Fault {
        let (number, line) = applied.fault.as_ref().map_or((0, 0), |fault| (fault.number, fault.line));
        Fault { number, kind: applied.kind(), phase: applied.phase(), action: words::fault(applied), line }
    }
}

impl Segment {
    /// Whether it never left its host, because nobody on the LAN answered for its destination.
    pub fn found_no_neighbour(&self) -> bool {
        self.losses.iter().any(|lost| lost.reason() == LossReason::NeighbourUnresolved)
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

#[derive(Default)]
struct Builder {
    timeline: Timeline,
    /// Where each segment was sent, by its number.
    sent: BTreeMap<u64, EntryIndex>,
    /// Faults by the number of their segment; they may come before the segment itself.
    faults: BTreeMap<u64, Vec<Fault>>,
}

impl Builder {
    fn add(&mut self, event: &Event) {
        let Some(kind) = self.kind(event) else { return };
        let host = (!event.host.is_empty()).then(|| self.host(&event.host));
        self.timeline.connections = self.timeline.connections.max(event.connection);
        self.timeline.entries.push(Entry {
            sequence: event.sequence,
            time: words::from_proto(event.time.as_ref()),
            host,
            connection: event.connection,
            kind,
        });
    }

    /// The entry of an event; `None` if it has no entry of its own.
    fn kind(&mut self, event: &Event) -> Option<EntryKind> {
        use event::Kind;
        let here = self.timeline.entries.len();
        Some(match event.kind.as_ref()? {
            Kind::SegmentSent(sent) => {
                self.sent.insert(sent.segment, here);
                EntryKind::Sent(Box::new(self.segment(sent)))
            }
            Kind::SegmentArrived(arrived) => {
                let segment = *self.sent.get(&arrived.segment)?;
                let arrivals = &mut self.sent_segment(segment)?.arrivals;
                arrivals.push(here);
                EntryKind::Arrived { segment, copy: arrivals.len(), dropped: arrived.drop_reason() }
            }
            Kind::SegmentLost(lost) => {
                let segment = *self.sent.get(&lost.segment)?;
                self.sent_segment(segment)?.losses.push(lost.clone());
                EntryKind::Lost { segment }
            }
            Kind::DestinationUnreachable(message) => EntryKind::Unreachable {
                segment: *self.sent.get(&message.segment)?,
                code: message.code(),
                mtu: message.mtu,
                dropped: message.drop_reason(),
            },
            Kind::MiddleboxChanged(changed) => EntryKind::Middlebox {
                name: changed.middlebox.clone(),
                change: changed.change(),
                before: changed.before(),
                translated_to: changed.translated_to.clone(),
            },
            Kind::StateTransition(transition) => self.transition(transition),
            Kind::TimerChanged(changed) => timer(changed),
            Kind::KeepaliveOutcome(outcome) => EntryKind::Keepalive {
                verdict: outcome.verdict(),
                probes: outcome.probes,
                silence: words::from_proto(outcome.silence.as_ref()),
            },
            Kind::ConnectionError(error) => EntryKind::Error(error.errno.clone()),
            Kind::HostChanged(changed) => EntryKind::Host(changed.state()),
            Kind::FaultApplied(applied) => {
                let fault = Fault::new(applied);
                if applied.segment != 0 {
                    self.faults.entry(applied.segment).or_default().push(fault);
                    return None;
                }
                EntryKind::Fault(fault)
            }
            Kind::ApplicationResult(result) => application(result),
            // A call within a step; those of applications outside of the scenario are not shown.
            Kind::CallReturned(CallReturned { error, end_of_stream, step: Some(step) }) => {
                application(&ApplicationResult {
                    step: Some(step.clone()),
                    end_of_stream: *end_of_stream,
                    error: error.clone(),
                    ..ApplicationResult::default()
                })
            }
            Kind::CallReturned(CallReturned { step: None, .. }) => return None,
            Kind::RunStarted(started) => {
                self.timeline.hosts = started.hosts.iter().map(|host| host.name.clone()).collect();
                return None;
            }
            Kind::ConnectionCreated(created) => {
                let end = self.end(event, created);
                self.timeline.ends.push(end);
                return None;
            }
            Kind::RunFinished(_) => EntryKind::End,
            Kind::DataWritten(written) => EntryKind::Written { octets: written.bytes },
            Kind::DataRead(read) => EntryKind::Read { octets: read.bytes },
            // Steps and their results describe what applications do; a result says how a run ended.
            Kind::ConnectionOpened(_)
            | Kind::FaultAdded(_)
            | Kind::StepBlocked(_)
            | Kind::DataMistaken(_)
            | Kind::TcpInfo(_)
            | Kind::LimitReached(_)
            | Kind::RunStopped(_)
            | Kind::ExpectationResult(_) => return None,
        })
    }

    fn end(&mut self, event: &Event, created: &ConnectionCreated) -> End {
        End {
            sequence: event.sequence,
            host: self.host(&event.host),
            connection: event.connection,
            local: created.local.clone(),
            remote: created.remote.clone(),
            peer: (!created.remote_host.is_empty()).then(|| self.host(&created.remote_host)),
            peer_connection: created.peer_connection,
        }
    }

    fn segment(&mut self, sent: &SegmentSent) -> Segment {
        let flags = sent.flags.unwrap_or_default();
        Segment {
            number: sent.segment,
            to: (!sent.receiver.is_empty()).then(|| self.host(&sent.receiver)),
            flags,
            seq: sent.relative_sequence_number,
            ack: flags.ack.then_some(sent.relative_acknowledgment_number),
            length: sent.length,
            mss: sent.options.as_ref().and_then(|options| options.mss),
            window: sent.window,
            purpose: sent.purpose(),
            retransmission: sent.retransmission,
            injected: sent.injected,
            middlebox: sent.middlebox.clone(),
            faults: Vec::new(),
            arrivals: Vec::new(),
            losses: Vec::new(),
        }
    }

    fn transition(&self, transition: &StateTransition) -> EntryKind {
        let cause = transition.cause.clone().unwrap_or_default();
        let by_segment = match &cause.origin {
            Some(cause::Origin::Segment(segment)) => self.sent.get(&segment.segment).copied(),
            _ => None,
        };
        EntryKind::Transition { from: transition.before(), to: transition.after(), by_segment, cause }
    }

    fn sent_segment(&mut self, index: EntryIndex) -> Option<&mut Segment> {
        let kind = &mut self.timeline.entries.get_mut(index)?.kind;
        if let EntryKind::Sent(segment) = kind { Some(segment) } else { None }
    }

    /// The position of a host; one that was not announced is added at the end.
    fn host(&mut self, name: &str) -> HostIndex {
        let hosts = &mut self.timeline.hosts;
        hosts.iter().position(|host| host == name).unwrap_or_else(|| {
            hosts.push(name.to_owned());
            hosts.len() - 1
        })
    }

    fn finish(mut self) -> Timeline {
        for (number, faults) in std::mem::take(&mut self.faults) {
            let index = self.sent.get(&number).copied();
            if let Some(segment) = index.and_then(|index| self.sent_segment(index)) {
                segment.faults = faults;
            }
        }
        self.timeline
    }
}

fn application(result: &ApplicationResult) -> EntryKind {
    let step = result.step.clone().unwrap_or_default();
    EntryKind::Application {
        call: step.kind(),
        program: step.application,
        step: step.number,
        line: step.line,
        octets: result.bytes,
        end_of_stream: result.end_of_stream,
        error: result.error.clone(),
    }
}

fn timer(changed: &TimerChanged) -> EntryKind {
    EntryKind::Timer {
        timer: changed.timer(),
        change: changed.change(),
        expires: words::from_proto(changed.expires.as_ref()),
    }
}
