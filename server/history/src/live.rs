//! The runs that are not over, and who watches them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::run::{Number, Progress};

/// The progress of each run that is not over.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<BTreeMap<Number, watch::Sender<Progress>>>);

impl Live {
    /// A run with this many stored events is to be executed. Whether that is new.
    pub(crate) fn begin(&self, run: Number, events: u64) -> bool {
        match self.lock().entry(run) {
            Entry::Vacant(entry) => {
                entry.insert(watch::Sender::new(Progress { events, is_over: false }));
                true
            }
            Entry::Occupied(_) => false,
        }
    }

    /// This many events of a run are stored.
    pub(crate) fn advance(&self, run: Number, events: u64) {
        if let Some(progress) = self.lock().get(&run) {
            progress.send_modify(|progress| progress.events = progress.events.max(events));
        }
    }

    /// Nothing of a run will be stored any more.
    pub(crate) fn end(&self, run: Number) {
        if let Some(progress) = self.lock().remove(&run) {
            progress.send_modify(|progress| progress.is_over = true);
        }
    }

    /// Learns how far a run is; `None` if it is over.
    pub(crate) fn watch(&self, run: Number) -> Option<watch::Receiver<Progress>> {
        self.lock().get(&run).map(watch::Sender::subscribe)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Number, watch::Sender<Progress>>> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
