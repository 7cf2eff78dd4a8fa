//! The runs of one scenario with many seeds, summed up.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::style::{BAD, BOLD, DIM, style};
use super::{Counts, Failure};
use crate::record::{Outcome, RunRecord};
use crate::words::{self, plain};

/// How many ranges of seeds are listed.
const LISTED: usize = 100;

/// The runs of one scenario, or of one of its variants.
#[derive(Debug)]
pub(super) struct Batch {
    name: String,
    counts: Counts,
    worst: Outcome,
    /// Their virtual time.
    time: Duration,
    failures: Vec<FailureKind>,
}

/// The runs that failed for the same reasons.
#[derive(Debug)]
struct FailureKind {
    outcome: Outcome,
    reasons: Vec<String>,
    runs: usize,
    seeds: Seeds,
}

impl Batch {
    /// Without runs, for the scenario of this one.
    pub(super) fn of(record: &RunRecord) -> Batch {
        let (counts, time) = (Counts::default(), Duration::ZERO);
        Batch { name: name(record), counts, worst: Outcome::Passed, time, failures: Vec::new() }
    }

    /// Whether a run is of the same scenario.
    pub(super) fn includes(&self, record: &RunRecord) -> bool {
        self.name == name(record)
    }

    /// Whether every run passed.
    pub(super) fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// Adds a run. Returns whether it is the first that failed for its reasons.
    pub(super) fn add(&mut self, record: &RunRecord) -> bool {
        self.counts.add(record.outcome());
        if let Some(totals) = record.totals() {
            self.time = self.time.saturating_add(words::from_proto(totals.virtual_time.as_ref()));
        }
        let Some(failure) = Failure::of(record) else { return false };
        self.worst = self.worst.max(failure.outcome);
        let (outcome, reasons) = (failure.outcome, failure.reasons());
        let known = |kind: &FailureKind| kind.outcome == outcome && kind.reasons == reasons;
        let position = self.failures.iter().position(known);
        let index = position.unwrap_or_else(|| {
            self.failures.push(FailureKind { outcome, reasons, runs: 0, seeds: Seeds::default() });
            self.failures.len() - 1
        });
        let kind = &mut self.failures[index];
        kind.runs += 1;
        if let Some(seed) = record.started().map(|started| started.seed).or(record.options.seed) {
            kind.seeds.push(seed);
        }
        position.is_none()
    }

    /// Writes a line, and more for each kind of failure.
    pub(super) fn write(&self, out: &mut impl Write, width: usize) -> io::Result<()> {
        let (word, style) = (self.worst.name(), style(self.worst));
        let name = plain(&self.name);
        write!(out, "{style}{word:<10}{style:#} {name:<width$}  {DIM}{}", self.counts.sentence())?;
        if !self.time.is_zero() {
            write!(out, ", {}", words::duration(self.time))?;
        }
        writeln!(out, "{DIM:#}")?;
        for FailureKind { outcome, reasons, runs, seeds } in &self.failures {
            let runs = words::count(*runs as u64, "run");
            writeln!(out, "  {BOLD}{runs} {}{BOLD:#}, seeds {seeds}", outcome.name())?;
            for reason in reasons {
                writeln!(out, "    {BAD}✗{BAD:#} {}", plain(reason))?;
            }
        }
        Ok(())
    }
}

/// The name of a run without its seed.
fn name(record: &RunRecord) -> String {
    words::run(&record.file, record.options.variant.as_deref().unwrap_or_default())
}

/// Seeds in the order of their runs, shown as `--seeds` takes them.
#[derive(Debug, Default)]
struct Seeds(Vec<(u64, u64)>);

impl Seeds {
    fn push(&mut self, seed: u64) {
        match self.0.last_mut() {
            // A seed may be repeated.
            Some((_, last)) if *last == seed => {}
            Some((_, last)) if last.checked_add(1) == Some(seed) => *last = seed,
            _ => self.0.push((seed, seed)),
        }
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.0.iter().take(LISTED).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match last - first {
                0 => write!(formatter, "{comma}{first}")?,
                1 => write!(formatter, "{comma}{first},{last}")?,
                _ => write!(formatter, "{comma}{first}..{last}")?,
            }
        }
        match self.0.iter().skip(LISTED).map(|(first, last)| last - first + 1).sum::<u64>() {
            0 => Ok(()),
            more => write!(formatter, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_listed_as_they_can_be_typed() {
        let list = |seeds: &[u64]| {
            let mut list = Seeds::default();
            seeds.iter().for_each(|seed| list.push(*seed));
            list.to_string()
        };
        for (seeds, expected) in [
            (&[][..], ""),
            (&[7], "7"),
            (&[1, 2, 4, 5, 6], "1,2,4..6"),
            (&[3, 3, 4, 1], "3,4,1"),
            (&[u64::MAX, 0], "18446744073709551615,0"),
        ] {
            assert_eq!(list(seeds), expected);
        }
        let odd: Vec<u64> = (0..300).map(|number| 2 * number).collect();
        assert!(list(&odd).ends_with(",196,198 and 200 more"), "{}", list(&odd));
    }
}
