//! What happens when a timer fires (RFC 9293 §3.10.8).

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
                Timer::TailLossProbe => self.tail_loss_timeout(cx),
                Timer::Reordering => self.reordering_timeout(cx),
                Timer::Retransmission => self.retransmission_timeout(cx),
                Timer::Persist => self.persist_timeout(cx),
            }
        }
    }
}
