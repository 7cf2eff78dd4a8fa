//! What an acknowledgment delivered.

use std::time::Duration;

use super::Sent;
use super::sent::Transmission;
use crate::{Instant, Seq};

/// What an acknowledgment says of the segments in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// What was known before it.
    pub(crate) before: Before,
    /// Whole segments newly acknowledged.
    pub(crate) acknowledged: u32,
    /// Segments newly reported by SACK.
    pub(crate) sacked: u32,
    /// Segments newly delivered: acknowledged without having been reported before, or reported.
    pub(crate) segments: u32,
    /// When the oldest acknowledged segment that was sent only once was sent (Karn's algorithm, RFC 6298 §3).
    pub(crate) sent_once: Option<Instant>,
    /// When the last one was sent.
    last_acknowledged_once: Option<Instant>,
    /// When the oldest reported segment that was sent only once was sent.
    pub(crate) sacked_sent_once: Option<Instant>,
    /// When the last one was sent.
    last_sacked_once: Option<Instant>,
    /// Whether an acknowledged segment was sent more than once.
    pub(super) acknowledged_resent: bool,
    /// Whether a delivered segment before the recovery point was sent only once: it was not lost (RFC 5682 §2.1).
    pub(crate) original: bool,
    /// Whether any delivered segment was sent more than once.
    pub(crate) resent: bool,
    /// Of the segments delivered for certain by their last transmission, the one that was sent last (RFC 8985 §6.2, step 2).
    pub(crate) last_sent: Option<Transmission>,
    /// The round-trip time of the one that was taken last, which is the highest acknowledged or else reported (Linux
    /// `tcp_rack_advance`).
    pub(crate) rtt: Option<Duration>,
    /// The first segment sent only once that was delivered after one that was sent later (RFC 8985 §6.2, step 3).
    pub(crate) reordered: Option<Seq>,
}

/// What was known before an acknowledgment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// The time at which it arrives.
    pub(crate) now: Instant,
    /// The recovery point, which separates what was sent before a timeout from what was sent after it.
    pub(crate) recovery_point: Seq,
    /// The shortest round trip.
    pub(crate) min_rtt: Option<Duration>,
    /// The end of the highest segment reported (`RACK.fack` of RFC 8985 §5.3).
    pub(crate) highest_sacked: Option<Seq>,
    /// When the segment was sent, at the latest, that the acknowledgment echoes, if it has timestamps.
    pub(crate) echoed: Option<Instant>,
}

impl Delivered {
    pub(crate) fn new(before: Before) -> Delivered {
        Delivered { before, ..Delivered::default() }
    }

    /// When the last segment was sent that was sent only once: the highest reported, or else acknowledged if nothing
    /// acknowledged with it was sent again.
    pub(crate) fn last_sent_once(&self) -> Option<Instant> {
        self.last_sacked_once.or(self.last_acknowledged_once.filter(|_| !self.acknowledged_resent))
    }

    /// A segment is acknowledged that was not reported before.
    pub(super) fn note_acknowledged(&mut self, sent: &Sent) {
        let once = sent.transmissions == 1;
        if once {
            self.sent_once.get_or_insert(sent.first_sent);
            self.last_acknowledged_once = Some(sent.first_sent);
        }
        let echoes_earlier = self.before.echoed.is_some_and(|echoed| echoed < sent.last_sent);
        self.note(sent, once || !echoes_earlier);
    }

    /// A segment is reported.
    pub(super) fn note_sacked(&mut self, sent: &Sent) {
        self.sacked += 1;
        if sent.transmissions == 1 {
            self.sacked_sent_once.get_or_insert(sent.first_sent);
            self.last_sacked_once = Some(sent.first_sent);
        }
        self.note(sent, true);
    }

    /// `RACK_update` of RFC 8985 §6.2, step 2, and what decides about spurious repairs; `certain` says that no earlier
    /// transmission can have been delivered.
    fn note(&mut self, sent: &Sent, certain: bool) {
        let once = sent.transmissions == 1;
        self.segments += 1;
        self.resent |= !once;
        self.original |= once && sent.end().at_or_before(self.before.recovery_point);
        if once && self.before.highest_sacked.is_some_and(|high| sent.end().before(high)) {
            self.reordered = Some(self.reordered.map_or(sent.seq, |first| first.min(sent.seq)));
        }
        let (transmission, rtt) = (sent.transmission(), self.before.now - sent.last_sent);
        // The RFC asks for less than `RACK.min_RTT`; where every round trip takes as long, that is never so, but the kernel's
        // lone retransmissions are a little quicker than its bursts (18c, 12 of 12 runs).
        let too_quick = self.before.min_rtt.is_some_and(|min_rtt| rtt <= min_rtt);
        if !once && (too_quick || !certain) {
            return;
        }
        self.rtt = Some(rtt);
        if self.last_sent.is_none_or(|last| transmission.sent_after(last)) {
            self.last_sent = Some(transmission);
        }
    }
}
