//! What happens when a timer fires (RFC 9293 §3.10.8).

use super::recovery::TailProbe;
use super::{Connection, Context};
use crate::{Cause, State, Timer};

impl Connection {
    /// Fires every timer that is due.
    pub(crate) fn handle_timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = self.timers.pop_due(cx) {
            match timer {
                Timer::TimeWait | Timer::FinWait2 => self.transition(cx, State::Closed, Cause::Timer(timer)),
                Timer::Keepalive => self.keepalive_timeout(cx),
                Timer::DelayedAck => self.delayed_ack_timeout(),
                Timer::TailLossProbe => {
                    self.recovery.tail_probe = Some(TailProbe { end_seq: self.snd.nxt, is_retrans: true });
                    self.outbox.tail_loss_probe = true;
                    self.set_retransmission_timer(cx);
                }
                Timer::Reordering => self.reordering_timeout(cx),
                Timer::Retransmission => self.retransmission_timeout(cx),
                Timer::Persist => self.persist_timeout(cx),
            }
        }
    }
}
