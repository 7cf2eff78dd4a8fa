//! The octets of a TCP segment in its IP datagram, and how they change on the way.
//!
//! Checksums are updated by the difference (RFC 1624 §3), as a router that translates addresses does: a wrong one stays wrong.

mod options;

use std::net::SocketAddr;
use std::ops::Range;

use halfopen_scenario::Field;
use halfopen_tcp::{Flags, Seq};

pub(crate) use self::options::{Kind, Walk, remove_option};

/// The size of an IPv6 header, in octets.
const IPV6_HEADER: usize = 40;
/// The checksum in an IPv4 header.
const IPV4_CHECKSUM: usize = 10;

/// Offsets of fields in the TCP header (RFC 9293 §3.1).
pub(crate) const SEQUENCE: usize = 4;
pub(crate) const ACKNOWLEDGMENT: usize = 8;
const DATA_OFFSET: usize = 12;
const CONTROL_BITS: usize = 13;
pub(crate) const WINDOW: usize = 14;
const CHECKSUM: usize = 16;
pub(crate) const URGENT: usize = 18;
const OPTIONS: usize = 20;

/// One of the two sockets of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Source,
    Destination,
}

/// The TCP segment in an IP datagram that a host sends.
#[cfg(test)]
pub(crate) fn segment(datagram: &[u8]) -> &[u8] {
    &datagram[ip_header_length(datagram)..]
}

/// The TCP segment in an IP datagram that a host sends.
pub(crate) fn segment_mut(datagram: &mut [u8]) -> &mut [u8] {
    let header = ip_header_length(datagram);
    &mut datagram[header..]
}

fn ip_header_length(datagram: &[u8]) -> usize {
    if is_ipv4(datagram) { usize::from(datagram[0] & 0xf) * 4 } else { IPV6_HEADER }
}

fn is_ipv4(datagram: &[u8]) -> bool {
    datagram[0] >> 4 == 4
}

/// The octets of a field in a segment.
pub(crate) fn octets_of(field: Field, segment: &[u8]) -> Range<usize> {
    match field {
        Field::Sequence => SEQUENCE..SEQUENCE + 4,
        Field::Acknowledgment => ACKNOWLEDGMENT..ACKNOWLEDGMENT + 4,
        Field::Flags => CONTROL_BITS..CONTROL_BITS + 1,
        Field::Window => WINDOW..WINDOW + 2,
        Field::Checksum => CHECKSUM..CHECKSUM + 2,
        Field::Urgent => URGENT..URGENT + 2,
        Field::Payload => header_length(segment)..segment.len(),
    }
}

fn header_length(segment: &[u8]) -> usize {
    usize::from(segment[DATA_OFFSET] >> 4) * 4
}

/// The control bits of a segment.
pub(crate) fn control_bits(segment: &[u8]) -> Flags {
    Flags::from_bits(segment[CONTROL_BITS])
}

/// Sets the control bits.
pub(crate) fn put_control_bits(segment: &mut [u8], flags: Flags) {
    put(segment, CONTROL_BITS, &[flags.bits()]);
}

/// Marks a datagram as one that met congestion, if its sender allows that (RFC 3168 §5).
pub(crate) fn mark_congestion(datagram: &mut [u8]) {
    // The octet that follows the version, and where in it the field is.
    let (place, shift) = (1, if is_ipv4(datagram) { 0 } else { 4 });
    let before = datagram[place];
    if before >> shift & 3 != 0 {
        datagram[place] |= 3 << shift;
        if is_ipv4(datagram) {
            update_checksum(datagram, IPV4_CHECKSUM, place, [before, datagram[place]]);
        }
    }
}

/// The sequence number at a place of a segment.
pub(crate) fn number(segment: &[u8], place: usize) -> Seq {
    let [a, b, c, d] = [0, 1, 2, 3].map(|octet| segment[place + octet]);
    Seq(u32::from_be_bytes([a, b, c, d]))
}

/// Writes a sequence number into a segment.
pub(crate) fn put_number(segment: &mut [u8], place: usize, number: Seq) {
    put(segment, place, &number.0.to_be_bytes());
}

/// Writes octets into a segment and updates its checksum.
pub(crate) fn put(segment: &mut [u8], place: usize, octets: &[u8]) {
    for (place, octet) in (place..).zip(octets) {
        let before = std::mem::replace(&mut segment[place], *octet);
        update_checksum(segment, CHECKSUM, place, [before, *octet]);
    }
}

/// Replaces a socket of a segment by another with an address of the same family.
pub(crate) fn set_socket(datagram: &mut [u8], end: End, socket: SocketAddr) {
    let (address, source): (&[u8], usize) = match &socket {
        SocketAddr::V4(socket) => (&socket.ip().octets(), 12),
        SocketAddr::V6(socket) => (&socket.ip().octets(), 8),
    };
    let (start, port) = match end {
        End::Source => (source, 0),
        End::Destination => (source + address.len(), 2),
    };
    for (place, octet) in (start..).zip(address) {
        let change = [std::mem::replace(&mut datagram[place], *octet), *octet];
        if is_ipv4(datagram) {
            update_checksum(datagram, IPV4_CHECKSUM, place, change);
        }
        // The pseudo header has the addresses too (RFC 9293 §3.1), at places of the same parity.
        update_checksum(segment_mut(datagram), CHECKSUM, place, change);
    }
    put(segment_mut(datagram), port, &socket.port().to_be_bytes());
}

/// Updates a checksum over octets of which the one at this place has changed (RFC 1624 §3, equation 3).
fn update_checksum(octets: &mut [u8], checksum: usize, place: usize, [before, after]: [u8; 2]) {
    let word = |octet: u8| if place.is_multiple_of(2) { u16::from(octet) << 8 } else { octet.into() };
    let sum = !u16::from_be_bytes([octets[checksum], octets[checksum + 1]]);
    let sum = u32::from(sum) + u32::from(!word(before)) + u32::from(word(after));
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let [_, _, high, low] = (!sum).to_be_bytes();
    octets[checksum..checksum + 2].copy_from_slice(&[high, low]);
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::{Header, encode_segment, read_segment};

    use super::*;

    #[test]
    fn a_socket_is_replaced_and_every_checksum_is_right() {
        for [from, to, other] in [
            ["10.0.0.1:40000", "10.0.0.2:80", "203.0.113.255:1"],
            ["[fd00::1]:40000", "[fd00::2]:80", "[2001:db8::ffff]:65535"],
        ] {
            let [from, to, other]: [SocketAddr; 3] = [from, to, other].map(|text| text.parse().unwrap());
            let header = Header { payload: 3, ..Header::default() };
            for (end, expected) in [(End::Source, [other, to]), (End::Destination, [from, other])] {
                let mut datagram = encode_segment(from, to, &header, b"abc");
                set_socket(&mut datagram, end, other);
                let (source, destination, read) = read_segment(&datagram).expect("the checksums are right");
                assert_eq!(([source, destination], read), (expected, header.clone()));
            }
        }
    }

    #[test]
    fn congestion_is_marked_where_the_sender_allows_it() {
        for ([from, to], place, shift) in
            [(["10.0.0.1:40000", "10.0.0.2:80"], 1, 0), (["[fd00::1]:40000", "[fd00::2]:80"], 1, 4)]
        {
            let [from, to]: [SocketAddr; 2] = [from, to].map(|text| text.parse().unwrap());
            let unmarked = encode_segment(from, to, &Header::default(), &[]);
            let mut datagram = unmarked.clone();
            mark_congestion(&mut datagram);
            assert_eq!(datagram, unmarked, "not capable");
            for capable in [1, 2] {
                let mut datagram = unmarked.clone();
                datagram[place] |= capable << shift;
                if is_ipv4(&datagram) {
                    update_checksum(&mut datagram, IPV4_CHECKSUM, place, [0, capable]);
                }
                mark_congestion(&mut datagram);
                assert_eq!(datagram[place] >> shift & 3, 3);
                assert!(read_segment(&datagram).is_ok(), "the checksum is right");
            }
        }
    }

    #[test]
    fn a_wrong_checksum_stays_wrong() {
        let [from, to]: [SocketAddr; 2] = ["10.0.0.1:40000", "10.0.0.2:80"].map(|text| text.parse().unwrap());
        let mut datagram = encode_segment(from, to, &Header::default(), &[]);
        segment_mut(&mut datagram)[CHECKSUM] ^= 1;
        set_socket(&mut datagram, End::Source, to);
        put_number(segment_mut(&mut datagram), SEQUENCE, Seq(77));
        assert!(read_segment(&datagram).is_err());
    }
}
