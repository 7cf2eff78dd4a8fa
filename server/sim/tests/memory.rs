//! The memory of runs, as the allocator sees it. Alone in its process, because it counts every allocation.

mod common;

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use common::*;
use halfopen_sim::{Discard, Interruption, RunOptions, Sink};
use halfopen_trace::Event;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// One test at a time counts.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn the_trace_of_a_finished_short_run_takes_less_than_64_kib() {
    let _alone = ALONE.lock();
    // What is made once and stays, like the pattern of what is sent, is not the trace's.
    drop(run(&session()));
    let _profiler = dhat::Profiler::builder().testing().build();
    let before = dhat::HeapStats::get().curr_bytes;
    let outcome = run(&session());
    let octets = dhat::HeapStats::get().curr_bytes - before;
    assert!(outcome.trace.len() > 50);
    assert!(octets > outcome.trace.len() as usize * 48, "the count is of something else: {octets} octets");
    assert!(octets < 64 << 10, "{octets} octets");
}

/// Compares what a run says that it takes with what is allocated, when it takes most.
#[derive(Default)]
struct Scales {
    before: usize,
    counted: u64,
    allocated: usize,
}

impl Sink for Scales {
    fn chunk(&mut self, _first_sequence: u64, _events: &Arc<Vec<Event>>) {}

    fn keep_going(&mut self, memory: u64) -> ControlFlow<Interruption> {
        let allocated = dhat::HeapStats::get().curr_bytes - self.before;
        if allocated > self.allocated {
            (self.counted, self.allocated) = (memory, allocated);
        }
        ControlFlow::Continue(())
    }
}

const SENDS: &str = "  server: [listen: 80, hold]
  client:
    - repeat:
        - connect: server:80
        - set: {send-buffer: 8 MiB}
        - send: 1500 kB
      times: 2
    - hold
";
const CONNECTS: &str = "  server:
    - listen: 80
    - repeat: [accept]
      times: 300
    - hold
  client:
    - repeat: [connect: server:80]
      times: 300
    - hold
";
const WRITES: &str = "  server: [listen: 80, accept, receive: 1 MiB, hold]
  client: [connect: server:80, send: 1 MiB, hold]
";
const TEXTS: &str = "  server: [listen: 80, accept, receive: end]
  client:
    - connect: server:80
    - repeat: [send: {text: abc}]
      times: 3000
";
const NAT: &str =
    "network: {middleboxes: {nat: {preset: linux-conntrack, behind: [client], translates: {to: 192.0.2.1}}}}";

/// Buffers may have reserved twice what is in them; nothing that grows may be left out.
#[test]
fn a_run_takes_about_as_much_memory_as_is_counted() {
    let _alone = ALONE.lock();
    let cases = [
        ("octets that wait to be sent", "{}", "{tcp: {receive-buffer: 4 KiB}}", SENDS, ""),
        ("octets that wait to be read", "{}", "{tcp: {receive-buffer: 8 MiB}}", SENDS, ""),
        ("connections", "{}", "{}", CONNECTS, ""),
        ("connections of a NAT", "{}", "{}", CONNECTS, NAT),
        ("datagrams under way", "{tcp: {send-buffer: 1 MiB}}", "{}", WRITES, "network: {latency: 10s}"),
        ("own octets", "{}", "{}", TEXTS, ""),
        ("events", "{tcp: {mss: 88 B}}", "{}", WRITES, ""),
    ];
    for (name, client, server, programs, network) in cases {
        let text = format!(
            "scenario: memory\nhosts: {{client: {client}, server: {server}}}\n{network}\napplications:\n{programs}until: 1min\n"
        );
        let scenario =
            Arc::new(halfopen_scenario::load(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}")));
        // What is made once and stays is not the run's.
        halfopen_sim::run(&scenario, &RunOptions::default(), &mut Discard);
        let _profiler = dhat::Profiler::builder().testing().build();
        let mut scales = Scales { before: dhat::HeapStats::get().curr_bytes, ..Scales::default() };
        halfopen_sim::run(&scenario, &RunOptions::default(), &mut scales);
        let Scales { counted, allocated, .. } = scales;
        assert!(allocated > 500_000, "{name}: too little to compare: {allocated}");
        let parts = allocated as f64 / counted as f64;
        assert!((0.5..2.1).contains(&parts), "{name}: {counted} counted, {allocated} allocated");
    }
}
