//! The port: accepts connections, and bounds what each may hold before anybody knows who is there.

mod connections;
mod requests;
mod wire;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Extensions, Request};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tonic::Status;
use tower::ServiceExt;

pub(crate) use self::connections::Connections;
use self::connections::{Place, network};
pub(crate) use self::requests::Requests;
use self::wire::Wire;
use crate::metrics::Metrics;
use crate::status;
use crate::tenant::{Principal, Role};
use crate::tenants::Subject;
use crate::tls::Tls;
use crate::work::Caller;

/// The number of streams that an HTTP/2 connection may have open.
const MAX_STREAMS: u32 = 100;
/// How long to wait after `accept` failed: the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The number of unanswered keepalive probes of TCP after which a client is gone.
const PROBES: u32 = 4;

/// What clients of a port may hold and how long they may be silent, whoever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortLimits {
    /// The number of open connections; further ones are closed at once.
    pub connections: usize,
    /// Of these, the number from one IPv4 address or one IPv6 network (/64).
    pub connections_per_address: usize,
    /// The size, in bytes, of the requests that have not arrived completely, over all connections. A request that exceeds it
    /// gets RESOURCE_EXHAUSTED.
    pub request_bytes: u64,
    /// How long a client may take for the TLS handshake, for the first bytes of HTTP, and for a request.
    pub request_time: Duration,
    /// How long a client may answer nothing, or take nothing of what it is sent, before its connection is closed. HTTP/2
    /// pings, keepalive probes of TCP and TCP_USER_TIMEOUT follow from it.
    pub silence: Duration,
}

impl Default for PortLimits {
    /// 4,096 connections, 1,024 from one address, 64 MiB of requests, 20 seconds for a request, a minute of silence.
    fn default() -> PortLimits {
        PortLimits {
            connections: 4096,
            connections_per_address: 1024,
            request_bytes: 64 << 20,
            request_time: Duration::from_secs(20),
            silence: Duration::from_secs(60),
        }
    }
}

/// The address of the client that sent a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Who sent a request; inside the process, nobody else did.
pub(crate) fn caller(extensions: &Extensions) -> Caller {
    match (extensions.get(), extensions.get()) {
        (Some(Principal { tenant, .. }), _) => Caller::Tenant(tenant.clone()),
        (None, Some(Peer(address))) => Caller::Address(network(address.ip())),
        (None, None) => Caller::Process,
    }
}

/// Whether who sent a request has this role. Fails if not; `what` is what needs it.
pub(crate) fn require(extensions: &Extensions, role: Role, what: &str) -> Result<(), Status> {
    match extensions.get() {
        Some(Principal { role: own, .. }) if *own < role => Err(status::role_missing(what, role, *own)),
        Some(_) | None => Ok(()),
    }
}

/// A port without its listener.
pub(crate) struct Port {
    pub(crate) router: Router,
    pub(crate) tls: Option<Tls>,
    pub(crate) limits: PortLimits,
    pub(crate) connections: Connections,
    pub(crate) metrics: Arc<Metrics>,
}

impl Port {
    /// Serves until `ended` completes, then closes every connection once its open requests are answered.
    pub(crate) async fn serve(self, listener: TcpListener, ended: impl Future<Output = ()>) {
        let port = Arc::new(self);
        let graceful = GracefulShutdown::new();
        let mut ended = pin!(ended);
        let mut acceptor = Acceptor { listener, is_short: false };
        loop {
            let (connection, peer) = tokio::select! {
                accepted = acceptor.next() => accepted,
                () = &mut ended => break,
            };
            match port.connections.take(&port.limits, peer.ip()) {
                Some(place) => {
                    tokio::spawn(Arc::clone(&port).connection(connection, peer, place, graceful.watcher()));
                }
                None => port.metrics.refused_connection(),
            }
        }
        drop(acceptor);
        graceful.shutdown().await;
    }

    /// Serves one connection to its end.
    async fn connection(
        self: Arc<Self>,
        connection: TcpStream,
        peer: SocketAddr,
        place: Place,
        watcher: Watcher,
    ) {
        let PortLimits { request_time, silence, .. } = self.limits;
        if let Err(error) = prepare(&connection, silence) {
            // The client is gone already.
            tracing::debug!(%peer, "cannot set the options of the connection: {error}");
            return;
        }
        match &self.tls {
            None => self.http(connection, peer, None, watcher).await,
            Some(tls) => match timeout(request_time, tls.accept(connection)).await {
                Ok(Ok(Some(connection))) => {
                    let chain = connection.get_ref().1.peer_certificates();
                    let subject = chain.and_then(|chain| chain.first()).map(|own| Arc::new(Subject::of(own)));
                    self.http(connection, peer, subject, watcher).await;
                }
                Ok(Ok(None)) => tracing::debug!(%peer, "a client did not speak TLS"),
                Ok(Err(error)) => tracing::debug!(%peer, "the TLS handshake failed: {error}"),
                Err(_) => tracing::debug!(%peer, "the TLS handshake timed out"),
            },
        }
        drop(place);
    }

    async fn http(
        &self,
        connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: SocketAddr,
        certificate: Option<Arc<Subject>>,
        watcher: Watcher,
    ) {
        let PortLimits { request_time, silence, .. } = self.limits;
        let router = self.router.clone().map_request(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            if let Some(certificate) = &certificate {
                request.extensions_mut().insert(Arc::clone(certificate));
            }
            request
        });
        let mut http = auto::Builder::new(TokioExecutor::new());
        http.http1().timer(TokioTimer::new()).header_read_timeout(request_time);
        http.http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(MAX_STREAMS)
            .keep_alive_interval(silence / 2)
            .keep_alive_timeout(silence / 2);
        let wire = TokioIo::new(Wire::new(connection, request_time, silence));
        let served = watcher.watch(http.serve_connection(wire, TowerToHyperService::new(router)));
        if let Err(error) = served.await {
            tracing::debug!(%peer, "the connection ended: {error}");
        }
    }
}

/// Lets the kernel notice a client that is gone: probes on an idle connection, a limit for data that nobody acknowledges.
fn prepare(connection: &TcpStream, silence: Duration) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let socket = SockRef::from(connection);
    let interval = (silence / 2 / PROBES).max(Duration::from_secs(1));
    let keepalive = TcpKeepalive::new().with_time((silence / 2).max(Duration::from_secs(1)));
    #[cfg(not(any(target_os = "openbsd", target_os = "haiku", target_os = "solaris")))]
    let keepalive = keepalive.with_interval(interval).with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(silence))?;
    Ok(())
}

/// Accepts connections, and waits where the process has no file descriptor left.
struct Acceptor {
    listener: TcpListener,
    /// Whether the last call failed. Only changes are logged.
    is_short: bool,
}

impl Acceptor {
    async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    if self.is_short {
                        tracing::warn!("connections are accepted again");
                        self.is_short = false;
                    }
                    return accepted;
                }
                // The client left before it was accepted.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    if !self.is_short {
                        tracing::warn!(
                            "cannot accept connections: {error}; raise the limit of open files (ulimit -n)"
                        );
                        self.is_short = true;
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
