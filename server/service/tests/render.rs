//! Pictures, explanations and reports of runs, sessions and recordings.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::config;
use halfopen_proto::v1::render_request::Source;
use halfopen_proto::v1::render_service_client::RenderServiceClient;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_proto::v1::{self, RenderFormat, RenderRequest};
use halfopend::Service;
use tonic::{Code, Status};

async fn render(service: &Service, request: RenderRequest) -> Result<String, Status> {
    let mut stream = RenderServiceClient::new(service.connect()).render(request).await?.into_inner();
    let mut text = String::new();
    while let Some(part) = stream.message().await? {
        assert!(!part.text.is_empty() && part.text.len() <= 256 * 1024);
        text += &part.text;
    }
    Ok(text)
}

fn bundled(name: &str) -> v1::ExecuteRunRequest {
    let source = Some(v1::execute_run_request::Source::Name(name.to_owned()));
    v1::ExecuteRunRequest { source, ..Default::default() }
}

fn of(source: Source, format: RenderFormat) -> RenderRequest {
    RenderRequest { source: Some(source), format: format.into(), ..Default::default() }
}

#[tokio::test]
async fn every_format_is_rendered_the_same_from_a_run_and_from_its_events() {
    let service = Service::new(&config()).unwrap();
    let run = RunServiceClient::new(service.connect()).execute_run(bundled("dead-client")).await;
    let mut stream = run.unwrap().into_inner();
    let mut events = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        events.extend(message.events);
    }
    for (format, wanted) in [
        (RenderFormat::Text, "passed"),
        (RenderFormat::Explanation, "ETIMEDOUT"),
        (RenderFormat::Svg, "<svg"),
        (RenderFormat::Mermaid, "sequenceDiagram"),
        (RenderFormat::Html, "<!DOCTYPE html>"),
        (RenderFormat::Junit, "<testsuites"),
        (RenderFormat::Tap, "TAP version 1"),
        (RenderFormat::Json, "\"scenario\":\"dead-client\""),
        (RenderFormat::Ndjson, "\"runStarted\""),
    ] {
        let run = render(&service, of(Source::Run(bundled("dead-client")), format)).await.unwrap();
        assert!(run.contains(wanted), "{format:?}: {run}");
        assert!(!run.contains('\u{1b}'), "{format:?} has no colours");
        let recording = v1::Recording { events: events.clone() };
        let recorded = render(&service, of(Source::Recording(recording), format)).await.unwrap();
        assert_eq!(run, recorded, "{format:?}");
    }
}

#[tokio::test]
async fn text_has_the_width_the_characters_and_the_colours_that_are_asked_for() {
    let service = Service::new(&config()).unwrap();
    let run = || of(Source::Run(bundled("dead-client")), RenderFormat::Text);
    let colored = render(&service, RenderRequest { colors: true, ..run() }).await.unwrap();
    assert!(colored.contains('\u{1b}'));
    let ascii = render(&service, RenderRequest { ascii: true, ..run() }).await.unwrap();
    assert!(ascii.is_ascii());
    let narrow = render(&service, RenderRequest { width: 60, ..run() }).await.unwrap();
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max();
    assert!(widest(&narrow) < widest(&ascii), "{narrow}");
    let short = render(&service, RenderRequest { rows: 6, ..run() }).await.unwrap();
    assert!(short.lines().count() < ascii.lines().count());
    let tap = of(Source::Run(bundled("dead-client")), RenderFormat::Tap);
    let named = render(&service, RenderRequest { name: "my test".into(), ..tap }).await.unwrap();
    assert!(named.contains("ok 1 - my test"), "{named}");
}

#[tokio::test]
async fn a_session_is_drawn_as_far_as_it_is() {
    let service = Service::new(&config()).unwrap();
    let mut calls = SessionServiceClient::new(service.connect());
    let yaml = "scenario: mine\nhosts: {client: {}, server: {}}\n".to_owned();
    let source = Some(v1::create_session_request::Source::Yaml(yaml));
    let create = v1::CreateSessionRequest { source, ..Default::default() };
    let session = calls.create_session(create).await.unwrap().into_inner().session;
    let connect = v1::StartConnectRequest {
        session: session.clone(),
        host: "client".into(),
        to: "server:80".into(),
        ..Default::default()
    };
    calls.start_connect(connect).await.unwrap();
    let advance = v1::AdvanceRequest { session: session.clone(), ..Default::default() };
    calls.advance(advance).await.unwrap();
    let text = render(&service, of(Source::Session(session.clone()), RenderFormat::Text)).await.unwrap();
    assert!(text.contains("SYN") && text.contains("RST") && text.contains("unfinished"), "{text}");
    let finish = v1::FinishSessionRequest { session: session.clone(), ..Default::default() };
    calls.finish_session(finish).await.unwrap();
    let text = render(&service, of(Source::Session(session), RenderFormat::Text)).await.unwrap();
    assert!(text.contains("passed"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_rendered_is_said() {
    let service = Service::new(&config()).unwrap();
    let no_format = of(Source::Run(bundled("dead-client")), RenderFormat::Unspecified);
    let no_run = of(Source::Run(bundled("dead-cleint")), RenderFormat::Text);
    let no_session = of(Source::Session("nonsense".into()), RenderFormat::Text);
    let no_events = of(Source::Recording(v1::Recording::default()), RenderFormat::Text);
    let event = v1::Event { sequence: 1, ..Default::default() };
    let no_beginning = of(Source::Recording(v1::Recording { events: vec![event] }), RenderFormat::Text);
    for (request, code, says) in [
        (RenderRequest::default(), Code::InvalidArgument, "no format"),
        (no_format, Code::InvalidArgument, "no format"),
        (no_run, Code::NotFound, "did you mean `dead-client`?"),
        (no_session, Code::NotFound, "there is no session"),
        (no_events, Code::InvalidArgument, "the first is not `run_started`"),
        (no_beginning, Code::InvalidArgument, "the first is not `run_started`"),
    ] {
        let status = render(&service, request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(says), "{status:?}");
    }
}
