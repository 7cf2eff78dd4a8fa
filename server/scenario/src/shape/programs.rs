//! What the applications do.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::Errno;
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::arguments::{Direction, Listener, Nothing, Payload};
use super::items::items;
use super::options::Options;
use super::{Given, Named, OneOrMore, Opt};
use crate::address::{Destination, Port};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::{Amount, OnEnd, PollEvent};

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

items! {
    /// A step: one word for what is done, and beside it how.
    #[schemars(transform = Step::or_a_word)]
    enum Step { all: completion: Completion = "+completion" }

    /// Opens a port.
    struct Listen {
        /// Opens a port.
        pub(crate) listen: Given<Scalar<Port>>,
        /// How many connections may wait for `accept`: 4096 by default.
        pub(crate) backlog: Opt<u32>,
        /// Whether the port may be that of earlier connections, as with SO_REUSEADDR: `on` by default.
        pub(crate) reuse_address: Opt<Switch>,
        /// The socket options that its connections inherit.
        pub(crate) set: Option<Spanned<Options>>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Accepts a connection.
    struct Accept {
        /// Waits for a connection and accepts it. The port is needed if several are open.
        pub(crate) accept: Given<Scalar<Port>>,
        /// The name of the new connection.
        pub(crate) r#as: Opt<String>,
        /// The longest time the step may wait.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Opens a connection.
    struct Connect {
        /// Opens a connection to a host or an address.
        pub(crate) connect: Given<Scalar<Destination>>,
        /// The name of the new connection.
        pub(crate) r#as: Opt<String>,
        /// The local address of the connection: by default, the first of the host.
        pub(crate) from: Opt<IpAddr>,
        /// The local port of the connection: any by default.
        pub(crate) port: Opt<Port>,
        /// Socket options that are set before the connection is opened.
        pub(crate) set: Option<Spanned<Options>>,
        /// The longest time the step may wait.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Sends data.
    struct Send {
        /// Sends data of this size, or a text.
        pub(crate) send: Given<Payload>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        /// The time from the start of one transmission to the start of the next.
        pub(crate) every: Opt<Duration>,
        /// How many times it sends: 1 by default.
        pub(crate) times: Opt<u32>,
        /// Whether a segment that is not full waits for more (MSG_MORE).
        pub(crate) more: Opt<Switch>,
        /// Whether the data ends a record, beyond which no segment goes (MSG_EOR).
        pub(crate) end_of_record: Opt<Switch>,
        /// The longest time the step may wait.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Receives data.
    struct Receive {
        /// Receives exactly this much; with nothing, whatever comes next; with `end`, until the end of the stream or an error.
        pub(crate) receive: Given<Scalar<Amount>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        /// The longest time the step may wait.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Waits until a connection is ready.
    struct Poll {
        /// Waits until one of these events is there, or POLLHUP or POLLERR.
        pub(crate) poll: Given<OneOrMore<Scalar<PollEvent>>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        /// The longest time the step may wait.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Sends heartbeats.
    struct Ping {
        /// A heartbeat: sends data of this size and expects as much in return.
        pub(crate) ping: Given<Scalar<Size>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        /// The time from the start of one heartbeat to the start of the next.
        pub(crate) every: Opt<Duration>,
        /// How many heartbeats it sends: without end by default.
        pub(crate) times: Opt<u32>,
        /// The longest time each heartbeat may wait for its answer.
        pub(crate) timeout: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Passes data on.
    struct Relay {
        /// Passes on what arrives on one of two connections to the other, both ways, and closes both at the end: a proxy.
        pub(crate) relay: Given<Vec<Spanned<Scalar<String>>>>,
        /// What it does when one stream ends: it half-closes the other connection (`passed`, the default), or closes both.
        pub(crate) half_close: Opt<OnEnd>,
        /// What it does when one connection fails: it resets the other (`passed`, the default), or closes both.
        pub(crate) reset: Opt<OnEnd>,
        /// How long nothing may be passed on before it closes both: forever by default.
        pub(crate) idle: Opt<Duration>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Repeats steps.
    struct Repeat {
        /// Repeats these steps.
        pub(crate) repeat: Given<Steps>,
        /// The time from the start of one round to the start of the next.
        pub(crate) every: Opt<Duration>,
        /// The number of rounds: without end by default.
        pub(crate) times: Opt<u32>,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Waits.
    struct Wait {
        /// Waits this long.
        pub(crate) wait: Given<Scalar<Duration>>,
    }

    /// Waits until a time.
    struct WaitUntil {
        /// Waits until this time of the run.
        pub(crate) wait_until: Given<Scalar<Duration>>,
    }

    /// Waits forever.
    struct Hold {
        /// Waits forever and keeps every connection. Always the last step.
        #[expect(dead_code, reason = "the word says all")]
        pub(crate) hold: Given<Nothing>,
    }

    /// Closes one direction.
    struct Shutdown {
        /// Closes one direction of the connection.
        pub(crate) shutdown: Given<Scalar<Direction>>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
        #[serde(rename = "+failure")]
        pub(crate) failure: MayFail,
    }

    /// Closes a socket.
    struct Close {
        /// Closes the connection; with `listener`, the listener.
        pub(crate) close: Given<Scalar<Listener>>,
        /// The port of the listener, if the program has several.
        pub(crate) port: Opt<Port>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }

    /// Aborts a connection.
    struct Abort {
        /// Resets the connection.
        #[expect(dead_code, reason = "the word says all")]
        pub(crate) abort: Given<Nothing>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }

    /// Sets socket options.
    struct Set {
        /// Sets socket options.
        pub(crate) set: Given<Options>,
        #[serde(rename = "+on")]
        pub(crate) on: On,
    }
}

/// Which connection a step is about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct On {
    /// The connection, if the program has several, or uses one that another program of the host opens.
    pub(crate) on: Opt<String>,
}

/// What it means if a step fails.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) struct MayFail {
    /// The error with which the step must fail; of a list, any of them.
    pub(crate) error: Option<Spanned<OneOrMore<Scalar<Errno>>>>,
    /// Whether the step may fail.
    pub(crate) may_fail: Opt<Switch>,
}

/// What it means if a step is not done when the run ends.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(crate) struct Completion {
    /// Whether the run may pass if the step is not completed.
    pub(crate) may_not_happen: Opt<Switch>,
}

impl Step {
    /// The words that need nothing beside them.
    const ALONE: [&str; 5] = ["accept", "receive", "hold", "close", "abort"];

    /// `- accept` is `- {accept: }`.
    fn or_a_word(schema: &mut Schema) {
        let words = forms::words(Step::ALONE).to_value();
        if let Some(forms) = schema.get_mut("anyOf").and_then(|forms| forms.as_array_mut()) {
            forms.insert(0, words);
        }
    }

    /// What it means if it fails, if it can.
    pub(crate) fn failure(&self) -> Option<&MayFail> {
        match self {
            Step::Listen(it) => Some(&it.failure),
            Step::Accept(it) => Some(&it.failure),
            Step::Connect(it) => Some(&it.failure),
            Step::Send(it) => Some(&it.failure),
            Step::Receive(it) => Some(&it.failure),
            Step::Poll(it) => Some(&it.failure),
            Step::Ping(it) => Some(&it.failure),
            Step::Relay(it) => Some(&it.failure),
            Step::Repeat(it) => Some(&it.failure),
            Step::Shutdown(it) => Some(&it.failure),
            Step::Wait(_) | Step::WaitUntil(_) | Step::Hold(_) => None,
            Step::Close(_) | Step::Abort(_) | Step::Set(_) => None,
        }
    }

    /// How long it may wait, if that is said.
    pub(crate) fn timeout(&self) -> Option<&Spanned<Scalar<Duration>>> {
        match self {
            Step::Accept(it) => it.timeout.as_ref(),
            Step::Connect(it) => it.timeout.as_ref(),
            Step::Send(it) => it.timeout.as_ref(),
            Step::Receive(it) => it.timeout.as_ref(),
            Step::Poll(it) => it.timeout.as_ref(),
            Step::Ping(it) => it.timeout.as_ref(),
            Step::Listen(_) | Step::Relay(_) | Step::Repeat(_) => None,
            Step::Wait(_) | Step::WaitUntil(_) | Step::Hold(_) => None,
            Step::Shutdown(_) | Step::Close(_) | Step::Abort(_) | Step::Set(_) => None,
        }
    }

    /// The steps within it.
    pub(crate) fn body(&self) -> Option<&Steps> {
        if let Step::Repeat(word) = self { word.repeat.inner() } else { None }
    }
}
