//! The service as a whole: its calls, and the ways to reach it.

use std::convert::Infallible;
use std::future::ready;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::from_fn_with_state;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::FutureExt;
use halfopen_proto::FILE_DESCRIPTOR_SET;
use halfopen_proto::v1::history_service_server::HistoryServiceServer;
use halfopen_proto::v1::render_service_server::RenderServiceServer;
use halfopen_proto::v1::run_service_server::RunServiceServer;
use halfopen_proto::v1::scenario_service_server::ScenarioServiceServer;
use halfopen_proto::v1::server_service_server::ServerServiceServer;
use halfopen_proto::v1::session_service_server::SessionServiceServer;
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::duplex;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::{Channel, Endpoint};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::service_fn;

use crate::access::Access;
use crate::config::{Config, MAX_REQUEST};
use crate::cost::Memory;
use crate::credential::Guard;
use crate::execution::Runner;
use crate::history::KeptRuns;
use crate::history_service::HistoryHandler;
use crate::lifecycle::{Lifecycle, report_health};
use crate::load::Load;
use crate::loading::Latest;
use crate::metrics::{self, Metrics};
use crate::pool::Pool;
use crate::port::{Connections, Port, PortLimits, Requests};
use crate::render_service::RenderHandler;
use crate::run_service::RunHandler;
use crate::scenario_service::ScenarioHandler;
use crate::server_service::ServerHandler;
use crate::session::Sessions;
use crate::session_service::SessionHandler;
use crate::shared::Shared;
use crate::tail::Unread;

/// The buffer for each direction of an in-memory connection, in bytes.
const IN_MEMORY_BUFFER: usize = 256 * 1024;
/// How long connections may take to close after their streams have ended.
const CLOSING: Duration = Duration::from_secs(1);
/// The size, in bytes, of the largest request for health: it is the name of a service, and needs no token.
const MAX_HEALTH_REQUEST: usize = 1024;

/// The service. Clones share its threads and its limits.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    health: HealthReporter,
    /// Every gRPC service, without gRPC-Web and without a check of credentials.
    grpc: Router,
}

impl Service {
    /// A service that executes runs with [`halfopen_sim`], and keeps none. Fails if the operating system provides no threads.
    pub fn new(config: &Config) -> io::Result<Service> {
        Service::with_runner(config, simulate)
    }

    /// A service that executes runs with `runner`, and keeps none. Fails if the operating system provides no threads.
    pub fn with_runner(config: &Config, runner: impl Runner) -> io::Result<Service> {
        Service::make(config, runner, None)
    }

    /// A service that also keeps runs, and goes on with those that were accepted before. Fails if the operating system provides
    /// no threads. Call it inside a tokio runtime.
    pub fn with_history(config: &Config, kept: KeptRuns) -> io::Result<Service> {
        let service = Service::make(config, simulate, Some(Arc::new(kept)))?;
        if let Some(kept) = &service.shared.kept {
            tokio::spawn(Arc::clone(kept).work(Arc::downgrade(&service.shared)));
            tokio::spawn(Arc::clone(kept).clean());
        }
        Ok(service)
    }

    fn make(config: &Config, runner: impl Runner, kept: Option<Arc<KeptRuns>>) -> io::Result<Service> {
        let (health, health_server) = tonic_health::server::health_reporter();
        let memory = Memory::new(config.max_memory);
        let metrics = Metrics::new(config.threads.get());
        let pool = Pool::new(config, memory.clone(), &metrics)?;
        let shared = Arc::new(Shared {
            sessions: Sessions::new(config.threads.get(), config.max_sessions, pool.entrance())?,
            kept,
            pool,
            runner: Arc::new(runner),
            latest: Latest::default(),
            lifecycle: Lifecycle::new(),
            unread: Unread::new(memory.clone()),
            memory,
            connections: Connections::default(),
            metrics,
            config: config.clone(),
        });
        let grpc = grpc(&shared, health_server);
        // Nobody else has the reporter yet, so there is nothing to wait for.
        let _ = report_health(&health, ServingStatus::Serving).now_or_never();
        Ok(Service { shared, health, grpc })
    }

    /// Stores what waits to be stored of kept runs. To be called once the service is shut down; runs that are not over go on with the
    /// next one.
    pub async fn close(&self) {
        if let Some(kept) = &self.shared.kept {
            kept.close().await;
        }
    }

    /// Serves on a listener until `stop` completes, then shuts down the service and all its clones: new runs get
    /// UNAVAILABLE and health checks NOT_SERVING at once; open runs have [`Config::grace`] to finish, then their streams
    /// end with UNAVAILABLE; a second later the remaining connections are dropped.
    pub async fn serve(&self, listener: TcpListener, access: &Access, stop: impl Future<Output = ()>) {
        let Shared { lifecycle, config, connections, metrics, .. } = self.shared.as_ref();
        let port = Port {
            router: self.port(access),
            tls: access.tls.clone(),
            limits: access.limits.clone(),
            connections: connections.clone(),
            metrics: Arc::clone(metrics),
        };
        let drained = async {
            stop.await;
            lifecycle.drain(&self.health, config.grace).await;
            tokio::time::sleep(CLOSING).await;
        };
        tokio::select! {
            () = port.serve(listener, lifecycle.ended()) => {}
            () = drained => {}
        }
    }

    /// Serves `/metrics` and `/healthz` on a listener to everybody, without TLS or a credential, until the service has shut down.
    pub async fn serve_metrics(&self, listener: TcpListener) {
        let port = Port {
            router: self.healthz().merge(self.metrics()),
            tls: None,
            limits: PortLimits::default(),
            // They take no place of a client.
            connections: Connections::default(),
            metrics: Arc::clone(&self.shared.metrics),
        };
        port.serve(listener, self.shared.lifecycle.ended()).await;
    }

    /// A connection to this service inside the process, without a port.
    ///
    /// Call it inside a tokio runtime: the connection lives there until the last clone of the channel is dropped.
    pub fn connect(&self) -> Channel {
        let router = self.grpc.clone();
        let connector = service_fn(move |_| {
            let (client, server) = duplex(IN_MEMORY_BUFFER);
            let router = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let http2 = auto::Builder::new(TokioExecutor::new()).http2_only();
                if let Err(error) = http2.serve_connection(TokioIo::new(server), router).await {
                    tracing::debug!("the in-memory connection ended: {error}");
                }
            });
            ready(Ok::<_, Infallible>(TokioIo::new(client)))
        });
        Endpoint::from_static("http://in-memory").connect_with_connector_lazy(connector)
    }

    /// Everything that a port answers.
    fn port(&self, access: &Access) -> Router {
        let (mut grpc, mut metrics) = (self.grpc.clone(), self.metrics());
        if let Some(guard) = Guard::of(access) {
            grpc = grpc.layer(from_fn_with_state(guard.clone(), Guard::check));
            metrics = metrics.layer(from_fn_with_state(guard, Guard::check_http));
        }
        // The credential is checked inside gRPC-Web, so that its callers can read the refusal.
        let grpc = grpc
            .layer(from_fn_with_state(Requests::new(&access.limits), Requests::check))
            .layer(from_fn_with_state(Arc::clone(&self.shared.metrics), metrics::measure))
            .layer(GrpcWebLayer::new());
        let port = self.healthz().merge(metrics).merge(grpc);
        match access.cors() {
            // A browser asks without the token.
            Some(cors) => port.layer(cors),
            None => port,
        }
    }

    /// `GET /healthz`, for load balancers without gRPC.
    fn healthz(&self) -> Router {
        let shared = Arc::clone(&self.shared);
        let answer = async move || match shared.lifecycle.is_serving() {
            true => (StatusCode::OK, "serving\n"),
            false => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
        };
        Router::new().route("/healthz", get(answer))
    }

    /// `GET /metrics`, for Prometheus.
    fn metrics(&self) -> Router {
        let shared = Arc::clone(&self.shared);
        let answer = async move || {
            ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], shared.metrics.text(&shared.load())).into_response()
        };
        Router::new().route("/metrics", get(answer))
    }

    /// The current load.
    pub fn load(&self) -> Load {
        self.shared.load()
    }
}

/// Executes a run.
fn simulate(scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) {
    halfopen_sim::run(scenario, options, sink);
}

/// Every gRPC service.
fn grpc(shared: &Arc<Shared>, health: HealthServer<impl Health>) -> Router {
    let runs = RunServiceServer::new(RunHandler(Arc::clone(shared))).max_decoding_message_size(MAX_REQUEST);
    let scenarios = ScenarioServiceServer::new(ScenarioHandler(Arc::clone(shared)))
        .max_decoding_message_size(MAX_REQUEST);
    let sessions =
        SessionServiceServer::new(SessionHandler(Arc::clone(shared))).max_decoding_message_size(MAX_REQUEST);
    let renders =
        RenderServiceServer::new(RenderHandler(Arc::clone(shared))).max_decoding_message_size(MAX_REQUEST);
    let history =
        HistoryServiceServer::new(HistoryHandler(Arc::clone(shared))).max_decoding_message_size(MAX_REQUEST);
    let server = ServerServiceServer::new(ServerHandler(Arc::clone(shared)));
    let health = health.max_decoding_message_size(MAX_HEALTH_REQUEST);
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The details of errors.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    Routes::new(runs)
        .add_service(scenarios)
        .add_service(sessions)
        .add_service(renders)
        .add_service(history)
        .add_service(server)
        .add_service(health)
        .add_service(reflection().build_v1().expect("the build made the descriptors"))
        .add_service(reflection().build_v1alpha().expect("the build made the descriptors"))
        .into_axum_router()
}
