//! Judges a run: what its scenario expects, held against what happened.
//!
//! [`judge`] takes a scenario, a trace and the virtual time that it took, so that whatever leaves a trace can be judged: a run, a session,
//! a recording. A test must not pass by accident, so a fault that was never applied and a step that was never reached
//! are problems, too.

mod check;
mod claims;
mod connection;
mod ends;
mod everything;
mod path;
mod problems;
mod steps;
mod wire;

use std::time::Duration;

use halfopen_scenario::Scenario;
use halfopen_trace::{Decision, ExpectationResult, FinalState, Problem, Trace, Verdict};

use crate::ends::Ends;
use crate::problems::Suspicions;
use crate::steps::Steps;

/// What a run comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// How it ended.
    pub verdict: Verdict,
    /// What became of each expectation, in the order of the scenario.
    pub results: Vec<ExpectationResult>,
    /// Why the run did not pass, apart from expectations.
    pub problems: Vec<Problem>,
    /// Where each connection ended, on each host.
    pub final_states: Vec<FinalState>,
}

/// Judges the run of a scenario that left this trace and took `virtual_time`.
pub fn judge(scenario: &Scenario, trace: &Trace, virtual_time: Duration) -> Judgement {
    let (mut ends, mut steps) = (Ends::default(), Steps::new(scenario));
    let mut suspicions = Suspicions::new(scenario);
    // Once, because a trace may have millions of events.
    for (sequence, event) in trace.iter() {
        ends.note(event, Decision { event: sequence, time: event.time });
        steps.note(event);
        suspicions.note(event);
    }
    let results = claims::check_all(scenario, trace, &ends, virtual_time);
    let (cut_short, problems) = suspicions.conclude(scenario, &ends, &steps);
    let verdict = if cut_short {
        Verdict::Unfinished
    } else if problems.is_empty() && results.iter().all(|result| result.passed) {
        Verdict::Passed
    } else {
        Verdict::Failed
    };
    Judgement { verdict, results, problems, final_states: ends.final_states() }
}
