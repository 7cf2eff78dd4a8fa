//! What explanations say of every bundled scenario.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::runs::{bundled, written};
use halfopen_proto::v1::event::Kind;
use halfopen_view::explain::{ExplainOptions, Explanation, Subject, explain, text};
use halfopen_view::record::RunRecord;
use halfopen_view::words;
use snapbox::assert_data_eq;

fn whole(explanation: &Explanation) -> String {
    let sentences = explanation.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences);
    sentences.map(|sentence| sentence.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The runs whose explanations are kept word for word.
const KEPT: [&str; 12] = [
    "aws-nlb-idle/keepalive-default",
    "blind-reset",
    "close-wait-leak",
    "close-with-unread/at-once",
    "conntrack-half-close/sixty-seconds",
    "conntrack-invalid-rst/untranslated",
    "dead-client",
    "dropped-fin",
    "partition-heals",
    "rebooted-client",
    "time-wait-exhaustion/client-closes",
    "zero-window-forever/user-timeout",
];

#[test]
fn every_bundled_run_is_explained_in_bounded_words_that_name_each_fault() {
    let mut kept = 0;
    for mut record in bundled() {
        let explanation = explain(&record, ExplainOptions::default());
        let (name, words) = (record.name.clone(), whole(&explanation));
        assert_eq!(explain(&record, ExplainOptions::default()), explanation, "{name}: the same again");
        assert!(words.len() < 16_000, "{name}: {} octets", words.len());
        let plain = |width| anstream::adapter::strip_str(&text::write(&explanation, width)).to_string();
        for line in plain(80).lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
        let fired: BTreeSet<u32> = record
            .events
            .iter()
            .filter_map(|event| match event.kind.as_ref()? {
                Kind::FaultApplied(applied) => Some(applied.fault.as_ref()?.number),
                _ => None,
            })
            .collect();
        for fault in fired {
            assert!(
                words.to_lowercase().contains(&format!("fault {fault}")),
                "{name}: fault {fault}\n{words}"
            );
        }
        if KEPT.contains(&name.as_str()) {
            kept += 1;
            let file = format!("explain/{}.txt", name.replace('/', "-"));
            let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file);
            assert_data_eq!(plain(110), snapbox::Data::read_from(&path, None).raw());
        }
        break_expectations(&mut record);
        let explanation = explain(&record, ExplainOptions::default());
        let told =
            explanation.paragraphs.iter().find(|paragraph| paragraph.subject == Subject::Broken).unwrap();
        assert_eq!(told.sentences.len(), record.expectations().count(), "{name}");
    }
    assert_eq!(kept, KEPT.len());
}

#[test]
fn causes_are_those_of_the_events() {
    let cases = [
        (
            "nagle-delayed-ack/nagle",
            "server delayed its ACK by 41ms, waiting for data to send with it, while client's Nagle algorithm held 100 bytes back",
        ),
        ("delayed-ack", "client delayed its ACK by 41ms, in case it had data to send with it"),
        ("grpc-dead-peer/user-timeout", "its user timeout was over, and nothing had been acknowledged"),
        (
            "keepalive-vs-user-timeout/idle+both",
            "its user timeout was over, and no keepalive probe had been answered",
        ),
        (
            "zero-window-forever/user-timeout",
            "its user timeout was over, and no window probe had opened the window",
        ),
        ("zero-window-forever/no-timeout", "server's application sent 524176 bytes"),
        ("grpc-dead-peer/ping", "client's application sent 200 bytes, received 100 bytes and aborted"),
        (
            "time-wait-exhaustion/client-closes",
            "EADDRNOTAVAIL: no port is left, because 56 ports are in TIME-WAIT",
        ),
        ("simultaneous-open", "their SYNs crossed, and each answered the other's with a SYN+ACK"),
        ("pmtu-blackhole/icmp", "3 because a router reported a smaller MTU"),
        ("pmtu-blackhole/filtered", "1 at once because later data was acknowledged"),
        (
            "connection-refused",
            "server did not use client's SYN: nothing listens on that port. It answered with a RST",
        ),
        ("rebooted-client", "client did not use server's ACK: it does not have the connection any more"),
        ("lb-keepalive-race/reset-first", "it does not have the connection any more"),
        (
            "lb-keepalive-race/fin-first",
            "backend is CLOSED from 5.09s on: data came that its application could not read any more",
        ),
        ("broker-alarm/clears", "arrived, but broker had not acknowledged them yet"),
        ("lost-last-ack", "server's FIN arrived, but the ACK of it was lost (fault 1: drop)"),
        ("lost-handshake-ack/full-queue", "arrived, but server did not use the ACK of it: queue full"),
        ("lost-handshake-ack/never", "Then TCP gave up; no application of server knew of it yet"),
        ("conntrack-invalid-rst/untranslated", "server's 1448 bytes were late (fault 1: delay 500ms)"),
        ("conntrack-invalid-rst/untranslated", "it has no connection with these addresses and ports"),
        (
            "reboot-same-port",
            "client's SYN reached server's connection 1, which did not use it: old timestamp (PAWS)",
        ),
        ("power-loss-mid-request/comes-back", "They were retransmitted 8 times"),
        ("blind-data", "Fault 1 forged 10 bytes in client's name"),
        ("vip-failover/planned", "Fault 1 moved 10.0.0.100 from active to standby."),
        (
            "vip-failover/planned",
            "active gave up: for too long it could send nothing, because it does not have 10.0.0.100 any more",
        ),
        (
            "vip-failover/planned",
            "active found out by itself: it could send nothing, because it does not have 10.0.0.100 any more",
        ),
        ("handover/default", "Fault 1 took 192.0.2.10 away from phone."),
        (
            "handover/user-timeout",
            "until its user timeout was over it could send nothing, because it does not have 192.0.2.10 any more",
        ),
        ("handover/short-gap", "Fault 1 ended: phone has 192.0.2.10 again."),
        (
            "syn-flood/cookies",
            "client called connect and sent a SYN, which server answered with a SYN cookie; the connection was ESTABLISHED",
        ),
        (
            "syn-flood/cookies",
            "server's SYN+ACK was lost twice (fault 1: drop). It was retransmitted after 1s.",
        ),
        ("syn-flood/cookies", "its SYN+ACK was lost and so was its retransmission (fault 1: drop)"),
        ("syn-flood/cookies", "Then its listener closed: CLOSED."),
        ("azure-lb-silent/tcp-reset", "Middlebox balancer forged a RST in server's name"),
        (
            "orphan-zero-window/default",
            "server's application called close(): FIN-WAIT-1; its FIN waits behind 15632 unsent bytes, and never leaves.",
        ),
        ("orphan-zero-window/default", "its FIN waited behind 15632 unsent bytes, and never left."),
        ("close-with-unread/lingering", "FIN-WAIT-1; its FIN waits behind "),
        ("exported-pool", "Calls that failed: client's call with ECONNRESET."),
        ("exported-pool", "client's call failed with ECONNRESET (a RST came)"),
        (
            "exported-pool",
            "server's application sent 5 bytes, received 8 bytes, saw the end of the stream and closed",
        ),
        ("rolling-restart", "Fault 1 (kill) was applied to server: its program ended at once."),
        (
            "rolling-restart",
            "server's program was killed, and its kernel closed the socket: server sent a FIN, FIN-WAIT-1.",
        ),
        ("rolling-restart", "Fault 1 ended: server's program was started again."),
        ("rolling-restart", "received 100 bytes and was killed; no call failed"),
        (
            "broker-alarm/clears",
            "broker's program ended, and its kernel closed the socket: broker sent its own FIN, LAST-ACK.",
        ),
        ("lost-handshake-ack/full-queue", "It had 3 connections, in 3 different ways."),
        ("gcp-nat/half-close", "forgot the connection (CLOSE-WAIT there) after 30s of silence"),
        ("laptop-resume/router-drops", "after 1h of silence"),
        ("firewall-sack/forgets-sack", "1 of 2 segments of server (2624 bytes) was lost (fault 1: drop)."),
        ("firewall-sack/forgets-sack", "2 segments were retransmitted: 1 because"),
        ("firewall-sack/forgets-sack", "but not those in SACK blocks"),
        ("syn-flood/without", "connect failed with EINPROGRESS (its timeout passed; TCP goes on)"),
        ("power-loss-mid-request/comes-back", "is up again"),
        (
            "zero-window-forever/no-timeout",
            "187 probes, at intervals of 544ms, 1.05s, then doubling from 2.06s",
        ),
    ];
    let all: BTreeMap<String, String> = bundled()
        .into_iter()
        .map(|record| (record.name.clone(), whole(&explain(&record, ExplainOptions::default()))))
        .collect();
    for (name, wanted) in cases {
        assert!(all[name].contains(wanted), "{name}: {wanted}\n{}", all[name]);
    }
    for (name, words) in &all {
        for wrong in [
            "no acknowledgment came in time",
            "(any more)",
            "bytes was",
            "for other reasons",
            "each of the time ",
            "each of its 1 ",
            "called the listener",
            " 1 copies",
            "was lost, 1 ",
            "every every",
        ] {
            assert!(!words.contains(wrong), "{name}: {wrong}\n{words}");
        }
    }
}

/// It returns only when everything sent is acknowledged, or never.
#[test]
fn an_application_that_lingers_in_close_has_called_it() {
    for faults in ["", "faults: [{power-loss: server, at: 1s}]\n"] {
        let record = written(&format!(
            "scenario: written
hosts: {{client: {{}}, server: {{}}}}
network: {{latency: 20ms}}
applications:
  server: [listen: 80, accept, hold]
  client: [connect: server:80, set: {{linger: 5s}}, wait-until: 2s, send: 10 B, close]
{faults}until: 30s
"
        ));
        let words = whole(&explain(&record, ExplainOptions::default()));
        assert!(words.contains("close()") && !words.contains("client's program ended"), "{words}");
    }
}

/// A FIN is said to be sent where it is, by whom it is.
#[test]
fn an_end_that_closes_is_said_to_send_a_fin_only_where_it_does() {
    for record in bundled() {
        let fins: BTreeSet<(Duration, &str)> = record
            .events
            .iter()
            .filter_map(|event| match event.kind.as_ref()? {
                Kind::SegmentSent(sent) if sent.flags.is_some_and(|flags| flags.fin) => {
                    Some((words::from_proto(event.time.as_ref()), event.host.as_str()))
                }
                _ => None,
            })
            .collect();
        let explanation = explain(&record, ExplainOptions::default());
        for sentence in explanation.paragraphs.iter().flat_map(|paragraph| &paragraph.sentences) {
            for fin in ["sent a FIN, ", "sent its own FIN, "] {
                let Some((host, _)) = sentence.text.split_once(&format!(" {fin}")) else { continue };
                let host = host.rsplit(' ').next().unwrap();
                let sent = fins.contains(&(sentence.from.unwrap(), host));
                assert!(sent, "{}: {}", record.name, sentence.text);
            }
        }
    }
}

#[test]
fn an_error_is_pending_after_what_brought_it() {
    for record in bundled() {
        let explanation = explain(&record, ExplainOptions::default());
        for story in explanation.paragraphs.iter().filter(|paragraph| paragraph.subject == Subject::Story) {
            for pair in story.sentences.windows(2) {
                let (first, next) = (&pair[0].text, &pair[1].text);
                let Some((_, whose)) = first.split_once("was pending for the next call of ") else {
                    continue;
                };
                let host = whose.split("'s application").next().unwrap();
                let ends = next.starts_with(&format!("{host} gave up"))
                    || next.contains(&format!("reached {host}: from"));
                assert!(!ends || pair[0].from != pair[1].from, "{}: {first} {next}", record.name);
            }
        }
    }
}

#[test]
fn what_has_gaps_is_explained_as_far_as_it_goes() {
    for mut record in bundled().into_iter().filter(|record| record.events.len() < 200) {
        let all = std::mem::take(&mut record.events);
        for gap in 2..7 {
            let kept = all.iter().enumerate().filter(|(index, _)| *index == 0 || index % gap != 1);
            record.events = kept.map(|(_, event)| event.clone()).collect();
            let explanation = explain(&record, ExplainOptions::default());
            assert!(!explanation.paragraphs.is_empty(), "{} without every {gap}th event", record.name);
            record.events.truncate(record.events.len() / 2);
            let words = whole(&explain(&record, ExplainOptions::default()));
            assert!(words.contains("did not reach its end"), "{}: {words}", record.name);
        }
    }
}

/// As if nothing had been as expected.
fn break_expectations(record: &mut RunRecord) {
    for event in &mut record.events {
        if let Some(Kind::ExpectationResult(result)) = &mut event.kind {
            result.passed = false;
        }
    }
}
