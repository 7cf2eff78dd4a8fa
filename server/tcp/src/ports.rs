//! Which port an active open takes that names none.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;

/// The ephemeral ports.
///
/// As Linux has it (`__inet_hash_connect`): to each destination they are taken in turn, every other port first. A port is
/// taken for one destination only. Linux begins at a place that nobody can guess, and leaves a port out now and then; here it
/// is the first, so that two runs are easy to compare.
#[derive(Debug)]
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    /// By our address and the destination.
    destinations: BTreeMap<(IpAddr, SocketAddr), Destination>,
}

#[derive(Debug, Default)]
struct Destination {
    /// Where in each half of the range the search goes on: among every other port from the first, or from the second.
    next: u32,
    /// How many ports of each half are taken.
    taken: [u32; 2],
}

impl Ports {
    pub(crate) fn new(range: RangeInclusive<u16>) -> Ports {
        Ports { range, destinations: BTreeMap::new() }
    }

    /// A port that is free for this destination, if there is one.
    pub(crate) fn find(
        &mut self,
        address: IpAddr,
        remote: SocketAddr,
        is_free: impl Fn(u16) -> bool,
    ) -> Option<u16> {
        let (first, count) = (*self.range.start(), self.range.len() as u32);
        let destination = self.destination(address, remote);
        for half in [0, 1] {
            // Not looked through in vain: that is slow, as whoever runs out of ports on Linux knows.
            let places = (count + 1 - half) / 2;
            if destination.taken[half as usize] >= places {
                continue;
            }
            let places = (0..places).map(|step| (destination.next + step) % places);
            let ports = places.map(|place| (place, first + (2 * place + half) as u16));
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

    /// A connection has these addresses: ours, the peer's.
    pub(crate) fn take(&mut self, addresses: (SocketAddr, SocketAddr)) {
        self.count(addresses, |taken| *taken += 1);
    }

    /// It does not have them any more.
    pub(crate) fn leave(&mut self, addresses: (SocketAddr, SocketAddr)) {
        self.count(addresses, |taken| *taken -= 1);
    }

    fn count(&mut self, (local, remote): (SocketAddr, SocketAddr), change: impl FnOnce(&mut u32)) {
        if self.range.contains(&local.port()) {
            let half = (local.port() - self.range.start()) % 2;
            change(&mut self.destination(local.ip(), remote).taken[usize::from(half)]);
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
            let mut ports = Ports::new(range);
            let taken = take_all(&mut ports, remote(80));
            assert!(taken[..even].iter().all(|port| (port - all[0]).is_multiple_of(2)));
            assert!(taken[..even].is_sorted());
            assert_eq!(BTreeSet::from_iter(taken), BTreeSet::from_iter(all));
        }
    }

    #[test]
    fn a_port_that_was_left_is_found_again_and_one_for_another_destination_is_no_matter() {
        let mut ports = Ports::new(40_000..=40_002);
        assert_eq!(take_all(&mut ports, remote(80)).len(), 3);
        assert_eq!(ports.find(ADDRESS, remote(80), |_| true), None);
        ports.leave((SocketAddr::new(ADDRESS, 40_001), remote(80)));
        assert_eq!(ports.find(ADDRESS, remote(80), |port| port == 40_001), Some(40_001));
        assert_eq!(take_all(&mut ports, remote(81)).len(), 3);
        // A connection that was told its port counts too, and one outside of the range does not.
        ports.take((SocketAddr::new(ADDRESS, 40_001), remote(80)));
        ports.take((SocketAddr::new(ADDRESS, 50_000), remote(82)));
        ports.leave((SocketAddr::new(ADDRESS, 50_000), remote(82)));
        assert_eq!(ports.find(ADDRESS, remote(80), |_| true), None);
    }
}
