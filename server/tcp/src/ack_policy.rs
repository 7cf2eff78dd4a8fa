//! When to acknowledge: at once, or later, so that one acknowledgment serves several segments or travels with data
//! (RFC 9293 §3.8.6.3).
//!
//! [`AckRule`] says which acknowledgments wait. With [`AckRule::Adaptive`] a new connection acknowledges at once, and
//! an interactive one waits for its answer to carry the acknowledgment (Linux `tcp_event_data_recv`,
//! `__tcp_ack_snd_check`, `tcp_send_delayed_ack`, `tcp_cleanup_rbuf`).

use std::time::Duration;

use crate::{AckRule, DelayedAckSettings, Instant, Seq, Settings};

/// When to send an acknowledgment that is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckAction {
    /// At once.
    Now,
    /// After this time at the latest.
    Within(Duration),
}

/// What the decision depends on.
#[derive(Clone, Debug)]
pub(crate) struct AckPolicy {
    settings: Option<DelayedAckSettings>,
    rule: AckRule,
    compression: Option<Duration>,
    /// How many more acknowledgments are sent at once (Linux `quick`).
    quick: u32,
    /// Whether the application answers what it receives (Linux `pingpong`).
    interactive: bool,
    /// The present delay (Linux `ato`); zero before the first data.
    delay: Duration,
    /// When data last arrived.
    last_data: Option<Instant>,
    /// The last acknowledgment sent.
    acknowledged: Seq,
    /// Octets in the largest segment received (Linux `rcv_mss`).
    full_size: u32,
    /// Whether an acknowledgment is owed.
    owed: bool,
    /// Where the gap begins that was last acknowledged, and how often it was acknowledged at once.
    gap: (Seq, u32),
    /// An acknowledgment of data beyond a gap waits for more data.
    compressed: bool,
    /// Small segments received since the last acknowledgment: their sender waits for something.
    pushed: u32,
}

impl AckPolicy {
    pub(crate) fn new(settings: &Settings) -> AckPolicy {
        // The peer's retransmission timer must not be first (Linux `tcp_delack_max`).
        let tick = settings.rto.granularity;
        let before_rto = settings.rto.min.max(tick * 2) - tick;
        let longest = |delayed: DelayedAckSettings| match settings.ack_rule {
            AckRule::SecondSegment => delayed,
            AckRule::Adaptive => DelayedAckSettings { max: delayed.max.min(before_rto), ..delayed },
        };
        AckPolicy {
            settings: settings.delayed_ack.map(longest),
            rule: settings.ack_rule,
            compression: settings.ack_compression,
            quick: 0,
            interactive: false,
            delay: Duration::ZERO,
            last_data: None,
            acknowledged: Seq(0),
            // RFC 9293 §3.7.1: 536 until a larger one arrives.
            full_size: 536,
            owed: false,
            gap: (Seq(0), 0),
            compressed: false,
            pushed: 0,
        }
    }

    /// Whether an acknowledgment is owed.
    pub(crate) fn is_owed(&self) -> bool {
        self.owed
    }

    fn is_adaptive(&self) -> bool {
        self.settings.is_some() && self.rule == AckRule::Adaptive
    }

    fn is_quick(&self) -> bool {
        self.quick > 0 && !self.interactive
    }

    /// `len` octets that continue the stream arrived; `window` is the window we offered.
    pub(crate) fn received(&mut self, now: Instant, len: u32, window: u32, rto: Duration) {
        self.owed = true;
        if len >= self.full_size {
            self.full_size = len;
        } else {
            self.pushed += 1;
        }
        let Some(settings) = self.settings else { return };
        let gap = self.last_data.map(|last| now - last);
        self.last_data = Some(now);
        match gap {
            _ if self.delay.is_zero() => {
                self.delay = settings.min;
                self.refill(settings, window);
            }
            Some(gap) if gap <= settings.min / 2 => self.delay = self.delay / 2 + settings.min / 2,
            Some(gap) if gap < self.delay => self.delay = (self.delay / 2 + gap).min(rto),
            // After a pause the sender may be in slow start again.
            Some(gap) if gap > rto => self.refill(settings, window),
            _ => {}
        }
    }

    fn refill(&mut self, settings: DelayedAckSettings, window: u32) {
        let segments = window / (2 * self.full_size);
        let segments = if segments == 0 { 2 } else { segments };
        self.quick = self.quick.max(segments.min(settings.quick));
    }

    /// The window grows: the peer learns of it at once (Linux `tcp_grow_window`).
    pub(crate) fn window_grows(&mut self) {
        if self.is_adaptive() {
            self.quick |= 1;
        }
    }

    /// The receive buffer is filling up: no acknowledgment is sent early (Linux `__tcp_select_window`).
    pub(crate) fn room_runs_out(&mut self) {
        self.quick = 0;
    }

    /// A gap or a duplicate arrived: the sender needs to know at once, and so for the next few segments (Linux
    /// `tcp_enter_quickack_mode`).
    pub(crate) fn hurry(&mut self, window: u32) {
        self.hurry_for(u32::MAX, window);
    }

    /// The network is congested: the window of the sender may be so small that it needs the next two acknowledgments at once
    /// (Linux `tcp_data_ecn_check`).
    pub(crate) fn hurry_a_little(&mut self, window: u32) {
        self.hurry_for(2, window);
    }

    /// At most this many acknowledgments are sent at once.
    fn hurry_for(&mut self, most: u32, window: u32) {
        if let Some(settings) = self.settings {
            self.interactive = false;
            self.delay = settings.min;
            self.refill(DelayedAckSettings { quick: settings.quick.min(most), ..settings }, window);
        }
    }

    /// The peer closed: an answer is likely to follow soon (Linux `tcp_fin`).
    pub(crate) fn peer_closed(&mut self) {
        self.owed = true;
        self.interactive = self.is_adaptive();
    }

    /// When to send the acknowledgment that is owed; `opens` says that its window would be no smaller than the last.
    pub(crate) fn decide(
        &self,
        nxt: Seq,
        srtt: Option<Duration>,
        has_gap: bool,
        fin: bool,
        opens: bool,
    ) -> AckAction {
        let Some(settings) = self.settings else { return AckAction::Now };
        let unacknowledged = self.acknowledged.until(nxt);
        if !self.is_adaptive() {
            let second = unacknowledged >= 2 * self.full_size;
            let at_once = second || has_gap || fin || self.is_quick();
            return if at_once { AckAction::Now } else { AckAction::Within(settings.max) };
        }
        if (unacknowledged > self.full_size && opens) || self.is_quick() || has_gap {
            return AckAction::Now;
        }
        // Zero before the first data: what is acknowledged then is a FIN, and nothing suggests an answer.
        let mut delay = self.delay;
        if delay > settings.min {
            let mut longest =
                if self.interactive || self.pushed > 0 { settings.max } else { settings.max * 5 / 2 };
            if let Some(srtt) = srtt {
                longest = longest.min(srtt.max(settings.min));
            }
            delay = delay.min(longest);
        }
        AckAction::Within(delay.min(settings.max))
    }

    /// When to acknowledge what arrived beyond a gap at `nxt`: at once (RFC 5681 §4.2), or, where acknowledgments are
    /// compressed and SACK can report several segments together, at once as often as it takes to have the gap repaired
    /// (Linux `__tcp_ack_snd_check`).
    pub(crate) fn decide_beyond_gap(&mut self, nxt: Seq, sack: bool, srtt: Option<Duration>) -> AckAction {
        /// As many as prove a loss (Linux `TCP_FASTRETRANS_THRESH`).
        const AT_ONCE: u32 = 3;
        self.owed = true;
        let Some(longest) = self.compression.filter(|_| sack && self.settings.is_some()) else {
            return AckAction::Now;
        };
        if self.acknowledged.until(nxt) > self.full_size || self.is_quick() {
            return AckAction::Now;
        }
        if self.gap.0 != nxt {
            self.gap = (nxt, 0);
        }
        if self.gap.1 < AT_ONCE {
            self.gap.1 += 1;
            return AckAction::Now;
        }
        self.compressed = true;
        AckAction::Within(srtt.map_or(longest, |srtt| longest.min(srtt / 20)))
    }

    /// Whether the application's read makes an acknowledgment due (Linux `tcp_cleanup_rbuf`).
    pub(crate) fn is_due_at_read(&self, nxt: Seq, unread: usize) -> bool {
        self.owed
            && self.is_adaptive()
            && (self.acknowledged.until(nxt) > self.full_size
                || (unread == 0 && (self.pushed > 1 || (self.pushed > 0 && !self.interactive))))
    }

    /// The delay passed and no data went out: the connection is not interactive (Linux `tcp_delack_timer_handler`).
    pub(crate) fn delay_passed(&mut self, rto: Duration) {
        let Some(settings) = self.settings else { return };
        if self.compressed {
            return;
        }
        if self.interactive {
            self.interactive = false;
            self.delay = settings.min;
        } else {
            self.delay = (self.delay * 2).min(rto);
        }
    }

    /// Data is sent: soon after data was received, it is an answer (Linux `tcp_event_data_sent`).
    pub(crate) fn data_sent(&mut self, now: Instant) {
        if self.is_adaptive() && self.last_data.is_some_and(|last| now - last < self.delay) {
            self.interactive = true;
        }
    }

    /// A segment with the ACK bit is sent.
    pub(crate) fn sent(&mut self, nxt: Seq) {
        self.owed = false;
        self.compressed = false;
        self.pushed = 0;
        self.acknowledged = nxt;
        self.quick = self.quick.saturating_sub(1);
    }

    /// `Last.ACK.sent` of RFC 7323 §4.3.
    pub(crate) fn last_sent(&self) -> Seq {
        self.acknowledged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    const RTO: Duration = Duration::from_millis(241);
    const SRTT: Option<Duration> = Some(Duration::from_millis(41));

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    fn policy(profile: Profile) -> AckPolicy {
        AckPolicy::new(&profile.settings())
    }

    /// Recording 09h: 100 octets every 150 ms, nobody reads: 16 at once, then delayed.
    #[test]
    fn linux_acknowledges_sixteen_segments_at_once_then_waits() {
        let mut policy = policy(Profile::Linux);
        let mut nxt = Seq(0);
        for segment in 0..20_u64 {
            nxt += 100;
            policy.received(at(segment * 150), 100, 64_512, RTO);
            let expected =
                if segment < 16 { AckAction::Now } else { AckAction::Within(Duration::from_millis(40)) };
            assert_eq!(policy.decide(nxt, SRTT, false, false, true), expected, "segment {segment}");
            policy.sent(nxt);
        }
    }

    /// Recording 09b: after requests and answers, a lone segment waits.
    #[test]
    fn linux_waits_for_the_answer_in_a_dialogue() {
        let mut policy = policy(Profile::Linux);
        policy.received(at(0), 100, 64_512, RTO);
        policy.data_sent(at(1));
        policy.sent(Seq(100));
        policy.received(at(150), 100, 64_512, RTO);
        assert_ne!(policy.decide(Seq(200), SRTT, false, false, true), AckAction::Now);
        assert!(!policy.is_due_at_read(Seq(200), 0));
        policy.delay_passed(RTO);
        policy.sent(Seq(200));
        policy.received(at(300), 100, 64_512, RTO);
        assert_eq!(policy.decide(Seq(300), SRTT, false, false, true), AckAction::Now, "the dialogue is over");
    }

    #[test]
    fn the_rfc_acknowledges_every_second_full_segment_and_what_is_out_of_order() {
        let mut policy = policy(Profile::Rfc9293);
        policy.received(at(0), 1448, 64_512, RTO);
        let later = AckAction::Within(Duration::from_millis(200));
        assert_eq!(policy.decide(Seq(1448), SRTT, false, false, true), later);
        policy.received(at(1), 1448, 64_512, RTO);
        assert_eq!(policy.decide(Seq(2896), SRTT, false, false, true), AckAction::Now);
        policy.sent(Seq(2896));
        policy.received(at(2), 100, 64_512, RTO);
        assert_eq!(policy.decide(Seq(2996), SRTT, false, false, true), later);
        assert_eq!(policy.decide(Seq(2996), SRTT, true, false, true), AckAction::Now);
        assert_eq!(policy.decide(Seq(2997), SRTT, false, true, true), AckAction::Now);
    }
}
