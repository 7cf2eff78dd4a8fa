//! What an acknowledgment says: round-trip time, windows, losses (RFC 9293 §3.10.7.4 fifth, RFC 5681, RFC 6582,
//! RFC 6675).

use super::{Connection, Context};
use crate::{DropReason, Flags, Header, Instant, Purpose, Seq, Timer, Timestamps};

/// Duplicate acknowledgments that prove a loss (RFC 5681 §3.2).
const DUPLICATE_THRESHOLD: u32 = 3;

/// Whether a loss is being repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// No.
    #[default]
    Open,
    /// Later segments arrive; over when everything before `until` is acknowledged (RFC 6582).
    Fast {
        /// `recover`.
        until: Seq,
    },
    /// The retransmission timer fired.
    Timeout {
        /// `snd.nxt` when it did.
        until: Seq,
    },
}

/// Loss recovery.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    /// `snd.nxt` when a tail loss probe was sent, until that is acknowledged (RFC 8985 §7.3: one at a time).
    pub(super) probe: Option<Seq>,
}

impl Connection {
    /// The acknowledgment of our SYN.
    pub(super) fn acknowledge_syn(&mut self, cx: &mut Context<'_>, header: &Header) {
        self.snd.set_window(header);
        self.advance(cx, header);
    }

    /// Fifth: the ACK field in a synchronized state.
    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>, header: &Header) -> Result<(), DropReason> {
        if header.ack.after(self.snd.nxt) {
            self.outbox.ack = Some(Purpose::DuplicateAck);
            return Err(DropReason::UnacceptableAck);
        }
        // RFC 5961 §5.2: older than the largest window could explain.
        if header.ack.before(self.snd.una - self.snd.max_wnd) {
            self.outbox.ack = Some(Purpose::ChallengeAck);
            return Err(DropReason::UnacceptableAck);
        }
        self.window_probes = 0;
        let news = self.take_sack(header);
        if header.ack.after(self.snd.una) {
            self.snd.update_window(header);
            self.advance(cx, header);
        } else {
            let unchanged = !self.snd.update_window(header);
            let duplicate = header.ack == self.snd.una && header.is_empty() && unchanged;
            if (duplicate || news) && !self.snd.sent.is_empty() {
                self.duplicate(cx, header, news);
            }
        }
        Ok(())
    }

    /// Marks what the SACK option reports (RFC 2018 §5); returns whether it is news.
    fn take_sack(&mut self, header: &Header) -> bool {
        let mut news = false;
        if self.agreed.sack {
            for (left, right) in header.options.sack.as_slice() {
                let sane = left.before(*right)
                    && right.at_or_before(self.snd.nxt)
                    && left.at_or_after(self.snd.una.max(header.ack));
                news |= sane && self.snd.sent.sack(*left, *right);
            }
        }
        news
    }

    /// Something new is acknowledged.
    fn advance(&mut self, cx: &mut Context<'_>, header: &Header) {
        let in_flight = self.snd.sent.in_flight();
        let acknowledged = self.snd.sent.acknowledge(header.ack);
        self.snd.acknowledge(header.ack);
        if let Some(rtt) = self.round_trip(cx.now, acknowledged.sent_once, header) {
            self.rtt.sample(rtt);
        }
        self.rtt.reset_backoff();
        self.timeouts = 0;
        self.first_retransmission = None;
        if self.recovery.probe.is_some_and(|probe| header.ack.at_or_after(probe)) {
            self.recovery.probe = None;
        }
        match self.recovery.phase {
            Phase::Open => {
                self.snd.sent.forget_duplicates();
                self.congestion.acknowledged(acknowledged.segments, in_flight);
            }
            Phase::Fast { until } | Phase::Timeout { until } if header.ack.at_or_after(until) => {
                self.snd.sent.forget_duplicates();
                self.recovery.phase = Phase::Open;
            }
            // RFC 6582 §3.2: a partial acknowledgment shows the next hole.
            Phase::Fast { .. } if !self.agreed.sack => self.snd.sent.mark_first_lost(),
            Phase::Fast { .. } => {
                self.snd.sent.mark_lost_by_sack(DUPLICATE_THRESHOLD);
            }
            Phase::Timeout { .. } => self.congestion.acknowledged(acknowledged.segments, in_flight),
        }
        self.set_retransmission_timer(cx);
    }

    /// The round-trip time this acknowledgment shows. Segments sent twice show none but by their timestamps
    /// (RFC 6298 §3, RFC 7323 §4).
    fn round_trip(
        &self,
        now: Instant,
        sent_once: Option<Instant>,
        header: &Header,
    ) -> Option<std::time::Duration> {
        if let Some(sent) = sent_once {
            return Some(now - sent);
        }
        let Timestamps { echo, .. } = header.options.timestamps.filter(|_| self.agreed.timestamps)?;
        let elapsed = self.timestamp(now).wrapping_sub(echo);
        // An echo from the future is no measurement.
        (i32::try_from(elapsed).is_ok() && !header.flags.contains(Flags::SYN))
            .then(|| std::time::Duration::from_millis(u64::from(elapsed.max(1))))
    }

    /// Something later than `snd.una` arrived at the peer (RFC 5681 §3.2, RFC 6675 §5).
    fn duplicate(&mut self, cx: &mut Context<'_>, header: &Header, news: bool) {
        let lost = if self.agreed.sack {
            news && self.snd.sent.mark_lost_by_sack(DUPLICATE_THRESHOLD)
        } else {
            self.snd.sent.count_duplicate() >= DUPLICATE_THRESHOLD
        };
        if lost && self.recovery.phase == Phase::Open {
            let flight = self.snd.sent.len();
            if !self.agreed.sack {
                self.snd.sent.mark_first_lost();
            }
            self.congestion.loss(flight);
            self.recovery.phase = Phase::Fast { until: self.snd.nxt };
            self.set_retransmission_timer(cx);
        }
        // A tail loss probe of data that had arrived is answered by a plain duplicate (RFC 8985 §7.4).
        if self.recovery.probe == Some(header.ack) {
            self.recovery.probe = None;
        }
    }

    /// Starts the timer for what is in flight, or stops it (RFC 6298 §5.1 to §5.3). At the tail of a flight it is a
    /// probe that comes first (RFC 8985 §7.2).
    pub(super) fn set_retransmission_timer(&mut self, cx: &mut Context<'_>) {
        if self.snd.sent.is_empty() {
            self.timers.cancel(cx, Timer::Retransmission);
            self.timers.cancel(cx, Timer::TailLossProbe);
            return;
        }
        let rto = self.rtt.rto();
        let srtt = self.rtt.srtt().filter(|_| self.may_probe_tail(cx));
        let Some(srtt) = srtt else {
            self.timers.cancel(cx, Timer::TailLossProbe);
            self.timers.set(cx, Timer::Retransmission, rto);
            return;
        };
        let mut timeout = srtt * 2;
        if self.snd.sent.len() == 1 {
            // Its acknowledgment may be delayed (Linux takes the least RTO for it).
            timeout += cx.settings.rto.min;
        }
        self.timers.cancel(cx, Timer::Retransmission);
        self.timers.set(cx, Timer::TailLossProbe, timeout.min(rto));
    }

    /// Whether a tail loss probe may come before the retransmission timeout (RFC 8985 §7.2).
    pub(super) fn may_probe_tail(&self, cx: &Context<'_>) -> bool {
        cx.settings.tail_loss_probe
            && self.agreed.sack
            && self.state.is_synchronized()
            && self.recovery.phase == Phase::Open
            && self.recovery.probe.is_none()
            && self.timeouts == 0
            && self.rtt.srtt().is_some()
    }
}
