//! The state that the handlers of a service share.

use std::sync::Arc;

use halfopen_sim::RunOptions;

use crate::config::Config;
use crate::cost::{Memory, Meter};
use crate::execution::{Job, Runner};
use crate::history::KeptRuns;
use crate::lifecycle::Lifecycle;
use crate::load::Load;
use crate::loading::Latest;
use crate::metrics::Metrics;
use crate::pool::Pool;
use crate::port::Connections;
use crate::session::Sessions;
use crate::tail::Unread;
use crate::work::Caller;

/// The state that the handlers of a service share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) latest: Latest,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) unread: Unread,
    pub(crate) memory: Memory,
    pub(crate) connections: Connections,
    pub(crate) sessions: Sessions,
    /// The runs that are kept, if the service has a history.
    pub(crate) kept: Option<Arc<KeptRuns>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Shared {
    /// What a run follows from besides its scenario.
    pub(crate) fn run_options(&self, seed: Option<u64>, snapshot_length: u32) -> RunOptions {
        let seed = seed.unwrap_or(RunOptions::default().seed);
        RunOptions { seed, snapshot_length, budget: self.config.budget, keeps_trace: false }
    }

    /// A run for a caller.
    pub(crate) fn job(&self, options: RunOptions, caller: Caller) -> Job {
        let (runner, metrics) = (Arc::clone(&self.runner), Arc::clone(&self.metrics));
        Job { latest: self.latest.clone(), options, runner, caller, meter: self.meter(), metrics }
    }

    /// What counts what a run costs.
    pub(crate) fn meter(&self) -> Meter {
        Meter::new(self.memory.clone(), self.config.processor_time)
    }

    pub(crate) fn load(&self) -> Load {
        let (waiting_runs, busy_threads) = self.pool.load();
        Load {
            connections: self.connections.open(),
            open_streams: self.lifecycle.open_streams(),
            sessions: self.sessions.count(),
            waiting_runs,
            kept_runs_waiting: self.kept.as_ref().map_or(0, |kept| kept.waiting()),
            busy_threads,
            unread_events: self.unread.events(),
            memory: self.memory.in_use(),
        }
    }
}
