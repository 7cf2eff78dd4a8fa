//! The shape of the language: what may stand where. Names are not resolved yet.

pub(crate) mod arguments;
pub(crate) mod calls;
pub(crate) mod claims;
mod cuts;
pub(crate) mod expect;
pub(crate) mod faults;
mod forgery;
mod hosts;
mod items;
mod matching;
mod middleboxes;
mod network;
pub(crate) mod options;
mod processes;
pub(crate) mod programs;
mod rewrite;

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::de::Spanned;
use crate::forms::written_as;
use crate::node::Span;
use crate::parse::{Parse, Scalar};

pub(crate) use calls::Call;
pub(crate) use claims::Claim;
pub(crate) use cuts::{BlackHole, Cut};
pub(crate) use expect::{Expect, OrderItem};
pub(crate) use faults::Fault;
pub(crate) use forgery::{ControlBits, Forgery};
pub(crate) use hosts::{
    DelayedAck, DurationOrOff, Host, Keepalive, NoTcp, OrNever, OrOff, Tcp, WindowScaling,
};
pub(crate) use matching::{HostInState, Match};
pub(crate) use middleboxes::{IdleByState, Middlebox, Translates};
pub(crate) use network::{Jitter, Link, Loss, Network, ShortOr};
pub(crate) use processes::Processes;
pub(crate) use programs::{Programs, Step, Steps};
pub(crate) use rewrite::{NewFields, NewWindow};

/// A value that may be left out, with its place.
pub(crate) type Opt<T> = Option<Spanned<Scalar<T>>>;

/// A word that may be given with nothing after it: `accept`.
#[derive(Clone, Debug)]
pub(crate) struct Given<T>(pub(crate) Option<Spanned<Option<T>>>);

impl<T> Default for Given<T> {
    fn default() -> Given<T> {
        Given(None)
    }
}

written_as!(Given<T>: Option<T>);

impl<T> Given<T> {
    /// What stands after the word, if anything does.
    pub(crate) fn inner(&self) -> Option<&T> {
        self.0.as_ref().and_then(|given| given.value.as_ref())
    }

    /// Whether something in it was wrong and has been taken out.
    pub(crate) fn is_pruned(&self) -> bool {
        self.0.as_ref().is_some_and(|given| given.pruned)
    }

    /// Where that stands, or else where `all` does.
    pub(crate) fn span_or(&self, all: Span) -> Span {
        match &self.0 {
            Some(given) if given.value.is_some() => given.span,
            Some(given) if given.key.line > 0 => given.key,
            _ => all,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given<T>, D::Error> {
        Spanned::deserialize(deserializer).map(|spanned| Given(Some(spanned)))
    }
}

/// Something, or a list of these.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMore<T>(pub(crate) Vec<T>);

written_as!(OneOrMore<T>: T, Vec<T>);

impl<'de, T: Parse> Deserialize<'de> for OneOrMore<Scalar<T>> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OneOrMore<Scalar<T>>, D::Error> {
        struct Either<T>(PhantomData<T>);
        impl<'de, T: Parse> Visitor<'de> for Either<T> {
            type Value = OneOrMore<Scalar<T>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}, or a list of these", T::WHAT)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Scalar::deserialize(text.into_deserializer()).map(|one| OneOrMore(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut several = Vec::new();
                while let Some(one) = seq.next_element()? {
                    several.push(one);
                }
                Ok(OneOrMore(several))
            }
        }
        deserializer.deserialize_any(Either(PhantomData))
    }
}

/// A map whose keys are names, in its order.
#[derive(Clone, Debug)]
pub(crate) struct Named<T>(pub(crate) Vec<(Spanned<String>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<T>, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from names such as `{client: …, server: …}`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some((Scalar(name), span)) = next_name(&mut map)? {
                    let name = Spanned { span: span.0, key: span.1, pruned: false, value: name };
                    entries.push((name, map.next_value()?));
                }
                Ok(Named(entries))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Named".into()
    }
    fn schema_id() -> Cow<'static, str> {
        type_name::<Self>().into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<T>()})
    }
}

type Places = (Span, Span);

fn next_name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<(Scalar<String>, Places)>, A::Error> {
    let name: Option<Spanned<Scalar<String>>> = map.next_key()?;
    Ok(name.map(|name| (name.value, (name.span, name.key))))
}

/// A scenario.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    #[schemars(required)]
    /// The name of the scenario, which is that of its file: letters, digits, `-` and `_`.
    pub(crate) scenario: Opt<String>,
    /// One line on what happens.
    pub(crate) title: Opt<String>,
    /// Where the problem and its numbers come from.
    pub(crate) source: Opt<String>,
    #[schemars(required)]
    /// The hosts, by name.
    pub(crate) hosts: Option<Spanned<Named<Spanned<Host>>>>,
    #[serde(default)]
    /// The network between the hosts.
    pub(crate) network: Option<Spanned<Network>>,
    /// What runs on each host: a list of steps, or several lists by name.
    pub(crate) applications: Option<Spanned<Named<Programs>>>,
    #[serde(default)]
    /// What goes wrong.
    pub(crate) faults: Vec<Spanned<Fault>>,
    #[serde(default)]
    /// What somebody outside does, call by call, at exact times. Hosts on which calls are made have no applications.
    pub(crate) calls: Option<Spanned<Vec<Spanned<Call>>>>,
    #[serde(default)]
    /// What must be true of the run.
    pub(crate) expect: Vec<Spanned<Expect>>,
    /// When the run ends. By default it ends when nothing more can happen.
    pub(crate) until: Opt<Duration>,
    #[serde(default)]
    /// When the run is abandoned as unfinished.
    pub(crate) limits: RunLimits,
    #[serde(rename = "variants")]
    /// Variants of the scenario, by name: each is a run. With a matrix: additions to one of its products, `busy+both`.
    _variants: Option<Named<Overlay>>,
    #[serde(rename = "matrix")]
    /// Axes, by name, each with its values, by name: every combination is a run, `busy+both`.
    _matrix: Option<Named<Named<Overlay>>>,
}

/// A document that is laid over another one. That is done before shapes are read, so that only the key is needed here.
#[derive(Clone, Debug)]
pub(crate) struct Overlay;

impl Overlay {
    /// What a variant cannot change.
    pub(crate) const NOT_IN_IT: [&str; 3] = ["scenario", "variants", "matrix"];
}

impl<'de> Deserialize<'de> for Overlay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Overlay, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Overlay)
    }
}

impl JsonSchema for Overlay {
    fn schema_name() -> Cow<'static, str> {
        "Overlay".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Document::json_schema(generator);
        schema.remove("required");
        schema.insert("description".to_owned(), "What differs from the base.".into());
        if let Some(properties) = schema.get_mut("properties").and_then(|found| found.as_object_mut()) {
            properties.retain(|key, _| !Overlay::NOT_IN_IT.contains(&key.as_str()));
        }
        schema
    }
}

/// When a run is abandoned as unfinished.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RunLimits {
    /// The longest virtual time: 24h, or `until` if that is later, by default.
    pub(crate) virtual_time: Opt<Duration>,
    /// The largest number of events: 1,000,000 by default.
    pub(crate) events: Opt<u32>,
}
