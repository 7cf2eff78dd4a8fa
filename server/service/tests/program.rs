//! The binary: what it prints, and how it ends.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::disallowed_methods, reason = "a process outside, in real time")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use halfopen_proto::v1::ExecuteRunRequest;
use halfopen_proto::v1::execute_run_request::Source;
use halfopen_proto::v1::run_service_client::RunServiceClient;

fn halfopend(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary is built")
}

/// The address in the line it prints.
fn announced(child: &mut Child) -> SocketAddr {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).expect("one JSON object");
    line["listening"].as_str().expect("the address").parse().unwrap()
}

#[test]
fn it_prints_its_address_once_it_listens() {
    let mut child = halfopend(&["--listen", "127.0.0.1:0"]);
    let address = announced(&mut child);
    TcpStream::connect(address).expect("it listens already");
    child.kill().unwrap();
    let mut rest = String::new();
    child.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "", "one line and no more");
    child.wait().unwrap();
}

#[cfg(unix)]
fn signal(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_soon_with_success() {
    for signal in ["-TERM", "-INT"] {
        let mut child = halfopend(&["--listen", "127.0.0.1:0"]);
        let address = announced(&mut child);
        // A client that is connected and idle does not hold it up.
        let _idle = TcpStream::connect(address).unwrap();
        let sent = Instant::now();
        self::signal(&child, signal);
        let status = child.wait().unwrap();
        assert!(status.success(), "{signal}: {status}");
        assert!(sent.elapsed() < Duration::from_secs(10), "{signal}: {:?}", sent.elapsed());
    }
}

#[test]
fn a_server_that_must_not_outlive_its_parent_ends_with_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(["--listen", "127.0.0.1:0", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary is built");
    announced(&mut child);
    // What is written means nothing.
    child.stdin.as_mut().unwrap().write_all(b"hello\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "it serves as long as its parent is there");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

/// The status of the answer to `GET /healthz`.
fn healthz(address: SocketAddr) -> String {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap().to_owned()
}

/// More events than lie in the buffers of a connection that nobody reads: the stream stays open.
const LONG: &str = "\
scenario: long
title: A hundred thousand times a kibibyte
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: end]
  client:
    - connect: server:80
    - send: 1 KiB
      every: 1us
      times: 100000
";

#[cfg(unix)]
#[tokio::test]
async fn the_first_signal_waits_for_open_runs_and_the_second_does_not() {
    let mut child = halfopend(&["--listen", "127.0.0.1:0", "--grace", "1h"]);
    let address = announced(&mut child);
    let mut client = RunServiceClient::connect(format!("http://{address}")).await.unwrap();
    let request =
        ExecuteRunRequest { source: Some(Source::Yaml(LONG.into())), ..ExecuteRunRequest::default() };
    let mut stream = client.execute_run(request).await.unwrap().into_inner();
    stream.message().await.unwrap().expect("it runs");

    signal(&child, "-TERM");
    while healthz(address) != "503" {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(child.try_wait().unwrap(), None, "it waits for the run");
    let sent = Instant::now();
    signal(&child, "-TERM");
    assert!(child.wait().unwrap().success());
    assert!(sent.elapsed() < Duration::from_secs(10), "{:?}", sent.elapsed());
}

#[cfg(unix)]
#[tokio::test]
async fn a_port_for_metrics_does_not_cut_off_open_runs() {
    let arguments = ["--listen", "127.0.0.1:0", "--listen-metrics", "127.0.0.1:0", "--grace", "200ms"];
    let mut child = halfopend(&arguments);
    let address = announced(&mut child);
    let mut client = RunServiceClient::connect(format!("http://{address}")).await.unwrap();
    let request =
        ExecuteRunRequest { source: Some(Source::Yaml(LONG.into())), ..ExecuteRunRequest::default() };
    let mut stream = client.execute_run(request).await.unwrap().into_inner();
    stream.message().await.unwrap().expect("it runs");
    signal(&child, "-TERM");
    tokio::time::sleep(Duration::from_millis(400)).await;
    let ended = loop {
        match stream.message().await {
            Ok(message) => assert!(message.is_some(), "it does not end by itself"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.message(), "the server is shutting down");
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_address_in_use_is_an_error_that_helps() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = halfopend(&["--listen", &address]).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains(&address) && said.contains("--listen"), "{said}");
}

/// A run of a bundled scenario on a server.
async fn dead_client(address: SocketAddr) {
    let mut client = RunServiceClient::connect(format!("http://{address}")).await.unwrap();
    let request = ExecuteRunRequest {
        source: Some(Source::Name("dead-client".into())),
        ..ExecuteRunRequest::default()
    };
    let mut stream = client.execute_run(request).await.unwrap().into_inner();
    while stream.message().await.unwrap().is_some() {}
}

#[tokio::test]
async fn the_log_has_a_line_for_each_run_in_json_too() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(["--listen", "0.0.0.0:0", "--insecure", "--log-format", "json"])
        .env("HALFOPEN_LOG", "info")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let port = announced(&mut child).port();
    dead_client(([127, 0, 0, 1], port).into()).await;
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut lines = Vec::new();
    while !lines.iter().any(|line: &serde_json::Value| line["message"] == "run") {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "{lines:?}");
        lines.push(serde_json::from_str(&line).expect("one JSON object a line"));
    }
    let run = lines.last().unwrap();
    assert_eq!((&run["run"], &run["caller"]), (&1.into(), &"127.0.0.1".into()), "{run}");
    assert_eq!((&run["scenario"], &run["verdict"]), (&"dead-client".into(), &"Passed".into()), "{run}");
    assert!(lines.iter().all(|line| !line["target"].as_str().unwrap().starts_with("turmoil")), "{lines:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The processor time of a process, in clock ticks.
#[cfg(target_os = "linux")]
fn processor_time(child: &Child) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    // The name of the program, in parentheses, is the second field; user and system time are the 14th and 15th.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_free_descriptor_it_waits_says_so_once_and_recovers() {
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -n 64 && exec \"$0\" --listen 127.0.0.1:0", env!("CARGO_BIN_EXE_halfopend")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = announced(&mut child);
    let many: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(address).unwrap()).collect();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("cannot accept connections") && line.contains("ulimit -n"), "{line}");
    let before = processor_time(&child);
    std::thread::sleep(Duration::from_secs(1));
    let ticks = processor_time(&child) - before;
    assert!(ticks < 30, "a busy loop: {ticks} ticks of the processor in a second");
    drop(many);
    assert_eq!(healthz(address), "200");
    line.clear();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("accepted again"), "{line}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn unusable_tls_and_token_options_are_errors_before_it_listens() {
    let program = env!("CARGO_BIN_EXE_halfopend");
    for (arguments, code, part) in [
        (&["--tls-cert", "no-such.pem", "--tls-key", program][..], 1, "cannot read `no-such.pem`"),
        (&["--tls-cert", program, "--tls-key", program], 1, "--tls-cert and --tls-key name PEM files"),
        (&["--tls-cert", program], 2, "--tls-key"),
        (&["--token", ""], 2, "the token is empty"),
        (&["--silence", "1s"], 2, "in less than 2s"),
        (&["--max-request-bytes", "many"], 2, "many"),
        (&["--token", "two words"], 2, "without spaces"),
        (&["--token", "fifteen-letters"], 1, "has 15 characters, fewer than 16"),
        (&["--listen", "0.0.0.0:0"], 1, "or say --insecure"),
        (&["--listen", "[::]:0", "--token", "sixteen-letters!"], 1, "or say --insecure"),
    ] {
        let output = halfopend(arguments).wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), &b""[..]), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}
