//! Reading and writing segments: IPv4 and IPv6 datagrams with a TCP segment, by etherparse.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use etherparse::checksum::Sum16BitWords;
use etherparse::{
    IpDscp, IpEcn, IpNumber, IpSlice, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader, TcpOptionElement,
    TcpSlice,
};

use crate::{DropReason, Flags, Header, Options, SackBlocks, Seq, Timestamps};

/// Octets of an IPv4 header without options.
const IPV4_HEADER: u16 = 20;
/// Octets of an IPv6 header.
const IPV6_HEADER: u16 = 40;
/// Octets of a TCP header without options.
const TCP_HEADER: u16 = 20;
/// Octets of the timestamps option, padded.
pub(crate) const TIMESTAMPS_OPTION: u16 = 12;

/// The fields of the IP header that a connection chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IpChoice {
    /// TTL or hop limit.
    pub(crate) hops: u8,
    /// Differentiated services codepoint (RFC 2474), six bits.
    pub(crate) codepoint: u8,
    /// Whether routers may mark the datagram instead of dropping it (RFC 3168 §5).
    pub(crate) ecn_capable: bool,
}

/// What the ECN field of an IP header says (RFC 3168 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Congestion {
    /// Not-ECT: nobody may mark it.
    NotCapable,
    /// ECT: it met no congestion.
    Capable,
    /// CE.
    Experienced,
}

/// ECT(0).
const ECN_CAPABLE: u8 = 2;

impl Congestion {
    fn of(datagram: &[u8]) -> Congestion {
        let [version, next] = [datagram[0], datagram[1]];
        match if version >> 4 == 4 { next & 3 } else { next >> 4 & 3 } {
            0 => Congestion::NotCapable,
            3 => Congestion::Experienced,
            _ => Congestion::Capable,
        }
    }
}

impl Default for IpChoice {
    /// 64 hops (RFC 1700), best effort.
    fn default() -> IpChoice {
        IpChoice { hops: 64, codepoint: 0, ecn_capable: false }
    }
}

/// A segment that arrived, its payload still in the datagram.
#[derive(Clone, Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) header: Header,
    pub(crate) congestion: Congestion,
    pub(crate) payload: &'a [u8],
}

/// The largest MSS that fits an MTU (RFC 9293 §3.7.1: without IP and TCP options).
pub(crate) fn mss_for_mtu(mtu: u16, address: IpAddr) -> u16 {
    let ip_header = if address.is_ipv4() { IPV4_HEADER } else { IPV6_HEADER };
    mtu.saturating_sub(ip_header + TCP_HEADER)
}

/// The MSS of a peer that announces none (RFC 9293 §3.7.1, MUST-15).
pub(crate) fn default_mss(address: IpAddr) -> u16 {
    if address.is_ipv4() { 536 } else { 1220 }
}

/// Whether a single host can have the address (RFC 1122 §3.2.1.3). Broadcast addresses of subnets are not known here.
pub(crate) fn is_unicast(address: IpAddr) -> bool {
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    !(address.is_unspecified() || address.is_multicast() || broadcast)
}

/// Writes a forged segment as an IP datagram.
///
/// # Panics
/// If the segment does not fit a datagram, or its options do not fit 40 octets.
pub fn encode_segment(
    source: SocketAddr,
    destination: SocketAddr,
    header: &Header,
    payload: &[u8],
) -> Vec<u8> {
    let mut datagram = Vec::new();
    encode(IpChoice::default(), source, destination, header, (payload, &[]), &mut datagram);
    datagram
}

/// Reads the source, the destination and the header of a segment from its IP datagram, with the checks of a host.
///
/// # Errors
/// The reason why a host would drop it.
pub fn read_segment(datagram: &[u8]) -> Result<(SocketAddr, SocketAddr, Header), DropReason> {
    decode(datagram).map(|segment| (segment.source, segment.destination, segment.header))
}

/// Appends the datagram to `buffer`. The payload has two parts, as a ring buffer does.
pub(crate) fn encode(
    choice: IpChoice,
    source: SocketAddr,
    destination: SocketAddr,
    header: &Header,
    payload: (&[u8], &[u8]),
    buffer: &mut Vec<u8>,
) {
    let mut tcp = TcpHeader::new(source.port(), destination.port(), header.seq.0, header.window);
    tcp.acknowledgment_number = header.ack.0;
    tcp.syn = header.flags.contains(Flags::SYN);
    tcp.fin = header.flags.contains(Flags::FIN);
    tcp.rst = header.flags.contains(Flags::RST);
    tcp.psh = header.flags.contains(Flags::PSH);
    tcp.ack = header.flags.contains(Flags::ACK);
    tcp.urg = header.flags.contains(Flags::URG);
    tcp.ece = header.flags.contains(Flags::ECE);
    tcp.cwr = header.flags.contains(Flags::CWR);
    tcp.urgent_pointer = header.urgent;
    set_options(&mut tcp, &header.options);

    let ecn = if choice.ecn_capable { ECN_CAPABLE } else { 0 };
    let tcp_len = tcp.header_len() + payload.0.len() + payload.1.len();
    buffer.reserve(Ipv6Header::LEN + tcp_len);
    match (source.ip(), destination.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let total = u16::try_from(tcp_len).expect("a segment fits a datagram");
            let mut ip = Ipv4Header::new(total, choice.hops, IpNumber::TCP, from.octets(), to.octets())
                .expect("a segment fits a datagram");
            ip.dscp = IpDscp::try_new(choice.codepoint).unwrap_or_default();
            ip.ecn = IpEcn::try_new(ecn).unwrap_or_default();
            ip.header_checksum = ip.calc_header_checksum();
            buffer.extend_from_slice(&ip.to_bytes());
        }
        (from, to) => {
            let ip = Ipv6Header {
                traffic_class: choice.codepoint << 2 | ecn,
                flow_label: Ipv6FlowLabel::ZERO,
                payload_length: u16::try_from(tcp_len).expect("a segment fits a datagram"),
                next_header: IpNumber::TCP,
                hop_limit: choice.hops,
                source: v6_octets(from),
                destination: v6_octets(to),
            };
            buffer.extend_from_slice(&ip.to_bytes());
        }
    }

    let start = buffer.len();
    buffer.extend_from_slice(&tcp.to_bytes());
    buffer.extend_from_slice(payload.0);
    buffer.extend_from_slice(payload.1);
    let sum = checksum(&buffer[start..], source.ip(), destination.ip()).to_be_bytes();
    buffer[start + 16..start + 18].copy_from_slice(&sum);
}

fn set_options(tcp: &mut TcpHeader, options: &Options) {
    use TcpOptionElement as Element;
    if *options == Options::default() {
        return;
    }
    let mut elements = Vec::with_capacity(6);
    if let Some(mss) = options.mss {
        elements.push(Element::MaximumSegmentSize(mss));
    }
    // In the order and with the padding of Linux.
    if options.sack_permitted {
        elements.push(Element::SelectiveAcknowledgementPermitted);
    }
    if let Some(Timestamps { value, echo }) = options.timestamps {
        if !options.sack_permitted {
            elements.extend([Element::Noop, Element::Noop]);
        }
        elements.push(Element::Timestamp(value, echo));
    }
    if let Some(shift) = options.window_scale {
        elements.extend([Element::Noop, Element::WindowScale(shift)]);
    }
    if let [first, rest @ ..] = options.sack.as_slice() {
        // Three blocks fit beside timestamps, four without (RFC 2018 §3).
        let room = if options.timestamps.is_some() { 2 } else { 3 };
        let mut others = [None; 3];
        for (slot, (left, right)) in others.iter_mut().zip(rest.iter().take(room)) {
            *slot = Some((left.0, right.0));
        }
        elements.extend([
            Element::Noop,
            Element::Noop,
            Element::SelectiveAcknowledgement((first.0.0, first.1.0), others),
        ]);
    }
    tcp.set_options(&elements).expect("these options fit 40 octets");
}

/// Parses and checks a datagram.
pub(crate) fn decode(datagram: &[u8]) -> Result<Segment<'_>, DropReason> {
    let ip = IpSlice::from_slice(datagram).map_err(|_| DropReason::Malformed)?;
    if let Some(ipv4) = ip.ipv4() {
        // Over the octets as received: a header that is parsed and written again loses its reserved bit.
        let sum = Sum16BitWords::new().add_slice(ipv4.header().slice());
        if sum.ones_complement() != 0 {
            return Err(DropReason::Checksum);
        }
    }
    if ip.payload_ip_number() != IpNumber::TCP || ip.is_fragmenting_payload() {
        return Err(DropReason::Malformed);
    }
    let (source, destination) = (ip.source_addr(), ip.destination_addr());
    // RFC 9293 §3.9.2.3, MUST-63.
    if !is_unicast(source) {
        return Err(DropReason::Malformed);
    }
    // Borrow from the datagram itself, not from the local view of it.
    let payload: &[u8] = match &ip {
        IpSlice::Ipv4(ipv4) => ipv4.payload().payload,
        IpSlice::Ipv6(ipv6) => ipv6.payload().payload,
    };
    let tcp = TcpSlice::from_slice(payload).map_err(|_| DropReason::Malformed)?;
    if checksum(payload, source, destination) != 0 {
        return Err(DropReason::Checksum);
    }
    let payload = tcp.payload();
    let header = Header {
        seq: Seq(tcp.sequence_number()),
        ack: Seq(if tcp.ack() { tcp.acknowledgment_number() } else { 0 }),
        flags: Flags::from_bits(tcp.slice()[13]),
        window: tcp.window_size(),
        urgent: if tcp.urg() { tcp.urgent_pointer() } else { 0 },
        payload: u32::try_from(payload.len()).map_err(|_| DropReason::Malformed)?,
        options: read_options(&tcp),
    };
    Ok(Segment {
        source: SocketAddr::new(source, tcp.source_port()),
        destination: SocketAddr::new(destination, tcp.destination_port()),
        header,
        congestion: Congestion::of(datagram),
        payload,
    })
}

/// The options that can be read; what is broken or unknown is passed over (RFC 9293 §3.1, MUST-6, MUST-7).
fn read_options(tcp: &TcpSlice<'_>) -> Options {
    use TcpOptionElement as Element;
    let mut options = Options::default();
    let mut unread = tcp.options();
    while !unread.is_empty() {
        let mut iterator = etherparse::TcpOptionsIterator::from_slice(unread);
        let Some(element) = iterator.next() else { break };
        match element {
            Ok(Element::Noop) => {}
            Ok(Element::MaximumSegmentSize(mss)) => options.mss = Some(mss),
            Ok(Element::WindowScale(shift)) => options.window_scale = Some(shift),
            Ok(Element::SelectiveAcknowledgementPermitted) => options.sack_permitted = true,
            Ok(Element::Timestamp(value, echo)) => options.timestamps = Some(Timestamps { value, echo }),
            Ok(Element::SelectiveAcknowledgement(first, rest)) => {
                let mut blocks = SackBlocks::default();
                for (left, right) in std::iter::once(first).chain(rest.into_iter().flatten()) {
                    blocks.push(Seq(left), Seq(right));
                }
                options.sack = blocks;
            }
            // Kind, length, value: step over the whole.
            Err(_) => {
                let length = unread.get(1).map_or(0, |length| usize::from(*length));
                if length < 2 || length > unread.len() {
                    break;
                }
                unread = &unread[length..];
                continue;
            }
        }
        let rest = iterator.rest();
        unread = &unread[unread.len() - rest.len()..];
    }
    options
}

/// The checksum of a segment with its pseudo header (RFC 9293 §3.1): what belongs into its field if that is 0, and 0 if
/// that is right.
fn checksum(segment: &[u8], source: IpAddr, destination: IpAddr) -> u16 {
    let length = u32::try_from(segment.len()).expect("a datagram is at most 65,535 octets");
    let mut sum =
        add(Sum16BitWords::new(), segment).add_2bytes([0, IpNumber::TCP.0]).add_4bytes(length.to_be_bytes());
    sum = match (source, destination) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum.add_4bytes(from.octets()).add_4bytes(to.octets()),
        (from, to) => sum.add_16bytes(v6_octets(from)).add_16bytes(v6_octets(to)),
    };
    u16::from_be(sum.ones_complement())
}

/// Adds octets, in words of 32 bits: a 64-bit sum of so few cannot overflow, so the compiler may add several at once.
/// [`Sum16BitWords::add_slice`] adds one at a time, because each may carry.
fn add(mut sum: Sum16BitWords, octets: &[u8]) -> Sum16BitWords {
    let (words, rest) = octets.as_chunks();
    let total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    sum.add_8bytes(total.to_ne_bytes()).add_slice(rest)
}

fn v6_octets(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Header {
        let mut sack = SackBlocks::default();
        sack.push(Seq(300), Seq(400));
        sack.push(Seq(500), Seq(600));
        Header {
            seq: Seq(u32::MAX),
            ack: Seq(7),
            flags: Flags::ACK | Flags::PSH | Flags::URG,
            window: 512,
            urgent: 3,
            payload: 5,
            options: Options {
                timestamps: Some(Timestamps { value: 1, echo: 2 }),
                sack,
                ..Options::default()
            },
        }
    }

    fn addresses(v6: bool) -> (SocketAddr, SocketAddr) {
        if v6 {
            ("[fd00::1]:1000".parse().unwrap(), "[fd00::2]:80".parse().unwrap())
        } else {
            ("10.0.0.1:1000".parse().unwrap(), "10.0.0.2:80".parse().unwrap())
        }
    }

    #[test]
    fn a_segment_survives_the_wire() {
        for v6 in [false, true] {
            let (source, destination) = addresses(v6);
            let syn = Header {
                seq: Seq(1),
                flags: Flags::SYN,
                options: Options {
                    mss: Some(1460),
                    window_scale: Some(10),
                    sack_permitted: true,
                    timestamps: Some(Timestamps { value: 9, echo: 0 }),
                    ..Options::default()
                },
                ..Header::default()
            };
            for (header, payload) in [(sample(), (&b"he"[..], &b"llo"[..])), (syn, (&b""[..], &b""[..]))] {
                let mut octets = Vec::new();
                encode(IpChoice::default(), source, destination, &header, payload, &mut octets);
                let segment = decode(&octets).unwrap();
                assert_eq!((segment.source, segment.destination), (source, destination));
                assert_eq!(segment.header, header);
                assert_eq!(segment.payload, [payload.0, payload.1].concat());
            }
        }
    }

    #[test]
    fn any_flipped_bit_is_noticed() {
        let (source, destination) = addresses(false);
        let mut octets = Vec::new();
        encode(IpChoice::default(), source, destination, &sample(), (b"hello", b""), &mut octets);
        for bit in 0..octets.len() * 8 {
            let mut broken = octets.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&broken).is_err(), "bit {bit}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_can_be_read(octets: Vec<u8>) {
            let _ = decode(&octets);
        }

        /// Options of any kind and length, behind a header that is otherwise right.
        #[test]
        fn any_options_can_be_read(options in proptest::collection::vec(0_u8.., 0..40)) {
            let mut header = TcpHeader::new(1, 2, 3, 4);
            header.set_options_raw(&options).unwrap();
            let octets = header.to_bytes();
            read_options(&TcpSlice::from_slice(&octets).unwrap());
        }
    }

    #[test]
    fn an_unknown_option_is_stepped_over() {
        let mut header = TcpHeader::new(1, 2, 3, 4);
        header.set_options_raw(&[254, 4, 0xab, 0xcd, 2, 4, 5, 0xb4]).unwrap();
        let octets = header.to_bytes();
        assert_eq!(read_options(&TcpSlice::from_slice(&octets).unwrap()).mss, Some(1460));
    }
}
