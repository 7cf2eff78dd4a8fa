//! What a finished run keeps. Alone in its process, because it counts every allocation.

mod common;

use common::*;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

#[test]
fn the_trace_of_a_finished_short_run_takes_less_than_64_kib() {
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
