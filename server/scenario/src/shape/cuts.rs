//! What does not get through: large datagrams, or anything between some hosts.

use std::fmt;

use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Opt;
use crate::SizeMatch;
use crate::de::Spanned;
use crate::forms::written_as;
use crate::parse::{Mistake, Parse, Scalar, expected, with_help};
use crate::quantity::Size;

/// Which datagrams vanish: those larger than this, everywhere or in one direction.
#[derive(Clone, Debug)]
pub(crate) struct BlackHole {
    pub(crate) larger_than: Option<u64>,
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
}

/// `larger than 1480 B`.
#[derive(Clone, Copy, Debug)]
struct LargerThan(u64);

impl Parse for LargerThan {
    const WHAT: &'static str = "a lower bound such as `larger than 1480 B`";

    fn schema() -> Schema {
        SizeMatch::schema()
    }

    fn parse(text: &str) -> Result<LargerThan, Mistake> {
        match SizeMatch::parse(text)? {
            SizeMatch::Larger(octets) => Ok(LargerThan(octets)),
            SizeMatch::Exactly(_) | SizeMatch::Smaller(_) => Err(expected::<LargerThan>(text)),
        }
    }
}

/// Datagrams larger than this, in one direction.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BlackHoleMap {
    /// IP datagrams larger than this.
    larger_than: Opt<Size>,
    /// Those sent by this host.
    from: Opt<String>,
    /// Those sent to this host.
    to: Opt<String>,
}

written_as!(BlackHole: Scalar<LargerThan>, BlackHoleMap);

impl<'de> Deserialize<'de> for BlackHole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BlackHole, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BlackHole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`larger than 1480 B`, or a map with `larger-than`, `from` and `to`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<BlackHole, E> {
                let LargerThan(octets) = with_help(LargerThan::parse(text.trim()))?;
                Ok(BlackHole { larger_than: Some(octets), from: None, to: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BlackHole, A::Error> {
                let map = BlackHoleMap::deserialize(MapAccessDeserializer::new(map))?;
                let larger_than = map.larger_than.map(|size| size.value.0.0);
                Ok(BlackHole { larger_than, from: map.from, to: map.to })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Whom a partition separates: a list of hosts, a map for one direction, or one host from all others.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    Between(Vec<Spanned<Scalar<String>>>),
    OneWay(OneWay),
    Isolate(String),
}

/// One direction only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneWay {
    /// The host whose segments are lost.
    pub(crate) from: Spanned<Scalar<String>>,
    /// The host that does not receive them.
    pub(crate) to: Spanned<Scalar<String>>,
}

written_as!(Cut: Scalar<String>, Vec<Scalar<String>>, OneWay);

impl<'de> Deserialize<'de> for Cut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cut, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Cut;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "hosts such as `[client, server]`, or `{from: client, to: server}` for one direction",
                )
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
