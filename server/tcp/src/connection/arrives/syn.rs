//! Fourth: check the SYN bit.

use super::Step;
use crate::connection::{Connection, Context};
use crate::{Cause, DropReason, Flags, Header, Purpose, State};

impl Connection {
    /// RFC 9293 §3.10.7.4, fourth: "RFC 5961 recommends that in these synchronized states, if the SYN bit is set,
    /// irrespective of the sequence number, TCP endpoints MUST send a "challenge ACK" to the remote peer".
    pub(super) fn check_syn(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let repeated = self.state == State::SynReceived && header.seq == self.rcv.irs;
        if !header.flags.contains(Flags::SYN) || repeated {
            return Ok(());
        }
        // "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state and
        // return."
        let embryonic = self.is_embryonic();
        let yields = self.yields(cx);
        if embryonic || yields {
            self.transition(cx, State::Closed, Cause::Segment(header.flags));
            if yields || cx.settings.reset_for_syn_in_handshake {
                self.outbox.reset = Some(header.refusal());
            }
        } else {
            self.answer_unacceptable(cx, header, Purpose::ChallengeAck);
        }
        Err(DropReason::UnexpectedSyn)
    }
}
