//! Events as proto3 JSON.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{Field, TrackedState, Unreachable};
use halfopen_tcp::{
    Cause, Errno, Flags, Header, Instant, Options, Purpose, SackBlocks, Seq, State, Timer, Timestamps,
};
use halfopen_trace::{
    ApplicationResult, ConnectionNumber, ConnectionOpened, Event, EventKind, ExpectationId,
    ExpectationResult, FaultApplied, FaultId, Finding, HostId, HostState, KeepaliveVerdict, LossReason,
    MiddleboxChange, MiddleboxChanged, MiddleboxId, MiddleboxLoss, Phase, RunStarted, SegmentNumber,
    SegmentSent, StepId, Verdict,
};

use super::{Converter, enums};

/// One of each thing that events refer to.
const SCENARIO: &str = "\
scenario: dead-client
hosts: {client: {}, server: {}}
network: {middleboxes: {nat: {}}}
applications:
  server: [listen: 80, {accept: 80, as: first}]
  client: {curl: [connect: server:80, {send: 1 B, error: EPIPE}]}
faults:
  - {delay: SYN, by: 300ms}
  - {reboot: nat, at: 1s, back-after: 1s}
  - {rewrite: SYN, set: {mss: 536 B, sack-permitted: off, sequence: seg.seq + 1000}}
";

fn started() -> Event {
    let scenario = Arc::new(halfopen_scenario::load(SCENARIO).expect("a scenario"));
    event(EventKind::RunStarted(Box::new(RunStarted { scenario, seed: 1, version: "0.1.0" })))
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

/// The event as proto3 JSON, without the fields of every event.
fn json(kind: EventKind) -> serde_json::Value {
    let mut converter = Converter::default();
    converter.event(1, &started());
    let (converted, _) = converter.event(2, &event(kind));
    let mut json = serde_json::to_value(converted).expect("it is plain data");
    let common = serde_json::json!({"sequence": "2", "time": "7950.060s", "host": "server", "connection": 1});
    for (key, value) in common.as_object().expect("a map") {
        let found = json.as_object_mut().expect("a message").remove(key);
        assert_eq!(found.as_ref(), Some(value), "{key}");
    }
    json
}

/// `FinWait1` as `FIN_WAIT_1`.
fn constant(prefix: &str, name: &str) -> String {
    let mut constant = prefix.to_owned();
    let mut before = ' ';
    for letter in name.chars() {
        if letter.is_uppercase() || letter.is_ascii_digit() && !before.is_ascii_digit() {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
        before = letter;
    }
    constant
}

#[test]
fn every_constant_is_named_after_its_variant() {
    let check = |name: &str, prefix: &str, variant: &dyn std::fmt::Debug| {
        assert_eq!(name, constant(prefix, &format!("{variant:?}")));
    };
    for state in State::ALL {
        check(enums::state(state).as_str_name(), "TCP_STATE", &state);
    }
    for timer in [
        Timer::Retransmission,
        Timer::TailLossProbe,
        Timer::Reordering,
        Timer::Persist,
        Timer::Keepalive,
        Timer::DelayedAck,
        Timer::FinWait2,
        Timer::TimeWait,
    ] {
        check(enums::timer(timer).as_str_name(), "TCP_TIMER", &timer);
    }
    for verdict in
        [KeepaliveVerdict::Probing, KeepaliveVerdict::Alive, KeepaliveVerdict::Reset, KeepaliveVerdict::Dead]
    {
        check(enums::keepalive_verdict(verdict).as_str_name(), "KEEPALIVE_VERDICT", &verdict);
    }
    for state in TrackedState::ALL {
        check(enums::tracked_state(state).as_str_name(), "MIDDLEBOX_STATE", &state);
    }
    for change in [
        MiddleboxChange::Created,
        MiddleboxChange::Adopted,
        MiddleboxChange::Moved,
        MiddleboxChange::Forgotten,
        MiddleboxChange::Clamped,
        MiddleboxChange::Untranslated,
    ] {
        check(enums::middlebox_change(change).as_str_name(), "MIDDLEBOX_CHANGE", &change);
    }
    for reason in [
        LossReason::Partition,
        LossReason::HostDown,
        LossReason::HostPaused,
        LossReason::CablePulled,
        LossReason::NeighbourUnresolved,
        LossReason::BlackHole,
        LossReason::NoRoute,
        LossReason::TooLarge,
        LossReason::QueueFull,
        LossReason::Random,
    ] {
        check(enums::loss_reason(reason).as_str_name(), "LOSS_REASON", &reason);
    }
    for field in Field::ALL {
        check(enums::field(field).as_str_name(), "SEGMENT_FIELD", &field);
    }
    for state in [HostState::Up, HostState::Frozen, HostState::Paused, HostState::Down] {
        check(enums::host_state(state).as_str_name(), "HOST_STATE", &state);
    }
    for verdict in [Verdict::Passed, Verdict::Failed, Verdict::Unfinished] {
        check(enums::verdict(verdict).as_str_name(), "VERDICT", &verdict);
    }
    for code in Unreachable::ALL {
        let name = format!("{code:?}");
        let name = name.split(' ').next().expect("the variant");
        assert_eq!(enums::unreachable_code(code).as_str_name(), constant("UNREACHABLE_CODE", name));
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
        "receiver": "client",
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
    let expected = serde_json::json!({"segmentLost": {
        "segment": "7",
        "reason": "LOSS_REASON_MIDDLEBOX",
        "middlebox": "nat",
        "middleboxReason": "MIDDLEBOX_LOSS_REASON_NO_STATE",
    }});
    assert_eq!(json(lost), expected);
    let changed = MiddleboxChanged {
        middlebox: MiddleboxId(0),
        change: MiddleboxChange::Expired { idle: Duration::from_secs(30) },
        before: Some(TrackedState::Established),
        after: None,
        segment: None,
    };
    let expected = serde_json::json!({"middleboxChanged": {
        "middlebox": "nat",
        "change": "MIDDLEBOX_CHANGE_EXPIRED",
        "before": "MIDDLEBOX_STATE_ESTABLISHED",
        "idle": "30s",
    }});
    assert_eq!(json(EventKind::MiddleboxChanged(Box::new(changed))), expected);
    let translated = MiddleboxChanged {
        middlebox: MiddleboxId(0),
        change: MiddleboxChange::Translated { to: ([203, 0, 113, 1], 1024).into() },
        before: None,
        after: None,
        segment: Some(segment(7)),
    };
    let expected = serde_json::json!({"middleboxChanged": {
        "middlebox": "nat",
        "change": "MIDDLEBOX_CHANGE_TRANSLATED",
        "segment": "7",
        "translatedTo": "203.0.113.1:1024",
    }});
    assert_eq!(json(EventKind::MiddleboxChanged(Box::new(translated))), expected);
    let renumbered = MiddleboxChanged {
        middlebox: MiddleboxId(0),
        change: MiddleboxChange::Renumbered { from: HostId(0), by: 5, with_sack: false },
        before: None,
        after: None,
        segment: Some(segment(7)),
    };
    let expected = serde_json::json!({"middleboxChanged": {
        "middlebox": "nat",
        "change": "MIDDLEBOX_CHANGE_RENUMBERED",
        "segment": "7",
        "renumberedBy": 5,
        "sackKept": true,
    }});
    assert_eq!(json(EventKind::MiddleboxChanged(Box::new(renumbered))), expected);
}

#[test]
fn a_cause_has_its_origin() {
    let transition = |cause, segment| EventKind::StateTransition {
        from: State::FinWait1,
        to: State::FinWait2,
        cause,
        segment,
    };
    for (cause, number, expected) in [
        (Cause::Call(halfopen_tcp::Call::Close), None, serde_json::json!({"call": "TCP_CALL_CLOSE"})),
        (
            Cause::Segment(Flags::FIN | Flags::ACK),
            Some(segment(3)),
            serde_json::json!({"segment": {"segment": "3", "flags": {"fin": true, "ack": true}}}),
        ),
        (
            Cause::SynCookie(Flags::ACK),
            Some(segment(3)),
            serde_json::json!({"segment": {"segment": "3", "flags": {"ack": true}, "synCookie": true}}),
        ),
        (Cause::Timer(Timer::TimeWait), None, serde_json::json!({"timer": "TCP_TIMER_TIME_WAIT"})),
        (Cause::GaveUp(Timer::Persist), None, serde_json::json!({"gaveUp": "TCP_TIMER_PERSIST"})),
        (
            Cause::UserTimeout(Timer::Persist),
            None,
            serde_json::json!({"gaveUp": "TCP_TIMER_PERSIST", "userTimeout": true}),
        ),
        (
            Cause::Unreachable(Errno::HostUnreachable),
            None,
            serde_json::json!({"unreachable": "EHOSTUNREACH"}),
        ),
        (Cause::ListenerClosed, None, serde_json::json!({"other": "OTHER_CAUSE_LISTENER_CLOSED"})),
        (Cause::Replaced, None, serde_json::json!({"other": "OTHER_CAUSE_REPLACED"})),
    ] {
        let expected = serde_json::json!({"stateTransition": {
            "before": "TCP_STATE_FIN_WAIT_1",
            "after": "TCP_STATE_FIN_WAIT_2",
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
fn a_fault_has_its_reference_and_its_parameters() {
    let applied = |fault, phase, segment: Option<u64>| {
        let segment = segment.and_then(SegmentNumber::new);
        json(EventKind::FaultApplied(FaultApplied { fault: FaultId(fault), phase, segment }))
    };
    let reference = |number: u32| {
        let path = format!("faults[{}]", number - 1);
        serde_json::json!({"number": number, "path": path, "line": number + 7})
    };
    let delay = serde_json::json!({"faultApplied": {
        "fault": reference(1),
        "phase": "FAULT_PHASE_BEGIN",
        "kind": "FAULT_KIND_DELAY",
        "segment": "3",
        "by": "0.300s",
    }});
    assert_eq!(applied(0, Phase::Begin, Some(3)), delay);
    let reboot = serde_json::json!({"faultApplied": {
        "fault": reference(2),
        "phase": "FAULT_PHASE_END",
        "kind": "FAULT_KIND_REBOOT",
        "middlebox": "nat",
    }});
    assert_eq!(applied(1, Phase::End, None), reboot);
    let rewrites = serde_json::json!([
        {"field": "SEGMENT_FIELD_SEQUENCE", "increment": "1000"},
        {"field": "SEGMENT_FIELD_MSS", "value": "536"},
        {"field": "SEGMENT_FIELD_SACK_PERMITTED", "removed": true},
    ]);
    assert_eq!(applied(2, Phase::Begin, Some(1))["faultApplied"]["rewrites"], rewrites);
    let lost = json(EventKind::SegmentLost { segment: segment(7), reason: LossReason::Fault(FaultId(0)) });
    assert_eq!(lost["segmentLost"]["fault"], reference(1));
}

#[test]
fn a_step_has_its_reference() {
    let step = StepId { program: 1, step: 1 };
    let result = ApplicationResult {
        step,
        octets: 1,
        end_of_stream: false,
        error: Some(Errno::BrokenPipe),
        failed: true,
    };
    let reference = serde_json::json!({
        "application": "curl",
        "number": 2,
        "kind": "STEP_KIND_SEND",
        "path": "applications.client.curl[1]",
        "line": 6,
    });
    let expected = serde_json::json!({"applicationResult": {
        "step": reference,
        "bytes": "1",
        "error": "EPIPE",
        "failed": true,
    }});
    assert_eq!(json(EventKind::ApplicationResult(result)), expected);
    assert_eq!(json(EventKind::StepBlocked(step))["stepBlocked"]["step"], reference);
    let opened = EventKind::ConnectionOpened(ConnectionOpened { program: 0, slot: 0 });
    let expected = serde_json::json!({"connectionOpened": {"application": "server", "name": "first"}});
    assert_eq!(json(opened), expected);
}

#[test]
fn a_claim_names_the_segments_that_it_is_about() {
    let text = SCENARIO.to_owned()
        + "expect:
  - segments: {from: client, flags: only FIN+ACK, payload: none, on: first}
    count: 2
  - order: [SYN, …, {to: server, size: larger than 1 KiB, state: {client: CLOSE-WAIT}, keepalive-probe: off}]
";
    let scenario = Arc::new(halfopen_scenario::load(&text).expect("a scenario"));
    let started = RunStarted { scenario, seed: 1, version: "0.1.0" };
    let mut converter = Converter::default();
    converter.event(1, &event(EventKind::RunStarted(Box::new(started))));
    let mut claim = |expectation| {
        let result = ExpectationResult {
            expectation: ExpectationId(expectation),
            passed: false,
            finding: Finding::NoSegments,
            connection: None,
            decided: None,
        };
        let (converted, _) = converter.event(2, &event(EventKind::ExpectationResult(Box::new(result))));
        serde_json::to_value(converted).expect("it is plain data")["expectationResult"]["claim"].take()
    };
    assert_eq!(
        claim(0)["segments"]["matching"],
        serde_json::json!({
            "sender": "client",
            "connection": "first",
            "flags": {"flags": {"ack": true, "fin": true}, "only": true},
            "payload": {"exactly": "0"},
        })
    );
    assert_eq!(
        claim(1)["order"]["items"],
        serde_json::json!([
            {"segment": {"flags": {"flags": {"syn": true}}}},
            {},
            {"segment": {
                "receiver": "server",
                "size": {"largerThan": "1024"},
                "state": {"host": "client", "state": "TCP_STATE_CLOSE_WAIT"},
                "keepaliveProbe": false,
            }},
        ])
    );
}
