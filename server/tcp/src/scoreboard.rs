//! What is in flight: every segment sent and not yet acknowledged, and what is known of it.

mod delivered;
mod sent;

use std::collections::VecDeque;
use std::time::Duration;

use crate::memory::{SEGMENT, give_back};
use crate::{Flags, Instant, Seq};

pub(crate) use delivered::{Before, Delivered};
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
    /// How many segments have been sent, each time counted.
    transmissions: u64,
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

    /// The memory that it takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.segments.len() as u64 * SEGMENT
    }

    /// The oldest segment.
    pub(crate) fn first(&self) -> Option<&Sent> {
        self.segments.front()
    }

    /// Segments believed to be in the network (`pipe` of RFC 6675 §2).
    pub(crate) fn in_flight(&self) -> u32 {
        self.len().saturating_sub(self.sacked + self.lost + self.duplicate_acks)
    }

    pub(crate) fn push(&mut self, mut sent: Sent) {
        self.transmissions += 1;
        sent.order = self.transmissions;
        self.segments.push_back(sent);
    }

    /// The last segment.
    pub(crate) fn last(&self) -> Option<&Sent> {
        self.segments.back()
    }

    /// The end of the highest segment reported (`RACK.fack` of RFC 8985 §5.3).
    pub(crate) fn highest_sacked(&self) -> Option<Seq> {
        self.highest_sacked
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
            delivered.acknowledged_resent |= sent.transmissions > 1;
            if sent.mark != Mark::Sacked {
                delivered.note_acknowledged(&sent);
            }
        }
        give_back(&mut self.segments);
        if self.segments.is_empty() {
            self.highest_sacked = None;
        }
        // One of them was missing; duplicates have already counted the others (Linux `tcp_remove_reno_sacks`).
        let known = self.duplicate_acks.min(delivered.acknowledged.saturating_sub(1));
        self.duplicate_acks -= known;
        delivered.segments -= known;
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
            delivered.note_sacked(sent);
            let end = sent.end();
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

    /// Counts a duplicate acknowledgment (no SACK). There cannot be more than segments that are not believed lost, of which
    /// one must be missing: returns whether there are (Linux `tcp_limit_reno_sacked`).
    pub(crate) fn count_duplicate(&mut self) -> bool {
        let most = self.len().saturating_sub((self.lost + self.resent).max(1));
        self.duplicate_acks += 1;
        let too_many = self.duplicate_acks > most;
        self.duplicate_acks = self.duplicate_acks.min(most);
        too_many
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

    /// How many lost segments leave as one packet: those that did before, but at most `max` and those that end before `edge`.
    /// The rest stays separate (Linux `__tcp_retransmit_skb`).
    pub(crate) fn plan_resend(&mut self, max: u32, edge: Seq) -> u32 {
        let Some(first) = self.first_lost() else { return 0 };
        let mut last = first;
        while self.segments[last].joined {
            let goes_on = self
                .segments
                .get(last + 1)
                .is_some_and(|next| next.mark == Mark::Lost && next.end().at_or_before(edge));
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
            let before = &self.segments[first];
            let separate = before.joined || next.joined || before.ends_record || next.mark == Mark::Sacked;
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
            merged.ends_record = next.ends_record;
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
        self.transmissions += 1;
        Some(sent.send_again(now, self.transmissions))
    }

    /// Whether a lost segment waits to be sent again.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// The last segment, counted as sent again (for a tail loss probe); of its octets at most `room`.
    pub(crate) fn resend_last(&mut self, now: Instant, room: u32) -> Option<Sent> {
        let last = self.segments.len().checked_sub(1)?;
        if let Some(before) = last.checked_sub(1) {
            self.segments[before].joined = false;
        }
        self.split(last, room);
        self.transmissions += 1;
        Some(self.segments[last].send_again(now, self.transmissions))
    }

    /// Shortens the oldest lost segment to what the path takes, and to what the window takes up to `edge`, and returns whether it
    /// takes anything (RFC 9293 §3.8.6, SHLD-16). If the window is closed, the first segment is sent nevertheless, as a probe (Linux
    /// `__tcp_retransmit_skb`).
    pub(crate) fn fit_lost(&mut self, edge: Seq, max_len: u32) -> bool {
        let Some(first) = self.first_lost() else { return false };
        let seq = self.segments[first].seq;
        let fits = seq.before(edge);
        self.split(first, if fits { seq.until(edge).min(max_len) } else { max_len });
        first == 0 || fits
    }

    /// Cuts a segment in two if it has more than `room` octets.
    fn split(&mut self, index: usize, room: u32) {
        let sent = &mut self.segments[index];
        if sent.octets() <= room {
            return;
        }
        let mut rest = sent.clone();
        rest.seq += room;
        rest.len -= room;
        (sent.len, sent.joined) = (room, false);
        sent.flags = sent.flags.without(Flags::FIN | Flags::PSH);
        match rest.mark {
            Mark::InFlight => {}
            Mark::Resent => self.resent += 1,
            Mark::Sacked => self.sacked += 1,
            Mark::Lost => self.lost += 1,
        }
        self.segments.insert(index + 1, rest);
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

    fn before(board: &Scoreboard) -> Delivered {
        Delivered::new(Before { highest_sacked: board.highest_sacked(), ..Before::default() })
    }

    fn acknowledge(board: &mut Scoreboard, una: u32) -> Delivered {
        let mut delivered = before(board);
        board.acknowledge(Seq(una), &mut delivered);
        delivered
    }

    fn sack(board: &mut Scoreboard, left: u32, right: u32) -> Delivered {
        let mut delivered = before(board);
        board.sack(Seq(left), Seq(right), &mut delivered);
        delivered
    }

    #[test]
    fn what_was_sent_before_the_newest_delivered_and_long_enough_ago_is_lost() {
        let mut board = board(10);
        let delivered = sack(&mut board, 500, 600);
        let last_sent = delivered.last_sent.unwrap();
        assert_eq!(last_sent, Transmission(6));
        assert_eq!(sack(&mut board, 500, 600), before(&board), "the same again is no news");
        let at = |nanos| Instant::from_nanos(nanos);
        let timeout = Duration::from_nanos(10);
        assert_eq!(
            board.detect_loss(at(12), last_sent, timeout),
            Some(Duration::from_nanos(2)),
            "4 has two nanoseconds left"
        );
        assert_eq!(board.in_flight(), 10 - 1 - 3);
        assert_eq!(lost(&mut board), [0, 1, 2]);
        assert_eq!(board.in_flight(), 9);
        board.detect_loss(at(2_000), last_sent, timeout);
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
        assert_eq!([(); 3].map(|()| board.count_duplicate()), [false; 3]);
        assert_eq!(board.in_flight(), 2);
        let delivered = acknowledge(&mut board, 200);
        assert_eq!(delivered.segments, 1, "the missing one; of the other a duplicate has told");
        assert_eq!((board.in_flight(), board.len(), board.duplicates()), (1, 3, 2));
        assert!(board.count_duplicate(), "one must be missing");
        board.forget_duplicates();
        assert_eq!(board.in_flight(), 3);
    }

    #[test]
    fn what_arrives_late_but_was_sent_once_is_reordering() {
        let mut board = board(5);
        assert_eq!(sack(&mut board, 200, 300).reordered, None);
        assert_eq!(sack(&mut board, 100, 200).reordered, Some(Seq(100)));
        assert_eq!(acknowledge(&mut board, 100).reordered, Some(Seq(0)));
    }

    #[test]
    fn one_acknowledgment_that_advances_and_reports_is_no_reordering() {
        let mut board = board(5);
        let mut delivered = before(&board);
        board.sack(Seq(200), Seq(300), &mut delivered);
        board.acknowledge(Seq(100), &mut delivered);
        assert_eq!(delivered.reordered, None);
        assert_eq!((delivered.acknowledged, delivered.sacked), (1, 1));
    }

    /// Linux `tcp_rack_advance`: of a new segment that is reported and an older one that is acknowledged with it, the first is
    /// the last sent, and the second gives the round trip.
    #[test]
    fn the_round_trip_is_that_of_the_segment_taken_last() {
        let mut board = board(5);
        let now = Instant::from_nanos(100);
        let mut delivered = Delivered::new(Before { now, ..Before::default() });
        board.sack(Seq(400), Seq(500), &mut delivered);
        board.acknowledge(Seq(200), &mut delivered);
        assert_eq!(delivered.last_sent, Some(Transmission(5)));
        assert_eq!(delivered.rtt, Some(now - Instant::from_nanos(1)));
    }

    /// In one instant a lost segment is sent again, and then a new one: what is reported of the second says that the first,
    /// which was sent before it, is late; the other way round it says nothing.
    #[test]
    fn within_an_instant_the_order_of_transmission_counts() {
        let at = Instant::from_nanos(100);
        for (again_first, lost_again) in [(true, vec![0]), (false, vec![])] {
            let mut board = board(4);
            board.mark_first_lost();
            if again_first {
                board.resend_lost(at);
            }
            board.push(Sent::new(Seq(400), MSS, Flags::NONE, at));
            if !again_first {
                board.resend_lost(at);
            }
            let last_sent = sack(&mut board, 400, 500).last_sent.unwrap();
            board.detect_loss(at, last_sent, Duration::ZERO);
            let lost: Vec<u32> = lost(&mut board).into_iter().filter(|segment| *segment == 0).collect();
            assert_eq!(lost, lost_again);
        }
    }

    #[test]
    fn a_lost_segment_is_cut_to_what_the_window_takes() {
        let mut board = board(3);
        board.mark_all_lost(Instant::from_nanos(100), Duration::ZERO);
        assert!(board.fit_lost(Seq(40), MSS));
        assert_eq!((board.len(), board.lost(), board.first().unwrap().len), (4, 4, 40));
        board.resend_lost(Instant::from_nanos(100));
        assert!(!board.fit_lost(Seq(40), MSS), "the rest waits");
        assert!(board.fit_lost(Seq(100), MSS));
        board.resend_lost(Instant::from_nanos(100));
        assert_eq!((board.lost(), board.resent()), (2, 2));
        let mut closed = self::board(2);
        closed.mark_first_lost();
        assert!(closed.fit_lost(Seq(0), MSS), "the first is a probe of a closed window");
        assert_eq!((closed.len(), closed.first().unwrap().len), (2, MSS));
    }
}
