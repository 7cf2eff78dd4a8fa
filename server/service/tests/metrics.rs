//! What an operator sees: the values move, and nobody sees them without the token.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use common::{PATIENCE, SCENARIO, Server, all, config, forever, named, started, yaml};
use halfopen_proto::v1::ValidateScenarioRequest;
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_scenario::Scenario;
use halfopen_sim::{RunOptions, Sink};
use halfopend::{Access, Config, PortLimits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Request;

/// The answer to a request for `/metrics`, perhaps with more headers: its head and its body.
async fn get(address: &str, headers: &str) -> (String, String) {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /metrics HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The samples of a text, by their names and labels.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line} has no number")))
        })
        .collect()
}

async fn scrape(server: &Server) -> BTreeMap<String, f64> {
    let (head, body) = get(&server.address, "").await;
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"), "{head}");
    samples(&body)
}

/// Waits until a sample has a value: what is counted when a call ends may come a little later than the end.
async fn until(server: &Server, sample: &str, value: f64) {
    let poll = async {
        while scrape(server).await.get(sample) != Some(&value) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, poll).await.is_err() {
        panic!("{sample} is not {value}: {:#?}", scrape(server).await);
    }
}

const EXECUTE_RUN: &str =
    r#"grpc_type="server_stream",grpc_service="halfopen.v1.RunService",grpc_method="ExecuteRun""#;

#[tokio::test]
async fn runs_and_calls_are_counted_when_they_end() {
    let server = Server::start().await;
    let before = scrape(&server).await;
    assert_eq!(before[r#"halfopen_runs_total{tenant="default",verdict="passed"}"#], 0.0);
    assert_eq!(before[&format!("grpc_server_started_total{{{EXECUTE_RUN}}}")], 0.0);

    let mut runs = server.runs().await;
    all(runs.execute_run(named("dead-client")).await.unwrap().into_inner()).await;
    runs.execute_run(named("no-such-scenario")).await.unwrap_err();
    runs.execute_run(yaml("nonsense")).await.unwrap_err();
    let mut scenarios = ScenarioServiceClient::new(server.channel().await);
    let text = ValidateScenarioRequest { yaml: SCENARIO.into(), ..Default::default() };
    scenarios.validate_scenario(text).await.unwrap();

    for (sample, value) in [
        (r#"halfopen_runs_total{tenant="default",verdict="passed"}"#.to_owned(), 1.0),
        ("halfopen_run_seconds_count".to_owned(), 1.0),
        (r#"halfopen_queue_seconds_count{work="run"}"#.to_owned(), 3.0),
        (r#"halfopen_queue_seconds_count{work="validation"}"#.to_owned(), 1.0),
        (format!("grpc_server_started_total{{{EXECUTE_RUN}}}"), 3.0),
        (format!(r#"grpc_server_handled_total{{{EXECUTE_RUN},grpc_code="OK"}}"#), 1.0),
        (format!(r#"grpc_server_handled_total{{{EXECUTE_RUN},grpc_code="NotFound"}}"#), 1.0),
        (format!("grpc_server_handling_seconds_count{{{EXECUTE_RUN}}}"), 3.0),
        (r#"halfopen_call_errors_total{reason="SCENARIO_UNKNOWN"}"#.to_owned(), 1.0),
        (r#"halfopen_call_errors_total{reason="SCENARIO_INVALID"}"#.to_owned(), 1.0),
    ] {
        until(&server, &sample, value).await;
    }
}

#[tokio::test]
async fn levels_rise_and_fall() {
    let config = Config { queue: 1, ..config() };
    let server =
        Server::with(&config, |scenario: &Arc<Scenario>, options: &RunOptions, sink: &mut dyn Sink| {
            sink.chunk(1, &Arc::new(vec![started(scenario, options)]));
            forever(sink);
        })
        .await;
    // Two run, one waits, and one more is refused.
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap().into_inner();
        stream.message().await.unwrap();
        streams.push(stream);
    }
    let mut runs = server.runs().await;
    let waiting = tokio::spawn(async move { runs.execute_run(yaml(SCENARIO)).await });
    server.until(|load| load.waiting_runs == 1).await;
    server.runs().await.execute_run(yaml(SCENARIO)).await.unwrap_err();

    let samples = scrape(&server).await;
    for (sample, value) in [
        ("halfopen_threads", 2.0),
        ("halfopen_threads_busy", 2.0),
        ("halfopen_tasks_waiting", 1.0),
        ("halfopen_open_streams", 3.0),
        (r#"halfopen_call_errors_total{reason="QUEUE_FULL"}"#, 1.0),
    ] {
        assert_eq!(samples[sample], value, "{sample}");
    }
    assert!(samples["halfopen_connections"] >= 4.0);
    waiting.abort();
    drop(streams);
    for sample in ["halfopen_threads_busy", "halfopen_tasks_waiting", "halfopen_open_streams"] {
        until(&server, sample, 0.0).await;
    }
    until(&server, r#"halfopen_runs_total{tenant="default",verdict="none"}"#, 2.0).await;
    let left = format!(r#"grpc_server_handled_total{{{EXECUTE_RUN},grpc_code="Canceled"}}"#);
    until(&server, &left, 3.0).await;
}

#[tokio::test]
async fn a_method_that_does_not_exist_is_unknown_whatever_its_name() {
    let server = Server::start().await;
    for name in ["one", "other"] {
        let mut connection = TcpStream::connect(&server.address).await.unwrap();
        let path = format!("halfopen.v1.RunService/{name}");
        connection.write_all(&common::web(&path, "connection: close\r\n", &())).await.unwrap();
        connection.read_to_end(&mut Vec::new()).await.unwrap();
    }
    let unknown = r#"grpc_type="unknown",grpc_service="unknown",grpc_method="unknown""#;
    until(&server, &format!("grpc_server_started_total{{{unknown}}}"), 2.0).await;
}

#[tokio::test]
async fn refused_connections_are_counted() {
    let limits = PortLimits { connections: 1, ..PortLimits::default() };
    let server = Server::open_to(&Access { limits, ..Access::default() }).await;
    let place = TcpStream::connect(&server.address).await.unwrap();
    server.until(|load| load.connections == 1).await;
    let refused = TcpStream::connect(&server.address).await.unwrap().read(&mut [0]).await;
    assert!(matches!(refused, Ok(0) | Err(_)), "{refused:?}");
    drop(place);
    server.until(|load| load.connections == 0).await;
    until(&server, "halfopen_connections_refused_total", 1.0).await;
}

#[tokio::test]
async fn with_a_token_the_metrics_need_it_too() {
    let token = "sixteen-letters!".parse().unwrap();
    let server = Server::open_to(&Access { token: Some(token), ..Access::default() }).await;
    let (head, body) = get(&server.address, "").await;
    assert!(head.starts_with("HTTP/1.1 401") && head.contains("www-authenticate: Bearer"), "{head}");
    assert!(body.contains("requires a token"), "{body}");
    let (head, _) = get(&server.address, "authorization: Bearer wrong\r\n").await;
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let (head, body) = get(&server.address, "authorization: Bearer sixteen-letters!\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200") && samples(&body).contains_key("halfopen_threads"), "{head}");
    // Refused calls are counted.
    let refused = server.runs().await.execute_run(Request::new(named("dead-client"))).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    let (_, body) = get(&server.address, "authorization: Bearer sixteen-letters!\r\n").await;
    assert_eq!(samples(&body)[r#"halfopen_call_errors_total{reason="TOKEN_MISSING"}"#], 1.0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_process_is_measured_under_its_usual_names() {
    let server = Server::start().await;
    let samples = scrape(&server).await;
    assert!(samples["process_resident_memory_bytes"] > 1e6);
    assert!(samples["process_open_fds"] > 2.0 && samples["process_open_fds"] < samples["process_max_fds"]);
    assert!(samples["process_cpu_seconds_total"] > 0.0 && samples["process_threads"] > 1.0);
    assert!(samples["process_start_time_seconds"] > 1.7e9);
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let is_ours =
        |word: &&str| ["halfopen_", "grpc_server_", "process_"].iter().any(|prefix| word.starts_with(prefix));
    words.filter(is_ours).collect()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    let server = Server::start().await;
    let mut runs = server.runs().await;
    all(runs.execute_run(named("dead-client")).await.unwrap().into_inner()).await;
    runs.execute_run(yaml("nonsense")).await.unwrap_err();
    until(&server, r#"halfopen_call_errors_total{reason="SCENARIO_INVALID"}"#, 1.0).await;
    let samples = scrape(&server).await;
    let there: BTreeSet<_> = samples.keys().filter_map(|sample| sample.split('{').next()).collect();
    for (file, text) in [
        ("alerts.yaml", include_str!("../../../deploy/prometheus/alerts.yaml")),
        ("halfopen.json", include_str!("../../../deploy/grafana/halfopen.json")),
    ] {
        let asked = names(text);
        assert!(asked.len() > 5, "{file}: {asked:?}");
        let missing: Vec<_> = asked.difference(&there).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}");
    }
}

/// Prometheus's own linter, if it is installed.
#[tokio::test]
async fn promtool_finds_nothing_to_complain_about() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut promtool = match Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    {
        Ok(promtool) => promtool,
        Err(error) => {
            assert!(
                std::env::var_os("HALFOPEN_TOOLS").is_none_or(|tools| tools != "required"),
                "promtool: {error}"
            );
            eprintln!("skipped: promtool is not installed");
            return;
        }
    };
    let server = Server::start().await;
    server.runs().await.execute_run(yaml("nonsense")).await.unwrap_err();
    let (_, body) = get(&server.address, "").await;
    promtool.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}\n{body}");
}
