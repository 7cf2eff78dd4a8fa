//! Expectations: each kind, when it holds and when it does not.

mod common;

use std::time::Duration;

use common::*;
use halfopen_scenario::{
    Claim, ConnectionRef, Count, Expectation, FlagsMatch, HostClaim, HostId, KeepaliveOutcome, Location,
    Match, PathItem, Scenario, Window,
};
use halfopen_sim::trace::{EventKind, ExpectationResult, Verdict};
use halfopen_tcp::{Errno, Flags, State};

fn expectation(claim: Claim, at: Option<Window>) -> Expectation {
    Expectation { claim, at, location: Location { line: 7, column: 1 }, text: "the text".to_owned() }
}

fn about(host: HostId, claim: HostClaim) -> Expectation {
    expectation(Claim::Host { host, connection: None, claim }, None)
}

fn exactly(seconds: u64) -> Window {
    let time = Duration::from_secs(seconds);
    Window { from: time, to: time }
}

/// The result of one expectation of a scenario.
fn check(mut scenario: Scenario, expectation: Expectation) -> ExpectationResult {
    scenario.expectations = vec![expectation];
    let outcome = run(&scenario);
    let mut results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ExpectationResult(result) => Some((**result).clone()),
        _ => None,
    });
    let result = results.next().expect("every expectation has a result");
    let totals = outcome.finished.totals;
    let counts = if result.passed { (1, 0) } else { (0, 1) };
    assert_eq!((totals.expectations_passed, totals.expectations_failed), counts);
    let verdict = if result.passed { Verdict::Passed } else { Verdict::Failed };
    assert_eq!(outcome.finished.verdict, verdict, "{:?}", outcome.finished.problems);
    assert_eq!((result.line, result.text.as_str()), (7, "the text"));
    result
}

fn states(states: &[State]) -> HostClaim {
    HostClaim::States(states.iter().copied().map(PathItem::State).collect())
}

fn keepalive(probes: u32, seconds: u64) -> HostClaim {
    let outcome = KeepaliveOutcome::Dead;
    HostClaim::Keepalive { outcome, probes: Some(probes), after: Some(exactly(seconds)) }
}

#[test]
fn claims_about_a_host_hold_or_do_not() {
    use State::{Closed, Established, Listen, SynReceived, TimeWait};
    let cases = [
        (
            states(&[Listen, SynReceived, Established, Closed]),
            true,
            "LISTEN, SYN-RECEIVED, ESTABLISHED, CLOSED",
        ),
        (states(&[Listen, SynReceived, Established]), false, "LISTEN, SYN-RECEIVED, ESTABLISHED, CLOSED"),
        (HostClaim::Ends(Closed), true, "CLOSED"),
        (HostClaim::Ends(Established), false, "CLOSED"),
        (HostClaim::Never(vec![TimeWait]), true, "LISTEN, SYN-RECEIVED, ESTABLISHED, CLOSED"),
        (HostClaim::Never(vec![TimeWait, Established]), false, "ESTABLISHED"),
        (keepalive(10, 7950), true, "dead: 10 probes, 2h 12m 30s after the last segment"),
        (keepalive(9, 7950), false, "dead: 10 probes, 2h 12m 30s after the last segment"),
        (keepalive(10, 7949), false, "dead: 10 probes, 2h 12m 30s after the last segment"),
        (HostClaim::Error(Errno::TimedOut), true, "ETIMEDOUT"),
        (HostClaim::Error(Errno::ConnectionReset), false, "ETIMEDOUT"),
        (HostClaim::Received(1024), true, "1024 octets"),
        (HostClaim::Received(1023), false, "1024 octets"),
    ];
    for (claim, passed, actual) in cases {
        let result = check(dead_client(), about(SERVER, claim.clone()));
        assert_eq!(result.passed, passed, "{claim:?}: {result:?}");
        let found = result.actual.trim_end_matches(" (connection 1)");
        assert_eq!(found, actual, "{claim:?}");
    }
}

#[test]
fn what_decides_must_happen_in_time() {
    for (seconds, passed) in [(0..=8000, true), (0..=7000, false)] {
        let window =
            Window { from: Duration::from_secs(*seconds.start()), to: Duration::from_secs(*seconds.end()) };
        let claim = Claim::Host { host: SERVER, connection: None, claim: HostClaim::Error(Errno::TimedOut) };
        let result = check(dead_client(), expectation(claim, Some(window)));
        assert_eq!(result.passed, passed);
        assert!(result.actual.starts_with("ETIMEDOUT, at 2h 12m 30s 100ms"), "{}", result.actual);
        assert!(result.deciding_event > 0);
    }
}

#[test]
fn a_host_whose_power_is_gone_ends_in_no_state() {
    let result = check(dead_client(), about(CLIENT, HostClaim::Ends(State::Established)));
    assert!(!result.passed);
    assert_eq!(result.actual, "gone with its host (connection 1)");
}

#[test]
fn a_claim_about_no_connection_does_not_hold() {
    let mut scenario = session();
    for program in &mut scenario.programs {
        program.steps.clear();
    }
    let result = check(scenario, about(SERVER, HostClaim::Never(vec![State::TimeWait])));
    assert!(!result.passed);
    assert_eq!(result.actual, "server had no connection");
}

#[test]
fn a_claim_may_be_about_one_connection_of_a_program() {
    let connection = Some(ConnectionRef { program: CLIENT_PROGRAM, connection: CONNECTION });
    let claim = Claim::Host { host: CLIENT, connection, claim: HostClaim::Ends(State::Closed) };
    assert!(check(session(), expectation(claim, None)).passed);
}

#[test]
fn segments_are_counted_on_the_wire() {
    let matching =
        Match { from: Some(CLIENT), flags: Some(FlagsMatch::AtLeast(Flags::SYN)), ..Match::default() };
    for (count, passed) in [
        (Count::Exactly(1), true),
        (Count::Exactly(2), false),
        (Count::AtLeast(1), true),
        (Count::AtMost(0), false),
    ] {
        let claim = Claim::Segments { matching: matching.clone(), count };
        let result = check(session(), expectation(claim, None));
        assert_eq!(result.passed, passed, "{count:?}");
        assert_eq!(result.actual, "1 segment");
    }
}
