//! A host that connects to itself.

mod common;

use common::{passes, run_text};
use halfopen_sim::Outcome;
use halfopen_trace::EventKind;

/// A run of one host with these applications and whatever else.
fn alone(rest: &str) -> Outcome {
    run_text(&format!("scenario: test\nhosts: {{box: {{ephemeral-ports: 56060-56070}}}}\n{rest}"))
}

/// The segments: control bits, relative numbers, data, MSS option, and the window as the field has it.
fn segments(outcome: &Outcome) -> Vec<(String, u32, u32, u32, Option<u16>, u16)> {
    let sent = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentSent(sent) => Some(sent),
        _ => None,
    });
    let facts = sent.map(|sent| {
        let header = &sent.header;
        let (flags, mss) = (header.flags.to_string(), header.options.mss);
        (flags, sent.relative_seq, sent.relative_ack, header.payload, mss, header.window)
    });
    facts.collect()
}

/// As Linux 6.18 did it on `lo`, where `tcp_rmem` lets the window scale be 10.
#[test]
fn a_socket_that_is_connected_to_itself_opens_and_closes_simultaneously() {
    let outcome = alone(
        "applications:\n  box: [{connect: \"box:56064\", port: 56064}, wait: 300ms, send: 100 B, receive: 100 B, wait: 600ms, shutdown: \
         write, receive: end, close]\nexpect:\n  - box: {states: [CLOSED, SYN-SENT, SYN-RECEIVED, ESTABLISHED, FIN-WAIT-1, \
         CLOSING, TIME-WAIT, CLOSED]}\n  - data: intact\n  - box: {received: 100 B}\n",
    );
    passes(&outcome);
    let flags = |flags: &str| flags.to_owned();
    let expected = [
        (flags("SYN"), 0, 0, 0, Some(65_495), 65_495),
        (flags("SYN+ACK"), 0, 1, 0, Some(65_495), 65_495),
        (flags("ACK"), 1, 1, 0, None, 64),
        (flags("PSH+ACK"), 1, 1, 100, None, 64),
        (flags("ACK"), 101, 101, 0, None, 64),
        (flags("FIN+ACK"), 101, 101, 0, None, 64),
        (flags("ACK"), 102, 102, 0, None, 64),
    ];
    assert_eq!(segments(&outcome), expected);
}

#[test]
fn a_client_that_tries_a_free_port_again_and_again_connects_to_itself() {
    let outcome = alone(
        "applications:\n  box:\n    - repeat: [{connect: \"box:56064\", as: c, may-fail: on}]\n      times: 4\n      every: 1s\n    \
         - hold\nexpect:\n  - box: {error: ECONNREFUSED, on: c#1}\n  - box: {error: ECONNREFUSED, on: c#2}\n  - box: {ends: \
         ESTABLISHED, on: c#3}\n  - box: {error: ECONNREFUSED, on: c#4}\nuntil: 1m\n",
    );
    passes(&outcome);
}

#[test]
fn the_two_ends_of_a_connection_on_one_host_are_told_apart() {
    for to in ["box", "localhost", "127.0.0.1", "10.0.0.1"] {
        let outcome = alone(&format!(
            "applications:\n  box:\n    service: [listen: 80, {{accept: , as: served}}, receive: 10 B, close]\n    caller: [{{connect: \
             \"{to}:80\", as: own}}, send: 10 B, receive: end, close]\nexpect:\n  - box: {{received: 10 B, on: served}}\n  - box: \
             {{received: 0 B, on: own}}\n  - box: {{received: end, on: own}}\n  - box: {{states: [CLOSED, SYN-SENT, ESTABLISHED, \
             CLOSE-WAIT, LAST-ACK, CLOSED], on: own}}\n  - box: {{states: [LISTEN, SYN-RECEIVED, ESTABLISHED, FIN-WAIT-1, \
             FIN-WAIT-2, TIME-WAIT, CLOSED], on: served}}\n  - segments: {{on: own, payload: any}}\n    count: 1\n  - segments: {{on: \
             served, payload: any}}\n    count: 1\n  - data: intact\n  - all-closed: within 61s\n"
        ));
        passes(&outcome);
    }
}

/// The answers of another host are none of it.
#[test]
fn claims_may_be_about_what_a_host_sends_to_itself() {
    let outcome = run_text(
        "scenario: test\nhosts: {box: {}, other: {}}\napplications:\n  other: [connect: box:80, send: 30 B, close]\n  box:\n    \
         service:\n      - listen: 80\n      - repeat: [accept, receive: end, close]\n        times: 2\n    caller: [wait: 1s, connect: \
         box:80, send: 10 B, close]\nexpect:\n  - segments: {from: box, to: box, flags: SYN}\n    count: 2\n  - segments: {from: box, to: \
         box, payload: any}\n    count: 1\n  - order: [{from: box, to: box, flags: only SYN}, {from: box, to: box, flags: SYN+ACK}]\n",
    );
    passes(&outcome);
}

#[test]
fn an_ipv6_host_knows_itself_too() {
    let outcome = run_text(
        "scenario: test\nhosts: {box: {addresses: [\"fd00::1\"]}}\napplications:\n  box:\n    service: [listen: 80, accept, receive: 200 kB, close]\n    \
         caller: [connect: localhost:80, send: 200 kB, receive: end, close]\nexpect: [data: intact]\n",
    );
    passes(&outcome);
}

/// The second write is Linux's: half of the largest window offered, 65483, in a segment.
#[test]
fn a_large_transfer_takes_large_segments_and_no_time() {
    let outcome = alone(
        "applications:\n  box:\n    service: [listen: 80, accept, receive: 10 MB, hold]\n    caller: [connect: localhost:80, send: 10 \
         MB, hold]\nexpect:\n  - data: intact\n  - box: {received: 10 MB, some: on, within: 1s}\nuntil: 2s\n",
    );
    passes(&outcome);
    assert_eq!(
        segments(&outcome).iter().find(|segment| segment.3 > 0).map(|segment| segment.3),
        Some(32_741)
    );
}

#[test]
fn nothing_that_strikes_the_network_strikes_what_a_host_sends_to_itself() {
    let outcome = run_text(
        "scenario: test\nhosts: {box: {}, other: {}}\nnetwork: {latency: 20ms, loss: 100%, middleboxes: {firewall: {blocks-new: \
         on}}}\napplications:\n  box:\n    service: [listen: 80, accept, receive: 10 B, close]\n    caller: [wait: 1s, connect: box:80, \
         send: 10 B, receive: end, close]\nfaults:\n  - {cable-pull: box, at: 0s}\n  - {partition: box, at: 0s}\n  - {blackhole: larger \
         than 0 B, at: 0s}\n  - drop: {}\n    may-not-happen: on\nexpect:\n  - data: intact\n  - box: {received: end, some: on, at: \
         1s}\n",
    );
    passes(&outcome);
}

#[test]
fn a_host_that_loses_its_address_cannot_reach_itself_there_but_at_localhost() {
    let outcome = alone(
        "applications:\n  box:\n    service: [listen: 80, {repeat: [accept], may-not-happen: on}]\n    caller: \
         [{connect: box:80, as: first}, wait: 2s, {connect: box:80, as: second, error: ENETUNREACH, timeout: 5s}, {connect: \
         localhost:80, as: third}, hold]\nfaults: [{lose-address: 10.0.0.1, at: 1s}]\nuntil: 10s\n",
    );
    passes(&outcome);
}
