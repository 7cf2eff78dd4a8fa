//! The trace as protobuf: the only place that knows both.

mod words;

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_proto::v1;
use halfopen_proto::v1::event::Kind;
use halfopen_scenario::library::Bundled;
use halfopen_scenario::{Diagnostic, Scenario, TrackedState, Unreachable};
use halfopen_sim::trace::{
    ApplicationResult, ConnectionCreated, Event, EventKind, ExpectationResult, FaultApplied, FinalState,
    Host, HostId, LossReason, MiddleboxChanged, MiddleboxId, RunFinished, RunStarted, SegmentNumber,
    SegmentSent, Totals,
};
use halfopen_tcp::{Cause, Flags, Options, Timer, TimerChange};
use words::{
    host_state, keepalive_verdict, middlebox_change, purpose, state, timer, tracked_state, unreachable_code,
    verdict,
};

/// Octets that an event is taken for when nothing in it can be long. Measured: 22 to 115, 59 on average.
const USUAL_EVENT: usize = 64;

/// Converts the events of one run, in order: names stand in its first event, numbers in the rest.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    hosts: Vec<String>,
    middleboxes: Vec<String>,
    addresses: AddressTexts,
}

impl Converter {
    /// An event, and about how many octets it takes.
    pub(crate) fn event(&mut self, sequence: u64, event: &Event) -> (v1::Event, usize) {
        if let EventKind::RunStarted(started) = &event.kind {
            self.hosts = started.hosts.iter().map(|host| host.name.clone()).collect();
            self.middleboxes.clone_from(&started.middleboxes);
        }
        let converted = v1::Event {
            sequence,
            time: Some(duration(event.time.as_duration())),
            host: self.host(event.host),
            connection: event.connection.map_or(0, |connection| connection.0.get()),
            kind: Some(self.kind(&event.kind)),
        };
        let octets = match &converted.kind {
            Some(
                Kind::RunStarted(_)
                | Kind::RunFinished(_)
                | Kind::ExpectationResult(_)
                | Kind::FaultApplied(_),
            ) => prost::Message::encoded_len(&converted),
            _ => USUAL_EVENT + event.datagram().map_or(0, |datagram| datagram.len()),
        };
        (converted, octets)
    }

    fn host(&self, host: Option<HostId>) -> String {
        host.and_then(|host| self.hosts.get(host.index())).cloned().unwrap_or_default()
    }

    fn middlebox(&self, middlebox: Option<MiddleboxId>) -> String {
        middlebox.and_then(|middlebox| self.middleboxes.get(middlebox.index())).cloned().unwrap_or_default()
    }

    fn loss(&self, reason: LossReason) -> String {
        match reason {
            LossReason::Middlebox { middlebox, why } => format!("{}: {why}", self.middlebox(Some(middlebox))),
            reason => reason.to_string(),
        }
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
                    dropped: dropped.map(|reason| reason.to_string()).unwrap_or_default(),
                    datagram: octets(datagram.as_deref()),
                })
            }
            EventKind::SegmentLost { segment, reason } => {
                Kind::SegmentLost(v1::SegmentLost { segment: segment.0.get(), reason: self.loss(*reason) })
            }
            EventKind::DestinationUnreachable { segment, code, dropped, datagram } => {
                Kind::DestinationUnreachable(v1::DestinationUnreachable {
                    segment: segment.0.get(),
                    code: unreachable_code(*code).into(),
                    dropped: dropped.map(|reason| reason.to_string()).unwrap_or_default(),
                    mtu: match code {
                        Unreachable::FragmentationNeeded { mtu } => (*mtu).into(),
                        Unreachable::Net | Unreachable::Host | Unreachable::Port => 0,
                    },
                    datagram: octets(datagram.as_deref()),
                })
            }
            EventKind::MiddleboxChanged(changed) => Kind::MiddleboxChanged(self.middlebox_changed(changed)),
            EventKind::StateTransition { from, to, cause, segment } => {
                Kind::StateTransition(v1::StateTransition {
                    from: state(*from).into(),
                    to: state(*to).into(),
                    cause: Some(self::cause(cause, *segment)),
                })
            }
            EventKind::TimerChanged { timer, change } => Kind::TimerChanged(timer_changed(*timer, *change)),
            EventKind::KeepaliveOutcome { verdict, probes, silence } => {
                Kind::KeepaliveOutcome(v1::KeepaliveOutcome {
                    verdict: keepalive_verdict(*verdict).into(),
                    probes: *probes,
                    silence: Some(duration(*silence)),
                })
            }
            EventKind::ConnectionError(errno) => {
                Kind::ConnectionError(v1::ConnectionError { errno: errno.name().to_owned() })
            }
            EventKind::FaultApplied(fault) => Kind::FaultApplied(fault_applied(fault)),
            EventKind::HostChanged(state) => {
                Kind::HostChanged(v1::HostChanged { state: host_state(*state).into() })
            }
            EventKind::ApplicationResult(result) => Kind::ApplicationResult(application_result(result)),
            EventKind::ExpectationResult(result) => Kind::ExpectationResult(expectation_result(result)),
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

    fn segment_sent(&mut self, sent: &SegmentSent) -> v1::SegmentSent {
        let header = &sent.header;
        v1::SegmentSent {
            segment: sent.segment.0.get(),
            to: self.host(sent.to),
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
            purpose: purpose(sent.purpose).into(),
            retransmission: sent.retransmission,
            sender_state: sent.sender_state.map_or(v1::TcpState::Unspecified, state).into(),
            receiver_state: sent.receiver_state.map_or(v1::TcpState::Unspecified, state).into(),
            injected: sent.injected,
            size: sent.size,
            middlebox: self.middlebox(sent.middlebox),
            datagram: octets(sent.datagram.as_deref()),
        }
    }

    fn middlebox_changed(&self, changed: &MiddleboxChanged) -> v1::MiddleboxChanged {
        let state =
            |state: Option<TrackedState>| state.map_or(v1::MiddleboxState::Unspecified, tracked_state);
        v1::MiddleboxChanged {
            middlebox: self.middlebox(Some(changed.middlebox)),
            change: middlebox_change(changed.change).into(),
            before: state(changed.before).into(),
            after: state(changed.after).into(),
            segment: changed.segment.map_or(0, |segment| segment.0.get()),
        }
    }

    fn run_finished(&self, finished: &RunFinished) -> v1::RunFinished {
        let final_state = |last: &FinalState| v1::FinalState {
            host: self.host(Some(last.host)),
            connection: last.connection.0.get(),
            state: state(last.state).into(),
        };
        v1::RunFinished {
            verdict: verdict(finished.verdict).into(),
            problems: finished.problems.clone(),
            final_states: finished.final_states.iter().map(final_state).collect(),
            totals: Some(totals(&finished.totals)),
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

fn octets(datagram: Option<&[u8]>) -> Vec<u8> {
    datagram.unwrap_or_default().to_vec()
}

fn duration(duration: Duration) -> halfopen_proto::Duration {
    halfopen_proto::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Less than a thousand million, always.
        nanos: duration.subsec_nanos() as i32,
    }
}

fn run_started(started: &RunStarted) -> v1::RunStarted {
    let host = |host: &Host| v1::Host {
        name: host.name.clone(),
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
        profile: host.profile.to_owned(),
    };
    v1::RunStarted {
        scenario: started.scenario.clone(),
        title: started.title.clone(),
        seed: started.seed,
        version: started.version.to_owned(),
        hosts: started.hosts.iter().map(host).collect(),
        variant: started.variant.clone(),
        middleboxes: started.middleboxes.clone(),
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
        Cause::Call(call) => Some(Origin::Call(call.to_string())),
        Cause::Segment(_) => segment.map(|segment| Origin::Segment(segment.0.get())),
        Cause::Timer(timer) | Cause::GaveUp(timer) => Some(Origin::Timer(self::timer(*timer).into())),
        Cause::Unreachable(_) | Cause::ListenerClosed | Cause::Replaced => None,
    };
    v1::Cause { text: cause.to_string(), origin }
}

fn timer_changed(timer: Timer, change: TimerChange) -> v1::TimerChanged {
    let (change, expires) = match change {
        TimerChange::Set { expires } => (v1::TimerChange::Set, Some(duration(expires.as_duration()))),
        TimerChange::Fired => (v1::TimerChange::Fired, None),
        TimerChange::Cancelled => (v1::TimerChange::Cancelled, None),
    };
    v1::TimerChanged { timer: self::timer(timer).into(), change: change.into(), expires }
}

fn fault_applied(fault: &FaultApplied) -> v1::FaultApplied {
    v1::FaultApplied {
        fault: fault.fault,
        action: fault.action.clone(),
        segment: fault.segment.map_or(0, |segment| segment.0.get()),
        line: fault.line,
    }
}

fn application_result(result: &ApplicationResult) -> v1::ApplicationResult {
    v1::ApplicationResult {
        program: result.program.as_ref().to_owned(),
        step: result.step,
        call: result.call.to_owned(),
        octets: result.octets,
        end_of_stream: result.end_of_stream,
        error: result.error.map(|errno| errno.name().to_owned()).unwrap_or_default(),
        line: result.line,
    }
}

fn expectation_result(result: &ExpectationResult) -> v1::ExpectationResult {
    v1::ExpectationResult {
        expectation: result.expectation,
        passed: result.passed,
        text: result.text.clone(),
        expected: result.expected.clone(),
        actual: result.actual.clone(),
        deciding_event: result.deciding_event,
        deciding_time: result.decided_at.map(duration),
        line: result.line,
    }
}

fn totals(totals: &Totals) -> v1::RunTotals {
    v1::RunTotals {
        virtual_time: Some(duration(totals.virtual_time)),
        events: totals.events,
        segments_sent: totals.segments_sent,
        retransmissions: totals.retransmissions,
        segments_lost: totals.segments_lost,
        expectations_passed: totals.expectations_passed,
        expectations_failed: totals.expectations_failed,
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroU64};

    use halfopen_sim::trace::{ConnectionNumber, KeepaliveVerdict, MiddleboxChange, MiddleboxLoss, Verdict};
    use halfopen_tcp::{Errno, Header, Instant, Purpose, SackBlocks, Seq, State, Timestamps};

    use super::*;

    fn started() -> Event {
        let host = |name: &str| Host { name: name.into(), addresses: vec![], profile: "linux" };
        let started = RunStarted {
            scenario: "dead-client".into(),
            variant: String::new(),
            title: String::new(),
            seed: 1,
            version: "0.1.0",
            hosts: vec![host("client"), host("server")],
            middleboxes: vec!["nat".into()],
        };
        event(EventKind::RunStarted(Box::new(started)))
    }

    fn event(kind: EventKind) -> Event {
        Event {
            time: Instant::from_nanos(7_950_060_000_000),
            host: Some(HostId(1)),
            connection: Some(ConnectionNumber(NonZeroU32::MIN)),
            kind,
        }
    }

    fn segment(number: u64) -> SegmentNumber {
        SegmentNumber(NonZeroU64::new(number).expect("not 0"))
    }

    /// The event as proto3 JSON, without what every event has.
    fn json(kind: EventKind) -> serde_json::Value {
        let mut converter = Converter::default();
        converter.event(1, &started());
        let (converted, _) = converter.event(2, &event(kind));
        let mut json = serde_json::to_value(converted).expect("it is plain data");
        let common =
            serde_json::json!({"sequence": "2", "time": "7950.060s", "host": "server", "connection": 1});
        for (key, value) in common.as_object().expect("a map") {
            let found = json.as_object_mut().expect("a message").remove(key);
            assert_eq!(found.as_ref(), Some(value), "{key}");
        }
        json
    }

    #[test]
    fn every_name_is_the_one_the_text_has() {
        let constant =
            |prefix: &str, name: &str| format!("{prefix}_{}", name.to_uppercase().replace(['-', ' '], "_"));
        for tcp in State::ALL {
            assert_eq!(state(tcp).as_str_name(), constant("TCP_STATE", tcp.name()));
        }
        for tcp in [
            Timer::Retransmission,
            Timer::TailLossProbe,
            Timer::Reordering,
            Timer::Persist,
            Timer::Keepalive,
            Timer::DelayedAck,
            Timer::FinWait2,
            Timer::TimeWait,
        ] {
            assert_eq!(timer(tcp).as_str_name(), constant("TCP_TIMER", &tcp.to_string()));
        }
        for sim in [
            KeepaliveVerdict::Probing,
            KeepaliveVerdict::Alive,
            KeepaliveVerdict::Reset,
            KeepaliveVerdict::Dead,
        ] {
            assert_eq!(keepalive_verdict(sim).as_str_name(), constant("KEEPALIVE_VERDICT", &sim.to_string()));
        }
        for sim in TrackedState::ALL {
            assert_eq!(tracked_state(sim).as_str_name(), constant("MIDDLEBOX_STATE", sim.name()));
        }
        for sim in [
            MiddleboxChange::Created,
            MiddleboxChange::Adopted,
            MiddleboxChange::Moved,
            MiddleboxChange::Expired,
            MiddleboxChange::Forgotten,
            MiddleboxChange::Clamped,
            MiddleboxChange::Untranslated,
        ] {
            assert_eq!(middlebox_change(sim).as_str_name(), constant("MIDDLEBOX_CHANGE", &sim.to_string()));
        }
        for sim in Unreachable::ALL {
            assert_eq!(unreachable_code(sim).as_str_name(), constant("UNREACHABLE_CODE", sim.name()));
        }
        for sim in [Verdict::Passed, Verdict::Failed, Verdict::Unfinished] {
            assert_eq!(verdict(sim).as_str_name(), constant("VERDICT", &sim.to_string()));
        }
    }

    #[test]
    fn a_segment_has_its_header_in_both_numberings() {
        let mut sack = SackBlocks::default();
        sack.push(Seq(5_002), Seq(5_102));
        let sent = SegmentSent {
            segment: segment(7),
            to: Some(HostId(0)),
            source: "10.0.0.2:80".parse().expect("an address"),
            destination: "[fd00::1]:40000".parse().expect("an address"),
            header: Header {
                seq: Seq(901),
                ack: Seq(5_001),
                flags: Flags::ACK | Flags::FIN,
                window: 64,
                urgent: 0,
                payload: 5,
                options: Options {
                    timestamps: Some(Timestamps { value: 3, echo: 2 }),
                    sack,
                    ..Options::default()
                },
            },
            relative_seq: 1,
            relative_ack: 2,
            peer_iss: 4_999,
            window: 65_536,
            purpose: Purpose::DuplicateAck,
            retransmission: true,
            sender_state: Some(State::LastAck),
            receiver_state: None,
            injected: true,
            size: 85,
            middlebox: Some(MiddleboxId(0)),
            datagram: Some([0x45, 0, 0, 85][..].into()),
        };
        let expected = serde_json::json!({"segmentSent": {
            "segment": "7",
            "to": "client",
            "source": "10.0.0.2:80",
            "destination": "[fd00::1]:40000",
            "flags": {"ack": true, "fin": true},
            "sequenceNumber": 901,
            "acknowledgmentNumber": 5001,
            "relativeSequenceNumber": 1,
            "relativeAcknowledgmentNumber": 2,
            "length": 5,
            "window": 65536,
            "options": {"timestamp": 3, "timestampEcho": 2, "sack": [{"left": 3, "right": 103}]},
            "purpose": "TCP_PURPOSE_DUPLICATE_ACK",
            "retransmission": true,
            "senderState": "TCP_STATE_LAST_ACK",
            "injected": true,
            "size": 85,
            "middlebox": "nat",
            "datagram": "RQAAVQ==",
        }});
        assert_eq!(json(EventKind::SegmentSent(Box::new(sent))), expected);
    }

    #[test]
    fn middleboxes_have_their_names() {
        let lost = EventKind::SegmentLost {
            segment: segment(7),
            reason: LossReason::Middlebox { middlebox: MiddleboxId(0), why: MiddleboxLoss::NoState },
        };
        let expected = serde_json::json!({"segmentLost": {"segment": "7", "reason": "nat: no state"}});
        assert_eq!(json(lost), expected);
        let changed = MiddleboxChanged {
            middlebox: MiddleboxId(0),
            change: MiddleboxChange::Expired,
            before: Some(TrackedState::Established),
            after: None,
            segment: None,
        };
        let expected = serde_json::json!({"middleboxChanged": {
            "middlebox": "nat",
            "change": "MIDDLEBOX_CHANGE_EXPIRED",
            "before": "MIDDLEBOX_STATE_ESTABLISHED",
        }});
        assert_eq!(json(EventKind::MiddleboxChanged(Box::new(changed))), expected);
    }

    #[test]
    fn causes_say_what_they_come_from() {
        let transition = |cause, segment| EventKind::StateTransition {
            from: State::FinWait1,
            to: State::FinWait2,
            cause,
            segment,
        };
        for (cause, number, expected) in [
            (
                Cause::Call(halfopen_tcp::Call::Close),
                None,
                serde_json::json!({"text": "close()", "call": "close"}),
            ),
            (
                Cause::Segment(Flags::FIN | Flags::ACK),
                Some(segment(3)),
                serde_json::json!({"text": "received FIN+ACK", "segment": "3"}),
            ),
            (
                Cause::Timer(Timer::TimeWait),
                None,
                serde_json::json!({"text": "TIME-WAIT timer fired", "timer": "TCP_TIMER_TIME_WAIT"}),
            ),
            (Cause::ListenerClosed, None, serde_json::json!({"text": "the listener closed"})),
            (Cause::Replaced, None, serde_json::json!({"text": "a new connection takes its place"})),
        ] {
            let expected = serde_json::json!({"stateTransition": {
                "from": "TCP_STATE_FIN_WAIT_1",
                "to": "TCP_STATE_FIN_WAIT_2",
                "cause": expected,
            }});
            assert_eq!(json(transition(cause, number)), expected);
        }
    }

    #[test]
    fn an_error_has_its_posix_name() {
        let expected = serde_json::json!({"connectionError": {"errno": "ETIMEDOUT"}});
        assert_eq!(json(EventKind::ConnectionError(Errno::TimedOut)), expected);
    }

    #[test]
    fn address_texts_are_right_when_there_are_more_than_are_kept() {
        let mut texts = AddressTexts::default();
        for round in 0..3 {
            for port in 0..2 * AddressTexts::KEPT as u16 + 1 {
                let address: SocketAddr = ([10, 0, 0, 1], port).into();
                assert_eq!(texts.text(address), format!("10.0.0.1:{port}"), "round {round}");
            }
        }
        assert_eq!(texts.recent.len(), AddressTexts::KEPT);
    }
}
