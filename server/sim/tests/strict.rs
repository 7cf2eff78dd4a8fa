//! The expectations of the bundled scenarios are strict: each fails when TCP, the network, the programs or the faults
//! are a little other than its text says.

use std::collections::BTreeSet;
use std::sync::Arc;

use halfopen_scenario::{library, load_all};
use halfopen_sim::{Discard, RunOptions};
use halfopen_trace::{EventKind, Verdict};

/// Which scenario, what is other then, and what of its text is replaced by what (once, the head aside).
type Change = (&'static str, &'static str, &'static str, &'static str);

const CHANGES: &[Change] = &[
    ("self-connect", "ports that never meet", "56060-56070", "56070-56080"),
    ("local-service", "a caller that sends less", "send: 200 kB", "send: 100 kB"),
    ("asymmetric-route", "a longer memory", "syn-sent: 30s", "syn-sent: 50s"),
    (
        "asymmetric-route",
        "answers that take the same way",
        "from: client, to: server",
        "between: [client, server]",
    ),
    ("aws-nlb-idle", "a balancer that says nothing", "{preset: aws-nlb}", "{preset: aws-nlb, strays: drop}"),
    ("aws-nlb-idle", "a shorter memory", "{preset: aws-nlb}", "{preset: aws-nlb, idle: 250s}"),
    (
        "azure-lb-silent",
        "RST for what it does not know",
        "{preset: azure-lb}",
        "{preset: azure-lb, strays: reset}",
    ),
    ("azure-lb-silent", "a longer memory", "{preset: azure-lb}", "{preset: azure-lb, idle: 10m}"),
    ("azure-lb-silent", "a shorter memory", "{preset: azure-lb}", "{preset: azure-lb, idle: 100s}"),
    ("blind-data", "an acknowledgment that might be", "snd.una - 200000", "snd.una"),
    ("blind-reset", "a RST exactly at rcv.nxt", "rcv.nxt + 100}", "rcv.nxt}"),
    (
        "blind-reset",
        "challenge ACKs without limit",
        "server: {}",
        "server: {tcp: {challenge-ack-interval: 0s}}",
    ),
    ("blind-syn", "no second challenge ACK", "server: {}", "server: {tcp: {challenge-ack-interval: 2s}}"),
    ("close-wait-leak", "a server that closes", "- hold", "- close"),
    ("close-wait-leak", "a minute in FIN-WAIT-2 less", "client: {}", "client: {tcp: {fin-timeout: 1ms}}"),
    ("broker-alarm", "a longer alarm", "wait: 10m  ", "wait: 12m  "),
    ("broker-alarm", "a later user timeout", "user-timeout: 30s", "user-timeout: 90s"),
    ("broker-alarm", "a longer timeout of send()", "timeout: 10s", "timeout: 11m"),
    (
        "close-with-unread",
        "everything is read",
        "receive: 1 KiB                # the head; 3 KiB more are there",
        "receive: 4 KiB",
    ),
    ("close-with-unread", "no lingering", "        - shutdown: write\n        - receive: end\n", ""),
    (
        "connect-blackhole",
        "the third SYN is answered",
        "drop: {from: client}",
        "drop: {from: client}\n    first: 2",
    ),
    ("connect-blackhole", "one repetition less", "client: {}", "client: {tcp: {syn-retries: 5}}"),
    (
        "connection-refused",
        "somebody listens",
        "  client:\n    - connect",
        "  server: [listen: 80, hold]\n  client:\n    - connect",
    ),
    (
        "conntrack-half-close",
        "a longer memory",
        "{preset: linux-conntrack}",
        "{preset: linux-conntrack, idle: {close-wait: 62s}}",
    ),
    ("conntrack-half-close", "an hour that is a minute", "close-wait: 1h", "close-wait: 60s"),
    ("conntrack-invalid-rst", "no late segment", "by: 500ms", "by: 1ms"),
    (
        "conntrack-invalid-rst",
        "no rule against what is INVALID",
        "{invalid: drop}",
        "{invalid: untranslated}",
    ),
    ("conntrack-invalid-rst", "a strict eye on windows", "{invalid: pass}", "{invalid: untranslated}"),
    (
        "database-dead-client",
        "a client that comes back",
        "power-loss: client\n    at: 1s",
        "reboot: client\n    at: 1s\n    back-after: 1s",
    ),
    ("database-dead-client", "three probes", "probes: 2}", "probes: 3}"),
    ("dead-client", "nine probes", "probes: 10}", "probes: 9}"),
    ("dead-client", "no keepalive", "keepalive: {idle: 2h, interval: 75s, probes: 10}", "keepalive: off"),
    ("delayed-ack", "no delay", "server: {}", "server: {tcp: {delayed-ack: off}}"),
    ("dropped-fin", "nothing is lost", "first: 1", "nth: 9"),
    ("dropped-fin", "two are lost", "first: 1", "first: 2"),
    ("dropped-syn", "one is lost", "first: 2", "first: 1"),
    ("dropped-syn", "doubled from the first", "client: {}", "client: {tcp: {syn-linear-timeouts: 0}}"),
    ("fin-wait-2-stuck", "a second less", "client: {}", "client: {tcp: {fin-timeout: 59s}}"),
    ("fin-wait-2-stuck", "a server that closes", "- hold   ", "- close  "),
    ("four-way-close", "a shorter TIME-WAIT", "client: {}", "client: {tcp: {time-wait: 59s}}"),
    (
        "four-way-close",
        "a server that does not close",
        "    - close\n    - hold\n  client",
        "    - hold\n  client",
    ),
    ("gcp-nat", "RST for what it does not know", "{preset: gcp-nat}", "{preset: gcp-nat, strays: reset}"),
    ("gcp-nat", "a shorter memory", "{preset: gcp-nat}", "{preset: gcp-nat, idle: 5m}"),
    ("grpc-dead-peer", "one doubling less", "client: {}", "client: {tcp: {retries2: 14}}"),
    (
        "grpc-dead-peer",
        "more patience with a ping",
        "timeout: 20s\n          error",
        "timeout: 25s\n          error",
    ),
    ("grpc-dead-peer", "a longer user timeout", "user-timeout: 20s", "user-timeout: 25s"),
    ("h2-stale-pool", "one doubling less", "client: {}", "client: {tcp: {retries2: 14}}"),
    ("h2-stale-pool", "more patience with a ping", "timeout: 15s", "timeout: 20s"),
    (
        "half-close",
        "a server that sends nothing",
        "    - send: 1 KiB\n      every: 200ms\n      times: 3\n",
        "",
    ),
    (
        "half-close",
        "close instead of shutdown",
        "- shutdown: write\n    - receive: 3 KiB\n    - receive: end\n    - close",
        "- close",
    ),
    ("handover", "an address that goes later", "from: phone\n    at: 9s", "from: phone\n    at: 11s"),
    ("handover", "a longer user timeout", "user-timeout: 30s", "user-timeout: 35s"),
    ("handover", "a longer gap", "returns-after: 4s", "returns-after: 8s"),
    ("idle-forever", "keepalive where there is none", "server: {}", "server: {tcp: {keepalive: on}}"),
    ("idle-forever", "ten probes", "{keepalive: on}", "{keepalive: {probes: 10}}"),
    ("ipvs-900", "a longer memory", "{preset: ipvs}", "{preset: ipvs, idle: 902s}"),
    ("ipvs-900", "a shorter memory", "{preset: ipvs}", "{preset: ipvs, idle: 500s}"),
    ("ipvs-port-reuse", "another port", "as: second\n      port: 40000", "as: second\n      port: 40001"),
    (
        "ipvs-port-reuse",
        "a balancer that loses a SYN",
        "{preset: ipvs}",
        "{preset: ipvs, on-reuse: drop-first-syn}",
    ),
    ("keepalive-timer-reset", "an idle time of 59 minutes", "idle: 2h", "idle: 59m"),
    (
        "keepalive-timer-reset",
        "no keepalive",
        "keepalive: {idle: 2h, interval: 75s, probes: 10}",
        "keepalive: off",
    ),
    (
        "keepalive-vs-user-timeout",
        "a server that comes back",
        "power-loss: server\n    at: 1s",
        "reboot: server\n    at: 1s\n    back-after: 1s",
    ),
    (
        "keepalive-vs-user-timeout",
        "keepalive where there is none",
        "client: {}",
        "client: {tcp: {keepalive: on}}",
    ),
    (
        "lan-power-off",
        "a power loss that ends",
        "power-loss: device\n    at: 30s",
        "power-loss: device\n    at: 50s",
    ),
    ("lan-power-off", "no LAN", "{neighbours: on}", "{neighbours: off}"),
    ("lan-power-off", "a LAN instead of a router", "network: {neighbours: off}", "network: {neighbours: on}"),
    ("laptop-resume", "a short night", "resumes-after: 8h", "resumes-after: 30m"),
    ("laptop-resume", "a router that answers", "strays: drop", "strays: reset"),
    ("lb-keepalive-race", "a backend that closes later", "wait: 5s   ", "wait: 6s   "),
    (
        "lb-keepalive-race",
        "a backend that closes earlier",
        "        - receive: 1 KiB\n        - send: 1 KiB\n        - receive: end   ",
        "        - wait: 5s   ",
    ),
    ("lost-handshake-ack", "nothing is lost", "first: 1", "nth: 9"),
    ("lost-handshake-ack", "four repetitions", "server: {}", "server: {tcp: {synack-retries: 4}}"),
    ("lost-handshake-ack", "room for one more", "backlog: 1", "backlog: 2"),
    ("lost-last-ack", "nothing is lost", "first: 1", "nth: 9"),
    ("lost-last-ack", "a slower first retransmission", "server: {}", "server: {tcp: {rto: {min: 400ms}}}"),
    ("nat-port-exhaustion", "more ports", "ports: 64", "ports: 128"),
    ("nat-port-exhaustion", "a pool that is none", "times: 100, every: 1s", "times: 99, every: 1s"),
    ("nagle-delayed-ack", "no delayed ACK", "server: {}", "server: {tcp: {delayed-ack: off}}"),
    ("nagle-delayed-ack", "Nagle's algorithm", "nodelay: on", "nodelay: off"),
    ("nagle-delayed-ack", "a slower network", "latency: 250us", "latency: 300us"),
    ("orphan-zero-window", "a client that reads", "- hold  ", "- receive: end\n    - hold  "),
    ("orphan-retries", "one doubling less", "client: {}", "client: {tcp: {orphan-retries: 7}}"),
    (
        "orphan-retries",
        "a FIN that gets through",
        "drop: {from: client, flags: FIN}",
        "drop: {from: client, flags: FIN}\n    first: 9",
    ),
    (
        "partition-heals",
        "no partition",
        "faults:\n  - partition: [client, server]\n    at: 1s\n    heals-after: 10s",
        "",
    ),
    ("partition-heals", "no backing off", "client: {}", "client: {tcp: {rto: {max: 300ms}}}"),
    ("partition-heals", "three retries", "client: {}", "client: {tcp: {retries2: 3}}"),
    ("pmtu-blackhole", "a link that takes it", "  mtu: 1480 B", "  mtu: 1500 B"),
    ("pmtu-blackhole", "a narrower tunnel", "  mtu: 1480 B", "  mtu: 1400 B"),
    ("power-loss-mid-request", "one doubling less", "client: {}", "client: {tcp: {retries2: 14}}"),
    ("power-loss-mid-request", "a server that comes back later", "back-after: 30s", "back-after: 40s"),
    ("power-loss-mid-request", "more patience", "user-timeout: 30s", "user-timeout: 35s"),
    ("proxy-half-close", "a server that answers sooner", "- wait: 2s   ", "- wait: 1s   "),
    ("proxy-half-close", "a proxy with more patience", "idle: 1m", "idle: 3m"),
    ("proxy-reset", "a server that closes", "- abort", "- close"),
    (
        "reboot-same-port",
        "a client that stays away",
        "reboot: client\n    at: 1s\n    back-after: 4s",
        "power-loss: client\n    at: 1s",
    ),
    (
        "rebooted-client",
        "a client that stays away",
        "reboot: client\n    at: 1s\n    back-after: 30s",
        "power-loss: client\n    at: 1s",
    ),
    ("simultaneous-close", "one a little later", "latency: 20ms", "latency: 40ms"),
    (
        "simultaneous-open",
        "one a little later",
        "  right:\n    - connect",
        "  right:\n    - wait: 1ms\n    - connect",
    ),
    (
        "receive-buffer-on-a-long-path",
        "a fixed buffer",
        "client: {}",
        "client: {tcp: {receive-buffer: 64 KiB}}",
    ),
    ("receive-buffer-on-a-long-path", "a larger buffer", "receive-buffer: 64 KiB", "receive-buffer: 256 KiB"),
    ("restart-address-in-use", "a shorter TIME-WAIT", "  server: {}", "  server: {tcp: {time-wait: 30s}}"),
    ("restart-address-in-use", "a client that waits less", "client: {}", "client: {tcp: {time-wait: 30s}}"),
    ("rolling-restart", "no restart", "    restarts-after: 2s\n", ""),
    (
        "rolling-restart",
        "a reboot",
        "kill: server\n    at: 2s\n    restarts-after",
        "reboot: server\n    at: 2s\n    back-after",
    ),
    (
        "stale-pool-connection",
        "a server that keeps it",
        "    - close\n    - hold\n  client",
        "    - hold\n  client",
    ),
    (
        "exported-pool",
        "a server that only stands still",
        "fault: {power-loss: server, at: 100ms}",
        "fault: {freeze: server, at: 100ms}",
    ),
    ("three-segment-close", "no delayed ACK", "server: {}", "server: {tcp: {delayed-ack: off}}"),
    ("syn-flood", "no cookies", "server: {}", "server: {tcp: {syncookies: off}}"),
    ("syn-flood", "cookies", "syncookies: off", "syncookies: on"),
    ("three-way-handshake", "a slower network", "latency: 20ms", "latency: 40ms"),
    ("time-wait-exhaustion", "one port more", "32768-32823", "32768-32824"),
    ("time-wait-exhaustion", "a longer TIME-WAIT", "32768-32823}", "32768-32823, tcp: {time-wait: 90s}}"),
    (
        "time-wait-exhaustion",
        "a server that waits for the client",
        "            - send: 100 B\n            - close\n          may",
        "            - send: 100 B\n            - receive: end\n            - close\n          may",
    ),
    ("firewall-sack", "another loss", "nth: 3", "nth: 4"),
    ("firewall-sack", "numbers that stay", "randomised-except-sack", "kept"),
    ("firewall-sack", "SACK that lies", "numbers: randomised}", "numbers: randomised-except-sack}"),
    ("firewall-sack", "SACK at both ends", "sack: off", "sack: on"),
    ("ftp-control", "a longer memory", "established: 5m", "established: 15m"),
    ("ftp-control", "rarer probes", "{idle: 1m, interval: 1m}", "{idle: 8m, interval: 1m}"),
    (
        "one-client-device",
        "a device that asks",
        "device: {}",
        "device: {tcp: {keepalive: {idle: 10s, interval: 1s, probes: 1}}}",
    ),
    ("one-client-device", "earlier probes", "idle: 60s", "idle: 50s"),
    (
        "tuple-reuse",
        "a server that closes",
        "- accept:                       #",
        "- close:\n      on: old\n    - accept:                       #",
    ),
    (
        "tuple-reuse",
        "a RST that gets through",
        "drop: {from: client, flags: RST}",
        "drop: {from: client, flags: RST}\n        first: 2",
    ),
    ("tuple-reuse", "a shorter TIME-WAIT", "server: {}", "server: {tcp: {time-wait: 1s}}"),
    ("zero-window-forever", "a client that reads", "- hold   ", "- receive: 1 MiB   "),
    ("vip-failover", "a later takeover", "at: 12s   ", "at: 14s   "),
    (
        "vip-failover",
        "an idle client that is not idle",
        "- send: 100 B\n        - receive: end\n",
        "- wait: 15s\n        - send: 100 B\n        - receive: end\n",
    ),
    ("vip-failover", "a later switch", "to: standby\n        at: 9s", "to: standby\n        at: 11s"),
    ("vip-failover", "a move that is announced", "announced: off", "announced: on"),
    ("vip-failover", "one retry more", "retries2: 8", "retries2: 9"),
];

/// The variants that do not pass when the text is a little other.
fn broken((name, what, from, to): &Change) -> Vec<String> {
    let text = library::find(name).unwrap_or_else(|| panic!("there is no {name}")).text;
    let (head, rest) = text.split_at(text.find("\nhosts:").expect("hosts are needed"));
    assert!(rest.contains(from), "{name} with {what}: it does not say {from:?}");
    let text = format!("{head}{}", rest.replacen(from, to, 1));
    let scenarios =
        load_all(&text).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(name, &text, false)));
    let mut broken = Vec::new();
    for scenario in scenarios {
        let name = scenario.name();
        let outcome = halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard);
        if outcome.finished.verdict != Verdict::Passed {
            broken.push(name);
        }
    }
    broken
}

#[test]
fn every_bundled_scenario_fails_when_something_is_other_than_it_says() {
    let mut tried = BTreeSet::new();
    for change in CHANGES {
        let (name, what, ..) = change;
        let broken = broken(change);
        assert!(!broken.is_empty(), "{name} passes with {what}");
        tried.extend(broken);
    }
    for scenario in library::ALL.iter().flat_map(library::Bundled::scenarios) {
        assert!(tried.contains(&scenario.name()), "no change breaks {}", scenario.name());
    }
}

#[test]
fn no_expectation_holds_where_nobody_does_anything() {
    let all = library::ALL.iter().flat_map(library::Bundled::scenarios);
    for mut scenario in
        all.filter(|scenario| scenario.faults.iter().all(|fault| fault.effect.name() != "inject"))
    {
        scenario.programs.iter_mut().for_each(|program| program.steps.clear());
        scenario.calls.list.clear();
        let scenario = Arc::new(scenario);
        let outcome = halfopen_sim::run(&scenario, &RunOptions::default(), &mut Discard);
        for (_, event) in outcome.trace.iter() {
            if let EventKind::ExpectationResult(result) = &event.kind {
                let claim = &scenario.expectations[result.expectation.index()].claim;
                let is_about_time = matches!(claim, halfopen_scenario::Claim::VirtualTime(_));
                assert!(!result.passed || is_about_time, "{}: {result:?}", scenario.name());
            }
        }
    }
}
