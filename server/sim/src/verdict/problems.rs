//! Why a run is not passed although no expectation is broken: a test must not pass by accident.

use halfopen_scenario::{Claim, Failure, HostClaim, Program, Scenario};
use halfopen_units::{format_count, format_duration};

use crate::driver::Ending;
use crate::network::MOST_UNDER_WAY;
use crate::shared::{Failed, Progress, StepState};

/// The problems of a run, in words.
pub(super) fn find(scenario: &Scenario, ending: Ending, progress: &Progress) -> Vec<String> {
    let mut problems = progress.mistakes.clone();
    let limits = scenario.limits;
    match ending {
        Ending::Over => {
            problems.extend(progress.surprises.iter().cloned());
            problems.extend(failures(scenario, progress));
            problems.extend(faults(scenario, progress));
            let programs = scenario.programs.iter().zip(&progress.steps);
            problems.extend(programs.filter_map(|(program, steps)| unfinished(program, steps)));
        }
        Ending::TimeLimit => problems.push(format!(
            "not over at the limit of {} of virtual time: say when the run ends with `until`, or raise `limits`",
            format_duration(limits.virtual_time)
        )),
        Ending::EventLimit => problems.push(format!(
            "not over at the limit of {} events: say when the run ends with `until`, or raise `limits`",
            limits.events
        )),
        Ending::TrafficLimit => problems.push(format!(
            "more than {MOST_UNDER_WAY} segments under way at once: use smaller buffers, or make fewer copies"
        )),
        Ending::Stopped => problems.push("stopped before it was over".to_owned()),
    }
    problems
}

/// Steps that ended with an error that nothing in the scenario says. An expectation about that error of the host says it.
fn failures(scenario: &Scenario, progress: &Progress) -> impl Iterator<Item = String> {
    let is_said = |failed: &Failed| {
        scenario.expectations.iter().any(|expectation| match &expectation.claim {
            Claim::Host { host, claim: HostClaim::Error(errno), .. } => {
                *host == scenario.programs[failed.program].host && Some(*errno) == failed.error
            }
            _ => false,
        })
    };
    progress.failures.iter().filter(move |failed| !is_said(failed)).map(|failed| {
        let program = &scenario.programs[failed.program];
        let (step, name, number) = (&program.steps[failed.step], &program.name, failed.step + 1);
        let (how, help) = match failed.error {
            Some(errno) => (format!("ended with {errno}"), format!("`error: {errno}` or `may-fail: on`")),
            None => ("came to the end of the stream too early".to_owned(), "`may-fail: on`".to_owned()),
        };
        let (text, line) = (&step.text, step.location.line);
        format!("step {number} of {name} {how}: {text} (line {line}); if it should, say {help} beside it")
    })
}

/// Faults that never were applied.
fn faults(scenario: &Scenario, progress: &Progress) -> impl Iterator<Item = String> {
    (1..)
        .zip(scenario.faults.iter().zip(&progress.faults))
        .filter(|(_, (fault, applied))| **applied == 0 && !fault.may_not_happen)
        .map(|(position, (fault, _)): (u32, _)| {
            format!("fault {position} never happened: {} (line {})", fault.text, fault.location.line)
        })
}

/// The first step of a program that should have ended and did not, and how many come after it.
fn unfinished(program: &Program, states: &[StepState]) -> Option<String> {
    let missing: Vec<usize> = (0..states.len())
        .filter(|index| {
            let (step, state) = (&program.steps[*index], states[*index]);
            let endless = step.action.is_endless() && !matches!(step.failure, Failure::Must(_));
            let done = state == StepState::Ended || (state == StepState::Begun && endless);
            !done && !step.may_not_happen
        })
        .collect();
    let first = *missing.first()?;
    let step = &program.steps[first];
    let what = if states[first] == StepState::Begun { "did not end" } else { "was never reached" };
    let more = match missing.len() - 1 {
        0 => String::new(),
        count => format!(", nor {} after it", format_count(count as u64, "step")),
    };
    let (name, line) = (&program.name, step.location.line);
    Some(format!("step {} of {name} {what}{more}: {} (line {line})", first + 1, step.text))
}
