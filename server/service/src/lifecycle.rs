//! Shutting down: from serving, over draining, to ended.

use std::time::Duration;

use halfopen_proto::v1::{
    history_service_server, render_service_server, run_service_server, scenario_service_server,
    server_service_server, session_service_server,
};
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Status;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::status;

/// The phases of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// New runs are accepted.
    Serving,
    /// No new runs are accepted; open ones may finish.
    Draining,
    /// Every stream ends.
    Ended,
}

/// The phase of a service, and the number of its open streams.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: watch::Sender<Phase>,
    open: watch::Sender<usize>,
}

impl Lifecycle {
    pub(crate) fn new() -> Lifecycle {
        Lifecycle { phase: watch::Sender::new(Phase::Serving), open: watch::Sender::new(0) }
    }

    /// Counts one more open stream. Fails if the service is shutting down.
    pub(crate) fn open(&self) -> Result<OpenStream, Status> {
        // Counted before the phase is checked, so that a drain that begins in between waits for this stream.
        self.open.send_modify(|open| *open += 1);
        let stream = OpenStream { open: self.open.clone(), phase: self.phase.subscribe() };
        if self.is_serving() { Ok(stream) } else { Err(status::shutting_down()) }
    }

    /// Whether new runs are accepted.
    pub(crate) fn is_serving(&self) -> bool {
        *self.phase.borrow() == Phase::Serving
    }

    /// The number of open streams.
    pub(crate) fn open_streams(&self) -> usize {
        *self.open.borrow()
    }

    /// Accepts no more runs, waits at most `grace` for the open streams, then ends the remaining ones.
    pub(crate) async fn drain(&self, health: &HealthReporter, grace: Duration) {
        self.phase.send_if_modified(|phase| {
            let serving = *phase == Phase::Serving;
            if serving {
                *phase = Phase::Draining;
            }
            serving
        });
        report_health(health, ServingStatus::NotServing).await;
        tracing::info!(open_streams = self.open_streams(), "draining");
        let mut open = self.open.subscribe();
        if timeout(grace, open.wait_for(|open| *open == 0)).await.is_err() {
            tracing::warn!(open_streams = self.open_streams(), "ending the remaining streams");
        }
        self.phase.send_replace(Phase::Ended);
    }

    /// Completes when every stream must end.
    pub(crate) async fn ended(&self) {
        wait_for_end(&mut self.phase.subscribe()).await;
    }
}

async fn wait_for_end(phase: &mut watch::Receiver<Phase>) {
    // An error means that the service is gone, which is an end, too.
    let _ = phase.wait_for(|phase| *phase == Phase::Ended).await;
}

/// Sets the health of every service and of the server as a whole.
pub(crate) async fn report_health(health: &HealthReporter, serving: ServingStatus) {
    // The empty name stands for the whole server.
    for service in [
        "",
        history_service_server::SERVICE_NAME,
        render_service_server::SERVICE_NAME,
        run_service_server::SERVICE_NAME,
        scenario_service_server::SERVICE_NAME,
        server_service_server::SERVICE_NAME,
        session_service_server::SERVICE_NAME,
    ] {
        health.set_service_status(service, serving).await;
    }
}

/// An open stream, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream {
    open: watch::Sender<usize>,
    phase: watch::Receiver<Phase>,
}

impl OpenStream {
    /// Completes when the stream must end.
    pub(crate) async fn ended(&mut self) {
        wait_for_end(&mut self.phase).await;
    }

    /// Completes then, too, without holding on to the stream.
    pub(crate) fn end(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut phase = self.phase.clone();
        async move { wait_for_end(&mut phase).await }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open -= 1);
    }
}
