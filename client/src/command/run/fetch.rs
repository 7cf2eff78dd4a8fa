//! One run, from its request to its last event.

use std::sync::Arc;
use std::time::Duration;

use halfopen::client::{Client, ClientError, EventStream, RunOptions, Source};
use halfopen_proto::v1::Event;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

/// A server that takes no more runs is asked again for so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// It is not asked less often than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What is heard of a run.
#[derive(Debug)]
pub(super) enum News {
    /// The next events.
    Events(Vec<Event>),
    /// There are no more, perhaps for a reason. And the wall time that it took.
    Over(Option<ClientError>, Duration),
}

/// Where it is told, and of which run.
#[derive(Debug)]
pub(super) struct Told {
    /// The run's place in the plan.
    pub(super) run: u64,
    /// To whom. Dropping the other end ends the run.
    pub(super) to: Sender<(u64, News)>,
}

/// Executes a run and tells what happens, [`News::Over`] at the end.
pub(super) async fn fetch(mut client: Client, source: Arc<Source>, options: RunOptions, told: Told) {
    let mut begun = Instant::now();
    let stopped = match start(&mut client, &source, &options, &mut begun).await {
        Ok(stream) => follow(stream, &told).await.err(),
        Err(error) => Some(error),
    };
    // Nobody listens only if nobody wants to know.
    let _ = told.to.send((told.run, News::Over(stopped, begun.elapsed()))).await;
}

/// Starts a run, as soon as the server takes it. `begun` is when it did.
async fn start(
    client: &mut Client,
    source: &Source,
    options: &RunOptions,
    begun: &mut Instant,
) -> Result<EventStream, ClientError> {
    let asked = Instant::now();
    let mut pause = Duration::ZERO;
    loop {
        *begun = Instant::now();
        let error = match client.run(source, options).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        let Some(least) = error.retry_after().filter(|_| asked.elapsed() < PATIENCE) else {
            return Err(error);
        };
        pause = (pause * 2).clamp(least.min(LONGEST_PAUSE), LONGEST_PAUSE);
        tokio::time::sleep(pause).await;
    }
}

/// Tells the events of a run until there are no more.
async fn follow(mut stream: EventStream, told: &Told) -> Result<(), ClientError> {
    while let Some(events) = stream.next().await? {
        if told.to.send((told.run, News::Events(events))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
