//! Noticing and repairing losses, and taking back repairs that were none: fast retransmit and NewReno (RFC 5681, RFC 6582),
//! RACK and tail loss probes (RFC 8985), PRR (RFC 6937), F-RTO (RFC 5682), Eifel (RFC 3522, RFC 4015) and DSACK (RFC 3708).
//! What they do together is Linux's `tcp_fastretrans_alert`.

mod loss_timer;
mod prr;
mod rack;
mod undo;

use std::time::Duration;

use super::{Connection, Context};
use crate::scoreboard::Delivered;
use crate::{Header, Instant, Purpose, Seq, Timer};

/// Duplicate acknowledgments, or segments reported by SACK, that prove a loss (RFC 5681 §3.2; Linux `tcp_reordering`).
const THRESHOLD: u32 = 3;

/// Whether a loss is being repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// All is well.
    #[default]
    Open,
    /// Something arrived out of order; it may be no loss.
    Disorder,
    /// A segment was lost, later ones arrive.
    Recovery,
    /// The retransmission timer fired.
    Loss,
}

/// Loss recovery of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    /// The phase ends when everything before is acknowledged (`recover` of RFC 6582, `RecoveryPoint` of RFC 6675).
    until: Seq,
    undo: Option<Undo>,
    /// When the first segment of this repair was sent again.
    first_resend: Option<Instant>,
    /// The timeout may have been spurious: new data instead of old may show it (RFC 5682).
    frto: bool,
    /// Until the next acknowledgment new data goes, and nothing again.
    pub(super) new_data_first: bool,
    prr: Prr,
    rack: Rack,
    pub(super) tail_probe: Option<TailProbe>,
}

/// What it takes to find out that a repair was not needed.
#[derive(Clone, Copy, Debug)]
struct Undo {
    /// `snd.una` when it began.
    marker: Seq,
    /// Segments sent again whose originals have not been reported as duplicates; `None` before the first.
    unexplained: Option<u32>,
}

/// Proportional rate reduction (RFC 6937 §2).
#[derive(Clone, Copy, Debug, Default)]
struct Prr {
    /// Segments delivered since it began.
    delivered: u32,
    /// Segments sent since it began.
    out: u32,
}

/// What RACK knows (RFC 8985 §5.2).
#[derive(Clone, Copy, Debug, Default)]
struct Rack {
    /// Of the segments delivered, the one that was sent last: when, and its end.
    newest: Option<(Instant, Seq)>,
    /// Its round-trip time.
    rtt: Duration,
    /// Segments have overtaken each other on this path.
    reordering: bool,
}

/// A tail loss probe that has no answer (RFC 8985 §7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TailProbe {
    /// `snd.nxt` when it was sent.
    pub(super) until: Seq,
    /// Whether it was old data.
    pub(super) repeats: bool,
}

/// What an acknowledgment said, put together.
#[derive(Clone, Copy, Debug)]
pub(super) struct News<'a> {
    pub(super) header: &'a Header,
    pub(super) delivered: Delivered,
    /// `snd.una` before it.
    pub(super) una_before: Seq,
    /// Whether `snd.una` moved.
    pub(super) advanced: bool,
    /// A duplicate in the sense of RFC 5681 §2.
    pub(super) duplicate: bool,
    /// What it reports as having arrived twice (RFC 2883).
    pub(super) dsack: Option<(Seq, Seq)>,
    /// Segments in flight before it.
    pub(super) in_flight: u32,
}

impl Recovery {
    fn may_undo(&self, delayed: bool) -> bool {
        self.undo.is_some_and(|undo| undo.unexplained == Some(0) || delayed)
    }

    /// The phase ends when everything before this is acknowledged.
    pub(super) fn until(&self) -> Seq {
        self.until
    }

    /// A segment is sent again because it is believed lost.
    pub(super) fn count_resend(&mut self, now: Instant) {
        self.first_resend.get_or_insert(now);
        if let Some(undo) = &mut self.undo {
            undo.unexplained = Some(undo.unexplained.unwrap_or(0) + 1);
        }
    }

    /// New data that was to go first has gone, or can not: then what was lost goes.
    pub(super) fn has_sent_new(&mut self, nxt: Seq) -> bool {
        self.new_data_first &= nxt.after(self.until);
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
    pub(super) fn recover(&mut self, cx: &mut Context<'_>, news: &News<'_>) {
        self.recovery.new_data_first = false;
        self.learn_order(cx.now, news);
        self.settle_tail_probe(news);
        let lost_before = self.snd.sent.lost();
        let dubious = news.duplicate
            || news.delivered.sacked > 0
            || news.dsack.is_some()
            || self.recovery.phase != Phase::Open;
        if dubious {
            self.take_alarm(cx, news);
        }
        let newly_lost = self.snd.sent.lost() > lost_before;
        if self.recovery.phase == Phase::Recovery {
            self.reduce_window(news, newly_lost);
        } else if news.advanced && news.delivered.acknowledged > 0 {
            let rtt = self.rtt.srtt().unwrap_or_default();
            self.congestion.acknowledged(cx.now, rtt, news.delivered.segments, news.in_flight);
        }
    }

    fn take_alarm(&mut self, cx: &mut Context<'_>, news: &News<'_>) {
        let delayed = self.was_delayed(news.header);
        self.explain_resends(news);
        let over = self.snd.una.at_or_after(self.recovery.until);
        if self.recovery.phase == Phase::Recovery && over {
            self.snd.sent.forget_duplicates();
            if self.recovery.may_undo(delayed) {
                self.undo(false);
            } else {
                self.congestion.repaired();
            }
            // RFC 6582 §4: without SACK a duplicate could be taken for a new loss until something new is acknowledged.
            if self.snd.una == self.recovery.until && !self.agreed.sack && !self.snd.sent.is_empty() {
                return;
            }
            self.end_repair();
        }
        match self.recovery.phase {
            Phase::Recovery => {
                if !news.advanced {
                    self.count_duplicate(news);
                } else if self.recovery.undo.is_some() && delayed {
                    // A partial acknowledgment of the original: the sign of reordering, not of loss.
                    self.recovery.rack.reordering = true;
                    if self.snd.sent.resent() > 0 {
                        return;
                    }
                    self.undo(true);
                    self.try_open();
                }
                self.find_losses(cx, news);
            }
            Phase::Loss => {
                self.process_loss(news, delayed, over);
                self.find_losses(cx, news);
                if self.recovery.phase != Phase::Open {
                    return;
                }
            }
            Phase::Open | Phase::Disorder => {
                if !self.agreed.sack {
                    if news.advanced {
                        self.snd.sent.forget_duplicates();
                    }
                    self.count_duplicate(news);
                }
                if self.recovery.may_undo(false) {
                    self.undo(false);
                }
                self.find_losses(cx, news);
            }
        }
        if self.recovery.phase != Phase::Recovery {
            if self.snd.sent.has_lost() {
                self.enter_recovery(cx);
            } else {
                self.try_open();
            }
        }
    }

    /// A duplicate without SACK: a segment left the network (RFC 5681 §3.2).
    fn count_duplicate(&mut self, news: &News<'_>) {
        if !self.agreed.sack && news.duplicate {
            self.snd.sent.count_duplicate();
        }
    }

    /// Which segments are lost by what is known now.
    fn find_losses(&mut self, cx: &mut Context<'_>, news: &News<'_>) {
        if self.snd.sent.is_empty() {
            return;
        }
        if self.agreed.sack {
            self.find_losses_by_time(cx);
            return;
        }
        let first = self.recovery.phase < Phase::Recovery && self.snd.sent.duplicates() >= THRESHOLD;
        let next = self.recovery.phase == Phase::Recovery && news.advanced;
        if first || next {
            self.snd.sent.mark_first_lost();
        }
    }

    fn enter_recovery(&mut self, cx: &mut Context<'_>) {
        self.recovery.phase = Phase::Recovery;
        self.recovery.until = self.snd.nxt;
        self.begin_undo();
        self.recovery.tail_probe = None;
        self.recovery.prr = Prr::default();
        self.congestion.loss();
        self.set_retransmission_timer(cx);
    }

    /// The retransmission timer fired (RFC 5681 §3.1, RFC 5682 step 1).
    pub(super) fn enter_loss(&mut self, cx: &mut Context<'_>) {
        let fresh = self.recovery.phase < Phase::Recovery;
        let rack = self.recovery.rack;
        let young = if self.agreed.sack { rack.rtt } else { Duration::ZERO };
        let passed = self.snd.una.at_or_after(self.recovery.until);
        if fresh || passed || (self.recovery.phase == Phase::Loss && self.retransmissions.timeouts == 0) {
            self.congestion.loss();
            self.congestion.timeout();
            self.begin_undo();
        }
        self.snd.sent.mark_all_lost(cx.now, young);
        self.congestion.set(self.snd.sent.in_flight() + 1);
        self.recovery.phase = Phase::Loss;
        self.recovery.until = self.snd.nxt;
        self.recovery.tail_probe = None;
        self.recovery.new_data_first = false;
        self.recovery.frto = cx.settings.frto && (fresh || self.retransmissions.timeouts > 0);
        self.timers.cancel(cx, Timer::Reordering);
    }

    /// After a timeout: repair it, or find out that there is nothing to repair (RFC 5682 §2, §3).
    fn process_loss(&mut self, news: &News<'_>, delayed: bool, over: bool) {
        if news.advanced && self.recovery.may_undo(delayed) {
            self.undo_loss(self.agreed.sack);
            return;
        }
        if self.recovery.frto {
            // Step 3.b: something that was never sent again arrived.
            if news.delivered.original {
                self.undo_loss(true);
                return;
            }
            if self.snd.nxt.after(self.recovery.until) {
                if news.delivered.sacked > 0 || news.duplicate {
                    self.recovery.frto = false;
                }
            } else if news.advanced && !over {
                // Step 2.b: new data instead of old.
                self.recovery.until = self.snd.nxt;
                if self.snd.unsent() > 0 && self.snd.usable_window() > 0 {
                    self.recovery.new_data_first = true;
                    return;
                }
                self.recovery.frto = false;
            }
        }
        if over {
            if self.recovery.may_undo(delayed) {
                self.undo(false);
            }
            self.end_repair();
            return;
        }
        if !self.agreed.sack {
            if self.snd.nxt.after(self.recovery.until) && news.duplicate {
                self.snd.sent.count_duplicate();
            } else if news.advanced {
                self.snd.sent.forget_duplicates();
            }
        }
    }

    fn end_repair(&mut self) {
        self.recovery.phase = Phase::Open;
        self.recovery.first_resend = None;
        self.try_open();
    }

    /// Open, or Disorder while something is out of order.
    fn try_open(&mut self) {
        let disorder = self.snd.sent.has_gaps() || self.snd.sent.has_any_resent();
        let phase = if disorder { Phase::Disorder } else { Phase::Open };
        if self.recovery.phase != phase {
            self.recovery.phase = phase;
            self.recovery.until = self.snd.nxt;
        }
        if phase == Phase::Open {
            self.recovery.first_resend = None;
        }
    }

    /// Why a segment that is believed lost is sent again.
    pub(super) fn resend_purpose(&self) -> Purpose {
        match self.recovery.phase {
            Phase::Loss => Purpose::Retransmission,
            Phase::Open | Phase::Disorder | Phase::Recovery => Purpose::FastRetransmission,
        }
    }
}
