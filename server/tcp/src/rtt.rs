//! The retransmission timeout (RFC 6298).

use std::time::Duration;

use crate::{RtoMin, RtoSettings};

/// Smoothed round-trip time, and the timeout that follows from it.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    settings: RtoSettings,
    measured: Option<Measured>,
    /// How often the timeout has been doubled.
    backoff: u32,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    srtt: Duration,
    rttvar: Duration,
}

impl RttEstimator {
    pub(crate) fn new(settings: RtoSettings) -> RttEstimator {
        RttEstimator { settings, measured: None, backoff: 0 }
    }

    /// The smoothed round-trip time, once there is one.
    pub(crate) fn srtt(&self) -> Option<Duration> {
        self.measured.map(|measured| measured.srtt)
    }

    /// Takes a measurement (RFC 6298 §2.2, §2.3).
    pub(crate) fn sample(&mut self, rtt: Duration) {
        self.measured = Some(match self.measured {
            None => Measured { srtt: rtt, rttvar: rtt / 2 },
            Some(Measured { srtt, rttvar }) => {
                Measured { rttvar: (rttvar * 3 + srtt.abs_diff(rtt)) / 4, srtt: (srtt * 7 + rtt) / 8 }
            }
        });
    }

    /// The timeout without backoff, within its bounds.
    fn base(&self) -> Duration {
        let RtoSettings { initial, min, max, min_applies } = self.settings;
        let Some(Measured { srtt, rttvar }) = self.measured else { return initial };
        let rto = match min_applies {
            RtoMin::Total => (srtt + rttvar * 4).max(min),
            RtoMin::Variance => srtt + (rttvar * 4).max(min),
        };
        rto.min(max)
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

    /// Doubles the timeout (RFC 6298 §5.5).
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(32);
    }

    /// New data was acknowledged: the timeout is the measured one again.
    pub(crate) fn reset_backoff(&mut self) {
        self.backoff = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn rto_follows_the_measurements() {
        // (profile, samples in ms, RTO in ms). The Linux rows are measured ones (DEFAULTS: RTT 41 ms, 2.5 ms, 301 ms).
        for (profile, samples, rto) in [
            (Profile::Linux, &[][..], 1000),
            (Profile::Linux, &[41], 241),
            (Profile::Linux, &[2], 202),
            (Profile::Linux, &[301], 903),
            (Profile::Rfc9293, &[], 1000),
            (Profile::Rfc9293, &[100], 1000),
            (Profile::Rfc9293, &[1000], 3000),
            (Profile::Rfc9293, &[1000, 1000], 2500),
            (Profile::Rfc9293, &[50_000], 60_000),
        ] {
            let mut rtt = RttEstimator::new(profile.settings().rto);
            for sample in samples {
                rtt.sample(ms(*sample));
            }
            assert_eq!(rtt.rto(), ms(rto), "{profile:?} {samples:?}");
        }
    }

    #[test]
    fn backoff_doubles_to_the_maximum_and_ends_with_new_data() {
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
        rtt.reset_backoff();
        assert_eq!(rtt.rto().as_secs(), 1);
    }
}
