//! What routers answer by ICMP.

use std::net::IpAddr;

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::DestUnreachableCode;
use etherparse::{Icmpv4Type, Icmpv6Type, IpSlice, PacketBuilder};
use halfopen_scenario::Unreachable;

/// The largest ICMP error message, in octets with its headers (RFC 1812 §4.3.2.3).
const MAX_ICMP: usize = 576;
/// The largest ICMPv6 error message: the least MTU of IPv6 (RFC 4443 §2.4).
const MAX_ICMPV6: usize = 1280;
/// The size of the IPv4 and ICMP headers that a router writes, in octets.
const ICMP_HEADERS: usize = 28;
/// The size of the IPv6 and ICMPv6 headers, in octets.
const ICMPV6_HEADERS: usize = 48;
/// TTL or hop limit of the datagrams that a router sends.
const HOPS: u8 = 64;

/// The ICMP message by which a router answers a datagram that it cannot deliver; it quotes as much of the datagram as fits.
/// Routers have no addresses of their own here, so it comes from the address of the destination.
pub(crate) fn unreachable(datagram: &[u8], code: Unreachable) -> Vec<u8> {
    let ip = IpSlice::from_slice(datagram).expect("a host sends IP datagrams");
    let mut message = Vec::new();
    let written = match (ip.source_addr(), ip.destination_addr()) {
        (IpAddr::V4(sender), IpAddr::V4(target)) => {
            let code = match code {
                Unreachable::Net => DestUnreachableHeader::Network,
                Unreachable::Host => DestUnreachableHeader::Host,
                Unreachable::Port => DestUnreachableHeader::Port,
                Unreachable::FragmentationNeeded { mtu } => {
                    DestUnreachableHeader::FragmentationNeeded { next_hop_mtu: mtu }
                }
            };
            let quoted = &datagram[..datagram.len().min(MAX_ICMP - ICMP_HEADERS)];
            PacketBuilder::ipv4(target.octets(), sender.octets(), HOPS)
                .icmpv4(Icmpv4Type::DestinationUnreachable(code))
                .write(&mut message, quoted)
        }
        (sender, target) => {
            let kind = match code {
                Unreachable::Net => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::NoRoute),
                Unreachable::Host => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Address),
                Unreachable::Port => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Port),
                Unreachable::FragmentationNeeded { mtu } => Icmpv6Type::PacketTooBig { mtu: mtu.into() },
            };
            let quoted = &datagram[..datagram.len().min(MAX_ICMPV6 - ICMPV6_HEADERS)];
            PacketBuilder::ipv6(v6_octets(target), v6_octets(sender), HOPS)
                .icmpv6(kind)
                .write(&mut message, quoted)
        }
    };
    written.expect("a message of at most 1280 octets can be written to memory");
    message
}

fn v6_octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::{Config, Disposition, DropReason, Endpoint, Errno, Instant, Profile};

    use super::*;

    fn endpoint(address: &str) -> Endpoint {
        let settings = Profile::Linux.settings();
        Endpoint::new(Config::new(vec![address.parse().unwrap()], settings, 1))
    }

    #[test]
    fn a_sender_believes_a_router_that_cannot_reach_the_receiver() {
        let cases = [
            (Unreachable::Net, Errno::NetworkUnreachable),
            (Unreachable::Host, Errno::HostUnreachable),
            (Unreachable::Port, Errno::ConnectionRefused),
        ];
        for addresses in [["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]] {
            for (code, errno) in cases {
                let mut client = endpoint(addresses[0]);
                let remote = (addresses[1].parse::<IpAddr>().unwrap(), 80).into();
                let connection = client.connect(Instant::ZERO, None, remote).unwrap();
                let mut octets = Vec::new();
                client.poll_transmit(Instant::ZERO, &mut octets).unwrap();
                let arrival = client.handle_datagram(Instant::ZERO, &unreachable(&octets, code));
                assert_eq!(arrival.disposition, Disposition::Accepted, "{code:?}");
                assert_eq!(client.connected(connection), std::task::Poll::Ready(Err(errno)), "{code:?}");
            }
        }
    }

    /// RFC 1191, RFC 8201: an IPv6 host does not believe an MTU that no IPv6 link may have.
    #[test]
    fn a_sender_learns_the_mtu_of_the_next_link() {
        let impossible = Disposition::Dropped(DropReason::ImpossibleMtu);
        for (addresses, mtu, disposition) in [
            (["10.0.0.1", "10.0.0.2"], 1400, Disposition::Accepted),
            (["10.0.0.1", "10.0.0.2"], 68, Disposition::Accepted),
            (["fd00::1", "fd00::2"], 1280, Disposition::Accepted),
            (["fd00::1", "fd00::2"], 1279, impossible),
        ] {
            let mut client = endpoint(addresses[0]);
            let remote = (addresses[1].parse::<IpAddr>().unwrap(), 80).into();
            let connection = client.connect(Instant::ZERO, None, remote).unwrap();
            let mut octets = Vec::new();
            client.poll_transmit(Instant::ZERO, &mut octets).unwrap();
            let message = unreachable(&octets, Unreachable::FragmentationNeeded { mtu });
            assert_eq!(client.handle_datagram(Instant::ZERO, &message).disposition, disposition, "{mtu}");
            assert!(client.connected(connection).is_pending(), "no error");
        }
    }

    #[test]
    fn a_message_quotes_no_more_than_it_may() {
        for (version, most) in [(0x45, MAX_ICMP), (0x60, MAX_ICMPV6)] {
            let mut datagram = vec![0; 1500];
            datagram[0] = version;
            // Total length and protocol; payload length and next header.
            let (length, place, protocol) = if version == 0x45 { (1500_u16, 2, 9) } else { (1460, 4, 6) };
            datagram[place..place + 2].copy_from_slice(&length.to_be_bytes());
            datagram[protocol] = 6;
            assert_eq!(unreachable(&datagram, Unreachable::Host).len(), most);
        }
    }
}
