//! What happens to runs: how each can end, and that none harms another.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::{
    PATIENCE, SCENARIO, Server, all, config, finished, forever, named, segment, started, tell, to_the_end,
    web, yaml,
};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_proto::v1::{ExecuteRunRequest, ExecuteRunResponse, ValidateScenarioRequest};
use halfopen_scenario::Scenario;
use halfopen_scenario::library;
use halfopen_sim::{RunOptions, Sink};
use halfopen_tcp::State;
use halfopen_trace::{ConnectionNumber, EventKind, FinalState, HostId};
use halfopend::{Config, Runner, Service};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Streaming};
use tonic_types::StatusExt;

/// A runner that runs forever and says when a run began and when it was asked to stop.
fn endless() -> (impl Runner, mpsc::Receiver<&'static str>) {
    let (said, says) = mpsc::channel();
    let said = Mutex::new(said);
    let say = move |what| said.lock().expect("no panic").send(what).expect("the test listens");
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        say("began");
        sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
        forever(sink);
        say("stopped");
    };
    (runner, says)
}

/// What the runner says next; the waiting must not hold up the server.
async fn next(says: mpsc::Receiver<&'static str>) -> (&'static str, mpsc::Receiver<&'static str>) {
    let wait = move || (says.recv_timeout(PATIENCE).expect("the runner says something"), says);
    tokio::task::spawn_blocking(wait).await.expect("no panic")
}

#[tokio::test]
async fn a_run_is_streamed_completely_and_in_order() {
    for events in [2, 3, 511, 512, 513, 5000] {
        let server = Server::with(
            &config(),
            move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
                tell(sink, scenario, options, events);
            },
        )
        .await;
        let request = ExecuteRunRequest { seed: Some(7), ..yaml(SCENARIO) };
        let got = all(server.runs().await.execute_run(request).await.unwrap().into_inner()).await;
        let sequences: Vec<u64> = got.iter().map(|event| event.sequence).collect();
        assert_eq!(sequences, (1..=events).collect::<Vec<_>>());
        let Some(Kind::RunStarted(first)) = &got[0].kind else { panic!("{:?}", got[0]) };
        assert_eq!((first.seed, first.hosts.len()), (7, 2));
        assert!(!first.settings.is_empty(), "what decides the run is said");
        assert!(matches!(got.last().unwrap().kind, Some(Kind::RunFinished(_))));
        if let Some(third) = got.get(2).filter(|_| events > 3) {
            assert_eq!(third.host, "server", "hosts have the names of the first event");
        }
        server.until(|load| load.open_streams == 0 && load.unread_events == 0).await;
    }
}

#[tokio::test]
async fn the_in_memory_connection_is_the_same_service() {
    let server =
        Server::with(&config(), |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            tell(sink, scenario, options, 1000);
        })
        .await;
    let over_tcp = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    let mut client = RunServiceClient::new(server.service.connect());
    let in_memory = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    assert_eq!(all(over_tcp).await, all(in_memory).await);
}

#[tokio::test]
async fn a_dropped_service_ends_its_threads() {
    let (alive, is_gone) = mpsc::channel::<()>();
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        // Every thread has the runner, and the runner has this.
        let _ = &alive;
        tell(sink, scenario, options, 1000);
    };
    let service = Service::with_runner(&config(), runner).unwrap();
    let mut client = RunServiceClient::new(service.connect());
    assert_eq!(all(client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner()).await.len(), 1000);
    drop((client, service));
    let gone = tokio::task::spawn_blocking(move || is_gone.recv_timeout(PATIENCE)).await.unwrap();
    assert_eq!(gone, Err(mpsc::RecvTimeoutError::Disconnected));
}

#[tokio::test]
async fn a_wrong_scenario_is_an_invalid_argument_that_says_where() {
    let server = Server::start().await;
    let wrong = SCENARIO.replace("server:80", "sever:80");
    let status = server.runs().await.execute_run(yaml(&wrong)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    let details = status.get_error_details();
    let info = details.error_info().expect("an ErrorInfo");
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("SCENARIO_INVALID", "halfopen.v1"));
    let violations = &details.bad_request().expect("a BadRequest").field_violations;
    let [violation] = violations.as_slice() else { panic!("{violations:?}") };
    assert_eq!(violation.field, "applications.client[0].connect");
    assert!(violation.description.starts_with("line 8, column 16: "), "{violation:?}");
    assert!(violation.description.contains("server"), "it says what was meant: {violation:?}");
}

#[tokio::test]
async fn the_details_of_many_mistakes_still_fit_a_header() {
    let server = Server::start().await;
    let mut wrong = SCENARIO.to_owned();
    for _ in 0..100 {
        wrong += "  - nobody: {error: ECONNREFUSED}\n";
    }
    let status = server.runs().await.execute_run(yaml(&wrong)).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().contains("50 mistakes"), "{status}");
    let octets = status.message().len() + status.details().len() * 4 / 3;
    assert!(octets < 8 * 1024, "{octets}");
    assert!(!status.get_error_details().bad_request().unwrap().field_violations.is_empty());
}

#[tokio::test]
async fn a_request_without_a_scenario_is_an_invalid_argument() {
    let server = Server::start().await;
    let status = server.runs().await.execute_run(ExecuteRunRequest::default()).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "SOURCE_MISSING");
}

#[tokio::test]
async fn an_unknown_name_is_not_found() {
    let server = Server::start().await;
    let status = server.runs().await.execute_run(named("dead-clinet")).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "SCENARIO_UNKNOWN");
    assert_eq!(details.resource_info().unwrap().resource_name, "dead-clinet");
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_with_a_clear_error() {
    let server = Server::start().await;
    let mut client = server.runs().await;
    for (mebibytes, code, says) in [(5, Code::InvalidArgument, "1048576"), (9, Code::OutOfRange, "8388608")] {
        let status = client.execute_run(yaml(&"#".repeat(mebibytes << 20))).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(says), "{status}");
    }
}

/// Endless runs of a client, as many as it may have in progress.
async fn occupied(client: &RunServiceClient<Channel>) -> Vec<Response<Streaming<ExecuteRunResponse>>> {
    let mut open = Vec::new();
    for _ in 0..config().threads.get() {
        open.push(client.clone().execute_run(yaml(SCENARIO)).await.unwrap());
    }
    open
}

#[tokio::test]
async fn a_full_queue_is_resource_exhausted_until_somebody_leaves() {
    let (runner, _says) = endless();
    let server = Server::with(&config(), runner).await;
    let client = server.runs().await;
    let open = occupied(&client).await;
    let wait = || {
        let mut client = client.clone();
        tokio::spawn(async move { client.execute_run(yaml(SCENARIO)).await })
    };
    let waiting = [wait(), wait()];
    server.until(|load| load.waiting_runs == 2).await;
    let status = client.clone().execute_run(yaml(SCENARIO)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let details = status.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "QUEUE_FULL");
    assert!(details.retry_info().is_some());

    // One that waits goes away, and the next takes its place.
    waiting[1].abort();
    server.until(|load| load.open_streams == 3).await;
    let next = wait();
    server.until(|load| load.open_streams == 4).await;
    drop(open);
    next.await.unwrap().expect("its turn comes");
}

/// A client of the server at another address of this machine.
async fn from(server: &Server, source: [u8; 4]) -> RunServiceClient<Channel> {
    let endpoint = Channel::from_shared(format!("http://{}", server.address)).unwrap();
    let endpoint = endpoint.local_address(Some(IpAddr::from(source)));
    RunServiceClient::new(endpoint.connect().await.unwrap())
}

#[tokio::test]
async fn many_long_runs_of_one_client_do_not_hold_up_the_short_one_of_another() {
    let (runner, _says) = endless();
    let short = |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        tell(sink, scenario, options, 1000);
    };
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| match options.seed
    {
        7 => short(scenario, options, sink),
        _ => runner.run(scenario, options, sink),
    };
    let config = Config { queue: 100, ..config() };
    let server = Server::with(&config, runner).await;
    let heavy = from(&server, [127, 0, 0, 2]).await;
    let _heavy: Vec<_> = (0..50)
        .map(|_| {
            let mut heavy = heavy.clone();
            tokio::spawn(async move { heavy.execute_run(yaml(SCENARIO)).await })
        })
        .collect();
    server.until(|load| load.waiting_runs == 48).await;
    let mut light = from(&server, [127, 0, 0, 3]).await;
    let request = ExecuteRunRequest { seed: Some(7), ..yaml(SCENARIO) };
    let run = async { all(light.execute_run(request).await.unwrap().into_inner()).await };
    let events =
        tokio::time::timeout(PATIENCE, run).await.expect("it does not wait for those that never end");
    assert_eq!(events.len(), 1000);
}

#[tokio::test]
async fn a_call_that_is_late_in_the_queue_ends_with_its_deadline() {
    let (runner, _says) = endless();
    let server = Server::with(&Config { queue: 10, ..config() }, runner).await;
    let open = occupied(&server.runs().await).await;
    // Clients of tonic end such a call by themselves.
    let late = web("halfopen.v1.RunService/ExecuteRun", "grpc-timeout: 200m\r\n", &yaml(SCENARIO));
    let mut connection = TcpStream::connect(&server.address).await.unwrap();
    connection.write_all(&late).await.unwrap();
    let mut answer = [0; 1024];
    let read = tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await;
    let length = read.expect("it is answered").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.contains("grpc-status: 4\r\n"), "DEADLINE_EXCEEDED: {answer}");
    drop(open);
}

#[tokio::test]
async fn validations_do_not_wait_for_the_runs_of_the_same_client() {
    let (runner, _says) = endless();
    let server = Server::with(&Config { queue: 10, ..config() }, runner).await;
    let _open = occupied(&server.runs().await).await;
    let mut scenarios = ScenarioServiceClient::new(server.channel().await);
    let request = ValidateScenarioRequest { yaml: SCENARIO.into(), file: String::new(), session: false };
    let validated = tokio::time::timeout(PATIENCE, scenarios.validate_scenario(request)).await;
    validated.expect("there is a thread for them").expect("it is right");
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_run() {
    let (runner, says) = endless();
    let server = Server::with(&config(), runner).await;
    let mut stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    stream.message().await.unwrap().expect("the first events come before the run is over");
    let (said, says) = next(says).await;
    assert_eq!(said, "began");
    drop(stream);
    assert_eq!(next(says).await.0, "stopped");
    server.until(|load| load.open_streams == 0).await;
}

#[tokio::test]
async fn a_deadline_holds_for_the_whole_stream_and_stops_the_run() {
    let (runner, says) = endless();
    let server = Server::with(&config(), runner).await;
    let mut request = Request::new(yaml(SCENARIO));
    // As other clients send it: tonic's own would end the call by itself.
    request.metadata_mut().insert("grpc-timeout", "300m".parse().unwrap());
    let stream = server.runs().await.execute_run(request).await.unwrap().into_inner();
    let (events, status) = to_the_end(stream).await;
    assert_eq!(events.len(), 1, "what happened before the deadline was streamed");
    assert_eq!(status.expect("an error").code(), Code::DeadlineExceeded);
    let (said, says) = next(says).await;
    assert_eq!(said, "began");
    assert_eq!(next(says).await.0, "stopped");
}

#[tokio::test]
async fn a_panic_ends_its_run_with_internal_and_affects_no_other() {
    let server =
        Server::with(&config(), |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            match options.seed {
                13 => {
                    sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
                    panic!("thirteen");
                }
                14 => {}
                _ => {
                    std::thread::sleep(Duration::from_millis(20));
                    tell(sink, scenario, options, 1000);
                }
            }
        })
        .await;
    let mut client = server.runs().await;
    // More panics than there are threads: each thread goes on.
    for _ in 0..5 {
        let other = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
        let request = ExecuteRunRequest { seed: Some(13), ..yaml(SCENARIO) };
        let (events, status) = to_the_end(client.execute_run(request).await.unwrap().into_inner()).await;
        assert_eq!(events.len(), 1, "what happened before the panic was streamed");
        let status = status.expect("an error");
        assert_eq!(status.code(), Code::Internal);
        assert!(status.message().contains("thirteen"), "{status}");
        assert_eq!(status.get_error_details().error_info().unwrap().metadata["seed"], "13");
        assert_eq!(all(other).await.len(), 1000);
    }
    let request = ExecuteRunRequest { seed: Some(14), ..yaml(SCENARIO) };
    let (_, status) = to_the_end(client.execute_run(request).await.unwrap().into_inner()).await;
    assert_eq!(status.expect("a run without a verdict is an error").code(), Code::Internal);
}

#[tokio::test]
async fn a_slow_reader_neither_delays_its_run_nor_grows_the_server_forever() {
    const EVENTS: u64 = 200_000;
    let (done, is_done) = mpsc::channel();
    let done = Mutex::new(done);
    let config = Config { max_unread_events: EVENTS / 2, ..config() };
    let server =
        Server::with(&config, move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            tell(sink, scenario, options, EVENTS);
            done.lock().unwrap().send("done").unwrap();
        })
        .await;
    let mut client = server.runs().await;
    let stream = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    // Nothing was read, and yet the run is done.
    let (_, is_done) = next(is_done).await;
    assert!(server.service.load().unread_events > EVENTS / 2, "{:?}", server.service.load());
    let status = client.execute_run(yaml(SCENARIO)).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "READERS_TOO_SLOW");

    // Nothing was lost either, and what is read is let go.
    let sequences: Vec<u64> = all(stream).await.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=EVENTS).collect::<Vec<_>>());
    server.until(|load| load.unread_events == 0).await;
    let stream = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    next(is_done).await;
    drop(stream);
    let idle = halfopend::Load { connections: 1, ..halfopend::Load::default() };
    server.until(|load| load == idle).await;
}

#[tokio::test]
async fn a_reader_that_pauses_holds_up_its_own_run_and_no_other() {
    const EVENTS: u64 = 1_000_000;
    let config = Config { max_unread_events: 4_000_000, ..config() };
    let runner = |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        tell(sink, scenario, options, if options.seed == 7 { EVENTS } else { 100 });
    };
    let server = Server::with(&config, runner).await;
    let mut client = from(&server, [127, 0, 0, 2]).await;
    let request = ExecuteRunRequest { seed: Some(7), ..yaml(SCENARIO) };
    let paused = client.execute_run(request).await.unwrap().into_inner();
    server.until(|load| load.unread_events > 200_000).await;
    let mut other = from(&server, [127, 0, 0, 3]).await;
    for _ in 0..10 {
        assert_eq!(all(other.execute_run(yaml(SCENARIO)).await.unwrap().into_inner()).await.len(), 100);
    }
    let unread = server.service.load().unread_events;
    assert!(unread < 300_000, "the run waits for its reader: {unread}");
    let sequences: Vec<u64> = all(paused).await.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=EVENTS).collect::<Vec<_>>(), "and goes on with it");
}

#[tokio::test]
async fn a_reader_that_pauses_too_long_loses_its_run() {
    let (runner, says) = talkative();
    let config = Config { max_pause: Duration::from_millis(300), ..config() };
    let server = Server::with(&config, runner).await;
    let stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    let (said, _says) = next(says).await;
    assert_eq!(said, "stopped");
    server.until(|load| load.unread_events < 2000).await;
    let (events, status) = to_the_end(stream).await;
    assert!(!events.is_empty());
    let status = status.expect("an error");
    assert_eq!(status.code(), Code::Aborted, "{status}");
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "READER_PAUSED");
}

/// A runner that tells events until it is asked to stop, and says when it was.
fn talkative() -> (impl Runner, mpsc::Receiver<&'static str>) {
    let (said, says) = mpsc::channel();
    let said = Mutex::new(said);
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
        let mut next = 2;
        while sink.keep_going(0).is_continue() {
            sink.chunk(next, &Arc::new((next..next + 500).map(segment).collect()));
            next += 500;
        }
        said.lock().expect("no panic").send("stopped").expect("the test listens");
    };
    (runner, says)
}

#[tokio::test]
async fn an_event_that_is_too_large_for_a_message_comes_in_parts() {
    const STATES: u32 = 50_000;
    let runner = |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        let mut last = finished(2);
        if let EventKind::RunFinished(finished) = &mut last.kind {
            let state = |number| FinalState {
                host: HostId(0),
                connection: ConnectionNumber::new(number).expect("not 0"),
                state: State::Established,
            };
            finished.final_states = (1..=STATES as usize).map(state).collect();
        }
        sink.chunk(1, &Arc::new(vec![started(scenario, options), last]));
    };
    let server = Server::with(&config(), runner).await;
    let mut stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    let (mut sequence, mut connections) = (0, Vec::new());
    while let Some(ExecuteRunResponse { events, part }) = stream.message().await.unwrap() {
        let size = ExecuteRunResponse { events: events.clone(), part: part.clone() }.encoded_len();
        assert!(size < 1 << 20, "{size}");
        assert!(events.is_empty() == part.is_some(), "a message has events or a part");
        connections.extend(part.into_iter().flat_map(|part| part.final_states).map(|state| state.connection));
        for event in events {
            sequence += 1;
            assert_eq!(event.sequence, sequence);
            if let Some(Kind::RunFinished(finished)) = event.kind {
                assert_eq!(finished.final_states, []);
                assert!(finished.totals.is_some());
            }
        }
    }
    assert_eq!(sequence, 2);
    assert_eq!(connections, (1..=STATES).collect::<Vec<_>>());
    server.until(|load| load.unread_events == 0).await;
}

#[tokio::test]
async fn datagrams_are_sent_on_request() {
    let server = Server::start().await;
    let mut client = server.runs().await;
    for snapshot_length in [0, 40, 65_535] {
        let request = ExecuteRunRequest { snapshot_length, ..yaml(SCENARIO) };
        let stream = client.execute_run(request).await.unwrap().into_inner();
        let sent: Vec<_> = all(stream)
            .await
            .into_iter()
            .filter_map(|event| match event.kind {
                Some(Kind::SegmentSent(sent)) => Some((sent.datagram.len(), sent.size)),
                _ => None,
            })
            .collect();
        assert!(!sent.is_empty());
        for (octets, size) in sent {
            assert_eq!(octets, size.min(snapshot_length) as usize);
        }
    }
    server.until(|load| load.unread_events == 0).await;
}

#[tokio::test]
async fn the_same_run_twice_at_once_has_the_same_bytes() {
    let server = Server::start().await;
    let mut client = server.runs().await;
    let all_scenarios = library::ALL.iter().flat_map(library::Bundled::scenarios);
    for scenario in all_scenarios {
        let variant = scenario.variant.clone().unwrap_or_default();
        let request =
            || ExecuteRunRequest { seed: Some(42), variant: variant.clone(), ..named(&scenario.id) };
        let one = client.execute_run(request()).await.unwrap().into_inner();
        let other = client.execute_run(request()).await.unwrap().into_inner();
        let (one, other) = tokio::join!(all(one), all(other));
        assert!(!one.is_empty());
        // The messages may be cut differently; the events may not differ.
        let octets = |events| ExecuteRunResponse { events, part: None }.encode_to_vec();
        assert_eq!(octets(one), octets(other), "{}", scenario.name());
    }
}

#[tokio::test]
async fn the_profile_of_a_request_is_that_of_every_host() {
    let server = Server::start().await;
    let mut client = server.runs().await;
    let with = |profile: &str| ExecuteRunRequest { profile: profile.into(), ..yaml(SCENARIO) };
    for (asked, expected) in [("", "linux"), ("linux", "linux"), ("freebsd", "freebsd")] {
        let events = all(client.execute_run(with(asked)).await.unwrap().into_inner()).await;
        let Some(Kind::RunStarted(started)) = &events[0].kind else { panic!("{:?}", events[0]) };
        let profiles: Vec<_> = started.hosts.iter().map(|host| host.profile.as_str()).collect();
        assert_eq!(profiles, [expected; 2], "{asked:?}");
    }
    for (asked, help) in [("freebds", "did you mean `freebsd`?"), ("solaris", "`windows` and `macos`")] {
        let status = client.execute_run(with(asked)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "PROFILE_UNKNOWN");
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "profile");
        assert!(status.message().contains(asked) && status.message().contains(help), "{status}");
    }
}

const VARIANTS: &str = "\
variants:
  near: {network: {latency: 1ms}}
  far: {network: {latency: 80ms}, title: Nobody listens far away}
";

#[tokio::test]
async fn a_scenario_with_variants_runs_the_one_that_is_named() {
    let server = Server::start().await;
    let mut client = server.runs().await;
    let text = format!("{SCENARIO}{VARIANTS}");
    let with = |variant: &str| ExecuteRunRequest { variant: variant.into(), ..yaml(&text) };
    let events = all(client.execute_run(with("far")).await.unwrap().into_inner()).await;
    let Some(Kind::RunStarted(started)) = &events[0].kind else { panic!("{:?}", events[0]) };
    let seen = (started.scenario.as_str(), started.variant.as_str(), started.title.as_str());
    assert_eq!(seen, ("refused", "far", "Nobody listens far away"));

    let cases = [
        (with(""), Code::InvalidArgument, "VARIANT_MISSING", "say which: `near` and `far`"),
        (with("fra"), Code::NotFound, "VARIANT_UNKNOWN", "did you mean `far`?"),
        (
            ExecuteRunRequest { variant: "far".into(), ..yaml(SCENARIO) },
            Code::NotFound,
            "VARIANT_UNKNOWN",
            "no variants",
        ),
    ];
    for (request, code, reason, part) in cases {
        let status = client.execute_run(request).await.unwrap_err();
        assert_eq!(
            (status.code(), status.get_error_details().error_info().unwrap().reason.as_str()),
            (code, reason)
        );
        assert!(status.message().contains(part), "{}", status.message());
    }
}
