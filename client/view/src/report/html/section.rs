//! Everything about one run.

use halfopen_proto::v1::ExpectationResult;
use maud::{Markup, html};

use super::super::Broken;
use super::{badge, chart, class, made, name, source};
use crate::explain::{ExplainOptions, Sentence, Subject, explain};
use crate::picture::{Picture, svg};
use crate::record::{Keepalive, Outcome, RunRecord, reference};
use crate::stopped::Stopped;
use crate::timeline::Timeline;
use crate::words;

/// The section of a run.
#[derive(Debug)]
pub(super) struct Section {
    id: String,
    /// Whether it is open at first.
    open: bool,
    summary: Markup,
    body: Markup,
}

impl Section {
    pub(super) fn new(record: &RunRecord, timeline: &Timeline, picture: &Picture, id: &str) -> Section {
        let outcome = record.outcome();
        let title = record.started().map_or("", |started| started.title.as_str());
        let summary = html! {
            (badge(outcome.name(), class(outcome)))
            h2 { (name(record)) }
            @if !title.is_empty() { span.title { (title) } }
        };
        let prefix = format!("{id}.");
        let body = html! {
            p { (facts(record)) }
            @if let Some(command) = record.command() { pre.command { code { (command) } } }
            (why(record))
            (expectations(record, picture, &prefix))
            @if !timeline.entries.is_empty() {
                (story(record, picture, &prefix))
                (chart::chart(record, timeline, &prefix))
                (keepalive(record, timeline))
                h3 { "What went over the wire" }
                div.wide { (svg::part(picture, &format!("{}: {title}", record.name), &prefix)) }
            }
            @if let Some(text) = &record.source {
                h3 { "The scenario" }
                (source::listing(record, text, &prefix))
            }
        };
        Section { id: id.to_owned(), open: outcome != Outcome::Passed, summary, body }
    }

    /// The part of the page, which can be closed.
    pub(super) fn draw(&self, only_one: bool) -> Markup {
        html! {
            details.run id=(self.id) open[self.open || only_one] {
                summary { (made(&self.summary)) }
                (made(&self.body))
            }
        }
    }
}

/// Seed and counts in a sentence.
fn facts(record: &RunRecord) -> String {
    let mut facts = Vec::new();
    facts.extend(record.started().map(|started| format!("seed {}", started.seed)));
    facts.extend(record.options.profile.as_ref().map(|profile| format!("profile {profile}")));
    match record.totals() {
        Some(totals) => {
            let time = words::duration(words::from_proto(totals.virtual_time.as_ref()));
            facts.push(format!("{time} of virtual time"));
            facts.push(words::count(totals.segments_sent, "segment"));
            facts.push(format!("{} lost", totals.segments_lost));
            facts.push(words::count(totals.retransmissions, "retransmission"));
        }
        None => facts.push(words::count(record.events.len() as u64, "event")),
    }
    facts.join(", ")
}

/// Why the run did not pass, besides broken expectations.
fn why(record: &RunRecord) -> Markup {
    let problems = record.problems();
    html! {
        @if !problems.is_empty() {
            ul.problems { @for problem in &problems { li { (problem) } } }
        }
        @if let Some(stopped) = &record.stopped {
            p.bad { (stopped) }
            @if let Stopped::Invalid { diagnostics, .. } = stopped {
                @for diagnostic in diagnostics { pre { (diagnostic.rendered) } }
            }
        }
    }
}

fn expectations(record: &RunRecord, picture: &Picture, prefix: &str) -> Markup {
    let results: Vec<&ExpectationResult> = record.expectations().collect();
    html! {
        @if !results.is_empty() {
            h3 { "Expectations" }
            ul.expectations {
                @for result in results {
                    li.failed[!result.passed] id={ (prefix) "expectation-" (reference(result).number) } {
                        (expectation(record, result, picture, prefix))
                    }
                }
            }
        }
    }
}

fn expectation(record: &RunRecord, result: &ExpectationResult, picture: &Picture, prefix: &str) -> Markup {
    let decided = match record.time_of_result(result) {
        Some(time) => format!("decided at {}", words::duration(time)),
        None => "decided at the end".to_owned(),
    };
    let row = Some(result.deciding_event).filter(|event| *event > 0);
    let row = row.and_then(|event| svg::row_of(picture, prefix, event));
    let (mark, colour) = if result.passed { ("✓", "calm") } else { ("✗", "bad") };
    let line = reference(result).line;
    let place = format!("line {line}");
    let listed =
        record.source.as_ref().is_some_and(|text| (1..=text.lines().count()).contains(&(line as usize)));
    html! {
        span.(colour) { (mark) } " "
        code { (unbroken_names(&result.text)) }
        @if !result.passed {
            dl {
                dt { "expected" } dd { (unbroken_names(&words::expected(result))) }
                dt { "actual" } dd { (unbroken_names(&words::found(result))) }
                @if let Some(help) = Broken::new(record, result).help() { dt { "help" } dd { (help) } }
            }
        }
        span.places {
            @if let Some(row) = row { a href={ "#" (row) } { (decided) } } @else { (decided) }
            @if listed {
                ", " a href={ "#" (prefix) "line-" (line) } { (place) }
            } @else if line > 0 {
                ", " (place)
            }
        }
    }
}

/// What happened, in sentences whose times lead to the rows of the picture. Broken expectations have been listed before.
fn story(record: &RunRecord, picture: &Picture, prefix: &str) -> Markup {
    let explanation = explain(record, ExplainOptions::default());
    let told = explanation.paragraphs.iter().filter(|paragraph| paragraph.subject != Subject::Broken);
    let row =
        |sentence: &Sentence| sentence.events.and_then(|(first, _)| svg::row_of(picture, prefix, first));
    html! {
        h3 { "What happened" }
        @for paragraph in told {
            @if paragraph.subject != Subject::Summary { h4 { (paragraph.heading) } }
            ul.story {
                @for sentence in &paragraph.sentences {
                    @let time = sentence.time();
                    li {
                        @if !time.is_empty() {
                            span.when {
                                @if let Some(row) = row(sentence) { a href={ "#" (row) } { (time) } } @else { (time) }
                            }
                            " "
                        }
                        (unbroken_names(&sentence.text))
                    }
                }
            }
        }
    }
}

/// The text, without line breaks inside names with hyphens, such as those of states.
fn unbroken_names(text: &str) -> Markup {
    html! {
        @for (index, word) in text.split(' ').enumerate() {
            @if index > 0 { " " }
            @if word.contains('-') { span.whole { (word) } } @else { (word) }
        }
    }
}

/// What keepalive found out, in words.
fn keepalive(record: &RunRecord, timeline: &Timeline) -> Markup {
    let several = timeline.connections > 1;
    let sentence = |found: &Keepalive| {
        let number = if several { format!(" #{}", found.connection) } else { String::new() };
        let error = found.error.as_ref().map(|error| format!(", {error}")).unwrap_or_default();
        let silence = words::silence(found.probes, found.silence);
        let (host, verdict, time) =
            (&found.host, words::keepalive(found.verdict), words::duration(found.time));
        format!("{host}{number}: {verdict} at {time} ({silence}){error}")
    };
    let found = record.keepalive();
    html! {
        @if !found.is_empty() {
            ul { @for found in found.iter().take(chart::CONNECTIONS) { li { "keepalive of " (sentence(found)) } } }
        }
    }
}
