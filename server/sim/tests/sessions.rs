//! Whole runs between a client and a server.

mod common;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use halfopen_scenario::{Action, Effect, Limits, Match, SegmentAction, Which};
use halfopen_sim::{Interruption, RunOptions, Sink};
use halfopen_trace::{Event, EventKind, KeepaliveVerdict, Limit, Problem, Verdict};

#[test]
fn a_session_goes_over_the_wire_as_on_linux() {
    let outcome = run(&session());
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    let expected = [
        "0.000 client SYN 0:0 len 0",
        "0.020 server SYN+ACK 0:1 len 0",
        "0.040 client ACK 1:1 len 0",
        "0.040 client ACK 1:1 len 1024",
        "0.060 server ACK 1:1025 len 0",
        "0.060 server ACK 1:1025 len 1024",
        "0.080 client ACK 1025:1025 len 0",
        "0.080 client FIN+ACK 1025:1025 len 0",
        "0.100 server FIN+ACK 1025:1026 len 0",
        "0.120 client ACK 1026:1026 len 0",
    ];
    assert_eq!(wire(&outcome), expected);
    assert_eq!(outcome.finished.totals.virtual_time, Duration::from_millis(60_120), "TIME-WAIT included");
}

#[test]
fn keepalive_finds_a_dead_client_after_two_hours_and_ten_probes() {
    let outcome = run(&dead_client());
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    let found = outcome.trace.iter().find_map(|(_, event)| match event.kind {
        EventKind::KeepaliveOutcome { verdict: KeepaliveVerdict::Dead, probes, silence } => {
            Some((probes, silence))
        }
        _ => None,
    });
    assert_eq!(found, Some((10, Duration::from_secs(7950))));
    let states = outcome.finished.final_states;
    assert!(states.iter().all(|end| end.host == SERVER.into()), "a host without power has no connections");
    let last_from_client = outcome.trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::SegmentSent(_) if event.host == Some(CLIENT.into()) => Some(event.time.as_duration()),
        _ => None,
    });
    assert!(last_from_client.max() < Some(Duration::from_secs(1)), "a host without power sends nothing");
}

#[test]
fn every_octet_of_a_long_transfer_arrives_as_it_was_sent() {
    let outcome = run(&bulk(3 << 20));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    let received = outcome.trace.iter().find_map(|(_, event)| match &event.kind {
        EventKind::ApplicationResult(result)
            if call(scenario_of(&outcome.trace), result.step) == "receive" =>
        {
            Some(result.octets)
        }
        _ => None,
    });
    assert_eq!(received, Some(3 << 20));
    assert_eq!(outcome.finished.totals.retransmissions, 0);
}

#[test]
fn events_come_in_the_order_of_time_and_the_first_and_last_frame_the_run() {
    let outcome = run(&session());
    let events: Vec<&Event> = outcome.trace.iter().map(|(_, event)| event).collect();
    assert!(events.is_sorted_by_key(|event| event.time));
    assert!(matches!(events[0].kind, EventKind::RunStarted(_)));
    let EventKind::RunFinished(finished) = &events[events.len() - 1].kind else {
        panic!("the last event is {:?}", events[events.len() - 1]);
    };
    assert_eq!(**finished, outcome.finished);
    assert_eq!(finished.totals.events, outcome.trace.len());
}

#[test]
fn a_session_works_without_any_latency() {
    let mut scenario = session();
    scenario.network.link.latency = Duration::ZERO;
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    assert_eq!(outcome.finished.totals.retransmissions, 0);
}

/// Notes what it is given, and stops after so many questions.
#[derive(Default)]
struct Reader {
    events: Vec<Event>,
    firsts: Vec<u64>,
    stop_after: Option<u32>,
    asked: u32,
}

impl Sink for Reader {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        assert_eq!(first_sequence, self.events.len() as u64 + 1);
        self.firsts.push(first_sequence);
        self.events.extend(events.iter().cloned());
    }

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        self.asked += 1;
        match self.stop_after {
            Some(most) if self.asked > most => ControlFlow::Break(Interruption::Unwanted),
            Some(_) | None => ControlFlow::Continue(()),
        }
    }
}

#[test]
fn a_sink_gets_every_event_once_and_in_pieces() {
    let mut reader = Reader::default();
    let scenario = Arc::new(bulk(1 << 20));
    let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut reader);
    let events: Vec<Event> = outcome.trace.iter().map(|(_, event)| event.clone()).collect();
    assert_eq!(reader.events, events);
    assert!(reader.firsts.len() > 5, "{:?}", reader.firsts);
    assert!(reader.asked > 5);
}

#[test]
fn a_run_that_nobody_wants_any_more_is_unfinished() {
    let mut reader = Reader { stop_after: Some(2), ..Reader::default() };
    let scenario = Arc::new(bulk(64 << 20));
    let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut reader);
    assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
    assert_eq!(outcome.finished.problems, [Problem::Stopped]);
    assert!(outcome.trace.len() < 100_000);
}

#[test]
fn a_run_ends_when_the_scenario_says_so_and_idle_time_passes() {
    let mut scenario = dead_client();
    scenario.until = Some(Duration::from_secs(60));
    scenario.programs[SERVER_PROGRAM].steps[4].may_not_happen = true;
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished.problems);
    assert_eq!(outcome.finished.totals.virtual_time, Duration::from_secs(60));
}

#[test]
fn limits_end_a_run_as_unfinished() {
    let mut scenario = dead_client();
    scenario.limits = Limits { virtual_time: Duration::from_secs(7205), ..Limits::default() };
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
    let limit = Limit::VirtualTime(Duration::from_secs(7205));
    assert_eq!(outcome.finished.problems, [Problem::LimitReached(limit)]);

    scenario.limits = Limits { events: 40, ..Limits::default() };
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
    assert_eq!(outcome.finished.problems, [Problem::LimitReached(Limit::Events(40))]);
}

#[test]
fn a_run_with_too_much_under_way_is_unfinished() {
    let mut scenario = bulk(64 << 20);
    let matching = Match { from: Some(CLIENT), ..Match::default() };
    let action = SegmentAction::Duplicate { copies: 100, spacing: Duration::from_secs(60) };
    let effect = Effect::Segment { matching, skip: 0, which: Which::All, action };
    scenario.faults.push(fault(effect, 0));
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
    assert_eq!(outcome.finished.problems, [Problem::LimitReached(Limit::UnderWay(16384))]);
}

#[test]
fn a_step_that_is_never_done_is_a_problem_unless_it_may_be() {
    let mut scenario = scenario(
        vec![connect(), receive(10), close(), Action::Hold],
        vec![listen(), accept(), receive_end()],
    );
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Failed);
    let expected =
        ["step 3 of server did not end, nor 0 after it", "step 2 of client did not end, nor 1 after it"];
    assert_eq!(problems(&outcome), expected);

    for step in scenario.programs.iter_mut().flat_map(|program| &mut program.steps) {
        step.may_not_happen = true;
    }
    assert_eq!(run(&scenario).finished.verdict, Verdict::Passed);
}

#[test]
fn a_step_that_fails_ends_its_program() {
    let scenario = scenario(vec![connect(), send(10), close()], vec![Action::Wait(Duration::from_secs(1))]);
    let outcome = run(&scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Failed);
    assert_eq!(
        problems(&outcome),
        ["step 1 of client: ECONNREFUSED", "step 2 of client was never reached, nor 1 after it"]
    );
    let connect = outcome.trace.iter().find_map(|(_, event)| match &event.kind {
        EventKind::ApplicationResult(result)
            if call(scenario_of(&outcome.trace), result.step) == "connect" =>
        {
            result.error
        }
        _ => None,
    });
    assert_eq!(connect, Some(halfopen_tcp::Errno::ConnectionRefused));
}

#[test]
fn a_program_sends_again_and_again_at_its_pace() {
    let mut scenario =
        scenario(vec![connect(), send(100), close()], vec![listen(), accept(), receive_end(), close()]);
    let Action::Send { times, every, .. } = &mut scenario.programs[CLIENT_PROGRAM].steps[1].action else {
        unreachable!("the step sends");
    };
    (*times, *every) = (3, Duration::from_secs(10));
    let outcome = run(&scenario);
    let data: Vec<String> = wire(&outcome).into_iter().filter(|line| line.ends_with("len 100")).collect();
    let expected = [
        "0.040 client ACK 1:1 len 100",
        "10.040 client ACK 101:1 len 100",
        "20.040 client ACK 201:1 len 100",
    ];
    assert_eq!(data, expected);
}
