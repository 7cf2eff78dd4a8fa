//! The command line against a server that does not support an option.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "../../rust/tests/common/fake.rs"]
mod fake;

use common::Ended;
use fake::Fake;

#[tokio::test]
async fn an_option_that_the_server_does_not_support_exits_with_4_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let captures = format!("pcapng={}", folder.path().join("captures").display());
    let (plain, with_variants) =
        ("scenarios/keepalive/dead-client.yaml", "scenarios/close/fin-wait-2-stuck.yaml");
    let cases: [(&[&str], &str); 3] = [
        (&[with_variants, "--variant", "held"], "does not support variants of scenarios"),
        (&[plain, "--profile", "freebsd"], "does not support a profile for all hosts"),
        (&[plain, "--report", &captures], "does not support the capture of datagrams"),
    ];
    for features in [Some(&[][..]), None] {
        let server = Fake::start(features).await;
        for (arguments, part) in cases {
            let mut command = common::halfopen(&[&["run", "--server", &server.address], arguments].concat());
            let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
            let ended = Ended::of(output);
            assert_eq!(ended.code, Some(4), "{arguments:?}: {}{}", ended.out, ended.err);
            for part in [part, "update the server, or run without"] {
                assert!(ended.err.contains(part), "{arguments:?}: no {part:?} in {}", ended.err);
            }
            assert_eq!(server.runs(), 0, "{arguments:?}");
        }
    }
}
