//! Undoing repairs that were not needed: Eifel (RFC 3522, RFC 4015) and D-SACK (RFC 3708).

use super::{AckSummary, Undo};
use crate::connection::Connection;
use crate::connection::timestamps::is_later;
use crate::{Header, Instant};

impl Connection {
    /// The timeout was spurious; `end` says whether the phase ends, too.
    pub(super) fn undo_loss(&mut self, now: Instant, end: bool) {
        self.undo(now, true);
        self.retransmissions.timeouts = 0;
        if end {
            self.end_repair();
        }
    }

    /// Remembers what it takes to undo the repair that begins.
    pub(super) fn begin_undo(&mut self) {
        let resent = self.snd.sent.resent();
        let probed = u32::from(self.recovery.tail_probe.is_some_and(|probe| probe.is_retrans));
        let pending = resent + probed;
        self.recovery.undo =
            Some(Undo { marker: self.snd.una, awaited_dsacks: (pending > 0).then_some(pending) });
    }

    /// Restores what the supposed loss has cost (RFC 4015 §3.2).
    pub(super) fn undo(&mut self, now: Instant, unmark: bool) {
        if unmark {
            self.snd.sent.unmark_lost();
        }
        if self.congestion.undo(now) {
            self.window_was_restored();
        }
        self.recovery.undo = None;
    }

    /// Everything that was lost is repaired: returns whether it was for nothing, and takes back what it cost (Linux
    /// `tcp_try_undo_recovery`).
    pub(super) fn try_undo_recovery(&mut self, now: Instant, original: bool) -> bool {
        let for_nothing = self.recovery.may_undo(original);
        if for_nothing {
            self.undo(now, false);
        } else {
            self.recovery.rack.repaired();
        }
        for_nothing
    }

    /// A D-SACK may report segments that were sent again (RFC 3708).
    pub(super) fn count_dsack(&mut self, ack: &AckSummary<'_>) {
        let (Some(undo), Some((start, end))) = (&mut self.recovery.undo, ack.dsack) else { return };
        if end.at_or_before(ack.una_before.max(self.snd.una)) && end.after(undo.marker) {
            let segments = start.until(end).div_ceil(self.snd.mss);
            undo.awaited_dsacks = undo.awaited_dsacks.map(|count| count.saturating_sub(segments));
        }
    }

    /// Undoes the repair, which may still go on or be over, if D-SACKs have reported every retransmission (Linux
    /// `tcp_try_undo_dsack`).
    pub(super) fn undo_by_dsack(&mut self, now: Instant) {
        if self.recovery.may_undo(false) {
            self.undo(now, false);
            self.try_open();
        }
    }

    /// Whether an original was acknowledged and not its retransmission (RFC 3522 §3.2).
    pub(super) fn acknowledges_original(&self, header: &Header) -> bool {
        match self.recovery.first_retransmission {
            Some(first) => self.echoes_earlier(header, first),
            // Nothing was sent again, unless the repair is held.
            None => self.agreed.sack || self.snd.una.before(self.recovery.recovery_point),
        }
    }

    /// Whether the timestamps say that what is acknowledged was sent before `time`.
    pub(super) fn echoes_earlier(&self, header: &Header, time: Instant) -> bool {
        let echo = header.options.timestamps.filter(|_| self.agreed.timestamps).map(|stamps| stamps.echo);
        echo.is_some_and(|echo| is_later(self.timestamps.value(time), echo))
    }
}
