//! Options of sockets.

use std::time::Duration;

use halfopen_proto::v1;
use halfopen_tcp::{KeepaliveSettings, Settings, SocketOptions};
use tonic::Status;

use crate::convert;
use crate::status;

/// The options that a request sets, on a host with these settings.
pub(super) fn options(
    asked: Option<&v1::SocketOptions>,
    settings: &Settings,
) -> Result<SocketOptions, Status> {
    let Some(asked) = asked else { return Ok(SocketOptions::NONE) };
    let time = |name: &str, time: &Option<halfopen_proto::Duration>| match time {
        None => Ok(None),
        Some(time) => convert::time(time).map(Some).ok_or_else(|| status::time_invalid(name)),
    };
    let numbers = KeepaliveNumbers {
        idle: time("options.keepalive_idle", &asked.keepalive_idle)?,
        interval: time("options.keepalive_interval", &asked.keepalive_interval)?,
        probes: asked.keepalive_probes,
    };
    let mss = match asked.mss.map(u16::try_from) {
        None => None,
        Some(Ok(mss)) => Some(mss),
        Some(Err(_)) => return Err(status::argument_invalid("options.mss", "an MSS is at most 65535 B")),
    };
    Ok(SocketOptions {
        keepalive: numbers.keepalive(asked.keepalive, settings)?,
        nodelay: asked.nodelay,
        cork: asked.cork,
        user_timeout: time("options.user_timeout", &asked.user_timeout)?.map(or_off),
        linger: asked.reset_on_close.map(|resets| resets.then_some(Duration::ZERO)),
        receive_buffer: asked.receive_buffer,
        send_buffer: asked.send_buffer,
        notsent_lowat: asked.notsent_lowat.map(|octets| Some(octets).filter(|octets| *octets > 0)),
        mss,
    })
}

fn or_off(time: Duration) -> Option<Duration> {
    Some(time).filter(|time| !time.is_zero())
}

/// The numbers of keepalive that a request names.
struct KeepaliveNumbers {
    idle: Option<Duration>,
    interval: Option<Duration>,
    probes: Option<u32>,
}

impl KeepaliveNumbers {
    fn keepalive(
        self,
        is_on: Option<bool>,
        settings: &Settings,
    ) -> Result<Option<Option<KeepaliveSettings>>, Status> {
        let base = settings.keepalive.unwrap_or(settings.keepalive_numbers);
        match is_on {
            Some(true) => Ok(Some(Some(KeepaliveSettings {
                idle: self.idle.unwrap_or(base.idle),
                interval: self.interval.unwrap_or(base.interval),
                probes: self.probes.unwrap_or(base.probes),
            }))),
            _ if self.idle.is_some() || self.interval.is_some() || self.probes.is_some() => {
                Err(status::argument_invalid(
                    "options.keepalive",
                    "numbers of keepalive need `keepalive: true` beside them",
                ))
            }
            Some(false) => Ok(Some(None)),
            None => Ok(None),
        }
    }
}
