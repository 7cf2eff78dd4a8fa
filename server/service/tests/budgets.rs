//! What runs may cost on a server: each alone, and all together.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{Event, RunFinished, Verdict, problem, run_limit};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::{Access, Budget, Config, Service};
use tonic::Code;
use tonic_types::StatusExt;

use common::{SCENARIO, Server, all, config, finished, started, yaml};

/// Four connections, each with 500 MiB in its send buffer.
const BOMB: &str = "\
scenario: bomb
hosts: {client: {}, server: {tcp: {receive-buffer: 4 KiB}}}
applications:
  server: [listen: 80, hold]
  client:
    - repeat:
        - connect: server:80
        - set: {send-buffer: 1 GiB}
        - send: 500 MiB
      times: 4
    - hold
until: 1h
";

fn result(events: &[Event]) -> &RunFinished {
    match events.last().and_then(|event| event.kind.as_ref()) {
        Some(Kind::RunFinished(finished)) => finished,
        other => panic!("the last event is {other:?}"),
    }
}

/// The limit that ended a run.
fn limit(finished: &RunFinished) -> Option<run_limit::Kind> {
    match finished.problems.first()?.kind.as_ref()? {
        problem::Kind::LimitReached(limit) => limit.kind,
        _ => None,
    }
}

#[tokio::test]
async fn a_run_that_takes_too_much_memory_is_unfinished_and_the_next_one_passes() {
    let config = Config { budget: Budget { memory: 16 << 20, ..Budget::SHARED }, ..config() };
    let server = Server::serve(Service::new(&config).expect("threads"), Access::default()).await;
    let mut client = server.runs().await;
    let events = all(client.execute_run(yaml(BOMB)).await.unwrap().into_inner()).await;
    let finished = result(&events);
    assert_eq!(finished.verdict(), Verdict::Unfinished);
    assert_eq!(limit(finished), Some(run_limit::Kind::MemoryBytes(16 << 20)));
    let events = all(client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner()).await;
    assert_eq!(result(&events).verdict(), Verdict::Passed);
    server.until(|load| load.memory == 0).await;
}

#[tokio::test]
async fn a_run_that_takes_too_much_processor_time_is_unfinished() {
    let time = Duration::from_millis(20);
    let config = Config { processor_time: Some(time), ..config() };
    let server = Server::serve(Service::new(&config).expect("threads"), Access::default()).await;
    let text = BOMB.replace("500 MiB", "1 B").replace("times: 4", "times: 1000000");
    let stream = server.runs().await.execute_run(yaml(&text)).await.unwrap().into_inner();
    let events = all(stream).await;
    let Some(run_limit::Kind::ProcessorTime(found)) = limit(result(&events)) else {
        panic!("{:?}", result(&events).problems)
    };
    assert_eq!((found.seconds, found.nanos), (0, 20_000_000));
}

#[tokio::test]
async fn while_the_runs_take_too_much_memory_further_work_is_refused_and_they_go_on() {
    const MAX: u64 = 1 << 20;
    let taken = Arc::new(AtomicU64::new(MAX - 1));
    let takes = Arc::clone(&taken);
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
        while sink.keep_going(takes.load(Ordering::Relaxed)).is_continue() {
            if takes.load(Ordering::Relaxed) == 0 {
                return sink.chunk(2, &Arc::new(vec![finished(2)]));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let server = Server::with(&Config { max_memory: MAX, ..config() }, runner).await;
    let mut client = server.runs().await;
    let first = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    server.until(|load| load.memory == MAX - 1).await;
    let second = client.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    server.until(|load| load.memory > MAX).await;
    let refused = client.execute_run(yaml(SCENARIO)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "MEMORY_FULL");
    assert!(details.retry_info().unwrap().retry_delay.is_some());
    taken.store(0, Ordering::Relaxed);
    for stream in [first, second] {
        assert_eq!(result(&all(stream).await).verdict(), Verdict::Passed);
    }
    server.until(|load| load.memory == 0).await;
    assert!(client.execute_run(yaml(SCENARIO)).await.is_ok());
}

#[tokio::test]
async fn the_memory_of_a_run_is_free_when_its_reader_is_gone() {
    let runner = |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
        while sink.keep_going(1 << 20).is_continue() {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let server = Server::with(&config(), runner).await;
    let stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    server.until(|load| load.memory >= 1 << 20).await;
    drop(stream);
    server.until(|load| load.memory == 0 && load.open_streams == 0).await;
}
