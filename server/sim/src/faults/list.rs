//! Every fault of a run.

use std::sync::Arc;

use halfopen_scenario::{Fault, Scenario};

/// The faults of the scenario, then those that were added, by their position from 0.
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

    /// The fault at a position.
    pub(crate) fn get(&self, position: usize) -> &Fault {
        let given = &self.scenario.faults;
        given.get(position).unwrap_or_else(|| &self.added[position - given.len()])
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.scenario.faults.len() + self.added.len()
    }

    /// Adds one at the next position.
    pub(crate) fn add(&mut self, fault: Fault) {
        self.added.push(fault);
    }
}
