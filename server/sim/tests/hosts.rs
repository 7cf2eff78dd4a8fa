//! Faults on hosts and links, and how they get along with one another.

mod common;

use common::*;
use halfopen_sim::Outcome;
use halfopen_trace::{EventKind, Problem, Verdict};

/// A request and an answer; the client sends again at 2 s; whatever they are told to do.
fn talk(faults: &str, more: &str) -> Outcome {
    play(&format!(
        "applications:\n  server: [listen: 80, accept, receive: 100 B, send: 100 B, {{receive: 100 B, may-fail: on, may-not-happen: \
         on}}, hold]\n  client: [connect: server:80, send: 100 B, {{receive: 100 B, may-not-happen: on}}, {{wait-until: 2s, may-not-happen: \
         on}}, {{send: 100 B, may-fail: on, may-not-happen: on}}, hold]\nfaults: [{faults}]\n{more}"
    ))
}

/// What hosts did: `1.000 client Paused`, `2.000 fault 2: end`.
fn history(outcome: &Outcome) -> Vec<String> {
    let line = |(_, event): (u64, &halfopen_trace::Event)| {
        let time = event.time.as_duration().as_secs_f64();
        let host = event.host.map_or("", |host| ["client", "server"][host.index()]);
        match &event.kind {
            EventKind::HostChanged(state) => Some(format!("{time:.3} {host} {state:?}")),
            EventKind::FaultApplied(applied) => {
                let (fault, words) =
                    (applied.fault.0 + 1, fault_in_words(scenario_of(&outcome.trace), *applied));
                Some(format!("{time:.3} fault {fault}: {words}"))
            }
            _ => None,
        }
    };
    outcome.trace.iter().filter_map(line).collect()
}

fn never_happened(outcome: &Outcome) -> Vec<u32> {
    let position = |problem: &Problem| match problem {
        Problem::FaultNotApplied(fault) => Some(fault.0 + 1),
        _ => None,
    };
    outcome.finished.problems.iter().filter_map(position).collect()
}

/// When the server got its second request, in milliseconds.
fn received(outcome: &Outcome) -> Option<u128> {
    let mut results = outcome.trace.iter().filter_map(|(_, event)| match &event.kind {
        EventKind::ApplicationResult(result)
            if call(scenario_of(&outcome.trace), result.step) == "receive"
                && event.host == Some(SERVER.into()) =>
        {
            Some(event.time.as_duration().as_millis())
        }
        _ => None,
    });
    results.nth(1)
}

fn lost(outcome: &Outcome) -> Vec<String> {
    wire(outcome).into_iter().filter_map(|line| line.strip_prefix("lost: ").map(str::to_owned)).collect()
}

#[test]
fn a_host_says_what_it_does_whatever_holds_it() {
    let outcome = talk(
        "{freeze: server, at: 1s, resumes-after: 4s}, {pause: server, at: 2s, resumes-after: 1s}, {pause: server, at: 2500ms, \
         resumes-after: 1s}, {reboot: client, at: 6s, back-after: 1s}",
        "until: 10s\n",
    );
    let expected = [
        "1.000 fault 1: freeze",
        "1.000 server Frozen",
        "2.000 fault 2: pause",
        "2.000 server Paused",
        "2.500 fault 3: pause",
        "3.000 fault 2: end",
        "3.500 fault 3: end",
        "3.500 server Frozen",
        "5.000 fault 1: end",
        "5.000 server Up",
        "6.000 fault 4: reboot",
        "6.000 client Down",
        "7.000 fault 4: end",
        "7.000 client Up",
    ];
    assert_eq!(history(&outcome), expected);
    assert_eq!(received(&outcome), Some(5000));
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn what_is_done_to_a_host_that_is_off_did_not_happen() {
    for (fault, on_processes) in [
        ("freeze: client", true),
        ("kill: client", true),
        ("pause: client", false),
        ("clock-jump: client, by: 1h", false),
    ] {
        let outcome =
            talk(&format!("{{power-loss: client, at: 1s}}, {{{fault}, at: 1500ms}}"), "until: 5s\n");
        assert_eq!(never_happened(&outcome), [2], "{fault}");
        assert_eq!(history(&outcome), ["1.000 fault 1: power-loss", "1.000 client Down"], "{fault}");
        let rebooting = talk(
            &format!(
                "{{reboot: client, at: 1s, back-after: 1s}}, {{{fault}, at: 1500ms}}, {{{fault}, at: 2500ms}}"
            ),
            "until: 5s\n",
        );
        // What a user had started does not come back with the host.
        let never: &[u32] = if on_processes { &[2, 3] } else { &[2] };
        assert_eq!(never_happened(&rebooting), never, "{fault}");
    }
    let outcome = talk("{power-loss: client, at: 1s}, {cable-pull: client, at: 1500ms}", "until: 5s\n");
    assert_eq!(never_happened(&outcome), [0; 0], "a cable can be pulled from a host that is off");
}

#[test]
fn processes_that_are_dead_are_neither_killed_nor_frozen_again_until_the_host_is_back() {
    let outcome = talk(
        "{kill: server, at: 1s}, {kill: server, at: 2s}, {freeze: server, at: 2s}, {reboot: server, at: 3s, back-after: 1s}, \
         {freeze: server, at: 5s}",
        "until: 9s\n",
    );
    assert_eq!(never_happened(&outcome), [2, 3]);
}

#[test]
fn a_host_that_goes_down_is_held_by_nothing_any_more_and_loses_what_waited() {
    for end in ["power-loss: server, at: 3s", "reboot: server, at: 3s, back-after: 1s"] {
        let outcome = talk(
            &format!(
                "{{pause: server, at: 1s, resumes-after: 3500ms}}, {{freeze: server, at: 1s, resumes-after: 5s}}, {{{end}}}"
            ),
            "until: 7s\n",
        );
        let history = history(&outcome);
        assert!(!history.iter().any(|line| line.contains("resume")), "{history:?}");
        // The second request and its repetitions were in the queue.
        assert!(lost(&outcome).len() >= 3, "{:?}", wire(&outcome));
        assert!(lost(&outcome).iter().all(|reason| reason == "HostDown"));
        let back = history.iter().any(|line| line == "4.000 server Up");
        assert_eq!(back, end.starts_with("reboot"));
        // Its new life answers what it does not know.
        let resets = wire(&outcome).iter().filter(|line| line.contains("server RST")).count();
        assert_eq!(resets > 0, back, "{:#?}", wire(&outcome));
    }
}

#[test]
fn what_is_done_to_a_paused_host_shows_when_it_goes_on() {
    let outcome = talk("{pause: client, at: 1s, resumes-after: 4s}, {kill: client, at: 2s}", "until: 9s\n");
    let fin = wire(&outcome).into_iter().find(|line| line.contains("client FIN"));
    assert_eq!(fin.as_deref(), Some("5.000 client FIN+ACK 101:101 len 0"));
}

#[test]
fn a_queue_before_a_paused_host_has_an_end() {
    let copies = "{duplicate: {from: client, payload: any}, first: 1, copies: 100}, ".repeat(12);
    let outcome = play(&format!(
        "applications:\n  server: [listen: 80, accept, hold: null]\n  client: [connect: server:80, wait-until: 1s, send: 100 B, hold: \
         null]\nfaults: [{copies}{{pause: server, at: 500ms}}]\nuntil: 1100ms\n"
    ));
    // The segment and 1200 copies of it.
    assert_eq!(lost(&outcome), vec!["HostPaused"; 201]);
    assert_eq!(outcome.finished.totals.segments_lost, 0, "copies are no segments");
}

#[test]
fn a_clock_that_stands_still_or_jumps_changes_no_time_of_the_run() {
    let keepalive = |faults: &str| {
        let text = format!(
            "scenario: test\nhosts: {{client: {{}}, server: {{tcp: {{keepalive: {{idle: 10s, interval: 1s, probes: 3}}}}}}}}\nnetwork: \
             {{latency: 20ms}}\napplications:\n  server: [listen: 80, accept, hold: null]\n  client: [connect: server:80, hold: \
             null]\nfaults: [{faults}]\nuntil: 60s\n"
        );
        let scenario = halfopen_scenario::load(&text).expect("right");
        let options = halfopen_sim::RunOptions::default();
        let outcome = halfopen_sim::run(&std::sync::Arc::new(scenario), &options, &mut halfopen_sim::Discard);
        let probe = outcome.trace.iter().find_map(|(_, event)| match &event.kind {
            EventKind::SegmentSent(sent) if sent.purpose == halfopen_tcp::Purpose::KeepaliveProbe => {
                Some(event.time.as_duration().as_millis())
            }
            _ => None,
        });
        // What the trace says of timers is true: the first probe comes when its timer was said to fire.
        let mut expires = None;
        for (_, event) in outcome.trace.iter() {
            if let EventKind::TimerChanged { timer: halfopen_tcp::Timer::Keepalive, change } = event.kind {
                match change {
                    halfopen_tcp::TimerChange::Set { expires: time } => expires = Some((event.time, time)),
                    halfopen_tcp::TimerChange::Fired | halfopen_tcp::TimerChange::Cancelled => break,
                }
            }
        }
        let (set, expires) = expires.expect("it runs");
        (probe.expect("it asks"), set.as_duration().as_secs(), expires.as_duration().as_secs())
    };
    assert_eq!(keepalive("{kill: client, at: 50s}"), (10_060, 0, 10));
    assert_eq!(keepalive("{clock-jump: server, at: 1s, by: 4s}").0, 6_060);
    assert_eq!(
        keepalive("{clock-jump: server, at: 1s, by: 4s}, {clock-jump: server, at: 2s, by: 1d}").0,
        2_000
    );
    assert_eq!(keepalive("{pause: server, at: 1s, resumes-after: 4s}").0, 10_060);
    assert_eq!(keepalive("{pause: server, at: 1s, resumes-after: 4s, clock: stops}").0, 14_060);
    // A clock that both stops and jumps does both; two that stop it do so once.
    let both =
        "{pause: server, at: 1s, resumes-after: 4s, clock: stops}, {clock-jump: server, at: 2s, by: 3s}";
    assert_eq!(keepalive(both).0, 11_060);
    let twice = "{pause: server, at: 1s, resumes-after: 4s, clock: stops}, {pause: server, at: 3s, resumes-after: 4s, clock: \
                 stops}, {pause: server, at: 6s, resumes-after: 3s}";
    assert_eq!(keepalive(twice).0, 16_060);
}

#[test]
fn a_clock_goes_no_further_than_it_can_count() {
    let jumps = "{clock-jump: client, at: 1s, by: 36500d}, ".repeat(5);
    let outcome = talk(&jumps, "until: 5s\n");
    assert_eq!(never_happened(&outcome), [5]);
}

#[test]
fn a_cable_lets_out_what_was_sent_and_nothing_in() {
    // The request of 2 s is under way when the cable goes; its acknowledgment finds none.
    let outcome = talk("{cable-pull: client, at: 2010ms, replug-after: 2s}", "until: 9s\n");
    assert_eq!(received(&outcome), Some(2020));
    assert_eq!(lost(&outcome)[0], "CablePulled");
    assert!(wire(&outcome).iter().any(|line| line.starts_with("2.2") && line.contains("client")), "not told");
    assert_eq!(outcome.finished.verdict, Verdict::Passed, "{:?}", problems(&outcome));
}

#[test]
fn a_cable_a_partition_and_a_reboot_do_not_heal_one_another() {
    let outcome = talk(
        "{cable-pull: server, at: 1s, replug-after: 3s}, {cable-pull: server, at: 2s, replug-after: 4s}, {partition: [client, \
         server], at: 3s, heals-after: 5s}",
        "until: 60s\n",
    );
    let reasons = lost(&outcome);
    assert_eq!((reasons[0].as_str(), reasons.last().map(String::as_str)), ("CablePulled", Some("Partition")));
    assert!((8_000..20_000).contains(&received(&outcome).unwrap()), "{:?}", received(&outcome));

    let rebooted = talk(
        "{cable-pull: server, at: 1s, replug-after: 6s}, {reboot: server, at: 2s, back-after: 1s}",
        "until: 30s\n",
    );
    let first = wire(&rebooted).into_iter().find(|line| line.contains("server RST")).expect("it is back");
    let time: f64 = first.split(' ').next().unwrap().parse().unwrap();
    assert!(time > 7.0, "{first}");
}

#[test]
fn what_is_forged_does_not_reach_a_host_without_a_cable() {
    let forged = "{inject: {from: server, flags: RST, sequence: rcv.nxt}, at: 1500ms}";
    let outcome = talk(&format!("{{cable-pull: client, at: 1s}}, {forged}"), "until: 1900ms\n");
    assert_eq!(never_happened(&outcome), [2]);
}

#[test]
fn a_black_hole_takes_what_is_too_large_on_its_ways_only() {
    for (hole, lost_of) in [
        ("larger than 139 B", ["client", "server"].as_slice()),
        ("larger than 152 B", &[]),
        ("{larger-than: 139 B, from: client}", &["client"]),
        ("{larger-than: 139 B, to: client}", &["server"]),
        ("{larger-than: 139 B, from: server, to: client}", &["server"]),
    ] {
        let outcome = play(&format!(
            "applications:\n  server: [listen: 80, accept, wait-until: 2s, send: 100 B, hold: null]\n  client: [connect: server:80, \
             wait-until: 2s, send: 100 B, hold: null]\nfaults: [{{blackhole: {hole}, at: 1s}}]\nuntil: 2s\n"
        ));
        let mut senders = Vec::new();
        let lines = wire(&outcome);
        for pair in lines.windows(2).filter(|pair| pair[1] == "lost: BlackHole") {
            senders.push(pair[0].split(' ').nth(1).unwrap().to_owned());
        }
        senders.sort();
        assert_eq!(senders, lost_of, "{hole}");
    }
}

#[test]
fn a_fault_on_a_host_waits_until_a_state_has_lasted() {
    let outcome = play(
        "applications:\n  server: [listen: 80, accept, receive: end, hold: null]\n  client: [connect: server:80, shutdown: write, \
         hold: null]\nfaults: [{freeze: server, when: {server: CLOSE-WAIT}, for: 2s, resumes-after: 1s}, {pause: client, when: {client: \
         FIN-WAIT-2}, for: 90s, may-not-happen: on}]\nuntil: 10s\n",
    );
    assert_eq!(
        history(&outcome)[..2],
        ["2.060 fault 1: freeze".to_owned(), "2.060 server Frozen".to_owned()]
    );
    assert_eq!(history(&outcome).len(), 4);
}
