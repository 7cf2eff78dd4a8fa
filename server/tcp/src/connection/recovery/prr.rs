//! Proportional rate reduction: how fast the window shrinks while a loss is repaired (RFC 6937).

use super::News;
use crate::connection::Connection;

impl Connection {
    /// RFC 6937 §3: as many segments out as arrived, down to the threshold.
    pub(in crate::connection) fn reduce_window(&mut self, news: &News<'_>, newly_lost: bool) {
        let in_flight = self.snd.sent.in_flight();
        let threshold = self.congestion.threshold();
        let delivered = news.delivered.segments.max(u32::from(news.duplicate && !self.agreed.sack));
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
            let mut most = prr.delivered.saturating_sub(prr.out).max(delivered);
            // A partial acknowledgment without new losses: slow start (PRR-SSRB).
            most += u32::from(news.advanced && !newly_lost);
            most.min(threshold - in_flight)
        };
        // The first segment always goes.
        let allowed = allowed.max(u32::from(prr.out == 0));
        self.congestion.set(in_flight + allowed);
    }
}
