//! What must come out on a host.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use halfopen_tcp::{Errno, State};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};

use super::items::items;
use super::{Expect, Given, OneOrMore, Opt, next_name};
use crate::de::Spanned;
use crate::forms;
use crate::parse::{Mistake, Parse, Scalar, Switch};
use crate::quantity::SizeCount;
use crate::{Amount, Count, KeepaliveOutcome, PathItem, Window};

/// A host, by name, with a claim about it.
#[derive(Clone, Debug, Default)]
pub(crate) struct OfHost {
    pub(crate) claims: Vec<(Spanned<String>, Spanned<Claim>)>,
    /// Keys that stand beside the name, and belong to the claim or to another word.
    pub(crate) stray: Vec<Spanned<String>>,
}

impl OfHost {
    /// The words of claims, which are not likely to name a host.
    const CLAIMS: [&str; 7] = ["states", "ends", "never", "keepalive", "error", "received", "tcp-info"];

    /// What may stand beside the words of expectations.
    const BESIDE: [&str; 8] = ["count", "spacing", "at", "within", "on", "some", "probes", "after"];
}

impl JsonSchema for OfHost {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "OfHost".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A host, by name, with a claim about it.",
            "type": "object",
            "propertyNames": {"not": {"enum": Expect::KEYS.to_vec()}},
            "additionalProperties": generator.subschema_for::<Claim>(),
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}

impl<'de> Deserialize<'de> for OfHost {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OfHost, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = OfHost;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map such as `server: {ends: CLOSED}`")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<OfHost, A::Error> {
                let mut of_host = OfHost::default();
                let only = map.size_hint() == Some(1);
                while let Some((Scalar(name), (span, key))) = next_name(&mut map)? {
                    let is_claim = OfHost::CLAIMS.contains(&name.as_str());
                    let is_stray = !only && (is_claim || OfHost::BESIDE.contains(&name.as_str()));
                    let name = Spanned { span, key, pruned: false, value: name };
                    if is_stray {
                        map.next_value::<IgnoredAny>()?;
                        of_host.stray.push(name);
                    } else {
                        let word = name.value.clone();
                        let no_host = |error| match is_claim {
                            true => A::Error::custom(format!(
                                "this claim does not name its host\nname it: `server: {{{word}: …}}`"
                            )),
                            false => error,
                        };
                        of_host.claims.push((name, map.next_value().map_err(no_host)?));
                    }
                }
                Ok(of_host)
            }
        }
        deserializer.deserialize_map(Map)
    }
}

items! {
    /// A claim about a host: one word for what is claimed, and beside it of which connection.
    #[serde(rename = "expectation")]
    enum Claim { all: of: Of = "+of" }

    /// The states of a connection.
    struct States {
        /// It went through exactly these states; `…` is any states.
        pub(crate) states: Given<Vec<Spanned<Scalar<PathItem>>>>,
        #[serde(rename = "+when")]
        pub(crate) when: WhenTrue,
    }

    /// Its last state.
    struct Ends {
        /// Its state when the run ended.
        pub(crate) ends: Given<Scalar<State>>,
        #[serde(rename = "+when")]
        pub(crate) when: WhenTrue,
    }

    /// States that it was never in.
    struct Never {
        /// It was never in this state, or in any of these.
        pub(crate) never: Given<OneOrMore<Scalar<State>>>,
    }

    /// Keepalive.
    struct Keepalive {
        /// What keepalive found out.
        pub(crate) keepalive: Given<Scalar<KeepaliveOutcome>>,
        /// How many probes were sent since anything was last received.
        pub(crate) probes: Opt<u32>,
        /// How long nothing had been received.
        pub(crate) after: Opt<Window>,
        #[serde(rename = "+when")]
        pub(crate) when: WhenTrue,
    }

    /// An error.
    struct Error {
        /// The error that the application got; of a list, any of them.
        pub(crate) error: Given<OneOrMore<Scalar<Errno>>>,
        #[serde(rename = "+when")]
        pub(crate) when: WhenTrue,
    }

    /// What was received.
    struct Received {
        /// The application received exactly this much; with `end`, the end of the stream.
        pub(crate) received: Given<Scalar<Amount>>,
        #[serde(rename = "+when")]
        pub(crate) when: WhenTrue,
    }

    /// What TCP_INFO says.
    struct TcpInfo {
        /// What TCP_INFO and the lengths of its queues say of it at a time.
        pub(crate) tcp_info: Given<Info>,
        /// When.
        pub(crate) at: Opt<Duration>,
    }
}

/// Fields of TCP_INFO.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Info {
    /// The congestion window, in segments.
    pub(crate) cwnd: Opt<Count>,
    /// The slow start threshold, in segments.
    pub(crate) ssthresh: Opt<Count>,
    /// How many segments are sent and not acknowledged.
    pub(crate) unacked: Opt<Count>,
    /// How many of those the peer reported with SACK.
    pub(crate) sacked: Opt<Count>,
    /// How many of those are believed lost.
    pub(crate) lost: Opt<Count>,
    /// How many of those are sent again and still under way.
    pub(crate) retrans: Opt<Count>,
    /// Retransmission timeouts since new data was last acknowledged.
    pub(crate) retransmits: Opt<Count>,
    /// How many segments were sent again in all.
    pub(crate) total_retrans: Opt<Count>,
    /// How many segments the peer has received.
    pub(crate) delivered: Opt<Count>,
    /// How many segments must be delivered after another before it counts as lost.
    pub(crate) reordering: Opt<Count>,
    /// The smoothed round-trip time.
    pub(crate) rtt: Opt<Window>,
    /// The shortest round trip.
    pub(crate) min_rtt: Opt<Window>,
    /// The current retransmission timeout, with its backoff.
    pub(crate) rto: Opt<Window>,
    /// How much was received and not read (SIOCINQ).
    pub(crate) inq: Opt<SizeCount>,
    /// How much was written and not acknowledged (SIOCOUTQ).
    pub(crate) outq: Opt<SizeCount>,
    /// How much was written and never sent (SIOCOUTQNSD).
    pub(crate) notsent: Opt<SizeCount>,
}

/// When a claim became true.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct WhenTrue {
    /// When it became true.
    pub(crate) at: Opt<Window>,
    /// The latest time at which it became true.
    pub(crate) within: Opt<Duration>,
}

/// Which connections a claim is about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Of {
    /// The connection, by name: every connection of the host by default. `pool#3` is the third that was opened as `pool`.
    pub(crate) on: Opt<String>,
    /// Whether it is enough that the claim is true of one of the connections.
    pub(crate) some: Opt<Switch>,
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
