//! What a run is given and what it gives back.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use halfopen_trace::{Event, RunFinished, Trace};

use crate::budget::Budget;

/// What a run follows from besides its scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// Octets of each datagram that its events keep; 0: none. Once a run has kept 256 MiB, it keeps only 128 octets of
    /// each, which hold all headers.
    pub snapshot_length: u32,
    /// What it may cost.
    pub budget: Budget,
    /// Whether its whole trace is in the [`Outcome`]. Otherwise events are forgotten once the sink has them, unless an expectation looks
    /// back at them.
    pub keeps_trace: bool,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions { seed: 1, snapshot_length: 0, budget: Budget::default(), keeps_trace: true }
    }
}

/// Why a run is not to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Nobody wants it any more.
    Unwanted,
    /// It has taken as much processor time as it may, which is this much.
    ProcessorTime(Duration),
}

/// Who reads a run while it runs.
pub trait Sink {
    /// The next events, in order; the first has this sequence number.
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>);

    /// Whether the run is to go on; asked after each round of the hosts, and again and again while the run is judged. It takes this much
    /// memory, octets. After a break it ends with [`Verdict::Unfinished`](halfopen_trace::Verdict::Unfinished).
    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        ControlFlow::Continue(())
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
    /// Everything that happened, if the [options](RunOptions::keeps_trace) say so; otherwise what is not forgotten.
    pub trace: Trace,
}
