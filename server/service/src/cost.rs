//! What runs cost: the memory of all of them together, and the processor time of each.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use halfopen_sim::{Interruption, Sink};
use halfopen_trace::Event;
use tonic::Status;

use crate::clock::thread_time;
use crate::status;

/// By how many bytes the memory of a run has to change before all runs are told: they share a counter.
const STEP: u64 = 64 * 1024;
/// How many times a run may ask whether it may go on before its clock is read again: that is a system call.
const QUESTIONS: u32 = 64;

/// The memory that all runs take, and their unread events, in bytes. It limits what is begun, never what goes on.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    in_use: Arc<AtomicU64>,
    max: u64,
}

impl Memory {
    /// No memory is in use. From `max` on no further work is accepted.
    pub(crate) fn new(max: u64) -> Memory {
        Memory { in_use: Arc::default(), max }
    }

    /// How much is in use.
    pub(crate) fn in_use(&self) -> u64 {
        self.in_use.load(Ordering::Relaxed)
    }

    /// Whether further work is accepted: otherwise RESOURCE_EXHAUSTED, to be tried again after this time.
    pub(crate) fn admit(&self, retry: Duration) -> Result<(), Status> {
        let in_use = self.in_use();
        if in_use < self.max { Ok(()) } else { Err(status::memory_full(in_use, self.max, retry)) }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.in_use.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove(&self, bytes: u64) {
        self.in_use.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What one run costs: its part of the memory of all, and its processor time.
#[derive(Debug)]
pub(crate) struct Meter {
    memory: Memory,
    /// Its part of the memory.
    own: u64,
    /// The processor time that it may take.
    max: Option<Duration>,
    /// What it has taken, until the thread last stopped working on it.
    spent: Duration,
    /// What the clock of the thread showed when it last began to.
    began: Duration,
    /// Questions until the clock is read.
    questions: u32,
}

impl Meter {
    /// A run that has cost nothing yet, and may take this much processor time.
    pub(crate) fn new(memory: Memory, max: Option<Duration>) -> Meter {
        let (spent, began) = (Duration::ZERO, Duration::ZERO);
        Meter { memory, own: 0, max, spent, began, questions: QUESTIONS }
    }

    /// Takes what was counted so far to another thread, which goes on with the run.
    pub(crate) fn take(&mut self) -> Meter {
        let nothing = Meter::new(self.memory.clone(), self.max);
        std::mem::replace(self, nothing)
    }

    /// This thread works on the run, whose events go to a sink, until the result is dropped.
    pub(crate) fn run<'a, S: Sink>(&'a mut self, sink: &'a mut S) -> Metered<'a, S> {
        if self.max.is_some() {
            self.began = thread_time();
        }
        Metered { meter: self, sink }
    }

    /// It takes this much memory now.
    fn take_memory(&mut self, memory: u64) {
        if memory.abs_diff(self.own) >= STEP {
            self.memory.add(memory);
            self.memory.remove(self.own);
            self.own = memory;
        }
    }

    /// How much processor time it had, once that is all that it may take.
    fn exhausted(&mut self) -> Option<Duration> {
        let max = self.max?;
        self.questions -= 1;
        if self.questions > 0 {
            return None;
        }
        self.questions = QUESTIONS;
        (self.spent + (thread_time() - self.began) >= max).then_some(max)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.memory.remove(self.own);
    }
}

/// A run on this thread, and the sink that gets its events.
#[derive(Debug)]
pub(crate) struct Metered<'a, S> {
    meter: &'a mut Meter,
    sink: &'a mut S,
}

impl<S: Sink> Sink for Metered<'_, S> {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        self.sink.chunk(first_sequence, events);
    }

    fn keep_going(&mut self, memory: u64) -> ControlFlow<Interruption> {
        self.meter.take_memory(memory);
        match self.meter.exhausted() {
            Some(max) => ControlFlow::Break(Interruption::ProcessorTime(max)),
            None => self.sink.keep_going(memory),
        }
    }
}

impl<S> Drop for Metered<'_, S> {
    fn drop(&mut self) {
        if self.meter.max.is_some() {
            self.meter.spent += thread_time() - self.meter.began;
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_sim::Discard;

    use super::*;

    #[test]
    fn memory_is_that_of_all_runs_until_they_are_over() {
        let memory = Memory::new(100 * STEP);
        let [mut one, mut other] = [(); 2].map(|()| Meter::new(memory.clone(), None));
        let (mut first, mut second) = (Discard, Discard);
        let (mut first, mut second) = (one.run(&mut first), other.run(&mut second));
        assert!(first.keep_going(60 * STEP).is_continue() && second.keep_going(39 * STEP).is_continue());
        assert!(memory.admit(Duration::ZERO).is_ok());
        assert!(second.keep_going(40 * STEP).is_continue(), "what goes on is not stopped");
        let refused = memory.admit(Duration::from_secs(3)).expect_err("it is full");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let retry = tonic_types::StatusExt::get_details_retry_info(&refused).expect("when to try again");
        assert_eq!(retry.retry_delay, Some(Duration::from_secs(3)));
        assert!(first.keep_going(10 * STEP).is_continue());
        assert_eq!(memory.in_use(), 50 * STEP);
        drop((first, second));
        drop((one, other));
        assert_eq!(memory.in_use(), 0);
    }

    #[test]
    fn processor_time_is_what_the_thread_works_and_not_what_it_waits() {
        let max = Duration::from_millis(30);
        let mut meter = Meter::new(Memory::new(u64::MAX), Some(max));
        let mut discard = Discard;
        if cfg!(unix) {
            let mut run = meter.run(&mut discard);
            std::thread::sleep(2 * max);
            assert!((0..2 * QUESTIONS).all(|_| run.keep_going(0).is_continue()), "it has only waited");
        }
        // It is worked on again and again, each time for less than it may take.
        let began = thread_time();
        let interruption = 'all: loop {
            let (mut run, began) = (meter.run(&mut discard), thread_time());
            while thread_time() - began < max / 4 {
                if let ControlFlow::Break(interruption) = run.keep_going(0) {
                    break 'all interruption;
                }
            }
        };
        assert!(thread_time() - began < 4 * max);
        assert_eq!(interruption, Interruption::ProcessorTime(max));
    }
}
