//! Runs for people: a single run in full; several runs on a line each, then those that failed in full, then a
//! summary. Of many seeds, each kind of failure is shown once.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::Style;
use halfopen_proto::v1::{Event, ExpectationResult, KeepaliveVerdict, RunTotals};
use unicode_width::UnicodeWidthStr;

use super::batch::Batch;
use super::style::{BAD, BOLD, DIM, GOOD, style};
use super::{Broken, Counts, LADDERS, Reporter};
use crate::columns;
use crate::picture::text::{Drawing, Pace, Paper, draw, play};
use crate::picture::{Picture, PictureOptions, What};
use crate::record::{Keepalive, Outcome, RunRecord};
use crate::stopped::Stopped;
use crate::timeline::Timeline;
use crate::words::{self, plain};

/// How many of the runs that did not pass are shown in full.
const MOST_IN_FULL: usize = 20;

/// How runs are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextOptions {
    /// Whether more than one run will come.
    pub several: bool,
    /// Width of the longest name of a run in columns, if there are several runs.
    pub names: usize,
    /// Whether runs that passed are only counted, if there are several runs.
    pub quiet: bool,
    /// Whether the runs of a scenario, which differ in their seeds, are summed up: the kinds of failures with their
    /// seeds, and one run of each kind.
    pub by_scenario: bool,
    /// What pictures show.
    pub picture: PictureOptions,
    /// What pictures are drawn on.
    pub paper: Paper,
    /// How many columns a line of text has, which is broken between words; `None`: any number.
    pub columns: Option<usize>,
    /// How fast a run is played in time; `None`: it is not.
    pub pace: Option<Pace>,
}

/// How many events of an interrupted run are drawn.
const DRAWN_OF_INTERRUPTED: usize = 20_000;

/// Waits for a time. Returns `false` if the user does not want to see more.
pub type Wait = fn(Duration) -> bool;

/// Writes runs as text with ANSI colours, to a stream that strips them if they are not wanted.
#[derive(Debug)]
pub struct TextReporter<W> {
    out: W,
    options: TextOptions,
    wait: Wait,
    counts: Counts,
    /// The virtual time of all runs.
    time: Duration,
    /// The runs that are summed up at the moment.
    batch: Option<Batch>,
    /// Why runs were left out, if any were.
    left_out: Option<String>,
    /// The text of the runs that are shown in full at the end.
    later: Vec<u8>,
    /// How many these are, and how many more did not pass.
    shown: usize,
    hidden: usize,
}

impl<W: Write> TextReporter<W> {
    /// Writes to `out`, and waits with `wait` if a run is played.
    pub fn new(out: W, options: TextOptions, wait: Wait) -> TextReporter<W> {
        let (counts, time) = (Counts::default(), Duration::ZERO);
        TextReporter {
            out,
            options,
            wait,
            counts,
            time,
            batch: None,
            left_out: None,
            later: Vec::new(),
            shown: 0,
            hidden: 0,
        }
    }

    /// One of several runs: a line now, and everything later if it did not pass.
    fn one_of_several(&mut self, record: &RunRecord) -> io::Result<()> {
        let outcome = record.outcome();
        let mut is_example = true;
        if self.options.by_scenario {
            is_example = self.batch(record)?;
        } else if outcome != Outcome::Passed || !self.options.quiet {
            self.line(record)?;
        }
        if !matches!(outcome, Outcome::Failed | Outcome::Unfinished) || record.started().is_none() {
            return Ok(());
        }
        if self.shown == MOST_IN_FULL || !is_example {
            self.hidden += 1;
            return Ok(());
        }
        self.shown += 1;
        writeln!(self.later)?;
        full(&mut self.later, record, &self.options, self.wait)
    }

    /// Adds a run to those of its scenario. Returns whether it is the first of its kind of failure.
    fn batch(&mut self, record: &RunRecord) -> io::Result<bool> {
        if self.batch.as_ref().is_some_and(|batch| !batch.includes(record)) {
            self.end_batch()?;
        }
        Ok(self.batch.get_or_insert_with(|| Batch::of(record)).add(record))
    }

    /// Writes the runs of a scenario.
    fn end_batch(&mut self) -> io::Result<()> {
        match self.batch.take() {
            Some(batch) if !batch.passed() || !self.options.quiet => {
                batch.write(&mut self.out, self.options.names)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The summary of all runs.
    fn summary(&mut self) -> io::Result<()> {
        self.end_batch()?;
        self.out.write_all(&std::mem::take(&mut self.later))?;
        if self.hidden > 0 {
            let (shown, all) = (self.shown, self.shown + self.hidden);
            writeln!(self.out, "\n{DIM}showing {shown} of {all} failed runs{DIM:#}")?;
        }
        write!(self.out, "\n{BOLD}{}{BOLD:#}", self.counts.sentence())?;
        if let Some(why) = &self.left_out {
            write!(self.out, " ({why})")?;
        }
        if !self.time.is_zero() {
            write!(self.out, "{DIM}, {} of virtual time{DIM:#}", words::duration(self.time))?;
        }
        writeln!(self.out)
    }

    /// The run on a line.
    fn line(&mut self, record: &RunRecord) -> io::Result<()> {
        let outcome = record.outcome();
        let (name, style) = (outcome.name(), style(outcome));
        write!(
            self.out,
            "{style}{name:<10}{style:#} {:<width$}",
            plain(&record.name),
            width = self.options.names
        )?;
        match (record.totals(), &record.stopped) {
            (Some(totals), _) => write!(self.out, "  {DIM}{}{DIM:#}", short(totals))?,
            (None, Some(error)) => write!(self.out, "  {DIM}{}{DIM:#}", plain(&error.to_string()))?,
            (None, None) => {}
        }
        writeln!(self.out)
    }
}

impl<W: Write> Reporter for TextReporter<W> {
    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.counts.add(record.outcome());
        if let Some(totals) = record.totals() {
            self.time = self.time.saturating_add(words::from_proto(totals.virtual_time.as_ref()));
        }
        match self.options.several {
            true => self.one_of_several(record)?,
            false => full(&mut self.out, record, &self.options, self.wait)?,
        }
        self.out.flush()
    }

    fn skipped(&mut self, _record: &RunRecord, why: &str) -> io::Result<()> {
        self.counts.skipped += 1;
        self.left_out.get_or_insert_with(|| why.to_owned());
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.options.several {
            self.summary()?;
        }
        self.out.flush()
    }
}

/// The run in full.
fn full(out: &mut dyn Write, record: &RunRecord, options: &TextOptions, wait: Wait) -> io::Result<()> {
    let Some(started) = record.started() else { return Ok(()) };
    let name = plain(&words::run(&started.scenario, &started.variant));
    let title = plain(&started.title);
    let seed = format!("(seed {})", started.seed);
    let name = if title.is_empty() { name } else { format!("{name}:") };
    let heading = [(BOLD, name.as_str()), (Style::new(), title.as_str()), (DIM, seed.as_str())];
    words_on_lines(out, options.columns, &heading)?;
    writeln!(out)?;
    let drawn = drawn(record);
    let timeline = Timeline::new(drawn);
    let picture = Picture::new(&timeline, &options.picture);
    match options.pace {
        Some(pace) => {
            if !play(out, &Drawing::new(&picture, options.paper), pace, &mut |time| wait(time))? {
                return writeln!(out);
            }
        }
        None => write!(out, "{}", draw(&picture, options.paper))?,
    }
    if drawn.len() < record.events.len() {
        let (drawn, all) = (drawn.len(), words::count(record.events.len() as u64, "event"));
        writeln!(out, "{DIM}showing the first {drawn} of {all}{DIM:#}")?;
    }
    if let Err(error) = options.picture.selection.check(&timeline) {
        writeln!(out, "{BAD}{error}{BAD:#}")?;
    }
    writeln!(out)?;
    results(out, record, &timeline, &picture, options)?;
    if let (Outcome::Failed, Some(command)) = (record.outcome(), record.command()) {
        writeln!(out, "{DIM}repeat it with: {}{DIM:#}", plain(&command))?;
    }
    Ok(())
}

/// Writes what came of a run that is already drawn: what keepalive found out, the expectations, the verdict.
///
/// # Errors
/// Those of `out`.
pub fn outcome(out: &mut dyn Write, record: &RunRecord, options: &TextOptions) -> io::Result<()> {
    let timeline = Timeline::new(&record.events);
    let picture = Picture::new(&timeline, &options.picture);
    results(out, record, &timeline, &picture, options)
}

/// What came of a run, with parts of its picture that were left out.
fn results(
    out: &mut dyn Write,
    record: &RunRecord,
    timeline: &Timeline,
    picture: &Picture,
    options: &TextOptions,
) -> io::Result<()> {
    let several = timeline.connections > 1;
    for found in record.keepalive() {
        let (host, what) = keepalive(&found, several);
        words_on_lines(out, options.columns, &[(BOLD, &host), (Style::new(), &what)])?;
    }
    let mut ladders = LADDERS;
    for result in record.expectations() {
        expectation(out, record, result, options.columns)?;
        if !result.passed && ladders > 0 && leaves_out(picture, result.deciding_event) {
            ladders -= 1;
            let ladder = Broken::new(record, result).ladder(timeline, &options.picture, options.paper);
            writeln!(out, "\n{ladder}")?;
        }
    }
    for problem in record.problems() {
        words_on_lines(out, options.columns, &[(BAD, "✗"), (Style::new(), &plain(&problem))])?;
    }
    verdict(out, record, options.columns)
}

/// How far the second and later lines of a text are indented.
const INDENT: usize = 2;

/// Writes words, each in its style, on lines of this many columns.
fn words_on_lines(out: &mut dyn Write, columns: Option<usize>, spans: &[(Style, &str)]) -> io::Result<()> {
    indented(out, columns, INDENT, spans)
}

/// Writes what a label says something about, on lines beside it.
fn labelled(
    out: &mut dyn Write,
    columns: Option<usize>,
    label: &str,
    spans: &[(Style, &str)],
) -> io::Result<()> {
    write!(out, "    {label:<10}")?;
    indented(out, columns, 14, spans)
}

/// Writes words on lines; the second and later ones are indented, and as much room is left on the first.
fn indented(
    out: &mut dyn Write,
    columns: Option<usize>,
    indent: usize,
    spans: &[(Style, &str)],
) -> io::Result<()> {
    let words = spans.iter().filter(|(_, text)| !text.is_empty());
    let words: Vec<(Style, &str)> =
        words.flat_map(|(style, text)| columns::words(text).map(|word| (*style, word))).collect();
    let width = columns.map_or(usize::MAX, |columns| columns.saturating_sub(indent));
    for (number, line) in
        columns::lines(words.iter().map(|(_, word)| word.width()), width).into_iter().enumerate()
    {
        let blanks = if number > 0 { indent } else { 0 };
        write!(out, "{:blanks$}", "")?;
        let mut now = Style::new();
        for (index, (style, word)) in words[line].iter().enumerate() {
            let gap = if index > 0 { " " } else { "" };
            if *style == now {
                write!(out, "{gap}{word}")?;
            } else {
                write!(out, "{now:#}{gap}{style}{word}")?;
            }
            now = *style;
        }
        writeln!(out, "{now:#}")?;
    }
    Ok(())
}

/// The events to draw: only the first ones of a long run that was interrupted, because its user does not wait.
fn drawn(record: &RunRecord) -> &[Event] {
    match &record.stopped {
        Some(Stopped::Interrupted) => record.events.get(..DRAWN_OF_INTERRUPTED).unwrap_or(&record.events),
        _ => &record.events,
    }
}

fn expectation(
    out: &mut dyn Write,
    record: &RunRecord,
    result: &ExpectationResult,
    columns: Option<usize>,
) -> io::Result<()> {
    let text = plain(&result.text);
    if result.passed {
        return words_on_lines(out, columns, &[(GOOD, "✓"), (Style::new(), &text)]);
    }
    let broken = Broken::new(record, result);
    words_on_lines(out, columns, &[(BAD, "✗"), (BAD, &text)])?;
    let (expected, found) = (plain(&words::expected(result)), plain(&words::found(result)));
    let decided = format!("({})", broken.decided());
    labelled(out, columns, "expected", &[(Style::new(), &expected)])?;
    labelled(out, columns, "actual", &[(Style::new(), &found), (DIM, &decided)])?;
    if let Some(help) = broken.help() {
        labelled(out, columns, "help", &[(Style::new(), &plain(&help))])?;
    }
    writeln!(out, "    {DIM}{}{DIM:#}", plain(&broken.place()))
}

/// Whether the picture has no room for the event. 0 is the end, which is always shown.
fn leaves_out(picture: &Picture, event: u64) -> bool {
    let omitted = picture.rows.iter().position(|row| matches!(row.what, What::Omitted(_)));
    omitted.is_some_and(|at| {
        let (before, after) = (&picture.rows[..at], &picture.rows[at..]);
        let last = before.iter().rev().find_map(|row| row.events.last());
        let next = after.iter().find_map(|row| row.events.first());
        event > last.copied().unwrap_or(0) && next.is_some_and(|next| event < *next)
    })
}

fn verdict(out: &mut dyn Write, record: &RunRecord, columns: Option<usize>) -> io::Result<()> {
    let outcome = record.outcome();
    let (name, style) = (outcome.name(), style(outcome));
    let (name, totals) = match record.totals() {
        Some(totals) => (format!("{name}:"), summary(totals)),
        None => (name.to_owned(), format!("after {}", words::count(record.events.len() as u64, "event"))),
    };
    words_on_lines(out, columns, &[(style, &name), (Style::new(), &totals)])
}

/// The most important totals of a run.
fn short(totals: &RunTotals) -> String {
    let checked = u64::from(totals.expectations_passed) + u64::from(totals.expectations_failed);
    let expectations = format!("{} of {}", totals.expectations_passed, words::count(checked, "expectation"));
    format!("{expectations}, {}", words::duration(words::from_proto(totals.virtual_time.as_ref())))
}

/// The totals of a run in a line.
fn summary(totals: &RunTotals) -> String {
    let mut parts =
        vec![format!("{} of virtual time", short(totals)), words::count(totals.segments_sent, "segment")];
    if totals.retransmissions > 0 {
        parts.push(format!("{} retransmitted", totals.retransmissions));
    }
    if totals.segments_lost > 0 {
        parts.push(format!("{} lost", totals.segments_lost));
    }
    parts.join(", ")
}

/// What keepalive found out, in one sentence: whose it is, and what it found.
fn keepalive(found: &Keepalive, several_connections: bool) -> (String, String) {
    let connection =
        if several_connections { format!(" on connection {}", found.connection) } else { String::new() };
    let whose = format!("{} keepalive{connection}:", plain(&found.host));
    let probes = words::count(found.probes.into(), "probe");
    let silence = format!("{} after the last segment", words::duration(found.silence));
    let what = match found.verdict {
        KeepaliveVerdict::Unspecified => String::new(),
        KeepaliveVerdict::Probing => format!("{probes}, no answer"),
        KeepaliveVerdict::Alive => "the peer answered".to_owned(),
        KeepaliveVerdict::Reset | KeepaliveVerdict::Dead => format!("{probes}, {silence}"),
    };
    let mut text = format!("{}: {what}", words::keepalive(found.verdict));
    if let Some(error) = &found.error {
        text.push_str(&format!(", {}", plain(error)));
    }
    (whose, text)
}
