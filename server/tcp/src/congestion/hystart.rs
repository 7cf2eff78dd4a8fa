//! HyStart: slow start ends before segments are lost, because the acknowledgments of a round trip tell how much the path
//! holds (Ha and Rhee, "Taming the Elephants"; Linux `hystart_update`).

use std::time::Duration;

use super::Sample;
use crate::{Instant, Seq};

/// A smaller window is left alone, segments (`hystart_low_window`).
const LEAST_WINDOW: u32 = 16;
/// Acknowledgments that come closer together than this are a train (`hystart_ack_delta_us`).
const SPACING: Duration = Duration::from_millis(2);
/// Round trips that are measured before they are compared (`HYSTART_MIN_SAMPLES`).
const SAMPLES: u32 = 8;

/// What is known of the present round trip.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HyStart {
    /// The end of slow start was found.
    found: bool,
    /// The round trip ends when this is acknowledged.
    end: Option<Seq>,
    start: Instant,
    /// The last acknowledgment of the train that began with the round trip.
    last_of_train: Instant,
    /// The shortest of its first measurements, and how many there were.
    shortest: Option<Duration>,
    samples: u32,
}

impl HyStart {
    /// Everything up to `nxt` is one round trip, which begins now.
    pub(super) fn new(now: Instant, nxt: Seq) -> HyStart {
        HyStart { end: Some(nxt), start: now, last_of_train: now, ..HyStart::default() }
    }

    /// Whether a window of this size is large enough after this measurement; the shortest round trip was `min_delay`.
    pub(super) fn ends(&mut self, window: u32, sample: &Sample, min_delay: Duration) -> bool {
        if self.found {
            return false;
        }
        if self.end.is_none_or(|end| sample.una.after(end)) {
            *self = HyStart::new(sample.now, sample.nxt);
        }
        if window < LEAST_WINDOW {
            return false;
        }
        let (train, delay) = (self.train_is_long(sample, min_delay), self.delay_grows(sample, min_delay));
        self.found = train || delay;
        self.found
    }

    /// The train of acknowledgments takes half of a round trip: what is in flight fills half of the path.
    fn train_is_long(&mut self, sample: &Sample, min_delay: Duration) -> bool {
        if sample.now - self.last_of_train > SPACING {
            return false;
        }
        self.last_of_train = sample.now;
        sample.now - self.start > (min_delay + sample.packet_delay) / 2
    }

    /// The round trips become longer: a queue builds up.
    fn delay_grows(&mut self, sample: &Sample, min_delay: Duration) -> bool {
        let shortest = self.shortest.map_or(sample.rtt, |shortest| shortest.min(sample.rtt));
        self.shortest = Some(shortest);
        if self.samples < SAMPLES {
            self.samples += 1;
            return false;
        }
        let margin = (min_delay / 8).clamp(Duration::from_millis(4), Duration::from_millis(16));
        shortest > min_delay + margin
    }
}
