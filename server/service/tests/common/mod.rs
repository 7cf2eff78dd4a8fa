//! What the tests of the service share: a server on a loopback port, and runs made by hand.

#![allow(dead_code, reason = "no test uses everything")]

use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1::execute_run_request::Source;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::{Event, ExecuteRunRequest, ExecuteRunResponse};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopen_tcp::{Errno, Instant};
use halfopen_trace::{self as trace, EventKind, HostId, RunFinished, RunStarted, Totals, Verdict};
use halfopend::{Access, Config, Runner, Service};
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;
use tonic::{Status, Streaming};

/// A scenario that can be loaded. What it says does not matter where the test brings its own runner.
pub(crate) const SCENARIO: &str = "\
scenario: refused
title: Nobody listens
hosts:
  client: {}
  server: {}
applications:
  client:
    - connect: server:80
expect:
  - client: {error: ECONNREFUSED}
";

/// Longer than anything takes, shorter than anybody waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A service on a loopback port.
pub(crate) struct Server {
    pub(crate) service: Service,
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Server {
    /// A service that executes runs as it does everywhere.
    pub(crate) async fn start() -> Server {
        Server::open_to(&Access::default()).await
    }

    /// The same, on a port with restricted access.
    pub(crate) async fn open_to(access: &Access) -> Server {
        Server::serve(Service::new(&config()).expect("threads"), access.clone()).await
    }

    /// A service that executes runs by `runner`.
    pub(crate) async fn with(config: &Config, runner: impl Runner) -> Server {
        Server::serve(Service::with_runner(config, runner).expect("threads"), Access::default()).await
    }

    /// A service on a port with restricted access.
    pub(crate) async fn serve(service: Service, access: Access) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (stop, stopped) = oneshot::channel();
        let serving = service.clone();
        let served = tokio::spawn(async move {
            let stopped = async {
                // A test that forgets its server lets it serve on.
                if stopped.await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            serving.serve(listener, &access, stopped).await;
        });
        Server { service, address, stop: Some(stop), served }
    }

    /// A connection of a client to it.
    pub(crate) async fn channel(&self) -> Channel {
        let endpoint = Channel::from_shared(format!("http://{}", self.address)).expect("a URI");
        endpoint.connect().await.expect("it listens")
    }

    /// A client of its runs.
    pub(crate) async fn runs(&self) -> RunServiceClient<Channel> {
        RunServiceClient::new(self.channel().await)
    }

    /// Tells it to stop, as a signal does.
    pub(crate) fn stop(&mut self) {
        self.stop.take().expect("not stopped before").send(()).expect("it serves");
    }

    /// Waits until it is gone.
    pub(crate) async fn gone(self) {
        tokio::time::timeout(PATIENCE, self.served).await.expect("it goes").expect("without a panic");
    }

    /// Waits until the service has to do what `wanted` says.
    pub(crate) async fn until(&self, wanted: impl Fn(halfopend::Load) -> bool) {
        let poll = async {
            while !wanted(self.service.load()) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, poll).await.unwrap_or_else(|_| panic!("{:?}", self.service.load()));
    }
}

/// Two threads, and room for two more runs.
pub(crate) fn config() -> Config {
    Config {
        threads: NonZeroUsize::new(2).expect("not 0"),
        queue: 2,
        grace: Duration::from_millis(200),
        ..Config::default()
    }
}

/// A request to run a text.
pub(crate) fn yaml(text: &str) -> ExecuteRunRequest {
    ExecuteRunRequest { source: Some(Source::Yaml(text.into())), ..ExecuteRunRequest::default() }
}

/// A request to run a bundled scenario.
pub(crate) fn named(name: &str) -> ExecuteRunRequest {
    ExecuteRunRequest { source: Some(Source::Name(name.into())), ..ExecuteRunRequest::default() }
}

/// A call as a client of gRPC-Web sends it over HTTP/1.1, perhaps with more headers.
pub(crate) fn web(path: &str, headers: &str, message: &impl Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    let body = [&[0], length.as_slice(), &message].concat();
    let head = format!(
        "POST /{path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/grpc-web+proto\r\n\
         {headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat()
}

/// Every event of a stream that goes well.
pub(crate) async fn all(stream: Streaming<ExecuteRunResponse>) -> Vec<Event> {
    let (events, status) = to_the_end(stream).await;
    assert!(status.is_none(), "{status:?}");
    events
}

/// Every event of a stream, and the error it ends with.
pub(crate) async fn to_the_end(mut stream: Streaming<ExecuteRunResponse>) -> (Vec<Event>, Option<Status>) {
    let mut events = Vec::new();
    let read = async {
        loop {
            match stream.message().await {
                Ok(Some(message)) => events.extend(message.events),
                Ok(None) => return None,
                Err(status) => return Some(status),
            }
        }
    };
    let status = tokio::time::timeout(PATIENCE, read).await.expect("the stream ends");
    (events, status)
}

/// Tells the sink of a run with this many events, the first and the last included.
pub(crate) fn tell(sink: &mut dyn Sink, scenario: &Scenario, options: &RunOptions, events: u64) {
    let mut chunk = vec![started(scenario, options)];
    let mut told = 0;
    for sequence in 2..events {
        chunk.push(segment(sequence));
        if chunk.len() == 256 {
            let full = Arc::new(std::mem::take(&mut chunk));
            sink.chunk(told + 1, &full);
            told += full.len() as u64;
        }
    }
    chunk.push(finished(events));
    sink.chunk(told + 1, &Arc::new(chunk));
}

/// Runs until it is no longer wanted.
pub(crate) fn forever(sink: &mut dyn Sink) {
    while sink.keep_going(0).is_continue() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The first event of a run.
pub(crate) fn started(scenario: &Scenario, options: &RunOptions) -> trace::Event {
    event(
        0,
        EventKind::RunStarted(Box::new(RunStarted {
            scenario: Arc::new(scenario.clone()),
            seed: options.seed,
            version: "test",
        })),
    )
}

/// An event in the middle.
pub(crate) fn segment(sequence: u64) -> trace::Event {
    let segment = trace::SegmentNumber(NonZeroU64::new(sequence).expect("not the first"));
    let mut event = event(sequence, EventKind::SegmentArrived { segment, dropped: None, datagram: None });
    event.host = Some(HostId((sequence % 2) as u16));
    event.connection = Some(trace::ConnectionNumber(NonZeroU32::MIN));
    event
}

/// An error of a connection.
pub(crate) fn error(nanos: u64, errno: Errno) -> trace::Event {
    event(nanos, EventKind::ConnectionError(errno))
}

/// The last event of a run.
pub(crate) fn finished(events: u64) -> trace::Event {
    event(
        events,
        EventKind::RunFinished(Box::new(RunFinished {
            verdict: Verdict::Passed,
            problems: Vec::new(),
            final_states: Vec::new(),
            totals: Totals { events, ..Totals::default() },
        })),
    )
}

fn event(nanos: u64, kind: EventKind) -> trace::Event {
    trace::Event { time: Instant::from_nanos(nanos), host: None, connection: None, kind }
}
