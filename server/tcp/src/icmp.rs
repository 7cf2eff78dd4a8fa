//! ICMP errors about segments of ours (RFC 792, RFC 4443), by etherparse.

use std::net::{IpAddr, SocketAddr};

use etherparse::checksum::Sum16BitWords;
use etherparse::icmpv4::DestUnreachableHeader as Code4;
use etherparse::icmpv6::DestUnreachableCode as Code6;
use etherparse::{
    Icmpv4Slice, Icmpv4Type, Icmpv6Slice, Icmpv6Type, IpNumber, IpSlice, Ipv4HeaderSlice, Ipv6HeaderSlice,
};

use crate::{DropReason, Errno, Seq};

/// A segment of ours was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unreachable {
    /// The segment's source: an address of ours.
    pub(crate) local: SocketAddr,
    /// Its destination.
    pub(crate) remote: SocketAddr,
    /// Its sequence number.
    pub(crate) seq: Seq,
    /// Why it was not delivered.
    pub(crate) reason: Reason,
}

/// Why a segment was not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The network or the host cannot be reached at present (RFC 9293 §3.9.2.2: a soft error; RFC 6069 §4).
    NoRoute(Errno),
    /// It is not delivered for another reason, such as an administrator's (RFC 9293 §3.9.2.2: soft errors).
    Barred(Errno),
    /// A router discarded it: too many hops, or a parameter problem (RFC 9293 §3.9.2.2: soft errors).
    Discarded(Errno),
    /// The destination has no such protocol or port (RFC 9293 §3.9.2.2: a hard error).
    Refused,
    /// It is larger than the MTU of the next link (RFC 1191, RFC 8201).
    TooLarge {
        /// That MTU, octets; 0 if the router does not report it.
        mtu: u16,
    },
}

/// As Linux reports a time exceeded or a parameter problem (`icmp_err_convert`).
const DISCARDED: Reason = Reason::Discarded(Errno::HostUnreachable);

/// Parses an ICMP message; `None` if the datagram is something else.
pub(crate) fn decode(datagram: &[u8]) -> Option<Result<Unreachable, DropReason>> {
    let ip = IpSlice::from_slice(datagram).ok()?;
    match (&ip, ip.payload_ip_number()) {
        (IpSlice::Ipv4(ipv4), IpNumber::ICMP) => Some(decode_v4(ipv4.payload().payload)),
        (IpSlice::Ipv6(ipv6), IpNumber::IPV6_ICMP) => {
            let header = ipv6.header();
            Some(decode_v6(ipv6.payload().payload, header.source(), header.destination()))
        }
        _ => None,
    }
}

fn decode_v4(octets: &[u8]) -> Result<Unreachable, DropReason> {
    let message = Icmpv4Slice::from_slice(octets).map_err(|_| DropReason::Malformed)?;
    if Sum16BitWords::new().add_slice(octets).ones_complement() != 0 {
        return Err(DropReason::Checksum);
    }
    let reason = match message.icmp_type() {
        Icmpv4Type::DestinationUnreachable(code) => reason_v4(&code),
        Icmpv4Type::TimeExceeded(_) | Icmpv4Type::ParameterProblem(_) => DISCARDED,
        // Source quench is among them (RFC 9293 §3.9.2.2, MUST-55).
        _ => return Err(DropReason::NotForUs),
    };
    let quoted = message.payload();
    let header = Ipv4HeaderSlice::from_slice(quoted).map_err(|_| DropReason::Malformed)?;
    let rest = quoted.get(header.slice().len()..).unwrap_or_default();
    quoted_segment(header.source_addr().into(), header.destination_addr().into(), rest, reason)
}

/// RFC 1122 §4.2.3.9: codes 0, 1 and 5 are soft, 2 to 4 hard; 4 is for path MTU discovery.
fn reason_v4(code: &Code4) -> Reason {
    match *code {
        Code4::FragmentationNeeded { next_hop_mtu } => Reason::TooLarge { mtu: next_hop_mtu },
        Code4::Protocol | Code4::Port => Reason::Refused,
        Code4::Network => Reason::NoRoute(Errno::NetworkUnreachable),
        Code4::Host => Reason::NoRoute(Errno::HostUnreachable),
        Code4::NetworkUnknown | Code4::TosNetwork => Reason::Barred(Errno::NetworkUnreachable),
        Code4::SourceRouteFailed
        | Code4::HostUnknown
        | Code4::Isolated
        | Code4::NetworkProhibited
        | Code4::HostProhibited
        | Code4::TosHost
        | Code4::FilterProhibited
        | Code4::HostPrecedenceViolation
        | Code4::PrecedenceCutoff => Reason::Barred(Errno::HostUnreachable),
    }
}

fn decode_v6(octets: &[u8], source: [u8; 16], destination: [u8; 16]) -> Result<Unreachable, DropReason> {
    let message = Icmpv6Slice::from_slice(octets).map_err(|_| DropReason::Malformed)?;
    if !message.is_checksum_valid(source, destination) {
        return Err(DropReason::Checksum);
    }
    let reason = match message.icmp_type() {
        Icmpv6Type::TimeExceeded(_) | Icmpv6Type::ParameterProblem(_) => DISCARDED,
        Icmpv6Type::PacketTooBig { mtu } => Reason::TooLarge { mtu: u16::try_from(mtu).unwrap_or(u16::MAX) },
        Icmpv6Type::DestinationUnreachable(code) => match code {
            Code6::Port => Reason::Refused,
            Code6::NoRoute => Reason::NoRoute(Errno::NetworkUnreachable),
            Code6::Address | Code6::BeyondScope => Reason::NoRoute(Errno::HostUnreachable),
            Code6::Prohibited | Code6::SourceAddressFailedPolicy | Code6::RejectRoute => {
                Reason::Barred(Errno::HostUnreachable)
            }
        },
        _ => return Err(DropReason::NotForUs),
    };
    let quoted = message.payload();
    let header = Ipv6HeaderSlice::from_slice(quoted).map_err(|_| DropReason::Malformed)?;
    let rest = quoted.get(header.slice().len()..).unwrap_or_default();
    quoted_segment(header.source_addr().into(), header.destination_addr().into(), rest, reason)
}

/// Parses the first eight octets of a TCP header: the ports and the sequence number.
fn quoted_segment(
    source: IpAddr,
    destination: IpAddr,
    tcp: &[u8],
    reason: Reason,
) -> Result<Unreachable, DropReason> {
    let [a, b, c, d, rest @ ..] = tcp else { return Err(DropReason::Malformed) };
    let seq = rest.first_chunk().ok_or(DropReason::Malformed)?;
    Ok(Unreachable {
        local: SocketAddr::new(source, u16::from_be_bytes([*a, *b])),
        remote: SocketAddr::new(destination, u16::from_be_bytes([*c, *d])),
        seq: Seq(u32::from_be_bytes(*seq)),
        reason,
    })
}
