//! A kept run as work of the pool, and the sink that stores its events.

use std::mem::take;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use halfopen_history::{Batch, Ending, History, Interruption, Number, Progress};
use halfopen_proto::v1;
use halfopen_proto::v1::event::Kind;
use halfopen_sim::{Interruption as Break, Sink};
use halfopen_trace::{Event, EventKind, Verdict};
use prost::Message;
use tokio::sync::watch;
use tonic::Status;

use super::{VERSION, messages};
use crate::audience::Audience;
use crate::clock::wall_time;
use crate::convert::Converter;
use crate::execution::Job;
use crate::loading::Wanted;
use crate::shared::Shared;
use crate::turn::Turn;
use crate::work::{Caller, Task, Work};

use super::queue::Place;

/// The size of the events, in bytes, at which they are stored. Where a run is cut into batches follows from its events alone, so
/// that each batch is the same when the run is executed again.
const BATCH_BYTES: usize = 256 * 1024;

/// A run that is executed and stored.
pub(crate) struct Execution {
    wanted: Result<Wanted, Status>,
    job: Job,
    store: Store,
    /// It counts as in the pool until it is over.
    _place: Place,
}

impl Execution {
    /// The run that a stored request describes.
    pub(crate) fn new(
        shared: &Shared,
        history: History,
        run: Number,
        progress: watch::Receiver<Progress>,
        request: &[u8],
        caller: Caller,
        place: Place,
    ) -> Execution {
        let request = messages::requested(request);
        let options = shared.run_options(request.seed, request.snapshot_length);
        Execution {
            wanted: super::wanted(&request),
            job: shared.job(options, caller),
            store: Store::new(history, run, progress),
            _place: place,
        }
    }
}

impl Task for Execution {
    fn work(&self) -> Work {
        Work::Run
    }

    fn is_wanted(&self) -> bool {
        self.store.is_wanted()
    }

    fn bytes(&self) -> usize {
        self.wanted.as_ref().map_or(0, Wanted::bytes)
    }

    fn execute(self: Box<Self>, turn: &Turn) {
        let Execution { wanted, job, mut store, _place } = *self;
        match wanted.and_then(|wanted| job.load(wanted)) {
            Err(_) => store.interrupted(Interruption::NotLoadable),
            Ok(scenario) => {
                store.history.begin(store.run, VERSION, wall_time());
                match job.run(&scenario, &mut store, turn) {
                    Ok(()) => store.finished(),
                    Err(_) => store.interrupted(Interruption::Panicked),
                }
            }
        }
    }
}

/// Stores the events of a run.
struct Store {
    history: History,
    run: Number,
    progress: watch::Receiver<Progress>,
    converter: Converter,
    /// The events that are not stored yet.
    batch: Batch,
    verdict: Option<Verdict>,
    /// How it ended, once it has.
    finished: Option<v1::RunFinished>,
    /// It was stopped, and what still comes is not part of it: it depends on when that was.
    is_stopped: bool,
}

impl Store {
    fn new(history: History, run: Number, progress: watch::Receiver<Progress>) -> Store {
        let batch = Batch { first: 1, count: 0, content: Vec::new() };
        let converter = Converter::default();
        Store { history, run, progress, converter, batch, verdict: None, finished: None, is_stopped: false }
    }

    /// The events that are not stored yet; the next ones follow them.
    fn take_batch(&mut self) -> Batch {
        let next = Batch { first: self.batch.first + self.batch.count, count: 0, content: Vec::new() };
        std::mem::replace(&mut self.batch, next)
    }

    fn interrupted(&self, interruption: Interruption) {
        self.history.finish(self.run, &Ending::Interrupted(interruption), wall_time());
    }

    /// It has ended by itself, or was stopped.
    fn finished(mut self) {
        let Some(finished) = take(&mut self.finished) else { return };
        let virtual_time = finished.totals.and_then(|totals| totals.virtual_time);
        let virtual_time = virtual_time.and_then(|time| Duration::try_from(time).ok()).unwrap_or_default();
        let ending = Ending::Finished { last: self.take_batch(), verdict: finished.verdict, virtual_time };
        self.history.finish(self.run, &ending, wall_time());
    }
}

impl Audience for Store {
    fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    fn is_wanted(&self) -> bool {
        !self.progress.borrow().is_over
    }
}

impl Sink for Store {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        if self.is_stopped {
            return;
        }
        for (sequence, event) in (first_sequence..).zip(events.iter()) {
            let (converted, _) = self.converter.event(sequence, event);
            converted.encode_length_delimited(&mut self.batch.content).expect("a vector grows");
            self.batch.count += 1;
            if let (EventKind::RunFinished(end), Some(Kind::RunFinished(finished))) =
                (&event.kind, converted.kind)
            {
                self.verdict = Some(end.verdict);
                self.finished = Some(v1::RunFinished { final_states: Vec::new(), ..finished });
            } else if self.batch.content.len() >= BATCH_BYTES {
                let batch = self.take_batch();
                self.history.append(self.run, &batch);
            }
        }
    }

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Break> {
        // To look whether there is news costs less than to look at it.
        if self.progress.has_changed().unwrap_or(true) && self.progress.borrow_and_update().is_over {
            self.is_stopped = true;
            return ControlFlow::Break(Break::Unwanted);
        }
        ControlFlow::Continue(())
    }
}
