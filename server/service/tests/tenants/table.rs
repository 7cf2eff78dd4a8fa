//! Every method with every credential.

use std::collections::BTreeMap;
use std::fs;

use futures_util::future::join_all;
use halfopen_proto::v1::create_session_request::Source;
use halfopen_proto::v1::execute_run_request;
use halfopen_proto::v1::render_request;
use halfopen_proto::v1::render_service_client::RenderServiceClient;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{CreateSessionRequest, ExecuteRunRequest, RenderFormat, RenderRequest};
use halfopend::{Access, Service, Tls};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_types::StatusExt;

use super::authorities::{Authority, connect};
use super::calls::{Method, Outcome, methods};
use super::common::{Server, config};
use super::signer::{AUDIENCE, ISSUER, Signer, claims, seconds};
use super::{folder, setup, token};

/// What a method needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    Read,
    Run,
}

/// Every method, and what it needs. A new one needs a row.
const TABLE: [(&str, Needs); 37] = [
    ("/grpc.health.v1.Health/Check", Needs::Nothing),
    ("/grpc.health.v1.Health/Watch", Needs::Nothing),
    ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Needs::Read),
    ("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Needs::Read),
    ("/halfopen.v1.HistoryService/CancelRun", Needs::Run),
    ("/halfopen.v1.HistoryService/CreateRun", Needs::Run),
    ("/halfopen.v1.HistoryService/DeleteRun", Needs::Run),
    ("/halfopen.v1.HistoryService/GetRun", Needs::Read),
    ("/halfopen.v1.HistoryService/ListRuns", Needs::Read),
    ("/halfopen.v1.HistoryService/WatchRun", Needs::Read),
    ("/halfopen.v1.RenderService/Render", Needs::Read),
    ("/halfopen.v1.RunService/ExecuteRun", Needs::Run),
    ("/halfopen.v1.ScenarioService/GetScenario", Needs::Read),
    ("/halfopen.v1.ScenarioService/ListScenarios", Needs::Read),
    ("/halfopen.v1.ScenarioService/ValidateScenario", Needs::Read),
    ("/halfopen.v1.ServerService/GetServer", Needs::Read),
    ("/halfopen.v1.SessionService/Abort", Needs::Run),
    ("/halfopen.v1.SessionService/Accept", Needs::Run),
    ("/halfopen.v1.SessionService/Advance", Needs::Run),
    ("/halfopen.v1.SessionService/ApplyFaults", Needs::Run),
    ("/halfopen.v1.SessionService/Close", Needs::Run),
    ("/halfopen.v1.SessionService/CreateSession", Needs::Run),
    ("/halfopen.v1.SessionService/DeleteSession", Needs::Run),
    ("/halfopen.v1.SessionService/ExportSession", Needs::Read),
    ("/halfopen.v1.SessionService/FinishConnect", Needs::Run),
    ("/halfopen.v1.SessionService/FinishSession", Needs::Run),
    ("/halfopen.v1.SessionService/GetSession", Needs::Read),
    ("/halfopen.v1.SessionService/GetSocket", Needs::Run),
    ("/halfopen.v1.SessionService/LeaveSession", Needs::Run),
    ("/halfopen.v1.SessionService/LiftFault", Needs::Run),
    ("/halfopen.v1.SessionService/Listen", Needs::Run),
    ("/halfopen.v1.SessionService/Receive", Needs::Run),
    ("/halfopen.v1.SessionService/Send", Needs::Run),
    ("/halfopen.v1.SessionService/SetOptions", Needs::Run),
    ("/halfopen.v1.SessionService/Shutdown", Needs::Run),
    ("/halfopen.v1.SessionService/StartConnect", Needs::Run),
    ("/halfopen.v1.SessionService/WatchSession", Needs::Read),
];

/// What a client presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presents {
    Nothing,
    Wrong,
    Expired,
    OfAnother,
    ReadOnly,
    Right,
}

/// How a method must answer; `None` if it lets the caller in.
fn refusal(
    needs: Needs,
    presents: Presents,
    wrong: (Code, &str),
    has_session: bool,
) -> Option<(Code, String)> {
    let refusal = |code, reason: &str| Some((code, reason.to_owned()));
    match (needs, presents) {
        (Needs::Nothing, _) | (_, Presents::Right) | (Needs::Read, Presents::ReadOnly) => None,
        (_, Presents::Nothing) => refusal(Code::Unauthenticated, "TOKEN_MISSING"),
        (_, Presents::Wrong) => refusal(wrong.0, wrong.1),
        (_, Presents::Expired) => refusal(Code::Unauthenticated, "TOKEN_EXPIRED"),
        (_, Presents::OfAnother) if has_session => refusal(Code::NotFound, "SESSION_UNKNOWN"),
        (_, Presents::OfAnother) => None,
        (Needs::Run, Presents::ReadOnly) => refusal(Code::PermissionDenied, "ROLE_MISSING"),
    }
}

/// A server with two tenants, to each of which a token, a JWT and a certificate lead.
struct World {
    server: Server,
    authority: Authority,
    signer: Signer,
    methods: BTreeMap<String, Method>,
}

impl World {
    async fn new() -> World {
        let (folder, authority, signer) = (folder(), Authority::new("test"), Signer::new("1"));
        authority.issue("localhost", 2099).write(&folder, "server");
        fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
        fs::write(folder.join("jwks.json"), json!({"keys": [signer.jwk()]}).to_string()).unwrap();
        let mut text = format!(
            "[issuers.ci]\nissuer = '{ISSUER}'\naudience = '{AUDIENCE}'\njwks = 'jwks.json'\nleeway = '1s'\n"
        );
        for (tenant, name, role) in
            [("acme", "right", "run"), ("acme", "read", "read"), ("globex", "another", "run")]
        {
            text += &token(tenant, &format!("the-token-{name}"), &format!("role = '{role}'"));
            text += &format!("[[tenants.{tenant}.certificates]]\ndns = '{name}.example'\nrole = '{role}'\n");
            text += &format!(
                "[[tenants.{tenant}.jwts]]\nissuer = 'ci'\nclaims = {{ repository_owner = '{name}' }}\nrole = '{role}'\n"
            );
        }
        text += &token("acme", "the-token-expired", "expires = 2020-01-01");
        let path = |name: &str| folder.join(name);
        let tls =
            Tls::with_clients(&path("server.pem"), &path("server-key.pem"), &path("ca.pem"), false).unwrap();
        let access = Access { tls: Some(tls), tenants: setup(&folder, &text).tenants(), ..Access::default() };
        let server = Server::serve(Service::new(&config()).unwrap(), access).await;
        World { server, authority, signer, methods: methods() }
    }

    /// A connection, perhaps with a certificate.
    async fn connect(&self, certificate: Option<&str>) -> Channel {
        let own = certificate.map(|name| self.authority.issue(&format!("{name}.example"), 2099));
        connect(&self.server.address, &self.authority, own.as_ref()).await.unwrap()
    }

    /// A session of acme.
    async fn session(&self) -> String {
        let mut request = Request::new(CreateSessionRequest {
            source: Some(Source::Yaml("scenario: test\nhosts: {client: {}, server: {}}\n".to_owned())),
            ..CreateSessionRequest::default()
        });
        let header = "Bearer the-token-right".parse().unwrap();
        request.metadata_mut().insert("authorization", header);
        let mut sessions = SessionServiceClient::new(self.connect(None).await);
        sessions.create_session(request).await.unwrap().into_inner().session
    }

    /// Makes every call with a credential, all at once, and compares the answers with the table.
    async fn check(
        &self,
        presents: Presents,
        wrong: (Code, &str),
        channel: &Channel,
        header: Option<String>,
    ) {
        let session = self.session().await;
        let header = header.map(|token| format!("Bearer {token}"));
        let call = async |(path, needs): &(&str, Needs)| {
            let method = &self.methods[*path];
            let outcome = method.call(channel, header.as_deref(), &session).await;
            let expected = refusal(*needs, presents, wrong, method.has_session());
            let is_right = match &expected {
                None => outcome.is_admitted(),
                Some((code, reason)) => outcome == Outcome { code: *code, reason: reason.clone() },
            };
            assert!(is_right, "{presents:?} {path}: {outcome:?} instead of {expected:?}");
        };
        join_all(TABLE.iter().map(call)).await;
    }
}

#[test]
fn the_table_has_every_method() {
    let listed: Vec<&str> = TABLE.iter().map(|(path, _)| *path).collect();
    let methods = methods();
    let exist: Vec<&str> = methods.keys().map(String::as_str).collect();
    assert_eq!(listed, exist);
    let about_sessions = methods.values().filter(|method| method.has_session()).count();
    assert_eq!(about_sessions, 21, "all calls of sessions but CreateSession, and Render");
}

#[tokio::test]
async fn every_method_with_every_token() {
    let world = World::new().await;
    let channel = world.connect(None).await;
    let wrong = (Code::Unauthenticated, "TOKEN_WRONG");
    for (presents, token) in [
        (Presents::Nothing, None),
        (Presents::Wrong, Some("the-token-nobody-knows")),
        (Presents::Expired, Some("the-token-expired")),
        (Presents::OfAnother, Some("the-token-another")),
        (Presents::ReadOnly, Some("the-token-read")),
        (Presents::Right, Some("the-token-right")),
    ] {
        world.check(presents, wrong, &channel, token.map(str::to_owned)).await;
    }
}

#[tokio::test]
async fn every_method_with_every_jwt() {
    let world = World::new().await;
    let channel = world.connect(None).await;
    let wrong = (Code::Unauthenticated, "JWT_WRONG");
    let signed = |owner| world.signer.sign(&claims(owner));
    let mut expired = claims("right");
    expired["exp"] = seconds(-60).into();
    for (presents, jwt) in [
        (Presents::Wrong, Signer::new("1").sign(&claims("right"))),
        (Presents::Expired, world.signer.sign(&expired)),
        (Presents::OfAnother, signed("another")),
        (Presents::ReadOnly, signed("read")),
        (Presents::Right, signed("right")),
    ] {
        world.check(presents, wrong, &channel, Some(jwt)).await;
    }
}

#[tokio::test]
async fn every_method_with_every_certificate() {
    let world = World::new().await;
    let wrong = (Code::PermissionDenied, "TENANT_MISSING");
    for (presents, name) in [
        (Presents::Wrong, "nobody"),
        (Presents::OfAnother, "another"),
        (Presents::ReadOnly, "read"),
        (Presents::Right, "right"),
    ] {
        let channel = world.connect(Some(name)).await;
        world.check(presents, wrong, &channel, None).await;
    }
    // A token that is sent with a call counts more than the certificate of the connection.
    let channel = world.connect(Some("right")).await;
    let token = Some("the-token-read".to_owned());
    world.check(Presents::ReadOnly, wrong, &channel, token).await;
}

#[tokio::test]
async fn certificates_that_nobody_vouches_for_get_no_connection() {
    let world = World::new().await;
    let method = &world.methods["/halfopen.v1.ServerService/GetServer"];
    let expired = world.authority.issue("right.example", 2021);
    let foreign = Authority::new("foreign").issue("right.example", 2099);
    for own in [expired, foreign] {
        // With TLS 1.3 a client learns it with the first answer.
        let Ok(channel) = connect(&world.server.address, &world.authority, Some(&own)).await else {
            continue;
        };
        let mut calls = tonic::client::Grpc::new(channel.clone());
        if calls.ready().await.is_ok() {
            let outcome = method.call(&channel, None, "").await;
            assert!(matches!(outcome.code, Code::Unavailable | Code::Unknown), "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn who_may_only_see_executes_no_run_to_see_it() {
    let world = World::new().await;
    let mut renders = RenderServiceClient::new(world.connect(None).await);
    for (token, expected) in [("the-token-read", Some("ROLE_MISSING")), ("the-token-right", None)] {
        let run = ExecuteRunRequest {
            source: Some(execute_run_request::Source::Name("dead-client".to_owned())),
            ..ExecuteRunRequest::default()
        };
        let mut request =
            RenderRequest { source: Some(render_request::Source::Run(run)), ..RenderRequest::default() };
        request.set_format(RenderFormat::Text);
        let mut request = Request::new(request);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let refused = renders.render(request).await.err();
        let reason = refused.map(|status| status.get_details_error_info().unwrap().reason);
        assert_eq!(reason.as_deref(), expected, "{token}");
    }
}

#[tokio::test]
async fn the_metrics_need_the_role_of_an_administrator_and_healthz_needs_nothing() {
    let text = token("acme", "the-token-admin", "role = 'admin'") + &token("acme", "the-token-run", "");
    let server = super::server(&folder(), &text).await;
    for (path, token, expected) in [
        ("/metrics", None, "401"),
        ("/metrics", Some("the-token-wrong"), "401"),
        ("/metrics", Some("the-token-run"), "403"),
        ("/metrics", Some("the-token-admin"), "200"),
        ("/healthz", None, "200"),
        ("/healthz", Some("the-token-wrong"), "200"),
    ] {
        let header = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n");
        let mut connection = TcpStream::connect(&server.address).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(expected), "{path} {token:?}: {answer}");
    }
}
