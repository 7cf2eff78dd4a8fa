//! What the events say of the packets of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{SegmentSent, TcpDropReason, event::Kind};
use halfopen_view::record::RunRecord;
use halfopen_view::words;

/// How many octets of a frame precede its datagram.
pub(crate) const ETHERNET_HEADER: usize = 14;

/// A packet at a host.
#[derive(Clone, Debug)]
pub(crate) struct Packet<'a> {
    /// The event's number.
    pub(crate) sequence: u64,
    /// The host's position.
    pub(crate) host: usize,
    pub(crate) time: Duration,
    pub(crate) inbound: bool,
    /// The segment, as it was sent, or the segment that a router speaks of.
    pub(crate) sent: &'a SegmentSent,
    /// The octets as they are here.
    pub(crate) octets: &'a [u8],
    /// Whether it is what a router says.
    pub(crate) message: bool,
    /// Why TCP did not use it.
    pub(crate) dropped: TcpDropReason,
}

impl Packet<'_> {
    /// The addresses and ports that it has here.
    pub(crate) fn sockets(&self) -> [String; 2] {
        if self.octets == self.sent.datagram || self.octets[0] >> 4 != 4 {
            return [self.sent.source.clone(), self.sent.destination.clone()];
        }
        let socket = |address: usize, port: usize| {
            let [a, b, c, d] = *self.octets[address..].first_chunk().unwrap();
            format!("{a}.{b}.{c}.{d}:{}", u16::from_be_bytes(*self.octets[port..].first_chunk().unwrap()))
        };
        [socket(12, 20), socket(16, 22)]
    }

    /// The sequence and the acknowledgment number that it has here: a middlebox may have moved them.
    pub(crate) fn numbers(&self) -> [u32; 2] {
        let moved = !self.message && self.dropped == TcpDropReason::Unspecified && self.octets[0] >> 4 == 4;
        if !moved || self.octets == self.sent.datagram {
            return [self.sent.sequence_number, self.sent.acknowledgment_number];
        }
        [24, 28].map(|place| u32::from_be_bytes(*self.octets[place..].first_chunk().unwrap()))
    }
}

/// The packets of a run at all its hosts, in order.
pub(crate) fn packets(record: &RunRecord) -> Vec<Packet<'_>> {
    let hosts = &record.started().unwrap().hosts;
    let mut sent = BTreeMap::new();
    let mut packets = Vec::new();
    for event in &record.events {
        let (segment, octets, dropped) = match event.kind.as_ref().unwrap() {
            Kind::SegmentSent(segment) => {
                sent.insert(segment.segment, (segment, &event.host));
                if segment.injected {
                    continue;
                }
                (segment, &segment.datagram, TcpDropReason::Unspecified)
            }
            Kind::SegmentArrived(arrived) => {
                let (segment, sender) = sent[&arrived.segment];
                // To itself, a host sees a packet once.
                if *sender == event.host && !segment.injected {
                    continue;
                }
                let octets = if arrived.datagram.is_empty() { &segment.datagram } else { &arrived.datagram };
                (segment, octets, arrived.drop_reason())
            }
            Kind::DestinationUnreachable(told) => (sent[&told.segment].0, &told.datagram, told.drop_reason()),
            _ => continue,
        };
        packets.push(Packet {
            sequence: event.sequence,
            host: hosts.iter().position(|host| host.name == event.host).unwrap(),
            time: words::from_proto(event.time.as_ref()),
            inbound: !matches!(event.kind, Some(Kind::SegmentSent(_))),
            sent: segment,
            octets,
            message: matches!(event.kind, Some(Kind::DestinationUnreachable(_))),
            dropped,
        });
    }
    packets
}
