//! Where everything of a drawing stands.
//!
//! Time goes down, piece by piece: later is always lower, the way of a segment is as steep as it is slow, and what would be
//! long and empty is short. Each row has up to two points, where its segment leaves and where it arrives; points are
//! placed one after the other in the order of time.

use std::time::Duration;

use super::arrange::arrange;
use super::items::{Item, Items};
use super::points::{HEADS, LINE, Point, Role, TOP, points};
use super::sides::Sides;
use super::text::{self, Line};
use super::walk::Walk;
use super::ways::{room, turns};
use crate::picture::{Folded, Life, Part, Picture, What};

/// A picture with a place for everything.
pub(super) struct Plan<'a> {
    /// Where the lifelines stand.
    pub(super) columns: Vec<f64>,
    /// Where the times end, left of everything.
    pub(super) times_end: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    /// The times that are shown, from the top.
    pub(super) times: Vec<(f64, String)>,
    /// What each row draws, in the order of the rows.
    pub(super) items: Vec<Item<'a>>,
    /// What each host is, and from where on.
    pub(super) lives: Vec<Vec<(f64, Life)>>,
    pub(super) sides: Sides,
}

impl<'a> Plan<'a> {
    pub(super) fn new(picture: &'a Picture) -> Plan<'a> {
        let mut points = points(picture);
        let mut walk = Walk::new(picture);
        for point in &mut points {
            walk.place(point);
        }
        let lives = lives(picture, &points);
        let bottom = walk.bottom() + 18.0;
        let (columns, times_end, width) = columns(picture, &points);
        let times = times(picture, &points);
        let sides = Sides::new(picture);
        let mut items = Items::new(picture, &columns, &points).all(middle(&columns));
        arrange(&mut items, &columns, &sides);
        Plan { columns, times_end, width, height: bottom + 12.0, times, items, lives, sides }
    }

    pub(super) fn top(&self) -> f64 {
        HEADS + 12.0
    }

    pub(super) fn bottom(&self) -> f64 {
        self.height - 12.0
    }
}

/// Where texts across the lifelines stand, if they can: between the two in the middle.
fn middle(columns: &[f64]) -> f64 {
    let right = columns.len() / 2;
    match (right.checked_sub(1).and_then(|left| columns.get(left)), columns.get(right)) {
        (Some(left), Some(right)) => (left + right) / 2.0,
        (only, other) => only.or(other).copied().unwrap_or(0.0) + 140.0,
    }
}

/// Where the lifelines stand, where the times end, and how wide all is.
fn columns(picture: &Picture, points: &[Point]) -> (Vec<f64>, f64, f64) {
    let hosts = picture.lifelines.len();
    let margin = |host: Option<usize>| {
        let texts = points.iter().filter(|point| point.host.is_some() && point.host == host);
        let lines = texts.filter_map(|point| point.margin.as_ref()).flat_map(|(_, lines)| lines);
        let name =
            host.and_then(|host| picture.lifelines.get(host)).map_or(0.0, |line| text::width(&line.name));
        lines.map(Line::width).fold(name / 2.0 + 8.0, f64::max) + 22.0
    };
    let longest = picture.rows.iter().map(|row| text::width(&text::time(row.time))).fold(0.0, f64::max);
    let times_end = 12.0 + longest.max(24.0);
    let first = times_end + margin(Some(0));
    let between = room(picture);
    let columns: Vec<f64> = (0..hosts).map(|host| first + between * host as f64).collect();
    let last = columns.last().copied().unwrap_or(first);
    let right = match hosts {
        0 | 1 if turns(picture) => between,
        0 | 1 => 240.0,
        _ => margin(Some(hosts - 1)),
    };
    (columns, times_end, last + right + 12.0)
}

/// The times of rows, and between them those of arrivals, where there is room.
fn times(picture: &Picture, points: &[Point]) -> Vec<(f64, String)> {
    let mut shown: Vec<(f64, Duration)> = Vec::new();
    let leaves = |point: &&Point| {
        point.role != Role::Head
            || !matches!(&picture.rows[point.row].what, What::Arrow(arrow) if arrow.part == Part::Whole)
    };
    let silent = |point: &&Point| {
        matches!(picture.rows[point.row].what, What::Silence(_) | What::Folded(_) | What::Omitted(_))
    };
    let (first, second): (Vec<&Point>, Vec<&Point>) =
        points.iter().filter(|point| !silent(point)).partition(leaves);
    for point in first.into_iter().chain(second) {
        let at = shown.partition_point(|(y, _)| *y < point.y);
        let near = shown[at.saturating_sub(1)..(at + 1).min(shown.len())].iter();
        let room = near.clone().all(|(y, _)| (y - point.y).abs() >= LINE - 2.0);
        let new = shown[..at].iter().next_back().is_none_or(|(_, time)| *time != point.time)
            && shown.get(at).is_none_or(|(_, time)| *time != point.time);
        if room && new {
            shown.insert(at, (point.y, point.time));
        }
    }
    shown.into_iter().map(|(y, time)| (y, text::time(time))).collect()
}

/// What each host is, and from where on.
fn lives(picture: &Picture, points: &[Point]) -> Vec<Vec<(f64, Life)>> {
    let mut lives: Vec<Vec<(f64, Life)>> = vec![vec![(TOP - 14.0, Life::default())]; picture.lifelines.len()];
    for (index, point) in points.iter().enumerate() {
        // A band is nowhere, but what it leaves out may have changed anything that no segment is still under way to.
        let leaves_out = match &picture.rows[point.row].what {
            What::Omitted(_) | What::Folded(Folded { alike: Some(_), .. }) => true,
            What::Folded(_) | What::Arrow(_) | What::Notes(_) | What::Silence(_) => false,
        };
        let comes = |host: usize| {
            let mut later = points[index..].iter().filter(|later| later.row < point.row);
            later.any(|later| later.role == Role::Head && later.host == Some(host))
        };
        for (host, changes) in lives.iter_mut().enumerate() {
            let Some(life) = picture.rows[point.row].lives.get(host) else { continue };
            let here = point.host == Some(host) || (leaves_out && !comes(host));
            let changed = changes.last().is_none_or(|(_, last)| last != life);
            if here && changed {
                changes.push((point.y, *life));
            }
        }
    }
    lives
}
