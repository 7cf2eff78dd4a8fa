//! One JSON object per run: one per line, or all in a document.

use std::io::{self, Write};
use std::time::Duration;

use halfopen_proto::v1::{FinalState, RunTotals};
use serde::Serialize;

use super::{Counts, Reporter};
use crate::record::{Keepalive, RunRecord, reference};
use crate::words;

/// Writes each run as one JSON object on a line of its own.
#[derive(Debug)]
pub struct JsonReporter<W> {
    out: W,
}

impl<W: Write> JsonReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> JsonReporter<W> {
        JsonReporter { out }
    }
}

impl<W: Write> Reporter for JsonReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, &RunJson::new(record))?;
        self.out.write_all(b"\n")?;
        self.out.flush()
    }
}

/// Writes one document: `{"version": …, "runs": […], "counts": {…}}`, with the runs as [`JsonReporter`] writes them,
/// in their order, including those that were left out.
#[derive(Debug)]
pub struct JsonDocumentReporter<W> {
    out: W,
    begun: bool,
    counts: Counts,
}

impl<W: Write> JsonDocumentReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> JsonDocumentReporter<W> {
        JsonDocumentReporter { out, begun: false, counts: Counts::default() }
    }

    fn begin(&mut self) -> io::Result<()> {
        self.begun = true;
        write!(self.out, "{{\"version\":\"{}\",\"runs\":[", env!("CARGO_PKG_VERSION"))
    }

    fn add(&mut self, run: &RunJson<'_>) -> io::Result<()> {
        if self.begun {
            self.out.write_all(b",")?;
        } else {
            self.begin()?;
        }
        self.out.write_all(b"\n")?;
        Ok(serde_json::to_writer(&mut self.out, run)?)
    }
}

impl<W: Write> Reporter for JsonDocumentReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.counts.add(record.outcome());
        self.add(&RunJson::new(record))
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.counts.skipped += 1;
        self.add(&RunJson { verdict: SKIPPED, error: Some(why.to_owned()), ..RunJson::new(record) })
    }

    fn end(&mut self) -> io::Result<()> {
        if !self.begun {
            self.begin()?;
        }
        self.out.write_all(b"\n],\"counts\":")?;
        serde_json::to_writer(&mut self.out, &self.counts)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()
    }
}

/// The verdict of a run that was left out.
const SKIPPED: &str = "skipped";

/// A run. Keys are stable; new ones may be added. Times are seconds of virtual time.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunJson<'a> {
    /// What was run, as the user named it.
    run: &'a str,
    scenario: Option<&'a str>,
    /// The variant; null if it has none.
    variant: Option<&'a str>,
    title: Option<&'a str>,
    seed: Option<u64>,
    version: Option<&'a str>,
    /// `passed`, `failed`, `unfinished`; `invalid`, `not found` and `no server` if there was no run, `skipped` if it
    /// was left out.
    verdict: &'static str,
    expectations: Vec<ExpectationJson<'a>>,
    keepalive: Vec<KeepaliveJson>,
    final_states: Vec<FinalStateJson<'a>>,
    totals: Option<TotalsJson>,
    /// Why it did not pass, besides broken expectations.
    problems: Vec<String>,
    /// Why the run did not reach its end.
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExpectationJson<'a> {
    expectation: u32,
    passed: bool,
    text: &'a str,
    expected: String,
    actual: String,
    /// The sequence number of the deciding event; null: none in particular.
    deciding_event: Option<u64>,
    /// When it was decided; null: at the end of the run.
    decided_at_seconds: Option<f64>,
    line: u32,
    /// Where it stands in the document: `expect[0]`.
    path: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeepaliveJson {
    host: String,
    connection: u32,
    verdict: &'static str,
    probes: u32,
    silence_seconds: f64,
    time_seconds: f64,
    error: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FinalStateJson<'a> {
    host: &'a str,
    connection: u32,
    state: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TotalsJson {
    virtual_time_seconds: f64,
    events: u64,
    segments_sent: u64,
    retransmissions: u64,
    segments_lost: u64,
    expectations_passed: u32,
    expectations_failed: u32,
}

impl<'a> RunJson<'a> {
    fn new(record: &'a RunRecord) -> RunJson<'a> {
        let started = record.started();
        let finished = record.finished();
        let expectations = record.expectations().map(|result| ExpectationJson {
            expectation: reference(result).number,
            passed: result.passed,
            text: &result.text,
            expected: words::expected(result),
            actual: words::found(result),
            deciding_event: Some(result.deciding_event).filter(|event| *event > 0),
            decided_at_seconds: record.time_of_result(result).map(|time| time.as_secs_f64()),
            line: reference(result).line,
            path: reference(result).path,
        });
        let final_states = finished.map_or(&[][..], |finished| &finished.final_states);
        RunJson {
            run: &record.name,
            scenario: started.map(|started| started.scenario.as_str()),
            variant: started.map(|started| started.variant.as_str()).filter(|variant| !variant.is_empty()),
            title: started.map(|started| started.title.as_str()),
            seed: started.map(|started| started.seed),
            version: started.map(|started| started.version.as_str()),
            verdict: record.outcome().name(),
            expectations: expectations.collect(),
            keepalive: record.keepalive().into_iter().map(keepalive).collect(),
            final_states: final_states.iter().map(final_state).collect(),
            totals: record.totals().map(totals),
            problems: record.problems(),
            error: record.stopped.as_ref().map(ToString::to_string),
        }
    }
}

fn keepalive(found: Keepalive) -> KeepaliveJson {
    KeepaliveJson {
        host: found.host,
        connection: found.connection,
        verdict: words::keepalive(found.verdict),
        probes: found.probes,
        silence_seconds: found.silence.as_secs_f64(),
        time_seconds: found.time.as_secs_f64(),
        error: found.error,
    }
}

fn final_state(found: &FinalState) -> FinalStateJson<'_> {
    FinalStateJson { host: &found.host, connection: found.connection, state: words::state(found.state()) }
}

fn totals(totals: &RunTotals) -> TotalsJson {
    let time: Duration = words::from_proto(totals.virtual_time.as_ref());
    TotalsJson {
        virtual_time_seconds: time.as_secs_f64(),
        events: totals.events,
        segments_sent: totals.segments_sent,
        retransmissions: totals.retransmissions,
        segments_lost: totals.segments_lost,
        expectations_passed: totals.expectations_passed,
        expectations_failed: totals.expectations_failed,
    }
}
