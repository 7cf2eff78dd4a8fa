//! One run, from its request to its last event.

use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1::Event;
use halfopen_view::Stopped;
use halfopen_view::record::{RunOptions, RunRecord};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use crate::client::{Client, Source};
use crate::error::ClientError;
use crate::events::EventStream;
use crate::plan::Planned;

/// How long a server that takes no more runs is asked again.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest pause between two requests.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// News of a run.
#[derive(Debug)]
pub(crate) enum Update {
    /// The next events.
    Events(Vec<Event>),
    /// There are no more: why the run did not reach its end, if it did not, and the wall time it took.
    Over(Option<Stopped>, Duration),
}

/// Where the updates of one run go.
#[derive(Debug)]
pub(crate) struct Sink {
    /// The run's place in the plan.
    pub(crate) run: u64,
    /// Dropping the other end ends the run.
    pub(crate) updates: Sender<(u64, Update)>,
}

impl Sink {
    /// Whether anybody still receives.
    async fn send(&self, update: Update) -> bool {
        self.updates.send((self.run, update)).await.is_ok()
    }
}

/// Executes a run and sends its updates, with [`Update::Over`] at the end.
pub(crate) async fn fetch(mut client: Client, source: Arc<Source>, options: RunOptions, sink: Sink) {
    let mut started = Instant::now();
    let ended = match start(&mut client, &source, &options, &mut started).await {
        Ok(stream) => forward(stream, &sink).await,
        Err(error) => Err(error),
    };
    // If nobody receives, nobody wants to know.
    let _ = sink.send(Update::Over(ended.err().map(Stopped::from), started.elapsed())).await;
}

/// Sends the events of a run until there are no more, or nobody receives them.
async fn forward(mut stream: EventStream, sink: &Sink) -> Result<(), ClientError> {
    while let Some(events) = stream.next().await? {
        if !sink.send(Update::Events(events)).await {
            break;
        }
    }
    Ok(())
}

/// Starts a run as soon as the server takes it. `started` is set to when it did.
async fn start(
    client: &mut Client,
    source: &Source,
    options: &RunOptions,
    started: &mut Instant,
) -> Result<EventStream, ClientError> {
    let first = Instant::now();
    let mut pause = Duration::ZERO;
    loop {
        *started = Instant::now();
        let error = match client.run(source, options).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let Some(least) = error.retry_after().filter(|_| first.elapsed() < PATIENCE) else {
            return Err(error);
        };
        pause = (pause * 2).clamp(least.min(LONGEST_PAUSE), LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }
}

impl Planned {
    /// Executes only this run, until its end or until `interrupt` completes.
    pub async fn execute(self, client: &mut Client, interrupt: impl Future<Output = ()>) -> RunRecord {
        let Planned { mut record, source, .. } = self;
        let source = match source {
            Ok(source) => source,
            Err(stopped) => return RunRecord { stopped: Some(stopped), ..record },
        };
        let mut started = Instant::now();
        let whole = async {
            let mut stream = start(client, &source, &record.options, &mut started).await?;
            while let Some(events) = stream.next().await? {
                record.events.extend(events);
            }
            Ok::<_, ClientError>(())
        };
        record.stopped = tokio::select! {
            ended = whole => ended.err().map(Stopped::from),
            () = interrupt => Some(Stopped::Interrupted),
        };
        record.took = Some(started.elapsed());
        record
    }
}
