//! The threads that do the work of calls, and what waits for one of them.
//!
//! Work is shared fairly between callers: the next piece is that of the caller whose work has taken the least time. Nothing is
//! interrupted; so that long runs of one caller do not hold up another, a caller with nothing in progress gets a thread of its
//! own, up to twice as many in all, and the operating system divides the processors among them.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io, thread};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tonic::Status;

use crate::cost::Memory;
use crate::deadline::is_late;
use crate::status;

/// How many callers may each fill their share of the queue.
const FULL_SHARES: usize = 16;
/// The size, in bytes, of the texts that may wait for a thread.
const MAX_WAITING_BYTES: usize = 256 << 20;
/// The bounds of the time after which a refused caller may try again.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(60);

/// Who causes work: a network address, or `None` for this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Caller(pub(crate) Option<IpAddr>);

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("this process"),
        }
    }
}

/// Work for a thread of the pool.
pub(crate) trait Task: Send {
    /// Whether anybody still waits for the result.
    fn is_wanted(&self) -> bool;

    /// The size of its text, in bytes, while it waits.
    fn bytes(&self) -> usize;

    /// Does the work.
    fn execute(self: Box<Self>);
}

/// Threads, and a bounded queue, which takes nothing while too much memory is in use. Dropping it discards what waits; its threads end with their current work.
#[derive(Debug)]
pub(crate) struct Pool {
    queue: Arc<Queue>,
    memory: Memory,
}

#[derive(Debug)]
struct Queue {
    /// The number of threads that work at the same time if one caller causes all the work.
    threads: usize,
    /// The number of tasks of one caller that may wait.
    share: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The callers with work.
    callers: BTreeMap<Caller, Lane>,
    waiting: usize,
    waiting_bytes: usize,
    running: usize,
    /// How long a task takes, on average over the latest ones.
    usual: Duration,
    closed: bool,
}

/// The work of a caller.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Box<dyn Task>>,
    /// When each of its tasks in progress began.
    running: Vec<Instant>,
    /// The time that its finished tasks have taken. A caller begins with the least that any other has.
    spent: Duration,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waiting, {} running, {:?} spent", self.waiting.len(), self.running.len(), self.spent)
    }
}

impl Pool {
    /// Starts the threads. Fails if the operating system provides none.
    pub(crate) fn new(threads: NonZeroUsize, share: usize, memory: Memory) -> io::Result<Pool> {
        let threads = threads.get();
        let queue = Queue { threads, share, state: Mutex::default(), changed: Condvar::new() };
        let pool = Pool { queue: Arc::new(queue), memory };
        for number in 1..=2 * threads {
            let queue = Arc::clone(&pool.queue);
            thread::Builder::new().name(format!("work-{number}")).spawn(move || queue.work())?;
        }
        Ok(pool)
    }

    /// Queues a task. Fails with RESOURCE_EXHAUSTED if too much waits already.
    pub(crate) fn submit(&self, caller: Caller, task: Box<dyn Task>) -> Result<(), Status> {
        let Queue { threads, share, .. } = *self.queue;
        let mut state = self.queue.lock();
        self.memory.admit(state.usual.clamp(SOONEST, LATEST))?;
        state.submit(caller, task, threads, share)?;
        drop(state);
        self.queue.changed.notify_one();
        Ok(())
    }

    /// Does a short piece of work on a thread of the pool, and waits for it. The work gets a function that tells whether anybody
    /// still waits for it.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        caller: Caller,
        bytes: usize,
        deadline: Option<Instant>,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let (answer, answered) = oneshot::channel();
        self.submit(caller, Box::new(Computation { work, bytes, deadline, answer }))?;
        let answered = match deadline {
            Some(deadline) => {
                timeout_at(deadline, answered).await.map_err(|_| status::deadline_exceeded())?
            }
            None => answered.await,
        };
        match answered {
            Ok(answer) => answer.map_err(|panic| status::loading_failed(&panic)),
            // Nobody does what is late, or what waits when the pool is dropped.
            Err(_) if is_late(deadline) => Err(status::deadline_exceeded()),
            Err(_) => Err(status::shutting_down()),
        }
    }

    /// The number of tasks that wait for a thread.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.lock().waiting
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        for lane in state.callers.values_mut() {
            lane.waiting.clear();
        }
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and every state of the queue is valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does work until the pool is dropped.
    fn work(&self) {
        while let Some((caller, began, task)) = self.next() {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| task.execute())) {
                tracing::error!("a task panicked: {}", panic_message(panic.as_ref()));
            }
            self.lock().finished(caller, began, Instant::now());
        }
    }

    /// Waits for a task; `None` once the pool is dropped.
    fn next(&self) -> Option<(Caller, Instant, Box<dyn Task>)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if let Some((caller, task)) = state.take(self.threads, now) {
                return Some((caller, now, task));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    fn submit(
        &mut self,
        caller: Caller,
        task: Box<dyn Task>,
        threads: usize,
        share: usize,
    ) -> Result<(), Status> {
        let least = self.callers.values().map(|lane| lane.spent).min().unwrap_or_default();
        let lane = self.callers.entry(caller).or_insert_with(|| Lane { spent: least, ..Lane::default() });
        if lane.waiting.len() >= share {
            let (before, bytes) = (lane.waiting.len(), lane.bytes());
            lane.waiting.retain(|task| task.is_wanted());
            self.waiting -= before - lane.waiting.len();
            self.waiting_bytes -= bytes - lane.bytes();
        }
        let (own, all) = (lane.waiting.len(), self.waiting);
        if own >= share || all >= FULL_SHARES * share || self.waiting_bytes + task.bytes() > MAX_WAITING_BYTES
        {
            self.forget(caller);
            let retry =
                self.usual * u32::try_from(own).unwrap_or(u32::MAX) / u32::try_from(threads).unwrap_or(1);
            return Err(status::queue_full(own, all, retry.clamp(SOONEST, LATEST)));
        }
        self.waiting += 1;
        self.waiting_bytes += task.bytes();
        lane.waiting.push_back(task);
        Ok(())
    }

    /// The task that is next, if a thread may begin one.
    fn take(&mut self, threads: usize, now: Instant) -> Option<(Caller, Box<dyn Task>)> {
        loop {
            let all_busy = self.running >= threads;
            let may_begin = |lane: &Lane| !lane.waiting.is_empty() && (!all_busy || lane.running.is_empty());
            let lanes = self.callers.iter_mut().filter(|(_, lane)| may_begin(lane));
            let (&caller, lane) = lanes.min_by_key(|(_, lane)| lane.spent(now))?;
            let task = lane.waiting.pop_front()?;
            self.waiting -= 1;
            self.waiting_bytes -= task.bytes();
            if task.is_wanted() {
                lane.running.push(now);
                self.running += 1;
                return Some((caller, task));
            }
            self.forget(caller);
        }
    }

    /// A task that began at `began` is done.
    fn finished(&mut self, caller: Caller, began: Instant, now: Instant) {
        let time = now - began;
        self.usual = (self.usual * 7 + time) / 8;
        self.running -= 1;
        if let Some(lane) = self.callers.get_mut(&caller) {
            lane.spent += time;
            if let Some(index) = lane.running.iter().position(|start| *start == began) {
                lane.running.swap_remove(index);
            }
        }
        self.forget(caller);
    }

    /// Forgets a caller without work.
    fn forget(&mut self, caller: Caller) {
        if self.callers.get(&caller).is_some_and(|lane| lane.waiting.is_empty() && lane.running.is_empty()) {
            self.callers.remove(&caller);
        }
    }
}

impl Lane {
    fn bytes(&self) -> usize {
        self.waiting.iter().map(|task| task.bytes()).sum()
    }

    /// The time that its work has taken so far.
    fn spent(&self, now: Instant) -> Duration {
        self.spent + self.running.iter().map(|began| now - *began).sum::<Duration>()
    }
}

/// A short piece of work whose result somebody waits for.
struct Computation<W, T> {
    work: W,
    bytes: usize,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<T, String>>,
}

impl<W, T> Task for Computation<W, T>
where
    W: FnOnce(&dyn Fn() -> bool) -> T + Send,
    T: Send,
{
    fn is_wanted(&self) -> bool {
        !self.answer.is_closed() && !is_late(self.deadline)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn execute(self: Box<Self>) {
        let Computation { work, deadline, answer, .. } = *self;
        let result = catch_unwind(AssertUnwindSafe(|| work(&|| !answer.is_closed() && !is_late(deadline))));
        // Without a reader, nobody needs to know.
        let _ = answer.send(result.map_err(|panic| panic_message(panic.as_ref())));
    }
}

pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Named(&'static str, bool);

    impl Task for Named {
        fn is_wanted(&self) -> bool {
            self.1
        }

        fn bytes(&self) -> usize {
            self.0.len()
        }

        fn execute(self: Box<Self>) {}
    }

    const HEAVY: Caller = Caller(None);

    fn other(last: u8) -> Caller {
        Caller(Some(IpAddr::from([192, 0, 2, last])))
    }

    fn submit(state: &mut State, caller: Caller, wanted: bool) {
        state.submit(caller, Box::new(Named("text", wanted)), 1, 3).expect("there is room");
    }

    #[test]
    fn the_caller_whose_work_took_least_is_next() {
        let mut state = State::default();
        let start = Instant::now();
        for _ in 0..3 {
            submit(&mut state, HEAVY, true);
        }
        let (first, _) = state.take(1, start).expect("one waits");
        assert!(state.take(1, start).is_none(), "its next one waits for a thread");
        submit(&mut state, other(1), true);
        submit(&mut state, other(1), true);
        let (second, _) = state.take(1, start).expect("another caller does not wait");
        assert_eq!((first, second), (HEAVY, other(1)));
        state.finished(HEAVY, start, start + Duration::from_secs(10));
        state.finished(other(1), start, start + Duration::from_secs(1));
        let later = start + Duration::from_secs(10);
        let (third, _) = state.take(1, later).expect("two callers wait");
        assert_eq!(third, other(1));
    }

    #[test]
    fn a_caller_that_comes_back_has_no_credit() {
        let mut state = State::default();
        let start = Instant::now();
        for _ in 0..2 {
            submit(&mut state, HEAVY, true);
        }
        state.take(1, start).expect("one waits");
        state.finished(HEAVY, start, start + Duration::from_secs(10));
        submit(&mut state, other(1), true);
        assert_eq!(state.callers[&other(1)].spent, Duration::from_secs(10));
    }

    #[test]
    fn what_nobody_wants_makes_room_and_is_not_done() {
        let mut state = State::default();
        for wanted in [true, false, false] {
            submit(&mut state, HEAVY, wanted);
        }
        submit(&mut state, HEAVY, true);
        assert_eq!((state.waiting, state.waiting_bytes), (2, 8));
        submit(&mut state, HEAVY, false);
        let full = state.submit(HEAVY, Box::new(Named("text", true)), 1, 3);
        assert!(full.is_ok(), "{full:?}");
        let now = Instant::now();
        for _ in 0..3 {
            let (caller, _) = state.take(1, now).expect("three are wanted");
            state.finished(caller, now, now);
        }
        assert!(state.take(1, now).is_none());
        assert!(state.callers.is_empty() && state.waiting == 0 && state.waiting_bytes == 0);
    }

    #[test]
    fn one_caller_fills_its_share_and_not_that_of_another() {
        let mut state = State { usual: Duration::from_secs(2), ..State::default() };
        for _ in 0..3 {
            submit(&mut state, HEAVY, true);
        }
        let refused = state.submit(HEAVY, Box::new(Named("text", true)), 1, 3).expect_err("it is full");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let retry = tonic_types::StatusExt::get_details_retry_info(&refused).expect("when to try again");
        assert_eq!(retry.retry_delay, Some(Duration::from_secs(6)), "three of two seconds each");
        submit(&mut state, other(1), true);
    }
}
