//! All runs as one HTML page, which is self-contained, can be read without JavaScript, and printed.

mod axis;
mod chart;
mod page;
mod section;
mod source;

use std::collections::BTreeMap;
use std::io::{self, Write};

use maud::{Markup, PreEscaped, html};

use self::section::Section;

use super::{Counts, Reporter};
use crate::markup;
use crate::picture::{Picture, PictureOptions};
use crate::record::{Outcome, RunRecord};
use crate::timeline::Timeline;
use crate::words;

/// After this many runs, those that passed have only a line in the table, so that a browser can show the page.
const MOST_IN_FULL: usize = 200;
/// Rows of a picture.
const ROWS: usize = 120;

/// Writes one page about all runs, after the last one.
#[derive(Debug)]
pub struct HtmlReporter<W> {
    out: W,
    counts: Counts,
    /// How often each id was used.
    ids: BTreeMap<String, usize>,
    /// The lines of the table and the sections, each with the rank of its outcome.
    table: Vec<(u8, Markup)>,
    sections: Vec<(u8, Section)>,
    /// The version of the service.
    version: Option<String>,
    /// When the runs were executed.
    date: Option<String>,
}

impl<W: Write> HtmlReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> HtmlReporter<W> {
        HtmlReporter {
            out,
            counts: Counts::default(),
            ids: BTreeMap::new(),
            table: Vec::new(),
            sections: Vec::new(),
            version: None,
            date: None,
        }
    }

    /// Says at the top of the page when the runs were executed. Without it, the page of the same runs is always the same.
    #[must_use]
    pub fn dated(self, date: String) -> HtmlReporter<W> {
        HtmlReporter { date: Some(date), ..self }
    }

    /// The id of the run in links: the same in every report, unless it runs more than once in one.
    fn id(&mut self, record: &RunRecord) -> String {
        let plain = |character: char| if character.is_ascii_alphanumeric() { character } else { '-' };
        let name: String = record.name.chars().map(plain).collect();
        let seed = record.started().map(|started| started.seed).or(record.options.seed);
        let seed = seed.map(|seed| format!("-seed-{seed}")).unwrap_or_default();
        let id = format!("run-{}{seed}", name.trim_matches('-'));
        let count = self.ids.entry(id.clone()).or_default();
        *count += 1;
        // Two dots: no name can bring them along.
        if *count == 1 { id } else { format!("{id}..{count}") }
    }
}

impl<W: Write> Reporter for HtmlReporter<W> {
    fn wants_source(&self) -> bool {
        true
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        let outcome = record.outcome();
        self.counts.add(outcome);
        if let Some(started) = record.started() {
            self.version.get_or_insert_with(|| started.version.clone());
        }
        let id = self.id(record);
        let in_full = outcome != Outcome::Passed || self.sections.len() < MOST_IN_FULL;
        self.table.push((rank(outcome), line(record, &id, in_full)));
        if in_full {
            let timeline = Timeline::new(&record.events);
            let options = PictureOptions { rows: ROWS, ..PictureOptions::default() };
            let picture = Picture::new(&timeline, &options);
            self.sections.push((rank(outcome), Section::new(record, &timeline, &picture, &id)));
        }
        Ok(())
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.counts.skipped += 1;
        let line = html! {
            tr data-state="skipped" {
                td data-key=(SKIPPED) { (badge("skipped", "calm")) }
                td { (name(record)) }
                td.number data-key=[record.options.seed] { @if let Some(seed) = record.options.seed { (seed) } }
                td colspan="3" { (why) }
            }
        };
        self.table.push((SKIPPED, line));
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        // What did not pass is first; otherwise the order is that of the runs.
        self.table.sort_by_key(|(rank, _)| *rank);
        self.sections.sort_by_key(|(rank, _)| *rank);
        let page = page::page(&page::Content {
            counts: self.counts,
            version: self.version.as_deref(),
            date: self.date.as_deref(),
            table: &self.table,
            sections: &self.sections,
        });
        self.out.write_all(markup::finish(page).as_bytes())?;
        self.out.flush()
    }
}

/// The line of a run in the table.
fn line(record: &RunRecord, id: &str, in_full: bool) -> Markup {
    let outcome = record.outcome();
    let seed = record.started().map(|started| started.seed).or(record.options.seed);
    let totals = record.totals();
    let title = record.started().map_or("", |started| started.title.as_str());
    let state = outcome.name();
    html! {
        tr data-state=(state) {
            td data-key=(rank(outcome)) { (badge(state, class(outcome))) }
            td {
                @if in_full { a href={ "#" (id) } { (name(record)) } } @else { (name(record)) }
                @if !title.is_empty() { span.title { (title) } }
            }
            td.number data-key=[seed] { @if let Some(seed) = seed { (seed) } }
            @if let Some(totals) = totals {
                @let (held, broken) = (totals.expectations_passed, totals.expectations_failed);
                @let time = words::from_proto(totals.virtual_time.as_ref());
                td.number data-key=(held) { (held) " of " (u64::from(held) + u64::from(broken)) }
                td.number data-key=(time.as_nanos()) { (words::duration(time)) }
                td.number data-key=(totals.segments_sent) { (totals.segments_sent) }
            } @else {
                td {} td {} td {}
            }
        }
    }
}

/// The name of a run, which a narrow page may break between its parts.
fn name(record: &RunRecord) -> Markup {
    html! {
        @for part in record.name.split_inclusive(['/', '-', '+', ' ']) { (part) wbr; }
    }
}

/// A word in a box.
fn badge(word: &str, class: &str) -> Markup {
    html! { span.badge.(class) { (word) } }
}

const fn class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "calm",
        Outcome::Failed => "bad",
        Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => "closing",
    }
}

/// The rank of runs that were left out.
const SKIPPED: u8 = 2;

/// The worst first.
const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Failed => 0,
        Outcome::Unfinished | Outcome::Invalid | Outcome::NotFound | Outcome::NoServer => 1,
        Outcome::Passed => 3,
    }
}

/// A part of the page that was made before.
fn made(markup: &Markup) -> PreEscaped<&str> {
    PreEscaped(markup.0.as_str())
}
