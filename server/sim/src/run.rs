//! What a run is given and what it gives back.

use std::sync::Arc;

use halfopen_trace::{Event, RunFinished, Trace};

/// What a run follows from besides its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// Octets of each datagram that its events keep; 0: none. Once a run has kept 256 MiB, it keeps only 128 octets of
    /// each, which hold all headers.
    pub snapshot_length: u32,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions { seed: 1, snapshot_length: 0 }
    }
}

/// Who reads a run while it runs.
pub trait Sink {
    /// The next events, in order; the first has this sequence number.
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>);

    /// Whether the run is still wanted; asked after each round of the hosts. After `false` it ends with
    /// [`Verdict::Unfinished`](halfopen_trace::Verdict::Unfinished).
    fn keep_going(&mut self) -> bool {
        true
    }
}

/// A sink for those who only want the outcome.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Sink for Discard {
    fn chunk(&mut self, _first_sequence: u64, _events: &Arc<Vec<Event>>) {}
}

/// What came out of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The trace's last event: the verdict, the problems, final states and counts.
    pub finished: RunFinished,
    /// Everything that happened.
    pub trace: Trace,
}
