//! The one address that a middlebox shares among the hosts behind it (RFC 3022 §2.2: NAPT).
//!
//! A port stands for one connection to each socket outside (RFC 4787 §4.1: address and port-dependent mapping), as in Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use halfopen_scenario::Translates;

/// Octets of memory that a port is counted with that is, or was, in use towards a socket outside.
const PORT: u64 = 128;

/// The shared address and its ports.
#[derive(Debug)]
pub(super) struct Translation {
    address: IpAddr,
    last_port: u16,
    /// The port to try first for a connection whose own is not free.
    next: u16,
    /// By the socket outside: the ports in use towards it.
    taken: BTreeMap<SocketAddr, BTreeSet<u16>>,
    /// By the socket outside and the port: the socket behind that has it, or had it last.
    owners: BTreeMap<(SocketAddr, u16), SocketAddr>,
}

impl Translation {
    /// An address all of whose ports are free.
    pub(super) fn new(Translates { to, ports }: Translates) -> Translation {
        let last_port = Translates::FIRST_PORT + (ports - 1);
        let next = Translates::FIRST_PORT;
        Translation { address: to, last_port, next, taken: BTreeMap::new(), owners: BTreeMap::new() }
    }

    /// The memory that its tables take, octets.
    pub(super) fn memory(&self) -> u64 {
        self.owners.len() as u64 * PORT
    }

    /// Whether it translates addresses of this family.
    pub(super) fn is_for(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
    }

    /// The shared address.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    /// Whether no port is free towards this socket outside.
    pub(super) fn is_exhausted(&self, outside: SocketAddr) -> bool {
        let ports = usize::from(self.last_port - Translates::FIRST_PORT) + 1;
        self.taken.get(&outside).is_some_and(|taken| taken.len() >= ports)
    }

    /// Gives a socket behind a port towards one outside: its own if that is free, as Linux does, or else the next free one.
    /// There must be one.
    pub(super) fn assign(&mut self, behind: SocketAddr, outside: SocketAddr) -> u16 {
        let all = Translates::FIRST_PORT..=self.last_port;
        let taken = self.taken.entry(outside).or_default();
        let own = Some(behind.port()).filter(|port| all.contains(port) && !taken.contains(port));
        let from_next = (self.next..=self.last_port).chain(all);
        let port = own.unwrap_or_else(|| {
            let port = from_next.into_iter().find(|port| !taken.contains(port)).expect("a port is free");
            self.next = if port == self.last_port { Translates::FIRST_PORT } else { port + 1 };
            port
        });
        taken.insert(port);
        self.owners.insert((outside, port), behind);
        port
    }

    /// A port is free again towards this socket outside.
    pub(super) fn release(&mut self, outside: SocketAddr, port: u16) {
        if let Some(taken) = self.taken.get_mut(&outside) {
            taken.remove(&port);
        }
    }

    /// The socket behind that uses this one towards a socket outside.
    pub(super) fn user(&self, socket: SocketAddr, outside: SocketAddr) -> Option<SocketAddr> {
        let is_taken = self.taken.get(&outside).is_some_and(|taken| taken.contains(&socket.port()));
        self.owner(socket, outside).filter(|_| is_taken)
    }

    /// The socket behind that uses this one towards a socket outside, or used it last: who is meant.
    pub(super) fn owner(&self, socket: SocketAddr, outside: SocketAddr) -> Option<SocketAddr> {
        let port = Some(socket.port()).filter(|_| socket.ip() == self.address)?;
        self.owners.get(&(outside, port)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// A box with three ports, from 1024 to 1026.
    fn translation() -> Translation {
        Translation::new(Translates { to: [203, 0, 113, 1].into(), ports: 3 })
    }

    #[test]
    fn a_connection_keeps_its_port_if_that_is_free_and_gets_the_next_free_one_otherwise() {
        let mut translation = translation();
        let [web, mail] = ["10.0.0.9:80", "10.0.0.9:25"].map(socket);
        let assigned = [
            ("10.0.0.1:1025", web, 1025),
            ("10.0.0.2:1025", web, 1024),
            ("10.0.0.2:40000", web, 1026),
            ("10.0.0.2:40000", mail, 1024),
        ];
        for (behind, outside, port) in assigned {
            assert!(!translation.is_exhausted(outside), "{behind} {outside}");
            assert_eq!(translation.assign(socket(behind), outside), port, "{behind} {outside}");
        }
        assert!(translation.is_exhausted(web) && !translation.is_exhausted(mail));
    }

    #[test]
    fn a_port_that_was_released_is_used_by_nobody_and_known_until_another_has_it() {
        let mut translation = translation();
        let [web, shared] = ["10.0.0.9:80", "203.0.113.1:1024"].map(socket);
        let [first, second] = ["10.0.0.1:40000", "10.0.0.2:50000"].map(socket);
        for port in 1024..=1026 {
            assert_eq!(translation.assign(first, web), port);
        }
        assert_eq!(translation.user(shared, web), Some(first));
        translation.release(web, 1024);
        assert_eq!((translation.user(shared, web), translation.owner(shared, web)), (None, Some(first)));
        assert_eq!(translation.assign(second, web), 1024, "it begins again");
        assert_eq!(translation.user(shared, web), Some(second));
        assert_eq!(translation.owner(socket("203.0.113.2:1024"), web), None, "another address");
    }
}
