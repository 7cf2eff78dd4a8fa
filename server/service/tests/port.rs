//! What a client can hold before anybody knows who it is, and what happens to one that is silent or gone.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use axum::http::uri::PathAndQuery;
use common::{PATIENCE, SCENARIO, Server, all, config, forever, segment, started, web, yaml};
use futures_util::{StreamExt, stream};
use halfopen_proto::v1::{ExecuteRunRequest, ExecuteRunResponse};
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::{Access, PortLimits, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::client::Grpc;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;

/// Limits that are soon reached.
fn limits() -> PortLimits {
    PortLimits {
        request_time: Duration::from_millis(300),
        silence: Duration::from_secs(2),
        ..PortLimits::default()
    }
}

async fn with(limits: PortLimits) -> Server {
    Server::open_to(&Access { limits, ..Access::default() }).await
}

/// Waits until the server has closed the connection, and returns what it said.
async fn closed(connection: &mut TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = tokio::time::timeout(PATIENCE, connection.read_to_end(&mut said)).await.expect("it is closed");
    // A connection may be reset, too.
    drop(read);
    said
}

/// The type of a SETTINGS frame.
const SETTINGS: u8 = 4;

/// The preface of a client and its SETTINGS (RFC 9113 §3.4).
fn preface() -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]].concat()
}

#[tokio::test]
async fn connections_beyond_the_limit_are_closed_and_others_stay() {
    let server = with(PortLimits { connections_per_address: 2, ..PortLimits::default() }).await;
    let mut health = HealthClient::new(server.channel().await);
    let second = TcpStream::connect(&server.address).await.unwrap();
    server.until(|load| load.connections == 2).await;
    let mut third = TcpStream::connect(&server.address).await.unwrap();
    assert_eq!(closed(&mut third).await, b"");
    health.check(HealthCheckRequest::default()).await.expect("the first stays");
    drop(second);
    server.until(|load| load.connections == 1).await;
    let mut again = TcpStream::connect(&server.address).await.unwrap();
    again.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(closed(&mut again).await.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_does_not_begin_is_closed() {
    let server = with(limits()).await;
    for beginning in
        [&b""[..], b"P", &preface()[..20], &preface()[..24], b"GET /healthz HTTP/1.1\r\nhost: loc"]
    {
        let mut client = TcpStream::connect(&server.address).await.unwrap();
        client.write_all(beginning).await.unwrap();
        closed(&mut client).await;
    }
    server.until(|load| load.connections == 0).await;
}

#[tokio::test]
async fn an_idle_connection_that_answers_stays() {
    let server = with(limits()).await;
    let mut health = HealthClient::new(server.channel().await);
    tokio::time::sleep(2 * limits().silence).await;
    assert_eq!(server.service.load().connections, 1);
    health.check(HealthCheckRequest::default()).await.expect("the same connection");
}

#[tokio::test]
async fn a_connection_has_a_hundred_streams() {
    let server = Server::start().await;
    let mut client = TcpStream::connect(&server.address).await.unwrap();
    client.write_all(&preface()).await.unwrap();
    let mut head = [0; 9];
    client.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], SETTINGS);
    let mut settings = vec![0; usize::from(head[2])];
    client.read_exact(&mut settings).await.unwrap();
    let streams = settings.chunks(6).find(|setting| setting[..2] == [0, 3]).expect("it is set");
    assert_eq!(streams[2..], 100_u32.to_be_bytes());
}

/// Sends a request and then nothing, not even the end of the request.
async fn unfinished(server: &Server, text: &str) -> Status {
    let mut client = Grpc::new(server.channel().await);
    client.ready().await.unwrap();
    let request = stream::iter([yaml(text)]).chain(stream::pending());
    let path = PathAndQuery::from_static("/halfopen.v1.RunService/ExecuteRun");
    let codec = ProstCodec::<ExecuteRunRequest, ExecuteRunResponse>::default();
    let ended = client.streaming(Request::new(request), path, codec);
    tokio::time::timeout(PATIENCE, ended).await.expect("the call ends").expect_err("it is not complete")
}

#[tokio::test]
async fn an_unfinished_request_ends_with_an_error() {
    let server = with(limits()).await;
    let status = unfinished(&server, SCENARIO).await;
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert!(status.message().contains("300ms"), "{status:?}");
}

#[tokio::test]
async fn unfinished_requests_have_a_limit_over_all_connections() {
    let server = with(PortLimits { request_bytes: 10_000, ..limits() }).await;
    let text = format!("{SCENARIO}# {}\n", "x".repeat(8_000));
    let (one, other) = tokio::join!(unfinished(&server, &text), unfinished(&server, &text));
    let mut codes = [one.code(), other.code()].map(|code| code.to_string());
    codes.sort();
    assert_eq!(codes, [Code::DeadlineExceeded, Code::ResourceExhausted].map(|code| code.to_string()));
    let mut runs = server.runs().await;
    all(runs.execute_run(yaml(&text)).await.expect("there is room again").into_inner()).await;
}

#[tokio::test]
async fn a_large_request_for_health_is_refused_before_it_arrives() {
    let server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    let long = HealthCheckRequest { service: "x".repeat(2000) };
    let status = health.check(long).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status:?}");
}

#[tokio::test]
async fn watches_of_health_have_a_limit() {
    let server = Server::start().await;
    let mut watches = Vec::new();
    let mut refused = None;
    // More than a hundred of them wait for each other on one connection.
    'all: for _ in 0..6 {
        let mut health = HealthClient::new(server.channel().await);
        for _ in 0..100 {
            match health.watch(HealthCheckRequest::default()).await {
                Ok(watch) => watches.push((watch, health.clone())),
                Err(status) => {
                    refused = Some(status);
                    break 'all;
                }
            }
        }
    }
    assert_eq!(watches.len(), 512);
    assert_eq!(refused.expect("the next is refused").code(), Code::ResourceExhausted);
    watches.pop();
    let mut health = HealthClient::new(server.channel().await);
    let again = async {
        while health.watch(HealthCheckRequest::default()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, again).await.expect("one place is free again");
}

/// A run that a client of gRPC-Web over HTTP/1.1 begins.
fn web_run() -> Vec<u8> {
    web("halfopen.v1.RunService/ExecuteRun", "", &yaml(SCENARIO))
}

/// A service whose runs tell and tell, or never say a word.
fn service(talks: bool) -> Service {
    let runner = move |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
        sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
        let mut next = 2;
        while talks && sink.keep_going(0).is_continue() && next < 1_000_000 {
            sink.chunk(next, &Arc::new((next..next + 100).map(segment).collect()));
            next += 100;
        }
        forever(sink);
    };
    Service::with_runner(&config(), runner).expect("threads")
}

#[tokio::test]
async fn a_client_of_grpc_web_that_reads_nothing_is_closed_and_its_run_ends() {
    let access = Access { limits: limits(), ..Access::default() };
    let server = Server::serve(service(true), access).await;
    let mut client = TcpStream::connect(&server.address).await.unwrap();
    client.write_all(&web_run()).await.unwrap();
    server.until(|load| load.open_streams == 1).await;
    server.until(|load| load.open_streams == 0 && load.connections == 0).await;
    drop(client);
}

/// Runs a test of this file again in a network namespace of its own.
#[cfg(target_os = "linux")]
fn in_a_namespace(test: &str) {
    use std::process::Command;
    // Not everybody may make one.
    let may =
        Command::new("unshare").args(["--map-root-user", "--net", "ip", "link", "set", "lo", "up"]).status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("skipped: no network namespace can be made here");
        return;
    }
    let again = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["--map-root-user", "--net"])
        .arg(again)
        .args(["--ignored", "--exact", test, "--nocapture"])
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[cfg(target_os = "linux")]
#[test]
fn the_service_notices_its_own_half_open_connections() {
    in_a_namespace("clients_whose_link_goes_down");
}

/// The link between the two ends goes down: no FIN, no RST, nothing. Each client is one of those that a port has.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "takes the loopback interface down: runs in a namespace"]
async fn clients_whose_link_goes_down() {
    let link = |state: &str| {
        let set = std::process::Command::new("ip").args(["link", "set", "lo", state]).status().unwrap();
        assert!(set.success(), "{set}");
    };
    for talks in [false, true] {
        link("up");
        let access = Access { limits: limits(), ..Access::default() };
        let server = Server::serve(service(talks), access).await;
        // Over HTTP/2: one idle, one with a run.
        let _idle = server.channel().await;
        let mut runs = server.runs().await;
        let run = runs.execute_run(yaml(SCENARIO)).await.unwrap();
        // Over HTTP/1.1: one between two requests, one with a run.
        let mut http1 = TcpStream::connect(&server.address).await.unwrap();
        http1.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        let mut web = TcpStream::connect(&server.address).await.unwrap();
        web.write_all(&web_run()).await.unwrap();
        server.until(|load| load.open_streams == 2 && load.connections >= 3).await;
        link("down");
        server.until(|load| load.open_streams == 0 && load.connections == 0).await;
        drop((run, http1, web));
    }
}
