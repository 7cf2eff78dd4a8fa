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

/// A client and a server at 0.2 ms, one connection after the other.
fn many(server: &str, client: &str) -> Arc<Scenario> {
    let text = format!(
        "scenario: many\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 200us}}\napplications:\n  server: [listen: 80, \
         {{repeat: [{server}]}}]\n  client: [{{repeat: [{client}}}]\nlimits: {{events: 3000000}}\n"
    );
    Arc::new(halfopen_scenario::load(&text).expect("right"))
}

/// 500 connections a second. The client closes first: after 56 s every port of its waits in TIME-WAIT.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn churn(bencher: Bencher<'_, '_>) {
    let client = "connect: server:80, close], times: 30000, every: 2ms, error: EADDRNOTAVAIL";
    let scenario = many("accept, receive: end, close", client);
    bencher.counter(ItemsCount::new(28_232_u32)).bench_local(|| play(&scenario));
}

/// The same for a minute, but the server closes first, and its ports are not used up.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn churn_closed_by_the_server(bencher: Bencher<'_, '_>) {
    let scenario =
        many("accept, close", "connect: server:80, receive: end, close], times: 30000, every: 2ms");
    bencher.counter(ItemsCount::new(30_000_u32)).bench_local(|| play(&scenario));
}

/// 28,000 connections that nobody closes.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn leak(bencher: Bencher<'_, '_>) {
    let scenario = many("accept", "connect: server:80], times: 28000");
    bencher.counter(ItemsCount::new(28_000_u32)).bench_local(|| play(&scenario));
}
