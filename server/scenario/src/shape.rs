//! The shape of the language: what may stand where. Names are not resolved yet.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::{Errno, Profile, State};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};

use crate::de::Spanned;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::{Destination, Port, Ports, Probability, Size};
use crate::{Amount, Count, FlagsMatch, KeepaliveOutcome, PayloadMatch, Window};

/// A value that may be left out, with its place.
pub(crate) type Opt<T> = Option<Spanned<Scalar<T>>>;
/// A list of steps.
pub(crate) type Steps = Vec<Spanned<Step>>;

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
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Host {
    pub(crate) profile: Opt<Profile>,
    pub(crate) tcp: Tcp,
    pub(crate) addresses: Vec<Spanned<Scalar<IpAddr>>>,
    pub(crate) ephemeral_ports: Opt<Ports>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Tcp {
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    pub(crate) rto: Rto,
    pub(crate) delayed_ack: Option<OrOff<DelayedAck>>,
    pub(crate) nagle: Opt<Switch>,
    pub(crate) syn_retries: Opt<u32>,
    pub(crate) syn_linear_timeouts: Opt<u32>,
    pub(crate) synack_retries: Opt<u32>,
    pub(crate) retries2: Opt<u32>,
    pub(crate) orphan_retries: Opt<u32>,
    pub(crate) fin_timeout: Opt<OrNever>,
    pub(crate) time_wait: Opt<Duration>,
    pub(crate) reset_ends_time_wait: Opt<Switch>,
    pub(crate) timestamps: Opt<Switch>,
    pub(crate) sack: Opt<Switch>,
    pub(crate) tail_loss_probe: Opt<Switch>,
    pub(crate) window_scaling: Opt<WindowScaling>,
    pub(crate) receive_buffer: Opt<Size>,
    pub(crate) send_buffer: Opt<Size>,
    pub(crate) initial_window: Opt<u32>,
    pub(crate) mss: Opt<Size>,
    pub(crate) mtu: Opt<Size>,
    pub(crate) challenge_ack_interval: Opt<Duration>,
    pub(crate) syn_backlog: Opt<u32>,
    pub(crate) initial_sequence: Opt<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keepalive {
    pub(crate) idle: Opt<Duration>,
    pub(crate) interval: Opt<Duration>,
    pub(crate) probes: Opt<u32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rto {
    pub(crate) initial: Opt<Duration>,
    pub(crate) min: Opt<Duration>,
    pub(crate) max: Opt<Duration>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DelayedAck {
    pub(crate) min: Opt<Duration>,
    pub(crate) max: Opt<Duration>,
    pub(crate) quick: Opt<u32>,
}

/// `on`, `off`, or a map, which is on.
#[derive(Clone, Debug)]
pub(crate) enum OrOff<T> {
    Off,
    On(T),
}

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for OrOff<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<OrOff<T>, D::Error> {
        struct Either<T>(std::marker::PhantomData<T>);
        fn switch<T: Default>(Switch(on): Switch) -> OrOff<T> {
            if on { OrOff::On(T::default()) } else { OrOff::Off }
        }
        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Either<T> {
            type Value = OrOff<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`on`, `off` or a map")
            }
            fn visit_bool<E: Error>(self, on: bool) -> Result<OrOff<T>, E> {
                Ok(switch(Switch(on)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OrOff<T>, E> {
                told(Switch::parse(text)).map(switch)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrOff<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OrOff::On)
            }
        }
        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

/// A duration, or `never`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrNever(pub(crate) Option<Duration>);

impl Parse for OrNever {
    const WHAT: &'static str = "a duration such as `60s`, or `never`";

    fn parse(text: &str) -> Result<OrNever, Mistake> {
        if text == "never" { Ok(OrNever(None)) } else { Duration::parse(text).map(Some).map(OrNever) }
    }

    fn number(number: i128) -> Result<OrNever, Mistake> {
        Duration::number(number).map(Some).map(OrNever)
    }
}

/// A shift from 0 to 14, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowScaling(pub(crate) Option<u8>);

impl Parse for WindowScaling {
    const WHAT: &'static str = "a shift from 0 to 14, or `off`";

    fn parse(text: &str) -> Result<WindowScaling, Mistake> {
        if text == "off" { Ok(WindowScaling(None)) } else { Err(expected::<WindowScaling>(text)) }
    }

    fn boolean(value: bool) -> Result<WindowScaling, Mistake> {
        if value { Err(expected::<WindowScaling>("on")) } else { Ok(WindowScaling(None)) }
    }

    fn number(number: i128) -> Result<WindowScaling, Mistake> {
        match u8::try_from(number) {
            Ok(shift) if shift <= 14 => Ok(WindowScaling(Some(shift))),
            _ => Err(expected::<WindowScaling>(&number.to_string())),
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Network {
    pub(crate) latency: Opt<Duration>,
    pub(crate) jitter: Opt<Duration>,
    pub(crate) mtu: Opt<Size>,
}

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
}

impl Parse for Direction {
    const WHAT: &'static str = "a direction such as `write`";

    fn parse(text: &str) -> Result<Direction, Mistake> {
        if text == "write" { Ok(Direction::Write) } else { Err(expected::<Direction>(text)) }
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
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    pub(crate) nodelay: Opt<Switch>,
}

/// A fault: one word for what goes wrong, and beside it which, when and how.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Fault {
    pub(crate) drop: Given<Match>,
    pub(crate) delay: Given<Match>,
    pub(crate) duplicate: Given<Match>,
    pub(crate) power_loss: Given<Scalar<String>>,
    pub(crate) reboot: Given<Scalar<String>>,
    pub(crate) kill: Given<Scalar<String>>,
    pub(crate) partition: Given<Cut>,
    pub(crate) by: Opt<Duration>,
    pub(crate) copies: Opt<u32>,
    pub(crate) spacing: Opt<Duration>,
    pub(crate) back_after: Opt<Duration>,
    pub(crate) heals_after: Opt<Duration>,
    pub(crate) first: Opt<u32>,
    pub(crate) nth: Opt<u32>,
    pub(crate) every: Opt<u32>,
    pub(crate) probability: Opt<Probability>,
    pub(crate) at: Opt<Duration>,
    pub(crate) between: Option<Spanned<Vec<Scalar<Duration>>>>,
    pub(crate) when: Option<Spanned<Named<Spanned<Scalar<State>>>>>,
    pub(crate) r#for: Opt<Duration>,
    pub(crate) may_not_happen: Opt<Switch>,
}

/// Which segments: a map, or the control bits alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
    pub(crate) flags: Option<FlagsMatch>,
    pub(crate) payload: Option<PayloadMatch>,
    pub(crate) retransmission: Option<bool>,
    pub(crate) keepalive_probe: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatchMap {
    from: Opt<String>,
    to: Opt<String>,
    flags: Option<Scalar<FlagsMatch>>,
    payload: Option<Scalar<PayloadMatch>>,
    retransmission: Option<Scalar<Switch>>,
    keepalive_probe: Option<Scalar<Switch>>,
}

impl<'de> Deserialize<'de> for Match {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Match, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Match;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("control bits such as `SYN`, or a map with `from`, `flags`, `payload`, …")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Match, E> {
                told(FlagsMatch::parse(text)).map(|flags| Match { flags: Some(flags), ..Match::default() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Match, A::Error> {
                let map = MatchMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Match {
                    from: map.from,
                    to: map.to,
                    flags: map.flags.map(|flags| flags.0),
                    payload: map.payload.map(|payload| payload.0),
                    retransmission: map.retransmission.map(|switch| switch.0.0),
                    keepalive_probe: map.keepalive_probe.map(|switch| switch.0.0),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Whom a partition divides: a list, a map for one way, or one host from all others.
#[derive(Clone, Debug)]
pub(crate) enum Cut {
    Between(Vec<Spanned<Scalar<String>>>),
    OneWay(OneWay),
    Isolate(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneWay {
    pub(crate) from: Spanned<Scalar<String>>,
    pub(crate) to: Spanned<Scalar<String>>,
}

impl<'de> Deserialize<'de> for Cut {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Cut, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Cut;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hosts such as `[client, server]`, or `{from: client, to: server}` for one way")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Cut, E> {
                Ok(Cut::Isolate(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cut, A::Error> {
                let mut hosts = Vec::new();
                while let Some(host) = seq.next_element()? {
                    hosts.push(host);
                }
                Ok(Cut::Between(hosts))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cut, A::Error> {
                OneWay::deserialize(MapAccessDeserializer::new(map)).map(Cut::OneWay)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// An expectation: a host and what is claimed of it, or the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expect {
    /// Every host named, with what is claimed of it.
    pub(crate) hosts: Vec<(Spanned<String>, Spanned<Claim>)>,
    pub(crate) segments: Given<Match>,
    pub(crate) count: Opt<Count>,
    pub(crate) at: Opt<Window>,
    pub(crate) within: Opt<Duration>,
}

impl Expect {
    /// Words that no host may have as its name, because they mean something here now or will.
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

/// What is claimed of a host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Claim {
    pub(crate) states: Option<Spanned<Vec<Spanned<Scalar<PathItem>>>>>,
    pub(crate) ends: Opt<State>,
    pub(crate) never: Option<Spanned<OneOrMore>>,
    pub(crate) keepalive: Opt<KeepaliveOutcome>,
    pub(crate) error: Opt<Errno>,
    pub(crate) received: Opt<Size>,
    pub(crate) probes: Opt<u32>,
    pub(crate) after: Opt<Window>,
    pub(crate) at: Opt<Window>,
    pub(crate) within: Opt<Duration>,
    pub(crate) on: Opt<String>,
}

/// A state, or `…` for any states or none.
pub(crate) type PathItem = crate::PathItem;

impl Parse for PathItem {
    const WHAT: &'static str = "a state such as `ESTABLISHED`, or `…` for any";

    fn parse(text: &str) -> Result<PathItem, Mistake> {
        if matches!(text, "…" | "...") {
            Ok(PathItem::Gap)
        } else {
            State::parse(text).map(PathItem::State)
        }
    }
}

/// A state or a list of states.
#[derive(Clone, Debug)]
pub(crate) struct OneOrMore(pub(crate) Vec<State>);

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
