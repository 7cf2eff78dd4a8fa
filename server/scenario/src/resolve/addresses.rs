//! Addresses that change hands or are lost.

use std::net::IpAddr;

use super::{Checker, Place, word};
use crate::parse::{Scalar, Switch};
use crate::shape::Given;
use crate::shape::faults::{LoseAddress, MoveAddress};
use crate::{AddressMove, Effect, wording};

impl Checker<'_> {
    pub(super) fn move_address(&mut self, place: Place, it: &MoveAddress) -> Option<Effect> {
        let address = self.address(place, &it.move_address, "move-address");
        if it.to.is_none() && !place.pruned {
            self.problem(place.span, "this does not say which host gets the address", "add `to: standby`");
        }
        let (from, to) = (self.host_at(&it.from), self.host_at(&it.to));
        if let (Some(host), Some(given)) = (from, &it.to)
            && from == to
        {
            let message = format!("`{}` has the address already", self.hosts[host.0].name);
            self.problem(given.span, message, "name another host");
        }
        let announced = word(&it.announced).is_none_or(|Switch(on)| on);
        let returns_after = self.after(&it.returns_after);
        let change = AddressMove { address: address?, from, to: Some(to?), announced };
        Some(Effect::Address { change, returns_after })
    }

    pub(super) fn lose_address(&mut self, place: Place, it: &LoseAddress) -> Option<Effect> {
        let address = self.address(place, &it.lose_address, "lose-address");
        let from = self.host_at(&it.from);
        let returns_after = self.after(&it.returns_after);
        let change = AddressMove { address: address?, from, to: None, announced: true };
        Some(Effect::Address { change, returns_after })
    }

    /// The address that stands after the word; some host has it at first.
    fn address(&mut self, place: Place, given: &Given<Scalar<IpAddr>>, word: &str) -> Option<IpAddr> {
        let at = given.span_or(place.span);
        let Scalar(address) = self.needed(given, place, "which address", &format!("`{word}: 10.0.0.2`"))?;
        let all: Vec<String> =
            self.hosts.iter().flat_map(|host| &host.addresses).map(IpAddr::to_string).collect();
        if !all.contains(&address.to_string()) {
            let help = format!(
                "there are {}; `addresses` gives a host more",
                wording::list(all.iter().map(String::as_str))
            );
            self.problem(at, format!("no host has the address {address}"), help);
            return None;
        }
        Some(*address)
    }
}
