//! One of two runs, row by row.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use halfopen_proto::v1::{Event, event::Kind};

use super::relative::{self, Label, Relative};
use crate::{describe, words};

/// An event as a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SideRow {
    pub(super) sequence: u64,
    pub(super) time: Duration,
    pub(super) connection: u32,
    /// The event in words, with its host and without numbers that count.
    pub(super) text: String,
    /// The same for events that say the same, whenever they happen.
    pub(super) key: u64,
    /// What is compared.
    pub(super) event: Box<Event>,
}

/// The events of a run from the first on, and those that are looked at now.
#[derive(Debug)]
pub(super) struct Side<'a> {
    events: std::slice::Iter<'a, Event>,
    relative: Relative,
    /// Whether timers are rows.
    timers: bool,
    /// The rows that are looked at.
    pub(super) window: VecDeque<SideRow>,
}

/// Whether an event belongs to what happened, and not to its beginning or its result.
fn happened(event: &Event) -> bool {
    !matches!(event.kind, Some(Kind::RunStarted(_) | Kind::ExpectationResult(_) | Kind::RunFinished(_)))
}

impl<'a> Side<'a> {
    pub(super) fn new(events: &'a [Event], timers: bool) -> Side<'a> {
        let (relative, window) = (Relative::of(events), VecDeque::new());
        Side { events: events.iter(), relative, timers, window }
    }

    /// The next event of what happened, comparable.
    pub(super) fn next(&mut self) -> Option<Event> {
        let event = self.events.by_ref().find(|event| happened(event))?;
        Some(self.relative.event(event))
    }

    /// Whether an event has a row.
    pub(super) fn has_row(&self, event: &Event) -> bool {
        match event.kind {
            Some(Kind::TimerChanged(_)) => self.timers,
            // The results of steps tell the same.
            Some(
                Kind::ConnectionOpened(_) | Kind::StepBlocked(_) | Kind::DataWritten(_) | Kind::DataRead(_),
            ) => false,
            _ => true,
        }
    }

    /// Puts an event that was taken back into the window.
    pub(super) fn put(&mut self, event: Event) {
        let row = self.row(event);
        self.window.push_back(row);
    }

    /// Fills the window with so many rows, as far as there are any. Whether there are none beyond it.
    pub(super) fn fill(&mut self, count: usize) -> bool {
        while self.window.len() < count {
            match self.next() {
                None => return true,
                Some(event) if self.has_row(&event) => self.put(event),
                Some(_) => {}
            }
        }
        false
    }

    pub(super) fn row(&self, event: Event) -> SideRow {
        let text = self.text(&event);
        let mut hasher = DefaultHasher::new();
        (&text, event.connection).hash(&mut hasher);
        SideRow {
            sequence: event.sequence,
            time: words::from_proto(event.time.as_ref()),
            connection: event.connection,
            text,
            key: hasher.finish(),
            event: Box::new(relative::without_numbers(event)),
        }
    }

    /// The event in words; segments by what they are, and not by their numbers.
    fn text(&self, event: &Event) -> String {
        let name = |number: u64| self.relative.label(number).map(name).unwrap_or_default();
        let text = match &event.kind {
            Some(Kind::SegmentSent(sent)) => {
                let mut text = format!("sends {}", name(sent.segment));
                text.extend(words::purpose(sent.purpose()).map(|purpose| format!(", {purpose}")));
                if !sent.middlebox.is_empty() {
                    text.push_str(&format!(", by {}", sent.middlebox));
                } else if sent.injected {
                    text.push_str(", injected");
                }
                text
            }
            Some(Kind::SegmentArrived(arrived)) => match words::drop_reason(arrived.drop_reason()) {
                None => format!("receives {}", name(arrived.segment)),
                Some(why) => format!("receives {}, not used: {why}", name(arrived.segment)),
            },
            Some(Kind::SegmentLost(lost)) => format!("{} is lost: {}", name(lost.segment), words::loss(lost)),
            Some(Kind::DestinationUnreachable(message)) => {
                format!("ICMP: {} ({})", words::unreachable(message.code()), name(message.segment))
            }
            Some(Kind::FaultApplied(applied)) if applied.segment > 0 => {
                format!("{} ({})", describe::fault(applied), name(applied.segment))
            }
            Some(Kind::ApplicationResult(result)) => describe::call(result),
            _ => return describe::event(event),
        };
        format!("{}: {text}", event.host)
    }
}

/// A segment in a few words.
fn name(label: Label) -> String {
    let mut text = format!("{} seq={}", words::flags(label.flags), label.seq);
    if label.flags.ack {
        text.push_str(&format!(" ack={}", label.ack));
    }
    if label.length > 0 {
        text.push_str(&format!(" len={}", label.length));
    }
    text
}
