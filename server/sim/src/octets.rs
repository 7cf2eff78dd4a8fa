//! What happens to the octets of a datagram on its way.

use std::net::IpAddr;
use std::ops::Range;

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::icmpv6::DestUnreachableCode;
use etherparse::{Icmpv4Type, Icmpv6Type, IpSlice, PacketBuilder};
use halfopen_scenario::{Field, Unreachable};
use halfopen_tcp::DropReason;

use crate::random::Stream;

/// Octets of an ICMP error message, headers included, that it never exceeds (RFC 1812 §4.3.2.3).
const MOST_ICMP: usize = 576;
/// The same for ICMPv6: its least MTU (RFC 4443 §2.4).
const MOST_ICMPV6: usize = 1280;
/// Octets of the IPv4 and ICMP headers that a router writes.
const ICMP_HEADERS: usize = 28;
/// The same of IPv6 and ICMPv6.
const ICMPV6_HEADERS: usize = 48;
/// TTL and hop limit of what a router sends.
const HOPS: u8 = 64;

/// Octets of an IPv6 header.
const IPV6_HEADER: usize = 40;

/// The 16-bit word of a TCP header with the data offset and the control bits.
const OFFSET_WORD: u32 = 6;

/// Flips so many neighbouring bits, at most 15, of one 16-bit word of the TCP segment in an IP datagram, so that its
/// checksum is wrong for certain.
///
/// The sum of the words changes by less than 65,535, and not by 0. The data offset stays as it is: a segment that can not
/// be read does not come as far as its checksum.
pub(crate) fn corrupt(datagram: &mut [u8], bits: u32, field: Option<Field>, random: &mut Stream) {
    let before = datagram.to_vec();
    loop {
        flip(segment_of_mut(datagram), bits, field, random);
        // What one fault flips, another might flip back; but at another place, for there always is another.
        if halfopen_tcp::read_segment(datagram).err() != Some(DropReason::Checksum) {
            datagram.copy_from_slice(&before);
            continue;
        }
        return;
    }
}

/// Flips neighbouring bits of a word of the field; of a word of which only one octet belongs to it, at most 7.
fn flip(segment: &mut [u8], bits: u32, field: Option<Field>, random: &mut Stream) {
    let octets = field.map_or(0..segment.len() / 2 * 2, |field| octets_of(field, segment));
    let (first, words) = (octets.start / 2, octets.end.div_ceil(2) - octets.start / 2);
    let words = u32::try_from(words).unwrap_or(u32::MAX);
    let nth = if field.is_some() {
        random.below(words)
    } else {
        let nth = random.below(words - 1);
        if nth >= OFFSET_WORD { nth + 1 } else { nth }
    };
    let place = 2 * (first + nth as usize);
    let (room, lowest) = match [place, place + 1].map(|place| octets.contains(&place)) {
        [true, true] => (16, 0),
        [true, false] => (8, 8),
        [false, _] => (8, 0),
    };
    let bits = bits.min(room - 1);
    let mask = ((1_u32 << bits) - 1) << (lowest + random.below(room + 1 - bits));
    let [_, _, high, low] = mask.to_be_bytes();
    for (octet, mask) in segment[place..].iter_mut().zip([high, low]) {
        *octet ^= mask;
    }
}

/// Where a field stands in a segment (RFC 9293 §3.1).
fn octets_of(field: Field, segment: &[u8]) -> Range<usize> {
    match field {
        Field::Sequence => 4..8,
        Field::Acknowledgment => 8..12,
        Field::Flags => 13..14,
        Field::Window => 14..16,
        Field::Checksum => 16..18,
        Field::Urgent => 18..20,
        Field::Payload => usize::from(segment[12] >> 4) * 4..segment.len(),
    }
}

/// What a router answers to a datagram that it can not deliver: an ICMP message with as much of it as fits. Routers
/// have no addresses of their own here, so it comes from that of the destination.
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
            let quoted = &datagram[..datagram.len().min(MOST_ICMP - ICMP_HEADERS)];
            PacketBuilder::ipv4(target.octets(), sender.octets(), HOPS)
                .icmpv4(Icmpv4Type::DestinationUnreachable(code))
                .write(&mut message, quoted)
        }
        (sender, target) => {
            let told = match code {
                Unreachable::Net => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::NoRoute),
                Unreachable::Host => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Address),
                Unreachable::Port => Icmpv6Type::DestinationUnreachable(DestUnreachableCode::Port),
                Unreachable::FragmentationNeeded { mtu } => Icmpv6Type::PacketTooBig { mtu: mtu.into() },
            };
            let quoted = &datagram[..datagram.len().min(MOST_ICMPV6 - ICMPV6_HEADERS)];
            PacketBuilder::ipv6(v6_octets(target), v6_octets(sender), HOPS)
                .icmpv6(told)
                .write(&mut message, quoted)
        }
    };
    written.expect("what fits 1280 octets can be written to memory");
    message
}

fn v6_octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

/// What the IP datagram of a host carries.
pub(crate) fn segment_of(datagram: &[u8]) -> &[u8] {
    &datagram[header_of(datagram)..]
}

/// What the IP datagram of a host carries.
pub(crate) fn segment_of_mut(datagram: &mut [u8]) -> &mut [u8] {
    let header = header_of(datagram);
    &mut datagram[header..]
}

/// Octets of the IP header.
fn header_of(datagram: &[u8]) -> usize {
    let version = datagram[0] >> 4;
    if version == 4 { usize::from(datagram[0] & 0xf) * 4 } else { IPV6_HEADER }
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::{Config, Endpoint, Flags, Header, Instant, Profile};

    use super::*;

    fn endpoint(address: &str) -> Endpoint {
        let settings = Profile::Linux.settings();
        Endpoint::new(Config { addresses: vec![address.parse().unwrap()], settings, secret: 1 })
    }

    /// A SYN, and an endpoint that it is for.
    fn syn(addresses: [&str; 2]) -> (Vec<u8>, Endpoint) {
        let [mut client, mut server] = addresses.map(endpoint);
        let remote = (addresses[1].parse::<IpAddr>().unwrap(), 80).into();
        client.connect(Instant::ZERO, None, remote).unwrap();
        server.listen(Instant::ZERO, 80, 1).unwrap();
        let mut octets = Vec::new();
        client.poll_transmit(Instant::ZERO, &mut octets).unwrap();
        (octets, server)
    }

    #[test]
    fn what_is_corrupted_has_a_wrong_checksum_whatever_the_bits() {
        for addresses in [["10.0.0.1", "10.0.0.2"], ["fd00::1", "fd00::2"]] {
            let mut random = Stream::new(1, "test");
            for round in 0..3000 {
                let bits = round % 15 + 1;
                let (octets, mut server) = syn(addresses);
                let mut broken = octets.clone();
                corrupt(&mut broken, bits, None, &mut random);
                let flipped: u32 = octets.iter().zip(&broken).map(|(a, b)| (a ^ b).count_ones()).sum();
                assert_eq!(flipped, bits);
                let arrival = server.handle_datagram(Instant::ZERO, &broken);
                let wrong = halfopen_tcp::Disposition::Dropped(DropReason::Checksum);
                assert_eq!(arrival.disposition, wrong, "{bits} bits");
            }
        }
    }

    #[test]
    fn a_field_is_corrupted_and_nothing_beside_it_however_often() {
        let [from, to] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        let mut random = Stream::new(1, "test");
        for octets in [1, 2, 7] {
            let header = Header { flags: Flags::ACK, payload: octets, ..Header::default() };
            let whole = halfopen_tcp::encode_segment(from, to, &header, &vec![b'x'; octets as usize]);
            for (field, bits) in
                Field::ALL.into_iter().flat_map(|field| (1..=15).map(move |bits| (field, bits)))
            {
                let mut broken = whole.clone();
                for _ in 0..3 {
                    corrupt(&mut broken, bits, Some(field), &mut random);
                    let read = halfopen_tcp::read_segment(&broken).map(|(_, _, header)| header);
                    assert_eq!(read, Err(DropReason::Checksum), "{bits} bits of the {}", field.name());
                }
                let place = octets_of(field, segment_of(&whole));
                let pairs = segment_of(&whole).iter().zip(segment_of(&broken)).enumerate();
                for (octet, (before, after)) in pairs {
                    assert!(before == after || place.contains(&octet), "{}", field.name());
                }
            }
        }
    }

    #[test]
    fn a_router_says_what_it_can_not_reach_and_the_sender_believes_it() {
        use halfopen_tcp::Errno;
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
                assert_eq!(arrival.disposition, halfopen_tcp::Disposition::Accepted, "{code:?}");
                assert_eq!(client.connected(connection), std::task::Poll::Ready(Err(errno)), "{code:?}");
            }
        }
    }

    /// RFC 1191, RFC 8201: an IPv6 host does not believe what no link of IPv6 may have.
    #[test]
    fn a_router_says_which_size_the_next_link_takes() {
        use halfopen_tcp::{Disposition, DropReason};
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
            let told = unreachable(&octets, Unreachable::FragmentationNeeded { mtu });
            assert_eq!(client.handle_datagram(Instant::ZERO, &told).disposition, disposition, "{mtu}");
            assert!(client.connected(connection).is_pending(), "no error");
        }
    }

    #[test]
    fn a_message_quotes_no_more_than_it_may() {
        for (version, most) in [(0x45, MOST_ICMP), (0x60, MOST_ICMPV6)] {
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
