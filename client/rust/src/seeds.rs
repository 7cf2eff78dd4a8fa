//! Sets of seeds.

use std::ops::RangeInclusive;
use std::str::FromStr;

/// Seeds in the order in which they are written, without duplicates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(Vec<RangeInclusive<u64>>);

impl Seeds {
    /// How many there are, at most `u64::MAX`.
    pub fn count(&self) -> u64 {
        let size = |range: &RangeInclusive<u64>| (range.end() - range.start()).saturating_add(1);
        self.0.iter().map(size).fold(0, u64::saturating_add)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = u64> + Clone {
        self.0.iter().cloned().flatten()
    }
}

/// What is wrong with a set of seeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedsError {
    /// A part of the text is not a number.
    #[error("`{0}` is not a seed: write 1..100, or 1,5,9, with numbers below 2^64")]
    NoSeed(String),
    /// The end of a range is before its beginning.
    #[error("there is no seed in {first}..{last}: write {last}..{first}")]
    Backwards {
        /// The first seed of the range.
        first: u64,
        /// Its last seed.
        last: u64,
    },
    /// A seed is given twice.
    #[error("seed {0} is given twice")]
    Twice(u64),
}

impl From<u64> for Seeds {
    fn from(seed: u64) -> Seeds {
        Seeds(vec![seed..=seed])
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    /// Reads `1..100` (both ends included), `7`, and lists of them: `1,5,9..12`.
    fn from_str(text: &str) -> Result<Seeds, SeedsError> {
        let mut ranges: Vec<RangeInclusive<u64>> = Vec::new();
        for part in text.split(',') {
            let range = range(part.trim())?;
            if let Some(before) =
                ranges.iter().find(|before| before.start() <= range.end() && range.start() <= before.end())
            {
                return Err(SeedsError::Twice(*before.start().max(range.start())));
            }
            ranges.push(range);
        }
        Ok(Seeds(ranges))
    }
}

fn range(text: &str) -> Result<RangeInclusive<u64>, SeedsError> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| SeedsError::NoSeed(text.to_owned()));
    let Some((first, last)) = text.split_once("..") else {
        let one = number(text)?;
        return Ok(one..=one);
    };
    let (first, last) = (number(first)?, number(last.strip_prefix('=').unwrap_or(last))?);
    match first <= last {
        true => Ok(first..=last),
        false => Err(SeedsError::Backwards { first, last }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_have_both_ends_and_lists_keep_their_order() {
        for (text, expected) in [
            ("1..3", vec![1, 2, 3]),
            ("1..=3", vec![1, 2, 3]),
            ("9, 1,5", vec![9, 1, 5]),
            ("7", vec![7]),
            ("3..3,1..2", vec![3, 1, 2]),
            ("18446744073709551615", vec![u64::MAX]),
        ] {
            let seeds: Seeds = text.parse().unwrap();
            assert_eq!(seeds.iter().collect::<Vec<_>>(), expected, "{text}");
            assert_eq!(seeds.count(), expected.len() as u64, "{text}");
        }
        let all: Seeds = "0..18446744073709551615".parse().unwrap();
        assert_eq!(all.count(), u64::MAX);
    }

    #[test]
    fn an_error_says_how_to_write_seeds() {
        for (text, part) in [
            ("", "`` is not a seed"),
            ("x", "`x` is not a seed: write 1..100"),
            ("1..", "`` is not a seed"),
            ("-1", "`-1` is not a seed"),
            ("1,,2", "`` is not a seed"),
            ("1..2..3", "`2..3` is not a seed"),
            ("100..1", "there is no seed in 100..1: write 1..100"),
            ("1..5,3", "seed 3 is given twice"),
            ("18446744073709551616", "below 2^64"),
        ] {
            let error = text.parse::<Seeds>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
