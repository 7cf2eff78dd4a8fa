//! Reading the events of a session as they happen.

use std::sync::Arc;

use halfopen_proto::v1;
use tokio::sync::watch;

use super::record::{Progress, Record, Watched};
use crate::convert::{Converter, MESSAGE_BYTES, MESSAGE_EVENTS};

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
                return Some(self.batch(MESSAGE_EVENTS, MESSAGE_BYTES));
            }
            if is_closed || self.progress.changed().await.is_err() {
                return None;
            }
        }
    }

    /// Whether there are more events already.
    pub(super) fn has_more(&self) -> bool {
        self.progress.borrow().events > self.seen
    }

    /// The next events, if there are any already.
    pub(crate) fn there(&mut self) -> Option<Vec<v1::Event>> {
        self.has_more().then(|| self.batch(MESSAGE_EVENTS, MESSAGE_BYTES))
    }

    /// At most `max` of the next events; none is added once these have `enough_bytes`.
    pub(super) fn batch(&mut self, max: usize, enough_bytes: usize) -> Vec<v1::Event> {
        let Watched(record) = &self.record;
        let converter = self.converter.get_or_insert_with(|| {
            let (scenario, added) = record.circumstances_at(self.seen);
            Converter::knowing(scenario, added)
        });
        let (mut events, mut bytes) = (Vec::new(), 0);
        while events.len() < max && bytes < enough_bytes {
            let Some((first, chunk, position)) = record.after(self.seen) else { break };
            let (event, size) = converter.event(first + position as u64, &chunk[position]);
            events.push(event);
            bytes += size;
            self.seen += 1;
        }
        events
    }
}
