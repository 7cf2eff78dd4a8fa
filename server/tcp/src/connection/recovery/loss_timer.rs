//! The timers of loss: the retransmission timeout (RFC 6298 §5) and the tail loss probe before it (RFC 8985 §7).

use std::time::Duration;

use super::{News, Phase};
use crate::Timer;
use crate::connection::{Connection, Context};

impl Connection {
    /// Starts the timer for what is in flight, or stops it (RFC 6298 §5.1 to §5.3). At the tail of a flight it is a
    /// probe that comes first (RFC 8985 §7.2).
    pub(in crate::connection) fn set_retransmission_timer(&mut self, cx: &mut Context<'_>) {
        self.set_loss_timer(cx, self.rtt.rto());
    }

    /// The same after new data was sent: the timeout counts from the oldest segment.
    pub(in crate::connection) fn extend_loss_timer(&mut self, cx: &mut Context<'_>) {
        let oldest = self.snd.sent.first().map_or(cx.now, |first| first.last_sent);
        self.set_loss_timer(cx, self.rtt.expiry(oldest) - cx.now);
    }

    pub(in crate::connection) fn set_loss_timer(&mut self, cx: &mut Context<'_>, timeout: Duration) {
        if self.snd.sent.is_empty() {
            self.timers.cancel(cx, Timer::Retransmission);
            self.timers.cancel(cx, Timer::TailLossProbe);
            self.timers.cancel(cx, Timer::Reordering);
            return;
        }
        let srtt = self.rtt.srtt().filter(|_| self.may_probe_tail(cx));
        let Some(srtt) = srtt else {
            self.timers.cancel(cx, Timer::TailLossProbe);
            self.timers.set(cx, Timer::Retransmission, timeout);
            return;
        };
        // One segment's acknowledgment may be delayed: Linux takes the least RTO for it.
        let probe = if self.snd.sent.len() == 1 {
            self.rtt.clock().round_up(srtt * 2 + cx.settings.rto.min)
        } else {
            self.rtt.clock().short_delay(srtt * 2)
        };
        self.timers.cancel(cx, Timer::Retransmission);
        self.timers.set(cx, Timer::TailLossProbe, probe.min(timeout));
    }

    /// Whether a tail loss probe may come before the retransmission timeout (RFC 8985 §7.2).
    pub(in crate::connection) fn may_probe_tail(&self, cx: &Context<'_>) -> bool {
        cx.settings.tail_loss_probe
            && self.agreed.sack
            && self.state.is_synchronized()
            && self.recovery.phase == Phase::Open
            && self.recovery.tail_probe.is_none()
            && self.retransmissions.timeouts == 0
            && self.rtt.srtt().is_some()
    }

    /// RFC 8985 §7.4: what the answer to a tail loss probe says.
    pub(in crate::connection) fn settle_tail_probe(&mut self, news: &News<'_>) {
        let Some(probe) = self.recovery.tail_probe else { return };
        let ack = news.header.ack;
        if ack.before(probe.until) {
            return;
        }
        // New data, a report that the probe arrived twice, or a plain duplicate: nothing was lost.
        let harmless =
            !probe.repeats || news.dsack.is_some() || (news.duplicate && news.delivered.sacked == 0);
        if harmless {
            self.recovery.tail_probe = None;
        } else if ack.after(probe.until) || news.advanced {
            // The probe repaired a loss, which costs what a loss costs.
            self.recovery.tail_probe = None;
            if self.recovery.phase <= Phase::Disorder {
                self.congestion.loss();
                self.congestion.repaired();
                self.try_open();
            }
        }
    }
}
