//! SYN-SENT (RFC 9293 §3.10.7.3). The third step, security, has nothing to check.

use super::Step;
use crate::connection::{Connection, Context};
use crate::{Cause, DropReason, Errno, Flags, Header, Purpose, State, Timer};

impl Connection {
    pub(super) fn arrives_in_syn_sent(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        self.check_ack_in_syn_sent(cx, header)?;
        if header.flags.contains(Flags::RST) {
            return self.process_rst_in_syn_sent(cx, header);
        }
        self.process_syn_in_syn_sent(cx, header)
    }

    /// RFC 9293 §3.10.7.3, first: "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set, if
    /// so drop the segment and return)". Nothing is sent with the SYN, so that only one number is acceptable.
    fn check_ack_in_syn_sent(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        if !header.flags.contains(Flags::ACK) || header.ack == self.snd.nxt {
            return Ok(());
        }
        self.hasten_syn(cx);
        if !header.flags.contains(Flags::RST) {
            self.outbox.reset = Some(header.refusal());
        }
        Err(DropReason::UnacceptableAck)
    }

    /// What answered is an old connection of the peer, which has ended or will end by our RST: the next SYN can succeed,
    /// and need not wait for the timeout of the first. One that was sent again already keeps its time, so that two hosts do
    /// not answer each other as fast as they can.
    fn hasten_syn(&mut self, cx: &mut Context<'_>) {
        if let Some(soon) = cx.settings.unacceptable_ack_hastens_syn
            && self.retransmissions.timeouts == 0
        {
            self.timers.set(cx, Timer::Retransmission, soon);
        }
    }

    /// RFC 9293 §3.10.7.3, second: "If the ACK was acceptable, then signal to the user "error: connection reset", drop
    /// the segment, enter CLOSED state, delete TCB, and return.  Otherwise (no ACK), drop the segment and return."
    fn process_rst_in_syn_sent(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        if !header.flags.contains(Flags::ACK) {
            return Err(DropReason::UnacceptableAck);
        }
        self.fail(cx, Errno::ConnectionRefused, Cause::Segment(header.flags));
        Ok(())
    }

    /// RFC 9293 §3.10.7.3, fourth: "If the SYN bit is on and the security/compartment is acceptable, then RCV.NXT is
    /// set to SEG.SEQ+1, IRS is set to SEG.SEQ."
    fn process_syn_in_syn_sent(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        // Fifth: "if neither of the SYN or RST bits is set, then drop the segment and return."
        if !header.flags.contains(Flags::SYN) {
            return Err(DropReason::NoSyn);
        }
        self.synchronize(cx, header);
        let cause = Cause::Segment(header.flags);
        if header.flags.contains(Flags::ACK) {
            // "If SND.UNA > ISS (our SYN has been ACKed), change the connection state to ESTABLISHED, form an ACK
            // segment".
            self.acknowledge_syn(cx, header);
            self.transition(cx, State::Established, cause);
        } else {
            // "Otherwise, enter SYN-RECEIVED, form a SYN,ACK segment": both ends opened at once.
            self.transition(cx, State::SynReceived, cause);
        }
        self.outbox.ack = Some(Purpose::Normal);
        Ok(())
    }
}
