//! NewReno (RFC 5681 §3.1, RFC 6582): the window grows by a segment a round trip, and a loss halves it.

use std::time::Duration;

use super::CongestionControl;
use crate::Instant;

/// NewReno.
#[derive(Clone, Debug, Default)]
pub(super) struct NewReno {
    /// Acknowledged segments for which the window has not grown yet.
    credit: u32,
}

impl CongestionControl for NewReno {
    fn avoid(&mut self, _now: Instant, _rtt: Duration, window: u32, segments: u32) -> u32 {
        self.credit += segments;
        let more = self.credit / window;
        self.credit %= window;
        more
    }

    fn after_loss(&mut self, window: u32) -> u32 {
        self.credit = 0;
        window / 2
    }

    fn forget(&mut self) {
        self.credit = 0;
    }

    fn undo(&mut self) {}
}
