//! The octets of datagrams in the events of a run, for a reader that wants them.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use halfopen_scenario::{Scenario, library};
use halfopen_sim::{Discard, RunOptions};
use halfopen_tcp::{DropReason, read_segment};
use halfopen_trace::{Event, EventKind, Trace};

fn trace(scenario: &Arc<Scenario>, snapshot_length: u32) -> Trace {
    let options = RunOptions { snapshot_length, ..RunOptions::default() };
    halfopen_sim::run(scenario, &options, &mut Discard).trace
}

/// The event without octets.
fn without(event: &Event) -> Event {
    let mut event = event.clone();
    match &mut event.kind {
        EventKind::SegmentSent(sent) => sent.datagram = None,
        EventKind::SegmentArrived { datagram, .. } | EventKind::DestinationUnreachable { datagram, .. } => {
            *datagram = None;
        }
        _ => {}
    }
    event
}

/// What is sent is what the event says of it; what arrives otherwise is another datagram, and only TCP says why not.
fn check(name: &str, trace: &Trace) {
    let mut sent_as = BTreeMap::new();
    for (sequence, event) in trace.iter() {
        let octets = event.datagram();
        match &event.kind {
            EventKind::SegmentSent(sent) => {
                let octets = octets.unwrap_or_else(|| panic!("{name}: event {sequence} has no datagram"));
                assert_eq!(octets.len(), sent.size as usize, "{name}: event {sequence}");
                let read = read_segment(octets).expect("a segment");
                assert_eq!(read, (sent.source, sent.destination, sent.header.clone()), "{name}: {sequence}");
                sent_as.insert(sent.segment, Arc::clone(octets));
            }
            EventKind::SegmentArrived { segment, dropped, .. } => {
                assert_ne!(octets, Some(&sent_as[segment]), "{name}: event {sequence} repeats what was sent");
                let read = read_segment(octets.unwrap_or(&sent_as[segment])).err();
                let unreadable = [DropReason::Checksum, DropReason::Malformed]
                    .into_iter()
                    .find(|why| Some(*why) == *dropped);
                assert_eq!(read, unreadable, "{name}: event {sequence}");
            }
            EventKind::DestinationUnreachable { segment, .. } => {
                let octets = octets.unwrap_or_else(|| panic!("{name}: event {sequence} has no datagram"));
                let (headers, protocol) = if octets[0] >> 4 == 4 { (28, octets[9]) } else { (48, octets[6]) };
                assert!([1, 58].contains(&protocol), "{name}: event {sequence} is ICMP");
                let quoted = &octets[headers..];
                // Faults before the one that lost it may have changed it.
                assert_eq!(quoted[..20], sent_as[segment][..20], "{name}: event {sequence}");
            }
            _ => assert_eq!(octets, None),
        }
    }
}

#[test]
fn octets_are_in_the_events_if_wanted_and_change_nothing_else() {
    for bundled in library::ALL {
        for scenario in bundled.scenarios() {
            let name = format!("{} {:?}", scenario.id, scenario.variant);
            let scenario = Arc::new(scenario);
            let [none, some, all] = [0, 40, u32::MAX].map(|length| trace(&scenario, length));
            check(&name, &all);
            assert!(none.iter().all(|(_, event)| event.datagram().is_none()), "{name}");
            assert!(
                none.iter().map(|(_, event)| event.clone()).eq(all.iter().map(|(_, event)| without(event))),
                "{name}"
            );
            for ((_, some), (_, all)) in some.iter().zip(all.iter()) {
                let beginning = all.datagram().map(|octets| &octets[..octets.len().min(40)]);
                if some.datagram().is_some() {
                    assert_eq!(some.datagram().map(|octets| &octets[..]), beginning, "{name}");
                }
                assert_eq!(without(some), without(all), "{name}");
            }
        }
    }
}

/// How each arrival at the server after the handshake differs from what was sent.
fn arrivals(faults: &str) -> Vec<Option<&'static str>> {
    let text = format!(
        "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\napplications:\n  \
         server: [listen: 80, accept, receive: 10 B, hold]\n  client: [connect: \"server:80\", send: 10 B, hold]\nfaults: [{faults}]\n"
    );
    let trace = trace(&Arc::new(halfopen_scenario::load(&text).expect("a scenario")), u32::MAX);
    check(faults, &trace);
    let server = Some(common::SERVER.into());
    let arrived = trace.iter().filter(|(_, event)| event.host == server);
    let kinds = arrived.filter_map(|(_, event)| match &event.kind {
        EventKind::SegmentArrived { datagram, .. } => Some(datagram.as_deref().map(|octets| {
            match read_segment(octets).map(|(_, _, header)| header.window) {
                Ok(0) => "window 0",
                Ok(_) => "another segment",
                Err(_) => "broken",
            }
        })),
        _ => None,
    });
    kinds.skip(2).collect()
}

#[test]
fn what_changes_on_the_way_has_the_octets_with_which_it_arrives() {
    let data = "{from: client, payload: any}";
    for (faults, expected) in [
        (String::new(), &[None][..]),
        (format!("{{duplicate: {data}}}"), &[None, None]),
        (format!("{{corrupt: {data}, first: 1}}"), &[Some("broken"), None]),
        (format!("{{rewrite: {data}, set: {{window: 0 B}}}}"), &[Some("window 0")]),
        (
            format!("{{corrupt: {data}, first: 1}}, {{duplicate: {data}, first: 1}}"),
            &[Some("broken"), Some("broken"), None],
        ),
    ] {
        assert_eq!(arrivals(&faults), expected, "{faults}");
    }
}
