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
    Expectation {
        claim,
        at,
        location: Location { line: 7, column: 1, path: "expect[0]".to_owned() },
        text: "the text".to_owned(),
    }
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
        assert!(result.actual.starts_with("ETIMEDOUT, at 2h 12m 30.1s"), "{}", result.actual);
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
        let claim = Claim::Segments { matching: matching.clone(), count, spacing: Vec::new() };
        let result = check(session(), expectation(claim, None));
        assert_eq!(result.passed, passed, "{count:?}");
        assert_eq!(result.actual, "1 segment");
    }
}

/// A client that sends three times, and both close.
const TALK: &str = "\
applications:
  server: [listen: 80, accept, receive: end, close]
  client: [connect: server:80, {send: 100 B, every: 1s, times: 3}, close]
";

/// The one expectation of a text, as it came out.
fn played(text: &str) -> ExpectationResult {
    let outcome = play(text);
    let mut results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ExpectationResult(result) => Some((**result).clone()),
        _ => None,
    });
    let result = results.next().expect("one is there");
    assert!(results.next().is_none());
    assert_eq!(outcome.finished.verdict == Verdict::Passed, result.passed, "{:?}", problems(&outcome));
    assert_eq!(
        result.deciding_event > 0,
        result.decided_at.is_some_and(|at| {
            let event = outcome.trace.get(result.deciding_event).expect("it is there");
            event.time.as_duration() == at
        })
    );
    result
}

#[test]
fn claims_about_the_wire_and_the_whole_hold_or_do_not() {
    let data = "segments: {from: client, payload: any}";
    let cases: &[(&str, bool, &str)] = &[
        (&format!("{data}, spacing: [1s, 1s]"), true, "3 segments, 1s, 1s apart"),
        (&format!("{data}, spacing: [1s]"), false, "3 segments, 1s apart"),
        (&format!("{data}, spacing: [1s], count: 3"), true, "3 segments, 1s apart"),
        (&format!("{data}, spacing: [1s, 1s, 1s], count: at least 3"), false, "3 segments, 1s, 1s apart"),
        (&format!("{data}, spacing: [1s, 990ms ± 5ms]"), false, "3 segments, 1s, 1s apart"),
        (&format!("{data}, spacing: [995ms ± 5ms, within 1s]"), true, "3 segments, 1s, 1s apart"),
        (
            "segments: {from: client, flags: RST}, count: at most 1, within: 5s",
            false,
            "0 segments, at no time in particular",
        ),
        ("order: [SYN, FIN]", false, "client SYN, server SYN+ACK, client FIN+ACK, server FIN+ACK"),
        (
            "order: [{flags: SYN}, SYN+ACK, FIN, FIN]",
            true,
            "client SYN, server SYN+ACK, client FIN+ACK, server FIN+ACK",
        ),
        (
            "order: [{from: client, flags: FIN}, {from: server, flags: FIN}]",
            true,
            "client FIN+ACK, server FIN+ACK",
        ),
        (
            "order: [{from: server, flags: FIN}, {from: client, flags: FIN}]",
            false,
            "client FIN+ACK, server FIN+ACK",
        ),
        (
            "order: [{from: client, flags: FIN}, {from: server, flags: FIN}], within: 1s",
            false,
            "client FIN+ACK, server FIN+ACK, at 2.06s",
        ),
        ("order: [SYN, …, {from: server, flags: FIN}]", true, "client SYN, server SYN+ACK, server FIN+ACK"),
        ("order: [{flags: RST}, {flags: URG}]", false, "none of them"),
        ("all-closed: within 63s", true, "every connection closed, at 1m 2.08s"),
        ("all-closed: within 62s", false, "every connection closed, at 1m 2.08s"),
        ("all-closed: ", true, "every connection closed"),
        ("data: intact", true, "300 octets received"),
        ("virtual-time: under 2m", true, "1m 2.08s"),
        ("virtual-time: under 62s 80ms", false, "1m 2.08s"),
        ("virtual-time: within 62s 80ms", true, "1m 2.08s"),
    ];
    for (claim, passed, actual) in cases {
        let result = played(&format!("{TALK}expect: [{{{claim}}}]\n"));
        assert_eq!((result.passed, result.actual.as_str()), (*passed, *actual), "{claim}: {result:?}");
    }
}

#[test]
fn what_is_expected_is_told_in_words() {
    for (claim, expected) in [
        (
            "order: [{from: client, flags: FIN}, {from: server, flags: FIN}], at: 2060ms",
            "[{from: client, flags: FIN}, {from: server, flags: FIN}], at 2.06s",
        ),
        (
            "segments: {payload: any}, spacing: [1s, 2s ± 1s], count: at least 2",
            "at least 2 segments, 1s, between 1s and 3s apart",
        ),
        ("all-closed: under 3m", "every connection closed, under 3m"),
        ("all-closed: within 3m", "every connection closed, within 3m"),
        ("data: intact", "all that was sent received"),
        ("virtual-time: under 1h", "under 1h"),
        ("client: {ends: CLOSED, within: 3m}", "CLOSED, within 3m"),
        ("client: {received: 0 B}", "0 octets"),
    ] {
        assert_eq!(played(&format!("{TALK}expect: [{{{claim}}}]\n")).expected, expected, "{claim}");
    }
}

#[test]
fn what_had_no_chance_to_be_checked_does_not_hold() {
    let idle = "applications: {client: [wait: 1s]}\n";
    let cases = [
        ("all-closed: within 90s", "there was no connection"),
        ("data: intact", "nothing was sent"),
        ("segments: {from: server, flags: RST}, count: 0", "no host sent anything"),
        ("segments: {flags: SYN}, count: at most 2", "no host sent anything"),
        ("order: [SYN, FIN]", "none of them"),
        ("client: {never: CLOSE-WAIT}", "client had no connection"),
        ("client: {keepalive: silent}", "client had no connection"),
    ];
    for (claim, actual) in cases {
        let result = played(&format!("{idle}expect: [{{{claim}}}]\n"));
        assert_eq!((result.passed, result.actual.as_str()), (false, actual), "{claim}");
    }
}

#[test]
fn a_time_is_that_of_every_connection_that_is_meant() {
    let twice = "\
applications:
  server: {a: [listen: 80, accept, receive: end, close], b: [listen: 81, accept, receive: end, close]}
  client: [{connect: server:80, as: a}, {connect: server:81, as: b}, {close: , on: b}, wait: 5s, {close: , on: a}]
";
    for (claim, passed) in [
        ("client: {states: [CLOSED, …, FIN-WAIT-1, …, CLOSED], within: 64s}", false),
        ("client: {states: [CLOSED, …, FIN-WAIT-1, …, CLOSED], within: 66s}", true),
        ("client: {states: [CLOSED, …, FIN-WAIT-1, …, CLOSED], within: 64s, on: b}", true),
        ("client: {states: [CLOSED, …, FIN-WAIT-1, …, CLOSED], within: 64s, on: a}", false),
    ] {
        let result = played(&format!("{twice}expect: [{claim}]\n"));
        assert_eq!(result.passed, passed, "{claim}: {}", result.actual);
    }
}

#[test]
fn data_that_does_not_arrive_is_not_intact() {
    let text = "\
applications:
  server: [listen: 80, accept, receive: 100 B, abort]
  client: [connect: server:80, send: 300 B, {receive: end, error: ECONNRESET}]
expect: [data: intact]
";
    let result = played(text);
    assert_eq!(result.actual, "100 of 300 octets from client received (connection 1)");
    assert_eq!((result.text.as_str(), result.line), ("data: intact", 7));
}

#[test]
fn an_error_that_nothing_in_the_text_says_is_no_pass() {
    let play = |client: &str, expect: &str| {
        let outcome =
            play(&format!("applications:\n  server: [wait: 1s, listen: 80]\n  client: [{client}]\n{expect}"));
        (outcome.finished.verdict == Verdict::Passed, problems(&outcome).join("\n"))
    };
    let (passed, problems) = play("connect: server:80", "");
    let said = "step 1 of client ended with ECONNREFUSED: connect: server:80 (line 6); if it should, say `error: \
                ECONNREFUSED` or `may-fail: on` beside it";
    assert_eq!((passed, problems.as_str()), (false, said));
    for (client, expect) in [
        ("{connect: server:80, error: ECONNREFUSED}", ""),
        ("{connect: server:80, may-fail: on}", ""),
        ("connect: server:80", "expect: [client: {error: ECONNREFUSED}]\n"),
    ] {
        assert_eq!(play(client, expect), (true, String::new()), "{client} {expect}");
    }
    let other = play("connect: server:80", "expect: [client: {ends: CLOSED}]\n");
    assert_eq!(other, (false, said.to_owned()), "no claim about the error");
}
