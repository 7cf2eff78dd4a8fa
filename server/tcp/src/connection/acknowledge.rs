//! What an acknowledgment says (RFC 9293 §3.10.7.4, fifth).

use std::time::Duration;

use super::recovery::News;
use super::{Connection, Context};
use crate::scoreboard::Delivered;
use crate::{DropReason, Header, Instant, Purpose, Seq, Timer, Timestamps};

impl Connection {
    /// The acknowledgment of our SYN.
    pub(super) fn acknowledge_syn(&mut self, cx: &mut Context<'_>, header: &Header) {
        self.snd.set_window(header);
        let mut delivered = Delivered::default();
        self.advance(cx, header, &mut delivered);
        self.recovery.phase = super::recovery::Phase::Open;
        self.set_retransmission_timer(cx);
    }

    /// The ACK field in a synchronized state.
    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>, header: &Header) -> Result<(), DropReason> {
        // RFC 5961 §5.2: of what was never sent, or older than the largest window could explain.
        if header.ack.after(self.snd.nxt) || header.ack.before(self.snd.una - self.snd.max_wnd) {
            self.answer_suspicious(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::UnacceptableAck);
        }
        self.window_probes = 0;
        self.unanswered_since = None;
        let una_before = self.snd.una;
        let mut in_flight = self.snd.sent.in_flight();
        if self.saves_room {
            // The window limits us all the same.
            in_flight = in_flight.max(self.congestion.size());
        }
        let was_empty = self.snd.sent.is_empty();
        let advanced = header.ack.after(una_before);
        let window_changed =
            if header.ack.before(una_before) { false } else { self.snd.update_window(header) };
        let mut delivered = Delivered { timeout: self.recovery.until(), ..Delivered::default() };
        let dsack = self.take_sack(header, &mut delivered);
        if advanced {
            self.advance(cx, header, &mut delivered);
        } else if let Some(sent) = delivered.sacked_sent_once {
            self.rtt.sample(cx.now - sent, self.snd.una, self.snd.nxt);
        }
        if !was_empty {
            let duplicate =
                header.ack == una_before && header.is_empty() && !window_changed && dsack.is_none();
            let news = News { header, delivered, una_before, advanced, duplicate, dsack, in_flight };
            self.recover(cx, &news);
        }
        if advanced {
            self.set_retransmission_timer(cx);
        }
        if was_empty && self.timers.is_set(Timer::Persist) {
            // The window is still closed: the wait begins with the answer (Linux `tcp_ack_probe`).
            self.set_persist_timer(cx);
        }
        Ok(())
    }

    /// Marks what the SACK option reports (RFC 2018 §5); returns what it reports as having arrived twice (RFC 2883 §4).
    fn take_sack(&mut self, header: &Header, delivered: &mut Delivered) -> Option<(Seq, Seq)> {
        if !self.agreed.sack {
            return None;
        }
        let blocks = header.options.sack.as_slice();
        let twice = match blocks {
            [first, ..] if first.0.before(header.ack) => Some(*first),
            [first, second, ..] if first.0.at_or_after(second.0) && first.1.at_or_before(second.1) => {
                Some(*first)
            }
            _ => None,
        };
        for (left, right) in blocks.iter().skip(usize::from(twice.is_some())) {
            let sane = left.before(*right)
                && right.at_or_before(self.snd.nxt)
                && left.at_or_after(self.snd.una.max(header.ack));
            if sane {
                self.snd.sent.sack(*left, *right, delivered);
            }
        }
        twice.filter(|(left, right)| left.before(*right) && right.at_or_before(self.snd.nxt))
    }

    /// Something new is acknowledged.
    fn advance(&mut self, cx: &mut Context<'_>, header: &Header, delivered: &mut Delivered) {
        self.snd.sent.acknowledge(header.ack, delivered);
        self.snd.acknowledge(header.ack);
        if let Some(rtt) = self.round_trip(cx.now, delivered, header) {
            self.rtt.sample(rtt, header.ack, self.snd.nxt);
        }
        self.timeouts = 0;
        self.first_timeout = None;
        self.soft_error = None;
    }

    /// The round-trip time this acknowledgment shows. Segments sent twice show none but by their timestamps
    /// (RFC 6298 §3, RFC 7323 §4), and those acknowledged with them may have waited for the repair.
    fn round_trip(&self, now: Instant, delivered: &Delivered, header: &Header) -> Option<Duration> {
        let sent_once = delivered.sent_once.filter(|_| !delivered.resent);
        if let Some(sent) = sent_once.or(delivered.sacked_sent_once) {
            return Some(now - sent);
        }
        let Timestamps { echo, .. } = header.options.timestamps.filter(|_| self.agreed.timestamps)?;
        let elapsed = self.timestamp(now).wrapping_sub(echo);
        // An echo from the future is no measurement.
        i32::try_from(elapsed).is_ok().then(|| Duration::from_millis(u64::from(elapsed.max(1))))
    }
}
