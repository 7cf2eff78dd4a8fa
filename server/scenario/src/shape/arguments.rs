//! What stands after the words of steps.

use std::fmt;

use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::Opt;
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Base64, Mistake, Parse, Scalar, expected, with_help};
use crate::quantity::Size;
use crate::{PollEvent, wording};

written_as!(Nothing: Scalar<Nothing>);

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

    fn schema() -> Schema {
        json_schema!({"type": "null"})
    }

    fn parse(text: &str) -> Result<Nothing, Mistake> {
        let mut mistake = expected::<Nothing>(text);
        mistake.help = "write the word alone; the rest stands beside it".to_owned();
        Err(mistake)
    }
}

/// That a listener is closed, and not a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener;

impl Parse for Listener {
    const WHAT: &'static str = "`listener`, or nothing after this word";

    fn schema() -> Schema {
        forms::words(["listener"])
    }

    fn parse(text: &str) -> Result<Listener, Mistake> {
        if text == "listener" {
            return Ok(Listener);
        }
        let mut mistake = expected::<Listener>(text);
        mistake.help = "to close a connection, write the word alone; `on` says which".to_owned();
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

    fn schema() -> Schema {
        forms::words(["write", "read"])
    }

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

/// Text to send.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PayloadText {
    /// The text.
    text: Spanned<Scalar<String>>,
}

written_as!(Payload: Scalar<Size>, PayloadText);

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
                with_help(Size::parse(text.trim()).map_err(no_size)).map(Payload::Size)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Payload, E> {
                with_help(Size::number(number.into())).map(Payload::Size)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Payload, A::Error> {
                PayloadText::deserialize(MapAccessDeserializer::new(map))
                    .map(|payload| Payload::Text(payload.text))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Data to send.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Octets {
    /// Text.
    pub(crate) text: Opt<String>,
    /// Any data, in base64.
    pub(crate) base64: Opt<Base64>,
}

impl Parse for PollEvent {
    const WHAT: &'static str = "`POLLIN`, `POLLOUT`, `POLLRDHUP`, `POLLHUP` or `POLLERR`";

    fn schema() -> Schema {
        forms::words(PollEvent::ALL.map(PollEvent::name))
    }

    fn parse(text: &str) -> Result<PollEvent, Mistake> {
        // As epoll calls them.
        let name = text.strip_prefix("EPOLL").map_or(text.to_owned(), |rest| format!("POLL{rest}"));
        let found = PollEvent::ALL.into_iter().find(|event| event.name() == text);
        found.ok_or_else(|| {
            let mut mistake = expected::<PollEvent>(text);
            if let Some(help) = wording::suggest(&name, PollEvent::ALL.map(PollEvent::name)) {
                mistake.help = help;
            }
            mistake
        })
    }
}
