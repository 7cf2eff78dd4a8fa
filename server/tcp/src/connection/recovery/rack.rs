//! RACK: a segment is lost when one that was sent later has been delivered, and the reordering window has passed
//! (RFC 8985 §6).
//!
//! The steps are those of §6.2, on receiving an ACK. Step 1, `RACK.min_RTT`, is [`RttEstimator::min_rtt`].
//!
//! [`RttEstimator::min_rtt`]: crate::rtt::RttEstimator::min_rtt

use std::time::Duration;

use super::{AckSummary, Phase};
use crate::connection::{Connection, Context};
use crate::scoreboard::Transmission;
use crate::{Seq, Settings, Timer};

/// `DupThresh`: duplicate acknowledgments, or segments reported by SACK, that prove a loss (RFC 5681 §3.2; Linux
/// `tcp_reordering`).
pub(super) const DUP_THRESH: u32 = 3;

/// Recoveries without D-SACK after which the reordering window is small again.
const PERSISTENCE: u32 = 16;

/// The variables of a connection (RFC 8985 §5.3).
#[derive(Clone, Copy, Debug)]
pub(super) struct Rack {
    /// `RACK.segment`: of the segments delivered, the one that was sent last.
    segment: Option<Transmission>,
    /// `RACK.rtt`: the round-trip time of the one that was delivered last.
    pub(super) rtt: Duration,
    /// `RACK.reordering_seen`.
    reordering_seen: bool,
    /// `DupThresh`, which grows with the reordering that is seen (Linux `tp->reordering`).
    pub(super) dup_thresh: u32,
    /// `RACK.reo_wnd_mult`: the reordering window in quarters of the shortest round trip.
    reo_wnd_mult: u32,
    /// `RACK.reo_wnd_persist`: how many recoveries it lasts.
    reo_wnd_persist: u32,
    /// `RACK.dsack_round`: until this is acknowledged it does not grow again.
    dsack_round: Option<Seq>,
}

impl Default for Rack {
    fn default() -> Rack {
        Rack {
            segment: None,
            rtt: Duration::ZERO,
            reordering_seen: false,
            dup_thresh: DUP_THRESH,
            reo_wnd_mult: 1,
            reo_wnd_persist: 0,
            dsack_round: None,
        }
    }
}

impl Rack {
    /// Segments arrived `by` segments out of order.
    pub(super) fn set_reordering(&mut self, settings: &Settings, by: u32) {
        self.reordering_seen = true;
        self.dup_thresh = by.min(settings.max_dup_thresh).max(DUP_THRESH);
    }

    /// A recovery ends, and was needed.
    pub(super) fn repaired(&mut self) {
        self.reo_wnd_persist = self.reo_wnd_persist.saturating_sub(1);
        if self.reo_wnd_persist == 0 {
            self.reo_wnd_mult = 1;
        }
    }
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
    pub(super) fn rack_detect_reordering(&mut self, cx: &Context<'_>, ack: &AckSummary<'_>) {
        if let Some(first) = ack.delivered.reordered {
            self.note_reordering(cx.settings, first);
        }
    }

    /// What begins at `first` arrived after all that was delivered before it was (Linux `tcp_check_sack_reordering`).
    pub(super) fn note_reordering(&mut self, settings: &Settings, first: Seq) {
        let sacked = self.snd.sent.highest_sacked();
        let end = if self.snd.sent.duplicates() > 0 { self.snd.nxt } else { sacked.unwrap_or(self.snd.una) };
        if !first.before(end) {
            return;
        }
        let by = first.until(end).div_ceil(self.snd.mss).max(self.recovery.rack.dup_thresh);
        self.recovery.rack.set_reordering(settings, by);
    }

    /// Step 4, `RACK_update_reo_wnd`: the window grows in each round trip in which a D-SACK reports a segment that was late and
    /// not lost.
    pub(super) fn rack_update_reo_wnd(&mut self, ack: &AckSummary<'_>) {
        let rack = &mut self.recovery.rack;
        rack.dsack_round = rack.dsack_round.filter(|round| self.snd.una.before(*round));
        // That of a tail loss probe shows nothing of the kind (Linux `tcp_dsack_seen`).
        let probe = self.recovery.tail_probe.map(|probe| probe.end_seq);
        let dsack = ack.dsack.filter(|(_, end)| probe != Some(*end) && rack.reordering_seen);
        if rack.dsack_round.is_none() && dsack.is_some() {
            rack.dsack_round = Some(self.snd.nxt);
            rack.reo_wnd_mult = (rack.reo_wnd_mult + 1).min(255);
            rack.reo_wnd_persist = PERSISTENCE;
        }
    }

    /// Step 4, "Update the RACK reordering window": `RACK.reo_wnd`, how much later than its successors a segment may be
    /// delivered. It is zero while no reordering was seen and recovery has begun, or enough segments have been reported
    /// for it to begin.
    fn rack_reo_wnd(&self) -> Duration {
        let proven =
            self.recovery.phase >= Phase::Recovery || self.snd.sent.sacked() >= self.recovery.rack.dup_thresh;
        if !self.recovery.rack.reordering_seen && proven {
            return Duration::ZERO;
        }
        let quarter = self.rtt.min_rtt().unwrap_or_default() / 4;
        (quarter * self.recovery.rack.reo_wnd_mult).min(self.rtt.srtt().unwrap_or_default())
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
            self.enter_recovery(cx, false);
            self.congestion.set(self.snd.sent.in_flight() + 1);
        }
    }
}
