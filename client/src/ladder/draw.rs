//! Draws a ladder's rows within a width.

use anstyle::{AnsiColor, Style};
use halfopen_proto::v1::TcpState;
use unicode_width::UnicodeWidthStr;

use super::rows::{Cell, CellText, Middle, Note, Part, Row};
use crate::timeline::Timeline;
use crate::words;

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

pub(super) fn draw(timeline: &Timeline, rows: &[Row], width: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let columns = Columns::new(timeline, rows, width);
    let mut out = String::new();
    columns.heading(&mut out);
    for row in rows {
        columns.row(&mut out, row);
    }
    out
}

struct Columns<'a> {
    timeline: &'a Timeline,
    time: usize,
    connection: usize,
    left: usize,
    middle: usize,
    right: usize,
}

impl<'a> Columns<'a> {
    fn new(timeline: &'a Timeline, rows: &[Row], width: usize) -> Columns<'a> {
        let mut columns = Columns { timeline, time: 4, connection: 0, left: 0, middle: 0, right: 0 };
        columns.time = rows.iter().map(|row| words::duration(row.time).width()).max().unwrap_or(0).max(4);
        if timeline.connections > 1 {
            columns.connection = 2 + timeline.connections.to_string().len();
        }
        let widest = |cell: fn(&Row) -> &Cell, name: Option<&String>| {
            let cells = rows.iter().map(|row| columns.cell(cell(row)).0.width());
            cells.chain(name.map(|name| name.width())).max().unwrap_or(0).min(MAX_CELL)
        };
        let [left, right] = match timeline.hosts.as_slice() {
            [left, right] => [Some(left), Some(right)],
            _ => [None, None],
        };
        let (left, right) = (widest(|row| &row.left, left), widest(|row| &row.right, right));
        (columns.left, columns.right) = (left, right);
        let taken = columns.time + 2 + columns.connection + left + 1 + 1 + right;
        columns.middle = width.saturating_sub(taken).max(MIN_MIDDLE);
        columns
    }

    fn heading(&self, out: &mut String) {
        let mut line = Line::new();
        line.right(DIM, "time", self.time);
        line.left(PLAIN, "", 2 + self.connection);
        if let [left, right] = self.timeline.hosts.as_slice() {
            let bold = PLAIN.bold();
            line.left(bold, left, self.left);
            line.left(PLAIN, "", self.middle + 2);
            line.left(bold, right, self.right);
        }
        line.end(out);
    }

    fn row(&self, out: &mut String, row: &Row) {
        let lines = match &row.middle {
            Middle::Arrow { rightwards, part, label } => self.arrow(*rightwards, *part, label),
            Middle::Notes { at_left, notes } => self.notes(*at_left, notes),
            Middle::Silence(length) => {
                return self.gap(out, &format!("{} of silence", words::duration(*length)));
            }
            Middle::Omitted(rows) => {
                return self.gap(out, &format!("{} left out", words::count(*rows as u64, "row")));
            }
        };
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
            let nothing = Cell::default();
            let (left, right) = if first { (&row.left, &row.right) } else { (&nothing, &nothing) };
            let (text, style) = self.cell(left);
            line.left(style, &text, self.left);
            line.left(PLAIN, " ", 1);
            line.spans.extend(middle.spans);
            line.left(PLAIN, " ", 1);
            let (text, style) = self.cell(right);
            line.left(style, &text, self.right);
            line.end(out);
        }
    }

    /// A cell's text. With two hosts the column says whose it is, with more the cell does.
    fn cell(&self, cell: &Cell) -> (String, Style) {
        let (text, style) = match &cell.text {
            CellText::Nothing => (String::new(), PLAIN),
            CellText::State(state) => (words::state(*state).to_owned(), state_style(*state)),
            CellText::Lost(reason) => (reason.clone(), BAD),
        };
        let host = cell.host.filter(|_| self.timeline.hosts.len() != 2);
        match host.and_then(|host| self.timeline.hosts.get(host)) {
            Some(host) if text.is_empty() => (host.clone(), style),
            Some(host) => (format!("{host} {text}"), style),
            None => (text, style),
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

    fn arrow(&self, rightwards: bool, part: Part, label: &[String]) -> Vec<Line> {
        let style = if label.first().is_some_and(|flags| flags.contains("RST")) { BAD } else { PLAIN };
        let lines = wrap(label.iter().map(String::as_str), self.middle - 8);
        let mut lines = lines.iter();
        let first = lines.next().map_or("", String::as_str);
        let (tail, head) = match part {
            Part::Whole => ("──", if rightwards { "─▶" } else { "◀─" }),
            Part::Departure => ("──", "┄┄"),
            Part::Arrival => ("┄┄", if rightwards { "─▶" } else { "◀─" }),
            Part::Lost => ("──", if rightwards { "─✗" } else { "✗─" }),
        };
        let head_style = if part == Part::Lost { BAD } else { style };
        let shaft = "─".repeat(self.middle.saturating_sub(first.width() + 6));
        let mut arrow = Line::new();
        let spans: [(Style, &str); 4] =
            [(style, tail), (style, &format!(" {first} ")), (DIM, &shaft), (head_style, head)];
        if rightwards {
            spans.into_iter().for_each(|(style, text)| arrow.left(style, text, 0));
        } else {
            spans.into_iter().rev().for_each(|(style, text)| arrow.left(style, text, 0));
        }
        let mut result = vec![arrow];
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

    fn notes(&self, at_left: bool, notes: &[Note]) -> Vec<Line> {
        let style = if notes.iter().any(|note| note.fault) { FAULT } else { DIM };
        let texts: Vec<&str> =
            notes.iter().map(|note| note.text.as_str()).filter(|text| !text.is_empty()).collect();
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
