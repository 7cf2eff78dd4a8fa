//! The ordered list of events. An event's sequence number is its position, counted from 1.

use std::sync::Arc;

use crate::Event;

/// The events of a run, in chunks that readers share without copying.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    chunks: Vec<Arc<Vec<Event>>>,
    /// Sequence number of each chunk's first event.
    starts: Vec<u64>,
    len: u64,
}

impl Trace {
    /// Appends a chunk and returns the sequence number of its first event.
    pub fn push(&mut self, chunk: Arc<Vec<Event>>) -> u64 {
        let first = self.len + 1;
        self.len += chunk.len() as u64;
        self.starts.push(first);
        self.chunks.push(chunk);
        first
    }

    /// How many events there are.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The event of that sequence number.
    pub fn get(&self, sequence: u64) -> Option<&Event> {
        let chunk = self.starts.partition_point(|start| *start <= sequence).checked_sub(1)?;
        self.chunks[chunk].get((sequence - self.starts[chunk]) as usize)
    }

    /// Every event with its sequence number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Event)> {
        (1..).zip(self.chunks.iter().flat_map(|chunk| chunk.iter()))
    }

    /// Every event after the one of this sequence number, with its own, in order; after 0 all of them.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = (u64, &Event)> {
        let chunk = self.starts.partition_point(|start| *start <= sequence).saturating_sub(1);
        let first = self.starts.get(chunk).copied().unwrap_or(1);
        let events = self.chunks[chunk..].iter().flat_map(|chunk| chunk.iter());
        (first..)
            .zip(events)
            .skip(usize::try_from(sequence.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX))
    }

    /// The chunks, in order.
    pub fn chunks(&self) -> &[Arc<Vec<Event>>] {
        &self.chunks
    }

    /// The chunk at this position, from 0, and the sequence number of its first event.
    pub fn chunk(&self, position: usize) -> Option<(u64, &Arc<Vec<Event>>)> {
        Some((*self.starts.get(position)?, self.chunks.get(position)?))
    }
}

#[cfg(test)]
mod tests {
    use halfopen_tcp::{Errno, Instant};

    use super::*;
    use crate::EventKind;

    fn event(nanos: u64) -> Event {
        Event {
            time: Instant::from_nanos(nanos),
            host: None,
            connection: None,
            kind: EventKind::ConnectionError(Errno::TimedOut),
        }
    }

    #[test]
    fn an_event_is_small() {
        assert!(size_of::<Event>() <= 48, "{} octets", size_of::<Event>());
    }

    #[test]
    fn sequence_numbers_are_dense_from_one_over_chunks() {
        let mut trace = Trace::default();
        assert_eq!(trace.push(Arc::new(vec![event(0), event(1)])), 1);
        assert_eq!(trace.push(Arc::new(vec![event(2)])), 3);
        assert_eq!(trace.len(), 3);
        let times: Vec<_> = trace.iter().map(|(sequence, event)| (sequence, event.time.as_nanos())).collect();
        assert_eq!(times, [(1, 0), (2, 1), (3, 2)]);
        for sequence in 1..=3 {
            assert_eq!(trace.get(sequence).map(|event| event.time.as_nanos()), Some(sequence - 1));
        }
        for sequence in 0..=4 {
            let after: Vec<u64> = trace.after(sequence).map(|(sequence, _)| sequence).collect();
            assert_eq!(after, (sequence + 1..=3).collect::<Vec<_>>());
        }
        assert_eq!(trace.get(0), None);
        assert_eq!(trace.get(4), None);
    }
}
