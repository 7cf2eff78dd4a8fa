//! The clock that a stack's timers run by: it may tick, and then times are whole numbers of ticks.

use std::time::Duration;

use crate::Settings;

/// How the clock of a stack ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The time from tick to tick; zero is no ticks.
    granularity: Duration,
    lateness: Duration,
    short_margin: Duration,
}

impl Clock {
    pub(crate) fn new(settings: &Settings) -> Clock {
        Clock {
            granularity: settings.rto.granularity,
            lateness: settings.timer_lateness,
            short_margin: settings.short_timer_margin,
        }
    }

    /// A time in whole ticks, rounded up.
    pub(crate) fn round_up(&self, time: Duration) -> Duration {
        let (nanos, tick) = (time.as_nanos() as u64, self.granularity.as_nanos() as u64);
        if tick == 0 { time } else { Duration::from_nanos(nanos.div_ceil(tick) * tick) }
    }

    /// A time in whole ticks, rounded down.
    pub(crate) fn round_down(&self, time: Duration) -> Duration {
        let (nanos, tick) = (time.as_nanos() as u64, self.granularity.as_nanos() as u64);
        Duration::from_nanos(nanos - nanos.checked_rem(tick).unwrap_or(0))
    }

    /// How long a timer of whole ticks runs: what takes a round trip as long as the timer, and only handling besides,
    /// is there before it fires (13a, 13c: 40 ms of delay against 40.5 ms).
    pub(crate) fn delay(&self, time: Duration) -> Duration {
        time + self.lateness
    }

    /// How long one of the shortest timers runs.
    pub(crate) fn short_delay(&self, time: Duration) -> Duration {
        self.round_up(time + self.short_margin)
    }

    /// How late a timer of this length may fire: by a granule of its level of the timer wheel. A level holds what is
    /// shorter than 63 of its granules, and its granule is eight times that of the level below (Linux
    /// `calc_wheel_index`).
    pub(crate) fn wheel_lateness(&self, time: Duration) -> Duration {
        let mut granule = self.granularity;
        while !granule.is_zero() && time >= granule * 63 {
            granule *= 8;
        }
        granule
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_clock_that_ticks_rounds_and_one_that_does_not_is_exact() {
        // (profile, rounded up, rounded down, delay, short delay) of 41 ms.
        for (profile, expected) in [(Profile::Linux, [44, 40, 42, 44]), (Profile::Rfc9293, [41, 41, 41, 41])]
        {
            let clock = Clock::new(&profile.settings());
            let time = ms(41);
            let times =
                [clock.round_up(time), clock.round_down(time), clock.delay(time), clock.short_delay(time)];
            assert_eq!(times, expected.map(ms), "{profile:?}");
        }
    }

    #[test]
    fn a_longer_timer_may_be_later() {
        let clock = Clock::new(&Profile::Linux.settings());
        let late = |millis| clock.wheel_lateness(ms(millis)).as_millis();
        assert_eq!([251, 252, 2_015, 2_016, 16_127, 16_128].map(late), [4, 32, 32, 256, 256, 2_048]);
        assert_eq!(Clock::new(&Profile::Rfc9293.settings()).wheel_lateness(ms(252)), Duration::ZERO);
    }
}
