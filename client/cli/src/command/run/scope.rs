//! What reporters must know of the runs before the first one.

use halfopen_client::Plan;
use halfopen_view::record::RunRecord;

/// How many runs there are, and how they are called.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) runs: u64,
    /// Runs of one scenario, or of each of its variants.
    pub(super) runs_per_scenario: u64,
    /// Characters of the longest name of a run.
    pub(super) longest_name: usize,
    /// What names the first scenario or recording.
    pub(super) first: String,
}

impl Scope {
    pub(super) fn of_plan(plan: &Plan) -> Scope {
        Scope {
            runs: plan.runs(),
            runs_per_scenario: plan.runs_per_scenario(),
            longest_name: plan.longest_name(),
            first: plan.first().to_owned(),
        }
    }

    pub(super) fn of_records(records: &[RunRecord]) -> Scope {
        let names = || records.iter().map(|record| record.name.as_str());
        Scope {
            runs: records.len() as u64,
            runs_per_scenario: 1,
            longest_name: names().map(|name| name.chars().count()).max().unwrap_or(0),
            first: names().next().unwrap_or_default().to_owned(),
        }
    }
}
