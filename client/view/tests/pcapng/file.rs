//! The blocks of a capture, read without a library.

use crate::facts::ETHERNET_HEADER;

/// The blocks of a file: their type and their octets, lengths included.
pub(crate) fn blocks(mut file: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let number = |place: usize| Some(u32::from_le_bytes(*file.get(place..place + 4)?.first_chunk()?));
        let (kind, length) = (number(0)?, number(4)? as usize);
        assert_eq!(number(length - 4), Some(length as u32), "a block says its length twice");
        let (block, rest) = file.split_at(length);
        file = rest;
        Some((kind, block))
    })
}

const ENHANCED_PACKET: u32 = 6;
/// Where an enhanced packet block has its datagram: after the block's head and the Ethernet header.
const DATAGRAM: usize = 28 + ETHERNET_HEADER;

/// Appends a file as a section of its own. The networks of all addresses get this number, so that connections of one section
/// are not taken for those of another; checksums are wrong then.
pub(crate) fn append(file: &[u8], number: usize, out: &mut Vec<u8>) {
    let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
    for (kind, block) in blocks(file) {
        let mut block = block.to_vec();
        if kind == ENHANCED_PACKET {
            let datagram = &mut block[DATAGRAM..];
            let addresses = if datagram[0] >> 4 == 4 { [12, 16] } else { [8, 24] };
            for address in addresses {
                datagram[address + 1] = high;
                datagram[address + 2] = low;
            }
        }
        out.extend_from_slice(&block);
    }
}
