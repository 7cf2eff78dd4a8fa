//! What goes wrong.

use std::fmt;
use std::time::Duration;

use halfopen_tcp::{Flags, State};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Given, Named, Opt};
use crate::de::Spanned;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::{Probability, Size};
use crate::{Base, FlagsMatch, Number, PayloadMatch, Unreachable};

/// A fault: one word for what goes wrong, and beside it which, when and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Fault {
    pub(crate) drop: Given<Match>,
    pub(crate) delay: Given<Match>,
    pub(crate) duplicate: Given<Match>,
    pub(crate) reorder: Given<Match>,
    pub(crate) corrupt: Given<Match>,
    pub(crate) unreachable: Given<Match>,
    pub(crate) inject: Given<Inject>,
    pub(crate) power_loss: Given<Scalar<String>>,
    pub(crate) reboot: Given<Scalar<String>>,
    pub(crate) kill: Given<Scalar<String>>,
    pub(crate) partition: Given<Cut>,
    pub(crate) by: Opt<Duration>,
    pub(crate) copies: Opt<u32>,
    pub(crate) spacing: Opt<Duration>,
    pub(crate) behind: Opt<u32>,
    pub(crate) bits: Opt<u32>,
    pub(crate) code: Opt<Unreachable>,
    pub(crate) mtu: Opt<Size>,
    pub(crate) back_after: Opt<Duration>,
    pub(crate) heals_after: Opt<Duration>,
    pub(crate) skip: Opt<u32>,
    pub(crate) first: Opt<u32>,
    pub(crate) nth: Opt<u32>,
    pub(crate) every: Opt<u32>,
    pub(crate) probability: Opt<Probability>,
    pub(crate) at: Opt<Duration>,
    pub(crate) between: Option<Spanned<Vec<Scalar<Duration>>>>,
    pub(crate) when: Option<HostInState>,
    pub(crate) r#for: Opt<Duration>,
    pub(crate) may_not_happen: Opt<Switch>,
}

/// One host and a state: `{server: CLOSE-WAIT}`.
pub(crate) type HostInState = Spanned<Named<Spanned<Scalar<State>>>>;

/// Which segments: a map, or the control bits alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
    pub(crate) flags: Option<FlagsMatch>,
    pub(crate) payload: Option<PayloadMatch>,
    pub(crate) sequence: Option<u32>,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) state: Option<HostInState>,
    pub(crate) retransmission: Option<bool>,
    pub(crate) keepalive_probe: Option<bool>,
    pub(crate) window_probe: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatchMap {
    from: Opt<String>,
    to: Opt<String>,
    flags: Option<Scalar<FlagsMatch>>,
    payload: Option<Scalar<PayloadMatch>>,
    sequence: Option<Scalar<u32>>,
    acknowledgment: Option<Scalar<u32>>,
    state: Option<HostInState>,
    retransmission: Option<Scalar<Switch>>,
    keepalive_probe: Option<Scalar<Switch>>,
    window_probe: Option<Scalar<Switch>>,
}

impl<'de> Deserialize<'de> for Match {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Match, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Match;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("control bits such as `SYN`, or a map with `from`, `flags`, `payload`, …")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Match, E> {
                told(FlagsMatch::parse(text)).map(|flags| Match { flags: Some(flags), ..Match::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Match, A::Error> {
                let map = MatchMap::deserialize(MapAccessDeserializer::new(map))?;
                let switch = |switch: Option<Scalar<Switch>>| switch.map(|Scalar(Switch(on))| on);
                Ok(Match {
                    from: map.from,
                    to: map.to,
                    flags: map.flags.map(|flags| flags.0),
                    payload: map.payload.map(|payload| payload.0),
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

/// A segment that no host sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Inject {
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
    pub(crate) on: Opt<String>,
    pub(crate) flags: Opt<ControlBits>,
    pub(crate) sequence: Opt<Number>,
    pub(crate) acknowledgment: Opt<Number>,
    pub(crate) payload: Opt<Size>,
    pub(crate) timestamps: Opt<Switch>,
}

/// Exactly these control bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlBits(pub(crate) Flags);

impl Parse for ControlBits {
    const WHAT: &'static str = "control bits such as `RST` or `PSH+ACK`";

    fn parse(text: &str) -> Result<ControlBits, Mistake> {
        match FlagsMatch::parse(text)? {
            FlagsMatch::AtLeast(flags) => Ok(ControlBits(flags)),
            FlagsMatch::Only(_) => Err(expected::<ControlBits>(text)),
        }
    }
}

/// `1025`, `rcv.nxt`, `snd.una - 1`.
impl Parse for Number {
    const WHAT: &'static str = "a number such as `1025` or `rcv.nxt + 100`";

    fn parse(text: &str) -> Result<Number, Mistake> {
        let variable = Base::VARIABLES.into_iter().find(|base| text.starts_with(base.name()));
        let base = variable.ok_or_else(|| expected::<Number>(text))?;
        let rest = text[base.name().len()..].trim();
        let sign = match rest.chars().next() {
            None => return Ok(Number { base, plus: 0 }),
            Some('+') => 1,
            Some('-') => -1,
            Some(_) => return Err(expected::<Number>(text)),
        };
        let number = rest[1..].trim().parse::<u32>().map_err(|_| expected::<Number>(text))?;
        Ok(Number { base, plus: sign * i64::from(number) })
    }

    fn number(number: i128) -> Result<Number, Mistake> {
        let plus = i64::try_from(number).ok().filter(|plus| plus.unsigned_abs() <= u32::MAX.into());
        plus.map(|plus| Number { base: Base::Initial, plus })
            .ok_or_else(|| Mistake::new(format!("{number} is out of range"), "sequence numbers have 32 bits"))
    }
}

/// Whom a partition divides: a list, a map for one way, or one host from all others.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    Between(Vec<Spanned<Scalar<String>>>),
    OneWay(OneWay),
    Isolate(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneWay {
    pub(crate) from: Spanned<Scalar<String>>,
    pub(crate) to: Spanned<Scalar<String>>,
}

impl<'de> Deserialize<'de> for Cut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cut, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Cut;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hosts such as `[client, server]`, or `{from: client, to: server}` for one way")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Cut, E> {
                Ok(Cut::Isolate(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cut, A::Error> {
                let mut hosts = Vec::new();
                while let Some(host) = seq.next_element()? {
                    hosts.push(host);
                }
                Ok(Cut::Between(hosts))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cut, A::Error> {
                OneWay::deserialize(MapAccessDeserializer::new(map)).map(Cut::OneWay)
            }
        }
        deserializer.deserialize_any(Any)
    }
}
