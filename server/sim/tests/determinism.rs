//! The same scenario and seed give the same trace, octet by octet, whatever ran before and wherever.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::*;
use halfopen_scenario::{Effect, Fault, Match, PayloadMatch, Scenario, SegmentAction, When, Which};
use halfopen_sim::{Discard, RunOptions};

/// Much that is random: jitter, losses, duplicates, a reboot.
fn unruly() -> Scenario {
    let mut scenario = bulk(200_000);
    scenario.network.link.jitter.most = Duration::from_millis(5);
    let data = Match { payload: Some(PayloadMatch::Any), ..Match::default() };
    let duplicate = SegmentAction::Duplicate { copies: 1, spacing: Duration::from_micros(10) };
    for (action, probability) in [(SegmentAction::Drop, 50_000), (duplicate, 50_000)] {
        let which = Which::Probability(probability);
        let effect = Effect::Segment { matching: data.clone(), skip: 0, which, action };
        scenario.faults.push(Fault { when: When::Always, ..fault(effect, 0) });
    }
    scenario.faults.push(fault(Effect::Reboot { host: SERVER, back_after: Duration::from_secs(1) }, 2));
    scenario
}

fn trace(scenario: &Scenario, seed: u64) -> String {
    text(&halfopen_sim::run(
        &Arc::new(scenario.clone()),
        &RunOptions { seed, ..RunOptions::default() },
        &mut Discard,
    ))
}

#[test]
fn a_run_is_the_same_every_time_and_everywhere() {
    for scenario in [session(), dead_client(), unruly()] {
        let first = trace(&scenario, 1);
        assert_eq!(first, trace(&scenario, 1), "at once again");
        for seed in 2..5 {
            trace(&unruly(), seed);
        }
        assert_eq!(first, trace(&scenario, 1), "after other runs");
        let elsewhere = std::thread::spawn(move || trace(&scenario, 1)).join().unwrap();
        assert_eq!(first, elsewhere, "in another thread");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(trace(&unruly(), 1), trace(&unruly(), 2));
}

#[test]
fn losses_and_duplicates_harm_no_octet() {
    for seed in 1..30 {
        let mut scenario = unruly();
        scenario.faults.pop();
        let options = RunOptions { seed, ..RunOptions::default() };
        let outcome = halfopen_sim::run(&Arc::new(scenario), &options, &mut Discard);
        let finished = outcome.finished;
        assert!(finished.problems.is_empty(), "seed {seed}: {:?}", finished.problems);
        assert!(finished.totals.segments_lost > 0, "seed {seed}");
    }
}
