//! The number of connections, in all and from each address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::PortLimits;

/// The open connections of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connections(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    total: usize,
    by_address: BTreeMap<IpAddr, usize>,
    /// Whether the last connection was refused. Only the first of several is logged.
    is_refusing: bool,
}

impl Connections {
    /// A place for a connection from `address`, held until it is dropped; `None` if there is none.
    pub(super) fn take(&self, limits: &PortLimits, address: IpAddr) -> Option<Place> {
        let address = network(address);
        let mut open = self.lock();
        let from_it = open.by_address.get(&address).copied().unwrap_or(0);
        if open.total >= limits.connections || from_it >= limits.connections_per_address {
            if !open.is_refusing {
                tracing::warn!(open = open.total, %address, from_it, "refusing connections: the limit is reached");
                open.is_refusing = true;
            }
            return None;
        }
        open.is_refusing = false;
        open.total += 1;
        open.by_address.insert(address, from_it + 1);
        Some(Place { connections: self.clone(), address })
    }

    /// The number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.lock().total
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one customer of a provider usually has: an IPv4 address, or the upper half of an IPv6 address (RFC 6177).
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.lock();
        open.total -= 1;
        match open.by_address.get_mut(&self.address) {
            Some(1) | None => drop(open.by_address.remove(&self.address)),
            Some(connections) => *connections -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_a_share_of_all() {
        let limits = PortLimits { connections: 3, connections_per_address: 2, ..PortLimits::default() };
        let connections = Connections::default();
        let take = |address: &str| connections.take(&limits, address.parse().expect("an address"));
        let first = take("192.0.2.1").expect("free");
        // The same address, as a listener for both versions of IP sees it.
        let _second = take("::ffff:192.0.2.1").expect("free");
        assert!(take("192.0.2.1").is_none(), "its share is used");
        let other = take("2001:db8::1").expect("another address");
        assert!(take("192.0.2.3").is_none(), "all are used");
        drop(first);
        let _again = take("192.0.2.1").expect("free again");
        drop(other);
        assert_eq!(connections.open(), 2);
    }

    #[test]
    fn the_addresses_of_an_ipv6_network_are_one() {
        let limits = PortLimits { connections_per_address: 1, ..PortLimits::default() };
        let connections = Connections::default();
        let take = |address: &str| connections.take(&limits, address.parse().expect("an address"));
        let first = take("2001:db8:0:1::1");
        assert!(first.is_some() && take("2001:db8:0:1:ffff::2").is_none());
        assert!(take("2001:db8:0:2::1").is_some());
    }
}
