//! Seventh and eighth: the text of a segment and its FIN (RFC 9293 §3.10.7.4).

use super::{Connection, Context};
use crate::ack_policy::AckAction;
use crate::rcv::Text;
use crate::segment::Segment;
use crate::{Cause, DropReason, Errno, Flags, Header, Purpose, State, Timer};

impl Connection {
    /// Seventh: text.
    pub(super) fn take_text(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment<'_>,
    ) -> Result<(), DropReason> {
        if segment.payload.is_empty() {
            return Ok(());
        }
        match self.state {
            State::Established | State::FinWait1 | State::FinWait2 => {}
            // After the peer's FIN there can be no text.
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => return Ok(()),
        }
        // Nobody will read it: the peer must know (RFC 9293 §3.6.1; Linux resets in both states).
        let (seq, len) = (segment.header.text(), segment.header.payload);
        let end = seq + len;
        let finishing = matches!(self.state, State::FinWait1 | State::FinWait2);
        if (self.orphan || (self.read_shut && finishing && cx.settings.reset_after_shutdown_read))
            && end.after(self.rcv.nxt)
        {
            // As from a port that nobody has (RFC 9293 §3.10.7.1).
            let seq = segment.header.ack;
            self.fail(cx, Errno::ConnectionReset, Cause::Segment(segment.header.flags));
            self.outbox.reset = Some(Header { seq, flags: Flags::RST, ..Header::default() });
            return Err(DropReason::NoReceiver);
        }
        if seq.before(self.rcv.nxt) {
            self.report_twice(cx.settings, seq, self.rcv.nxt.min(end));
        } else if self.rcv.has_beyond_gap(seq, len) {
            self.report_twice(cx.settings, seq, end);
        }
        let (window, rto) = (self.rcv.offered(), self.rtt.rto());
        match self.rcv.text(seq, segment.payload) {
            Text::InOrder(octets) => {
                self.ack_policy.received(cx.now, octets, window, rto);
                if self.rcv.take_growth() {
                    self.ack_policy.window_grows();
                }
                self.schedule_ack(cx, false);
            }
            // A gap, or the end of one: the sender must know at once (RFC 5681 §4.2).
            Text::FilledGap(octets) => {
                self.ack_policy.received(cx.now, octets, window, rto);
                if self.rcv.take_growth() {
                    self.ack_policy.window_grows();
                }
                if self.rcv.has_gap() {
                    self.acknowledge_gap(cx, Purpose::Normal);
                } else {
                    self.acknowledge_now(cx, Purpose::Normal);
                }
            }
            Text::OutOfOrder => {
                if self.rcv.take_growth() {
                    self.ack_policy.window_grows();
                }
                self.acknowledge_gap(cx, Purpose::DuplicateAck);
            }
            Text::Nothing => {
                self.ack_policy.hurry(window);
                self.acknowledge_now(cx, Purpose::DuplicateAck);
            }
        }
        Ok(())
    }

    /// Eighth: FIN.
    pub(super) fn take_fin(&mut self, cx: &mut Context<'_>, segment: &Segment<'_>) {
        let header = &segment.header;
        if header.flags.contains(Flags::FIN) {
            self.rcv.note_fin(header.text() + header.payload);
        }
        if !self.rcv.take_fin() {
            // One beyond a gap is told like data beyond a gap.
            if header.flags.contains(Flags::FIN) && header.payload == 0 && self.rcv.has_gap() {
                self.acknowledge_gap(cx, Purpose::DuplicateAck);
            }
            return;
        }
        let cause = Cause::Segment(header.flags);
        match self.state {
            State::SynReceived | State::Established => {
                self.transition(cx, State::CloseWait, cause);
                self.ack_policy.peer_closed();
                self.schedule_ack(cx, true);
            }
            State::FinWait1 => {
                self.transition(cx, State::Closing, cause);
                self.acknowledge_now(cx, Purpose::Normal);
            }
            State::FinWait2 => {
                self.transition(cx, State::TimeWait, cause);
                self.acknowledge_now(cx, Purpose::Normal);
            }
            State::Closed
            | State::Listen
            | State::SynSent
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {}
        }
    }

    /// Something is missing before what arrived.
    fn acknowledge_gap(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        match self.ack_policy.decide_beyond_gap(self.rcv.nxt, self.agreed.sack, self.rtt.srtt()) {
            AckAction::Now => self.acknowledge_now(cx, purpose),
            AckAction::Within(delay) => {
                if self.timers.expires(Timer::DelayedAck).is_none_or(|at| at > cx.now + delay) {
                    self.timers.set(cx, Timer::DelayedAck, delay);
                }
            }
        }
    }

    fn acknowledge_now(&mut self, cx: &mut Context<'_>, purpose: Purpose) {
        self.timers.cancel(cx, Timer::DelayedAck);
        self.outbox.ack = Some(purpose);
    }

    /// Acknowledges now or a little later, as the policy has it.
    fn schedule_ack(&mut self, cx: &mut Context<'_>, fin: bool) {
        if self.outbox.ack.is_some() {
            return;
        }
        let srtt = self.rtt.srtt().map(|srtt| self.rtt.clock().round_up(srtt));
        let opens = self.rcv.next_window() >= self.rcv.offered();
        match self.ack_policy.decide(self.rcv.nxt, srtt, self.rcv.has_gap(), fin, opens) {
            AckAction::Now => self.acknowledge_now(cx, Purpose::Normal),
            AckAction::Within(delay) => {
                match self.timers.expires(Timer::DelayedAck) {
                    // About to fire anyway (Linux `tcp_send_delayed_ack`).
                    Some(at) if at <= cx.now + self.rtt.clock().round_down(delay / 4) => {
                        self.acknowledge_now(cx, Purpose::Normal);
                    }
                    Some(at) if at <= cx.now + delay => {}
                    Some(_) | None => self.timers.set(cx, Timer::DelayedAck, self.rtt.clock().delay(delay)),
                }
            }
        }
    }
}
