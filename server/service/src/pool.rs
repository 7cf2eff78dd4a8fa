//! The threads that do the work of calls, and what waits for one of them.
//!
//! Work is shared fairly between callers, and the kinds of work of one caller: each has a lane, and the next task is that of the
//! lane whose work has taken the least time. Nothing is interrupted; so that long tasks of one lane do not hold up another, a lane
//! with nothing in progress gets a thread of its own, as long as there is one, and the operating system divides the processors
//! among them. It lets short tasks go first: the priority of a thread falls if its task takes long. Since it cannot rise again,
//! such a thread ends after the task, and another takes its place.

use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Thread;
use std::time::Duration;
use std::{fmt, io, thread};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tonic::Status;

use crate::config::Config;
use crate::cost::Memory;
use crate::deadline::is_late;
use crate::metrics::Metrics;
use crate::status;
use crate::turn::Turn;
use crate::work::{Caller, Task, Work};

/// The number of threads beyond the usual ones, for lanes with nothing in progress.
const EXTRA_THREADS: usize = 16;
/// How long one of these stays without work. A thread keeps memory for its next task.
const EXTRA_TIME: Duration = Duration::from_secs(10);
/// How long to wait after the operating system had no thread.
const START_PAUSE: Duration = Duration::from_millis(100);
/// How many lanes may each fill their share of the queue.
const FULL_SHARES: usize = 16;
/// The size, in bytes, of the texts that may wait for a thread.
const MAX_WAITING_BYTES: usize = 256 << 20;
/// The bounds of the time after which a refused caller may try again.
const SOONEST: Duration = Duration::from_millis(100);
const LATEST: Duration = Duration::from_secs(60);

/// Threads, and a bounded queue, which takes nothing while too much memory is in use. Dropping it discards what waits; its
/// threads end with their current work.
#[derive(Debug)]
pub(crate) struct Pool {
    queue: Arc<Queue>,
    memory: Memory,
}

#[derive(Debug)]
struct Queue {
    /// The number of threads that work at the same time if all the work is of one lane.
    threads: usize,
    /// The number of tasks of one lane that may wait.
    share: usize,
    /// Whether long tasks give way to others.
    gives_way: bool,
    state: Mutex<State>,
    /// Asks for a thread, which may end once it has been idle for so long.
    starter: Sender<Option<Duration>>,
    metrics: Arc<Metrics>,
}

#[derive(Debug, Default)]
struct State {
    /// The lanes with work.
    lanes: BTreeMap<Source, Lane>,
    waiting: usize,
    waiting_bytes: usize,
    running: usize,
    /// How long a task takes, on average over the latest ones.
    usual: Duration,
    /// The threads that have nothing to do. The last is woken first: it remembers most.
    idle: Vec<Thread>,
    /// The number of threads beyond the usual ones that there are.
    extra: usize,
    closed: bool,
}

/// Whose work a lane has, and of which kind.
type Source = (Caller, Work);

/// The work of one kind of a caller.
#[derive(Default)]
struct Lane {
    /// What waits, and since when.
    waiting: VecDeque<(Instant, Box<dyn Task>)>,
    /// When each of its tasks in progress began.
    running: Vec<Instant>,
    /// The time that its finished tasks have taken. A lane begins with the least that any other has.
    spent: Duration,
    /// The number of tasks of all kinds that its tenant may have in progress, if that is limited.
    max_running: Option<usize>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} waiting, {} running, {:?} spent", self.waiting.len(), self.running.len(), self.spent)
    }
}

impl Pool {
    /// Starts the threads. Fails if the operating system provides none.
    pub(crate) fn new(config: &Config, memory: Memory, metrics: &Arc<Metrics>) -> io::Result<Pool> {
        let (starter, asked) = channel();
        let queue = Arc::new(Queue {
            threads: config.threads.get(),
            share: config.queue,
            gives_way: config.processor_time.is_some(),
            state: Mutex::default(),
            starter,
            metrics: Arc::clone(metrics),
        });
        let weak = Arc::downgrade(&queue);
        thread::Builder::new().name("start-work".to_owned()).spawn(move || start(&asked, &weak))?;
        for _ in 0..queue.threads {
            queue.spawn(None)?;
        }
        Ok(Pool { queue, memory })
    }

    /// Queues a task. Fails with RESOURCE_EXHAUSTED if too much waits already.
    pub(crate) fn submit(&self, caller: &Caller, task: Box<dyn Task>) -> Result<(), Status> {
        let Queue { threads, share, .. } = *self.queue;
        let mut state = self.queue.lock();
        self.memory.admit(state.usual.clamp(SOONEST, LATEST))?;
        state.submit(caller, task, threads, share, Instant::now())?;
        self.queue.wake_for_more(&mut state);
        Ok(())
    }

    /// Does a piece of work on a thread of the pool, and waits for it. The work gets a function that tells whether anybody
    /// still waits for it.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        (caller, work): Source,
        bytes: usize,
        deadline: Option<Instant>,
        compute: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let (answer, answered) = oneshot::channel();
        self.submit(&caller, Box::new(Computation { work, compute, bytes, deadline, answer }))?;
        let answered = match deadline {
            Some(deadline) => {
                timeout_at(deadline, answered).await.map_err(|_| status::deadline_exceeded())?
            }
            None => answered.await,
        };
        match answered {
            Ok(answer) => answer.map_err(|panic| match work {
                Work::Rendering => status::render_failed(&panic),
                Work::Run | Work::Validation | Work::Session | Work::Verdict => {
                    status::loading_failed(&panic)
                }
            }),
            // Nobody does what is late, or what waits when the pool is dropped.
            Err(_) if is_late(deadline) => Err(status::deadline_exceeded()),
            Err(_) => Err(status::shutting_down()),
        }
    }

    /// A way to give it further work.
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance(Arc::downgrade(&self.queue))
    }

    /// The number of tasks that wait for a thread, and of those in progress.
    pub(crate) fn load(&self) -> (usize, usize) {
        let state = self.queue.lock();
        (state.waiting, state.running)
    }
}

/// A way to give a pool further work. It does not keep the pool.
#[derive(Clone, Debug)]
pub(crate) struct Entrance(Weak<Queue>);

impl Entrance {
    /// Queues a task of something that was accepted before, so it is never refused. Once the pool is dropped, so is the task.
    pub(crate) fn go_on(&self, caller: &Caller, task: Box<dyn Task>) {
        let Some(queue) = self.0.upgrade() else { return };
        let mut state = queue.lock();
        if !state.closed {
            state.add(caller, task, Instant::now());
            queue.wake_for_more(&mut state);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.closed = true;
        for lane in state.lanes.values_mut() {
            lane.waiting.clear();
        }
        state.idle.drain(..).for_each(|thread| thread.unpark());
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, and every state of the queue is valid.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread, which may end once it has been idle for so long. It has the priority of the calling thread.
    fn spawn(self: &Arc<Queue>, patience: Option<Duration>) -> io::Result<()> {
        let queue = Arc::clone(self);
        thread::Builder::new().name("work".to_owned()).spawn(move || queue.work(patience)).map(drop)
    }

    /// Asks for a thread. There is always one who hears it: it ends after the queue.
    fn start(&self, patience: Option<Duration>) {
        let _ = self.starter.send(patience);
    }

    /// Wakes or starts a thread if there is a task that it may begin.
    fn wake_for_more(&self, state: &mut State) {
        let all_busy = state.running >= self.threads;
        if !state.lanes.iter().any(|(source, lane)| state.may_begin(source, lane, all_busy)) {
            return;
        }
        match state.idle.pop() {
            Some(thread) => thread.unpark(),
            None if state.extra < EXTRA_THREADS => {
                state.extra += 1;
                self.start(Some(EXTRA_TIME));
            }
            None => {}
        }
    }

    /// Does work until the pool is dropped, there is none for too long, or this thread gave way.
    fn work(&self, patience: Option<Duration>) {
        while let Some((source, began, task)) = self.next(patience) {
            let turn = Turn::begin(self.gives_way);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| task.execute(&turn))) {
                tracing::error!("a task panicked: {}", panic_message(panic.as_ref()));
            }
            let mut state = self.lock();
            state.finished(&source, began, Instant::now());
            if turn.is_lowered() {
                match patience {
                    None => self.start(None),
                    Some(_) => {
                        state.extra -= 1;
                        self.wake_for_more(&mut state);
                    }
                }
                return;
            }
        }
    }

    /// Waits for a task; `None` once the pool is dropped, or there was none for that long.
    fn next(&self, patience: Option<Duration>) -> Option<(Source, Instant, Box<dyn Task>)> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            let now = Instant::now();
            if let Some((source, since, task)) = state.take(self.threads, now) {
                self.wake_for_more(&mut state);
                drop(state);
                self.metrics.waited(source.1, now - since);
                return Some((source, now, task));
            }
            state.idle.push(thread::current());
            drop(state);
            match patience {
                Some(patience) => thread::park_timeout(patience),
                None => thread::park(),
            }
            state = self.lock();
            // It may have woken by itself.
            let (own, idle) = (thread::current().id(), state.idle.len());
            state.idle.retain(|thread| thread.id() != own);
            let nobody_woke_it = state.idle.len() < idle;
            if nobody_woke_it && patience.is_some_and(|patience| now.elapsed() >= patience) {
                state.extra -= 1;
                return None;
            }
        }
    }
}

/// Starts the threads that are asked for, as long as there is a queue. Those who ask may have a low priority, which their threads
/// would inherit.
fn start(asked: &Receiver<Option<Duration>>, queue: &Weak<Queue>) {
    while let Ok(patience) = asked.recv() {
        while let Some(queue) = queue.upgrade()
            && let Err(error) = queue.spawn(patience)
        {
            drop(queue);
            tracing::warn!("cannot start a thread, so work waits: {error}");
            thread::sleep(START_PAUSE);
        }
    }
}

impl State {
    fn submit(
        &mut self,
        caller: &Caller,
        task: Box<dyn Task>,
        threads: usize,
        share: usize,
        now: Instant,
    ) -> Result<(), Status> {
        let quota = *caller.tenant().quota();
        let waiting = self.waiting_of(caller);
        if quota.waiting.is_some_and(|max| waiting >= max) {
            let retry = self.usual.clamp(SOONEST, LATEST);
            let quota = format!("waiting = {waiting}");
            return Err(status::quota_exceeded(caller.tenant(), &quota, retry));
        }
        let source = (caller.clone(), task.work());
        if self.lanes.get(&source).is_some_and(|lane| lane.waiting.len() >= share) {
            self.discard_unwanted(&source);
        }
        let own = self.lanes.get(&source).map_or(0, |lane| lane.waiting.len());
        let all = self.waiting;
        if own >= share || all >= FULL_SHARES * share || self.waiting_bytes + task.bytes() > MAX_WAITING_BYTES
        {
            self.forget(&source);
            let retry =
                self.usual * u32::try_from(own).unwrap_or(u32::MAX) / u32::try_from(threads).unwrap_or(1);
            return Err(status::queue_full(own, all, retry.clamp(SOONEST, LATEST)));
        }
        self.add(caller, task, now);
        Ok(())
    }

    /// Adds a task to its lane.
    fn add(&mut self, caller: &Caller, task: Box<dyn Task>, now: Instant) {
        let least = self.lanes.values().map(|lane| lane.spent).min().unwrap_or_default();
        let lane = self.lanes.entry((caller.clone(), task.work()));
        let lane = lane.or_insert_with(|| Lane { spent: least, ..Lane::default() });
        self.waiting += 1;
        self.waiting_bytes += task.bytes();
        lane.waiting.push_back((now, task));
        lane.max_running = caller.tenant().quota().running;
    }

    /// The number of tasks of a caller that wait, where there is a limit; what nobody wants any longer is let go.
    fn waiting_of(&mut self, caller: &Caller) -> usize {
        let Some(max) = caller.tenant().quota().waiting else { return 0 };
        let lanes = || Work::ALL.map(|work| (caller.clone(), work));
        let count = |state: &State| {
            lanes().iter().filter_map(|source| state.lanes.get(source)).map(|lane| lane.waiting.len()).sum()
        };
        let waiting: usize = count(self);
        if waiting < max {
            return waiting;
        }
        for source in lanes() {
            self.discard_unwanted(&source);
            self.forget(&source);
        }
        count(self)
    }

    /// Lets go of what waits in a lane although nobody wants it any longer.
    fn discard_unwanted(&mut self, source: &Source) {
        let Some(lane) = self.lanes.get_mut(source) else { return };
        let (before, bytes) = (lane.waiting.len(), lane.bytes());
        lane.waiting.retain(|(_, task)| task.is_wanted());
        self.waiting -= before - lane.waiting.len();
        self.waiting_bytes -= bytes - lane.bytes();
    }

    /// Whether a task of a lane may begin: if all threads are busy, only with nothing in progress; never more than its tenant may
    /// have in progress.
    fn may_begin(&self, (caller, _): &Source, lane: &Lane, all_busy: bool) -> bool {
        let running = || -> usize {
            let lanes = Work::ALL.map(|work| self.lanes.get(&(caller.clone(), work)));
            lanes.into_iter().flatten().map(|lane| lane.running.len()).sum()
        };
        lane.may_begin(all_busy) && lane.max_running.is_none_or(|max| running() < max)
    }

    /// The task that is next, if a thread may begin one, and since when it waits.
    fn take(&mut self, threads: usize, now: Instant) -> Option<(Source, Instant, Box<dyn Task>)> {
        loop {
            let all_busy = self.running >= threads;
            let lanes = self.lanes.iter().filter(|(source, lane)| self.may_begin(source, lane, all_busy));
            let source = lanes.min_by_key(|(_, lane)| lane.spent(now))?.0.clone();
            let lane = self.lanes.get_mut(&source)?;
            let (since, task) = lane.waiting.pop_front()?;
            self.waiting -= 1;
            self.waiting_bytes -= task.bytes();
            if task.is_wanted() {
                lane.running.push(now);
                self.running += 1;
                return Some((source, since, task));
            }
            self.forget(&source);
        }
    }

    /// A task that began at `began` is done.
    fn finished(&mut self, source: &Source, began: Instant, now: Instant) {
        let time = now - began;
        self.usual = (self.usual * 7 + time) / 8;
        self.running -= 1;
        if let Some(lane) = self.lanes.get_mut(source) {
            lane.spent += time;
            if let Some(index) = lane.running.iter().position(|start| *start == began) {
                lane.running.swap_remove(index);
            }
        }
        self.forget(source);
    }

    /// Forgets a lane without work.
    fn forget(&mut self, source: &Source) {
        if self.lanes.get(source).is_some_and(|lane| lane.waiting.is_empty() && lane.running.is_empty()) {
            self.lanes.remove(source);
        }
    }
}

impl Lane {
    /// Whether it has a task that may begin: if all threads are busy, only with nothing in progress.
    fn may_begin(&self, all_busy: bool) -> bool {
        !self.waiting.is_empty() && (!all_busy || self.running.is_empty())
    }

    fn bytes(&self) -> usize {
        self.waiting.iter().map(|(_, task)| task.bytes()).sum()
    }

    /// The time that its work has taken so far.
    fn spent(&self, now: Instant) -> Duration {
        self.spent + self.running.iter().map(|began| now - *began).sum::<Duration>()
    }
}

/// A short piece of work whose result somebody waits for.
struct Computation<W, T> {
    work: Work,
    compute: W,
    bytes: usize,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Result<T, String>>,
}

impl<W, T> Task for Computation<W, T>
where
    W: FnOnce(&dyn Fn() -> bool) -> T + Send,
    T: Send,
{
    fn work(&self) -> Work {
        self.work
    }

    fn is_wanted(&self) -> bool {
        !self.answer.is_closed() && !is_late(self.deadline)
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn execute(self: Box<Self>, turn: &Turn) {
        let Computation { compute, deadline, answer, .. } = *self;
        let is_wanted = || {
            turn.look();
            !answer.is_closed() && !is_late(deadline)
        };
        let result = catch_unwind(AssertUnwindSafe(|| compute(&is_wanted)));
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
    use std::net::IpAddr;
    use std::num::NonZeroUsize;

    use super::*;

    struct Named(Work, bool);

    impl Task for Named {
        fn work(&self) -> Work {
            self.0
        }

        fn is_wanted(&self) -> bool {
            self.1
        }

        fn bytes(&self) -> usize {
            4
        }

        fn execute(self: Box<Self>, _turn: &Turn) {}
    }

    const HEAVY: Caller = Caller::Process;

    fn other(last: u8) -> Caller {
        Caller::Address(IpAddr::from([192, 0, 2, last]))
    }

    fn try_submit(state: &mut State, caller: &Caller, work: Work, wanted: bool) -> Result<(), Status> {
        state.submit(caller, Box::new(Named(work, wanted)), 1, 3, Instant::now())
    }

    fn submit(state: &mut State, caller: &Caller, wanted: bool) {
        try_submit(state, caller, Work::Run, wanted).expect("there is room");
    }

    /// Whose task is next.
    fn take(state: &mut State, now: Instant) -> Option<Source> {
        state.take(1, now).map(|(source, ..)| source)
    }

    /// The runs of a caller.
    fn runs(caller: Caller) -> Source {
        (caller, Work::Run)
    }

    #[test]
    fn the_caller_whose_work_took_least_is_next() {
        let mut state = State::default();
        let start = Instant::now();
        for _ in 0..3 {
            submit(&mut state, &HEAVY, true);
        }
        assert_eq!(take(&mut state, start), Some(runs(HEAVY)));
        assert_eq!(take(&mut state, start), None, "its next one waits for a thread");
        submit(&mut state, &other(1), true);
        submit(&mut state, &other(1), true);
        assert_eq!(take(&mut state, start), Some(runs(other(1))), "another caller does not wait");
        state.finished(&runs(HEAVY), start, start + Duration::from_secs(10));
        state.finished(&runs(other(1)), start, start + Duration::from_secs(1));
        assert_eq!(take(&mut state, start + Duration::from_secs(10)), Some(runs(other(1))));
    }

    #[test]
    fn work_of_another_kind_has_a_lane_and_a_share_of_its_own() {
        let mut state = State::default();
        let start = Instant::now();
        for _ in 0..3 {
            try_submit(&mut state, &HEAVY, Work::Validation, true).expect("there is room");
        }
        assert_eq!(take(&mut state, start), Some((HEAVY, Work::Validation)));
        submit(&mut state, &HEAVY, true);
        assert_eq!(
            take(&mut state, start),
            Some(runs(HEAVY)),
            "validations of the same caller are in progress"
        );
        for _ in 0..3 {
            submit(&mut state, &HEAVY, true);
        }
        try_submit(&mut state, &HEAVY, Work::Run, true).expect_err("its share is used");
        try_submit(&mut state, &HEAVY, Work::Validation, true).expect("one was taken");
    }

    #[test]
    fn a_caller_that_comes_back_has_no_credit() {
        let mut state = State::default();
        let start = Instant::now();
        for _ in 0..2 {
            submit(&mut state, &HEAVY, true);
        }
        take(&mut state, start).expect("one waits");
        state.finished(&runs(HEAVY), start, start + Duration::from_secs(10));
        submit(&mut state, &other(1), true);
        assert_eq!(state.lanes[&runs(other(1))].spent, Duration::from_secs(10));
    }

    #[test]
    fn what_nobody_wants_makes_room_and_is_not_done() {
        let mut state = State::default();
        for wanted in [true, false, false] {
            submit(&mut state, &HEAVY, wanted);
        }
        submit(&mut state, &HEAVY, true);
        assert_eq!((state.waiting, state.waiting_bytes), (2, 8));
        submit(&mut state, &HEAVY, false);
        submit(&mut state, &HEAVY, true);
        let now = Instant::now();
        for _ in 0..3 {
            let source = take(&mut state, now).expect("three are wanted");
            state.finished(&source, now, now);
        }
        assert_eq!(take(&mut state, now), None);
        assert!(state.lanes.is_empty() && state.waiting == 0 && state.waiting_bytes == 0);
    }

    /// A pool with one usual thread.
    fn one_thread() -> Pool {
        let config = Config { threads: NonZeroUsize::MIN, queue: 3, ..Config::default() };
        Pool::new(&config, Memory::new(u64::MAX), &Metrics::new(1)).expect("threads")
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_thread_that_gave_way_ends_and_another_takes_its_place() {
        use crate::clock::thread_time;
        use crate::turn::NICE;
        use rustix::process::getpriority_process;

        const LONG: Duration = Duration::from_millis(200);
        let pool = one_thread();
        let level = || (thread::current().id(), getpriority_process(None).expect("it has one"));
        let task = |time| {
            pool.compute((HEAVY, Work::Validation), 0, None, move |is_wanted| {
                let began = thread_time();
                while thread_time() - began < time && is_wanted() {}
                level()
            })
        };
        let (_, usual) = task(Duration::ZERO).await.expect("done");
        for _ in 0..3 {
            let (long, nice) = task(LONG).await.expect("done");
            assert_eq!(nice, usual.max(NICE));
            let (next, nice) = task(Duration::ZERO).await.expect("done");
            assert_eq!((next == long, nice), (usual >= NICE, usual));
        }
    }

    #[tokio::test]
    async fn what_is_late_in_the_queue_ends_and_is_not_done() {
        let pool = one_thread();
        let (work, soon) = ((HEAVY, Work::Validation), Instant::now() + Duration::from_millis(20));
        let (release, released) = channel::<()>();
        let busy = pool.compute(work.clone(), 0, None, move |_| released.recv().is_err());
        let late = async {
            let late =
                pool.compute(work.clone(), 0, Some(soon), |_| panic!("nobody wants it any longer")).await;
            assert_eq!(late.map(|()| "done").expect_err("late").code(), tonic::Code::DeadlineExceeded);
            drop(release);
        };
        let (busy, ()) = tokio::join!(busy, late);
        assert!(busy.expect("done"), "until it was released");
        pool.compute(work, 0, None, |_| ()).await.expect("the late one was discarded");
    }

    #[test]
    fn one_caller_fills_its_share_and_not_that_of_another() {
        let mut state = State { usual: Duration::from_secs(2), ..State::default() };
        for _ in 0..3 {
            submit(&mut state, &HEAVY, true);
        }
        let refused = try_submit(&mut state, &HEAVY, Work::Run, true).expect_err("it is full");
        assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
        let retry = tonic_types::StatusExt::get_details_retry_info(&refused).expect("when to try again");
        assert_eq!(retry.retry_delay, Some(Duration::from_secs(6)), "three of two seconds each");
        submit(&mut state, &other(1), true);
    }
}
