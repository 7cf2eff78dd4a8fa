//! What lies between the hosts.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Middlebox, Named, Opt};
use crate::de::Spanned;
use crate::forms;
use crate::parse::{Parse, Scalar, Switch, told};
use crate::quantity::{Bandwidth, LossRate, Probability, Size};
use crate::{Distribution, Queue};

/// What lies between the hosts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    /// How long a segment is under way, one way: 1 ms if nothing is said.
    pub(crate) latency: Opt<Duration>,
    /// At most so much more or less than the latency, evenly spread; or a map.
    pub(crate) jitter: Option<Spanned<ShortOr<Duration, Jitter>>>,
    /// Of whole IP datagrams; without it, transmitting takes no time.
    pub(crate) bandwidth: Opt<Bandwidth>,
    /// How much may wait to be transmitted; what finds no room is lost. 1000 segments if nothing is said.
    pub(crate) queue: Opt<Queue>,
    /// The probability that a segment is lost; or a map.
    pub(crate) loss: Option<Spanned<ShortOr<LossRate, Loss>>>,
    /// The largest IP datagram that gets through.
    pub(crate) mtu: Opt<Size>,
    /// Whether routers tell senders what they could not deliver: `on` if nothing is said.
    pub(crate) icmp: Opt<Switch>,
    /// What is different about some links; laid over one another in this order.
    pub(crate) links: Vec<Spanned<Link>>,
    /// What stands on the way and keeps state of connections, by name.
    pub(crate) middleboxes: Option<Spanned<Named<Spanned<Middlebox>>>>,
}

/// What is different about some links.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Link {
    /// The links from this host.
    pub(crate) from: Opt<String>,
    /// The links to this host.
    pub(crate) to: Opt<String>,
    /// The links between these hosts, in both directions.
    pub(crate) between: Option<Spanned<Vec<Spanned<Scalar<String>>>>>,
    /// How long a segment is under way, one way: 1 ms if nothing is said.
    pub(crate) latency: Opt<Duration>,
    /// At most so much more or less than the latency, evenly spread; or a map.
    pub(crate) jitter: Option<Spanned<ShortOr<Duration, Jitter>>>,
    /// Of whole IP datagrams; without it, transmitting takes no time.
    pub(crate) bandwidth: Opt<Bandwidth>,
    /// How much may wait to be transmitted; what finds no room is lost. 1000 segments if nothing is said.
    pub(crate) queue: Opt<Queue>,
    /// The probability that a segment is lost; or a map.
    pub(crate) loss: Option<Spanned<ShortOr<LossRate, Loss>>>,
    /// The largest IP datagram that gets through.
    pub(crate) mtu: Opt<Size>,
}

/// How much the latency varies.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Jitter {
    /// The most that a segment is late, and, if `even` or `normal`, early.
    pub(crate) most: Opt<Duration>,
    /// How delays are spread: `even` if nothing is said.
    pub(crate) distribution: Opt<Distribution>,
}

/// What is lost by chance.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Loss {
    /// It comes in bursts.
    pub(crate) bursts: Option<Spanned<Bursts>>,
}

/// Loss that comes in bursts (Gilbert and Elliott): in the long run, (begin × during + end × between) / (begin + end).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Bursts {
    /// That a burst begins with a segment.
    pub(crate) begin: Opt<Probability>,
    /// That a burst is over with a segment.
    pub(crate) end: Opt<Probability>,
    /// That a segment is lost during a burst: 100% if nothing is said.
    pub(crate) during: Opt<Probability>,
    /// That a segment is lost between bursts: never if nothing is said.
    pub(crate) between: Opt<Probability>,
}

/// What is mostly said in short, or a map that says more.
#[derive(Clone, Debug)]
pub(crate) enum ShortOr<S, L> {
    Short(S),
    Long(L),
}

impl<'de, S: Parse, L: Deserialize<'de>> Deserialize<'de> for ShortOr<S, L> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ShortOr<S, L>, D::Error> {
        struct Either<S, L>(PhantomData<(S, L)>);
        impl<'de, S: Parse, L: Deserialize<'de>> Visitor<'de> for Either<S, L> {
            type Value = ShortOr<S, L>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(S::WHAT)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<ShortOr<S, L>, E> {
                told(S::parse(text.trim())).map(ShortOr::Short)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<ShortOr<S, L>, E> {
                told(S::number(number.into())).map(ShortOr::Short)
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<ShortOr<S, L>, E> {
                told(S::number(number.into())).map(ShortOr::Short)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<ShortOr<S, L>, E> {
                told(S::parse(&format!("{number:?}"))).map(ShortOr::Short)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<ShortOr<S, L>, E> {
                told(S::boolean(value)).map(ShortOr::Short)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ShortOr<S, L>, A::Error> {
                L::deserialize(MapAccessDeserializer::new(map)).map(ShortOr::Long)
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl<S: Parse, L: JsonSchema> JsonSchema for ShortOr<S, L> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "ShortOr".into()
    }
    fn schema_id() -> Cow<'static, str> {
        type_name::<Self>().into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        forms::any_of([generator.subschema_for::<Scalar<S>>(), generator.subschema_for::<L>()])
    }
}
