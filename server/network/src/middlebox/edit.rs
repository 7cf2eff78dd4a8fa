//! The changes that a middlebox makes in a datagram. Checksums are computed anew.

use std::net::IpAddr;

use etherparse::{IpSlice, Ipv4HeaderSlice, TcpSlice};

/// Kinds of TCP options without a length (RFC 9293 §3.2).
const END: u8 = 0;
const NO_OPERATION: u8 = 1;
/// The maximum segment size.
const MSS: u8 = 2;
/// The size of a TCP header without options, in octets.
const TCP_HEADER: usize = 20;
/// The checksum in a TCP header.
const CHECKSUM: std::ops::Range<usize> = 16..18;
/// The control bits in a TCP header, and SYN among them.
const CONTROL_BITS: usize = 13;
const SYN: u8 = 0x02;

/// Lowers the MSS option of a SYN to `most` at most. Returns whether it had to.
pub(super) fn clamp_mss(datagram: &mut [u8], most: u16) -> bool {
    let Some(start) = segment_start(datagram) else { return false };
    let segment = &mut datagram[start..];
    if segment.len() < TCP_HEADER || segment[CONTROL_BITS] & SYN == 0 {
        return false;
    }
    let end = (usize::from(segment[12] >> 4) * 4).min(segment.len());
    let mut place = TCP_HEADER;
    while place < end && segment[place] != END {
        if segment[place] == NO_OPERATION {
            place += 1;
            continue;
        }
        let length = segment.get(place + 1).map_or(0, |length| usize::from(*length));
        if length < 2 || place + length > end {
            return false;
        }
        if segment[place] == MSS && length == 4 {
            let value = u16::from_be_bytes([segment[place + 2], segment[place + 3]]);
            if value <= most {
                return false;
            }
            segment[place + 2..place + 4].copy_from_slice(&most.to_be_bytes());
            mend_checksum(datagram);
            return true;
        }
        place += length;
    }
    false
}

/// One of the two addresses of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Source,
    Destination,
}

/// Replaces an address of an IP datagram by another of the same family.
pub(super) fn set_address(datagram: &mut [u8], which: Address, address: IpAddr) {
    let octets: &[u8] = match &address {
        IpAddr::V4(address) => &address.octets(),
        IpAddr::V6(address) => &address.octets(),
    };
    let source = if address.is_ipv4() { 12 } else { 8 };
    let start = if which == Address::Source { source } else { source + octets.len() };
    datagram[start..start + octets.len()].copy_from_slice(octets);
    if let (true, Ok(header)) = (address.is_ipv4(), Ipv4HeaderSlice::from_slice(datagram)) {
        let sum = header.to_header().calc_header_checksum();
        datagram[10..12].copy_from_slice(&sum.to_be_bytes());
    }
    mend_checksum(datagram);
}

fn segment_start(datagram: &[u8]) -> Option<usize> {
    let ip = IpSlice::from_slice(datagram).ok()?;
    Some(ip.payload().payload.as_ptr() as usize - datagram.as_ptr() as usize)
}

/// Corrects the checksum of the TCP segment.
fn mend_checksum(datagram: &mut [u8]) {
    let Ok(ip) = IpSlice::from_slice(datagram) else { return };
    let payload = ip.payload().payload;
    let start = payload.as_ptr() as usize - datagram.as_ptr() as usize;
    let Ok(tcp) = TcpSlice::from_slice(payload) else { return };
    let sum = match &ip {
        IpSlice::Ipv4(v4) => tcp.calc_checksum_ipv4(v4.header().source(), v4.header().destination()),
        IpSlice::Ipv6(v6) => tcp.calc_checksum_ipv6(v6.header().source(), v6.header().destination()),
    };
    if let Ok(sum) = sum {
        datagram[start..][CHECKSUM].copy_from_slice(&sum.to_be_bytes());
    }
}
