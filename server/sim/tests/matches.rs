//! Which segments a fault takes.

mod common;

use common::*;
use halfopen_sim::Outcome;
use halfopen_trace::{EventKind, Verdict};

/// The session of a request, an answer and a close, with one fault: which segments it took, as `wire` writes them.
fn taken(fault: &str) -> Vec<String> {
    let outcome = play(&format!(
        "applications:\n  server: [listen: 80, accept, receive: 1 KiB, send: 1 KiB, receive: end, close]\n  client: [connect: \
         server:80, send: 1 KiB, receive: 1 KiB, wait-until: 500ms, close]\nfaults:\n  - {fault}\n"
    ));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{fault}: {:?}", problems(&outcome));
    touched(&outcome)
}

fn touched(outcome: &Outcome) -> Vec<String> {
    let numbers = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::FaultApplied(applied) => applied.segment,
        _ => None,
    });
    let sent: Vec<String> = wire(outcome).into_iter().filter(|line| !line.starts_with("lost")).collect();
    numbers.map(|number| sent[number.0.get() as usize - 1].clone()).collect()
}

#[test]
fn numbers_and_states_tell_segments_apart() {
    let delay = |matching: &str| taken(&format!("{{delay: {matching}, by: 1ms}}"));
    let fin = "0.500 client FIN+ACK 1025:1025 len 0";
    assert_eq!(delay("{from: client, sequence: 0}"), ["0.000 client SYN 0:0 len 0"]);
    assert_eq!(delay("{from: client, sequence: 1025, payload: none, flags: FIN}"), [fin]);
    assert_eq!(
        delay("{from: server, acknowledgment: 1026, flags: FIN}"),
        ["0.520 server FIN+ACK 1025:1026 len 0"]
    );
    assert_eq!(delay("{acknowledgment: 1026, from: client}"), ["0.540 client ACK 1026:1026 len 0"]);
    assert_eq!(delay("{from: client, state: {client: FIN-WAIT-1}}"), [fin]);
    assert_eq!(delay("{from: server, state: {client: SYN-SENT}}"), ["0.020 server SYN+ACK 0:1 len 0"]);
    assert_eq!(delay("{state: {server: LAST-ACK}, flags: FIN}"), ["0.520 server FIN+ACK 1025:1026 len 0"]);
}

#[test]
fn what_is_skipped_passes() {
    let from_client = "{delay: {from: client}, skip: 2, first: 2, by: 1ms}";
    assert_eq!(taken(from_client), ["0.040 client ACK 1:1 len 1024", "0.081 client ACK 1025:1025 len 0"]);
}

#[test]
fn a_question_to_a_closed_window_is_a_window_probe() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, set: {receive-buffer: 4 KiB}, wait-until: 5s, receive: end, close]\n  \
         client: [connect: server:80, send: 200 kB, close]\nfaults: [{drop: {window-probe: on}, first: 1}]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(touched(&outcome).len(), 1);
}
