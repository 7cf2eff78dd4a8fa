//! How far somebody has read a record.

use halfopen_proto::v1;

use super::record::Record;
use crate::convert::{Batch, Converter, Packer};

/// How far somebody has read a record.
#[derive(Default)]
pub(super) struct Cursor {
    /// The number of events that were taken from it.
    taken: u64,
    converter: Option<Converter>,
    packer: Packer,
}

impl Cursor {
    /// The first so many events have been read.
    pub(super) fn after(events: u64) -> Cursor {
        Cursor { taken: events, ..Cursor::default() }
    }

    /// Whether there is more to read of a record that has this many events.
    pub(super) fn has_more(&self, events: u64) -> bool {
        self.taken < events || self.packer.is_in_parts()
    }

    /// The next events that are there, or a part of one that is larger than a message. There are at most `max`, and no further one once they
    /// have `enough_bytes`.
    pub(super) fn read(&mut self, record: &Record, max: usize, enough_bytes: usize) -> Batch {
        let Cursor { taken, converter, packer } = self;
        packer.pack(Unread::new(record, taken, converter), max, enough_bytes)
    }

    /// The next events that are there, whole.
    pub(super) fn whole<'a>(&'a mut self, record: &'a Record) -> impl Iterator<Item = v1::Event> + 'a {
        Unread::new(record, &mut self.taken, &mut self.converter).map(|(event, _)| event)
    }
}

/// The events that are there, each with its size in bytes.
struct Unread<'a> {
    record: &'a Record,
    taken: &'a mut u64,
    converter: &'a mut Converter,
}

impl<'a> Unread<'a> {
    fn new(record: &'a Record, taken: &'a mut u64, converter: &'a mut Option<Converter>) -> Unread<'a> {
        let converter = converter.get_or_insert_with(|| {
            let (scenario, added) = record.circumstances_at(*taken);
            Converter::knowing(scenario, added)
        });
        Unread { record, taken, converter }
    }
}

impl Iterator for Unread<'_> {
    type Item = (v1::Event, usize);

    fn next(&mut self) -> Option<(v1::Event, usize)> {
        let (first, chunk, position) = self.record.after(*self.taken)?;
        *self.taken += 1;
        Some(self.converter.event(first + position as u64, &chunk[position]))
    }
}
