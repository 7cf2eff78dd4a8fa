//! What each tenant may have, and that the others do not feel it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use halfopen_proto::v1::create_session_request::Source;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{CreateSessionRequest, ExecuteRunRequest, GetServerRequest};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::{Access, Config, Service};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use super::common::{PATIENCE, Server, config, named, tell};
use super::{folder, server, setup, token};

/// A request of a tenant.
fn of<T>(tenant: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let header = format!("Bearer the-token-of-{tenant}").parse().unwrap();
    request.metadata_mut().insert("authorization", header);
    request
}

/// Two tenants, the first with quotas.
fn file(quotas: &str) -> String {
    let tokens = token("acme", "the-token-of-acme", "") + &token("globex", "the-token-of-globex", "");
    format!("[tenants.acme]\n{quotas}\n{tokens}")
}

/// The quota of which a status says that it is used up.
fn quota(status: &Status) -> String {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    assert_eq!(status.get_details_error_info().unwrap().reason, "QUOTA_EXCEEDED");
    assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
    let violation = status.get_details_quota_failure().unwrap().violations.remove(0);
    assert_eq!(violation.subject, "tenant:acme");
    violation.description
}

#[tokio::test]
async fn calls_beyond_those_of_a_second_are_refused() {
    let server = server(&folder(), &file("calls-per-second = 3")).await;
    let mut client = ServerServiceClient::new(server.channel().await);
    let mut refused = Vec::new();
    for _ in 0..10 {
        refused.extend(client.get_server(of("acme", GetServerRequest {})).await.err());
        client.get_server(of("globex", GetServerRequest {})).await.expect("it has no quota");
    }
    assert!((1..=7).contains(&refused.len()), "{}", refused.len());
    assert!(refused.iter().all(|status| quota(status) == "calls-per-second = 3"));
}

#[tokio::test]
async fn sessions_beyond_the_quota_are_refused() {
    let server = server(&folder(), &file("sessions = 1")).await;
    let mut client = SessionServiceClient::new(server.channel().await);
    let text = "scenario: test\nhosts: {client: {}, server: {}}\n";
    let request = |tenant| {
        let source = Some(Source::Yaml(text.to_owned()));
        // The same id for everybody.
        of(tenant, CreateSessionRequest { source, request_id: "1".to_owned(), ..Default::default() })
    };
    let first = client.create_session(request("acme")).await.unwrap().into_inner().session;
    let again = client.create_session(request("acme")).await.unwrap().into_inner().session;
    assert_eq!(first, again, "the same request");
    let other = client.create_session(request("globex")).await.unwrap().into_inner().session;
    assert_ne!(first, other, "the request of another tenant");
    let mut second = request("acme");
    second.get_mut().request_id = "2".to_owned();
    assert_eq!(quota(&client.create_session(second).await.unwrap_err()), "sessions = 1");
}

/// Executes a run: its first event comes at once, its end once the gate is open.
async fn begin(channel: &Channel, tenant: &str) -> Result<(), Status> {
    let mut runs = RunServiceClient::new(channel.clone());
    let mut events =
        runs.execute_run(of::<ExecuteRunRequest>(tenant, named("dead-client"))).await?.into_inner();
    while events.message().await?.is_some() {}
    Ok(())
}

#[tokio::test]
async fn runs_beyond_the_quota_wait_and_those_beyond_that_are_refused() {
    let text = file("running = 1\nwaiting = 2");
    let access = Access { tenants: setup(&folder(), &text).tenants(), ..Access::default() };
    let (open, gate) = tokio::sync::watch::channel(false);
    let config = Config { threads: NonZeroUsize::new(4).unwrap(), ..config() };
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        while !*gate.borrow() {
            std::thread::sleep(Duration::from_millis(1));
        }
        tell(sink, scenario, options, 3);
    };
    let server = Server::serve(Service::with_runner(&config, runner).unwrap(), access).await;
    let channel = server.channel().await;
    let begin = |tenant| {
        let channel = channel.clone();
        tokio::spawn(async move { begin(&channel, tenant).await })
    };
    let mut runs = Vec::new();
    for (waiting, busy) in [(0, 1), (1, 1), (2, 1)] {
        runs.push(begin("acme"));
        server.until(|load| (load.waiting_runs, load.busy_threads) == (waiting, busy)).await;
    }
    let refused = begin("acme").await.unwrap().expect_err("too many wait");
    assert_eq!(quota(&refused), "waiting = 2");
    // There are threads, and others get them.
    runs.push(begin("globex"));
    server.until(|load| (load.waiting_runs, load.busy_threads) == (2, 2)).await;
    open.send(true).unwrap();
    for run in runs {
        tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap().expect("it is done");
    }
}
