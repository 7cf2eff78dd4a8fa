//! Links: bandwidth and queues, loss, and what TCP makes of them.

mod common;

use std::num::NonZeroU64;
use std::time::Duration;

use common::*;
use halfopen_scenario::{Bursts, HostId, Jitter, Link, Loss, Queue, Scenario};
use halfopen_sim::Outcome;
use halfopen_tcp::{Timer, TimerChange};
use halfopen_trace::{EventKind, LossReason, Verdict};

/// So many octets from the client to the server, over this link; the way back only has its latency.
fn upload(octets: u64, link: Link) -> Scenario {
    let mut scenario = bulk(octets);
    scenario.network.links.insert((CLIENT, SERVER), Link { latency: LATENCY, ..link });
    scenario
}

/// The same where nothing but the congestion window limits what is in flight.
fn greedy_upload(octets: u64, link: Link) -> Scenario {
    let mut scenario = upload(octets, link);
    scenario.hosts[SERVER.0].tcp.receive_buffer = Some(4 << 20);
    scenario
}

fn passed(scenario: &Scenario) -> Outcome {
    let outcome = run(scenario);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    outcome
}

fn megabits(megabits: u64) -> Option<NonZeroU64> {
    NonZeroU64::new(megabits * 1_000_000)
}

/// When data arrived at the server, in nanoseconds, and how many octets of it.
fn arrivals(outcome: &Outcome) -> Vec<(u64, u32)> {
    let mut payloads = Vec::new();
    let mut arrived = Vec::new();
    for (_, event) in outcome.trace.iter() {
        match &event.kind {
            EventKind::SegmentSent(sent) => payloads.push(sent.header.payload),
            EventKind::SegmentArrived { segment, .. } if event.host == Some(SERVER.into()) => {
                arrived.push((event.time.as_nanos(), payloads[segment.0.get() as usize - 1]));
            }
            _ => {}
        }
    }
    arrived.into_iter().filter(|(_, octets)| *octets > 0).collect()
}

fn lost(outcome: &Outcome, why: LossReason) -> u64 {
    let is = |kind: &EventKind| matches!(kind, EventKind::SegmentLost { reason, .. } if *reason == why);
    outcome.trace.iter().filter(|(_, event)| is(&event.kind)).count() as u64
}

/// How often the client's retransmission timer fired.
fn timeouts(outcome: &Outcome) -> usize {
    let fired = TimerChange::Fired;
    let is = |kind: &EventKind| matches!(kind, EventKind::TimerChanged { timer: Timer::Retransmission, change } if *change == fired);
    outcome.trace.iter().filter(|(_, event)| event.host == Some(CLIENT.into()) && is(&event.kind)).count()
}

#[test]
fn a_segment_takes_as_long_as_its_datagram_has_bits() {
    // 14480 octets are ten segments of 1500 octets with headers: 12 ms each at 1 Mbit/s.
    let outcome = passed(&upload(14_480, Link { bandwidth: megabits(1), ..Link::default() }));
    let arrivals = arrivals(&outcome);
    assert_eq!(arrivals.len(), 10);
    // The SYN has 60 octets, the ACK that completes the handshake 52: 480 and 416 µs.
    let begins = 480_000 + 2 * 20_000_000 + 416_000;
    for (index, (time, octets)) in (1..).zip(&arrivals) {
        assert_eq!((*time, *octets), (begins + index * 12_000_000 + 20_000_000, 1448));
    }
}

/// 4 MiB with headers are 4,345,112 octets: 3.48 s at 10 Mbit/s. What TCP needs to get going comes on top.
#[test]
fn a_bulk_transfer_takes_the_time_that_the_bandwidth_gives_it() {
    let octets = 4 << 20;
    let mut scenario = upload(octets, Link { bandwidth: megabits(10), ..Link::default() });
    // A window that the queue holds: it does not grow.
    scenario.hosts[SERVER.0].tcp.receive_buffer = Some(64 << 10);
    let outcome = passed(&scenario);
    let arrivals = arrivals(&outcome);
    let whole: u64 = arrivals.iter().map(|(_, octets)| u64::from(*octets) + 52).sum();
    let least = Duration::from_nanos(whole * 8 * 100);
    let took = Duration::from_nanos(arrivals.last().unwrap().0);
    assert!((least..least + Duration::from_millis(150)).contains(&took), "{took:?}, at least {least:?}");
    assert_eq!(outcome.finished.totals.segments_lost, 0, "the queue holds the whole window");
    // From the second second on the line is never idle: 800 ns an octet, and nothing between.
    let later = arrivals.windows(2).filter(|pair| pair[0].0 > 1_000_000_000);
    let idle: Vec<_> =
        later.filter(|pair| pair[1].0 - pair[0].0 != 800 * u64::from(pair[1].1 + 52)).collect();
    assert!(idle.is_empty(), "{idle:?}");
}

/// The bandwidth-delay product is 33 segments, the queue holds 30 more: slow start overflows it, recovery repairs it without a
/// timeout, and the line stays nearly busy.
#[test]
fn a_queue_that_overflows_makes_the_sender_slow_down_and_not_stop() {
    for queue in [Queue::Segments(30), Queue::Octets(45_000)] {
        let octets = 4 << 20;
        let link = Link { bandwidth: megabits(10), queue, ..Link::default() };
        let outcome = passed(&greedy_upload(octets, link));
        let dropped = lost(&outcome, LossReason::QueueFull);
        assert_eq!(dropped, outcome.finished.totals.segments_lost);
        assert!((1..200).contains(&dropped), "{dropped} lost");
        assert!(outcome.finished.totals.retransmissions >= dropped);
        assert_eq!(timeouts(&outcome), 0);
        let took = arrivals(&outcome).last().unwrap().0 as f64 / 1e9;
        assert!((3.4..4.2).contains(&took), "{took} s");
    }
}

/// What waits is never more than the queue holds: no segment is longer under way than the queue, itself and the latency take.
#[test]
fn nothing_waits_longer_than_the_queue_is_long() {
    let link = Link { bandwidth: megabits(10), queue: Queue::Segments(30), ..Link::default() };
    let outcome = passed(&greedy_upload(4 << 20, link));
    let mut sent = Vec::new();
    let mut longest = 0;
    for (_, event) in outcome.trace.iter() {
        match &event.kind {
            EventKind::SegmentSent(_) => sent.push(event.time),
            EventKind::SegmentArrived { segment, .. } if event.host == Some(SERVER.into()) => {
                let way = event.time - sent[segment.0.get() as usize - 1];
                longest = longest.max(way.as_nanos());
            }
            _ => {}
        }
    }
    // 30 wait, one is being transmitted, and the segment itself; the queue was full, and one of them just begun.
    let each = 1_200_000;
    assert!(longest > 31 * each + 20_000_000 - each && longest <= 32 * each + 20_000_000, "{longest} ns");
}

#[test]
fn random_loss_is_repaired_and_named() {
    let outcome = passed(&upload(4 << 20, Link { loss: Loss::Random(10_000), ..Link::default() }));
    let dropped = lost(&outcome, LossReason::Random);
    assert_eq!(dropped, outcome.finished.totals.segments_lost);
    // 2,897 segments and what is sent again: 29 are to be expected, and the deviation is 5.4.
    assert!((10..50).contains(&dropped), "{dropped}");
    assert!(wire(&outcome).contains(&"lost: Random".to_owned()));
}

#[test]
fn bursts_are_longer_than_chance() {
    let bursts = Bursts { begin: 2_000, end: 200_000, during: 1_000_000, between: 0 };
    let outcome = passed(&upload(4 << 20, Link { loss: Loss::Bursts(bursts), ..Link::default() }));
    let mut run = 0;
    let mut runs = Vec::new();
    for (_, event) in outcome.trace.iter() {
        match event.kind {
            EventKind::SegmentLost { .. } => run += 1,
            EventKind::SegmentSent(_) if event.host == Some(CLIENT.into()) => {}
            EventKind::SegmentArrived { .. } if event.host == Some(SERVER.into()) && run > 0 => {
                runs.push(std::mem::take(&mut run));
            }
            _ => {}
        }
    }
    assert!(runs.iter().any(|length| *length >= 4), "{runs:?}");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let jitter = Jitter { most: Duration::from_millis(5), ..Jitter::default() };
    let link = Link {
        bandwidth: megabits(10),
        queue: Queue::Segments(20),
        loss: Loss::Random(5_000),
        jitter,
        ..Link::default()
    };
    let scenario = std::sync::Arc::new(upload(200_000, link));
    let play = |seed| {
        let options = halfopen_sim::RunOptions { seed, ..Default::default() };
        text(&halfopen_sim::run(&scenario, &options, &mut halfopen_sim::Discard))
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}

/// One more host with a random link of its own changes nothing between the others.
#[test]
fn a_link_does_not_change_the_others() {
    let alone = upload(100_000, Link { loss: Loss::Random(20_000), ..Link::default() });
    let mut beside = alone.clone();
    beside.hosts.push(halfopen_scenario::Host {
        name: "other".to_owned(),
        addresses: vec!["10.0.0.3".parse().unwrap()],
        ..beside.hosts[0].clone()
    });
    let lossy = Link { latency: LATENCY, loss: Loss::Random(300_000), ..Link::default() };
    for (from, to) in [(HostId(2), SERVER), (SERVER, HostId(2)), (SERVER, CLIENT)] {
        if to != CLIENT {
            beside.network.links.insert((from, to), lossy);
        }
    }
    let wires = [&alone, &beside].map(|scenario| wire(&passed(scenario)));
    assert_eq!(wires[0], wires[1]);
    assert!(wires[0].iter().any(|line| line.starts_with("lost")));
}
