//! Runs that are kept: accepted once they are stored, executed when it is their turn, watched by whoever has their id.
//!
//! What is stored is all that anybody sees: watchers read the history, and are told when there is more. So it makes no difference
//! whether somebody watches live, later, or again after the server was restarted.

mod execution;
mod messages;
mod queue;
mod watch;

use std::sync::{Arc, Weak};
use std::time::Duration;

use halfopen_history::{Accepted, Filter, History, NewRun, OpenError, Retention};
use halfopen_proto::v1::{CreateRunRequest, ExecuteRunRequest, ListRunsRequest, Run};
use tokio::time::{Instant, sleep};
use tonic::Status;

use self::execution::Execution;
use self::queue::{Queue, Waiting};
use self::watch::Watch;
use crate::clock::wall_time;
use crate::lifecycle::OpenStream;
use crate::loading::{Wanted, named};
use crate::shared::Shared;
use crate::tenant::Tenant;
use crate::tenants::Tenants;
use crate::work::{Caller, Work};
use crate::{id, status};

/// How many runs of a tenant may wait for their turn.
const MAX_WAITING: usize = 10_000;
/// How many runs a page has if the request says nothing.
const PAGE_SIZE: usize = 100;
/// How long to wait after the pool or the history did not take a run.
const PAUSE: Duration = Duration::from_millis(50);
/// How often runs are looked for that need not be kept any longer.
const CLEANING: Duration = Duration::from_secs(60);

/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The runs that a service keeps.
#[derive(Debug)]
pub struct KeptRuns {
    history: History,
    retention: Retention,
    queue: Arc<Queue>,
    tenants: Option<Tenants>,
}

impl KeptRuns {
    /// Opens a history: the path of an SQLite file, or `postgres://…`. Runs that are over are deleted as the retention says. Fails if the
    /// history cannot be used, or another server uses it. Call it inside a tokio runtime.
    pub async fn open(address: &str, retention: Retention) -> Result<KeptRuns, OpenError> {
        let history = History::open(address).await?;
        let failed = |error| OpenError::Database(address.to_owned(), format!("{error}"));
        let unfinished = history.recover(VERSION, wall_time()).await.map_err(failed)?;
        if !unfinished.is_empty() {
            tracing::info!(runs = unfinished.len(), "runs that were accepted before are executed");
        }
        let queue = Arc::new(Queue::default());
        unfinished.into_iter().map(Waiting::from).for_each(|run| queue.add(run));
        Ok(KeptRuns { history, retention, queue, tenants: None })
    }

    /// The same, for tenants whose quotas limit how many of their runs are in progress.
    #[must_use]
    pub fn with_tenants(self, tenants: Option<Tenants>) -> KeptRuns {
        KeptRuns { tenants, ..self }
    }

    /// Executes what waits, as long as there is a service.
    pub(crate) async fn work(self: Arc<Self>, shared: Weak<Shared>) {
        loop {
            self.queue.changed().await;
            loop {
                let Some(shared) = shared.upgrade() else { return };
                if !shared.lifecycle.is_serving() {
                    return;
                }
                // Each thread has one to go on with, however short they are.
                let Some(run) = self.queue.next(2 * shared.config.threads.get()) else { break };
                if let Err(status) = self.execute(&shared, &run).await {
                    tracing::debug!(run = run.id, "the run waits: {}", status.message());
                    self.queue.give_back(run);
                    drop(shared);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    /// Hands a run to the pool.
    async fn execute(&self, shared: &Arc<Shared>, run: &Waiting) -> Result<(), Status> {
        let place = self.queue.place(&run.tenant);
        // It may have been cancelled while it waited.
        let Some(progress) = self.history.watch(run.number) else { return Ok(()) };
        let request = match self.history.request(run.number).await {
            Err(halfopen_history::HistoryError::Unknown) => return Ok(()),
            request => request.map_err(|error| status::history(error, &run.id, ""))?,
        };
        // Its quota may have changed while the run waited, or while there was no server.
        let tenant = self.tenants.as_ref().map(|tenants| tenants.current(&run.tenant));
        let caller = Caller::Tenant(tenant.unwrap_or_else(|| run.tenant.clone()));
        let execution = Execution::new(
            shared,
            self.history.clone(),
            run.number,
            progress,
            &request,
            caller.clone(),
            place,
        );
        shared.pool.submit(&caller, Box::new(execution))
    }

    /// Deletes what need not be kept any longer, for ever.
    pub(crate) async fn clean(self: Arc<Self>) {
        if (self.retention.keep_for, self.retention.keep_bytes) == (None, None) {
            return;
        }
        loop {
            match self.history.retain(self.retention, wall_time()).await {
                Ok(0) => sleep(CLEANING).await,
                Ok(runs) => tracing::info!(runs, "runs were deleted"),
                Err(error) => {
                    tracing::warn!("cannot delete old runs: {error}");
                    sleep(CLEANING).await;
                }
            }
        }
    }

    /// How many runs wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.all_waiting()
    }

    /// Stores what waits to be stored, and ends. Runs that are not over go on when the history is opened again.
    pub(crate) async fn close(&self) {
        self.history.close().await;
    }

    /// Accepts a run, once its scenario can be loaded.
    pub(crate) async fn create(
        &self,
        shared: &Shared,
        caller: Caller,
        request: CreateRunRequest,
        deadline: Option<Instant>,
    ) -> Result<Run, Status> {
        let CreateRunRequest { run, request_id, labels } = request;
        messages::check(&request_id, &labels)?;
        let waiting = self.queue.waiting(caller.tenant());
        if waiting >= MAX_WAITING {
            return Err(status::too_many_runs_wait(waiting));
        }
        let run = run.unwrap_or_default();
        let run = ExecuteRunRequest { seed: Some(shared.run_options(run.seed, 0).seed), ..run };
        let wanted = wanted(&run)?;
        let (bytes, latest) = (wanted.bytes(), shared.latest.clone());
        let load = move |_: &dyn Fn() -> bool| latest.load(wanted);
        let scenario =
            shared.pool.compute((caller.clone(), Work::Validation), bytes, deadline, load).await??;
        let new = NewRun {
            id: id::new()?,
            tenant: caller.tenant().to_string(),
            request: messages::request(&run, &labels),
            summary: messages::summary(&run, &scenario.id, &request_id, &labels),
            scenario: scenario.id.clone(),
            request_id: (!request_id.is_empty()).then(|| request_id.clone()),
            labels,
            version: VERSION.to_owned(),
            now: wall_time(),
        };
        let accepted = self.history.accept(new).await;
        let Accepted { run, is_new } = accepted.map_err(|error| status::history(error, &request_id, ""))?;
        if is_new {
            let (number, id, tenant) = (run.number, run.id.clone(), caller.tenant().clone());
            self.queue.add(Waiting { number, id, tenant });
        }
        messages::run(run)
    }

    /// The events of a run of a tenant after this many.
    pub(crate) async fn watch(
        &self,
        tenant: &Tenant,
        id: &str,
        after: u64,
        open: OpenStream,
        deadline: Option<Instant>,
    ) -> Result<Watch, Status> {
        let run = self.history.get(&tenant.to_string(), id).await;
        let run = run.map_err(|error| status::history(error, id, ""))?;
        Ok(Watch::new(self.history.clone(), &run, after, open, deadline))
    }

    /// A run of a tenant.
    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<Run, Status> {
        let run = self.history.get(&tenant.to_string(), id).await;
        messages::run(run.map_err(|error| status::history(error, id, ""))?)
    }

    /// Runs of a tenant, and the token of the next page.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        request: ListRunsRequest,
    ) -> Result<(Vec<Run>, Option<String>), Status> {
        let size = match usize::try_from(request.page_size) {
            Ok(0) => PAGE_SIZE,
            Ok(size) => size,
            Err(_) => return Err(status::page_size_invalid(request.page_size)),
        };
        let token = request.page_token.clone();
        let filter: Filter = messages::filter(request);
        let page = self.history.list(&tenant.to_string(), &filter, size, &token).await;
        let page = page.map_err(|error| status::history(error, "", &token))?;
        let runs = page.runs.into_iter().map(messages::run).collect::<Result<_, _>>()?;
        Ok((runs, page.next))
    }

    /// Cancels a run of a tenant.
    pub(crate) async fn cancel(&self, tenant: &Tenant, id: &str) -> Result<Run, Status> {
        let run = self.history.cancel(&tenant.to_string(), id, wall_time()).await;
        messages::run(run.map_err(|error| status::history(error, id, ""))?)
    }

    /// Deletes a run of a tenant.
    pub(crate) async fn delete(&self, tenant: &Tenant, id: &str) -> Result<(), Status> {
        self.history.delete(&tenant.to_string(), id).await.map_err(|error| status::history(error, id, ""))
    }
}

/// What a request selects.
fn wanted(request: &ExecuteRunRequest) -> Result<Wanted, Status> {
    let ExecuteRunRequest { source, variant, profile, .. } = request;
    let source = source.clone().ok_or_else(status::source_missing)?;
    Ok(Wanted { source, variant: variant.clone(), profile: named(profile)?, session: false })
}
