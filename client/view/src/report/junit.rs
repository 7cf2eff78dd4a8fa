//! JUnit XML, as GitLab and Jenkins read it.

use std::io::{self, Write};
use std::path::{Component, Path};
use std::time::Duration;

use anstream::adapter::strip_str;
use maud::{Markup, PreEscaped, Render, html};

use super::{Failure, Reporter};
use crate::markup;
use crate::record::{Outcome, RunRecord};
use crate::words;

const DECLARATION: PreEscaped<&str> = PreEscaped("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
/// Elements begin on lines of their own, for people.
const NEWLINE: PreEscaped<&str> = PreEscaped("\n");

/// Writes a JUnit report: a suite for each scenario file, a test case for each run.
///
/// A broken expectation is a `failure`; what prevented the beginning or the end of a run is an `error`; a run that
/// was left out is `skipped`. Times are wall times, which readers of such reports compare; virtual time is in the
/// output of the test case. There are many dialects of the format: everything in this one is in the schema of the
/// xUnit plugin of Jenkins (`junit-10.xsd`), which refuses anything else, and which other readers understand. GitLab would
/// make a link of a `file` attribute of the test case, which that schema does not have: the path of the scenario is the
/// name of the suite, and stands with its line in the text of a failure, where every reader shows it.
#[derive(Debug)]
pub struct JunitReporter<W> {
    out: W,
    suites: Vec<Suite>,
}

/// The runs of a file.
#[derive(Debug)]
struct Suite {
    file: String,
    cases: Vec<Case>,
}

/// A run.
#[derive(Debug)]
struct Case {
    name: String,
    /// The wall time that it took, if it began.
    time: Option<Duration>,
    result: CaseResult,
    /// What identifies the run, a line each.
    output: String,
}

#[derive(Debug)]
enum CaseResult {
    Passed,
    /// The first reason, and all of them.
    Failure(String, String),
    /// The outcome, the first reason, and all of them.
    Error(&'static str, String, String),
    /// Why.
    Skipped(String),
}

impl<W: Write> JunitReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> JunitReporter<W> {
        JunitReporter { out, suites: Vec::new() }
    }

    fn add(&mut self, record: &RunRecord, result: CaseResult) {
        let case = Case { name: name(record), time: record.took, result, output: output(record) };
        // Runs of a file mostly come together.
        match self.suites.iter_mut().rfind(|suite| suite.file == record.file) {
            Some(suite) => suite.cases.push(case),
            None => self.suites.push(Suite { file: record.file.clone(), cases: vec![case] }),
        }
    }
}

impl<W: Write> Reporter for JunitReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.add(record, result(record));
        Ok(())
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.add(record, CaseResult::Skipped(why.to_owned()));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let suites = std::mem::take(&mut self.suites);
        let all = || suites.iter().flat_map(|suite| &suite.cases);
        let Counts { tests, failures, errors, .. } = Counts::of(all());
        let document = html! {
            (DECLARATION)
            testsuites name="halfopen" tests=(tests) failures=(failures) errors=(errors) time=[time(all())] {
                (NEWLINE)
                @for suite in &suites { (suite) (NEWLINE) }
            }
            (NEWLINE)
        };
        self.out.write_all(markup::finish(document).as_bytes())?;
        self.out.flush()
    }
}

impl Render for Suite {
    fn render(&self) -> Markup {
        let Suite { file, cases } = self;
        let Counts { tests, failures, errors, skipped } = Counts::of(cases);
        // A bundled scenario is no file.
        let path = Path::new(file).extension().map(|_| file);
        html! {
            testsuite name=(plain(file)) tests=(tests) failures=(failures) errors=(errors) skipped=(skipped)
                time=[time(cases)] file=[path.map(|path| plain(path))]
            {
                (NEWLINE)
                @for case in cases { (case.render(&class(file))) (NEWLINE) }
            }
        }
    }
}

impl Case {
    fn render(&self, class: &str) -> Markup {
        let Case { name, result, output, .. } = self;
        html! {
            testcase name=(plain(name)) classname=(plain(class)) time=[time([self])] {
                // A text begins on a line of its own: a ladder is in columns.
                @match result {
                    CaseResult::Passed => {}
                    CaseResult::Failure(message, text) => failure type="failed" message=(message) {
                        (NEWLINE) (strip_str(text).to_string())
                    },
                    CaseResult::Error(kind, message, text) => error type=(kind) message=(message) {
                        (NEWLINE) (strip_str(text).to_string())
                    },
                    CaseResult::Skipped(why) => skipped message=(plain(why)) {},
                }
                @if !output.is_empty() { system-out { (output) } }
            }
        }
    }
}

/// How many test cases there are, and how many of each result.
#[derive(Debug, Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Counts {
        let mut counts = Counts::default();
        for case in cases {
            counts.tests += 1;
            match case.result {
                CaseResult::Passed => {}
                CaseResult::Failure(..) => counts.failures += 1,
                CaseResult::Error(..) => counts.errors += 1,
                CaseResult::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }
}

/// The time that cases took, in seconds; `None` if none began.
fn time<'a>(cases: impl IntoIterator<Item = &'a Case>) -> Option<String> {
    let took = cases.into_iter().filter_map(|case| case.time).reduce(Duration::saturating_add)?;
    Some(format!("{:.3}", took.as_secs_f64()))
}

fn result(record: &RunRecord) -> CaseResult {
    let Some(failure) = Failure::of(record) else { return CaseResult::Passed };
    let (message, text) = (failure.message(), failure.text());
    match failure.outcome {
        Outcome::Passed | Outcome::Failed => CaseResult::Failure(message, text),
        outcome @ (Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer) => {
            CaseResult::Error(outcome.name(), message, text)
        }
    }
}

/// What identifies the run, and its virtual time, a line each.
fn output(record: &RunRecord) -> String {
    let Some(started) = record.started() else { return String::new() };
    let mut lines = vec![
        ("scenario", started.scenario.clone()),
        ("variant", started.variant.clone()),
        ("seed", started.seed.to_string()),
        ("profile", record.options.profile.clone().unwrap_or_default()),
        ("version", started.version.clone()),
    ];
    if let Some(totals) = record.totals() {
        let time: Duration = words::from_proto(totals.virtual_time.as_ref());
        lines.push(("virtual time", words::duration(time)));
    }
    lines.retain(|(_, value)| !value.is_empty());
    lines.into_iter().map(|(name, value)| format!("{name}: {}\n", plain(&value))).collect()
}

/// A text in one line, without colours.
fn plain(text: &str) -> String {
    words::plain(&strip_str(text).to_string())
}

/// The name of the run in its suite: `dead-client/deaf (seed 7)` of `scenarios/keepalive/dead-client.yaml`.
fn name(record: &RunRecord) -> String {
    let stem = Path::new(&record.file).file_stem().map(|stem| stem.to_string_lossy());
    match (record.name.strip_prefix(&record.file), stem) {
        (Some(rest), Some(stem)) => format!("{stem}{rest}"),
        (None, _) | (_, None) => record.name.clone(),
    }
}

/// The file with dots, by which readers of JUnit group classes: `scenarios.keepalive.dead-client`.
fn class(file: &str) -> String {
    let parts = Path::new(file).with_extension("");
    let parts = parts.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_string_lossy().replace('.', "_")),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => None,
    });
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_class_and_its_runs_are_named_after_it() {
        for (file, run, class_name, case_name) in [
            ("scenarios/keepalive/dead-client.yaml", "", "scenarios.keepalive.dead-client", "dead-client"),
            ("./a.b/pool.v2.yaml", "/busy (seed 7)", "a_b.pool_v2", "pool.v2/busy (seed 7)"),
            ("/tmp/x.yaml", "", "tmp.x", "x"),
            ("../x.yaml", "", "x", "x"),
            ("keepalive/dead-client", "/deaf", "keepalive.dead-client", "dead-client/deaf"),
            ("standard input", "", "standard input", "standard input"),
        ] {
            let record = RunRecord { file: file.to_owned(), ..RunRecord::new(format!("{file}{run}")) };
            assert_eq!((class(file).as_str(), name(&record).as_str()), (class_name, case_name), "{file}");
        }
    }
}
