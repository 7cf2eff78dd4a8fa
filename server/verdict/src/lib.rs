//! Judges a run: what its scenario expects, held against what happened.
//!
//! A [`Judge`] notes each event as it happens, and concludes at the end; [`judge`] does both with a whole trace. They take a scenario, events
//! and the virtual time that passed, so that whatever leaves a trace can be judged: a run, a session, a recording. A test must not
//! pass by accident, so a fault that was never applied and a step that was never reached are problems, too.

mod check;
mod claims;
mod connection;
mod ends;
mod everything;
mod path;
mod problems;
mod steps;
mod wire;
mod work;

use std::time::Duration;

use halfopen_scenario::{Claim, Scenario};
use halfopen_trace::{Decision, Event, ExpectationResult, FinalState, Problem, Trace, Verdict};

use crate::claims::Evidence;
use crate::ends::Ends;
use crate::problems::Suspicions;
use crate::steps::Steps;
use crate::wire::unresolved;
use crate::work::Work;

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

/// Judges a run while it goes on.
#[derive(Debug, Default)]
pub struct Judge {
    ends: Ends,
    steps: Steps,
    suspicions: Suspicions,
}

impl Judge {
    /// The judge of a run in which nothing has happened yet.
    pub fn new(scenario: &Scenario) -> Judge {
        Judge { ends: Ends::default(), steps: Steps::new(scenario), suspicions: Suspicions::new(scenario) }
    }

    /// Whether a scenario has expectations that look back at events: those about segments. All others are decided by what is noted.
    pub fn looks_back(scenario: &Scenario) -> bool {
        scenario.expectations.iter().any(|expectation| match &expectation.claim {
            Claim::Segments { .. } | Claim::Order(_) => true,
            Claim::Host { .. } | Claim::AllClosed | Claim::Data { .. } | Claim::VirtualTime(_) => false,
        })
    }

    /// Takes the next event, which has this sequence number.
    pub fn note(&mut self, sequence: u64, event: &Event) {
        self.ends.note(event, Decision { event: sequence, time: event.time });
        self.steps.note(event);
        self.suspicions.note(event);
    }

    /// The memory that the notes take, octets.
    pub fn memory(&self) -> u64 {
        self.ends.memory() + self.steps.memory() + self.suspicions.memory()
    }

    /// Judges the run of a scenario whose events are noted, and which took `virtual_time`. The trace may have forgotten its events
    /// unless the scenario [looks back](Judge::looks_back).
    ///
    /// `may_go_on` is asked now and then, and at last, with the number of comparisons that were made so far. If it ever says no, the run
    /// is [unfinished](Verdict::Unfinished), and no expectation has a result.
    pub fn conclude(
        self,
        scenario: &Scenario,
        trace: &Trace,
        virtual_time: Duration,
        may_go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Judgement {
        let Judge { ends, steps, suspicions } = self;
        let work = Work::new(may_go_on);
        let unresolved = unresolved(trace);
        let evidence = Evidence { trace, ends: &ends, unresolved, virtual_time, work: &work };
        let mut results = evidence.check_all(scenario);
        let (mut cut_short, problems) = suspicions.conclude(scenario, &ends, &steps, &work);
        if !work.was_wanted() {
            cut_short = true;
            results.clear();
        }
        let verdict = if cut_short {
            Verdict::Unfinished
        } else if problems.is_empty() && results.iter().all(|result| result.passed) {
            Verdict::Passed
        } else {
            Verdict::Failed
        };
        Judgement { verdict, results, problems, final_states: ends.final_states() }
    }
}

/// Judges the run of a scenario that left this trace and took `virtual_time`.
pub fn judge(scenario: &Scenario, trace: &Trace, virtual_time: Duration) -> Judgement {
    let mut judge = Judge::new(scenario);
    trace.iter().for_each(|(sequence, event)| judge.note(sequence, event));
    judge.conclude(scenario, trace, virtual_time, &mut |_| true)
}
