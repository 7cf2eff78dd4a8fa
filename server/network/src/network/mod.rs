//! The network itself: what is under way, and what becomes of it.

mod commands;
mod lan;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use etherparse::IpSlice;
use halfopen_scenario::{BlackHole, Fault, Scenario, Unreachable};
use halfopen_tcp::Instant;
use halfopen_trace::{FaultId, HostId, LossReason, SegmentNumber};

pub use self::commands::{Applied, Command, NetworkFault};
use crate::addresses::Addresses;
use crate::connections::Connections;
use crate::event::{Event, EventKind, Events};
use crate::flight::{Delivery, Flight, Loss, Outgoing, Packet};
use crate::icmp;
use crate::middlebox::Middleboxes;
use crate::neighbours::Neighbours;
use crate::path::Paths;
use crate::rules::{Dropped, Rules};

/// The most datagrams of hosts that may be under way at once, so that a run has bounded memory.
pub const MAX_UNDER_WAY: usize = 1 << 14;

/// Octets of memory that a datagram under way is counted with besides its own.
const DATAGRAM: u64 = 160;

/// Everything between the hosts of a scenario, and every datagram that is under way.
///
/// It is driven like quinn-proto's endpoints: `handle_*` takes what comes in, `poll_*` gives out what follows, and `now`, which
/// never goes back, is an argument. At each instant, in this order:
///
/// 1. [`handle_timeout`](Network::handle_timeout): middleboxes forget connections that have expired.
/// 2. [`apply`](Network::apply) and [`set_up`](Network::set_up), for the faults of this instant.
/// 3. [`poll_delivery`](Network::poll_delivery) until it returns `None`. Deliveries come in the order in which they arrive.
/// 4. [`handle_datagram`](Network::handle_datagram) for each segment that a host sends, at once. It arrives at a later
///    instant, or in a later round of the same instant.
/// 5. [`poll_timeout`](Network::poll_timeout): when to begin again, if no host does before.
///
/// [`poll_event`](Network::poll_event) says what happened. Poll it until it returns `None` after each of these calls: an event is
/// about the hosts' connections as they are during the call.
#[derive(Debug)]
pub struct Network {
    scenario: Arc<Scenario>,
    seed: u64,
    addresses: Addresses,
    neighbours: Neighbours,
    paths: Paths,
    rules: Rules,
    middleboxes: Middleboxes,
    /// By host: whether it is down.
    down: Vec<bool>,
    /// By host: whether it is paused.
    paused: Vec<bool>,
    /// By host: the number of faults that have its cable out.
    cables_out: Vec<u32>,
    black_holes: BTreeMap<FaultId, BlackHole>,
    /// Datagrams that meet no more middleboxes: by arrival, then in the order in which they were sent.
    arriving: BTreeMap<(Instant, u64), Packet>,
    /// Datagrams that meet a middlebox next: by that time, then in the order in which they were sent.
    meeting: BTreeMap<(Instant, u64), Packet>,
    held: Vec<Held>,
    /// Datagrams launched so far; the position of each is its id.
    launched: u64,
    segments: u64,
    overflowed: bool,
    /// Octets of the datagrams under way.
    octets: u64,
    events: Events,
}

/// A datagram that waits to be overtaken.
#[derive(Debug)]
struct Held {
    id: u64,
    packet: Packet,
    /// How many have still to overtake it.
    behind: u32,
}

impl Network {
    /// The network of a scenario. Everything random in it follows from the seed.
    pub fn new(scenario: &Arc<Scenario>, seed: u64) -> Network {
        let hosts = scenario.hosts.len();
        Network {
            scenario: Arc::clone(scenario),
            seed,
            addresses: Addresses::new(scenario),
            neighbours: Neighbours::default(),
            paths: Paths::new(&scenario.network, hosts, seed),
            rules: Rules::new(&scenario.faults, seed),
            middleboxes: Middleboxes::new(scenario, seed),
            down: vec![false; hosts],
            paused: vec![false; hosts],
            cables_out: vec![0; hosts],
            black_holes: BTreeMap::new(),
            arriving: BTreeMap::new(),
            meeting: BTreeMap::new(),
            held: Vec::new(),
            launched: 0,
            segments: 0,
            overflowed: false,
            octets: 0,
            events: Events::default(),
        }
    }

    /// Adds a fault to those of the scenario. One on segments acts on what is sent from now on; any other begins and ends by
    /// [`apply`](Network::apply).
    pub fn add_fault(&mut self, id: FaultId, fault: &Fault) {
        self.rules.add(id, fault, self.seed);
    }

    /// A fault on segments acts no more; whether it did. What it has delayed or copied still arrives.
    pub fn lift_fault(&mut self, id: FaultId) -> bool {
        self.rules.remove(id)
    }

    /// The number of the next segment. Every segment gets one as it is sent, also those that no host sends.
    pub fn next_segment(&mut self) -> SegmentNumber {
        self.segments += 1;
        SegmentNumber::new(self.segments).expect("it was just raised above 0")
    }

    /// The number of segments so far.
    pub fn segments(&self) -> u64 {
        self.segments
    }

    /// Where a segment that a host sends from one socket to another goes: the other socket as its owner knows it, and the host, if
    /// one has the address. A segment to the address that a host has beyond a middlebox goes to that host.
    pub fn route(
        &self,
        from: HostId,
        [source, destination]: [SocketAddr; 2],
    ) -> (SocketAddr, Option<HostId>) {
        if self.is_own(from, destination.ip()) {
            return (destination, Some(from));
        }
        let socket = self.middleboxes.owner(destination, source);
        let host = self.next_hop(from, socket.ip());
        (socket, host.or_else(|| self.middleboxes.host_behind(from, socket.ip())))
    }

    /// Whether a host keeps to itself what it sends to this address.
    fn is_own(&self, host: HostId, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.of(host).contains(&address)
    }

    /// The addresses that a host has now, the preferred ones first.
    pub fn addresses_of(&self, host: HostId) -> &[IpAddr] {
        self.addresses.of(host)
    }

    /// Whether the cable of a host is out.
    pub fn is_cable_out(&self, host: HostId) -> bool {
        self.cables_out[host.index()] > 0
    }

    /// Whether a datagram got lost because [`MAX_UNDER_WAY`] were under way. No event says so: a run ends with it.
    pub fn is_overflowed(&self) -> bool {
        self.overflowed
    }

    /// The memory that it takes, octets: the datagrams under way, and the state of neighbours and middleboxes.
    pub fn memory(&self) -> u64 {
        let datagrams = self.under_way() as u64 * DATAGRAM + self.octets;
        datagrams + self.neighbours.memory() + self.middleboxes.memory()
    }

    /// A host goes down or comes up. Datagrams that arrive at a host that is down are lost.
    pub fn set_up(&mut self, now: Instant, host: HostId, up: bool) {
        self.down[host.index()] = !up;
        if !up {
            self.forget_neighbours(now, host);
        }
    }

    /// A host is paused or resumes. While it is paused it answers no neighbour.
    pub fn set_paused(&mut self, host: HostId, paused: bool) {
        self.paused[host.index()] = paused;
    }

    /// A host sends a segment in this IP datagram. Rules may change the octets.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        sent: &Outgoing,
        datagram: Vec<u8>,
    ) {
        let mut sent = *sent;
        if sent.to == Some(sent.from) {
            return self.loop_back(now, &sent, datagram);
        }
        if self.resolve(now, &mut sent, &datagram) {
            self.set_out(now, connections, &sent, datagram);
        }
    }

    /// What a host sends to itself arrives at once: it goes over no link, meets no middlebox, and no fault strikes it there.
    fn loop_back(&mut self, now: Instant, sent: &Outgoing, datagram: Vec<u8>) {
        if !self.has_room_for(1) {
            self.overflowed = true;
            return;
        }
        self.arrive_at_once(now, Flight::of(sent, sent.from), datagram);
    }

    /// A datagram arrives in the next round of this instant.
    fn arrive_at_once(&mut self, now: Instant, flight: Flight, octets: Vec<u8>) {
        let (id, packet) = self.count(Packet { flight, octets, place: 0, due: now });
        self.arriving.insert((now, id), packet);
    }

    /// Whether this many more datagrams may be under way.
    fn has_room_for(&self, datagrams: usize) -> bool {
        self.under_way() + datagrams <= MAX_UNDER_WAY
    }

    fn under_way(&self) -> usize {
        self.arriving.len() + self.meeting.len() + self.held.len()
    }

    /// A datagram leaves its host.
    fn set_out(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        sent: &Outgoing,
        mut datagram: Vec<u8>,
    ) {
        let Some(to) = sent.to else {
            let Outgoing { segment, connection, .. } = *sent;
            let loss = Loss { segment, connection, to: None, copy: false, reason: LossReason::NoRoute };
            self.events.push(now, EventKind::SegmentLost(loss));
            return;
        };
        let flight = Flight::of(sent, to);
        let changes = match self.rules.meet(now, connections, sent, &mut datagram, &mut self.events) {
            Ok(changes) => changes,
            Err(Dropped { fault, answer }) => {
                self.events.lose(now, flight, LossReason::Fault(fault));
                if let Some(code) = answer {
                    self.answer(now, flight, &datagram, code);
                }
                return;
            }
        };
        let arrival = match self.carry(now, flight, datagram.len()) {
            Ok(arrival) => arrival + changes.delay,
            Err(reason) => {
                self.events.lose(now, flight, reason);
                if reason == LossReason::TooLarge {
                    let mtu = self.paths.mtu(flight.from, flight.to);
                    self.answer(now, flight, &datagram, Unreachable::FragmentationNeeded { mtu });
                }
                return;
            }
        };
        if !self.has_room_for(1 + changes.copies().count()) {
            self.overflowed = true;
            return;
        }
        let mut copies = changes.copies().peekable();
        let spare = copies.peek().map(|_| datagram.clone());
        self.launch(arrival, flight, datagram, changes.behind);
        for (later, octets) in copies.zip(spare.into_iter().flat_map(std::iter::repeat)) {
            self.launch(arrival + later, Flight { copy: true, ..flight }, octets, 0);
        }
    }

    /// The next datagram that arrives at a host now.
    pub fn poll_delivery(&mut self, now: Instant, connections: &dyn Connections) -> Option<Delivery> {
        loop {
            self.meet_middleboxes(now, connections);
            let entry = self.arriving.first_entry().filter(|entry| entry.key().0 <= now)?;
            let ((_, id), Packet { flight, octets, .. }) = entry.remove_entry();
            self.octets -= octets.len() as u64;
            self.overtake(now, id, flight);
            if self.down[flight.to.index()] {
                self.events.lose(now, flight, LossReason::HostDown);
            } else if flight.from != flight.to && self.is_cable_out(flight.to) {
                self.events.lose(now, flight, LossReason::CablePulled);
            } else {
                if let Ok(ip) = IpSlice::from_slice(&octets) {
                    self.neighbours.confirm(now, flight.to, ip.source_addr(), flight.from);
                }
                return Some(Delivery { flight, octets });
            }
        }
    }

    /// When a datagram next arrives, meets a middlebox, or stops waiting for its neighbour, or a middlebox next sends RSTs. A connection that expires silently at
    /// a middlebox is no reason to wait for it.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let first = |packets: &BTreeMap<(Instant, u64), Packet>| {
            packets.first_key_value().map(|((time, _), _)| *time)
        };
        let [resets, neighbours] = [self.middleboxes.next_reset(), self.neighbours.next_outcome()];
        let times = [first(&self.arriving), first(&self.meeting), resets, neighbours];
        times.into_iter().flatten().min()
    }

    /// The next thing that happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.poll()
    }

    /// When a datagram that sets out now arrives, or why it does not.
    fn carry(&mut self, now: Instant, flight: Flight, octets: usize) -> Result<Instant, LossReason> {
        let Flight { from, to, .. } = flight;
        if self.is_cable_out(from) {
            return Err(LossReason::CablePulled);
        }
        let mut holes = self.black_holes.values();
        if holes.any(|hole| hole.takes(from.into(), to.into(), octets as u64)) {
            return Err(LossReason::BlackHole);
        }
        self.paths.carry(now, from, to, octets)
    }

    /// A router answers by ICMP a datagram that it cannot deliver, unless ICMP is filtered or the answer is lost.
    fn answer(&mut self, now: Instant, lost: Flight, datagram: &[u8], code: Unreachable) {
        if !self.scenario.network.icmp {
            return;
        }
        let back = lost.answered(code);
        let message = icmp::unreachable(datagram, code);
        if let Ok(arrival) = self.paths.carry(now, back.from, back.to, message.len()) {
            self.launch(arrival, back, message, 0);
        }
    }

    /// Counts a datagram that is under way from now on, and gives it its id.
    fn count(&mut self, packet: Packet) -> (u64, Packet) {
        self.launched += 1;
        self.octets += packet.octets.len() as u64;
        (self.launched, packet)
    }

    /// A datagram sets out. It arrives when it is due and, if it is held, when enough others have overtaken it.
    fn launch(&mut self, due: Instant, flight: Flight, octets: Vec<u8>, behind: u32) {
        let (id, packet) = self.count(Packet { flight, octets, place: 0, due });
        if behind > 0 {
            self.held.push(Held { id, packet, behind });
        } else {
            self.go_on(id, packet);
        }
    }

    /// A datagram arrives: those that it is the last to overtake arrive right after it.
    fn overtake(&mut self, now: Instant, id: u64, flight: Flight) {
        let mut index = 0;
        while let Some(held) = self.held.get_mut(index) {
            let overtaken = !flight.copy
                && flight.message.is_none()
                && id > held.id
                && (held.packet.flight.from, held.packet.flight.to) == (flight.from, flight.to);
            held.behind -= u32::from(overtaken);
            if held.behind == 0 {
                let Held { id, packet, .. } = self.held.remove(index);
                self.go_on(id, Packet { due: now.max(packet.due), ..packet });
            } else {
                index += 1;
            }
        }
    }
}
