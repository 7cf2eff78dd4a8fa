//! A box whose hosts share one address.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use halfopen_sim::Outcome;
use halfopen_tcp::State;
use halfopen_trace::{Event, EventKind, HostId, LossReason, MiddleboxChange, MiddleboxLoss, SegmentSent};

use super::common::{results, wire};
use super::{changes, last, lost, passed, play, resets};

const PHONE: HostId = HostId(0);
const LAPTOP: HostId = HostId(1);
const SERVER: HostId = HostId(2);

/// A phone and a laptop behind a box, and a server beyond it.
fn behind(middlebox: &str, rest: &str) -> Outcome {
    play(&format!(
        "hosts: {{phone: {{}}, laptop: {{}}, server: {{}}}}
network: {{latency: 20ms, middleboxes: {{nat: {{behind: [phone, laptop], {middlebox}}}}}}}
{rest}"
    ))
}

/// Each of the two sends a request from the same port, and the server answers.
const REQUESTS: &str = "applications:
  server:
    one: [listen: 80, accept, {receive: 100 B}, {send: 5 kB}, receive: end, close]
    two: [listen: 81, accept, {receive: 100 B}, {send: 5 kB}, receive: end, close]
  phone: [{connect: server:80, port: 5000}, {send: 100 B}, {receive: 5 kB}, close]
  laptop: [{connect: server:81, port: 5000}, {send: 100 B}, {receive: 5 kB}, close]
expect:
  - data: intact
  - all-closed: within 2m
";

fn events(outcome: &Outcome) -> impl Iterator<Item = &Event> {
    outcome.trace.iter().map(|(_, event)| event)
}

fn sent(outcome: &Outcome) -> impl Iterator<Item = (&Event, &SegmentSent)> {
    events(outcome).filter_map(|event| match &event.kind {
        EventKind::SegmentSent(sent) => Some((event, &**sent)),
        _ => None,
    })
}

/// The addresses and ports that the box gave, in order.
fn given(outcome: &Outcome) -> Vec<String> {
    let given = events(outcome).filter_map(|event| match &event.kind {
        EventKind::MiddleboxChanged(changed) => match changed.change {
            MiddleboxChange::Translated { to } => Some(to.to_string()),
            _ => None,
        },
        _ => None,
    });
    given.collect()
}

#[test]
fn two_hosts_have_one_address_and_each_connection_one_number() {
    let outcome = behind("translates: {to: 203.0.113.1}", REQUESTS);
    passed(&outcome);
    // The same port stands for one connection to each port of the server.
    assert_eq!(given(&outcome), ["203.0.113.1:5000", "203.0.113.1:5000"]);
    let shared: SocketAddr = "203.0.113.1:5000".parse().unwrap();
    for (number, host) in [(1, PHONE), (2, LAPTOP)] {
        let of_this = |event: &&Event| event.connection.is_some_and(|own| own.0.get() == number);
        let hosts: BTreeSet<HostId> =
            events(&outcome).filter(of_this).filter_map(|event| event.host).collect();
        assert_eq!(hosts, BTreeSet::from([host, SERVER]));
        let created = events(&outcome).filter(of_this).filter_map(|event| match &event.kind {
            EventKind::ConnectionCreated(created) => Some((event.host, created)),
            _ => None,
        });
        let peers: Vec<_> = created.map(|(host, it)| (host, it.remote.ip(), it.remote_host)).collect();
        let [near, far] = [("10.0.0.3", SERVER), ("203.0.113.1", host)];
        let [near, far] = [near, far].map(|(address, host)| (address.parse().unwrap(), Some(host)));
        assert_eq!(peers, [(Some(host), near.0, near.1), (Some(SERVER), far.0, far.1)]);
        let answers = sent(&outcome).filter(|(event, _)| of_this(event) && event.host == Some(SERVER));
        for (_, segment) in answers {
            assert_eq!((segment.destination, segment.to), (shared, Some(host)));
            assert!(segment.relative_ack < 200 && segment.receiver_state.is_some(), "{segment:?}");
        }
    }
}

#[test]
fn a_port_that_is_taken_is_mapped_and_timestamps_are_those_of_each_host() {
    let rest = "applications:
  server: [listen: 80, {repeat: [{accept: , as: one}], times: 2}, hold]
  phone: [{connect: server:80, port: 5000}, hold]
  laptop: [{wait: 1s}, {connect: server:80, port: 5000}, hold]
until: 2s
";
    let outcome = behind("translates: {to: 203.0.113.1, ports: 64512}", rest);
    passed(&outcome);
    assert_eq!(given(&outcome), ["203.0.113.1:5000", "203.0.113.1:1024"]);
    let syns = sent(&outcome).filter(|(event, sent)| {
        sent.relative_seq == 0 && event.host != Some(SERVER) && sent.header.options.mss.is_some()
    });
    let clocks: Vec<u32> = syns.map(|(_, sent)| sent.header.options.timestamps.unwrap().value).collect();
    assert_ne!(
        clocks[1].wrapping_sub(clocks[0]),
        1000,
        "the server sees two clocks at one address: {clocks:?}"
    );
}

/// Three connections at once from behind a box with two ports, and one to another port of the server.
fn exhausted(settings: &str) -> Outcome {
    behind(
        &format!("translates: {{to: 203.0.113.1, ports: 2}}, {settings}"),
        "applications:
  server:
    web: [listen: 80, {repeat: [{accept: , as: it}], may-not-happen: on}]
    mail: [listen: 25, accept, hold]
  phone:
    first: [connect: server:80, {receive: end, may-not-happen: on}]
    second: [{wait: 1s}, connect: server:80, {receive: end, may-not-happen: on}]
  laptop:
    third: [{wait: 2s}, {connect: server:80, timeout: 3s, may-fail: on}, hold]
    mail: [{wait: 3s}, connect: server:25, hold]
until: 10s
",
    )
}

#[test]
fn when_no_port_is_left_a_syn_is_lost_unless_it_is_for_another_socket() {
    let outcome = exhausted("idle: 1h");
    passed(&outcome);
    assert_eq!(lost(&outcome, MiddleboxLoss::NoPort), 7, "{:#?}", wire(&outcome));
    assert_eq!(results(&outcome, "third")[1], "5.000 connect: EINPROGRESS");
    assert_eq!(given(&outcome), ["203.0.113.1:1024", "203.0.113.1:1025", "203.0.113.1:1024"]);

    let outcome = exhausted("on-full: reset");
    passed(&outcome);
    assert_eq!(results(&outcome, "third")[1], "2.020 connect: ECONNREFUSED");
}

#[test]
fn a_port_is_free_again_when_its_connection_is_forgotten() {
    let outcome = exhausted("on-full: forget-oldest");
    passed(&outcome);
    assert_eq!(given(&outcome)[2], "203.0.113.1:1024", "the port of the first");
    // The server still has a connection of this port, and answers for it. The laptop resets what it does not know, and sends its SYN
    // again 8 ms later.
    assert_eq!(results(&outcome, "third")[1], "2.088 connect");
    let quick = exhausted("idle: {syn-sent: 1s, established: 1500ms}");
    passed(&quick);
    assert_eq!(lost(&quick, MiddleboxLoss::NoPort), 0);
}

#[test]
fn nothing_gets_in_that_nobody_behind_has_asked_for() {
    for to in ["phone:80", "\"203.0.113.1:5000\""] {
        let rest = format!(
            "applications:
  phone: [listen: 80, hold]
  server: [{{connect: {to}, timeout: 2s, may-fail: on}}]
until: 5s
"
        );
        let outcome = behind("translates: {to: 203.0.113.1}", &rest);
        passed(&outcome);
        assert_eq!(last(&outcome, "server"), "2.000 connect: EINPROGRESS", "{to}");
        assert_eq!(lost(&outcome, MiddleboxLoss::NoState), 3, "{to}: {:#?}", wire(&outcome));
        assert!(changes(&outcome).is_empty(), "{to}");
        let rejecting = behind("translates: {to: 203.0.113.1}, strays: reset", &rest);
        assert_eq!(last(&rejecting, "server"), "0.020 connect: ECONNREFUSED", "{to}");
    }
    // Who is behind a box does not get at what the box itself has.
    let rest =
        "applications: {phone: [{connect: \"203.0.113.1:80\", timeout: 1s, may-fail: on}]}\nuntil: 3s\n";
    let outcome = behind("translates: {to: 203.0.113.1}", rest);
    let no_route =
        |kind: &EventKind| matches!(kind, EventKind::SegmentLost { reason: LossReason::NoRoute, .. });
    assert!(events(&outcome).any(|event| no_route(&event.kind)));
}

/// An idle connection that the box forgets, and data of the server after that.
fn forgotten(settings: &str) -> Outcome {
    let outcome = behind(
        &format!("translates: {{to: 203.0.113.1}}, {settings}"),
        "applications:
  server: [listen: 80, accept, {wait: 20s}, {send: 10 B, may-fail: on}, {receive: end, may-not-happen: on}]
  phone: [{connect: server:80, port: 5000}, {receive: end, may-not-happen: on}]
until: 30s
",
    );
    passed(&outcome);
    outcome
}

#[test]
fn resets_of_the_box_have_the_addresses_that_their_receivers_know() {
    let outcome = forgotten("idle: 10s, on-expiry: reset-both");
    assert_eq!(resets(&outcome).len(), 2);
    let ends: Vec<[String; 2]> = sent(&outcome)
        .filter(|(_, sent)| sent.middlebox.is_some())
        .map(|(_, sent)| [sent.source, sent.destination].map(|socket| socket.to_string()))
        .collect();
    let mut expected = [["203.0.113.1:5000", "10.0.0.3:80"], ["10.0.0.3:80", "10.0.0.1:5000"]].to_vec();
    expected.sort_by_key(|[source, _]| *source != ends[0][0]);
    assert_eq!(ends, expected);
    assert_eq!(last(&outcome, "phone").split(' ').nth(2), Some("ECONNRESET"));
    let state =
        |outcome: &Outcome| outcome.finished.final_states.iter().map(|it| it.state).collect::<Vec<_>>();
    assert_eq!(state(&outcome), [State::Closed, State::Closed]);

    // What the server sends later is a segment of the same connection, on its way to the phone.
    for settings in ["idle: 10s, strays: reset", "idle: 10s, strays: untranslated"] {
        let outcome = forgotten(settings);
        assert_eq!(last(&outcome, "server"), "20.080 receive: ECONNRESET", "{settings}");
        let (event, data) = sent(&outcome).find(|(_, sent)| sent.header.payload > 0).unwrap();
        assert_eq!((event.connection.unwrap().0.get(), data.to), (1, Some(PHONE)));
    }
}

#[test]
fn routers_reports_reach_the_sender_on_either_side() {
    for from in ["server", "phone"] {
        let rest = format!(
            "{REQUESTS}faults:
  - unreachable: {{from: {from}, size: larger than 1000 B}}
    code: fragmentation-needed
    mtu: 1000 B
    may-not-happen: on
"
        )
        .replace("{send: 100 B}, {receive: 5 kB}", "{send: 5 kB}, {receive: 5 kB}")
        .replace("{receive: 100 B}", "{receive: 5 kB}");
        let outcome = behind("translates: {to: 203.0.113.1}", &rest);
        passed(&outcome);
        let host = if from == "server" { SERVER } else { PHONE };
        let reports = events(&outcome).filter(|event| {
            matches!(event.kind, EventKind::DestinationUnreachable { dropped: None, .. })
                && event.host == Some(host)
        });
        assert!(reports.count() > 0, "{from}");
    }
}

#[test]
fn boxes_may_stand_in_a_row() {
    let outcome = play(
        "hosts: {phone: {}, laptop: {}, server: {}}
network:
  latency: 20ms
  middleboxes:
    home: {behind: [phone], translates: {to: 100.64.0.1, ports: 100}}
    carrier: {behind: [phone, laptop], translates: {to: 203.0.113.1, ports: 1}}
applications:
  server: [listen: 80, accept, {receive: 100 B}, {send: 5 kB}, receive: end, close]
  phone: [{connect: server:80, port: 5000}, {send: 100 B}, {receive: 5 kB}, close]
expect:
  - data: intact
  - all-closed: within 2m
",
    );
    passed(&outcome);
    assert_eq!(given(&outcome), ["100.64.0.1:1024", "203.0.113.1:1024"]);
    assert!(sent(&outcome).all(|(event, _)| event.connection.is_some_and(|it| it.0.get() == 1)));
}

#[test]
fn hosts_with_a_router_between_them_are_no_neighbours() {
    let outcome = play(&format!(
        "hosts: {{phone: {{}}, laptop: {{}}, server: {{}}}}
network:
  neighbours: on
  middleboxes: {{nat: {{behind: [phone, laptop], translates: {{to: 203.0.113.1}}}}}}
{REQUESTS}"
    ));
    passed(&outcome);
}
