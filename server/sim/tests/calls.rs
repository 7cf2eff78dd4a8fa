//! Calls that a scenario has: each is made at its point of the run, and a fault that one lifts is over.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use halfopen_sim::{Discard, Outcome, RunOptions, run};
use halfopen_tcp::{Instant, State};
use halfopen_trace::{EventKind, FaultId, HostId, HostState, Phase, Problem, Verdict};

const SERVER: HostId = HostId(1);

/// A connection is established, as `c` on the client and `s` on the server, and then come the calls.
fn play(faults: &str, calls: &str) -> Outcome {
    let text = format!(
        "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\nfaults: [{faults}]\ncalls:\n\
         - {{at: 0s, listen: 80, host: server, as: l}}\n- {{at: 0s, connect: server:80, host: client, as: c}}\n\
         - {{at: 100ms, accept: l, as: s}}\n{calls}\n"
    );
    let scenario = halfopen_scenario::load(&text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)));
    run(&Arc::new(scenario), &RunOptions::default(), &mut Discard)
}

fn seconds(time: f64) -> Instant {
    Instant::ZERO + Duration::from_secs_f64(time)
}

/// When something happened.
fn times(outcome: &Outcome, wanted: impl Fn(Option<HostId>, &EventKind) -> bool) -> Vec<Instant> {
    let events = outcome.trace.iter().map(|(_, event)| event);
    events.filter(|event| wanted(event.host, &event.kind)).map(|event| event.time).collect()
}

/// When a host had received this many octets.
fn read(outcome: &Outcome, octets: u64) -> Vec<Instant> {
    times(outcome, |_, kind| *kind == EventKind::DataRead { octets })
}

#[test]
fn calls_are_made_when_they_are_due_and_what_would_block_fails() {
    let outcome = play(
        "",
        "- {at: 1s, receive: 1 KiB, on: s}\n- {at: 1s, send: {text: hello}, on: c}\n- {at: 1s, receive: 1 KiB, on: s}\n\
         - {at: 2s, receive: 2 B, on: s}\n- {at: 2s, receive: 1 KiB, on: s}\n- {at: 3s, close: c}\n- {at: 4s, close: s}",
    );
    assert_eq!(read(&outcome, 2), [seconds(2.0)]);
    assert_eq!(read(&outcome, 3), [seconds(2.0)]);
    let closes = times(&outcome, |_, kind| {
        matches!(kind, EventKind::StateTransition { to: State::FinWait1 | State::LastAck, .. })
    });
    assert_eq!(closes, [seconds(3.0), seconds(4.0)]);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
}

#[test]
fn a_turn_says_how_much_of_an_instant_has_happened() {
    // The data is to arrive at 1.02 s. Once the round has begun, it is handed over.
    for (turn, arrives) in [(0, false), (1, true), (2, true), (100, true)] {
        let outcome = play(
            "",
            &format!(
                "- {{at: 1s, send: {{text: hello}}, on: c}}\n- {{at: 1020ms, turn: {turn}, fault: {{power-loss: server}}}}\n\
                 - {{at: 2s, finish}}"
            ),
        );
        let arrivals = times(&outcome, |host, kind| {
            host == Some(SERVER) && matches!(kind, EventKind::SegmentArrived { .. })
        });
        assert_eq!(arrivals.contains(&seconds(1.02)), arrives, "turn {turn}");
        assert_eq!(outcome.finished.totals.virtual_time, Duration::from_secs(2));
    }
}

#[test]
fn calls_on_what_is_not_there_change_nothing() {
    let rest = "- {at: 5s, send: {text: hello}, on: c}\n- {at: 6s, receive: 9 B, on: s}\n- {at: 7s, close: c}\n- {at: 7s, close: s}";
    let wrong = "- {at: 1s, listen: 80, host: server, as: again}\n- {at: 2s, accept: again, as: other}\n- {at: 3s, send: {text: x}, on: other}\n\
                 - {at: 4s, close: other}\n";
    let [with, without] = [format!("{wrong}{rest}"), rest.to_owned()].map(|calls| play("", &calls));
    let counts = |outcome: &Outcome| (outcome.finished.verdict, outcome.finished.totals.segments_sent);
    assert_eq!(counts(&with), counts(&without));
}

/// What a lifted fault did to a host or the network ends when it is lifted, as if it had been its time.
#[test]
fn what_a_fault_does_ends_when_it_is_lifted() {
    let faults = [
        ("{power-loss: server, at: 1s}", Some(HostState::Up)),
        ("{reboot: server, back-after: 1h, at: 1s}", Some(HostState::Up)),
        ("{freeze: server, at: 1s}", Some(HostState::Up)),
        ("{pause: server, at: 1s, resumes-after: 1h}", Some(HostState::Up)),
        ("{kill: server, at: 1s}", None),
        ("{cable-pull: server, at: 1s}", None),
        ("{partition: [client, server], at: 1s, heals-after: 1h}", None),
        ("{blackhole: larger than 100 B, at: 1s}", None),
        ("{lose-address: 10.0.0.2, from: server, at: 1s}", None),
    ];
    for (fault, state) in faults {
        let outcome = play(fault, "- {at: 2s, lift: 1}\n- {at: 3s, lift: 1}\n- {at: 3h, finish}");
        let lifted = times(&outcome, |_, kind| *kind == EventKind::FaultLifted(FaultId(0)));
        assert_eq!(lifted, [seconds(2.0)], "{fault}: once");
        let ended = times(
            &outcome,
            |_, kind| matches!(kind, EventKind::FaultApplied(applied) if applied.phase == Phase::End),
        );
        assert_eq!(ended, [seconds(2.0)], "{fault}");
        let changes = times(&outcome, |host, kind| {
            host == Some(SERVER) && state.is_some_and(|state| *kind == EventKind::HostChanged(state))
        });
        assert_eq!(changes.len(), usize::from(state.is_some()), "{fault}");
        assert!(changes.iter().all(|time| *time == seconds(2.0)), "{fault}");
    }
}

#[test]
fn a_lifted_fault_on_segments_takes_no_more_of_them() {
    let send = |time: u32| format!("- {{at: {time}s, send: {{text: hello}}, on: c}}\n");
    let lost = |calls: String| {
        let outcome = play("{drop: {from: client, payload: any}}", &format!("{calls}- {{at: 9s, finish}}"));
        times(&outcome, |_, kind| matches!(kind, EventKind::SegmentLost { .. })).len()
    };
    let lift = "- {at: 1500ms, lift: 1}\n".to_owned();
    assert!(lost(send(1)) > 2);
    assert_eq!(lost(lift.clone() + &send(2)), 0);
    let before = lost(send(1) + &lift);
    assert!((1..4).contains(&before), "{before}");
}

#[test]
fn a_fault_that_is_lifted_before_it_happens_is_not_missed() {
    for fault in ["{reboot: server, back-after: 1s, at: 1h}", "{freeze: server, when: {server: LAST-ACK}}"] {
        let play = |lift: &str| play(fault, &format!("{lift}- {{at: 2h, finish}}"));
        let outcome = play("- {at: 2s, lift: 1}\n");
        assert_eq!(outcome.finished.problems, [], "{fault}");
        let applied = times(&outcome, |_, kind| matches!(kind, EventKind::FaultApplied(_)));
        assert_eq!(applied, [], "{fault}");
    }
    let missed = play("{freeze: server, when: {server: LAST-ACK}}", "- {at: 2h, finish}");
    assert!(matches!(missed.finished.problems[..], [Problem::FaultNotApplied(FaultId(0))]));
}

#[test]
fn a_fault_can_be_added_and_lifted_by_its_number() {
    let outcome = play(
        "{delay: {from: server}, by: 1ms}",
        "- {at: 1s, fault: {partition: [client, server]}}\n- {at: 2s, lift: 2}\n- {at: 3s, lift: 2}\n- {at: 4s, finish}",
    );
    let lifted = times(&outcome, |_, kind| matches!(kind, EventKind::FaultLifted(_)));
    assert_eq!(lifted, [seconds(2.0)]);
}
