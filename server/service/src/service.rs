//! The service as a whole: what it shares, what it answers, and how it is served.

use std::convert::Infallible;
use std::future::ready;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use futures_util::FutureExt;
use halfopen_proto::FILE_DESCRIPTOR_SET;
use halfopen_proto::Token;
use halfopen_proto::v1::run_service_server::RunServiceServer;
use halfopen_proto::v1::scenario_service_server::ScenarioServiceServer;
use halfopen_proto::v1::server_service_server::ServerServiceServer;
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::duplex;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Error, Server};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::service_fn;

use crate::lifecycle::{Lifecycle, report_health};
use crate::pool::{Pool, Runner};
use crate::run_service::RunHandler;
use crate::scenario_service::ScenarioHandler;
use crate::server_service::ServerHandler;
use crate::tail::Unread;
use crate::tls::Tls;
use crate::token;

/// Octets of a request. More than a scenario may have, so that a text that is somewhat too long gets the scenario
/// language's own, clearer, error.
pub(crate) const MAX_REQUEST: usize = 8 << 20;
/// Octets that lie in each direction of an in-memory connection.
const IN_MEMORY_BUFFER: usize = 256 * 1024;
/// How long connections may take to close once their streams have ended.
const CLOSING: Duration = Duration::from_secs(1);
/// Idle connections are asked this often whether the client is alive, and closed when it does not answer: the run of a
/// client that is gone without a word must not go on for ever.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How much a service does at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Runs executed at the same time, a thread each.
    pub threads: NonZeroUsize,
    /// Runs that may wait for a thread; the next gets RESOURCE_EXHAUSTED.
    pub queue: usize,
    /// Events that slow readers may keep waiting, over all runs, before new runs get RESOURCE_EXHAUSTED. Runs already
    /// taken may go above it, each by as many events as its scenario allows. 256 octets of datagrams, where a client wants
    /// them, count as one more event.
    pub max_unread_events: u64,
    /// How long open runs may go on after the service was told to stop.
    pub grace: Duration,
}

impl Default for Config {
    /// A thread for each core, 256 waiting runs, four million unread events, 5 seconds.
    fn default() -> Config {
        Config {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: 256,
            max_unread_events: 4_000_000,
            grace: Duration::from_secs(5),
        }
    }
}

/// Who may use a port, and how. The default is everybody, in the clear.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Whether TLS is spoken, and by which certificate.
    pub tls: Option<Tls>,
    /// What callers must know. Health is told to everybody; everything else needs it, reflection too.
    pub token: Option<Token>,
}

/// What a service has to do at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// Streams of runs that a client has open, whether the run still goes on or not.
    pub open_streams: usize,
    /// Runs that wait for a thread.
    pub waiting_runs: usize,
    /// Events that no reader has taken yet, over all runs. 256 octets of datagrams count as one more event.
    pub unread_events: u64,
}

/// What the handlers of a service share.
pub(crate) struct Shared {
    pub(crate) pool: Pool,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) unread: Unread,
    pub(crate) config: Config,
    health: HealthReporter,
}

/// The service. Clones are the same service: they share its run threads and its limits.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
    /// Every gRPC service, for those who speak gRPC itself and need no token.
    grpc: Router,
}

impl Service {
    /// A service that executes runs by [`halfopen_sim`]. Fails if the operating system gives no threads.
    pub fn new(config: &Config) -> io::Result<Service> {
        Service::with_runner(config, |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            halfopen_sim::run(scenario, options, sink);
        })
    }

    /// A service with another way to execute runs.
    pub fn with_runner(config: &Config, runner: impl Runner) -> io::Result<Service> {
        let runner: Arc<dyn Runner> = Arc::new(runner);
        let (health, health_server) = tonic_health::server::health_reporter();
        let shared = Arc::new(Shared {
            pool: Pool::new(config.threads, config.queue, &runner)?,
            lifecycle: Lifecycle::new(),
            unread: Unread::default(),
            config: config.clone(),
            health,
        });
        let grpc = grpc(&shared, health_server);
        // Nobody else has the reporter yet, so there is nothing to wait for.
        let _ = report_health(&shared.health, ServingStatus::Serving).now_or_never();
        Ok(Service { shared, grpc })
    }

    /// Serves on a listener until `stop`, then shuts down: new runs get UNAVAILABLE and health says NOT_SERVING at once,
    /// open runs have [`Config::grace`] to finish, then their streams end with UNAVAILABLE, and a second later
    /// whatever is still connected is left alone. What is stopped is the service with all its clones.
    pub async fn serve(
        &self,
        listener: TcpListener,
        access: &Access,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Error> {
        let Shared { lifecycle, health, config, .. } = self.shared.as_ref();
        let server = Server::builder()
            .accept_http1(true)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .add_routes(Routes::from(self.port(access.token.as_ref())));
        let ended = lifecycle.ended();
        let served = async {
            match access.tls.clone() {
                Some(tls) => server.serve_with_incoming_shutdown(tls.incoming(listener), ended).await,
                None => {
                    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                    server.serve_with_incoming_shutdown(incoming, ended).await
                }
            }
        };
        let drained = async {
            stop.await;
            lifecycle.drain(health, config.grace).await;
            tokio::time::sleep(CLOSING).await;
        };
        tokio::select! {
            served = served => served,
            () = drained => Ok(()),
        }
    }

    /// A client's connection to this service inside the process, without a port.
    ///
    /// Call it inside a tokio runtime: the connection lives there, until the last clone of the channel is dropped.
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

    /// Everything that is answered on a port.
    fn port(&self, token: Option<&Token>) -> Router {
        let grpc = match token {
            None => self.grpc.clone(),
            Some(token) => self.grpc.clone().layer(from_fn_with_state(token.clone(), token::check)),
        };
        let state = Arc::clone(&self.shared);
        let healthz = get(move || async move { healthz(&state) });
        // What refuses a call is inside gRPC-Web, so that its callers are told too.
        Router::new().route("/healthz", healthz).merge(grpc.layer(GrpcWebLayer::new()))
    }

    /// What there is to do at the moment.
    pub fn load(&self) -> Load {
        Load {
            open_streams: self.shared.lifecycle.open_streams(),
            waiting_runs: self.shared.pool.waiting(),
            unread_events: self.shared.unread.events(),
        }
    }
}

/// Every gRPC service.
fn grpc(shared: &Arc<Shared>, health: HealthServer<impl Health>) -> Router {
    let runs = RunServiceServer::new(RunHandler(Arc::clone(shared))).max_decoding_message_size(MAX_REQUEST);
    let scenarios = ScenarioServiceServer::new(ScenarioHandler).max_decoding_message_size(MAX_REQUEST);
    let server = ServerServiceServer::new(ServerHandler(Arc::clone(shared)));
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // The details of errors.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    Routes::new(runs)
        .add_service(scenarios)
        .add_service(server)
        .add_service(health)
        .add_service(reflection().build_v1().expect("the build made the descriptors"))
        .add_service(reflection().build_v1alpha().expect("the build made the descriptors"))
        .into_axum_router()
}

/// The answer to `GET /healthz`, for those who speak no gRPC.
fn healthz(shared: &Shared) -> (StatusCode, &'static str) {
    match shared.lifecycle.is_serving() {
        true => (StatusCode::OK, "serving\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n"),
    }
}
