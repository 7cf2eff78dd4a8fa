//! Boxes on the way that keep state of connections: the problems that people have with them.

mod common;
#[path = "middleboxes/renumbering.rs"]
mod renumbering;
#[path = "middleboxes/translation.rs"]
mod translation;

use common::{broken, problems, results, run_text, wire};
use halfopen_scenario::TrackedState;
use halfopen_sim::Outcome;
use halfopen_trace::{EventKind, LossReason, MiddleboxLoss, Problem};

fn play(rest: &str) -> Outcome {
    run_text(&format!("scenario: test\n{rest}"))
}

/// Nothing is wrong but the errors that programs ended with, which the tests look at themselves.
fn passed(outcome: &Outcome) {
    let is_error = |problem: &Problem| matches!(problem, Problem::StepFailed { error: Some(_), .. });
    assert!(outcome.finished.problems.iter().all(is_error), "{:?}\n{:#?}", problems(outcome), wire(outcome));
    assert!(broken(outcome).is_empty(), "{:?}", broken(outcome));
}

/// A request at once, and another after an idle time, through a box between client and server.
fn late_request(middlebox: &str, idle: &str, rest: &str) -> Outcome {
    let outcome = play(&format!(
        "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{nat: {middlebox}}}}}
applications:
  server:
    - listen: 80
    - accept
    - receive: 100 B
    - send: 100 B
    - {{receive: 100 B, may-fail: on, may-not-happen: on}}
    - hold
  client:
    - connect: server:80
    - send: 100 B
    - receive: 100 B
    - wait: {idle}
    - {{send: 100 B, may-fail: on}}
    - {{receive: end, may-not-happen: on}}
{rest}"
    ));
    passed(&outcome);
    outcome
}

fn last(outcome: &Outcome, program: &str) -> String {
    results(outcome, program).pop().expect("a result")
}

/// What the middleboxes did: second, what, state before, state after.
fn changes(outcome: &Outcome) -> Vec<String> {
    let changes = outcome.trace.iter().filter_map(|(_, event)| {
        let EventKind::MiddleboxChanged(changed) = &event.kind else { return None };
        let name = |state: Option<TrackedState>| state.map_or("-", TrackedState::name);
        let (before, after) = (name(changed.before), name(changed.after));
        Some(format!("{:.2} {:?} {before} {after}", event.time.as_duration().as_secs_f64(), changed.change))
    });
    changes.collect()
}

/// How many segments boxes lost for this reason.
fn lost(outcome: &Outcome, reason: MiddleboxLoss) -> usize {
    let by_box = |kind: &EventKind| matches!(kind, EventKind::SegmentLost { reason: LossReason::Middlebox { why, .. }, .. } if *why == reason);
    outcome.trace.iter().filter(|(_, event)| by_box(&event.kind)).count()
}

/// The RSTs that boxes sent: second, in whose name, sequence number.
fn resets(outcome: &Outcome) -> Vec<(String, usize, u32)> {
    let resets = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentSent(sent) if sent.middlebox.is_some() => {
            let time = format!("{:.2}", event.time.as_duration().as_secs_f64());
            Some((time, event.host.expect("the host it seems to come from").index(), sent.relative_seq))
        }
        _ => None,
    });
    resets.collect()
}

#[test]
fn a_box_follows_a_connection_from_its_handshake_to_its_end() {
    let outcome = play(
        "hosts: {client: {}, server: {}}
network: {latency: 20ms, middleboxes: {nat: {preset: linux-conntrack}}}
applications:
  server: [listen: 80, accept, receive: end, close]
  client: [connect: server:80, close]
",
    );
    passed(&outcome);
    let expected = [
        "0.01 Created - SYN-SENT",
        "0.03 Moved SYN-SENT SYN-RECEIVED",
        "0.05 Moved SYN-RECEIVED ESTABLISHED",
        "0.05 Moved ESTABLISHED FIN-WAIT",
        "0.07 Moved FIN-WAIT LAST-ACK",
        "0.09 Moved LAST-ACK TIME-WAIT",
    ];
    assert_eq!(changes(&outcome), expected, "{:#?}", wire(&outcome));
    assert_eq!(outcome.finished.totals.virtual_time.as_secs(), 60, "nobody waits for what the box forgets");
}

#[test]
fn aws_nlb_a_write_after_350_s_is_reset_and_a_keepalive_of_300_s_lives() {
    let outcome = late_request("{preset: aws-nlb}", "351s", "");
    assert_eq!(changes(&outcome).last().unwrap(), "350.09 Expired { idle: 350s } ESTABLISHED -");
    assert_eq!(resets(&outcome), [("351.09".to_owned(), 1, 101)]);
    assert_eq!(last(&outcome, "client"), "351.100 receive: ECONNRESET");

    for preset in ["aws-nlb", "aws-nat-gateway"] {
        for (keepalive, dies) in [("300s", false), ("7200s", true)] {
            let outcome = play(&format!(
                "hosts: {{client: {{tcp: {{keepalive: {{idle: {keepalive}}}}}}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{nat: {{preset: {preset}}}}}}}
applications:
  server: [listen: 80, accept, hold]
  client: [connect: server:80, {{set: {{keepalive: on}}}}, {{receive: end, may-not-happen: on}}]
until: 3h
"
            ));
            passed(&outcome);
            let results = results(&outcome, "client");
            let error = results.iter().any(|line| line == "7200.060 receive: ECONNRESET");
            assert_eq!(error, dies, "{preset} {keepalive}: {results:?}");
            assert_eq!(lost(&outcome, MiddleboxLoss::NoState), usize::from(dies), "{preset} {keepalive}");
        }
    }
}

#[test]
fn azure_lb_is_silent_until_it_is_asked_for_resets() {
    let outcome = late_request("{preset: azure-lb}", "241s", "");
    assert_eq!(resets(&outcome), []);
    let end = last(&outcome, "client");
    assert!(end.ends_with("receive: ETIMEDOUT"), "{end}");
    let seconds: f64 = end.split(' ').next().unwrap().parse().unwrap();
    assert!((900.0..1000.0).contains(&(seconds - 241.0)), "retransmissions to the end: {end}");

    // Both ends know at 240 s, and the time from the box to them.
    let outcome = late_request("{preset: azure-lb, on-expiry: reset-both}", "300s", "");
    let expected = [("240.09".to_owned(), 1, 101), ("240.09".to_owned(), 0, 101)];
    assert_eq!(resets(&outcome), expected);
    assert_eq!(last(&outcome, "server"), "240.100 receive: ECONNRESET");
    assert_eq!(results(&outcome, "client")[4], "300.080 send: ECONNRESET");
}

#[test]
fn gcp_nat_has_a_time_for_each_state_and_sends_nothing() {
    for (idle, forgotten) in [("1199s", false), ("1201s", true)] {
        let outcome = late_request("{preset: gcp-nat}", idle, "until: 1h\n");
        assert_eq!(lost(&outcome, MiddleboxLoss::NoState) > 0, forgotten, "{idle}");
        assert_eq!(resets(&outcome), []);
    }
    // A half-closed connection is transitory.
    let outcome = half_close("{preset: gcp-nat}", "31s");
    assert_eq!(changes(&outcome)[5], "30.11 Expired { idle: 30s } CLOSE-WAIT -");
}

#[test]
fn ipvs_forgets_after_900_s_and_the_request_is_lost_without_a_word() {
    let outcome = late_request("{preset: ipvs}", "901s", "");
    assert_eq!(changes(&outcome).last().unwrap(), "900.09 Expired { idle: 900s } ESTABLISHED -");
    assert!(last(&outcome, "client").ends_with("receive: ETIMEDOUT"));
    assert!(lost(&outcome, MiddleboxLoss::NoState) > 10, "{:#?}", wire(&outcome));
}

/// The client sends a request and no more; the server takes its time.
fn half_close(middlebox: &str, time: &str) -> Outcome {
    let outcome = play(&format!(
        "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{nat: {middlebox}}}}}
applications:
  server: [listen: 80, accept, receive: end, {{wait: {time}}}, close]
  client: [connect: server:80, {{send: 100 B}}, {{shutdown: write}}, {{receive: end, may-not-happen: on}}]
until: 1h
"
    ));
    passed(&outcome);
    outcome
}

#[test]
fn conntrack_kills_a_half_close_after_60_s() {
    let ends = |outcome: &Outcome| -> Vec<String> {
        outcome.finished.final_states.iter().map(|end| end.state.to_string()).collect()
    };
    let quick = half_close("{preset: linux-conntrack}", "59s");
    assert_eq!(ends(&quick), ["CLOSED", "CLOSED"]);

    let slow = half_close("{preset: linux-conntrack}", "61s");
    assert_eq!(changes(&slow).last().unwrap(), "60.11 Expired { idle: 60s } CLOSE-WAIT -");
    assert_eq!(ends(&slow), ["FIN-WAIT-2", "CLOSED"], "one end is stuck, the other has given up");
    assert!(lost(&slow, MiddleboxLoss::NoState) >= 8, "the FIN again and again: {:#?}", wire(&slow));

    // As kube-proxy sets it.
    let cured = half_close("{preset: linux-conntrack, idle: {close-wait: 1h}}", "61s");
    assert_eq!(ends(&cured), ["CLOSED", "CLOSED"]);
}

/// A response of a mebibyte, and an octet of it again seconds later, when the window has moved on.
fn late_duplicate(invalid: &str) -> Outcome {
    let outcome = play(&format!(
        "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{nat: {{preset: linux-conntrack, invalid: {invalid}}}}}}}
applications:
  server: [listen: 80, accept, {{receive: 100 B}}, {{send: 1 MiB}}, {{receive: end, may-not-happen: on}}]
  client: [connect: server:80, {{send: 100 B}}, {{receive: 1 MiB}}, hold]
faults:
  - duplicate: {{from: server, payload: any}}
    first: 1
    spacing: 5s
until: 10s
"
    ));
    passed(&outcome);
    outcome
}

#[test]
fn conntrack_lets_an_invalid_segment_pass_untranslated_and_the_client_resets() {
    let outcome = late_duplicate("untranslated");
    assert_eq!(changes(&outcome).last().unwrap(), "5.07 Untranslated - -");
    let server = last(&outcome, "server");
    assert_eq!(server, "5.100 receive: ECONNRESET");

    for invalid in ["drop", "pass"] {
        let outcome = late_duplicate(invalid);
        assert_eq!(last(&outcome, "server").split(' ').nth(1), Some("send"), "{invalid}");
        assert_eq!(lost(&outcome, MiddleboxLoss::Invalid), usize::from(invalid == "drop"));
    }
}

#[test]
fn what_a_box_has_lost_it_adopts_or_not() {
    let forget = |strays: &str| {
        let fault = "faults: [{forget: nat, at: 1s}]\n";
        late_request(&format!("{{preset: linux-conntrack, strays: {strays}}}"), "2s", fault)
    };
    let adopts = forget("adopt");
    let expected = ["1.00 Forgotten ESTABLISHED -", "2.09 Adopted - ESTABLISHED"];
    assert_eq!(changes(&adopts)[3..], expected);
    assert_eq!(last(&adopts, "server"), "2.100 receive 100");
    assert_eq!(last(&forget("reset"), "client"), "2.100 receive: ECONNRESET");
    assert!(last(&forget("drop"), "client").ends_with("ETIMEDOUT"));
}

#[test]
fn a_fault_that_finds_nothing_to_forget_never_happened() {
    let outcome = play(
        "hosts: {client: {}, server: {}}
network: {middleboxes: {nat: {preset: linux-conntrack}}}
applications: {server: [listen: 80, hold], client: [{wait: 1s}]}
faults: [{forget: nat, at: 500ms}]
",
    );
    assert_eq!(problems(&outcome), ["fault 1 never happened"]);
}

#[test]
fn a_box_that_blocks_new_connections_lets_old_ones_live() {
    let outcome = play(
        "hosts: {client: {}, server: {}}
network: {latency: 20ms, middleboxes: {nat: {preset: aws-nlb}}}
applications:
  server:
    one: [listen: 80, accept, {receive: 100 B}, close]
    two: [listen: 81, accept, {receive: 100 B}, close]
  client:
    old: [connect: server:80, {wait: 2s}, {send: 100 B}, receive: end, close]
    new: [{wait: 1s}, connect: server:81, {send: 100 B}, receive: end, close]
faults: [{blocks-new: nat, at: 500ms, unblocks-after: 5s}]
",
    );
    passed(&outcome);
    assert_eq!(lost(&outcome, MiddleboxLoss::Blocked), 5, "{:#?}", wire(&outcome));
    assert_eq!(results(&outcome, "two")[2], "6.060 receive 100");
    assert_eq!(results(&outcome, "old")[2], "2.040 send 100");
}

#[test]
fn nothing_passes_a_dead_box_and_one_that_comes_back_knows_nothing() {
    let outcome =
        late_request("{preset: aws-nlb}", "3s", "faults: [{reboot: nat, at: 1s, back-after: 1s}]\n");
    assert_eq!(changes(&outcome).last().unwrap(), "1.00 Forgotten ESTABLISHED -");
    assert_eq!(last(&outcome, "client"), "3.100 receive: ECONNRESET");

    let outcome = late_request("{preset: aws-nlb}", "3s", "faults: [{power-loss: nat, at: 1s}]\n");
    assert!(lost(&outcome, MiddleboxLoss::Down) > 10);
    assert!(last(&outcome, "client").ends_with("receive: ETIMEDOUT"));

    // One that was to come back loses its power for good.
    let faults = "faults: [{reboot: nat, at: 1s, back-after: 10s, }, {power-loss: nat, at: 2s}]\n";
    let outcome = late_request("{preset: aws-nlb}", "3s", faults);
    assert!(last(&outcome, "client").ends_with("receive: ETIMEDOUT"));
}

#[test]
fn an_mss_clamp_makes_segments_smaller_both_ways() {
    let transfer = |middlebox: &str| {
        let outcome = play(&format!(
            "hosts: {{client: {{}}, server: {{}}}}
network: {{middleboxes: {{nat: {middlebox}}}}}
applications:
  server: [listen: 80, accept, {{receive: 10 KiB}}, {{send: 10 KiB}}, close]
  client: [connect: server:80, {{send: 10 KiB}}, {{receive: 10 KiB}}, receive: end, close]
"
        ));
        passed(&outcome);
        let longest = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
            EventKind::SegmentSent(sent) => Some(sent.header.payload),
            _ => None,
        });
        (longest.max().unwrap(), changes(&outcome).iter().filter(|line| line.contains("Clamped")).count())
    };
    assert_eq!(transfer("{}"), (1448, 0));
    assert_eq!(transfer("{mss-clamp: 1200 B}"), (1188, 2));
    assert_eq!(transfer("{mss-clamp: 1460 B}"), (1448, 0));
}

#[test]
fn several_boxes_are_spread_evenly_and_met_in_order() {
    let outcome = play(
        "hosts: {client: {}, server: {}, other: {}}
network:
  latency: 30ms
  middleboxes: {one: {}, two: {between: [server, client]}, three: {between: [other, server]}}
applications:
  server: [listen: 80, accept, hold]
  client: [connect: server:80, hold]
",
    );
    passed(&outcome);
    let created = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::MiddleboxChanged(changed) => {
            Some((event.time.as_duration().as_millis(), changed.middlebox.index()))
        }
        _ => None,
    });
    let expected = [(10, 0), (20, 1), (40, 1), (50, 0), (70, 0), (80, 1)];
    assert_eq!(created.collect::<Vec<_>>(), expected);
}

/// The box has not seen the last acknowledgment of the client, so its RST is too old for it. It learns of its mistake
/// from what the client sends next, if it answers strays.
#[test]
fn a_reset_with_a_number_of_the_past_is_not_used() {
    let lie = |strays: &str| {
        let outcome = play(&format!(
            "hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{lb: {{preset: azure-lb, on-expiry: reset-both, strays: {strays}}}}}}}
applications:
  server: [listen: 80, accept, {{receive: 100 B}}, {{send: 100 B}}, receive: end]
  client: [connect: server:80, {{send: 100 B}}, {{receive: 100 B}}, {{wait: 300s}}, {{send: 1 B}}, {{receive: end, may-not-happen: on}}]
faults:
  - drop: {{from: client, payload: none, acknowledgment: 101}}
    first: 1
  - drop: {{from: server, retransmission: on}}
until: 400s
"
        ));
        passed(&outcome);
        // The box did see what the server acknowledged.
        assert_eq!(last(&outcome, "server"), "240.080 receive: ECONNRESET");
        assert_eq!(resets(&outcome)[..2], [("240.07".to_owned(), 1, 1), ("240.07".to_owned(), 0, 101)]);
        (last(&outcome, "client"), resets(&outcome).len())
    };
    assert_eq!(lie("drop"), ("300.080 send 1".to_owned(), 2));
    assert_eq!(lie("reset"), ("300.100 receive: ECONNRESET".to_owned(), 3));
}
