//! A run on its way from the thread that executes it to the stream that reads it.
//!
//! The run never waits for its reader. What the reader has not taken yet stays in the chunks of the trace, which
//! are shared, not copied; they are counted, so that [`Unread`] can bound what all slow readers keep. An event that has
//! octets of a datagram counts for more than one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen_sim::Sink;
use halfopen_trace::Event;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

/// Octets of datagrams that count as one more event: about what an event takes.
const EVENT: usize = 256;

/// Events that runs have produced and readers have not taken yet, over all runs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unread(Arc<AtomicU64>);

impl Unread {
    pub(crate) fn events(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Events of a run that follow one another, and how far they are read.
#[derive(Debug)]
pub(crate) struct Chunk {
    events: Arc<Vec<Event>>,
    first_sequence: u64,
    read: usize,
    /// As how many events it counts.
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

    /// How many events are left.
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

/// What a run tells its reader; when there is no more, the run is over.
pub(crate) type Message = Result<Chunk, Panicked>;

/// A run and its reader. Dropping the reader stops the run, and so does the deadline.
pub(crate) fn tail(unread: &Unread, deadline: Option<Instant>) -> (Writer, UnboundedReceiver<Message>) {
    let (messages, reader) = unbounded_channel();
    (Writer { messages, deadline, unread: unread.clone() }, reader)
}

/// The end of the run.
#[derive(Debug)]
pub(crate) struct Writer {
    messages: UnboundedSender<Message>,
    /// A reader that does not read cannot say that its time is up, so the run looks too.
    deadline: Option<Instant>,
    unread: Unread,
}

impl Writer {
    /// Whether there still is a reader, with time left.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.messages.is_closed() && self.deadline.is_none_or(|deadline| Instant::now() < deadline)
    }

    /// Tells the reader that nothing more will come, and why.
    pub(crate) fn panicked(self, message: String) {
        // Without a reader nobody needs to know.
        let _ = self.messages.send(Err(Panicked(message)));
    }
}

impl Sink for Writer {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        let datagrams = events.iter().filter_map(Event::datagram);
        let octets: usize = datagrams.map(|datagram| datagram.len()).sum();
        let weight = (events.len() + octets / EVENT) as u64;
        self.unread.0.fetch_add(weight, Ordering::Relaxed);
        let events = Arc::clone(events);
        let chunk = Chunk { events, first_sequence, read: 0, weight, unread: self.unread.clone() };
        // Without a reader the chunk comes back and is dropped; `keep_going` ends the run.
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
    fn octets_of_datagrams_count_until_they_are_let_go() {
        let arrived = |octets: usize| Event {
            time: halfopen_tcp::Instant::ZERO,
            host: None,
            connection: None,
            kind: EventKind::SegmentArrived {
                segment: SegmentNumber(NonZeroU64::MIN),
                dropped: None,
                datagram: (octets > 0).then(|| vec![0; octets].into()),
            },
        };
        let unread = Unread::default();
        let (mut writer, mut reader) = tail(&unread, None);
        writer.chunk(1, &Arc::new(vec![arrived(0), arrived(0)]));
        assert_eq!(unread.events(), 2);
        writer.chunk(3, &Arc::new(vec![arrived(0), arrived(EVENT), arrived(3 * EVENT)]));
        assert_eq!(unread.events(), 2 + 3 + 4);
        drop(reader.try_recv());
        assert_eq!(unread.events(), 3 + 4);
        drop(reader);
        drop(writer);
        assert_eq!(unread.events(), 0);
    }
}
