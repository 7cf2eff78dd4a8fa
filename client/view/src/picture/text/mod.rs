//! Draws a picture as text: a ladder of a given width.
//!
//! Each host is a lifeline with its state beside it where that changes; segments are arrows between lifelines. What
//! applications and timers do is written in the margins, if these are wide enough.

mod arrows;
mod canvas;
mod frame;
mod look;
mod pace;
mod rows;
mod sheet;
mod shown;
mod slopes;

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use self::canvas::Line;
use self::frame::{Frame, Needs};
use self::shown::Shown;
use self::slopes::Slopes;
use super::{Picture, What};
use crate::columns::cut;
use crate::words;

pub use canvas::AsciiWriter;
pub use pace::{Pace, PaceError, play};

/// What a picture is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paper {
    /// The width in columns, at least 40.
    pub width: usize,
    /// Whether only ASCII is used.
    pub ascii: bool,
}

impl Default for Paper {
    fn default() -> Paper {
        Paper { width: 100, ascii: false }
    }
}

/// Draws a picture. The text has ANSI colours, for a stream that strips them if they are not wanted.
pub fn draw(picture: &Picture, paper: Paper) -> String {
    let drawing = Drawing::new(picture, paper);
    let mut out = drawing.heading();
    drawing.rows().for_each(|(_, row)| out.push_str(&row));
    out + &drawing.ending()
}

/// A picture that is drawn row by row.
#[derive(Clone, Debug)]
pub struct Drawing<'a> {
    picture: &'a Picture,
    paper: Paper,
    frame: Frame,
    /// The states that each row shows.
    shown: Vec<Shown>,
    slopes: Slopes,
}

impl<'a> Drawing<'a> {
    /// Computes where everything is.
    pub fn new(picture: &'a Picture, paper: Paper) -> Drawing<'a> {
        let shown = shown::shown(picture);
        let needs = rows::needs(picture, &shown);
        Drawing::in_frame(picture, paper, shown, &needs)
    }

    /// Computes where everything is in a part of a picture that grows: where it was in the parts above, whatever these
    /// say, unless there are more connections now or times are longer.
    pub fn next(picture: &'a Picture, paper: Paper) -> Drawing<'a> {
        Drawing::in_frame(picture, paper, shown::shown(picture), &Needs::unknown())
    }

    fn in_frame(picture: &'a Picture, paper: Paper, shown: Vec<Shown>, needs: &Needs) -> Drawing<'a> {
        let frame = Frame::new(picture, paper, needs);
        let slopes = Slopes::new(picture);
        let mut drawing = Drawing { picture, paper, frame, shown, slopes };
        if !drawing.slopes.is_empty() {
            let heights: Vec<usize> =
                (0..picture.rows.len()).map(|index| drawing.own_lines(index).len()).collect();
            drawing.slopes.measure(heights.into_iter());
        }
        drawing
    }

    /// The line with the names of the hosts; nothing if there are no rows.
    pub fn heading(&self) -> String {
        if self.picture.rows.is_empty() {
            return String::new();
        }
        let frame = &self.frame;
        let mut line = Line::new(frame.width);
        line.put(frame.time.saturating_sub(4), "time", look::DIM);
        let lanes = if frame.shared { &[][..] } else { &frame.lanes };
        for (lane, lifeline) in lanes.iter().zip(&self.picture.lifelines) {
            let room = frame.lanes[1] - frame.lanes[0];
            let name = cut(&lifeline.name, room.saturating_sub(1));
            let last = frame.width.saturating_sub(name.width());
            let at = lane.saturating_sub(name.width().saturating_sub(1) / 2).max(frame.begin()).min(last);
            line.put(at, &name, look::BOLD);
        }
        line.finish(self.paper.ascii)
    }

    /// The rows, each with the time when all of it has happened; a row has at least one line.
    pub fn rows(&self) -> impl Iterator<Item = (Duration, String)> + '_ {
        (0..self.picture.rows.len()).map(|index| {
            let lines = self.row(index).into_iter().map(|line| line.finish(self.paper.ascii));
            let row = &self.picture.rows[index];
            let time = match &row.what {
                // Folded connections go on below.
                What::Folded(folded) if folded.alike.is_none() => folded.until,
                _ => row.time,
            };
            (time, lines.collect())
        })
    }

    /// The note at the end: how much was not selected; often empty.
    pub fn ending(&self) -> String {
        let rows = self.picture.not_selected;
        if rows == 0 {
            return String::new();
        }
        let mut line = Line::new(self.frame.width);
        let verb = if rows == 1 { "is" } else { "are" };
        let mark = self.ellipsis();
        let text = format!("{mark} {} more {verb} not selected {mark}", words::count(rows as u64, "row"));
        line.put(0, &cut(&text, self.frame.width), look::DIM);
        line.finish(self.paper.ascii)
    }

    fn ellipsis(&self) -> &'static str {
        if self.paper.ascii { "..." } else { "…" }
    }
}
