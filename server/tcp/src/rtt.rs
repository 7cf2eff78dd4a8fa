//! The retransmission timeout (RFC 6298).

use std::time::Duration;

use crate::clock::Clock;
use crate::{Instant, RtoMin, RtoSettings, Seq, Settings};

/// The smoothed round-trip time, and the timeout that follows from it.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    settings: RtoSettings,
    damp_drops: bool,
    clock: Clock,
    measured: Option<Measured>,
    min_rtt: Option<Duration>,
    /// How often the timeout has been doubled.
    backoff: u32,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    srtt: Duration,
    rttvar: Duration,
    /// Four times the largest RTTVAR of late: it grows at once and shrinks once a round trip (Linux `rttvar_us`).
    margin: Duration,
    /// Four times the largest RTTVAR of this round trip (Linux `mdev_max_us`).
    margin_now: Duration,
    /// The round trip ends when this is acknowledged (Linux `rtt_seq`).
    round_end: Seq,
}

impl RttEstimator {
    pub(crate) fn new(settings: &Settings) -> RttEstimator {
        RttEstimator {
            settings: settings.rto,
            damp_drops: settings.damp_rtt_drops,
            clock: Clock::new(settings),
            measured: None,
            min_rtt: None,
            backoff: 0,
        }
    }

    /// The clock that timers run by.
    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// The smoothed round-trip time, once there is one.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        self.measured.map(|measured| measured.srtt)
    }

    /// Its variation, once there is one.
    pub(crate) fn rttvar(&self) -> Option<Duration> {
        self.measured.map(|measured| measured.rttvar)
    }

    /// How often the timeout has been doubled.
    pub(crate) fn backoff(&self) -> u32 {
        self.backoff
    }

    /// The shortest round trip of the connection (`RACK.min_RTT` of RFC 8985 §5.3).
    pub(crate) fn min_rtt(&self) -> Option<Duration> {
        self.min_rtt
    }

    /// Takes a measurement (RFC 6298 §2.2, §2.3), which also ends the backoff (§5.7).
    pub(crate) fn sample(&mut self, rtt: Duration, una: Seq, nxt: Seq) {
        let floor = self.settings.min;
        self.min_rtt = Some(self.min_rtt.map_or(rtt, |least| least.min(rtt)));
        self.backoff = 0;
        self.measured = Some(match self.measured {
            None => {
                let margin = (rtt * 2).max(floor);
                Measured { srtt: rtt, rttvar: rtt / 2, margin, margin_now: margin, round_end: nxt }
            }
            Some(old) => {
                let error = old.srtt.abs_diff(rtt);
                let damped = self.damp_drops && rtt < old.srtt && error > old.rttvar;
                let weight = if damped { 32 } else { 4 };
                let rttvar = (old.rttvar * (weight - 1) + error) / weight;
                let mut new = Measured { srtt: (old.srtt * 7 + rtt) / 8, rttvar, ..old };
                new.margin_now = new.margin_now.max(rttvar * 4);
                new.margin = new.margin.max(new.margin_now);
                if una.after(old.round_end) {
                    new.margin -= (new.margin - new.margin_now) / 4;
                    (new.margin_now, new.round_end) = (floor, nxt);
                }
                new
            }
        });
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
        self.clock.round_up(rto).min(max)
    }

    /// The timeout with its backoff.
    pub(crate) fn rto(&self) -> Duration {
        self.doubled(self.backoff)
    }

    /// The timeout doubled `times` times, but never above the maximum.
    pub(crate) fn doubled(&self, times: u32) -> Duration {
        let factor = 1_u32.checked_shl(times).unwrap_or(u32::MAX);
        self.base().saturating_mul(factor).min(self.settings.max)
    }

    /// When the timeout of what was last sent at `sent` expires.
    pub(crate) fn expiry(&self, sent: Instant) -> Instant {
        sent + self.rto()
    }

    /// Takes one doubling back and returns whether there was one (RFC 6069 §4).
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
        let mut rtt = RttEstimator::new(&profile.settings());
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
    fn a_sudden_drop_may_count_an_eighth() {
        let rto = |damp_rtt_drops| {
            let settings = Settings { damp_rtt_drops, ..Profile::Rfc9293.settings() };
            let mut rtt = RttEstimator::new(&settings);
            (0..3).for_each(|round| rtt.sample(ms([4000, 4000, 800][round]), Seq(0), Seq(9)));
            rtt.rto().as_millis()
        };
        // SRTT is 3600 ms; RTTVAR goes from 1500 ms to (3 * 1500 + 3200) / 4 or (31 * 1500 + 3200) / 32.
        assert_eq!([rto(false), rto(true)], [3600 + 4 * 1925, 9812]);
    }

    #[test]
    fn backoff_doubles_to_the_maximum_and_ends_with_a_measurement() {
        let mut rtt = RttEstimator::new(&Profile::Linux.settings());
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
