//! Shutting down: what open and new runs get, and that it always ends.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PATIENCE, SCENARIO, Server, config, forever, started, tell, to_the_end, yaml};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::Config;
use tokio::time::Instant;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

fn endless(scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink) {
    sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
    forever(sink);
}

#[tokio::test]
async fn an_open_stream_ends_with_unavailable_after_the_grace() {
    let mut server = Server::with(&config(), endless).await;
    let stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    server.stop();
    let (events, status) = to_the_end(stream).await;
    assert_eq!(events.len(), 1);
    let status = status.expect("an error");
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "SHUTTING_DOWN");
    server.gone().await;
}

#[tokio::test]
async fn a_draining_server_refuses_new_runs_and_is_not_healthy() {
    let config = Config { grace: PATIENCE, ..config() };
    let mut server = Server::with(&config, endless).await;
    let channel = server.channel().await;
    let mut client = halfopen_proto::v1::run_service_client::RunServiceClient::new(channel.clone());
    let mut health = HealthClient::new(channel);
    let open = client.execute_run(yaml(SCENARIO)).await.unwrap();
    let request = HealthCheckRequest { service: "halfopen.v1.RunService".into() };
    let mut watch = health.watch(request.clone()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    server.stop();
    assert_eq!(watch.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    for service in ["", "halfopen.v1.RunService", "halfopen.v1.ScenarioService"] {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::NotServing, "{service:?}");
    }
    assert_eq!(client.execute_run(yaml(SCENARIO)).await.unwrap_err().code(), Code::Unavailable);

    // Nothing is left to wait for, so it does not wait; the open watch does not hold it up.
    let left = Instant::now();
    drop((open, client));
    server.gone().await;
    assert!(left.elapsed() < PATIENCE / 2);
}

#[tokio::test]
async fn a_run_that_ends_within_the_grace_is_complete() {
    let config = Config { grace: PATIENCE, ..config() };
    let mut server =
        Server::with(&config, |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            std::thread::sleep(Duration::from_millis(100));
            tell(sink, scenario, options, 1000);
        })
        .await;
    let stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
    server.stop();
    assert_eq!(common::all(stream).await.len(), 1000);
    server.gone().await;
}

#[tokio::test]
async fn neither_an_endless_run_nor_a_stalled_reader_delays_shutdown() {
    let mut server =
        Server::with(&config(), |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            tell(sink, scenario, options, 200_000);
            std::thread::sleep(PATIENCE);
        })
        .await;
    let stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap();
    server.until(|load| load.unread_events > 0).await;
    server.stop();
    server.gone().await;
    drop(stream);
}
