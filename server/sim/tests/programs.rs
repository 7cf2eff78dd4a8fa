//! How programs go round, wait and give up.

mod common;

use common::*;
use halfopen_tcp::State;
use halfopen_trace::{Limit, Problem, Verdict};

/// The times at which these calls ended: `0.040`.
fn times(outcome: &halfopen_sim::Outcome, program: &str, call: &str) -> Vec<String> {
    let results = results(outcome, program).into_iter();
    results
        .filter_map(|line| {
            line.split_once(' ').filter(|(_, rest)| rest.starts_with(call)).map(|(time, _)| time.to_owned())
        })
        .collect()
}

const ECHO: &str = "server: [listen: 80, accept, {repeat: [receive: 17 B, send: 17 B], may-fail: on}, close]";

#[test]
fn rounds_begin_at_their_times_or_when_the_one_before_is_over() {
    // A connection takes 40 ms.
    for (every, begun) in [("100ms", ["0.040", "0.140", "0.240"]), ("10ms", ["0.040", "0.080", "0.120"])] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, {{repeat: [accept, receive: end, close], times: 3}}]\n  client:\n    \
             - repeat: [connect: server:80, close]\n      times: 3\n      every: {every}\n    - wait: 1s\n"
        ));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
        assert_eq!(times(&outcome, "client", "connect"), begun, "every {every}");
        assert_eq!(times(&outcome, "client", "repeat"), [begun[2]], "it ends when the last round does");
        assert_eq!(times(&outcome, "server", "accept").len(), 3);
    }
}

#[test]
fn a_repetition_within_another_begins_anew_in_each_round() {
    let outcome = play(
        "applications:\n  server: [listen: 80, {repeat: [accept, receive: 6 B, receive: end, close], times: 2}]\n  client:\n    \
         - repeat:\n        - connect: server:80\n        - {repeat: [{repeat: [send: 1 B], times: 2}], times: 3, every: 1s}\n        \
         - close\n      times: 2\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    let sent = [
        "0.040", "0.040", "1.040", "1.040", "2.040", "2.040", "2.080", "2.080", "3.080", "3.080", "4.080",
        "4.080",
    ];
    assert_eq!(times(&outcome, "client", "send"), sent);
    assert_eq!(times(&outcome, "client", "repeat").len(), 3 * 2 + 2 + 1);
}

#[test]
fn one_for_ever_need_not_end_but_what_is_in_it_must_happen() {
    let cases = [
        ("[connect: server:80, close, wait: 1s]", None),
        ("[connect: server:80, receive: 1 B, close]", Some("step 3 of client did not end, nor 1 after it")),
    ];
    for (body, problem) in cases {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, {{repeat: [accept, wait: 1ms]}}]\n  client:\n    - repeat: {body}\nuntil: 10s\n"
        ));
        assert_eq!(problems(&outcome), problem.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_step_that_fails_ends_its_repetition_and_the_program_goes_on_where_that_is_allowed() {
    let cases = [
        ("", vec!["receive", "repeat"], Verdict::Failed),
        (", may-fail: on", vec!["receive", "repeat", "close"], Verdict::Passed),
        (", error: ECONNRESET", vec!["receive", "repeat", "close"], Verdict::Passed),
        (", error: EPIPE", vec!["receive", "repeat"], Verdict::Failed),
    ];
    for (failure, ends, verdict) in cases {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, wait-until: 1s, abort]\n  client:\n    - connect: server:80\n    \
             - {{repeat: [{{repeat: [receive: 1 B], times: 9}}], times: 2{failure}}}\n    - close\n"
        ));
        let results = results(&outcome, "client");
        let ended: Vec<&str> =
            results[1..].iter().map(|line| line.split([' ', ':']).nth(1).expect("a call")).collect();
        // The inner one fails as its step does, and the outer one as the inner one.
        let expected = [&ends[..1], &["repeat"], &ends[1..]].concat();
        assert_eq!(ended, expected, "{failure}");
        assert_eq!(outcome.finished.verdict, verdict, "{failure}: {:?}", problems(&outcome));
    }
}

#[test]
fn a_repetition_that_must_fail_and_does_not_keeps_the_run_from_passing() {
    let outcome = play(
        "applications:\n  server: [listen: 80, hold]\n  client:\n    - {repeat: [{connect: server:80}], times: 2, error: \
         EADDRNOTAVAIL}\n",
    );
    assert_eq!(problems(&outcome), ["step 1 of client: went well, not EADDRNOTAVAIL"]);
}

#[test]
fn a_connection_that_a_round_leaves_open_stays() {
    let outcome = play(
        "applications:\n  server: [listen: 80, {repeat: [accept]}]\n  client: [{repeat: [connect: server:80], times: 5}, hold]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert_eq!(outcome.finished.final_states.len(), 10);
    assert!(outcome.finished.final_states.iter().all(|end| end.state == State::Established));
}

#[test]
fn a_run_of_endless_rounds_at_one_instant_ends_at_the_limit_of_events() {
    let outcome = play(
        "applications:\n  server: [listen: 80, hold]\n  client:\n    - connect: server:80\n    - repeat: [{repeat: [{connect: \
         server:80, port: 80, as: b, may-fail: on}, {send: 1 B, on: b, may-fail: on}], times: 2}]\nlimits: {events: 2000}\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Unfinished);
    assert_eq!(outcome.finished.problems, [Problem::LimitReached(Limit::Events(2000))]);
    assert!(outcome.trace.len() < 2100);
}

#[test]
fn a_heartbeat_is_answered_until_the_peer_is_gone() {
    let outcome = play(&format!(
        "applications:\n  {ECHO}\n  client:\n    - connect: server:80\n    - ping: 17 B\n      every: 30s\n      timeout: 15s\n      \
         error: EAGAIN\n    - abort\nfaults: [{{power-loss: server, at: 100s}}]\n"
    ));
    // Three pings were answered: after 0, 30, 60 and 90 s. That of 120 s was not.
    assert_eq!(results(&outcome, "client"), ["0.040 connect", "135.040 ping 68: EAGAIN", "135.040 abort"]);
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn a_heartbeat_sees_at_once_that_the_connection_is_gone() {
    for (end, seen) in [("close", "ping 34 end"), ("abort", "ping 34: ECONNRESET")] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, {{repeat: [receive: 17 B, send: 17 B], times: 2}}, wait-until: 15s, {end}]\n  \
             client: [connect: server:80, {{ping: 17 B, every: 10s, may-fail: on}}, close]\n"
        ));
        assert_eq!(results(&outcome, "client")[1], format!("15.020 {seen}"));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    }
}

#[test]
fn pings_that_are_counted_end_with_the_last_answer_and_may_be_larger_than_a_segment() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, {repeat: [receive: 100 KiB, send: 100 KiB], times: 3}, receive: end, close]\n  \
         client: [connect: server:80, {ping: 100 KiB, every: 1s, times: 3}, close]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    let ping = &results(&outcome, "client")[1];
    assert!(ping.starts_with("2.") && ping.ends_with(" ping 307200"), "{ping}");
}

#[test]
fn who_waits_for_too_long_sees_what_the_socket_timeouts_of_posix_give() {
    let nobody = "server: [{hold: , may-not-happen: on}]";
    let full = "server: [listen: 80, accept, hold]";
    let cases = [
        (
            full,
            "[connect: server:80, {receive: 1 B, timeout: 3s, error: EAGAIN}, wait: 1s]",
            "3.040 receive: EAGAIN",
        ),
        (
            full,
            "[connect: server:80, {receive: , timeout: 3s, error: EAGAIN}, wait: 1s]",
            "3.040 receive: EAGAIN",
        ),
        (full, "[connect: server:80, {receive: end, timeout: 3s}, wait: 1s]", "3.040 receive: EAGAIN"),
        (
            full,
            "[connect: server:80, {send: 1 MiB, timeout: 3s, error: EAGAIN}, abort]",
            "3.040 send ...: EAGAIN",
        ),
        (nobody, "[listen: 80, {accept: , timeout: 3s, error: EAGAIN}, wait: 1s]", "3.000 accept: EAGAIN"),
        (
            nobody,
            "[{connect: \"10.0.0.9:80\", timeout: 3s, error: EINPROGRESS}, close]",
            "3.000 connect: EINPROGRESS",
        ),
    ];
    for (server, client, ended) in cases {
        let outcome = play(&format!("applications:\n  {server}\n  client: {client}\nuntil: 20s\n"));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{client}: {:?}", problems(&outcome));
        let (first, rest) = ended.split_once("...").unwrap_or((ended, ""));
        let results = results(&outcome, "client");
        assert!(
            results[1].starts_with(first) && results[1].ends_with(rest) || results[0] == ended,
            "{results:?}"
        );
    }
}

#[test]
fn a_timeout_that_is_not_needed_does_not_keep_the_run_going() {
    let outcome = play(
        "applications:\n  server: [listen: 80, {accept: , timeout: 1h}, {receive: 1 B, timeout: 1h}, close]\n  client: [{connect: \
         server:80, timeout: 1h}, {send: 1 B, timeout: 1h}, {receive: end, timeout: 1h}, abort]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert!(outcome.finished.totals.virtual_time.as_secs() < 1, "{:?}", outcome.finished.totals);
}

#[test]
fn a_connection_that_opens_behind_the_back_of_who_gave_up_waiting_works() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, receive: 10 B, close]\n  client: [{connect: server:80, timeout: 10ms, \
         error: EINPROGRESS}, send: 10 B, receive: end, close]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn close_waits_for_the_last_acknowledgment_as_linger_says() {
    // The FIN is acknowledged after 40 ms, or never.
    let cases = [
        ("1s", "", "0.580"),
        ("off", "", "0.540"),
        ("1s", "faults: [{partition: [client, server], at: 500ms}]", "1.540"),
    ];
    for (linger, faults, closed) in cases {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, {{receive: end, may-not-happen: on}}, {{close: , may-not-happen: on}}]\n  \
             client: [connect: server:80, set: {{linger: {linger}}}, wait: 500ms, send: 1 B, close]\n{faults}\nuntil: 3s\n"
        ));
        assert_eq!(times(&outcome, "client", "close"), [closed], "linger {linger}: {:#?}", wire(&outcome));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    }
}

#[test]
fn a_user_timeout_that_is_off_is_off_whatever_the_host_has() {
    for (set, failed) in [("", true), (", set: {user-timeout: off}", false)] {
        let text = format!(
            "scenario: steps\nhosts: {{client: {{tcp: {{user-timeout: 3s}}}}, server: {{}}}}\napplications:\n  \
             server: [listen: 80, accept, {{receive: end, may-not-happen: on}}]\n  client: [connect: server:80{set}, wait: 1s, \
             send: 1 B, {{receive: 1 B, may-not-happen: on}}]\nfaults: [{{partition: [client, server], at: 500ms}}]\nuntil: 60s\n"
        );
        let scenario = halfopen_scenario::load(&text).expect("right");
        let outcome = run(&scenario);
        assert_eq!(
            results(&outcome, "client").last().unwrap().ends_with("ETIMEDOUT"),
            failed,
            "{:?}",
            results(&outcome, "client")
        );
    }
}

#[test]
fn a_send_buffer_takes_as_much_as_it_is_said_to_hold() {
    let sent = |tcp: &str, set: &str| {
        let text = format!(
            "scenario: full\nhosts: {{client: {{tcp: {{{tcp}}}}}, server: {{tcp: {{receive-buffer: 4 KiB}}}}}}\napplications:\n  server: \
             [listen: 80, accept, hold]\n  client: [connect: server:80, set: {{nodelay: off{set}}}, {{send: 10 MiB, timeout: 100s, error: \
             EAGAIN}}, abort]\n"
        );
        let outcome = run(&halfopen_scenario::load(&text).expect("right"));
        let line =
            results(&outcome, "client").into_iter().find(|line| line.contains("send")).expect("it ended");
        let octets = line.split([' ', ':']).nth(2).expect("octets").to_owned();
        octets.parse::<u64>().expect("a number")
    };
    let [large, least] = ["send-buffer: 256 KiB", "send-buffer: 256 B"].map(|size| {
        let (host, socket) = (sent(size, ""), sent("", &format!(", {size}")));
        assert_eq!(host, socket, "{size}, for the host and for the socket");
        host
    });
    let usual = sent("", "");
    assert!((256 << 10..512 << 10).contains(&large), "{large}");
    assert!(least < usual && usual < large, "{least} {usual} {large}");
}

#[test]
fn the_smallest_receive_buffer_takes_everything_in_time() {
    for profile in ["linux", "rfc9293", "freebsd", "windows", "macos"] {
        let text = format!(
            "scenario: tiny\nhosts: {{client: {{}}, server: {{profile: {profile}, tcp: {{receive-buffer: 256 B}}}}}}\nnetwork: {{latency: \
             1ms}}\napplications:\n  server: [listen: 80, accept, set: {{receive-buffer: 256 B}}, receive: end, close]\n  client: \
             [connect: server:80, {{send: 100 B, times: 3}}, send: 20 KiB, close]\n"
        );
        let outcome = run(&halfopen_scenario::load(&text).expect("right"));
        assert_eq!(outcome.finished.verdict, Verdict::Passed, "{profile}: {:?}", problems(&outcome));
        assert!(
            results(&outcome, "server").iter().any(|line| line.ends_with("receive 20780 end")),
            "{profile}"
        );
    }
}

#[test]
fn what_many_connections_carry_is_checked_each_way_on_each() {
    let outcome = play(
        "applications:\n  server:\n    - listen: 80\n    - repeat: [accept, receive: 5000 B, send: 7000 B, receive: end, close]\n      \
         times: 20\n  client:\n    - repeat: [connect: server:80, send: 5000 B, shutdown: write, receive: 7000 B, receive: end, close]\n      \
         times: 20\nfaults: [{drop: {payload: any}, every: 7}]\n",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn octets_that_nobody_sent_are_found_once_a_connection() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, {repeat: [receive: 1 B], may-fail: on}, close]\n  client: [connect: server:80, \
         {send: 1 B, times: 5, every: 1s}, abort]\nfaults: [{inject: {from: client, flags: PSH+ACK, sequence: rcv.nxt, \
         acknowledgment: snd.nxt, payload: 3 B}, at: 500ms}]\n",
    );
    let found =
        problems(&outcome).into_iter().filter(|problem| problem.contains("octet")).collect::<Vec<_>>();
    assert_eq!(found, ["connection 1: octet 1"]);
}

/// Connections one after the other from a host with 100 ports.
fn churn(server: &str, client: &str) -> halfopen_sim::Outcome {
    let text = format!(
        "scenario: churn\nhosts: {{client: {{ephemeral-ports: 40000-40099}}, server: {{}}}}\nnetwork: {{latency: 200us}}\n\
         applications:\n  server: [listen: 80, {{repeat: [{server}]}}]\n  client: [{client}]\n"
    );
    run(&halfopen_scenario::load(&text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

#[test]
fn who_closes_first_runs_out_of_ports_until_time_wait_is_over() {
    let outcome = churn(
        "accept, receive: end, close",
        "{repeat: [{connect: server:80, as: short}, {close: , on: short}], every: 100ms, error: EADDRNOTAVAIL}, wait-until: 59s, {connect: server:80, as: early, \
         error: EADDRNOTAVAIL}, wait-until: 61s, {connect: server:80, as: late}, {close: , on: late}",
    );
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    let connects =
        results(&outcome, "client").into_iter().filter(|line| line.contains("connect")).collect::<Vec<_>>();
    assert_eq!(connects.len(), 100 + 3);
    assert_eq!(connects[100], "10.000 connect: EADDRNOTAVAIL");
}

#[test]
fn who_closes_last_has_its_ports_again_at_once() {
    let outcome =
        churn("accept, close", "{repeat: [connect: server:80, receive: end, close], times: 300, every: 2ms}");
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
    assert!(outcome.finished.final_states.iter().all(|end| end.state == State::Closed));
}

#[test]
fn a_repetition_that_may_not_happen_covers_the_steps_in_it() {
    let play = |beside: &str| {
        let text = format!(
            "applications:\n  server: [listen: 80, accept, hold]\n  client:\n    - connect: server:80\n    - repeat: \
             [send: 1 B, receive: 1 B]\n      every: 1s\n{beside}until: 5s\n"
        );
        problems(&play(&text)).len()
    };
    assert_eq!((play(""), play("      may-not-happen: on\n")), (1, 0));
}
