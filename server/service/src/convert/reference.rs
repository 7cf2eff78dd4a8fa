//! References to parts of the scenario.

use std::time::Duration;

use halfopen_proto::v1;
use halfopen_scenario::{Fault, Step, Window};
use halfopen_trace::{ExpectationId, FaultId, StepId};

use super::{Converter, duration, enums};

impl Converter {
    pub(super) fn fault(&self, id: FaultId) -> v1::FaultReference {
        let location = self.scenario_fault(id).map(|fault| fault.location.clone()).unwrap_or_default();
        v1::FaultReference { number: id.0 + 1, path: location.path, line: location.line }
    }

    pub(super) fn scenario_fault(&self, id: FaultId) -> Option<&Fault> {
        let given = &self.scenario.as_ref()?.faults;
        given.get(id.index()).or_else(|| self.added.get(id.index().checked_sub(given.len())?))
    }

    pub(super) fn step(&self, id: StepId) -> v1::StepReference {
        let program = self.scenario.as_ref().and_then(|scenario| scenario.programs.get(id.program as usize));
        let step = self.scenario_step(id);
        let location = step.map(|step| step.location.clone()).unwrap_or_default();
        v1::StepReference {
            application: program.map(|program| program.name.clone()).unwrap_or_default(),
            number: id.step + 1,
            kind: step.map_or(v1::StepKind::Unspecified, |step| enums::step_kind(&step.action)).into(),
            path: location.path,
            line: location.line,
        }
    }

    pub(super) fn scenario_step(&self, id: StepId) -> Option<&Step> {
        self.scenario.as_ref()?.programs.get(id.program as usize)?.steps.get(id.step as usize)
    }

    /// The step as it is written.
    pub(super) fn step_text(&self, id: StepId) -> String {
        self.scenario_step(id).map(|step| step.text.clone()).unwrap_or_default()
    }

    pub(super) fn expectation(&self, id: ExpectationId) -> v1::ExpectationReference {
        let expectation = self.scenario.as_ref().and_then(|scenario| scenario.expectations.get(id.index()));
        let location = expectation.map(|expectation| expectation.location.clone()).unwrap_or_default();
        v1::ExpectationReference { number: id.0 + 1, path: location.path, line: location.line }
    }
}

pub(super) fn window(window: Window) -> v1::TimeWindow {
    let time = |time: Duration| Some(duration(time));
    v1::TimeWindow { earliest: time(window.from), latest: time(window.to) }
}
