//! Hosts without a TCP, which send what the scenario says and answer nothing.

mod common;

use std::sync::Arc;

use common::{problems, results, run_text, wire};
use halfopen_sim::{Call, Command, Outcome, Refusal, RunOptions, Simulation};
use halfopen_tcp::ListenOptions;
use halfopen_trace::{EventKind, HostId};

fn play(text: &str) -> Outcome {
    run_text(&format!("scenario: test\nnetwork: {{latency: 20ms}}\n{text}"))
}

fn passed(text: &str) -> Outcome {
    let outcome = play(text);
    assert!(problems(&outcome).is_empty(), "{:?}\n{:#?}", problems(&outcome), wire(&outcome));
    outcome
}

#[test]
fn a_client_without_a_tcp_says_what_the_script_says() {
    let outcome = passed(
        "hosts: {client: {tcp: none}, server: {tcp: {timestamps: off}}}
applications:
  server: [listen: 80, accept, {receive: 100 B}, {send: 50 B}, receive: end, close]
faults:
  - inject: {from: client, flags: SYN, sequence: 0, port: 80, mss: 1000 B, timestamps: on}
    at: 50ms
  - inject: {from: client, flags: ACK, sequence: 1, acknowledgment: 1}
    at: 100ms
  - inject: {from: client, flags: PSH+ACK, sequence: 1, acknowledgment: 1, payload: 100 B, content: unchecked}
    at: 200ms
  - inject: {from: client, flags: ACK, sequence: 101, acknowledgment: snd.nxt}
    at: 500ms
  - inject: {from: client, flags: FIN+ACK, sequence: rcv.nxt, acknowledgment: snd.nxt}
    at: 1s
  - inject: {from: client, flags: ACK, sequence: rcv.nxt, acknowledgment: snd.nxt}
    at: 1s 100ms
",
    );
    let expected = [
        "0.000 client SYN 0:0 len 0",
        "0.000 server SYN+ACK 0:1 len 0",
        "0.100 client ACK 1:1 len 0",
        "0.200 client ACK 1:1 len 100",
        "0.200 server ACK 1:101 len 0",
        "0.200 server ACK 1:101 len 50",
        "0.420 server ACK 1:101 len 50",
        "0.500 client ACK 101:51 len 0",
        "1.000 client FIN+ACK 101:51 len 0",
        "1.000 server FIN+ACK 51:102 len 0",
        "1.100 client ACK 102:52 len 0",
    ];
    let seen = wire(&outcome);
    assert_eq!(seen.len(), expected.len(), "{seen:#?}");
    let arrivals = outcome.trace.iter().filter(|(_, event)| {
        event.host == Some(HostId(0)) && matches!(event.kind, EventKind::SegmentArrived { dropped: None, .. })
    });
    assert_eq!(arrivals.count(), 5, "its segments are still events");
    for (seen, expected) in seen.iter().zip(expected) {
        // The time of a retransmission is not the point here.
        assert_eq!(seen.split_once(' ').unwrap().1, expected.split_once(' ').unwrap().1);
    }
    assert_eq!(results(&outcome, "server").last().map(|line| line.ends_with(" close")), Some(true));
}

#[test]
fn a_server_without_a_tcp_answers_only_what_the_script_says() {
    let outcome = passed(
        "hosts: {client: {}, server: {tcp: none}}
applications:
  client:
    one: [connect: server:80, {send: 100 B}, {receive: 10 B, error: ECONNRESET}]
    two: [{wait: 5s}, {connect: server:81, timeout: 10s, error: EINPROGRESS}]
faults:
  - inject: {from: server, flags: SYN+ACK, sequence: 0, acknowledgment: 1, window-scale: 7, window: 1000 B}
    at: 100ms
  - inject: {from: server, flags: ACK, sequence: 1, acknowledgment: 101}
    at: 200ms
  - inject: {from: server, flags: RST, sequence: rcv.nxt}
    at: 1s
until: 30s
",
    );
    let client = results(&outcome, "one");
    assert_eq!(client, ["0.100 connect", "0.100 send 100", "1.000 receive: ECONNRESET"]);
    assert!(!wire(&outcome).iter().any(|line| line.contains("server RST+ACK")), "no port is refused");
}

#[test]
fn a_segment_without_a_connection_that_it_could_belong_to_is_not_sent() {
    let outcome = play(
        "hosts: {client: {}, server: {tcp: none}}
applications: {client: [{wait: 1s}]}
faults:
  - inject: {from: server, flags: ACK, sequence: 1, acknowledgment: 1}
    at: 100ms
",
    );
    assert_eq!(problems(&outcome), ["fault 1 never happened"]);
}

#[test]
fn nobody_can_make_calls_on_a_host_without_a_tcp() {
    let text = "{scenario: a, hosts: {a: {tcp: none}, b: {}}, applications: {b: [hold]}}";
    let scenario = Arc::new(halfopen_scenario::load(text).expect("right"));
    let mut simulation = Simulation::new(&scenario, &RunOptions::default());
    let refused = simulation.apply(Command::Call(Call::Listen {
        host: HostId(0),
        port: 80,
        options: ListenOptions::new(1),
    }));
    assert_eq!(refused.err(), Some(Refusal::NoTcp(HostId(0))));
}

#[test]
fn a_segment_belongs_to_the_newest_connection_with_the_host_that_it_is_for() {
    passed(
        "hosts: {peer: {tcp: none}, a: {}, b: {}}
applications:
  a: [listen: 81, hold]
  b: [listen: 80, accept, {receive: 10 B}]
faults:
  - {inject: {from: peer, to: b, flags: SYN, sequence: 0, port: 80}, at: 1s}
  - {inject: {from: peer, to: b, flags: ACK, sequence: 1, acknowledgment: 1}, at: 2s}
  - {inject: {from: peer, to: a, flags: SYN, sequence: 0, port: 99}, at: 3s}
  - {inject: {from: peer, to: b, flags: PSH+ACK, sequence: 1, acknowledgment: 1, payload: 10 B, content: unchecked}, at: 4s}
until: 10s
",
    );
}

#[test]
fn numbers_behind_a_middlebox_that_moves_them_are_those_that_the_receiver_knows() {
    let text = "scenario: moved
hosts: {client: {}, peer: {tcp: none}}
network: {latency: 20ms, middleboxes: {firewall: {sequence-numbers: randomised}}}
applications:
  client: [connect: peer:80, hold]
faults:
  - {inject: {from: peer, flags: SYN+ACK, sequence: 0, acknowledgment: 1}, at: 500ms}
  - {inject: {from: peer, flags: PSH+ACK, sequence: 1, acknowledgment: 1, payload: 10 B, content: unchecked}, at: 700ms}
until: 900ms
";
    let from_peer: Vec<String> =
        wire(&run_text(text)).into_iter().filter(|line| line.contains(" server ")).collect();
    assert_eq!(from_peer, ["0.500 server SYN+ACK 0:1 len 0", "0.700 server ACK 1:1 len 10"]);
}
