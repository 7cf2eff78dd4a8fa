//! The text of the scenario, with what happened at its lines.

use std::collections::BTreeMap;

use halfopen_proto::v1::event::Kind;
use maud::{Markup, html};

use crate::record::RunRecord;
use crate::words;

/// What happened at a line, which is shown beside it.
#[derive(Default)]
struct Mark {
    passed: usize,
    failed: usize,
    faults: usize,
    steps: usize,
    errors: usize,
    /// When, of the first few.
    moments: Vec<String>,
}

/// How many moments of a line are shown.
const MOMENTS: usize = 6;

/// The text as a list of lines. Their ids begin with `prefix`.
pub(super) fn listing(record: &RunRecord, text: &str, prefix: &str) -> Markup {
    let marks = marks(record);
    let mut number = 0;
    html! {
        ol.source {
            @for line in text.lines() {
                @let mark = { number += 1; marks.get(&number) };
                @let comment = line.trim_start().starts_with('#');
                li.comment[comment].fired[mark.is_some()].failed[mark.is_some_and(|mark| mark.failed > 0)]
                    id={ (prefix) "line-" (number) } {
                    @if let Some(mark) = mark { (happened(mark)) }
                    code { (line) }
                }
            }
        }
    }
}

fn happened(mark: &Mark) -> Markup {
    let many = |count: usize| if count > 1 { format!("×{count}") } else { String::new() };
    html! {
        span.mark title=(mark.moments.join("; ")) {
            @if mark.failed > 0 { span.bad { "✗" } }
            @if mark.passed > 0 { span.calm { "✓" } }
            @if mark.faults > 0 { span.fault { "◆" (many(mark.faults)) } }
            @if mark.steps > 0 { span.(if mark.errors > 0 { "bad" } else { "opening" }) { "•" (many(mark.steps)) } }
        }
    }
}

/// What happened at which line.
fn marks(record: &RunRecord) -> BTreeMap<u32, Mark> {
    let mut marks: BTreeMap<u32, Mark> = BTreeMap::new();
    for event in &record.events {
        let Some(kind) = &event.kind else { continue };
        let Some((line, text)) = line(kind).filter(|(line, _)| *line > 0) else { continue };
        let time = words::duration(words::from_proto(event.time.as_ref()));
        let mark = marks.entry(line).or_default();
        if let Kind::FaultApplied(_) = kind {
            mark.faults += 1;
        } else if let Kind::ApplicationResult(result) = kind {
            mark.steps += 1;
            mark.errors += usize::from(!result.error.is_empty());
        } else if let Kind::ExpectationResult(result) = kind {
            *(if result.passed { &mut mark.passed } else { &mut mark.failed }) += 1;
        }
        let text = format!("{time} {text}");
        match mark.moments.len() {
            0..MOMENTS => mark.moments.push(text),
            MOMENTS => mark.moments.push("…".to_owned()),
            _ => {}
        }
    }
    marks
}

/// The line that an event is of, and what it says there.
fn line(kind: &Kind) -> Option<(u32, String)> {
    if let Kind::FaultApplied(applied) = kind {
        Some((applied.fault.as_ref()?.line, words::fault(applied)))
    } else if let Kind::ApplicationResult(result) = kind {
        let step = result.step.as_ref()?;
        let error = if result.error.is_empty() { "" } else { ": " };
        Some((step.line, format!("{}{error}{}", words::step(step.kind()), result.error)))
    } else if let Kind::ExpectationResult(result) = kind {
        Some((result.expectation.as_ref()?.line, words::found(result)))
    } else {
        None
    }
}
