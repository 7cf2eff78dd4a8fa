//! The shape of the language: what may stand where. Names are not resolved yet.

mod expect;
mod faults;
mod hosts;
mod programs;

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::de::Spanned;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;

pub(crate) use expect::{Claim, Expect};
pub(crate) use faults::{ControlBits, Cut, Fault, HostInState, Inject, Match};
pub(crate) use hosts::{DelayedAck, DurationOrOff, Host, Keepalive, OrNever, OrOff, Tcp, WindowScaling};
pub(crate) use programs::{Direction, Payload, Programs, Step, Steps};

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

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Given<T>, D::Error> {
        Spanned::deserialize(deserializer).map(|spanned| Given(Some(spanned)))
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
        struct Entries<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from names")
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
        deserializer.deserialize_map(Entries(std::marker::PhantomData))
    }
}

type Places = (crate::node::Span, crate::node::Span);

fn next_name<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<(Scalar<String>, Places)>, A::Error> {
    let name: Option<Spanned<Scalar<String>>> = map.next_key()?;
    Ok(name.map(|name| (name.value, (name.span, name.key))))
}

/// The whole document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) scenario: Opt<String>,
    pub(crate) title: Opt<String>,
    pub(crate) source: Opt<String>,
    pub(crate) hosts: Option<Spanned<Named<Spanned<Host>>>>,
    #[serde(default)]
    pub(crate) network: Network,
    pub(crate) applications: Option<Spanned<Named<Programs>>>,
    #[serde(default)]
    pub(crate) faults: Vec<Spanned<Fault>>,
    #[serde(default)]
    pub(crate) expect: Vec<Spanned<Expect>>,
    pub(crate) until: Opt<Duration>,
    #[serde(default)]
    pub(crate) limits: RunLimits,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RunLimits {
    pub(crate) virtual_time: Opt<Duration>,
    pub(crate) events: Opt<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    pub(crate) latency: Opt<Duration>,
    pub(crate) jitter: Opt<Duration>,
    pub(crate) mtu: Opt<Size>,
    pub(crate) icmp: Opt<Switch>,
}
