//! Segments that are sent, arrive or are lost.

use halfopen_proto::v1;
use halfopen_tcp::{DropReason, Options, Seq};
use halfopen_trace::{LossReason, SegmentNumber, SegmentSent};

use super::converter::Converter;
use super::enums;
use super::values::{bytes, drop_reason, flags};

impl Converter {
    pub(super) fn segment_sent(&mut self, sent: &SegmentSent) -> v1::SegmentSent {
        let header = &sent.header;
        v1::SegmentSent {
            segment: sent.segment.0.get(),
            receiver: self.host(sent.to),
            source: self.addresses.text(sent.source),
            destination: self.addresses.text(sent.destination),
            flags: Some(flags(header.flags)),
            sequence_number: header.seq.0,
            acknowledgment_number: header.ack.0,
            relative_sequence_number: sent.relative_seq,
            relative_acknowledgment_number: sent.relative_ack,
            length: header.payload,
            window: sent.window,
            options: Some(options(&header.options, sent.peer_iss)),
            purpose: enums::purpose(sent.purpose).into(),
            retransmission: sent.retransmission,
            sender_state: sent.sender_state.map_or(v1::TcpState::Unspecified, enums::state).into(),
            receiver_state: sent.receiver_state.map_or(v1::TcpState::Unspecified, enums::state).into(),
            injected: sent.injected,
            size: sent.size,
            middlebox: self.middlebox(sent.middlebox),
            datagram: bytes(sent.datagram.as_deref()),
        }
    }

    pub(super) fn segment_lost(&self, segment: SegmentNumber, reason: LossReason) -> v1::SegmentLost {
        let lost = v1::SegmentLost {
            segment: segment.0.get(),
            reason: enums::loss_reason(reason).into(),
            ..v1::SegmentLost::default()
        };
        match reason {
            LossReason::Fault(fault) => v1::SegmentLost { fault: Some(self.fault(fault)), ..lost },
            LossReason::Middlebox { middlebox, why } => v1::SegmentLost {
                middlebox: self.middlebox(Some(middlebox)),
                middlebox_reason: enums::middlebox_loss(why).into(),
                ..lost
            },
            LossReason::Partition
            | LossReason::HostDown
            | LossReason::HostPaused
            | LossReason::CablePulled
            | LossReason::NeighbourUnresolved
            | LossReason::BlackHole
            | LossReason::NoRoute
            | LossReason::TooLarge
            | LossReason::QueueFull
            | LossReason::Random => lost,
        }
    }
}

pub(super) fn segment_arrived(
    segment: SegmentNumber,
    dropped: Option<DropReason>,
    datagram: Option<&[u8]>,
) -> v1::SegmentArrived {
    v1::SegmentArrived {
        segment: segment.0.get(),
        drop_reason: drop_reason(dropped),
        datagram: bytes(datagram),
    }
}

fn options(options: &Options, peer_iss: u32) -> v1::TcpOptions {
    let relative = |(left, right): &(Seq, Seq)| v1::TcpSackBlock {
        left: left.0.wrapping_sub(peer_iss),
        right: right.0.wrapping_sub(peer_iss),
    };
    v1::TcpOptions {
        mss: options.mss.map(u32::from),
        window_scale: options.window_scale.map(u32::from),
        sack_permitted: options.sack_permitted,
        timestamp: options.timestamps.map(|timestamps| timestamps.value),
        timestamp_echo: options.timestamps.map(|timestamps| timestamps.echo),
        sack: options.sack.as_slice().iter().map(relative).collect(),
    }
}
