//! Processes of a host.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::Named;
use crate::de::Spanned;
use crate::forms::written_as;
use crate::parse::Scalar;

/// All processes of a host, or one of its lists of steps: `server`, `{server: old}`.
#[derive(Clone, Debug)]
pub(crate) enum Processes {
    OfHost(String),
    OfList(Named<Spanned<Scalar<String>>>),
}

written_as!(Processes: Scalar<String>, Named<Scalar<String>>);

impl<'de> Deserialize<'de> for Processes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Processes, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Processes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a host such as `server`, or a host and one of its lists such as `{server: old}`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Processes, E> {
                Ok(Processes::OfHost(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Processes, A::Error> {
                Named::deserialize(MapAccessDeserializer::new(map)).map(Processes::OfList)
            }
        }
        deserializer.deserialize_any(Either)
    }
}
