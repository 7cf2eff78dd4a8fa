//! RunService: from a request to a stream of events.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use halfopen_proto::v1::run_service_server::RunService;
use halfopen_proto::v1::{Event, ExecuteRunRequest, ExecuteRunResponse};
use halfopen_trace::EventKind;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Sleep, sleep_until, timeout};
use tonic::{Request, Response, Status};

use crate::convert::{Batch, Converter, MESSAGE_BYTES, MESSAGE_EVENTS, Packer};
use crate::deadline::{deadline, is_late, passed};
use crate::execution::Execution;
use crate::lifecycle::OpenStream;
use crate::loading::{Wanted, named};
use crate::port::caller;
use crate::shared::Shared;
use crate::status;
use crate::tail::{Message, Messages, tail};

/// How long the headers of a response wait for its first events, so that a short run is sent as one piece.
const FIRST: Duration = Duration::from_millis(2);

/// Handles the calls of RunService.
pub(crate) struct RunHandler(pub(crate) Arc<Shared>);

#[tonic::async_trait]
impl RunService for RunHandler {
    type ExecuteRunStream = Pin<Box<dyn Stream<Item = Result<ExecuteRunResponse, Status>> + Send>>;

    async fn execute_run(
        &self,
        request: Request<ExecuteRunRequest>,
    ) -> Result<Response<Self::ExecuteRunStream>, Status> {
        let shared = &self.0;
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let mut open = shared.lifecycle.open()?;
        let max_unread = shared.config.max_unread_events;
        shared.unread.admit(&caller, max_unread).map_err(status::readers_too_slow)?;

        let ExecuteRunRequest { source, seed, variant, profile, snapshot_length } = request.into_inner();
        let source = source.ok_or_else(status::source_missing)?;
        let wanted = Wanted { source, variant, profile: named(&profile)?, session: false };
        let options = shared.run_options(seed, snapshot_length);
        let (writer, mut messages) = tail(&shared.unread, caller.clone(), deadline);
        let (loaded, is_loaded) = oneshot::channel();
        let job = shared.job(options, caller.clone());
        shared.pool.submit(&caller, Box::new(Execution { wanted, job, writer, loaded }))?;

        let mut expiry = deadline.map(|deadline| Box::pin(sleep_until(deadline)));
        tokio::select! {
            biased;
            () = open.ended() => return Err(status::shutting_down()),
            () = passed(&mut expiry) => return Err(status::deadline_exceeded()),
            loaded = is_loaded => match loaded {
                Ok(loaded) => loaded?,
                // It was late in the queue, or the queue is gone.
                Err(_) if is_late(deadline) => return Err(status::deadline_exceeded()),
                Err(_) => return Err(status::shutting_down()),
            },
        }
        let watch = tokio::spawn(messages.watch(shared.config.max_pause)).abort_handle();
        let first = timeout(FIRST, poll_fn(|context| messages.poll_next(context))).await;
        let reader = Reader {
            messages,
            watch,
            max_pause: shared.config.max_pause,
            current: first.ok().flatten(),
            converter: Converter::default(),
            packer: Packer::default(),
            seed: options.seed,
            deadline: expiry,
            open,
            saw_the_end: false,
        };
        Ok(Response::new(Box::pin(stream::unfold(Some(reader), |reader| async {
            let mut reader = reader?;
            match reader.next().await? {
                Ok(response) => Some((Ok(response), Some(reader))),
                Err(status) => Some((Err(status), None)),
            }
        }))))
    }
}

/// The stream of a run's events. Dropping it stops the run.
struct Reader {
    messages: Messages,
    /// What gives this reader up if it pauses too long.
    watch: AbortHandle,
    max_pause: Duration,
    /// The message that is being read.
    current: Option<Message>,
    converter: Converter,
    packer: Packer,
    seed: u64,
    deadline: Option<Pin<Box<Sleep>>>,
    open: OpenStream,
    /// Whether `RunFinished` was among the events.
    saw_the_end: bool,
}

impl Reader {
    /// The next message of the stream; `None` after the last.
    async fn next(&mut self) -> Option<Result<ExecuteRunResponse, Status>> {
        let Reader { messages, current, deadline, open, .. } = self;
        let arrived = async {
            if current.is_none() {
                *current = poll_fn(|context| messages.poll_next(context)).await;
            }
            current.is_some()
        };
        tokio::select! {
            biased;
            () = open.ended() => Some(Err(status::shutting_down())),
            () = passed(deadline) => Some(Err(status::deadline_exceeded())),
            arrived = arrived => match arrived {
                // The run may notice the deadline slightly before this timer does.
                _ if is_late(self.deadline.as_ref().map(|sleep| sleep.deadline())) => Some(Err(status::deadline_exceeded())),
                true => Some(self.batch()),
                false if self.saw_the_end => None,
                false if self.messages.are_given_up() => Some(Err(status::reader_paused(self.max_pause))),
                false => Some(Err(status::run_failed("it ended without a verdict", self.seed))),
            },
        }
    }

    /// The events that are available now, up to the limits of a message, or a part of one that is larger.
    fn batch(&mut self) -> Result<ExecuteRunResponse, Status> {
        let Reader { messages, current, converter, saw_the_end, packer, .. } = self;
        let available = Available { messages, current, converter, saw_the_end };
        let batch = packer.pack(available, MESSAGE_EVENTS, MESSAGE_BYTES);
        match &self.current {
            // Earlier events go first.
            Some(Err(panicked)) if batch == Batch::default() => {
                return Err(status::run_failed(&panicked.0, self.seed));
            }
            // What is left of a chunk is something: a message has events. While parts are sent, it counts as unread.
            Some(Ok(chunk)) if chunk.left() == 0 && !self.packer.is_in_parts() => self.current = None,
            Some(_) | None => {}
        }
        let Batch { events, part } = batch;
        Ok(ExecuteRunResponse { events, part })
    }
}

/// The events of a run that are available now, each with its size in bytes.
struct Available<'a> {
    messages: &'a mut Messages,
    current: &'a mut Option<Message>,
    converter: &'a mut Converter,
    saw_the_end: &'a mut bool,
}

impl Iterator for Available<'_> {
    type Item = (Event, usize);

    fn next(&mut self) -> Option<(Event, usize)> {
        loop {
            match self.current {
                Some(Ok(chunk)) => match chunk.next() {
                    Some((sequence, event)) => {
                        *self.saw_the_end = matches!(event.kind, EventKind::RunFinished(_));
                        return Some(self.converter.event(sequence, event));
                    }
                    None => *self.current = None,
                },
                Some(Err(_)) => return None,
                None => *self.current = Some(self.messages.try_next()?),
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match &self.current {
            Some(Ok(chunk)) => chunk.left(),
            Some(Err(_)) | None => 0,
        };
        (left, None)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
