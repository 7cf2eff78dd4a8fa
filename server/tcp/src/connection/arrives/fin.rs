//! Eighth: check the FIN bit.

use crate::connection::{Connection, Context};
use crate::segment::Segment;
use crate::{Cause, Flags, Purpose, State};

impl Connection {
    /// RFC 9293 §3.10.7.4, eighth: "If the FIN bit is set, signal the user "connection closing" and return any pending
    /// RECEIVEs with same message, advance RCV.NXT over the FIN, and send an acknowledgment for the FIN."
    pub(super) fn check_fin(&mut self, cx: &mut Context<'_>, segment: &Segment<'_>) {
        let header = &segment.header;
        if header.flags.contains(Flags::FIN) {
            self.rcv.note_fin(header.text() + header.payload);
        }
        // It may also be one that arrived earlier, beyond the gap that this segment filled.
        if !self.rcv.take_fin() {
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
            // "If our FIN has been ACKed (perhaps in this segment), then enter TIME-WAIT": the fifth step went to
            // FIN-WAIT-2.
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
}
