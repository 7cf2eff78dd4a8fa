//! References to parts of the scenario: names, paths and lines instead of the indices in events.

use std::sync::Arc;

use halfopen_proto::v1;
use halfopen_scenario::{ConnectionRef, Fault, Location, Scenario, Step};
use halfopen_trace::{ExpectationId, FaultId, HostId, MiddleboxId, StepId};

use super::addresses::AddressTexts;
use super::enums;
use crate::text::shortened;

/// The maximum size, in bytes, of a part of the scenario as it is written.
const MAX_WRITTEN: usize = 16 * 1024;

/// A part of the scenario as it is written.
pub(super) fn written(text: &str) -> String {
    shortened(text, MAX_WRITTEN)
}

/// Converts the events of one run, in order. The first event brings the scenario, which has the names of what later events
/// refer to.
#[derive(Debug, Default)]
pub(crate) struct Converter {
    pub(super) scenario: Option<Arc<Scenario>>,
    /// Whether the text of the scenario has more lines than one.
    pub(super) has_lines: bool,
    /// The faults that were added to those of the scenario.
    pub(super) added: Vec<Fault>,
    pub(super) addresses: AddressTexts,
}

impl Converter {
    /// One that goes on with a scenario to which these faults were added.
    pub(crate) fn knowing(scenario: Arc<Scenario>, added: Vec<Fault>) -> Converter {
        let has_lines = !scenario.is_on_one_line();
        Converter { scenario: Some(scenario), has_lines, added, addresses: AddressTexts::default() }
    }

    pub(super) fn host(&self, host: Option<HostId>) -> String {
        let name = |host: HostId| Some(self.scenario.as_ref()?.hosts.get(host.index())?.name.clone());
        host.and_then(name).unwrap_or_default()
    }

    pub(super) fn middlebox(&self, middlebox: Option<MiddleboxId>) -> String {
        let name = |middlebox: MiddleboxId| {
            Some(self.scenario.as_ref()?.network.middleboxes.get(middlebox.index())?.name.clone())
        };
        middlebox.and_then(name).unwrap_or_default()
    }

    /// The name that the scenario gives a connection.
    pub(super) fn connection(&self, connection: ConnectionRef) -> String {
        let program = self.scenario.as_ref().and_then(|scenario| scenario.programs.get(connection.program));
        let name = program.and_then(|program| program.connections.get(connection.connection.0)?.as_deref());
        match (name.unwrap_or_default(), connection.nth) {
            (name, Some(nth)) => format!("{name}#{nth}"),
            (name, None) => name.to_owned(),
        }
    }

    /// The line of a place; 0 if the text has only one.
    fn line(&self, location: &Location) -> u32 {
        if self.has_lines { location.line } else { 0 }
    }

    pub(super) fn fault(&self, id: FaultId) -> v1::FaultReference {
        let location = self.scenario_fault(id).map(|fault| fault.location.clone()).unwrap_or_default();
        v1::FaultReference { number: id.0 + 1, line: self.line(&location), path: location.path }
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
            line: self.line(&location),
            path: location.path,
        }
    }

    pub(super) fn scenario_step(&self, id: StepId) -> Option<&Step> {
        self.scenario.as_ref()?.programs.get(id.program as usize)?.steps.get(id.step as usize)
    }

    /// The step as the scenario writes it.
    pub(super) fn step_text(&self, id: StepId) -> String {
        self.scenario_step(id).map(|step| written(&step.text)).unwrap_or_default()
    }

    pub(super) fn expectation(&self, id: ExpectationId) -> v1::ExpectationReference {
        let expectation = self.scenario.as_ref().and_then(|scenario| scenario.expectations.get(id.index()));
        let location = expectation.map(|expectation| expectation.location.clone()).unwrap_or_default();
        v1::ExpectationReference { number: id.0 + 1, line: self.line(&location), path: location.path }
    }
}
