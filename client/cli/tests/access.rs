//! The options for a server: TLS, certificates and the token.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "../../rust/tests/common/mod.rs"]
mod server;

use server::{HERE, authority, file, serve, tls};

/// The code and the standard error of a command.
async fn ended(arguments: &[&str], token: Option<&str>) -> (Option<i32>, String) {
    let mut command = common::halfopen(arguments);
    if let Some(token) = token {
        command.env("HALFOPEN_TOKEN", token);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn the_command_line_knows_tls_and_the_token() {
    let known = authority();
    let server = serve(Some(tls("command", &known, HERE, |_| ())), Some("s3cret")).await;
    let server = format!("https://127.0.0.1:{server}");
    let ca = file("command.ca.pem", &known.pem()).display().to_string();
    let run = ["run", "dead-client", "--server", &server, "--ca", &ca];
    assert_eq!(ended(&run, Some("s3cret")).await, (Some(0), String::new()));
    let given = [&run[..], &["--token", "s3cret"]].concat();
    assert_eq!(ended(&given, Some("wrong")).await, (Some(0), String::new()), "options go before");
    for (arguments, token, code, part) in [
        (&run[..], None, 4, "requires a token"),
        (&run, Some("wrong"), 4, "the token is wrong"),
        (&["list", "--server", &server, "--ca", "no-such.pem"], None, 2, "cannot read --ca `no-such.pem`"),
        (&["list", "--server", "http://192.0.2.1:1"], Some("s3cret"), 2, "in the clear; write https://"),
        (
            &["list", "--server", "http://192.0.2.1:1"],
            Some("s3cret"),
            2,
            "help: `halfopen serve --tls-cert FILE",
        ),
        (&["list", "--server", &server], Some("s3cret"), 4, "help: --ca FILE"),
        (&["list", "--server", "http://192.0.2.1:1", "--ca", &ca], None, 2, "help: leave out --ca"),
        (&["serve", "--token", "two words"], None, 2, "without spaces"),
        (&["serve", "--listen", "192.0.2.1:1"], Some(""), 2, "HALFOPEN_TOKEN is empty"),
        (&["serve", "--tls-cert", &ca], None, 2, "--tls-key"),
        // What the client sends and what the server wants are the same word, in the same place.
        (
            &["--token", "s3cret-s3cret-s3cret", "serve", "--listen", "192.0.2.1:1", "--insecure"],
            None,
            4,
            "cannot listen",
        ),
        (
            &["serve", "--listen", "192.0.2.1:1", "--insecure", "--token", "s3cret-s3cret-s3cret"],
            None,
            4,
            "cannot listen",
        ),
    ] {
        let (actual, text) = ended(arguments, token).await;
        assert_eq!(actual, Some(code), "{arguments:?}: {text}");
        assert!(text.contains(part), "{arguments:?}: no {part:?} in {text}");
    }
    let (_, help) = ended(&["list", "--no-such-option"], Some("s3cret")).await;
    assert!(!help.contains("s3cret"), "{help}");
}
