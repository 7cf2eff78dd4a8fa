//! Reads recordings, which `halfopen run -o ndjson` writes: every event as proto3 JSON, one per line.
//!
//! A file may have several runs, one after another. Its last run may be cut off, for example because its writer was
//! interrupted: that is an unfinished run. Fields and kinds of events that only a newer version knows are left out,
//! and named in [`Recording::unknown`].

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};

use halfopen_proto::v1::{Event, RunStarted, event::Kind};

use crate::record::{RunOptions, RunRecord};
use crate::words;

/// The maximum length of a line in bytes: the end of a run with tens of thousands of connections is long.
const MAX_LINE: u64 = 64 << 20;
/// How many names of unknown fields are kept.
const MAX_UNKNOWN: usize = 20;

/// The runs of a recording.
#[derive(Debug, Default)]
pub struct Recording {
    /// The runs, in the order of the file. They have no argument that would repeat them.
    pub runs: Vec<RunRecord>,
    /// What a newer version wrote and this one does not know, by its path: `segmentSent.colour`. Sorted, and at most
    /// twenty.
    pub unknown: BTreeSet<String>,
    /// Whether the last line is cut off; it is left out.
    pub cut_off: bool,
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file does not exist or cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// A line is not an event.
    #[error("line {line}: {reason}; a recording is what `halfopen run -o ndjson` writes")]
    NoEvent {
        /// The line, from 1.
        line: u64,
        /// Why not, with the column.
        reason: String,
    },
    /// An event cannot stand where it stands.
    #[error("line {line}: {reason}; a recording must have all events of a run, in order")]
    Order {
        /// The line, from 1.
        line: u64,
        /// What is there, and what was expected.
        reason: String,
    },
    /// It has no events.
    #[error("it has no events; a recording is what `halfopen run -o ndjson` writes")]
    Empty,
}

/// Reads the runs of a recording.
pub fn read(mut reader: impl BufRead) -> Result<Recording, RecordingError> {
    let mut recording = Recording::default();
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        if reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut text)? == 0 {
            break;
        }
        if text.len() as u64 == MAX_LINE && !text.ends_with(b"\n") {
            let reason = format!("it is longer than {} MiB", MAX_LINE >> 20);
            return Err(RecordingError::NoEvent { line, reason });
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        match recording.parse(&text) {
            Ok(event) => recording.add(line, event)?,
            // What was being written when the writer was stopped.
            Err(error) if error.is_eof() && !text.ends_with(b"\n") && !recording.runs.is_empty() => {
                recording.cut_off = true;
            }
            Err(error) => return Err(no_event(line, &error)),
        }
    }
    if recording.runs.is_empty() {
        return Err(RecordingError::Empty);
    }
    Ok(recording)
}

impl Recording {
    fn parse(&mut self, text: &[u8]) -> Result<Event, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let event = serde_ignored::deserialize(&mut json, |path| {
            if self.unknown.len() < MAX_UNKNOWN {
                self.unknown.insert(place(&path));
            }
        })?;
        json.end()?;
        Ok(event)
    }

    fn add(&mut self, line: u64, event: Event) -> Result<(), RecordingError> {
        let wrong = |reason| Err(RecordingError::Order { line, reason });
        if let Some(Kind::RunStarted(started)) = &event.kind {
            if event.sequence != 1 {
                return wrong(format!("a run begins with event {} instead of 1", event.sequence));
            }
            self.runs.push(record(started));
        }
        let Some(run) = self.runs.last_mut() else {
            return wrong("the first event is not runStarted".to_owned());
        };
        let expected = run.events.len() as u64 + 1;
        if run.finished().is_some() {
            return wrong("only another run may follow runFinished".to_owned());
        }
        if event.sequence != expected {
            return wrong(format!("event {} is where {expected} was expected", event.sequence));
        }
        run.events.push(event);
        Ok(())
    }
}

fn no_event(line: u64, error: &serde_json::Error) -> RecordingError {
    // The error ends with its position in the line, which it calls line 1.
    let text = error.to_string();
    let what = text.split(" at line 1 column ").next().unwrap_or(&text);
    RecordingError::NoEvent { line, reason: format!("{what} (column {})", error.column()) }
}

fn record(started: &RunStarted) -> RunRecord {
    let RunStarted { scenario, variant, .. } = started;
    let name = words::run(scenario, variant);
    let variant = (!variant.is_empty()).then(|| variant.clone());
    let options = RunOptions { variant, seed: Some(started.seed), ..RunOptions::default() };
    RunRecord { argument: None, file: scenario.clone(), options, ..RunRecord::new(name) }
}

/// The path of something unknown, without what serde adds.
fn place(path: &serde_ignored::Path<'_>) -> String {
    path.to_string().split('.').filter(|part| *part != "?").collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Outcome;

    const STARTED: &str =
        r#"{"sequence":"1","time":"0s","runStarted":{"scenario":"s","variant":"v","seed":"7"}}"#;
    const FINISHED: &str = r#"{"sequence":"2","time":"1s","runFinished":{"verdict":"VERDICT_PASSED"}}"#;

    fn read_text(text: &str) -> Result<Recording, String> {
        read(text.as_bytes()).map_err(|error| error.to_string())
    }

    #[test]
    fn several_runs_follow_each_other() {
        let recording = read_text(&format!("{STARTED}\n{FINISHED}\n\n{STARTED}\r\n{FINISHED}")).unwrap();
        let names: Vec<_> = recording.runs.iter().map(|run| (run.name.as_str(), run.outcome())).collect();
        assert_eq!(names, [("s/v", Outcome::Passed), ("s/v", Outcome::Passed)]);
        assert!(recording.unknown.is_empty() && !recording.cut_off);
        assert_eq!(recording.runs[0].argument, None, "nothing would repeat it");
    }

    #[test]
    fn a_run_that_is_cut_off_did_not_finish() {
        let half = &FINISHED[..30];
        for (text, cut_off) in [(STARTED.to_owned(), false), (format!("{STARTED}\n{half}"), true)] {
            let recording = read_text(&text).unwrap();
            assert_eq!(recording.runs[0].outcome(), Outcome::Unfinished, "{text}");
            assert_eq!(recording.cut_off, cut_off, "{text}");
        }
        // The next run begins, as after a server that was lost.
        let recording = read_text(&format!("{STARTED}\n{STARTED}\n{FINISHED}\n")).unwrap();
        let outcomes: Vec<_> = recording.runs.iter().map(RunRecord::outcome).collect();
        assert_eq!(outcomes, [Outcome::Unfinished, Outcome::Passed]);
    }

    #[test]
    fn what_a_newer_version_adds_is_reported() {
        let newer =
            r#"{"sequence":"2","host":"a","mood":1,"segmentSent":{"segment":"1","flags":{"ns":true}}}"#;
        let kind = r#"{"sequence":"3","weatherChanged":{"rain":true}}"#;
        let recording = read_text(&format!("{STARTED}\n{newer}\n{kind}\n")).unwrap();
        let unknown: Vec<_> = recording.unknown.iter().map(String::as_str).collect();
        assert_eq!(unknown, ["mood", "segmentSent.flags.ns", "weatherChanged"]);
        assert_eq!(recording.runs[0].events.len(), 3);
        assert_eq!(recording.runs[0].events[2].kind, None);
    }

    #[test]
    fn what_is_no_recording_is_refused_with_its_line() {
        let unknown = r#"{"sequence":"2","stateTransition":{"after":"TCP_STATE_ASLEEP"}}"#;
        for (text, expected) in [
            ("", "it has no events"),
            ("scenario: x", "line 1: expected value (column 1)"),
            (r#"{"run":"dead-client","verdict":"passed"}"#, "line 1: the first event is not runStarted"),
            (&format!("{STARTED}\n{STARTED} x\n"), "line 2: trailing characters"),
            (&format!("{STARTED}\n{{\"sequence\"\n"), "line 2: EOF while parsing an object"),
            (&format!("{STARTED}\n{}", FINISHED.replace('2', "3")), "line 2: event 3 is where 2 was"),
            (
                &format!("{STARTED}\n{FINISHED}\n{}", FINISHED.replace('2', "3")),
                "line 3: only another run may follow runFinished",
            ),
            (FINISHED, "line 1: the first event is not runStarted"),
            (&STARTED.replacen('1', "5", 1), "line 1: a run begins with event 5"),
            (&format!("{STARTED}\n{unknown}\n"), "line 2: unknown variant `TCP_STATE_ASLEEP`"),
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
    }
}
