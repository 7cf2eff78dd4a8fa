//! The stream of a kept run's events.

use std::collections::VecDeque;
use std::pin::Pin;

use futures_util::{Stream, stream};
use halfopen_history::{History, Number, Progress, Run, State};
use halfopen_proto::v1::{Event, WatchRunResponse};
use prost::Message;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use crate::convert::{Batch, MESSAGE_BYTES, MESSAGE_EVENTS, Packer};
use crate::deadline::passed;
use crate::lifecycle::OpenStream;
use crate::status;

/// Reads the events of a run as they are stored.
pub(crate) struct Watch {
    history: History,
    run: Number,
    tenant: String,
    id: String,
    /// `None` if the run is over.
    progress: Option<watch::Receiver<Progress>>,
    /// The number of the last event that was sent.
    seen: u64,
    /// What is read of the history and not sent yet.
    messages: VecDeque<WatchRunResponse>,
    deadline: Option<Pin<Box<Sleep>>>,
    open: OpenStream,
}

impl Watch {
    pub(crate) fn new(
        history: History,
        run: &Run,
        after: u64,
        open: OpenStream,
        deadline: Option<Instant>,
    ) -> Watch {
        // Before anything is read: what comes afterwards is told.
        let progress = history.watch(run.number);
        Watch {
            history,
            run: run.number,
            tenant: run.tenant.clone(),
            id: run.id.clone(),
            progress,
            seen: after,
            messages: VecDeque::new(),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            open,
        }
    }

    /// The messages, and why there are no more of them, unless the run has ended with a verdict.
    pub(crate) fn into_stream(self) -> impl Stream<Item = Result<WatchRunResponse, Status>> + Send {
        stream::unfold(Some(self), |watch| async {
            let mut watch = watch?;
            match watch.next().await {
                Ok(Some(message)) => Some((Ok(message), Some(watch))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<WatchRunResponse>, Status> {
        if let Some(message) = self.messages.pop_front() {
            return Ok(Some(message));
        }
        let mut deadline = self.deadline.take();
        let ended = self.open.end();
        let next = tokio::select! {
            biased;
            () = ended => Err(status::shutting_down()),
            () = passed(&mut deadline) => Err(status::deadline_exceeded()),
            next = self.read() => next,
        };
        self.deadline = deadline;
        next
    }

    /// Waits until there are events, or will be none.
    async fn read(&mut self) -> Result<Option<WatchRunResponse>, Status> {
        loop {
            // Before the events are read: the last ones may be stored in between.
            let is_over = self.progress.as_mut().is_none_or(|progress| progress.borrow_and_update().is_over);
            let batch = self.history.events(self.run, self.seen).await;
            if let Some(batch) = batch.map_err(|error| status::history(error, &self.id, ""))? {
                self.messages = messages(&batch.content, self.seen)
                    .map_err(|error| status::run_unreadable(&self.id, &error))?;
                self.seen = batch.first - 1 + batch.count;
                return Ok(self.messages.pop_front());
            }
            match &mut self.progress {
                Some(progress) if !is_over => {
                    if progress.changed().await.is_err() {
                        // Nobody will tell any more.
                        self.progress = None;
                    }
                }
                _ => return self.end().await,
            }
        }
    }

    /// How the stream of a run ends that is over.
    async fn end(&self) -> Result<Option<WatchRunResponse>, Status> {
        let run = self.history.get(&self.tenant, &self.id).await;
        match run.map_err(|error| status::history(error, &self.id, ""))?.state {
            State::Finished => Ok(None),
            State::Cancelled => Err(status::run_cancelled(&self.id)),
            State::Interrupted(interruption) => Err(status::run_interrupted(&self.id, interruption)),
            State::Queued | State::Running => Err(status::shutting_down()),
        }
    }
}

/// The stored events after `seen`, in messages.
fn messages(mut stored: &[u8], seen: u64) -> Result<VecDeque<WatchRunResponse>, prost::DecodeError> {
    let mut unseen = Vec::new();
    while !stored.is_empty() {
        let event = Event::decode_length_delimited(&mut stored)?;
        if event.sequence > seen {
            let size = event.encoded_len();
            unseen.push((event, size));
        }
    }
    let (mut packer, mut unseen, mut messages) = (Packer::default(), unseen.into_iter(), VecDeque::new());
    loop {
        let Batch { events, part } = packer.pack(&mut unseen, MESSAGE_EVENTS, MESSAGE_BYTES);
        if events.is_empty() && part.is_none() {
            return Ok(messages);
        }
        messages.push_back(WatchRunResponse { events, part });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(events: impl IntoIterator<Item = Event>) -> Vec<u8> {
        events.into_iter().flat_map(|event| event.encode_length_delimited_to_vec()).collect()
    }

    #[test]
    fn messages_have_the_events_that_were_not_seen_and_are_small() {
        let event = |sequence| Event { sequence, host: "h".repeat(1000), ..Event::default() };
        let stored = stored((1..=1000).map(event));
        for seen in [0, 1, 999, 1000] {
            let messages = messages(&stored, seen).expect("events");
            assert!(messages.iter().all(|message| message.encoded_len() <= MESSAGE_BYTES + 2048));
            let sequences =
                messages.into_iter().flat_map(|message| message.events).map(|event| event.sequence);
            assert!(sequences.eq(seen + 1..=1000), "after {seen}");
        }
        assert!(messages(&stored[1..], 0).is_err());
    }
}
