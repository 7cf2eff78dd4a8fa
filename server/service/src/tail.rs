//! The events of a run between the thread that executes it and the stream that reads them.
//!
//! Unread events stay in the chunks of the trace, which are shared, not copied. A run whose reader is too far behind waits for
//! it, so the memory that a slow reader keeps has a bound; a reader that takes nothing for too long is given up. [`Unread`] counts
//! for each caller what its readers keep: whoever keeps too much begins no further run, and nobody else is affected. An event
//! with the bytes of a datagram counts as more than one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use halfopen_sim::{Interruption, Sink};
use halfopen_trace::{Event, EventKind, Verdict};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use crate::audience::Audience;
use crate::cost::Memory;
use crate::deadline::is_late;
use crate::work::Caller;

/// The bytes of datagrams that count as one more event: about the size of an event.
const BYTES_PER_EVENT: usize = 256;
/// About the size of a problem or a final state in a message.
const BYTES_PER_ITEM: usize = 64;
/// The number of unread events at which a run waits for its reader.
const WINDOW: u64 = 256 * 1024;
/// How often a run that waits looks whether it is still wanted.
const LOOK: Duration = Duration::from_millis(50);
/// The number of callers for whose unread events there is always room.
const SHARES: u64 = 4;

/// The number of events that runs have produced and readers have not taken yet, for each caller.
#[derive(Clone, Debug)]
pub(crate) struct Unread {
    callers: Arc<Mutex<BTreeMap<Caller, u64>>>,
    /// Their memory is among that of the runs.
    memory: Memory,
}

impl Unread {
    pub(crate) fn new(memory: Memory) -> Unread {
        Unread { callers: Arc::default(), memory }
    }

    /// The number of them over all callers.
    pub(crate) fn events(&self) -> u64 {
        lock(&self.callers).values().sum()
    }

    /// Admits another run of a caller, unless its readers keep more than its share: then fails with what they keep.
    pub(crate) fn admit(&self, caller: &Caller, max: u64) -> Result<(), u64> {
        let unread = lock(&self.callers);
        let own = unread.get(caller).copied().unwrap_or(0);
        let share = max / SHARES.max(unread.len() as u64);
        if own <= share { Ok(()) } else { Err(own) }
    }

    fn add(&self, caller: &Caller, events: u64) {
        self.memory.add(events * BYTES_PER_EVENT as u64);
        let mut unread = lock(&self.callers);
        match unread.get_mut(caller) {
            Some(own) => *own += events,
            None => drop(unread.insert(caller.clone(), events)),
        }
    }

    fn remove(&self, caller: &Caller, events: u64) {
        self.memory.remove(events * BYTES_PER_EVENT as u64);
        let mut unread = lock(&self.callers);
        if let Some(own) = unread.get_mut(caller) {
            *own -= events;
            if *own == 0 {
                unread.remove(caller);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the two ends of a stream share.
#[derive(Debug)]
struct Stream {
    caller: Caller,
    all: Unread,
    unread: AtomicU64,
    /// When the reader last took something, or first could.
    taken: Mutex<Instant>,
    changed: Condvar,
    given_up: AtomicBool,
}

impl Stream {
    fn add(&self, events: u64) {
        self.all.add(&self.caller, events);
        if self.unread.fetch_add(events, Ordering::Relaxed) == 0 {
            *lock(&self.taken) = Instant::now();
        }
    }

    fn remove(&self, events: u64) {
        self.all.remove(&self.caller, events);
        let mut taken = lock(&self.taken);
        let before = self.unread.fetch_sub(events, Ordering::Relaxed);
        *taken = Instant::now();
        // To notify nobody is a system call, too.
        if before > WINDOW {
            self.changed.notify_one();
        }
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
    stream: Arc<Stream>,
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
        self.stream.remove(self.weight);
    }
}

/// The run panicked, with this message.
#[derive(Debug)]
pub(crate) struct Panicked(pub(crate) String);

/// A message from a run to its reader. After the last, the run is over.
pub(crate) type Message = Result<Chunk, Panicked>;

/// The two ends between a run and its reader. The run stops when the reader is dropped or the deadline passes.
pub(crate) fn tail(unread: &Unread, caller: Caller, deadline: Option<Instant>) -> (Writer, Messages) {
    let (messages, reader) = unbounded_channel();
    let stream = Arc::new(Stream {
        caller,
        all: unread.clone(),
        unread: AtomicU64::new(0),
        taken: Mutex::new(Instant::now()),
        changed: Condvar::new(),
        given_up: AtomicBool::new(false),
    });
    let writer = Writer { messages, deadline, stream: Arc::clone(&stream), verdict: None };
    (writer, Messages { messages: Arc::new(Mutex::new(reader)), stream })
}

/// The end of the run.
#[derive(Debug)]
pub(crate) struct Writer {
    messages: UnboundedSender<Message>,
    /// A stalled reader does not notice its deadline, so the run checks it, too.
    deadline: Option<Instant>,
    stream: Arc<Stream>,
    verdict: Option<Verdict>,
}

impl Writer {
    /// Tells the reader that the run panicked, and ends the messages.
    pub(crate) fn panicked(self, message: String) {
        // Without a reader, nobody needs to know.
        let _ = self.messages.send(Err(Panicked(message)));
    }

    /// Waits until the reader is no longer too far behind.
    fn wait_for_reader(&self) {
        let Stream { unread, taken, changed, .. } = self.stream.as_ref();
        if unread.load(Ordering::Relaxed) <= WINDOW {
            return;
        }
        let mut guard = lock(taken);
        while unread.load(Ordering::Relaxed) > WINDOW && self.is_wanted() {
            guard = match changed.wait_timeout(guard, LOOK) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }
}

impl Audience for Writer {
    fn verdict(&self) -> Option<Verdict> {
        self.verdict
    }

    /// Whether the reader still exists, and its deadline has not passed.
    fn is_wanted(&self) -> bool {
        !self.messages.is_closed() && !is_late(self.deadline)
    }
}

impl Sink for Writer {
    fn chunk(&mut self, first_sequence: u64, events: &Arc<Vec<Event>>) {
        self.wait_for_reader();
        let datagrams = events.iter().filter_map(Event::datagram);
        let mut bytes: usize = datagrams.map(|datagram| datagram.len()).sum();
        if let Some(EventKind::RunFinished(finished)) = events.last().map(|event| &event.kind) {
            self.verdict = Some(finished.verdict);
            bytes += BYTES_PER_ITEM * (finished.final_states.len() + finished.problems.len());
        }
        let weight = (events.len() + bytes / BYTES_PER_EVENT) as u64;
        self.stream.add(weight);
        let (events, stream) = (Arc::clone(events), Arc::clone(&self.stream));
        let chunk = Chunk { events, first_sequence, read: 0, weight, stream };
        // Without a reader, the chunk comes back and is dropped; `keep_going` ends the run.
        let _ = self.messages.send(Ok(chunk));
    }

    fn keep_going(&mut self, _memory: u64) -> ControlFlow<Interruption> {
        match self.is_wanted() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Interruption::Unwanted),
        }
    }
}

/// The end of the reader.
#[derive(Debug)]
pub(crate) struct Messages {
    messages: Arc<Mutex<UnboundedReceiver<Message>>>,
    stream: Arc<Stream>,
}

impl Messages {
    /// The next message; `None` after the last, or once the reader is given up.
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Message>> {
        lock(&self.messages).poll_recv(context)
    }

    /// The next message, if there is one already.
    pub(crate) fn try_next(&mut self) -> Option<Message> {
        lock(&self.messages).try_recv().ok()
    }

    /// Whether the reader was given up because it took nothing for too long.
    pub(crate) fn are_given_up(&self) -> bool {
        self.stream.given_up.load(Ordering::Relaxed)
    }

    /// Gives the reader up once it has taken nothing for `pause` although there was something: its run ends, and what it keeps
    /// is let go. Completes then.
    pub(crate) fn watch(&self, pause: Duration) -> impl Future<Output = ()> + use<> {
        let (messages, stream) = (Arc::clone(&self.messages), Arc::clone(&self.stream));
        async move {
            loop {
                let taken = *lock(&stream.taken);
                let has_some = stream.unread.load(Ordering::Relaxed) > 0;
                let due = if has_some { taken } else { Instant::now() } + pause;
                if due <= Instant::now() {
                    break;
                }
                sleep_until(due).await;
            }
            stream.given_up.store(true, Ordering::Relaxed);
            close(&messages);
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        // Whoever watches has the receiver, too.
        close(&self.messages);
    }
}

/// Tells the run that nobody reads, and lets go of what is unread.
fn close(messages: &Mutex<UnboundedReceiver<Message>>) {
    let mut messages = lock(messages);
    messages.close();
    while messages.try_recv().is_ok() {}
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use halfopen_trace::SegmentNumber;

    use super::*;

    const CALLER: Caller = Caller::Process;

    fn arrived(bytes: usize) -> Event {
        Event {
            time: halfopen_tcp::Instant::ZERO,
            host: None,
            connection: None,
            kind: EventKind::SegmentArrived {
                segment: SegmentNumber(NonZeroU64::MIN),
                dropped: None,
                datagram: (bytes > 0).then(|| vec![0; bytes].into()),
            },
        }
    }

    #[test]
    fn bytes_of_datagrams_count_until_they_are_read() {
        let unread = Unread::new(Memory::new(u64::MAX));
        let (mut writer, mut reader) = tail(&unread, CALLER, None);
        writer.chunk(1, &Arc::new(vec![arrived(0), arrived(0)]));
        assert_eq!(unread.events(), 2);
        writer.chunk(3, &Arc::new(vec![arrived(0), arrived(BYTES_PER_EVENT), arrived(3 * BYTES_PER_EVENT)]));
        assert_eq!(unread.events(), 2 + 3 + 4);
        drop(reader.try_next());
        assert_eq!(unread.events(), 3 + 4);
        drop(reader);
        drop(writer);
        assert_eq!(unread.events(), 0);
    }

    #[test]
    fn who_keeps_more_than_a_share_begins_no_further_run() {
        let unread = Unread::new(Memory::new(u64::MAX));
        let other = |last: u8| Caller::Address([192, 0, 2, last].into());
        unread.add(&CALLER, 26);
        unread.add(&other(1), 10);
        assert_eq!(unread.admit(&CALLER, 100), Err(26));
        assert_eq!(unread.admit(&other(1), 100), Ok(()));
        assert_eq!(unread.admit(&other(2), 100), Ok(()), "it keeps nothing");
        unread.remove(&CALLER, 1);
        assert_eq!(unread.admit(&CALLER, 100), Ok(()));
        // With more callers, the shares are smaller.
        (2..10).for_each(|last| unread.add(&other(last), 1));
        assert_eq!(unread.admit(&CALLER, 100), Err(25));
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_pauses_too_long_is_given_up() {
        let unread = Unread::new(Memory::new(u64::MAX));
        let (mut writer, mut reader) = tail(&unread, CALLER, None);
        let pause = Duration::from_secs(60);
        let watch = tokio::spawn(reader.watch(pause));
        // Nothing to read is no pause.
        tokio::time::sleep(10 * pause).await;
        writer.chunk(1, &Arc::new(vec![arrived(0)]));
        tokio::time::sleep(pause / 2).await;
        assert!(reader.try_next().is_some() && writer.is_wanted());
        writer.chunk(2, &Arc::new(vec![arrived(0)]));
        let paused = Instant::now();
        watch.await.expect("no panic");
        assert!(paused.elapsed() >= pause && paused.elapsed() <= 2 * pause, "{:?}", paused.elapsed());
        assert!(reader.are_given_up() && !writer.is_wanted());
        assert_eq!(unread.events(), 0, "what it kept is let go");
    }
}
