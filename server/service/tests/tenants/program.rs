//! The program: its file, its tokens, and what it reads again.
#![cfg(unix)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use halfopen_proto::v1::GetServerRequest;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use tonic::Request;
use tonic_types::StatusExt;

use super::common::PATIENCE;
use super::{folder, token};

fn halfopend(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_halfopend"));
    command.current_dir(folder).args(["--config", "halfopend.toml"]).args(arguments);
    command
}

/// What a command prints on standard output; it succeeds.
fn out(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = halfopend(folder, arguments).output().unwrap();
    let said = String::from_utf8(stderr).unwrap();
    assert!(status.success(), "{arguments:?}: {said}");
    String::from_utf8(stdout).unwrap()
}

/// What a command complains about; it fails.
fn err(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = halfopend(folder, arguments).output().unwrap();
    assert!(!status.success() && stdout.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stderr).unwrap()
}

/// A server that runs until it is dropped.
struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    fn start(folder: &Path) -> Running {
        let mut command = halfopend(folder, &["--listen", "127.0.0.1:0"]);
        command.env("HALFOPEN_LOG", "info").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).expect("the address");
        Running { address: line["listening"].as_str().unwrap().parse().unwrap(), child }
    }

    fn hang_up(&self) {
        let sent = Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The reason why a token is refused; empty if it is not.
    async fn refusal(&self, token: &str) -> String {
        let mut client = ServerServiceClient::connect(format!("http://{}", self.address)).await.unwrap();
        let mut request = Request::new(GetServerRequest {});
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        let refused = client.get_server(request).await.err();
        refused.map(|status| status.get_details_error_info().unwrap().reason).unwrap_or_default()
    }

    /// The log from now on, up to a line with these words.
    fn log_until(&mut self, words: &str) -> String {
        let mut log = BufReader::new(self.child.stderr.as_mut().unwrap());
        let mut said = String::new();
        while !said.contains(words) {
            assert!(log.read_line(&mut said).unwrap() > 0, "no {words:?} in {said}");
        }
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_hangup_reads_the_tenants_again_and_a_broken_file_changes_nothing() {
    let folder = folder();
    let first = out(&folder, &["token", "new", "acme", "--name", "ci", "--expires", "90d", "--add"]);
    let first = first.trim();
    let mut server = Running::start(&folder);
    assert_eq!(server.refusal(first).await, "");

    let second = out(&folder, &["token", "new", "globex", "--role", "read", "--add"]);
    let second = second.trim();
    assert_eq!(server.refusal(second).await, "TOKEN_WRONG", "it is not read before the signal");
    server.hang_up();
    let known = async {
        while !server.refusal(second).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known).await.expect("it is read again");
    let said = server.log_until("the tenants were reloaded");
    assert!(said.contains("2 tenants, 2 tokens"), "{said}");

    let file = folder.join("halfopend.toml");
    let right = fs::read_to_string(&file).unwrap();
    fs::write(&file, right.replace("globex", "Globex")).unwrap();
    server.hang_up();
    let said = server.log_until("the old tenants stay");
    assert!(said.contains("`Globex` names no tenant"), "{said}");
    assert_eq!((server.refusal(first).await, server.refusal(second).await), (String::new(), String::new()));

    // A token is taken back.
    let only_second = &right[right.rfind("[[").unwrap()..];
    fs::write(&file, only_second).unwrap();
    server.hang_up();
    server.log_until("1 tenant, 1 token");
    assert_eq!(server.refusal(first).await, "TOKEN_WRONG");
    assert_eq!(server.refusal(second).await, "");
}

#[test]
fn a_token_is_shown_once_and_the_file_has_its_digest_only() {
    let folder = folder();
    let shown =
        out(&folder, &["token", "new", "acme", "--name", "nightly", "--role", "admin", "--expires", "30d"]);
    let (token, entry) = shown.split_once("\n\n").unwrap();
    assert!(token.starts_with("hop_") && !entry.contains(token), "{shown}");
    assert!(!folder.join("halfopend.toml").exists(), "it is not asked to");
    let output =
        Command::new(env!("CARGO_BIN_EXE_halfopend")).args(["token", "new", "acme", "--add"]).output();
    let said = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(said.contains("which file? --config"), "{said}");
    fs::write(folder.join("halfopend.toml"), entry).unwrap();
    assert_eq!(super::sha256(token), entry.split('"').nth(3).unwrap());
    assert_eq!(out(&folder, &["check"]), "halfopend.toml: 1 tenant, 1 token, 0 certificates, 0 issuers\n");
    let listed = out(&folder, &["token", "list"]);
    assert!(listed.starts_with("TENANT  TOKEN    ROLE   EXPIRES\nacme    nightly  admin  20"), "{listed}");
    for (arguments, part) in [
        (&["token", "new", "Acme"][..], "a tenant's name has 1 to 63"),
        (&["token", "new", "acme", "--role", "owner"], "possible values: read, run, admin"),
        (&["token", "new", "acme", "--name", "a\"b"], "a name has 1 to 100"),
        (&["token", "new", "acme", "--name", "a\nb"], "a name has 1 to 100"),
        (&["token", "new", "acme", "--expires", "soon"], "soon"),
    ] {
        let said = err(&folder, arguments);
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn an_entry_that_does_not_fit_leaves_the_file_as_it_is() {
    let folder = folder();
    let text = format!("tenants.acme.tokens = [{{ sha256 = '{}' }}]\n", super::sha256("x"));
    fs::write(folder.join("halfopend.toml"), &text).unwrap();
    let said = err(&folder, &["token", "new", "acme", "--add"]);
    assert!(said.contains("halfopend.toml:3:"), "{said}");
    assert_eq!(fs::read_to_string(folder.join("halfopend.toml")).unwrap(), text);
}

#[test]
fn a_wrong_file_is_reported_with_all_its_mistakes() {
    let folder = folder();
    let said = err(&folder, &["check"]);
    assert!(said.contains("cannot read `halfopend.toml`"), "{said}");
    fs::write(folder.join("halfopend.toml"), "listn = 'x'\n[tenants.acme]\nrunnig = 1\n").unwrap();
    for arguments in [&["check"][..], &["token", "list"], &["--listen", "127.0.0.1:0"]] {
        let said = err(&folder, arguments);
        let expected = "\
halfopend: halfopend.toml:1:1: there is no option `listn`; did you mean `listen`?
halfopend: halfopend.toml:3:1: [tenants.acme] has no key `runnig`; did you mean `running`?
";
        assert_eq!(said, expected, "{arguments:?}");
    }
    // What the file names is checked, too, and what it would open to everybody.
    for (text, part) in [
        ("tls-cert = 'no.pem'\ntls-key = 'no.pem'", "no.pem`: "),
        ("tls-cert = 'no.pem'", "--tls-key"),
        ("listen = '0.0.0.0:0'\n[tenants.acme]", "or say --insecure"),
        ("token = 'short'", "has 5 characters, fewer than 16"),
    ] {
        fs::write(folder.join("halfopend.toml"), text).unwrap();
        let said = err(&folder, &["check"]);
        assert!(said.contains(part), "{text}: {said}");
    }
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let folder = folder();
    fs::write(folder.join("halfopend.toml"), "listen = '127.0.0.1:x'\nqueue = 7\n").unwrap();
    let said = err(&folder, &["check"]);
    assert!(said.contains("halfopend.toml:1:10: `listen` cannot be `127.0.0.1:x`"), "{said}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    let text = format!("listen = '{taken}'\n{}", token("acme", "the-token-of-acme", ""));
    fs::write(folder.join("halfopend.toml"), text).unwrap();
    let said = err(&folder, &[]);
    assert!(said.contains(&format!("cannot listen on {taken}")), "the file says so: {said}");
    for variable in ["HALFOPEN_LISTEN", "HALFOPEND_LISTEN"] {
        let output = halfopend(&folder, &[]).env(variable, "127.0.0.2:x").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("127.0.0.2:x"), "{variable} goes before the file: {said}");
        let mut command = halfopend(&folder, &["--listen", &taken]);
        let output = command.env(variable, "127.0.0.2:1").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains(&format!("cannot listen on {taken}")),
            "an argument goes before {variable}: {said}"
        );
    }
    drop(listener);
    let mut rest = String::new();
    let mut server = Running::start(&folder);
    server.child.kill().unwrap();
    server.child.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
    assert!(rest.contains("listening"), "{rest}");
}
