//! What a reader that is not ours reads in a capture.

use std::net::IpAddr;
use std::ops::Range;

use halfopen_proto::v1::TcpDropReason;
use halfopen_view::record::RunRecord;
use halfopen_view::report::pcapng::START;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block, EnhancedPacketBlock, Linktype, NameRecordType, OptionCode, PcapBlockOwned, PcapNGOption,
    PcapNGSlice,
};

use crate::facts::{self, ETHERNET_HEADER};

/// A packet as it is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) interface: u32,
    pub(crate) inbound: bool,
    /// Since 1970.
    pub(crate) nanoseconds: u64,
    pub(crate) octets: Vec<u8>,
    pub(crate) length: u32,
    pub(crate) comments: Vec<String>,
}

fn blocks(capture: &[u8]) -> Vec<PcapBlockOwned<'_>> {
    PcapNGSlice::from_slice(capture).unwrap().map(Result::unwrap).collect()
}

fn text<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Vec<&'a str> {
    let meant = options.iter().filter(|option| option.code == code);
    meant.map(|option| option.as_str().unwrap()).collect()
}

impl Read {
    fn new(block: &EnhancedPacketBlock<'_>) -> Read {
        let flags = block.options.iter().find(|option| option.code == OptionCode(2)).expect("flags");
        Read {
            interface: block.if_id,
            inbound: match flags.as_u32_le().unwrap() {
                1 => true,
                2 => false,
                other => panic!("flags {other}"),
            },
            nanoseconds: u64::from(block.ts_high) << 32 | u64::from(block.ts_low),
            octets: block.packet_data().to_vec(),
            length: block.origlen,
            comments: text(&block.options, OptionCode::Comment).into_iter().map(str::to_owned).collect(),
        }
    }
}

/// The packets of a capture.
pub(crate) fn packets(capture: &[u8]) -> Vec<Read> {
    let packet = |block: PcapBlockOwned<'_>| match block {
        PcapBlockOwned::NG(Block::EnhancedPacket(block)) => Some(Read::new(&block)),
        _ => None,
    };
    blocks(capture).into_iter().filter_map(packet).collect()
}

/// Everything in a capture of these hosts but its comments, and how many blocks of each kind there are.
pub(crate) fn check(record: &RunRecord, hosts: Range<usize>, capture: &[u8]) {
    let started = record.started().unwrap();
    let mut interfaces = Vec::new();
    let mut names = Vec::new();
    for (index, block) in blocks(capture).iter().enumerate() {
        let PcapBlockOwned::NG(block) = block else { panic!("a block of another format") };
        match block {
            Block::SectionHeader(header) => {
                assert_eq!(index, 0);
                let application = format!("halfopen {}", started.version);
                assert_eq!(header.shb_userappl().unwrap().unwrap(), application);
                let about = text(&header.options, OptionCode::Comment).join("");
                let command = record.command().unwrap();
                assert!(about.starts_with(&started.title) && about.contains(&command), "{about}");
            }
            Block::InterfaceDescription(interface) => {
                assert_eq!((interface.linktype, interface.if_tsresol), (Linktype::ETHERNET, 9));
                interfaces.push(interface.if_name().unwrap().unwrap().to_owned());
            }
            Block::NameResolution(block) => names.extend(block.nr.iter().filter_map(|record| {
                let address: IpAddr = match record.record_type {
                    NameRecordType::Ipv4 => record.record_value.first_chunk::<4>().copied()?.into(),
                    NameRecordType::Ipv6 => record.record_value.first_chunk::<16>().copied()?.into(),
                    _ => return None,
                };
                let octets = if address.is_ipv4() { 4 } else { 16 };
                // The reader counts the octets that fill it up.
                let name = record.record_value[octets..].split(|octet| *octet == 0).next()?;
                Some((address.to_string(), String::from_utf8(name.to_vec()).unwrap()))
            })),
            Block::EnhancedPacket(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let captured = &started.hosts[hosts.clone()];
    assert_eq!(interfaces, captured.iter().map(|host| host.name.clone()).collect::<Vec<_>>());
    let expected = started
        .hosts
        .iter()
        .flat_map(|host| host.addresses.iter().map(|address| (address.clone(), host.name.clone())));
    assert_eq!(names, expected.collect::<Vec<_>>());

    let expected: Vec<_> =
        facts::packets(record).into_iter().filter(|packet| hosts.contains(&packet.host)).collect();
    let found = packets(capture);
    assert_eq!(found.len(), expected.len(), "{}", record.name);
    for (found, packet) in found.into_iter().zip(expected) {
        let expected = Read {
            interface: (packet.host - hosts.start) as u32,
            inbound: packet.inbound,
            nanoseconds: (START + packet.time).as_nanos() as u64,
            octets: frame(packet.octets),
            length: (ETHERNET_HEADER + packet.octets.len()) as u32,
            comments: found.comments.clone(),
        };
        assert_eq!(found, expected, "{}, event {}", record.name, packet.sequence);
        // What is lost, faulty or not used is commented on.
        assert!(packet.dropped == TcpDropReason::Unspecified || !found.comments.is_empty());
    }
}

/// A datagram in its frame: its addresses made from those of the datagram.
fn frame(datagram: &[u8]) -> Vec<u8> {
    let (source, destination, before, kind) = match datagram[0] >> 4 {
        4 => (&datagram[12..16], &datagram[16..20], [2, 0], [0x08, 0x00]),
        _ => (&datagram[20..24], &datagram[36..40], [2, 6], [0x86, 0xdd]),
    };
    [&before, destination, &before, source, &kind, datagram].concat()
}
