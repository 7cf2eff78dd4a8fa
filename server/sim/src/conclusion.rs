//! The end of a run: it is judged, and its trace is closed.

use std::sync::Arc;

use halfopen_scenario::Scenario;
use halfopen_tcp::Instant;
use halfopen_trace::{EventKind, Limit, Problem, RunFinished};
use halfopen_verdict::Judgement;

use crate::recorder::Recorder;
use crate::run::{Interruption, Outcome, Sink};
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

impl From<Interruption> for Ending {
    fn from(interruption: Interruption) -> Ending {
        match interruption {
            Interruption::Unwanted => Ending::Stopped,
            Interruption::ProcessorTime(time) => Ending::Limit(Limit::ProcessorTime(time)),
        }
    }
}

impl Ending {
    /// The event that says so, and what the verdict says of it; `None` if the run was over.
    const fn cut(self) -> Option<(EventKind, Problem)> {
        match self {
            Ending::Over => None,
            Ending::Limit(limit) => Some((EventKind::LimitReached(limit), Problem::LimitReached(limit))),
            Ending::Stopped => Some((EventKind::RunStopped, Problem::Stopped)),
        }
    }
}

/// A run that has ended and is still to be judged. Unlike a [`Simulation`](crate::Simulation), it can move between threads.
#[derive(Debug)]
pub struct Ended {
    scenario: Arc<Scenario>,
    recorder: Recorder,
    ending: Ending,
    now: Instant,
    /// Its memory at the end, in octets.
    memory: u64,
    /// The number of comparisons that the verdict may take.
    max_comparisons: u64,
}

impl Ended {
    /// The end of a run, whose recorder it takes.
    pub(crate) fn new(shared: &Shared, ending: Ending) -> Ended {
        let memory = shared.memory();
        let mut run = shared.run.borrow_mut();
        let mut recorder = std::mem::take(&mut run.recorder);
        recorder.totals.segments_sent = run.network.segments();
        Ended {
            scenario: Arc::clone(&shared.scenario),
            recorder,
            ending,
            now: shared.now.get(),
            memory,
            max_comparisons: shared.budget.comparisons,
        }
    }

    /// Judges the run and closes its trace. That may be cut short, too, by the sink or the limit of comparisons.
    pub fn judge(self, sink: &mut dyn Sink) -> Outcome {
        let Ended { scenario, mut recorder, ending, now, memory, max_comparisons } = self;
        if let Some((event, _)) = ending.cut() {
            recorder.push(now, None, None, event);
        }
        let mut cut = None;
        let mut may_go_on = |comparisons| {
            // Nobody waits for the verdict of a run that was stopped; what a limit has ended is judged.
            let asked = match ending {
                Ending::Stopped => Some(ending),
                Ending::Over | Ending::Limit(_) => sink.keep_going(memory).break_value().map(Ending::from),
            };
            let limit = Ending::Limit(Limit::Comparisons(max_comparisons));
            cut = cut.or(asked).or((comparisons > max_comparisons).then_some(limit));
            cut.is_none()
        };
        let Judgement { verdict, results, mut problems, final_states } =
            recorder.judge(&scenario, now.as_duration(), &mut may_go_on);
        if let Some((event, problem)) = cut.filter(|cut| *cut != ending).and_then(Ending::cut) {
            recorder.push(now, None, None, event);
            problems.push(problem);
        }
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_can_move_between_threads() {
        fn moves<T: Send>() {}
        moves::<Ended>();
    }
}
