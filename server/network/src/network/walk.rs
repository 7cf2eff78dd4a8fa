//! The way of a datagram through the middleboxes between two hosts.
//!
//! They stand evenly spread over the latency of a link: a single one half way, two at a third and at two thirds. The delays of
//! faults, bandwidth and jitter lie before the first.

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_scenario::TrackedState;
use halfopen_tcp::{Header, Instant, encode_segment, read_segment};
use halfopen_trace::{HostId, LossReason, MiddleboxChange, MiddleboxChanged, MiddleboxId};

use super::Network;
use crate::connections::Connections;
use crate::event::{EventKind, ResetSent};
use crate::flight::{Flight, Packet};
use crate::middlebox::{Expired, Sockets, Verdict};

impl Network {
    /// Middleboxes forget the connections that have expired by now, each at its time, and send RSTs if they do. Datagrams stop
    /// waiting for neighbours that have answered, or have not.
    pub fn handle_timeout(&mut self, now: Instant, connections: &dyn Connections) {
        self.resolve_waiting(now, connections);
        while let Some((which, expired)) = self.middleboxes.handle_expiry(now) {
            let Expired { time, idle, sockets, known_as, state, resets } = expired;
            let change = MiddleboxChange::Expired { idle };
            self.note_gone(time, connections, which, change, (sockets, state));
            let [to_low, to_high] = resets;
            let hosts = self.owners(sockets).map(|socket| self.addresses.route(socket.ip()));
            let [Some(low_host), Some(high_host)] = hosts else { continue };
            if let Some(reset) = to_low {
                let sockets = [known_as[1], sockets[0]];
                self.send_reset(time, connections, which, (high_host, low_host), sockets, reset);
            }
            if let Some(reset) = to_high {
                let sockets = [known_as[0], sockets[1]];
                self.send_reset(time, connections, which, (low_host, high_host), sockets, reset);
            }
        }
    }

    /// Datagrams meet the middleboxes they have come to by now.
    pub(super) fn meet_middleboxes(&mut self, now: Instant, connections: &dyn Connections) {
        while let Some(entry) = self.meeting.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, id), packet) = entry.remove_entry();
            self.meet(now, connections, id, packet);
        }
    }

    fn meet(&mut self, now: Instant, connections: &dyn Connections, id: u64, mut packet: Packet) {
        let flight = packet.flight;
        let which = self.middleboxes.on_way(flight.from, flight.to)[packet.place];
        let judged = self.middleboxes.judge(now, which, &flight, &mut packet.octets, &mut self.events);
        if let Some(gone) = judged.forgotten {
            self.note_gone(now, connections, which, MiddleboxChange::Forgotten, gone);
        }
        let (why, reset) = match judged.verdict {
            Verdict::Pass | Verdict::Untranslated => {
                if let (Some(socket), Ok((source, ..))) = (judged.destination, read_segment(&packet.octets)) {
                    let owner = self.middleboxes.owner(socket, source);
                    packet.flight.to = self.addresses.route(owner.ip()).unwrap_or(flight.to);
                }
                packet.place = self.place_behind(which, packet.flight);
                self.go_on(id, packet);
                return;
            }
            Verdict::Lose(why) => (why, None),
            Verdict::Reset(why, reset) => (why, Some(reset)),
        };
        self.octets -= packet.octets.len() as u64;
        self.events.lose(now, flight, LossReason::Middlebox { middlebox: which, why });
        if let (Some(reset), Ok((source, destination, _))) = (reset, read_segment(&packet.octets)) {
            let back = (flight.to, flight.from);
            self.send_reset(now, connections, which, back, [destination, source], reset);
        }
    }

    /// A datagram goes on to the next middlebox on its way, or else to its host. No middlebox stops what routers send.
    pub(super) fn go_on(&mut self, id: u64, packet: Packet) {
        let Flight { from, to, message, .. } = packet.flight;
        let boxes = self.middleboxes.on_way(from, to).len();
        if message.is_some() || packet.place >= boxes {
            self.arriving.insert((packet.due, id), packet);
            return;
        }
        let rest = self.stretches(from, to, boxes - packet.place);
        let rest = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        let time = Instant::from_nanos(packet.due.as_nanos().saturating_sub(rest));
        self.meeting.insert((time, id), packet);
    }

    /// How long a datagram takes for a number of stretches of a way. Middleboxes divide it into equal ones.
    fn stretches(&self, from: HostId, to: HostId, count: usize) -> Duration {
        let all = self.middleboxes.on_way(from, to).len() + 1;
        let [count, all] = [count, all].map(|stretches| u32::try_from(stretches).unwrap_or(u32::MAX));
        self.paths.latency(from, to) * count / all
    }

    /// How many middleboxes a datagram has met on its way when it has met this one.
    fn place_behind(&self, middlebox: MiddleboxId, Flight { from, to, .. }: Flight) -> usize {
        let way = self.middleboxes.on_way(from, to);
        way.iter().position(|other| *other == middlebox).map_or(way.len(), |at| at + 1)
    }

    /// The two sockets of a connection, each as its own host knows it.
    fn owners(&self, [one, other]: Sockets) -> Sockets {
        [self.middleboxes.owner(one, other), self.middleboxes.owner(other, one)]
    }

    /// A middlebox has forgotten a connection, without a segment.
    pub(super) fn note_gone(
        &mut self,
        time: Instant,
        connections: &dyn Connections,
        middlebox: MiddleboxId,
        change: MiddleboxChange,
        (sockets, state): (Sockets, TrackedState),
    ) {
        let connection = connections.newest_between(self.owners(sockets));
        let changed = MiddleboxChanged { middlebox, change, before: Some(state), after: None, segment: None };
        self.events.push(time, EventKind::MiddleboxChanged { connection, changed });
    }

    /// A middlebox sends a RST to a host, in the name of another. It goes the rest of the other's way to the host.
    fn send_reset(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        middlebox: MiddleboxId,
        (from, to): (HostId, HostId),
        [source, destination]: [SocketAddr; 2],
        header: Header,
    ) {
        let datagram = encode_segment(source, destination, &header, &[]);
        let segment = self.next_segment();
        let connection = connections.newest_between(self.owners([source, destination]));
        let octets = datagram.clone();
        let sent = ResetSent { middlebox, segment, from, to, source, destination, header, datagram };
        self.events.push(now, EventKind::ResetSent(Box::new(sent)));
        let flight = Flight { segment, connection, from, to, opens: false, copy: false, message: None };
        if !self.paths.is_open(from, to) {
            self.events.lose(now, flight, LossReason::Partition);
            return;
        }
        let place = self.place_behind(middlebox, flight);
        let due = now + self.stretches(from, to, self.middleboxes.on_way(from, to).len() + 1 - place);
        let (id, packet) = self.count(Packet { flight, octets, place, due });
        self.go_on(id, packet);
    }
}
