//! RACK: a segment is lost when one sent later was delivered, and time enough has passed (RFC 8985 §6).

use std::time::Duration;

use super::{News, Phase, THRESHOLD};
use crate::connection::{Connection, Context};
use crate::{Instant, Timer};

impl Connection {
    /// RACK step 2 to 4: which of the delivered segments was sent last, and whether they overtook each other
    /// (RFC 8985 §6.2).
    pub(in crate::connection) fn learn_order(&mut self, now: Instant, news: &News<'_>) {
        self.recovery.rack.reordering |= news.delivered.reordered;
        let Some((sent, end, resent)) = news.delivered.newest else { return };
        let rtt = now - sent;
        // The acknowledgment of an earlier transmission would say that this one was quick. Where every round trip is as
        // long, that can not be told; the kernel's lone repairs are a little quicker than its bursts (18c, 12 of 12 runs).
        let quick = self.rtt.min_rtt().is_some_and(|least| rtt <= least);
        // So does an echo from before it was sent again (step 2; Linux `tcp_skb_spurious_retrans`).
        if resent && (quick || self.echoes_earlier(news.header, sent)) {
            return;
        }
        let rack = &mut self.recovery.rack;
        rack.rtt = rtt;
        if rack.newest.is_none_or(|(time, last)| sent > time || (sent == time && end.after(last))) {
            rack.newest = Some((sent, end));
        }
    }

    /// RACK step 5 (RFC 8985 §6.2).
    pub(in crate::connection) fn find_losses_by_time(&mut self, cx: &mut Context<'_>) {
        let Some(newest) = self.recovery.rack.newest else { return };
        let patience = self.recovery.rack.rtt + self.reordering_window();
        match self.snd.sent.mark_lost_by_time(cx.now, newest, patience) {
            Some(left) => self.timers.set(cx, Timer::Reordering, self.rtt.clock().short_delay(left)),
            None => self.timers.cancel(cx, Timer::Reordering),
        }
    }

    /// RACK step 4: how much later than others a segment may be (RFC 8985 §6.2; without a sign of reordering, three
    /// segments reported behind it are proof).
    pub(in crate::connection) fn reordering_window(&self) -> Duration {
        let proven = self.recovery.phase >= Phase::Recovery || self.snd.sent.sacked() >= THRESHOLD;
        if !self.recovery.rack.reordering && proven {
            return Duration::ZERO;
        }
        let quarter = self.rtt.min_rtt().unwrap_or_default() / 4;
        quarter.min(self.rtt.srtt().unwrap_or_default())
    }

    /// RACK's timer fired: what it waited for is lost.
    pub(in crate::connection) fn reordering_timeout(&mut self, cx: &mut Context<'_>) {
        let lost_before = self.snd.sent.lost();
        self.find_losses_by_time(cx);
        if self.snd.sent.lost() > lost_before && self.recovery.phase < Phase::Recovery {
            self.enter_recovery(cx);
            self.congestion.set(self.snd.sent.in_flight() + 1);
        }
    }
}
