//! Executes the runs of a plan, several at once, and reports them in the order of the plan.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::iter::Peekable;
use std::num::NonZeroUsize;
use std::pin::pin;

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, Verdict};
use halfopen_view::Stopped;
use halfopen_view::record::{Outcome, RunRecord};
use halfopen_view::report::Reporter;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::client::Client;
use crate::fetch::{Sink, Update, fetch};
use crate::plan::{Plan, Planned};
use crate::repeat::{Key, Repetitions};

/// No more runs begin while completed runs, which wait for an earlier one, hold more events than this.
const MAX_WAITING_EVENTS: usize = 200_000;
/// How many messages are buffered between the runs and their reporter, which may be slow.
const MESSAGES: usize = 64;

/// Executes the runs of a plan over one connection. Reports come in the order of the plan, whichever run ends first.
#[derive(Clone, Copy, Debug)]
pub struct Executor<'a> {
    client: &'a Client,
    jobs: NonZeroUsize,
    fail_fast: bool,
}

/// Follows an execution: for a progress bar, and for whoever prints errors.
pub trait Progress {
    /// A run ended. It is reported when those before it are.
    fn ended(&mut self);

    /// Called before [`Reporter::run`] for a run that did not reach its end, with the reason in
    /// [`RunRecord::stopped`]. Not called again for an error that all runs have in common.
    fn stopped(&mut self, record: &RunRecord);

    /// A run was reported; `failed` is how many have not passed so far. The record is handed over, because the
    /// executor has no more use for it.
    fn reported(&mut self, record: RunRecord, failed: u64);
}

/// The outcome of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// The number of reported runs, by outcome.
    pub outcomes: BTreeMap<Outcome, u64>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

impl<'a> Executor<'a> {
    /// Executes `jobs` runs at once. With `fail_fast`, none begins after one that did not pass.
    pub fn new(client: &'a Client, jobs: NonZeroUsize, fail_fast: bool) -> Executor<'a> {
        Executor { client, jobs, fail_fast }
    }

    /// Executes every run of a plan, or as much as possible until `interrupt` completes. Fails only if a reporter
    /// does, which stops everything.
    pub async fn execute(
        self,
        plan: &Plan,
        reporter: &mut dyn Reporter,
        progress: &mut dyn Progress,
        interrupt: impl Future<Output = ()>,
    ) -> io::Result<Summary> {
        let (sender, updates) = channel(MESSAGES);
        let repetitions = plan.repeats().then(Repetitions::default);
        let turn =
            Turn { reporter, progress, repetitions, summary: Summary::default(), failed: 0, common: None };
        let mut execution = Execution {
            executor: self,
            to_come: plan.iter().peekable(),
            runs: VecDeque::new(),
            first: 0,
            sender,
            updates,
            tasks: JoinSet::new(),
            halt: None,
            turn,
        };
        execution.work(interrupt).await?;
        execution.skip_rest()?;
        Ok(execution.turn.summary)
    }
}

/// Why no more runs begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    Failure,
    Server,
    Interrupt,
    /// All runs would get the same error.
    Request,
}

impl Halt {
    /// Why no other run should begin, if this stopped a run and would stop every other.
    fn in_common(stopped: Option<&Stopped>) -> Option<Halt> {
        match stopped? {
            Stopped::NoServer(_) => Some(Halt::Server),
            Stopped::NoProfile(_) | Stopped::Refused(_) => Some(Halt::Request),
            _ => None,
        }
    }

    const fn why(self) -> &'static str {
        match self {
            Halt::Failure => "after the first run that did not pass",
            Halt::Server => "the server is gone",
            Halt::Interrupt => "interrupted",
            Halt::Request => "they would fail with the same error",
        }
    }
}

/// The runs under way.
struct Execution<'a, P: Iterator<Item = Planned>> {
    executor: Executor<'a>,
    to_come: Peekable<P>,
    /// Runs that began and are not reported, in the order of the plan. The first one is being reported.
    runs: VecDeque<Run>,
    /// The place of the first of them in the plan.
    first: u64,
    sender: Sender<(u64, Update)>,
    updates: Receiver<(u64, Update)>,
    /// The runs that are not over. Dropping it ends them.
    tasks: JoinSet<()>,
    halt: Option<Halt>,
    turn: Turn<'a>,
}

/// A run that began.
struct Run {
    record: RunRecord,
    key: Key,
    /// Events that came before its turn.
    early: Vec<Event>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Going,
    Over,
    /// The user does not wait for it.
    LeftOut,
}

impl Run {
    /// Whether it passed, as far as is known.
    fn passed(&self) -> bool {
        let last = self.early.last().or(self.record.events.last()).and_then(|event| event.kind.as_ref());
        matches!(last, Some(Kind::RunFinished(finished)) if finished.verdict() == Verdict::Passed)
    }
}

impl<P: Iterator<Item = Planned>> Execution<'_, P> {
    async fn work(&mut self, interrupt: impl Future<Output = ()>) -> io::Result<()> {
        let mut interrupt = pin!(interrupt);
        loop {
            while self.may_begin() {
                self.begin();
            }
            while self.runs.front().is_some_and(|run| run.state != State::Going) {
                self.report()?;
            }
            if self.runs.is_empty() && (self.halt.is_some() || self.to_come.peek().is_none()) {
                return Ok(());
            }
            tokio::select! {
                biased;
                () = &mut interrupt, if self.halt != Some(Halt::Interrupt) => self.stop()?,
                Some((run, update)) = self.updates.recv() => self.receive(run, update)?,
            }
        }
    }

    /// Whether the next run may begin.
    fn may_begin(&mut self) -> bool {
        let is_going = |run: &&Run| run.state == State::Going;
        let going = self.runs.iter().filter(is_going).count();
        let waiting: usize = self.runs.iter().filter(|run| !is_going(run)).map(|run| run.early.len()).sum();
        self.halt.is_none()
            && going < self.executor.jobs.get()
            && waiting <= MAX_WAITING_EVENTS
            && self.to_come.peek().is_some()
    }

    fn begin(&mut self) {
        let Some(Planned { mut record, source, key }) = self.to_come.next() else { return };
        let mut state = State::Going;
        match source {
            Ok(source) => {
                record.options.snapshot_length = self.turn.reporter.snapshot_length();
                let run = self.first + self.runs.len() as u64;
                let sink = Sink { run, updates: self.sender.clone() };
                self.tasks.spawn(fetch(self.executor.client.clone(), source, record.options.clone(), sink));
            }
            Err(stopped) => {
                record.stopped = Some(stopped);
                state = State::Over;
                self.turn.progress.ended();
            }
        }
        self.runs.push_back(Run { record, key, early: Vec::new(), state });
    }

    fn receive(&mut self, place: u64, update: Update) -> io::Result<()> {
        while self.tasks.try_join_next().is_some() {}
        let index = place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        // What the user does not want to wait for is over, whatever still comes of it.
        let run = index.and_then(|index| self.runs.get_mut(index)).filter(|run| run.state == State::Going);
        let Some(run) = run else { return Ok(()) };
        match update {
            Update::Events(events) if place == self.first => self.turn.events(run, events)?,
            Update::Events(events) => run.early.extend(events),
            Update::Over(stopped, took) => {
                run.record.stopped = stopped;
                run.record.took = Some(took);
                run.state = State::Over;
                let failed = self.executor.fail_fast && !run.passed();
                let common = Halt::in_common(run.record.stopped.as_ref());
                self.halt = self.halt.or(common).or(failed.then_some(Halt::Failure));
                self.turn.progress.ended();
            }
        }
        Ok(())
    }

    /// Reports the first run, which is over, and gives the next its turn.
    fn report(&mut self) -> io::Result<()> {
        let Some(run) = self.runs.pop_front() else { return Ok(()) };
        self.first += 1;
        if run.state == State::LeftOut {
            self.turn.reporter.skipped(&run.record, Halt::Interrupt.why())?;
        } else {
            let met = self.turn.run(run)?;
            let met = met.filter(|halt| *halt != Halt::Failure || self.executor.fail_fast);
            self.halt = self.halt.or(met);
        }
        if let Some(next) = self.runs.front_mut() {
            let early = std::mem::take(&mut next.early);
            self.turn.events(next, early)?;
        }
        Ok(())
    }

    /// Ends what is under way. The run whose turn it is may be half reported already.
    fn stop(&mut self) -> io::Result<()> {
        self.tasks.abort_all();
        // Only what is there by now: a sender may not learn at once that nobody receives.
        for _ in 0..self.updates.len() {
            let Ok((run, update)) = self.updates.try_recv() else { break };
            self.receive(run, update)?;
        }
        self.halt = Some(Halt::Interrupt);
        self.turn.summary.interrupted = true;
        for (index, run) in self.runs.iter_mut().enumerate().filter(|(_, run)| run.state == State::Going) {
            run.state = if index == 0 { State::Over } else { State::LeftOut };
            run.record.stopped = Some(Stopped::Interrupted);
        }
        Ok(())
    }

    /// Reports the runs that never began as skipped.
    fn skip_rest(&mut self) -> io::Result<()> {
        let Some(halt) = self.halt else { return Ok(()) };
        for planned in self.to_come.by_ref() {
            self.turn.reporter.skipped(&planned.record, halt.why())?;
        }
        Ok(())
    }
}

/// Reports the first of the runs under way.
struct Turn<'a> {
    reporter: &'a mut dyn Reporter,
    progress: &'a mut dyn Progress,
    repetitions: Option<Repetitions>,
    summary: Summary,
    /// How many runs have not passed so far.
    failed: u64,
    /// The error that runs have in common and that was passed on.
    common: Option<Halt>,
}

impl Turn<'_> {
    /// Reports the next events of the run.
    fn events(&mut self, run: &mut Run, events: Vec<Event>) -> io::Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        self.reporter.events(&events)?;
        if let Some(repetitions) = &mut self.repetitions {
            repetitions.events(run.key, &events);
        }
        if !self.reporter.wants_every_event() {
            run.record.events.clear();
        }
        match run.record.events.is_empty() {
            true => run.record.events = events,
            false => run.record.events.extend(events),
        }
        Ok(())
    }

    /// Reports the end of the run. Returns why no other should begin, if so.
    fn run(&mut self, run: Run) -> io::Result<Option<Halt>> {
        let mut record = run.record;
        if let Some(repetitions) = &mut self.repetitions {
            record.difference = repetitions.over(record.finished().is_some());
        }
        let outcome = record.outcome();
        let common = Halt::in_common(record.stopped.as_ref());
        let met = common.or((outcome != Outcome::Passed).then_some(Halt::Failure));
        // An error that all runs have in common is passed on once.
        if record.stopped.is_some() && (common.is_none() || common != self.common) {
            self.progress.stopped(&record);
        }
        self.common = self.common.or(common);
        self.failed += u64::from(met.is_some());
        *self.summary.outcomes.entry(outcome).or_default() += 1;
        self.reporter.run(&record)?;
        self.progress.reported(record, self.failed);
        Ok(met)
    }
}
