//! The events of a run between the thread that executes it and the stream that reads them.
//!
//! The run never waits for its reader. Unread events stay in the chunks of the trace, which are shared, not copied.
//! [`Unread`] counts them, so that the memory that slow readers keep has a bound. An event with the bytes of a datagram
//! counts as more than one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen_sim::Sink;
use halfopen_trace::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// The bytes of datagrams that count as one more event: about the size of an event.
const BYTES_PER_EVENT: usize = 256;

/// The number of events that runs have produced and readers have not taken yet, over all runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<AtomicU64>);

impl Unread {
    pub(crate) fn events(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Consecutive events of a run, and the reading position.
#[derive(Debug)]
pub(crate) struct Chunk {
    events: Arc<Vec<Event>>,
    first_sequence: u64,
    read: usize,
    /// The number of events that it counts as.
    weight: u64,
    unread: Unread,
}

impl Chunk {
    /// The next event with its sequence number.
    pub(crate) fn next(&mut self) -> Option<(u64, &Event)> {
        let event = self.events.get(self.read)?;
        let sequence = self.first_sequence + self.read as u64;
        self.read += 1;
        Some((sequence, event))
    }

    /// The number of events that are left.
    pub(crate) fn left(&self) -> usize {
        self.events.len() - self.read
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.unread.0.fetch_sub(self.weight, Ordering::Relaxed);
    }
}

/// The run panicked, with this message.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

/// A message from a run to its reader. After the last, the run is over.
pub(crate) type Message = Result<Chunk, Panicked>;

/// The two ends between a run and its reader. The run stops when the reader is dropped or the deadline passes.
pub(crate) fn tail(unread: &Unread, deadline: Option<Instant>) -> (Writer, UnboundedReceiver<Message>) {
    let (messages, reader) = unbounded_channel();
    (Writer { messages, deadline, unread: unread.clone() }, reader)
}

/// The end of the run.
#[derive(Debug)]
pub(crate) struct Writer {
    messages: UnboundedSender<Message>,
    /// A stalled reader does not notice its deadline, so the run checks it, too.
    deadline: Option<Instant>,
    unread: Unread,
}

impl Writer {
    /// Whether the reader still exists, and its deadline has not passed.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.messages.is_closed() && self.deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    /// Tells the reader that the run panicked, and ends the messages.
    pub(crate) fn panicked(self, message: String) {
        // Without a reader, nobody needs to know.
        let _ = self.messages.send(Err(Panicked(message)));
    }
}

impl Sink for Writer {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        let datagrams = events.iter().filter_map(Event::datagram);
        let bytes: usize = datagrams.map(|datagram| datagram.len()).sum();
        let weight = (events.len() + bytes / BYTES_PER_EVENT) as u64;
        self.unread.0.fetch_add(weight, Ordering::Relaxed);
        let events = Arc::clone(events);
        let chunk = Chunk { events, first_sequence, read: 0, weight, unread: self.unread.clone() };
        // Without a reader, the chunk comes back and is dropped; `keep_going` ends the run.
        let _ = self.messages.send(Ok(chunk));
    }

    fn keep_going(&mut self) -> bool {
        self.is_wanted()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use halfopen_trace::{EventKind, SegmentNumber};

    use super::*;

    #[test]
    fn bytes_of_datagrams_count_until_they_are_read() {
        let arrived = |bytes: usize| Event {
            time: halfopen_tcp::Instant::ZERO,
            host: None,
            connection: None,
            kind: EventKind::SegmentArrived {
                segment: SegmentNumber(NonZeroU64::MIN),
                dropped: None,
                datagram: (bytes > 0).then(|| vec![0; bytes].into()),
            },
        };
        let unread = Unread::default();
        let (mut writer, mut reader) = tail(&unread, None);
        writer.chunk(1, &Arc::new(vec![arrived(0), arrived(0)]));
        assert_eq!(unread.events(), 2);
        writer.chunk(3, &Arc::new(vec![arrived(0), arrived(BYTES_PER_EVENT), arrived(3 * BYTES_PER_EVENT)]));
        assert_eq!(unread.events(), 2 + 3 + 4);
        drop(reader.try_recv());
        assert_eq!(unread.events(), 3 + 4);
        drop(reader);
        drop(writer);
        assert_eq!(unread.events(), 0);
    }
}
