//! What `poll` waits for, and what the queues of a socket hold.

mod common;

use std::sync::Arc;

use common::passes;
use halfopen_scenario::{Action, Scenario};
use halfopen_sim::{Discard, Outcome, RunOptions};
use halfopen_tcp::Errno;
use halfopen_trace::EventKind;

/// A client and a server at 20 ms.
fn run(server: &str, client: &str, expect: &str) -> (Arc<Scenario>, Outcome) {
    let text = format!(
        "scenario: test\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\napplications:\n  server: [listen: 80, accept, \
         {server}]\n  client: [connect: server:80, {client}]\nexpect: [{expect}]\nuntil: 10s\n"
    );
    let scenario = halfopen_scenario::load(&text)
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render("test.yaml", &text, false)));
    let scenario = Arc::new(scenario);
    let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut Discard);
    (scenario, outcome)
}

/// When each `poll` of the client ended, in milliseconds, and with which error.
fn polls(server: &str, client: &str) -> Vec<(u128, Option<Errno>)> {
    let (scenario, outcome) = run(server, client, "");
    let is_poll = |program: u32, step: u32| {
        matches!(scenario.programs[program as usize].steps[step as usize].action, Action::Poll { .. })
    };
    let ended = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ApplicationResult(result) if is_poll(result.step.program, result.step.step) => {
            Some((event.time.as_duration().as_millis(), result.error))
        }
        _ => None,
    });
    ended.collect()
}

#[test]
fn each_event_is_waited_for_and_errors_and_hang_ups_are_reported_to_everybody() {
    let cases = [
        ("wait-until: 1s, send: 10 B, hold", "poll: POLLIN", 1020),
        ("wait-until: 1s, close", "poll: POLLIN", 1020),
        ("wait-until: 1s, close", "poll: POLLRDHUP", 1020),
        ("wait-until: 1s, abort", "poll: POLLERR", 1020),
        ("wait-until: 1s, abort", "poll: POLLRDHUP", 1020),
        ("wait-until: 1s, close", "shutdown: write, poll: POLLHUP", 1020),
        ("wait-until: 1s, close", "shutdown: write, poll: POLLERR", 1020),
        ("hold", "poll: [POLLIN, POLLOUT]", 40),
    ];
    for (server, client, at) in cases {
        assert_eq!(polls(server, client), [(at, None)], "{server}; {client}");
    }
}

#[test]
fn what_does_not_come_in_time_is_eagain() {
    let again = Some(Errno::Again);
    assert_eq!(polls("hold", "{poll: POLLIN, timeout: 0s}"), [(40, again)]);
    assert_eq!(polls("hold", "{poll: [POLLIN, POLLRDHUP], timeout: 2s}"), [(2040, again)]);
    assert_eq!(polls("hold", "{poll: POLLOUT, timeout: 0s}"), [(40, None)]);
}

#[test]
fn a_call_that_does_not_block_sends_what_fits() {
    let (_, outcome) = run(
        "hold",
        "{set: {send-buffer: 16 KiB}}, {send: 1 MB, timeout: 0s}, {send: 1 MB, timeout: 0s, error: EAGAIN}, {receive: 1 B, timeout: \
         0s, error: EAGAIN}, hold",
        "{client: {tcp-info: {outq: 0 B, notsent: 0 B}, at: 5s}}",
    );
    passes(&outcome);
}

#[test]
fn queues_have_the_lengths_that_the_ioctls_tell() {
    let (_, outcome) = run(
        "{set: {receive-buffer: 8 KiB}}, wait-until: 5s, receive: 100 kB, hold",
        "{send: 100 kB}, hold",
        "{server: {tcp-info: {inq: at least 7 KiB}, at: 3s}}, {client: {tcp-info: {outq: at least 10 kB, notsent: at least 10 kB}, at: \
         3s}}, {server: {tcp-info: {inq: 0 B}, at: 9s}}, {client: {tcp-info: {outq: 0 B, notsent: 0 B}, at: 9s}}",
    );
    passes(&outcome);
}
