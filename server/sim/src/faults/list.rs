//! Every fault of a run.

use std::sync::Arc;

use halfopen_scenario::{Fault, Scenario};
use halfopen_trace::FaultId;

/// The faults of the scenario, then those that were added.
#[derive(Debug)]
pub(crate) struct Faults {
    scenario: Arc<Scenario>,
    added: Vec<Fault>,
}

impl Faults {
    /// Those of the scenario.
    pub(crate) fn new(scenario: &Arc<Scenario>) -> Faults {
        Faults { scenario: Arc::clone(scenario), added: Vec::new() }
    }

    /// The fault of that id.
    pub(crate) fn get(&self, id: FaultId) -> &Fault {
        let given = &self.scenario.faults;
        given.get(id.index()).unwrap_or_else(|| &self.added[id.index() - given.len()])
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.scenario.faults.len() + self.added.len()
    }

    /// Adds one, whose id is the next.
    pub(crate) fn add(&mut self, fault: Fault) -> FaultId {
        let id = FaultId(self.len() as u32);
        self.added.push(fault);
        id
    }
}
