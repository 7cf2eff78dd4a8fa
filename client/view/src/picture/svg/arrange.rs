//! Finds places for the texts of a drawing where none stands on another: those beside lifelines have theirs, those of
//! segments may move along their arrows, and those across the lifelines to the sides.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::items::Item;
use super::points::LINE;
use super::sides::Sides;
use super::text::Line;
use super::ways::{TURN, Way};

/// How tall the letters of a line are, and how much higher than its baseline their middle is.
const TALL: f64 = 9.0;
const MIDDLE: f64 = 3.6;
/// How far texts stay from each other along a line.
const APART: f64 = 3.0;
/// How high the parts of a drawing are that are searched one by one.
const SHELF: f64 = 64.0;
/// How often texts that still stand on others look for another place.
const ROUNDS: usize = 4;

/// The room that a line of text takes, or a head of an arrow: its middle, half of its breadth and its height, and how much it
/// is turned.
#[derive(Clone, Copy, Debug)]
struct Room {
    x: f64,
    y: f64,
    half: (f64, f64),
    angle: f64,
}

impl Room {
    /// That of a line whose baseline is at an offset from a point around which it is turned. `lean` is where its middle is:
    /// 0 for the middle, half of its width to the right or the left if it begins or ends there.
    fn of(line: &Line, (x, y): (f64, f64), (right, down): (f64, f64), angle: f64, lean: f64) -> Room {
        let width = line.width();
        let (right, down) = (right + lean * width / 2.0, down - MIDDLE);
        let (sin, cos) = angle.sin_cos();
        Room {
            x: x + right * cos - down * sin,
            y: y + right * sin + down * cos,
            half: (width / 2.0 + APART, TALL / 2.0),
            angle,
        }
    }

    /// How deep two of them are in each other: 0 if there is an axis along which they are apart.
    fn overlap(&self, other: &Room) -> f64 {
        let along = |angle: f64| {
            let (sin, cos) = angle.sin_cos();
            let depth = |(ax, ay): (f64, f64)| {
                let distance = ((self.x - other.x) * ax + (self.y - other.y) * ay).abs();
                let reach = |room: &Room| {
                    let (sin, cos) = room.angle.sin_cos();
                    room.half.0 * (cos * ax + sin * ay).abs() + room.half.1 * (cos * ay - sin * ax).abs()
                };
                reach(self) + reach(other) - distance
            };
            depth((cos, sin)).min(depth((-sin, cos)))
        };
        along(self.angle).min(along(other.angle)).max(0.0)
    }

    fn is_at(&self, other: &Room) -> bool {
        (self.x, self.y, self.half) == (other.x, other.y, other.half)
    }

    /// The shelves that it is on.
    fn shelves(&self) -> RangeInclusive<i64> {
        let tall = self.half.0 * self.angle.sin().abs() + self.half.1;
        ((self.y - tall) / SHELF).floor() as i64..=((self.y + tall) / SHELF).floor() as i64
    }
}

/// What is taken, by shelves: each room with the row that it is of.
#[derive(Default)]
struct Taken(BTreeMap<i64, Vec<(usize, Room)>>);

impl Taken {
    fn put(&mut self, row: usize, rooms: &[Room]) {
        for room in rooms {
            room.shelves().for_each(|shelf| self.0.entry(shelf).or_default().push((row, *room)));
        }
    }

    /// What is on the shelves of a room; once for each of them.
    fn on(&self, room: &Room) -> impl Iterator<Item = &(usize, Room)> {
        room.shelves().flat_map(|shelf| self.0.get(&shelf).into_iter().flatten())
    }

    /// How deep these are in rooms of other rows, all together.
    fn overlap(&self, row: usize, rooms: &[Room]) -> f64 {
        let others = |room| self.on(room).filter(|(other, _)| *other != row);
        rooms.iter().flat_map(|room| others(room).map(|(_, taken)| taken.overlap(room))).sum()
    }

    fn take_away(&mut self, row: usize, rooms: &[Room]) {
        for shelf in rooms.iter().flat_map(Room::shelves) {
            if let Some(taken) = self.0.get_mut(&shelf) {
                taken.retain(|(other, room)| *other != row || !rooms.iter().any(|gone| gone.is_at(room)));
            }
        }
    }
}

/// Moves the texts that may move.
pub(super) fn arrange(items: &mut [Item<'_>], columns: &[f64], sides: &Sides) {
    // Of two that cross, each goes towards its tail.
    for row in crossing(items) {
        if let Some(way) = &mut items[row].way {
            way.label.at = Some(way.towards_tail());
        }
    }
    let mut taken = Taken::default();
    for (row, item) in items.iter().enumerate() {
        taken.put(row, &fixed(item, columns, sides));
    }
    let mut rooms: Vec<Vec<Room>> = vec![Vec::new(); items.len()];
    for round in 0..=ROUNDS {
        for (row, item) in items.iter_mut().enumerate() {
            let at_rest = round > 0 && taken.overlap(row, &rooms[row]) == 0.0;
            if at_rest {
                continue;
            }
            taken.take_away(row, &rooms[row]);
            let places = places(item, columns);
            let best = places.into_iter().map(|place| {
                let rooms = movable(item, place);
                (taken.overlap(row, &rooms), place, rooms)
            });
            // The first of equally good ones.
            let Some((_, place, free)) = best.reduce(|best, next| if next.0 < best.0 { next } else { best })
            else {
                continue;
            };
            move_to(item, place);
            taken.put(row, &free);
            rooms[row] = free;
        }
    }
}

/// The rows of segments whose texts would stand on those of segments that come the other way.
fn crossing(items: &[Item<'_>]) -> Vec<usize> {
    let mut texts = Taken::default();
    let moving = || items.iter().enumerate().filter_map(|(row, item)| Some((row, item, item.way.as_ref()?)));
    let rooms = |item, way: &Way<'_>| way.label.at.map(|at| movable(item, at)).unwrap_or_default();
    moving().for_each(|(row, item, way)| texts.put(row, &rooms(item, way)));
    let opposite = |way: &Way<'_>, row: usize| {
        let other = items[row].way.as_ref().map_or(0.0, |other| other.to.0 - other.from.0);
        (way.to.0 - way.from.0) * other < 0.0
    };
    let crosses = |item, way: &Way<'_>| {
        rooms(item, way)
            .iter()
            .any(|room| texts.on(room).any(|(row, text)| opposite(way, *row) && text.overlap(room) > 0.0))
    };
    moving().filter(|(_, item, way)| crosses(item, way)).map(|(row, ..)| row).collect()
}

/// The rooms of what has its place: texts beside lifelines and beside the end of an arrow, and heads.
fn fixed(item: &Item<'_>, columns: &[f64], sides: &Sides) -> Vec<Room> {
    let mut rooms = Vec::new();
    for (host, y, lines) in &item.margins {
        let lean = if sides.is_left(*host, item.row) { -1.0 } else { 1.0 };
        let below = |index: usize| (lean * 12.0, 4.0 + LINE * index as f64);
        let room = |(index, line)| Room::of(line, (columns[*host], *y), below(index), 0.0, lean);
        rooms.extend(lines.iter().enumerate().map(room));
    }
    let Some(way) = &item.way else { return rooms };
    if way.turns() {
        let (x, y) = (way.from.0, (way.from.1 + way.to.1) / 2.0 + 4.0);
        let below = |index: usize| (way.side * (TURN * 0.75 + 8.0), LINE * index as f64);
        let room = |(index, line)| Room::of(line, (x, y), below(index), 0.0, way.side);
        rooms.extend(way.label.lines.iter().enumerate().map(room));
        return rooms;
    }
    let lean = if way.to.0 >= way.from.0 { 1.0 } else { -1.0 };
    let end = way.point(way.label.goes);
    let angle = way.turn().to_radians();
    let beside = |(index, line)| {
        let down = 4.0 + LINE * index as f64;
        Room::of(line, end, (lean * 10.0, down), angle, lean)
    };
    rooms.extend(way.label.after.iter().map(|line| beside((0, line))));
    if way.label.at.is_none() {
        rooms.extend(way.label.lines.iter().enumerate().map(beside));
    }
    if way.label.goes >= 1.0 {
        rooms.push(Room { x: end.0 - lean * 9.0, y: end.1, half: (6.0, 4.0), angle });
    }
    rooms
}

/// The rooms of what may move, if it is at this place.
fn movable(item: &Item<'_>, place: f64) -> Vec<Room> {
    let mut rooms = Vec::new();
    if let Some(way) = item.way.as_ref().filter(|way| moves(way)) {
        let (at, angle) = (way.point(place), way.turn().to_radians());
        let room = |(index, line)| Room::of(line, at, (0.0, Way::baseline(index)), angle, 0.0);
        rooms.extend(way.label.lines.iter().enumerate().map(room));
    }
    if let Some(band) = &item.band {
        let below = |index: usize| (0.0, LINE * index as f64);
        let room = |(index, line)| Room::of(line, (place, band.y), below(index), 0.0, 0.0);
        rooms.extend(band.lines.iter().enumerate().map(room));
    }
    rooms
}

/// Where what may move can be, the best first: the text of a segment at a part of its way, one across the lifelines at a
/// distance from the left.
fn places(item: &Item<'_>, columns: &[f64]) -> Vec<f64> {
    if let Some(way) = item.way.as_ref().filter(|way| moves(way)) {
        return way.places();
    }
    let (Some(band), Some(first), Some(last)) = (&item.band, columns.first(), columns.last()) else {
        return Vec::new();
    };
    let half = band.lines.iter().map(Line::width).fold(0.0, f64::max) / 2.0 + 12.0;
    let steps = (1..).map(|step| f64::from(step) * 12.0).take_while(|step| *step < last - first);
    let beside = steps.flat_map(|step| [band.x - step, band.x + step]);
    let inside = |x: &f64| x - half >= *first && x + half <= *last;
    let on_lifeline = |x: f64| columns.iter().any(|column| (column - x).abs() < half);
    let (on, off): (Vec<f64>, Vec<f64>) = beside.filter(inside).partition(|x| on_lifeline(*x));
    [band.x].into_iter().chain(off).chain(on).collect()
}

fn moves(way: &Way<'_>) -> bool {
    way.label.at.is_some() && !way.turns()
}

fn move_to(item: &mut Item<'_>, place: f64) {
    if let Some(way) = item.way.as_mut().filter(|way| moves(way)) {
        way.label.at = Some(place);
    } else if let Some(band) = &mut item.band {
        band.x = place;
    }
}
