//! What happens to the octets of a datagram on its way.

use crate::random::Stream;

/// Octets of an IPv6 header.
const IPV6_HEADER: usize = 40;

/// The 16-bit word of a TCP header with the data offset and the control bits.
const OFFSET_WORD: u32 = 6;

/// Flips so many neighbouring bits, at most 15, of one 16-bit word of the TCP segment in an IP datagram.
///
/// The sum of the words changes by less than 65,535 then, and not by 0, so that the checksum is wrong for certain. The
/// data offset stays as it is: a segment that can not be read does not come as far as its checksum.
pub(crate) fn corrupt(datagram: &mut [u8], bits: u32, random: &mut Stream) {
    let segment = segment_of(datagram);
    let words = u32::try_from(segment.len() / 2).unwrap_or(u32::MAX);
    let word = random.below(words - 1);
    let word = if word >= OFFSET_WORD { word + 1 } else { word };
    let mask = ((1_u32 << bits) - 1) << random.below(17 - bits);
    let place = 2 * word as usize;
    let [_, _, high, low] = mask.to_be_bytes();
    segment[place] ^= high;
    segment[place + 1] ^= low;
}

/// What the IP datagram of a host carries.
fn segment_of(datagram: &mut [u8]) -> &mut [u8] {
    let version = datagram[0] >> 4;
    let header = if version == 4 { usize::from(datagram[0] & 0xf) * 4 } else { IPV6_HEADER };
    &mut datagram[header..]
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::{Config, DropReason, Endpoint, Instant, Profile};

    use super::*;

    /// A SYN, and an endpoint that it is for.
    fn syn(addresses: [&str; 2]) -> (Vec<u8>, Endpoint) {
        let endpoint = |address: &str| {
            let settings = Profile::Linux.settings();
            Endpoint::new(Config { addresses: vec![address.parse().unwrap()], settings, secret: 1 })
        };
        let [mut client, mut server] = addresses.map(endpoint);
        let remote = (addresses[1].parse::<std::net::IpAddr>().unwrap(), 80).into();
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
                corrupt(&mut broken, bits, &mut random);
                let flipped: u32 = octets.iter().zip(&broken).map(|(a, b)| (a ^ b).count_ones()).sum();
                assert_eq!(flipped, bits);
                let arrival = server.handle_datagram(Instant::ZERO, &broken);
                let wrong = halfopen_tcp::Disposition::Dropped(DropReason::Checksum);
                assert_eq!(arrival.disposition, wrong, "{bits} bits");
            }
        }
    }
}
