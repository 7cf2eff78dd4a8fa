//! Addresses that change hands or are lost, and what the hosts notice.

mod common;

use std::sync::Arc;

use common::*;
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_tcp::DropReason;
use halfopen_trace::{EventKind, Verdict};

/// A client, an active node with the address 10.0.0.100 beside its own, and a standby; each 20 ms from the others.
fn cluster(rest: &str) -> Outcome {
    let text = format!(
        "scenario: test\nhosts: {{client: {{}}, active: {{addresses: [10.0.0.2, 10.0.0.100]}}, standby: {{}}}}\nnetwork:\n  latency: \
         20ms\n{rest}"
    );
    let scenario = halfopen_scenario::load(&text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)));
    halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard)
}

/// Where the segments of the client went to, by host, each time that this changed.
fn receivers(outcome: &Outcome) -> Vec<Option<u16>> {
    let to = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentSent(sent) if event.host == Some(CLIENT.into()) => Some(sent.to.map(|host| host.0)),
        _ => None,
    });
    let mut all: Vec<_> = to.collect();
    all.dedup();
    all
}

#[test]
fn the_new_holder_of_an_address_resets_connections_that_it_does_not_have() {
    let outcome = cluster(
        "applications:\n  active: [listen: 80, accept, hold]\n  standby: [listen: 80]\n  client: [connect: \"10.0.0.100:80\", \
         wait-until: 2s, send: 10 B, {receive: end, error: ECONNRESET}]\nfaults: [{move-address: 10.0.0.100, from: active, to: \
         standby, at: 1s}]\nexpect: [{active: {ends: ESTABLISHED}}, {segments: {from: standby, flags: RST}, count: 1}]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(receivers(&outcome), [Some(1), Some(2)]);
}

#[test]
fn an_address_returns_to_the_host_that_had_it_and_may_be_opened_from() {
    let outcome = cluster(
        "applications:\n  client: [listen: 80, accept, hold]\n  active:\n    - {connect: client:80, from: 10.0.0.100, error: \
         EADDRNOTAVAIL}\n    - wait-until: 4s\n    - {connect: client:80, from: 10.0.0.100, as: again}\n    - \
         hold\n  standby: [wait: 1s]\nfaults: [{move-address: 10.0.0.100, to: standby, at: 0s, returns-after: 3s}]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn what_is_under_way_still_goes_to_the_host_that_had_the_address() {
    let outcome = cluster(
        "applications:\n  active: [listen: 80, accept, hold]\n  client: [connect: \"10.0.0.100:80\", wait-until: 1s, send: 10 B, \
         hold]\n  standby: [wait: 1s]\nfaults: [{lose-address: 10.0.0.100, at: 1010ms}]\nuntil: 1100ms\n",
    );
    let dropped = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentArrived { dropped, .. } => *dropped,
        _ => None,
    });
    assert_eq!(dropped.collect::<Vec<_>>(), [DropReason::NotForUs]);
}

#[test]
fn a_host_that_reboots_has_the_addresses_that_it_has_by_then() {
    let outcome = cluster(
        "applications:\n  active: [listen: 80]\n  standby: [listen: 80, accept, receive: end]\n  client: [wait: 3s, connect: \
         \"10.0.0.100:80\", close]\nfaults: [{reboot: active, at: 1s, back-after: 1s}, {move-address: 10.0.0.100, to: standby, at: \
         1500ms}]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(receivers(&outcome), [Some(2)]);
}

#[test]
fn a_move_that_would_change_nothing_did_not_happen() {
    for fault in [
        "{move-address: 10.0.0.100, from: standby, to: active, at: 1s}, {move-address: 10.0.0.100, to: standby, at: 2s}",
        "{lose-address: 10.0.0.100, at: 0s}, {lose-address: 10.0.0.100, at: 1s}",
    ] {
        let outcome = cluster(&format!(
            "applications: {{client: [wait: 3s], active: [wait: 3s], standby: [wait: 3s]}}\nfaults: [{fault}]\n"
        ));
        let never = problems(&outcome).iter().filter(|problem| problem.contains("never happened")).count();
        assert_eq!(never, 1, "{fault}");
    }
}

/// On a LAN the neighbour table of the client still names the dead node when the address has moved without a word. The client asks again
/// once that node has been silent for eight seconds, and finds the new one.
#[test]
fn a_lan_finds_an_address_that_moved_without_a_word() {
    for (lan, error) in [("on", "ECONNRESET"), ("off", "ETIMEDOUT")] {
        let outcome = cluster(&format!(
            "  neighbours: {lan}\napplications:\n  active: [listen: 80, accept, hold]\n  standby: [listen: 80]\n  client: [connect: \
             \"10.0.0.100:80\", wait-until: 50s, send: 10 B, {{receive: end, error: {error}}}]\nfaults: [{{power-loss: active, at: 40s}}, \
             {{move-address: 10.0.0.100, to: standby, announced: off, at: 41s}}]\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{lan}: {:?}", problems(&outcome));
    }
}
