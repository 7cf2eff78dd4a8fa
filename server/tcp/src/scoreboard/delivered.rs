//! What an acknowledgment delivered.

use super::Sent;
use super::sent::Transmission;
use crate::{Instant, Seq};

/// What an acknowledgment says of the segments in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// Whole segments newly acknowledged.
    pub(crate) acknowledged: u32,
    /// Segments newly reported by SACK.
    pub(crate) sacked: u32,
    /// Segments newly delivered: acknowledged without having been reported before, or reported.
    pub(crate) segments: u32,
    /// When the oldest acknowledged segment that was sent only once was sent (Karn's algorithm, RFC 6298 §3).
    pub(crate) sent_once: Option<Instant>,
    /// When the oldest reported segment that was sent only once was sent.
    pub(crate) sacked_sent_once: Option<Instant>,
    /// The recovery point, which separates what was sent before a timeout from what was sent after it.
    pub(crate) recovery_point: Seq,
    /// Whether a delivered segment before that point was sent only once: it was not lost (RFC 5682 §2.1).
    pub(crate) original: bool,
    /// Whether any delivered segment was sent more than once.
    pub(crate) resent: bool,
    /// The delivered segment that was sent last, and whether it was sent more than once (RFC 8985 §6.2, step 2).
    pub(crate) last_sent: Option<(Transmission, bool)>,
    /// Whether a segment sent only once was delivered after one that was sent later (RFC 8985 §6.2, step 3).
    pub(crate) reordered: bool,
}

impl Delivered {
    pub(super) fn note(&mut self, sent: &Sent) {
        self.segments += 1;
        let (transmission, resent) = (sent.transmission(), sent.transmissions > 1);
        if self.last_sent.is_none_or(|(last, _)| transmission.sent_after(last)) {
            self.last_sent = Some((transmission, resent));
        }
        self.resent |= resent;
    }
}
