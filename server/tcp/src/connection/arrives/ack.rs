//! Fifth: check the ACK field, and what the acknowledgment says.

use std::time::Duration;

use super::Step;
use crate::connection::recovery::{AckSummary, Phase};
use crate::connection::retransmission::Retransmissions;
use crate::connection::{Connection, Context};
use crate::scoreboard::{Before, Delivered};
use crate::{Cause, DropReason, Flags, Header, Instant, Purpose, Seq, State, Timer, Timestamps};

impl Connection {
    /// RFC 9293 §3.10.7.4, fifth: "if the ACK bit is off, drop the segment and return".
    pub(super) fn check_ack(
        &mut self,
        cx: &mut Context<'_>,
        header: &Header,
        accept_queue_has_room: bool,
    ) -> Step {
        if !header.flags.contains(Flags::ACK) {
            return Err(DropReason::NoAck);
        }
        if self.state == State::SynReceived {
            self.check_ack_in_syn_received(cx, header, accept_queue_has_room)?;
        }
        self.keepalive_received(cx);
        self.process_ack(cx, header)?;
        if self.snd.fin_acknowledged() {
            self.fin_acknowledged(cx, Cause::Segment(header.flags));
        }
        Ok(())
    }

    /// RFC 9293 §3.10.7.4, fifth, SYN-RECEIVED: "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state and
    /// continue processing with the variables below set to".
    fn check_ack_in_syn_received(
        &mut self,
        cx: &mut Context<'_>,
        header: &Header,
        accept_queue_has_room: bool,
    ) -> Step {
        // "If the segment acknowledgment is not acceptable, form a reset segment".
        if header.ack != self.snd.iss + 1 {
            self.outbox.reset = Some(header.refusal());
            return Err(DropReason::UnacceptableAck);
        }
        if self.is_embryonic() {
            self.may_be_accepted(cx, header, accept_queue_has_room)?;
        }
        self.acknowledge_syn(cx, header);
        self.transition(cx, State::Established, Cause::Segment(header.flags));
        Ok(())
    }

    /// Whether a listener hands the connection over: it waits for room, and perhaps for data (Linux `tcp_check_req`).
    fn may_be_accepted(&mut self, cx: &mut Context<'_>, header: &Header, has_room: bool) -> Step {
        let is_bare = header.payload == 0 && !header.flags.contains(Flags::FIN);
        if is_bare && self.retransmissions.timeouts < self.deferred_timeouts(cx.settings) {
            self.agreed.deferred = true;
            return Err(DropReason::AwaitingData);
        }
        if has_room {
            return Ok(());
        }
        if cx.settings.abort_on_overflow {
            self.transition(cx, State::Closed, Cause::Segment(header.flags));
            self.outbox.reset = Some(header.refusal());
        }
        Err(DropReason::QueueFull)
    }

    /// RFC 9293 §3.10.7.4, fifth, FIN-WAIT-1: "In addition to the processing for the ESTABLISHED state, if the FIN
    /// segment is now acknowledged, then enter FIN-WAIT-2 and continue processing in that state." CLOSING and LAST-ACK
    /// have the same step.
    fn fin_acknowledged(&mut self, cx: &mut Context<'_>, cause: Cause) {
        match self.state {
            State::FinWait1 => self.transition(cx, State::FinWait2, cause),
            State::Closing => self.transition(cx, State::TimeWait, cause),
            State::LastAck => self.transition(cx, State::Closed, cause),
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Established
            | State::FinWait2
            | State::CloseWait
            | State::TimeWait => {}
        }
    }

    /// Takes the acknowledgment of our SYN.
    pub(super) fn acknowledge_syn(&mut self, cx: &mut Context<'_>, header: &Header) {
        self.snd.set_window(header);
        // That of a SYN cookie was acknowledged without having been remembered.
        if header.ack.after(self.snd.una) {
            let mut delivered = Delivered::new(self.before(cx.now, header));
            self.advance(cx, header, &mut delivered);
            self.totals.delivered += delivered.segments;
        }
        self.recovery.phase = Phase::Open;
        self.rcv.establish(cx.now);
        self.snd.establish(self.option_octets());
        self.set_retransmission_timer(cx);
    }

    /// RFC 9293 §3.10.7.4, fifth, ESTABLISHED: "If SND.UNA < SEG.ACK =< SND.NXT, then set SND.UNA <- SEG.ACK."
    fn process_ack(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        // "All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK sent
        // back."
        if header.ack.after(self.snd.nxt) || header.ack.before(self.snd.una - self.snd.max_wnd) {
            self.answer_unacceptable(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::UnacceptableAck);
        }
        self.record_timestamp(header);
        self.persist.answered();
        let una_before = self.snd.una;
        let was_empty = self.snd.sent.is_empty();
        let advanced = header.ack.after(una_before);
        let window_changed =
            if header.ack.before(una_before) { false } else { self.snd.update_window(header) };
        let mut delivered = Delivered::new(self.before(cx.now, header));
        let dsack = self.take_sack(header, &mut delivered);
        if advanced {
            self.advance(cx, header, &mut delivered);
        } else if let Some(sent) = delivered.sacked_sent_once {
            self.rtt.sample(cx.now - sent, self.snd.una, self.snd.nxt);
        }
        self.measure(cx, &delivered);
        self.totals.delivered += delivered.segments;
        self.totals.dsack_dups += u32::from(dsack.is_some());
        let duplicate = header.ack == una_before && header.is_empty() && !window_changed && dsack.is_none();
        let congested = self.echoes_congestion(header);
        let ack = AckSummary { header, delivered, una_before, advanced, duplicate, dsack, congested };
        if !was_empty || dsack.is_some() {
            self.recover(cx, &ack);
        } else {
            self.process_tail_probe_ack(cx.now, &ack);
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

    /// What is known before an acknowledgment.
    fn before(&self, now: Instant, header: &Header) -> Before {
        let timestamps = header.options.timestamps.filter(|_| self.agreed.timestamps);
        Before {
            now,
            recovery_point: self.recovery.recovery_point(),
            min_rtt: self.rtt.min_rtt(),
            highest_sacked: self.snd.sent.highest_sacked(),
            echoed: timestamps.and_then(|Timestamps { echo, .. }| self.timestamps.shown_until(now, echo)),
        }
    }

    /// Marks what the SACK option reports (RFC 2018 §5); returns the duplicate that it reports (RFC 2883 §4).
    fn take_sack(&mut self, header: &Header, delivered: &mut Delivered) -> Option<(Seq, Seq)> {
        if !self.agreed.sack {
            return None;
        }
        let blocks = header.options.sack.as_slice();
        let duplicate = match blocks {
            [first, ..] if first.0.before(header.ack) => Some(*first),
            [first, second, ..] if first.0.at_or_after(second.0) && first.1.at_or_before(second.1) => {
                Some(*first)
            }
            _ => None,
        };
        // The segments are taken in their order, which is not that of the blocks (Linux `tcp_sacktag_write_queue`).
        for (left, right) in header.options.sack.in_order().as_slice() {
            let sane = left.before(*right)
                && right.at_or_before(self.snd.nxt)
                && left.at_or_after(self.snd.una.max(header.ack));
            if sane {
                self.snd.sent.sack(*left, *right, delivered);
            }
        }
        duplicate.filter(|(left, right)| left.before(*right) && right.at_or_before(self.snd.nxt))
    }

    /// New data is acknowledged.
    fn advance(&mut self, cx: &mut Context<'_>, header: &Header, delivered: &mut Delivered) {
        // The SYN+ACK of a passive open does not count.
        let uncounted = u32::from(self.is_embryonic());
        self.totals.bytes_acked += u64::from(self.snd.una.until(header.ack) - uncounted);
        self.snd.sent.acknowledge(header.ack, delivered);
        self.snd.acknowledge(header.ack);
        self.mtu_probe_acknowledged(cx.now);
        if let Some(rtt) = self.round_trip(cx.now, delivered, header) {
            self.rtt.sample(rtt, header.ack, self.snd.nxt);
        }
        self.retransmissions = Retransmissions::default();
        self.application.soft_error = None;
    }

    /// The round-trip time this acknowledgment shows. Segments sent twice show none but by their timestamps
    /// (RFC 6298 §3, RFC 7323 §4), and those acknowledged with them may have waited for the repair.
    fn round_trip(&self, now: Instant, delivered: &Delivered, header: &Header) -> Option<Duration> {
        let sent_once = delivered.sent_once.filter(|_| !delivered.resent);
        if let Some(sent) = sent_once.or(delivered.sacked_sent_once) {
            return Some(now - sent);
        }
        let Timestamps { echo, .. } = header.options.timestamps.filter(|_| self.agreed.timestamps)?;
        let age = self.timestamps.age(now, echo)?;
        Some(age.max(Duration::from_millis(1)))
    }
}
