//! Why a run did not pass, and how to repeat it: the same for every report.

use std::time::Duration;

use anstream::adapter::strip_str;
use halfopen_proto::v1::{ExpectationResult, problem};

use super::help;
use crate::picture::text::{Paper, draw};
use crate::picture::{Picture, PictureOptions};
use crate::record::{Outcome, RunRecord, reference};
use crate::stopped::Stopped;
use crate::timeline::Timeline;
use crate::words;

/// Rows of the ladder around a deciding event.
const ROWS: usize = 20;
/// How many such ladders are shown; more would hide what happened.
pub(super) const LADDERS: usize = 3;

/// Why a run did not pass.
#[derive(Clone, Debug)]
pub struct Failure<'a> {
    record: &'a RunRecord,
    /// The outcome of the run.
    pub outcome: Outcome,
    /// The broken expectations, in the order of checking.
    pub broken: Vec<Broken<'a>>,
    /// Other problems: a fault that never fired, a limit, events that differ from an earlier run with the same seed.
    pub problems: Vec<String>,
    /// Why the run did not begin, or did not reach its end.
    pub error: Option<String>,
    /// The mistakes of the scenario at their places, if it is invalid.
    pub mistakes: Vec<&'a str>,
}

/// A broken expectation.
#[derive(Clone, Copy, Debug)]
pub struct Broken<'a> {
    /// What was expected, and what was found.
    pub result: &'a ExpectationResult,
    /// When it was decided; `None`: at the end of the run.
    pub time: Option<Duration>,
    /// The run.
    record: &'a RunRecord,
}

impl<'a> Broken<'a> {
    /// A result of a run.
    pub fn new(record: &'a RunRecord, result: &'a ExpectationResult) -> Broken<'a> {
        Broken { result, time: record.time_of_result(result), record }
    }

    /// What decided it: `event 15, at 40ms`.
    pub fn decided(&self) -> String {
        match (self.time, self.result.deciding_event) {
            (Some(time), 0) => format!("at {}", words::duration(time)),
            (Some(time), event) => format!("event {event}, at {}", words::duration(time)),
            (None, _) => "at the end of the run".to_owned(),
        }
    }

    /// Its place in the scenario: `dead-client.yaml:31`, or `dead-client.json: expect[0]` if that has only one line.
    pub fn place(&self) -> String {
        let expectation = reference(self.result);
        match expectation.line {
            0 => format!("{}: {}", self.record.file, expectation.path),
            line => format!("{}:{line}", self.record.file),
        }
    }

    /// What to write instead, if the scenario seems to say something else than it means.
    pub fn help(&self) -> Option<String> {
        help::on(self.record, self.result)
    }

    /// The ladder around the deciding event, with ANSI colours.
    pub fn ladder(&self, timeline: &Timeline, options: &PictureOptions, paper: Paper) -> String {
        // If no event in particular decided it, the end of the run is shown.
        let event = Some(self.result.deciding_event).filter(|event| *event > 0).unwrap_or(u64::MAX);
        draw(&Picture::around(timeline, options, event, ROWS), paper)
    }
}

impl<'a> Failure<'a> {
    /// Why the run did not pass; `None` if it did.
    pub fn of(record: &'a RunRecord) -> Option<Failure<'a>> {
        let outcome = record.outcome();
        if outcome == Outcome::Passed {
            return None;
        }
        let broken = record.expectations().filter(|result| !result.passed);
        let mistakes = match &record.stopped {
            Some(Stopped::Invalid { diagnostics, .. }) => {
                diagnostics.iter().map(|diagnostic| diagnostic.rendered.trim_end()).collect()
            }
            _ => Vec::new(),
        };
        Some(Failure {
            record,
            outcome,
            broken: broken.map(|result| Broken::new(record, result)).collect(),
            problems: record.problems(),
            error: record.stopped.as_ref().map(ToString::to_string),
            mistakes,
        })
    }

    /// The first reason in one line, and how many more there are.
    pub fn message(&self) -> String {
        let broken = self.broken.iter().map(|Broken { result, .. }| {
            format!("{}: expected {}, actual {}", result.text, words::expected(result), words::found(result))
        });
        let others = self.problems.iter().chain(&self.error).cloned();
        let all: Vec<String> = broken.chain(others).collect();
        let message = match all.as_slice() {
            [] => self.outcome.name().to_owned(),
            [only] => only.clone(),
            [first, more @ ..] => format!("{first} (and {} more)", more.len()),
        };
        words::plain(&strip_str(&message).to_string())
    }

    /// The reasons without anything that differs from seed to seed, so that runs that failed alike have the same ones.
    pub(super) fn reasons(&self) -> Vec<String> {
        let broken = self.broken.iter().map(|broken| broken.result.text.clone());
        let problems = self.record.finished().map_or(&[][..], |finished| &finished.problems);
        let problems = problems.iter().map(|problem| match problem.kind {
            Some(problem::Kind::DataMistaken(_)) => {
                "an application received other bytes than were sent".to_owned()
            }
            _ => words::problem(problem),
        });
        let difference =
            self.record.difference.iter().map(|_| "the same seed gave different events".to_owned());
        let mut reasons: Vec<String> = Vec::new();
        for reason in broken.chain(problems).chain(difference).chain(self.error.clone()) {
            // An expectation may be broken for several connections.
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// The ladders around the deciding events, each once, without colours.
    pub fn ladders(&self) -> Vec<String> {
        let timeline = Timeline::new(&self.record.events);
        let (options, paper) = (PictureOptions::default(), Paper::default());
        let plain = |broken: &Broken<'_>| strip_str(&broken.ladder(&timeline, &options, paper)).to_string();
        let mut ladders: Vec<String> = Vec::new();
        for broken in &self.broken {
            let ladder = plain(broken);
            if ladders.len() < LADDERS && !ladder.is_empty() && !ladders.contains(&ladder) {
                ladders.push(ladder);
            }
        }
        if self.broken.is_empty() {
            let end = draw(&Picture::around(&timeline, &options, u64::MAX, ROWS), paper);
            ladders.extend(Some(strip_str(&end).to_string()).filter(|ladder| !ladder.is_empty()));
        }
        ladders
    }

    /// Everything as plain text, a paragraph each: what was expected and what was found, the ladders, and the command
    /// that repeats the run.
    pub fn text(&self) -> String {
        let broken = self.broken.iter().map(|broken| {
            let (expected, actual) = (words::expected(broken.result), words::found(broken.result));
            let (text, decided, place) = (&broken.result.text, broken.decided(), broken.place());
            let help = broken.help().map(|help| format!("\n    help      {help}")).unwrap_or_default();
            format!(
                "✗ {text}\n    expected  {expected}\n    actual    {actual} ({decided}){help}\n    {place}"
            )
        });
        let mut paragraphs: Vec<String> = broken.collect();
        paragraphs.extend(self.problems.iter().map(|problem| format!("✗ {problem}")));
        paragraphs.extend(self.mistakes.iter().map(|mistake| (*mistake).to_owned()));
        paragraphs.extend(self.error.iter().filter(|_| self.mistakes.is_empty()).cloned());
        paragraphs.extend(self.ladders().iter().map(|ladder| ladder.trim_end().to_owned()));
        paragraphs.extend(self.record.command().map(|command| format!("repeat it with: {command}")));
        paragraphs.join("\n\n") + "\n"
    }
}
