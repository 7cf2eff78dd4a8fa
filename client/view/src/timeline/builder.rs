//! Joins events, in their order, into a timeline.

use std::collections::BTreeMap;

use halfopen_proto::v1::{
    ApplicationResult, CallReturned, ConnectionCreated, Event, FaultApplied, FaultKind, FaultPhase,
    MiddleboxChanged, RunStarted, SegmentArrived, SegmentLost, SegmentSent, StateTransition, StepKind,
    TimerChanged, cause, event,
};

use super::{AddressMove, End, Entry, EntryIndex, EntryKind, Fault, HostIndex, Segment, Timeline};
use crate::words;

#[derive(Default)]
pub(super) struct Builder {
    timeline: Timeline,
    /// Where each segment was sent, by its number.
    sent: BTreeMap<u64, EntryIndex>,
    /// Faults by the number of their segment; they may come before the segment itself.
    faults: BTreeMap<u64, Vec<Fault>>,
    /// Which host has each address.
    addresses: BTreeMap<String, HostIndex>,
}

impl Builder {
    pub(super) fn add(&mut self, event: &Event) {
        let Some(kind) = self.kind(event) else { return };
        let host = (!event.host.is_empty()).then(|| self.host(&event.host));
        // An address that moves from host to host moves in the network.
        let moves = matches!(
            &kind,
            EntryKind::Fault(Fault { address: Some(AddressMove { from: Some(_), to: Some(_), .. }), .. })
        );
        self.timeline.connections = self.timeline.connections.max(event.connection);
        self.timeline.entries.push(Entry {
            sequence: event.sequence,
            time: words::from_proto(event.time.as_ref()),
            host: host.filter(|_| !moves),
            connection: event.connection,
            kind,
        });
    }

    /// The entry of an event; `None` if it has no entry of its own.
    fn kind(&mut self, event: &Event) -> Option<EntryKind> {
        use event::Kind;
        match event.kind.as_ref()? {
            Kind::SegmentSent(sent) => Some(self.sent(sent)),
            Kind::SegmentArrived(arrived) => self.arrived(arrived),
            Kind::SegmentLost(lost) => self.lost(lost),
            Kind::DestinationUnreachable(message) => Some(EntryKind::Unreachable {
                segment: *self.sent.get(&message.segment)?,
                code: message.code(),
                mtu: message.mtu,
                dropped: message.drop_reason(),
            }),
            Kind::MiddleboxChanged(changed) => Some(middlebox(changed)),
            Kind::StateTransition(transition) => Some(self.transition(transition)),
            Kind::TimerChanged(changed) => Some(timer(changed)),
            Kind::KeepaliveOutcome(outcome) => Some(EntryKind::Keepalive {
                verdict: outcome.verdict(),
                probes: outcome.probes,
                silence: words::from_proto(outcome.silence.as_ref()),
            }),
            Kind::ConnectionError(error) => Some(EntryKind::Error(error.errno.clone())),
            Kind::HostChanged(changed) => Some(EntryKind::Host(changed.state())),
            Kind::FaultApplied(applied) => self.fault(event, applied),
            Kind::ApplicationResult(result) => Some(application(result)),
            Kind::CallReturned(returned) => Some(self.call(event, returned)),
            Kind::RunStarted(started) => {
                self.hosts(started);
                None
            }
            Kind::ConnectionCreated(created) => {
                let end = self.end(event, created);
                self.timeline.ends.push(end);
                None
            }
            Kind::RunFinished(_) => Some(EntryKind::End),
            Kind::DataWritten(written) => Some(EntryKind::Written { octets: written.bytes }),
            Kind::DataRead(read) => Some(EntryKind::Read { octets: read.bytes }),
            Kind::StepBlocked(blocked) => {
                if blocked.step.as_ref().is_some_and(|step| step.kind() == StepKind::Close) {
                    let host = self.host(&event.host);
                    self.timeline.lingering.insert((host, event.connection));
                }
                None
            }
            Kind::ConnectionOpened(opened) => {
                if opened.application.is_empty() {
                    self.outside(event);
                }
                None
            }
            // Steps and their results describe what applications do; a result says how a run ended.
            Kind::FaultAdded(_)
            | Kind::FaultLifted(_)
            | Kind::DataMistaken(_)
            | Kind::TcpInfo(_)
            | Kind::LimitReached(_)
            | Kind::RunStopped(_)
            | Kind::ExpectationResult(_) => None,
        }
    }

    fn hosts(&mut self, started: &RunStarted) {
        self.timeline.hosts = started.hosts.iter().map(|host| host.name.clone()).collect();
        let addresses = started.hosts.iter().enumerate();
        self.addresses = addresses
            .flat_map(|(index, host)| host.addresses.iter().map(move |address| (address.clone(), index)))
            .collect();
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

    fn sent(&mut self, sent: &SegmentSent) -> EntryKind {
        self.sent.insert(sent.segment, self.timeline.entries.len());
        let flags = sent.flags.unwrap_or_default();
        EntryKind::Sent(Box::new(Segment {
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
        }))
    }

    fn arrived(&mut self, arrived: &SegmentArrived) -> Option<EntryKind> {
        let (here, segment) = (self.timeline.entries.len(), *self.sent.get(&arrived.segment)?);
        let arrivals = &mut self.segment(segment)?.arrivals;
        arrivals.push(here);
        Some(EntryKind::Arrived { segment, copy: arrivals.len(), dropped: arrived.drop_reason() })
    }

    fn lost(&mut self, lost: &SegmentLost) -> Option<EntryKind> {
        let segment = *self.sent.get(&lost.segment)?;
        self.segment(segment)?.losses.push(lost.clone());
        Some(EntryKind::Lost { segment })
    }

    fn transition(&self, transition: &StateTransition) -> EntryKind {
        let cause = transition.cause.clone().unwrap_or_default();
        let by_segment = match &cause.origin {
            Some(cause::Origin::Segment(segment)) => self.sent.get(&segment.segment).copied(),
            _ => None,
        };
        EntryKind::Transition { from: transition.before(), to: transition.after(), by_segment, cause }
    }

    /// A fault on a segment has no entry, but is a part of the segment.
    fn fault(&mut self, event: &Event, applied: &FaultApplied) -> Option<EntryKind> {
        let (number, line) = applied.fault.as_ref().map_or((0, 0), |fault| (fault.number, fault.line));
        let address = self.address(event, applied);
        let mut action = words::fault(applied);
        if let Some(AddressMove { address, from: Some(from), to: Some(_) }) = &address {
            // Before where it goes.
            let (known, from) = (action.find(address.as_str()), &self.timeline.hosts[*from]);
            action.insert_str(known.map_or(action.len(), |at| at + address.len()), &format!(" from {from}"));
        }
        let middlebox = applied.middlebox.clone();
        let fault =
            Fault { number, kind: applied.kind(), phase: applied.phase(), action, line, middlebox, address };
        if applied.segment == 0 {
            return Some(EntryKind::Fault(fault));
        }
        self.faults.entry(applied.segment).or_default().push(fault);
        None
    }

    /// The address that a fault moves: to the host it is applied to, unless that is the one that loses it.
    fn address(&mut self, event: &Event, applied: &FaultApplied) -> Option<AddressMove> {
        let address = Some(&applied.address).filter(|address| !address.is_empty())?.clone();
        let is_lost = applied.kind() == FaultKind::LoseAddress && applied.phase() != FaultPhase::End;
        let to = (!is_lost && !event.host.is_empty()).then(|| self.host(&event.host));
        let from = match to {
            Some(to) => self.addresses.insert(address.clone(), to),
            None => self.addresses.remove(&address),
        };
        Some(AddressMove { address, from, to })
    }

    /// A call within a step, or of an application that the scenario does not have.
    fn call(&mut self, event: &Event, returned: &CallReturned) -> EntryKind {
        let CallReturned { end_of_stream, ref error, ref step } = *returned;
        if step.is_none() {
            self.outside(event);
        }
        let (step, error) = (step.clone(), error.clone());
        application(&ApplicationResult { step, end_of_stream, error, ..ApplicationResult::default() })
    }

    /// The calls of the event's host are made from outside.
    fn outside(&mut self, event: &Event) {
        let host = self.host(&event.host);
        self.timeline.outside.insert(host);
    }

    fn segment(&mut self, index: EntryIndex) -> Option<&mut Segment> {
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

    pub(super) fn finish(mut self) -> Timeline {
        for (number, faults) in std::mem::take(&mut self.faults) {
            let index = self.sent.get(&number).copied();
            if let Some(segment) = index.and_then(|index| self.segment(index)) {
                segment.faults = faults;
            }
        }
        self.timeline
    }
}

fn middlebox(changed: &MiddleboxChanged) -> EntryKind {
    EntryKind::Middlebox {
        name: changed.middlebox.clone(),
        change: changed.change(),
        before: changed.before(),
        translated_to: changed.translated_to.clone(),
        idle: words::from_proto(changed.idle.as_ref()),
        sack_kept: changed.sack_kept,
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
