//! The writer of the trace.

use std::sync::Arc;

use halfopen_tcp::Instant;

use crate::run::Sink;
use halfopen_trace::{ConnectionNumber, Event, EventKind, HostId, Totals, Trace};

/// Events of a full chunk.
const CHUNK: usize = 256;

/// Appends events and counts what the totals need.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    trace: Trace,
    /// Chunks of the trace that the sink has seen.
    seen: usize,
    open: Vec<Event>,
    pub(crate) totals: Totals,
}

impl Recorder {
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
        self.open.push(Event { time, host, connection, kind });
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

    /// Gives the sink the full chunks it has not seen.
    pub(crate) fn hand_over(&mut self, sink: &mut dyn Sink) {
        while let Some((first, chunk)) = self.trace.chunk(self.seen) {
            sink.chunk(first, chunk);
            self.seen += 1;
        }
    }

    /// Makes every event part of the trace.
    pub(crate) fn flush(&mut self) -> &Trace {
        if !self.open.is_empty() {
            self.open.shrink_to_fit();
            self.close_chunk();
        }
        &self.trace
    }

    /// The whole trace, once the sink has seen it all.
    pub(crate) fn finish(mut self, sink: &mut dyn Sink) -> Trace {
        self.flush();
        self.hand_over(sink);
        self.trace
    }

    fn close_chunk(&mut self) {
        self.trace.push(Arc::new(std::mem::take(&mut self.open)));
    }
}
