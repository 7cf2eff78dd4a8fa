//! Which host has which address, and where the network takes datagrams for it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use halfopen_scenario::{AddressMove, Scenario};
use halfopen_trace::{FaultId, HostId};

/// The addresses of the hosts. Each has one holder, or none.
#[derive(Debug)]
pub(crate) struct Addresses {
    /// By host: its addresses, the preferred ones first.
    held: Vec<Vec<IpAddr>>,
    /// Where datagrams go; nowhere if nobody has the address.
    routes: BTreeMap<IpAddr, HostId>,
    /// The holders before faults that may end.
    before: BTreeMap<FaultId, HostId>,
}

/// The hosts whose addresses a fault has changed: the one that lost an address, and the one that got it.
pub(crate) type Readdressed = [Option<HostId>; 2];

impl Addresses {
    /// As the scenario gives them.
    pub(crate) fn new(scenario: &Scenario) -> Addresses {
        let held: Vec<Vec<IpAddr>> = scenario.hosts.iter().map(|host| host.addresses.clone()).collect();
        let of_host = |(host, held): (u16, &Vec<IpAddr>)| {
            held.iter().map(|address| (*address, HostId(host))).collect::<Vec<_>>()
        };
        let routes = (0..).zip(&held).flat_map(of_host).collect();
        Addresses { held, routes, before: BTreeMap::new() }
    }

    /// Where the network takes a datagram for this address.
    pub(crate) fn route(&self, address: IpAddr) -> Option<HostId> {
        self.routes.get(&address).copied()
    }

    /// The addresses of a host, the preferred ones first.
    pub(crate) fn of(&self, host: HostId) -> &[IpAddr] {
        &self.held[host.index()]
    }

    /// The host that has an address.
    pub(crate) fn holder(&self, address: IpAddr) -> Option<HostId> {
        let holds = |held: &Vec<IpAddr>| held.contains(&address);
        self.held.iter().position(holds).map(|host| HostId(host as u16))
    }

    /// A fault begins. `None` if it has no effect: the host that is to lose the address does not have it, or nothing would
    /// change.
    pub(crate) fn begin(&mut self, fault: FaultId, change: &AddressMove) -> Option<Readdressed> {
        let AddressMove { address, from, to, announced } = *change;
        let (holder, to) = (self.holder(address), to.map(HostId::from));
        if holder == to || from.is_some_and(|from| holder != Some(from.into())) {
            return None;
        }
        self.before.extend(holder.map(|holder| (fault, holder)));
        self.change(address, [holder, to], announced);
        Some([holder, to])
    }

    /// A fault ends: the host that had the address has it again, unless a later fault has moved it on.
    pub(crate) fn end(&mut self, fault: FaultId, change: &AddressMove) -> Option<Readdressed> {
        let before = self.before.remove(&fault)?;
        let holder = self.holder(change.address);
        if holder != change.to.map(HostId::from) {
            return None;
        }
        self.change(change.address, [holder, Some(before)], true);
        Some([holder, Some(before)])
    }

    fn change(&mut self, address: IpAddr, [from, to]: Readdressed, announced: bool) {
        if let Some(from) = from {
            self.held[from.index()].retain(|held| *held != address);
        }
        if let Some(to) = to {
            self.held[to.index()].push(address);
        }
        match to {
            _ if !announced => {}
            Some(to) => drop(self.routes.insert(address, to)),
            None => drop(self.routes.remove(&address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);

    fn addresses() -> Addresses {
        let text =
            "{scenario: a, hosts: {a: {addresses: [10.0.0.1, 10.0.0.9]}, b: {}}, applications: {a: [hold]}}";
        Addresses::new(&halfopen_scenario::load(text).expect("right"))
    }

    fn to(host: Option<usize>) -> AddressMove {
        let to = host.map(halfopen_scenario::HostId);
        AddressMove { address: "10.0.0.9".parse().unwrap(), from: None, to, announced: true }
    }

    #[test]
    fn an_address_moves_and_returns() {
        let mut addresses = addresses();
        let moved = to(Some(1));
        assert_eq!(addresses.begin(FaultId(0), &moved), Some([Some(A), Some(B)]));
        assert_eq!(addresses.route(moved.address), Some(B));
        assert_eq!(addresses.of(A), ["10.0.0.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses.begin(FaultId(1), &moved), None, "it is there already");
        assert_eq!(addresses.end(FaultId(0), &moved), Some([Some(B), Some(A)]));
        assert_eq!(addresses.route(moved.address), Some(A));
    }

    #[test]
    fn an_address_that_was_moved_on_does_not_return() {
        let mut addresses = addresses();
        assert!(addresses.begin(FaultId(0), &to(Some(1))).is_some());
        assert!(addresses.begin(FaultId(1), &to(None)).is_some());
        assert_eq!(addresses.end(FaultId(0), &to(Some(1))), None);
        assert_eq!(addresses.route(to(None).address), None);
    }

    #[test]
    fn only_its_holder_can_lose_an_address() {
        let from = |host| AddressMove { from: Some(halfopen_scenario::HostId(host)), ..to(None) };
        assert_eq!(addresses().begin(FaultId(0), &from(1)), None);
        assert_eq!(addresses().begin(FaultId(0), &from(0)), Some([Some(A), None]));
    }

    #[test]
    fn a_move_that_is_not_announced_leaves_the_way_of_datagrams_as_it_was() {
        let mut addresses = addresses();
        let silent = AddressMove { announced: false, ..to(Some(1)) };
        assert!(addresses.begin(FaultId(0), &silent).is_some());
        assert_eq!(
            (addresses.route(silent.address), addresses.of(A).len(), addresses.of(B).len()),
            (Some(A), 1, 2)
        );
    }
}
