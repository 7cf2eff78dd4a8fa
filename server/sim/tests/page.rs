//! The examples of the page about the language (scenarios/README.md) pass. `robust` runs those of every word.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::sync::Arc;

use halfopen_scenario::load_all;
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_trace::Verdict;

const PAGE: &str = include_str!("../../../scenarios/README.md");

fn run(text: &str) -> Vec<Outcome> {
    let scenarios =
        load_all(text).unwrap_or_else(|mistakes| panic!("{}", mistakes.render("page", text, false)));
    let run = |scenario| halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard);
    scenarios.into_iter().map(run).collect()
}

#[test]
fn its_examples_pass() {
    let examples = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    for example in examples {
        for Outcome { finished, .. } in run(example) {
            assert_eq!(finished.verdict, Verdict::Passed, "{:?}\n{example}", finished);
        }
    }
}
