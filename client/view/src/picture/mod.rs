//! The picture of a run: a lifeline for each host, with its states, and the segments between them.
//!
//! A [`Picture`] is data, row by row, without styles or columns; [`text`] draws it for a terminal, [`svg`] as a
//! graphic and [`mermaid`] for pages that draw diagrams.

mod alike;
mod fold;
mod foresight;
mod layout;
mod lives;
pub mod mermaid;
mod pauses;
mod phrases;
mod row;
mod select;
mod slot;
pub mod svg;
pub mod text;
mod write;

use std::collections::BTreeSet;
use std::time::Duration;

use self::layout::{Item, Layout};
use self::lives::{Lives, mark_changes};
use self::pauses::Pauses;
use self::slot::Slot;
use crate::stall::{DelayedAck, Stalls, Wait};
use crate::timeline::Timeline;

pub use row::{
    Alike, Arrow, End, Folded, Life, Note, NoteKind, Notes, Part, Place, Row, Silence, What, Word, WordKind,
};
pub use select::{Between, Kind, Selection, SelectionError};

/// A run, laid out in rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// The hosts, from left to right. [`crate::timeline::HostIndex`] points here.
    pub lifelines: Vec<Lifeline>,
    /// How many connections the run had.
    pub connections: u32,
    /// How many segments were sent in the run, whether the picture shows them or not.
    pub segments: u64,
    /// How many of them, or of their copies, were lost.
    pub lost: u64,
    /// The rows, from top to bottom.
    pub rows: Vec<Row>,
    /// Which rows a segment has.
    pub arrows: Arrows,
    /// How many rows the selection leaves out.
    pub not_selected: usize,
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
    /// The maximum number of rows; those in the middle are left out.
    pub rows: usize,
    /// Whether repetitions are folded into a few rows.
    pub fold: bool,
    /// Which rows a segment has.
    pub arrows: Arrows,
    /// What is shown, if not all.
    pub selection: Selection,
}

impl Default for PictureOptions {
    fn default() -> PictureOptions {
        let (arrows, selection) = Default::default();
        PictureOptions { timers: false, rows: 200, fold: true, arrows, selection }
    }
}

/// Which rows a segment has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrows {
    /// One row, in the order of sending, as in the figures of RFC 9293: with the state of the sender when it was sent, and
    /// of the receiver after it arrived, which has its own time. Where that would put a later state above an earlier
    /// one, departure and arrival have a row each.
    #[default]
    Flat,
    /// Departure and arrival have a row each, at their own times.
    Sloped,
}

/// The shortest silence that has a row, whatever the reason.
const LONG_SILENCE: Duration = Duration::from_secs(10);
/// A silence in which a timer of TCP runs has a row if it lasts this many round trips.
const MANY_ROUND_TRIPS: u32 = 4;

impl Picture {
    /// Lays out a run.
    pub fn new(timeline: &Timeline, options: &PictureOptions) -> Picture {
        Picture::next(timeline, options, &[])
    }

    /// Lays out the next part of a run that goes on: what happened after the last of these events, after each of which the
    /// run was drawn as it was then. The rows continue those above: a segment that was shown when it left has a row
    /// where it arrives.
    pub fn next(timeline: &Timeline, options: &PictureOptions, drawn: &[u64]) -> Picture {
        let (layout, kept) = Picture::layout(timeline, options, Pauses(drawn));
        let new: Vec<usize> = kept.iter().copied().filter(|index| layout.is_new(*index)).collect();
        let slots = if options.fold {
            folded(&layout, &new, options)
        } else {
            new.iter().copied().map(Slot::Item).collect()
        };
        let above = kept.iter().filter(|index| !layout.is_later(**index));
        let begin = above.map(|index| layout.items[*index].time).max().unwrap_or_default();
        let slots = with_silences(&layout, slots, begin);
        let (head, tail) = (options.rows.div_ceil(2), options.rows / 2);
        let omitted = if slots.len() > options.rows { head..slots.len() - tail } else { 0..0 };
        let mut writer = Writer::new(&layout, options);
        for (index, slot) in slots.iter().enumerate() {
            if !omitted.contains(&index) {
                writer.write(slot);
            } else if index == omitted.start {
                writer.omitted(omitted.len());
            }
        }
        Picture {
            not_selected: layout.items.len() - kept.len(),
            ..Picture::of(timeline, options, writer.rows)
        }
    }

    /// Lays out the part of a run around an event: at most `count` rows besides those that say what is left out, and
    /// nothing folded. The event need not have a row; [`u64::MAX`] is the end of the run. [`PictureOptions::rows`] is
    /// ignored.
    pub fn around(timeline: &Timeline, options: &PictureOptions, sequence: u64, count: usize) -> Picture {
        let (layout, kept) = Picture::layout(timeline, options, Pauses(&[]));
        let middle = kept.iter().rposition(|index| layout.shows(*index, sequence));
        let before = || kept.iter().rposition(|index| layout.first(*index) <= sequence);
        let middle = middle.or_else(before).unwrap_or(0);
        let begin = middle.saturating_sub(count / 2).min(kept.len().saturating_sub(count));
        let end = begin.saturating_add(count).min(kept.len());
        let mut writer = Writer::new(&layout, options);
        writer.omitted(begin);
        kept[begin..end].iter().for_each(|index| writer.write(&Slot::Item(*index)));
        writer.omitted(kept.len() - end);
        Picture {
            not_selected: layout.items.len() - kept.len(),
            ..Picture::of(timeline, options, writer.rows)
        }
    }

    /// What has a row, and which of it is selected.
    fn layout<'a>(
        timeline: &'a Timeline,
        options: &PictureOptions,
        pauses: Pauses<'a>,
    ) -> (Layout<'a>, Vec<usize>) {
        let PictureOptions { timers, arrows, selection, .. } = options;
        let sloped = *arrows == Arrows::Sloped;
        let mut layout = Layout::new(timeline, *timers || selection.has_timers(), sloped, pauses);
        mark_changes(&mut layout);
        let all = 0..layout.items.len();
        let kept = if selection.is_all() {
            all.collect()
        } else {
            all.filter(|index| selection.has(&layout, *index)).collect()
        };
        (layout, kept)
    }

    fn of(timeline: &Timeline, options: &PictureOptions, rows: Vec<Row>) -> Picture {
        let lifelines = timeline.hosts.iter().map(|name| Lifeline { name: name.clone() }).collect();
        let sent = || (0..timeline.entries.len()).filter_map(|index| timeline.segment(index));
        Picture {
            lifelines,
            connections: timeline.connections,
            segments: sent().count() as u64,
            lost: sent().map(|segment| segment.losses.len() as u64).sum(),
            rows,
            arrows: options.arrows,
            not_selected: 0,
        }
    }
}

/// The slots with connections that go the same way and repetitions folded. Connections that are selected one by one are
/// not: whoever names them wants to see them.
fn folded(layout: &Layout<'_>, kept: &[usize], options: &PictureOptions) -> Vec<Slot> {
    let groups =
        if options.selection.connections.is_empty() { alike::groups(layout, kept) } else { Vec::new() };
    let hidden: BTreeSet<usize> = groups.iter().flat_map(|group| &group.items).copied().collect();
    let shown: Vec<usize> = kept.iter().copied().filter(|index| !hidden.contains(index)).collect();
    alike::insert(fold::fold(layout, &shown), groups)
}

/// Puts a row before what follows a long silence; not again for one as long with the same reason, nor beside folded
/// rows, which say how far apart they are. What is above them ends at `begin`.
fn with_silences(layout: &Layout<'_>, slots: Vec<Slot>, begin: Duration) -> Vec<Slot> {
    let stalls = Stalls::new(layout.timeline);
    let mut result = Vec::with_capacity(slots.len());
    let (mut last_silence, mut last_time, mut after_fold) = (None, begin, false);
    let time = |index: usize| layout.items[index].time;
    // What folded connections do is no silence.
    let mut folded: Vec<usize> = Vec::new();
    for slot in &slots {
        if let Slot::Alike(group) = slot {
            folded.extend(&group.items);
        }
    }
    folded.sort_unstable();
    let last_folded = |before: usize| {
        let position = folded.partition_point(|index| *index < before);
        position.checked_sub(1).map(|last| time(folded[last])).unwrap_or_default()
    };
    for slot in slots {
        match &slot {
            Slot::Item(index) => {
                let length = time(*index).saturating_sub(last_time.max(last_folded(*index)));
                if let Some(silence) = silence(layout, &stalls, *index, length) {
                    if last_silence.as_ref() != Some(&silence) && !after_fold {
                        result.push(Slot::Silence(*index, silence.clone()));
                    }
                    last_silence = Some(silence);
                }
                (last_time, after_fold) = (time(*index), false);
            }
            Slot::Folded(items, _) => {
                (last_time, after_fold) = (items.last().map_or(last_time, |index| time(*index)), true);
            }
            Slot::Alike(_) => after_fold = true,
            Slot::Silence(..) => {}
        }
        result.push(slot);
    }
    result
}

/// The silence before an item, if it is worth a row.
fn silence(layout: &Layout<'_>, stalls: &Stalls, item: usize, length: Duration) -> Option<Silence> {
    if length.is_zero() {
        return None;
    }
    let Item { time, connection, .. } = layout.items[item];
    let round_trip = stalls.round_trip(connection);
    let wait = layout.entry(item).and_then(|entry| stalls.before(layout.timeline, entry));
    let by_tcp = match wait {
        // It waits on purpose, however long the path is.
        Some(Wait::DelayedAck(DelayedAck { since, .. })) => length * 2 >= time.saturating_sub(since),
        Some(Wait::Timer { .. }) => round_trip.is_some_and(|it| length >= it * MANY_ROUND_TRIPS),
        Some(Wait::Application { .. }) | None => false,
    };
    let why = wait.map(|wait| wait.text(layout.timeline)).unwrap_or_default();
    let waited = wait.and_then(Wait::since).map_or(length, |since| time.saturating_sub(since));
    (length >= LONG_SILENCE || by_tcp).then_some(Silence { length, why, waited })
}

/// Writes rows, and keeps track of the hosts.
struct Writer<'a> {
    layout: &'a Layout<'a>,
    options: &'a PictureOptions,
    lives: Lives,
    /// How many items `lives` has gone past.
    passed: usize,
    rows: Vec<Row>,
}

impl<'a> Writer<'a> {
    fn new(layout: &'a Layout<'a>, options: &'a PictureOptions) -> Writer<'a> {
        Writer { layout, options, lives: Lives::new(layout.timeline), passed: 0, rows: Vec::new() }
    }

    fn write(&mut self, slot: &Slot) {
        let row = match slot {
            Slot::Item(index) => {
                self.pass(index + 1);
                let selection = &self.options.selection;
                self.layout.row(&self.layout.items[*index], &|entry| selection.has_note(entry))
            }
            Slot::Folded(items, text) => {
                self.pass(items.last().map_or(0, |last| last + 1));
                fold::row(self.layout, items, text.clone(), None)
            }
            Slot::Alike(group) => {
                self.pass(group.items.first().copied().unwrap_or_default());
                fold::row(self.layout, &group.items, group.text(), Some(group.alike.clone()))
            }
            Slot::Silence(index, silence) => {
                self.pass(*index);
                let time = self.layout.items[*index].time;
                Row { time, ..Row::empty(What::Silence(silence.clone())) }
            }
        };
        self.push(row);
    }

    fn omitted(&mut self, rows: usize) {
        if rows > 0 {
            let time = self.rows.last().map(|row| row.time).unwrap_or_default();
            self.push(Row { time, ..Row::empty(What::Omitted(rows)) });
        }
    }

    fn pass(&mut self, end: usize) {
        for item in self.layout.items.get(self.passed..end).unwrap_or_default() {
            self.lives.pass(self.layout, item);
        }
        self.passed = self.passed.max(end);
    }

    fn push(&mut self, row: Row) {
        let lives = self.lives.present();
        self.rows.push(Row { lives, ..row });
    }
}
