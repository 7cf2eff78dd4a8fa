//! What is in flight: every segment sent and not yet acknowledged, and what is known of it.

use std::collections::VecDeque;

use crate::{Flags, Instant, Seq};

/// A segment that takes sequence space, as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// `seg.seq`.
    pub(crate) seq: Seq,
    /// `seg.len`: octets, plus one each for SYN and FIN.
    pub(crate) len: u32,
    /// SYN, FIN and PSH as sent.
    pub(crate) flags: Flags,
    /// When it was sent first.
    pub(crate) first_sent: Instant,
    /// How often it was sent.
    transmissions: u32,
    mark: Mark,
}

/// What is believed of a segment in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// Under way.
    Flying,
    /// The peer has it, but something before it is missing (RFC 2018).
    Sacked,
    /// Lost, and to be sent again.
    Lost,
    /// Believed lost, and sent again.
    Resent,
}

impl Sent {
    pub(crate) fn new(seq: Seq, len: u32, flags: Flags, now: Instant) -> Sent {
        Sent { seq, len, flags, first_sent: now, transmissions: 1, mark: Mark::Flying }
    }

    fn end(&self) -> Seq {
        self.seq + self.len
    }
}

/// What an acknowledgment took off the board.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// Whole segments.
    pub(crate) segments: u32,
    /// When the oldest of those that were sent only once was sent (Karn's algorithm, RFC 6298 §3).
    pub(crate) sent_once: Option<Instant>,
}

/// The segments in flight, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scoreboard {
    segments: VecDeque<Sent>,
    sacked: u32,
    lost: u32,
    /// Duplicate acknowledgments, each the sign of a segment that left the network (RFC 5681 §3.2). Without SACK only.
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

    /// Segments believed to be in the network.
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
    pub(crate) fn acknowledge(&mut self, una: Seq) -> Acknowledged {
        let mut acknowledged = Acknowledged::default();
        while let Some(first) = self.segments.front_mut() {
            if first.end().after(una) {
                // A part of it: what is left keeps its history.
                if first.seq.before(una) {
                    first.len -= first.seq.until(una);
                    first.flags = first.flags.without(Flags::SYN);
                    first.seq = una;
                }
                break;
            }
            let sent = self.segments.pop_front().expect("just seen");
            self.forget(sent.mark);
            acknowledged.segments += 1;
            if sent.transmissions == 1 && sent.mark != Mark::Sacked {
                acknowledged.sent_once.get_or_insert(sent.first_sent);
            }
        }
        self.duplicate_acks = self.duplicate_acks.saturating_sub(acknowledged.segments);
        acknowledged
    }

    /// The peer reported `left..right` as received; returns whether that is news (RFC 2018 §5).
    pub(crate) fn sack(&mut self, left: Seq, right: Seq) -> bool {
        let mut news = false;
        let start = self.segments.partition_point(|sent| sent.seq.before(left));
        for index in start..self.segments.len() {
            let sent = &mut self.segments[index];
            if sent.end().after(right) {
                break;
            }
            if sent.mark != Mark::Sacked {
                let old = std::mem::replace(&mut sent.mark, Mark::Sacked);
                self.forget(old);
                self.sacked += 1;
                news = true;
            }
        }
        news
    }

    fn forget(&mut self, mark: Mark) {
        match mark {
            Mark::Flying | Mark::Resent => {}
            Mark::Sacked => self.sacked -= 1,
            Mark::Lost => self.lost -= 1,
        }
    }

    /// Counts a duplicate acknowledgment and returns how many there are (no SACK).
    pub(crate) fn count_duplicate(&mut self) -> u32 {
        self.duplicate_acks = (self.duplicate_acks + 1).min(self.len().saturating_sub(1));
        self.duplicate_acks
    }

    /// New data was acknowledged outside of a recovery: earlier duplicates mean nothing any more.
    pub(crate) fn forget_duplicates(&mut self) {
        self.duplicate_acks = 0;
    }

    /// Marks every segment as lost that has at least `threshold` reported ones behind it; returns whether any is
    /// marked now (RFC 6675 §4, `IsLost`).
    pub(crate) fn mark_lost_by_sack(&mut self, threshold: u32) -> bool {
        if self.sacked < threshold {
            return false;
        }
        let mut behind = 0;
        for index in (0..self.segments.len()).rev() {
            match self.segments[index].mark {
                Mark::Sacked => behind += 1,
                Mark::Flying if behind >= threshold => self.mark_lost(index),
                Mark::Flying | Mark::Lost | Mark::Resent => {}
            }
        }
        self.lost > 0
    }

    /// Marks the oldest segment as lost.
    pub(crate) fn mark_first_lost(&mut self) {
        if self.segments.front().is_some_and(|first| first.mark == Mark::Flying) {
            self.mark_lost(0);
        }
    }

    /// The retransmission timer fired: whatever the peer did not report is lost.
    pub(crate) fn mark_all_lost(&mut self) {
        self.duplicate_acks = 0;
        for index in 0..self.segments.len() {
            if matches!(self.segments[index].mark, Mark::Flying | Mark::Resent) {
                self.mark_lost(index);
            }
        }
    }

    fn mark_lost(&mut self, index: usize) {
        self.segments[index].mark = Mark::Lost;
        self.lost += 1;
    }

    /// The oldest lost segment, counted as sent again.
    pub(crate) fn resend_lost(&mut self) -> Option<Sent> {
        if self.lost == 0 {
            return None;
        }
        let sent = self.segments.iter_mut().find(|sent| sent.mark == Mark::Lost)?;
        sent.mark = Mark::Resent;
        sent.transmissions += 1;
        self.lost -= 1;
        Some(sent.clone())
    }

    /// Whether a lost segment waits to be sent again.
    pub(crate) fn has_lost(&self) -> bool {
        self.lost > 0
    }

    /// The newest segment, counted as sent again (for a tail loss probe).
    pub(crate) fn resend_last(&mut self) -> Option<Sent> {
        let last = self.segments.back_mut()?;
        last.transmissions += 1;
        Some(last.clone())
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
        std::iter::from_fn(|| board.resend_lost()).map(|sent| sent.seq.0 / MSS).collect()
    }

    #[test]
    fn three_reported_behind_it_make_a_segment_lost() {
        let mut board = board(10);
        assert!(board.sack(Seq(300), Seq(500)));
        assert!(!board.sack(Seq(300), Seq(500)), "the same again is no news");
        assert!(!board.mark_lost_by_sack(3), "two are not enough");
        assert!(board.sack(Seq(600), Seq(700)));
        assert!(board.mark_lost_by_sack(3));
        assert_eq!(board.in_flight(), 10 - 3 - 3);
        assert_eq!(lost(&mut board), [0, 1, 2], "5 has one behind it");
        assert_eq!(board.in_flight(), 7);
        assert!(!board.mark_lost_by_sack(3), "what was sent again is not lost again");
    }

    #[test]
    fn a_timeout_loses_all_that_is_not_reported() {
        let mut board = board(4);
        board.sack(Seq(100), Seq(200));
        board.mark_all_lost();
        assert_eq!((board.in_flight(), board.len()), (0, 4));
        assert_eq!(lost(&mut board), [0, 2, 3]);
        board.mark_all_lost();
        assert_eq!(lost(&mut board), [0, 2, 3], "again after another timeout");
    }

    #[test]
    fn karn_takes_no_time_from_what_was_sent_twice() {
        let mut board = board(3);
        board.mark_first_lost();
        assert_eq!(lost(&mut board), [0]);
        assert_eq!(board.acknowledge(Seq(100)), Acknowledged { segments: 1, sent_once: None });
        let both = board.acknowledge(Seq(300));
        assert_eq!(both, Acknowledged { segments: 2, sent_once: Some(Instant::from_nanos(1)) });
        assert!(board.is_empty());
    }

    #[test]
    fn a_part_of_a_segment_can_be_acknowledged() {
        let mut board = board(2);
        assert_eq!(board.acknowledge(Seq(40)).segments, 0);
        let first = board.first().unwrap();
        assert_eq!((first.seq, first.len), (Seq(40), 60));
        assert_eq!(board.acknowledge(Seq(100)).segments, 1);
    }

    #[test]
    fn duplicate_acknowledgments_leave_the_network() {
        let mut board = board(5);
        assert_eq!((1..=3).map(|_| board.count_duplicate()).last(), Some(3));
        assert_eq!(board.in_flight(), 2);
        board.acknowledge(Seq(200));
        assert_eq!((board.in_flight(), board.len()), (2, 3));
        board.forget_duplicates();
        assert_eq!(board.in_flight(), 3);
    }
}
