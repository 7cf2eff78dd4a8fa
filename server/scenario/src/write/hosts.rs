//! Hosts and their TCP.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use halfopen_tcp::{CongestionAlgorithm, Ecn, MtuProbing, SynCookies};

use super::yaml::{Map, Yaml};
use super::{Writer, size};
use crate::{DelayedAck, Host, Keepalive, Route, TcpSettings};

impl Writer<'_> {
    pub(super) fn hosts(self) -> Map {
        let hosts = self.scenario.hosts.iter().enumerate();
        hosts.fold(Map::new(), |map, (index, it)| map.with(&it.name, self.one_host(index, it)))
    }

    fn one_host(self, index: usize, host: &Host) -> Map {
        let Host { name: _, profile, tcp, routes, is_scripted, addresses, location: _ } = host;
        let usual = u8::try_from(index + 1).ok().map(|number| IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)));
        let given = (usual.as_slice() != &addresses[..])
            .then(|| Yaml::List(addresses.iter().map(|given| address(*given)).collect()));
        let ports = tcp.ephemeral_ports.as_ref().map(|ports| format!("{}-{}", ports.start(), ports.end()));
        let settings = tcp_settings(tcp);
        let routes =
            routes.iter().fold(Map::new(), |map, it| map.with(&self.scenario.host(it.to).name, route(it)));
        Map::new()
            .unless(&halfopen_tcp::Profile::default().name(), "profile", profile.name())
            .maybe("addresses", given)
            .maybe("routes", (!routes.is_empty()).then_some(routes))
            .maybe("ephemeral-ports", ports)
            .maybe("tcp", is_scripted.then(|| Yaml::from("none")))
            .maybe("tcp", (!settings.is_empty()).then_some(settings))
    }
}

fn route(route: &Route) -> Map {
    let Route { to: _, rto_min, initial_window, congestion, ecn } = route;
    Map::new()
        .maybe("rto-min", *rto_min)
        .maybe("initial-window", *initial_window)
        .maybe("congestion", congestion.map(CongestionAlgorithm::name))
        .maybe("ecn", ecn.map(self::ecn))
}

pub(super) fn address(address: IpAddr) -> Yaml {
    match address {
        IpAddr::V4(address) => Yaml::Word(address.to_string()),
        IpAddr::V6(address) => Yaml::Text(address.to_string()),
    }
}

fn tcp_settings(tcp: &TcpSettings) -> Map {
    let rto =
        Map::new().maybe("initial", tcp.rto_initial).maybe("min", tcp.rto_min).maybe("max", tcp.rto_max);
    Map::new()
        .maybe("keepalive", tcp.keepalive.map(keepalive))
        .maybe("rto", (!rto.is_empty()).then_some(rto))
        .maybe("delayed-ack", tcp.delayed_ack.map(delayed_ack))
        .maybe("nagle", tcp.nagle)
        .maybe("syn-retries", tcp.syn_retries)
        .maybe("syn-linear-timeouts", tcp.syn_linear_timeouts)
        .maybe("synack-retries", tcp.synack_retries)
        .maybe("retries2", tcp.retries2)
        .maybe("orphan-retries", tcp.orphan_retries)
        .maybe("user-timeout", tcp.user_timeout.map(|time| or(time, "off")))
        .maybe("fin-timeout", tcp.fin_timeout.map(|time| or(time, "never")))
        .maybe("time-wait", tcp.time_wait)
        .maybe("reset-ends-time-wait", tcp.reset_ends_time_wait)
        .maybe("timestamps", tcp.timestamps)
        .maybe("sack", tcp.sack)
        .maybe("dsack", tcp.dsack)
        .maybe("frto", tcp.frto)
        .maybe("congestion", tcp.congestion.map(CongestionAlgorithm::name))
        .maybe("slow-start-after-idle", tcp.slow_start_after_idle)
        .maybe("tail-loss-probe", tcp.tail_loss_probe)
        .maybe("window-scaling", tcp.window_scaling.map(|shift| or(shift.map(u32::from), "off")))
        .maybe("receive-buffer", tcp.receive_buffer.map(size))
        .maybe("send-buffer", tcp.send_buffer.map(size))
        .maybe("initial-window", tcp.initial_window)
        .maybe("mss", tcp.mss.map(size))
        .maybe("mtu", tcp.mtu.map(size))
        .maybe("mtu-probing", tcp.mtu_probing.map(mtu_probing))
        .maybe("ecn", tcp.ecn.map(ecn))
        .maybe("challenge-ack-interval", tcp.challenge_ack_interval)
        .maybe("syn-backlog", tcp.syn_backlog)
        .maybe("syncookies", tcp.syncookies.map(syncookies))
        .maybe("abort-on-overflow", tcp.abort_on_overflow)
        .maybe("defer-accept", tcp.defer_accept.map(or_off))
        .maybe("initial-sequence", tcp.initial_sequence)
}

fn syncookies(cookies: SynCookies) -> Yaml {
    match cookies {
        SynCookies::Off => Yaml::from(false),
        SynCookies::WhenFull => Yaml::from(true),
        SynCookies::Always => Yaml::from("always"),
    }
}

fn ecn(ecn: Ecn) -> Yaml {
    match ecn {
        Ecn::Off => Yaml::from(false),
        Ecn::Passive => Yaml::from("passive"),
        Ecn::On => Yaml::from(true),
    }
}

fn mtu_probing(probing: MtuProbing) -> Yaml {
    match probing {
        MtuProbing::Off => Yaml::from(false),
        MtuProbing::AfterBlackHole => Yaml::from(true),
        MtuProbing::Always => Yaml::from("always"),
    }
}

pub(super) fn keepalive(keepalive: Keepalive) -> Yaml {
    match keepalive {
        Keepalive::Off => Yaml::from(false),
        Keepalive::On { idle, interval, probes } => {
            on_with(Map::new().maybe("idle", idle).maybe("interval", interval).maybe("probes", probes))
        }
    }
}

fn delayed_ack(delayed: DelayedAck) -> Yaml {
    match delayed {
        DelayedAck::Off => Yaml::from(false),
        DelayedAck::On { min, max, quick } => {
            on_with(Map::new().maybe("min", min).maybe("max", max).maybe("quick", quick))
        }
    }
}

/// `on`, or what is other than usual.
fn on_with(numbers: Map) -> Yaml {
    if numbers.is_empty() { Yaml::from(true) } else { Yaml::Map(numbers) }
}

/// A value, or a word for none.
pub(super) fn or<T: Into<Yaml>>(value: Option<T>, none: &str) -> Yaml {
    value.map_or_else(|| Yaml::from(none), Into::into)
}

/// A time, or `off`.
pub(super) fn or_off(time: Option<Duration>) -> Yaml {
    or(time, "off")
}
