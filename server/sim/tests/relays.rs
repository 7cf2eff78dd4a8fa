//! Relays between two connections, and connections that several programs use.

mod common;

use common::*;
use halfopen_sim::Outcome;
use halfopen_trace::EventKind;

/// Three hosts, 20 ms from one to the next, and a relay whose last step has more beside it.
fn relayed(client: &str, beside: &str, server: &str, rest: &str) -> Outcome {
    let text = format!(
        "scenario: relayed\nhosts: {{client: {{}}, relay: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\napplications:\n  \
         client: [connect: relay:8080, {client}]\n  relay:\n    - listen: 8080\n    - accept:\n      as: down\n    - connect: server:80\n      \
         as: up\n    - {{relay: [down, up]{beside}}}\n  server: [listen: 80, accept, {server}]\n{rest}"
    );
    run_text(&text)
}

#[test]
fn a_half_close_is_passed_on_and_the_answer_comes_back() {
    let outcome = relayed(
        "send: 100 B, shutdown: write, receive: 1200 B, receive: end, close",
        "",
        "receive: end, wait: 2s, send: 1200 B, close",
        "expect:\n  - client: {received: 1200 B}\n  - relay: {received: end, on: down, at: 100ms}\n  - relay: {received: end, on: up, at: \
         2140ms}\n  - data: intact\n  - segments: {flags: RST}\n    count: 0\n  - all-closed: within 63s\n",
    );
    passes(&outcome);
    assert_eq!(results(&outcome, "relay").last().map(String::as_str), Some("2.140 relay 1300 end"));
}

#[test]
fn a_relay_that_closes_both_loses_the_answer() {
    let outcome = relayed(
        "send: 100 B, shutdown: write, receive: end, close",
        ", half-close: closes-both",
        "receive: end, wait: 2s, send: 600 B, wait: 100ms, {send: 600 B, error: EPIPE}, close",
        "expect:\n  - client: {received: 0 B}\n  - client: {received: end, within: 200ms}\n  - segments: {from: relay, to: server, flags: \
         RST}\n    count: 1\n  - data: {server: incomplete}\n  - data: {client: intact}\n",
    );
    passes(&outcome);
}

#[test]
fn a_reset_is_passed_on_or_becomes_the_end_of_the_stream() {
    let cases = [
        ("", "{receive: end, error: ECONNRESET}", "1"),
        (", reset: closes-both", "receive: end, close", "0"),
    ];
    for (beside, client, resets) in cases {
        let outcome = relayed(
            &format!("send: 100 B, {client}"),
            &format!("{beside}, error: ECONNRESET"),
            "receive: 100 B, send: 600 B, wait: 1s, abort",
            &format!(
                "expect:\n  - client: {{received: 600 B}}\n  - relay: {{error: ECONNRESET, on: up}}\n  - segments: {{from: relay, to: client, \
                 flags: RST}}\n    count: {resets}\n  - all-closed: within 63s\n"
            ),
        );
        passes(&outcome);
    }
}

#[test]
fn a_relay_of_which_one_end_is_gone_ends_with_the_error_of_that_end() {
    let outcome = relayed(
        "send: 100 B, wait: 10s, send: 100 B, {receive: end, error: ECONNRESET}",
        ", error: ETIMEDOUT",
        "receive: 100 B, hold",
        "faults:\n  - power-loss: server\n    at: 5s\nuntil: 1h\nexpect:\n  - relay: {error: ETIMEDOUT, on: up}\n  - client: {error: ECONNRESET}\n",
    );
    passes(&outcome);
}

#[test]
fn an_idle_relay_closes_both() {
    let outcome = relayed(
        "send: 100 B, receive: end, close",
        ", idle: 1h",
        "receive: end, close",
        "expect:\n  - client: {received: end, at: 3600.12s ± 50ms}\n  - server: {received: end, at: 3600.12s ± 50ms}\n  - data: intact\n",
    );
    passes(&outcome);
}

/// Octets that the host has written by the end.
fn written(outcome: &Outcome, host: halfopen_trace::HostId) -> u64 {
    let of_host = outcome.trace.iter().filter(|(_, event)| event.host == Some(host));
    of_host
        .map(|(_, event)| match event.kind {
            EventKind::DataWritten { octets } => octets,
            _ => 0,
        })
        .sum()
}

#[test]
fn who_sends_through_a_relay_feels_that_nobody_reads() {
    let small = "tcp: {receive-buffer: 16 KiB, send-buffer: 16 KiB}";
    let text = |server: &str, until: &str| {
        format!(
            "scenario: slow\nhosts: {{client: {{{small}}}, relay: {{{small}}}, server: {{{small}}}}}\napplications:\n  client: [connect: \
             relay:8080, send: 1 MB, close]\n  relay: [listen: 8080, {{accept: 8080, as: down}}, {{connect: server:80, as: up}}, {{relay: \
             [down, up]}}]\n  server: [listen: 80, accept, wait: 10s, {server}]\nuntil: {until}\n"
        )
    };
    let stuck = run_text(&text("hold", "10s"));
    // Two send buffers and two receive buffers, of which Linux doubles each, and what the relay holds.
    assert!(
        written(&stuck, halfopen_trace::HostId(0)) <= 9 * 16 * 1024,
        "{}",
        written(&stuck, halfopen_trace::HostId(0))
    );
    let outcome = run_text(
        &(text("receive: end, close", "5m") + "expect:\n  - server: {received: 1 MB}\n  - data: intact\n"),
    );
    passes(&outcome);
}

#[test]
fn what_goes_through_two_relays_is_checked_octet_by_octet() {
    let relay = |port: u16, to: &str| {
        format!(
            "[listen: {port}, {{accept: {port}, as: down}}, {{connect: \"{to}\", as: up}}, {{relay: [down, up]}}]"
        )
    };
    let outcome = run_text(&format!(
        "scenario: chain\nhosts: {{a: {{}}, b: {{}}, c: {{}}, d: {{}}}}\nnetwork: {{latency: 5ms, loss: 1%}}\napplications:\n  a: [connect: b:81, \
         send: 500 kB, send: {{text: hello}}, shutdown: write, receive: 300 kB, receive: end, close]\n  b: {}\n  c: {}\n  d: [listen: 83, accept, \
         send: 300 kB, receive: end, close]\nexpect:\n  - d: {{received: 500005 B}}\n  - a: {{received: 300 kB}}\n  - data: intact\n",
        relay(81, "c:82"),
        relay(82, "d:83")
    ));
    passes(&outcome);
}

/// One host with several programs, and a server that answers.
fn shared(programs: &str, rest: &str) -> Outcome {
    run_text(&format!(
        "scenario: shared\nhosts: {{client: {{}}, server: {{}}}}\nnetwork: {{latency: 20ms}}\napplications:\n  server: [listen: 80, accept, \
         {{repeat: [receive: 100 B, send: 1 kB], times: 3}}, receive: end, close]\n  client:\n{programs}{rest}"
    ))
}

#[test]
fn one_program_reads_while_another_writes_on_the_same_connection() {
    let outcome = shared(
        "    writer: [{connect: server:80, as: c}, {send: 100 B, every: 1s, times: 3}, shutdown: write]\n    reader: [{receive: 3 kB, on: \
         c}, {receive: end, on: c}]\n",
        "expect:\n  - client: {received: 3 kB, at: 2.08s}\n  - data: intact\n  - segments: {flags: RST}\n    count: 0\n",
    );
    passes(&outcome);
    assert_eq!(results(&outcome, "writer").len(), 3, "it need not wait for the reader");
}

#[test]
fn a_program_that_is_first_waits_until_another_opens_the_connection_or_times_out() {
    let opener = "    opener: [wait: 5s, {connect: server:80, as: c}, {receive: 3 kB, on: c}, close]\n";
    let outcome = shared(
        &format!("{opener}    user: [{{send: 100 B, times: 3, on: c}}]\n"),
        "expect:\n  - client: {received: 3 kB}\n  - data: intact\n",
    );
    passes(&outcome);
    let outcome = shared(
        &format!(
            "{opener}    user: [{{receive: 1 B, timeout: 1s, on: c, error: EAGAIN}}, {{send: 100 B, times: 3, on: c}}]\n"
        ),
        "expect:\n  - data: intact\n",
    );
    passes(&outcome);
}

#[test]
fn a_connection_that_one_program_closes_is_closed_for_the_others() {
    let outcome = shared(
        "    one: [{connect: server:80, as: c}, {send: 100 B, times: 3}, receive: 3 kB, close]\n    other: [wait: 1s, {receive: 1 B, on: c, \
         error: ENOTCONN}]\n",
        "expect: [{server: {received: end, within: 1s}}]\n",
    );
    passes(&outcome);
}

#[test]
fn a_connection_is_closed_when_the_last_program_that_uses_it_ends_or_dies() {
    for (fault, closed) in [("", "3s"), ("faults:\n  - kill: {client: other}\n    at: 2s\n", "2s")] {
        let outcome = shared(
            "    one: [{connect: server:80, as: c}, {send: 100 B, times: 3}, receive: 3 kB]\n    other: [{receive: 1 B, timeout: 1ms, on: c, \
             may-fail: on}, wait-until: 3s]\n",
            &format!("{fault}expect: [{{server: {{received: end, at: {closed} ± 50ms}}}}]\n"),
        );
        passes(&outcome);
    }
}

/// An error of a connection that neither way reads from or writes to any more.
#[test]
fn a_reset_is_noticed_after_the_end_of_the_stream_and_while_the_other_end_takes_nothing() {
    let late = relayed(
        "send: 100 B, shutdown: write, wait: 1s, abort",
        // In CLOSE-WAIT (Linux `tcp_reset`).
        ", error: EPIPE",
        "receive: end, hold",
        "expect:\n  - relay: {ends: CLOSED, on: up, within: 2s}\n",
    );
    passes(&late);
    let stuck = run_text(
        "scenario: stuck
hosts: {client: {}, relay: {tcp: {send-buffer: 4 KiB}}, server: {tcp: {receive-buffer: 4 KiB}}}
network: {latency: 20ms}
applications:
  client: [connect: relay:8080, send: 100 kB, wait: 1s, abort]
  relay:
    - listen: 8080
    - accept:
      as: down
    - connect: server:80
      as: up
    - relay: [down, up]
      error: ECONNRESET
  server: [listen: 80, accept, hold]
expect:
  - relay: {ends: CLOSED, on: up, within: 2s}
until: 15m
",
    );
    passes(&stuck);
}

#[test]
fn a_step_that_waits_on_a_connection_fails_when_another_program_closes_it() {
    let outcome = run_text(
        "scenario: closed
hosts: {client: {}, server: {}}
network: {latency: 20ms}
applications:
  client:
    one: [{connect: server:80, as: c}, shutdown: write, wait: 1s, close]
    other: [{receive: 1 B, on: c, error: ENOTCONN}]
  server: [listen: 80, accept, hold]
until: 5m
",
    );
    passes(&outcome);
    assert_eq!(results(&outcome, "other"), ["1.040 receive: ENOTCONN"]);
}
