//! The threads that execute runs, and the queue of runs that wait for one.

use std::any::Any;
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};

use crate::tail::Writer;

/// Executes runs. A runner gives the sink every event, `RunFinished` last, and stops soon after [`Sink::keep_going`]
/// returns false. If it panics, the reader of that run gets INTERNAL; other runs are not affected.
pub trait Runner: Send + Sync + 'static {
    /// Executes one run on the calling thread.
    fn run(&self, scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink);
}

impl<F> Runner for F
where
    F: Fn(&Arc<Scenario>, &RunOptions, &mut dyn Sink) + Send + Sync + 'static,
{
    fn run(&self, scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) {
        self(scenario, options, sink);
    }
}

/// A run to be executed.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) scenario: Arc<Scenario>,
    pub(crate) options: RunOptions,
    pub(crate) writer: Writer,
}

/// The queue is full.
#[derive(Debug)]
pub(crate) struct Full;

/// A fixed number of threads and a bounded queue. Dropping it discards the waiting runs; its threads end with their current
/// runs.
#[derive(Debug)]
pub(crate) struct Pool {
    queue: Arc<Queue>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    closed: bool,
}

impl Pool {
    /// Starts the threads. Fails if the operating system provides none.
    pub(crate) fn new(threads: NonZeroUsize, capacity: usize, runner: &Arc<dyn Runner>) -> io::Result<Pool> {
        let pool = Pool { queue: Arc::default(), capacity };
        for number in 1..=threads.get() {
            let (queue, runner) = (Arc::clone(&pool.queue), Arc::clone(runner));
            thread::Builder::new().name(format!("run-{number}")).spawn(move || {
                while let Some(job) = queue.next() {
                    execute(runner.as_ref(), job);
                }
            })?;
        }
        Ok(pool)
    }

    /// Queues a run, which begins when a thread is free.
    pub(crate) fn submit(&self, job: Job) -> Result<(), Full> {
        let mut state = self.queue.lock();
        if state.waiting.len() >= self.capacity {
            state.waiting.retain(|job| job.writer.is_wanted());
        }
        if state.waiting.len() >= self.capacity {
            return Err(Full);
        }
        state.waiting.push_back(job);
        self.queue.changed.notify_one();
        Ok(())
    }

    /// The number of runs that may wait for a thread.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of runs that wait for a thread.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().waiting.len()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        state.waiting.clear();
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and every state of the queue is valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a run that is still wanted; `None` once the pool is dropped.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            match state.waiting.pop_front() {
                Some(job) if job.writer.is_wanted() => return Some(job),
                Some(_) => {}
                None if state.closed => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

fn execute(runner: &dyn Runner, job: Job) {
    let Job { scenario, options, mut writer } = job;
    // The runner keeps no state of a run, and the writer only sends.
    let run = AssertUnwindSafe(|| runner.run(&scenario, &options, &mut writer));
    if let Err(panic) = catch_unwind(run) {
        let message = panic_message(panic.as_ref());
        tracing::error!(scenario = scenario.id, seed = options.seed, "the run panicked: {message}");
        writer.panicked(message);
    } else {
        tracing::debug!(
            scenario = scenario.id,
            seed = options.seed,
            wanted = writer.is_wanted(),
            "the run ended"
        );
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}
