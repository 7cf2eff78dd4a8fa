//! The ways of segments: how far they go, and where their texts stand.

use super::points::LINE;
use super::text::{self, Line};
use crate::picture::{Arrow, Part, Picture, Place, What};

/// A way is steep if it falls so much for each pixel that it goes aside.
const STEEP: f64 = 0.5;
/// How far from its lifeline the bend of a segment is drawn that a host sends to itself: a curve goes three quarters of it.
pub(super) const TURN: f64 = 48.0;

/// The way of a segment.
pub(super) struct Way<'a> {
    pub(super) arrow: &'a Arrow,
    pub(super) from: (f64, f64),
    /// Where it goes, whether it gets there or not.
    pub(super) to: (f64, f64),
    /// On which side of its lifeline it turns, if it does: 1 is on the right, -1 on the left.
    pub(super) side: f64,
    pub(super) label: Label,
}

/// Where on the way the box in the middle stands that takes a segment; one that makes a segment is as far from the other end.
const BOX: f64 = 0.75;

/// How wide a text along an arrow may be: two have room between two lifelines where arrows cross.
const WIDEST: f64 = 250.0;

/// Which part of its way a segment goes, and what stands along it.
pub(super) struct Label {
    /// Where it begins; after 0 if it comes from the way.
    pub(super) begins: f64,
    /// Where it ends; before 1 if it is lost on the way.
    pub(super) goes: f64,
    /// Where on the way the middle of the lines stands. `None`: after the end of what it goes.
    pub(super) at: Option<f64>,
    pub(super) lines: Vec<Line>,
    /// What stands after the end of what it goes.
    pub(super) after: Option<Line>,
}

impl Label {
    /// For a way from lifeline to lifeline, in the first part of it if there are others between.
    pub(super) fn new(arrow: &Arrow, room: f64, columns: usize) -> Label {
        let columns = columns.max(1) as f64;
        let begins = if arrow.of_middlebox { (1.0 - BOX) / columns } else { 0.0 };
        let label = |goes, at, lines| Label { begins, goes, at: Some(at / columns), lines, after: None };
        let (at, why) = match &arrow.part {
            Part::Lost { at, why } => (at, why),
            Part::Departure | Part::Whole | Part::Arrival => {
                let at = if arrow.of_middlebox { 0.62 } else { 0.5 };
                return label(1.0, at, text::label(arrow, (room - 50.0).min(WIDEST)));
            }
        };
        let reason = text::reason(why);
        let fits = |part: f64, line: &Line| line.width() + 24.0 <= room * part;
        match at {
            Place::Receiver => label(1.0, 0.5, text::label_of_lost(arrow, why, room - 40.0)),
            Place::Sender => {
                let lines = text::label_of_lost(arrow, why, room * 0.8 - 24.0);
                Label { begins, goes: 0.2 / columns, at: None, lines, after: None }
            }
            Place::Way if fits(1.0 - BOX, &reason) => {
                let lines = text::label(arrow, room * BOX - 16.0);
                Label { after: Some(reason), ..label(BOX / columns, 0.38, lines) }
            }
            Place::Way => label(BOX / columns, 0.38, text::label_of_lost(arrow, why, room * BOX - 16.0)),
        }
    }
}

/// How far the lifelines stand apart.
pub(super) fn room(picture: &Picture) -> f64 {
    if picture.lifelines.len() > 2 { 360.0 } else { 480.0 }
}

/// Whether a host sends a segment to itself.
pub(super) fn turns(picture: &Picture) -> bool {
    picture.rows.iter().any(|row| matches!(&row.what, What::Arrow(arrow) if arrow.turns()))
}

/// How many lifelines a segment goes on.
pub(super) fn span(arrow: &Arrow) -> usize {
    match (arrow.from.host, arrow.to.host) {
        (Some(from), Some(to)) => from.abs_diff(to),
        _ => 1,
    }
}

impl Way<'_> {
    /// Whether it turns around beside a lifeline: a host sends the segment to itself.
    pub(super) fn turns(&self) -> bool {
        self.arrow.turns() && !matches!(self.arrow.part, Part::Lost { .. })
    }

    /// A part of its way as a point.
    pub(super) fn point(&self, part: f64) -> (f64, f64) {
        let ((x1, y1), (x2, y2)) = (self.from, self.to);
        (x1 + (x2 - x1) * part, y1 + (y2 - y1) * part)
    }

    /// How low a line of its text stands: the first stands on the arrow, the others hang below it.
    pub(super) fn baseline(line: usize) -> f64 {
        if line == 0 { -4.0 } else { LINE * line as f64 }
    }

    /// Where its text may stand on the way, the best first: where it is meant to, then in the parts between two lifelines, one
    /// after the other, each from the middle to its ends.
    pub(super) fn places(&self) -> Vec<f64> {
        let columns = span(self.arrow).max(1);
        let beside = (1..=16).flat_map(|step| [-1.0, 1.0].map(|side| 0.5 + side * f64::from(step) * 0.03));
        let near: Vec<f64> = [0.5].into_iter().chain(beside).collect();
        let parts = (0..columns).flat_map(|part| near.iter().map(move |place| part as f64 + place));
        let all = parts.map(|place| place / columns as f64).filter(|place| *place < self.label.goes);
        let mut places: Vec<f64> = self.label.at.into_iter().chain(all).map(|at| self.within(at)).collect();
        places.dedup();
        places
    }

    fn text_width(&self) -> f64 {
        self.label.lines.iter().map(Line::width).fold(0.0, f64::max)
    }

    /// How much its text is turned, in degrees. Where the way is steep it is not: nobody reads from top to bottom.
    pub(super) fn turn(&self) -> f64 {
        let slope = (self.to.1 - self.from.1) / (self.to.0 - self.from.0);
        if slope.is_finite() && slope.abs() < STEEP { slope.atan().to_degrees() } else { 0.0 }
    }

    /// Where its text stands if the middle belongs to others.
    pub(super) fn towards_tail(&self) -> f64 {
        self.within(0.27 / span(self.arrow).max(1) as f64)
    }

    /// The part of the way next to this one where the text does not stand on a lifeline.
    fn within(&self, at: f64) -> f64 {
        let least = (self.text_width() / 2.0 + 10.0) / (self.to.0 - self.from.0).abs().max(1.0);
        if least < 0.5 { at.clamp(least, 1.0 - least) } else { 0.5 }
    }
}
