//! Settings of a host's TCP that override its profile's.

use std::ops::RangeInclusive;
use std::time::Duration;

use halfopen_tcp::{
    CongestionAlgorithm, DelayedAckSettings, Ecn, GiveUp, KeepaliveSettings, MtuProbing, Settings,
    SynCookies, WindowScale,
};

/// Settings of a host's TCP that override its profile's. `None` leaves the profile's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TcpSettings {
    /// Keepalive, for every socket of the host.
    pub keepalive: Option<Keepalive>,
    /// The retransmission timeout before the first measurement.
    pub rto_initial: Option<Duration>,
    /// The least retransmission timeout.
    pub rto_min: Option<Duration>,
    /// The greatest retransmission timeout.
    pub rto_max: Option<Duration>,
    /// Delayed acknowledgments.
    pub delayed_ack: Option<DelayedAck>,
    /// Whether small segments wait while data is unacknowledged (the Nagle algorithm).
    pub nagle: Option<bool>,
    /// How many times a SYN is retransmitted.
    pub syn_retries: Option<u32>,
    /// How many of those retransmissions come before the first backoff.
    pub syn_linear_timeouts: Option<u32>,
    /// How many times a SYN+ACK is retransmitted.
    pub synack_retries: Option<u32>,
    /// How many times data is retransmitted before the connection is given up (Linux `tcp_retries2`).
    pub retries2: Option<u32>,
    /// The same once the application has closed the connection (Linux `tcp_orphan_retries`).
    pub orphan_retries: Option<u32>,
    /// How long data may remain unacknowledged (Linux TCP_USER_TIMEOUT); `Some(None)` is without limit.
    pub user_timeout: Option<Option<Duration>>,
    /// How long an orphaned connection stays in FIN-WAIT-2; `Some(None)` is forever.
    pub fin_timeout: Option<Option<Duration>>,
    /// How long TIME-WAIT lasts.
    pub time_wait: Option<Duration>,
    /// Whether an acceptable RST ends TIME-WAIT.
    pub reset_ends_time_wait: Option<bool>,
    /// Whether timestamps are offered.
    pub timestamps: Option<bool>,
    /// Whether SACK is offered.
    pub sack: Option<bool>,
    /// Whether an acknowledgment reports what arrived twice.
    pub dsack: Option<bool>,
    /// Whether spurious timeouts are detected (F-RTO).
    pub frto: Option<bool>,
    /// The congestion control algorithm.
    pub congestion: Option<CongestionAlgorithm>,
    /// Whether a connection returns to slow start after it was idle.
    pub slow_start_after_idle: Option<bool>,
    /// Whether a tail loss probe is sent before the retransmission timeout.
    pub tail_loss_probe: Option<bool>,
    /// The window scale offered; `Some(None)` offers none.
    pub window_scaling: Option<Option<u8>>,
    /// The buffer for received data, in octets: of this size, whether the profile's grows or not.
    pub receive_buffer: Option<u32>,
    /// The buffer for unacknowledged data, in octets: of this size, whether the profile's grows or not.
    pub send_buffer: Option<u32>,
    /// The initial congestion window, in segments.
    pub initial_window: Option<u32>,
    /// The maximum segment size that is announced, in octets.
    pub mss: Option<u16>,
    /// The largest IP datagram that the host sends, in octets.
    pub mtu: Option<u16>,
    /// Whether the path MTU is searched for with segments of different sizes.
    pub mtu_probing: Option<MtuProbing>,
    /// Whether connections use explicit congestion notification.
    pub ecn: Option<Ecn>,
    /// The least time between two challenge ACKs of a connection.
    pub challenge_ack_interval: Option<Duration>,
    /// How many connections a listener keeps in SYN-RECEIVED.
    pub syn_backlog: Option<u32>,
    /// When a listener answers a SYN with a SYN cookie.
    pub syncookies: Option<SynCookies>,
    /// Whether a completed handshake is reset when the accept queue is full.
    pub abort_on_overflow: Option<bool>,
    /// For how long a listener waits for data before a connection can be accepted; `Some(None)` is not at all.
    pub defer_accept: Option<Option<Duration>>,
    /// The local ports of active opens that name none.
    pub ephemeral_ports: Option<RangeInclusive<u16>>,
    /// A fixed initial sequence number.
    pub initial_sequence: Option<u32>,
}

/// Keepalive as a host sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keepalive {
    /// Off.
    Off,
    /// On; `None` is the profile's value.
    On {
        /// How long nothing is received before the first probe.
        idle: Option<Duration>,
        /// The time from one unanswered probe to the next.
        interval: Option<Duration>,
        /// How many unanswered probes end the connection.
        probes: Option<u32>,
    },
}

impl Keepalive {
    /// All of its parameters; those that are not given are those of `base`.
    pub fn over(self, base: KeepaliveSettings) -> Option<KeepaliveSettings> {
        match self {
            Keepalive::Off => None,
            Keepalive::On { idle, interval, probes } => Some(KeepaliveSettings {
                idle: idle.unwrap_or(base.idle),
                interval: interval.unwrap_or(base.interval),
                probes: probes.unwrap_or(base.probes),
            }),
        }
    }
}

/// Delayed acknowledgments as a host sets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DelayedAck {
    /// Every acknowledgment is sent at once.
    Off,
    /// On; `None` is the profile's value.
    On {
        /// The shortest delay.
        min: Option<Duration>,
        /// The longest delay.
        max: Option<Duration>,
        /// How many segments of a new connection are acknowledged at once.
        quick: Option<u32>,
    },
}

impl DelayedAck {
    /// RFC 9293 §3.8.6.3 says less than half a second; this is what most stacks have.
    const DEFAULT: DelayedAckSettings =
        DelayedAckSettings { min: Duration::from_millis(200), max: Duration::from_millis(200), quick: 0 };

    fn over(self, base: Option<DelayedAckSettings>) -> Option<DelayedAckSettings> {
        let base = base.unwrap_or(DelayedAck::DEFAULT);
        match self {
            DelayedAck::Off => None,
            DelayedAck::On { min, max, quick } => {
                // A bound given alone moves the other, or the two would cross.
                let min_or_base = min.unwrap_or(base.min);
                let max_or_base = max.unwrap_or(base.max);
                Some(DelayedAckSettings {
                    min: if min.is_none() { min_or_base.min(max_or_base) } else { min_or_base },
                    max: if max.is_none() { max_or_base.max(min_or_base) } else { max_or_base },
                    quick: quick.unwrap_or(base.quick),
                })
            }
        }
    }
}

impl TcpSettings {
    /// These laid over a profile's.
    pub fn over(&self, base: Settings) -> Settings {
        let mut settings = base;
        let set = &mut settings;
        if let Some(keepalive) = self.keepalive {
            set.keepalive = keepalive.over(set.keepalive.unwrap_or(set.keepalive_numbers));
        }
        if let Some(delayed_ack) = self.delayed_ack {
            set.delayed_ack = delayed_ack.over(set.delayed_ack);
        }
        lay(&mut set.rto.initial, self.rto_initial);
        lay(&mut set.rto.min, self.rto_min);
        lay(&mut set.rto.max, self.rto_max);
        lay(&mut set.nagle, self.nagle);
        lay(&mut set.syn_retries, self.syn_retries);
        lay(&mut set.syn_linear_timeouts, self.syn_linear_timeouts);
        lay(&mut set.synack_retries, self.synack_retries);
        lay(&mut set.give_up, self.retries2.map(GiveUp::Retries));
        lay(&mut set.orphan_give_up, self.orphan_retries.map(GiveUp::Retries));
        if let (Some(retries), Some(at_max_rto)) = (self.orphan_retries, &mut set.orphan_retries_at_max_rto) {
            *at_max_rto = retries;
        }
        lay(&mut set.user_timeout, self.user_timeout);
        lay(&mut set.fin_timeout, self.fin_timeout);
        lay(&mut set.time_wait, self.time_wait);
        lay(&mut set.reset_ends_time_wait, self.reset_ends_time_wait);
        lay(&mut set.timestamps, self.timestamps);
        lay(&mut set.sack, self.sack);
        lay(&mut set.dsack, self.dsack);
        lay(&mut set.frto, self.frto);
        lay(&mut set.congestion, self.congestion);
        lay(&mut set.slow_start_after_idle, self.slow_start_after_idle);
        lay(&mut set.tail_loss_probe, self.tail_loss_probe);
        lay(&mut set.window_scale, self.window_scaling.map(|shift| shift.map(WindowScale::Shift)));
        if let Some(octets) = self.receive_buffer {
            // As SO_RCVBUF: it no longer grows.
            (set.receive_buffer, set.receive_buffer_max) = (octets, None);
        }
        if let Some(octets) = self.send_buffer {
            // As SO_SNDBUF: it no longer grows.
            (set.send_buffer, set.send_buffer_max) = (octets, None);
        }
        lay(&mut set.initial_window, self.initial_window);
        lay(&mut set.mss, self.mss.map(Some));
        lay(&mut set.mtu, self.mtu);
        lay(&mut set.mtu_probing, self.mtu_probing);
        lay(&mut set.ecn, self.ecn);
        lay(&mut set.challenge_ack_interval, self.challenge_ack_interval);
        lay(&mut set.syn_backlog, self.syn_backlog);
        lay(&mut set.syn_cookies, self.syncookies);
        lay(&mut set.abort_on_overflow, self.abort_on_overflow);
        lay(&mut set.defer_accept, self.defer_accept);
        lay(&mut set.ephemeral_ports, self.ephemeral_ports.clone());
        lay(&mut set.initial_sequence, self.initial_sequence.map(Some));
        settings
    }
}

fn lay<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::Profile;

    use super::*;

    #[test]
    fn nothing_said_is_the_profile() {
        for profile in Profile::ALL {
            assert_eq!(TcpSettings::default().over(profile.settings()), profile.settings());
        }
    }

    #[test]
    fn what_is_said_wins_and_the_rest_stays() {
        let idle = Duration::from_secs(2);
        let tcp = TcpSettings {
            keepalive: Some(Keepalive::On { idle: Some(idle), interval: None, probes: None }),
            retries2: Some(5),
            fin_timeout: Some(None),
            ..TcpSettings::default()
        };
        let settings = tcp.over(Profile::Linux.settings());
        let expected = Settings {
            keepalive: Some(KeepaliveSettings { idle, interval: Duration::from_secs(75), probes: 9 }),
            give_up: GiveUp::Retries(5),
            fin_timeout: None,
            ..Profile::Linux.settings()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn the_retries_of_an_orphan_are_those_at_the_greatest_timeout_too_where_there_are_any() {
        let tcp = TcpSettings { orphan_retries: Some(3), ..TcpSettings::default() };
        for (profile, at_max_rto) in [(Profile::Linux, Some(3)), (Profile::Rfc9293, None)] {
            let settings = tcp.over(profile.settings());
            assert_eq!(settings.orphan_give_up, GiveUp::Retries(3));
            assert_eq!(settings.orphan_retries_at_max_rto, at_max_rto);
        }
    }

    #[test]
    fn one_bound_of_the_delayed_ack_moves_the_other() {
        let max = Some(Duration::from_millis(10));
        let on = DelayedAck::On { min: None, max, quick: None };
        let set = on.over(Profile::Linux.settings().delayed_ack).expect("on");
        assert_eq!((set.min, Some(set.max)), (Duration::from_millis(10), max));
    }
}
