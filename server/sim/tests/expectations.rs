//! Expectations: each kind, when it holds and when it does not.

mod common;

use std::time::Duration;

use common::*;
use halfopen_scenario::{
    Claim, ConnectionRef, Count, Errors, Expectation, FlagsMatch, HostClaim, HostId, KeepaliveOutcome,
    Location, Match, PathItem, Scenario, Window,
};
use halfopen_sim::Outcome;
use halfopen_tcp::{Errno, Flags, State};
use halfopen_trace::{EventKind, ExpectationResult, Finding, KeepaliveFound, KeepaliveVerdict, Verdict};

fn expectation(claim: Claim, at: Option<Window>) -> Expectation {
    Expectation {
        claim,
        at,
        location: Location { line: 7, column: 1, path: "expect[0]".to_owned() },
        text: "the text".to_owned(),
    }
}

fn about(host: HostId, claim: HostClaim) -> Expectation {
    expectation(Claim::Host { host, connection: None, some: false, claim }, None)
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
    let path = || Finding::States(vec![Listen, SynReceived, Established, Closed]);
    let silence = Duration::from_secs(7950);
    let dead =
        || Finding::Keepalive(Some(KeepaliveFound { verdict: KeepaliveVerdict::Dead, probes: 10, silence }));
    let timed_out = || Finding::Error(Some(Errno::TimedOut));
    let cases = [
        (states(&[Listen, SynReceived, Established, Closed]), true, path()),
        (states(&[Listen, SynReceived, Established]), false, path()),
        (HostClaim::Ends(Closed), true, Finding::LastState(Some(Closed))),
        (HostClaim::Ends(Established), false, Finding::LastState(Some(Closed))),
        (HostClaim::Never(vec![TimeWait]), true, path()),
        (HostClaim::Never(vec![TimeWait, Established]), false, Finding::States(vec![Established])),
        (keepalive(10, 7950), true, dead()),
        (keepalive(9, 7950), false, dead()),
        (keepalive(10, 7949), false, dead()),
        (HostClaim::Error(Errno::TimedOut.into()), true, timed_out()),
        (HostClaim::Error(Errno::ConnectionReset.into()), false, timed_out()),
        (HostClaim::Error(Errors::from_iter([Errno::ConnectionReset, Errno::TimedOut])), true, timed_out()),
        (HostClaim::Error(Errors::from_iter([Errno::ConnectionReset, Errno::Again])), false, timed_out()),
        (HostClaim::Received(1024), true, Finding::Received(1024)),
        (HostClaim::Received(1023), false, Finding::Received(1024)),
    ];
    for (claim, passed, finding) in cases {
        let result = check(dead_client(), about(SERVER, claim.clone()));
        assert_eq!((result.passed, &result.finding), (passed, &finding), "{claim:?}: {result:?}");
        assert_eq!(result.connection.is_some(), !passed, "the connection that broke the claim");
    }
}

#[test]
fn what_decides_must_happen_in_time() {
    for (seconds, passed) in [(0..=8000, true), (0..=7000, false)] {
        let window =
            Window { from: Duration::from_secs(*seconds.start()), to: Duration::from_secs(*seconds.end()) };
        let claim = Claim::Host {
            host: SERVER,
            connection: None,
            some: false,
            claim: HostClaim::Error(Errno::TimedOut.into()),
        };
        let result = check(dead_client(), expectation(claim, Some(window)));
        assert_eq!(result.passed, passed);
        assert_eq!(result.finding, Finding::Error(Some(Errno::TimedOut)));
        let decided = result.decided.expect("by the error");
        assert_eq!(decided.time.as_duration(), Duration::from_millis(7_950_100));
    }
}

#[test]
fn a_host_whose_power_is_gone_ends_in_no_state() {
    let result = check(dead_client(), about(CLIENT, HostClaim::Ends(State::Established)));
    assert!(!result.passed);
    assert_eq!(result.finding, Finding::LastState(None));
}

#[test]
fn a_claim_about_no_connection_does_not_hold() {
    let mut scenario = session();
    for program in &mut scenario.programs {
        program.steps.clear();
    }
    let result = check(scenario, about(SERVER, HostClaim::Never(vec![State::TimeWait])));
    assert!(!result.passed);
    assert_eq!(result.finding, Finding::NoConnection);
}

#[test]
fn a_claim_may_be_about_one_connection_of_a_program() {
    let connection = Some(ConnectionRef { program: CLIENT_PROGRAM, connection: CONNECTION, nth: None });
    let claim = Claim::Host { host: CLIENT, connection, some: false, claim: HostClaim::Ends(State::Closed) };
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
        assert_eq!(result.finding, Finding::Segments { count: 1, spacing: Vec::new() });
    }
}

/// ARP asks three times, a second apart, and the SYNs wait in the client. What is sent while the neighbour is known is lost on the way.
#[test]
fn a_segment_that_waits_for_a_neighbour_in_vain_was_never_sent() {
    let text = |at: &str| {
        format!(
            "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{neighbours: on}}\napplications:\n  server: [listen: 80, \
             {{accept: , may-not-happen: on}}, {{receive: end, may-not-happen: on}}]\n  client: [wait: 1s, {{connect: server:80, may-fail: \
             on}}, wait: 1s, {{send: 10 B, may-fail: on}}]\nfaults: [{{power-loss: server, at: {at}}}]\nuntil: 8s\nexpect:\n  - segments: \
             {{from: client}}\n    count: at least 0\n"
        )
    };
    for (at, sent) in [("0s", 0), ("1500ms", 9)] {
        let result = only_result(&run_text(&text(at)));
        assert_eq!(result.finding, Finding::Segments { count: sent, spacing: Vec::new() }, "{at}");
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
    only_result(&play(text))
}

fn only_result(outcome: &Outcome) -> ExpectationResult {
    let mut results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ExpectationResult(result) => Some((**result).clone()),
        _ => None,
    });
    let result = results.next().expect("one is there");
    assert!(results.next().is_none());
    assert_eq!(outcome.finished.verdict == Verdict::Passed, result.passed, "{:?}", problems(outcome));
    if let Some(decided) = result.decided {
        assert_eq!(outcome.trace.get(decided.event).map(|event| event.time), Some(decided.time));
    }
    result
}

#[test]
fn claims_about_the_wire_and_the_whole_hold_or_do_not() {
    let data = "segments: {from: client, payload: any}";
    let seconds =
        |count: u64, gaps: usize| Finding::Segments { count, spacing: vec![Duration::from_secs(1); gaps] };
    let order = |segments: &[(HostId, Flags)]| Finding::Order {
        first: segments.iter().map(|(host, flags)| ((*host).into(), *flags)).collect(),
        more: 0,
    };
    let (syn, fin) = (Flags::SYN, Flags::FIN | Flags::ACK);
    let fins = || order(&[(CLIENT, fin), (SERVER, fin)]);
    let all = || order(&[(CLIENT, syn), (SERVER, syn | Flags::ACK), (CLIENT, fin), (SERVER, fin)]);
    let took = || Finding::VirtualTime(Duration::from_millis(62_080));
    let cases = [
        (format!("{data}, spacing: [1s, 1s]"), true, seconds(3, 2)),
        (format!("{data}, spacing: [1s]"), false, seconds(3, 1)),
        (format!("{data}, spacing: [1s], count: 3"), true, seconds(3, 1)),
        (format!("{data}, spacing: [1s, 1s, 1s], count: at least 3"), false, seconds(3, 2)),
        (format!("{data}, spacing: [1s, 990ms ± 5ms]"), false, seconds(3, 2)),
        (format!("{data}, spacing: [995ms ± 5ms, within 1s]"), true, seconds(3, 2)),
        (
            "segments: {from: client, flags: RST}, count: at most 1, within: 5s".to_owned(),
            false,
            seconds(0, 0),
        ),
        ("order: [SYN, FIN]".to_owned(), false, all()),
        ("order: [{flags: SYN}, SYN+ACK, FIN, FIN]".to_owned(), true, all()),
        ("order: [{from: client, flags: FIN}, {from: server, flags: FIN}]".to_owned(), true, fins()),
        ("order: [{from: server, flags: FIN}, {from: client, flags: FIN}]".to_owned(), false, fins()),
        (
            "order: [{from: client, flags: FIN}, {from: server, flags: FIN}], within: 1s".to_owned(),
            false,
            fins(),
        ),
        (
            "order: [SYN, …, {from: server, flags: FIN}]".to_owned(),
            true,
            order(&[(CLIENT, syn), (SERVER, syn | Flags::ACK), (SERVER, fin)]),
        ),
        ("order: [{flags: RST}, {flags: URG}]".to_owned(), false, order(&[])),
        ("all-closed: within 63s".to_owned(), true, Finding::AllClosed),
        ("all-closed: within 62s".to_owned(), false, Finding::AllClosed),
        ("all-closed: ".to_owned(), true, Finding::AllClosed),
        ("data: intact".to_owned(), true, Finding::DataIntact { octets: 300 }),
        ("virtual-time: under 2m".to_owned(), true, took()),
        ("virtual-time: under 62s 80ms".to_owned(), false, took()),
        ("virtual-time: within 62s 80ms".to_owned(), true, took()),
    ];
    for (claim, passed, finding) in cases {
        let result = played(&format!("{TALK}expect: [{{{claim}}}]\n"));
        assert_eq!((result.passed, &result.finding), (passed, &finding), "{claim}: {result:?}");
    }
}

#[test]
fn what_had_no_chance_to_be_checked_does_not_hold() {
    let idle = "applications: {client: [wait: 1s]}\n";
    let cases = [
        ("all-closed: within 90s", Finding::NoConnection),
        ("data: intact", Finding::NoData),
        ("segments: {from: server, flags: RST}, count: 0", Finding::NoSegments),
        ("segments: {flags: SYN}, count: at most 2", Finding::NoSegments),
        ("order: [SYN, FIN]", Finding::Order { first: Vec::new(), more: 0 }),
        ("client: {never: CLOSE-WAIT}", Finding::NoConnection),
        ("client: {keepalive: silent}", Finding::NoConnection),
    ];
    for (claim, finding) in cases {
        let result = played(&format!("{idle}expect: [{{{claim}}}]\n"));
        assert_eq!((result.passed, &result.finding), (false, &finding), "{claim}");
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
        assert_eq!(result.passed, passed, "{claim}: {:?}", result.finding);
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
    let finding = Finding::DataMissing { sender: CLIENT.into(), received: 100, sent: 300 };
    assert_eq!((result.finding, result.connection.map(|number| number.0.get())), (finding, Some(1)));
}

#[test]
fn an_error_that_nothing_in_the_text_says_is_no_pass() {
    let play = |client: &str, expect: &str| {
        let outcome =
            play(&format!("applications:\n  server: [wait: 1s, listen: 80]\n  client: [{client}]\n{expect}"));
        (outcome.finished.verdict == Verdict::Passed, problems(&outcome).join("\n"))
    };
    let (passed, problems) = play("connect: server:80", "");
    let said = "step 1 of client: ECONNREFUSED";
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

#[test]
fn who_waits_for_a_peer_whose_host_is_off_need_not_end() {
    let cases = [
        ("power-loss: server", "receive: 1 B, close", None),
        ("power-loss: server", "send: 20 MB, close", None),
        ("power-loss: server", "{ping: 1 B, times: 3, every: 1s}, close", None),
        ("cable-pull: server", "receive: 1 B, close", Some("step 2 of client did not end, nor 1 after it")),
        ("freeze: server", "receive: 1 B, close", Some("step 2 of client did not end, nor 1 after it")),
    ];
    for (fault, client, problem) in cases {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, hold]\n  client: [connect: server:80, {client}]\nfaults:\n  - {fault}\n    at: \
             1s\nuntil: 10s\n"
        ));
        assert_eq!(problems(&outcome), problem.into_iter().collect::<Vec<_>>(), "{fault} {client}");
    }
}

#[test]
fn an_error_and_the_end_of_a_stream_are_timed_when_a_call_returns_them() {
    let late = "\
applications:
  server: [listen: 80, accept, wait-until: 1s, abort]
  client: [connect: server:80, wait-until: 60s, {receive: 1 B, error: ECONNRESET}]
";
    let never = "\
applications:
  server: [listen: 80, accept, wait-until: 1s, abort]
  client: [connect: server:80, hold]
";
    let ends = "\
applications:
  server: [listen: 80, accept, close]
  client: [connect: server:80, {receive: 1 B, timeout: 1ms, error: EAGAIN}, wait-until: 5s, receive]
";
    let reset = Finding::Error(Some(Errno::ConnectionReset));
    let cases = [
        (late, "client: {error: ECONNRESET, at: 60s}", true, reset.clone()),
        (late, "client: {error: ECONNRESET, within: 59s}", false, reset),
        (never, "client: {error: ECONNRESET}", false, Finding::PendingError(Errno::ConnectionReset)),
        (never, "server: {error: ECONNRESET}", false, Finding::Error(None)),
        (ends, "client: {received: end, at: 5s}", true, Finding::EndOfStream(true)),
        (ends, "client: {received: end, within: 4s}", false, Finding::EndOfStream(true)),
        (ends, "server: {received: end}", false, Finding::EndOfStream(false)),
        (ends, "client: {error: EAGAIN}", false, Finding::Error(None)),
    ];
    for (text, claim, passed, finding) in cases {
        let result = played(&format!("{text}expect: [{claim}]\n"));
        assert_eq!((result.passed, &result.finding), (passed, &finding), "{claim}");
    }
}

#[test]
fn a_claim_may_be_about_some_connection_or_one_of_those_with_a_name() {
    let text = "\
applications:
  server:
    - listen: 80
    - repeat: [{accept: , as: c}, {receive: 1 B, on: c}, {close: , on: c}]
      times: 2
    - hold
  client:
    - repeat: [{connect: server:80, as: c}, {send: 1 B, on: c}, wait: 1s]
      times: 3
    - hold
until: 30s
";
    for (claim, passed) in [
        ("server: {ends: FIN-WAIT-2, on: c}", true),
        ("server: {ends: FIN-WAIT-2, on: c#1}", true),
        ("server: {ends: FIN-WAIT-2, on: c#2}", true),
        ("server: {ends: FIN-WAIT-2, on: c#3}", false),
        ("server: {ends: FIN-WAIT-2}", false),
        ("server: {ends: FIN-WAIT-2, some: on}", true),
        ("server: {ends: ESTABLISHED, some: on}", true),
        ("server: {ends: CLOSE-WAIT, some: on}", false),
        ("server: {received: 1 B, at: 1100ms, on: c#2}", true),
        ("server: {received: 1 B, at: 1100ms, some: on}", true),
        ("server: {received: 1 B, at: 3s, some: on}", false),
        ("client: {ends: ESTABLISHED, on: c#3}", true),
        ("segments: {on: c#2, payload: any}, count: 1, at: 1080ms", true),
        ("segments: {from: client, on: c, payload: any}, count: 3", true),
    ] {
        let result = played(&format!("{text}expect: [{{{claim}}}]\n"));
        assert_eq!(result.passed, passed, "{claim}: {result:?}");
    }
}

#[test]
fn both_ends_may_call_a_connection_the_same() {
    let text = "\
applications:
  server:
    a: [listen: 80, {accept: , as: old}, {receive: end, on: old}]
    b: [listen: 81, {accept: , as: new}, {receive: end, on: new}]
  client:
    - {connect: server:80, as: old}
    - {connect: server:81, as: new}
    - {send: 1 B, on: old}
    - {send: 1 B, on: new}
    - {close: , on: old}
    - {close: , on: new}
faults:
  - drop: {on: old, payload: any}
    first: 1
";
    let cases = [
        ("segments: {on: old, retransmission: on}, count: 1", true),
        ("segments: {on: new, retransmission: on}, count: 0", true),
        ("segments: {on: old, payload: any}, count: 2", true),
    ];
    for (claim, passed) in cases {
        let result = played(&format!("{text}expect: [{{{claim}}}]\n"));
        assert_eq!(result.passed, passed, "{claim}: {result:?}");
    }
}

#[test]
fn segments_may_be_told_by_their_window_and_options() {
    for (claim, count) in [
        ("{flags: SYN, mss: 1460 B, window-scale: 10, sack-permitted: on, timestamps: on}", 2),
        ("{flags: SYN, mss: off}", 0),
        ("{flags: SYN, window: larger than 60 KiB}", 2),
        ("{from: client, payload: any, window-scale: off, sack: off, timestamps: on}", 3),
        ("{from: client, sack: on}", 0),
        ("{window: 0}", 0),
    ] {
        let result = played(&format!("{TALK}expect: [{{segments: {claim}, count: {count}}}]\n"));
        assert!(result.passed, "{claim}: {result:?}");
    }
}

#[test]
fn data_may_be_incomplete_and_is_that_of_a_host() {
    let text = "\
applications:
  server: [listen: 80, accept, send: 10 B, receive: 100 B, abort]
  client: [connect: server:80, receive: 10 B, send: 300 B, {receive: end, error: ECONNRESET}]
";
    let missing = || Finding::DataMissing { sender: CLIENT.into(), received: 100, sent: 300 };
    let cases = [
        ("data: incomplete", true, missing()),
        ("data: {client: incomplete}", true, missing()),
        ("data: {client: intact}", false, missing()),
        ("data: {server: intact}", true, Finding::DataIntact { octets: 10 }),
        ("data: {server: incomplete}", false, Finding::DataIntact { octets: 10 }),
    ];
    for (claim, passed, finding) in cases {
        let result = played(&format!("{text}expect: [{claim}]\n"));
        assert_eq!((result.passed, &result.finding), (passed, &finding), "{claim}");
    }
}

#[test]
fn what_tcp_info_says_at_a_time_can_be_claimed() {
    let text = "\
applications:
  server: [listen: 80, accept, receive: end, close]
  client: [connect: server:80, send: 100 B, wait: 10s, close]
faults:
  - drop: {from: client, payload: any}
    at: 1ms
    may-not-happen: on
until: 20s
";
    let fine = text.replace("at: 1ms", "at: 15s");
    let lost = text.replace("receive: end, close]", "{receive: end, may-not-happen: on}]");
    for (text, claim, passed) in [
        (
            &*fine,
            "client: {tcp-info: {cwnd: at least 10, rtt: 40ms ± 1ms, min-rtt: 40ms, unacked: 0, total-retrans: 0}, at: 2s}",
            true,
        ),
        (&*fine, "client: {tcp-info: {unacked: 1, delivered: at most 1}, at: 45ms}", true),
        (&*fine, "client: {tcp-info: {cwnd: 9}, at: 2s}", false),
        (&*fine, "client: {tcp-info: {rtt: 41ms}, at: 2s}", false),
        (&*fine, "client: {tcp-info: {unacked: 1}, at: 0s}", true),
        (
            &*lost,
            "client: {tcp-info: {retransmits: at least 2, cwnd: 1, total-retrans: at least 2}, at: 5s}",
            true,
        ),
    ] {
        let result = played(&format!("{text}expect: [{claim}]\n"));
        assert_eq!(result.passed, passed, "{claim}: {result:?}");
    }
    let idle = "applications: {client: [wait: 1s]}\n";
    let result = played(&format!("{idle}expect: [client: {{tcp-info: {{cwnd: 10}}, at: 500ms}}]\n"));
    assert_eq!((result.passed, result.finding), (false, Finding::NoConnectionThen));
}
