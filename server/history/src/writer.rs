//! The one task that writes.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::database::{Address, Writing};
use crate::error::{HistoryError, OpenError};
use crate::live::Live;
use crate::run::Accepted;
use crate::write::{Ask, Done, Keep};

/// How many writes of callers may wait.
const ASKED: usize = 1024;
/// How many writes of runs in progress may wait. A run that would add another waits itself.
const KEPT: usize = 64;
/// How many writes are committed together.
const TOGETHER: usize = 256;
/// How long to wait before another attempt while the database is away.
const PAUSE: Duration = Duration::from_millis(250);
/// How long a database may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the server that had the right to write may take to lose it: PostgreSQL notices that it is gone.
const TAKEOVER: Duration = Duration::from_secs(10);

/// What waits to be written.
#[derive(Clone, Debug)]
pub(crate) struct Queues {
    /// What callers ask for.
    pub(crate) asked: mpsc::Sender<Ask>,
    kept: mpsc::Sender<Keep>,
}

impl Queues {
    /// Waits for room. Nothing is kept once the history is closed.
    pub(crate) fn keep(&self, keep: Keep) {
        let _ = self.kept.blocking_send(keep);
    }
}

/// Writes what waits.
#[derive(Debug)]
pub(crate) struct Writer {
    address: Address,
    live: Arc<Live>,
    writing: Option<Writing>,
    asked: mpsc::Receiver<Ask>,
    kept: mpsc::Receiver<Keep>,
    /// What runs in progress store and could not be written yet.
    waiting: Vec<Write>,
}

impl Writer {
    /// Connects, prepares the tables, and begins to write.
    pub(crate) async fn start(address: Address, live: Arc<Live>) -> Result<Queues, OpenError> {
        let failed = |error: sqlx::Error| OpenError::Database(address.shown(), error.to_string());
        let mut waited = Duration::ZERO;
        let mut writing = loop {
            match address.writer().await.map_err(failed)? {
                Some(writing) => break writing,
                None if waited >= TAKEOVER => return Err(OpenError::InUse(address.shown())),
                None => {
                    tokio::time::sleep(PAUSE).await;
                    waited += PAUSE;
                }
            }
        };
        address.migrate(&mut writing.connection).await.map_err(failed)?;
        let ((asked, ask_queue), (kept, kept_queue)) = (mpsc::channel(ASKED), mpsc::channel(KEPT));
        let writer = Writer {
            address,
            live,
            writing: Some(writing),
            asked: ask_queue,
            kept: kept_queue,
            waiting: Vec::new(),
        };
        tokio::spawn(writer.run());
        Ok(Queues { asked, kept })
    }

    /// Writes until the history is closed, or everybody who used it is gone.
    async fn run(mut self) {
        while let Some(group) = self.next().await {
            let is_last = group.iter().any(|write| matches!(write, Write::Ask(Ask::Close { .. })));
            self.write(group).await;
            if is_last {
                break;
            }
        }
        if let Some(writing) = self.writing {
            // What is committed is safe, also if this fails.
            let _ = writing.connection.close().await;
        }
    }

    /// What is to be written next, once there is something.
    async fn next(&mut self) -> Option<Vec<Write>> {
        let mut group = std::mem::take(&mut self.waiting);
        if group.is_empty() {
            group.push(tokio::select! {
                Some(ask) = self.asked.recv() => Write::Ask(ask),
                Some(keep) = self.kept.recv() => Write::Keep(keep),
                else => return None,
            });
        } else if let Ok(Some(ask)) = timeout(PAUSE, self.asked.recv()).await {
            // The database is away. Who asks is not to wait until it is back.
            group.push(Write::Ask(ask));
        }
        while group.len() < TOGETHER {
            match (self.asked.try_recv(), self.kept.try_recv()) {
                (Err(_), Err(_)) => break,
                (ask, keep) => {
                    group.extend(ask.map(Write::Ask));
                    group.extend(keep.map(Write::Keep));
                }
            }
        }
        Some(group)
    }

    /// Writes a group in one transaction; if that fails, each write in one of its own, so that nobody pays for another's mistake.
    async fn write(&mut self, group: Vec<Write>) {
        if let Ok(done) = self.commit(&group).await {
            group.into_iter().zip(done).for_each(|(write, done)| self.publish(write, done));
            return;
        }
        let away = self.reconnect().await.err();
        for write in group {
            // What runs store stays in order.
            let must_wait = matches!(write, Write::Keep(_)) && !self.waiting.is_empty();
            let done = match &away {
                _ if must_wait => Ok(Vec::new()),
                Some(error) => Err(error.clone()),
                None => self.commit(std::slice::from_ref(&write)).await.map_err(HistoryError::from),
            };
            match (done.map(|mut done| done.pop()), write) {
                (Ok(Some(done)), write) => self.publish(write, done),
                (Ok(None), write) => self.waiting.push(write),
                (Err(error), Write::Ask(ask)) => ask.answer(Err(error)),
                (Err(error), write @ Write::Keep(_)) => {
                    tracing::warn!("runs wait until they can store their events: {error}");
                    self.waiting.push(write);
                }
            }
        }
    }

    /// Does everything in a group, or nothing.
    async fn commit(&mut self, group: &[Write]) -> Result<Vec<Done>, sqlx::Error> {
        let Some(writing) = &mut self.writing else { return Err(sqlx::Error::WorkerCrashed) };
        let mut transaction = writing.connection.begin().await?;
        let mut done = Vec::with_capacity(group.len());
        for write in group {
            done.push(match write {
                Write::Ask(ask) => ask.write(&mut transaction).await?,
                Write::Keep(keep) => keep.write(&mut transaction).await?,
            });
        }
        transaction.commit().await?;
        Ok(done)
    }

    /// Makes sure that there is a connection that works.
    async fn reconnect(&mut self) -> Result<(), HistoryError> {
        if let Some(writing) = &mut self.writing
            && let Ok(Ok(())) = timeout(PATIENCE, writing.connection.ping()).await
        {
            return Ok(());
        }
        // With it goes the right to write.
        self.writing = None;
        let error = |text: &str| HistoryError::Database(text.to_owned());
        let writing = timeout(PATIENCE, self.address.writer()).await;
        self.writing = writing.map_err(|_| error("it does not answer"))??;
        if self.writing.is_some() { Ok(()) } else { Err(error("another server writes to it")) }
    }

    /// Makes known what is committed.
    fn publish(&self, write: Write, mut done: Done) {
        match &mut done {
            // If an acceptance was committed although its caller got an error, the run begins when it is asked for again.
            Done::Accepted(Accepted { run, is_new }) if !run.state.is_over() => {
                *is_new = self.live.begin(run.number, run.events);
            }
            Done::Recovered(runs) => {
                for (run, events) in runs {
                    self.live.begin(run.number, *events);
                }
            }
            Done::Cancelled(run) => self.live.end(run.number),
            Done::Deleted(run) | Done::Ended(run) => self.live.end(*run),
            Done::Advanced(run, events) => self.live.advance(*run, *events),
            Done::Finished(run, events) => {
                self.live.advance(*run, *events);
                self.live.end(*run);
            }
            Done::Accepted(_) | Done::Retained(_) | Done::Closed | Done::Begun | Done::Refused(_) => {}
        }
        if let Write::Ask(ask) = write {
            ask.answer(Ok(done));
        }
    }
}

/// Something to write.
#[derive(Debug)]
enum Write {
    Ask(Ask),
    Keep(Keep),
}
