//! Every bundled scenario passes, and is the same run every time.

mod common;

use std::sync::Arc;

use common::text;
use halfopen_scenario::{Scenario, library};
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_trace::{EventKind, Verdict};

fn run(scenario: &Arc<Scenario>, seed: u64) -> Outcome {
    halfopen_sim::run(scenario, &RunOptions { seed, ..RunOptions::default() }, &mut Discard)
}

/// Every variant of every bundled scenario.
fn all() -> Vec<Arc<Scenario>> {
    library::ALL.iter().flat_map(library::Bundled::scenarios).map(Arc::new).collect()
}

#[test]
fn every_bundled_scenario_passes_with_any_seed() {
    for scenario in all() {
        for seed in 1..=20 {
            let outcome = run(&scenario, seed);
            let broken: Vec<_> = outcome
                .trace
                .iter()
                .filter_map(|(_, event)| match &event.kind {
                    EventKind::ExpectationResult(result) if !result.passed => Some(result),
                    _ => None,
                })
                .collect();
            let finished = &outcome.finished;
            let problems = &finished.problems;
            let name = scenario.name();
            assert_eq!(finished.verdict, Verdict::Passed, "{name}, seed {seed}: {problems:?} {broken:#?}");
        }
    }
}

#[test]
fn every_bundled_scenario_is_the_same_run_every_time() {
    let first: Vec<String> = all().iter().map(|scenario| text(&run(scenario, 1))).collect();
    for (scenario, first) in all().iter().zip(&first) {
        assert!(*first == text(&run(scenario, 1)), "{} differs after other runs", scenario.name());
    }
    let elsewhere = || all().iter().rev().map(|scenario| text(&run(scenario, 1))).collect::<Vec<_>>();
    let mut elsewhere = std::thread::spawn(elsewhere).join().unwrap();
    elsewhere.reverse();
    assert!(first == elsewhere, "a run depends on its thread or on the order of runs");
}
