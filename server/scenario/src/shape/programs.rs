//! What the applications do.

use std::fmt;
use std::time::Duration;

use halfopen_tcp::Errno;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DurationOrOff, Given, Keepalive, Named, Opt, OrOff};
use crate::Amount;
use crate::de::Spanned;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::{Destination, Port, Size};

/// A list of steps.
pub(crate) type Steps = Vec<Spanned<Step>>;

/// One program, or several with names.
#[derive(Clone, Debug)]
pub(crate) enum Programs {
    One(Steps),
    Several(Named<Steps>),
}

impl<'de> Deserialize<'de> for Programs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Programs, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Programs;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of steps, or a map from names to lists of steps")
            }
            fn visit_unit<E: Error>(self) -> Result<Programs, E> {
                Ok(Programs::One(Vec::new()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Programs, A::Error> {
                let mut steps = Vec::new();
                while let Some(step) = seq.next_element()? {
                    steps.push(step);
                }
                Ok(Programs::One(steps))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Programs, A::Error> {
                Named::deserialize(MapAccessDeserializer::new(map)).map(Programs::Several)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A step: one word for what is done, and beside it how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Step {
    pub(crate) listen: Given<Scalar<Port>>,
    pub(crate) accept: Given<Scalar<Port>>,
    pub(crate) connect: Given<Scalar<Destination>>,
    pub(crate) send: Given<Payload>,
    pub(crate) receive: Given<Scalar<Amount>>,
    pub(crate) wait: Given<Scalar<Duration>>,
    pub(crate) wait_until: Given<Scalar<Duration>>,
    pub(crate) hold: Given<Nothing>,
    pub(crate) shutdown: Given<Scalar<Direction>>,
    pub(crate) close: Given<Nothing>,
    pub(crate) abort: Given<Nothing>,
    pub(crate) set: Given<Options>,
    pub(crate) on: Opt<String>,
    pub(crate) r#as: Opt<String>,
    pub(crate) port: Opt<Port>,
    pub(crate) backlog: Opt<u32>,
    pub(crate) every: Opt<Duration>,
    pub(crate) times: Opt<u32>,
    pub(crate) error: Opt<Errno>,
    pub(crate) may_fail: Opt<Switch>,
    pub(crate) may_not_happen: Opt<Switch>,
}

/// What has nothing after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nothing;

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nothing, D::Error> {
        Scalar::<Nothing>::deserialize(deserializer).map(|Scalar(nothing)| nothing)
    }
}

impl Parse for Nothing {
    const WHAT: &'static str = "nothing after this word";

    fn parse(text: &str) -> Result<Nothing, Mistake> {
        let mut mistake = expected::<Nothing>(text);
        mistake.help = "write the word alone; `on` says which connection".to_owned();
        Err(mistake)
    }
}

/// Which direction is shut down.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    Write,
    Read,
}

impl Parse for Direction {
    const WHAT: &'static str = "`write` or `read`";

    fn parse(text: &str) -> Result<Direction, Mistake> {
        match text {
            "write" => Ok(Direction::Write),
            "read" => Ok(Direction::Read),
            _ => Err(expected::<Direction>(text)),
        }
    }
}

/// A size, or `{text: …}`.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    Size(Size),
    Text(Spanned<Scalar<String>>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayloadText {
    text: Spanned<Scalar<String>>,
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Payload;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a size such as `1 KiB`, or a map with `text`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Payload, E> {
                let no_size = |mut mistake: Mistake| {
                    if mistake.help.is_empty() {
                        mistake.help = "to send text, write `send: {text: …}`".to_owned();
                    }
                    mistake
                };
                told(Size::parse(text.trim()).map_err(no_size)).map(Payload::Size)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Payload, E> {
                told(Size::number(number.into())).map(Payload::Size)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Payload, A::Error> {
                PayloadText::deserialize(MapAccessDeserializer::new(map))
                    .map(|payload| Payload::Text(payload.text))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Socket options.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Options {
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    pub(crate) nodelay: Opt<Switch>,
    pub(crate) user_timeout: Opt<DurationOrOff>,
    pub(crate) linger: Opt<DurationOrOff>,
    pub(crate) receive_buffer: Opt<Size>,
}
