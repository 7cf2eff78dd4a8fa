//! What must come out.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

use super::claims::OfHost;
use super::{Given, Match, Named, Opt};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, expected, with_help};
use crate::{Count, Wholeness, Window};

/// An expectation: a claim about a host, the wire or the whole run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename = "expectation", rename_all = "kebab-case")]
#[schemars(untagged)]
pub(crate) enum Expect {
    Segments(Box<Segments>),
    Order(Box<Order>),
    AllClosed(Box<AllClosed>),
    Data(Box<Data>),
    VirtualTime(Box<VirtualTime>),
    /// The claim is about a host, whose name is the key.
    #[serde(rename = "*")]
    Host(Box<OfHost>),
}

impl Expect {
    /// Words that cannot name a host, because they mean something here, or will.
    pub(crate) const KEYS: [&str; 10] = [
        "segments",
        "count",
        "at",
        "within",
        "spacing",
        "order",
        "all-closed",
        "data",
        "virtual-time",
        "not",
    ];
}

/// How many segments were sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Segments {
    /// Segments that hosts sent, whether or not they arrived.
    pub(crate) segments: Given<Match>,
    /// How many of them were sent.
    pub(crate) count: Opt<Count>,
    /// The times from each of them to the next.
    pub(crate) spacing: Option<Spanned<Vec<Spanned<Scalar<Window>>>>>,
    #[serde(rename = "+when")]
    pub(crate) when: WhenSent,
}

/// The order in which segments were sent.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Order {
    /// Of all segments that match any of these, exactly these were sent, in this order; `…` is any number of them.
    pub(crate) order: Given<Vec<Spanned<OrderItem>>>,
    #[serde(rename = "+when")]
    pub(crate) when: WhenSent,
}

/// Everything is closed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AllClosed {
    /// Every connection is closed on every host, or gone with its host.
    pub(crate) all_closed: Given<Scalar<Window>>,
}

/// What became of data.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Data {
    /// Whether everything that applications wrote was read by their peers: all of them, or that of one host.
    pub(crate) data: Given<DataOf>,
}

/// How long the run took.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct VirtualTime {
    /// How much virtual time the run took.
    pub(crate) virtual_time: Given<Scalar<Window>>,
}

/// When the last of the segments was sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct WhenSent {
    /// When the last of them was sent.
    pub(crate) at: Opt<Window>,
    /// The latest time at which the last of them was sent.
    pub(crate) within: Opt<Duration>,
}

/// What became of the data of all hosts, or of one: `{client: incomplete}`.
#[derive(Clone, Debug)]
pub(crate) enum DataOf {
    All(Wholeness),
    Host(Named<Spanned<Scalar<Wholeness>>>),
}

written_as!(DataOf: Scalar<Wholeness>, Named<Spanned<Scalar<Wholeness>>>);

impl<'de> Deserialize<'de> for DataOf {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DataOf, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = DataOf;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`intact`, or a host and what became of its data such as `{client: incomplete}`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<DataOf, E> {
                with_help(Wholeness::parse(text.trim())).map(DataOf::All)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DataOf, A::Error> {
                Named::deserialize(MapAccessDeserializer::new(map)).map(DataOf::Host)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Parse for Wholeness {
    const WHAT: &'static str = "`intact` or `incomplete`";

    fn schema() -> Schema {
        forms::words(["intact", "incomplete"])
    }

    fn parse(text: &str) -> Result<Wholeness, Mistake> {
        match text {
            "intact" => Ok(Wholeness::Intact),
            "incomplete" => Ok(Wholeness::Incomplete),
            _ => Err(expected::<Wholeness>(text)),
        }
    }
}

/// A segment of an order, or `…` for any number of them.
#[derive(Clone, Debug)]
pub(crate) enum OrderItem {
    Segment(Box<Match>),
    Gap,
}

impl OrderItem {
    fn of(matching: Match) -> OrderItem {
        OrderItem::Segment(Box::new(matching))
    }
}

impl JsonSchema for OrderItem {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "OrderItem".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        forms::any_of([forms::words(["…", "..."]), generator.subschema_for::<Match>()])
    }
}

impl<'de> Deserialize<'de> for OrderItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OrderItem, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OrderItem;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("control bits such as `SYN`, a map with `from`, `flags`, …, or `…` for any")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OrderItem, E> {
                match text.trim() {
                    "…" | "..." => Ok(OrderItem::Gap),
                    _ => Match::deserialize(text.into_deserializer()).map(OrderItem::of),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrderItem, A::Error> {
                Match::deserialize(MapAccessDeserializer::new(map)).map(OrderItem::of)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
