//! The end of a run: it is judged, and its trace is closed.

use halfopen_trace::{EventKind, Limit, RunFinished};
use halfopen_verdict::{Judgement, judge};

use crate::run::{Outcome, Sink};
use crate::shared::Shared;

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Nothing is left to happen, or the scenario says that it ends here.
    Over,
    /// It reached a limit.
    Limit(Limit),
    /// The reader cancelled it.
    Stopped,
}

/// Judges the run and closes its trace.
pub(crate) fn conclude(shared: &Shared, ending: Ending, sink: &mut dyn Sink) -> Outcome {
    let now = shared.now.get();
    let mut run = shared.run.borrow_mut();
    let mut recorder = std::mem::take(&mut run.recorder);
    recorder.totals.segments_sent = run.network.segments();
    drop(run);
    match ending {
        Ending::Over => {}
        Ending::Limit(limit) => recorder.push(now, None, None, EventKind::LimitReached(limit)),
        Ending::Stopped => recorder.push(now, None, None, EventKind::RunStopped),
    }
    let Judgement { verdict, results, problems, final_states } =
        judge(&shared.scenario, recorder.flush(), now.as_duration());
    for result in results {
        match result.passed {
            true => recorder.totals.expectations_passed += 1,
            false => recorder.totals.expectations_failed += 1,
        }
        recorder.push(now, None, None, EventKind::ExpectationResult(Box::new(result)));
    }
    recorder.totals.virtual_time = now.as_duration();
    recorder.totals.events = recorder.len() + 1;
    let finished = RunFinished { verdict, problems, final_states, totals: recorder.totals };
    recorder.push(now, None, None, EventKind::RunFinished(Box::new(finished.clone())));
    Outcome { finished, trace: recorder.finish(sink) }
}
