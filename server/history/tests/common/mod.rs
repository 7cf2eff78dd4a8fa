//! What the tests of histories share: a real PostgreSQL, and runs.

#![allow(dead_code, reason = "no test uses everything")]

pub(crate) mod postgres;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen_history::{Batch, History, NewRun, Time};

pub(crate) const VERSION: &str = "1.2.3";

/// The databases that there are, each as a test sees it: an address with no history yet.
pub(crate) struct Databases {
    folder: tempfile::TempDir,
    postgres: Option<postgres::Postgres>,
}

impl Databases {
    pub(crate) fn start() -> Databases {
        let folder = tempfile::tempdir().expect("a folder");
        Databases { folder, postgres: postgres::Postgres::start() }
    }

    /// A new address in each database.
    pub(crate) fn addresses(&self) -> Vec<String> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = format!("history{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let sqlite = self.folder.path().join(format!("{name}?100%#.db")).display().to_string();
        let postgres = self.postgres.as_ref().map(|postgres| postgres.create(&name));
        [sqlite].into_iter().chain(postgres).collect()
    }
}

pub(crate) fn new_run(tenant: &str, id: &str) -> NewRun {
    NewRun {
        id: id.to_owned(),
        tenant: tenant.to_owned(),
        request_id: None,
        request: format!("run {id}").into_bytes(),
        summary: format!("summary of {id}").into_bytes(),
        scenario: "dead-client".to_owned(),
        labels: BTreeMap::new(),
        version: VERSION.to_owned(),
        now: Time(1_000),
    }
}

/// Events from `first` to `last`, each of them its number.
pub(crate) fn batch(first: u64, last: u64) -> Batch {
    let content = (first..=last).flat_map(u64::to_be_bytes).collect();
    Batch { first, count: last + 1 - first, content }
}

/// All events that are stored after this many.
pub(crate) async fn read(history: &History, run: halfopen_history::Number, after: u64) -> Vec<u64> {
    let (mut seen, mut events) = (after, Vec::new());
    while let Some(batch) = history.events(run, seen).await.expect("the database is there") {
        let numbers =
            batch.content.chunks(8).map(|bytes| u64::from_be_bytes(bytes.try_into().expect("eight")));
        events.extend(numbers.filter(|event| *event > seen));
        seen = batch.first - 1 + batch.count;
    }
    events
}

/// Does what blocks, as the thread of a run would.
pub(crate) async fn on_a_thread(history: &History, work: impl FnOnce(&History) + Send + 'static) {
    let history = history.clone();
    tokio::task::spawn_blocking(move || work(&history)).await.expect("no panic");
}
