//! NewReno (RFC 5681 §3.1, RFC 6582): the window grows by a segment a round trip, and a loss halves it.

use std::time::Duration;

use super::{CongestionControl, Sample};
use crate::{Instant, Seq};

/// NewReno.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewReno;

impl CongestionControl for NewReno {
    fn acknowledgments_per_segment(&mut self, _now: Instant, window: u32, _segments: u32) -> u32 {
        window
    }

    fn after_loss(&mut self, window: u32) -> u32 {
        window / 2
    }

    fn forget(&mut self, _now: Instant, _nxt: Seq) {}

    fn undo(&mut self) {}

    fn measured(&mut self, _sample: &Sample, _slow_start: Option<u32>) -> bool {
        false
    }

    fn resumed(&mut self, _now: Instant, _idle: Duration) {}
}
