//! The ways of segments: how far they go, and where their texts stand.

use std::collections::VecDeque;

use super::points::LINE;
use super::text::{self, Line};
use crate::picture::{Arrow, Part, Picture, Place, What};

/// A way is steep if it falls so much for each pixel that it goes aside.
const STEEP: f64 = 0.5;
/// Texts that meet are of rows so near to each other.
const NEAR: usize = 24;

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
                return label(1.0, at, text::label(arrow, room - 50.0));
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

/// Moves the texts of arrows that would stand on those of others.
pub(super) fn apart(ways: &mut [&mut Way<'_>]) {
    // Of two that cross, each goes towards its tail.
    let crossing: Vec<bool> = (0..ways.len()).map(|index| crosses(ways, index)).collect();
    for (way, _) in ways.iter_mut().zip(crossing).filter(|(_, crosses)| *crosses) {
        way.label.at = way.label.at.map(|_| way.within(0.27 / columns(way)));
    }
    let mut taken: VecDeque<Text> = VecDeque::new();
    for way in ways {
        let Some(best) = way.label.at.filter(|_| !way.turns()) else { continue };
        let free = |at: &f64| taken.iter().all(|other| !way.text(*at).meets(other));
        let mut all = [best].into_iter().chain(places(way)).map(|at| way.within(at));
        let at = all.find(free).unwrap_or(best);
        way.label.at = Some(at);
        taken.push_back(way.text(at));
        if taken.len() > NEAR {
            taken.pop_front();
        }
    }
}

/// Whether the text meets that of a segment which comes the other way.
fn crosses(ways: &[&mut Way<'_>], index: usize) -> bool {
    let text = |way: &Way<'_>| way.label.at.map(|at| way.text(at));
    let this = &ways[index];
    let Some(ours) = text(this) else { return false };
    let near = index.saturating_sub(NEAR)..(index + NEAR).min(ways.len());
    ways[near].iter().any(|other| {
        let opposite = (this.to.0 - this.from.0) * (other.to.0 - other.from.0) < 0.0;
        opposite && text(other).is_some_and(|theirs| ours.meets(&theirs))
    })
}

/// Where a text may stand on a way, the best first: in the parts between two lifelines, one after the other.
fn places(way: &Way<'_>) -> impl Iterator<Item = f64> + use<> {
    let columns = columns(way);
    let parts = (0..columns as usize).map(|part| part as f64);
    parts.flat_map(move |part| [0.5, 0.35, 0.65, 0.25, 0.75].map(|place| (part + place) / columns))
}

fn columns(way: &Way<'_>) -> f64 {
    span(way.arrow).max(1) as f64
}

/// The room that the first line of a text takes: its middle, its length, and how much it falls from left to right.
struct Text {
    x: f64,
    y: f64,
    width: f64,
    slope: f64,
}

impl Text {
    /// Whether they are nearer to each other than can be read.
    fn meets(&self, other: &Text) -> bool {
        let begin = (self.x - self.width / 2.0).max(other.x - other.width / 2.0);
        let end = (self.x + self.width / 2.0).min(other.x + other.width / 2.0);
        let apart = |x: f64| (self.y + self.slope * (x - self.x)) - (other.y + other.slope * (x - other.x));
        let (first, last) = (apart(begin), apart(end));
        begin < end && (first.abs() < LINE || last.abs() < LINE || first * last < 0.0)
    }
}

impl Way<'_> {
    /// Whether it turns around beside a lifeline: a host sends the segment to itself.
    pub(super) fn turns(&self) -> bool {
        self.arrow.turns() && !matches!(self.arrow.part, Part::Lost { .. })
    }

    /// The room of its text with the middle at this part of the way.
    fn text(&self, at: f64) -> Text {
        let ((x1, y1), (x2, y2)) = (self.from, self.to);
        let slope = self.turn().to_radians().tan();
        Text { x: x1 + (x2 - x1) * at, y: y1 + (y2 - y1) * at, width: self.text_width(), slope }
    }

    fn text_width(&self) -> f64 {
        self.label.lines.first().map_or(0.0, Line::width)
    }

    /// How much its text is turned, in degrees. Where the way is steep it is not: nobody reads from top to bottom.
    pub(super) fn turn(&self) -> f64 {
        let slope = (self.to.1 - self.from.1) / (self.to.0 - self.from.0);
        if slope.is_finite() && slope.abs() < STEEP { slope.atan().to_degrees() } else { 0.0 }
    }

    /// The part of the way next to this one where the text does not stand on a lifeline.
    fn within(&self, at: f64) -> f64 {
        let least = (self.text_width() / 2.0 + 10.0) / (self.to.0 - self.from.0).abs().max(1.0);
        if least < 0.5 { at.clamp(least, 1.0 - least) } else { 0.5 }
    }
}
