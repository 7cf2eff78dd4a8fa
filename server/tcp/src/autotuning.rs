//! Receive buffer autotuning: the buffer grows with what the application reads in a round trip, so that it never limits
//! a sender for long (Linux `tcp_rcv_space_adjust`).

use std::time::Duration;

use crate::Instant;

/// What is measured, and how far the buffer may grow.
#[derive(Clone, Debug)]
pub(crate) struct Autotuning {
    /// The most memory that the buffer may have, octets (`tcp_rmem[2]`).
    pub(crate) max: u32,
    round_trip: RoundTrip,
    /// The most that was read in a round trip, octets (`rcvq_space.space`).
    space: u32,
    /// When the present measurement began, and what had been read by then.
    since: Instant,
    read_before: u64,
}

/// The round trip as a receiver sees it (`rcv_rtt_est`).
#[derive(Clone, Copy, Debug, Default)]
struct RoundTrip {
    estimate: Option<Duration>,
    /// A window was offered at this time, and it ends before this offset of the stream: it is full a round trip later
    /// at the earliest.
    window: Option<(Instant, u64)>,
    /// The last timestamp that was echoed: the first echo of each is a measurement.
    echo: Option<u32>,
}

impl RoundTrip {
    /// A shorter round trip counts at once, a longer one by an eighth (`tcp_rcv_rtt_update`).
    fn sample(&mut self, sample: Duration) {
        let sample = sample.max(Duration::from_micros(1));
        let smoothed = |old: Duration| if sample < old { sample } else { old - old / 8 + sample / 8 };
        self.estimate = Some(self.estimate.map_or(sample, smoothed));
    }
}

impl Autotuning {
    /// For a buffer with at most `max` octets of memory.
    pub(crate) fn new(max: u32) -> Autotuning {
        Autotuning { max, round_trip: RoundTrip::default(), space: 1, since: Instant::ZERO, read_before: 0 }
    }

    /// The connection was established: the peer is expected to send `space` octets in the first round trip.
    pub(crate) fn establish(&mut self, now: Instant, space: u32) {
        (self.space, self.since) = (space.max(1), now);
    }

    /// A segment echoed our timestamp `echo`, which is `age` old (`tcp_rcv_rtt_measure_ts`). It counts if the segment is
    /// full-sized, for others may have waited; a longer round trip not while data is unread, for which it waited too.
    pub(crate) fn echoed(&mut self, echo: u32, age: Duration, is_full: bool, has_unread: bool) {
        let trip = &mut self.round_trip;
        if trip.echo.replace(echo) == Some(echo) || !is_full || age.is_zero() {
            return;
        }
        if !has_unread || trip.estimate.is_none_or(|estimate| age < estimate) {
            trip.sample(age);
        }
    }

    /// The stream has arrived up to `offset`, and `window` octets more are offered (`tcp_rcv_rtt_measure`). A sender
    /// need not fill the window: this only finds shorter round trips.
    pub(crate) fn received(&mut self, now: Instant, offset: u64, window: u32) {
        let trip = &mut self.round_trip;
        if let Some((since, end)) = trip.window {
            if offset < end {
                return;
            }
            if trip.estimate.is_none_or(|estimate| now - since < estimate) {
                trip.sample(now - since);
            }
        }
        trip.window = Some((now, offset + u64::from(window)));
    }

    /// The application has read `read` octets in all, and `unread` are left. Returns the window that the buffer is to
    /// hold, if it read more in this round trip than in any before: twice as much, because that was learned a round trip
    /// late, and what the sender will add if it goes on like this (`tcp_rcvbuf_grow`).
    pub(crate) fn read(&mut self, now: Instant, read: u64, unread: u32) -> Option<u64> {
        if self.round_trip.estimate.is_none_or(|round_trip| now - self.since < round_trip) {
            return None;
        }
        let copied = (read - self.read_before).saturating_sub(u64::from(unread));
        (self.since, self.read_before) = (now, read);
        let (before, copied) = (self.space, u32::try_from(copied).unwrap_or(u32::MAX));
        if copied <= before {
            return None;
        }
        self.space = copied;
        let window = 2 * u64::from(copied);
        let growth = u128::from(window) * u128::from(copied - before) / u128::from(before);
        Some(window + 2 * u64::try_from(growth).unwrap_or(u64::MAX / 4))
    }

    /// The window that the buffer is to hold while `beyond` octets are held back by a gap (`tcp_data_queue_ofo`).
    pub(crate) fn with_gap(&self, beyond: u64) -> u64 {
        2 * u64::from(self.space) + beyond
    }

    /// The buffer holds no more than `window` octets: nobody can read more in a round trip.
    pub(crate) fn limit_space(&mut self, window: u32) {
        self.space = self.space.min(window).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(milliseconds)
    }

    fn tuning() -> Autotuning {
        let mut tuning = Autotuning::new(1 << 25);
        tuning.establish(at(75), 14_480);
        tuning
    }

    /// Recording 30a: what was read in each round trip, and the memory for it at 160/256 of data.
    #[test]
    fn the_window_follows_what_is_read() {
        let mut tuning = tuning();
        tuning.echoed(1, Duration::from_millis(50), true, false);
        let mut read = 0;
        for (time, copied, memory) in
            [(375, 15_928, 61_161), (425, 28_960, 244_316), (475, 57_920, 556_032), (525, 115_840, 1_112_064)]
        {
            read += copied;
            let window = tuning.read(at(time), read, 0).expect("more than before");
            assert_eq!((window << 8) / 160, memory, "at {time} ms");
        }
        assert_eq!(tuning.read(at(550), read + 500_000, 0), None, "within a round trip");
        assert_eq!(tuning.read(at(575), read + 100, 0), None, "less than before");
    }

    #[test]
    fn what_is_left_unread_does_not_count() {
        let mut tuning = tuning();
        assert_eq!(tuning.read(at(900), 20_000, 0), None, "no round trip is known");
        tuning.echoed(1, Duration::from_millis(50), true, false);
        assert_eq!(tuning.read(at(900), 20_000, 6_000), None);
        assert!(tuning.read(at(950), 40_000, 0).is_some());
    }

    #[test]
    fn the_round_trip_is_the_shortest_of_late() {
        let ms = Duration::from_millis;
        let mut tuning = tuning();
        let known = |tuning: &Autotuning| tuning.round_trip.estimate;
        tuning.echoed(1, ms(300), true, false);
        tuning.echoed(2, ms(50), false, false);
        assert_eq!(known(&tuning), Some(ms(300)), "not full-sized");
        tuning.echoed(2, ms(50), true, false);
        assert_eq!(known(&tuning), Some(ms(300)), "not the first that echoes it");
        tuning.echoed(3, ms(40), true, false);
        tuning.echoed(4, ms(80), true, true);
        assert_eq!(known(&tuning), Some(ms(40)), "data was unread");
        tuning.echoed(5, ms(80), true, false);
        assert_eq!(known(&tuning), Some(ms(45)));
        tuning.received(at(1000), 0, 1000);
        tuning.received(at(1030), 999, 1000);
        assert_eq!(known(&tuning), Some(ms(45)));
        tuning.received(at(1040), 1000, 1000);
        assert_eq!(known(&tuning), Some(ms(40)));
        tuning.received(at(1200), 2000, 1000);
        assert_eq!(known(&tuning), Some(ms(40)), "a sender may leave the window unused");
    }
}
