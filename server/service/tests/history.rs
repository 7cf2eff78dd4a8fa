//! Runs that are kept: created, watched, listed, cancelled, and executed after a restart.
#![cfg(all(feature = "history", unix))]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use common::{PATIENCE, Server, all, config, named, yaml};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::history_service_client::HistoryServiceClient;
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_proto::v1::{
    CancelRunRequest, CreateRunRequest, DeleteRunRequest, Event, ExecuteRunRequest, GetRunRequest,
    ListRunsRequest, ListScenariosRequest, Run, RunState, Verdict, WatchRunRequest, WatchRunResponse,
};
use halfopend::{Access, Config, KeptRuns, Retention, Service};
use prost::Message;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

type Runs = HistoryServiceClient<Channel>;

/// Several batches of events.
const LONG: &str = "\
scenario: long
title: A thousand times a kibibyte
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: end]
  client:
    - connect: server:80
    - send: 1 KiB
      every: 1us
      times: 1000
";

/// It is still executed when somebody who has seen some of it does something.
fn very_long() -> ExecuteRunRequest {
    yaml(&LONG.replace("1000", "60000"))
}

async fn server(folder: &Path) -> Server {
    let retention = Retention { keep_for: None, keep_bytes: None };
    let address = folder.join("runs.db").display().to_string();
    let kept = KeptRuns::open(&address, retention).await.expect("a history");
    let config = Config { grace: Duration::ZERO, ..config() };
    Server::serve(Service::with_history(&config, kept).expect("threads"), Access::default()).await
}

/// Stops it, so that another can open the history.
async fn stop(mut server: Server) {
    let service = server.service.clone();
    server.stop();
    server.gone().await;
    service.close().await;
}

/// A client of the runs that it keeps.
async fn kept_by(server: &Server) -> Runs {
    HistoryServiceClient::new(server.channel().await)
}

/// The events of a run that is not kept.
async fn executed(server: &Server, request: ExecuteRunRequest) -> Vec<Event> {
    all(server.runs().await.execute_run(request).await.expect("it runs").into_inner()).await
}

async fn create(
    runs: &mut Runs,
    run: ExecuteRunRequest,
    request_id: &str,
    labels: &[(&str, &str)],
) -> Result<Run, Status> {
    let labels: BTreeMap<String, String> =
        labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = CreateRunRequest { run: Some(run), request_id: request_id.to_owned(), labels };
    Ok(runs.create_run(request).await?.into_inner().run.expect("a run"))
}

async fn watch(
    runs: &mut Runs,
    id: &str,
    after_sequence: u64,
) -> Result<Streaming<WatchRunResponse>, Status> {
    Ok(runs.watch_run(WatchRunRequest { id: id.to_owned(), after_sequence }).await?.into_inner())
}

/// The events of a watch, and the error it ends with.
async fn watched(mut stream: Streaming<WatchRunResponse>) -> (Vec<Event>, Option<Status>) {
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

async fn get(runs: &mut Runs, id: &str) -> Result<Run, Status> {
    Ok(runs.get_run(GetRunRequest { id: id.to_owned() }).await?.into_inner().run.expect("a run"))
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_run_that_was_created_has_the_events_of_one_that_is_executed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path()).await;
    let mut runs = kept_by(&server).await;
    let request = ExecuteRunRequest { seed: Some(7), snapshot_length: 64, ..named("dead-client") };
    let executed = executed(&server, request.clone()).await;
    let created = create(&mut runs, request, "", &[("job", "nightly")]).await.expect("it is accepted");
    assert_eq!(
        (created.tenant.as_str(), created.seed, created.scenario.as_str()),
        ("default", 7, "dead-client")
    );
    for after in [0, 1, executed.len() as u64 / 2, executed.len() as u64] {
        let (events, status) =
            watched(watch(&mut runs, &created.id, after).await.expect("it is there")).await;
        assert!(status.is_none(), "{status:?}");
        assert!(events == executed[usize::try_from(after).expect("few")..], "after {after}");
    }
    let run = get(&mut runs, &created.id).await.expect("it is there");
    assert_eq!(
        (run.state(), run.verdict(), run.events),
        (RunState::Finished, Verdict::Passed, executed.len() as u64)
    );
    let times = [run.create_time, run.begin_time, run.end_time].map(|time| time.expect("a time"));
    assert!(times.map(|time| (time.seconds, time.nanos)).is_sorted(), "{times:?}");
    let Some(Kind::RunFinished(finished)) = &executed.last().expect("events").kind else { panic!("no end") };
    assert_eq!(run.virtual_time, finished.totals.as_ref().expect("totals").virtual_time);
    assert_eq!(run.labels, BTreeMap::from([("job".to_owned(), "nightly".to_owned())]));
    stop(server).await;
}

#[tokio::test]
async fn what_cannot_be_created_or_found_says_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path()).await;
    let mut runs = kept_by(&server).await;
    let long = "x".repeat(129);
    let many: Vec<String> = (0..33).map(|label| label.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "")).collect();
    type Case<'a> = (ExecuteRunRequest, &'a str, &'a [(&'a str, &'a str)], Code, &'a str);
    let cases: [Case<'_>; 9] = [
        (ExecuteRunRequest::default(), "", &[], Code::InvalidArgument, "SOURCE_MISSING"),
        (yaml("hosts: 1"), "", &[], Code::InvalidArgument, "SCENARIO_INVALID"),
        (named("no-such"), "", &[], Code::NotFound, "SCENARIO_UNKNOWN"),
        (
            ExecuteRunRequest { profile: "os2".into(), ..named("dead-client") },
            "",
            &[],
            Code::InvalidArgument,
            "PROFILE_UNKNOWN",
        ),
        (named("dead-client"), &long, &[], Code::InvalidArgument, "REQUEST_ID_INVALID"),
        (named("dead-client"), "a\0b", &[], Code::InvalidArgument, "REQUEST_ID_INVALID"),
        (named("dead-client"), "", &[("", "value")], Code::InvalidArgument, "LABELS_INVALID"),
        (named("dead-client"), "", &[("name", "\n")], Code::InvalidArgument, "LABELS_INVALID"),
        (named("dead-client"), "", &many, Code::InvalidArgument, "LABELS_INVALID"),
    ];
    for (request, request_id, labels, code, expected) in cases {
        let status = create(&mut runs, request, request_id, labels).await.expect_err(expected);
        assert_eq!((status.code(), reason(&status).as_str()), (code, expected));
    }
    let first = create(&mut runs, named("dead-client"), "one", &[]).await.expect("it is accepted");
    let again = create(&mut runs, named("dead-client"), "one", &[]).await.expect("it is the same");
    assert_eq!(first.id, again.id);
    let other =
        create(&mut runs, named("dead-client"), "one", &[("a", "b")]).await.expect_err("it is another");
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_TAKEN"));
    let unknown = [
        get(&mut runs, "a").await.expect_err("there is none"),
        watch(&mut runs, "a", 0).await.expect_err("there is none"),
        runs.cancel_run(CancelRunRequest { id: "a".into() }).await.expect_err("there is none"),
        runs.delete_run(DeleteRunRequest { id: "a".into() }).await.expect_err("there is none"),
    ];
    for status in unknown {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "RUN_UNKNOWN"));
    }
    for (request, expected) in [
        (ListRunsRequest { page_size: -1, ..ListRunsRequest::default() }, "PAGE_SIZE_INVALID"),
        (ListRunsRequest { page_token: "next".into(), ..ListRunsRequest::default() }, "PAGE_TOKEN_INVALID"),
    ] {
        let status = runs.list_runs(request).await.expect_err(expected);
        assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, expected));
    }
    stop(server).await;
}

#[tokio::test]
async fn without_a_history_the_calls_say_what_to_do() {
    let server = Server::start().await;
    let mut runs = kept_by(&server).await;
    let refused = [
        create(&mut runs, named("dead-client"), "", &[]).await.expect_err("nothing is kept"),
        get(&mut runs, "a").await.expect_err("nothing is kept"),
        watch(&mut runs, "a", 0).await.expect_err("nothing is kept"),
        runs.list_runs(ListRunsRequest::default()).await.expect_err("nothing is kept"),
        runs.cancel_run(CancelRunRequest::default()).await.expect_err("nothing is kept"),
        runs.delete_run(DeleteRunRequest::default()).await.expect_err("nothing is kept"),
    ];
    for status in refused {
        assert_eq!((status.code(), reason(&status).as_str()), (Code::FailedPrecondition, "HISTORY_MISSING"));
        assert!(status.message().contains("--history"), "{}", status.message());
    }
}

#[tokio::test]
async fn lists_have_the_latest_runs_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path()).await;
    let mut runs = kept_by(&server).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let scenario = if number < 2 { "dead-client" } else { "dropped-fin" };
        let job = (number % 2).to_string();
        let run = create(&mut runs, named(scenario), "", &[("job", &job)]).await.expect("it is accepted");
        watched(watch(&mut runs, &run.id, 0).await.expect("it is there")).await;
        ids.insert(0, run.id);
    }
    let mut list = async |request: ListRunsRequest| {
        let (mut found, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = ListRunsRequest { page_size: 2, page_token, ..request.clone() };
            let page = runs.list_runs(request).await.expect("a page").into_inner();
            assert!(page.runs.len() <= 2);
            found.extend(page.runs.into_iter().map(|run| run.id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break found;
            }
        }
    };
    assert_eq!(list(ListRunsRequest::default()).await, ids);
    let filtered = ListRunsRequest { scenario: "dead-client".into(), ..ListRunsRequest::default() };
    assert_eq!(list(filtered).await, ids[3..]);
    let labels = BTreeMap::from([("job".to_owned(), "1".to_owned())]);
    let filtered = ListRunsRequest { labels, verdict: Verdict::Passed.into(), ..ListRunsRequest::default() };
    assert_eq!(list(filtered).await, [ids[1].clone(), ids[3].clone()]);
    let filtered = ListRunsRequest { state: RunState::Cancelled.into(), ..ListRunsRequest::default() };
    assert_eq!(list(filtered).await, Vec::<String>::new());
    stop(server).await;
}

#[tokio::test]
async fn a_run_can_be_cancelled_and_deleted_while_it_is_executed() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path()).await;
    let mut runs = kept_by(&server).await;
    let [cancelled, deleted] = [
        create(&mut runs, very_long(), "", &[]).await.expect("it is accepted").id,
        create(&mut runs, very_long(), "", &[]).await.expect("it is accepted").id,
    ];
    let mut first = watch(&mut runs, &cancelled, 0).await.expect("it is there");
    let mut second = watch(&mut runs, &deleted, 0).await.expect("it is there");
    first.message().await.expect("it goes on").expect("events");
    second.message().await.expect("it goes on").expect("events");
    let cancel = runs.cancel_run(CancelRunRequest { id: cancelled.clone() }).await.expect("it is there");
    assert_eq!(cancel.into_inner().run.expect("a run").state(), RunState::Cancelled);
    runs.delete_run(DeleteRunRequest { id: deleted.clone() }).await.expect("it is there");
    let (_, end) = watched(first).await;
    assert_eq!(reason(&end.expect("no verdict")), "RUN_CANCELLED");
    let (_, end) = watched(second).await;
    assert_eq!(reason(&end.expect("no verdict")), "RUN_UNKNOWN");
    let run = get(&mut runs, &cancelled).await.expect("it is kept");
    assert_eq!((run.state(), run.verdict()), (RunState::Cancelled, Verdict::Unspecified));
    // Who comes later sees the same.
    let (events, end) = watched(watch(&mut runs, &cancelled, 0).await.expect("it is there")).await;
    assert_eq!(
        (events.len() as u64, reason(&end.expect("no verdict")).as_str()),
        (run.events, "RUN_CANCELLED")
    );
    server.until(|load| load.busy_threads == 0).await;
    stop(server).await;
}

#[tokio::test]
async fn what_was_accepted_is_executed_after_a_restart_and_watchers_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = server(folder.path()).await;
    let mut runs = kept_by(&first).await;
    // More than are executed at once.
    let mut created = Vec::new();
    for seed in 1..=5 {
        let request = ExecuteRunRequest { seed: Some(seed), ..yaml(LONG) };
        created.push(create(&mut runs, request, "", &[]).await.expect("it is accepted").id);
    }
    let mut stream = watch(&mut runs, &created[0], 0).await.expect("it is there");
    let mut events = stream.message().await.expect("it goes on").expect("a message").events;
    stop(first).await;
    events.extend(watched(stream).await.0);

    let second = server(folder.path()).await;
    let mut runs = kept_by(&second).await;
    let (rest, status) =
        watched(watch(&mut runs, &created[0], events.len() as u64).await.expect("it is there")).await;
    assert!(status.is_none(), "{status:?}");
    events.extend(rest);
    let executed = executed(&second, yaml(LONG)).await;
    assert!(events == executed, "{} events instead of {}", events.len(), executed.len());
    for id in &created[1..] {
        let (events, status) = watched(watch(&mut runs, id, 0).await.expect("it is there")).await;
        assert!(status.is_none(), "{status:?}");
        assert_eq!(events.len(), executed.len());
    }
    stop(second).await;
}

#[tokio::test]
async fn runs_that_are_over_are_deleted_when_they_need_not_be_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = folder.path().join("runs.db").display().to_string();
    let retention = Retention { keep_for: Some(Duration::ZERO), keep_bytes: None };
    let first = server(folder.path()).await;
    let mut runs = kept_by(&first).await;
    let run = create(&mut runs, named("dead-client"), "", &[]).await.expect("it is accepted");
    watched(watch(&mut runs, &run.id, 0).await.expect("it is there")).await;
    stop(first).await;
    let kept = KeptRuns::open(&address, retention).await.expect("a history");
    let second =
        Server::serve(Service::with_history(&config(), kept).expect("threads"), Access::default()).await;
    let mut runs = kept_by(&second).await;
    let gone = async {
        while get(&mut runs, &run.id).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("it is deleted");
    stop(second).await;
}

/// What the runs of the library cost: `cargo test --release -p halfopend --test history -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "takes a while; BENCHMARKS.md has the result"]
async fn stored_runs_are_small() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = server(folder.path()).await;
    let mut runs = kept_by(&server).await;
    let mut scenarios = ScenarioServiceClient::new(server.channel().await);
    let list = ListScenariosRequest { page_size: 1000, ..ListScenariosRequest::default() };
    let mut sizes = Vec::new();
    for scenario in scenarios.list_scenarios(list).await.expect("a page").into_inner().scenarios {
        let variants = if scenario.variants.is_empty() { vec![String::new()] } else { scenario.variants };
        for variant in variants {
            let request = ExecuteRunRequest { variant: variant.clone(), ..named(&scenario.name) };
            let id = create(&mut runs, request, "", &[]).await.expect("it is accepted").id;
            let (events, _) = watched(watch(&mut runs, &id, 0).await.expect("it is there")).await;
            let size: usize = events.iter().map(Message::encoded_len).sum();
            let stored = get(&mut runs, &id).await.expect("it is there").stored_bytes;
            sizes.push((size as u64, stored, events.len(), format!("{} {variant}", scenario.name)));
        }
    }
    sizes.sort();
    let ratio = |size: u64, stored: u64| size as f64 / stored as f64;
    for (size, stored, events, name) in &sizes {
        println!(
            "{name}: {events} events, {size} bytes, {stored} stored, {:.1} times",
            ratio(*size, *stored)
        );
    }
    let (size, stored) = sizes.iter().fold((0, 0), |all, run| (all.0 + run.0, all.1 + run.1));
    let (_, median, _, name) = &sizes[sizes.len() / 2];
    println!(
        "{} runs: {size} bytes, {stored} stored, {:.1} times; {name} takes {median} bytes",
        sizes.len(),
        ratio(size, stored)
    );
    stop(server).await;
}
