//! The local port of an active open that names none.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

use crate::Settings;

/// The ephemeral ports.
///
/// To each destination they are taken in turn; a port is taken for one destination only. Stacks begin at a place that
/// nobody can guess (RFC 6056 §3.3); this one begins at the first, so that two runs are easy to compare.
#[derive(Debug)]
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    /// 2 if every other port is tried first, or 1.
    stride: u16,
    /// By our address and the destination.
    destinations: BTreeMap<(IpAddr, SocketAddr), Destination>,
}

#[derive(Debug, Default)]
struct Destination {
    /// Where in each part of the range the search goes on. A part is every other port from the first or from the
    /// second, or the whole range.
    next: u32,
    /// How many ports of each part are taken.
    taken: [u32; 2],
}

impl Ports {
    pub(crate) fn new(settings: &Settings) -> Ports {
        let stride = if settings.alternate_ephemeral_ports { 2 } else { 1 };
        Ports { range: settings.ephemeral_ports.clone(), stride, destinations: BTreeMap::new() }
    }

    /// A port that is free for this destination, if there is one.
    pub(crate) fn find(
        &mut self,
        address: IpAddr,
        remote: SocketAddr,
        is_free: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let (first, count) = (*self.range.start(), self.range.len() as u32);
        let stride = u32::from(self.stride);
        let destination = self.destination(address, remote);
        for part in 0..stride {
            // A part without a free port is not searched, which would be slow.
            let places = (count + stride - 1 - part) / stride;
            if destination.taken[part as usize] >= places {
                continue;
            }
            let places = (0..places).map(|step| (destination.next + step) % places);
            let ports = places.map(|place| (place, first + (stride * place + part) as u16));
            if let Some((place, port)) = ports.into_iter().find(|(_, port)| is_free(*port)) {
                destination.next = place + 1;
                return Some(port);
            }
        }
        None
    }

    fn destination(&mut self, address: IpAddr, remote: SocketAddr) -> &mut Destination {
        self.destinations.entry((address, remote)).or_default()
    }

    /// A connection takes these addresses: ours, the peer's.
    pub(crate) fn take(&mut self, addresses: (SocketAddr, SocketAddr)) {
        self.count(addresses, |taken| *taken += 1);
    }

    /// It releases them.
    pub(crate) fn leave(&mut self, addresses: (SocketAddr, SocketAddr)) {
        self.count(addresses, |taken| *taken -= 1);
    }

    fn count(&mut self, (local, remote): (SocketAddr, SocketAddr), change: impl FnOnce(&mut u32)) {
        if self.range.contains(&local.port()) {
            let part = (local.port() - self.range.start()) % self.stride;
            change(&mut self.destination(local.ip(), remote).taken[usize::from(part)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn remote(port: u16) -> SocketAddr {
        SocketAddr::new([10, 0, 0, 2].into(), port)
    }

    fn ports(range: RangeInclusive<u16>, alternate: bool) -> Ports {
        let settings = crate::Profile::Linux.settings();
        Ports::new(&Settings { ephemeral_ports: range, alternate_ephemeral_ports: alternate, ..settings })
    }

    /// Takes ports until none is left.
    fn take_all(ports: &mut Ports, remote: SocketAddr) -> Vec<u16> {
        let mut taken = BTreeSet::new();
        std::iter::from_fn(|| {
            let port = ports.find(ADDRESS, remote, |port| !taken.contains(&port))?;
            taken.insert(port);
            ports.take((SocketAddr::new(ADDRESS, port), remote));
            Some(port)
        })
        .collect()
    }

    #[test]
    fn every_port_is_taken_once_the_even_ones_first_in_turn() {
        for (range, even) in [(32_768..=60_999, 14_116), (40_000..=40_006, 4), (5..=5, 1)] {
            let all: Vec<u16> = range.clone().collect();
            let taken = take_all(&mut ports(range, true), remote(80));
            assert!(taken[..even].iter().all(|port| (port - all[0]).is_multiple_of(2)));
            assert!(taken[..even].is_sorted());
            assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from_iter(all));
        }
    }

    #[test]
    fn ports_that_do_not_alternate_are_taken_in_order() {
        assert!(take_all(&mut ports(40_000..=40_006, false), remote(80)).is_sorted());
    }

    #[test]
    fn a_port_that_was_left_is_found_again_and_one_for_another_destination_is_no_matter() {
        let mut ports = ports(40_000..=40_002, true);
        assert_eq!(take_all(&mut ports, remote(80)).len(), 3);
        assert_eq!(ports.find(ADDRESS, remote(80), |_| true), None);
        ports.leave((SocketAddr::new(ADDRESS, 40_001), remote(80)));
        assert_eq!(ports.find(ADDRESS, remote(80), |port| port == 40_001), Some(40_001));
        assert_eq!(take_all(&mut ports, remote(81)).len(), 3);
        // A connection whose port was given counts too; one outside the range does not.
        ports.take((SocketAddr::new(ADDRESS, 40_001), remote(80)));
        ports.take((SocketAddr::new(ADDRESS, 50_000), remote(82)));
        ports.leave((SocketAddr::new(ADDRESS, 50_000), remote(82)));
        assert_eq!(ports.find(ADDRESS, remote(80), |_| true), None);
    }
}
