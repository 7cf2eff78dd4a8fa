//! Second: check the RST bit.

use super::Step;
use crate::connection::{Connection, Context};
use crate::{Cause, DropReason, Errno, Header, Purpose, SackBlocks, Seq, State};

impl Connection {
    /// RFC 9293 §3.10.7.4, second: "If the RST bit is set and the sequence number exactly matches the next expected
    /// sequence number (RCV.NXT), then TCP endpoints MUST reset the connection in the manner prescribed below according
    /// to the connection state."
    pub(super) fn process_rst(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        // "If the RST bit is set and the sequence number does not exactly match the next expected sequence value, yet
        // is within the current receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)".
        let exact = header.seq == self.rcv.nxt
            || self.is_reset_at_fin(cx, header)
            || self.is_reset_at_sack_edge(cx, header);
        if !exact && !self.yields(cx) {
            self.answer_unacceptable(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::InexactReset);
        }
        self.keepalive_reset(cx);
        let cause = Cause::Segment(header.flags);
        match self.state {
            // A passive open returns to LISTEN, and "The user need not be informed."
            State::SynReceived if self.is_embryonic() => self.transition(cx, State::Closed, cause),
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

    /// Whether a RST has the sequence number of the peer's FIN, and counts nevertheless.
    pub(super) fn is_reset_at_fin(&self, cx: &Context<'_>, header: &Header) -> bool {
        cx.settings.reset_at_fin
            && header.seq + 1 == self.rcv.nxt
            && matches!(self.state, State::CloseWait | State::LastAck | State::Closing)
    }

    /// Whether a RST follows the highest data reported by SACK, and counts although something before it is missing.
    fn is_reset_at_sack_edge(&self, cx: &Context<'_>, header: &Header) -> bool {
        let mut blocks = SackBlocks::default();
        if cx.settings.reset_at_sack_edge && self.agreed.sack {
            self.rcv.push_sack_blocks(&mut blocks);
        }
        let edges = blocks.as_slice().iter().map(|(_, right)| *right);
        edges.reduce(Seq::max).is_some_and(|edge| header.seq == edge)
    }

    /// Whether the connection is an orphan in FIN-WAIT-2 that judges RST and SYN as TIME-WAIT does.
    pub(super) fn yields(&self, cx: &Context<'_>) -> bool {
        self.is_orphan() && self.state == State::FinWait2 && cx.settings.orphan_fin_wait_2_yields
    }
}
