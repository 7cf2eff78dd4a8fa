//! Runs made by hand, as the reporters write them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use common::{MS, Script, dead_client, handshake};
use halfopen::client::ClientError;
use halfopen::record::{Outcome, RunRecord};
use halfopen::report::{JsonReporter, NdjsonReporter, Reporter, TextOptions, TextReporter};
use halfopen_proto::v1::{Event, ExpectationResult, Verdict};
use snapbox::{assert_data_eq, str};

fn record(name: &str, events: Vec<Event>) -> RunRecord {
    RunRecord { events, ..RunRecord::new(name.to_owned()) }
}

/// A run in which an expectation is broken and a fault never fired.
fn failed() -> RunRecord {
    let mut script = Script::new("broken", "What was expected did not happen", &["client", "server"]);
    handshake(&mut script);
    let expectation = |passed, deciding_event| ExpectationResult {
        expectation: 1,
        passed,
        text: "server: ends CLOSED".into(),
        expected: "CLOSED".into(),
        actual: if passed { String::new() } else { "ESTABLISHED".into() },
        deciding_event,
        line: 31,
        ..ExpectationResult::default()
    };
    script.at(70 * MS).expectation(expectation(true, 0));
    script.expectation(expectation(false, 15)).expectation(expectation(false, 0));
    record("scenarios/broken.yaml", script.finish(Verdict::Failed, &["fault 1 (line 20) never fired"]))
}

fn invalid() -> RunRecord {
    let message = "the scenario has 2 mistakes; the first: line 3, column 5: no such key".to_owned();
    let stopped = Some(ClientError::Invalid { message, diagnostics: Vec::new() });
    RunRecord { stopped, ..RunRecord::new("wrong.yaml".to_owned()) }
}

fn interrupted() -> RunRecord {
    let mut events = dead_client();
    events.truncate(12);
    RunRecord { stopped: Some(ClientError::Interrupted), ..record("dead-client", events) }
}

fn text(records: impl IntoIterator<Item = RunRecord>, several: bool) -> String {
    let mut out = Vec::new();
    let mut reporter = TextReporter::new(&mut out, TextOptions { several, ..TextOptions::default() });
    for record in records {
        reporter.run(&record).unwrap();
    }
    reporter.end().unwrap();
    anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
}

#[test]
fn one_run_is_shown_in_full() {
    assert_data_eq!(
        text([record("dead-client", dead_client())], false),
        str![[r#"
dead-client: The client fails without a word; the server's keepalive finds out (seed 1)

      time             client                                               server
        0s               ┊                                                    ├ LISTEN · listen
        0s      SYN-SENT ├── SYN seq=0 ──────────────────────────────────────▶│ SYN-RECEIVED
      20ms   ESTABLISHED ┃◀──────────────────────────── SYN+ACK seq=0 ack=1 ──┤
      40ms               ┠── ACK seq=1 ack=1 ────────────────────────────────▶┃ ESTABLISHED
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
fn a_failed_run_says_what_was_expected_and_how_to_repeat_it() {
    assert_data_eq!(
        text([failed()], false),
        str![[r#"
broken: What was expected did not happen (seed 1)

time            client                                                      server
  0s              ┊                                                           ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────────▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─────────────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ───────────────────────────────────────▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

✓ server: ends CLOSED
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    line 31 of scenarios/broken.yaml
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    line 31 of scenarios/broken.yaml
✗ fault 1 (line 20) never fired
failed: 1 of 3 expectations, 70ms of virtual time, 4 segments
repeat it with: halfopen run scenarios/broken.yaml --seed 1

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
  0s     SYN-SENT ├── SYN seq=0 ─────────────────────────────────────────────▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀─────────────────────────────────── SYN+ACK seq=0 ack=1 ──┤
40ms              ┠── ACK seq=1 ack=1 ───────────────────────────────────────▶┃ ESTABLISHED
40ms      connect ┨                                                           ┃
40ms              ┠── PSH+ACK seq=1 ack=1 len=1024 ──────────────────────────▶┃
40ms    send 1024 ┨                                                           ┃
60ms              ┃                                                           ┠ accept, receive 1024

✓ server: ends CLOSED
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (event 15, at 40ms)
    line 31 of scenarios/broken.yaml
✗ server: ends CLOSED
    expected  CLOSED
    actual    ESTABLISHED (at the end of the run)
    line 31 of scenarios/broken.yaml
✗ fault 1 (line 20) never fired
failed: 1 of 3 expectations, 70ms of virtual time, 4 segments
repeat it with: halfopen run scenarios/broken.yaml --seed 1

3 runs: 1 passed, 1 failed, 1 not run, 2h 2m 0.17s of virtual time

"#]]
    );
}

#[test]
fn an_interrupted_run_shows_what_happened_until_then() {
    assert_data_eq!(
        text([interrupted()], false),
        str![[r#"
dead-client: The client fails without a word; the server's keepalive finds out (seed 1)

time            client                                                           server
  0s              ┊                                                                ├ LISTEN · listen
  0s     SYN-SENT ├── SYN seq=0 ──────────────────────────────────────────────────▶│ SYN-RECEIVED
20ms  ESTABLISHED ┃◀──────────────────────────────────────── SYN+ACK seq=0 ack=1 ──┤

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
        "expected": "",
        "line": 33,
        "passed": true,
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
    "title": "The client fails without a word; the server's keepalive finds out",
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
        "actual": "",
        "decidedAtSeconds": null,
        "decidingEvent": null,
        "expectation": 1,
        "expected": "CLOSED",
        "line": 31,
        "passed": true,
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
      "fault 1 (line 20) never fired"
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
