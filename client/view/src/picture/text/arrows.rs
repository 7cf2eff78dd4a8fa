//! Draws the arrow of a row, or the end of it that the row shows.

use std::cmp::{max, min};
use std::slice;
use std::time::Duration;

use anstyle::Style;
use halfopen_proto::v1::HostState;
use unicode_width::UnicodeWidthStr;

use super::super::{Arrow, Part, Place, Row, What};
use super::Drawing;
use super::canvas::{Line, PLAIN, Span, wrap};
use super::look::{BAD, DIM, Joint};
use super::sheet::{Align, Sheet};
use super::shown::Shown;
use crate::columns;
use crate::words;

/// A label is not broken into less, to make room for something else.
const MIN_LABEL: usize = 20;

/// Where an arrow is: `step` columns go from its sender towards its receiver.
#[derive(Clone, Copy)]
pub(super) struct Shaft {
    pub(super) rightwards: bool,
    /// The sender's column.
    pub(super) from: usize,
    /// How many steps to the receiver's column.
    pub(super) length: usize,
}

impl Shaft {
    pub(super) fn column(self, step: usize) -> usize {
        if self.rightwards { self.from + step } else { self.from.saturating_sub(step) }
    }

    /// Draws a text whose first or last character, whichever is nearer, is `step` columns from the sender.
    fn put(self, line: &mut Line, step: usize, text: &str, style: Style) {
        let column = self.column(step);
        let at = if self.rightwards { column } else { (column + 1).saturating_sub(text.width()) };
        line.put(at, text, style);
    }
}

impl Drawing<'_> {
    /// A whole arrow, with what stands at its ends.
    pub(super) fn arrow(&self, sheet: &mut Sheet<'_>, row: &Row, arrow: &Arrow, shown: &Shown) {
        let (from, to) = self.frame.ends(arrow);
        let lanes = &self.frame.lanes;
        let rightwards = from < to;
        let shaft = Shaft { rightwards, from: lanes[from], length: lanes[from].abs_diff(lanes[to]) };
        let zone = if rightwards { from + 1 } else { from };
        let (_, room) = sheet.zone(zone);
        let why = match &arrow.part {
            Part::Lost { at: Place::Sender | Place::Way, why } => why.width() + 2,
            Part::Lost { at: Place::Receiver, .. } | Part::Whole | Part::Departure | Part::Arrival => 0,
        };
        // Where there is room for it, the reason of a loss stands beside its cross.
        let room = if why + MIN_LABEL + 4 <= room { room - why } else { room };
        let label = wrap(arrow.label.iter().map(|word| word.text.as_str()), room.saturating_sub(4).max(4));
        let first = label.first().map_or("", String::as_str);
        let reach = self.reach(row, arrow, shaft, first.width());
        self.shaft(sheet, arrow, shaft, reach, first);
        if !shown.to.is_empty() {
            let (_, before) = sheet.zone(if rightwards { to } else { to + 1 });
            let after_label = shaft.length.saturating_sub(first.width() + 6);
            let arrived = arrow.arrived.filter(|arrived| *arrived > row.time);
            arrival(sheet.line(0), arrived, shaft, min(before, after_label));
        }

        let joint = |left: bool, right: bool| Joint { left, right };
        if arrow.part != Part::Arrival {
            sheet.join(from, joint(!rightwards, rightwards));
        }
        let between = lanes.iter().enumerate().take(max(from, to)).skip(min(from, to) + 1);
        for (lane, _) in between.filter(|(_, column)| column.abs_diff(shaft.from) < reach) {
            sheet.join(lane, joint(true, true));
        }
        for zone in min(from, to) + 1..=max(from, to) {
            sheet.take(zone);
        }
        let near = if rightwards { Align::Left } else { Align::Right };
        for text in label.iter().skip(1) {
            let text = if rightwards { format!("  {text}") } else { format!("{text}  ") };
            sheet.write(zone, near, [text.as_str()], label_style(arrow));
        }
        self.why(sheet, arrow, shaft, reach, (from, to));
        self.beside(sheet, (from, rightwards), arrow.from.host, &shown.from);
        if let Part::Lost { at: Place::Receiver, why } = &arrow.part {
            let why = Span::new(why.as_str(), BAD);
            self.beside(sheet, (to, !rightwards), arrow.to.host, slice::from_ref(&why));
        } else {
            self.beside(sheet, (to, !rightwards), arrow.to.host, &shown.to);
        }
    }

    /// A segment that a host sends to itself turns around beside its lifeline: it leaves in the first line and arrives in the
    /// last. A row that shows one end of its way has only that.
    pub(super) fn turn(&self, sheet: &mut Sheet<'_>, arrow: &Arrow, shown: &Shown) {
        let (lane, next) = self.frame.ends(arrow);
        let column = self.frame.lanes[lane];
        let rightwards = lane < next;
        let shaft = Shaft { rightwards, from: column, length: column.abs_diff(self.frame.lanes[next]) };
        let (inner, outer) = if rightwards { (lane + 1, lane) } else { (lane, lane + 1) };
        let (style, room) = (label_style(arrow), sheet.zone(inner).1);
        let label = wrap(arrow.label.iter().map(|word| word.text.as_str()), room.saturating_sub(8).max(4));
        let bend = label.iter().map(|line| line.width()).max().unwrap_or(0) + 6;
        let bend = min(bend, shaft.length.saturating_sub(1));
        let (over, under, head) = if rightwards { ("╮", "╯", "◀") } else { ("╭", "╰", "▶") };
        let last = if arrow.part == Part::Whole { label.len().max(1) } else { 0 };
        for (number, text) in label.iter().enumerate() {
            let line = sheet.line(number);
            match (&arrow.part, number) {
                (Part::Whole, 0) => (1..bend).for_each(|step| shaft.put(line, step, "─", style)),
                (Part::Arrival, 0) => shaft.put(line, 1, if rightwards { "◀─" } else { "─▶" }, style),
                (_, 0) => shaft.put(line, 1, "──", style),
                (Part::Whole, _) => shaft.put(line, bend, "│", style),
                _ => {}
            }
            shaft.put(line, 3, &format!(" {text} "), style);
            match (&arrow.part, number) {
                (Part::Whole, 0) => shaft.put(line, bend, over, style),
                (_, 0) => shaft.put(line, bend.saturating_sub(1), "┄┄", style),
                _ => {}
            }
        }
        if last > 0 {
            let line = sheet.line(last);
            shaft.put(line, 1, head, style);
            (2..bend).for_each(|step| shaft.put(line, step, "─", style));
            shaft.put(line, bend, under, style);
        }
        if arrow.part != Part::Arrival {
            sheet.join(lane, Joint { left: !rightwards, right: rightwards });
        }
        sheet.take(inner);
        self.beside(sheet, (lane, rightwards), arrow.from.host, &shown.from);
        if !shown.to.is_empty() {
            let (zone, align) = match shown.to.iter().all(|text| text.text.width() <= sheet.zone(outer).1) {
                true => (outer, if rightwards { Align::Right } else { Align::Left }),
                false => (inner, if rightwards { Align::Left } else { Align::Right }),
            };
            sheet.skip_to(zone, last);
            shown.to.iter().for_each(|text| sheet.write_spans(zone, align, slice::from_ref(text)));
        }
    }

    /// One end of a segment's way, whose other end another row shows.
    pub(super) fn end(&self, sheet: &mut Sheet<'_>, arrow: &Arrow, shown: &Shown, other: &Row) {
        let (from, to) = self.frame.ends(arrow);
        let lanes = &self.frame.lanes;
        let rightwards = from < to;
        let shaft = Shaft { rightwards, from: lanes[from], length: lanes[from].abs_diff(lanes[to]) };
        let departs = arrow.part == Part::Departure;
        let (zone, near) = match (departs, rightwards) {
            (true, true) => (from + 1, Align::Left),
            (true, false) => (from, Align::Right),
            (false, true) => (to, Align::Right),
            (false, false) => (to + 1, Align::Left),
        };
        // What was said where it left is not said again.
        let said = match &other.what {
            What::Arrow(other) if !departs => other.label.as_slice(),
            _ => &[],
        };
        let (_, room) = sheet.zone(zone);
        let words = arrow.label.iter().filter(|word| !said.contains(word)).map(|word| word.text.as_str());
        let mut words = wrap(words, room.saturating_sub(4).max(4)).into_iter();
        sheet.take(zone);
        if departs {
            let first = words.next().unwrap_or_default();
            shaft.put(sheet.line(0), 1, "──", label_style(arrow));
            shaft.put(sheet.line(0), 3, &format!(" {first} "), label_style(arrow));
            sheet.join(from, Joint { left: !rightwards, right: rightwards });
        }
        for text in words {
            let text = if near == Align::Left { format!("  {text}") } else { format!("{text}  ") };
            sheet.write(zone, near, [text.as_str()], label_style(arrow));
        }
        self.beside(sheet, (from, rightwards), arrow.from.host, &shown.from);
        self.beside(sheet, (to, !rightwards), arrow.to.host, &shown.to);
    }

    /// How many steps from the sender an arrow's head is.
    fn reach(&self, row: &Row, arrow: &Arrow, shaft: Shaft, label: usize) -> usize {
        let end = shaft.length.saturating_sub(1);
        let after_label = min(label + 6, end);
        match &arrow.part {
            Part::Whole | Part::Departure | Part::Arrival => end,
            Part::Lost { at: Place::Sender, .. } => after_label,
            Part::Lost { at: Place::Way, .. } => {
                let middle = max(shaft.length / 2, after_label);
                let on_lane = self.frame.lanes.contains(&shaft.column(middle));
                if on_lane { middle.saturating_sub(1) } else { middle }
            }
            Part::Lost { at: Place::Receiver, .. } => {
                let life = arrow.to.host.and_then(|host| row.lives.get(host));
                if life.is_some_and(|life| life.host == HostState::Down) { shaft.length } else { end }
            }
        }
    }

    /// Draws an arrow with the first line of its label.
    fn shaft(&self, sheet: &mut Sheet<'_>, arrow: &Arrow, shaft: Shaft, reach: usize, label: &str) {
        let style = label_style(arrow);
        let line = sheet.line(0);
        for step in 1..reach {
            shaft.put(line, step, "─", DIM);
        }
        let tail = if arrow.part == Part::Arrival { "┄┄" } else { "──" };
        shaft.put(line, 1, tail, style);
        if !label.is_empty() {
            shaft.put(line, 3, &format!(" {label} "), style);
        }
        let head = if shaft.rightwards { "▶" } else { "◀" };
        match &arrow.part {
            Part::Whole | Part::Arrival => shaft.put(line, reach, head, style),
            Part::Departure => {
                shaft.put(line, reach.saturating_sub(2), "┄┄", style);
                shaft.put(line, reach, " ", PLAIN);
            }
            Part::Lost { .. } => shaft.put(line, reach, "✗", BAD),
        }
    }

    /// Why a segment was lost on the way: beside the cross, or below it.
    fn why(&self, sheet: &mut Sheet<'_>, arrow: &Arrow, shaft: Shaft, reach: usize, ends: (usize, usize)) {
        let Part::Lost { at: Place::Sender | Place::Way, why } = &arrow.part else { return };
        let cross = shaft.column(reach);
        let lanes = &self.frame.lanes;
        // The zone of the cross: as many lifelines are left of it.
        let zone = lanes.iter().filter(|lane| **lane < cross).count();
        let room = if shaft.rightwards {
            lanes.get(zone).map_or(0, |lane| lane.saturating_sub(cross + 3))
        } else {
            lanes.get(zone.wrapping_sub(1)).map_or(0, |lane| cross.saturating_sub(lane + 3))
        };
        if why.width() <= room {
            shaft.put(sheet.line(0), reach + 2, why, BAD);
            return;
        }
        let zone = zone.clamp(min(ends.0, ends.1) + 1, max(ends.0, ends.1));
        let align = if shaft.rightwards { Align::Right } else { Align::Left };
        sheet.write(zone, align, columns::words(why), BAD);
    }
}

/// Writes before the head of an arrow when it arrives, if that fits into `room`.
fn arrival(line: &mut Line, arrived: Option<Duration>, shaft: Shaft, room: usize) {
    let Some(arrived) = arrived else { return };
    let time = format!(" {} ", words::duration(arrived));
    // A dash and the head come after it.
    if time.width() + 2 <= room {
        shaft.put(line, shaft.length - time.width() - 2, &time, DIM);
    }
}

pub(super) fn label_style(arrow: &Arrow) -> Style {
    if arrow.flags.rst { BAD } else { PLAIN }
}
