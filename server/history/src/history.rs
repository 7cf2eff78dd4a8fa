//! The history: what its users call.

use std::fmt;
use std::sync::Arc;

use sqlx::AnyPool;
use tokio::sync::{oneshot, watch};

use crate::database::Address;
use crate::error::{HistoryError, OpenError};
use crate::live::Live;
use crate::read;
use crate::run::{
    Accepted, Batch, Ending, Filter, NewRun, Number, Page, Progress, Retention, Run, Time, Unfinished,
};
use crate::write::{Ask, Keep, compress};
use crate::writer::{Queues, Writer};

/// How many runs a page of a list has at most.
const MAX_PAGE: usize = 1000;

/// A history. Clones are the same.
#[derive(Clone)]
pub struct History {
    address: Address,
    readers: AnyPool,
    queues: Queues,
    live: Arc<Live>,
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "History({})", self.address.shown())
    }
}

impl History {
    /// Opens the history at an address: a path, `sqlite:PATH`, or `postgres://…`. Makes what is not there. Fails if another server
    /// uses it. Call it inside a tokio runtime.
    pub async fn open(address: &str) -> Result<History, OpenError> {
        let address = Address::parse(address)?;
        let live = Arc::new(Live::default());
        let queues = Writer::start(address.clone(), Arc::clone(&live)).await?;
        let failed = |error: sqlx::Error| OpenError::Database(address.shown(), error.to_string());
        let readers = address.readers().map_err(failed)?;
        Ok(History { address, readers, queues, live })
    }

    /// Accepts a run. It is on disk when this returns. A request that is repeated gets the run of the first.
    pub async fn accept(&self, run: NewRun) -> Result<Accepted, HistoryError> {
        let request = compress(&run.request);
        self.ask(|answer| Ask::Accept { run: Box::new(run), request, answer }).await
    }

    /// Cancels a run of a tenant. One that is over stays as it is.
    pub async fn cancel(&self, tenant: &str, id: &str, now: Time) -> Result<Run, HistoryError> {
        self.ask(|answer| Ask::Cancel { tenant: tenant.to_owned(), id: id.to_owned(), now, answer }).await
    }

    /// Deletes a run of a tenant, with its events; one that is not over is cancelled.
    pub async fn delete(&self, tenant: &str, id: &str) -> Result<(), HistoryError> {
        self.ask(|answer| Ask::Delete { tenant: tenant.to_owned(), id: id.to_owned(), answer }).await
    }

    /// What is left to execute of what was accepted before this process began, in the order of acceptance. Runs that cannot be
    /// executed again are [interrupted](crate::Interruption). Call it once, before anything else.
    pub async fn recover(&self, version: &str, now: Time) -> Result<Vec<Unfinished>, HistoryError> {
        let unfinished = self.ask(|answer| Ask::Recover { version: version.to_owned(), now, answer }).await?;
        Ok(unfinished)
    }

    /// Deletes runs that are over, by age and size. Returns how many, and is to be called again if there were some: it
    /// deletes a bounded number, so that others need not wait.
    pub async fn retain(&self, retention: Retention, now: Time) -> Result<u64, HistoryError> {
        self.ask(|answer| Ask::Retain { retention, now, answer }).await
    }

    /// A run is executed now, by this version. Blocks while the database is away: call it on a thread outside of the runtime,
    /// as the next two.
    pub fn begin(&self, run: Number, version: &str, now: Time) {
        self.queues.keep(Keep::Begin { run, version: version.to_owned(), now });
    }

    /// Stores the next events of a run. Events that are stored already are compared; if they differ, the run is interrupted.
    pub fn append(&self, run: Number, batch: &Batch) {
        self.queues.keep(Keep::Append { run, batch: batch.into() });
    }

    /// A run is over: stores its last events and how it ended, both or neither.
    pub fn finish(&self, run: Number, ending: &Ending, now: Time) {
        self.queues.keep(Keep::Finish { run, ending: ending.into(), now });
    }

    /// Learns how far a run is; `None` if it is over.
    pub fn watch(&self, run: Number) -> Option<watch::Receiver<Progress>> {
        self.live.watch(run)
    }

    /// A run of a tenant.
    pub async fn get(&self, tenant: &str, id: &str) -> Result<Run, HistoryError> {
        read::get(&self.readers, tenant, id).await
    }

    /// What [`NewRun::request`] was.
    pub async fn request(&self, run: Number) -> Result<Vec<u8>, HistoryError> {
        read::request(&self.readers, run).await
    }

    /// The stored batch that has the event after this many, if it is stored. It may begin with earlier ones.
    pub async fn events(&self, run: Number, after: u64) -> Result<Option<Batch>, HistoryError> {
        read::events(&self.readers, run, after).await
    }

    /// Runs of a tenant, the latest first: at most `size` of them (1,000 are the most), from where the page before ended.
    pub async fn list(
        &self,
        tenant: &str,
        filter: &Filter,
        size: usize,
        page: &str,
    ) -> Result<Page, HistoryError> {
        read::list(&self.readers, tenant, filter, size.clamp(1, MAX_PAGE), page).await
    }

    /// Stores what waits, and ends. Runs in progress are queued for the next process.
    pub async fn close(&self) {
        // If the database is away, it is as after a crash.
        let _ = self.ask(|answer| Ask::Close { answer }).await;
        self.readers.close().await;
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<T, HistoryError>>) -> Ask,
    ) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        let closed = || HistoryError::Database("it is closed".to_owned());
        self.queues.asked.send(ask(answer)).await.map_err(|_| closed())?;
        answered.await.map_err(|_| closed())?
    }
}
