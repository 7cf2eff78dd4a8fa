//! Writes a difference for people.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::{About, Cell, Changed, Difference, First, Mark, Row};
use crate::columns::{self, cut, padded, wrap};
use crate::words::{self, plain};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const A: Style = AnsiColor::Red.on_default();
const B: Style = AnsiColor::Green.on_default();
const BOTH: Style = AnsiColor::Yellow.on_default();

/// The minimum width of a side, whatever the terminal.
const MIN_SIDE: usize = 24;
/// How many differing settings are listed.
const SETTINGS: usize = 20;
/// How many differing results are listed.
const OUTCOMES: usize = 40;

/// The difference as text with ANSI styles, in lines of at most `width` columns. Rows that differ have a mark between the
/// sides, as those of `diff -y`: `<` and `>` where only one run has the event, `|` where it is another or at another time.
pub fn write(difference: &Difference, width: usize) -> String {
    let mut out = String::new();
    let Difference { a, b, settings, first, rows, counts, outcome, .. } = difference;
    for (name, style, about) in [("A", A, a), ("B", B, b)] {
        let lines = wrapped(&plain(&title(about)), width.saturating_sub(3).max(MIN_SIDE));
        for (index, line) in lines.iter().enumerate() {
            let name = if index == 0 { name } else { " " };
            let _ = writeln!(out, "{style}{name}{style:#}  {line}");
        }
    }
    let _ = writeln!(out);
    if !settings.is_empty() {
        write_list(&mut out, "Settings that differ", settings, SETTINGS, width);
        let _ = writeln!(out);
    }
    match first {
        None if outcome.is_empty() => {
            let _ = writeln!(
                out,
                "{BOLD}Both runs have the same events{BOLD:#}: {}.",
                words::count(counts.before, "event")
            );
            return out;
        }
        None => {
            let _ =
                writeln!(out, "Both runs have the same events: {}.", words::count(counts.before, "event"));
        }
        Some(first) => {
            write_first(&mut out, first, counts.before, width);
            write_rows(&mut out, rows, width);
            let counts = format!(
                "from there on {} the same, {} different or at another time (|), {} only in A (<), {} only in B (>)",
                counts.same, counts.different, counts.only_a, counts.only_b
            );
            for line in wrapped(&counts, width) {
                let _ = writeln!(out, "{DIM}{line}{DIM:#}");
            }
        }
    }
    if !outcome.is_empty() {
        let _ = writeln!(out);
        write_list(&mut out, "Results that differ", outcome, OUTCOMES, width);
    }
    out
}

fn title(about: &About) -> String {
    let About { run, scenario, variant, seed, version, profiles, .. } = about;
    let name = words::run(scenario, variant);
    let mut profiles = profiles.clone();
    profiles.dedup();
    let name = if *run == name { name } else { format!("{run}: {name}") };
    format!("{name} (seed {seed}, {}, version {version})", profiles.join(" and "))
}

fn write_first(out: &mut String, first: &First, before: u64, width: usize) {
    let _ = match before {
        0 => writeln!(out, "{BOLD}They differ from the first event on:{BOLD:#}"),
        count => writeln!(out, "{BOLD}They differ after {}:{BOLD:#}", words::count(count, "event")),
    };
    let cells = || first.before.iter().chain(&first.a).chain(&first.b);
    let column = time_column(cells());
    let mut line = |mark: &str, style: Style, cell: Option<&Cell>| {
        let number = cell.map(|cell| format!(" [{}]", cell.event)).unwrap_or_default();
        let room = width.saturating_sub(5 + number.len()).max(MIN_SIDE);
        let lines = match cell {
            Some(cell) => in_words(cell, column, room),
            None => vec!["the run is over".to_owned()],
        };
        let last = lines.len().saturating_sub(1);
        for (index, text) in lines.iter().enumerate() {
            let mark = if index == 0 { mark } else { " " };
            let number = if index == last { number.as_str() } else { "" };
            let _ = writeln!(out, "  {style}{mark}  {text}{style:#}{DIM}{number}{DIM:#}");
        }
    };
    for cell in &first.before {
        line(" ", DIM, Some(cell));
    }
    line("A", A, first.a.as_ref());
    line("B", B, first.b.as_ref());
    write_changed(out, &first.fields, "     ", width);
    let _ = writeln!(out);
}

fn write_rows(out: &mut String, rows: &[Row], width: usize) {
    if rows.is_empty() {
        return;
    }
    let cells = rows.iter().flat_map(|row| row.a.iter().chain(&row.b));
    let column = time_column(cells);
    let side = (width.saturating_sub(3) / 2).max(MIN_SIDE);
    let _ = writeln!(out, "{BOLD}{}   B{BOLD:#}", padded("A", side));
    for row in rows {
        let (mark, style) = match row.mark {
            Mark::Same => (' ', DIM),
            Mark::Different => ('|', BOTH),
            Mark::OnlyA => ('<', A),
            Mark::OnlyB => ('>', B),
            Mark::LeftOut | Mark::Repeated => {
                let _ = writeln!(out, "{DIM}{:>column$} {} …{DIM:#}", "…", hidden(row));
                continue;
            }
        };
        let text = |cell: &Option<Cell>| match cell {
            Some(cell) => in_words(cell, column, side),
            None => Vec::new(),
        };
        let a = text(&row.a);
        let b = if row.fields.is_empty() { text(&row.b) } else { differing(row, column, side) };
        for index in 0..a.len().max(b.len()) {
            let part = |lines: &[String]| lines.get(index).cloned().unwrap_or_default();
            let mark = if index == 0 { mark } else { ' ' };
            let line = format!("{} {mark} {}", padded(&part(&a), side), part(&b));
            let _ = writeln!(out, "{style}{}{style:#}", line.trim_end());
        }
    }
}

/// What is not shown.
fn hidden(row: &Row) -> String {
    let rows = row.left_out.unwrap_or_default();
    match row.period {
        None => format!("{} left out", words::count(rows, "row")),
        Some(1) => format!("{rows} more like this"),
        Some(period) => format!("these {period} rows {} times more", rows / period.max(1)),
    }
}

/// What differs in events that are said in the same words, in the place of the words.
fn differing(row: &Row, column: usize, side: usize) -> Vec<String> {
    let time = row.b.as_ref().map(|cell| words::duration(cell.time)).unwrap_or_default();
    let value = |text: &str| if text.is_empty() { "none".to_owned() } else { plain(text) };
    let field =
        |field: &Changed| format!("{} {} instead of {}", field.what, value(&field.b), value(&field.a));
    let fields: Vec<String> = row.fields.iter().map(field).collect();
    timed(&time, column, &format!("the same, but {}", fields.join("; ")), side)
}

fn write_list(out: &mut String, title: &str, changed: &[Changed], most: usize, width: usize) {
    let _ = writeln!(out, "{BOLD}{title}{BOLD:#}");
    let listed = &changed[..changed.len().min(most)];
    write_changed(out, listed, "  ", width);
    if listed.len() < changed.len() {
        let _ = writeln!(out, "  {DIM}… and {} more{DIM:#}", changed.len() - listed.len());
    }
}

/// What differs, each with both values: on one line if they fit.
fn write_changed(out: &mut String, changed: &[Changed], indent: &str, width: usize) {
    let name = changed.iter().map(|changed| changed.what.width()).max().unwrap_or(0).min(width / 2);
    for Changed { what, a, b } in changed {
        let value = |text: &str| if text.is_empty() { "–".to_owned() } else { plain(text) };
        let (a, b, what) = (value(a), value(b), padded(what, name));
        let room = width.saturating_sub(indent.len() + name + 2);
        if a.width() + b.width() + 4 <= room {
            let _ = writeln!(out, "{indent}{what}  {A}{a}{A:#} {DIM}→{DIM:#} {B}{b}{B:#}");
        } else {
            let room = room.max(MIN_SIDE) - 2;
            for (index, line) in wrapped(&a, room).iter().enumerate() {
                let what = if index == 0 { what.clone() } else { " ".repeat(name) };
                let _ = writeln!(out, "{indent}{what}  {A}{line}{A:#}");
            }
            for (index, line) in wrapped(&b, room).iter().enumerate() {
                let arrow = if index == 0 { "→" } else { " " };
                let _ = writeln!(out, "{indent}{}{DIM}{arrow}{DIM:#} {B}{line}{B:#}", " ".repeat(name));
            }
        }
    }
}

/// The columns of the longest time.
fn time_column<'a>(cells: impl Iterator<Item = &'a Cell>) -> usize {
    cells.map(|cell| words::duration(cell.time).width()).max().unwrap_or(0)
}

/// An event in lines: its time, its connection if it is not the first, and what happened.
fn in_words(cell: &Cell, column: usize, width: usize) -> Vec<String> {
    let connection = if cell.connection > 1 { format!("#{} ", cell.connection) } else { String::new() };
    timed(&words::duration(cell.time), column, &format!("{connection}{}", plain(&cell.text)), width)
}

/// A text in lines beside a time.
fn timed(time: &str, column: usize, text: &str, width: usize) -> Vec<String> {
    let room = width.saturating_sub(column + 1).max(1);
    let mut lines = wrapped(text, room);
    for (index, line) in lines.iter_mut().enumerate() {
        let time = if index == 0 { time } else { "" };
        *line = format!("{}{time} {line}", " ".repeat(column.saturating_sub(time.width())));
    }
    lines
}

/// A text in lines; a word that is wider than a line is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    wrap(columns::words(text), width).iter().map(|line| cut(line, width)).collect()
}
