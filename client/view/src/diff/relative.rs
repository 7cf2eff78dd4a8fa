//! Events without what is random or only a name: two runs with different seeds start with different numbers, and may
//! behave the same nevertheless.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_proto::v1::{
    ApplicationResult, Cause, Event, SegmentSent, StepBlocked, TcpFlags, cause, event::Kind, setting::Value,
};

/// What makes the events of one run comparable, one after the other.
#[derive(Debug, Default)]
pub(super) struct Relative {
    /// The first timestamp that a host sent on a connection.
    timestamps: BTreeMap<(String, u32), u32>,
    /// The ports that a system chose, in the order of their first use.
    ports: BTreeMap<String, usize>,
    /// Those that the scenario chose.
    chosen: BTreeSet<u64>,
    /// The addresses and ports of all ends so far: who connects with one of them is passive.
    locals: BTreeSet<String>,
    /// The segments so far; their numbers are dense from 1.
    segments: Vec<Label>,
    /// The segment that arrived last at each host.
    arrived: BTreeMap<String, u64>,
}

/// What a segment is called in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Label {
    pub(super) flags: TcpFlags,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) length: u32,
    /// The acknowledgment number on the wire.
    absolute_ack: u32,
}

impl Relative {
    /// For the events of a run.
    pub(super) fn of(events: &[Event]) -> Relative {
        let settings = events.iter().find_map(|event| match &event.kind {
            Some(Kind::RunStarted(started)) => Some(started.settings.as_slice()),
            _ => None,
        });
        let ports = settings.unwrap_or_default().iter().filter(|setting| setting.path.ends_with(".port"));
        let chosen = ports.filter_map(|setting| match setting.value {
            Some(Value::Number(port)) => Some(port),
            _ => None,
        });
        Relative { chosen: chosen.collect(), ..Relative::default() }
    }

    /// The event with relative numbers only, and without places in the text.
    pub(super) fn event(&mut self, event: &Event) -> Event {
        let mut event = event.clone();
        let (host, connection) = (event.host.clone(), event.connection);
        match &mut event.kind {
            Some(Kind::SegmentSent(sent)) => self.sent(&host, connection, sent),
            Some(Kind::ConnectionCreated(created)) => {
                let port = created.local.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
                let is_chosen = port.is_some_and(|port| self.chosen.contains(&port));
                let is_passive = self.locals.contains(&created.remote);
                self.locals.insert(created.local.clone());
                if !is_chosen && !is_passive {
                    let next = self.ports.len() + 1;
                    self.ports.entry(created.local.clone()).or_insert(next);
                }
                created.local = self.address(&created.local);
                created.remote = self.address(&created.remote);
            }
            Some(Kind::SegmentArrived(arrived)) => {
                arrived.datagram.clear();
                self.arrived.insert(host, arrived.segment);
            }
            Some(Kind::DestinationUnreachable(message)) => message.datagram.clear(),
            Some(Kind::FaultApplied(applied)) => {
                if let Some(fault) = &mut applied.fault {
                    fault.line = 0;
                    fault.path.clear();
                }
            }
            Some(
                Kind::ApplicationResult(ApplicationResult { step: Some(step), .. })
                | Kind::StepBlocked(StepBlocked { step: Some(step) }),
            ) => {
                step.line = 0;
                step.path.clear();
            }
            _ => {}
        }
        event
    }

    /// An address. An ephemeral port, which starts at a different value in every run, is replaced by the order of its
    /// first use.
    fn address(&self, address: &str) -> String {
        match (self.ports.get(address), address.rsplit_once(':')) {
            (Some(number), Some((address, _))) => format!("{address}:ephemeral-{number}"),
            _ => address.to_owned(),
        }
    }

    fn sent(&mut self, host: &str, connection: u32, sent: &mut SegmentSent) {
        let flags = sent.flags.unwrap_or_default();
        // A RST for a connection that does not exist has the number that the other segment acknowledged, which is
        // relative to nothing.
        let asked = self.arrived.get(host).and_then(|segment| self.label(*segment));
        if flags.rst && !flags.ack && asked.is_some_and(|asked| asked.absolute_ack == sent.sequence_number) {
            sent.relative_sequence_number = 0;
        }
        if let Some(options) = &mut sent.options {
            let mine = (host.to_owned(), connection);
            let theirs = (sent.receiver.clone(), connection);
            if let Some(timestamp) = &mut options.timestamp {
                let first = *self.timestamps.entry(mine).or_insert(*timestamp);
                *timestamp = timestamp.wrapping_sub(first);
            }
            if let (Some(echo), Some(first)) = (&mut options.timestamp_echo, self.timestamps.get(&theirs)) {
                *echo = echo.wrapping_sub(*first);
            }
        }
        self.segments.push(Label {
            flags,
            seq: sent.relative_sequence_number,
            ack: sent.relative_acknowledgment_number,
            length: sent.length,
            absolute_ack: sent.acknowledgment_number,
        });
        sent.source = self.address(&sent.source);
        sent.destination = self.address(&sent.destination);
        sent.sequence_number = 0;
        sent.acknowledgment_number = 0;
        sent.datagram.clear();
    }

    /// What the segment of that number is called.
    pub(super) fn label(&self, segment: u64) -> Option<Label> {
        let index = usize::try_from(segment.checked_sub(1)?).ok()?;
        self.segments.get(index).copied()
    }
}

/// The event without the numbers that count events and segments: those shift after the first difference.
pub(super) fn without_numbers(mut event: Event) -> Event {
    event.sequence = 0;
    match &mut event.kind {
        Some(Kind::SegmentSent(sent)) => sent.segment = 0,
        Some(Kind::SegmentArrived(arrived)) => arrived.segment = 0,
        Some(Kind::SegmentLost(lost)) => lost.segment = 0,
        Some(Kind::DestinationUnreachable(message)) => message.segment = 0,
        Some(Kind::MiddleboxChanged(changed)) => changed.segment = 0,
        Some(Kind::FaultApplied(applied)) => applied.segment = 0,
        Some(Kind::StateTransition(transition)) => {
            if let Some(Cause { origin: Some(cause::Origin::Segment(cause)), .. }) = &mut transition.cause {
                cause.segment = 0;
            }
        }
        _ => {}
    }
    event
}
