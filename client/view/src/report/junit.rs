//! JUnit XML, as GitLab and Jenkins read it.

use std::io::{self, Write};
use std::path::{Component, Path};
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use super::{Failure, Reporter};
use crate::record::{Outcome, RunRecord};
use crate::words;

/// Writes a JUnit report: a suite for each scenario file, a test case for each run.
///
/// A broken expectation is a `failure`; what prevented the beginning or the end of a run is an `error`; a run that
/// was left out is `skipped`. Times are wall times, which readers of such reports compare; virtual time is a
/// property.
#[derive(Debug)]
pub struct JunitReporter<W> {
    out: W,
    suites: Vec<TestSuite>,
}

impl<W: Write> JunitReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> JunitReporter<W> {
        JunitReporter { out, suites: Vec::new() }
    }

    fn add(&mut self, record: &RunRecord, case: TestCase) {
        let name = xml(&record.file);
        // Runs of a file mostly come together.
        let index = self.suites.iter().rposition(|suite| suite.name == name).unwrap_or_else(|| {
            self.suites.push(TestSuite::new(name));
            self.suites.len() - 1
        });
        let suite = &mut self.suites[index];
        if let Some(time) = record.took {
            suite.set_time(suite.time.unwrap_or_default() + time);
        }
        suite.add_test_case(case);
    }
}

impl<W: Write> Reporter for JunitReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        let mut case = case(record, status(record));
        for (name, value) in properties(record) {
            case.add_property((xml(name), xml(&value)));
        }
        if let Some(time) = record.took {
            case.set_time(time);
        }
        self.add(record, case);
        Ok(())
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        let mut status = TestCaseStatus::skipped();
        status.set_message(xml(why));
        self.add(record, case(record, status));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        let mut report = Report::new("halfopen");
        if let Some(time) = self.suites.iter().filter_map(|suite| suite.time).reduce(|all, time| all + time) {
            report.set_time(time);
        }
        report.add_test_suites(std::mem::take(&mut self.suites));
        let text = report.to_string().map_err(io::Error::other)?;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn case(record: &RunRecord, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml(&name(record)), status);
    case.set_classname(xml(&class(&record.file)));
    // GitLab links it. A bundled scenario is no file.
    if Path::new(&record.file).extension().is_some() {
        case.extra.insert(xml("file"), xml(&record.file));
    }
    case
}

fn status(record: &RunRecord) -> TestCaseStatus {
    let Some(failure) = Failure::of(record) else { return TestCaseStatus::success() };
    let kind = match failure.outcome {
        Outcome::Passed | Outcome::Failed => NonSuccessKind::Failure,
        Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => {
            NonSuccessKind::Error
        }
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(xml(&failure.message())).set_type(failure.outcome.name());
    // Begins on a line of its own: a ladder is in columns.
    status.set_description(xml(&format!("\n{}", failure.text())));
    status
}

/// What identifies the run, and its virtual time.
fn properties(record: &RunRecord) -> Vec<(&'static str, String)> {
    let Some(started) = record.started() else { return Vec::new() };
    let mut properties = vec![
        ("scenario", started.scenario.clone()),
        ("variant", started.variant.clone()),
        ("seed", started.seed.to_string()),
        ("profile", record.options.profile.clone().unwrap_or_default()),
        ("version", started.version.clone()),
    ];
    if let Some(totals) = record.totals() {
        let time: Duration = words::from_proto(totals.virtual_time.as_ref());
        properties.push(("virtual-time", words::duration(time)));
    }
    properties.retain(|(_, value)| !value.is_empty());
    properties
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

/// Text without characters that XML cannot have.
fn xml(text: &str) -> XmlString {
    XmlString::new(text.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
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
