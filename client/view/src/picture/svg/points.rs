//! The points of a drawing: where a segment leaves, where it arrives, where a text stands. What draws them is elsewhere.

use std::time::Duration;

use super::text::Line;
use crate::picture::{Part, Picture, What};
use crate::timeline::HostIndex;

/// The height of a line of text.
pub(super) const LINE: f64 = 14.0;
/// How far a segment falls that is on its way as long as most are.
pub(super) const FALL: f64 = 28.0;
/// The names of the hosts stand here.
pub(super) const HEADS: f64 = 26.0;
/// Where time begins.
pub(super) const TOP: f64 = 64.0;

/// Something that has one place.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Role {
    Tail,
    Head,
    Notes,
    Band,
}

/// Where something of a row stands.
pub(super) struct Point {
    pub(super) time: Duration,
    pub(super) row: usize,
    pub(super) role: Role,
    pub(super) host: Option<HostIndex>,
    pub(super) y: f64,
    pub(super) margin: Option<(f64, Vec<Line>)>,
}

/// The points of all rows in the order of time.
pub(super) fn points(picture: &Picture) -> Vec<Point> {
    let mut points = Vec::new();
    for (index, row) in picture.rows.iter().enumerate() {
        let mut add = |time, role, host| {
            points.push(Point { time, row: index, role, host, y: 0.0, margin: None });
        };
        match &row.what {
            What::Arrow(arrow) => {
                let head = arrow.arrived.unwrap_or(row.time);
                match arrow.part {
                    Part::Whole => {
                        add(row.time, Role::Tail, arrow.from.host);
                        add(head, Role::Head, arrow.to.host);
                    }
                    Part::Departure | Part::Lost { .. } => add(row.time, Role::Tail, arrow.from.host),
                    Part::Arrival => add(row.time, Role::Head, arrow.to.host),
                }
            }
            What::Notes(notes) if notes.host.is_some() => add(row.time, Role::Notes, notes.host),
            _ => add(row.time, Role::Band, None),
        }
    }
    // What is not shown stands below everything above it, whenever that arrives; but above what comes next.
    let mut latest = Duration::ZERO;
    for index in 0..points.len() {
        latest = latest.max(points[index].time);
        let hidden = matches!(picture.rows[points[index].row].what, What::Folded(_) | What::Omitted(_));
        let next = points.get(index + 1).map_or(Duration::MAX, |next| next.time);
        if hidden && latest <= next {
            points[index].time = latest;
        }
    }
    // Stable: what is of one moment stays in the order of its rows.
    points.sort_by_key(|point| point.time);
    points
}
