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
use crate::parse::{Parse, Scalar, Switch, with_help};
use crate::quantity::{Bandwidth, LossRate, Probability, Size};
use crate::{Distribution, Queue};

/// The network between the hosts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    /// The one-way latency: 1ms by default.
    pub(crate) latency: Opt<Duration>,
    /// The largest deviation from the latency, uniformly distributed; or a map.
    pub(crate) jitter: Option<Spanned<ShortOr<Duration, Jitter>>>,
    /// The bandwidth, of whole IP datagrams: unlimited by default.
    pub(crate) bandwidth: Opt<Bandwidth>,
    /// How much may wait for transmission; what arrives when the queue is full is lost. 1000 segments by default.
    pub(crate) queue: Opt<Queue>,
    /// The probability that a segment is lost; or a map.
    pub(crate) loss: Option<Spanned<ShortOr<LossRate, Loss>>>,
    /// The largest IP datagram that gets through: 1500 B by default.
    pub(crate) mtu: Opt<Size>,
    /// Whether hosts are on one LAN, and must find each other there (ARP) before they can send: `off` by default.
    pub(crate) neighbours: Opt<Switch>,
    /// Whether routers report what they cannot deliver: `on` by default.
    pub(crate) icmp: Opt<Switch>,
    /// Links that differ. A later item overrides an earlier one.
    pub(crate) links: Vec<Spanned<Link>>,
    /// The middleboxes, by name. They keep state of connections.
    pub(crate) middleboxes: Option<Spanned<Named<Spanned<Middlebox>>>>,
}

/// Links that differ.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Link {
    /// The links from this host.
    pub(crate) from: Opt<String>,
    /// The links to this host.
    pub(crate) to: Opt<String>,
    /// The links between these hosts, in both directions.
    pub(crate) between: Option<Spanned<Vec<Spanned<Scalar<String>>>>>,
    /// The one-way latency: 1ms by default.
    pub(crate) latency: Opt<Duration>,
    /// The largest deviation from the latency, uniformly distributed; or a map.
    pub(crate) jitter: Option<Spanned<ShortOr<Duration, Jitter>>>,
    /// The bandwidth, of whole IP datagrams: unlimited by default.
    pub(crate) bandwidth: Opt<Bandwidth>,
    /// How much may wait for transmission; what arrives when the queue is full is lost. 1000 segments by default.
    pub(crate) queue: Opt<Queue>,
    /// The probability that a segment is lost; or a map.
    pub(crate) loss: Option<Spanned<ShortOr<LossRate, Loss>>>,
    /// The largest IP datagram that gets through: 1500 B by default.
    pub(crate) mtu: Opt<Size>,
    /// Whether hosts are on one LAN, and must find each other there (ARP) before they can send: `off` by default.
    pub(crate) neighbours: Opt<Switch>,
}

/// How much the latency varies.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Jitter {
    /// The most that a segment may be late and, with `even` or `normal`, early.
    pub(crate) most: Opt<Duration>,
    /// How delays are distributed: `even` (uniform) by default.
    pub(crate) distribution: Opt<Distribution>,
}

/// Random loss.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Loss {
    /// Loss in bursts.
    pub(crate) bursts: Option<Spanned<Bursts>>,
}

/// Bursty loss (Gilbert and Elliott). The mean is (begin × during + end × between) / (begin + end).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Bursts {
    /// The probability that a burst begins with a segment.
    pub(crate) begin: Opt<Probability>,
    /// The probability that a burst ends with a segment.
    pub(crate) end: Opt<Probability>,
    /// The probability that a segment is lost during a burst: 100% by default.
    pub(crate) during: Opt<Probability>,
    /// The probability that a segment is lost between bursts: zero by default.
    pub(crate) between: Opt<Probability>,
}

/// A short form for what is usual, or a map for the rest.
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
                with_help(S::parse(text.trim())).map(ShortOr::Short)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<ShortOr<S, L>, E> {
                with_help(S::number(number.into())).map(ShortOr::Short)
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<ShortOr<S, L>, E> {
                with_help(S::number(number.into())).map(ShortOr::Short)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<ShortOr<S, L>, E> {
                with_help(S::parse(&format!("{number:?}"))).map(ShortOr::Short)
            }
            fn visit_bool<E: Error>(self, value: bool) -> Result<ShortOr<S, L>, E> {
                with_help(S::boolean(value)).map(ShortOr::Short)
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
