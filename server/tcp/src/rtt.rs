//! The retransmission timeout (RFC 6298).

use std::time::Duration;

use crate::{Instant, RtoMin, RtoSettings, Seq};

/// Smoothed round-trip time, and the timeout that follows from it.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    settings: RtoSettings,
    measured: Option<Measured>,
    /// The shortest round trip seen.
    least: Option<Duration>,
    /// How often the timeout has been doubled.
    backoff: u32,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    srtt: Duration,
    rttvar: Duration,
    /// Four times the largest variance of late, as Linux keeps it: it grows at once and shrinks once a round trip.
    margin: Duration,
    /// The largest in this round trip.
    margin_now: Duration,
    /// Acknowledged: the round trip is over.
    round: Seq,
}

impl RttEstimator {
    pub(crate) fn new(settings: RtoSettings) -> RttEstimator {
        RttEstimator { settings, measured: None, least: None, backoff: 0 }
    }

    /// The smoothed round-trip time, once there is one.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        self.measured.map(|measured| measured.srtt)
    }

    /// The shortest round trip seen.
    pub(crate) fn least(&self) -> Option<Duration> {
        self.least
    }

    /// Takes a measurement (RFC 6298 §2.2, §2.3), which also ends the backoff (§5.7).
    pub(crate) fn sample(&mut self, rtt: Duration, una: Seq, nxt: Seq) {
        let floor = self.settings.min;
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        self.backoff = 0;
        self.measured = Some(match self.measured {
            None => {
                let margin = (rtt * 2).max(floor);
                Measured { srtt: rtt, rttvar: rtt / 2, margin, margin_now: margin, round: nxt }
            }
            Some(old) => {
                let error = old.srtt.abs_diff(rtt);
                // Linux: a round trip that is suddenly shorter says little of the variance.
                let weight = if rtt < old.srtt && error > old.rttvar && self.is_linux() { 32 } else { 4 };
                let rttvar = (old.rttvar * (weight - 1) + error) / weight;
                let mut new = Measured { srtt: (old.srtt * 7 + rtt) / 8, rttvar, ..old };
                new.margin_now = new.margin_now.max(rttvar * 4);
                new.margin = new.margin.max(new.margin_now);
                if una.after(old.round) {
                    new.margin -= (new.margin - new.margin_now) / 4;
                    (new.margin_now, new.round) = (floor, nxt);
                }
                new
            }
        });
    }

    fn is_linux(&self) -> bool {
        self.settings.min_applies == RtoMin::Variance
    }

    /// The timeout without backoff, within its bounds.
    fn base(&self) -> Duration {
        let RtoSettings { initial, min, max, min_applies, .. } = self.settings;
        let Some(Measured { srtt, rttvar, margin, .. }) = self.measured else { return initial };
        let rto = match min_applies {
            RtoMin::Total => (srtt + rttvar * 4).max(min),
            RtoMin::Variance => srtt + margin,
            RtoMin::Slop => srtt + rttvar * 4 + min,
        };
        self.whole(rto).min(max)
    }

    /// A time as the clock can measure it: rounded up to its granularity.
    pub(crate) fn whole(&self, time: Duration) -> Duration {
        let (nanos, grain) = (time.as_nanos() as u64, self.settings.granularity.as_nanos() as u64);
        if grain == 0 { time } else { Duration::from_nanos(nanos.div_ceil(grain) * grain) }
    }

    /// How long a timer of so many whole units of the clock runs. It is set within a unit and fires at the end of its last:
    /// later than that by up to one more, and never as early. What takes a round trip as long as the timer, and no more
    /// than handling besides, is there before (13a, 13c: 40 ms of delay against 40.5 ms).
    pub(crate) fn in_tick(&self, time: Duration) -> Duration {
        if self.settings.granularity.is_zero() { time } else { time + Duration::from_millis(1) }
    }

    /// A time in whole units of the clock, rounded down.
    pub(crate) fn whole_below(&self, time: Duration) -> Duration {
        let (nanos, grain) = (time.as_nanos() as u64, self.settings.granularity.as_nanos() as u64);
        Duration::from_nanos(nanos - nanos.checked_rem(grain).unwrap_or(0))
    }

    /// The timeout, doubled as often as it has backed off.
    pub(crate) fn rto(&self) -> Duration {
        self.doubled(self.backoff)
    }

    /// The timeout doubled `times` times, but never above the maximum.
    pub(crate) fn doubled(&self, times: u32) -> Duration {
        let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        self.base().saturating_mul(factor).min(self.settings.max)
    }

    /// A short time as a ticking clock waits for it: 2 ms more, rounded up (Linux `TCP_TIMEOUT_MIN_US`).
    pub(crate) fn soon(&self, time: Duration) -> Duration {
        let ticks = !self.settings.granularity.is_zero();
        self.whole(time + Duration::from_millis(if ticks { 2 } else { 0 }))
    }

    /// When the timer fires of what was last sent at `sent`.
    pub(crate) fn expiry(&self, sent: Instant) -> Instant {
        sent + self.rto()
    }

    /// Takes one doubling back, if there is one (RFC 6069 §4).
    pub(crate) fn revert_backoff(&mut self) -> bool {
        let backed_off = self.backoff > 0;
        self.backoff = self.backoff.saturating_sub(1);
        backed_off
    }

    /// Doubles the timeout (RFC 6298 §5.5).
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn sampled(profile: Profile, samples: &[u64]) -> RttEstimator {
        let mut rtt = RttEstimator::new(profile.settings().rto);
        for (round, sample) in (0..).zip(samples) {
            rtt.sample(ms(*sample), Seq(round * 10), Seq(round * 10 + 9));
        }
        rtt
    }

    #[test]
    fn rto_follows_the_measurements() {
        // (profile, samples in ms, RTO in ms). The Linux rows are measured ones (DEFAULTS: RTT 41 ms, 2.5 ms, 301 ms).
        for (profile, samples, rto) in [
            (Profile::Linux, &[][..], 1000),
            (Profile::Linux, &[41], 244),
            (Profile::Linux, &[2], 204),
            (Profile::Linux, &[302], 908),
            (Profile::Rfc9293, &[], 1000),
            (Profile::Rfc9293, &[100], 1000),
            (Profile::Rfc9293, &[1000], 3000),
            (Profile::Rfc9293, &[1000, 1000], 2500),
            (Profile::Rfc9293, &[50_000], 60_000),
        ] {
            assert_eq!(sampled(profile, samples).rto(), ms(rto), "{profile:?} {samples:?}");
        }
    }

    #[test]
    fn linux_forgets_a_variance_slowly() {
        let rto = |samples: &[u64]| sampled(Profile::Linux, samples).rto().as_millis();
        // 602 ms of margin lose a quarter of what is above the largest variance of each round trip.
        assert_eq!(rto(&[300, 300]), 300 + 600);
        assert_eq!(rto(&[300, 300, 300]), 836, "300 + 600 - (600 - 337.5) / 4, rounded up");
        assert!(rto(&[41, 41, 41, 41]) == 244, "never below the floor");
    }

    #[test]
    fn backoff_doubles_to_the_maximum_and_ends_with_a_measurement() {
        let mut rtt = RttEstimator::new(Profile::Linux.settings().rto);
        let mut series = Vec::new();
        for _ in 0..9 {
            series.push(rtt.rto().as_secs());
            rtt.back_off();
        }
        assert_eq!(series, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
        for _ in 0..100 {
            rtt.back_off();
        }
        assert_eq!(rtt.rto().as_secs(), 120);
        rtt.sample(ms(100), Seq(0), Seq(1));
        assert_eq!(rtt.rto(), ms(300));
    }
}
