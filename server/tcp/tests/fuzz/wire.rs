//! Datagrams, written by hand so that a mistake of the endpoint's own writer is not made twice.

use std::net::Ipv4Addr;

use super::PORT;

/// A good IPv4 datagram around a TCP segment, whose checksum is made right if it has one.
pub(super) fn datagram(from: Ipv4Addr, to: Ipv4Addr, mut tcp: Vec<u8>) -> Vec<u8> {
    let length = tcp.len() as u16;
    if let Some(field) = tcp.get_mut(16..18) {
        field.fill(0);
        let mut pseudo = [from.octets(), to.octets()].concat();
        pseudo.extend([0, 6]);
        pseudo.extend(length.to_be_bytes());
        pseudo.extend(&tcp);
        let sum = checksum(&pseudo);
        tcp[16..18].copy_from_slice(&sum.to_be_bytes());
    }
    let mut octets = vec![0x45, 0];
    octets.extend((length + 20).to_be_bytes());
    octets.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    octets.extend(from.octets());
    octets.extend(to.octets());
    let sum = checksum(&octets);
    octets[10..12].copy_from_slice(&sum.to_be_bytes());
    octets.extend(tcp);
    octets
}

/// Points a segment of any octets at the endpoint: ports, and numbers near those that it would take.
pub(super) fn aim(tcp: &mut Vec<u8>, to_listener: bool, with_numbers: bool, (seq, ack): (u32, u32)) {
    if tcp.len() < 20 {
        tcp.resize(20, 0);
    }
    let (from, to) = if to_listener { (2000, PORT) } else { (PORT, 1000) };
    tcp[0..2].copy_from_slice(&from.to_be_bytes());
    tcp[2..4].copy_from_slice(&to.to_be_bytes());
    // A header length that the segment has room for.
    let most = (tcp.len() / 4).min(15) as u8;
    let words = (tcp[12] >> 4).clamp(5, most);
    tcp[12] = words << 4;
    if with_numbers {
        let near = |chosen: u8, number: u32| number.wrapping_add_signed(i32::from(chosen as i8));
        let (seq, ack) = (near(tcp[7], seq), near(tcp[11], ack));
        tcp[4..8].copy_from_slice(&seq.to_be_bytes());
        tcp[8..12].copy_from_slice(&ack.to_be_bytes());
    }
}

fn checksum(octets: &[u8]) -> u16 {
    let mut sum: u32 =
        octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0))).sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
