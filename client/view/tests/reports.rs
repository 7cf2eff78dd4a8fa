//! Runs made by hand, as the reporters write them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::process::Command;

use common::tool;
use common::{MS, Script, dead_client, ends, errors, expectation_reference, handshake, never};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Diagnostic, Event, ExpectationResult, FaultApplied, StepKind, TcpState, Verdict};
use halfopen_view::Stopped;
use halfopen_view::picture::PictureOptions;
use halfopen_view::record::RunOptions;
use halfopen_view::record::{Outcome, RunRecord};
use halfopen_view::report::{
    JsonDocumentReporter, JsonReporter, JunitReporter, NdjsonReporter, Reporter, TapReporter, TextOptions,
    TextReporter,
};
use snapbox::{assert_data_eq, str};

fn record(name: &str, events: Vec<Event>) -> RunRecord {
    RunRecord { events, ..RunRecord::new(name.to_owned()) }
}

/// A run in which an expectation is broken and a fault never fired.
fn failed() -> RunRecord {
    let mut script = Script::new("broken", "What was expected did not happen", &["client", "server"]);
    handshake(&mut script);
    let expectation = |passed, deciding_event| {
        let found = if passed { TcpState::Closed } else { TcpState::Established };
        let (claim, finding) = ends(TcpState::Closed, found);
        ExpectationResult {
            expectation: expectation_reference(1, 31),
            passed,
            text: "server: ends CLOSED".into(),
            claim,
            finding,
            deciding_event,
            ..ExpectationResult::default()
        }
    };
    script.at(70 * MS).expectation(expectation(true, 0));
    script.expectation(expectation(false, 15)).expectation(expectation(false, 0));
    record("scenarios/broken.yaml", script.finish(Verdict::Failed, &[never(1, "drop: FIN")]))
}

fn invalid() -> RunRecord {
    let message = "the scenario has 2 mistakes; the first: line 3, column 5: no such key".to_owned();
    let rendered = "no such key\n --> wrong.yaml:3:5".to_owned();
    let diagnostics = vec![Diagnostic { rendered, ..Diagnostic::default() }];
    let stopped = Some(Stopped::Invalid { message, diagnostics });
    RunRecord { stopped, ..RunRecord::new("wrong.yaml".to_owned()) }
}

fn interrupted() -> RunRecord {
    let mut events = dead_client();
    events.truncate(12);
    RunRecord { stopped: Some(Stopped::Interrupted), ..record("dead-client", events) }
}

fn text(records: impl IntoIterator<Item = RunRecord>, several: bool) -> String {
    let mut out = Vec::new();
    let mut reporter =
        TextReporter::new(&mut out, TextOptions { several, ..TextOptions::default() }, |_| true);
    for record in records {
        reporter.run(&record).unwrap();
    }
    reporter.end().unwrap();
    anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
}

#[test]
fn of_a_long_run_that_was_interrupted_the_beginning_is_drawn() {
    let mut script = Script::new("endless", "It goes on and on", &["client", "server"]);
    handshake(&mut script);
    script.at(70 * MS);
    while script.events.len() < 30_000 {
        script.call("client", StepKind::Send, 1, "");
    }
    let endless = RunRecord { stopped: Some(Stopped::Interrupted), ..record("endless", script.events) };
    let text = text([endless], false);
    assert!(text.contains("\nshowing the first 20000 of 30000 events\n"), "{text}");
    assert!(text.contains("unfinished after 30000 events"), "{text}");
}

#[test]
fn one_run_is_shown_in_full() {
    assert_data_eq!(
        text([record("dead-client", dead_client())], false),
        str![[r#"
dead-client: The client disappears silently; the server's keepalive finds out (seed 1)

      time             client                                               server
        0s               ┊                                                    ├ LISTEN · listen
        0s      SYN-SENT ├── SYN seq=0 ─────────────────────────────── 20ms ─▶│ SYN-RECEIVED
      20ms   ESTABLISHED ┃◀─ 40ms ───────────────────── SYN+ACK seq=0 ack=1 ──┤
      40ms               ┠── ACK seq=1 ack=1 ───────────────────────── 60ms ─▶┃ ESTABLISHED
      40ms       connect ┨                                                    ┃
      40ms               ┠── PSH+ACK seq=1 ack=1 len=1024 ───────────────────▶┃
      40ms     send 1024 ┨                                                    ┃
      60ms               ┃                                                    ┠ accept, receive 1024
      60ms               ┃◀──────────────── PSH+ACK seq=1 ack=1025 len=1024 ──┨
      60ms               ┃                                                    ┠ send 1024
      80ms  receive 1024 ┨                                                    ┃
      80ms               ┠── ACK seq=1025 ack=1025 ──────────────────────────▶┃
        1s               ┠ fault 1: power-loss                                ┃
         …               ┃            … 1h 59m 59.1s of silence …             ┃
2h 0m 0.1s  host is down ┃✗──────── ACK seq=1024 ack=1025 · keepalive probe ──┨ ESTABLISHED
         …               ┃                 … 1m of silence …                  ┃
2h 1m 0.1s  host is down ┃✗──────── ACK seq=1024 ack=1025 · keepalive probe ──┨ ESTABLISHED
2h 2m 0.1s               ┃  keepalive: dead after 2 probes, 2h 2m of silence, ┤ CLOSED
                         ┃       keepalive timer: gave up, receive: ETIMEDOUT │

server keepalive: dead: 2 probes, 2h 2m after the last segment, ETIMEDOUT
✓ server: error ETIMEDOUT
passed: 1 of 1 expectation, 2h 2m 0.1s of virtual time, 8 segments, 2 lost

"#]]
    );
}

#[test]
fn nothing_that_a_run_says_steers_the_terminal() {
    const STEERING: &str = "\u{1b}]0;title\u{7}\u{9b}2J\r";
    let mut script = Script::new(STEERING, STEERING, &["client", STEERING]);
    handshake(&mut script);
    let middlebox = STEERING.to_owned();
    script.fault_with(STEERING, 1, FaultApplied { middlebox, ..FaultApplied::default() });
    script.call("client", StepKind::Send, 0, STEERING);
    let ((claim, finding), text) = (errors(STEERING, STEERING), STEERING.to_owned());
    let broken = ExpectationResult { text, claim, finding, ..ExpectationResult::default() };
    let events = script.expectation(broken).finish(Verdict::Failed, &[never(1, STEERING)]);
    for several in [false, true] {
        let mut out = Vec::new();
        let mut reporter =
            TextReporter::new(&mut out, TextOptions { several, ..TextOptions::default() }, |_| true);
        reporter.run(&record(STEERING, events.clone())).unwrap();
        reporter.end().unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.contains("]0;title") && out.contains("\u{1b}["), "it is said, in colours");
        for steering in ["\u{1b}]", "\u{7}", "\u{9b}", "\r"] {
            assert!(!out.contains(steering), "{steering:?} in {out:?}");
        }
    }
}

#[test]
fn a_failed_run_says_what_was_expected_and_how_to_repeat_it() {
    assert_data_eq!(
        text([failed()], false),
        str![[r#"
broken: What was expected did not happen (seed 1)

time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

✓ server: ends CLOSED
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    scenarios/broken.yaml:31
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    scenarios/broken.yaml:31
✗ fault 1 was never applied: drop: FIN (line 20)
failed: 1 of 3 expectations, 70ms of virtual time, 4 segments
repeat it with: halfopen run scenarios/broken.yaml --seed 1  # halfopen 0.1.0

"#]]
    );
}

#[test]
fn of_many_seeds_each_kind_of_failure_is_shown_once_with_its_seeds() {
    let seeded = |mut record: RunRecord, seed: u64, variant: Option<&str>| {
        if let Some(Kind::RunStarted(started)) =
            record.events.first_mut().and_then(|event| event.kind.as_mut())
        {
            started.seed = seed;
        }
        record.name = format!("{} (seed {seed})", record.name);
        (record.options.seed, record.options.variant) = (Some(seed), variant.map(str::to_owned));
        record
    };
    let passed = |seed| seeded(record("scenarios/broken.yaml", dead_client()), seed, None);
    let cut = |seed| {
        let record = interrupted();
        seeded(RunRecord { file: "scenarios/broken.yaml".to_owned(), ..record }, seed, None)
    };
    let mut records = vec![passed(1)];
    records.extend([2, 3, 4].map(|seed| seeded(failed(), seed, None)));
    records.extend([passed(5), cut(6), seeded(failed(), 9, None)]);
    records.extend(
        [1, 2].map(|seed| seeded(record("scenarios/broken.yaml", dead_client()), seed, Some("fine"))),
    );
    let mut out = Vec::new();
    let options = TextOptions { several: true, by_scenario: true, names: 26, ..TextOptions::default() };
    let mut reporter = TextReporter::new(&mut out, options, |_| true);
    for record in records {
        reporter.run(&record).unwrap();
    }
    reporter.end().unwrap();
    let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
    assert_data_eq!(
        text,
        str![[r#"
unfinished scenarios/broken.yaml       7 runs: 2 passed, 4 failed, 1 unfinished, 4h 4m 0.48s
  4 runs failed, seeds 2..4,9
    ✗ server: ends CLOSED
    ✗ fault 1 was never applied: drop: FIN (line 20)
  1 run unfinished, seeds 6
    ✗ interrupted
passed     scenarios/broken.yaml/fine  2 runs: 2 passed, 4h 4m 0.2s

broken: What was expected did not happen (seed 2)

time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

✓ server: ends CLOSED
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    scenarios/broken.yaml:31
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    scenarios/broken.yaml:31
✗ fault 1 was never applied: drop: FIN (line 20)
failed: 1 of 3 expectations, 70ms of virtual time, 4 segments
repeat it with: halfopen run scenarios/broken.yaml --seed 2  # halfopen 0.1.0

dead-client: The client disappears silently; the server's keepalive finds out (seed 6)

time            client                                                           server
  0s              ┊                                                                ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ───────────────────────────────── SYN+ACK seq=0 ack=1 ──┤

unfinished after 12 events

showing 2 of 5 failed runs

9 runs: 4 passed, 4 failed, 1 unfinished, 8h 8m 0.68s of virtual time

"#]]
    );
}

#[test]
fn several_runs_are_a_line_each_and_only_those_that_failed_in_full() {
    let records = [record("dead-client", dead_client()), failed(), invalid()];
    assert_data_eq!(
        text(records, true),
        str![[r#"
passed     dead-client  1 of 1 expectation, 2h 2m 0.1s
failed     scenarios/broken.yaml  1 of 3 expectations, 70ms
invalid    wrong.yaml  the scenario has 2 mistakes; the first: line 3, column 5: no such key

broken: What was expected did not happen (seed 1)

time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

✓ server: ends CLOSED
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    scenarios/broken.yaml:31
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    scenarios/broken.yaml:31
✗ fault 1 was never applied: drop: FIN (line 20)
failed: 1 of 3 expectations, 70ms of virtual time, 4 segments
repeat it with: halfopen run scenarios/broken.yaml --seed 1  # halfopen 0.1.0

3 runs: 1 passed, 1 failed, 1 not run, 2h 2m 0.17s of virtual time

"#]]
    );
}

#[test]
fn an_interrupted_run_shows_what_happened_until_then() {
    assert_data_eq!(
        text([interrupted()], false),
        str![[r#"
dead-client: The client disappears silently; the server's keepalive finds out (seed 1)

time            client                                                           server
  0s              ┊                                                                ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ───────────────────────────────── SYN+ACK seq=0 ack=1 ──┤

unfinished after 12 events

"#]]
    );
}

#[test]
fn every_outcome_follows_from_the_last_event_or_the_error() {
    assert_eq!(record("", dead_client()).outcome(), Outcome::Passed);
    assert_eq!(failed().outcome(), Outcome::Failed);
    assert_eq!(invalid().outcome(), Outcome::Invalid);
    assert_eq!(interrupted().outcome(), Outcome::Unfinished);
    assert_eq!(record("", Vec::new()).outcome(), Outcome::Unfinished);
}

#[test]
fn a_run_is_one_json_object_on_a_line() {
    let mut out = Vec::new();
    let mut reporter = JsonReporter::new(&mut out);
    for record in [record("dead-client", dead_client()), failed(), invalid()] {
        reporter.run(&record).unwrap();
    }
    let text = String::from_utf8(out).unwrap();
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is an object")).collect();
    assert_data_eq!(
        serde_json::to_string_pretty(&objects).unwrap(),
        str![[r#"
[
  {
    "error": null,
    "expectations": [
      {
        "actual": "",
        "decidedAtSeconds": null,
        "decidingEvent": null,
        "expectation": 1,
        "expected": "server: error ETIMEDOUT",
        "line": 33,
        "passed": true,
        "path": "expect[0]",
        "text": "server: error ETIMEDOUT"
      }
    ],
    "finalStates": [
      {
        "connection": 1,
        "host": "client",
        "state": "CLOSED"
      },
      {
        "connection": 1,
        "host": "server",
        "state": "CLOSED"
      }
    ],
    "keepalive": [
      {
        "connection": 1,
        "error": "ETIMEDOUT",
        "host": "server",
        "probes": 2,
        "silenceSeconds": 7320.0,
        "timeSeconds": 7320.1,
        "verdict": "dead"
      }
    ],
    "problems": [],
    "run": "dead-client",
    "scenario": "dead-client",
    "seed": 1,
    "title": "The client disappears silently; the server's keepalive finds out",
    "totals": {
      "events": 40,
      "expectationsFailed": 0,
      "expectationsPassed": 1,
      "retransmissions": 0,
      "segmentsLost": 2,
      "segmentsSent": 8,
      "virtualTimeSeconds": 7320.1
    },
    "variant": null,
    "verdict": "passed",
    "version": "0.1.0"
  },
  {
    "error": null,
    "expectations": [
      {
        "actual": "CLOSED",
        "decidedAtSeconds": null,
        "decidingEvent": null,
        "expectation": 1,
        "expected": "CLOSED",
        "line": 31,
        "passed": true,
        "path": "expect[0]",
        "text": "server: ends CLOSED"
      },
      {
        "actual": "ESTABLISHED",
        "decidedAtSeconds": 0.04,
        "decidingEvent": 15,
        "expectation": 1,
        "expected": "CLOSED",
        "line": 31,
        "passed": false,
        "path": "expect[0]",
        "text": "server: ends CLOSED"
      },
      {
        "actual": "ESTABLISHED",
        "decidedAtSeconds": null,
        "decidingEvent": null,
        "expectation": 1,
        "expected": "CLOSED",
        "line": 31,
        "passed": false,
        "path": "expect[0]",
        "text": "server: ends CLOSED"
      }
    ],
    "finalStates": [
      {
        "connection": 1,
        "host": "client",
        "state": "CLOSED"
      },
      {
        "connection": 1,
        "host": "server",
        "state": "CLOSED"
      }
    ],
    "keepalive": [],
    "problems": [
      "fault 1 was never applied: drop: FIN (line 20)"
    ],
    "run": "scenarios/broken.yaml",
    "scenario": "broken",
    "seed": 1,
    "title": "What was expected did not happen",
    "totals": {
      "events": 25,
      "expectationsFailed": 2,
      "expectationsPassed": 1,
      "retransmissions": 0,
      "segmentsLost": 0,
      "segmentsSent": 4,
      "virtualTimeSeconds": 0.07
    },
    "variant": null,
    "verdict": "failed",
    "version": "0.1.0"
  },
  {
    "error": "the scenario has 2 mistakes; the first: line 3, column 5: no such key",
    "expectations": [],
    "finalStates": [],
    "keepalive": [],
    "problems": [],
    "run": "wrong.yaml",
    "scenario": null,
    "seed": null,
    "title": null,
    "totals": null,
    "variant": null,
    "verdict": "invalid",
    "version": null
  }
]
"#]]
    );
}

#[test]
fn ndjson_is_every_event_in_proto3_json() {
    let events = dead_client();
    let mut out = Vec::new();
    NdjsonReporter::new(&mut out).events(&events).unwrap();
    let text = String::from_utf8(out).unwrap();
    let read: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, events);
}

/// What a reporter of files writes of a set: passed, failed, invalid, left out, interrupted.
fn of_a_set(reporter: &mut dyn Reporter) {
    let took = |record: RunRecord| RunRecord { took: Some(250 * MS), ..record };
    let mut busy = interrupted();
    (busy.name, busy.options.seed) = ("dead-client/busy (seed 7)".to_owned(), Some(7));
    reporter.run(&took(record("dead-client", dead_client()))).unwrap();
    reporter.run(&took(failed())).unwrap();
    reporter.run(&invalid()).unwrap();
    reporter.skipped(&RunRecord::new("scenarios/later.yaml".to_owned()), "after the first failure").unwrap();
    reporter.run(&took(busy)).unwrap();
    reporter.end().unwrap();
}

fn junit() -> String {
    let mut out = Vec::new();
    of_a_set(&mut JunitReporter::new(&mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn junit_has_a_suite_for_each_file_and_what_broke_with_its_ladder() {
    assert_data_eq!(
        junit(),
        str![[r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="halfopen" tests="5" failures="1" errors="2" time="0.750">
<testsuite name="dead-client" tests="2" failures="0" errors="1" skipped="0" time="0.500">
<testcase name="dead-client" classname="dead-client" time="0.250"><system-out>scenario: dead-client
seed: 1
version: 0.1.0
virtual time: 2h 2m 0.1s
</system-out></testcase>
<testcase name="dead-client/busy (seed 7)" classname="dead-client" time="0.250"><error type="unfinished" message="interrupted">
interrupted

time            client                                                           server
  0s              ┊                                                                ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ───────────────────────────────── SYN+ACK seq=0 ack=1 ──┤

repeat it with: halfopen run dead-client --seed 1  # halfopen 0.1.0
</error><system-out>scenario: dead-client
seed: 1
version: 0.1.0
</system-out></testcase>
</testsuite>
<testsuite name="scenarios/broken.yaml" tests="1" failures="1" errors="0" skipped="0" time="0.250" file="scenarios/broken.yaml">
<testcase name="broken" classname="scenarios.broken" time="0.250"><failure type="failed" message="server: ends CLOSED: expected CLOSED, actual ESTABLISHED (and 2 more)">
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    scenarios/broken.yaml:31

✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    scenarios/broken.yaml:31

✗ fault 1 was never applied: drop: FIN (line 20)

time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

repeat it with: halfopen run scenarios/broken.yaml --seed 1  # halfopen 0.1.0
</failure><system-out>scenario: broken
seed: 1
version: 0.1.0
virtual time: 70ms
</system-out></testcase>
</testsuite>
<testsuite name="wrong.yaml" tests="1" failures="0" errors="1" skipped="0" file="wrong.yaml">
<testcase name="wrong" classname="wrong"><error type="invalid" message="the scenario has 2 mistakes; the first: line 3, column 5: no such key">
no such key
 --&gt; wrong.yaml:3:5

repeat it with: halfopen run wrong.yaml  # halfopen 0.1.0
</error></testcase>
</testsuite>
<testsuite name="scenarios/later.yaml" tests="1" failures="0" errors="0" skipped="1" file="scenarios/later.yaml">
<testcase name="later" classname="scenarios.later"><skipped message="after the first failure"></skipped></testcase>
</testsuite>
</testsuites>

"#]]
    );
}

#[test]
fn the_counts_of_junit_are_those_of_its_cases() {
    let text = junit();
    let document = roxmltree::Document::parse(&text).unwrap();
    let root = document.root_element();
    let suites = root.children().filter(roxmltree::Node::is_element);
    for node in suites.chain([root]) {
        let cases: Vec<_> = node.descendants().filter(|child| child.has_tag_name("testcase")).collect();
        let with = |tag: &str| {
            let has = |case: &&roxmltree::Node<'_, '_>| case.children().any(|child| child.has_tag_name(tag));
            cases.iter().filter(has).count().to_string()
        };
        assert_eq!(node.attribute("tests"), Some(cases.len().to_string().as_str()));
        for (attribute, tag) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            // The schema has no such count of all suites.
            let expected = (node != root || attribute != "skipped").then(|| with(tag));
            assert_eq!(node.attribute(attribute), expected.as_deref(), "{attribute}");
        }
    }
}

#[test]
fn junit_has_only_what_the_schema_of_jenkins_has() {
    // Of junit-10.xsd of the xUnit plugin: an element, what it must have, what else it may have, and what may be in it.
    type Element = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);
    const SCHEMA: [Element; 7] = [
        ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
        (
            "testsuite",
            &["name", "tests", "failures", "errors"],
            &["group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"],
            &["testsuite", "properties", "testcase", "system-out", "system-err"],
        ),
        (
            "testcase",
            &["name"],
            &["time", "classname", "group"],
            &["skipped", "error", "failure", "system-out", "system-err"],
        ),
        ("failure", &[], &["type", "message"], &[]),
        ("error", &[], &["type", "message"], &[]),
        ("skipped", &[], &["type", "message"], &[]),
        ("system-out", &[], &[], &[]),
    ];
    let text = junit();
    let document = roxmltree::Document::parse(&text).unwrap();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let known = SCHEMA.iter().find(|(known, ..)| *known == name);
        let (_, required, optional, children) = known.unwrap_or_else(|| panic!("no element {name}"));
        let has: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
        assert!(required.iter().all(|name| has.contains(name)), "{name}: {has:?}");
        let may = |attribute: &&str| required.contains(attribute) || optional.contains(attribute);
        assert!(has.iter().all(may), "{name}: {has:?}");
        for child in node.children().filter(roxmltree::Node::is_element) {
            assert!(children.contains(&child.tag_name().name()), "{name}: {child:?}");
        }
        let is_time = |time: &str| time.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        assert!(node.attribute("time").is_none_or(is_time), "{node:?}");
    }
}

/// A failed run whose texts have what XML and YAML cannot.
fn odd() -> RunRecord {
    let mut script = Script::new("odd", "", &["client", "server"]);
    let (claim, finding) = errors("two\nlines", "\ttab: - {");
    script.expectation(ExpectationResult {
        expectation: expectation_reference(1, 0),
        passed: false,
        text: "a \u{1b}[31mred\u{1b}[0m \u{0}\u{85}\u{ffff} ]]> <&\"' # \\ text".into(),
        claim,
        finding,
        ..ExpectationResult::default()
    });
    let events = script.finish(Verdict::Failed, &[never(1, "it's: \"broken\" #1")]);
    RunRecord { argument: Some("-it's #1 \n.yaml/x".to_owned()), ..record("-it's #1 \n.yaml/x", events) }
}

#[test]
fn junit_is_xml_whatever_the_texts_are() {
    let mut out = Vec::new();
    let mut reporter = JunitReporter::new(&mut out);
    reporter.run(&odd()).unwrap();
    reporter.end().unwrap();
    let text = String::from_utf8(out).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.text().unwrap().contains("a red \u{fffd}\u{fffd} ]]> <&\"' # \\ text"), "{text}");
    assert!(!text.contains(['\u{1b}', '\0', '\u{ffff}']), "{text}");
}

fn tap(write: impl FnOnce(&mut dyn Reporter)) -> String {
    let mut out = Vec::new();
    write(&mut TapReporter::new(&mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn tap_has_a_line_for_each_run_and_what_broke_as_yaml() {
    assert_data_eq!(
        tap(of_a_set),
        str![[r#"
TAP version 13
ok 1 - dead-client
not ok 2 - scenarios/broken.yaml
  ---
  message: "server: ends CLOSED: expected CLOSED, actual ESTABLISHED (and 2 more)"
  severity: "fail"
  expected: "CLOSED"
  actual: "ESTABLISHED"
  decided: "event 15, at 40ms"
  at: "scenarios/broken.yaml:31"
  others:
    - expectation: "server: ends CLOSED"
      expected: "CLOSED"
      actual: "ESTABLISHED"
      decided: "at the end of the run"
      at: "scenarios/broken.yaml:31"
  problems:
    - "fault 1 was never applied: drop: FIN (line 20)"
  rerun: "halfopen run scenarios/broken.yaml --seed 1  # halfopen 0.1.0"
  ladder:
    - "time            client                                                      server"
    - "  0s              ┊                                                           ├ LISTEN · listen"
    - "  0s     SYN-SENT ├── SYN seq=0 ────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED"
    - "20ms  ESTABLISHED ┃◀─ 40ms ──────────────────────────── SYN+ACK seq=0 ack=1 ──┤"
    - "40ms              ┠── ACK seq=1 ack=1 ──────────────────────────────── 60ms ─▶┃ ESTABLISHED"
    - "40ms      connect ┨                                                           ┃"
    - "40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃"
    - "40ms    send 1024 ┨                                                           ┃"
    - "60ms              ┃                                                           ┠ accept, receive 1024"
  ...
not ok 3 - wrong.yaml
  ---
  message: "the scenario has 2 mistakes; the first: line 3, column 5: no such key"
  severity: "error"
  mistakes:
    - "no such key/n --> wrong.yaml:3:5"
  rerun: "halfopen run wrong.yaml  # halfopen 0.1.0"
  ...
ok 4 - scenarios/later.yaml # SKIP after the first failure
not ok 5 - dead-client/busy (seed 7)
  ---
  message: "interrupted"
  severity: "error"
  rerun: "halfopen run dead-client --seed 1  # halfopen 0.1.0"
  ladder:
    - "time            client                                                           server"
    - "  0s              ┊                                                                ├ LISTEN · listen"
    - "  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────── 20ms ─▶│ SYN-RECEIVED"
    - "20ms  ESTABLISHED ┃◀─ 40ms ───────────────────────────────── SYN+ACK seq=0 ack=1 ──┤"
  ...
Bail out! interrupted

"#]]
    );
}

#[test]
fn tap_ends_with_its_plan_or_bails_out() {
    assert_eq!(tap(|tap| tap.end().unwrap()), "TAP version 13\n1..0\n");
    let gone = tap(|tap| {
        let stopped = Stopped::NoServer("no halfopen server answers at x: #1 is gone".into());
        tap.run(&RunRecord { stopped: Some(stopped), ..RunRecord::new("a".into()) }).unwrap();
        tap.skipped(&RunRecord::new("b".into()), "no server").unwrap();
        tap.end().unwrap();
    });
    assert!(gone.ends_with("\nBail out! no halfopen server answers at x: \\#1 is gone\n"), "{gone}");
}

#[test]
fn the_yaml_of_tap_can_be_read_whatever_the_texts_are() {
    let text = tap(|tap| tap.run(&odd()).unwrap());
    let (line, block) = text.split_once("\n  ---\n").unwrap();
    assert_eq!(line, "TAP version 13\nnot ok 1 - -it's \\#1  .yaml/x");
    let block = block.strip_suffix("  ...\n").unwrap();
    let read: serde_json::Value = serde_yaml::from_str(block).unwrap();
    assert_eq!(read["severity"], "fail");
    assert_eq!(read["expected"], "two\nlines");
    assert_eq!(read["actual"], "\ttab: - {");
    assert_eq!(read["problems"][0], "fault 1 was never applied: it's: \"broken\" #1 (line 20)");
    assert_eq!(read["rerun"], "halfopen run './-it'\\''s #1 \n.yaml/x' --seed 1  # halfopen 0.1.0");
}

/// Needs prove.
#[test]
fn prove_reads_tap_and_counts_what_failed() {
    if !tool::is_there("prove", "perl") {
        return;
    }
    let prove = |name: &str, tap: String| {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, tap).unwrap();
        let output = Command::new("prove").args(["--verbose", "--exec", "cat"]).arg(&path).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        // What ends with `Bail out!` has no plan.
        let complaint = out.lines().find(|line| line.contains("Parse errors"));
        let is_right = complaint.is_none_or(|line| line.ends_with("No plan found in TAP output"));
        assert!(is_right && !err.contains("YAML"), "{out}{err}");
        (output.status.code(), out)
    };
    let (code, out) = prove(
        "passed.tap",
        tap(|tap| {
            tap.run(&record("dead-client", dead_client())).unwrap();
            tap.skipped(&RunRecord::new("later".to_owned()), "after the first failure").unwrap();
            tap.end().unwrap();
        }),
    );
    assert!(code == Some(0) && out.ends_with("Result: PASS\n"), "{out}");
    let (code, out) = prove(
        "failed.tap",
        tap(|tap| {
            for record in [failed(), invalid(), odd()] {
                tap.run(&record).unwrap();
            }
            let mut colons = invalid();
            let diagnostics = ["first: second", "first  : second", ": first", "first:", ":", "a:b: c"]
                .map(|rendered| Diagnostic { rendered: rendered.to_owned(), ..Diagnostic::default() });
            let message = "first: second".to_owned();
            colons.stopped = Some(Stopped::Invalid { message, diagnostics: diagnostics.into() });
            tap.run(&colons).unwrap();
            tap.end().unwrap();
        }),
    );
    assert!(code == Some(1) && out.contains("Failed 4/4 subtests"), "{out}");
    let (_, out) = prove("bailed.tap", tap(of_a_set));
    assert!(out.contains("Bailout called.  Further testing stopped:  interrupted\n"), "{out}");
}

#[test]
fn the_json_document_has_the_objects_of_the_lines() {
    let mut out = Vec::new();
    of_a_set(&mut JsonDocumentReporter::new(&mut out));
    let document: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let counts = serde_json::json!({"passed": 1, "failed": 1, "unfinished": 1, "notRun": 1, "skipped": 1});
    assert_eq!(document["counts"], counts);
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
    let mut line = Vec::new();
    JsonReporter::new(&mut line).run(&failed()).unwrap();
    assert_eq!(document["runs"][1], serde_json::from_slice::<serde_json::Value>(&line).unwrap());
    assert_eq!(document["runs"][3]["verdict"], "skipped");
    assert_eq!(document["runs"][3]["error"], "after the first failure");
    let mut nothing = Vec::new();
    JsonDocumentReporter::new(&mut nothing).end().unwrap();
    let nothing: serde_json::Value = serde_json::from_slice(&nothing).unwrap();
    assert_eq!(nothing["runs"], serde_json::json!([]));
}

#[test]
fn the_command_that_repeats_a_run_says_all_that_makes_it() {
    let of = |argument: Option<&str>, options: RunOptions| {
        let argument = argument.map(str::to_owned);
        RunRecord { argument, options, ..RunRecord::new("a.yaml".into()) }.command().unwrap()
    };
    let options = RunOptions {
        variant: Some("b c".into()),
        seed: Some(7),
        profile: Some("windows".into()),
        ..RunOptions::default()
    };
    let plain = RunOptions::default();
    let cases = [
        (of(Some("a.yaml"), plain.clone()), "halfopen run a.yaml  # halfopen 0.1.0"),
        (
            of(Some("a.yaml/b c"), options.clone()),
            "halfopen run 'a.yaml/b c' --seed 7 --profile windows  # halfopen 0.1.0",
        ),
        (
            of(None, options),
            "halfopen run - --variant 'b c' --seed 7 --profile windows  \
             # halfopen 0.1.0, with the same scenario on standard input",
        ),
        (of(Some("-x.yaml"), plain), "halfopen run ./-x.yaml  # halfopen 0.1.0"),
    ];
    for (command, expected) in cases {
        assert_eq!(command, expected);
    }
    let stopped = Some(Stopped::NoScenario("x".into()));
    assert_eq!(RunRecord { stopped, ..RunRecord::new("x".into()) }.command(), None);
}

#[test]
fn text_shows_what_decided_where_its_picture_has_no_room_for_it() {
    let of = |rows: usize| {
        let mut out = Vec::new();
        let picture = PictureOptions { rows, ..PictureOptions::default() };
        TextReporter::new(&mut out, TextOptions { picture, ..TextOptions::default() }, |_| true)
            .run(&failed())
            .unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    };
    let whole = of(200);
    assert_eq!(whole.matches("len=1024").count(), 1, "{whole}");
    let short = of(2);
    assert!(short.contains("6 rows left out"), "{short}");
    let (_, after) = short.split_once("event 15, at 40ms").unwrap();
    assert_eq!(
        after.matches("len=1024").count(),
        1,
        "around the event, and not once more at the end: {short}"
    );
}
