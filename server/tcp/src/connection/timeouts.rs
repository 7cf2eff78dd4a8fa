//! What happens when a timer fires (RFC 9293 §3.10.8).

use std::time::Duration;

use super::recovery::TailProbe;
use super::{Connection, Context};
use crate::{Cause, Errno, GiveUp, Instant, Purpose, Report, State, Timer};

/// Timeouts after which the application hears of them (RFC 9293 §3.8.3: R1 is at least 3).
const R1: u32 = 3;

impl Connection {
    /// Fires every timer that is due.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = self.timers.pop_due(cx) {
            match timer {
                Timer::TimeWait | Timer::FinWait2 => self.transition(cx, State::Closed, Cause::Timer(timer)),
                Timer::Keepalive => self.keepalive_timeout(cx),
                Timer::DelayedAck => self.delayed_ack_timeout(),
                Timer::TailLossProbe => {
                    self.recovery.tail_probe = Some(TailProbe { until: self.snd.nxt, repeats: true });
                    self.outbox.tail_loss_probe = true;
                    self.set_retransmission_timer(cx);
                }
                Timer::Reordering => self.reordering_timeout(cx),
                Timer::Retransmission => self.retransmission_timeout(cx),
                Timer::Persist => self.persist_timeout(cx),
            }
        }
    }

    fn retransmission_timeout(&mut self, cx: &mut Context<'_>) {
        let in_handshake = !self.state.is_synchronized();
        if if in_handshake { self.handshake_is_hopeless(cx) } else { self.data_is_hopeless(cx) } {
            let cause = Cause::GaveUp(Timer::Retransmission);
            if self.state == State::SynReceived && self.parent.is_some() {
                self.transition(cx, State::Closed, cause);
            } else {
                self.give_up(cx, cause);
            }
            return;
        }
        if in_handshake {
            self.congestion.handshake_timed_out();
            self.snd.sent.mark_all_lost(cx.now, Duration::ZERO);
        } else {
            self.enter_loss(cx);
        }
        self.timeouts += 1;
        self.first_timeout.get_or_insert(cx.now);
        if self.timeouts == R1 {
            self.report(cx, Report::Retransmissions(R1));
        }
        // Linux sends the first SYNs at an even pace (tcp_syn_linear_timeouts).
        if self.state != State::SynSent || self.timeouts > cx.settings.syn_linear_timeouts {
            self.rtt.back_off();
        }
        let rto = self.rtt.rto();
        // The user timeout ends a wait when it is over (Linux `tcp_clamp_rto_to_user_timeout`).
        let left = self.longest_wait(cx).map(|longest| (self.waiting_since(cx) + longest) - cx.now);
        self.timers.set(cx, Timer::Retransmission, left.map_or(rto, |left| rto.min(left)));
    }

    /// How long the application, or the stack for an active open, waits at most.
    fn longest_wait(&self, cx: &Context<'_>) -> Option<Duration> {
        let connect = cx.settings.connect_timeout.filter(|_| self.state == State::SynSent);
        self.user_timeout.or(connect)
    }

    /// From when the user timeout counts: the first SYN, or the first timeout of data.
    fn waiting_since(&self, cx: &Context<'_>) -> Instant {
        let syn = self.snd.sent.first().filter(|_| !self.state.is_synchronized());
        syn.map(|syn| syn.first_sent).or(self.first_timeout).unwrap_or(cx.now)
    }

    /// The application learns what a router said, or that nobody did.
    fn give_up(&mut self, cx: &mut Context<'_>, cause: Cause) {
        let errno = self.soft_error.unwrap_or(Errno::TimedOut);
        self.fail(cx, errno, cause);
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
                self.timeouts >= settings.syn_retries.saturating_add(settings.syn_linear_timeouts)
                    || cx.now - self.waiting_since(cx) >= longest
            }
            State::SynReceived => self.timeouts >= settings.synack_retries,
            // Nothing is retransmitted before the handshake, and after it `data_is_hopeless` decides.
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

    /// Whether data or FIN went unacknowledged for too long (RFC 9293 §3.8.3, R2).
    fn data_is_hopeless(&self, cx: &Context<'_>) -> bool {
        let settings = cx.settings;
        if let Some(longest) = self.user_timeout {
            return self.first_timeout.is_some_and(|first| cx.now - first >= longest);
        }
        // Who took its window back, but answers, is not gone (RFC 9293 §3.8.6, SHLD-17; Linux `tcp_rtx_probe0_timed_out`).
        if self.snd.wnd == 0 && !self.orphan && self.silence(cx) <= settings.rto.max * 2 {
            return false;
        }
        let limit = if self.orphan { settings.orphan_give_up } else { settings.give_up };
        match limit {
            GiveUp::Retries(retries) => self.first_timeout.is_some_and(|first| {
                // The kernel reads its clock when the timer has fired, which is late.
                let waited = cx.now - first + self.rtt.clock().wheel_lateness(self.rtt.rto());
                waited >= doublings(retries, settings.rto.min, settings.rto.max)
            }),
            GiveUp::Count(count) => self.timeouts >= count,
            GiveUp::After(longest) => {
                self.snd.sent.first().is_some_and(|first| cx.now - first.first_sent >= longest)
            }
        }
    }

    /// The peer's window is closed, and it may have opened without our hearing of it (RFC 9293 §3.8.6.1); or it is
    /// silly, and has been for long enough (§3.8.6.2.1).
    fn persist_timeout(&mut self, cx: &mut Context<'_>) {
        if self.snd.usable_window() > 0 {
            self.outbox.silly = true;
            return;
        }
        let limit = if self.orphan { cx.settings.orphan_give_up } else { cx.settings.give_up };
        let first = *self.first_window_probe.get_or_insert(cx.now);
        let unanswered_since = *self.unanswered_since.get_or_insert(cx.now);
        // Probes that are answered go on for ever (MUST-37), unless the application says how long.
        let hopeless = match (self.user_timeout, limit) {
            (Some(longest), _) => cx.now - first >= longest,
            (None, GiveUp::Retries(retries) | GiveUp::Count(retries)) => self.window_probes >= retries,
            (None, GiveUp::After(longest)) => cx.now - unanswered_since >= longest,
        };
        if hopeless {
            self.give_up(cx, Cause::GaveUp(Timer::Persist));
            return;
        }
        self.outbox.probe = Some(Purpose::WindowProbe);
        self.outbox.urgent = self.has_urgent();
        self.window_probes += 1;
        // Linux doubles the wait no more often than tcp_retries2 says (`tcp_send_probe0`).
        let most = if let GiveUp::Retries(retries) = cx.settings.give_up { retries.min(32) } else { 32 };
        self.persist_backoff = (self.persist_backoff + 1).min(most);
        self.set_persist_timer(cx);
    }

    /// The wait for the next window probe begins.
    pub(super) fn set_persist_timer(&mut self, cx: &mut Context<'_>) {
        let wait = self.rtt.doubled(self.persist_backoff);
        let limits = self.user_timeout.zip(self.first_window_probe);
        let left = limits.map(|(longest, first)| (first + longest) - cx.now);
        self.timers.set(cx, Timer::Persist, left.map_or(wait, |left| wait.min(left)));
    }
}

/// How long `times` doublings of `base` take in all, each at most `most` (Linux `tcp_model_timeout`).
fn doublings(times: u32, base: Duration, most: Duration) -> Duration {
    (0..=times.min(1000))
        .map(|doubling| base.saturating_mul(1_u32.checked_shl(doubling).unwrap_or(u32::MAX)).min(most))
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
