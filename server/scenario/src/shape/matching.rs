//! Matching segments.

use std::fmt;

use halfopen_tcp::State;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Named, Opt};
use crate::de::Spanned;
use crate::forms::written_as;
use crate::parse::{Parse, Scalar, Switch, with_help};
use crate::{FlagsMatch, PayloadMatch, SizeMatch};

/// One host and a state: `{server: CLOSE-WAIT}`.
pub(crate) type HostInState = Spanned<Named<Spanned<Scalar<State>>>>;

/// Which segments: a map, or the control bits alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
    pub(crate) on: Opt<String>,
    pub(crate) flags: Option<FlagsMatch>,
    pub(crate) payload: Option<PayloadMatch>,
    pub(crate) size: Option<SizeMatch>,
    pub(crate) sequence: Option<u32>,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) state: Option<HostInState>,
    pub(crate) retransmission: Option<bool>,
    pub(crate) keepalive_probe: Option<bool>,
    pub(crate) window_probe: Option<bool>,
}

/// Which segments: those that meet every condition.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatchMap {
    /// The host that sends it.
    from: Opt<String>,
    /// The host that it is sent to.
    to: Opt<String>,
    /// The name of its connection at either end.
    on: Opt<String>,
    /// The control bits that it has; with `only`, no others.
    flags: Option<Scalar<FlagsMatch>>,
    /// How much data it has.
    payload: Option<Scalar<PayloadMatch>>,
    /// The size of its IP datagram.
    size: Option<Scalar<SizeMatch>>,
    /// Its relative sequence number: that of a SYN is 0.
    sequence: Option<Scalar<u32>>,
    /// Its relative acknowledgment number: that of a SYN+ACK is 1.
    acknowledgment: Option<Scalar<u32>>,
    /// The state of its connection at its sender or receiver when it is sent.
    state: Option<HostInState>,
    /// Whether any of it was sent before.
    retransmission: Option<Scalar<Switch>>,
    /// Whether it is a keepalive probe.
    keepalive_probe: Option<Scalar<Switch>>,
    /// Whether it is a zero-window probe.
    window_probe: Option<Scalar<Switch>>,
}

written_as!(Match: Scalar<FlagsMatch>, MatchMap);

impl<'de> Deserialize<'de> for Match {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Match, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Match;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("control bits such as `SYN`, or a map with `from`, `flags`, `payload`, …")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Match, E> {
                with_help(FlagsMatch::parse(text))
                    .map(|flags| Match { flags: Some(flags), ..Match::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Match, A::Error> {
                let map = MatchMap::deserialize(MapAccessDeserializer::new(map))?;
                let switch = |switch: Option<Scalar<Switch>>| switch.map(|Scalar(Switch(on))| on);
                Ok(Match {
                    from: map.from,
                    to: map.to,
                    on: map.on,
                    flags: map.flags.map(|flags| flags.0),
                    payload: map.payload.map(|payload| payload.0),
                    size: map.size.map(|size| size.0),
                    sequence: map.sequence.map(|number| number.0),
                    acknowledgment: map.acknowledgment.map(|number| number.0),
                    state: map.state,
                    retransmission: switch(map.retransmission),
                    keepalive_probe: switch(map.keepalive_probe),
                    window_probe: switch(map.window_probe),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
