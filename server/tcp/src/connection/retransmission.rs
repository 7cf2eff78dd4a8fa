//! The retransmission timeout, and when retransmission ends (RFC 9293 §3.8.3; RFC 6298 §5).

use std::time::Duration;

use super::{Connection, Context};
use crate::{Cause, GiveUp, Instant, Report, RtoSettings, Settings, State, Timer};

/// Timeouts that are reported to the application, and after which the path may be a black hole (RFC 9293 §3.8.3: R1 is at
/// least 3; Linux `tcp_retries1`).
const R1: u32 = 3;

/// The timeouts since new data was last acknowledged.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retransmissions {
    /// How often the retransmission timer fired.
    pub(super) timeouts: u32,
    /// When it fired first.
    pub(super) first_timeout: Option<Instant>,
}

impl Connection {
    /// The retransmission timer fired (RFC 6298 §5.4 to §5.7).
    pub(super) fn retransmission_timeout(&mut self, cx: &mut Context<'_>) {
        let in_handshake = !self.state.is_synchronized();
        let is_hopeless =
            if in_handshake { self.handshake_is_hopeless(cx) } else { self.data_is_hopeless(cx) };
        if is_hopeless {
            let cause = self.limit_reached(Timer::Retransmission);
            if self.is_embryonic() {
                self.transition(cx, State::Closed, cause);
            } else {
                self.give_up(cx, cause);
            }
            return;
        }
        if in_handshake {
            if self.retransmissions.timeouts > 0 || !cx.settings.lost_syn_keeps_window {
                self.congestion.handshake_timed_out();
            }
            if self.state == State::SynSent {
                self.window_was_reduced();
            }
            // A peer that is to send data gets one more chance at the end (Linux `syn_ack_recalc`).
            if !self.agreed.deferred
                || self.retransmissions.timeouts + 1 >= self.deferred_timeouts(cx.settings)
            {
                self.snd.sent.mark_all_lost(cx.now, Duration::ZERO);
            }
        } else {
            self.enter_loss(cx);
            if self.waited(cx, R1) {
                self.suspect_black_hole(cx);
            }
        }
        self.retransmissions.timeouts += 1;
        self.retransmissions.first_timeout.get_or_insert(cx.now);
        if self.retransmissions.timeouts == R1 {
            self.report(cx, Report::Retransmissions(R1));
        }
        // The first SYNs are sent at an even pace (`syn_linear_timeouts`).
        if self.state != State::SynSent || self.retransmissions.timeouts > cx.settings.syn_linear_timeouts {
            self.rtt.back_off();
        }
        let rto = self.rtt.rto();
        // The user timeout ends the wait (Linux `tcp_clamp_rto_to_user_timeout`).
        let left = self.longest_wait(cx).map(|longest| (self.waiting_since(cx) + longest) - cx.now);
        self.timers.set(cx, Timer::Retransmission, left.map_or(rto, |left| rto.min(left)));
    }

    /// Why a connection ends whose timer fired in vain for the last time: a user timeout replaces all other limits.
    pub(super) fn limit_reached(&self, timer: Timer) -> Cause {
        if self.socket.user_timeout.is_some() { Cause::UserTimeout(timer) } else { Cause::GaveUp(timer) }
    }

    /// The longest that the application waits, or the stack for an active open.
    fn longest_wait(&self, cx: &Context<'_>) -> Option<Duration> {
        let connect = cx.settings.connect_timeout.filter(|_| self.state == State::SynSent);
        self.socket.user_timeout.or(connect)
    }

    /// From when the user timeout counts: the first SYN, or the first timeout of data.
    fn waiting_since(&self, cx: &Context<'_>) -> Instant {
        let syn = self.snd.sent.first().filter(|_| !self.state.is_synchronized());
        syn.map(|syn| syn.first_sent).or(self.retransmissions.first_timeout).unwrap_or(cx.now)
    }

    /// Whether the SYN has been sent often enough (RFC 9293 §3.8.3; Linux `tcp_write_timeout`).
    fn handshake_is_hopeless(&self, cx: &Context<'_>) -> bool {
        let settings = cx.settings;
        if let Some(longest) = self.longest_wait(cx) {
            return cx.now - self.waiting_since(cx) >= longest;
        }
        match self.state {
            State::SynSent => {
                let longest = doublings(settings.syn_retries, settings.rto.initial, settings.rto.max);
                self.retransmissions.timeouts
                    >= settings.syn_retries.saturating_add(settings.syn_linear_timeouts)
                    || cx.now - self.waiting_since(cx) >= longest
            }
            State::SynReceived => {
                let deferred = if self.agreed.deferred { self.deferred_timeouts(settings) } else { 0 };
                self.retransmissions.timeouts >= settings.synack_retries.max(deferred)
            }
            // Nothing is sent before the handshake, and after it `data_is_hopeless` decides.
            State::Closed
            | State::Listen
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => false,
        }
    }

    /// How many timeouts of the SYN+ACK an acknowledgment without data is dropped for (Linux `secs_to_retrans`).
    pub(super) fn deferred_timeouts(&self, settings: &Settings) -> u32 {
        let Some(defer) = settings.defer_accept.filter(|_| self.is_embryonic()) else { return 0 };
        let (mut timeouts, mut timeout, mut period) = (1, settings.rto.initial, settings.rto.initial);
        while defer > period && timeouts < 255 {
            timeout = (timeout * 2).min(settings.rto.max);
            (timeouts, period) = (timeouts + 1, period + timeout);
        }
        timeouts
    }

    /// When unacknowledged data ends the connection.
    pub(super) fn data_limit(&self, cx: &Context<'_>) -> GiveUp {
        if !self.is_orphan() {
            return cx.settings.give_up;
        }
        let at_max = self.rtt.rto() >= cx.settings.rto.max;
        let believed_dead = cx.settings.orphan_retries_at_max_rto.filter(|_| at_max);
        believed_dead.map_or(cx.settings.orphan_give_up, GiveUp::Retries)
    }

    /// Whether data or FIN was unacknowledged for too long (RFC 9293 §3.8.3, R2).
    fn data_is_hopeless(&self, cx: &Context<'_>) -> bool {
        let settings = cx.settings;
        if let Some(longest) = self.socket.user_timeout {
            return self.retransmissions.first_timeout.is_some_and(|first| cx.now - first >= longest);
        }
        // A peer that took its window back but answers is not gone (RFC 9293 §3.8.6, SHLD-17; Linux
        // `tcp_rtx_probe0_timed_out`).
        if self.snd.wnd == 0 && !self.is_orphan() && self.silence(cx) <= settings.rto.max * 2 {
            return false;
        }
        match self.data_limit(cx) {
            GiveUp::Retries(retries) => self.waited(cx, retries),
            GiveUp::Count(count) => self.retransmissions.timeouts >= count,
            GiveUp::After(longest) => {
                self.snd.sent.first().is_some_and(|first| cx.now - first.first_sent >= longest)
            }
        }
    }

    /// Whether the first timeout of data was as long ago as this many doublings take (Linux `retransmits_timed_out`).
    fn waited(&self, cx: &Context<'_>, retries: u32) -> bool {
        let RtoSettings { retries_base, max, .. } = cx.settings.rto;
        self.retransmissions.first_timeout.is_some_and(|first| {
            // A stack reads its clock when the timer has fired, which is late.
            let waited = cx.now - first + self.rtt.clock().wheel_lateness(self.rtt.rto());
            waited >= doublings(retries, retries_base, max)
        })
    }
}

/// How long `times` doublings of `base` take in all, each at most `max` (Linux `tcp_model_timeout`).
fn doublings(times: u32, base: Duration, max: Duration) -> Duration {
    (0..=times.min(1000))
        .map(|doubling| base.saturating_mul(1_u32.checked_shl(doubling).unwrap_or(u32::MAX)).min(max))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_retries_take_924_seconds() {
        let (min, max) = (Duration::from_millis(200), Duration::from_secs(120));
        assert_eq!(doublings(15, min, max), Duration::from_millis(924_600), "tcp_retries2 of Linux");
        assert_eq!(doublings(4, min, max), Duration::from_millis(6_200));
        assert_eq!(doublings(6, Duration::from_secs(1), max), Duration::from_secs(127));
    }
}
