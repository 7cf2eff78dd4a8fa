//! Reading the events of a session as they happen.

use std::sync::Arc;

use halfopen_proto::v1;
use tokio::sync::watch;

use super::record::{Progress, Record, Watched};
use crate::convert::Converter;

/// The maximum number of events in a message.
const MAX_EVENTS: usize = 512;
/// The size, in bytes, at which a message takes no further event.
const ENOUGH_BYTES: usize = 64 * 1024;

/// A reader of a record.
pub(crate) struct Watch {
    record: Watched,
    progress: watch::Receiver<Progress>,
    converter: Option<Converter>,
    seen: u64,
}

impl Watch {
    pub(super) fn new(record: &Arc<Record>, seen: u64) -> Watch {
        Watch { progress: record.subscribe(), record: record.watched(), converter: None, seen }
    }

    /// The next events; `None` once no more will come.
    pub(crate) async fn next(&mut self) -> Option<Vec<v1::Event>> {
        loop {
            // What comes after this is looked for in the next round.
            let Progress { events, is_closed } = *self.progress.borrow_and_update();
            if events > self.seen {
                return Some(self.batch());
            }
            if is_closed || self.progress.changed().await.is_err() {
                return None;
            }
        }
    }

    /// The next events, if there are any already.
    pub(crate) fn there(&mut self) -> Option<Vec<v1::Event>> {
        let events = self.progress.borrow().events;
        (events > self.seen).then(|| self.batch())
    }

    fn batch(&mut self) -> Vec<v1::Event> {
        let Watched(record) = &self.record;
        let converter = self.converter.get_or_insert_with(|| {
            let (scenario, added) = record.circumstances_at(self.seen);
            Converter::knowing(scenario, added)
        });
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < MAX_EVENTS && bytes < ENOUGH_BYTES {
            let Some((first, chunk, position)) = record.after(self.seen) else { break };
            let (event, size) = converter.event(first + position as u64, &chunk[position]);
            events.push(event);
            bytes += size;
            self.seen += 1;
        }
        events
    }
}
