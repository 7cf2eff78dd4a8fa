//! A run as work of the pool: its scenario is loaded, then executed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::Status;

use crate::audience::Audience;
use crate::cost::Meter;
use crate::loading::{Latest, Wanted};
use crate::metrics::{Metrics, RunEnd};
use crate::pool::panic_message;
use crate::status;
use crate::tail::Writer;
use crate::turn::Turn;
use crate::work::{Caller, Task, Work};

/// Executes runs. A runner gives the sink every event, `RunFinished` last, and stops soon after [`Sink::keep_going`]
/// says so. If it panics, the reader of that run gets INTERNAL; other runs are not affected.
pub trait Runner: Send + Sync + 'static {
    /// Executes one run on the calling thread.
    fn run(&self, scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink);
}

impl<F> Runner for F
where
    F: Fn(&Arc<Scenario>, &RunOptions, &mut dyn Sink) + Send + Sync + 'static,
{
    fn run(&self, scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) {
        self(scenario, options, sink);
    }
}

/// A run, before it is known who gets its events.
pub(crate) struct Job {
    pub(crate) latest: Latest,
    pub(crate) options: RunOptions,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) caller: Caller,
    pub(crate) meter: Meter,
    pub(crate) metrics: Arc<Metrics>,
}

impl Job {
    /// The scenario that is wanted.
    pub(crate) fn load(&self, wanted: Wanted) -> Result<Arc<Scenario>, Status> {
        let scenario = catch_unwind(AssertUnwindSafe(|| self.latest.load(wanted)))
            .unwrap_or_else(|panic| Err(status::loading_failed(&panic_message(panic.as_ref()))));
        if let Err(status) = &scenario {
            tracing::info!(caller = %self.caller, "no run: {}", status.message());
        }
        scenario
    }

    /// Executes it on this thread. Fails with the message of a panic.
    pub(crate) fn run(
        self,
        scenario: &Arc<Scenario>,
        audience: &mut impl Audience,
        turn: &Turn,
    ) -> Result<(), String> {
        let Job { options, runner, caller, mut meter, metrics, .. } = self;
        let log = Log::begin(caller.clone(), scenario, options.seed);
        let mut metered = meter.run(audience);
        let mut sink = turn.run(&mut metered);
        // The runner keeps no state of a run, and the audience takes no part in it.
        let run = AssertUnwindSafe(|| runner.run(scenario, &options, &mut sink));
        let ended = catch_unwind(run).map_err(|panic| panic_message(panic.as_ref()));
        drop(metered);
        let end = match &ended {
            Ok(()) => audience.verdict().map_or(RunEnd::Stopped, RunEnd::Verdict),
            Err(_) => RunEnd::Panicked,
        };
        metrics.ran(caller.tenant(), end, log.began.elapsed());
        log.end(&ended, audience);
        ended
    }
}

/// A run that is to be executed for a stream.
pub(crate) struct Execution {
    pub(crate) wanted: Wanted,
    pub(crate) job: Job,
    pub(crate) writer: Writer,
    /// Is told once the scenario is loaded, or why it cannot be.
    pub(crate) loaded: oneshot::Sender<Result<(), Status>>,
}

impl Task for Execution {
    fn work(&self) -> Work {
        Work::Run
    }

    fn is_wanted(&self) -> bool {
        self.writer.is_wanted()
    }

    fn bytes(&self) -> usize {
        self.wanted.bytes()
    }

    fn execute(self: Box<Self>, turn: &Turn) {
        let Execution { wanted, job, mut writer, loaded } = *self;
        let scenario = job.load(wanted);
        // Without a reader, the writer ends the run.
        let _ = loaded.send(scenario.as_ref().map(|_| ()).map_err(Status::clone));
        if let Ok(scenario) = scenario
            && let Err(message) = job.run(&scenario, &mut writer, turn)
        {
            writer.panicked(message);
        }
    }
}

/// The line of a run in the log.
struct Log {
    run: u64,
    caller: Caller,
    scenario: String,
    seed: u64,
    began: Instant,
}

impl Log {
    fn begin(caller: Caller, scenario: &Scenario, seed: u64) -> Log {
        /// The number of the last run of this process.
        static LAST: AtomicU64 = AtomicU64::new(0);
        let run = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        Log { run, caller, scenario: scenario.name(), seed, began: Instant::now() }
    }

    fn end(self, ended: &Result<(), String>, audience: &impl Audience) {
        let Log { run, caller, scenario, seed, began } = self;
        let milliseconds = began.elapsed().as_millis();
        match ended {
            Err(message) => {
                tracing::error!(run, tenant = %caller.tenant(), %caller, %scenario, seed, milliseconds, "the run panicked: {message}");
            }
            Ok(()) => {
                let verdict =
                    audience.verdict().map_or_else(|| "none".to_owned(), |verdict| format!("{verdict:?}"));
                let wanted = audience.is_wanted();
                tracing::info!(run, tenant = %caller.tenant(), %caller, %scenario, seed, verdict, wanted, milliseconds, "run");
            }
        }
    }
}
