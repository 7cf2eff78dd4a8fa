//! Joins where a segment leaves with where it arrives: steps down the rows in between.

use std::collections::BTreeMap;

use unicode_width::UnicodeWidthStr;

use super::super::{Arrow, Arrows, Part, Picture, What};
use super::arrows::{Shaft, label_style};
use super::canvas::{Line, wrap};
use super::frame::Frame;

/// The ways of segments that leave in one row and arrive in another.
#[derive(Clone, Debug, Default)]
pub(super) struct Slopes {
    slopes: Vec<Slope>,
    /// The slopes that each row has a part of, as positions.
    through: BTreeMap<usize, Vec<usize>>,
    /// The line that each row begins at.
    begins: Vec<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Slope {
    /// The row where the segment leaves.
    from: usize,
    /// The row where it arrives.
    to: usize,
}

impl Slopes {
    /// Finds the slopes of a picture. Nothing is joined where arrows are flat: too much lies in between.
    pub(super) fn new(picture: &Picture) -> Slopes {
        let mut all = Slopes::default();
        if picture.arrows == Arrows::Flat {
            return all;
        }
        let mut departures: BTreeMap<u64, usize> = BTreeMap::new();
        for (index, row) in picture.rows.iter().enumerate() {
            let What::Arrow(arrow @ Arrow { part, segment, .. }) = &row.what else { continue };
            if arrow.turns() {
                continue;
            }
            match (part, departures.get(segment)) {
                (Part::Departure, _) => {
                    departures.insert(*segment, index);
                }
                (Part::Arrival, Some(from)) => {
                    let slope = Slope { from: *from, to: index };
                    (*from..=index)
                        .for_each(|row| all.through.entry(row).or_default().push(all.slopes.len()));
                    all.slopes.push(slope);
                }
                (Part::Arrival | Part::Whole | Part::Lost { .. }, _) => {}
            }
        }
        all
    }

    /// Says how many lines each row has.
    pub(super) fn measure(&mut self, heights: impl Iterator<Item = usize>) {
        let begins = heights.scan(0, |next, height| {
            let begin = *next;
            *next += height;
            Some(begin)
        });
        self.begins = begins.collect();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slopes.is_empty()
    }

    /// The row that a row is joined to: where the segment left that arrives there, or arrives that leaves there.
    pub(super) fn other_end(&self, row: usize) -> Option<usize> {
        let slopes = self.through.get(&row)?.iter().map(|slope| self.slopes[*slope]);
        let mut ends = slopes.filter_map(|slope| match row {
            _ if row == slope.from => Some(slope.to),
            _ if row == slope.to => Some(slope.from),
            _ => None,
        });
        ends.next()
    }

    /// Draws the parts of slopes that go through a row's lines, behind what is there.
    pub(super) fn draw(&self, picture: &Picture, frame: &Frame, row: usize, lines: &mut [Line]) {
        for slope in self.through.get(&row).into_iter().flatten().map(|slope| self.slopes[*slope]) {
            let What::Arrow(arrow) = &picture.rows[slope.from].what else { continue };
            let (first, last) = (self.begins[slope.from], self.begins[slope.to]);
            for (number, line) in lines.iter_mut().enumerate() {
                let number = self.begins[row] + number;
                if (first..=last).contains(&number) {
                    step(frame, arrow, (number - first, last - first), line);
                }
            }
        }
    }
}

/// Draws the part of an arrow that is in its line `number` of `count` and one more.
fn step(frame: &Frame, arrow: &Arrow, (number, count): (usize, usize), line: &mut Line) {
    let (from, to) = frame.ends(arrow);
    let (begin, end) = (frame.lanes[from], frame.lanes[to]);
    let shaft = Shaft { rightwards: begin < end, from: begin, length: begin.abs_diff(end) };
    let zone = shaft.length.saturating_sub(3);
    let label = wrap(arrow.label.iter().map(|word| word.text.as_str()), zone.saturating_sub(4).max(4));
    let after_label = label.first().map_or(3, |label| label.width() + 6);
    // The first line takes its label, the others equal parts of what is left.
    let last = shaft.length.saturating_sub(1);
    let first = (shaft.length / (count + 1)).max(after_label).min(last.saturating_sub(1));
    let bound = |number: usize| match number {
        0 => 1,
        number => first + (last - first) * (number - 1) / count.max(1),
    };
    let style = label_style(arrow);
    let (left, right) = (bound(number), bound(number + 1));
    let (over, under, slant) = if shaft.rightwards { ("╮", "╰", "╲") } else { ("╭", "╯", "╱") };
    let mut put = |step: usize, text: &str| line.put_behind(shaft.column(step), text, style);
    if number == count {
        (left + 1..last).for_each(|step| put(step, "─"));
        if number > 0 {
            put(left, under);
        }
        line.put(shaft.column(last), if shaft.rightwards { "▶" } else { "◀" }, style);
    } else if number > 0 && right <= left + 1 {
        put(left, slant);
    } else {
        if number > 0 {
            put(left, under);
        }
        put(right, over);
        (left + 1..right).for_each(|step| put(step, "─"));
    }
}
