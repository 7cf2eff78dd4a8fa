//! What the service makes of a run: events to a client over loopback, and short runs side by side.
//!
//! `cargo bench -p halfopend`

use std::sync::{Arc, LazyLock};

use divan::Bencher;
use divan::counter::ItemsCount;
use futures_util::{StreamExt, future, stream};
use halfopen_proto::v1::ExecuteRunRequest;
use halfopen_proto::v1::execute_run_request::Source;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_scenario::Scenario;
use halfopen_sim::{Discard, RunOptions, Sink};
use halfopen_trace::Trace;
use halfopend::{Access, Config, Service};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tonic::transport::Channel;

/// Handshake, 1 KiB each way, four-way close, TIME-WAIT, 20 ms one way.
const SESSION: &str = include_str!("session.yaml");
/// 64 MiB one way.
const BULK: &str = include_str!("bulk.yaml");

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("threads"));

fn main() {
    divan::main();
}

/// A client of a service on a loopback port.
fn client(service: Service) -> RunServiceClient<Channel> {
    let [client] = clients(service);
    client
}

/// The same, several with a connection each.
fn clients<const N: usize>(service: Service) -> [RunServiceClient<Channel>; N] {
    RUNTIME.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        tokio::spawn(
            async move { service.serve(listener, &Access::default(), std::future::pending()).await },
        );
        let connect = [(); N].map(|()| RunServiceClient::connect(format!("http://{address}")));
        let connected = future::try_join_all(connect).await.expect("it listens");
        connected.try_into().expect("as many as began to connect")
    })
}

/// Runs a text and counts the events that arrive.
async fn run(client: &RunServiceClient<Channel>, text: &str) -> u64 {
    let request =
        ExecuteRunRequest { source: Some(Source::Yaml(text.into())), ..ExecuteRunRequest::default() };
    let mut stream = client.clone().execute_run(request).await.expect("it is taken").into_inner();
    let mut events = 0;
    while let Some(message) = stream.message().await.expect("it goes well") {
        events += message.events.len() as u64;
    }
    events
}

fn recorded(text: &str) -> Trace {
    let scenario = Arc::new(halfopen_scenario::load(text).expect("it is right"));
    halfopen_sim::run(&scenario, &RunOptions::default(), &mut Discard).trace
}

/// The service alone: the trace is there already, as when other runs keep the engine's threads busy.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn events_of_a_recorded_run(bencher: Bencher<'_, '_>) {
    let trace = recorded(BULK);
    let events = trace.len();
    let replay = move |_: &Arc<Scenario>, _: &RunOptions, sink: &mut dyn Sink| {
        let mut first = 1;
        for chunk in trace.chunks() {
            sink.chunk(first, chunk);
            first += chunk.len() as u64;
        }
    };
    let client = client(Service::with_runner(&Config::default(), replay).expect("threads"));
    bencher.counter(ItemsCount::new(events)).bench(|| {
        assert_eq!(RUNTIME.block_on(run(&client, SESSION)), events);
    });
}

/// The service with the engine, as a client meets it.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn events_of_a_run_as_it_happens(bencher: Bencher<'_, '_>) {
    let events = recorded(BULK).len();
    let client = client(Service::new(&Config::default()).expect("threads"));
    bencher.counter(ItemsCount::new(events)).bench(|| {
        assert_eq!(RUNTIME.block_on(run(&client, BULK)), events);
    });
}

/// The number of short runs in a sample.
const RUNS: usize = 2000;
/// The number of those in flight.
const IN_FLIGHT: usize = 16;

/// Short runs on one connection.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn short_runs(bencher: Bencher<'_, '_>) {
    let client = client(Service::new(&Config::default()).expect("threads"));
    bencher.counter(ItemsCount::new(RUNS)).bench(|| {
        let runs = stream::iter(0..RUNS).map(|_| run(&client, SESSION)).buffer_unordered(IN_FLIGHT);
        RUNTIME.block_on(runs.for_each(|events| async move { assert!(events > 0) }));
    });
}

/// Short runs on a connection each.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn short_runs_of_many_clients(bencher: Bencher<'_, '_>) {
    let clients: [_; IN_FLIGHT] = clients(Service::new(&Config::default()).expect("threads"));
    bencher.counter(ItemsCount::new(RUNS)).bench(|| {
        let runs = clients.iter().map(|client| async {
            for _ in 0..RUNS / IN_FLIGHT {
                assert!(run(client, SESSION).await > 0);
            }
        });
        RUNTIME.block_on(future::join_all(runs));
    });
}
