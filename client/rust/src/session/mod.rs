//! Sessions: the caller's own code is the application, on TCP in virtual time.
//!
//! [`Session::run`] runs a future, and the tasks that it spawns, on the hosts of a session. Their streams are
//! [`AsyncRead`](tokio::io::AsyncRead) and [`AsyncWrite`](tokio::io::AsyncWrite). When all of them wait, time moves to the next instant
//! at which one of them can go on, so that two hours of silence take nothing. If none ever can, [`Session::run`] fails at once and says
//! what they wait for.
//!
//! ```no_run
//! use halfopen_client::session::{Session, SessionError, SessionOptions};
//! use halfopen_client::{Client, Source};
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//!
//! # async fn example(client: &mut Client) -> Result<(), SessionError> {
//! let text = "scenario: mine\nhosts: {client: {}, server: {}}\n".to_owned();
//! let source = Source::Text { file: "mine.yaml".to_owned(), text };
//! let mut session = Session::create(client, &source, &SessionOptions::default()).await?;
//! let (client, server) = (session.host("client"), session.host("server"));
//! session.spawn(async move {
//!     let listener = server.listen(80).await.expect("the port is free");
//!     let mut peer = listener.accept().await.expect("it listens");
//!     peer.write_all(b"hello").await.expect("it is connected");
//! });
//! session.run(async move {
//!     let mut stream = client.connect("server:80").await.expect("it listens");
//!     let mut text = String::new();
//!     stream.read_to_string(&mut text).await.expect("it ends");
//!     assert_eq!(text, "hello");
//! })
//! .await?;
//! session.finish().await?;
//! # Ok(())
//! # }
//! ```
//!
//! [`Calls`] are the calls of the protocol themselves, for programs that move time on their own.

mod calls;
mod driver;
mod errno;
mod host;
mod stream;
mod time;
mod world;

use std::time::Duration;

use halfopen_proto::v1::{self, Verdict};

pub use self::calls::{CallError, Calls, Watch};
pub use self::host::{Host, Listener};
pub use self::stream::Stream;
pub use self::time::{Clock, Sleep};

use self::driver::Driver;
use self::world::World;
use crate::client::{Client, Source};
use crate::error::ClientError;

/// How a session is created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// The variant of the scenario. Required if it has variants.
    pub variant: Option<String>,
    /// The seed of everything random. `None`: the default of the server, which is 1.
    pub seed: Option<u64>,
    /// The TCP profile of every host, instead of what the scenario says.
    pub profile: Option<String>,
    /// How long the server keeps the session without calls. `None`: its default, a minute.
    pub lease: Option<Duration>,
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A call failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nothing can happen any more, and everybody waits.
    #[error("nothing can happen any more, and the test waits for {}", .0.join(", "))]
    Stuck(
        /// What for.
        Vec<String>,
    ),
    /// The scenario ends, or a limit is reached, before the future is done.
    #[error("the session is over at {}: {reason}", halfopen_view::words::duration(*time))]
    Over {
        /// The virtual time.
        time: Duration,
        /// Why.
        reason: String,
    },
    /// The expectations of the scenario are broken, or something that it says did not happen.
    #[error("{0}")]
    Failed(
        /// The verdict with a picture, as text.
        String,
    ),
}

/// A session.
#[derive(Debug)]
pub struct Session {
    id: String,
    driver: Driver,
    client: Client,
}

impl Session {
    /// Creates a session of a scenario. The hosts for which it has no programs are the caller's.
    pub async fn create(
        client: &Client,
        source: &Source,
        options: &SessionOptions,
    ) -> Result<Session, SessionError> {
        let id = calls::create(&mut client.clone(), source, options).await?.session;
        let driver = Driver::new(World::new(id.clone()), client.sessions());
        Ok(Session { id, driver, client: client.clone() })
    }

    /// Its id, by which others can watch it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The host of that name. Whether there is one is known with its first call.
    pub fn host(&self, name: &str) -> Host {
        Host::new(self.driver.world(), name)
    }

    /// The clock of the session.
    pub fn clock(&self) -> Clock {
        Clock::new(self.driver.world())
    }

    /// Adds a task, which goes on whenever [`run`](Session::run) does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.driver.world().spawn(Box::pin(task));
    }

    /// Runs a future until it is done, together with all tasks. It must wait for nothing outside the session.
    pub async fn run<T>(&mut self, future: impl Future<Output = T>) -> Result<T, SessionError> {
        self.driver.run(&self.client, future).await
    }

    /// Adds faults, as they stand under `faults` in a scenario: a list, or one of them. Those that do not say when they happen,
    /// happen now.
    pub async fn inject(&mut self, yaml: &str) -> Result<Vec<u32>, SessionError> {
        let request =
            v1::ApplyFaultsRequest { session: self.id.clone(), yaml: yaml.to_owned(), ..Default::default() };
        let applied = self.driver.calls().apply_faults(request).await;
        Ok(applied.map_err(|status| self.client.failed(status))?.into_inner().faults)
    }

    /// Lifts the fault with this number: it does nothing from now on, and what it does to a host or the network ends.
    pub async fn lift(&mut self, fault: u32) -> Result<(), SessionError> {
        let request = v1::LiftFaultRequest { session: self.id.clone(), fault, ..Default::default() };
        let lifted = self.driver.calls().lift_fault(request).await;
        lifted.map(|_| ()).map_err(|status| self.client.failed(status).into())
    }

    /// A scenario that plays the same: executed with its seed, it gives the same events.
    pub async fn export(&mut self) -> Result<v1::ExportSessionResponse, SessionError> {
        let exported =
            self.driver.calls().export_session(v1::ExportSessionRequest { session: self.id.clone() }).await;
        Ok(exported.map_err(|status| self.client.failed(status))?.into_inner())
    }

    /// Plays on until nothing happens any more, judges the session by what its scenario expects, and deletes it.
    ///
    /// # Errors
    /// [`SessionError::Failed`] if it does not pass.
    pub async fn finish(mut self) -> Result<v1::FinishSessionResponse, SessionError> {
        let request = v1::FinishSessionRequest { session: self.id.clone(), ..Default::default() };
        let finished = self.driver.calls().finish_session(request).await;
        let finished = finished.map_err(|status| self.client.failed(status))?.into_inner();
        let verdict = finished.finished.as_ref().map(v1::RunFinished::verdict);
        let outcome = match verdict {
            Some(Verdict::Passed) => Ok(finished),
            _ => {
                let picture = self.picture().await.unwrap_or_else(|error| error.to_string());
                Err(SessionError::Failed(picture))
            }
        };
        let deleted = self.delete().await;
        let finished = outcome?;
        deleted.map(|()| finished)
    }

    /// Deletes the session, unfinished or not. Otherwise the server keeps it until its lease ends.
    pub async fn delete(mut self) -> Result<(), SessionError> {
        let request = v1::DeleteSessionRequest { session: self.id.clone() };
        let deleted = self.driver.calls().delete_session(request).await;
        deleted.map(|_| ()).map_err(|status| self.client.failed(status).into())
    }

    /// The session so far, as `halfopen run` shows a run.
    pub async fn picture(&self) -> Result<String, SessionError> {
        let request = v1::RenderRequest {
            source: Some(v1::render_request::Source::Session(self.id.clone())),
            format: v1::RenderFormat::Text.into(),
            ..Default::default()
        };
        Ok(self.client.render(request).await?)
    }
}
