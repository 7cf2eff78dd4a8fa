//! What must come out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use halfopen_tcp::{Errno, State};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use super::{Given, Match, Opt, next_name};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, expected};
use crate::quantity::Size;
use crate::{Count, KeepaliveOutcome, PathItem, Window};

/// An expectation: a claim about a host, the wire or the whole run.
#[derive(Clone, Debug, Default, JsonSchema)]
#[schemars(default, rename_all = "kebab-case")]
pub(crate) struct Expect {
    /// A host, by name, with a claim about it.
    #[schemars(flatten, with = "BTreeMap<String, Claim>")]
    pub(crate) hosts: Vec<(Spanned<String>, Spanned<Claim>)>,
    /// Segments that hosts sent, whether or not they arrived.
    pub(crate) segments: Given<Match>,
    /// How many of them were sent.
    pub(crate) count: Opt<Count>,
    /// The times from each of them to the next.
    pub(crate) spacing: Option<Spanned<Vec<Spanned<Scalar<Window>>>>>,
    /// Of all segments that match any of these, exactly these were sent, in this order; `…` is any number of them.
    pub(crate) order: Option<Spanned<Vec<Spanned<OrderItem>>>>,
    /// Every connection is closed on every host, or gone with its host.
    pub(crate) all_closed: Given<Scalar<Window>>,
    /// Everything that applications wrote was read by their peers.
    pub(crate) data: Opt<Intact>,
    /// How much virtual time the run took.
    pub(crate) virtual_time: Opt<Window>,
    /// When the last of them was sent.
    pub(crate) at: Opt<Window>,
    /// The latest time at which the last of them was sent.
    pub(crate) within: Opt<Duration>,
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

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expect, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Expect;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map such as `server: {ends: CLOSED}`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Expect, A::Error> {
                let mut expect = Expect::default();
                while let Some((Scalar(name), (span, key))) = next_name(&mut map)? {
                    match name.as_str() {
                        "segments" => expect.segments = map.next_value()?,
                        "count" => expect.count = map.next_value()?,
                        "spacing" => expect.spacing = map.next_value()?,
                        "order" => expect.order = map.next_value()?,
                        "all-closed" => expect.all_closed = map.next_value()?,
                        "data" => expect.data = map.next_value()?,
                        "virtual-time" => expect.virtual_time = map.next_value()?,
                        "at" => expect.at = map.next_value()?,
                        "within" => expect.within = map.next_value()?,
                        _ => {
                            let name = Spanned { span, key, pruned: false, value: name };
                            expect.hosts.push((name, map.next_value()?));
                        }
                    }
                }
                Ok(expect)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// A claim about a host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claim {
    /// It went through exactly these states; `…` is any states.
    pub(crate) states: Option<Spanned<Vec<Spanned<Scalar<PathItem>>>>>,
    /// Its state when the run ended.
    pub(crate) ends: Opt<State>,
    /// It was never in this state, or in any of these.
    pub(crate) never: Option<Spanned<OneOrMore>>,
    /// What keepalive found out.
    pub(crate) keepalive: Opt<KeepaliveOutcome>,
    /// The error that the application got.
    pub(crate) error: Opt<Errno>,
    /// How much the application got.
    pub(crate) received: Opt<Size>,
    /// How many probes were sent since anything was last received.
    pub(crate) probes: Opt<u32>,
    /// How long nothing had been received.
    pub(crate) after: Opt<Window>,
    /// When it became true.
    pub(crate) at: Opt<Window>,
    /// The latest time at which it became true.
    pub(crate) within: Opt<Duration>,
    /// The connection, by name: every connection of the host by default.
    pub(crate) on: Opt<String>,
}

impl Parse for PathItem {
    const WHAT: &'static str = "a state such as `ESTABLISHED`, or `…` for any";

    fn schema() -> Schema {
        forms::any_of([forms::words(["…", "..."]), State::schema()])
    }

    fn parse(text: &str) -> Result<PathItem, Mistake> {
        if matches!(text, "…" | "...") {
            Ok(PathItem::Gap)
        } else {
            State::parse(text).map(PathItem::State)
        }
    }
}

/// `intact`, the one thing that data can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Intact;

impl Parse for Intact {
    const WHAT: &'static str = "`intact`";

    fn schema() -> Schema {
        forms::words(["intact"])
    }

    fn parse(text: &str) -> Result<Intact, Mistake> {
        if text == "intact" { Ok(Intact) } else { Err(expected::<Intact>(text)) }
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

/// A state or a list of states.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMore(pub(crate) Vec<State>);

written_as!(OneOrMore: Scalar<State>, Vec<Scalar<State>>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMore, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = OneOrMore;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a state or a list of states")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OneOrMore, E> {
                Scalar::deserialize(text.into_deserializer()).map(|Scalar(state)| OneOrMore(vec![state]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMore, A::Error> {
                let mut states = Vec::new();
                while let Some(Scalar(state)) = seq.next_element()? {
                    states.push(state);
                }
                Ok(OneOrMore(states))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
