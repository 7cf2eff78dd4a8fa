//! One line of a drawing: a character and a style in each column.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::columns;

pub(super) const PLAIN: Style = Style::new();

/// Stands behind a character that takes two columns.
const BEHIND_WIDE: char = '\0';

/// A blank that is part of a text: nothing goes through it.
const TEXT_BLANK: char = '\u{a0}';

/// A line that can be drawn upon, as wide as the paper.
#[derive(Clone, Debug)]
pub(super) struct Line {
    cells: Vec<(char, Style)>,
}

impl Line {
    pub(super) fn new(width: usize) -> Line {
        Line { cells: vec![(' ', PLAIN); width] }
    }

    /// Draws a text from column `at` on. What is beyond the paper is not drawn.
    pub(super) fn put(&mut self, at: usize, text: &str, style: Style) {
        let mut column = at;
        for character in text.chars() {
            let width = character.width().unwrap_or(0);
            if width == 0 {
                continue;
            }
            if column + width > self.cells.len() {
                return;
            }
            self.cells[column] = (if character == ' ' { TEXT_BLANK } else { character }, style);
            if width == 2 {
                self.cells[column + 1] = (BEHIND_WIDE, style);
            }
            column += width;
        }
    }

    /// Whether there is nothing in these columns.
    pub(super) fn is_blank(&self, columns: Range<usize>) -> bool {
        self.cells.get(columns).is_some_and(|cells| cells.iter().all(|(character, _)| *character == ' '))
    }

    /// Keeps a column blank that is so.
    pub(super) fn keep_blank(&mut self, at: usize) {
        if self.cells.get(at).is_some_and(|(character, _)| *character == ' ') {
            self.cells[at].0 = TEXT_BLANK;
        }
    }

    /// Draws one character where nothing is but a lifeline, which it crosses.
    pub(super) fn put_behind(&mut self, at: usize, text: &str, style: Style) {
        let there = self.cells.get(at).map(|(character, _)| *character);
        match there {
            Some(' ') => self.put(at, text, style),
            Some('┃' | '┇' | '╏') => self.put(at, "╂", style),
            Some('│' | '┊' | '┆' | '╎') => self.put(at, "┼", style),
            Some(_) | None => {}
        }
    }

    /// The line without blanks at its end, and with a line feed; in ASCII if that is wanted.
    pub(super) fn finish(&self, ascii: bool) -> String {
        let is_blank = |character: char| character == ' ' || character == TEXT_BLANK;
        let end =
            self.cells.iter().rposition(|(character, _)| !is_blank(*character)).map_or(0, |last| last + 1);
        let mut out = String::with_capacity(end + 64);
        let mut now = PLAIN;
        for (character, style) in &self.cells[..end] {
            // A blank looks the same in any colour.
            let style = if is_blank(*character) { now } else { *style };
            if style != now {
                let _ = fmt::Write::write_fmt(&mut out, format_args!("{now:#}{style}"));
                now = style;
            }
            match *character {
                BEHIND_WIDE if ascii => out.push(' '),
                BEHIND_WIDE => {}
                TEXT_BLANK => out.push(' '),
                character if ascii => out.push(ascii_of(character)),
                character => out.push(character),
            }
        }
        let _ = fmt::Write::write_fmt(&mut out, format_args!("{now:#}"));
        out.push('\n');
        out
    }
}

/// The character of ASCII that stands for another one in the same place.
const fn ascii_of(character: char) -> char {
    match character {
        '\0'..='\x7f' => character,
        '─' => '-',
        '┄' => '.',
        '┃' => '|',
        '│' => ':',
        '┊' => '.',
        '╏' | '╎' => '!',
        '┇' | '┆' => ';',
        '├' | '┤' | '┼' | '┠' | '┨' | '╂' => '+',
        '╭' | '╮' => '.',
        '╰' | '╯' => '\'',
        '╲' => '\\',
        '╱' => '/',
        '▶' => '>',
        '◀' => '<',
        '✗' | '╳' => 'x',
        '✓' => '+',
        '·' => '/',
        '…' => '~',
        'µ' | 'μ' => 'u',
        '→' => '>',
        '–' | '—' => '-',
        '‘' | '’' => '\'',
        '“' | '”' => '"',
        _ => '?',
    }
}

/// Passes text on as ASCII; each character keeps its place.
#[derive(Debug)]
pub struct AsciiWriter<W> {
    out: W,
    /// The beginning of a character whose end is not there yet.
    begun: Vec<u8>,
}

impl<W: Write> AsciiWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> AsciiWriter<W> {
        AsciiWriter { out, begun: Vec::new() }
    }
}

impl<W: Write> Write for AsciiWriter<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.begun.extend_from_slice(octets);
        let (whole, rest) = match std::str::from_utf8(&self.begun) {
            Err(error) if error.error_len().is_none() => self.begun.split_at(error.valid_up_to()),
            Ok(_) | Err(_) => (self.begun.as_slice(), &[][..]),
        };
        let text: String = String::from_utf8_lossy(whole).chars().map(ascii_of).collect();
        let rest = rest.to_vec();
        self.begun = rest;
        self.out.write_all(text.as_bytes())?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A text in one style, which is on one line if there is room.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Span {
    pub(super) fn new(text: impl Into<String>, style: Style) -> Span {
        Span { text: text.into(), style }
    }

    /// Its words, each on its own.
    pub(super) fn words(&self) -> impl Iterator<Item = Span> {
        columns::words(&self.text).map(|word| Span::new(word, self.style))
    }
}

/// The columns of spans with a blank between two.
pub(super) fn width(spans: &[Span]) -> usize {
    spans.iter().map(|span| span.text.width() + 1).sum::<usize>().saturating_sub(1)
}

/// Joins spans to lines of at most `width` columns. One that is wider is divided between its words; a wider word is cut.
pub(super) fn wrap_spans(spans: &[Span], width: usize) -> Vec<Vec<Span>> {
    let pieces = spans.iter().flat_map(|span| {
        pieces(&span.text, width).map(|piece| Span::new(columns::cut(piece, width), span.style))
    });
    let pieces: Vec<Span> = pieces.collect();
    let widths = pieces.iter().map(|piece| piece.text.width());
    columns::lines(widths, width).into_iter().map(|line| pieces[line].to_vec()).collect()
}

/// Joins words to lines of at most `width` columns; a longer word is cut.
pub(super) fn wrap<'a>(words: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let pieces = words.into_iter().flat_map(|word| pieces(word, width));
    columns::wrap(pieces, width).iter().map(|line| columns::cut(line, width)).collect()
}

/// A word, or the words in it if it is too wide for a line.
fn pieces(word: &str, width: usize) -> impl Iterator<Item = &str> {
    let separator = if word.width() > width { ' ' } else { '\0' };
    word.split(separator)
}
