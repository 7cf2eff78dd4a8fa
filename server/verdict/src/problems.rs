//! Why a run is not passed although no expectation is broken: a test must not pass by accident.

use std::collections::{BTreeMap, BTreeSet};

use halfopen_scenario::{
    Action, Claim, ConnectionRef, Effect, Failure, Fault, HostClaim, HostId, Program, Scenario,
};
use halfopen_tcp::Errno;
use halfopen_trace::{Event, EventKind, FaultId, Problem, StepId};

use crate::ends::Ends;
use crate::steps::{self, Ending, StepState, Steps};
use crate::work::Work;

/// Octets of memory that wrong data is counted with.
const MISTAKEN: u64 = 48;

/// What of a run is, or may become, a problem.
#[derive(Debug, Default)]
pub(crate) struct Suspicions {
    /// Wrong data that an application read.
    mistaken: Vec<Problem>,
    /// Faults that must be applied and were not yet.
    missing: BTreeSet<FaultId>,
    /// What faults kill that kill programs.
    lethal: BTreeMap<FaultId, Victims>,
    /// What faults have killed.
    killed: BTreeSet<Victims>,
    /// Why the run ended before it was over.
    cut_short: Option<Problem>,
}

impl Suspicions {
    /// Those of a run in which nothing has happened yet.
    pub(crate) fn new(scenario: &Scenario) -> Suspicions {
        let mut suspicions = Suspicions::default();
        (0..).map(FaultId).zip(&scenario.faults).for_each(|(id, fault)| suspicions.add_fault(id, fault));
        suspicions
    }

    fn add_fault(&mut self, id: FaultId, fault: &Fault) {
        if !fault.may_not_happen {
            self.missing.insert(id);
        }
        self.lethal.extend(Victims::of(&fault.effect).map(|victims| (id, victims)));
    }

    /// Takes the next event.
    pub(crate) fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::DataMistaken { offset } => self.mistaken.extend(
                event.connection.map(|connection| Problem::DataMistaken { connection, offset: *offset }),
            ),
            EventKind::FaultAdded(added) => self.add_fault(added.id, &added.fault),
            // Whoever lifts a fault does not miss it.
            EventKind::FaultLifted(fault) => drop(self.missing.remove(fault)),
            EventKind::FaultApplied(applied) => {
                self.missing.remove(&applied.fault);
                self.killed.extend(self.lethal.get(&applied.fault));
            }
            EventKind::LimitReached(limit) => self.cut_short = Some(Problem::LimitReached(*limit)),
            EventKind::RunStopped => self.cut_short = Some(Problem::Stopped),
            _ => {}
        }
    }

    /// The memory that they take besides that of the scenario's faults, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.mistaken.len() as u64 * MISTAKEN
    }

    /// Whether the run ended before it was over, and all its problems.
    pub(crate) fn conclude(
        self,
        scenario: &Scenario,
        ends: &Ends,
        steps: &Steps,
        work: &Work<'_>,
    ) -> (bool, Vec<Problem>) {
        let Suspicions { mistaken: mut problems, missing, lethal: _, killed, cut_short } = self;
        if let Some(problem) = cut_short {
            // What did not happen may still have been to come.
            problems.push(problem);
            return (true, problems);
        }
        problems.extend(surprises(scenario, steps));
        problems.extend(failures(scenario, steps));
        problems.extend(missing.into_iter().map(Problem::FaultNotApplied));
        // What a fault has killed cannot go on, and is not to be blamed for it.
        let survived = |(position, program): &(usize, &Program)| {
            let all = Victims { host: program.host, program: None };
            !killed.contains(&all) && !killed.contains(&Victims { program: Some(*position), ..all })
        };
        let programs = scenario.programs.iter().enumerate().filter(survived);
        // Nor can what waits for a peer that is gone with its host.
        let programs = programs.take_while(|_| work.goes_on(ends.len()));
        let programs = programs.filter(|(position, program)| !is_alone(*position, program, ends, steps));
        problems.extend(programs.filter_map(|(position, program)| not_done(position, program, steps)));
        (false, problems)
    }
}

/// Whether a program waits for a peer that is gone with its host.
fn is_alone(position: usize, program: &Program, ends: &Ends, steps: &Steps) -> bool {
    let Some(step) = steps.blocked_in(position, program) else { return false };
    let own = |slot| ConnectionRef { program: position, connection: slot, nth: None };
    let mut meant = step.action.connections().map(|slot| program.shared(slot).unwrap_or_else(|| own(slot)));
    meant.any(|meant| ends.has_lost_its_peer(meant, program.host.into()))
}

/// Programs that a fault kills: one of a host, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Victims {
    host: HostId,
    program: Option<usize>,
}

impl Victims {
    fn of(effect: &Effect) -> Option<Victims> {
        match *effect {
            Effect::Kill { host, program, .. } => Some(Victims { host, program }),
            Effect::PowerLoss(host) | Effect::Reboot { host, .. } => Some(Victims { host, program: None }),
            _ => None,
        }
    }
}

/// Steps that should have failed with an error, and did not.
fn surprises(scenario: &Scenario, steps: &Steps) -> impl Iterator<Item = Problem> {
    steps.endings.iter().filter_map(|ending| {
        let Ending { step, error, failed } = *ending;
        let (program, index) = (scenario.programs.get(step.program as usize)?, step.step as usize);
        let Failure::Must(expected) = program.steps.get(index)?.failure else { return None };
        let as_expected = error.is_some_and(|errno| expected.contains(errno));
        (!as_expected).then_some(Problem::StepEndedOtherwise { step, expected, error, failed })
    })
}

/// Steps that failed although nothing in the scenario says that they may. An expectation about that error on the host says
/// so, and so does a repetition around the step, which ends with it.
fn failures(scenario: &Scenario, steps: &Steps) -> impl Iterator<Item = Problem> {
    let failed: BTreeSet<(StepId, Option<Errno>)> = steps
        .endings
        .iter()
        .filter(|ending| is_failure(scenario, ending))
        .map(|ending| (ending.step, ending.error))
        .collect();
    failed.into_iter().map(|(step, error)| Problem::StepFailed { step, error })
}

fn is_failure(scenario: &Scenario, ending: &Ending) -> bool {
    let Some(program) = scenario.programs.get(ending.step.program as usize) else { return false };
    let index = ending.step.step as usize;
    let Some(step) = program.steps.get(index) else { return false };
    // A wait with a timeout is expected to time out.
    let is_timeout = step.timeout.is_some() && ending.error == Some(Errno::Again);
    let is_wrong = ending.failed || ending.error.is_some() && !is_timeout;
    let is_repeated = (0..index).any(|repeat| steps::body(program, repeat).contains(&index));
    let is_expected = scenario.expectations.iter().any(|expectation| match &expectation.claim {
        Claim::Host { host, claim: HostClaim::Error(errors), .. } => {
            *host == program.host && ending.error.is_some_and(|errno| errors.contains(errno))
        }
        _ => false,
    });
    is_wrong && step.failure == Failure::EndsProgram && !is_repeated && !is_expected
}

/// The first step of a program that should have ended and did not, and how many come after it.
fn not_done(position: usize, program: &Program, steps: &Steps) -> Option<Problem> {
    let states = steps.of(position, program);
    // A repetition that may not happen covers the steps within it.
    let covering = (0..states.len()).filter(|index| program.steps[*index].may_not_happen);
    let covered: BTreeSet<usize> = covering.flat_map(|index| steps::body(program, index)).collect();
    let mut missing = (0..states.len()).filter(|index| !covered.contains(index)).filter(|index| {
        let (step, state) = (&program.steps[*index], states[*index]);
        let is_endless = step.action.is_endless() && !matches!(step.failure, Failure::Must(_));
        let is_done = state == StepState::Ended || (state == StepState::Begun && is_endless);
        // A program that never comes to hold its connections has not done another step before that.
        !is_done && !step.may_not_happen && step.action != Action::Hold
    });
    let first = missing.next()?;
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Some(Problem::StepsNotDone {
        first: StepId { program: number(position), step: number(first) },
        begun: states[first] == StepState::Begun,
        more: number(missing.count()),
    })
}
