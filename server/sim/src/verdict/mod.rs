//! The end of a run: expectations, problems, verdict.

mod claims;
mod connection;
mod everything;
mod history;
mod path;
mod phrases;
mod problems;
mod wire;

use crate::driver::Ending;
use crate::run::{Outcome, Sink};
use crate::shared::Shared;
use crate::trace::{EventKind, RunFinished, Verdict};

/// Checks the expectations, says what is wrong, and closes the trace.
pub(crate) fn conclude(shared: &Shared, ending: Ending, sink: &mut dyn Sink) -> Outcome {
    let (scenario, now) = (&*shared.scenario, shared.now.get());
    let mut run = shared.run.borrow_mut();
    let run = &mut *run;

    let results =
        claims::check_all(scenario, run.recorder.flush(), &run.connections, &run.progress, now.as_duration());
    let failed = results.iter().filter(|result| !result.passed).count();
    let totals = &mut run.recorder.totals;
    totals.expectations_failed = failed as u32;
    totals.expectations_passed = (results.len() - failed) as u32;
    totals.virtual_time = now.as_duration();
    for result in results {
        run.recorder.push(now, None, None, EventKind::ExpectationResult(Box::new(result)));
    }

    let problems = problems::find(scenario, ending, &run.progress);
    let verdict = match ending {
        Ending::TimeLimit | Ending::EventLimit | Ending::TrafficLimit | Ending::Stopped => {
            Verdict::Unfinished
        }
        Ending::Over if failed == 0 && problems.is_empty() => Verdict::Passed,
        Ending::Over => Verdict::Failed,
    };
    run.recorder.totals.events = run.recorder.len() + 1;
    let totals = run.recorder.totals;
    let finished = RunFinished { verdict, problems, final_states: run.connections.states(), totals };
    run.recorder.push(now, None, None, EventKind::RunFinished(Box::new(finished.clone())));
    Outcome { finished, trace: std::mem::take(&mut run.recorder).finish(sink) }
}
