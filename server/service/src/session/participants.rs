//! Who takes part in a session, and whose turn it is.
//!
//! Calls are made one participant after the other: the first one's until it waits for time to move, then the next one's. So the
//! order of calls, and with it what happens, follows from what the participants do, and not from how fast they are.

use std::collections::VecDeque;

use tokio::sync::oneshot;
use tonic::Status;

use super::conditions::Until;
use super::cursor::Cursor;
use super::job::{Job, Response};
use crate::status;

/// The number of calls of one participant that may wait for their turn, and their size in bytes.
const MAX_WAITING: usize = 64;
const MAX_WAITING_BYTES: usize = 16 << 20;
/// The number of answers that are kept for repeated requests of a participant, and their size in bytes.
const MAX_ANSWERS: usize = 64;
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Where the answer to a call goes.
pub(super) type Reply = oneshot::Sender<Result<Response, Status>>;

/// One who takes part.
#[derive(Default)]
pub(super) struct Participant {
    /// Calls that wait for its turn.
    pub(super) queue: VecDeque<Queued>,
    /// What it waits for; `None` while it acts, or before its first call.
    pub(super) waiting: Option<Waiting>,
    /// It makes no more calls.
    pub(super) has_left: bool,
    /// The answers to its latest requests.
    answers: Answers,
    /// How far it has been given the events.
    pub(super) cursor: Cursor,
}

/// A call that waits for its turn.
pub(super) struct Queued {
    pub(super) request_id: String,
    pub(super) job: Job,
    /// The size of the request, in bytes.
    pub(super) bytes: usize,
    pub(super) reply: Reply,
}

/// A participant that waits for time to move.
pub(super) struct Waiting {
    pub(super) request_id: String,
    pub(super) until: Until,
    /// The number of events in the response at most.
    pub(super) max_events: usize,
    pub(super) reply: Reply,
}

impl Queued {
    /// Whether this is the request with that id once more.
    pub(super) fn repeats(&self, request_id: &str) -> bool {
        !request_id.is_empty() && self.request_id == request_id
    }

    /// Whether its caller waits for the answer or may come back for it, or needs none.
    fn is_wanted(&self) -> bool {
        matches!(self.job, Job::Leave) || !self.request_id.is_empty() || !self.reply.is_closed()
    }
}

impl Participant {
    /// Takes a call, to be made when it is this participant's turn. One that was answered before is answered again.
    pub(super) fn take(&mut self, queued: Queued) {
        if let Some(answer) = self.answers.find(&queued.request_id) {
            let _ = queued.reply.send(answer);
            return;
        }
        // The caller comes back for the answer.
        if let Some(waiting) = self.waiting.as_mut().filter(|waiting| queued.repeats(&waiting.request_id)) {
            supersede(&mut waiting.reply, queued.reply);
            return;
        }
        if let Some(first) = self.queue.iter_mut().find(|first| queued.repeats(&first.request_id)) {
            supersede(&mut first.reply, queued.reply);
            return;
        }
        self.queue.retain(Queued::is_wanted);
        let bytes: usize = self.queue.iter().map(|waiting| waiting.bytes).sum();
        if self.queue.len() >= MAX_WAITING || bytes + queued.bytes > MAX_WAITING_BYTES {
            let full = status::session_full("too many calls of this participant wait for their turn");
            let _ = queued.reply.send(Err(full));
            return;
        }
        self.queue.push_back(queued);
    }

    /// The next call to be made.
    pub(super) fn next(&mut self) -> Option<Queued> {
        self.queue.retain(Queued::is_wanted);
        self.queue.pop_front()
    }

    /// Answers a call, and keeps the answer if the call may be repeated.
    pub(super) fn answer(
        &mut self,
        request_id: String,
        reply: Reply,
        answer: Result<Response, Status>,
        bytes: usize,
    ) {
        if !request_id.is_empty() {
            self.answers.keep(request_id, answer.clone(), bytes);
        }
        // The caller may be gone.
        let _ = reply.send(answer);
    }
}

/// A repeated request takes the place of the first.
fn supersede(reply: &mut Reply, again: Reply) {
    // The first caller is probably gone.
    let _ = std::mem::replace(reply, again).send(Err(status::request_superseded()));
}

/// The latest answers.
#[derive(Default)]
struct Answers {
    latest: VecDeque<(String, Result<Response, Status>, usize)>,
    bytes: usize,
}

impl Answers {
    fn find(&self, request_id: &str) -> Option<Result<Response, Status>> {
        let mut found =
            self.latest.iter().filter(|(known, ..)| !request_id.is_empty() && known == request_id);
        found.next().map(|(_, answer, _)| answer.clone())
    }

    fn keep(&mut self, request_id: String, answer: Result<Response, Status>, bytes: usize) {
        self.latest.push_back((request_id, answer, bytes));
        self.bytes += bytes;
        while self.latest.len() > MAX_ANSWERS || (self.bytes > MAX_ANSWER_BYTES && self.latest.len() > 1) {
            self.bytes -= self.latest.pop_front().map_or(0, |(_, _, bytes)| bytes);
        }
    }
}
