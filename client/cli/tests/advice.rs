//! What a failed run tells those whose scenario says something else than they mean.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::Path;

use common::{Ended, PROGRAM, in_folder};

/// Runs a scenario.
fn run(name: &str, text: &str) -> Ended {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("advice");
    fs::create_dir_all(&folder).unwrap();
    let file = format!("{name}.yaml");
    fs::write(folder.join(&file), format!("scenario: {name}\n{text}")).unwrap();
    Ended::of(in_folder(&folder, PROGRAM, &["run", &file]).output().unwrap())
}

#[test]
fn a_failed_run_says_what_to_write_and_that_works() {
    for (name, text, help, instead) in [
        (
            "one-of-two-ends",
            "hosts: {box: {}}
applications:
  box:
    service: [listen: 80, accept, receive: 10 B, close]
    caller: [connect: 'box:80', send: 10 B, receive: end, close]
expect:
  - box: {received: 10 B}
",
            "the claim is about every connection of box: write `on: NAME` for one of them, or `some: on`",
            ("received: 10 B}", "received: 10 B, some: on}"),
        ),
        (
            "until-it-opens",
            "hosts: {box: {ephemeral-ports: 56060-56070}}
applications:
  box:
    - repeat:
        - connect: box:56064
          as: c
      times: 50
      error: ECONNREFUSED
    - hold
until: 1m
expect:
  - box: {ends: ESTABLISHED, on: c#3}
",
            "the `repeat` in line 5 ended with its first `connect` that failed: to go on, write `may-fail: on` beside that (line 6)",
            (
                "as: c\n      times: 50\n      error: ECONNREFUSED",
                "as: c\n          may-fail: on\n      times: 3",
            ),
        ),
        (
            "gone-on-the-lan",
            "hosts: {client: {}, server: {}}
network: {latency: 1ms}
applications:
  server: [listen: 502, accept, hold]
  client: [connect: 'server:502', wait-until: 40s, send: 12 B, {receive: 12 B, may-fail: on}]
faults:
  - power-loss: server
    at: 30s
expect:
  - client: {error: EHOSTUNREACH}
",
            "hosts on one LAN find out that another is gone: write `network: {neighbours: on}`",
            ("network: {latency: 1ms}", "network: {latency: 1ms, neighbours: on}"),
        ),
        (
            "port-in-time-wait",
            "hosts: {client: {}, server: {}}
applications:
  server:
    old: [{listen: 80}, accept, receive: 100 B, close]
    new: [wait-until: 5s, {listen: 80, error: EADDRINUSE}]
  client: [connect: 'server:80', send: 100 B, receive: end, close]
",
            "a port of earlier connections is taken if `reuse-address: off` stands beside each `listen`",
            ("{listen: 80", "{listen: 80, reuse-address: off"),
        ),
        (
            "killed-before-it-began",
            "hosts: {client: {}, server: {}}
applications:
  server:
    old: [listen: 80, accept, receive: end]
    new: [wait-until: 4s, listen: 80, accept, receive: 100 B]
  client: [wait-until: 10s, connect: 'server:80', send: 100 B]
faults:
  - kill: server
    at: 2s
",
            "`kill: {server: old}` kills one list",
            ("kill: server", "kill: {server: old}"),
        ),
    ] {
        let failed = run(name, text);
        let told = format!("{}{}", failed.out, failed.err);
        assert_ne!(failed.code, Some(0), "{name}:\n{told}");
        assert!(told.contains(help), "{name}: no {help:?} in:\n{told}");
        let followed = run(name, &text.replace(instead.0, instead.1));
        assert_eq!(followed.code, Some(0), "{name}, followed:\n{}{}", followed.out, followed.err);
    }
}

#[test]
fn a_claim_that_means_what_it_says_gets_no_advice() {
    let failed = run(
        "one-end",
        "hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: 10 B, close]
  client: [connect: 'server:80', send: 10 B, receive: end, close]
expect:
  - server: {received: 20 B}
",
    );
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    assert!(failed.out.contains("actual    10 bytes") && !failed.out.contains("help"), "{}", failed.out);
}
