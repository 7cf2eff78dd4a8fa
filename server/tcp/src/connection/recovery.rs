//! Detecting and repairing losses, and undoing repairs that were not needed: fast retransmit and NewReno (RFC 5681,
//! RFC 6582), RACK and tail loss probes (RFC 8985), PRR (RFC 6937), F-RTO (RFC 5682), Eifel (RFC 3522, RFC 4015) and
//! D-SACK (RFC 3708). They are combined as in Linux's `tcp_fastretrans_alert`.

mod loss_timer;
mod prr;
mod rack;
mod undo;

use std::time::Duration;

use super::{Connection, Context};
use crate::scoreboard::Delivered;
use crate::{Header, Instant, Purpose, Seq, Timer};

pub(super) use crate::RecoveryPhase as Phase;
use rack::{DUP_THRESH, Rack};

/// Loss recovery of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    /// `RecoveryPoint` of RFC 6675, `recover` of RFC 6582: the phase ends when everything before it is acknowledged.
    recovery_point: Seq,
    undo: Option<Undo>,
    /// When the first segment of this repair was sent again.
    first_retransmission: Option<Instant>,
    /// The timeout may have been spurious, which new data may show (F-RTO, RFC 5682).
    frto: bool,
    /// Until the next acknowledgment new data is sent, and nothing again (RFC 5682 §2.1, step 2.b).
    pub(super) new_data_first: bool,
    prr: Prr,
    rack: Rack,
    pub(super) tail_probe: Option<TailProbe>,
}

/// What shows that a repair was not needed.
#[derive(Clone, Copy, Debug)]
struct Undo {
    /// `snd.una` when it began.
    marker: Seq,
    /// Segments sent again that no D-SACK has reported as duplicates; `None` before the first (Linux `undo_retrans`).
    awaited_dsacks: Option<u32>,
}

/// Proportional rate reduction (RFC 6937 §2).
#[derive(Clone, Copy, Debug, Default)]
struct Prr {
    /// `prr_delivered`: segments delivered since recovery began.
    delivered: u32,
    /// `prr_out`: segments sent since recovery began.
    out: u32,
}

/// A tail loss probe without an answer (RFC 8985 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TailProbe {
    /// `TLP.end_seq`: `snd.nxt` when it was sent.
    pub(super) end_seq: Seq,
    /// `TLP.is_retrans`: whether it was a retransmission.
    pub(super) is_retrans: bool,
}

/// What an acknowledgment says.
#[derive(Clone, Copy, Debug)]
pub(super) struct AckSummary<'a> {
    pub(super) header: &'a Header,
    pub(super) delivered: Delivered,
    /// `snd.una` before it.
    pub(super) una_before: Seq,
    /// Whether `snd.una` moved.
    pub(super) advanced: bool,
    /// Whether it is a duplicate (RFC 5681 §2).
    pub(super) duplicate: bool,
    /// Whether it echoes that a router has marked congestion (RFC 3168).
    pub(super) congested: bool,
    /// The duplicate that it reports (RFC 2883).
    pub(super) dsack: Option<(Seq, Seq)>,
}

impl Recovery {
    /// Whether the repair was not needed: D-SACKs reported every retransmission, or an original was acknowledged.
    fn may_undo(&self, original: bool) -> bool {
        self.undo.is_some_and(|undo| undo.awaited_dsacks == Some(0) || original)
    }

    /// Segments that must have been delivered after another before it counts as lost.
    pub(super) fn dup_thresh(&self) -> u32 {
        self.rack.dup_thresh
    }

    /// The phase ends when everything before this is acknowledged.
    pub(super) fn recovery_point(&self) -> Seq {
        self.recovery_point
    }

    /// A segment is sent again because it is believed lost.
    pub(super) fn count_retransmission(&mut self, now: Instant) {
        self.first_retransmission.get_or_insert(now);
        if let Some(undo) = &mut self.undo {
            undo.awaited_dsacks = Some(undo.awaited_dsacks.unwrap_or(0) + 1);
        }
    }

    /// Whether the new data that comes first has been sent. If none could be, F-RTO ends and lost segments are sent
    /// again.
    pub(super) fn has_sent_new_data(&mut self, nxt: Seq) -> bool {
        self.new_data_first &= nxt.after(self.recovery_point);
        self.frto &= self.new_data_first;
        self.new_data_first
    }

    /// A segment is sent while the window is being reduced.
    pub(super) fn count_sent(&mut self) {
        self.prr.out += 1;
    }
}

impl Connection {
    /// What an acknowledgment means for losses and for the congestion window.
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, ack: &AckSummary<'_>) {
        self.recovery.new_data_first = false;
        self.rack_update(ack);
        self.rack_detect_reordering(cx, ack);
        self.rack_update_reo_wnd(ack);
        self.process_tail_probe_ack(cx.now, ack);
        let (lost_before, duplicates_before) = (self.snd.sent.lost(), self.snd.sent.duplicates());
        let suspicious = ack.duplicate
            || ack.delivered.sacked > 0
            || ack.dsack.is_some()
            || ack.congested
            || self.recovery.phase != Phase::Open;
        if suspicious {
            self.process_suspicious_ack(cx, ack);
        }
        let newly_lost = self.snd.sent.lost() > lost_before;
        let duplicates = self.snd.sent.duplicates().saturating_sub(duplicates_before);
        self.totals.delivered += duplicates;
        let delivered = ack.delivered.segments + duplicates;
        if self.recovery.phase.reduces_window() {
            self.reduce_window(ack.advanced, delivered, newly_lost);
        } else if self.may_raise_window(ack) {
            self.congestion.acknowledged(cx.now, delivered);
        }
    }

    /// Whether the congestion window may grow: what was acknowledged must be in order, unless the path is known to reorder
    /// (Linux `tcp_may_raise_cwnd`).
    fn may_raise_window(&self, ack: &AckSummary<'_>) -> bool {
        let acknowledged = ack.advanced && ack.delivered.acknowledged > 0;
        acknowledged || (self.recovery.rack.dup_thresh > DUP_THRESH && ack.delivered.sacked > 0)
    }

    /// An acknowledgment that is a sign of loss or arrives while one is being repaired.
    fn process_suspicious_ack(&mut self, cx: &mut Context<'_>, ack: &AckSummary<'_>) {
        if ack.congested {
            self.congestion.mark_congested();
        }
        self.end_cwr(cx.now);
        let original = self.acknowledges_original(ack.header);
        self.count_dsack(ack);
        let recovered = self.snd.una.at_or_after(self.recovery.recovery_point);
        if self.recovery.phase == Phase::Recovery && recovered {
            self.snd.sent.forget_duplicates();
            // It may have been undone at an earlier acknowledgment, while the repair was held (Linux `undo_marker`).
            let was_undone = self.recovery.undo.is_none();
            let reduced = !self.try_undo_recovery(cx.now, original) && !was_undone;
            if self.holds_repair() {
                self.forget_retransmissions();
                return;
            }
            if reduced {
                self.congestion.repaired(cx.now);
            }
            self.end_repair();
        }
        match self.recovery.phase {
            Phase::Recovery => {
                if !ack.advanced {
                    self.count_duplicate(cx, ack);
                } else if self.recovery.undo.is_some() && original {
                    // A partial acknowledgment of an original: segments were reordered, not lost.
                    self.note_reordering(cx.settings, ack.una_before);
                    if self.snd.sent.resent() > 0 {
                        return;
                    }
                    self.undo(cx.now, true);
                    self.try_open();
                }
                self.undo_by_dsack(cx.now);
                self.detect_losses(cx, ack);
            }
            Phase::Loss => {
                self.process_ack_in_loss(cx, ack, original, recovered);
                self.detect_losses(cx, ack);
                if self.recovery.phase != Phase::Open {
                    return;
                }
            }
            Phase::Open | Phase::Disorder | Phase::Cwr => {
                if !self.agreed.sack {
                    if ack.advanced {
                        self.snd.sent.forget_duplicates();
                    }
                    self.count_duplicate(cx, ack);
                }
                self.undo_by_dsack(cx.now);
                self.detect_losses(cx, ack);
            }
        }
        if self.recovery.phase != Phase::Recovery {
            if !self.snd.sent.has_lost() {
                self.enter_cwr_or_open(ack.congested);
            } else if !self.mtu_probe_failed() {
                self.enter_recovery(cx, ack.congested);
            }
        }
    }

    /// Without SACK a duplicate says that a segment has left the network (RFC 5681 §3.2).
    fn count_duplicate(&mut self, cx: &Context<'_>, ack: &AckSummary<'_>) {
        if !self.agreed.sack && ack.duplicate && self.snd.sent.count_duplicate() {
            // More duplicates than segments: they are duplicates of what arrived out of order (Linux
            // `tcp_check_reno_reordering`).
            self.recovery.rack.set_reordering(cx.settings, self.snd.sent.len());
        }
    }

    /// Marks the segments that are lost by what is known now.
    fn detect_losses(&mut self, cx: &mut Context<'_>, ack: &AckSummary<'_>) {
        if self.snd.sent.is_empty() {
            return;
        }
        if self.agreed.sack {
            self.rack_detect_loss_and_arm_timer(cx);
            return;
        }
        let first = self.recovery.phase < Phase::Recovery
            && self.snd.sent.duplicates() >= self.recovery.rack.dup_thresh;
        let next = self.recovery.phase == Phase::Recovery && ack.advanced;
        if first || next {
            self.snd.sent.mark_first_lost();
        }
    }

    /// A loss is proven: fast retransmit and fast recovery begin (RFC 5681 §3.2; RFC 6937 §3).
    fn enter_recovery(&mut self, cx: &mut Context<'_>, congested: bool) {
        self.begin_undo();
        if self.recovery.phase < Phase::Cwr {
            self.begin_reduction();
            if congested {
                self.congestion.mark_congested();
            }
        }
        self.recovery.phase = Phase::Recovery;
        self.set_retransmission_timer(cx);
    }

    /// The window is reduced, until everything in flight now is acknowledged (Linux `tcp_init_cwnd_reduction`).
    fn begin_reduction(&mut self) {
        self.recovery.recovery_point = self.snd.nxt;
        self.recovery.tail_probe = None;
        self.recovery.prr = Prr::default();
        self.congestion.loss();
        self.window_was_reduced();
    }

    /// Nothing is lost. A router may have marked congestion, which costs as much as a loss, once a round trip (RFC 3168 §6.1.2;
    /// Linux `tcp_enter_cwr`).
    fn enter_cwr_or_open(&mut self, congested: bool) {
        if congested && self.recovery.phase < Phase::Cwr {
            self.recovery.undo = None;
            self.begin_reduction();
            self.congestion.mark_congested();
            self.recovery.phase = Phase::Cwr;
        }
        if self.recovery.phase != Phase::Cwr {
            self.try_open();
        }
    }

    /// The reduction ends when data sent after it began is acknowledged, so that CWR has reached the peer.
    fn end_cwr(&mut self, now: Instant) {
        if self.recovery.phase == Phase::Cwr && self.snd.una.after(self.recovery.recovery_point) {
            self.congestion.repaired(now);
            self.recovery.phase = Phase::Open;
        }
    }

    /// Segments that are too long for the path are lost, which is no sign of congestion: they are sent again in shorter ones
    /// (Linux `tcp_simple_retransmit`). Returns whether any was.
    pub(super) fn resend_in_shorter_segments(&mut self) -> bool {
        let lost_before = self.snd.sent.lost();
        self.snd.sent.cut_longer_than(self.snd.mss);
        let any = self.snd.sent.lost() > lost_before;
        if !any || self.recovery.phase == Phase::Loss {
            return any;
        }
        let reduces = self.recovery.phase.reduces_window();
        self.recovery.phase = Phase::Loss;
        self.recovery.recovery_point = self.snd.nxt;
        (self.recovery.undo, self.recovery.frto) = (None, false);
        self.congestion.hold_threshold(reduces);
        true
    }

    /// The retransmission timer fired (RFC 5681 §3.1; RFC 5682 §2.1, step 1; RFC 8985 §6.3).
    pub(super) fn enter_loss(&mut self, cx: &mut Context<'_>) {
        let fresh = self.recovery.phase < Phase::Recovery;
        if fresh && self.snd.sent.sacked().max(self.snd.sent.duplicates()) >= DUP_THRESH {
            // They should have proven the loss (Linux `tcp_enter_loss`).
            self.recovery.rack.dup_thresh = DUP_THRESH;
        }
        let rack = self.recovery.rack;
        let min_age = if self.agreed.sack { rack.rtt } else { Duration::ZERO };
        let passed = self.snd.una.at_or_after(self.recovery.recovery_point);
        let reduces = self.recovery.phase == Phase::Cwr;
        if (fresh && !reduces)
            || passed
            || (self.recovery.phase == Phase::Loss && self.retransmissions.timeouts == 0)
        {
            self.congestion.loss();
            self.begin_undo();
        }
        self.window_was_reduced();
        self.snd.sent.mark_all_lost(cx.now, min_age);
        self.congestion.timeout(cx.now, self.snd.nxt, self.snd.sent.in_flight() + 1);
        self.recovery.phase = Phase::Loss;
        self.recovery.recovery_point = self.snd.nxt;
        self.recovery.tail_probe = None;
        self.recovery.new_data_first = false;
        self.recovery.frto = cx.settings.frto && (fresh || self.retransmissions.timeouts > 0);
        self.timers.cancel(cx, Timer::Reordering);
    }

    /// After a timeout: the repair goes on, or turns out not to be needed (RFC 5682 §2.1, §3).
    fn process_ack_in_loss(
        &mut self,
        cx: &Context<'_>,
        ack: &AckSummary<'_>,
        original: bool,
        recovered: bool,
    ) {
        let now = cx.now;
        if ack.advanced && self.recovery.may_undo(original) {
            self.undo_loss(now, self.agreed.sack);
            return;
        }
        if self.recovery.frto {
            // Step 3.b: a segment that was sent only once was delivered.
            if ack.delivered.original {
                self.undo_loss(now, true);
                return;
            }
            if self.snd.nxt.after(self.recovery.recovery_point) {
                if ack.delivered.sacked > 0 || ack.duplicate {
                    self.recovery.frto = false;
                }
            } else if ack.advanced && !recovered {
                // Step 2.b: new data is sent.
                self.recovery.recovery_point = self.snd.nxt;
                if self.snd.unsent() > 0 && self.usable_window() > 0 {
                    self.recovery.new_data_first = true;
                    return;
                }
                self.recovery.frto = false;
            }
        }
        if recovered {
            self.try_undo_recovery(now, original);
            if self.holds_repair() {
                self.forget_retransmissions();
            } else {
                self.end_repair();
            }
            return;
        }
        if !self.agreed.sack {
            if self.snd.nxt.after(self.recovery.recovery_point) && ack.duplicate {
                self.count_duplicate(cx, ack);
            } else if ack.advanced {
                self.snd.sent.forget_duplicates();
            }
        }
    }

    /// Whether the repair is not over though everything is repaired: without SACK, a duplicate could be mistaken for a new loss
    /// until new data is acknowledged (RFC 6582 §4; Linux `tcp_is_non_sack_preventing_reopen`).
    fn holds_repair(&self) -> bool {
        self.snd.una == self.recovery.recovery_point && !self.agreed.sack
    }

    /// If nothing that was sent again is in flight, an earlier timestamp tells nothing any longer (Linux `retrans_stamp`).
    fn forget_retransmissions(&mut self) {
        if !self.snd.sent.has_any_resent() {
            self.recovery.first_retransmission = None;
        }
    }

    /// Everything that was lost is repaired.
    fn end_repair(&mut self) {
        self.recovery.phase = Phase::Open;
        self.recovery.first_retransmission = None;
        self.try_open();
    }

    /// Open, or Disorder while something is out of order.
    fn try_open(&mut self) {
        let disorder = self.snd.sent.has_gaps() || self.snd.sent.has_any_resent();
        let phase = if disorder { Phase::Disorder } else { Phase::Open };
        if self.recovery.phase != phase {
            self.recovery.phase = phase;
            self.recovery.recovery_point = self.snd.nxt;
        }
        if phase == Phase::Open {
            self.recovery.first_retransmission = None;
        }
    }

    /// The purpose of sending a lost segment again.
    pub(super) fn retransmission_purpose(&self) -> Purpose {
        match self.recovery.phase {
            Phase::Loss => Purpose::Retransmission,
            Phase::Open | Phase::Disorder | Phase::Cwr | Phase::Recovery => Purpose::FastRetransmission,
        }
    }
}
