//! Segments that are larger than the path takes: what a router says, and what TCP does about it (RFC 1191, RFC 8201).

mod common;

use std::sync::Arc;

use common::*;
use halfopen_scenario::Unreachable;
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_tcp::DropReason;
use halfopen_trace::{EventKind, LossReason, Verdict};

/// An IP version: the hosts' addresses, and the octets of its header and TCP's with timestamps.
struct Version {
    client: &'static str,
    server: &'static str,
    headers: u32,
}

const V4: Version = Version { client: "10.0.0.1", server: "10.0.0.2", headers: 52 };
const V6: Version = Version { client: "fd00::1", server: "fd00::2", headers: 72 };

/// 20,000 octets from the client at 300 ms, by hosts whose own links take 1500 octets.
fn transfer(version: &Version, network: &str, faults: &str) -> Outcome {
    let Version { client, server, .. } = version;
    let text = format!(
        "scenario: test\nhosts: {{client: {{addresses: [\"{client}\"], tcp: {{mtu: 1500 B}}}}, server: {{addresses: \
         [\"{server}\"], tcp: {{mtu: 1500 B}}}}}}\nnetwork: {{latency: 20ms{network}}}\napplications:\n  client: [connect: \
         \"[{server}]:80\", wait-until: 300ms, send: 20000 B, hold]\n  server: [listen: 80, accept, {{receive: 20000 B, \
         may-not-happen: on}}, {{hold: null, may-not-happen: on}}]\nfaults: [{faults}]\nuntil: 30s\n"
    );
    let scenario = halfopen_scenario::load(&text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)));
    let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    outcome
}

/// What routers told: when, in milliseconds, the MTU, and why it was not believed.
fn told(outcome: &Outcome) -> Vec<(u128, u16, Option<DropReason>)> {
    let told = outcome.trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::DestinationUnreachable {
            code: Unreachable::FragmentationNeeded { mtu }, dropped, ..
        } => Some((event.time.as_duration().as_millis(), mtu, dropped)),
        _ => None,
    });
    told.collect()
}

/// When data was sent, in milliseconds, and how many octets.
fn data(outcome: &Outcome) -> Vec<(u128, u32)> {
    let data = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentSent(sent) if sent.header.payload > 0 => {
            Some((event.time.as_duration().as_millis(), sent.header.payload))
        }
        _ => None,
    });
    data.collect()
}

fn too_large(outcome: &Outcome) -> usize {
    let lost =
        |event: &EventKind| matches!(event, EventKind::SegmentLost { reason: LossReason::TooLarge, .. });
    outcome.trace.iter().filter(|(_, event)| lost(&event.kind)).count()
}

/// All that was too large is sent again as soon as the router's word is there, and nothing larger ever after.
fn assert_adapts(outcome: &Outcome, version: &Version, mtu: u16) {
    let whole = 1500 - version.headers;
    let most = u32::from(mtu) - version.headers;
    let data = data(outcome);
    assert!(data[..10].iter().all(|sent| *sent == (300, whole)), "{data:?}");
    assert_eq!(data[10], (320, most), "after the latency of the way back");
    assert!(data[10..].iter().all(|(_, octets)| *octets <= most), "{data:?}");
    assert_eq!(told(outcome), [(320, mtu, None); 10]);
    assert_eq!(results(outcome, "server")[2], "0.380 receive 20000");
}

#[test]
fn a_path_with_a_smaller_mtu_gets_smaller_segments() {
    for version in [V4, V6] {
        for mtu in [1280, 1400, 1499] {
            let outcome = transfer(&version, &format!(", mtu: {mtu} B"), "");
            assert_adapts(&outcome, &version, mtu);
            assert_eq!(too_large(&outcome), 10);
        }
    }
}

#[test]
fn a_fault_says_the_same_as_a_path_does() {
    for version in [V4, V6] {
        let whole = 1500 - version.headers;
        let fault =
            format!("{{unreachable: {{payload: {whole} B}}, code: fragmentation-needed, mtu: 1400 B}}");
        let outcome = transfer(&version, "", &fault);
        assert_adapts(&outcome, &version, 1400);
        assert_eq!(too_large(&outcome), 0);
    }
}

/// The black hole of path MTU discovery (RFC 2923 §2.1): the handshake is fine, and nothing large ever arrives.
#[test]
fn without_icmp_a_transfer_stalls_for_ever() {
    for version in [V4, V6] {
        let outcome = transfer(&version, ", mtu: 1400 B, icmp: off", "");
        let whole = 1500 - version.headers;
        let data = data(&outcome);
        assert_eq!(told(&outcome), []);
        assert!(data.len() > 12 && data[..10].iter().all(|(_, octets)| *octets == whole), "{data:?}");
        // The end of the data is small, and arrives; in vain.
        let small = data.iter().filter(|(_, octets)| *octets < whole).count();
        assert_eq!(too_large(&outcome), data.len() - small);
        assert!(!results(&outcome, "server").iter().any(|line| line.contains("receive")));
    }
}

#[test]
fn what_no_link_of_ipv6_may_have_is_not_believed() {
    let fault = "{unreachable: {payload: 1428 B}, code: fragmentation-needed, mtu: 1000 B}";
    let outcome = transfer(&V6, "", fault);
    let told = told(&outcome);
    let impossible = |said: &(u128, u16, Option<DropReason>)| said.2 == Some(DropReason::ImpossibleMtu);
    assert!(told.len() > 10 && told.iter().all(impossible), "{told:?}");
    assert!(data(&outcome).iter().all(|(_, octets)| *octets == 1428 || *octets < 1000));
}

/// Linux takes nothing below 552 for true (`min_pmtu`), lest somebody make it send a great many tiny segments.
#[test]
fn a_tiny_mtu_is_taken_for_the_least_that_linux_believes() {
    let fault = "{unreachable: {payload: 1448 B}, code: fragmentation-needed, mtu: 68 B}";
    let outcome = transfer(&V4, "", fault);
    assert!(data(&outcome)[10..].iter().all(|(_, octets)| *octets <= 552 - 52), "{:?}", data(&outcome));
    assert_eq!(results(&outcome, "server")[2].split_once(' ').map(|(_, what)| what), Some("receive 20000"));
}

#[test]
fn a_router_s_word_takes_the_way_back_and_is_lost_with_it() {
    let cut = "{partition: {from: server, to: client}, at: 200ms, heals-after: 5s}";
    let outcome = transfer(&V4, ", mtu: 1400 B", cut);
    let told = told(&outcome);
    assert!(told.first().is_some_and(|(time, ..)| *time > 5_200), "{told:?}");
    assert!(results(&outcome, "server").iter().any(|line| line.ends_with("receive 20000")));
}

/// What Linux 6.18 does: it sends its packets of two segments again as soon as it hears the router, in segments that fit,
/// and begins the next connection to that host with what it knows, for ten minutes.
#[test]
fn what_is_too_large_leaves_again_as_linux_sends_it() {
    let text = "scenario: test\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms, links: [{from: client, mtu: 1400 \
                B}]}\napplications:\n  client: [{connect: server:80, as: a}, wait-until: 300ms, {send: 20000 B, on: a}, wait-until: 2s, \
                {connect: server:80, as: b}, {send: 5000 B, on: b}, wait-until: 700s, {connect: server:80, as: c}]\n  server: \
                [listen: 80, {accept: 80, as: a}, {accept: 80, as: b}, {receive: 20000 B, on: a}, {receive: 5000 B, on: b}, {accept: 80, \
                as: c}]\nuntil: 701s\n";
    let scenario = halfopen_scenario::load(text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", text, false)));
    let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    let at = |millis: u128| -> Vec<u32> {
        let then = data(&outcome).into_iter().filter(|(time, _)| *time == millis);
        then.map(|(_, octets)| octets).collect()
    };
    assert_eq!(at(300), [1448; 10]);
    assert_eq!(at(320), [1348, 1348, 200, 1348, 1348, 200, 1348, 1348, 200, 1348]);
    assert_eq!(at(360), [1348, 200, 1348, 1348, 200, 1348, 1348, 1348, 1348, 128]);
    assert_eq!(at(2040), [1348, 1348, 1348, 956]);
    let announced = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentSent(sent) if event.host == Some(CLIENT.into()) => sent.header.options.mss,
        _ => None,
    });
    assert_eq!(announced.collect::<Vec<_>>(), [1460, 1360, 1460]);
}
