//! Reading the events of a session as they happen.

use std::sync::Arc;

use halfopen_proto::v1;
use tokio::sync::watch;

use super::cursor::Cursor;
use super::record::{Progress, Record, Watched};
use crate::convert::{Batch, MESSAGE_BYTES, MESSAGE_EVENTS};

/// A reader of a record.
pub(crate) struct Watch {
    record: Watched,
    progress: watch::Receiver<Progress>,
    cursor: Cursor,
}

impl Watch {
    pub(super) fn new(record: &Arc<Record>, seen: u64) -> Watch {
        Watch { progress: record.subscribe(), record: record.watched(), cursor: Cursor::after(seen) }
    }

    /// The next events, or a part of one that is larger than a message; `None` once no more will come.
    pub(crate) async fn next(&mut self) -> Option<Batch> {
        loop {
            // What comes after this is looked for in the next round.
            let Progress { events, is_closed } = *self.progress.borrow_and_update();
            if self.cursor.has_more(events) {
                return Some(self.cursor.read(&self.record.0, MESSAGE_EVENTS, MESSAGE_BYTES));
            }
            if is_closed || self.progress.changed().await.is_err() {
                return None;
            }
        }
    }

    /// The next events that are there already, whole.
    pub(crate) fn there(&mut self) -> impl Iterator<Item = v1::Event> + '_ {
        self.cursor.whole(&self.record.0)
    }
}
