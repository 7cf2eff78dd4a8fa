//! Writes an explanation for people.

use std::fmt::Write as _;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::{Explanation, Paragraph, Sentence, Subject};
use crate::columns;
use crate::words::{self, plain};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// A line of text is never narrower than this, whatever the terminal.
const MIN_TEXT: usize = 30;

/// The explanation as text with ANSI styles, in lines of at most `width` columns: sentences with their times before them and
/// the numbers of their events after them.
pub fn write(explanation: &Explanation, width: usize) -> String {
    let mut out = String::new();
    let Explanation { scenario, variant, title, seed, .. } = explanation;
    let title = if title.is_empty() { String::new() } else { format!(": {title}") };
    let name = plain(&words::run(scenario, variant));
    for line in wrap(&format!("{name}{} (seed {seed})", plain(&title)), width.max(MIN_TEXT)) {
        let _ = match line.strip_prefix(&name) {
            Some(rest) => writeln!(out, "{BOLD}{name}{BOLD:#}{rest}"),
            None => writeln!(out, "{line}"),
        };
    }
    for paragraph in &explanation.paragraphs {
        let _ = writeln!(out);
        write_paragraph(&mut out, paragraph, width);
    }
    out
}

fn write_paragraph(out: &mut String, paragraph: &Paragraph, width: usize) {
    for line in wrap(&plain(&paragraph.heading), width.max(MIN_TEXT)) {
        let _ = writeln!(out, "{BOLD}{line}{BOLD:#}");
    }
    let timed = matches!(paragraph.subject, Subject::Story | Subject::Outcome | Subject::Apart);
    let time = |sentence: &Sentence| if timed { sentence.time() } else { String::new() };
    let times: Vec<String> = paragraph.sentences.iter().map(time).collect();
    let column = times.iter().map(|time| time.width()).max().unwrap_or(0);
    let indent = if column == 0 { 2 } else { column + 4 };
    for (sentence, time) in paragraph.sentences.iter().zip(&times) {
        let mut text = plain(&sentence.text);
        let events = sentence.events.map(|(first, last)| match first == last {
            true => format!("[{first}]"),
            false => format!("[{first}–{last}]"),
        });
        if let Some(events) = &events {
            let _ = write!(text, " {events}");
        }
        for (index, line) in wrap(&text, width.saturating_sub(indent).max(MIN_TEXT)).iter().enumerate() {
            let time = if index == 0 { time.as_str() } else { "" };
            let margin = " ".repeat(column - time.width());
            let gap = if column == 0 { "" } else { "  " };
            // The numbers are the last word.
            let (line, events) = match events.as_deref().and_then(|events| line.strip_suffix(events)) {
                Some(line) => (line, events.as_deref().unwrap_or_default()),
                None => (line.as_str(), ""),
            };
            let _ = write!(out, "  {margin}{DIM}{time}{DIM:#}{gap}{line}");
            let _ = if events.is_empty() { writeln!(out) } else { writeln!(out, "{DIM}{events}{DIM:#}") };
        }
    }
}

/// Lines of a text, of at most `width` columns.
fn wrap(text: &str, width: usize) -> Vec<String> {
    columns::wrap(columns::words(text), width)
}
