//! Bits that are flipped on the way.

use halfopen_scenario::Field;
use halfopen_tcp::DropReason;

use crate::random::Stream;
use crate::wire::{octets_of, segment_mut};

/// The 16-bit word of a TCP header with the data offset and the control bits.
const OFFSET_WORD: u32 = 6;

/// Flips this many neighbouring bits, at most 15, in one 16-bit word of the TCP segment of an IP datagram, so that its
/// checksum is certainly wrong.
///
/// The sum of the words changes by less than 65,535, and not by 0. The data offset stays: a receiver that cannot read a
/// segment never gets to its checksum.
pub(super) fn corrupt(datagram: &mut [u8], bits: u32, field: Option<Field>, random: &mut Stream) {
    let before = datagram.to_vec();
    loop {
        flip(segment_mut(datagram), bits, field, random);
        // The bits may be those that an earlier fault flipped: then try others, of which there are always some.
        if halfopen_tcp::read_segment(datagram).err() != Some(DropReason::Checksum) {
            datagram.copy_from_slice(&before);
            continue;
        }
        return;
    }
}

/// Flips neighbouring bits in one word of the field; at most 7 if only one octet of the word belongs to the field.
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use halfopen_tcp::{Config, Disposition, Endpoint, Flags, Header, Instant, Profile};

    use super::*;
    use crate::wire::segment;

    fn endpoint(address: &str) -> Endpoint {
        let settings = Profile::Linux.settings();
        Endpoint::new(Config::new(vec![address.parse().unwrap()], settings, 1))
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
    fn a_corrupted_segment_has_a_wrong_checksum_whatever_the_bits() {
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
                let wrong = Disposition::Dropped(DropReason::Checksum);
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
                let place = octets_of(field, segment(&whole));
                let pairs = segment(&whole).iter().zip(segment(&broken)).enumerate();
                for (octet, (before, after)) in pairs {
                    assert!(before == after || place.contains(&octet), "{}", field.name());
                }
            }
        }
    }
}
