//! How far the congestion window is used: one that is not does not grow, and falls in the end (RFC 7661, RFC 2861; Linux
//! `tcp_cwnd_validate`).

use std::time::Duration;

use crate::{Instant, Seq};

/// What is in flight as new data was sent, or could not be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flight {
    pub(crate) now: Instant,
    /// `snd.una` and `snd.nxt`.
    pub(crate) una: Seq,
    pub(crate) nxt: Seq,
    /// Segments sent and not acknowledged.
    pub(crate) segments: u32,
    /// Whether the congestion window allows no more.
    pub(crate) fills_window: bool,
}

/// How far the window was used of late.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    /// Whether the window was the limit (`is_cwnd_limited`), or else the most segments that were in flight
    /// (`max_packets_out`).
    limited: bool,
    most: u32,
    /// This holds until it is acknowledged (`cwnd_usage_seq`).
    until: Option<Seq>,
    /// The most segments that were in flight since the window last was the limit, or fell (`snd_cwnd_used`), and since when
    /// (`snd_cwnd_stamp`).
    used: u32,
    since: Instant,
}

impl Usage {
    /// New data was sent, or could not be.
    pub(super) fn note(&mut self, flight: &Flight) {
        let expired = self.until.is_none_or(|until| flight.una.at_or_after(until));
        if expired || flight.fills_window || (!self.limited && flight.segments > self.most) {
            (self.limited, self.most) = (flight.fills_window, flight.segments);
            self.until = Some(flight.nxt);
        }
    }

    /// Whether the window of this size is the limit. In slow start it is while it is less than twice what was in flight.
    pub(super) fn is_limited(&self, size: u32, slow_start: bool) -> bool {
        self.limited || (slow_start && size < self.most.saturating_mul(2))
    }

    /// The window is the limit, or has just changed: it is not too large.
    pub(super) fn restart(&mut self, now: Instant) {
        (self.used, self.since) = (0, now);
    }

    /// The window is not the limit. Returns the most segments that were in flight if it has not been for `rto`.
    pub(super) fn unused(&mut self, flight: &Flight, rto: Duration) -> Option<u32> {
        self.used = self.used.max(flight.segments);
        let used = self.used;
        (flight.now - self.since >= rto).then(|| {
            self.restart(flight.now);
            used
        })
    }
}
