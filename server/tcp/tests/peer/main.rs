//! Our TCP against one that nobody here wrote, smoltcp, and against itself, through a network that loses, repeats,
//! reorders, damages and delays, under applications that write, read, shut down, close and abort at random.
//!
//! What must hold: every octet is read once and in order; who reads the end has read everything; what was lost is
//! an error at both ends; in the end both connections are gone, and nobody waits for anything.
//!
//! A failing case prints the plan it shrank to and the seed of its run. By hand, for longer:
//!
//! ```text
//! PROPTEST_CASES=334000 PROPTEST_RNG_SEED=7 cargo test --release -p halfopen-tcp --test peer
//! ```

mod application;
mod host;
mod network;
mod plan;
mod regressions;
mod smoltcp_host;
mod world;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use world::Stack;

/// Of each of the three tests: 10,000 in all.
const CASES: u32 = 3_334;

fn check(stacks: [Stack; 2]) {
    let mut config = Config { failure_persistence: None, max_shrink_time: 30_000, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = CASES;
    }
    // The same cases every time, unless somebody asks for others.
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(1);
    }
    let (cases, seed) = (config.cases, config.rng_seed);
    let outcome = TestRunner::new(config)
        .run(&plan::plan(), |plan| world::run(&plan, stacks).map_err(TestCaseError::fail));
    if let Err(error) = outcome {
        panic!("{stacks:?}, {cases} cases, {seed:?}: {error}");
    }
}

#[test]
fn we_open_to_smoltcp() {
    check([Stack::Ours, Stack::Smoltcp]);
}

#[test]
fn smoltcp_opens_to_us() {
    check([Stack::Smoltcp, Stack::Ours]);
}

#[test]
fn we_open_to_ourselves() {
    check([Stack::Ours, Stack::Ours]);
}
