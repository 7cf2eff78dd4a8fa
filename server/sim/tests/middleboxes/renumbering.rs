//! A box that moves sequence numbers.

use halfopen_sim::Outcome;
use halfopen_trace::{EventKind, MiddleboxChange};

use super::common::{results, wire};
use super::{last, passed, play};

/// What a box does with sequence numbers, in a download that loses a segment.
fn download(numbers: &str, rest: &str) -> Outcome {
    let outcome = play(&format!(
        "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{fw: {{sequence-numbers: {numbers}, idle: 20s, on-expiry: reset-both}}}}}}
applications:
  server: [listen: 80, accept, {{receive: 100 B}}, {{send: 40 kB}}, {{receive: end, may-not-happen: on}}]
  client: [connect: server:80, {{send: 100 B}}, {{receive: 40 kB}}, {{receive: end, may-not-happen: on}}]
{rest}
expect: [{{data: intact}}]
until: 30s
"
    ));
    passed(&outcome);
    outcome
}

const LOSS: &str = "faults: [{drop: {from: server, payload: any}, nth: 3}]";

/// The numbers by which the box moves those of the two ends.
fn moves(outcome: &Outcome) -> Vec<u32> {
    let moves = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::MiddleboxChanged(changed) => match changed.change {
            MiddleboxChange::Renumbered { by, .. } => Some(by),
            _ => None,
        },
        _ => None,
    });
    moves.collect()
}

/// Relative numbers are those that each end knows, so that nothing else shows it: neither recovery by SACK, nor the RSTs of the box.
#[test]
fn neither_end_notices_that_numbers_move() {
    let [kept, moved] = ["kept", "randomised"].map(|numbers| download(numbers, LOSS));
    assert_eq!(wire(&moved), wire(&kept));
    assert!(moves(&kept).is_empty());
    let by = moves(&moved);
    assert!(by.len() == 2 && by[0] != by[1], "one number each way: {by:?}");
    assert!(last(&moved, "client").ends_with("receive: ECONNRESET"), "{:#?}", wire(&moved));
}

#[test]
fn sack_blocks_that_keep_their_numbers_are_of_no_use() {
    let received = |numbers| -> f64 {
        let results = results(&download(numbers, LOSS), "client");
        results[2].split(' ').next().unwrap().parse().unwrap()
    };
    let [right, wrong] = ["randomised", "randomised-except-sack"].map(received);
    assert!(wrong - right > 0.15, "a fast retransmission at {right} s, a timeout at {wrong} s");
}

#[test]
fn a_connection_does_not_survive_the_loss_of_its_offsets() {
    let outcome = play(
        "hosts: {client: {}, server: {}}
network: {latency: 20ms, middleboxes: {fw: {strays: adopt, sequence-numbers: randomised}}}
applications:
  server: [listen: 80, accept, {receive: 200 B, may-not-happen: on}]
  client: [connect: server:80, {send: 100 B}, {wait: 2s}, {send: 100 B}, {receive: end, may-not-happen: on}]
faults: [{forget: fw, at: 1s}]
until: 20s
",
    );
    passed(&outcome);
    assert!(results(&outcome, "server").iter().all(|line| !line.contains("receive 200")));
    assert!(wire(&outcome).iter().filter(|line| line.contains("client ACK 101:1 len 100")).count() > 4);
}

/// Numbers of a forged segment are those that its receiver knows.
#[test]
fn a_forged_segment_fits_the_connection_at_its_receiver() {
    for sequence in ["1", "rcv.nxt"] {
        let fault = format!(
            "faults:
  - inject: {{from: client, to: server, flags: RST, sequence: {sequence}}}
    at: 1s
"
        );
        let outcome = play(&format!(
            "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{fw: {{sequence-numbers: randomised}}}}}}
applications:
  server: [listen: 80, accept, receive: end]
  client: [connect: server:80, hold]
{fault}"
        ));
        assert_eq!(last(&outcome, "server"), "1.000 receive: ECONNRESET", "{sequence}");
        assert!(wire(&outcome).contains(&"1.000 client RST 1:0 len 0".to_owned()), "{:#?}", wire(&outcome));
    }
}
