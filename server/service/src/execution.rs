//! A run as work of the pool: its scenario is loaded, then executed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::Status;

use crate::loading::{Latest, Wanted};
use crate::pool::{Caller, Task, panic_message};
use crate::status;
use crate::tail::Writer;

/// Executes runs. A runner gives the sink every event, `RunFinished` last, and stops soon after [`Sink::keep_going`]
/// returns false. If it panics, the reader of that run gets INTERNAL; other runs are not affected.
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

/// A run that is to be executed.
pub(crate) struct Execution {
    pub(crate) wanted: Wanted,
    pub(crate) latest: Latest,
    pub(crate) options: RunOptions,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) writer: Writer,
    pub(crate) caller: Caller,
    /// Is told once the scenario is loaded, or why it cannot be.
    pub(crate) loaded: oneshot::Sender<Result<(), Status>>,
}

impl Task for Execution {
    fn is_wanted(&self) -> bool {
        self.writer.is_wanted()
    }

    fn bytes(&self) -> usize {
        self.wanted.bytes()
    }

    fn execute(self: Box<Self>) {
        let Execution { wanted, latest, options, runner, writer, caller, loaded } = *self;
        let scenario = catch_unwind(AssertUnwindSafe(|| latest.load(wanted)))
            .unwrap_or_else(|panic| Err(status::loading_failed(&panic_message(panic.as_ref()))));
        // Without a reader, the writer ends the run.
        let _ = loaded.send(scenario.as_ref().map(|_| ()).map_err(Status::clone));
        match scenario {
            Ok(scenario) => execute(runner.as_ref(), &scenario, &options, writer, caller),
            Err(status) => tracing::info!(%caller, "no run: {}", status.message()),
        }
    }
}

/// Executes a run, and logs its line.
fn execute(
    runner: &dyn Runner,
    scenario: &Arc<Scenario>,
    options: &RunOptions,
    mut writer: Writer,
    caller: Caller,
) {
    /// The number of the last run of this process.
    static LAST: AtomicU64 = AtomicU64::new(0);
    let run = LAST.fetch_add(1, Ordering::Relaxed) + 1;
    let (scenario_name, seed, began) = (scenario.name(), options.seed, Instant::now());
    // The runner keeps no state of a run, and the writer only sends.
    let ended = catch_unwind(AssertUnwindSafe(|| runner.run(scenario, options, &mut writer)));
    let milliseconds = began.elapsed().as_millis();
    match ended {
        Err(panic) => {
            let message = panic_message(panic.as_ref());
            tracing::error!(run, %caller, scenario = %scenario_name, seed, milliseconds, "the run panicked: {message}");
            writer.panicked(message);
        }
        Ok(()) => {
            let verdict =
                writer.verdict().map_or_else(|| "none".to_owned(), |verdict| format!("{verdict:?}"));
            let wanted = writer.is_wanted();
            tracing::info!(run, %caller, scenario = %scenario_name, seed, verdict, wanted, milliseconds, "run");
        }
    }
}
