//! The test is the application: streams in virtual time.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::ErrorKind;
use std::time::Duration;

use halfopen_client::session::{CallError, Calls, Session, SessionError, SessionOptions};
use halfopen_client::{Client, ClientError, Source};
use halfopen_proto::v1::{self, event::Kind};
use halfopend::{Config, Service};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const TWO: &str = "scenario: two\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n";

fn source(text: &str) -> Source {
    Source::Text { file: "two.yaml".to_owned(), text: text.to_owned() }
}

async fn session(text: &str) -> Session {
    let client = Client::new(Service::new(&Config::default()).unwrap().connect(), "in memory".to_owned());
    Session::create(&client, &source(text), &SessionOptions::default()).await.unwrap()
}

/// A server that sends back what it gets.
fn echo(session: &Session) {
    let server = session.host("server");
    session.spawn(async move {
        let listener = server.listen(80).await.unwrap();
        let Ok(mut peer) = listener.accept().await else { return };
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(octets @ 1..) = peer.read(&mut buffer).await {
            peer.write_all(&buffer[..octets]).await.unwrap();
        }
    });
}

#[tokio::test]
async fn a_megabyte_goes_there_and_back_in_virtual_time() {
    let mut session = session(TWO).await;
    echo(&session);
    let (client, clock) = (session.host("client"), session.clock());
    let took = session
        .run(async move {
            let stream = client.connect("server:80").await.unwrap();
            let began = clock.now();
            let (mut reader, mut writer) = tokio::io::split(stream);
            let sent: Vec<u8> = (0..1 << 20).map(|number: u32| number as u8).collect();
            let send = async {
                writer.write_all(&sent).await.unwrap();
                writer.shutdown().await.unwrap();
            };
            let mut received = Vec::new();
            let (_, octets) = tokio::join!(send, reader.read_to_end(&mut received));
            assert_eq!((octets.unwrap(), received == sent), (1 << 20, true));
            clock.now() - began
        })
        .await
        .unwrap();
    assert!(took > Duration::from_millis(200), "slow start takes several round trips: {took:?}");
    session.finish().await.unwrap();
}

#[tokio::test]
async fn errors_are_those_of_a_socket() {
    let mut session = session(TWO).await;
    let client = session.host("client");
    let refused = session.run(async move { client.connect("server:81").await.unwrap_err() }).await.unwrap();
    assert_eq!(
        (refused.kind(), refused.to_string().as_str()),
        (ErrorKind::ConnectionRefused, "ECONNREFUSED")
    );

    echo(&session);
    let client = session.host("client");
    let mut stream = session.run(async move { client.connect("server:80").await.unwrap() }).await.unwrap();
    session.inject("{power-loss: server}").await.unwrap();
    let clock = session.clock();
    let (error, at) = session
        .run(async move {
            stream.write_all(b"anybody there?").await.unwrap();
            (stream.read(&mut [0; 10]).await.unwrap_err(), clock.now())
        })
        .await
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!((900..1000).contains(&at.as_secs()), "tcp_retries2 is about 15 minutes: {at:?}");
}

#[tokio::test]
async fn keepalive_finds_the_dead_server_while_the_test_sleeps() {
    let mut session = session(TWO).await;
    echo(&session);
    let (client, clock) = (session.host("client"), session.clock());
    let stream = session.run(async move { client.connect("server:80").await.unwrap() }).await.unwrap();
    session.inject("{power-loss: server, at: 1h}").await.unwrap();
    let error = session
        .run(async move {
            let mut stream = stream;
            let keepalive = v1::SocketOptions { keepalive: Some(true), ..Default::default() };
            stream.set_options(keepalive).await.unwrap();
            clock.sleep(Duration::from_secs(7000)).await;
            assert_eq!(clock.now().as_secs(), 7000);
            (stream.read(&mut [0; 10]).await.unwrap_err().kind(), clock.now().as_secs())
        })
        .await
        .unwrap();
    assert_eq!(error, (ErrorKind::TimedOut, 7875));
}

#[tokio::test]
async fn who_waits_for_ever_is_told_at_once_what_for() {
    let mut session = session(TWO).await;
    echo(&session);
    let client = session.host("client");
    let stuck = session
        .run(async move {
            let mut stream = client.connect("server:80").await.unwrap();
            stream.read(&mut [0; 10]).await
        })
        .await
        .unwrap_err();
    let said = stuck.to_string();
    assert!(matches!(stuck, SessionError::Stuck(_)), "{said}");
    assert!(said.contains("socket 1 to be readable"), "{said}");
}

#[tokio::test]
async fn broken_expectations_are_shown_with_a_picture() {
    let mut session = session(&format!("{TWO}expect: [{{server: {{received: 5 B}}}}]\n")).await;
    echo(&session);
    let client = session.host("client");
    session
        .run(async move { client.connect("server:80").await.unwrap().write_all(b"hi").await.unwrap() })
        .await
        .unwrap();
    let failed = session.finish().await.unwrap_err().to_string();
    assert!(failed.contains("SYN-SENT") && failed.contains("received: 5 B"), "{failed}");
}

#[tokio::test]
async fn a_lifted_fault_is_over_and_what_was_done_can_be_exported() {
    let mut session = session(TWO).await;
    echo(&session);
    let client = session.host("client");
    let mut stream = session.run(async move { client.connect("server:80").await.unwrap() }).await.unwrap();
    let faults = session.inject("{partition: [client, server]}").await.unwrap();
    let clock = session.clock();
    let mut stream = session
        .run(async move {
            stream.write_all(b"hello").await.unwrap();
            clock.sleep(Duration::from_secs(10)).await;
            stream
        })
        .await
        .unwrap();
    session.lift(faults[0]).await.unwrap();
    assert!(session.lift(faults[0]).await.is_err());
    let echoed = session.run(async move {
        let mut data = [0; 5];
        stream.read_exact(&mut data).await.map(|_| data)
    });
    assert_eq!(&echoed.await.unwrap().unwrap(), b"hello");
    let exported = session.export().await.unwrap();
    assert!(exported.yaml.contains("lift: 1"), "{}", exported.yaml);
}

async fn calls(text: &str) -> Result<Calls, ClientError> {
    let client = Client::new(Service::new(&Config::default()).unwrap().connect(), "in memory".to_owned());
    Calls::create(&client, &source(text), &SessionOptions::default()).await
}

#[tokio::test]
async fn calls_are_made_one_by_one_and_events_are_watched() {
    let mut calls = calls(TWO).await.unwrap();
    let names: Vec<&str> = calls.hosts().iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["client", "server"]);
    let mut watch = calls.watch(0).await.unwrap();
    let listen = v1::ListenRequest { host: "server".to_owned(), port: 80, ..Default::default() };
    assert_eq!(calls.listen(listen).await.unwrap().socket, 1);
    let connect = v1::StartConnectRequest {
        host: "client".to_owned(),
        to: "server:80".to_owned(),
        ..Default::default()
    };
    assert_eq!(calls.start_connect(connect).await.unwrap().error, "EINPROGRESS");
    let advanced = calls.advance(v1::AdvanceRequest::default()).await.unwrap();
    assert_eq!(advanced.stop(), v1::AdvanceStop::Idle);
    let happened = calls.state().await.unwrap().events;
    let mut watched = 0;
    while watched < happened {
        watched += watch.next().await.unwrap().unwrap().len() as u64;
    }
    assert_eq!(watched, happened);
    let finished = calls.finish_session(v1::FinishSessionRequest::default()).await.unwrap();
    assert!(finished.events > happened);
    calls.delete().await.unwrap();
}

#[tokio::test]
async fn an_event_that_comes_in_parts_is_whole_for_a_watcher_and_with_advance() {
    let name = "c".repeat(64);
    let steps = "connect: server:80, ".repeat(10_000);
    let hosts = format!("hosts: {{{name}: {{}}, server: {{}}}}");
    let mut calls =
        calls(&format!("scenario: large\n{hosts}\napplications: {{{name}: [{steps}]}}\n")).await.unwrap();
    let watched = calls.watch(0).await.unwrap().next().await.unwrap().unwrap();
    let Some(Kind::RunStarted(started)) = &watched[0].kind else { panic!("{:?}", watched[0]) };
    let settings = &started.settings;
    let bytes: usize = settings.iter().map(|setting| setting.path.len()).sum();
    assert!(settings.len() >= 10_000 && bytes > 800_000, "{bytes} bytes in {} settings", settings.len());
    let limit = Some(v1::advance_request::Limit::By(halfopen_proto::Duration::default()));
    let request = v1::AdvanceRequest { limit, max_events: 1, ..Default::default() };
    let mut advanced = Vec::new();
    while advanced.is_empty() {
        let response = calls.advance(request.clone()).await.unwrap();
        assert!(response.part.is_none() && response.more_events == response.events.is_empty());
        advanced = response.events;
    }
    assert_eq!(advanced, watched[..1]);
}

#[tokio::test]
async fn a_refused_call_harms_nothing_and_a_session_that_is_gone_says_so() {
    let mut calls = calls(TWO).await.unwrap();
    let wrong = v1::AcceptRequest { socket: 7, ..Default::default() };
    let refused = calls.accept(wrong).await.unwrap_err();
    assert!(matches!(&refused, CallError::Refused { reason, .. } if reason == "SOCKET_UNKNOWN"), "{refused}");
    calls.advance(v1::AdvanceRequest::default()).await.unwrap();
    calls.clone().delete().await.unwrap();
    let gone = calls.state().await.unwrap_err();
    assert!(matches!(gone, CallError::Gone(_)), "{gone}");
}

#[tokio::test]
async fn a_wrong_scenario_is_reported_with_every_mistake() {
    let wrong =
        calls("scenario: two\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20}\nuntil: never\n");
    let Err(ClientError::Invalid { diagnostics, .. }) = wrong.await else { panic!("it is wrong") };
    let lines: Vec<u32> = diagnostics.iter().map(|diagnostic| diagnostic.line).collect();
    assert_eq!(lines, [3, 4], "{diagnostics:#?}");
}
