//! The trace as protobuf: the only place that knows both.

mod enums;
mod fault;
mod reference;
mod verdict;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1;
use halfopen_proto::v1::event::Kind;
use halfopen_scenario::library::Bundled;
use halfopen_scenario::{Diagnostic, Fault, Scenario, TrackedState, Unreachable};
use halfopen_tcp::{Cause, DropReason, Flags, Options, Timer, TimerChange};
use halfopen_trace::{
    ApplicationResult, ConnectionCreated, ConnectionOpened, Event, EventKind, HostId, LossReason,
    MiddleboxChanged, MiddleboxId, RunStarted, SegmentNumber, SegmentSent,
};

/// Bytes that an event is estimated at when nothing in it can be long. Measured: 22 to 115, 59 on average.
const USUAL_EVENT: usize = 64;

/// Converts the events of one run, in order: names are those of the scenario in its first event, which is of the run from
/// then on.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    scenario: Option<Arc<Scenario>>,
    /// The faults that were added to those of the scenario.
    added: Vec<Fault>,
    addresses: AddressTexts,
}

impl Converter {
    /// An event, and about how many bytes it takes.
    pub(crate) fn event(&mut self, sequence: u64, event: &Event) -> (v1::Event, usize) {
        if let EventKind::RunStarted(started) = &event.kind {
            self.scenario = Some(Arc::clone(&started.scenario));
        }
        if let EventKind::FaultAdded(added) = &event.kind {
            self.added.push(added.fault.clone());
        }
        let converted = v1::Event {
            sequence,
            time: Some(duration(event.time.as_duration())),
            host: self.host(event.host),
            connection: event.connection.map_or(0, |connection| connection.0.get()),
            kind: Some(self.kind(&event.kind)),
        };
        let bytes = match &converted.kind {
            Some(
                Kind::RunStarted(_)
                | Kind::RunFinished(_)
                | Kind::ExpectationResult(_)
                | Kind::FaultApplied(_),
            ) => prost::Message::encoded_len(&converted),
            _ => USUAL_EVENT + event.datagram().map_or(0, |datagram| datagram.len()),
        };
        (converted, bytes)
    }

    fn host(&self, host: Option<HostId>) -> String {
        let name = |host: HostId| Some(self.scenario.as_ref()?.hosts.get(host.index())?.name.clone());
        host.and_then(name).unwrap_or_default()
    }

    fn middlebox(&self, middlebox: Option<MiddleboxId>) -> String {
        let name = |middlebox: MiddleboxId| {
            Some(self.scenario.as_ref()?.network.middleboxes.get(middlebox.index())?.name.clone())
        };
        middlebox.and_then(name).unwrap_or_default()
    }

    fn kind(&mut self, kind: &EventKind) -> Kind {
        match kind {
            EventKind::RunStarted(started) => Kind::RunStarted(run_started(started)),
            EventKind::ConnectionCreated(created) => {
                Kind::ConnectionCreated(self.connection_created(created))
            }
            EventKind::SegmentSent(sent) => Kind::SegmentSent(self.segment_sent(sent)),
            EventKind::SegmentArrived { segment, dropped, datagram } => {
                Kind::SegmentArrived(v1::SegmentArrived {
                    segment: segment.0.get(),
                    drop_reason: drop_reason(*dropped),
                    datagram: bytes(datagram.as_deref()),
                })
            }
            EventKind::SegmentLost { segment, reason } => {
                Kind::SegmentLost(self.segment_lost(*segment, *reason))
            }
            EventKind::DestinationUnreachable { segment, code, dropped, datagram } => {
                Kind::DestinationUnreachable(v1::DestinationUnreachable {
                    segment: segment.0.get(),
                    code: enums::unreachable_code(*code).into(),
                    drop_reason: drop_reason(*dropped),
                    mtu: mtu(*code),
                    datagram: bytes(datagram.as_deref()),
                })
            }
            EventKind::MiddleboxChanged(changed) => Kind::MiddleboxChanged(self.middlebox_changed(changed)),
            EventKind::StateTransition { from, to, cause, segment } => {
                Kind::StateTransition(v1::StateTransition {
                    before: enums::state(*from).into(),
                    after: enums::state(*to).into(),
                    cause: Some(self::cause(cause, *segment)),
                })
            }
            EventKind::TimerChanged { timer, change } => Kind::TimerChanged(timer_changed(*timer, *change)),
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                Kind::KeepaliveOutcome(v1::KeepaliveOutcome {
                    verdict: enums::keepalive_verdict(*verdict).into(),
                    probes: *probes,
                    silence: Some(duration(*silence)),
                })
            }
            EventKind::ConnectionError(errno) => {
                Kind::ConnectionError(v1::ConnectionError { errno: errno.name().to_owned() })
            }
            EventKind::FaultAdded(added) => Kind::FaultAdded(v1::FaultAdded {
                fault: Some(self.fault(added.id)),
                kind: enums::fault_kind(&added.fault.effect).into(),
            }),
            EventKind::FaultApplied(applied) => Kind::FaultApplied(self.fault_applied(*applied)),
            EventKind::HostChanged(state) => {
                Kind::HostChanged(v1::HostChanged { state: enums::host_state(*state).into() })
            }
            EventKind::ConnectionOpened(opened) => Kind::ConnectionOpened(self.connection_opened(*opened)),
            EventKind::SocketOpened { .. } => Kind::ConnectionOpened(v1::ConnectionOpened::default()),
            EventKind::StepBlocked(step) => {
                Kind::StepBlocked(v1::StepBlocked { step: Some(self.step(*step)) })
            }
            EventKind::DataWritten { octets } => Kind::DataWritten(v1::DataWritten { bytes: *octets }),
            EventKind::DataRead { octets } => Kind::DataRead(v1::DataRead { bytes: *octets }),
            EventKind::DataMistaken { offset } => Kind::DataMistaken(v1::DataMistaken { offset: *offset }),
            EventKind::ApplicationResult(result) => Kind::ApplicationResult(self.application_result(*result)),
            EventKind::LimitReached(limit) => {
                Kind::LimitReached(v1::LimitReached { limit: Some(verdict::limit(*limit)) })
            }
            EventKind::RunStopped => Kind::RunStopped(v1::RunStopped {}),
            EventKind::ExpectationResult(result) => Kind::ExpectationResult(self.expectation_result(result)),
            EventKind::RunFinished(finished) => Kind::RunFinished(self.run_finished(finished)),
        }
    }

    fn connection_created(&mut self, created: &ConnectionCreated) -> v1::ConnectionCreated {
        v1::ConnectionCreated {
            local: self.addresses.text(created.local),
            remote: self.addresses.text(created.remote),
            remote_host: self.host(created.remote_host),
        }
    }

    fn connection_opened(&self, opened: ConnectionOpened) -> v1::ConnectionOpened {
        let program =
            self.scenario.as_ref().and_then(|scenario| scenario.programs.get(opened.program as usize));
        let name = program.and_then(|program| program.connections.get(opened.slot as usize)?.clone());
        v1::ConnectionOpened {
            application: program.map(|program| program.name.clone()).unwrap_or_default(),
            name: name.unwrap_or_default(),
        }
    }

    fn segment_sent(&mut self, sent: &SegmentSent) -> v1::SegmentSent {
        let header = &sent.header;
        v1::SegmentSent {
            segment: sent.segment.0.get(),
            receiver: self.host(sent.to),
            source: self.addresses.text(sent.source),
            destination: self.addresses.text(sent.destination),
            flags: Some(flags(header.flags)),
            sequence_number: header.seq.0,
            acknowledgment_number: header.ack.0,
            relative_sequence_number: sent.relative_seq,
            relative_acknowledgment_number: sent.relative_ack,
            length: header.payload,
            window: sent.window,
            options: Some(options(&header.options, sent.peer_iss)),
            purpose: enums::purpose(sent.purpose).into(),
            retransmission: sent.retransmission,
            sender_state: sent.sender_state.map_or(v1::TcpState::Unspecified, enums::state).into(),
            receiver_state: sent.receiver_state.map_or(v1::TcpState::Unspecified, enums::state).into(),
            injected: sent.injected,
            size: sent.size,
            middlebox: self.middlebox(sent.middlebox),
            datagram: bytes(sent.datagram.as_deref()),
        }
    }

    fn segment_lost(&self, segment: SegmentNumber, reason: LossReason) -> v1::SegmentLost {
        let lost = v1::SegmentLost {
            segment: segment.0.get(),
            reason: enums::loss_reason(reason).into(),
            ..v1::SegmentLost::default()
        };
        match reason {
            LossReason::Fault(fault) => v1::SegmentLost { fault: Some(self.fault(fault)), ..lost },
            LossReason::Middlebox { middlebox, why } => v1::SegmentLost {
                middlebox: self.middlebox(Some(middlebox)),
                middlebox_reason: enums::middlebox_loss(why).into(),
                ..lost
            },
            LossReason::Partition
            | LossReason::HostDown
            | LossReason::HostPaused
            | LossReason::CablePulled
            | LossReason::BlackHole
            | LossReason::NoRoute
            | LossReason::TooLarge
            | LossReason::QueueFull
            | LossReason::Random => lost,
        }
    }

    fn middlebox_changed(&self, changed: &MiddleboxChanged) -> v1::MiddleboxChanged {
        let state =
            |state: Option<TrackedState>| state.map_or(v1::MiddleboxState::Unspecified, enums::tracked_state);
        v1::MiddleboxChanged {
            middlebox: self.middlebox(Some(changed.middlebox)),
            change: enums::middlebox_change(changed.change).into(),
            before: state(changed.before).into(),
            after: state(changed.after).into(),
            segment: changed.segment.map_or(0, |segment| segment.0.get()),
        }
    }

    fn application_result(&self, result: ApplicationResult) -> v1::ApplicationResult {
        v1::ApplicationResult {
            step: Some(self.step(result.step)),
            bytes: result.octets,
            end_of_stream: result.end_of_stream,
            error: errno(result.error),
            failed: result.failed,
        }
    }
}

/// The texts of the addresses seen last: a run has few, and copying a text is cheaper than printing it.
#[derive(Debug, Default)]
struct AddressTexts {
    recent: Vec<(SocketAddr, String)>,
    oldest: usize,
}

impl AddressTexts {
    const KEPT: usize = 8;

    fn text(&mut self, address: SocketAddr) -> String {
        if let Some((_, text)) = self.recent.iter().find(|(known, _)| *known == address) {
            return text.clone();
        }
        let text = address.to_string();
        if self.recent.len() < AddressTexts::KEPT {
            self.recent.push((address, text.clone()));
        } else {
            self.recent[self.oldest] = (address, text.clone());
            self.oldest = (self.oldest + 1) % AddressTexts::KEPT;
        }
        text
    }
}

/// A bundled scenario at a glance.
pub(crate) fn summary(bundled: &Bundled) -> v1::ScenarioSummary {
    let scenarios = bundled.scenarios();
    let variants = variants(&scenarios);
    let (title, source) =
        scenarios.into_iter().next().map_or_else(Default::default, |first| (first.title, first.source));
    let [name, subject, subject_title] =
        [bundled.name, bundled.subject, bundled.subject_title()].map(str::to_owned);
    v1::ScenarioSummary { name, title, source, subject, subject_title, variants }
}

/// The names of a text's variants.
pub(crate) fn variants(scenarios: &[Scenario]) -> Vec<String> {
    scenarios.iter().filter_map(|scenario| scenario.variant.clone()).collect()
}

/// A mistake in the text of a scenario; `file` is what the text is called.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, file: &str, text: &str) -> v1::Diagnostic {
    v1::Diagnostic {
        path: diagnostic.path.clone(),
        line: diagnostic.line,
        column: diagnostic.column,
        length: diagnostic.length,
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        rendered: diagnostic.render(file, text, false),
        variants: diagnostic.variants.clone(),
    }
}

fn bytes(datagram: Option<&[u8]>) -> Vec<u8> {
    datagram.unwrap_or_default().to_vec()
}

fn duration(duration: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Always less than a billion.
        nanos: duration.subsec_nanos() as i32,
    }
}

fn drop_reason(reason: Option<DropReason>) -> i32 {
    reason.map_or(v1::TcpDropReason::Unspecified, enums::drop_reason).into()
}

/// The POSIX name of an error; empty: none.
fn errno(errno: Option<halfopen_tcp::Errno>) -> String {
    errno.map(|errno| errno.name().to_owned()).unwrap_or_default()
}

/// The MTU that a router reports.
fn mtu(code: Unreachable) -> u32 {
    match code {
        Unreachable::FragmentationNeeded { mtu } => mtu.into(),
        Unreachable::Net | Unreachable::Host | Unreachable::Port => 0,
    }
}

fn run_started(started: &RunStarted) -> v1::RunStarted {
    let scenario = &started.scenario;
    let host = |host: &halfopen_scenario::Host| v1::Host {
        name: host.name.clone(),
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
        profile: host.profile.name().to_owned(),
    };
    v1::RunStarted {
        scenario: scenario.id.clone(),
        title: scenario.title.clone(),
        seed: started.seed,
        version: started.version.to_owned(),
        hosts: scenario.hosts.iter().map(host).collect(),
        variant: scenario.variant.clone().unwrap_or_default(),
        middleboxes: scenario.network.middleboxes.iter().map(|middlebox| middlebox.name.clone()).collect(),
    }
}

fn flags(flags: Flags) -> v1::TcpFlags {
    v1::TcpFlags {
        syn: flags.contains(Flags::SYN),
        ack: flags.contains(Flags::ACK),
        fin: flags.contains(Flags::FIN),
        rst: flags.contains(Flags::RST),
        psh: flags.contains(Flags::PSH),
        urg: flags.contains(Flags::URG),
    }
}

fn options(options: &Options, peer_iss: u32) -> v1::TcpOptions {
    let relative = |(left, right): &(halfopen_tcp::Seq, halfopen_tcp::Seq)| v1::TcpSackBlock {
        left: left.0.wrapping_sub(peer_iss),
        right: right.0.wrapping_sub(peer_iss),
    };
    v1::TcpOptions {
        mss: options.mss.map(u32::from),
        window_scale: options.window_scale.map(u32::from),
        sack_permitted: options.sack_permitted,
        timestamp: options.timestamps.map(|timestamps| timestamps.value),
        timestamp_echo: options.timestamps.map(|timestamps| timestamps.echo),
        sack: options.sack.as_slice().iter().map(relative).collect(),
    }
}

fn cause(cause: &Cause, segment: Option<SegmentNumber>) -> v1::Cause {
    use v1::cause::Origin;
    let origin = match cause {
        Cause::Call(call) => Origin::Call(enums::call(*call).into()),
        Cause::Segment(control) => Origin::Segment(v1::SegmentCause {
            segment: segment.map_or(0, |segment| segment.0.get()),
            flags: Some(flags(*control)),
        }),
        Cause::Timer(timer) => Origin::Timer(enums::timer(*timer).into()),
        Cause::GaveUp(timer) => Origin::GaveUp(enums::timer(*timer).into()),
        Cause::Unreachable(errno) => Origin::Unreachable(errno.name().to_owned()),
        Cause::ListenerClosed => Origin::Other(v1::OtherCause::ListenerClosed.into()),
        Cause::Replaced => Origin::Other(v1::OtherCause::Replaced.into()),
    };
    v1::Cause { origin: Some(origin) }
}

fn timer_changed(timer: Timer, change: TimerChange) -> v1::TimerChanged {
    let (change, expires) = match change {
        TimerChange::Set { expires } => (v1::TimerChange::Set, Some(duration(expires.as_duration()))),
        TimerChange::Fired => (v1::TimerChange::Fired, None),
        TimerChange::Cancelled => (v1::TimerChange::Cancelled, None),
    };
    v1::TimerChanged { timer: enums::timer(timer).into(), change: change.into(), expires }
}

#[cfg(test)]
mod tests;
