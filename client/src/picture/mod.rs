//! The picture of a run: a lifeline for each host, with its states, and what went between them.
//!
//! A [`Picture`] is data, row by row, without styles or columns; [`text`] draws it for a terminal.

mod foresight;
mod layout;
mod lives;
mod phrases;
mod row;
pub mod text;

use crate::timeline::Timeline;

pub use row::{Arrow, End, Life, Note, NoteKind, Notes, Part, Place, Row, What};

/// A run, laid out in rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The hosts, from left to right. [`crate::timeline::HostIndex`] points here.
    pub lifelines: Vec<Lifeline>,
    /// How many connections the run had.
    pub connections: u32,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifeline {
    /// Its name.
    pub name: String,
}

/// What a picture shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureOptions {
    /// Whether timers have rows: when they are set, fire and are cancelled.
    pub timers: bool,
    /// How many rows there may be; of more, those in the middle are left out.
    pub rows: usize,
}

impl Default for PictureOptions {
    fn default() -> PictureOptions {
        PictureOptions { timers: false, rows: 200 }
    }
}

impl Picture {
    /// Lays out a run.
    ///
    /// A segment is one row, in the order of sending: the sender's state when it was sent, the receiver's after it arrived.
    /// Where that would put a later state above an earlier one, departure and arrival are a row each.
    pub fn new(timeline: &Timeline, options: &PictureOptions) -> Picture {
        let rows = layout::rows(timeline, options.timers);
        let (head, tail) = (options.rows.div_ceil(2), options.rows / 2);
        let left_out = if rows.len() > options.rows { head..rows.len() - tail } else { 0..0 };
        Picture::of(timeline, lives::without(timeline, rows, &[left_out]))
    }

    /// Lays out the part of a run around an event: at most `count` rows besides those that say what is left out. The event
    /// need not have a row; [`u64::MAX`] means the run's end. [`PictureOptions::rows`] is not heeded.
    pub fn around(timeline: &Timeline, options: &PictureOptions, sequence: u64, count: usize) -> Picture {
        let rows = layout::rows(timeline, options.timers);
        let first = |row: &Row| row.events.first().is_some_and(|first| *first <= sequence);
        let middle = rows
            .iter()
            .rposition(|row| row.events.contains(&sequence))
            .or_else(|| rows.iter().rposition(first))
            .unwrap_or(0);
        let begin = middle.saturating_sub(count / 2).min(rows.len().saturating_sub(count));
        let end = begin.saturating_add(count).min(rows.len());
        let all = rows.len();
        Picture::of(timeline, lives::without(timeline, rows, &[0..begin, end..all]))
    }

    fn of(timeline: &Timeline, rows: Vec<Row>) -> Picture {
        let lifelines = timeline.hosts.iter().map(|name| Lifeline { name: name.clone() }).collect();
        Picture { lifelines, connections: timeline.connections, rows }
    }
}
