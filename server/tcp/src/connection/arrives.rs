//! SEGMENT ARRIVES (RFC 9293 §3.10.7.3 and §3.10.7.4): one function per step. CLOSED and LISTEN are the endpoint's.

use super::{Connection, Context, is_later};
use crate::segment::Segment;
use crate::{Cause, Disposition, DropReason, Errno, Flags, Header, Purpose, State, Timer, Timestamps};

/// What a step says: go on, or it ends here.
type Step = Result<(), DropReason>;

impl Connection {
    /// A segment for this connection arrived. `room` tells whether the accept queue takes one more.
    pub(crate) fn arrives(&mut self, cx: &mut Context<'_>, segment: &Segment<'_>, room: bool) -> Disposition {
        let outcome = match self.state {
            State::Closed | State::Listen => Err(DropReason::NoConnection),
            // Our SYN is still to be polled for: nothing can answer it yet.
            State::SynSent | State::SynReceived if self.snd.nxt == self.snd.iss => {
                Err(DropReason::UnacceptableAck)
            }
            State::SynSent => self.arrives_in_syn_sent(cx, &segment.header),
            State::TimeWait => self.arrives_in_time_wait(cx, &segment.header),
            State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck => self.arrives_in_order(cx, segment, room),
        };
        match outcome {
            Ok(()) => Disposition::Accepted,
            Err(reason) => Disposition::Dropped(reason),
        }
    }

    /// §3.10.7.3.
    fn arrives_in_syn_sent(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let acks = header.flags.contains(Flags::ACK);
        // First: an ACK of anything but our SYN.
        if acks && header.ack != self.snd.nxt {
            if !header.flags.contains(Flags::RST) {
                self.outbox.reset = Some(Header { seq: header.ack, flags: Flags::RST, ..Header::default() });
            }
            return Err(DropReason::UnacceptableAck);
        }
        // Second: RST.
        if header.flags.contains(Flags::RST) {
            if !acks {
                return Err(DropReason::UnacceptableAck);
            }
            self.fail(cx, Errno::ConnectionRefused, Cause::Segment(header.flags));
            return Ok(());
        }
        // Fourth: SYN.
        if !header.flags.contains(Flags::SYN) {
            return Err(DropReason::NoSyn);
        }
        self.synchronize(cx.settings, header);
        let cause = Cause::Segment(header.flags);
        if acks {
            self.acknowledge_syn(cx, header);
            self.transition(cx, State::Established, cause);
            self.outbox.ack = Some(Purpose::Normal);
        } else {
            // Simultaneous open: our SYN goes out again, with the acknowledgment of theirs.
            self.transition(cx, State::SynReceived, cause);
            self.outbox.ack = Some(Purpose::Normal);
        }
        Ok(())
    }

    /// §3.10.7.4 for every state but TIME-WAIT.
    fn arrives_in_order(&mut self, cx: &mut Context<'_>, segment: &Segment<'_>, room: bool) -> Step {
        let header = &segment.header;
        self.check_timestamp(cx, header)?;
        self.check_sequence(cx, header)?;
        if header.flags.contains(Flags::RST) {
            return self.take_reset(cx, header);
        }
        self.check_syn(cx, header)?;
        self.check_ack(cx, header, room)?;
        self.take_urgent(cx, header);
        self.take_text(cx, segment)?;
        self.take_fin(cx, segment);
        Ok(())
    }

    /// RFC 7323 §5.3: protection against wrapped sequence numbers.
    fn check_timestamp(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let (true, Some(Timestamps { value, .. })) = (self.agreed.timestamps, header.options.timestamps)
        else {
            return Ok(());
        };
        if is_later(self.ts_recent, value) && !header.flags.contains(Flags::RST) {
            return self.check_overtaken(cx, header, self.ts_recent.wrapping_sub(value));
        }
        // §4.3: only a segment that starts at or before the last acknowledgment moves the clock.
        if header.seq.at_or_before(self.ack_policy.last_sent()) {
            self.ts_recent = value;
        }
        Ok(())
    }

    /// A segment that later ones overtook by so many ticks of its sender's clock. It is answered and dropped (RFC 7323 §5.3);
    /// where an acknowledgment without data is no reason for that, it counts if it could be the newest, or is passed over
    /// in silence (Linux `tcp_disordered_ack_check`).
    fn check_overtaken(&mut self, cx: &mut Context<'_>, header: &Header, late: u32) -> Step {
        let nxt = self.rcv.nxt;
        if cx.settings.late_acks && header.is_empty() && header.flags.contains(Flags::ACK) {
            if header.seq.before(nxt) {
                return Err(DropReason::OldTimestamp);
            }
            let longest = self.rtt.rto().as_millis() * 6 / 5;
            if header.seq == nxt
                && header.ack == self.snd.una
                && !self.snd.moves_window(header)
                && u128::from(late) <= longest
            {
                return Ok(());
            }
        }
        self.tell_known_text(cx, header);
        self.answer_suspicious(cx, header, Purpose::DuplicateAck);
        Err(DropReason::OldTimestamp)
    }

    /// A segment that is dropped began with octets that are here: its sender must have missed an acknowledgment, or sent
    /// them again for nothing (Linux `tcp_send_dupack`).
    fn tell_known_text(&mut self, cx: &mut Context<'_>, header: &Header) {
        let data = !header.is_empty() && !header.flags.contains(Flags::SYN);
        if data && header.seq.before(self.rcv.nxt) {
            self.ack_policy.hurry(self.rcv.window());
            self.report_twice(cx.settings, header.seq, header.end().min(self.rcv.nxt));
        }
    }

    /// First: sequence number.
    fn check_sequence(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        if self.rcv.is_acceptable(header.seq, header.len()) {
            return Ok(());
        }
        // A closed window takes no text, but its ACK, RST and URG (§3.10.7.4, first).
        if self.rcv.window() == 0 && header.seq == self.rcv.nxt {
            return Ok(());
        }
        let reason = if header.end().at_or_before(self.rcv.nxt) && header.seq.before(self.rcv.nxt) {
            DropReason::Duplicate
        } else {
            DropReason::OutOfWindow
        };
        if header.flags.contains(Flags::RST) {
            return if self.is_reset_at_fin(cx, header) { Ok(()) } else { Err(reason) };
        }
        if self.state == State::SynReceived && header.flags.contains(Flags::SYN) && header.seq == self.rcv.irs
        {
            if header.flags.contains(Flags::ACK) && header.ack == self.snd.nxt {
                // Simultaneous open: the SYN+ACK repeats a SYN we have and acknowledges ours.
                self.report_twice(cx.settings, header.seq, header.end());
                self.outbox.ack = Some(Purpose::DuplicateAck);
                return Ok(());
            }
            if cx.settings.repeated_syn_restarts_timer {
                self.timers.set(cx, Timer::Retransmission, self.rtt.rto());
            }
            self.outbox.ack = Some(Purpose::Retransmission);
            return Err(DropReason::Duplicate);
        }
        self.tell_known_text(cx, header);
        let syn = header.flags.contains(Flags::SYN);
        self.answer_suspicious(cx, header, if syn { Purpose::ChallengeAck } else { Purpose::DuplicateAck });
        Err(reason)
    }

    /// Whether a RST stands where the peer's FIN stood: a peer that closes and then is sent data says both with one number
    /// (Linux `tcp_reset_check`).
    fn is_reset_at_fin(&self, cx: &Context<'_>, header: &Header) -> bool {
        cx.settings.reset_at_fin
            && header.seq + 1 == self.rcv.nxt
            && matches!(self.state, State::CloseWait | State::LastAck | State::Closing)
    }

    /// Whether the connection is an orphan in FIN-WAIT-2 that judges RST and SYN as TIME-WAIT does.
    fn yields(&self, cx: &Context<'_>) -> bool {
        self.orphan && self.state == State::FinWait2 && cx.settings.orphan_fin_wait_2_yields
    }

    /// Second: RST (RFC 5961 §3.2).
    fn take_reset(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        if header.seq != self.rcv.nxt && !self.is_reset_at_fin(cx, header) && !self.yields(cx) {
            self.answer_suspicious(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::InexactReset);
        }
        self.keepalive_reset(cx);
        let cause = Cause::Segment(header.flags);
        match self.state {
            // A passive open goes back to its listener; an active one was refused.
            State::SynReceived if self.parent.is_some() => self.transition(cx, State::Closed, cause),
            State::SynReceived => self.fail(cx, Errno::ConnectionRefused, cause),
            State::CloseWait => self.fail(cx, cx.settings.close_wait_reset, cause),
            State::Established | State::FinWait1 | State::FinWait2 => {
                self.fail(cx, Errno::ConnectionReset, cause);
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::Closing
            | State::LastAck
            | State::TimeWait => self.transition(cx, State::Closed, cause),
        }
        Ok(())
    }

    /// Fourth: SYN (RFC 5961 §4.2).
    fn check_syn(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let repeated = self.state == State::SynReceived && header.seq == self.rcv.irs;
        if !header.flags.contains(Flags::SYN) || repeated {
            return Ok(());
        }
        // A passive open goes back to its listener, and an orphan in FIN-WAIT-2 has nobody who would miss it: the peer is
        // told that nobody is here (Linux `tcp_check_req`, `tcp_timewait_state_process`).
        let embryonic = self.state == State::SynReceived && self.parent.is_some();
        let yields = self.yields(cx);
        if embryonic || yields {
            self.transition(cx, State::Closed, Cause::Segment(header.flags));
            if yields || cx.settings.reset_for_syn_in_handshake {
                self.outbox.reset = Some(header.refusal());
            }
        } else {
            self.answer_suspicious(cx, header, Purpose::ChallengeAck);
        }
        Err(DropReason::UnexpectedSyn)
    }

    /// Fifth: ACK.
    fn check_ack(&mut self, cx: &mut Context<'_>, header: &Header, room: bool) -> Step {
        if !header.flags.contains(Flags::ACK) {
            return Err(DropReason::NoAck);
        }
        if self.state == State::SynReceived {
            self.check_ack_of_syn(cx, header, room)?;
        }
        self.keepalive_heard(cx);
        self.acknowledge(cx, header)?;
        if self.snd.fin_acknowledged() {
            let cause = Cause::Segment(header.flags);
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
        Ok(())
    }

    fn check_ack_of_syn(&mut self, cx: &mut Context<'_>, header: &Header, room: bool) -> Step {
        if header.ack != self.snd.iss + 1 {
            self.outbox.reset = Some(Header { seq: header.ack, flags: Flags::RST, ..Header::default() });
            return Err(DropReason::UnacceptableAck);
        }
        if self.parent.is_some() && !room {
            return Err(DropReason::QueueFull);
        }
        self.acknowledge_syn(cx, header);
        self.transition(cx, State::Established, Cause::Segment(header.flags));
        Ok(())
    }

    /// TIME-WAIT: what is not new is acknowledged again and starts the wait anew.
    fn arrives_in_time_wait(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let exact = header.seq == self.rcv.nxt;
        if header.flags.contains(Flags::RST) {
            if !exact {
                return Err(DropReason::InexactReset);
            }
            if cx.settings.reset_ends_time_wait {
                self.transition(cx, State::Closed, Cause::Segment(header.flags));
            }
            return Ok(());
        }
        if header.flags.contains(Flags::SYN) {
            self.answer_suspicious(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::UnexpectedSyn);
        }
        if !header.flags.contains(Flags::ACK) {
            return Err(DropReason::NoAck);
        }
        self.timers.set(cx, Timer::TimeWait, cx.settings.time_wait);
        if exact && header.is_empty() {
            return Ok(());
        }
        self.answer_suspicious(cx, header, Purpose::DuplicateAck);
        Err(DropReason::Duplicate)
    }

    /// Acknowledges what is not acceptable; empty segments not too often (RFC 5961 §7, Linux
    /// `tcp_invalid_ratelimit`).
    pub(super) fn answer_suspicious(&mut self, cx: &mut Context<'_>, header: &Header, purpose: Purpose) {
        let limited = purpose == Purpose::ChallengeAck || header.is_empty();
        if limited {
            let recent =
                self.last_challenge.is_some_and(|last| cx.now - last < cx.settings.challenge_ack_interval);
            if recent {
                return;
            }
            self.last_challenge = Some(cx.now);
        }
        self.outbox.ack = Some(purpose);
    }
}
