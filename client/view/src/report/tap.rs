//! The Test Anything Protocol, version 13.

use std::io::{self, Write};

use super::{Broken, Failure, Reporter};
use crate::record::{Outcome, RunRecord};
use crate::stopped::Stopped;
use crate::words::{self, plain};

const VERSION: &str = "TAP version 13";

/// Writes TAP 13: a line for each run as it ends, with its failures as YAML below it, and the plan at the end.
///
/// `prove` refuses version 14, and readers of that version accept this one.
#[derive(Debug)]
pub struct TapReporter<W> {
    out: W,
    runs: usize,
    /// Nothing may follow `Bail out!`.
    bailed: bool,
}

impl<W: Write> TapReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> TapReporter<W> {
        TapReporter { out, runs: 0, bailed: false }
    }

    /// A test line. Its number is that of the run.
    fn line(&mut self, passed: bool, record: &RunRecord, directive: &str) -> io::Result<()> {
        if self.runs == 0 {
            writeln!(self.out, "{VERSION}")?;
        }
        self.runs += 1;
        let not = if passed { "" } else { "not " };
        writeln!(self.out, "{not}ok {} - {}{directive}", self.runs, escaped(&record.name))
    }
}

impl<W: Write> Reporter for TapReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        if self.bailed {
            return Ok(());
        }
        let failure = Failure::of(record);
        self.line(failure.is_none(), record, "")?;
        if let Some(failure) = failure {
            self.out.write_all(diagnostics(record, &failure).as_bytes())?;
        }
        if let Some(stopped @ (Stopped::NoServer(_) | Stopped::Interrupted)) = &record.stopped {
            writeln!(self.out, "Bail out! {}", escaped(&stopped.to_string()))?;
            self.bailed = true;
        }
        self.out.flush()
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        if self.bailed {
            return Ok(());
        }
        self.line(true, record, &format!(" # SKIP {}", escaped(why)))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.runs == 0 {
            writeln!(self.out, "{VERSION}")?;
        }
        if !self.bailed {
            writeln!(self.out, "1..{}", self.runs)?;
        }
        self.out.flush()
    }
}

/// The failures as a block of YAML: the first at the top, for readers that know `expected` and `actual`.
fn diagnostics(record: &RunRecord, failure: &Failure<'_>) -> String {
    let mut yaml = Yaml { text: "  ---\n".to_owned() };
    yaml.pair(2, "message", &failure.message());
    let severity = if failure.outcome == Outcome::Failed { "fail" } else { "error" };
    yaml.pair(2, "severity", severity);
    if let Some((first, others)) = failure.broken.split_first() {
        yaml.broken(2, first);
        if !others.is_empty() {
            yaml.key(2, "others");
        }
        for other in others {
            yaml.pair(4, "- expectation", &other.result.text);
            yaml.broken(6, other);
        }
    }
    yaml.list(2, "problems", failure.problems.iter().map(String::as_str));
    yaml.list(2, "mistakes", failure.mistakes.iter().copied());
    if let Some(command) = record.command() {
        yaml.pair(2, "rerun", &command);
    }
    if let Some(ladder) = failure.ladders().first() {
        // One line each: not every reader knows YAML blocks.
        yaml.list(2, "ladder", ladder.lines());
    }
    yaml.text + "  ...\n"
}

/// A YAML text. Strings are quoted as in JSON, which YAML reads.
struct Yaml {
    text: String,
}

impl Yaml {
    fn broken(&mut self, indent: usize, broken: &Broken<'_>) {
        self.pair(indent, "expected", &words::expected(broken.result));
        self.pair(indent, "actual", &words::found(broken.result));
        self.pair(indent, "decided", &broken.decided());
        broken.help().into_iter().for_each(|help| self.pair(indent, "help", &help));
        self.pair(indent, "at", &broken.place());
    }

    fn key(&mut self, indent: usize, key: &str) {
        self.text.push_str(&format!("{:indent$}{key}:\n", ""));
    }

    fn pair(&mut self, indent: usize, key: &str, value: &str) {
        self.text.push_str(&format!("{:indent$}{key}: {}\n", "", string(value)));
    }

    /// Nothing if there are no items.
    fn list<'a>(&mut self, indent: usize, key: &str, items: impl Iterator<Item = &'a str>) {
        for (index, item) in items.enumerate() {
            if index == 0 {
                self.key(indent, key);
            }
            self.text.push_str(&format!("{:indent$}  - {}\n", "", list_item(item)));
        }
    }
}

/// A double-quoted string. JSON leaves some characters as they are that YAML does not allow.
fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\u{feff}' | '\u{fffe}' | '\u{ffff}' => quoted.push('\u{fffd}'),
            other if other.is_control() => quoted.push_str(&format!("\\x{:02x}", u32::from(other))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A string as an item of a list. `prove` would take a first word with a colon for a key, quoted or not.
fn list_item(text: &str) -> String {
    let quoted = string(text);
    let word = quoted.find(' ').unwrap_or(quoted.len());
    let blanks = quoted[word..].len() - quoted[word..].trim_start_matches(' ').len();
    let colon = if quoted[word + blanks..].starts_with(':') { word + blanks + 1 } else { word };
    match quoted[..colon].strip_suffix(':') {
        Some(key) => format!("{key}\\x3a{}", &quoted[colon..]),
        None => quoted,
    }
}

/// Text on a test line: without line breaks, and without the beginning of a directive.
fn escaped(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('#', "\\#")
}
