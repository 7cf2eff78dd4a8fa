//! Whole runs: building the world, the simulation, the trace and its end.

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use halfopen_scenario::{Action, Scenario, library};
use halfopen_sim::{Discard, Outcome, RunOptions, run};

#[global_allocator]
static ALLOCATOR: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

fn play(scenario: &Arc<Scenario>) -> Outcome {
    run(black_box(scenario), &RunOptions::default(), &mut Discard)
}

/// Handshake, 1 KiB each way, four-way close and TIME-WAIT at 20 ms one way.
#[divan::bench]
fn session(bencher: Bencher<'_, '_>) {
    let scenario = Arc::new(common::session());
    bencher.bench_local(|| play(&scenario));
}

/// The bundled scenario: 7,950 seconds of virtual time, 10 keepalive probes, and its expectations.
#[divan::bench]
fn dead_client(bencher: Bencher<'_, '_>) {
    let scenario = Arc::new(library::scenario("dead-client").expect("it is bundled"));
    bencher.bench_local(|| play(&scenario));
}

/// 64 MiB one way; items are segments.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bulk(bencher: Bencher<'_, '_>) {
    let scenario = Arc::new(common::bulk(64 << 20));
    let segments = play(&scenario).finished.totals.segments_sent;
    bencher.counter(ItemsCount::new(segments)).bench_local(|| play(&scenario));
}

/// Two hosts that do nothing: what a world costs.
#[divan::bench]
fn empty(bencher: Bencher<'_, '_>) {
    let scenario = Arc::new(common::scenario(vec![Action::Hold], vec![Action::Hold]));
    bencher.bench_local(|| play(&scenario));
}
