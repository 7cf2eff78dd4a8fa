//! Matching segments.

use std::fmt;

use halfopen_tcp::State;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::rewrite::SizeOrOff;
use super::{Named, Opt, WindowScaling};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, Switch, with_help};
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
    pub(crate) window: Option<SizeMatch>,
    pub(crate) mss: Option<Option<u16>>,
    pub(crate) window_scale: Option<Option<u8>>,
    pub(crate) sack_permitted: Option<bool>,
    pub(crate) sack: Option<bool>,
    pub(crate) timestamps: Option<bool>,
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
    /// The name of its connection at either end. `pool#3` is the third that was opened as `pool`.
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
    /// Its window, as the peer interprets it.
    window: Option<Scalar<WindowMatch>>,
    /// The maximum segment size that it announces, if it does.
    mss: Option<Scalar<SizeOrOff>>,
    /// The window scale that it offers, if it does.
    window_scale: Option<Scalar<WindowScaling>>,
    /// Whether it has the option SACK permitted.
    sack_permitted: Option<Scalar<Switch>>,
    /// Whether it has SACK blocks.
    sack: Option<Scalar<Switch>>,
    /// Whether it has timestamps.
    timestamps: Option<Scalar<Switch>>,
    /// Whether any of it was sent before.
    retransmission: Option<Scalar<Switch>>,
    /// Whether it is a keepalive probe.
    keepalive_probe: Option<Scalar<Switch>>,
    /// Whether it is a zero-window probe.
    window_probe: Option<Scalar<Switch>>,
}

/// A condition on a window. Zero needs no unit.
struct WindowMatch(SizeMatch);

impl Parse for WindowMatch {
    const WHAT: &'static str = "a window such as `0`, `10 KiB` or `smaller than 1 KiB`";

    fn schema() -> Schema {
        forms::any_of([forms::whole(0, 0), SizeMatch::schema()])
    }

    fn parse(text: &str) -> Result<WindowMatch, Mistake> {
        SizeMatch::parse(text).map(WindowMatch)
    }

    fn number(number: i128) -> Result<WindowMatch, Mistake> {
        if number == 0 {
            Ok(WindowMatch(SizeMatch::Exactly(0)))
        } else {
            SizeMatch::number(number).map(WindowMatch)
        }
    }
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
                    window: map.window.map(|Scalar(WindowMatch(window))| window),
                    mss: map.mss.map(|Scalar(SizeOrOff(mss))| mss),
                    window_scale: map.window_scale.map(|Scalar(WindowScaling(shift))| shift),
                    sack_permitted: switch(map.sack_permitted),
                    sack: switch(map.sack),
                    timestamps: switch(map.timestamps),
                    retransmission: switch(map.retransmission),
                    keepalive_probe: switch(map.keepalive_probe),
                    window_probe: switch(map.window_probe),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}
