//! Sixth: check the URG bit.

use crate::connection::{Connection, Context};
use crate::{Flags, Header, Report};

impl Connection {
    /// RFC 9293 §3.10.7.4, sixth: "If the URG bit is set, RCV.UP <- max(RCV.UP,SEG.UP), and signal the user that the
    /// remote side has urgent data if the urgent pointer (RCV.UP) is in advance of the data consumed."
    pub(super) fn check_urg(&mut self, cx: &mut Context<'_>, header: &Header) {
        // In other states: "This should not occur since a FIN has been received from the remote side.  Ignore the URG."
        if !header.flags.contains(Flags::URG) || !self.state.takes_text() {
            return;
        }
        // MUST-32: the application learns of each pointer that is new or has moved on.
        if self.advance_urgent(header.seq + u32::from(header.urgent)) {
            self.report(cx, Report::Urgent(self.urgent_octets()));
        }
    }
}
