//! The lines of one row, with room between and beside the lifelines.

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::super::Life;
use super::canvas::{self, Line, Span, wrap, wrap_spans};
use super::frame::Frame;
use super::look::{self, Joint};
use crate::columns;

/// Towards which side of a zone a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// The lines of a row. The room left of lifeline `n` is zone `n`; right of the last one there is one zone more.
pub(super) struct Sheet<'a> {
    frame: &'a Frame,
    /// What each lane's lifeline is; `None`: there is none in this row.
    lives: Vec<Option<Life>>,
    lines: Vec<Line>,
    /// The line where texts may begin in each zone: 0, or 1 if the first line is taken.
    free: Vec<usize>,
}

impl<'a> Sheet<'a> {
    pub(super) fn new(frame: &'a Frame, lives: Vec<Option<Life>>) -> Sheet<'a> {
        let free = vec![0; frame.lanes.len() + 1];
        let mut sheet = Sheet { frame, lives, lines: Vec::new(), free };
        sheet.line(0);
        sheet
    }

    pub(super) fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// The line of that number, with its lifelines.
    pub(super) fn line(&mut self, number: usize) -> &mut Line {
        while self.lines.len() <= number {
            let mut line = Line::new(self.frame.width);
            for (column, life) in self.frame.lanes.iter().zip(&self.lives) {
                if let Some(life) = life {
                    let (character, style) = look::lifeline(*life);
                    line.put(*column, character.encode_utf8(&mut [0; 4]), style);
                }
            }
            self.lines.push(line);
        }
        &mut self.lines[number]
    }

    /// Joins something to a lifeline in the first line.
    pub(super) fn join(&mut self, lane: usize, joint: Joint) {
        let life = self.lives.get(lane).copied().flatten();
        if let (Some(life), Some(column)) = (life, self.frame.lanes.get(lane).copied()) {
            let (character, style) = look::joint(life, joint);
            self.line(0).put(column, character.encode_utf8(&mut [0; 4]), style);
        }
    }

    /// Where a zone's text may begin, and its columns: there is a blank beside each lifeline.
    pub(super) fn zone(&self, zone: usize) -> (usize, usize) {
        let Frame { lanes, left, right, .. } = self.frame;
        if zone == 0 {
            (self.frame.begin(), *left)
        } else if zone >= lanes.len() {
            (lanes[lanes.len() - 1] + 2, *right)
        } else {
            (lanes[zone - 1] + 2, (lanes[zone] - lanes[zone - 1]).saturating_sub(3))
        }
    }

    /// Whether spans have room in the zone's first line.
    pub(super) fn fits(&self, zone: usize, spans: &[Span]) -> bool {
        self.free[zone] == 0 && canvas::width(spans) <= self.zone(zone).1
    }

    /// Says that a zone's first line is taken.
    pub(super) fn take(&mut self, zone: usize) {
        self.free[zone] = self.free[zone].max(1);
    }

    /// Texts begin in a zone in this line at the earliest.
    pub(super) fn skip_to(&mut self, zone: usize, line: usize) {
        self.free[zone] = self.free[zone].max(line);
    }

    /// Writes words into a zone, from its first free line on.
    pub(super) fn write<'w>(
        &mut self,
        zone: usize,
        align: Align,
        words: impl IntoIterator<Item = &'w str>,
        style: Style,
    ) {
        let spans: Vec<Span> = words.into_iter().map(|word| Span::new(word, style)).collect();
        self.write_spans(zone, align, &spans);
    }

    /// Writes spans into a zone, from its first free line on.
    pub(super) fn write_spans(&mut self, zone: usize, align: Align, spans: &[Span]) {
        let (begin, width) = self.zone(zone);
        let mut next = self.free[zone];
        for spans in wrap_spans(spans, width) {
            let taken = canvas::width(&spans);
            let spare = width.saturating_sub(taken);
            let at = match align {
                Align::Left => begin,
                Align::Right => begin + spare,
            };
            // A blank before and after it.
            let columns = at.saturating_sub(1)..at + taken + 1;
            let blank = |line: &Line| line.is_blank(columns.start.max(begin)..columns.end.min(begin + width));
            let number = (next..).find(|number| self.lines.get(*number).is_none_or(blank));
            let number = number.unwrap_or(self.lines.len());
            let mut column = at;
            for span in &spans {
                self.line(number).put(column, &span.text, span.style);
                column += span.text.width() + 1;
            }
            // Nothing goes through between them, nor right beside them.
            (at.saturating_sub(1)..=at + taken).for_each(|column| self.line(number).keep_blank(column));
            next = number + 1;
        }
        if next > 0 {
            // Below the first line two texts may stand side by side.
            self.take(zone);
        }
    }

    /// Whether nothing is in a zone's first line.
    pub(super) fn is_free(&self, zone: usize) -> bool {
        self.free[zone] == 0
    }

    /// Writes a text across all lifelines, in the middle.
    pub(super) fn write_across(&mut self, text: &str, style: Style) {
        let (first, last) = (self.frame.lanes[0], self.frame.lanes[self.frame.lanes.len() - 1]);
        let room = (last - first).saturating_sub(3);
        for (number, text) in wrap(columns::words(text), room).into_iter().enumerate() {
            let at = first + 2 + room.saturating_sub(text.width()) / 2;
            let padded = format!(" {text} ");
            self.line(number).put(at - 1, &padded, style);
        }
    }
}
