//! Faults that change the order of segments, their octets, or bring in others.

mod common;

use common::*;
use halfopen_scenario::Unreachable;
use halfopen_sim::Outcome;
use halfopen_tcp::DropReason;
use halfopen_trace::{EventKind, FaultId, Problem, Verdict};

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
            EventKind::SegmentArrived { segment, dropped, .. } if event.host == Some(SERVER.into()) => {
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
    let lost = wire(&outcome).iter().filter(|line| line.contains("lost: Partition")).count();
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

/// The faults that were applied, in order: their positions and what was done.
fn applied(outcome: &Outcome) -> Vec<(u32, &'static str)> {
    common::applied(outcome).into_iter().map(|(fault, action, _)| (fault, action)).collect()
}

/// When the first segment that a fault was applied to arrives, in milliseconds.
fn arrivals_of_faulty(outcome: &Outcome) -> Vec<u128> {
    let faulty = outcome.trace.iter().find_map(|(_, event)| match &event.kind {
        EventKind::FaultApplied(applied) => applied.segment,
        _ => None,
    });
    let times = outcome.trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::SegmentArrived { segment, .. } if Some(segment) == faulty => {
            Some(event.time.as_duration().as_millis())
        }
        _ => None,
    });
    times.collect()
}

#[test]
fn every_fault_that_takes_a_segment_acts_on_it_in_the_order_of_the_text() {
    let outcome = ten_segments(&format!(
        "{{delay: {NEW_DATA}, nth: 3, by: 5ms}}, {{duplicate: {NEW_DATA}, nth: 3, spacing: 1ms}}, {{delay: {NEW_DATA}, nth: 3, by: \
         7ms}}, {{duplicate: {NEW_DATA}, nth: 3, copies: 2, spacing: 2ms}}"
    ));
    let done = [(1, "delay"), (2, "duplicate"), (3, "delay"), (4, "duplicate")];
    assert_eq!(applied(&outcome), done);
    // Sent at 300 ms, 20 ms under way, 12 ms late; copies 1 ms, 2 ms and 4 ms after it.
    assert_eq!(arrivals_of_faulty(&outcome), [332, 333, 334, 336]);
}

#[test]
fn what_loses_a_segment_ends_its_way_and_later_faults_do_not_count_it() {
    let outcome = ten_segments(&format!(
        "{{delay: {NEW_DATA}, by: 1ms}}, {{drop: {NEW_DATA}, nth: 3}}, {{duplicate: {NEW_DATA}, nth: 3}}"
    ));
    let done = applied(&outcome);
    assert_eq!(
        done[..6],
        [(1, "delay"), (1, "delay"), (1, "delay"), (2, "drop"), (1, "delay"), (3, "duplicate")]
    );
}

#[test]
fn what_is_late_and_overtaken_arrives_when_both_is_over() {
    // The rest arrives at 320 ms, all at once.
    for (by, milliseconds) in [("1ms", 321), ("100ms", 420)] {
        let outcome = ten_segments(&format!(
            "{{delay: {NEW_DATA}, nth: 3, by: {by}}}, {{reorder: {NEW_DATA}, nth: 3}}"
        ));
        assert_eq!(arrivals_of_faulty(&outcome), [milliseconds], "{by}");
    }
}

#[test]
fn a_field_may_be_said_that_is_corrupted_and_a_segment_without_it_is_let_alone() {
    let outcome = ten_segments("{corrupt: {from: client}, field: payload, first: 1, bits: 3}");
    assert_eq!(applied(&outcome), [(1, "corrupt")]);
    assert_eq!(arrivals(&outcome)[0], (1, Some(DropReason::Checksum)));
}

#[test]
fn a_connection_meets_the_faults_that_name_it_from_its_syn_on() {
    let outcome = play(
        "applications:\n  server: [listen: 80, {accept: 80, as: first}, {accept: 80, as: second}, hold]\n  client: [{connect: \
         server:80, as: a}, {connect: server:80, as: b}, {send: 1 B, on: b}, {wait: 1s}, {send: 1 B, on: a}, hold]\nfaults: [{delay: \
         {on: b}, by: 1ms}, {duplicate: {on: first, from: client}}]\nexpect: [{segments: {on: b, from: client}, count: 3}, \
         {segments: {on: second, from: client}, count: 3}]\nuntil: 5s\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?} {:#?}", outcome.finished, wire(&outcome));
    let done = applied(&outcome);
    // SYN, SYN+ACK, ACK, data and its ACK of the one; data of the other, which has its name from `accept` on.
    assert_eq!(done.iter().filter(|(fault, _)| *fault == 1).count(), 5);
    assert_eq!(done.iter().filter(|(fault, _)| *fault == 2).count(), 1);
}

/// A request of 100 octets at 300 ms, an answer of 100 KiB, and these faults.
fn answered(faults: &str) -> Outcome {
    play(&format!(
        "applications:\n  server: [listen: 80, accept, receive: 100 B, send: 100 KiB, close]\n  client: [connect: server:80, \
         wait-until: 300ms, send: 100 B, receive: end, close]\nfaults: [{faults}]\n"
    ))
}

#[test]
fn a_window_that_is_closed_on_the_way_stops_the_sender_until_it_asks() {
    let outcome =
        answered("{rewrite: {from: client, flags: only ACK}, between: [300ms, 10s], set: {window: 0}}");
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert!(applied(&outcome).iter().all(|done| *done == (1, "rewrite")));
    let probes = outcome.trace.iter().filter(|(_, event)| {
        matches!(&event.kind, EventKind::SegmentSent(sent) if sent.purpose == halfopen_tcp::Purpose::WindowProbe)
    });
    assert!(probes.count() > 3);
    assert!(outcome.finished.totals.virtual_time.as_secs() >= 10, "{:?}", outcome.finished.totals);
}

#[test]
fn options_that_are_taken_from_the_syn_are_not_used_by_the_connection() {
    let outcome = answered(
        "{rewrite: SYN, set: {mss: 536 B, sack-permitted: off, timestamps: off, window-scale: off}}",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(applied(&outcome).len(), 2, "the SYN and the SYN+ACK");
    for (_, event) in outcome.trace.iter() {
        if let EventKind::SegmentSent(sent) = &event.kind
            && !sent.header.flags.contains(halfopen_tcp::Flags::SYN)
        {
            assert_eq!(sent.header.options, halfopen_tcp::Options::default());
            assert!(sent.header.payload <= 536 && sent.window <= 65_535);
            assert_eq!(sent.size, 40 + sent.header.payload);
        }
    }
}

#[test]
fn one_who_renumbers_both_ways_is_not_noticed_and_one_who_renumbers_one_way_is() {
    let there = "{rewrite: {from: client}, set: {sequence: seg.seq + 1000000}}";
    let back = "{rewrite: {from: server}, set: {acknowledgment: seg.ack - 1000000}}";
    let sack = "{rewrite: SYN, set: {sack-permitted: off}}";
    let both = answered(&format!("{sack}, {there}, {back}"));
    assert_eq!(both.finished.verdict, Verdict::Passed, "{:?}", problems(&both));
    let one = answered(&format!("{sack}, {there}"));
    // The SYN+ACK acknowledges what nobody sent: RST, and so on until the client gives up.
    assert_ne!(one.finished.verdict, Verdict::Passed);
    assert!(wire(&one).iter().any(|line| line.contains("client RST")), "{:#?}", wire(&one));
}

#[test]
fn a_rewrite_that_changes_nothing_never_happened() {
    let outcome = answered("{rewrite: {payload: any}, set: {urgent: off, mss: 536 B}}");
    let never = Problem::FaultNotApplied(FaultId(0));
    assert!(outcome.finished.problems.contains(&never), "{:?}", problems(&outcome));
}

#[test]
fn what_was_corrupted_first_is_not_healed_by_a_rewrite() {
    let outcome = ten_segments(&format!(
        "{{corrupt: {NEW_DATA}, nth: 3}}, {{rewrite: {{from: client}}, set: {{window: 100 KiB}}}}"
    ));
    assert_eq!(arrivals(&outcome)[2], (3, Some(DropReason::Checksum)));
}

/// A request and an answer, then both wait for more; the client sends again at 1 s.
fn talk(faults: &str) -> Outcome {
    play(&format!(
        "applications:\n  server: [listen: 80, accept, receive: 1 KiB, send: 1 KiB, receive: end, close]\n  client: [connect: \
         server:80, send: 1 KiB, receive: 1 KiB, wait-until: 1s, {{send: 100 B, may-fail: on}}, hold]\nfaults: [{faults}]\nuntil: \
         3s\n"
    ))
}

/// What goes over the wire from 500 ms to before 900 ms.
fn at_half_a_second(outcome: &Outcome) -> Vec<String> {
    wire(outcome).into_iter().filter(|line| line.starts_with("0.") && line.as_bytes()[2] >= b'5').collect()
}

#[test]
fn a_forged_reset_ends_a_connection_only_with_the_exact_number() {
    let challenge = "0.500 server ACK 1025:1025 len 0";
    let cases = [
        ("1025", vec!["0.500 client RST 1025:0 len 0"]),
        ("rcv.nxt", vec!["0.500 client RST 1025:0 len 0"]),
        ("1125", vec!["0.500 client RST 1125:0 len 0", challenge]),
        ("rcv.nxt + 100", vec!["0.500 client RST 1125:0 len 0", challenge]),
        ("rcv.nxt + 1000000", vec!["0.500 client RST 1001025:0 len 0"]),
        ("rcv.nxt - 1", vec!["0.500 client RST 1024:0 len 0"]),
    ];
    for (sequence, expected) in cases {
        let outcome =
            talk(&format!("{{inject: {{from: client, flags: RST, sequence: {sequence}}}, at: 500ms}}"));
        assert_eq!(at_half_a_second(&outcome), expected, "{sequence}");
        let reset = outcome.trace.iter().any(|(_, event)| {
            matches!(event.kind, EventKind::ConnectionError(halfopen_tcp::Errno::ConnectionReset))
        });
        assert_eq!(reset, matches!(sequence, "1025" | "rcv.nxt"), "{sequence}");
    }
}

#[test]
fn a_forged_segment_is_marked_arrives_at_once_and_is_nothing_that_a_host_sent() {
    let outcome = talk(
        "{inject: {from: client, flags: PSH+ACK, sequence: 1025, acknowledgment: -198975, payload: 10 B, timestamps: on}, at: \
         500ms}",
    );
    let mut forged = None;
    for (_, event) in outcome.trace.iter() {
        match &event.kind {
            EventKind::SegmentSent(sent) if sent.injected => forged = Some((sent.segment, sent.clone())),
            EventKind::SegmentArrived { segment, dropped, .. }
                if forged.as_ref().is_some_and(|(number, _)| number == segment) =>
            {
                assert_eq!(event.time.as_duration().as_millis(), 500);
                assert_eq!(event.host, Some(SERVER.into()));
                assert_eq!(*dropped, Some(DropReason::UnacceptableAck));
            }
            _ => {}
        }
    }
    let (_, sent) = forged.expect("it is there");
    assert_eq!((sent.relative_seq, sent.relative_ack as i32, sent.header.payload), (1025, -198_975, 10));
    let timestamps = sent.header.options.timestamps.expect("those of the last segment");
    assert!(timestamps.value > 0 && timestamps.echo > 0);
}

#[test]
fn a_forged_segment_is_not_counted_as_one_of_the_host() {
    for count in [0, 1] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, hold]\n  client: [connect: server:80, hold]\nfaults: [{{inject: {{from: \
             client, flags: RST, sequence: rcv.nxt + 9}}, at: 500ms}}]\nexpect: [{{segments: RST, count: {count}}}]\nuntil: 1s\n"
        ));
        assert_eq!(outcome.finished.verdict == Verdict::Passed, count == 0);
    }
}

#[test]
fn data_that_was_forged_well_is_noticed_where_it_is_read() {
    let outcome = talk(
        "{inject: {from: client, flags: PSH+ACK, sequence: rcv.nxt, acknowledgment: snd.nxt, payload: 10 B, timestamps: on}, \
         at: 500ms}",
    );
    let is_mistake = |problem: &Problem| matches!(problem, Problem::DataMistaken { .. });
    assert!(outcome.finished.problems.iter().any(is_mistake), "{:?}", problems(&outcome));
}

#[test]
fn data_that_a_scenario_injects_on_purpose_may_be_read() {
    for (payload, octets) in [("10 B", 10), ("{text: hello}", 5)] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, receive: 20 B, {{receive: {octets} B}}, hold]\n  client: [connect: server:80, send: \
             20 B, hold]\nfaults: [{{inject: {{from: client, flags: PSH+ACK, sequence: rcv.nxt, acknowledgment: snd.nxt, payload: {payload}, \
             content: unchecked, timestamps: on}}, at: 500ms}}]\nuntil: 1s\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    }
}

#[test]
fn a_forged_segment_has_the_window_and_the_options_that_the_text_gives_it() {
    let outcome = talk(
        "{inject: {from: client, flags: ACK, sequence: rcv.nxt, acknowledgment: snd.una, window: 0, mss: 536 B, window-scale: 2, \
         sack-permitted: on, sack: [[1, snd.nxt]], timestamps: {value: -1000, echo: 5}}, at: 500ms}",
    );
    let mut last = None;
    let mut forged = None;
    for (_, event) in outcome.trace.iter() {
        match &event.kind {
            EventKind::SegmentSent(sent) if sent.injected => forged = Some(sent.header.clone()),
            EventKind::SegmentSent(sent) if forged.is_none() && event.host == Some(CLIENT.into()) => {
                last = sent.header.options.timestamps;
            }
            EventKind::SegmentArrived { dropped: Some(reason), .. } => {
                assert_eq!(*reason, DropReason::OldTimestamp, "the clock goes back");
            }
            _ => {}
        }
    }
    let (options, window) = forged.map(|header| (header.options, header.window)).expect("it is there");
    assert_eq!((window, options.mss, options.window_scale), (0, Some(536), Some(2)));
    assert!(options.sack_permitted);
    assert_eq!(options.sack.as_slice().len(), 1);
    let value = last.expect("the client has sent some").value;
    assert_eq!(options.timestamps.map(|forged| forged.value), Some(value.wrapping_sub(1000)));
}

#[test]
fn without_a_connection_nothing_can_be_forged() {
    let outcome = talk("{inject: {from: client, flags: RST, sequence: 1}, at: 1ms}");
    let never = Problem::FaultNotApplied(FaultId(0));
    assert!(outcome.finished.problems.contains(&never), "{:?}", problems(&outcome));
}

#[test]
fn a_connection_with_a_name_is_told_from_others() {
    let outcome = play(
        "applications:\n  server: [listen: 80, {accept: 80, as: first}, {accept: 80, as: second}, {receive: end, on: first}, hold]\n  \
         client: [{connect: server:80, as: a}, {connect: server:80, as: b}, {hold: null}]\nfaults: [{inject: {from: client, on: a, \
         flags: RST, sequence: rcv.nxt}, at: 500ms}]\nexpect: [{server: {error: ECONNRESET, on: first}}, {server: {ends: ESTABLISHED, \
         on: second}}]\nuntil: 1s\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", outcome.finished);
}

/// What routers told a host: when, in milliseconds, about which segment, and what of it.
fn told(outcome: &Outcome) -> Vec<(u128, u64, Unreachable, bool)> {
    let told = outcome.trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::DestinationUnreachable { segment, code, dropped, .. } => {
            Some((event.time.as_duration().as_millis(), segment.0.get(), code, dropped.is_none()))
        }
        _ => None,
    });
    told.collect()
}

#[test]
fn a_router_that_can_not_reach_the_host_ends_an_open() {
    for (code, errno) in [("host", "EHOSTUNREACH"), ("net", "ENETUNREACH"), ("port", "ECONNREFUSED")] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80]\n  client: [{{connect: server:80, error: {errno}}}]\nfaults: [{{unreachable: {{from: \
             client, flags: SYN}}, code: {code}}}]\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
        let code = Unreachable::ALL.into_iter().find(|known| known.name() == code).expect("known");
        assert_eq!(told(&outcome), [(20, 1, code, true)]);
        assert_eq!(wire(&outcome)[1], "lost: Fault(FaultId(0))");
        assert_eq!(outcome.finished.totals.segments_lost, 1);
    }
}

#[test]
fn an_established_connection_hears_the_router_and_goes_on_trying() {
    let text = "scenario: test\nhosts: {client: {}, server: {tcp: {retries2: 4}}}\nnetwork: {latency: 20ms}\napplications:\n  server: \
                [listen: 80, accept, wait-until: 500ms, send: 1 KiB, {receive: 1 B, error: EHOSTUNREACH}]\n  client: [connect: \
                server:80, hold]\nfaults: [{unreachable: {from: server}, at: 400ms}]\n";
    let scenario = std::sync::Arc::new(halfopen_scenario::load(text).expect("right"));
    let options = halfopen_sim::RunOptions::default();
    let outcome = halfopen_sim::run(&scenario, &options, &mut halfopen_sim::Discard);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert!(told(&outcome).len() > 3 && told(&outcome).iter().all(|(.., used)| *used));
}

#[test]
fn what_a_router_says_is_lost_where_nobody_hears_it() {
    for fault in ["{power-loss: client, at: 10ms}", "{partition: {from: server, to: client}, at: 10ms}"] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80]\n  client: [{{connect: server:80, may-not-happen: on}}]\nfaults: [{{unreachable: \
             SYN, first: 1}}, {fault}]\nuntil: 500ms\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
        assert_eq!(told(&outcome), []);
        assert_eq!(outcome.finished.totals.segments_lost, 1, "the SYN alone");
    }
}
