//! SEGMENT ARRIVES (RFC 9293 §3.10.7), a file for each step. CLOSED and LISTEN have no connection: the endpoint takes
//! their segments.

mod ack;
mod fin;
mod rst;
mod sequence_number;
mod syn;
mod syn_sent;
mod text;
mod time_wait;
mod timestamp;
mod urg;

use super::{Connection, Context};
use crate::segment::Segment;
use crate::{Disposition, DropReason, Flags, State};

/// The outcome of a step: the next one follows, or the segment is dropped.
type Step = Result<(), DropReason>;

impl Connection {
    /// A segment for this connection arrived. `accept_queue_has_room` matters to a passive open in SYN-RECEIVED.
    pub(crate) fn arrives(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment<'_>,
        accept_queue_has_room: bool,
    ) -> Disposition {
        self.count_received(&segment.header);
        let outcome = match self.state {
            State::Closed | State::Listen => Err(DropReason::NoConnection),
            // Nobody has polled for our SYN yet: nothing can be an answer to it.
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
            | State::LastAck => self.arrives_in_other_states(cx, segment, accept_queue_has_room),
        };
        match outcome {
            Ok(()) => Disposition::Accepted,
            Err(reason) => Disposition::Dropped(reason),
        }
    }

    /// RFC 9293 §3.10.7.4, for every state but TIME-WAIT. The third step, security, has nothing to check.
    fn arrives_in_other_states(
        &mut self,
        cx: &mut Context<'_>,
        segment: &Segment<'_>,
        accept_queue_has_room: bool,
    ) -> Step {
        let header = &segment.header;
        self.check_timestamp(cx, header)?;
        self.check_sequence_number(cx, header)?;
        if header.flags.contains(Flags::RST) {
            return self.process_rst(cx, header);
        }
        self.check_syn(cx, header)?;
        self.check_ack(cx, header, accept_queue_has_room)?;
        // Whatever arrives is an opportunity to send (Linux `tcp_data_snd_check`).
        self.application.holds_back = false;
        self.check_urg(cx, header);
        self.process_text(cx, segment)?;
        self.check_fin(cx, segment);
        Ok(())
    }
}
