//! What is said of sockets, in steps and in calls.

use std::net::SocketAddr;

use halfopen_tcp::{KeepaliveSettings, SocketOptions};

use super::hosts::{keepalive, or_off};
use super::yaml::{Map, Yaml};
use super::{Writer, size};
use crate::{HostId, Keepalive};

impl Writer<'_> {
    /// `server:80`, or an address if that is not what the name stands for on the host.
    pub(super) fn destination(self, from: HostId, to: SocketAddr) -> Yaml {
        let scenario = self.scenario;
        let own = scenario.host(from);
        let named = scenario.host_of(to.ip()).map(|HostId(host)| &scenario.hosts[host]);
        match named.filter(|host| host.address_from(own) == Some(to.ip())) {
            Some(host) if host.name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                Yaml::Word(format!("{}:{}", host.name, to.port()))
            }
            Some(host) => Yaml::Text(format!("{}:{}", host.name, to.port())),
            None => Yaml::Text(to.to_string()),
        }
    }

    /// What stands beside a word that opens a socket on the host.
    pub(super) fn options_beside(self, host: HostId, options: &SocketOptions) -> Option<Map> {
        Some(options)
            .filter(|options| **options != SocketOptions::NONE)
            .map(|options| self.options(host, options))
    }

    /// Options of a socket on the host.
    pub(super) fn options(self, host: HostId, options: &SocketOptions) -> Map {
        let SocketOptions {
            keepalive,
            nodelay,
            cork,
            user_timeout,
            linger,
            receive_buffer,
            send_buffer,
            notsent_lowat,
            mss,
        } = *options;
        let keepalive = keepalive.map(|numbers| self::keepalive(self.unlike_the_host(host, numbers)));
        Map::new()
            .maybe("keepalive", keepalive)
            .maybe("nodelay", nodelay)
            .maybe("cork", cork)
            .maybe("user-timeout", user_timeout.map(or_off))
            .maybe("linger", linger.map(or_off))
            .maybe("receive-buffer", receive_buffer.map(size))
            .maybe("send-buffer", send_buffer.map(size))
            .maybe("notsent-lowat", notsent_lowat.map(|octets| octets.map_or(Yaml::from(false), size)))
            .maybe("mss", mss.map(size))
    }

    /// The numbers of a socket's keepalive that are not the host's.
    fn unlike_the_host(self, host: HostId, numbers: Option<KeepaliveSettings>) -> Keepalive {
        let Some(KeepaliveSettings { idle, interval, probes }) = numbers else { return Keepalive::Off };
        let settings = self.scenario.host(host).settings();
        let base = settings.keepalive.unwrap_or(settings.keepalive_numbers);
        Keepalive::On {
            idle: Some(idle).filter(|idle| *idle != base.idle),
            interval: Some(interval).filter(|interval| *interval != base.interval),
            probes: Some(probes).filter(|probes| *probes != base.probes),
        }
    }
}
