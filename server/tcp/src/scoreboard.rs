//! What is in flight: every segment sent and not yet acknowledged, and what is known of it.

mod delivered;
mod sent;

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Flags, Instant, Seq};

pub(crate) use delivered::Delivered;
use sent::{Mark, cut};
pub(crate) use sent::{Sent, Transmission};

/// The segments in flight, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scoreboard {
    segments: VecDeque<Sent>,
    sacked: u32,
    lost: u32,
    resent: u32,
    /// The end of the highest segment reported (`RACK.fack` of RFC 8985 §5.3).
    highest_sacked: Option<Seq>,
    /// Duplicate acknowledgments, each a sign that a segment has left the network (RFC 5681 §3.2). Only without SACK.
    duplicate_acks: u32,
}

impl Scoreboard {
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Segments sent and not acknowledged.
    pub(crate) fn len(&self) -> u32 {
        self.segments.len() as u32
    }

    /// The oldest segment.
    pub(crate) fn first(&self) -> Option<&Sent> {
        self.segments.front()
    }

    /// Segments believed to be in the network (`pipe` of RFC 6675 §2).
    pub(crate) fn in_flight(&self) -> u32 {
        self.len().saturating_sub(self.sacked + self.lost + self.duplicate_acks)
    }

    pub(crate) fn push(&mut self, sent: Sent) {
        self.segments.push_back(sent);
    }

    pub(crate) fn clear(&mut self) {
        *self = Scoreboard::default();
    }

    /// Everything before `una` is acknowledged.
    pub(crate) fn acknowledge(&mut self, una: Seq, delivered: &mut Delivered) {
        while let Some(first) = self.segments.front_mut() {
            if first.end().after(una) {
                // A part of it is acknowledged; the rest keeps its history.
                if first.seq.before(una) {
                    first.len -= first.seq.until(una);
                    first.flags = first.flags.without(Flags::SYN);
                    first.seq = una;
                }
                break;
            }
            let sent = self.segments.pop_front().expect("just seen");
            self.unmark(sent.mark);
            delivered.acknowledged += 1;
            if sent.mark != Mark::Sacked {
                delivered.note(&sent);
                if sent.transmissions == 1 {
                    delivered.sent_once.get_or_insert(sent.first_sent);
                    delivered.original |= sent.end().at_or_before(delivered.recovery_point);
                    delivered.reordered |= self.highest_sacked.is_some_and(|high| sent.end().before(high));
                }
            }
        }
        if self.segments.is_empty() {
            self.highest_sacked = None;
        }
        self.duplicate_acks = self.duplicate_acks.saturating_sub(delivered.acknowledged);
    }

    /// The peer reported `left..right` as received (RFC 2018 §5).
    pub(crate) fn sack(&mut self, left: Seq, right: Seq, delivered: &mut Delivered) {
        let start = self.segments.partition_point(|sent| sent.seq.before(left));
        for index in start..self.segments.len() {
            let sent = &mut self.segments[index];
            if sent.end().after(right) {
                break;
            }
            if sent.mark == Mark::Sacked {
                continue;
            }
            let old = std::mem::replace(&mut sent.mark, Mark::Sacked);
            delivered.note(sent);
            delivered.sacked += 1;
            let (end, once) = (sent.end(), sent.transmissions == 1);
            if once {
                delivered.sacked_sent_once.get_or_insert(sent.first_sent);
            }
            delivered.original |= once && end.at_or_before(delivered.recovery_point);
            delivered.reordered |= once && self.highest_sacked.is_some_and(|high| end.before(high));
            self.highest_sacked = Some(self.highest_sacked.map_or(end, |high| high.max(end)));
            self.unmark(old);
            self.sacked += 1;
        }
    }

    /// Segments reported by SACK and not acknowledged.
    pub(crate) fn sacked(&self) -> u32 {
        self.sacked
    }

    fn unmark(&mut self, mark: Mark) {
        match mark {
            Mark::InFlight => {}
            Mark::Resent => self.resent -= 1,
            Mark::Sacked => self.sacked -= 1,
            Mark::Lost => self.lost -= 1,
        }
    }

    /// Segments believed lost and not sent again yet.
    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    /// Duplicate acknowledgments counted.
    pub(crate) fn duplicates(&self) -> u32 {
        self.duplicate_acks
    }

    /// Segments sent again that are still under way.
    pub(crate) fn resent(&self) -> u32 {
        self.resent
    }

    /// Whether any segment is known to have left the network, or is believed lost.
    pub(crate) fn has_gaps(&self) -> bool {
        self.sacked + self.lost + self.duplicate_acks > 0
    }

    /// Whether anything in flight was sent more than once.
    pub(crate) fn has_any_resent(&self) -> bool {
        self.segments.iter().any(|sent| sent.transmissions > 1)
    }

    /// Counts a duplicate acknowledgment and returns how many there are (no SACK).
    pub(crate) fn count_duplicate(&mut self) -> u32 {
        self.duplicate_acks = (self.duplicate_acks + 1).min(self.len().saturating_sub(1));
        self.duplicate_acks
    }

    /// New data was acknowledged outside of recovery, so that earlier duplicates no longer matter.
    pub(crate) fn forget_duplicates(&mut self) {
        self.duplicate_acks = 0;
    }

    /// RACK's loss detection (RFC 8985 §6.2, step 5): segments sent before `segment`, the delivered one that was sent
    /// last, are lost `timeout` after they were sent. Returns how long the last of the others still has.
    pub(crate) fn detect_loss(
        &mut self,
        now: Instant,
        segment: Transmission,
        timeout: Duration,
    ) -> Option<Duration> {
        let mut longest = None;
        for index in 0..self.segments.len() {
            let sent = &self.segments[index];
            if matches!(sent.mark, Mark::Sacked | Mark::Lost) || !segment.sent_after(sent.transmission()) {
                continue;
            }
            let until = sent.last_sent + timeout;
            if until <= now {
                self.mark_lost(index);
            } else {
                longest = longest.max(Some(until - now));
            }
        }
        longest
    }

    /// Marks the oldest segment as lost.
    pub(crate) fn mark_first_lost(&mut self) {
        if self.segments.front().is_some_and(|first| first.mark == Mark::InFlight) {
            self.mark_lost(0);
        }
    }

    /// The retransmission timer fired: whatever the peer has not reported is lost, but for later segments that were
    /// sent less than `min_age` ago.
    pub(crate) fn mark_all_lost(&mut self, now: Instant, min_age: Duration) {
        self.duplicate_acks = 0;
        for index in 0..self.segments.len() {
            let sent = &self.segments[index];
            let spared = index > 0 && now - sent.last_sent < min_age;
            if matches!(sent.mark, Mark::InFlight | Mark::Resent) && !spared {
                self.mark_lost(index);
            }
        }
    }

    /// The path MTU limits the payload to `max_len` octets: packets with longer segments are lost, and are sent again
    /// in segments of that length (Linux `tcp_simple_retransmit`).
    pub(crate) fn cut_longer_than(&mut self, max_len: u32) {
        let mut first = 0;
        while first < self.segments.len() {
            let end = self.packet_end(first);
            let longer = |sent: &Sent| sent.octets() > max_len && sent.mark != Mark::Sacked;
            if !self.segments.range(first..end).any(longer) {
                first = end;
                continue;
            }
            let packet: Vec<Sent> = self.segments.drain(first..end).collect();
            packet.iter().for_each(|sent| self.unmark(sent.mark));
            for segment in cut(&packet, max_len) {
                self.segments.insert(first, segment);
                self.lost += 1;
                first += 1;
            }
        }
    }

    /// Where the packet that begins at `first` ends. A segment that the peer has belongs to no packet.
    fn packet_end(&self, first: usize) -> usize {
        let mut last = first;
        while self.segments[last].joined
            && let Some(next) = self.segments.get(last + 1)
            && self.segments[last].mark != Mark::Sacked
            && next.mark != Mark::Sacked
        {
            last += 1;
        }
        last + 1
    }

    /// Nothing was lost.
    pub(crate) fn unmark_lost(&mut self) {
        for sent in &mut self.segments {
            if matches!(sent.mark, Mark::Lost | Mark::Resent) {
                sent.mark = Mark::InFlight;
            }
        }
        (self.lost, self.resent) = (0, 0);
    }

    fn mark_lost(&mut self, index: usize) {
        let old = std::mem::replace(&mut self.segments[index].mark, Mark::Lost);
        self.unmark(old);
        self.lost += 1;
    }

    fn first_lost(&self) -> Option<usize> {
        if self.lost == 0 {
            return None;
        }
        self.segments.iter().position(|sent| sent.mark == Mark::Lost)
    }

    /// How many lost segments leave as one packet: those that did before, but at most `max`. The rest stays separate
    /// (Linux `__tcp_retransmit_skb`).
    pub(crate) fn plan_resend(&mut self, max: u32) -> u32 {
        let Some(first) = self.first_lost() else { return 0 };
        let mut last = first;
        while self.segments[last].joined {
            let goes_on = self.segments.get(last + 1).is_some_and(|next| next.mark == Mark::Lost);
            if !goes_on || (last - first + 1) as u32 >= max {
                self.segments[last].joined = false;
                break;
            }
            last += 1;
        }
        (last - first + 1) as u32
    }

    /// Merges the oldest lost segment with those behind it, as long as they have at most `max_len` octets, end before
    /// `edge` and are not the peer's already (Linux `tcp_retrans_try_collapse`).
    pub(crate) fn collapse_lost(&mut self, max_len: u32, edge: Seq) {
        let Some(first) = self.first_lost() else { return };
        while let Some(next) = self.segments.get(first + 1) {
            let whole = self.segments[first].octets() + next.octets();
            let separate = self.segments[first].joined || next.joined || next.mark == Mark::Sacked;
            if separate
                || self.segments[first].flags.contains(Flags::SYN)
                || whole > max_len
                || next.end().after(edge)
            {
                return;
            }
            let next = self.segments.remove(first + 1).expect("just seen");
            self.unmark(next.mark);
            let merged = &mut self.segments[first];
            merged.len += next.len;
            merged.flags |= next.flags;
            merged.transmissions = merged.transmissions.max(next.transmissions);
        }
    }

    /// The oldest lost segment, counted as sent again.
    pub(crate) fn resend_lost(&mut self, now: Instant) -> Option<Sent> {
        let index = self.first_lost()?;
        let sent = &mut self.segments[index];
        sent.mark = Mark::Resent;
        self.lost -= 1;
        self.resent += 1;
        Some(sent.send_again(now))
    }

    /// Whether a lost segment waits to be sent again.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// The last segment, counted as sent again (for a tail loss probe).
    pub(crate) fn resend_last(&mut self, now: Instant) -> Option<Sent> {
        if let Some(before) = self.segments.len().checked_sub(2) {
            self.segments[before].joined = false;
        }
        self.segments.back_mut().map(|last| last.send_again(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 100;

    fn board(segments: u32) -> Scoreboard {
        let mut board = Scoreboard::default();
        for index in 0..segments {
            let now = Instant::from_nanos(u64::from(index));
            board.push(Sent::new(Seq(index * MSS), MSS, Flags::NONE, now));
        }
        board
    }

    fn lost(board: &mut Scoreboard) -> Vec<u32> {
        let now = Instant::from_nanos(1_000);
        std::iter::from_fn(|| board.resend_lost(now)).map(|sent| sent.seq.0 / MSS).collect()
    }

    fn acknowledge(board: &mut Scoreboard, una: u32) -> Delivered {
        let mut delivered = Delivered::default();
        board.acknowledge(Seq(una), &mut delivered);
        delivered
    }

    fn sack(board: &mut Scoreboard, left: u32, right: u32) -> Delivered {
        let mut delivered = Delivered::default();
        board.sack(Seq(left), Seq(right), &mut delivered);
        delivered
    }

    #[test]
    fn what_was_sent_before_the_newest_delivered_and_long_enough_ago_is_lost() {
        let mut board = board(10);
        let delivered = sack(&mut board, 500, 600);
        let last_sent = delivered.last_sent.unwrap();
        assert_eq!(last_sent, (Transmission { xmit_ts: Instant::from_nanos(5), end_seq: Seq(600) }, false));
        assert_eq!(sack(&mut board, 500, 600), Delivered::default(), "the same again is no news");
        let at = |nanos| Instant::from_nanos(nanos);
        let timeout = Duration::from_nanos(10);
        assert_eq!(
            board.detect_loss(at(12), last_sent.0, timeout),
            Some(Duration::from_nanos(2)),
            "4 has two nanoseconds left"
        );
        assert_eq!(board.in_flight(), 10 - 1 - 3);
        assert_eq!(lost(&mut board), [0, 1, 2]);
        assert_eq!(board.in_flight(), 9);
        board.detect_loss(at(2_000), last_sent.0, timeout);
        assert_eq!(lost(&mut board), [3, 4], "what was sent again is newer");
    }

    #[test]
    fn a_timeout_loses_all_that_is_not_reported() {
        let mut board = board(4);
        sack(&mut board, 100, 200);
        let now = Instant::from_nanos(100);
        board.mark_all_lost(now, Duration::ZERO);
        assert_eq!((board.in_flight(), board.len()), (0, 4));
        assert_eq!(lost(&mut board), [0, 2, 3]);
        board.mark_all_lost(now, Duration::ZERO);
        assert_eq!(lost(&mut board), [0, 2, 3], "again after another timeout");
        board.mark_all_lost(Instant::from_nanos(1_001), Duration::from_nanos(5));
        assert_eq!(lost(&mut board), [0], "only the first is old enough");
        board.unmark_lost();
        assert_eq!(board.in_flight(), 3);
    }

    #[test]
    fn karn_takes_no_time_from_what_was_sent_twice() {
        let mut board = board(3);
        board.mark_first_lost();
        assert_eq!(lost(&mut board), [0]);
        let first = acknowledge(&mut board, 100);
        assert_eq!((first.acknowledged, first.sent_once, first.resent), (1, None, true));
        let both = acknowledge(&mut board, 300);
        assert_eq!((both.acknowledged, both.sent_once), (2, Some(Instant::from_nanos(1))));
        assert!(board.is_empty());
    }

    #[test]
    fn a_part_of_a_segment_can_be_acknowledged() {
        let mut board = board(2);
        assert_eq!(acknowledge(&mut board, 40).acknowledged, 0);
        let first = board.first().unwrap();
        assert_eq!((first.seq, first.len), (Seq(40), 60));
        assert_eq!(acknowledge(&mut board, 100).acknowledged, 1);
    }

    #[test]
    fn duplicate_acknowledgments_leave_the_network() {
        let mut board = board(5);
        assert_eq!((1..=3).map(|_| board.count_duplicate()).last(), Some(3));
        assert_eq!(board.in_flight(), 2);
        acknowledge(&mut board, 200);
        assert_eq!((board.in_flight(), board.len()), (2, 3));
        board.forget_duplicates();
        assert_eq!(board.in_flight(), 3);
    }

    #[test]
    fn what_arrives_late_but_was_sent_once_is_reordering() {
        let mut board = board(5);
        assert!(!sack(&mut board, 200, 300).reordered);
        assert!(sack(&mut board, 100, 200).reordered);
        assert!(acknowledge(&mut board, 100).reordered);
    }
}
