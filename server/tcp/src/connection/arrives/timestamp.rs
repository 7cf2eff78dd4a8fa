//! Before the first step: protection against wrapped sequence numbers (PAWS, RFC 7323 §5).

use super::Step;
use crate::connection::timestamps::is_later;
use crate::connection::{Connection, Context};
use crate::{DropReason, Flags, Header, Purpose, Timestamps};

impl Connection {
    /// RFC 7323 §5.3, R1: a segment whose TSval is older than `TS.Recent` is not acceptable, unless its RST bit is set.
    pub(super) fn check_timestamp(&mut self, cx: &mut Context<'_>, header: &Header) -> Step {
        let (true, Some(Timestamps { value, .. })) = (self.agreed.timestamps, header.options.timestamps)
        else {
            return Ok(());
        };
        if is_later(self.timestamps.recent, value) && !header.flags.contains(Flags::RST) {
            return self.check_old_timestamp(cx, header, self.timestamps.recent.wrapping_sub(value));
        }
        Ok(())
    }

    /// RFC 7323 §5.3, R3: "If an arriving segment satisfies SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent (see
    /// Section 4.3), then record its timestamp in TS.Recent." Its sequence and acknowledgment numbers are acceptable (R2;
    /// Linux `tcp_ack`).
    pub(super) fn record_timestamp(&mut self, header: &Header) {
        let Some(Timestamps { value, .. }) = header.options.timestamps.filter(|_| self.agreed.timestamps)
        else {
            return;
        };
        if !is_later(self.timestamps.recent, value) && header.seq.at_or_before(self.ack_policy.last_sent()) {
            self.timestamps.recent = value;
        }
    }

    /// The timestamp is `age` ticks of the sender's clock older than `TS.Recent`. The segment is answered and dropped;
    /// where late acknowledgments count, one without data counts if it could be the newest, and is otherwise dropped in
    /// silence (Linux `tcp_disordered_ack_check`).
    fn check_old_timestamp(&mut self, cx: &mut Context<'_>, header: &Header, age: u32) -> Step {
        let nxt = self.rcv.nxt;
        if cx.settings.late_acks && header.is_empty() && header.flags.contains(Flags::ACK) {
            if header.seq.before(nxt) {
                return Err(DropReason::OldTimestamp);
            }
            let longest = self.rtt.rto().as_millis() * 6 / 5;
            if header.seq == nxt
                && header.ack == self.snd.una
                && !self.snd.moves_window(header)
                && u128::from(age) <= longest
            {
                return Ok(());
            }
        }
        self.report_duplicate_text(cx, header);
        self.answer_unacceptable(cx, header, Purpose::DuplicateAck);
        Err(DropReason::OldTimestamp)
    }
}
