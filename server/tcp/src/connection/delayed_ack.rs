//! When what arrived is acknowledged: now, or by the delayed ACK timer (RFC 9293 §3.8.6.3).

use super::{Connection, Context};
use crate::ack_policy::AckAction;
use crate::{Purpose, Timer};

impl Connection {
    /// Something is missing before what arrived.
    pub(super) fn acknowledge_gap(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        match self.ack_policy.decide_beyond_gap(self.rcv.nxt, self.agreed.sack, self.rtt.srtt()) {
            AckAction::Now => self.acknowledge_now(cx, purpose),
            AckAction::Within(delay) => {
                if self.timers.expires(Timer::DelayedAck).is_none_or(|at| at > cx.now + delay) {
                    self.timers.set(cx, Timer::DelayedAck, delay);
                }
            }
        }
    }

    pub(super) fn acknowledge_now(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        self.timers.cancel(cx, Timer::DelayedAck);
        self.outbox.ack = Some(purpose);
    }

    /// Acknowledges now or later, as the policy says.
    pub(super) fn schedule_ack(&mut self, cx: &mut Context<'_>, fin: bool) {
        if self.outbox.ack.is_some() {
            return;
        }
        let clock = self.rtt.clock();
        let srtt = self.rtt.srtt().map(|srtt| clock.round_up(srtt));
        let opens = self.rcv.next_window() >= self.rcv.offered();
        match self.ack_policy.decide(self.rcv.nxt, srtt, self.rcv.has_gap(), fin, opens) {
            AckAction::Now => self.acknowledge_now(cx, Purpose::Normal),
            AckAction::Within(delay) => match self.timers.expires(Timer::DelayedAck) {
                // It is about to fire anyway (Linux `tcp_send_delayed_ack`).
                Some(at) if at <= cx.now + clock.round_down(delay / 4) => {
                    self.acknowledge_now(cx, Purpose::Normal);
                }
                Some(at) if at <= cx.now + delay => {}
                Some(_) | None => self.timers.set(cx, Timer::DelayedAck, clock.delay(delay)),
            },
        }
    }

    /// The delayed ACK timer fired.
    pub(super) fn delayed_ack_timeout(&mut self) {
        if self.ack_policy.is_owed() {
            self.ack_policy.delay_passed(self.rtt.rto());
            self.outbox.ack.get_or_insert(Purpose::Normal);
        }
    }
}
