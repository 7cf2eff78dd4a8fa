//! Hosts and their TCP.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use halfopen_tcp::RtoSettings;
use halfopen_units::format_duration;

use super::{Checker, word};
use crate::address::Ports;
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::resolve::programs::LOCALHOST;
use crate::shape::{self, DurationOrOff, Expect, Named, NoTcp, Opt, OrNever, OrOff, ShortOr, WindowScaling};
use crate::{DelayedAck, Host, HostId, Keepalive, Limits, Route, TcpSettings};

impl Checker<'_> {
    pub(super) fn hosts(&mut self, hosts: &Spanned<Named<Spanned<shape::Host>>>) {
        let list = &hosts.value.0;
        if list.is_empty() {
            self.problem(hosts.key, "there is no host", "name at least one: `client: {}`");
        }
        if !self.limit(hosts.key, "hosts", list.len(), Limits::MAX_HOSTS) {
            return;
        }
        for (index, (name, host)) in list.iter().enumerate() {
            if self.name(name.span, "a host's name", name) && Expect::KEYS.contains(&name.value.as_str()) {
                let message = format!("`{}` cannot be a host's name", name.value);
                self.problem(name.span, message, "under `expect` it means something else");
            } else if name.value == LOCALHOST {
                let message = format!("`{LOCALHOST}` cannot be a host's name");
                self.problem(name.span, message, "by this name every host means itself");
            }
            let host = self.one_host(index, name, host);
            self.hosts.push(host);
        }
        for (index, (_, host)) in list.iter().enumerate() {
            self.hosts[index].routes = self.routes(HostId(index), host);
        }
        self.addresses_differ(list);
    }

    fn one_host(&mut self, index: usize, name: &Spanned<String>, host: &Spanned<shape::Host>) -> Host {
        for given in host.addresses.iter().filter(|address| address.value.0.is_loopback()) {
            let message = format!("{} is an address of every host", given.value.0);
            self.problem(given.span, message, "leave it out: other hosts cannot reach it");
        }
        let mut addresses: Vec<IpAddr> = host.addresses.iter().map(|address| address.value.0).collect();
        if addresses.is_empty() {
            let number = u8::try_from(index + 1).unwrap_or(u8::MAX);
            addresses.push(IpAddr::V4(Ipv4Addr::new(10, 0, 0, number)));
        }
        let profile = self.profile.or(word(&host.profile)).unwrap_or_default();
        let (is_scripted, mut tcp) = match &host.tcp {
            None => (false, TcpSettings::default()),
            Some(ShortOr::Short(NoTcp)) => (true, TcpSettings::default()),
            Some(ShortOr::Long(tcp)) => (false, self.tcp(tcp)),
        };
        tcp.ephemeral_ports = word(&host.ephemeral_ports).map(|Ports(ports)| ports);
        let host = Host {
            name: name.value.clone(),
            profile,
            tcp,
            routes: Vec::new(),
            is_scripted,
            addresses,
            location: self.location(name.span),
        };
        self.bounds_of_rto(
            name.span,
            host.settings().rto,
            "set `rto: {min: …, max: …}` so that `min` is at most `max`",
        );
        host
    }

    fn bounds_of_rto(&mut self, span: Span, rto: RtoSettings, help: &str) {
        if rto.min > rto.max {
            let asked = self.profile.map(|profile| format!(", with the profile `{}`", profile.name()));
            let message = format!(
                "the least RTO, {}, is more than the greatest, {}{}",
                format_duration(rto.min),
                format_duration(rto.max),
                asked.unwrap_or_default()
            );
            self.problem(span, message, help);
        }
    }

    fn routes(&mut self, from: HostId, host: &Spanned<shape::Host>) -> Vec<Route> {
        let mut routes = Vec::new();
        for (name, route) in &host.routes.0 {
            let Some(to) = self.host(name.span, name) else { continue };
            self.two_ends([Some(from), Some(to)], name.span);
            let route = Route {
                to,
                rto_min: route.rto_min.as_ref().map(|rto_min| self.positive(rto_min)),
                initial_window: route.initial_window.as_ref().map(|window| self.at_least_one(window)),
                congestion: word(&route.congestion),
                ecn: word(&route.ecn),
            };
            let settings = route.over(self.hosts[from.0].settings());
            self.bounds_of_rto(
                name.span,
                settings.rto,
                "let `rto-min` be at most the host's `rto: {max: …}`",
            );
            routes.push(route);
        }
        if let Some((name, _)) = host.routes.0.first()
            && self.hosts[from.0].is_scripted
        {
            let message = format!("`{}` has no TCP, which routes could change", self.hosts[from.0].name);
            self.problem(name.span, message, "leave `routes` out, or `tcp: none`");
        }
        routes
    }

    fn addresses_differ(&mut self, list: &[(Spanned<String>, Spanned<shape::Host>)]) {
        let all: Vec<(usize, IpAddr)> = self
            .hosts
            .iter()
            .enumerate()
            .flat_map(|(host, known)| known.addresses.iter().map(move |address| (host, *address)))
            .collect();
        for (position, (host, address)) in all.iter().enumerate() {
            let Some((other, _)) = all[..position].iter().find(|(_, other)| other == address) else {
                continue;
            };
            let given = list[*host].1.addresses.iter().rev().find(|given| given.value.0 == *address);
            let span = given.map_or(list[*host].0.span, |given| given.span);
            let message = format!("`{}` already has the address {address}", list[*other].0.value);
            self.problem(span, message, "give each address to one host only");
        }
    }

    fn tcp(&mut self, tcp: &shape::Tcp) -> TcpSettings {
        let switch = |value: &Opt<Switch>| word(value).map(|Switch(on)| on);
        for value in [&tcp.rto.initial, &tcp.rto.min, &tcp.rto.max].into_iter().flatten() {
            self.positive(value);
        }
        if let Some(window) = &tcp.initial_window {
            self.at_least_one(window);
        }
        TcpSettings {
            keepalive: tcp.keepalive.as_ref().map(|keepalive| self.keepalive(keepalive)),
            rto_initial: word(&tcp.rto.initial),
            rto_min: word(&tcp.rto.min),
            rto_max: word(&tcp.rto.max),
            delayed_ack: tcp.delayed_ack.as_ref().map(|delayed| self.delayed_ack(delayed)),
            nagle: switch(&tcp.nagle),
            syn_retries: word(&tcp.syn_retries),
            syn_linear_timeouts: word(&tcp.syn_linear_timeouts),
            synack_retries: word(&tcp.synack_retries),
            retries2: word(&tcp.retries2),
            orphan_retries: word(&tcp.orphan_retries),
            user_timeout: self.duration_or_off(&tcp.user_timeout),
            fin_timeout: word(&tcp.fin_timeout).map(|OrNever(timeout)| timeout),
            time_wait: word(&tcp.time_wait),
            reset_ends_time_wait: switch(&tcp.reset_ends_time_wait),
            timestamps: switch(&tcp.timestamps),
            sack: switch(&tcp.sack),
            dsack: switch(&tcp.dsack),
            frto: switch(&tcp.frto),
            congestion: word(&tcp.congestion),
            slow_start_after_idle: switch(&tcp.slow_start_after_idle),
            tail_loss_probe: switch(&tcp.tail_loss_probe),
            window_scaling: word(&tcp.window_scaling).map(|WindowScaling(shift)| shift),
            receive_buffer: self.buffer(&tcp.receive_buffer),
            send_buffer: self.buffer(&tcp.send_buffer),
            initial_window: word(&tcp.initial_window),
            mss: self.octets(&tcp.mss, Limits::MIN_MSS),
            mtu: self.octets(&tcp.mtu, 576),
            mtu_probing: word(&tcp.mtu_probing),
            ecn: word(&tcp.ecn),
            challenge_ack_interval: word(&tcp.challenge_ack_interval),
            syn_backlog: word(&tcp.syn_backlog),
            syncookies: word(&tcp.syncookies),
            abort_on_overflow: switch(&tcp.abort_on_overflow),
            defer_accept: self.duration_or_off(&tcp.defer_accept),
            ephemeral_ports: None,
            initial_sequence: word(&tcp.initial_sequence),
        }
    }

    /// Linux reads a time of zero as none; here that is `off`.
    pub(super) fn duration_or_off(&mut self, timeout: &Opt<DurationOrOff>) -> Option<Option<Duration>> {
        let timeout = timeout.as_ref()?;
        let Scalar(DurationOrOff(value)) = timeout.value;
        if value.is_some_and(|value| value.is_zero()) {
            self.problem(timeout.span, "zero makes no sense here", "say how long, or `off`");
        }
        Some(value)
    }

    pub(super) fn buffer(&mut self, size: &Opt<Size>) -> Option<u32> {
        self.size(size, Limits::MIN_BUFFER, Limits::MAX_BUFFER)
    }

    pub(super) fn keepalive(&mut self, keepalive: &OrOff<shape::Keepalive>) -> Keepalive {
        let OrOff::On(shape::Keepalive { idle, interval, probes }) = keepalive else { return Keepalive::Off };
        Keepalive::On {
            idle: idle.as_ref().map(|idle| self.positive(idle)),
            interval: interval.as_ref().map(|interval| self.positive(interval)),
            probes: probes.as_ref().map(|probes| self.at_least_one(probes)),
        }
    }

    fn delayed_ack(&mut self, delayed: &OrOff<shape::DelayedAck>) -> DelayedAck {
        let OrOff::On(shape::DelayedAck { min, max, quick }) = delayed else { return DelayedAck::Off };
        if let (Some(min), Some(max)) = (min, max)
            && min.value.0 > max.value.0
        {
            self.problem(
                min.span,
                "the shortest delay is longer than the longest",
                "`min` may be at most `max`",
            );
        }
        DelayedAck::On { min: word(min), max: max.as_ref().map(|max| self.positive(max)), quick: word(quick) }
    }

    fn size(&mut self, size: &Opt<Size>, least: u32, most: u32) -> Option<u32> {
        let size = size.as_ref()?;
        let Scalar(Size(octets)) = size.value;
        let value = u32::try_from(octets).ok().filter(|octets| (least..=most).contains(octets));
        if value.is_none() {
            self.out_of_range(size.span, octets, least.into(), most.into());
        }
        value
    }

    pub(super) fn octets(&mut self, size: &Opt<Size>, least: u16) -> Option<u16> {
        let size = size.as_ref()?;
        let Scalar(Size(octets)) = size.value;
        let value = u16::try_from(octets).ok().filter(|octets| *octets >= least);
        if value.is_none() {
            self.out_of_range(size.span, octets, least.into(), u16::MAX.into());
        }
        value
    }

    pub(super) fn out_of_range(&mut self, span: Span, octets: u64, least: u64, most: u64) {
        self.problem(
            span,
            format!("{octets} B is out of range"),
            format!("it is from {least} B to {most} B"),
        );
    }
}
