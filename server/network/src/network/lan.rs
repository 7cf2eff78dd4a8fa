//! Datagrams between hosts on one LAN, which wait until their sender knows its neighbour.

use std::net::IpAddr;
use std::time::Duration;

use etherparse::IpSlice;
use halfopen_scenario::Unreachable;
use halfopen_tcp::Instant;
use halfopen_trace::{HostId, LossReason};

use super::Network;
use crate::addresses::Addresses;
use crate::connections::Connections;
use crate::event::EventKind;
use crate::flight::{Flight, Loss, Outgoing};
use crate::icmp;
use crate::neighbours::{Lan, Waiting};
use crate::path::Paths;

/// The hosts that may answer.
struct Hosts<'a> {
    addresses: &'a Addresses,
    paths: &'a Paths,
    /// By host: whether it is down, or paused, or its cable is out.
    silent: Vec<bool>,
}

impl Lan for Hosts<'_> {
    fn answer(&self, asking: HostId, address: IpAddr) -> Option<(HostId, Duration)> {
        let host = self.addresses.holder(address).filter(|host| *host != asking)?;
        let both = [(asking, host), (host, asking)];
        let heard =
            both.iter().all(|(from, to)| self.paths.is_open(*from, *to) && !self.silent[from.index()]);
        heard.then(|| (host, both.iter().map(|(from, to)| self.paths.latency(*from, *to)).sum()))
    }
}

impl Network {
    /// Whether a host has to find the host that has an address on its LAN.
    fn are_neighbours(&self, from: HostId, to: Option<HostId>) -> bool {
        let network = &self.scenario.network;
        if to.is_some_and(|to| self.middleboxes.are_routed(from, to)) {
            return false;
        }
        to.map_or(&network.link, |to| network.link(from.into(), to.into())).neighbours
    }

    /// Where a host sends what is for this address: to its neighbour, if it knows one, or else to the host that has it.
    pub(super) fn next_hop(&self, from: HostId, address: IpAddr) -> Option<HostId> {
        let known = self.neighbours.host(from, address).or_else(|| self.addresses.route(address));
        // It may have lost the address, and nobody knows.
        known.filter(|to| *to != from)
    }

    /// Whether the datagram may leave its host: `sent` then names the host it goes to. Otherwise it waits for its neighbour.
    pub(super) fn resolve(&mut self, now: Instant, sent: &mut Outgoing, datagram: &[u8]) -> bool {
        let from = sent.from;
        if !self.are_neighbours(from, sent.to) || self.is_cable_out(from) {
            return true;
        }
        let ip = IpSlice::from_slice(datagram).expect("a host sends IP datagrams");
        let (source, address) = (ip.source_addr(), ip.destination_addr());
        let lan = Hosts { addresses: &self.addresses, paths: &self.paths, silent: self.silent() };
        let host = self.neighbours.send(now, from, [source, address], &lan);
        if host.is_some() {
            sent.to = host;
        } else if let Some(oldest) = self.neighbours.wait(from, address, (*sent, datagram.to_vec())) {
            self.lose_unresolved(now, &oldest);
        }
        host.is_some()
    }

    /// Neighbours have answered by now, or have not.
    pub(super) fn resolve_waiting(&mut self, now: Instant, connections: &dyn Connections) {
        loop {
            let lan = Hosts { addresses: &self.addresses, paths: &self.paths, silent: self.silent() };
            let Some(outcome) = self.neighbours.handle_timeout(now, &lan) else { return };
            for (sent, datagram) in outcome.waiting {
                match outcome.host {
                    Some(host) => {
                        let sent = Outgoing { to: Some(host), ..sent };
                        self.set_out(outcome.time, connections, &sent, datagram);
                    }
                    None => self.report_unresolved(outcome.time, (sent, datagram)),
                }
            }
        }
    }

    /// A host that goes down loses what waits in it.
    pub(super) fn forget_neighbours(&mut self, now: Instant, host: HostId) {
        for waiting in self.neighbours.forget(host) {
            self.lose_unresolved(now, &waiting);
        }
    }

    /// Nobody has answered: the kernel tells its own TCP so by ICMP, which no network carries (Linux `arp_error_report`).
    fn report_unresolved(&mut self, now: Instant, waiting: Waiting) {
        self.lose_unresolved(now, &waiting);
        let (sent, datagram) = waiting;
        let flight = Flight::of(&sent, sent.from).answered(Unreachable::Host);
        let octets = icmp::unreachable(&datagram, Unreachable::Host);
        self.arrive_at_once(now, flight, octets);
    }

    fn lose_unresolved(&mut self, now: Instant, (sent, _): &Waiting) {
        let Outgoing { segment, connection, to, .. } = *sent;
        let loss = Loss { segment, connection, to, copy: false, reason: LossReason::NeighbourUnresolved };
        self.events.push(now, EventKind::SegmentLost(loss));
    }

    fn silent(&self) -> Vec<bool> {
        let hosts = self.down.iter().zip(&self.paused).zip(&self.cables_out);
        hosts.map(|((down, paused), cables_out)| *down || *paused || *cables_out > 0).collect()
    }
}
