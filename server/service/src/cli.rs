//! The service as a program: its options, and its one line on standard output.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use halfopen_history::{OpenError, Retention};
use halfopen_proto::Token;
use halfopen_sim::Budget;
use halfopen_units::{ParseError, parse_duration, parse_size};
use tokio::net::TcpListener;

use crate::access::{Access, Origin};
use crate::config::Config;
use crate::history::KeptRuns;
use crate::log::LogFormat;
use crate::port::PortLimits;
use crate::service::Service;
use crate::setup::Setup;
use crate::signals::{EndOfInput, Hangups, Stops};
use crate::tls::{Tls, TlsError};

/// The options of the service.
#[derive(Args, Clone, Debug)]
pub struct ServeOptions {
    /// The address and port to listen on; port 0 picks a free port
    #[arg(long, value_name = "ADDRESS", env = "HALFOPEN_LISTEN", default_value = "127.0.0.1:7950")]
    pub listen: SocketAddr,
    /// Also serve /metrics and /healthz on this address, to everybody who can reach it, without TLS or a token
    #[arg(long, value_name = "ADDRESS", env = "HALFOPEN_LISTEN_METRICS")]
    pub listen_metrics: Option<SocketAddr>,
    /// The number of tasks of one kind (runs, validations, …) of one client in progress at the same time [default: one per core]
    #[arg(long, value_name = "N", env = "HALFOPEN_THREADS")]
    pub threads: Option<NonZeroUsize>,
    /// The number of tasks of one kind of one client that may wait for a thread
    #[arg(long, value_name = "N", env = "HALFOPEN_QUEUE", default_value_t = 256)]
    pub queue: usize,
    /// The number of unread events over all clients; a client with more than its share begins no further run
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_UNREAD_EVENTS", default_value_t = 4_000_000)]
    pub max_unread_events: u64,
    /// How long a client may leave waiting events unread before its run is ended
    #[arg(long, value_name = "TIME", env = "HALFOPEN_MAX_PAUSE", default_value = "5min", value_parser = time)]
    pub max_pause: Duration,
    /// The number of sessions over all clients; one client may have half of them
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_SESSIONS", default_value_t = 2048)]
    pub max_sessions: usize,
    /// The memory of all runs and sessions, with their unread events, at which no further work is accepted; what was accepted goes on
    #[arg(long, value_name = "SIZE", env = "HALFOPEN_MAX_MEMORY", default_value = "2GiB", value_parser = size)]
    pub max_memory: u64,
    /// What each run may cost.
    #[command(flatten)]
    pub budget: BudgetOptions,
    /// Which runs are kept, and where.
    #[command(flatten)]
    pub history: HistoryOptions,
    /// Serve TLS with the certificate in this PEM file, followed by its intermediate certificates
    #[arg(long, value_name = "FILE", env = "HALFOPEN_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in a PEM file
    #[arg(long, value_name = "FILE", env = "HALFOPEN_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Accept client certificates from the authorities in this PEM file; the tenants in the file of halfopend say whose they are
    #[arg(long, value_name = "FILE", env = "HALFOPEN_TLS_CLIENT_CA", requires = "tls_cert")]
    pub tls_client_ca: Option<PathBuf>,
    /// Refuse clients without a certificate, health checks included
    #[arg(long, env = "HALFOPEN_TLS_CLIENT_REQUIRED", requires = "tls_client_ca")]
    pub tls_client_required: bool,
    /// Require this token from callers; set HALFOPEN_TOKEN instead to hide it from other users of this machine
    ///
    /// Every gRPC call, including reflection, and /metrics need `authorization: Bearer TOKEN`. Health checks and /healthz do not.
    #[arg(long, value_name = "TOKEN", env = "HALFOPEN_TOKEN", hide_env_values = true)]
    pub token: Option<Token>,
    /// Listen on a network address even without TLS or a token
    #[arg(long, env = "HALFOPEN_INSECURE")]
    pub insecure: bool,
    /// Let pages of this origin call from a browser (gRPC-Web): `https://example.com`, or * for any. Repeatable
    #[arg(long = "allow-origin", value_name = "ORIGIN", env = "HALFOPEN_ALLOW_ORIGIN")]
    pub origins: Vec<Origin>,
    /// The maximum number of open connections; further ones are closed at once
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_CONNECTIONS", default_value_t = 4096)]
    pub max_connections: usize,
    /// The maximum number of open connections from one IPv4 address or one IPv6 network (/64)
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1024)]
    pub max_connections_per_address: usize,
    /// The maximum size of all requests that have not arrived completely
    #[arg(long, value_name = "SIZE", env = "HALFOPEN_MAX_REQUEST_BYTES", default_value = "64MiB", value_parser = size)]
    pub max_request_bytes: u64,
    /// How long a client may take to send a request, or its part of a TLS handshake
    #[arg(long, value_name = "TIME", env = "HALFOPEN_REQUEST_TIME", default_value = "20s", value_parser = time)]
    pub request_time: Duration,
    /// How long a client may neither answer nor read before its connection is closed
    #[arg(long, value_name = "TIME", env = "HALFOPEN_SILENCE", default_value = "1min", value_parser = silence)]
    pub silence: Duration,
    /// How long open runs may continue after SIGTERM or SIGINT
    #[arg(long, value_name = "TIME", env = "HALFOPEN_GRACE", default_value = "5s", value_parser = time)]
    pub grace: Duration,
    /// Stop when standard input ends, as by SIGTERM: for a server that must not outlive the process that started it
    #[arg(long, env = "HALFOPEN_EXIT_WITH_STDIN")]
    pub exit_with_stdin: bool,
    /// How a line of the log is written; HALFOPEN_LOG selects what is logged (`info` has a line for each run)
    #[arg(long, value_enum, env = "HALFOPEN_LOG_FORMAT", default_value_t)]
    pub log_format: LogFormat,
}

/// Which runs are kept, and where.
#[derive(Args, Clone, Debug)]
pub struct HistoryOptions {
    /// Keep the runs that clients create: in this SQLite file, or in PostgreSQL (`postgres://USER:PASSWORD@HOST/DATABASE`)
    ///
    /// An accepted run survives a crash of the server. Each server needs a history of its own.
    #[arg(long, value_name = "URL", env = "HALFOPEN_HISTORY", hide_env_values = true)]
    pub history: Option<String>,
    /// How long a run is kept after its end [default: for ever]
    #[arg(long, value_name = "TIME", env = "HALFOPEN_KEEP_RUNS_FOR", value_parser = time, requires = "history")]
    pub keep_runs_for: Option<Duration>,
    /// How many bytes of runs are kept of each tenant; then the oldest are deleted [default: no limit]
    #[arg(long, value_name = "SIZE", env = "HALFOPEN_KEEP_BYTES", value_parser = size, requires = "history")]
    pub keep_bytes: Option<u64>,
}

impl HistoryOptions {
    /// Opens the history, if there is to be one.
    async fn open(&self) -> Result<Option<KeptRuns>, OpenError> {
        let retention = Retention { keep_for: self.keep_runs_for, keep_bytes: self.keep_bytes };
        match &self.history {
            Some(address) => KeptRuns::open(address, retention).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What each run may cost.
#[derive(Args, Clone, Copy, Debug)]
pub struct BudgetOptions {
    /// The memory that a run may take; then it ends as unfinished [default: 512MiB on a server, 4GiB in this process]
    #[arg(long, value_name = "SIZE", env = "HALFOPEN_MAX_RUN_MEMORY", value_parser = size)]
    pub max_run_memory: Option<u64>,
    /// The ends of connections that a run may have [default: 100000 on a server, 1000000 in this process]
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_RUN_CONNECTIONS")]
    pub max_run_connections: Option<u64>,
    /// The comparisons of what happened with what is expected that a verdict may take [default: 1000000000 on a server, 10000000000
    /// in this process]
    #[arg(long, value_name = "N", env = "HALFOPEN_MAX_RUN_COMPARISONS")]
    pub max_run_comparisons: Option<u64>,
    /// The processor time that a run may take, on this machine [default: 1min on a server, unlimited in this process]
    #[arg(long, value_name = "TIME", env = "HALFOPEN_MAX_RUN_PROCESSOR_TIME", value_parser = time)]
    pub max_run_processor_time: Option<Duration>,
}

impl BudgetOptions {
    /// The configuration with these limits, where they are set.
    pub fn apply(&self, config: &Config) -> Config {
        let Budget { memory, connections, comparisons } = config.budget;
        Config {
            budget: Budget {
                memory: self.max_run_memory.unwrap_or(memory),
                connections: self.max_run_connections.unwrap_or(connections),
                comparisons: self.max_run_comparisons.unwrap_or(comparisons),
            },
            processor_time: self.max_run_processor_time.or(config.processor_time),
            ..config.clone()
        }
    }
}

/// The minimum length of a token.
const MIN_TOKEN: usize = 16;

/// A time as an option, with what to write instead if it is none.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error: ParseError| format!("{error}; {}", error.help()))
}

/// A time in which a peer can be probed: the kernel counts in seconds.
fn silence(text: &str) -> Result<Duration, String> {
    let silence = time(text)?;
    if silence >= Duration::from_secs(2) {
        Ok(silence)
    } else {
        Err("a client cannot be probed in less than 2s".into())
    }
}

/// A size as an option.
fn size(text: &str) -> Result<u64, String> {
    parse_size(text).map_err(|error: ParseError| format!("{error}; {}", error.help()))
}

impl ServeOptions {
    /// The configuration that these options describe.
    pub fn config(&self) -> Config {
        let default = Config::default();
        Config {
            threads: self.threads.unwrap_or(default.threads),
            queue: self.queue,
            max_unread_events: self.max_unread_events,
            max_pause: self.max_pause,
            max_sessions: self.max_sessions,
            max_memory: self.max_memory,
            grace: self.grace,
            ..self.budget.apply(&Config::default())
        }
    }

    /// Who may use the port, and how. Fails if the TLS files cannot be used, or others could use it than are meant to.
    pub fn access(&self, setup: Option<&Setup>) -> Result<Access, ServeError> {
        let tls = match (&self.tls_cert, &self.tls_key, &self.tls_client_ca) {
            (Some(certificate), Some(key), None) => Some(Tls::from_files(certificate, key)?),
            (Some(certificate), Some(key), Some(authorities)) => {
                Some(Tls::with_clients(certificate, key, authorities, self.tls_client_required)?)
            }
            _ => None,
        };
        let (token, tenants) = (self.token.clone(), setup.and_then(Setup::tenants));
        if let Some(length) =
            token.as_ref().map(|token| token.as_bytes().len()).filter(|length| *length < MIN_TOKEN)
        {
            return Err(ServeError::ShortToken(length));
        }
        let asks_who = token.is_some() || tenants.is_some();
        if !self.listen.ip().is_loopback() && !self.insecure && (!asks_who || tls.is_none()) {
            return Err(ServeError::Insecure(self.listen));
        }
        let limits = PortLimits {
            connections: self.max_connections,
            connections_per_address: self.max_connections_per_address,
            request_bytes: self.max_request_bytes,
            request_time: self.request_time,
            silence: self.silence,
        };
        Ok(Access { tls, token, tenants, origins: self.origins.clone(), limits })
    }
}

/// Why the service did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, not an address of this machine, or not permitted.
    #[error(
        "cannot listen on {address}: {source}; choose another address with --listen (port 0 picks a free port)"
    )]
    Listen {
        /// The requested address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The certificate or its key is missing or cannot be used.
    #[error("cannot serve TLS: {0}; --tls-cert and --tls-key name PEM files")]
    Tls(#[from] TlsError),
    /// Everybody on the network could use it, or read the token.
    #[error(
        "{0} can be reached from the network: serve TLS with --tls-cert and --tls-key and require a --token (or have tenants: halfopend --config), or say --insecure"
    )]
    Insecure(SocketAddr),
    /// The token can be guessed.
    #[error("the token has {0} characters, fewer than {MIN_TOKEN}: `openssl rand -hex 32` makes a good one")]
    ShortToken(usize),
    /// The history cannot be used.
    #[error("{0}; --history names it")]
    History(#[from] OpenError),
    /// Signals, threads or standard output are not available.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, or until standard input ends if the options say so, then lets open runs finish; a second
/// signal ends it at once. SIGHUP reloads the certificates, and the tenants of a file.
///
/// Once it listens, it prints one line of JSON on standard output: `{"listening":"127.0.0.1:7950"}`, with the address of
/// `metrics` if there is one.
pub async fn run(options: &ServeOptions, setup: Option<&Setup>) -> Result<(), ServeError> {
    let (mut stops, mut hangups) = (Stops::new()?, Hangups::new()?);
    let mut input = options.exit_with_stdin.then(EndOfInput::new).transpose()?;
    let address = options.listen;
    let access = options.access(setup)?;
    let listener = listen(address).await?;
    let metrics = match options.listen_metrics {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let service = match options.history.open().await? {
        Some(kept) => {
            let kept = kept.with_tenants(setup.and_then(Setup::tenants));
            Service::with_history(&options.config(), kept)?
        }
        None => Service::new(&options.config())?,
    };
    let metrics_address = metrics.as_ref().map(TcpListener::local_addr).transpose()?;
    announce(listener.local_addr()?, metrics_address)?;

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let signalled = async {
        tokio::select! {
            () = stops.next() => {}
            () = ended(&mut input) => tracing::info!("standard input has ended"),
        }
        let _ = stop.send(());
        stops.next().await;
        tracing::warn!("second signal: not waiting for open runs");
    };
    let stopped = async {
        let _ = stopped.await;
    };
    let reloading = async {
        loop {
            hangups.next().await;
            reload(&access, setup);
        }
    };
    let metrics = async {
        if let Some(metrics) = metrics {
            service.serve_metrics(metrics).await;
        }
        // The other port says when all is over.
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = service.serve(listener, &access, stopped) => {}
        () = metrics => {}
        () = signalled => {}
        () = reloading => {}
    }
    service.close().await;
    Ok(())
}

/// Reads again what can be read again. What is wrong stays as it was.
fn reload(access: &Access, setup: Option<&Setup>) {
    match access.tls.as_ref().map(Tls::reload) {
        None => tracing::info!("SIGHUP: there is no certificate to reload"),
        Some(Ok(())) => tracing::info!("SIGHUP: the certificates were reloaded"),
        Some(Err(error)) => tracing::error!("SIGHUP: the old certificates stay: {error}"),
    }
    match setup.map(Setup::reload) {
        None => {}
        Some(Ok(tenants)) => tracing::info!("SIGHUP: the tenants were reloaded: {tenants}"),
        Some(Err(error)) => {
            let mistakes = error.to_string().replace('\n', "; ");
            tracing::error!("SIGHUP: the old tenants stay: {mistakes}");
        }
    }
}

/// Completes when standard input ends; never if it does not matter.
async fn ended(input: &mut Option<EndOfInput>) {
    match input {
        Some(input) => input.come().await,
        None => std::future::pending().await,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })
}

fn announce(address: SocketAddr, metrics: Option<SocketAddr>) -> io::Result<()> {
    tracing::info!(%address, "listening");
    let mut line = serde_json::json!({ "listening": address });
    if let Some(metrics) = metrics {
        line["metrics"] = serde_json::json!(metrics);
    }
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        serve: ServeOptions,
    }

    #[test]
    fn without_options_the_limits_are_those_of_the_library() {
        let options = Program::parse_from(["halfopend"]).serve;
        assert_eq!(options.config(), Config::default());
        assert_eq!(options.access(None).expect("no files").limits, PortLimits::default());
    }
}
