//! TIME-WAIT, where no step but those of RST, SYN and ACK has anything to do.

use super::Step;
use crate::connection::{Connection, Context};
use crate::{Cause, DropReason, Flags, Header, Purpose, State, Timer};

impl Connection {
    /// RFC 9293 §3.10.7.4, fifth, TIME-WAIT: "The only thing that can arrive in this state is a retransmission of the
    /// remote FIN.  Acknowledge it, and restart the 2 MSL timeout."
    pub(super) fn arrives_in_time_wait(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
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
            self.answer_unacceptable(cx, header, Purpose::ChallengeAck);
            return Err(DropReason::UnexpectedSyn);
        }
        if !header.flags.contains(Flags::ACK) {
            return Err(DropReason::NoAck);
        }
        self.timers.set(cx, Timer::TimeWait, cx.settings.time_wait);
        if exact && header.is_empty() {
            return Ok(());
        }
        self.answer_unacceptable(cx, header, Purpose::DuplicateAck);
        Err(DropReason::Duplicate)
    }
}
