//! What the applications do.

use std::fmt;
use std::time::Duration;

use halfopen_tcp::Errno;
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{DurationOrOff, Given, Keepalive, Named, Opt, OrOff};
use crate::Amount;
use crate::address::{Destination, Port};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::Size;

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

written_as!(Programs: Steps, Named<Steps>);

/// A step: one word for what is done, and beside it how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
#[schemars(transform = Step::or_a_word)]
pub(crate) struct Step {
    /// Opens a port.
    pub(crate) listen: Given<Scalar<Port>>,
    /// Waits for a connection and takes it; the port is needed if several are open.
    pub(crate) accept: Given<Scalar<Port>>,
    /// Opens a connection to a host or an address.
    pub(crate) connect: Given<Scalar<Destination>>,
    /// Sends so many octets, or a text.
    pub(crate) send: Given<Payload>,
    /// Receives exactly so much; with nothing, whatever comes next; with `end`, until the end of the stream or an error.
    pub(crate) receive: Given<Scalar<Amount>>,
    /// A heartbeat: sends so many octets and wants as many back.
    pub(crate) ping: Given<Scalar<Size>>,
    /// Does these steps again and again.
    pub(crate) repeat: Given<Steps>,
    /// Does nothing for so long.
    pub(crate) wait: Given<Scalar<Duration>>,
    /// Does nothing until that time of the run.
    pub(crate) wait_until: Given<Scalar<Duration>>,
    /// Does nothing for ever. The last step.
    pub(crate) hold: Given<Nothing>,
    /// Closes one direction of the connection.
    pub(crate) shutdown: Given<Scalar<Direction>>,
    /// Is done with the connection.
    pub(crate) close: Given<Nothing>,
    /// Resets the connection.
    pub(crate) abort: Given<Nothing>,
    /// Sets socket options.
    pub(crate) set: Given<Options>,
    /// Which connection, if the program has several.
    pub(crate) on: Opt<String>,
    /// What the new connection is called.
    pub(crate) r#as: Opt<String>,
    /// The local port of the connection.
    pub(crate) port: Opt<Port>,
    /// How many connections may wait for `accept`.
    pub(crate) backlog: Opt<u32>,
    /// From the start of one time, round or ping to the start of the next.
    pub(crate) every: Opt<Duration>,
    /// How often.
    pub(crate) times: Opt<u32>,
    /// How long the step waits at most.
    pub(crate) timeout: Opt<Duration>,
    /// The error with which the step must fail.
    pub(crate) error: Opt<Errno>,
    /// Whether the step may fail.
    pub(crate) may_fail: Opt<Switch>,
    /// Whether the step may still be undone when the run ends.
    pub(crate) may_not_happen: Opt<Switch>,
}

impl Step {
    /// The words that need nothing beside them.
    const ALONE: [&str; 5] = ["accept", "receive", "hold", "close", "abort"];

    /// `- accept` is `- {accept: }`.
    fn or_a_word(schema: &mut Schema) {
        let description = schema.remove("description");
        *schema = forms::any_of([forms::words(Step::ALONE), std::mem::take(schema)]);
        schema.insert("description".to_owned(), description.into());
    }
}

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

/// Options of a socket.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Options {
    /// Whether this connection asks now and then if the peer is still there, and how.
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    /// Whether small segments are sent at once.
    pub(crate) nodelay: Opt<Switch>,
    /// How long data may stay unacknowledged.
    pub(crate) user_timeout: Opt<DurationOrOff>,
    /// How long `close` waits for the last acknowledgment; with `0s` it is a reset.
    pub(crate) linger: Opt<DurationOrOff>,
    /// Room for what was received and not yet read.
    pub(crate) receive_buffer: Opt<Size>,
    /// Room for what was sent and is not acknowledged.
    pub(crate) send_buffer: Opt<Size>,
}
