//! What an operator watches, in the text format of Prometheus.
//!
//! No label has a value that a client chooses: methods are those of the protocol, reasons those of [`status`](crate::status), tenants
//! those that the administrator has named.

mod calls;
#[cfg(target_os = "linux")]
mod process;

use std::sync::Arc;
use std::time::Duration;

use halfopen_trace::Verdict;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::calls::Calls;
pub(crate) use self::calls::measure;
use crate::load::Load;
use crate::tenant::Tenant;
use crate::work::Work;

/// The content type of [`Metrics::text`].
pub(crate) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;

/// The upper bounds, in seconds, of the buckets of every histogram: a short run takes a tenth of a millisecond, and nobody waits
/// for ten minutes.
const BUCKETS: [f64; 16] = [
    0.000_1, 0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0,
];

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RunEnd {
    /// With a verdict.
    Verdict(Verdict),
    /// Without one: nobody wanted it any longer.
    Stopped,
    /// A bug ended it.
    Panicked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByWork {
    work: &'static str,
}

impl From<Work> for ByWork {
    fn from(work: Work) -> ByWork {
        let work = match work {
            Work::Run => "run",
            Work::Validation => "validation",
            Work::Session => "session",
            Work::Verdict => "verdict",
            Work::Rendering => "rendering",
        };
        ByWork { work }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVerdict {
    tenant: String,
    verdict: &'static str,
}

impl ByVerdict {
    fn of(tenant: &Tenant, end: RunEnd) -> ByVerdict {
        let verdict = match end {
            RunEnd::Verdict(Verdict::Passed) => "passed",
            RunEnd::Verdict(Verdict::Failed) => "failed",
            RunEnd::Verdict(Verdict::Unfinished) => "unfinished",
            RunEnd::Stopped => "none",
            RunEnd::Panicked => "panicked",
        };
        ByVerdict { tenant: tenant.name().to_owned(), verdict }
    }
}

/// Every metric of a service.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    calls: Calls,
    queue_time: Family<ByWork, Histogram>,
    run_time: Histogram,
    runs: Family<ByVerdict, Counter>,
    connections_refused: Counter,
    connections: Gauge,
    open_streams: Gauge,
    sessions: Gauge,
    memory: Gauge,
    unread_events: Gauge,
    tasks_waiting: Gauge,
    kept_runs_waiting: Gauge,
    threads_busy: Gauge,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

impl Metrics {
    /// The metrics of a service that has at most `threads` tasks of one client in progress.
    pub(crate) fn new(threads: usize) -> Arc<Metrics> {
        let mut metrics = Metrics {
            registry: Registry::default(),
            calls: Calls::default(),
            queue_time: Family::new_with_constructor(histogram),
            run_time: histogram(),
            runs: Family::default(),
            connections_refused: Counter::default(),
            connections: Gauge::default(),
            open_streams: Gauge::default(),
            sessions: Gauge::default(),
            memory: Gauge::default(),
            unread_events: Gauge::default(),
            tasks_waiting: Gauge::default(),
            kept_runs_waiting: Gauge::default(),
            threads_busy: Gauge::default(),
        };
        metrics.register(threads);
        // A rate needs a value from before the first event.
        for work in Work::ALL {
            drop(metrics.queue_time.get_or_create(&work.into()));
        }
        let verdicts = [Verdict::Passed, Verdict::Failed, Verdict::Unfinished].map(RunEnd::Verdict);
        for end in verdicts.into_iter().chain([RunEnd::Stopped, RunEnd::Panicked]) {
            drop(metrics.runs.get_or_create(&ByVerdict::of(Tenant::only(), end)));
        }
        Arc::new(metrics)
    }

    fn register(&mut self, threads: usize) {
        self.calls.register(&mut self.registry);
        #[cfg(target_os = "linux")]
        self.registry.register_collector(Box::new(process::Process));

        let own = self.registry.sub_registry_with_prefix("halfopen");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        own.register("build", "The version of the service", build);
        own.register("queue_seconds", "How long a task waited for a thread", self.queue_time.clone());
        own.register("run_seconds", "How long a run took on its thread", self.run_time.clone());
        own.register("runs", "Runs that ended, by tenant and verdict", self.runs.clone());
        let help = "Connections closed at once because a limit was reached";
        own.register("connections_refused", help, self.connections_refused.clone());
        let limit = Gauge::default();
        limit.set(level(threads));
        for (name, help, gauge) in [
            ("connections", "Open connections", &self.connections),
            ("open_streams", "Open calls of runs, sessions and renderings", &self.open_streams),
            ("sessions", "Sessions", &self.sessions),
            ("memory_bytes", "The counted memory of runs and of their unread events, in bytes", &self.memory),
            ("unread_events", "Events that their clients have not taken yet", &self.unread_events),
            ("tasks_waiting", "Tasks that wait for a thread", &self.tasks_waiting),
            (
                "kept_runs_waiting",
                "Accepted runs of the history that wait for their turn",
                &self.kept_runs_waiting,
            ),
            ("threads", "Tasks of one client that may be in progress at the same time", &limit),
            (
                "threads_busy",
                "Threads with a task in progress; with several clients or kinds of work, up to 16 more",
                &self.threads_busy,
            ),
        ] {
            own.register(name, help, gauge.clone());
        }
    }

    /// A task waited for a thread.
    pub(crate) fn waited(&self, work: Work, time: Duration) {
        self.queue_time.get_or_create(&work.into()).observe(time.as_secs_f64());
    }

    /// A run ended.
    pub(crate) fn ran(&self, tenant: &Tenant, end: RunEnd, time: Duration) {
        self.run_time.observe(time.as_secs_f64());
        self.runs.get_or_create(&ByVerdict::of(tenant, end)).inc();
    }

    /// A connection was closed at once.
    pub(crate) fn refused_connection(&self) {
        self.connections_refused.inc();
    }

    /// All of it as text.
    pub(crate) fn text(&self, load: &Load) -> String {
        let Load { connections, open_streams, waiting_runs, kept_runs_waiting, .. } = *load;
        let Load { busy_threads, sessions, unread_events, memory, .. } = *load;
        self.connections.set(level(connections));
        self.open_streams.set(level(open_streams));
        self.sessions.set(level(sessions));
        self.unread_events.set(i64::try_from(unread_events).unwrap_or(i64::MAX));
        self.memory.set(i64::try_from(memory).unwrap_or(i64::MAX));
        self.tasks_waiting.set(level(waiting_runs));
        self.kept_runs_waiting.set(level(kept_runs_waiting));
        self.threads_busy.set(level(busy_threads));
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("a string takes everything");
        text
    }
}

fn level(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
