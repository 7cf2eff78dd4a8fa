//! The ordered list of events. An event's sequence number is its position, counted from 1.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Event;

/// The events of a run, in chunks that readers share without copying. The first ones may be forgotten.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    chunks: VecDeque<Arc<Vec<Event>>>,
    /// Sequence number of each chunk's first event.
    starts: VecDeque<u64>,
    len: u64,
}

impl Trace {
    /// Appends a chunk and returns the sequence number of its first event.
    pub fn push(&mut self, chunk: Arc<Vec<Event>>) -> u64 {
        let first = self.len + 1;
        self.len += chunk.len() as u64;
        self.starts.push_back(first);
        self.chunks.push_back(chunk);
        first
    }

    /// Forgets the first chunk that is not forgotten yet.
    pub fn pop(&mut self) -> Option<Arc<Vec<Event>>> {
        self.starts.pop_front();
        self.chunks.pop_front()
    }

    /// How many events there are, forgotten ones included.
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

    /// Every event that is not forgotten, with its sequence number, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Event)> {
        let first = self.starts.front().copied().unwrap_or(1);
        (first..).zip(self.chunks.iter().flat_map(|chunk| chunk.iter()))
    }

    /// Every event after the one of this sequence number, with its own, in order; after 0 all that
    /// are not forgotten.
    pub fn after(&self, sequence: u64) -> impl Iterator<Item = (u64, &Event)> {
        let chunk = self.starts.partition_point(|start| *start <= sequence).saturating_sub(1);
        let first = self.starts.get(chunk).copied().unwrap_or(1);
        let events = self.chunks.range(chunk..).flat_map(|chunk| chunk.iter());
        (first..)
            .zip(events)
            .skip(usize::try_from(sequence.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX))
    }

    /// The chunks that are not forgotten, in order.
    pub fn chunks(&self) -> impl Iterator<Item = &Arc<Vec<Event>>> {
        self.chunks.iter()
    }

    /// The chunk at this position among those that are not forgotten, from 0, and the sequence number of its first event.
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

    #[test]
    fn what_is_forgotten_keeps_its_numbers() {
        let mut trace = Trace::default();
        trace.push(Arc::new(vec![event(0), event(1)]));
        trace.push(Arc::new(vec![event(2)]));
        assert_eq!(trace.pop().map(|chunk| chunk.len()), Some(2));
        assert_eq!(trace.len(), 3);
        assert_eq!(trace.get(2), None);
        assert_eq!(trace.get(3).map(|event| event.time.as_nanos()), Some(2));
        assert_eq!(trace.iter().map(|(sequence, _)| sequence).collect::<Vec<_>>(), [3]);
        assert_eq!(trace.after(1).map(|(sequence, _)| sequence).collect::<Vec<_>>(), [3]);
        assert_eq!(trace.after(3).count(), 0);
        assert_eq!(trace.chunk(0).map(|(first, _)| first), Some(3));
        assert_eq!(trace.push(Arc::new(vec![event(3)])), 4);
        while trace.pop().is_some() {}
        assert_eq!((trace.len(), trace.iter().count(), trace.after(0).count()), (4, 0, 0));
    }
}
