//! How the latency of a link varies.

use std::time::Duration;

use halfopen_scenario::Distribution;

use crate::random::Stream;

/// The number of draws whose mean is a normal delay.
const DRAWS: u32 = 12;
/// The greatest exponential delay, in means.
const MEANS: f64 = 5.0;
/// The greatest Pareto delay, in scales.
const SCALES: f64 = 10.0;

/// A source of delays.
#[derive(Debug)]
pub(crate) struct Jitter {
    jitter: halfopen_scenario::Jitter,
    random: Stream,
}

impl Jitter {
    /// The jitter of the link with this name; `None` if it has none.
    pub(crate) fn new(jitter: halfopen_scenario::Jitter, seed: u64, name: &str) -> Option<Jitter> {
        let random = || Stream::new(seed, &format!("jitter/{name}"));
        (!jitter.most.is_zero()).then(|| Jitter { jitter, random: random() })
    }

    /// How long the next datagram takes on a link with this latency.
    pub(crate) fn vary(&mut self, latency: Duration) -> Duration {
        let Jitter { jitter, random } = self;
        let most = jitter.most;
        let earliest = latency.saturating_sub(most);
        match jitter.distribution {
            Distribution::Even => earliest + random.up_to(2 * most),
            Distribution::Normal => {
                earliest + (0..DRAWS).map(|_| random.up_to(2 * most)).sum::<Duration>() / DRAWS
            }
            Distribution::Exponential => latency + most.mul_f64(exponential(random.unit())),
            Distribution::Pareto => latency + most.mul_f64(pareto(random.unit())),
        }
    }
}

/// Turns a uniform number from 0 to 1 into an exponential one that is cut off at 1, by the inverse of the distribution.
fn exponential(even: f64) -> f64 {
    // libm's logarithm is the same on every machine.
    let within = 1.0 - libm::exp(-MEANS);
    (-libm::log(1.0 - even * within) / MEANS).clamp(0.0, 1.0)
}

/// Turns a uniform number into one of a Pareto distribution of the second kind (Lomax) with shape 2, cut off at 1.
fn pareto(even: f64) -> f64 {
    let end = 1.0 + SCALES;
    let within = 1.0 - 1.0 / (end * end);
    ((1.0 / (1.0 - even * within).sqrt() - 1.0) / SCALES).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: Duration = Duration::from_millis(10);
    const LATENCY: Duration = Duration::from_millis(15);

    /// The delays of 100,000 datagrams, in parts of the greatest, sorted.
    fn delays(distribution: Distribution) -> Vec<f64> {
        let jitter = halfopen_scenario::Jitter { most: MOST, distribution };
        let mut jitter = Jitter::new(jitter, 1, "test").unwrap();
        let draw = |_| (jitter.vary(LATENCY).as_secs_f64() - LATENCY.as_secs_f64()) / MOST.as_secs_f64();
        let mut delays: Vec<f64> = (0..100_000).map(draw).collect();
        delays.sort_unstable_by(f64::total_cmp);
        delays
    }

    fn mean(values: &[f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    #[test]
    fn each_distribution_has_its_bounds_its_mean_its_median_and_its_deviation() {
        // Exponential and Pareto: the integrals of the distribution that is cut off.
        let cases = [
            (Distribution::Even, -1.0, 0.0, 0.0, 1.0 / 3.0_f64.sqrt()),
            (Distribution::Normal, -1.0, 0.0, 0.0, 1.0 / 6.0),
            (Distribution::Exponential, 0.0, 0.193_22, 0.137_28, 0.182_2),
            (Distribution::Pareto, 0.0, 1.0 / 12.0, 0.040_84, 0.121_4),
        ];
        for (distribution, least, expected, median, deviation) in cases {
            let delays = delays(distribution);
            assert!(delays[0] >= least - 1e-9 && *delays.last().unwrap() <= 1.0 + 1e-9, "{distribution:?}");
            assert!((mean(&delays) - expected).abs() < 0.005, "{distribution:?} mean {}", mean(&delays));
            let middle = delays[delays.len() / 2];
            assert!((middle - median).abs() < 0.005, "{distribution:?} median {middle}");
            let squares: Vec<f64> = delays.iter().map(|delay| (delay - expected).powi(2)).collect();
            let spread = mean(&squares).sqrt();
            assert!((spread - deviation).abs() < 0.005, "{distribution:?} deviation {spread}");
        }
    }

    #[test]
    fn the_ends_of_the_unit_are_the_ends_of_the_delays() {
        for inverse in [exponential, pareto] {
            assert!(inverse(0.0).abs() < 1e-12);
            assert!((inverse(1.0) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn no_jitter_is_none() {
        assert!(Jitter::new(halfopen_scenario::Jitter::default(), 1, "test").is_none());
    }
}
