//! Matching segments.

use halfopen_tcp::State;
use halfopen_units::format_size;

use super::Writer;
use super::yaml::{Map, Yaml};
use crate::{FlagsMatch, HostId, Match, PayloadMatch, SizeMatch};

impl Writer<'_> {
    /// Control bits alone, or a map.
    pub(super) fn matching(self, matching: &Match) -> Yaml {
        if let Some(bits) = matching.flags
            && *matching == (Match { flags: Some(bits), ..Match::default() })
        {
            return flags(bits);
        }
        let it = matching;
        Yaml::Map(
            Map::new()
                .maybe("from", it.from.map(|host| self.host(host)))
                .maybe("to", it.to.map(|host| self.host(host)))
                .maybe("on", it.connections.first().map(|connection| self.connection(*connection)))
                .maybe("flags", it.flags.map(flags))
                .maybe("payload", it.payload.map(payload))
                .maybe("size", it.size.map(size))
                .maybe("sequence", it.sequence)
                .maybe("acknowledgment", it.acknowledgment)
                .maybe("state", it.state.map(|(host, state)| self.host_in_state(host, state)))
                .maybe("window", it.window.map(size))
                .maybe("mss", it.mss.map(|mss| or_off(mss.map(super::size))))
                .maybe(
                    "window-scale",
                    it.window_scale.map(|shift| or_off(shift.map(|shift| u32::from(shift).into()))),
                )
                .maybe("sack-permitted", it.sack_permitted)
                .maybe("sack", it.sack)
                .maybe("timestamps", it.timestamps)
                .maybe("retransmission", it.retransmission)
                .maybe("keepalive-probe", it.keepalive_probe)
                .maybe("window-probe", it.window_probe),
        )
    }

    /// `{server: CLOSE-WAIT}`.
    pub(super) fn host_in_state(self, host: HostId, state: State) -> Map {
        Map::new().with(self.host_name(host), state.name())
    }
}

/// The value of an option, or that there is none.
fn or_off(value: Option<Yaml>) -> Yaml {
    value.unwrap_or(Yaml::from("off"))
}

fn flags(flags: FlagsMatch) -> Yaml {
    Yaml::Word(match flags {
        FlagsMatch::AtLeast(flags) => flags.to_string(),
        FlagsMatch::Only(flags) => format!("only {flags}"),
    })
}

fn payload(payload: PayloadMatch) -> Yaml {
    match payload {
        PayloadMatch::None => Yaml::from("none"),
        PayloadMatch::Any => Yaml::from("any"),
        PayloadMatch::Octets(size) => self::size(size),
    }
}

fn size(size: SizeMatch) -> Yaml {
    Yaml::Word(match size {
        SizeMatch::Exactly(octets) => format_size(octets),
        SizeMatch::Larger(than) => format!("larger than {}", format_size(than)),
        SizeMatch::Smaller(than) => format!("smaller than {}", format_size(than)),
    })
}
