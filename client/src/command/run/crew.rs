//! Executes the runs of a plan, several at once, and tells of them in the order of the plan.

use std::collections::VecDeque;
use std::io;
use std::iter::Peekable;

use halfopen::client::{Client, ClientError};
use halfopen::record::{Outcome, RunRecord};
use halfopen::report::Reporter;
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, Verdict};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use super::fetch::{News, Told, fetch};
use super::plan::{Plan, Planned};
use super::progress::Progress;
use super::repeat::{Key, Repetitions};
use crate::interrupt::Interrupt;
use crate::{exit, output};

/// Runs that are over may wait with so many events for one that was planned before them; then no other run begins.
const MAX_WAITING_EVENTS: usize = 200_000;
/// Messages between the runs and who listens to them, who may be slow.
const MESSAGES: usize = 64;

/// How the runs are executed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// So many at once.
    pub(super) jobs: usize,
    /// Whether none begins after one that did not pass.
    pub(super) fail_fast: bool,
}

/// Why no more runs begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    Failure,
    Server,
    Interrupt,
    /// What one run met, all would meet.
    Request,
}

impl Halt {
    const fn why(self) -> &'static str {
        match self {
            Halt::Failure => "after the first that did not pass",
            Halt::Server => "the server is gone",
            Halt::Interrupt => "interrupted",
            Halt::Request => "they would be refused alike",
        }
    }
}

/// Executes every run of a plan. Gives the exit code. Fails only if a reporter does, which stops everything.
pub(super) async fn execute(
    client: &Client,
    plan: &Plan<'_>,
    manner: Manner,
    reporter: &mut dyn Reporter,
    progress: &mut Progress,
    interrupt: &mut Interrupt,
) -> io::Result<u8> {
    let (told, news) = channel(MESSAGES);
    let repetitions = plan.repeats().then(Repetitions::default);
    let turn = Turn { reporter, progress, repetitions, code: exit::PASSED, failed: 0 };
    let mut crew = Crew {
        client,
        manner,
        to_come: plan.iter().peekable(),
        runs: VecDeque::new(),
        first: 0,
        told,
        news,
        tasks: JoinSet::new(),
        halt: None,
        turn,
    };
    crew.work(interrupt).await?;
    crew.leave_out()?;
    Ok(crew.turn.code)
}

/// The runs under way.
struct Crew<'a, P: Iterator<Item = Planned>> {
    client: &'a Client,
    manner: Manner,
    to_come: Peekable<P>,
    /// Runs that began and are not reported, in the order of the plan. It is the first one's turn.
    runs: VecDeque<Run>,
    /// The place of the first of them in the plan.
    first: u64,
    told: Sender<(u64, News)>,
    news: Receiver<(u64, News)>,
    /// The runs that are not over. Dropping it ends them.
    tasks: JoinSet<()>,
    halt: Option<Halt>,
    turn: Turn<'a>,
}

/// A run that began.
struct Run {
    record: RunRecord,
    key: Key,
    /// Events that were heard before its turn.
    early: Vec<Event>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Going,
    Over,
    /// The user does not want to wait for it.
    LeftOut,
}

impl Run {
    /// Whether it passed, as far as is heard.
    fn passed(&self) -> bool {
        let last = self.early.last().or(self.record.events.last()).and_then(|event| event.kind.as_ref());
        matches!(last, Some(Kind::RunFinished(finished)) if finished.verdict() == Verdict::Passed)
    }
}

impl<P: Iterator<Item = Planned>> Crew<'_, P> {
    async fn work(&mut self, interrupt: &mut Interrupt) -> io::Result<()> {
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
                () = interrupt.pressed(), if self.halt != Some(Halt::Interrupt) => self.stop()?,
                Some((run, news)) = self.news.recv() => self.hear(run, news)?,
            }
        }
    }

    /// Whether the next run may begin.
    fn may_begin(&mut self) -> bool {
        let is_going = |run: &&Run| run.state == State::Going;
        let going = self.runs.iter().filter(is_going).count();
        let waiting: usize = self.runs.iter().filter(|run| !is_going(run)).map(|run| run.early.len()).sum();
        self.halt.is_none()
            && going < self.manner.jobs
            && waiting <= MAX_WAITING_EVENTS
            && self.to_come.peek().is_some()
    }

    fn begin(&mut self) {
        let Some(Planned { mut record, source, key }) = self.to_come.next() else { return };
        let mut state = State::Going;
        match source {
            Ok(source) => {
                record.options.snapshot_length = self.turn.reporter.snapshot_length();
                let told = Told { run: self.first + self.runs.len() as u64, to: self.told.clone() };
                self.tasks.spawn(fetch(self.client.clone(), source, record.options.clone(), told));
            }
            Err(error) => {
                record.stopped = Some(error);
                state = State::Over;
                self.turn.progress.over();
            }
        }
        self.runs.push_back(Run { record, key, early: Vec::new(), state });
    }

    fn hear(&mut self, place: u64, news: News) -> io::Result<()> {
        while self.tasks.try_join_next().is_some() {}
        let index = place.checked_sub(self.first).and_then(|index| usize::try_from(index).ok());
        // What the user does not want to wait for is over, whatever is still heard of it.
        let run = index.and_then(|index| self.runs.get_mut(index)).filter(|run| run.state == State::Going);
        let Some(run) = run else { return Ok(()) };
        match news {
            News::Events(events) if place == self.first => self.turn.events(run, events)?,
            News::Events(events) => run.early.extend(events),
            News::Over(stopped, took) => {
                run.record.stopped = stopped;
                run.record.took = Some(took);
                run.state = State::Over;
                if self.manner.fail_fast && !run.passed() {
                    self.halt.get_or_insert(Halt::Failure);
                }
                self.turn.progress.over();
            }
        }
        Ok(())
    }

    /// Tells of the first run, which is over, and gives the next its turn.
    fn report(&mut self) -> io::Result<()> {
        let Some(run) = self.runs.pop_front() else { return Ok(()) };
        self.first += 1;
        if run.state == State::LeftOut {
            self.turn.reporter.skipped(&run.record, Halt::Interrupt.why())?;
        } else {
            let met = self.turn.run(run, self.halt)?;
            let met = met.filter(|halt| *halt != Halt::Failure || self.manner.fail_fast);
            self.halt = self.halt.or(met);
        }
        if let Some(next) = self.runs.front_mut() {
            let early = std::mem::take(&mut next.early);
            self.turn.events(next, early)?;
        }
        Ok(())
    }

    /// Ends what is under way, as the user wants. The run whose turn it is may be half told already.
    fn stop(&mut self) -> io::Result<()> {
        self.tasks.abort_all();
        // What is there by now: who tells may not hear at once that nobody wants more.
        for _ in 0..self.news.len() {
            let Ok((run, news)) = self.news.try_recv() else { break };
            self.hear(run, news)?;
        }
        self.halt = Some(Halt::Interrupt);
        self.turn.code = exit::INTERRUPTED;
        for (index, run) in self.runs.iter_mut().enumerate().filter(|(_, run)| run.state == State::Going) {
            run.state = if index == 0 { State::Over } else { State::LeftOut };
            run.record.stopped = Some(ClientError::Interrupted);
        }
        Ok(())
    }

    /// Tells of the runs that never began.
    fn leave_out(&mut self) -> io::Result<()> {
        let Some(halt) = self.halt else { return Ok(()) };
        for planned in self.to_come.by_ref() {
            self.turn.reporter.skipped(&planned.record, halt.why())?;
        }
        Ok(())
    }
}

/// Who is told of the run whose turn it is.
struct Turn<'a> {
    reporter: &'a mut dyn Reporter,
    progress: &'a mut Progress,
    repetitions: Option<Repetitions>,
    /// The exit code by now.
    code: u8,
    /// How many runs did not pass.
    failed: u64,
}

impl Turn<'_> {
    /// The next events of the run.
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

    /// The run is over. Gives why no other should begin, if so; `halt` is what was known of that before.
    fn run(&mut self, run: Run, halt: Option<Halt>) -> io::Result<Option<Halt>> {
        let mut record = run.record;
        if let Some(repetitions) = &mut self.repetitions {
            record.difference = repetitions.over(record.finished().is_some());
        }
        let met = match (&record.stopped, record.outcome()) {
            (Some(ClientError::NoServer { .. }), _) => Some(Halt::Server),
            (Some(ClientError::NoProfile(_)), _) => Some(Halt::Request),
            (_, Outcome::Passed) => None,
            _ => Some(Halt::Failure),
        };
        // What all runs meet is told once.
        if record.stopped.is_some() && (met == Some(Halt::Failure) || met != halt) {
            self.progress.without(|| output::explain(&record));
        }
        self.failed += u64::from(met.is_some());
        self.code = self.code.max(exit::of_outcome(record.outcome()));
        self.reporter.run(&record)?;
        self.progress.reported(&record, self.failed);
        if matches!(record.stopped, Some(ClientError::Interrupted)) {
            // The program ends now; to free a long run first takes time that the user does not give.
            std::mem::forget(record);
        }
        Ok(met)
    }
}
