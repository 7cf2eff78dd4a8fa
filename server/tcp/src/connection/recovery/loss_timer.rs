//! The timers of loss: the retransmission timeout (RFC 6298 §5) and the tail loss probe before it (RFC 8985 §7).

use std::time::Duration;

use super::{AckSummary, Phase, TailProbe};
use crate::connection::{Connection, Context};
use crate::{Instant, Timer};

impl Connection {
    /// Starts the timer for what is in flight, or stops it (RFC 6298 §5.1 to §5.3). Where a tail loss probe comes
    /// first, it is the probe's (RFC 8985 §7.2).
    pub(in crate::connection) fn set_retransmission_timer(&mut self, cx: &mut Context<'_>) {
        self.set_loss_timer(cx, self.rtt.rto());
    }

    /// Restarts the timer after new data was sent: the timeout counts from the oldest segment.
    pub(in crate::connection) fn extend_loss_timer(&mut self, cx: &mut Context<'_>) {
        self.set_loss_timer(cx, self.rtt.expiry(self.oldest_sent(cx)) - cx.now);
    }

    /// When the oldest segment in flight was last sent.
    fn oldest_sent(&self, cx: &Context<'_>) -> Instant {
        self.snd.sent.first().map_or(cx.now, |first| first.last_sent)
    }

    fn set_loss_timer(&mut self, cx: &mut Context<'_>, timeout: Duration) {
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
        // PTO: the acknowledgment of a single segment may be delayed, for which the least RTO is allowed (Linux
        // `tcp_schedule_loss_probe`).
        let pto = if self.snd.sent.len() == 1 {
            self.rtt.clock().round_up(srtt * 2 + cx.settings.rto.min)
        } else {
            self.rtt.clock().short_delay(srtt * 2)
        };
        self.timers.cancel(cx, Timer::Retransmission);
        // Linux has one timer for all of them.
        self.timers.cancel(cx, Timer::Reordering);
        self.timers.set(cx, Timer::TailLossProbe, pto.min(timeout));
    }

    /// Whether a tail loss probe may come before the retransmission timeout (RFC 8985 §7.2).
    pub(in crate::connection) fn may_probe_tail(&self, cx: &Context<'_>) -> bool {
        cx.settings.tail_loss_probe
            && self.agreed.sack
            && self.state.is_synchronized()
            && matches!(self.recovery.phase, Phase::Open | Phase::Cwr)
            && self.recovery.tail_probe.is_none()
            && self.retransmissions.timeouts == 0
            && self.rtt.srtt().is_some()
    }

    /// The tail loss probe is due (RFC 8985 §7.3), unless the window takes neither new data nor the last segment (Linux
    /// `tcp_send_loss_probe`).
    pub(in crate::connection) fn tail_loss_timeout(&mut self, cx: &mut Context<'_>) {
        let (una, nxt) = (self.snd.una, self.snd.nxt);
        let last = self.snd.sent.last().map_or(nxt, |last| last.seq);
        let new = self.snd.unsent() > 0 && self.snd.usable_window() > 0;
        if !new && last != una && self.snd.room_at(last) == 0 {
            let left = self.rtt.expiry(self.oldest_sent(cx)) - cx.now;
            self.timers.set(cx, Timer::Retransmission, left);
            return;
        }
        self.recovery.tail_probe = Some(TailProbe { end_seq: nxt, is_retrans: true });
        self.outbox.tail_loss_probe = true;
        self.set_retransmission_timer(cx);
    }

    /// What the answer to a tail loss probe says (RFC 8985 §7.4; Linux `tcp_process_tlp_ack`).
    pub(in crate::connection) fn process_tail_probe_ack(&mut self, now: Instant, ack: &AckSummary<'_>) {
        let Some(probe) = self.recovery.tail_probe else { return };
        if ack.header.ack.before(probe.end_seq) {
            return;
        }
        // The probe was new data or arrived twice, which a D-SACK or a plain duplicate says: nothing was lost.
        let twice = ack.dsack.is_some_and(|(_, end)| end == probe.end_seq);
        if !probe.is_retrans || twice || (ack.duplicate && ack.delivered.sacked == 0) {
            self.recovery.tail_probe = None;
        } else if ack.header.ack.after(probe.end_seq) {
            // None of these came before later data was acknowledged: the probe repaired a loss, which the congestion window
            // pays for.
            self.recovery.tail_probe = None;
            if self.recovery.phase <= Phase::Disorder {
                self.congestion.loss();
                self.window_was_reduced();
                self.congestion.repaired(now);
                self.try_open();
            }
        }
    }
}
