//! The writer of the trace.

use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::Scenario;
use halfopen_tcp::Instant;
use halfopen_verdict::{Judge, Judgement};

use crate::run::Sink;
use halfopen_trace::{ConnectionNumber, Event, EventKind, HostId, Totals, Trace};

/// Events of a full chunk.
const CHUNK: usize = 256;

/// Appends events, shows them to the judge, and counts what the totals need.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    /// The events that are kept, in full chunks.
    trace: Trace,
    /// Whether all of them are kept until the end.
    keeps_all: bool,
    /// Chunks of the trace that the sink has seen.
    seen: usize,
    open: Vec<Event>,
    /// The memory that the kept events take, octets.
    memory: u64,
    judge: Judge,
    pub(crate) totals: Totals,
}

impl Recorder {
    /// The recorder of a run in which nothing has happened yet.
    pub(crate) fn new(scenario: &Scenario, keeps_trace: bool) -> Recorder {
        Recorder {
            trace: Trace::default(),
            keeps_all: keeps_trace || Judge::looks_back(scenario),
            seen: 0,
            open: Vec::new(),
            memory: 0,
            judge: Judge::new(scenario),
            totals: Totals::default(),
        }
    }

    /// Appends an event.
    pub(crate) fn push(
        &mut self,
        time: Instant,
        host: Option<HostId>,
        connection: Option<ConnectionNumber>,
        kind: EventKind,
    ) {
        if self.open.len() == CHUNK {
            self.close_chunk();
        }
        if self.open.capacity() == 0 {
            self.open.reserve_exact(CHUNK);
        }
        let event = Event { time, host, connection, kind };
        self.memory += event.memory();
        self.judge.note(self.len() + 1, &event);
        self.open.push(event);
    }

    /// The memory that the events and the notes of the judge take, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.memory + self.judge.memory()
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> u64 {
        self.trace.len() + self.open.len() as u64
    }

    /// The events after this many.
    pub(crate) fn after(&self, count: u64) -> impl Iterator<Item = &Event> {
        let open = usize::try_from(count.saturating_sub(self.trace.len())).unwrap_or(usize::MAX);
        self.trace.after(count).map(|(_, event)| event).chain(self.open.iter().skip(open))
    }

    /// Gives the sink the full chunks that it has not seen, and forgets those that nobody will look at again: unless all are kept, events
    /// up to this sequence number.
    pub(crate) fn hand_over(&mut self, sink: &mut dyn Sink, until: u64) {
        while let Some((first, chunk)) = self.trace.chunk(self.seen) {
            sink.chunk(first, chunk);
            self.seen += 1;
        }
        while !self.keeps_all
            && let Some((first, chunk)) = self.trace.chunk(0)
            && first + chunk.len() as u64 <= until + 1
        {
            self.memory -= chunk.iter().map(Event::memory).sum::<u64>();
            self.trace.pop();
            self.seen -= 1;
        }
    }

    /// Makes every event part of the trace.
    pub(crate) fn flush(&mut self) {
        if !self.open.is_empty() {
            self.open.shrink_to_fit();
            self.close_chunk();
        }
    }

    /// Judges the run of a scenario that took this long; see [`Judge::conclude`].
    pub(crate) fn judge(
        &mut self,
        scenario: &Scenario,
        virtual_time: Duration,
        may_go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Judgement {
        self.flush();
        let judge = std::mem::take(&mut self.judge);
        judge.conclude(scenario, &self.trace, virtual_time, may_go_on)
    }

    /// The trace, once the sink has seen it all.
    pub(crate) fn finish(&mut self, sink: &mut dyn Sink) -> Trace {
        self.flush();
        self.hand_over(sink, 0);
        std::mem::take(&mut self.trace)
    }

    fn close_chunk(&mut self) {
        self.trace.push(Arc::new(std::mem::take(&mut self.open)));
    }
}
