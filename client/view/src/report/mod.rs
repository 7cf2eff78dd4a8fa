//! Reports of runs: one reporter for each format, all from the same records.

mod batch;
mod drawing;
mod failure;
mod fanout;
mod help;
mod html;
mod json;
mod junit;
mod ndjson;
pub mod pcapng;
mod style;
mod tap;
mod text;

use std::io;

use halfopen_proto::v1::Event;
use serde::Serialize;

use crate::record::{Outcome, RunRecord};
use crate::words;
use failure::LADDERS;

pub use drawing::{DrawingForm, DrawingReporter};
pub use failure::{Broken, Failure};
pub use fanout::Reporters;
pub use html::HtmlReporter;
pub use json::{JsonDocumentReporter, JsonReporter};
pub use junit::JunitReporter;
pub use ndjson::NdjsonReporter;
pub use tap::TapReporter;
pub use text::{TextOptions, TextReporter, Wait, outcome};

/// Writes runs down, while and after they happen. Runs come one after another.
///
/// After an error a reporter is not called again.
pub trait Reporter {
    /// Whether [`Reporter::run`] needs every event of the run. Otherwise the record has only the last ones.
    fn wants_every_event(&self) -> bool {
        true
    }

    /// Whether [`RunRecord::source`] is needed.
    fn wants_source(&self) -> bool {
        false
    }

    /// How many bytes of each datagram the events must have; 0: none. The run is requested with it.
    fn snapshot_length(&self) -> u32 {
        0
    }

    /// The next events of the current run.
    fn events(&mut self, events: &[Event]) -> io::Result<()> {
        let _ = events;
        Ok(())
    }

    /// The current run is over.
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        let _ = record;
        Ok(())
    }

    /// A planned run is left out for the reason `why`, as in `after the first run that did not pass`. Its record has
    /// no events.
    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        let _ = (record, why);
        Ok(())
    }

    /// There are no more runs: writes what is left, and flushes the stream.
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The number of runs, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts {
    passed: usize,
    failed: usize,
    unfinished: usize,
    /// Runs that did not start, for whatever reason.
    not_run: usize,
    /// Runs that were left out on purpose.
    pub(crate) skipped: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Unfinished => self.unfinished += 1,
            Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => self.not_run += 1,
        }
    }

    /// In words: `15 runs: 13 passed, 2 failed`.
    pub(crate) fn sentence(self) -> String {
        let Counts { passed, failed, unfinished, not_run, skipped } = self;
        let all = passed + failed + unfinished + not_run + skipped;
        let parts = [
            (passed, "passed"),
            (failed, "failed"),
            (unfinished, "unfinished"),
            (not_run, "not run"),
            (skipped, "skipped"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, name)| *count > 0 || *name == "passed")
            .map(|(count, name)| format!("{count} {name}"))
            .collect();
        format!("{}: {}", words::count(all as u64, "run"), parts.join(", "))
    }
}
