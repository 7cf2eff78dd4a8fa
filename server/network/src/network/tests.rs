//! The network by its face alone: two hosts, 10 ms apart.

use std::time::Duration;

use halfopen_scenario::{Cut, SegmentFacts};
use halfopen_tcp::{Flags, Header, Seq, encode_segment, read_segment};
use halfopen_trace::{MiddleboxChange, MiddleboxId, MiddleboxLoss, Phase};

use super::*;
use crate::connections::NoConnections;

const A: HostId = HostId(0);
const B: HostId = HostId(1);

/// A network, and the time there.
struct Bench {
    network: Network,
    now: Instant,
}

/// What arrived: when, in milliseconds; at which host; which segment.
type Arrival = (u64, HostId, u64);

impl Bench {
    /// What stands in `network` beside the latency, and faults.
    fn new(network: &str, faults: &str) -> Bench {
        let text = format!(
            "scenario: network\nhosts: {{a: {{addresses: [10.0.0.1]}}, b: {{addresses: [10.0.0.2]}}}}\nnetwork: {{latency: \
             10ms{network}}}\napplications: {{a: [hold]}}\nfaults: [{faults}]\nuntil: 1h\n"
        );
        let scenario = halfopen_scenario::load(&text)
            .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)));
        Bench { network: Network::new(&Arc::new(scenario), 1), now: Instant::ZERO }
    }

    fn at(&mut self, millis: u64) -> &mut Bench {
        self.now = Instant::ZERO + Duration::from_millis(millis);
        self
    }

    /// A host sends the other a segment with this payload. Returns its number.
    fn send(&mut self, from: HostId, flags: Flags, payload: u32) -> u64 {
        let [mut source, mut destination]: [SocketAddr; 2] =
            ["10.0.0.1:40000", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        if from == B {
            std::mem::swap(&mut source, &mut destination);
        }
        let header = Header { seq: Seq(100), ack: Seq(200), flags, payload, ..Header::default() };
        let datagram = encode_segment(source, destination, &header, &vec![b'x'; payload as usize]);
        let (_, to) = self.network.route(from, [source, destination]);
        let facts = SegmentFacts {
            from: Some(from.into()),
            to: to.map(Into::into),
            flags,
            octets: payload.into(),
            size: datagram.len() as u64,
            ..SegmentFacts::default()
        };
        let segment = self.network.next_segment();
        let sent =
            Outgoing { segment, connection: None, from, to, facts, initial: [Seq(0); 2], window_shift: 0 };
        self.network.handle_datagram(self.now, &NoConnections, &sent, datagram);
        segment.0.get()
    }

    fn apply(&mut self, fault: u32, phase: Phase, what: NetworkFault) -> Option<Applied> {
        self.network.apply(self.now, &NoConnections, &Command { fault: FaultId(fault), phase, what })
    }

    /// Everything that arrives until nothing is under way, at the times that the network asks for.
    fn deliveries(&mut self) -> Vec<(u64, Delivery)> {
        let mut deliveries = Vec::new();
        while let Some(time) = self.network.poll_timeout() {
            assert!(time >= self.now, "the network asks for a time that is over");
            self.now = time;
            self.network.handle_timeout(time, &NoConnections);
            while let Some(delivery) = self.network.poll_delivery(time, &NoConnections) {
                deliveries.push((time.as_duration().as_millis() as u64, delivery));
            }
        }
        assert_eq!((self.network.under_way(), self.network.octets), (0, 0));
        deliveries
    }

    fn arrivals(&mut self) -> Vec<Arrival> {
        let arrival =
            |(time, delivery): (u64, Delivery)| (time, delivery.flight.to, delivery.flight.segment.0.get());
        self.deliveries().into_iter().map(arrival).collect()
    }

    fn events(&mut self) -> Vec<EventKind> {
        std::iter::from_fn(|| self.network.poll_event()).map(|event| event.kind).collect()
    }

    /// The segments that are lost, and why. Other events are passed over.
    fn losses(&mut self) -> Vec<(u64, LossReason)> {
        let loss = |kind| match kind {
            EventKind::SegmentLost(loss) => Some((loss.segment.0.get(), loss.reason)),
            EventKind::FaultApplied { .. } | EventKind::MiddleboxChanged { .. } | EventKind::ResetSent(_) => {
                None
            }
        };
        self.events().into_iter().filter_map(loss).collect()
    }
}

#[test]
fn a_datagram_arrives_when_it_is_due_and_not_before() {
    let mut bench = Bench::new("", "");
    assert_eq!(bench.network.poll_timeout(), None);
    bench.send(A, Flags::SYN, 0);
    bench.at(3).send(B, Flags::ACK, 5);
    assert_eq!(bench.network.poll_timeout(), Some(Instant::ZERO + Duration::from_millis(10)));
    bench.at(9);
    assert_eq!(bench.network.poll_delivery(bench.now, &NoConnections), None);
    let deliveries = bench.deliveries();
    let [(10, first), (13, second)] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!((first.flight.to, first.flight.opens, first.octets.len()), (B, true, 40));
    assert_eq!((second.flight.to, second.flight.opens, second.octets.len()), (A, false, 45));
    assert_eq!(bench.events(), []);
}

#[test]
fn datagrams_that_arrive_at_once_come_in_the_order_in_which_they_were_sent() {
    let mut bench = Bench::new("", "{delay: {payload: 1 B}, by: 5ms}");
    for (millis, host, payload) in [(0, A, 1), (5, B, 0), (5, A, 0), (5, A, 2)] {
        bench.at(millis).send(host, Flags::ACK, payload);
    }
    assert_eq!(bench.arrivals(), [(15, B, 1), (15, A, 2), (15, B, 3), (15, B, 4)]);
}

#[test]
fn a_partition_loses_what_is_under_way_and_what_is_sent_until_every_cut_is_over() {
    let mut bench = Bench::new("", "{reorder: {payload: 1 B}, behind: 1}");
    bench.send(A, Flags::ACK, 0);
    bench.send(A, Flags::ACK, 1);
    bench.send(B, Flags::ACK, 0);
    let one_way = NetworkFault::Partition(Cut::OneWay { from: A.into(), to: B.into() });
    let isolation = NetworkFault::Partition(Cut::Isolate(A.into()));
    bench.at(5).apply(1, Phase::Begin, one_way.clone());
    let gone = LossReason::Partition;
    assert_eq!(bench.losses(), [(2, gone), (1, gone)], "the one that is held first");
    bench.apply(2, Phase::Begin, isolation.clone());
    assert_eq!(bench.losses(), [(3, gone)]);
    bench.apply(1, Phase::End, one_way);
    bench.send(A, Flags::ACK, 0);
    assert_eq!(bench.losses(), [(4, gone)]);
    bench.apply(2, Phase::End, isolation);
    bench.send(A, Flags::ACK, 0);
    assert_eq!(bench.arrivals(), [(15, B, 5)]);
}

#[test]
fn a_host_that_is_down_or_without_a_cable_gets_nothing() {
    let mut bench = Bench::new("", "");
    let pull = NetworkFault::CablePull(B);
    bench.send(A, Flags::ACK, 0);
    assert_eq!(bench.at(1).apply(1, Phase::Begin, pull.clone()), Some(Applied::default()));
    bench.send(B, Flags::ACK, 0);
    assert_eq!(bench.losses(), [(2, LossReason::CablePulled)], "it does not leave");
    assert_eq!(bench.arrivals(), []);
    assert_eq!(bench.losses(), [(1, LossReason::CablePulled)]);
    bench.apply(1, Phase::End, pull);
    bench.network.set_up(bench.now, B, false);
    bench.send(A, Flags::ACK, 0);
    assert_eq!(bench.arrivals(), []);
    assert_eq!(bench.losses(), [(3, LossReason::HostDown)]);
    bench.network.set_up(bench.now, B, true);
    bench.send(A, Flags::ACK, 0);
    assert_eq!(bench.arrivals(), [(30, B, 4)]);
}

#[test]
fn rules_delay_duplicate_and_reorder() {
    let cases = [
        ("delay: {payload: 1 B}, by: 2ms", vec![(10, B, 1), (10, B, 3), (12, B, 2)]),
        (
            "duplicate: {payload: 1 B}, copies: 2, spacing: 1ms",
            vec![(10, B, 1), (10, B, 2), (10, B, 3), (11, B, 2), (12, B, 2)],
        ),
        ("reorder: {payload: 1 B}, behind: 1", vec![(10, B, 1), (10, B, 3), (10, B, 2)]),
    ];
    for (rule, expected) in cases {
        let mut bench = Bench::new("", &format!("{{{rule}}}"));
        for payload in [0, 1, 2] {
            bench.send(A, Flags::ACK, payload);
        }
        let events = bench.events();
        let [
            EventKind::FaultApplied {
                fault: FaultId(0), host: Some(A), segment: Some((taken, None)), ..
            },
        ] = events.as_slice()
        else {
            panic!("{rule}: {events:?}")
        };
        assert_eq!(taken.0.get(), 2, "{rule}");
        assert_eq!(bench.arrivals(), expected, "{rule}");
    }
}

#[test]
fn a_router_answers_what_it_cannot_deliver_unless_icmp_is_filtered() {
    let cases = [
        (", mtu: 600 B", "", Some(Unreachable::FragmentationNeeded { mtu: 600 }), LossReason::TooLarge),
        ("", "{unreachable: {to: b}, code: port}", Some(Unreachable::Port), LossReason::Fault(FaultId(0))),
        (", mtu: 600 B, icmp: off", "", None, LossReason::TooLarge),
    ];
    for (network, faults, message, reason) in cases {
        let mut bench = Bench::new(network, faults);
        bench.send(A, Flags::ACK, 561);
        assert_eq!(bench.losses(), [(1, reason)]);
        let deliveries = bench.deliveries();
        let back =
            deliveries.iter().map(|(time, delivery)| (*time, delivery.flight.to, delivery.flight.message));
        assert_eq!(
            back.collect::<Vec<_>>(),
            message.map(|_| (10, A, message)).into_iter().collect::<Vec<_>>()
        );
        assert_eq!(bench.events(), []);
    }
}

#[test]
fn the_reset_of_a_middlebox_is_an_event_and_a_delivery() {
    let mut bench = Bench::new(", middleboxes: {nat: {strays: reset}}", "");
    bench.send(A, Flags::ACK, 7);
    let deliveries = bench.deliveries();
    // Half way there and half way back.
    let [(10, delivery)] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    let events = bench.events();
    let [EventKind::SegmentLost(loss), EventKind::ResetSent(reset)] = events.as_slice() else {
        panic!("{events:?}")
    };
    let why = MiddleboxLoss::NoState;
    assert_eq!(loss.reason, LossReason::Middlebox { middlebox: MiddleboxId(0), why });
    assert_eq!((reset.segment.0.get(), reset.from, reset.to), (2, B, A));
    assert_eq!((delivery.flight.segment, delivery.flight.to), (reset.segment, A));
    let (source, destination, header) = read_segment(&delivery.octets).expect("a segment");
    assert_eq!((source, destination), (reset.source, reset.destination));
    assert_eq!((&header, header.flags, header.seq), (&reset.header, Flags::RST, Seq(200)));
}

#[test]
fn a_middlebox_wakes_the_network_only_if_it_sends_something() {
    for (on_expiry, resets) in [("silent", 0), ("reset-both", 1)] {
        let mut bench =
            Bench::new(&format!(", middleboxes: {{nat: {{idle: 1s, on-expiry: {on_expiry}}}}}"), "");
        bench.send(A, Flags::SYN, 0);
        let arrivals = bench.arrivals();
        // B has sent nothing, so the middlebox has no RST for it.
        let expected = [(10, B, 1), (1010, A, 2)];
        assert_eq!(arrivals, expected[..=resets], "{on_expiry}");
        let later = bench.now + Duration::from_secs(1);
        bench.network.handle_timeout(later, &NoConnections);
        let expired = |kind: &EventKind| matches!(kind, EventKind::MiddleboxChanged { changed, .. } if changed.change == MiddleboxChange::Expired { idle: Duration::from_secs(1) });
        assert!(bench.events().iter().any(expired), "{on_expiry}");
    }
}

#[test]
fn more_than_may_be_under_way_overflow_it() {
    let mut bench = Bench::new("", "");
    for _ in 0..MAX_UNDER_WAY {
        bench.send(A, Flags::ACK, 0);
    }
    assert!(!bench.network.is_overflowed());
    bench.send(A, Flags::ACK, 0);
    assert!(bench.network.is_overflowed());
}

const LAN: &str = ", neighbours: on";

#[test]
fn the_first_datagram_waits_until_its_neighbour_has_answered() {
    let mut bench = Bench::new(LAN, "");
    let first = bench.send(A, Flags::SYN, 0);
    assert_eq!(bench.arrivals(), [(30, B, first)], "a round trip for the question, and its own way");
    let answer = bench.send(B, Flags::SYN | Flags::ACK, 0);
    assert_eq!(bench.arrivals(), [(40, A, answer)], "whoever was asked knows who asked");
    let next = bench.send(A, Flags::ACK, 10);
    assert_eq!(bench.arrivals(), [(50, B, next)]);
}

#[test]
fn a_neighbour_that_does_not_answer_is_given_up_after_three_seconds() {
    let mut bench = Bench::new(LAN, "");
    bench.network.set_up(bench.now, B, false);
    let first = bench.send(A, Flags::SYN, 0);
    let second = bench.at(900).send(A, Flags::SYN, 0);
    let deliveries = bench.deliveries();
    let told: Vec<_> = deliveries
        .iter()
        .map(|(time, delivery)| (*time, delivery.flight.to, delivery.flight.message))
        .collect();
    assert_eq!(told, [(3000, A, Some(Unreachable::Host)); 2], "by its own kernel");
    assert_eq!(bench.losses(), [first, second].map(|segment| (segment, LossReason::NeighbourUnresolved)));
    // Then all begins again.
    bench.network.set_up(bench.now, B, true);
    let third = bench.at(5000).send(A, Flags::SYN, 0);
    assert_eq!(bench.arrivals(), [(5030, B, third)]);
}

/// Linux 6.18: ARP requests come 5 s after the first segment to a neighbour that has been silent for long, and go on for 3 s.
#[test]
fn a_neighbour_that_is_gone_is_noticed_eight_seconds_after_the_first_datagram() {
    let mut bench = Bench::new(LAN, "");
    bench.send(A, Flags::SYN, 0);
    bench.arrivals();
    bench.network.set_up(bench.now, B, false);
    for (millis, reason) in [
        (20_000, LossReason::HostDown),
        (40_000, LossReason::HostDown),
        (47_900, LossReason::HostDown),
        (48_100, LossReason::NeighbourUnresolved),
    ] {
        bench.at(millis);
        bench.network.handle_timeout(bench.now, &NoConnections);
        let segment = bench.send(A, Flags::ACK, 10);
        bench.arrivals();
        assert_eq!(bench.losses(), [(segment, reason)], "{millis}");
    }
}

#[test]
fn who_is_paused_or_cut_off_does_not_answer() {
    for silence in ["paused", "cable", "partition"] {
        let mut bench = Bench::new(LAN, "");
        match silence {
            "paused" => bench.network.set_paused(B, true),
            "cable" => drop(bench.apply(0, Phase::Begin, NetworkFault::CablePull(B))),
            _ => {
                let cut =
                    Cut::OneWay { from: halfopen_scenario::HostId(1), to: halfopen_scenario::HostId(0) };
                bench.apply(0, Phase::Begin, NetworkFault::Partition(cut));
            }
        }
        bench.send(A, Flags::SYN, 0);
        assert_eq!(bench.deliveries().len(), 1, "{silence}: the kernel's own word");
    }
}
