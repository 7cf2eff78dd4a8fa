//! The expectations of the bundled scenarios are strict: each fails when TCP, the network, the programs or the faults
//! are a little other than its text says.

use std::sync::Arc;

use halfopen_scenario::{library, load_variant};
use halfopen_sim::trace::Verdict;
use halfopen_sim::{Discard, RunOptions};

/// Which scenario, what is other then, and what of its text is replaced by what (once, the head aside).
type Change = (&'static str, &'static str, &'static str, &'static str);

const CHANGES: &[Change] = &[
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
    (
        "connection-refused",
        "somebody listens",
        "  client:\n    - connect",
        "  server: [listen: 80]\n  client:\n    - connect",
    ),
    ("dead-client", "nine probes", "probes: 10}", "probes: 9}"),
    ("dead-client", "no keepalive", "keepalive: {idle: 2h, interval: 75s, probes: 10}", "keepalive: off"),
    ("delayed-ack", "no delay", "server: {}", "server: {tcp: {delayed-ack: off}}"),
    ("dropped-fin", "nothing is lost", "first: 1", "nth: 9"),
    ("dropped-fin", "two are lost", "first: 1", "first: 2"),
    ("dropped-syn", "one is lost", "first: 2", "first: 1"),
    ("dropped-syn", "doubled from the first", "client: {}", "client: {tcp: {syn-linear-timeouts: 0}}"),
    ("four-way-close", "a shorter TIME-WAIT", "client: {}", "client: {tcp: {time-wait: 59s}}"),
    ("four-way-close", "a server that does not close", "    - close\n  client", "    - hold\n  client"),
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
    ("idle-forever-keepalive", "ten probes", "keepalive: on", "keepalive: {probes: 10}"),
    ("idle-forever-no-keepalive", "keepalive", "server: {}", "server: {tcp: {keepalive: on}}"),
    ("keepalive-timer-reset", "an idle time of 59 minutes", "idle: 2h", "idle: 59m"),
    (
        "keepalive-timer-reset",
        "no keepalive",
        "keepalive: {idle: 2h, interval: 75s, probes: 10}",
        "keepalive: off",
    ),
    ("lost-last-ack", "nothing is lost", "first: 1", "nth: 9"),
    ("lost-last-ack", "a slower first retransmission", "server: {}", "server: {tcp: {rto: {min: 400ms}}}"),
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
    (
        "rebooted-client",
        "a client that stays away",
        "reboot: client\n    at: 1s\n    back-after: 30s",
        "power-loss: client\n    at: 1s",
    ),
    (
        "reboot-same-port",
        "a client that stays away",
        "reboot: client\n    at: 1s\n    back-after: 4s",
        "power-loss: client\n    at: 1s",
    ),
    ("simultaneous-close", "one a little later", "latency: 20ms", "latency: 40ms"),
    (
        "simultaneous-open",
        "one a little later",
        "  right:\n    - connect",
        "  right:\n    - wait: 1ms\n    - connect",
    ),
    ("stale-pool-connection", "a server that keeps it", "    - close\n  client", "    - hold\n  client"),
    ("three-segment-close", "no delayed ACK", "server: {}", "server: {tcp: {delayed-ack: off}}"),
    ("three-way-handshake", "a slower network", "latency: 20ms", "latency: 40ms"),
];

/// What becomes of a text that is a little other: of the variant that is named, `pool/busy`.
fn verdict((name, what, from, to): &Change) -> Verdict {
    let (scenario, variant) =
        name.split_once('/').map_or((*name, None), |(name, variant)| (name, Some(variant)));
    let text = library::find(scenario).unwrap_or_else(|| panic!("there is no {name}")).text;
    let head = text.find("\nhosts:").expect("hosts are needed");
    let (head, rest) = text.split_at(head);
    assert!(rest.contains(from), "{name} with {what}: it does not say {from:?}");
    let text = format!("{head}{}", rest.replacen(from, to, 1));
    let scenario = load_variant(&text, variant).unwrap_or_else(|error| panic!("{name} with {what}: {error}"));
    halfopen_sim::run(&Arc::new(scenario), &RunOptions::default(), &mut Discard).finished.verdict
}

#[test]
fn a_bundled_scenario_fails_when_anything_is_other_than_it_says() {
    for change in CHANGES {
        let (name, what, ..) = change;
        assert_ne!(verdict(change), Verdict::Passed, "{name} with {what}");
    }
}

#[test]
fn every_bundled_scenario_is_put_to_that_test() {
    for bundled in library::ALL {
        let tried = |(name, ..): &Change| name.split('/').next() == Some(bundled.name);
        assert!(CHANGES.iter().any(tried), "{}", bundled.name);
    }
}
