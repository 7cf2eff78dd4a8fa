//! Random loss.

use halfopen_scenario::Loss;

use crate::random::Stream;

/// Decides which datagrams a link loses.
#[derive(Debug)]
pub(crate) struct Losses {
    loss: Loss,
    random: Stream,
    in_burst: bool,
}

impl Losses {
    /// The losses of the link with this name; `None` if it loses nothing.
    pub(crate) fn new(loss: Loss, seed: u64, name: &str) -> Option<Losses> {
        let losses = || Losses { loss, random: Stream::new(seed, &format!("loss/{name}")), in_burst: false };
        (loss != Loss::None).then(losses)
    }

    /// Whether the next datagram is lost.
    pub(crate) fn next(&mut self) -> bool {
        let mut chance = |millionths: u32| self.random.chance(f64::from(millionths) / 1e6);
        match self.loss {
            Loss::None => false,
            Loss::Random(probability) => chance(probability),
            Loss::Bursts(bursts) => {
                self.in_burst ^= chance(if self.in_burst { bursts.end } else { bursts.begin });
                chance(if self.in_burst { bursts.during } else { bursts.between })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_scenario::Bursts;

    use super::*;

    /// Which of a number of datagrams are lost.
    fn lost(loss: Loss, segments: usize) -> Vec<bool> {
        let mut losses = Losses::new(loss, 1, "test").unwrap();
        (0..segments).map(|_| losses.next()).collect()
    }

    fn share(lost: &[bool]) -> f64 {
        lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64
    }

    /// The lengths of unbroken losses.
    fn runs(lost: &[bool]) -> Vec<usize> {
        lost.split(|lost| !lost).map(<[bool]>::len).filter(|length| *length > 0).collect()
    }

    #[test]
    fn random_loss_has_its_mean_and_comes_alone() {
        for millionths in [1_000, 10_000, 200_000] {
            let expected = f64::from(millionths) / 1e6;
            let lost = lost(Loss::Random(millionths), 1_000_000);
            assert!((share(&lost) / expected - 1.0).abs() < 0.05, "{expected}: {}", share(&lost));
            let runs = runs(&lost);
            let mean = runs.iter().sum::<usize>() as f64 / runs.len() as f64;
            assert!((mean * (1.0 - expected) - 1.0).abs() < 0.02, "{expected}: runs of {mean}");
        }
    }

    #[test]
    fn bursts_have_the_mean_that_their_formula_says_and_their_length() {
        let cases = [
            // Everything in bursts of four; one datagram in a hundred begins one.
            (Bursts { begin: 10_000, end: 250_000, during: 1_000_000, between: 0 }, 0.038_46),
            (Bursts { begin: 10_000, end: 100_000, during: 1_000_000, between: 0 }, 0.090_91),
            (Bursts { begin: 10_000, end: 100_000, during: 500_000, between: 5_000 }, 0.05),
            // Bursts that always alternate with gaps.
            (Bursts { begin: 1_000_000, end: 1_000_000, during: 1_000_000, between: 0 }, 0.5),
        ];
        for (bursts, expected) in cases {
            assert!((bursts.mean() - expected).abs() < 1e-5, "{bursts:?}: {}", bursts.mean());
            let lost = lost(Loss::Bursts(bursts), 1_000_000);
            assert!((share(&lost) / expected - 1.0).abs() < 0.05, "{bursts:?}: {}", share(&lost));
            if (bursts.during, bursts.between) == (1_000_000, 0) {
                let runs = runs(&lost);
                let mean = runs.iter().sum::<usize>() as f64 / runs.len() as f64;
                let length = 1e6 / f64::from(bursts.end);
                assert!((mean / length - 1.0).abs() < 0.05, "{bursts:?}: runs of {mean}");
            }
        }
    }

    #[test]
    fn certain_loss_loses_everything_and_none_is_none() {
        assert!(lost(Loss::Random(1_000_000), 100).iter().all(|lost| *lost));
        assert!(Losses::new(Loss::None, 1, "test").is_none());
    }
}
