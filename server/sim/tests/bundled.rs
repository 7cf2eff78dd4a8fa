//! Every bundled scenario passes, and is the same run every time.

mod common;

use std::sync::Arc;

use common::text;
use halfopen_scenario::library;
use halfopen_sim::trace::{EventKind, Verdict};
use halfopen_sim::{Discard, Outcome, RunOptions};

fn run(bundled: &library::Bundled, seed: u64) -> Outcome {
    halfopen_sim::run(&Arc::new(bundled.scenario()), &RunOptions { seed }, &mut Discard)
}

#[test]
fn every_bundled_scenario_passes_with_any_seed() {
    for bundled in library::ALL {
        for seed in 1..=20 {
            let outcome = run(bundled, seed);
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
            let name = bundled.name;
            assert_eq!(finished.verdict, Verdict::Passed, "{name}, seed {seed}: {problems:?} {broken:#?}");
        }
    }
}

#[test]
fn every_bundled_scenario_is_the_same_run_every_time() {
    let first: Vec<String> = library::ALL.iter().map(|bundled| text(&run(bundled, 1))).collect();
    for (bundled, first) in library::ALL.iter().zip(&first) {
        assert!(*first == text(&run(bundled, 1)), "{} differs after other runs", bundled.name);
    }
    let elsewhere = || library::ALL.iter().rev().map(|bundled| text(&run(bundled, 1))).collect::<Vec<_>>();
    let mut elsewhere = std::thread::spawn(elsewhere).join().unwrap();
    elsewhere.reverse();
    assert!(first == elsewhere, "a run depends on its thread or on the order of runs");
}
