//! How far each step of each application came, read from the trace.

use std::collections::BTreeSet;
use std::ops::Range;

use halfopen_scenario::{Action, Program, Scenario, Step};
use halfopen_tcp::Errno;
use halfopen_trace::{ApplicationResult, Event, EventKind, StepId};

/// How far a step came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StepState {
    /// Never begun.
    #[default]
    Ahead,
    /// Begun.
    Begun,
    /// Ended, well or not.
    Ended,
}

/// The steps of a run.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// By program and step.
    states: Vec<Vec<StepState>>,
    /// By program: the step in which it waits.
    blocked: Vec<Option<usize>>,
    /// The ways in which steps ended, in the order in which they first did.
    pub(crate) endings: Vec<Ending>,
    known: BTreeSet<Ending>,
}

/// A way in which a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ending {
    pub(crate) step: StepId,
    pub(crate) error: Option<Errno>,
    pub(crate) failed: bool,
}

/// Octets of memory that an ending is counted with.
const ENDING: u64 = 64;

impl Steps {
    /// The steps of a run in which nothing has happened yet.
    pub(crate) fn new(scenario: &Scenario) -> Steps {
        let ahead = |program: &Program| vec![StepState::Ahead; program.steps.len()];
        Steps {
            states: scenario.programs.iter().map(ahead).collect(),
            blocked: vec![None; scenario.programs.len()],
            endings: Vec::new(),
            known: BTreeSet::new(),
        }
    }

    /// The memory that they take besides that of the scenario's programs, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.endings.len() as u64 * ENDING
    }

    /// Takes the next event.
    pub(crate) fn note(&mut self, event: &Event) {
        let (step, state) = match event.kind {
            EventKind::StepBlocked(step) => (step, StepState::Begun),
            EventKind::ApplicationResult(result) => {
                let ApplicationResult { step, error, failed, .. } = result;
                let ending = Ending { step, error, failed };
                if self.known.insert(ending) {
                    self.endings.push(ending);
                }
                (result.step, StepState::Ended)
            }
            _ => return,
        };
        let program = self.states.get_mut(step.program as usize);
        if let Some(known) = program.and_then(|program| program.get_mut(step.step as usize)) {
            // A step of a repetition begins again after it ended.
            *known = (*known).max(state);
        }
        if let Some(blocked) = self.blocked.get_mut(step.program as usize) {
            *blocked = (state == StepState::Begun).then_some(step.step as usize);
        }
    }

    /// The step in which a program waits.
    pub(crate) fn blocked_in<'p>(&self, position: usize, program: &'p Program) -> Option<&'p Step> {
        program.steps.get((*self.blocked.get(position)?)?)
    }

    /// How far the steps of a program came.
    pub(crate) fn of(&self, position: usize, program: &Program) -> Vec<StepState> {
        let mut states = self.states.get(position).cloned().unwrap_or_default();
        for repeat in (0..states.len()).rev() {
            let body = body(program, repeat);
            let has_begun = states[body].iter().any(|state| *state > StepState::Ahead);
            if has_begun {
                states[repeat] = states[repeat].max(StepState::Begun);
            }
        }
        states
    }
}

/// The steps within a repetition; none within any other step.
pub(crate) fn body(program: &Program, step: usize) -> Range<usize> {
    let length = match program.steps[step].action {
        Action::Repeat { body, .. } => body,
        _ => 0,
    };
    step + 1..step + 1 + length
}
