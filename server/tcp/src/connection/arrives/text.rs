//! Seventh: process the segment text.

use super::Step;
use crate::connection::{Connection, Context};
use crate::rcv::Text;
use crate::segment::{Congestion, Segment};
use crate::{Cause, DropReason, Errno, Flags, Header, Purpose, State, Timestamps};

impl Connection {
    /// RFC 9293 §3.10.7.4, seventh: "Once in the ESTABLISHED state, it is possible to deliver segment data to user
    /// RECEIVE buffers."
    pub(super) fn process_text(&mut self, cx: &mut Context<'_>, segment: &Segment<'_>) -> Step {
        self.note_echo(cx, &segment.header);
        // In other states: "This should not occur since a FIN has been received from the remote side.  Ignore the
        // segment text."
        if segment.payload.is_empty() || !self.state.takes_text() {
            return Ok(());
        }
        let reduced = self.take_cwr(&segment.header);
        let (seq, end) = (segment.header.text(), segment.header.text() + segment.header.payload);
        if end.after(self.rcv.nxt) && self.reads_no_more(cx) {
            return self.reset_for_text(cx, &segment.header);
        }
        if seq.before(self.rcv.nxt) {
            self.report_duplicate(cx.settings, seq, self.rcv.nxt.min(end));
        } else if self.rcv.has_beyond_gap(seq, segment.header.payload) {
            self.report_duplicate(cx.settings, seq, end);
        }
        // "Once the TCP endpoint takes responsibility for the data, it advances RCV.NXT over the data accepted, and
        // adjusts RCV.WND as appropriate to the current buffer availability."
        let window = self.rcv.offered();
        let text = self.rcv.text(seq, segment.payload);
        if self.parent.is_none() || text != Text::OutOfOrder {
            self.rcv.tune(cx.now, text);
        }
        // The acknowledgment of a FIN that follows is that of the text, too.
        let fin_follows = segment.header.flags.contains(Flags::FIN) && self.rcv.nxt == end;
        if text == Text::OutOfOrder {
            self.take_mark(segment.congestion, window);
        }
        self.acknowledge_text(cx, text, (segment.congestion, window), fin_follows);
        if reduced {
            self.acknowledge_now(cx, Purpose::Normal);
        }
        Ok(())
    }

    /// The echo of a timestamp shows a round trip to the receiver, too (Linux `tcp_rcv_rtt_measure_ts`).
    fn note_echo(&mut self, cx: &Context<'_>, header: &Header) {
        let stamps = header.options.timestamps.filter(|_| self.agreed.timestamps);
        if let Some(Timestamps { echo, .. }) = stamps.filter(|_| self.state == State::Established)
            && let Some(age) = self.timestamps.age(cx.now, echo)
        {
            self.rcv.echoed(echo, age, header.payload);
        }
    }

    /// Whether nobody will read what arrives, and the peer must know (RFC 9293 §3.6.1).
    fn reads_no_more(&self, cx: &Context<'_>) -> bool {
        let finishing = matches!(self.state, State::FinWait1 | State::FinWait2);
        self.is_orphan() || (self.application.read_shut && finishing && cx.settings.reset_after_shutdown_read)
    }

    /// The answer is that of a port that nobody has (RFC 9293 §3.10.7.1).
    fn reset_for_text(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        self.fail(cx, Errno::ConnectionReset, Cause::Segment(header.flags));
        self.outbox.reset = Some(header.refusal());
        Err(DropReason::NoReceiver)
    }

    /// "Send an acknowledgment", when the policy says so; `window` is what was offered before.
    fn acknowledge_text(
        &mut self,
        cx: &mut Context<'_>,
        text: Text,
        (mark, window): (Congestion, u32),
        fin_follows: bool,
    ) {
        let rto = self.rtt.rto();
        if let Text::InOrder(octets) | Text::FilledGap(octets) = text {
            self.ack_policy.received(cx.now, octets, window, rto);
            self.take_mark(mark, window);
        }
        if self.rcv.take_growth() {
            self.ack_policy.window_grows();
        }
        match text {
            Text::InOrder(_) if fin_follows => {}
            Text::InOrder(_) => self.schedule_ack(cx, false),
            // A gap, or the end of one: the sender must know at once (RFC 5681 §4.2).
            Text::FilledGap(_) if self.rcv.has_gap() => self.acknowledge_gap(cx, Purpose::Normal),
            Text::FilledGap(_) => self.acknowledge_now(cx, Purpose::Normal),
            Text::OutOfOrder => self.acknowledge_gap(cx, Purpose::DuplicateAck),
            Text::Nothing => {
                self.ack_policy.hurry(window);
                self.acknowledge_now(cx, Purpose::DuplicateAck);
            }
        }
    }
}
