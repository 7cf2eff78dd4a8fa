//! What goes wrong.

use std::fmt;
use std::time::Duration;

use halfopen_tcp::{Flags, State};
use schemars::{JsonSchema, Schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Given, Named, NewFields, Opt};
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::{Probability, Size};
use crate::{Base, Field, FlagsMatch, Number, PayloadMatch, SizeMatch, Unreachable};

/// A fault: one word for what goes wrong, and beside it which, when and how.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Fault {
    /// These segments are lost.
    pub(crate) drop: Given<Match>,
    /// These segments take longer.
    pub(crate) delay: Given<Match>,
    /// These segments arrive more than once.
    pub(crate) duplicate: Given<Match>,
    /// These segments arrive after later ones.
    pub(crate) reorder: Given<Match>,
    /// Bits of these segments are flipped on the way, so that their checksum is wrong.
    pub(crate) corrupt: Given<Match>,
    /// Fields of these segments are rewritten on the way.
    pub(crate) rewrite: Given<Match>,
    /// These segments are lost, and a router tells their sender by ICMP.
    pub(crate) unreachable: Given<Match>,
    /// A segment that no host sent arrives.
    pub(crate) inject: Given<Inject>,
    /// This host or middlebox is gone without a word.
    pub(crate) power_loss: Given<Scalar<String>>,
    /// This host or middlebox is gone, and comes back knowing nothing.
    pub(crate) reboot: Given<Scalar<String>>,
    /// The processes of this host die; its kernel closes their sockets.
    pub(crate) kill: Given<Scalar<String>>,
    /// The processes of this host do nothing any more; its kernel goes on.
    pub(crate) freeze: Given<Scalar<String>>,
    /// This whole host does nothing any more.
    pub(crate) pause: Given<Scalar<String>>,
    /// The clock of this host goes forward.
    pub(crate) clock_jump: Given<Scalar<String>>,
    /// The cable of this host is out.
    pub(crate) cable_pull: Given<Scalar<String>>,
    /// IP datagrams larger than this vanish.
    pub(crate) blackhole: Given<BlackHole>,
    /// Nothing gets through between these hosts; from one to the other; or between one and all others.
    pub(crate) partition: Given<Cut>,
    /// This middlebox loses the state of all connections.
    pub(crate) forget: Given<Scalar<String>>,
    /// This middlebox lets no new connection pass.
    pub(crate) blocks_new: Given<Scalar<String>>,
    /// How much longer they take; how far a clock goes forward.
    pub(crate) by: Opt<Duration>,
    /// How many more of each arrive.
    pub(crate) copies: Opt<u32>,
    /// From one copy to the next.
    pub(crate) spacing: Opt<Duration>,
    /// After how many later ones of the same way.
    pub(crate) behind: Opt<u32>,
    /// How many neighbouring bits are flipped, at most 15.
    pub(crate) bits: Opt<u32>,
    /// The part of the segment whose bits are flipped; any if nothing is said.
    pub(crate) field: Opt<Field>,
    /// What is rewritten.
    pub(crate) set: Option<Spanned<NewFields>>,
    /// What the router says that it can not reach: `host` if nothing is said.
    pub(crate) code: Opt<Unreachable>,
    /// With `code: fragmentation-needed`: the MTU that the router tells.
    pub(crate) mtu: Opt<Size>,
    /// How long it is gone.
    pub(crate) back_after: Opt<Duration>,
    /// How long it lasts.
    pub(crate) heals_after: Opt<Duration>,
    /// How long it stands still.
    pub(crate) resumes_after: Opt<Duration>,
    /// Whether the clock of a paused host runs on: `runs` if nothing is said.
    pub(crate) clock: Opt<PausedClock>,
    /// How long the cable is out.
    pub(crate) replug_after: Opt<Duration>,
    /// How long it lets none pass.
    pub(crate) unblocks_after: Opt<Duration>,
    /// How many are let through first.
    pub(crate) skip: Opt<u32>,
    /// Only so many of them.
    pub(crate) first: Opt<u32>,
    /// Only this one of them, counted from 1.
    pub(crate) nth: Opt<u32>,
    /// Only each so-manieth of them.
    pub(crate) every: Opt<u32>,
    /// Each of them with this probability.
    pub(crate) probability: Opt<Probability>,
    /// When it happens; for segments, from when on.
    pub(crate) at: Opt<Duration>,
    /// From when until when.
    pub(crate) between: Option<Spanned<Vec<Scalar<Duration>>>>,
    /// While this host has a connection in this state.
    pub(crate) when: Option<HostInState>,
    /// Once the state has lasted so long.
    pub(crate) r#for: Opt<Duration>,
    /// Whether it is fine if this never happens.
    pub(crate) may_not_happen: Opt<Switch>,
}

/// One host and a state: `{server: CLOSE-WAIT}`.
pub(crate) type HostInState = Spanned<Named<Spanned<Scalar<State>>>>;

/// Which segments: a map, or the control bits alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Match {
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
    pub(crate) on: Opt<String>,
    pub(crate) flags: Option<FlagsMatch>,
    pub(crate) payload: Option<PayloadMatch>,
    pub(crate) size: Option<SizeMatch>,
    pub(crate) sequence: Option<u32>,
    pub(crate) acknowledgment: Option<u32>,
    pub(crate) state: Option<HostInState>,
    pub(crate) retransmission: Option<bool>,
    pub(crate) keepalive_probe: Option<bool>,
    pub(crate) window_probe: Option<bool>,
}

/// Which segments: those for which everything here holds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct MatchMap {
    /// The host that sends it.
    from: Opt<String>,
    /// The host it is for.
    to: Opt<String>,
    /// The name that its connection has at either end.
    on: Opt<String>,
    /// The control bits that it has; after `only`, no others.
    flags: Option<Scalar<FlagsMatch>>,
    /// How much data it has.
    payload: Option<Scalar<PayloadMatch>>,
    /// How large its IP datagram is.
    size: Option<Scalar<SizeMatch>>,
    /// Its sequence number, relative: a SYN has 0.
    sequence: Option<Scalar<u32>>,
    /// Its acknowledgment number, relative: what answers a SYN has 1.
    acknowledgment: Option<Scalar<u32>>,
    /// The state of its connection, at its sender or its receiver, when it is sent.
    state: Option<HostInState>,
    /// Whether any of it was sent before.
    retransmission: Option<Scalar<Switch>>,
    /// Whether it is a keepalive probe.
    keepalive_probe: Option<Scalar<Switch>>,
    /// Whether it is a probe of a closed window.
    window_probe: Option<Scalar<Switch>>,
}

written_as!(Match: Scalar<FlagsMatch>, MatchMap);

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
                let switch = |switch: Option<Scalar<Switch>>| switch.map(|Scalar(Switch(on))| on);
                Ok(Match {
                    from: map.from,
                    to: map.to,
                    on: map.on,
                    flags: map.flags.map(|flags| flags.0),
                    payload: map.payload.map(|payload| payload.0),
                    size: map.size.map(|size| size.0),
                    sequence: map.sequence.map(|number| number.0),
                    acknowledgment: map.acknowledgment.map(|number| number.0),
                    state: map.state,
                    retransmission: switch(map.retransmission),
                    keepalive_probe: switch(map.keepalive_probe),
                    window_probe: switch(map.window_probe),
                })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A segment that no host sent.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Inject {
    /// The host it seems to come from.
    pub(crate) from: Opt<String>,
    /// The host it arrives at.
    pub(crate) to: Opt<String>,
    /// The name of its connection at either end; otherwise it is the newest between the two.
    pub(crate) on: Opt<String>,
    /// Exactly these control bits.
    pub(crate) flags: Opt<ControlBits>,
    /// Its sequence number: relative to the initial one, or to what the host it arrives at knows.
    pub(crate) sequence: Opt<Number>,
    /// Its acknowledgment number, likewise; needed with ACK.
    pub(crate) acknowledgment: Opt<Number>,
    /// How much data it has.
    pub(crate) payload: Opt<Size>,
    /// Whether it has the timestamps of the last segment of `from`.
    pub(crate) timestamps: Opt<Switch>,
}

/// Exactly these control bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlBits(pub(crate) Flags);

impl Parse for ControlBits {
    const WHAT: &'static str = "control bits such as `RST` or `PSH+ACK`";

    fn schema() -> Schema {
        let names = Flags::NAMES.map(|(_, name)| name).join("|");
        forms::text(&format!(r"({names})(\s*\+\s*({names}))*"), ["RST", "PSH+ACK"])
    }

    fn parse(text: &str) -> Result<ControlBits, Mistake> {
        match FlagsMatch::parse(text)? {
            FlagsMatch::AtLeast(flags) => Ok(ControlBits(flags)),
            FlagsMatch::Only(_) => Err(expected::<ControlBits>(text)),
        }
    }
}

/// `1025`, `rcv.nxt`, `snd.una - 1`.
impl Parse for Number {
    const WHAT: &'static str = "a number such as `1025` or `rcv.nxt + 100`";

    fn schema() -> Schema {
        let variables = Base::VARIABLES.map(|base| base.name().replace('.', r"\.")).join("|");
        forms::any_of([
            forms::whole(-i64::from(u32::MAX), u32::MAX.into()),
            forms::text(&format!(r"({variables})\s*([+-]\s*[0-9]+)?"), ["rcv.nxt + 100", "snd.una - 1"]),
        ])
    }

    fn parse(text: &str) -> Result<Number, Mistake> {
        let variable = Base::VARIABLES.into_iter().find(|base| text.starts_with(base.name()));
        let base = variable.ok_or_else(|| expected::<Number>(text))?;
        let plus = offset(&text[base.name().len()..]).ok_or_else(|| expected::<Number>(text))?;
        Ok(Number { base, plus })
    }

    fn number(number: i128) -> Result<Number, Mistake> {
        let plus = i64::try_from(number).ok().filter(|plus| plus.unsigned_abs() <= u32::MAX.into());
        plus.map(|plus| Number { base: Base::Initial, plus })
            .ok_or_else(|| Mistake::new(format!("{number} is out of range"), "sequence numbers have 32 bits"))
    }
}

/// What stands after a variable: nothing, `+ 100`, `- 1`.
pub(super) fn offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, number) = match text.chars().next() {
        None => return Some(0),
        Some('+') => (1, &text[1..]),
        Some('-') => (-1, &text[1..]),
        Some(_) => return None,
    };
    number.trim().parse::<u32>().ok().map(|number| sign * i64::from(number))
}

/// What the clock of a paused host does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PausedClock {
    Runs,
    Stops,
}

impl Parse for PausedClock {
    const WHAT: &'static str = "`runs` or `stops`";

    fn schema() -> Schema {
        forms::words(["runs", "stops"])
    }

    fn parse(text: &str) -> Result<PausedClock, Mistake> {
        match text {
            "runs" => Ok(PausedClock::Runs),
            "stops" => Ok(PausedClock::Stops),
            _ => Err(expected::<PausedClock>(text)),
        }
    }
}

/// Which datagrams vanish: larger ones than this, everywhere or on one way.
#[derive(Clone, Debug)]
pub(crate) struct BlackHole {
    pub(crate) larger_than: Option<u64>,
    pub(crate) from: Opt<String>,
    pub(crate) to: Opt<String>,
}

/// `larger than 1480 B`.
#[derive(Clone, Copy, Debug)]
struct LargerThan(u64);

impl Parse for LargerThan {
    const WHAT: &'static str = "a least size such as `larger than 1480 B`";

    fn schema() -> Schema {
        SizeMatch::schema()
    }

    fn parse(text: &str) -> Result<LargerThan, Mistake> {
        match SizeMatch::parse(text)? {
            SizeMatch::Larger(octets) => Ok(LargerThan(octets)),
            SizeMatch::Exactly(_) | SizeMatch::Smaller(_) => Err(expected::<LargerThan>(text)),
        }
    }
}

/// Larger datagrams than this, on one way.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BlackHoleMap {
    /// Larger IP datagrams than this.
    larger_than: Opt<Size>,
    /// Those of this host.
    from: Opt<String>,
    /// Those for this host.
    to: Opt<String>,
}

written_as!(BlackHole: Scalar<LargerThan>, BlackHoleMap);

impl<'de> Deserialize<'de> for BlackHole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BlackHole, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = BlackHole;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`larger than 1480 B`, or a map with `larger-than`, `from` and `to`")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<BlackHole, E> {
                let LargerThan(octets) = told(LargerThan::parse(text.trim()))?;
                Ok(BlackHole { larger_than: Some(octets), from: None, to: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BlackHole, A::Error> {
                let map = BlackHoleMap::deserialize(MapAccessDeserializer::new(map))?;
                let larger_than = map.larger_than.map(|size| size.value.0.0);
                Ok(BlackHole { larger_than, from: map.from, to: map.to })
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

/// One way only.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneWay {
    /// The host whose segments are lost.
    pub(crate) from: Spanned<Scalar<String>>,
    /// The host that does not get them.
    pub(crate) to: Spanned<Scalar<String>>,
}

written_as!(Cut: Scalar<String>, Vec<Scalar<String>>, OneWay);

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
