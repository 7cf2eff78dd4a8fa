//! From text to scenario, by way of the tree and the shape.

use serde::Deserialize;

use crate::de::{Part, Spanned};
use crate::node::{Node, Span};
use crate::{Diagnostic, Diagnostics, Limits, Problem, Scenario, document, resolve, shape};

/// So many mistakes are told; who has made more sees the rest after mending these.
const MOST_MISTAKES: usize = 50;

/// Reads a scenario and checks it.
///
/// # Errors
/// All mistakes that can be found at once, in the order of their places, but no more than the first 50.
pub fn load(text: &str) -> Result<Scenario, Diagnostics> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = match read(text) {
        Ok(root) => root,
        Err(problem) => return Err(Diagnostics::from(diagnostic(text, None, problem))),
    };
    let (document, mut problems) = typed(&root);
    let scenario = document.map(|document| resolve::scenario(&document, &root, text, &mut problems));
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MOST_MISTAKES);
    let list = problems.into_iter().map(|problem| diagnostic(text, Some(&root), problem)).collect();
    match (Diagnostics::from_list(list), scenario) {
        (None, Some(scenario)) => Ok(scenario),
        (Some(diagnostics), _) => Err(diagnostics),
        (None, None) => {
            let problem = Problem::new(root.span, "this is no scenario");
            Err(Diagnostics::from(diagnostic(text, Some(&root), problem)))
        }
    }
}

/// Reads a scenario that should be UTF-8 and checks it.
///
/// # Errors
/// As [`load`]; also if the octets are no text.
pub fn load_bytes(octets: &[u8]) -> Result<Scenario, Diagnostics> {
    match std::str::from_utf8(octets) {
        Ok(text) => load(text),
        Err(error) => {
            let before = String::from_utf8_lossy(&octets[..error.valid_up_to()]);
            let span = end_of(&before);
            let problem = Problem::new(span, "this is not UTF-8 text")
                .help("is it a scenario at all? save it as UTF-8");
            Err(Diagnostics::from(diagnostic(&before, None, problem)))
        }
    }
}

/// The tree of a text that is within the limits.
fn read(text: &str) -> Result<Node, Problem> {
    if text.len() > Limits::MAX_TEXT {
        let message = format!("the scenario has {} octets, more than {}", text.len(), Limits::MAX_TEXT);
        return Err(Problem::new(Span::default(), message)
            .help("a scenario is a page or two; is this the right file?"));
    }
    let control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(offset) = text.find(|c| control(&c)) {
        let found = text[offset..].chars().next().map_or(0, u32::from);
        let message = format!("the control character U+{found:04X} does not belong in a scenario");
        return Err(Problem::new(end_of(&text[..offset]), message).help("is it a scenario at all?"));
    }
    match document::read(text)? {
        Some(root) if !matches!(root.value, crate::node::Value::Null) => Ok(root),
        _ => Err(Problem::new(Span::default(), "the scenario is empty")
            .help("begin with `scenario: name-of-the-file`; `halfopen show dead-client` is an example")),
    }
}

/// Right after the last character.
fn end_of(text: &str) -> Span {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let end = number(text.chars().count());
    Span { start: end, end, line: number(line), column: number(column) }
}

/// The document in its types. What is wrong is taken out and the rest tried again, so that one mistake hides no other.
pub(crate) fn typed(root: &Node) -> (Option<Spanned<shape::Document>>, Vec<Problem>) {
    let mut root = root.clone();
    let mut problems = Vec::new();
    loop {
        let error = match Spanned::deserialize(Part::root(&root)) {
            Ok(document) => return (Some(document), problems),
            Err(error) => error,
        };
        let span = error.span.unwrap_or(root.span);
        if !error.quiet {
            problems.push(Problem::new(error.shown.unwrap_or(span), error.message).help(error.help));
        }
        if problems.len() >= MOST_MISTAKES || !root.prune(span) {
            return (None, problems);
        }
    }
}

fn diagnostic(text: &str, root: Option<&Node>, problem: Problem) -> Diagnostic {
    let Span { start, end, line, column } = problem.span;
    let rest = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    let left = u32::try_from(rest.trim_end().chars().count())
        .unwrap_or(u32::MAX)
        .saturating_sub(column.saturating_sub(1));
    Diagnostic {
        path: root.and_then(|root| root.path_to(problem.span)).unwrap_or_default(),
        line,
        column,
        length: end.saturating_sub(start).min(left).max(u32::from(line > 0)),
        message: problem.message,
        help: problem.help,
    }
}
