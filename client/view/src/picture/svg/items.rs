//! What each row of a drawing draws, made of its points.

use std::collections::BTreeMap;

use super::points::{FALL, Point, Role};
use super::text::Line;
use super::ways::{Label, Way, room, span};
use crate::picture::{Arrow, Part, Picture, Row, What, Word};
use crate::timeline::HostIndex;

/// What one row draws.
pub(super) struct Item<'a> {
    pub(super) row: &'a Row,
    pub(super) way: Option<Way<'a>>,
    /// Texts beside lifelines: the host, where they begin, and what they say.
    pub(super) margins: Vec<(HostIndex, f64, Vec<Line>)>,
    /// What stands across all lifelines.
    pub(super) band: Option<Band>,
}

/// A text across the lifelines: its middle, the baseline of its first line, and what it says.
pub(super) struct Band {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) lines: Vec<Line>,
}

/// Makes what the rows draw of their points.
pub(super) struct Items<'a, 'p> {
    picture: &'a Picture,
    columns: &'p [f64],
    points: &'p [Point],
    tails: BTreeMap<usize, &'p Point>,
    heads: BTreeMap<usize, &'p Point>,
    /// Where each segment left, and the first arrival of each that has a row of its own.
    left: BTreeMap<u64, usize>,
    arrived: BTreeMap<u64, usize>,
}

impl<'a, 'p> Items<'a, 'p> {
    pub(super) fn new(picture: &'a Picture, columns: &'p [f64], points: &'p [Point]) -> Items<'a, 'p> {
        let of = |role: Role| {
            points.iter().filter(move |point| point.role == role).map(|point| (point.row, point))
        };
        let (tails, heads) = (of(Role::Tail).collect(), of(Role::Head).collect());
        let mut items =
            Items { picture, columns, points, tails, heads, left: BTreeMap::new(), arrived: BTreeMap::new() };
        for (index, row) in picture.rows.iter().enumerate() {
            if let What::Arrow(arrow) = &row.what {
                let known = if arrow.part == Part::Arrival { &mut items.arrived } else { &mut items.left };
                known.entry(arrow.segment).or_insert(index);
            }
        }
        items
    }

    /// What each row draws, in the order of the rows.
    pub(super) fn all(&self, middle: f64) -> Vec<Item<'a>> {
        let mut items: Vec<Item<'a>> = self
            .picture
            .rows
            .iter()
            .enumerate()
            .map(|(index, row)| Item { row, way: self.way(index, row), margins: Vec::new(), band: None })
            .collect();
        for point in self.points {
            let Some((y, lines)) = &point.margin else { continue };
            match point.host {
                Some(host) => items[point.row].margins.push((host, *y, lines.clone())),
                None => items[point.row].band = Some(Band { x: middle, y: *y, lines: lines.clone() }),
            }
        }
        items
    }

    /// The way that the row draws: an arrival draws none if the row of the departure did.
    fn way(&self, index: usize, row: &'a Row) -> Option<Way<'a>> {
        let What::Arrow(arrow) = &row.what else { return None };
        let x = |host: Option<HostIndex>| host.and_then(|host| self.columns.get(host)).copied();
        let from = self.tails.get(&index).map(|point| point.y);
        let (tail, head) = match &arrow.part {
            Part::Whole => (from?, self.heads.get(&index)?.y),
            Part::Lost { .. } => (from?, from? + FALL),
            Part::Departure => {
                let arrival = self.arrived.get(&arrow.segment).and_then(|arrival| self.heads.get(arrival));
                (from?, arrival.map_or(from? + FALL, |point| point.y))
            }
            Part::Arrival => {
                let head = self.heads.get(&index)?.y;
                match self.left.get(&arrow.segment) {
                    Some(_) if self.is_drawn(arrow.segment, index) => return None,
                    Some(left) => (self.tails.get(left)?.y, head),
                    None => (head - FALL, head),
                }
            }
        };
        // Towards nobody, and from nobody: some way beyond the lifeline.
        let room = room(self.picture);
        let side = if arrow.rightwards() { room / 2.0 } else { -room / 2.0 };
        let (from, to) = match (x(arrow.from.host), x(arrow.to.host)) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, from + side),
            (None, Some(to)) => (to - side, to),
            (None, None) => return None,
        };
        let is_last = self.columns.len() > 1 && arrow.from.host == self.columns.len().checked_sub(1);
        let side = if is_last { -1.0 } else { 1.0 };
        let label = match self.label_with_arrival(arrow) {
            Some(label) => Label::new(&Arrow { label, ..arrow.clone() }, room, span(arrow)),
            None => Label::new(arrow, room, span(arrow)),
        };
        Some(Way { arrow, from: (from, tail), to: (to, head), side, label })
    }

    /// The label of a departure with what the row of its arrival says besides: why the segment was not used.
    fn label_with_arrival(&self, arrow: &Arrow) -> Option<Vec<Word>> {
        let arrival = self.arrived.get(&arrow.segment).filter(|_| arrow.part == Part::Departure)?;
        let What::Arrow(arrival) = &self.picture.rows[*arrival].what else { return None };
        let more = arrival.label.iter().filter(|word| !arrow.label.contains(word));
        Some(arrow.label.iter().chain(more).cloned().collect())
    }

    /// Whether the row of its departure draws the way to its arrival there.
    fn is_drawn(&self, segment: u64, arrival: usize) -> bool {
        self.arrived.get(&segment) == Some(&arrival) && self.departs(segment)
    }

    /// Whether the segment has a row for its departure alone, which draws the whole way.
    fn departs(&self, segment: u64) -> bool {
        let left = self.left.get(&segment).map(|index| &self.picture.rows[*index].what);
        matches!(left, Some(What::Arrow(Arrow { part: Part::Departure, .. })))
    }
}
