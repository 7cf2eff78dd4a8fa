//! `halfopen doctor`, beside servers that are well, ill, old, and of another version.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::pin::Pin;
use std::process::Command;

use common::halfopen;
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::run_service_server::{RunService, RunServiceServer};
use halfopen_proto::v1::server_service_server::{ServerService, ServerServiceServer};
use halfopen_proto::v1::{
    Event, ExecuteRunRequest, ExecuteRunResponse, GetServerRequest, GetServerResponse, SegmentLost,
};
use halfopend::{Access, Config, Service};
use serde_json::Value;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_health::ServingStatus;

const OK: &str = "ok";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a doctor said, as JSON, and the exit code.
struct Said {
    code: Option<i32>,
    json: Value,
}

impl Said {
    /// Status and text of what is said about something, with what to do.
    fn about(&self, about: &str) -> (&str, String) {
        let all = self.json["findings"].as_array().unwrap();
        let mut found = all.iter().filter(|finding| finding["about"] == about);
        let (found, None) = (found.next().unwrap_or_else(|| panic!("nothing about {about}")), found.next())
        else {
            panic!("twice about {about}: {}", self.json)
        };
        let help = found["help"].as_str().unwrap_or_default();
        (found["status"].as_str().unwrap(), format!("{}; {help}", found["text"].as_str().unwrap()))
    }

    fn says(&self, about: &str, status: &str, part: &str) {
        let (said, text) = self.about(about);
        assert_eq!(said, status, "{about}: {text}");
        assert!(text.contains(part), "{about}: no {part:?} in {text:?}");
    }

    fn is_silent_about(&self, about: &str) {
        let all = self.json["findings"].as_array().unwrap();
        assert!(all.iter().all(|finding| finding["about"] != about), "{}", self.json);
    }
}

fn command(arguments: &[&str]) -> Command {
    halfopen(&[&["doctor"], arguments].concat())
}

async fn doctor(arguments: &[&str]) -> Said {
    let mut command = command(&[arguments, &["-o", "json", "--no-config"]].concat());
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let json = serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {:?}",
            (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr))
        )
    });
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    Said { code: ended.status.code(), json }
}

async fn port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

/// A server as it should be.
async fn well(token: Option<&str>) -> String {
    let (listener, address) = port().await;
    let access = Access { token: token.map(|token| token.parse().unwrap()), ..Access::default() };
    let service = Service::new(&Config::default()).unwrap();
    tokio::spawn(async move { service.serve(listener, &access, std::future::pending()).await });
    address
}

/// A server with a description of our choice, which changes the events of runs.
#[derive(Clone)]
struct Fake {
    runs: RunServiceClient<Channel>,
    info: GetServerResponse,
    change: fn(&mut Event),
}

impl Fake {
    fn new(version: &str, change: fn(&mut Event)) -> Fake {
        let runs = RunServiceClient::new(Service::new(&Config::default()).unwrap().connect());
        let info = GetServerResponse {
            version: version.to_owned(),
            protocol: "halfopen.v1".to_owned(),
            ..GetServerResponse::default()
        };
        Fake { runs, info, change }
    }

    /// Serves runs; and what it is, unless it is too old to know.
    async fn serve(self, old: bool, health: ServingStatus) -> String {
        let (listener, address) = port().await;
        let (reporter, answers) = tonic_health::server::health_reporter();
        reporter.set_service_status("", health).await;
        let mut routes = Routes::new(RunServiceServer::new(self.clone())).add_service(answers);
        if !old {
            routes = routes.add_service(ServerServiceServer::new(self));
        }
        let server = Server::builder().add_routes(routes);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    }
}

#[tonic::async_trait]
impl RunService for Fake {
    type ExecuteRunStream =
        Pin<Box<dyn tokio_stream::Stream<Item = Result<ExecuteRunResponse, Status>> + Send>>;

    async fn execute_run(
        &self,
        request: Request<ExecuteRunRequest>,
    ) -> Result<Response<Self::ExecuteRunStream>, Status> {
        let mut events = self.runs.clone().execute_run(request.into_inner()).await?.into_inner();
        let mut all = Vec::new();
        while let Some(mut message) = events.message().await? {
            message.events.iter_mut().for_each(self.change);
            for event in &mut message.events {
                if let Some(Kind::RunStarted(started)) = &mut event.kind {
                    started.version.clone_from(&self.info.version);
                }
            }
            all.push(Ok(message));
        }
        Ok(Response::new(Box::pin(tokio_stream::iter(all))))
    }
}

#[tonic::async_trait]
impl ServerService for Fake {
    async fn get_server(&self, _: Request<GetServerRequest>) -> Result<Response<GetServerResponse>, Status> {
        Ok(Response::new(self.info.clone()))
    }
}

#[tokio::test]
async fn without_a_server_it_looks_at_this_process() {
    let said = doctor(&[]).await;
    assert_eq!(said.code, Some(0), "{}", said.json);
    said.says("server", OK, "in this process");
    said.says("health", OK, "serving");
    said.says("run", OK, "dead-client passed");
    said.says("config", OK, "no halfopen.toml");
    said.says("token", OK, "none needed");
    assert_eq!(said.json["server"], Value::Null);
    said.is_silent_about("version");
    assert_eq!(said.json["version"], VERSION);
    let mut with_token = command(&["-o", "json"]);
    let ended = with_token.env("HALFOPEN_TOKEN", "s3cret").output().unwrap();
    let said = Said { code: ended.status.code(), json: serde_json::from_slice(&ended.stdout).unwrap() };
    said.says("token", "warning", "give --server");
    said.says("config", OK, "`token` by HALFOPEN_TOKEN");
    assert!(!said.json.to_string().contains("s3cret"), "{}", said.json);
}

#[tokio::test]
async fn a_server_that_is_well_runs_the_same_there_and_here() {
    let address = well(None).await;
    let said = doctor(&["--server", &address]).await;
    assert_eq!(said.code, Some(0), "{}", said.json);
    said.says("server", OK, &format!("http://{address} answers in the clear; a call takes "));
    said.says("version", OK, &format!("{VERSION} on both sides"));
    said.says("limits", OK, "256 may wait");
    said.says("token", OK, "none required");
    said.says("run", OK, "the same events on both sides");
    assert_eq!(said.json["serverInfo"]["version"], VERSION);
    assert_eq!(said.json["digest"], doctor(&[]).await.json["digest"]);
    assert!(said.json["callMicroseconds"].as_u64().is_some_and(|call| call > 0), "{}", said.json);
}

#[tokio::test]
async fn a_token_is_looked_at() {
    let address = well(Some("s3cret")).await;
    let server = ["--server", &address];
    let right = doctor(&[&server[..], &["--token", "s3cret"]].concat()).await;
    assert_eq!(right.code, Some(0), "{}", right.json);
    right.says("token", OK, "sent and accepted");
    for (token, part) in [(&[][..], "requires a token"), (&["--token", "other"], "the token is wrong")] {
        let said = doctor(&[&server, token].concat()).await;
        assert_eq!(said.code, Some(4), "{}", said.json);
        said.says("health", OK, "serving");
        said.says("token", "problem", part);
        said.is_silent_about("run");
        said.about("terminal");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_problem_with_a_next_step() {
    let (listener, address) = port().await;
    drop(listener);
    for (server, code, part) in [
        (address.as_str(), 4, "start one with `halfopen serve`"),
        ("nothing://here", 2, "only http:// and https://"),
        ("http://192.0.2.1", 2, "in the clear; write https://"),
    ] {
        let said = doctor(&["--server", server, "--token", "s3cret"]).await;
        assert_eq!(said.code, Some(code), "{}", said.json);
        assert_eq!((&said.json["status"], &said.json["server"]), (&"problem".into(), &server.into()));
        said.says("server", "problem", part);
        said.is_silent_about("run");
    }
}

#[tokio::test]
async fn a_server_of_another_version_is_a_warning_and_its_run_is_not_compared() {
    let address = Fake::new("9.9.9", |_| ()).serve(false, ServingStatus::Serving).await;
    let said = doctor(&["--server", &address]).await;
    assert_eq!(said.code, Some(0), "{}", said.json);
    said.says("version", "warning", "the server is 9.9.9, the client ");
    said.says("run", OK, "not compared");
    assert_eq!(said.json["status"], "warning");

    let mut fake = Fake::new("9.9.9", |_| ());
    fake.info.protocol = "halfopen.v9".to_owned();
    let said = doctor(&["--server", &fake.serve(false, ServingStatus::Serving).await]).await;
    assert_eq!(said.code, Some(4), "{}", said.json);
    said.says("version", "problem", "speaks halfopen.v9");
    said.is_silent_about("run");
}

#[tokio::test]
async fn an_old_server_shows_its_version_by_a_run() {
    for (version, part) in [(VERSION, "the same events on both sides"), ("0.0.1", "not compared")] {
        let address = Fake::new(version, |_| ()).serve(true, ServingStatus::Serving).await;
        let said = doctor(&["--server", &address]).await;
        assert_eq!(said.code, Some(0), "{}", said.json);
        said.says("age", "warning", "too old to report its version");
        said.says("run", OK, part);
        match version {
            VERSION => said.says("version", OK, "on both sides"),
            _ => said.says("version", "warning", "the server is 0.0.1"),
        }
    }
}

#[tokio::test]
async fn other_events_of_the_same_version_are_a_problem() {
    let change = |event: &mut Event| {
        if let (7, Some(kind)) = (event.sequence, &mut event.kind) {
            *kind = Kind::SegmentLost(SegmentLost { segment: 1, ..SegmentLost::default() });
        }
    };
    let address = Fake::new(VERSION, change).serve(false, ServingStatus::Serving).await;
    let said = doctor(&["--server", &address]).await;
    assert_eq!(said.code, Some(1), "{}", said.json);
    said.says("run", "problem", "from event 7 on");
}

#[tokio::test]
async fn a_server_that_shuts_down_is_a_problem() {
    let address = Fake::new(VERSION, |_| ()).serve(false, ServingStatus::NotServing).await;
    let said = doctor(&["--server", &address]).await;
    assert_eq!(said.code, Some(4), "{}", said.json);
    said.says("health", "problem", "shutting down");
}

#[tokio::test]
async fn people_get_a_line_for_each_finding() {
    let address = well(None).await;
    let mut command = command(&["--server", &address, "--color", "never"]);
    let ended = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(ended.stdout).unwrap();
    for line in ["ok       health    serving", "ok       version   ", "ok       run       dead-client passed"]
    {
        assert!(text.contains(&format!("\n{line}")), "no {line:?} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{text}");
}
