//! What a segment must be to match.

use halfopen_proto::v1::{self, size_match};
use halfopen_scenario::{FlagsMatch, HostId, Match, PayloadMatch, SizeMatch};

use super::converter::Converter;
use super::enums;
use super::values::flags;

impl Converter {
    pub(super) fn segment_match(&self, matching: &Match) -> v1::SegmentMatch {
        let host = |host: Option<HostId>| self.host(host.map(Into::into));
        v1::SegmentMatch {
            sender: host(matching.from),
            receiver: host(matching.to),
            connection: matching.connections.first().map(|name| self.connection(*name)).unwrap_or_default(),
            flags: matching.flags.map(flags_match),
            payload: matching.payload.map(payload_match),
            size: matching.size.map(size_match),
            sequence: matching.sequence,
            acknowledgment: matching.acknowledgment,
            state: matching.state.map(|(at, state)| v1::StateMatch {
                host: host(Some(at)),
                state: enums::state(state).into(),
            }),
            retransmission: matching.retransmission,
            keepalive_probe: matching.keepalive_probe,
            window_probe: matching.window_probe,
            window: matching.window.map(size_match),
            mss: matching.mss.map(|mss| option_match(mss.map(Into::into))),
            window_scale: matching.window_scale.map(|shift| option_match(shift.map(Into::into))),
            sack_permitted: matching.sack_permitted,
            sack: matching.sack,
            timestamps: matching.timestamps,
        }
    }
}

fn flags_match(matching: FlagsMatch) -> v1::FlagsMatch {
    let (bits, only) = match matching {
        FlagsMatch::AtLeast(bits) => (bits, false),
        FlagsMatch::Only(bits) => (bits, true),
    };
    v1::FlagsMatch { flags: Some(flags(bits)), only }
}

fn option_match(value: Option<u32>) -> v1::OptionMatch {
    v1::OptionMatch { value }
}

fn payload_match(matching: PayloadMatch) -> v1::SizeMatch {
    size_match(match matching {
        PayloadMatch::None => SizeMatch::Exactly(0),
        PayloadMatch::Any => SizeMatch::Larger(0),
        PayloadMatch::Octets(size) => size,
    })
}

fn size_match(matching: SizeMatch) -> v1::SizeMatch {
    let size = match matching {
        SizeMatch::Exactly(size) => size_match::Size::Exactly(size),
        SizeMatch::Larger(than) => size_match::Size::LargerThan(than),
        SizeMatch::Smaller(than) => size_match::Size::SmallerThan(than),
    };
    v1::SizeMatch { size: Some(size) }
}
