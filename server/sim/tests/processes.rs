//! Processes that end, die and start again, and what their kernel keeps of them.

mod common;

use common::*;
use halfopen_tcp::State;
use halfopen_trace::Verdict;

fn passes(text: &str) -> halfopen_sim::Outcome {
    let outcome = play(text);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{text}{:?}", problems(&outcome));
    outcome
}

/// What the server sent, as far as it has one of these control bits.
fn sent(outcome: &halfopen_sim::Outcome, flags: &str) -> Vec<String> {
    wire(outcome).into_iter().filter(|line| line.contains("server") && line.contains(flags)).collect()
}

#[test]
fn a_list_that_ends_closes_its_sockets() {
    let ends = [
        ("it is done", "server: [listen: 80, accept, wait-until: 1s]"),
        ("a step fails", "server: [listen: 80, accept, {receive: 1 B, timeout: 940ms}, hold]"),
        ("it dies", "server: [listen: 80, accept, hold]\nfaults: [{kill: server, at: 1s}]"),
    ];
    for (why, server) in ends {
        let outcome = play(&format!(
            "applications:
  client: [{{connect: server:80, as: a}}, {{receive: end, on: a}}, {{connect: server:80, as: b, error: ECONNREFUSED}}]
  {server}
"
        ));
        assert_eq!(sent(&outcome, "FIN").len(), 1, "{why}: {:#?}", wire(&outcome));
        assert_eq!(results(&outcome, "client")[2], "1.060 connect: ECONNREFUSED", "{why}");
    }
}

#[test]
fn a_list_that_holds_keeps_its_sockets_and_another_list_keeps_its_own() {
    let outcome = passes(
        "applications:
  server:
    brief: [listen: 80, accept, wait: 1s]
    lasting: [listen: 81, {accept: 81, as: lasting}, hold]
  client: [{connect: server:80, as: a}, {connect: server:81, as: b}, wait: 5s, {receive: end, on: a}, hold]
expect:
  - server: {ends: ESTABLISHED, on: lasting}
",
    );
    assert_eq!(sent(&outcome, "FIN").len(), 1);
}

#[test]
fn every_connection_that_a_repetition_has_opened_is_closed_in_the_end() {
    let outcome = passes(
        "applications:
  server: [listen: 80, {repeat: [accept], times: 5}, hold]
  client: [{repeat: [connect: server:80], times: 5}, wait: 1s]
",
    );
    let fins = wire(&outcome).into_iter().filter(|line| line.contains("client FIN")).count();
    assert_eq!(fins, 5);
}

#[test]
fn a_listener_is_closed_alone() {
    let outcome = passes(
        "applications:
  server: [listen: 80, {accept: 80, as: c}, close: listener, {send: 5 B, on: c}, wait: 1s, listen: 80, {accept: 80, as: d}, hold]
  client:
    - {connect: server:80, as: a}
    - {receive: 5 B, on: a}
    - {connect: server:80, as: b, error: ECONNREFUSED}
    - wait: 2s
    - {connect: server:80, as: c2}
    - hold
",
    );
    assert_eq!(sent(&outcome, "FIN").len(), 0);
    assert!(outcome.finished.final_states.iter().filter(|end| end.state == State::Established).count() >= 4);
}

#[test]
fn a_port_is_bound_again_as_its_sockets_and_the_memory_of_the_kernel_allow() {
    // Who closes first has the TIME-WAIT. The client's connection is gone at once, the server's after 60 s.
    for (server_first, reuse, outcome) in [
        (true, "off", "2.000 listen: EADDRINUSE"),
        (true, "on", "2.000 listen"),
        (false, "off", "2.000 listen"),
    ] {
        let wait = |first: bool| if first { "" } else { "receive: end, " };
        let text = format!(
            "applications:
  server:
    old: [{{listen: 80, reuse-address: {reuse}}}, accept, receive: 1 B, {}close]
    new: [wait-until: 2s, {{listen: 80, reuse-address: {reuse}, may-fail: on}}]
  client: [connect: server:80, send: 1 B, {}close]
",
            wait(server_first),
            wait(!server_first)
        );
        let results = results(&passes(&text), "new");
        assert_eq!(results[1], outcome, "server first: {server_first}, reuse-address: {reuse}");
    }
}

#[test]
fn what_was_killed_starts_again_from_its_first_step_and_finds_the_memory_of_the_kernel() {
    let outcome = passes(
        "applications:
  server: [listen: 80, accept, receive: 10 B, receive: end]
  client:
    - {connect: server:80, as: old, port: 40000}
    - {send: 10 B, on: old}
    - {receive: end, on: old}
    - {connect: server:80, as: between, error: ECONNREFUSED}
    - wait-until: 5s
    - {send: 1 B, on: old}
    - {connect: server:80, as: fresh}
    - {send: 10 B, on: fresh}
    - {close: null, on: fresh}
    - {receive: end, on: old}
faults: [{kill: server, at: 2s, restarts-after: 2s}]
expect:
  - server: {received: 10 B}
",
    );
    let server = results(&outcome, "server");
    let calls: Vec<&str> = server.iter().map(|line| line.split_once(' ').expect("a time").1).collect();
    assert_eq!(calls, ["listen", "accept", "receive 10", "listen", "accept", "receive 10", "receive end"]);
    assert_eq!(server[3], "4.000 listen");
    // The kernel remembers the old connection in FIN-WAIT-2, with no process behind it.
    assert_eq!(sent(&outcome, "RST").len(), 2, "the refusal, and to data for nobody: {:#?}", wire(&outcome));
}

#[test]
fn one_list_dies_and_the_others_go_on() {
    let outcome = passes(
        "applications:
  server:
    old: [listen: 80, {accept: 80, as: a}, {receive: end, on: a}]
    other: [listen: 81, {accept: 81, as: b}, {receive: 5 B, on: b}]
  client:
    - {connect: server:80, as: first}
    - {connect: server:81, as: second}
    - {receive: end, on: first}
    - {send: 5 B, on: second}
    - {receive: end, on: second}
faults: [{kill: {server: old}, at: 1s}]
",
    );
    assert_eq!(results(&outcome, "other").len(), 3);
    assert_eq!(results(&outcome, "old").len(), 2, "it was receiving");
}

#[test]
fn a_restart_does_not_happen_to_what_did_not_die_and_power_ends_it() {
    let text = |server: &str, faults: &str| {
        format!("applications: {{server: {server}, client: [wait: 1s]}}\nfaults: [{faults}]\nuntil: 20s\n")
    };
    let ended = play(&text("[listen: 80]", "{kill: server, at: 1s, restarts-after: 1s}"));
    assert_eq!(problems(&ended), ["fault 1 never happened"], "its list has ended");
    let rebooted = play(&text(
        "[listen: 80, hold]",
        "{kill: server, at: 1s, restarts-after: 5s}, {reboot: server, at: 2s, back-after: 1s}",
    ));
    let listens: Vec<String> = results(&rebooted, "server");
    assert_eq!(listens, ["0.000 listen", "3.000 listen"], "with the host, and not once more");
    let paused = passes(&text(
        "[listen: 80, hold]",
        "{pause: server, at: 1s, resumes-after: 9s}, {kill: server, at: 2s, restarts-after: 1s}",
    ));
    assert_eq!(results(&paused, "server"), ["0.000 listen", "10.000 listen"]);
}

#[test]
fn what_a_fault_has_killed_need_not_have_done_everything() {
    for (fault, problem) in [
        ("kill: client", None),
        ("kill: {client: caller}", None),
        ("power-loss: client", None),
        ("reboot: client, back-after: 1s", None),
        ("freeze: client", Some("step 3 of caller did not end, nor 1 after it")),
        ("kill: {client: another}", Some("step 3 of caller did not end, nor 1 after it")),
    ] {
        let outcome = play(&format!(
            "applications:
  server: [listen: 80, accept, hold]
  client:
    caller: [connect: server:80, send: 1 B, receive: 10 B, close]
    another: [hold]
faults: [{{{fault}, at: 1s}}]
until: 5s
"
        ));
        assert_eq!(problems(&outcome), problem.into_iter().collect::<Vec<_>>(), "{fault}");
    }
}
