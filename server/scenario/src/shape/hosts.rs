//! Hosts and their TCP.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::{CongestionAlgorithm, Ecn, MtuProbing, Profile, SynCookies};
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{Named, Opt, ShortOr};
use crate::address::Ports;
use crate::de::Spanned;
use crate::forms::{self, written_as};
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, with_help};
use crate::quantity::Size;

/// A host.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Host {
    /// The TCP stack that the host imitates: `linux` by default.
    pub(crate) profile: Opt<Profile>,
    /// Settings that override the profile's. `none`: the host has no TCP; it sends what `inject` says, and answers nothing.
    pub(crate) tcp: Option<ShortOr<NoTcp, Tcp>>,
    /// IPv4 and IPv6 addresses. By default the Nth host has 10.0.0.N.
    pub(crate) addresses: Vec<Spanned<Scalar<IpAddr>>>,
    /// Ways to other hosts, by the host's name, on which TCP has settings of their own.
    pub(crate) routes: Named<Spanned<Route>>,
    /// The range of local ports for connections that name none.
    pub(crate) ephemeral_ports: Opt<Ports>,
}

/// The metrics of a route, which override the host's settings.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Route {
    /// The least retransmission timeout.
    pub(crate) rto_min: Opt<Duration>,
    /// The initial congestion window, in segments.
    pub(crate) initial_window: Opt<u32>,
    /// The congestion control algorithm.
    pub(crate) congestion: Opt<CongestionAlgorithm>,
    /// Whether connections use explicit congestion notification.
    pub(crate) ecn: Opt<Ecn>,
}

/// `none`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoTcp;

impl Parse for NoTcp {
    const WHAT: &'static str = "`none` or a map";

    fn schema() -> Schema {
        forms::words(["none"])
    }

    fn parse(text: &str) -> Result<NoTcp, Mistake> {
        if text == "none" { Ok(NoTcp) } else { Err(expected::<NoTcp>(text)) }
    }
}

/// Settings of a host's TCP that override its profile's.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Tcp {
    /// Whether every connection probes an idle peer, and how.
    pub(crate) keepalive: Option<OrOff<Keepalive>>,
    /// The retransmission timeout.
    pub(crate) rto: Rto,
    /// How long an acknowledgment may be delayed.
    pub(crate) delayed_ack: Option<OrOff<DelayedAck>>,
    /// Whether small segments wait while data is unacknowledged (the Nagle algorithm).
    pub(crate) nagle: Opt<Switch>,
    /// How many times a SYN is retransmitted.
    pub(crate) syn_retries: Opt<u32>,
    /// How many times a SYN is retransmitted before the first backoff.
    pub(crate) syn_linear_timeouts: Opt<u32>,
    /// How many times a SYN+ACK is retransmitted.
    pub(crate) synack_retries: Opt<u32>,
    /// How many times data is retransmitted before the connection is given up, as Linux counts it.
    pub(crate) retries2: Opt<u32>,
    /// The same once the application has closed the connection.
    pub(crate) orphan_retries: Opt<u32>,
    /// How long data may remain unacknowledged, regardless of the retries.
    pub(crate) user_timeout: Opt<DurationOrOff>,
    /// How long an orphaned connection stays in FIN-WAIT-2.
    pub(crate) fin_timeout: Opt<OrNever>,
    /// How long TIME-WAIT lasts.
    pub(crate) time_wait: Opt<Duration>,
    /// Whether a RST ends TIME-WAIT.
    pub(crate) reset_ends_time_wait: Opt<Switch>,
    /// Whether timestamps are offered (RFC 7323).
    pub(crate) timestamps: Opt<Switch>,
    /// Whether selective acknowledgments are offered (RFC 2018).
    pub(crate) sack: Opt<Switch>,
    /// Whether an acknowledgment reports what arrived twice (RFC 2883).
    pub(crate) dsack: Opt<Switch>,
    /// Whether spurious timeouts are detected (F-RTO, RFC 5682).
    pub(crate) frto: Opt<Switch>,
    /// The congestion control algorithm.
    pub(crate) congestion: Opt<CongestionAlgorithm>,
    /// Whether a connection returns to slow start after it was idle.
    pub(crate) slow_start_after_idle: Opt<Switch>,
    /// Whether a tail loss probe is sent before the retransmission timeout (RFC 8985).
    pub(crate) tail_loss_probe: Opt<Switch>,
    /// The window scale that is offered.
    pub(crate) window_scaling: Opt<WindowScaling>,
    /// The size of the receive buffer, which no longer grows (SO_RCVBUF).
    pub(crate) receive_buffer: Opt<Size>,
    /// The size of the send buffer, which no longer grows (SO_SNDBUF).
    pub(crate) send_buffer: Opt<Size>,
    /// The initial congestion window, in segments.
    pub(crate) initial_window: Opt<u32>,
    /// The largest segment in both directions (TCP_MAXSEG).
    pub(crate) mss: Opt<Size>,
    /// The largest IP datagram that the host sends.
    pub(crate) mtu: Opt<Size>,
    /// Whether the path MTU is searched for with segments of different sizes (RFC 4821): once a black hole is suspected (`on`), or
    /// `always`.
    pub(crate) mtu_probing: Opt<MtuProbing>,
    /// Whether connections use explicit congestion notification (RFC 3168): those that the peer asks for (`passive`), or also
    /// active opens (`on`).
    pub(crate) ecn: Opt<Ecn>,
    /// The least time between two challenge ACKs (RFC 5961).
    pub(crate) challenge_ack_interval: Opt<Duration>,
    /// How many connections a listener keeps in SYN-RECEIVED.
    pub(crate) syn_backlog: Opt<u32>,
    /// Whether a listener answers SYNs with SYN cookies: once its queue is full (`on`), or `always`.
    pub(crate) syncookies: Opt<SynCookies>,
    /// Whether a completed handshake is reset when the accept queue is full.
    pub(crate) abort_on_overflow: Opt<Switch>,
    /// For how long a listener waits for data before a connection can be accepted (TCP_DEFER_ACCEPT).
    pub(crate) defer_accept: Opt<DurationOrOff>,
    /// A fixed initial sequence number, for demonstrations.
    pub(crate) initial_sequence: Opt<u32>,
}

/// Keepalive. The profile has the parameters that are left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Keepalive {
    /// How long nothing is received before the first probe.
    pub(crate) idle: Opt<Duration>,
    /// The time from one unanswered probe to the next.
    pub(crate) interval: Opt<Duration>,
    /// How many unanswered probes end the connection.
    pub(crate) probes: Opt<u32>,
}

/// The retransmission timeout.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rto {
    /// The timeout before the first round trip is measured.
    pub(crate) initial: Opt<Duration>,
    /// The least timeout.
    pub(crate) min: Opt<Duration>,
    /// The greatest timeout.
    pub(crate) max: Opt<Duration>,
}

/// Delayed acknowledgments.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct DelayedAck {
    /// The shortest delay.
    pub(crate) min: Opt<Duration>,
    /// The longest delay.
    pub(crate) max: Opt<Duration>,
    /// How many segments of a new connection are acknowledged at once.
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
                with_help(Switch::parse(text)).map(switch)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrOff<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OrOff::On)
            }
        }
        deserializer.deserialize_any(Either(std::marker::PhantomData))
    }
}

written_as!(OrOff<T>: Scalar<Switch>, T);

/// A duration, or `never`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrNever(pub(crate) Option<Duration>);

impl Parse for OrNever {
    const WHAT: &'static str = "a duration such as `60s`, or `never`";

    fn schema() -> Schema {
        forms::any_of([forms::words(["never"]), Duration::schema()])
    }

    fn parse(text: &str) -> Result<OrNever, Mistake> {
        if text == "never" { Ok(OrNever(None)) } else { Duration::parse(text).map(Some).map(OrNever) }
    }

    fn number(number: i128) -> Result<OrNever, Mistake> {
        Duration::number(number).map(Some).map(OrNever)
    }
}

/// A duration, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationOrOff(pub(crate) Option<Duration>);

impl Parse for DurationOrOff {
    const WHAT: &'static str = "a duration such as `30s`, or `off`";

    fn schema() -> Schema {
        or_off(Duration::schema())
    }

    fn parse(text: &str) -> Result<DurationOrOff, Mistake> {
        if text == "off" {
            Ok(DurationOrOff(None))
        } else {
            Duration::parse(text).map(Some).map(DurationOrOff)
        }
    }

    fn boolean(value: bool) -> Result<DurationOrOff, Mistake> {
        if value { Err(expected::<DurationOrOff>("on")) } else { Ok(DurationOrOff(None)) }
    }

    fn number(number: i128) -> Result<DurationOrOff, Mistake> {
        Duration::number(number).map(Some).map(DurationOrOff)
    }
}

/// A shift from 0 to 14, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WindowScaling(pub(crate) Option<u8>);

impl Parse for WindowScaling {
    const WHAT: &'static str = "a shift from 0 to 14, or `off`";

    fn schema() -> Schema {
        or_off(forms::whole(0, 14))
    }

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

/// A setting that is `off`, `on`, or what one word says.
macro_rules! switch_or {
    ($type:ty: $off:expr, $on:expr, $word:literal => $other:expr) => {
        impl Parse for $type {
            const WHAT: &'static str = concat!("`on`, `off` or `", $word, "`");

            fn schema() -> Schema {
                forms::any_of([forms::words([$word]), Switch::schema()])
            }

            fn parse(text: &str) -> Result<$type, Mistake> {
                match text {
                    $word => Ok($other),
                    "on" => Ok($on),
                    "off" => Ok($off),
                    _ => Err(expected::<$type>(text)),
                }
            }

            fn boolean(value: bool) -> Result<$type, Mistake> {
                Ok(if value { $on } else { $off })
            }
        }
    };
}

switch_or!(SynCookies: SynCookies::Off, SynCookies::WhenFull, "always" => SynCookies::Always);
switch_or!(MtuProbing: MtuProbing::Off, MtuProbing::AfterBlackHole, "always" => MtuProbing::Always);
switch_or!(Ecn: Ecn::Off, Ecn::On, "passive" => Ecn::Passive);

/// A schema, or `off`, which is false in JSON.
pub(super) fn or_off(schema: Schema) -> Schema {
    forms::any_of([json_schema!({"enum": ["off", false]}), schema])
}
