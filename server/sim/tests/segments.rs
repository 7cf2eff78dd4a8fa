//! Faults that change the order of segments, their octets, or bring in others.

mod common;

use common::*;
use halfopen_sim::Outcome;
use halfopen_sim::trace::{EventKind, Verdict};
use halfopen_tcp::DropReason;

/// Ten segments of data at once, and these faults.
fn ten_segments(faults: &str) -> Outcome {
    let outcome = play(&format!(
        "applications:\n  server: [listen: 80, accept, receive: end, close]\n  client: [connect: server:80, wait-until: 300ms, \
         send: 14480 B, wait-until: 2s, close]\nfaults: [{faults}]\n"
    ));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    outcome
}

/// What arrives at the server from 300 ms on: relative sequence numbers, counted in segments of data, and why it was
/// not used.
fn arrivals(outcome: &Outcome) -> Vec<(u32, Option<DropReason>)> {
    let mut sent = Vec::new();
    let mut arrived = Vec::new();
    for (_, event) in outcome.trace.iter() {
        match &event.kind {
            EventKind::SegmentSent(segment) => sent.push(segment.clone()),
            EventKind::SegmentArrived { segment, dropped } if event.host == Some(SERVER.into()) => {
                let segment = &sent[segment.0.get() as usize - 1];
                if segment.header.payload > 0 {
                    arrived.push((segment.relative_seq / 1448 + 1, *dropped));
                }
            }
            _ => {}
        }
    }
    arrived
}

const NEW_DATA: &str = "{from: client, payload: any, retransmission: off}";

#[test]
fn a_reordered_segment_arrives_right_after_those_that_overtake_it() {
    for (behind, expected) in [
        (1, [1, 2, 4, 3, 5, 6, 7, 8, 9, 10]),
        (3, [1, 2, 4, 5, 6, 3, 7, 8, 9, 10]),
        (7, [1, 2, 4, 5, 6, 7, 8, 9, 10, 3]),
    ] {
        let outcome = ten_segments(&format!("{{reorder: {NEW_DATA}, nth: 3, behind: {behind}}}"));
        let order: Vec<u32> = arrivals(&outcome).into_iter().map(|(number, _)| number).take(10).collect();
        assert_eq!(order, expected);
    }
}

#[test]
fn several_may_be_overtaken_by_the_same() {
    let outcome = ten_segments(&format!("{{reorder: {NEW_DATA}, first: 2, behind: 2}}"));
    let order: Vec<u32> = arrivals(&outcome).into_iter().map(|(number, _)| number).take(6).collect();
    // The second waits for the first, which is no later one, and for two others.
    assert_eq!(order, [3, 4, 1, 2, 5, 6]);
}

#[test]
fn a_segment_that_nothing_overtakes_waits_for_what_is_sent_again() {
    let outcome = ten_segments(&format!("{{reorder: {NEW_DATA}, nth: 10, behind: 1}}"));
    let arrived = arrivals(&outcome);
    assert_eq!(
        arrived[9..],
        [(10, None), (10, Some(DropReason::OldTimestamp))],
        "the probe, then what it overtook"
    );
}

#[test]
fn what_waits_to_be_overtaken_is_lost_with_its_way() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, hold]\n  client: [connect: server:80, wait-until: 300ms, send: 1 B, \
         hold]\nfaults: [{reorder: {from: client, payload: any}, first: 1, behind: 9}, {partition: [client, server], at: 310ms, \
         heals-after: 100ms}]\nuntil: 5s\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    let lost = wire(&outcome).iter().filter(|line| line.contains("lost: partition")).count();
    assert_eq!((lost, arrivals(&outcome).len()), (1, 1));
}

#[test]
fn a_corrupted_segment_arrives_with_a_wrong_checksum_and_is_sent_again() {
    let outcome = ten_segments(&format!("{{corrupt: {NEW_DATA}, nth: 3}}"));
    let arrived = arrivals(&outcome);
    assert_eq!(arrived[2], (3, Some(DropReason::Checksum)));
    assert_eq!(arrived[10], (3, None));
    assert_eq!(outcome.finished.totals.segments_lost, 0);
}
