//! Captures of runs: what is in the files, and whether other programs see in them what our events say.
//!
//! Where it says so, a test needs a program (`apt-get install tshark tcpdump tcptrace`). Without it, it says so and passes, so
//! that the project can be tested on any machine; with `HALFOPEN_TOOLS=required`, as in `.ci/run`, it fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod analysis;
mod facts;
mod file;
mod format;
mod tcpdump;
mod tcptrace;
#[path = "../common/tool.rs"]
mod tool;
mod tshark;

use std::fs;
use std::ops::Range;
use std::path::PathBuf;

use halfopen_client::{Client, Source};
use halfopen_view::record::{RunOptions, RunRecord};
use halfopen_view::report::pcapng::{Captures, SNAPSHOT_LENGTH, START};

use crate::facts::{Packet, packets};

/// What no bundled scenario has: every fault of segments, and IPv6.
const OTHERS: [(&str, &str); 2] =
    [("every-fault", include_str!("every-fault.yaml")), ("version-six", include_str!("version-six.yaml"))];

fn client() -> Client {
    let service = halfopend::Service::new(&halfopend::Config::default()).unwrap();
    Client::new(service.connect(), "in memory".to_owned())
}

/// Every run of the bundled scenarios, and those of the others; of their own TCP profiles, or all of another.
async fn records(profile: Option<&str>) -> Vec<RunRecord> {
    let mut client = client();
    let mut records = Vec::new();
    let options = |variant| RunOptions {
        variant,
        snapshot_length: SNAPSHOT_LENGTH,
        profile: profile.map(str::to_owned),
        ..RunOptions::default()
    };
    for scenario in client.list().await.unwrap() {
        let source = Source::Bundled(scenario.name.clone());
        if scenario.variants.is_empty() {
            records.push(run(&mut client, &scenario.name, &source, options(None)).await);
        }
        for variant in scenario.variants {
            records.push(run(&mut client, &scenario.name, &source, options(Some(variant))).await);
        }
    }
    for (name, text) in OTHERS {
        let source = Source::Text { file: name.to_owned(), text: text.to_owned() };
        records.push(run(&mut client, name, &source, options(None)).await);
    }
    records
}

/// A run with its datagrams.
async fn captured(name: &str, source: &Source) -> RunRecord {
    let options = RunOptions { snapshot_length: SNAPSHOT_LENGTH, ..RunOptions::default() };
    run(&mut client(), name, source, options).await
}

async fn run(client: &mut Client, name: &str, source: &Source, options: RunOptions) -> RunRecord {
    let name = options.variant.iter().fold(name.to_owned(), |name, variant| format!("{name}/{variant}"));
    let mut record = RunRecord::new(name);
    let mut events = client.run(source, &options).await.unwrap();
    while let Some(batch) = events.next().await.unwrap() {
        record.events.extend(batch);
    }
    record
}

/// The merged capture.
fn merged(record: &RunRecord) -> Vec<u8> {
    let mut capture = Vec::new();
    Captures::of(record).unwrap().write_merged(&mut capture).unwrap();
    capture
}

/// The capture of a host.
fn of_host(record: &RunRecord, host: usize) -> Vec<u8> {
    let mut capture = Vec::new();
    Captures::of(record).unwrap().write_host(host, &mut capture).unwrap();
    capture
}

fn hosts(record: &RunRecord) -> Range<usize> {
    0..record.started().unwrap().hosts.len()
}

/// The packets of a run at these hosts.
fn packets_at(record: &RunRecord, hosts: Range<usize>) -> Vec<Packet<'_>> {
    packets(record).into_iter().filter(|packet| hosts.contains(&packet.host)).collect()
}

/// A path under the target directory.
fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[tokio::test]
async fn a_capture_has_what_the_events_say() {
    for record in records(None).await {
        format::check(&record, hosts(&record), &merged(&record));
        for host in hosts(&record) {
            format::check(&record, host..host + 1, &of_host(&record, host));
        }
        let mut nothing = Vec::new();
        Captures::of(&record).unwrap().write_host(hosts(&record).end, &mut nothing).unwrap();
        assert!(nothing.is_empty(), "no such host");
    }
}

#[tokio::test]
async fn comments_say_what_octets_do_not() {
    let (name, text) = OTHERS[0];
    let record = captured(name, &Source::Text { file: name.to_owned(), text: text.to_owned() }).await;
    let packets = format::packets(&merged(&record));
    let about = packets.iter().zip(1..).filter(|(packet, _)| !packet.comments.is_empty());
    let lines = about.map(|(packet, number)| {
        let (side, direction) =
            (["client", "server"][packet.interface as usize], if packet.inbound { "in" } else { "out" });
        format!("{number} {side} {direction}: {}\n", packet.comments.join("; "))
    });
    let text: String = lines.collect();
    snapbox::assert_data_eq!(text, snapbox::file!["every-fault.txt"].raw());
}

#[tokio::test]
async fn a_run_without_octets_is_no_capture() {
    let source = Source::Bundled("dead-client".to_owned());
    let record = run(&mut client(), "dead-client", &source, RunOptions::default()).await;
    let error = Captures::of(&record).unwrap().write_merged(Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
}

/// Needs tshark.
#[tokio::test]
async fn wireshark_reads_every_capture_without_a_complaint() {
    if !tool::is_there("tshark", "tshark") {
        return;
    }
    let records = records(None).await;
    let path = scratch("all.pcapng");
    // A pcapng file may have any number of sections.
    fs::write(&path, records.iter().flat_map(merged).collect::<Vec<u8>>()).unwrap();
    let mut rows = tshark::reading(&path).into_iter();
    for record in &records {
        for packet in packets(record) {
            let found = rows.next().expect("a row a packet");
            assert_eq!(found, tshark::Reading::of(&packet), "{}, event {}", record.name, packet.sequence);
        }
    }
    assert_eq!(rows.next(), None);
}

/// With the scenarios' own TCP profiles, most of them Linux, and with that of RFC 9293. Needs tshark.
#[tokio::test]
async fn wireshark_sees_what_the_events_say() {
    if !tool::is_there("tshark", "tshark") {
        return;
    }
    let mut records = records(None).await;
    records.extend(self::records(Some("rfc9293")).await);
    let sides: Vec<(&RunRecord, usize)> =
        records.iter().flat_map(|record| hosts(record).map(move |host| (record, host))).collect();
    let mut octets = Vec::new();
    for (number, (record, host)) in sides.iter().enumerate() {
        file::append(&of_host(record, *host), number, &mut octets);
    }
    let path = scratch("sides.pcapng");
    fs::write(&path, octets).unwrap();
    let mut rows = tshark::analysis(&path).into_iter();
    for (record, host) in sides {
        let mut seen = analysis::Seen::default();
        let all = packets(record);
        for (index, packet) in all.iter().enumerate().filter(|(_, packet)| packet.host == host) {
            let labels = rows.next().expect("a row a packet");
            // Wireshark cannot tell the two directions of a socket that is connected to itself.
            let [source, destination] = packet.sockets();
            if source == destination {
                continue;
            }
            let place = format!("{}, host {host}, event {}", record.name, packet.sequence);
            let known = seen.knows(packet);
            assert_eq!(labels, seen.packet(packet), "{place}");
            if let Err(why) = agreement::check(&all[..index], packet, &labels, known) {
                panic!("{place}: {labels:?}, but {why}");
            }
        }
    }
    assert_eq!(rows.next(), None);
}

/// As a reader of the guide does it. Needs tshark.
#[tokio::test]
async fn the_capture_of_a_host_can_be_analyzed_and_its_peer_has_a_name() {
    if !tool::is_there("tshark", "tshark") {
        return;
    }
    let source = Source::Bundled("dead-client".to_owned());
    let record = captured("dead-client", &source).await;
    let path = scratch("server.pcapng");
    fs::write(&path, of_host(&record, 1)).unwrap();

    let mut seen = analysis::Seen::default();
    let at_server = packets_at(&record, 1..2);
    let expected: Vec<tshark::Labels> = at_server.iter().map(|packet| seen.packet(packet)).collect();
    assert_eq!(tshark::analysis(&path), expected);
    assert_eq!(expected.iter().filter(|labels| labels.contains("keep_alive")).count(), 10);

    let fields = ["-N", "n", "-T", "fields", "-e", "ip.src_host", "-e", "frame.time_epoch"];
    let names = tshark::run(&path, &fields);
    let expected = at_server.iter().map(|packet| {
        let name = if packet.inbound { "client" } else { "server" };
        let time = START + packet.time;
        format!("{name}\t{}.{:09}\n", time.as_secs(), time.subsec_nanos())
    });
    assert_eq!(names, expected.collect::<String>());
}

/// Needs tcpdump.
#[tokio::test]
async fn tcpdump_reads_every_capture_without_a_complaint() {
    if !tool::is_there("tcpdump", "tcpdump") {
        return;
    }
    let path = scratch("tcpdump.pcapng");
    for record in records(None).await {
        let each = hosts(&record).map(|host| (host..host + 1, of_host(&record, host)));
        for (hosts, capture) in each.chain([(hosts(&record), merged(&record))]) {
            fs::write(&path, capture).unwrap();
            let expected = tcpdump::Reading::of(&packets_at(&record, hosts.clone()));
            assert_eq!(tcpdump::read(&path), expected, "{}, hosts {hosts:?}", record.name);
        }
    }
}

/// What it counts in the capture of one host, where nothing is seen twice. Needs tcptrace.
#[tokio::test]
async fn tcptrace_counts_what_the_events_say() {
    if !tool::is_there("tcptrace", "tcptrace") {
        return;
    }
    let path = scratch("tcptrace.pcapng");
    for record in records(None).await {
        for host in hosts(&record) {
            fs::write(&path, of_host(&record, host)).unwrap();
            let expected = tcptrace::Counts::of(&packets_at(&record, host..host + 1));
            assert_eq!(tcptrace::counts(&path), expected, "{}, host {host}", record.name);
        }
    }
}
