//! Taking back repairs that were none: Eifel (RFC 3522, RFC 4015) and D-SACK (RFC 3708).

use super::{News, Undo};
use crate::connection::Connection;
use crate::connection::timestamps::is_later;
use crate::{Header, Instant};

impl Connection {
    pub(in crate::connection) fn undo_loss(&mut self, open: bool) {
        self.undo(true);
        self.retransmissions.timeouts = 0;
        if open {
            self.end_repair();
        }
    }

    pub(in crate::connection) fn begin_undo(&mut self) {
        let resent = self.snd.sent.resent();
        let probed = u32::from(self.recovery.tail_probe.is_some_and(|probe| probe.repeats));
        let pending = resent + probed;
        self.recovery.undo =
            Some(Undo { marker: self.snd.una, unexplained: (pending > 0).then_some(pending) });
    }

    /// Gives back what the loss that was none has cost (RFC 4015 §3.2).
    pub(in crate::connection) fn undo(&mut self, unmark: bool) {
        if unmark {
            self.snd.sent.unmark_lost();
        }
        self.congestion.undo();
        self.recovery.undo = None;
    }

    /// A duplicate reported explains one of the segments sent again (RFC 3708).
    pub(in crate::connection) fn explain_resends(&mut self, news: &News<'_>) {
        let (Some(undo), Some((_, end))) = (&mut self.recovery.undo, news.dsack) else { return };
        if end.at_or_before(news.una_before.max(self.snd.una)) && end.after(undo.marker) {
            undo.unexplained = undo.unexplained.map(|count| count.saturating_sub(1));
        }
    }

    /// Whether the acknowledgment was drawn by an original and not by what was sent again (RFC 3522 §3.2).
    pub(in crate::connection) fn was_delayed(&self, header: &Header) -> bool {
        self.recovery.first_resend.is_none_or(|first_resend| self.echoes_earlier(header, first_resend))
    }

    /// Whether the timestamps say that what drew the acknowledgment was sent before `time`.
    pub(in crate::connection) fn echoes_earlier(&self, header: &Header, time: Instant) -> bool {
        let echo = header.options.timestamps.filter(|_| self.agreed.timestamps).map(|stamps| stamps.echo);
        echo.is_some_and(|echo| is_later(self.timestamps.value(time), echo))
    }
}
