//! What the steps of a program do, one by one.

mod common;

use std::sync::Arc;

use common::*;
use halfopen_sim::{Discard, RunOptions};
use halfopen_trace::{EventKind, Verdict};

const SERVER_THAT_READS: &str = "server: [listen: 80, accept, receive: end, close]";

#[test]
fn wait_until_counts_from_the_start_and_is_over_if_the_time_is_past() {
    let outcome = play(&format!(
        "applications:\n  {SERVER_THAT_READS}\n  client: [wait-until: 500ms, connect: server:80, wait-until: 510ms, \
         send: 1 B, wait-until: 2s, close]\n"
    ));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(
        results(&outcome, "client"),
        [
            "0.500 wait-until",
            "0.540 connect",
            "0.540 wait-until",
            "0.540 send 1",
            "2.000 wait-until",
            "2.000 close"
        ]
    );
}

#[test]
fn after_shutdown_read_what_came_is_read_and_then_comes_the_end() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, wait-until: 500ms, send: 100 B, wait-until: 700ms, send: 100 B, \
         receive: end, close]\n  client: [connect: server:80, wait-until: 100ms, shutdown: read, wait-until: 1s, \
         receive, wait-until: 1500ms, receive, close]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(
        results(&outcome, "client")[2..],
        [
            "0.100 shutdown",
            "1.000 wait-until",
            "1.000 receive 200",
            "1.500 wait-until",
            "1.500 receive end",
            "1.500 close"
        ]
    );
    assert!(!wire(&outcome).iter().any(|line| line.contains("RST")), "{:?}", wire(&outcome));
}

#[test]
fn linger_zero_makes_close_a_reset_which_the_peer_expects() {
    let server =
        "server: [listen: 80, accept, {receive: 1 B, error: ECONNRESET}, {send: 1 B, error: EPIPE}, close]";
    let outcome = play(&format!(
        "applications:\n  {server}\n  client: [connect: server:80, set: {{linger: 0s}}, close]\n"
    ));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(
        results(&outcome, "server")[2..],
        ["0.060 receive: ECONNRESET", "0.060 send: EPIPE", "0.060 close"]
    );
}

#[test]
fn the_user_timeout_of_a_socket_or_a_host_ends_what_nobody_acknowledges() {
    for (host, step) in [("", ", set: {user-timeout: 3s}"), ("tcp: {user-timeout: 3s}", "")] {
        let text = format!(
            "scenario: steps\nhosts: {{client: {{{host}}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\napplications:\n  \
             {SERVER_THAT_READS}\n  client: [connect: server:80{step}, wait-until: 500ms, send: 1 KiB, {{receive: 1 B, \
             error: ETIMEDOUT}}]\nfaults: [{{partition: [client, server], at: 100ms}}]\nuntil: 10s\n"
        );
        let scenario = halfopen_scenario::load(&text).expect("right");
        let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard);
        let ended = results(&outcome, "client").pop().expect("a result");
        let (time, what) = ended.split_once(' ').expect("a time");
        assert_eq!(what, "receive: ETIMEDOUT");
        assert!((3.5..4.5).contains(&time.parse::<f64>().unwrap()), "{ended}");
    }
}

#[test]
fn a_small_receive_buffer_lets_the_window_shrink() {
    let windows = |set: &str| {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept{set}, hold]\n  client: [connect: server:80, \
             wait-until: 100ms, send: 40000 B, wait-until: 900ms, hold]\nuntil: 900ms\n"
        ));
        let last = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
            EventKind::SegmentSent(sent) if event.host == Some(SERVER.into()) => Some(sent.window),
            _ => None,
        });
        last.last().expect("an acknowledgment")
    };
    assert!(windows("") > 20_000);
    assert!(windows(", set: {receive-buffer: 4 KiB}") < 30_000);
}

#[test]
fn a_step_that_may_fail_lets_its_program_go_on() {
    for (may, calls) in [("", vec!["connect"]), (", may-fail: on", vec!["connect", "wait", "connect"])] {
        let outcome = play(&format!(
            "applications:\n  client: [{{connect: server:80, as: a{may}}}, wait: 1s, {{connect: server:81, as: b}}]\nexpect: [{{client: {{error: ECONNREFUSED}}}}]\n"
        ));
        let results = results(&outcome, "client");
        let names: Vec<&str> =
            results.iter().map(|line| line.split([' ', ':']).nth(1).expect("a call")).collect();
        assert_eq!(names, calls);
        assert_eq!(outcome.finished.verdict == Verdict::Passed, !may.is_empty(), "{:?}", problems(&outcome));
    }
}

#[test]
fn a_step_that_must_fail_otherwise_than_it_does_keeps_the_run_from_passing() {
    let cases = [
        ("{connect: server:80, error: ETIMEDOUT}", "step 1 of client: ECONNREFUSED, not ETIMEDOUT"),
        ("{connect: server:81, error: ECONNREFUSED}", "step 1 of client: went well, not ECONNREFUSED"),
        (
            "{connect: server:80, error: [EAGAIN, ETIMEDOUT]}",
            "step 1 of client: ECONNREFUSED, not ETIMEDOUT or EAGAIN",
        ),
    ];
    for (step, problem) in cases {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 81, hold]\n  client: [{step}, {{wait: 1s, may-not-happen: on}}]\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Failed);
        assert_eq!(problems(&outcome), [problem]);
        assert_eq!(results(&outcome, "client").len(), 1, "the program ends there");
    }
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, close]\n  client: [connect: server:80, {receive: 1 B, error: \
         ECONNRESET}]\n",
    );
    assert_eq!(problems(&outcome), ["step 2 of client: end of stream, not ECONNRESET"]);
}

#[test]
fn a_step_may_have_to_fail_with_any_of_several_errors() {
    let outcome = play(
        "applications:\n  client: [{connect: server:80, error: [EAGAIN, ECONNREFUSED], as: a}, wait: 1s]\nexpect:\n  \
         - client: {error: [ETIMEDOUT, ECONNREFUSED]}\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(results(&outcome, "client").len(), 2);
}
