//! First: check the sequence number.

use super::Step;
use crate::connection::{Connection, Context};
use crate::{DropReason, Flags, Header, Purpose, Seq, Settings, State, Timer};

impl Connection {
    /// RFC 9293 §3.10.7.4, first: "If an incoming segment is not acceptable, an acknowledgment should be sent in reply
    /// (unless the RST bit is set, if so drop the segment and return)".
    pub(super) fn check_sequence_number(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        // "If the RCV.WND is zero, no segments will be acceptable, but special allowance should be made to accept valid
        // ACKs, URGs, and RSTs."
        let allowed = self.rcv.window() == 0 && header.seq == self.rcv.nxt;
        let acceptable = self.rcv.is_acceptable(header.seq, header.len()) || allowed;
        if acceptable && !self.rcv.overflows(header.text() + header.payload) {
            return Ok(());
        }
        // What ends at the last acknowledgment sent, or between it and `rcv.nxt`.
        let (last_sent, nxt) = (self.ack_policy.last_sent(), self.rcv.nxt);
        let is_late = header.end().at_or_after(last_sent) && header.end().at_or_before(nxt);
        let counts = is_late && cx.settings.window_begins_at_last_ack && self.state.is_synchronized();
        if counts && header.is_empty() {
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
            return self.check_repeated_syn(cx, header);
        }
        // The last segment again, because its acknowledgment was lost: the answer echoes it (RFC 7323 §4.3; Linux
        // `tcp_sequence`).
        if header.end().at_or_after(last_sent) {
            self.record_timestamp(header);
        }
        if counts && header.flags.contains(Flags::ACK) && !header.flags.contains(Flags::SYN) {
            self.check_ack(cx, header, false)?;
        }
        self.report_duplicate_text(cx, header);
        let syn = header.flags.contains(Flags::SYN);
        self.answer_unacceptable(cx, header, if syn { Purpose::ChallengeAck } else { Purpose::DuplicateAck });
        Err(reason)
    }

    /// The SYN that brought us to SYN-RECEIVED came again. In a simultaneous open it may bring the acknowledgment of
    /// ours; otherwise the SYN+ACK must have been lost.
    fn check_repeated_syn(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        if header.flags.contains(Flags::ACK) && header.ack == self.snd.nxt {
            self.report_duplicate(cx.settings, header.seq, header.end());
            self.outbox.ack = Some(Purpose::DuplicateAck);
            return Ok(());
        }
        if cx.settings.repeated_syn_restarts_timer {
            self.timers.set(cx, Timer::Retransmission, self.rtt.rto());
        }
        self.outbox.ack = Some(Purpose::Retransmission);
        Err(DropReason::Duplicate)
    }

    /// A segment that is dropped begins with octets received before: its sender missed an acknowledgment, or repeated
    /// them for nothing (Linux `tcp_send_dupack`).
    pub(super) fn report_duplicate_text(&mut self, cx: &mut Context<'_>, header: &Header) {
        let data = !header.is_empty() && !header.flags.contains(Flags::SYN);
        if data && header.seq.before(self.rcv.nxt) {
            self.ack_policy.hurry(self.rcv.window());
            self.report_duplicate(cx.settings, header.seq, header.end().min(self.rcv.nxt));
        }
    }

    /// Notes a duplicate for the next acknowledgment to report (RFC 2883 §4).
    pub(super) fn report_duplicate(&mut self, settings: &Settings, left: Seq, right: Seq) {
        if settings.dsack {
            self.outbox.dsack = Some((left, right));
        }
    }
}
