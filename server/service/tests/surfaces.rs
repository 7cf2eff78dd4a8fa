//! Everything else that answers on the port: health, reflection, gRPC-Web, plain HTTP.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{SCENARIO, Server, config, tell, yaml};
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopen_proto::v1::{ExecuteRunResponse, GetServerRequest};
use halfopen_scenario::{Scenario, library};
use halfopen_sim::{RunOptions, Sink};
use halfopend::Access;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

#[tokio::test]
async fn health_covers_every_service_and_the_server() {
    let server = Server::start().await;
    let mut health = HealthClient::new(server.channel().await);
    for service in ["", "halfopen.v1.RunService", "halfopen.v1.ScenarioService", "halfopen.v1.ServerService"]
    {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
    }
    let unknown = health.check(HealthCheckRequest { service: "halfopen.v1.Nothing".into() }).await;
    assert_eq!(unknown.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn a_server_describes_itself() {
    let server = Server::start().await;
    let mut client = ServerServiceClient::new(server.channel().await);
    let told = client.get_server(GetServerRequest {}).await.unwrap().into_inner();
    assert_eq!((told.version.as_str(), told.protocol.as_str()), (env!("CARGO_PKG_VERSION"), "halfopen.v1"));
    assert_eq!(told.profiles, ["linux", "rfc9293", "freebsd", "windows", "macos"]);
    assert_eq!(told.bundled_scenarios as usize, library::ALL.len());
    let limits = told.limits.unwrap();
    let config = config();
    assert_eq!((limits.threads as usize, limits.queue as usize), (config.threads.get(), config.queue));
    assert_eq!(limits.max_unread_events, config.max_unread_events);
    assert_eq!(limits.run_memory_bytes, config.budget.memory);
    assert_eq!(limits.memory_bytes, config.max_memory);
    assert!(limits.request_bytes > limits.scenario_bytes && limits.run_events > 0, "{limits:?}");
}

/// Both versions of reflection have the same messages in different packages.
macro_rules! reflection_test {
    ($name:ident, $version:ident) => {
        #[tokio::test]
        async fn $name() {
            use tonic_reflection::pb::$version::ServerReflectionRequest;
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;

            let server = Server::start().await;
            let mut client = ServerReflectionClient::new(server.channel().await);
            let ask =
                |question| ServerReflectionRequest { host: String::new(), message_request: Some(question) };
            let questions = [
                ask(MessageRequest::ListServices(String::new())),
                ask(MessageRequest::FileContainingSymbol("halfopen.v1.RunService".into())),
                ask(MessageRequest::FileContainingSymbol("google.rpc.ErrorInfo".into())),
            ];
            let mut answers =
                client.server_reflection_info(tokio_stream::iter(questions)).await.unwrap().into_inner();

            let listed = answers.message().await.unwrap().unwrap().message_response.unwrap();
            let MessageResponse::ListServicesResponse(listed) = listed else { panic!("{listed:?}") };
            let names: BTreeSet<_> = listed.service.into_iter().map(|service| service.name).collect();
            for name in ["grpc.health.v1.Health", "halfopen.v1.RunService", "halfopen.v1.ServerService"] {
                assert!(names.contains(name), "{names:?}");
            }

            for wanted in ["halfopen/v1/run.proto", "error_details.proto"] {
                let file = answers.message().await.unwrap().unwrap().message_response.unwrap();
                let MessageResponse::FileDescriptorResponse(file) = file else { panic!("{file:?}") };
                let found = file.file_descriptor_proto.iter().any(|file| {
                    let file = prost_types::FileDescriptorProto::decode(file.as_slice()).unwrap();
                    file.name().ends_with(wanted)
                });
                assert!(found, "{wanted} is among those sent");
            }
        }
    };
}

reflection_test!(reflection_v1_describes_the_services, v1);
reflection_test!(reflection_v1alpha_describes_the_services, v1alpha);

/// What the server answers to one HTTP/1.1 request, head and body.
async fn http1(server: &Server, head: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut connection = TcpStream::connect(&server.address).await.unwrap();
    let request = format!(
        "{head}host: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        server.address,
        body.len()
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

/// The payload of a body in chunked transfer coding.
fn dechunked(mut body: &[u8]) -> Vec<u8> {
    let mut payload = Vec::new();
    loop {
        let line = body.windows(2).position(|window| window == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&body[..line]).unwrap(), 16).unwrap();
        if size == 0 {
            return payload;
        }
        body = &body[line + 2..];
        payload.extend_from_slice(&body[..size]);
        body = &body[size + 2..];
    }
}

#[tokio::test]
async fn grpc_web_streams_a_run_over_http_1() {
    let server =
        Server::with(&config(), |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            tell(sink, scenario, options, 1000);
        })
        .await;
    let message = yaml(SCENARIO).encode_to_vec();
    let mut body = vec![0];
    body.extend_from_slice(&(message.len() as u32).to_be_bytes());
    body.extend_from_slice(&message);
    let head = "POST /halfopen.v1.RunService/ExecuteRun HTTP/1.1\r\ncontent-type: application/grpc-web+proto\r\n\
                accept: application/grpc-web+proto\r\nx-grpc-web: 1\r\n";
    let (head, body) = http1(&server, head, &body).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/grpc-web+proto"), "{head}");

    let body = dechunked(&body);
    let mut rest = body.as_slice();
    let (mut events, mut trailers) = (0, String::new());
    while let Some((prefix, after)) = rest.split_at_checked(5) {
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap()) as usize;
        let (frame, after) = after.split_at(length);
        match prefix[0] {
            0 => events += ExecuteRunResponse::decode(frame).unwrap().events.len(),
            0x80 => trailers = String::from_utf8(frame.to_vec()).unwrap(),
            kind => panic!("a frame of kind {kind}"),
        }
        rest = after;
    }
    assert_eq!(events, 1000);
    assert!(trailers.contains("grpc-status:0"), "{trailers:?}");
}

#[tokio::test]
async fn plain_http_has_a_health_page() {
    let server = Server::start().await;
    let (head, body) = http1(&server, "GET /healthz HTTP/1.1\r\n", b"").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_eq!(body, b"serving\n");
}

/// A call from a page of this origin: what a browser asks first, and then the call.
async fn from_page(server: &Server, origin: &str) -> [String; 2] {
    let path = "/halfopen.v1.ServerService/GetServer HTTP/1.1";
    let (asked, _) = http1(
        server,
        &format!(
            "OPTIONS {path}\r\norigin: {origin}\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: authorization,content-type,x-grpc-web\r\n"
        ),
        b"",
    )
    .await;
    let head = format!(
        "POST {path}\r\norigin: {origin}\r\ncontent-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n"
    );
    let (called, _) = http1(server, &head, &[0; 5]).await;
    [asked, called]
}

#[tokio::test]
async fn a_page_may_call_if_its_origin_is_allowed() {
    const PAGE: &str = "https://page.example";
    let allowed = format!("access-control-allow-origin: {PAGE}");
    let token = || Some("s3cret".parse().unwrap());
    for (origins, origin, expected) in [
        (&[][..], PAGE, None),
        (&[PAGE], PAGE, Some(allowed.as_str())),
        (&["http://localhost:3000", PAGE], PAGE, Some(&allowed)),
        (&[PAGE], "https://other.example", None),
        (&["*"], PAGE, Some("access-control-allow-origin: *")),
    ] {
        let origins = origins.iter().map(|origin| origin.parse().unwrap()).collect();
        let server = Server::open_to(&Access { origins, token: token(), ..Access::default() }).await;
        let answers = from_page(&server, origin).await;
        for answer in &answers {
            assert_eq!(answer.contains("access-control-allow-origin"), expected.is_some(), "{answer}");
            assert!(expected.is_none_or(|header| answer.contains(header)), "{answer}");
        }
        if expected.is_some() {
            let [asked, called] = answers;
            assert!(asked.starts_with("http/1.1 200"), "without the token: {asked}");
            assert!(asked.contains("authorization") && asked.contains("x-grpc-web"), "{asked}");
            assert!(called.contains("access-control-expose-headers: grpc-status,"), "{called}");
        }
    }
}
