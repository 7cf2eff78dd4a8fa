//! Segments under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use halfopen_scenario::{BlackHole, Scenario, SegmentAction, Unreachable};
use halfopen_tcp::{Flags, Instant, Seq, Transmit};

use crate::connections::EndId;
use crate::faults::{Applied, Moment, Rules, Seen};
use crate::middlebox::{Coming, Middleboxes};
use crate::octets;
use crate::path::Paths;
use crate::shared::Run;
use halfopen_trace::{
    ConnectionNumber, EventKind, FaultId, HostId, LossReason, Phase, SegmentNumber, SegmentSent,
};

/// Datagrams that may be under way at once: a link of turmoil looks at each whenever another is sent.
pub(crate) const MOST_UNDER_WAY: usize = 1 << 14;

/// A datagram under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) segment: SegmentNumber,
    pub(crate) connection: Option<ConnectionNumber>,
    pub(crate) from: HostId,
    pub(crate) to: HostId,
    /// Whether it asks for a connection: SYN without ACK.
    pub(crate) opens: bool,
    /// Whether a fault made it from another.
    copy: bool,
    /// Whether it is not the segment, but what a router says about it.
    pub(crate) message: Option<Unreachable>,
    /// Whether the network keeps its octets, and not the world.
    pub(crate) kept: bool,
}

impl Flight {
    /// A segment that a middlebox sends.
    pub(crate) const fn of_middlebox(
        segment: SegmentNumber,
        connection: Option<ConnectionNumber>,
        from: HostId,
        to: HostId,
    ) -> Flight {
        Flight { segment, connection, from, to, opens: false, copy: false, message: None, kept: true }
    }
}

/// What faults make of a segment that they do not lose.
#[derive(Debug, Default)]
struct Way {
    /// It arrives so much later.
    late: Duration,
    /// So many more of it arrive: each so long after the one before, the first after the segment itself.
    copies: Vec<(u32, Duration)>,
    /// How many must overtake it first.
    behind: u32,
}

impl Way {
    /// How long after the segment itself each of its copies arrives.
    fn copies(&self) -> impl Iterator<Item = Duration> {
        self.copies.iter().flat_map(|(copies, spacing)| (1..=*copies).map(|nth| *spacing * nth))
    }
}

/// A datagram that waits to be overtaken.
#[derive(Clone, Copy, Debug)]
struct Held {
    id: u64,
    flight: Flight,
    /// How many have still to overtake it.
    behind: u32,
    /// It does not arrive before.
    due: Instant,
}

/// The ways between hosts and what is under way on them.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) paths: Paths,
    rules: Rules,
    /// Whether anybody hears what routers say.
    icmp: bool,
    /// By arrival, then by id: what arrives in one instant does so in the order in which it was sent.
    under_way: BTreeMap<(Instant, u64), Flight>,
    held: Vec<Held>,
    pub(crate) middleboxes: Middleboxes,
    /// What the world does not carry, by id: what routers say, and what meets middleboxes.
    kept: BTreeMap<u64, Vec<u8>>,
    /// By host: how many faults have its cable out.
    cables_out: Vec<u32>,
    /// The black holes there are, by the positions of their faults.
    black_holes: BTreeMap<usize, BlackHole>,
    /// What the world delivers although it is lost.
    discarded: BTreeSet<u64>,
    /// More would have been under way than may be.
    pub(crate) overflowed: bool,
    sent: u64,
    /// What arrives in this step and no host has taken yet, in its order.
    arriving: VecDeque<(u64, Flight)>,
}

impl Network {
    /// The network of a scenario.
    pub(crate) fn new(scenario: &Scenario, seed: u64) -> Network {
        Network {
            paths: Paths::new(&scenario.network, scenario.hosts.len(), seed),
            rules: Rules::new(&scenario.faults, seed),
            icmp: scenario.network.icmp,
            under_way: BTreeMap::new(),
            held: Vec::new(),
            middleboxes: Middleboxes::new(scenario),
            kept: BTreeMap::new(),
            cables_out: vec![0; scenario.hosts.len()],
            black_holes: BTreeMap::new(),
            discarded: BTreeSet::new(),
            overflowed: false,
            sent: 0,
            arriving: VecDeque::new(),
        }
    }

    /// When the next datagram arrives, or something happens at a middlebox.
    pub(crate) fn next(&self) -> Option<Instant> {
        let arrival = self.under_way.first_key_value().map(|((time, _), _)| *time);
        arrival.into_iter().chain(self.middleboxes.next()).min()
    }

    /// Takes the next datagram that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(u64, Flight)> {
        let entry = self.under_way.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, id), flight) = entry.remove_entry();
        self.overtake(now, id, flight);
        Some((id, flight))
    }

    /// A datagram arrives: those that it is the last to overtake arrive right after it.
    fn overtake(&mut self, now: Instant, id: u64, flight: Flight) {
        let mut index = 0;
        while let Some(held) = self.held.get_mut(index) {
            let overtaken = !flight.copy
                && flight.message.is_none()
                && id > held.id
                && (held.flight.from, held.flight.to) == (flight.from, flight.to);
            held.behind -= u32::from(overtaken);
            if held.behind == 0 {
                let Held { id, flight, due, .. } = self.held.remove(index);
                self.go_on(id, Coming::new(flight, now.max(due)));
            } else {
                index += 1;
            }
        }
    }

    /// Puts what a host got in one step into the order in which it arrived.
    pub(crate) fn in_order<T>(&self, arrived: &mut [(u64, T)]) {
        arrived.sort_unstable_by_key(|(id, _)| *id);
        if !self.arriving.iter().is_sorted_by_key(|(id, _)| *id) {
            let places: BTreeMap<u64, usize> =
                (0..).zip(&self.arriving).map(|(place, (id, _))| (*id, place)).collect();
            arrived.sort_by_key(|(id, _)| places.get(id).copied());
        }
    }

    /// The datagram arrives in this step.
    pub(crate) fn arrive(&mut self, id: u64, flight: Flight) {
        self.arriving.push_back((id, flight));
    }

    /// Takes the octets of a datagram that the world does not carry.
    pub(crate) fn take_octets(&mut self, id: u64) -> Vec<u8> {
        self.kept.remove(&id).unwrap_or_default()
    }

    /// Keeps them.
    pub(crate) fn keep_octets(&mut self, id: u64, octets: Vec<u8>) {
        self.kept.insert(id, octets);
    }

    /// Takes what the world does not carry and arrives at this host in this step.
    pub(crate) fn take_kept(&mut self, host: HostId) -> Vec<(u64, Vec<u8>)> {
        let Network { arriving, kept, .. } = self;
        if kept.is_empty() {
            return Vec::new();
        }
        let here = arriving.iter().filter(|(_, flight)| flight.to == host && flight.kept);
        here.filter_map(|(id, _)| Some((*id, kept.remove(id)?))).collect()
    }

    /// The datagram is lost where it arrives: the world delivers it, and its host is to pass over it.
    pub(crate) fn discard(&mut self, id: u64) {
        self.discarded.insert(id);
    }

    /// Whether what the world has delivered is lost.
    pub(crate) fn is_discarded(&mut self, id: u64) -> bool {
        self.discarded.remove(&id)
    }

    /// A host's cable is pulled out, once more if it is out already.
    pub(crate) fn pull_cable(&mut self, host: HostId) {
        self.cables_out[host.index()] += 1;
    }

    /// One that pulled the cable puts it back.
    pub(crate) fn plug_cable(&mut self, host: HostId) {
        self.cables_out[host.index()] -= 1;
    }

    /// Whether the host's cable is out.
    pub(crate) fn is_cable_out(&self, host: HostId) -> bool {
        self.cables_out[host.index()] > 0
    }

    /// A fault opens a black hole.
    pub(crate) fn open_black_hole(&mut self, fault: usize, hole: BlackHole) {
        self.black_holes.insert(fault, hole);
    }

    /// It is closed again.
    pub(crate) fn close_black_hole(&mut self, fault: usize) {
        self.black_holes.remove(&fault);
    }

    /// What a datagram of so many octets that sets out now does not pass, besides the link.
    fn obstacle(&self, from: HostId, to: HostId, octets: usize) -> Option<LossReason> {
        let [source, destination] = [from, to].map(|host| halfopen_scenario::HostId(host.index()));
        let mut holes = self.black_holes.values();
        if self.is_cable_out(from) {
            Some(LossReason::CablePulled)
        } else if holes.any(|hole| hole.takes(source, destination, octets as u64)) {
            Some(LossReason::BlackHole)
        } else {
            None
        }
    }

    /// A host takes a datagram that arrives in this step.
    pub(crate) fn claim(&mut self, id: u64) -> Flight {
        let index = self.arriving.iter().position(|(arriving, _)| *arriving == id);
        let (_, flight) = index
            .and_then(|index| self.arriving.remove(index))
            .expect("the world delivers what is due and nothing else");
        flight
    }

    /// How many datagrams arrive in this step that no host has taken.
    pub(crate) fn unclaimed(&self) -> usize {
        self.arriving.len()
    }

    /// Takes everything that is under way from one host to another.
    pub(crate) fn take_under_way(&mut self, from: HostId, to: HostId) -> Vec<Flight> {
        let gone = |flight: &Flight| flight.from == from && flight.to == to;
        let held = self.held.iter().map(|held| (held.id, held.flight));
        let under_way = self.under_way.iter().map(|((_, id), flight)| (*id, *flight));
        let mut taken: Vec<(u64, Flight)> =
            held.chain(under_way).filter(|(_, flight)| gone(flight)).collect();
        taken.extend(self.middleboxes.take_coming(from, to));
        self.under_way.retain(|_, flight| !gone(flight));
        self.held.retain(|held| !gone(&held.flight));
        for (id, _) in &taken {
            self.kept.remove(id);
        }
        taken.into_iter().map(|(_, flight)| flight).collect()
    }

    /// A datagram is under way until `due`, and until so many others have arrived.
    fn launch(&mut self, due: Instant, flight: Flight, behind: u32) -> u64 {
        self.sent += 1;
        let id = self.sent;
        if behind > 0 {
            self.held.push(Held { id, flight, behind, due });
        } else {
            self.go_on(id, Coming::new(flight, due));
        }
        id
    }

    /// A datagram goes on to the next middlebox of its way, or else to its host. Nobody stops what routers say.
    pub(crate) fn go_on(&mut self, id: u64, coming: Coming) {
        let Flight { from, to, kept, message, .. } = coming.flight;
        if kept && message.is_none() && coming.place < self.middleboxes.on_way(from, to).len() {
            self.middleboxes.await_datagram(id, coming, self.paths.latency(from, to));
        } else {
            self.under_way.insert((coming.due, id), coming.flight);
        }
    }

    /// What a middlebox sends sets out from there.
    pub(crate) fn launch_kept(&mut self, datagram: Vec<u8>, coming: Coming) {
        self.sent += 1;
        self.kept.insert(self.sent, datagram);
        self.go_on(self.sent, coming);
    }

    /// How many datagrams are under way.
    fn traffic(&self) -> usize {
        self.under_way.len() + self.held.len() + self.middleboxes.len()
    }
}

impl Run {
    /// A host sends a segment in this IP datagram, whose octets may change on the way. Returns to whom the world shall
    /// carry it and the ids of the datagrams that it becomes; none if it is lost already.
    pub(crate) fn send(
        &mut self,
        scenario: &Scenario,
        now: Instant,
        from: HostId,
        end: Option<EndId>,
        transmit: &Transmit,
        datagram: &mut [u8],
    ) -> Option<(HostId, Range<u64>)> {
        let segment = self.recorder.next_segment();
        let target = self.network.middleboxes.real_address(scenario, transmit.destination);
        let destination = scenario.host_of(target.ip());
        let seen = self.record_sent(now, from, end, transmit, (segment, destination, target), datagram);
        let connection = seen.connection;

        // A host is not on a network with itself.
        let Some(to) = destination.map(HostId::from).filter(|to| *to != from) else {
            self.recorder.totals.segments_lost += 1;
            let lost = EventKind::SegmentLost { segment, reason: LossReason::NoRoute };
            self.recorder.push(now, None, connection, lost);
            return None;
        };
        let opens = transmit.header.flags == Flags::SYN;
        let kept = !self.network.middleboxes.on_way(from, to).is_empty();
        let mut flight = Flight { segment, connection, from, to, opens, copy: false, message: None, kept };
        let way = self.meet_faults(now, &seen, flight, datagram)?;
        if let Some(reason) = self.network.obstacle(from, to, datagram.len()) {
            self.lose_flight(now, flight, reason);
            return None;
        }
        let due = match self.network.paths.carry(now, from, to, datagram.len()) {
            Ok(arrival) => arrival + way.late,
            Err(reason) => {
                self.lose_flight(now, flight, reason);
                if reason == LossReason::TooLarge {
                    let mtu = self.network.paths.mtu(from, to);
                    self.tell_sender(now, flight, datagram, Unreachable::FragmentationNeeded { mtu });
                }
                return None;
            }
        };
        let copies = way.copies().count();
        if self.network.traffic() + copies >= MOST_UNDER_WAY {
            // The run ends with this step.
            self.network.overflowed = true;
            return None;
        }
        let first = self.network.launch(due, flight, way.behind);
        flight.copy = true;
        for later in way.copies() {
            self.network.launch(due + later, flight, 0);
        }
        let ids = first..first + 1 + copies as u64;
        if kept {
            self.network.kept.extend(ids.map(|id| (id, datagram.to_vec())));
            return None;
        }
        Some((to, ids))
    }

    /// What the scenario's faults make of a segment; `None` if they lose it. They meet it in their order.
    fn meet_faults(&mut self, now: Instant, seen: &Seen, flight: Flight, datagram: &mut [u8]) -> Option<Way> {
        let of_segment = Some((flight.segment, flight.connection));
        let mut way = Way::default();
        let mut place = 0;
        loop {
            let moment = Moment { now, connections: &self.connections };
            let applied = self.network.rules.next(place, seen, datagram, moment);
            let Some(Applied { next, fault, action }) = applied else { return Some(way) };
            place = next;
            let mut lost = false;
            match action {
                SegmentAction::Drop | SegmentAction::Unreachable(_) => lost = true,
                SegmentAction::Delay { by } => way.late += by,
                SegmentAction::Duplicate { copies, spacing } => way.copies.push((copies, spacing)),
                SegmentAction::Reorder { behind } => way.behind = way.behind.saturating_add(behind),
                // The rule has changed the octets.
                SegmentAction::Corrupt { .. } | SegmentAction::Rewrite(_) => {}
            }
            self.apply_fault(now, (fault, Phase::Begin), Some(flight.from), of_segment);
            if lost {
                self.lose_flight(now, flight, LossReason::Fault(FaultId(fault as u32)));
                if let SegmentAction::Unreachable(code) = action {
                    self.tell_sender(now, flight, datagram, code);
                }
                return None;
            }
        }
    }

    /// A router says by ICMP that it lost a segment, unless that is filtered or lost itself on the way back.
    fn tell_sender(&mut self, now: Instant, lost: Flight, datagram: &[u8], code: Unreachable) {
        let back =
            Flight { from: lost.to, to: lost.from, opens: false, message: Some(code), kept: true, ..lost };
        if !self.network.icmp {
            return;
        }
        let message = octets::unreachable(datagram, code);
        if let Ok(due) = self.network.paths.carry(now, back.from, back.to, message.len()) {
            let id = self.network.launch(due, back, 0);
            self.network.kept.insert(id, message);
        }
    }

    fn record_sent(
        &mut self,
        now: Instant,
        from: HostId,
        end: Option<EndId>,
        transmit: &Transmit,
        (segment, destination, target): (SegmentNumber, Option<halfopen_scenario::HostId>, SocketAddr),
        datagram: &[u8],
    ) -> Seen {
        let (connection, relative) = match end {
            Some(end) => (Some(end.number), self.connections.sends(end, &transmit.header)),
            None => {
                let answer = self.connections.answers(transmit.source, target, &transmit.header);
                answer.map_or_else(Default::default, |(number, relative)| (Some(number), relative))
            }
        };
        self.recorder.totals.retransmissions += u64::from(relative.retransmission);
        let sent = SegmentSent {
            segment,
            to: destination.map(HostId::from),
            source: transmit.source,
            destination: transmit.destination,
            header: transmit.header.clone(),
            relative_seq: relative.seq,
            relative_ack: relative.ack,
            peer_iss: relative.peer_iss,
            window: relative.window,
            size: u32::try_from(datagram.len()).unwrap_or(u32::MAX),
            purpose: transmit.purpose,
            retransmission: relative.retransmission,
            sender_state: relative.states[0],
            receiver_state: relative.states[1],
            injected: false,
            middlebox: None,
            datagram: self.snapshots.sent(datagram),
        };
        let seen = Seen {
            facts: sent.facts(from),
            connection,
            initial: [Seq(sent.header.seq.0.wrapping_sub(relative.seq)), Seq(relative.peer_iss)],
            window_shift: relative.window_shift,
        };
        self.recorder.push(now, Some(from), connection, EventKind::SegmentSent(Box::new(sent)));
        seen
    }

    /// What was under way is gone. What a router said goes without a word: its segment was lost before.
    pub(crate) fn lose_flight(&mut self, now: Instant, flight: Flight, reason: LossReason) {
        if flight.message.is_some() {
            return;
        }
        // The totals count segments, and a copy is not one.
        self.recorder.totals.segments_lost += u64::from(!flight.copy);
        let lost = EventKind::SegmentLost { segment: flight.segment, reason };
        self.recorder.push(now, Some(flight.to), flight.connection, lost);
    }
}
