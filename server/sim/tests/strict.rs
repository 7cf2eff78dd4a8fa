//! The expectations of the bundled scenarios are strict: each fails when TCP, the network or the faults are a
//! little other than its text says.

use std::sync::Arc;
use std::time::Duration;

use halfopen_scenario::{
    Action, DelayedAck, Effect, HostId, Keepalive, Scenario, TcpSettings, Which, library,
};
use halfopen_sim::trace::Verdict;
use halfopen_sim::{Discard, RunOptions};

fn verdict(scenario: Scenario) -> Verdict {
    halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard).finished.verdict
}

fn every_tcp(scenario: &mut Scenario, change: impl Fn(&mut TcpSettings)) {
    scenario.hosts.iter_mut().for_each(|host| change(&mut host.tcp));
}

fn keepalive(idle: u64, probes: u32) -> Option<Keepalive> {
    let [idle, interval] = [idle, 75].map(|seconds| Some(Duration::from_secs(seconds)));
    Some(Keepalive::On { idle, interval, probes: Some(probes) })
}

fn first(scenario: &mut Scenario, lost: u64) {
    for fault in &mut scenario.faults {
        if let Effect::Segment { which, .. } = &mut fault.effect {
            *which = Which::First(lost);
        }
    }
}

/// Leaves out the server's steps of that name.
fn server_skips(scenario: &mut Scenario, name: &str) {
    for program in scenario.programs.iter_mut().filter(|program| program.host == HostId(1)) {
        program.steps.retain(|step| step.action.name() != name);
    }
}

/// What is other than the text says.
type Change = fn(&mut Scenario);

const CHANGES: &[(&str, &str, Change)] = &[
    ("connection-refused", "somebody listens", |scenario| {
        // Both name the client first and the server second.
        let other = library::find("three-way-handshake").expect("bundled").scenario();
        scenario.programs.extend(other.programs.into_iter().filter(|program| program.host == HostId(1)));
    }),
    ("dead-client", "nine probes", |scenario| every_tcp(scenario, |tcp| tcp.keepalive = keepalive(7200, 9))),
    ("dead-client", "no keepalive", |scenario| every_tcp(scenario, |tcp| tcp.keepalive = None)),
    ("delayed-ack", "no delay", |scenario| {
        every_tcp(scenario, |tcp| tcp.delayed_ack = Some(DelayedAck::Off));
    }),
    ("dropped-fin", "nothing is lost", |scenario| first(scenario, 0)),
    ("dropped-fin", "two are lost", |scenario| first(scenario, 2)),
    ("dropped-syn", "one is lost", |scenario| first(scenario, 1)),
    ("dropped-syn", "doubled from the first", |scenario| {
        every_tcp(scenario, |tcp| tcp.syn_linear_timeouts = Some(0));
    }),
    ("four-way-close", "a shorter TIME-WAIT", |scenario| {
        every_tcp(scenario, |tcp| tcp.time_wait = Some(Duration::from_secs(59)));
    }),
    ("four-way-close", "a server that does not close", |scenario| server_skips(scenario, "close")),
    ("half-close", "a server that sends nothing", |scenario| server_skips(scenario, "send")),
    ("half-close", "close instead of shutdown", |scenario| {
        for step in scenario.programs.iter_mut().flat_map(|program| &mut program.steps) {
            if let Action::ShutdownWrite { connection } = step.action {
                step.action = Action::Close { connection };
            }
        }
    }),
    ("idle-forever-keepalive", "ten probes", |scenario| {
        every_tcp(scenario, |tcp| tcp.keepalive = keepalive(7200, 10));
    }),
    ("idle-forever-no-keepalive", "keepalive", |scenario| {
        every_tcp(scenario, |tcp| tcp.keepalive = keepalive(7200, 9));
    }),
    ("keepalive-timer-reset", "an idle time of 59 minutes", |scenario| {
        every_tcp(scenario, |tcp| tcp.keepalive = keepalive(59 * 60, 10));
    }),
    ("keepalive-timer-reset", "no keepalive", |scenario| every_tcp(scenario, |tcp| tcp.keepalive = None)),
    ("lost-last-ack", "nothing is lost", |scenario| first(scenario, 0)),
    ("lost-last-ack", "a slower first retransmission", |scenario| {
        every_tcp(scenario, |tcp| tcp.rto_min = Some(Duration::from_millis(400)));
    }),
    ("partition-heals", "no partition", |scenario| scenario.faults.clear()),
    ("partition-heals", "no backing off", |scenario| {
        every_tcp(scenario, |tcp| tcp.rto_max = Some(Duration::from_millis(300)));
    }),
    ("partition-heals", "three retries", |scenario| every_tcp(scenario, |tcp| tcp.retries2 = Some(3))),
    ("rebooted-client", "a client that stays away", |scenario| {
        for fault in &mut scenario.faults {
            if let Effect::Reboot { host, .. } = fault.effect {
                fault.effect = Effect::PowerLoss(host);
            }
        }
    }),
    ("simultaneous-close", "one a little later", |scenario| scenario.network.latency *= 2),
    ("three-segment-close", "no delayed ACK", |scenario| {
        every_tcp(scenario, |tcp| tcp.delayed_ack = Some(DelayedAck::Off));
    }),
    ("three-way-handshake", "a slower network", |scenario| scenario.network.latency *= 2),
];

#[test]
fn a_bundled_scenario_fails_when_anything_is_other_than_it_says() {
    for (name, what, change) in CHANGES {
        let mut scenario = library::find(name).unwrap_or_else(|| panic!("{name}")).scenario();
        change(&mut scenario);
        assert_ne!(verdict(scenario), Verdict::Passed, "{name} with {what}");
    }
}

#[test]
fn every_bundled_scenario_is_put_to_that_test() {
    for bundled in library::ALL {
        assert!(CHANGES.iter().any(|(name, ..)| *name == bundled.name), "{}", bundled.name);
    }
}
