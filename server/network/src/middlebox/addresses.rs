//! The inside addresses of hosts behind a middlebox that translates. Hosts know each other by the addresses in the scenario, the
//! outside ones. A segment that passes untranslated comes from an inside address, and an answer to it finds its way back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use halfopen_scenario::Scenario;

/// The prefixes of inside addresses: networks for tests of devices (RFC 2544, RFC 5180), which no scenario needs.
const IPV4: [u8; 2] = [198, 18];
const IPV6: [u16; 2] = [0x2001, 2];

/// The inside address of the host with this outside address.
pub(super) fn inside(scenario: &Scenario, address: IpAddr) -> Option<IpAddr> {
    let host = scenario.host_of(address)?;
    let place = scenario.host(host).addresses.iter().position(|other| *other == address)?;
    let (host, place) = (u8::try_from(host.0 + 1).ok()?, u8::try_from(place + 1).ok()?);
    Some(match address {
        IpAddr::V4(_) => Ipv4Addr::new(IPV4[0], IPV4[1], host, place).into(),
        IpAddr::V6(_) => Ipv6Addr::new(IPV6[0], IPV6[1], 0, 0, 0, 0, host.into(), place.into()).into(),
    })
}

/// The outside address of the host with this inside address.
pub(super) fn outside(scenario: &Scenario, address: IpAddr) -> Option<IpAddr> {
    let (host, place) = match address {
        IpAddr::V4(address) => match address.octets() {
            [first, second, host, place] if [first, second] == IPV4 => (host.into(), place.into()),
            _ => return None,
        },
        IpAddr::V6(address) => match address.segments() {
            [first, second, 0, 0, 0, 0, host, place] if [first, second] == IPV6 => (host, place),
            _ => return None,
        },
    };
    let host = scenario.hosts.get(usize::from(host).checked_sub(1)?)?;
    host.addresses.get(usize::from(place).checked_sub(1)?).copied()
}
