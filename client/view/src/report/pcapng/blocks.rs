//! The blocks of the pcapng format that a capture needs, after the IETF draft (draft-ietf-opsawg-pcapng).
//!
//! They are few and simple, and the crate that writes them, pcap-file, has had no stable release since 2.0 and brings
//! old dependencies. In the tests pcap-parser, which is well maintained and only reads, reads what is written here.

use std::io::{self, Write};
use std::net::IpAddr;
use std::time::Duration;

use super::ethernet;

/// Types of blocks.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;

/// The byte order mark: numbers are little-endian on every machine.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// Packets begin with an Ethernet header (LINKTYPE_ETHERNET).
const LINK_TYPE_ETHERNET: u16 = 1;
/// Times count units of 10 to the power of minus this, in seconds.
const NANOSECONDS: u8 = 9;

/// Codes of options.
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const SECTION_APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const INTERFACE_DESCRIPTION_TEXT: u16 = 3;
const INTERFACE_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// Values of [`PACKET_FLAGS`].
const INBOUND: u32 = 1;
const OUTBOUND: u32 = 2;

/// Types of records in a name resolution block.
const END_OF_RECORDS: u16 = 0;
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// One packet at one interface.
#[derive(Debug)]
pub(super) struct Packet<'a> {
    /// The index of the interface, from 0.
    pub(super) interface: u32,
    /// Whether it arrived there; otherwise it was sent.
    pub(super) inbound: bool,
    /// Since the epoch.
    pub(super) time: Duration,
    /// The bytes of the IP datagram that are kept.
    pub(super) octets: &'a [u8],
    /// The original length of the datagram in bytes.
    pub(super) length: u32,
    /// Its comments.
    pub(super) comments: &'a [String],
}

/// Writes the blocks of one section.
#[derive(Debug)]
pub(super) struct Blocks<W> {
    out: W,
}

impl<W: Write> Blocks<W> {
    /// Begins a section that this application wrote.
    pub(super) fn begin(out: W, application: &str, comment: &str) -> io::Result<Blocks<W>> {
        let mut body = Body::default();
        body.u32(BYTE_ORDER_MAGIC);
        // Version 1.0, of a length that is not said.
        body.u16(1);
        body.u16(0);
        body.octets(&u64::MAX.to_le_bytes());
        body.text(COMMENT, comment);
        body.text(SECTION_APPLICATION, application);
        body.option(END_OF_OPTIONS, &[]);
        let mut blocks = Blocks { out };
        blocks.write(SECTION_HEADER, &body)?;
        Ok(blocks)
    }

    /// Describes the next interface, and how many bytes of its packets are kept.
    pub(super) fn interface(
        &mut self,
        name: &str,
        description: &str,
        snapshot_length: u32,
    ) -> io::Result<()> {
        let mut body = Body::default();
        body.u16(LINK_TYPE_ETHERNET);
        body.u16(0);
        body.u32(snapshot_length);
        body.text(INTERFACE_NAME, name);
        body.text(INTERFACE_DESCRIPTION_TEXT, description);
        body.option(INTERFACE_RESOLUTION, &[NANOSECONDS]);
        body.option(END_OF_OPTIONS, &[]);
        self.write(INTERFACE_DESCRIPTION, &body)
    }

    /// Names addresses.
    pub(super) fn names<'a>(&mut self, names: impl IntoIterator<Item = (IpAddr, &'a str)>) -> io::Result<()> {
        let mut body = Body::default();
        for (address, name) in names {
            let (kind, mut record) = match address {
                IpAddr::V4(address) => (IPV4, address.octets().to_vec()),
                IpAddr::V6(address) => (IPV6, address.octets().to_vec()),
            };
            record.extend_from_slice(name.as_bytes());
            record.push(0);
            body.option(kind, &record);
        }
        body.option(END_OF_RECORDS, &[]);
        self.write(NAME_RESOLUTION, &body)
    }

    /// Writes a packet.
    pub(super) fn packet(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        let nanos = u64::try_from(packet.time.as_nanos()).unwrap_or(u64::MAX);
        let frame = [&ethernet::header(packet.octets), packet.octets].concat();
        let mut body = Body::default();
        body.u32(packet.interface);
        body.u32((nanos >> 32) as u32);
        body.u32(nanos as u32);
        body.u32(frame.len() as u32);
        body.u32(packet.length + ethernet::HEADER as u32);
        body.octets(&frame);
        for comment in packet.comments {
            body.text(COMMENT, comment);
        }
        let flags = if packet.inbound { INBOUND } else { OUTBOUND };
        body.option(PACKET_FLAGS, &flags.to_le_bytes());
        body.option(END_OF_OPTIONS, &[]);
        self.write(ENHANCED_PACKET, &body)
    }

    /// Writes what is not written yet.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn write(&mut self, kind: u32, Body(body): &Body) -> io::Result<()> {
        let length = (body.len() as u32 + 12).to_le_bytes();
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length)?;
        self.out.write_all(body)?;
        self.out.write_all(&length)
    }
}

/// The content of a block.
#[derive(Debug, Default)]
struct Body(Vec<u8>);

impl Body {
    fn u16(&mut self, number: u16) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// Bytes, padded with zeros to a multiple of four.
    fn octets(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// An option, or a record, which has the same form.
    fn option(&mut self, code: u16, value: &[u8]) {
        let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        self.u16(code);
        self.u16(length);
        self.octets(&value[..length.into()]);
    }

    /// A text, cut off where an option would be too long.
    fn text(&mut self, code: u16, text: &str) {
        let mut end = text.len().min(u16::MAX.into());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.option(code, &text.as_bytes()[..end]);
    }
}
