//! Hosts and their TCP.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::{CongestionAlgorithm, Profile};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::Opt;
use crate::de::Spanned;
use crate::parse::{Mistake, Parse, Scalar, Switch, expected, told};
use crate::quantity::{Ports, Size};

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
    pub(crate) user_timeout: Opt<DurationOrOff>,
    pub(crate) fin_timeout: Opt<OrNever>,
    pub(crate) time_wait: Opt<Duration>,
    pub(crate) reset_ends_time_wait: Opt<Switch>,
    pub(crate) timestamps: Opt<Switch>,
    pub(crate) sack: Opt<Switch>,
    pub(crate) dsack: Opt<Switch>,
    pub(crate) frto: Opt<Switch>,
    pub(crate) congestion: Opt<CongestionAlgorithm>,
    pub(crate) slow_start_after_idle: Opt<Switch>,
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

/// A duration, or `off`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DurationOrOff(pub(crate) Option<Duration>);

impl Parse for DurationOrOff {
    const WHAT: &'static str = "a duration such as `30s`, or `off`";

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
