//! Draws a picture as text: a ladder within a width.

use std::collections::BTreeMap;

use anstyle::{AnsiColor, Style};
use halfopen_proto::v1::TcpState;
use unicode_width::UnicodeWidthStr;

use super::{Arrow, End, NoteKind, Notes, Part, Picture, Row, What};
use crate::timeline::HostIndex;
use crate::words;

/// What a picture is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Columns. Nothing is wider, unless there are fewer than a ladder needs.
    pub width: usize,
}

impl Default for Paper {
    fn default() -> Paper {
        Paper { width: 100 }
    }
}

const DIM: Style = Style::new().dimmed();
const PLAIN: Style = Style::new();
const OPEN: Style = AnsiColor::Green.on_default();
const BETWEEN: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAULT: Style = AnsiColor::Magenta.on_default();

/// The arrows are never shorter, whatever the terminal.
const MIN_MIDDLE: usize = 30;
/// A column of states is never wider.
const MAX_CELL: usize = 26;

/// Draws a picture. The text has ANSI colours, for a stream that strips them where they are not wanted.
pub fn draw(picture: &Picture, paper: Paper) -> String {
    if picture.rows.is_empty() {
        return String::new();
    }
    let columns = Columns::new(picture, paper.width);
    let mut out = String::new();
    columns.heading(&mut out);
    for row in &picture.rows {
        columns.row(&mut out, row);
    }
    out
}

struct Columns<'a> {
    picture: &'a Picture,
    /// The left host of each connection.
    left_hosts: BTreeMap<u32, HostIndex>,
    time: usize,
    connection: usize,
    left: usize,
    middle: usize,
    right: usize,
}

/// The words in a host's column, with their style.
type Cell = (String, Style);

impl<'a> Columns<'a> {
    fn new(picture: &'a Picture, width: usize) -> Columns<'a> {
        let rows = picture.rows.as_slice();
        let mut left_hosts = BTreeMap::new();
        for row in rows {
            if let What::Arrow(Arrow { from, to, .. }) = &row.what
                && let Some(one) = from.host.or(to.host)
            {
                let other = to.host.filter(|to| *to != one).unwrap_or(usize::from(one == 0));
                let left = one.min(other);
                left_hosts.entry(row.connection).or_insert(left);
            }
        }
        let mut columns =
            Columns { picture, left_hosts, time: 4, connection: 0, left: 0, middle: 0, right: 0 };
        columns.time = rows.iter().map(|row| words::duration(row.time).width()).max().unwrap_or(0).max(4);
        if picture.connections > 1 {
            columns.connection = 2 + picture.connections.to_string().len();
        }
        let (mut left, mut right) = match picture.lifelines.as_slice() {
            [left, right] => (left.name.width(), right.name.width()),
            _ => (0, 0),
        };
        for row in rows {
            let cells = columns.cells(row);
            left = left.max(cells.0.0.width());
            right = right.max(cells.1.0.width());
        }
        (columns.left, columns.right) = (left.min(MAX_CELL), right.min(MAX_CELL));
        let taken = columns.time + 2 + columns.connection + columns.left + 1 + 1 + columns.right;
        columns.middle = width.saturating_sub(taken).max(MIN_MIDDLE);
        columns
    }

    fn heading(&self, out: &mut String) {
        let mut line = Line::new();
        line.right(DIM, "time", self.time);
        line.left(PLAIN, "", 2 + self.connection);
        if let [left, right] = self.picture.lifelines.as_slice() {
            let bold = PLAIN.bold();
            line.left(bold, &left.name, self.left);
            line.left(PLAIN, "", self.middle + 2);
            line.left(bold, &right.name, self.right);
        }
        line.end(out);
    }

    fn row(&self, out: &mut String, row: &Row) {
        let lines = match &row.what {
            What::Arrow(arrow) => self.arrow(arrow),
            What::Notes(notes) => self.notes(self.at_left(notes, row.connection), notes),
            What::Silence(length) => {
                return self.gap(out, &format!("{} of silence", words::duration(*length)));
            }
            What::Folded(folded) => return self.gap(out, &folded.text),
            What::Omitted(rows) => {
                return self.gap(out, &format!("{} left out", words::count(*rows as u64, "row")));
            }
        };
        let (left, right) = self.cells(row);
        for (index, middle) in lines.into_iter().enumerate() {
            let mut line = Line::new();
            let first = index == 0;
            let time = if first { words::duration(row.time) } else { String::new() };
            line.right(DIM, &time, self.time);
            line.left(PLAIN, "", 2);
            if self.connection > 0 {
                let number = format!("#{}", row.connection);
                line.left(DIM, if first && row.connection > 0 { &number } else { "" }, self.connection);
            }
            line.left(left.1, if first { &left.0 } else { "" }, self.left);
            line.left(PLAIN, " ", 1);
            line.spans.extend(middle.spans);
            line.left(PLAIN, " ", 1);
            line.left(right.1, if first { &right.0 } else { "" }, self.right);
            line.end(out);
        }
    }

    /// What stands in the columns of the left and the right host.
    fn cells(&self, row: &Row) -> (Cell, Cell) {
        let nothing = || (String::new(), PLAIN);
        let (first, second, rightwards) = match &row.what {
            What::Arrow(arrow) => {
                let to = match &arrow.part {
                    Part::Lost { why, .. } => self.named(arrow.to.host, why, BAD),
                    Part::Whole | Part::Departure | Part::Arrival => self.cell(arrow.to),
                };
                (self.cell(arrow.from), to, arrow.rightwards())
            }
            What::Notes(notes) => {
                let cell = self.cell(End { host: notes.host, state: notes.state });
                (cell, nothing(), self.at_left(notes, row.connection))
            }
            What::Silence(_) | What::Folded(_) | What::Omitted(_) => (nothing(), nothing(), true),
        };
        if rightwards { (first, second) } else { (second, first) }
    }

    /// Whether the host stands on the left where the connection is concerned.
    fn at_left(&self, notes: &Notes, connection: u32) -> bool {
        notes.host.is_none_or(|host| host == self.left_hosts.get(&connection).copied().unwrap_or(0))
    }

    fn cell(&self, end: End) -> Cell {
        match end.state {
            Some(state) => self.named(end.host, words::state(state), state_style(state)),
            None => self.named(end.host, "", PLAIN),
        }
    }

    /// A cell's text. With two hosts the column says whose it is, with more the cell does.
    fn named(&self, host: Option<HostIndex>, text: &str, style: Style) -> Cell {
        let host = host.filter(|_| self.picture.lifelines.len() != 2);
        match host.and_then(|host| self.picture.lifelines.get(host)) {
            Some(host) if text.is_empty() => (host.name.clone(), style),
            Some(host) => (format!("{} {text}", host.name), style),
            None => (text.to_owned(), style),
        }
    }

    /// A row that says what is not shown.
    fn gap(&self, out: &mut String, text: &str) {
        let mut line = Line::new();
        line.right(DIM, "…", self.time);
        line.left(PLAIN, "", 2);
        line.left(DIM, &format!("{text} …"), 0);
        line.end(out);
    }

    fn arrow(&self, arrow: &Arrow) -> Vec<Line> {
        let rightwards = arrow.rightwards();
        let style = if arrow.flags.rst { BAD } else { PLAIN };
        let lines = wrap(arrow.label.iter().map(String::as_str), self.middle - 8);
        let mut lines = lines.iter();
        let first = lines.next().map_or("", String::as_str);
        let (tail, head) = match &arrow.part {
            Part::Whole => ("──", if rightwards { "─▶" } else { "◀─" }),
            Part::Departure => ("──", "┄┄"),
            Part::Arrival => ("┄┄", if rightwards { "─▶" } else { "◀─" }),
            Part::Lost { .. } => ("──", if rightwards { "─✗" } else { "✗─" }),
        };
        let head_style = if matches!(arrow.part, Part::Lost { .. }) { BAD } else { style };
        let shaft = "─".repeat(self.middle.saturating_sub(first.width() + 6));
        let mut drawn = Line::new();
        let spans: [(Style, &str); 4] =
            [(style, tail), (style, &format!(" {first} ")), (DIM, &shaft), (head_style, head)];
        if rightwards {
            spans.into_iter().for_each(|(style, text)| drawn.left(style, text, 0));
        } else {
            spans.into_iter().rev().for_each(|(style, text)| drawn.left(style, text, 0));
        }
        let mut result = vec![drawn];
        for text in lines {
            let mut line = Line::new();
            if rightwards {
                line.left(style, &format!("   {text}"), self.middle);
            } else {
                line.right(style, &format!("{text}   "), self.middle);
            }
            result.push(line);
        }
        result
    }

    fn notes(&self, at_left: bool, Notes { notes, .. }: &Notes) -> Vec<Line> {
        let by_fault = notes.iter().any(|note| note.kind == NoteKind::Fault);
        let style = if by_fault { FAULT } else { DIM };
        let texts: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        let lines = wrap(texts.join(", ").split(' '), self.middle - 2);
        let draw = |text: &String| {
            let mut line = Line::new();
            if at_left {
                line.left(style, &format!("· {text}"), self.middle);
            } else {
                line.right(style, &format!("{text} ·"), self.middle);
            }
            line
        };
        lines.iter().map(draw).collect()
    }
}

const fn state_style(state: TcpState) -> Style {
    match state {
        TcpState::Unspecified | TcpState::Closed => DIM,
        TcpState::Listen | TcpState::Established => OPEN,
        TcpState::SynSent
        | TcpState::SynReceived
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::CloseWait
        | TcpState::Closing
        | TcpState::LastAck
        | TcpState::TimeWait => BETWEEN,
    }
}

/// Joins words to lines of at most `width` columns; a longer word is cut.
fn wrap<'a>(words: impl Iterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let word = cut(word, width);
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// The text, or its beginning and `…` if it is wider than `width` columns.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut result = String::new();
    for character in text.chars() {
        let longer = format!("{result}{character}");
        if longer.width() >= width {
            break;
        }
        result = longer;
    }
    result + "…"
}

/// A line of styled texts.
struct Line {
    spans: Vec<(Style, String)>,
}

impl Line {
    fn new() -> Line {
        Line { spans: Vec::new() }
    }

    /// Text, then spaces up to `width`; cut to it, unless `width` is 0.
    fn left(&mut self, style: Style, text: &str, width: usize) {
        let text = if width == 0 { text.to_owned() } else { cut(text, width) };
        let fill = width.saturating_sub(text.width());
        self.spans.push((style, text));
        self.spans.push((PLAIN, " ".repeat(fill)));
    }

    /// Spaces, then text that ends at `width`.
    fn right(&mut self, style: Style, text: &str, width: usize) {
        let text = cut(text, width);
        self.spans.push((PLAIN, " ".repeat(width.saturating_sub(text.width()))));
        self.spans.push((style, text));
    }

    /// Writes the line without spaces at its end.
    fn end(mut self, out: &mut String) {
        while let Some((_, text)) = self.spans.last_mut() {
            text.truncate(text.trim_end().len());
            if !text.is_empty() {
                break;
            }
            self.spans.pop();
        }
        for (style, text) in self.spans.iter().filter(|(_, text)| !text.is_empty()) {
            out.push_str(&format!("{style}{text}{style:#}"));
        }
        out.push('\n');
    }
}
