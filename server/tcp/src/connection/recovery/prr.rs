//! Proportional rate reduction: how fast the window shrinks while a loss is repaired (RFC 6937).

use crate::connection::Connection;

impl Connection {
    /// RFC 6937 §3: sends in proportion to what is delivered until the window is down to `ssthresh`.
    ///
    /// `delivered` segments have left the network; `advanced` says whether `snd.una` moved.
    pub(super) fn reduce_window(&mut self, advanced: bool, delivered: u32, newly_lost: bool) {
        let in_flight = self.snd.sent.in_flight();
        let threshold = self.congestion.threshold();
        if delivered == 0 {
            return;
        }
        let prr = &mut self.recovery.prr;
        prr.delivered += delivered;
        let allowed = if in_flight > threshold {
            let before = u64::from(self.congestion.size_before_loss().max(1));
            let share = (u64::from(threshold) * u64::from(prr.delivered)).div_ceil(before) as u32;
            share.saturating_sub(prr.out)
        } else {
            let mut limit = prr.delivered.saturating_sub(prr.out).max(delivered);
            // A partial acknowledgment without new losses: slow start (PRR-SSRB).
            limit += u32::from(advanced && !newly_lost);
            limit.min(threshold - in_flight)
        };
        // Fast retransmit sends the first segment whatever the window says.
        let allowed = allowed.max(u32::from(prr.out == 0));
        self.congestion.set(in_flight + allowed);
    }
}
