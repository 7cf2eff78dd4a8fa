//! RACK: a segment is lost when one that was sent later has been delivered, and the reordering window has passed
//! (RFC 8985 §6).
//!
//! The steps are those of §6.2, on receiving an ACK. Step 1, `RACK.min_RTT`, is [`RttEstimator::min_rtt`].
//!
//! [`RttEstimator::min_rtt`]: crate::rtt::RttEstimator::min_rtt

use std::time::Duration;

use super::{AckSummary, DUP_THRESH, Phase};
use crate::Timer;
use crate::connection::{Connection, Context};
use crate::scoreboard::Transmission;

/// The variables of a connection (RFC 8985 §5.3).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rack {
    /// `RACK.segment`: of the segments delivered, the one that was sent last.
    segment: Option<Transmission>,
    /// `RACK.rtt`: the round-trip time of the one that was delivered last.
    pub(super) rtt: Duration,
    /// `RACK.reordering_seen`.
    pub(super) reordering_seen: bool,
}

impl Connection {
    /// `RACK_update`, step 2: "Update the state for the most recently sent segment that has been delivered".
    pub(super) fn rack_update(&mut self, ack: &AckSummary<'_>) {
        let rack = &mut self.recovery.rack;
        rack.rtt = ack.delivered.rtt.unwrap_or(rack.rtt);
        let newer = |delivered: &Transmission| rack.segment.is_none_or(|last| delivered.sent_after(last));
        rack.segment = ack.delivered.last_sent.filter(newer).or(rack.segment);
    }

    /// `RACK_detect_reordering`, step 3: "Detect data segment reordering".
    pub(super) fn rack_detect_reordering(&mut self, ack: &AckSummary<'_>) {
        self.recovery.rack.reordering_seen |= ack.delivered.reordered;
    }

    /// Step 4, "Update the RACK reordering window": `RACK.reo_wnd`, how much later than its successors a segment may be
    /// delivered. It is zero while no reordering was seen and recovery has begun, or enough segments have been reported
    /// for it to begin.
    fn rack_reo_wnd(&self) -> Duration {
        let proven = self.recovery.phase >= Phase::Recovery || self.snd.sent.sacked() >= DUP_THRESH;
        if !self.recovery.rack.reordering_seen && proven {
            return Duration::ZERO;
        }
        let quarter = self.rtt.min_rtt().unwrap_or_default() / 4;
        quarter.min(self.rtt.srtt().unwrap_or_default())
    }

    /// `RACK_detect_loss_and_arm_timer`, step 5: "Detect losses".
    pub(super) fn rack_detect_loss_and_arm_timer(&mut self, cx: &mut Context<'_>) {
        let Some(segment) = self.recovery.rack.segment else { return };
        let timeout = self.recovery.rack.rtt + self.rack_reo_wnd();
        match self.snd.sent.detect_loss(cx.now, segment, timeout) {
            Some(left) => self.timers.set(cx, Timer::Reordering, self.rtt.clock().short_delay(left)),
            None => self.timers.cancel(cx, Timer::Reordering),
        }
    }

    /// The reordering timer fired: the segments that it waited for are lost.
    pub(in crate::connection) fn reordering_timeout(&mut self, cx: &mut Context<'_>) {
        let lost_before = self.snd.sent.lost();
        self.rack_detect_loss_and_arm_timer(cx);
        if self.snd.sent.lost() > lost_before && self.recovery.phase < Phase::Recovery {
            self.enter_recovery(cx);
            self.congestion.set(self.snd.sent.in_flight() + 1);
        }
    }
}
