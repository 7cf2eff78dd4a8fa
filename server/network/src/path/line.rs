//! Lines of limited bandwidth, and the queues before them.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use halfopen_scenario::Queue;
use halfopen_tcp::Instant;

/// Nanoseconds of a second.
const NANOS: u128 = 1_000_000_000;

/// A line that transmits one datagram after the other, behind a queue that drops datagrams when it is full.
///
/// Times are exact, so that rounding errors do not add up. Their unit is a nanosecond divided by the bandwidth in bits per
/// second: a bit takes a billion units.
#[derive(Debug)]
pub(crate) struct Line {
    bandwidth: u128,
    queue: Queue,
    /// When the last datagram has been transmitted.
    free: u128,
    /// The datagrams that wait: when the transmission of each begins, and its size in octets.
    waiting: VecDeque<(u128, u64)>,
    /// Octets that wait.
    octets: u64,
}

impl Line {
    /// A line of this bandwidth, in bits per second.
    pub(crate) fn new(bandwidth: NonZeroU64, queue: Queue) -> Line {
        Line { bandwidth: bandwidth.get().into(), queue, free: 0, waiting: VecDeque::new(), octets: 0 }
    }

    /// Takes a datagram. Returns when its last bit has been transmitted; `None` if the queue is full.
    pub(crate) fn send(&mut self, now: Instant, octets: usize) -> Option<Instant> {
        let now = u128::from(now.as_nanos()) * self.bandwidth;
        while let Some((_, octets)) = self.waiting.front().filter(|(begins, _)| *begins <= now) {
            self.octets -= octets;
            self.waiting.pop_front();
        }
        let begins = self.free.max(now);
        if begins > now {
            let octets = octets as u64;
            if !self.has_room(octets) {
                return None;
            }
            self.waiting.push_back((begins, octets));
            self.octets += octets;
        }
        self.free = begins + 8 * NANOS * octets as u128;
        let nanos = self.free.div_ceil(self.bandwidth);
        Some(Instant::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Whether one more datagram may wait.
    fn has_room(&self, octets: u64) -> bool {
        match self.queue {
            Queue::Segments(most) => (self.waiting.len() as u64) < most,
            Queue::Octets(most) => self.octets + octets <= most,
        }
    }

    /// Drops everything that is not yet transmitted.
    pub(crate) fn clear(&mut self) {
        self.free = 0;
        self.waiting.clear();
        self.octets = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn line(bandwidth: u64, queue: Queue) -> Line {
        Line::new(NonZeroU64::new(bandwidth).unwrap(), queue)
    }

    fn micros(micros: u64) -> Instant {
        Instant::ZERO + Duration::from_micros(micros)
    }

    #[test]
    fn a_datagram_takes_its_octets_times_eight_by_the_bandwidth() {
        let mut line = line(10_000_000, Queue::default());
        assert_eq!(line.send(micros(0), 1500), Some(micros(1200)));
        assert_eq!(line.send(micros(0), 40), Some(micros(1232)), "after the first");
        assert_eq!(line.send(micros(1232), 40), Some(micros(1264)), "the line is free at this instant");
        assert_eq!(line.send(micros(5000), 1500), Some(micros(6200)), "at once");
    }

    /// A third of a nanosecond is lost to no datagram: a million of them take as long as one of their size.
    #[test]
    fn no_rounding_adds_up() {
        let mut small = line(3_000_000_000, Queue::Octets(u32::MAX.into()));
        let last = (0..1_000_000).map(|_| small.send(Instant::ZERO, 41).unwrap()).last();
        assert_eq!(last, line(3_000_000_000, Queue::default()).send(Instant::ZERO, 41_000_000));
    }

    #[test]
    fn a_queue_of_segments_is_full_to_the_instant() {
        let mut line = line(8_000_000, Queue::Segments(2));
        // A microsecond an octet. The first is transmitted, two wait.
        let sent: Vec<_> = (0..4).map(|_| line.send(micros(0), 100).is_some()).collect();
        assert_eq!(sent, [true, true, true, false]);
        assert_eq!(line.send(micros(99), 100), None);
        assert_eq!(line.send(micros(100), 100), Some(micros(400)), "the second is being transmitted now");
        assert_eq!(line.send(micros(100), 100), None);
    }

    #[test]
    fn a_queue_of_octets_takes_what_fits() {
        let mut line = line(8_000_000, Queue::Octets(250));
        assert_eq!(line.send(micros(0), 1000), Some(micros(1000)), "it need not wait");
        assert_eq!(line.send(micros(0), 251), None);
        assert_eq!(line.send(micros(0), 200), Some(micros(1200)));
        assert_eq!(line.send(micros(0), 51), None);
        assert_eq!(line.send(micros(0), 50), Some(micros(1250)), "smaller ones still fit");
        assert_eq!(line.send(micros(999), 1), None);
        assert_eq!(line.send(micros(1000), 200), Some(micros(1450)));
    }

    #[test]
    fn the_slowest_line_with_the_longest_queue_at_the_latest_time_does_not_overflow() {
        let mut line = line(1000, Queue::Octets(u32::MAX.into()));
        let now = Instant::ZERO + Duration::from_secs(100 * 365 * 24 * 60 * 60);
        let mut last = now;
        while let Some(sent) = line.send(now, 65535) {
            last = sent;
        }
        assert!(last > now && last < Instant::FAR_FUTURE);
    }
}
