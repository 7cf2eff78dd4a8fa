//! What has happened in a session, for those who read it while it is played.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use halfopen_proto::v1;
use halfopen_proto::v1::event::Kind;
use halfopen_scenario::{Fault, Scenario};
use halfopen_sim::Sink;
use halfopen_trace::{Event, EventKind};
use tokio::sync::watch;

use crate::convert::{Converter, shorten};

/// The events of a session, in the chunks of its trace.
#[derive(Debug)]
pub(crate) struct Record {
    scenario: Arc<Scenario>,
    chunks: Mutex<Chunks>,
    /// How many events there are, and whether more may come.
    progress: watch::Sender<Progress>,
    watchers: AtomicUsize,
}

#[derive(Debug, Default)]
struct Chunks {
    /// Each with the sequence number of its first event.
    list: Vec<(u64, Arc<Vec<Event>>)>,
    /// The faults that were added, each with the sequence number of the event.
    added: Vec<(u64, Fault)>,
}

/// How far a record is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// The number of events.
    pub(super) events: u64,
    /// No more will come.
    pub(super) is_closed: bool,
}

impl Record {
    pub(super) fn new(scenario: Arc<Scenario>) -> Record {
        Record {
            scenario,
            chunks: Mutex::default(),
            progress: watch::Sender::new(Progress::default()),
            watchers: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Chunks> {
        // Nothing panics while the lock is held.
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scenario, and the faults that were added to it in the first `seen` events.
    pub(super) fn circumstances_at(&self, seen: u64) -> (Arc<Scenario>, Vec<Fault>) {
        let chunks = self.lock();
        let before = chunks.added.iter().take_while(|(sequence, _)| *sequence <= seen);
        (Arc::clone(&self.scenario), before.map(|(_, fault)| fault.clone()).collect())
    }

    /// The number of faults that were added.
    pub(super) fn added(&self) -> usize {
        self.lock().added.len()
    }

    /// The number of events.
    pub(crate) fn events(&self) -> u64 {
        self.progress.borrow().events
    }

    /// The chunk that has the event after this many, and the position of that event in it.
    pub(super) fn after(&self, count: u64) -> Option<(u64, Arc<Vec<Event>>, usize)> {
        let chunks = self.lock();
        let next = count + 1;
        let index = chunks.list.partition_point(|(first, _)| *first <= next).checked_sub(1)?;
        let (first, events) = &chunks.list[index];
        let position = usize::try_from(next - first).ok().filter(|position| *position < events.len())?;
        Some((*first, Arc::clone(events), position))
    }

    /// How it ended: the verdict, without final states, and what became of each expectation, as far as a message has room.
    pub(super) fn conclusion(&self) -> v1::FinishSessionResponse {
        let (scenario, added) = self.circumstances_at(self.events());
        let mut converter = Converter::knowing(scenario, added);
        let (mut finished, mut expectations) = (None, Vec::new());
        let is_conclusion = |event: &&Event| {
            matches!(event.kind, EventKind::RunFinished(_) | EventKind::ExpectationResult(_))
        };
        let mut last = Vec::new();
        for (_, events) in self.lock().list.iter().rev() {
            last.push(Arc::clone(events));
            if !events.first().is_some_and(|first| is_conclusion(&first)) {
                break;
            }
        }
        let events = last.iter().flat_map(|events| events.iter().rev());
        for event in events.take_while(is_conclusion) {
            match converter.event(0, event).0.kind {
                Some(Kind::RunFinished(it)) => {
                    finished = Some(v1::RunFinished { final_states: Vec::new(), ..it });
                }
                Some(Kind::ExpectationResult(it)) => expectations.push(*it),
                _ => {}
            }
        }
        expectations.reverse();
        let problems = finished.as_mut().map(|finished: &mut v1::RunFinished| &mut finished.problems);
        let incomplete = problems.is_some_and(shorten) | shorten(&mut expectations);
        v1::FinishSessionResponse { finished, expectations, events: self.events(), incomplete }
    }

    /// No more events will come.
    pub(super) fn close(&self) {
        self.progress.send_modify(|progress| progress.is_closed = true);
    }

    /// Learns how far it is.
    pub(super) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Somebody reads it as it grows, until the guard is dropped.
    pub(super) fn watched(self: &Arc<Self>) -> Watched {
        self.watchers.fetch_add(1, Ordering::Relaxed);
        Watched(Arc::clone(self))
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }
}

/// A record that somebody reads as it grows.
#[derive(Debug)]
pub(super) struct Watched(pub(super) Arc<Record>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Sink for &Record {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        let mut chunks = self.lock();
        let added = (first_sequence..).zip(events.iter()).filter_map(|(sequence, event)| match &event.kind {
            EventKind::FaultAdded(added) => Some((sequence, added.fault.clone())),
            _ => None,
        });
        chunks.added.extend(added);
        chunks.list.push((first_sequence, Arc::clone(events)));
        drop(chunks);
        let last = first_sequence - 1 + events.len() as u64;
        self.progress.send_modify(|progress| progress.events = last);
    }
}
