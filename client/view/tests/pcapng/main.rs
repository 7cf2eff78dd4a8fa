//! Captures of runs: what is in the files, and whether Wireshark sees in them what our events say.
//!
//! Where it says so, a test needs tshark (`apt-get install tshark`). Without it, it says so and passes, so that the project can be
//! tested on any machine; with `HALFOPEN_TSHARK=required`, as in `.ci/run`, it fails.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod analysis;
mod facts;
mod file;
mod format;
mod tshark;

use std::fs;
use std::path::PathBuf;

use halfopen_client::{Client, Source};
use halfopen_view::record::{RunOptions, RunRecord};
use halfopen_view::report::pcapng::{SNAPSHOT_LENGTH, START, write};

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

fn capture(record: &RunRecord) -> Vec<u8> {
    let mut capture = Vec::new();
    write(record, &mut capture).unwrap();
    capture
}

/// A path under the target directory.
fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

#[tokio::test]
async fn a_capture_has_what_the_events_say() {
    for record in records(None).await {
        format::check(&record, &capture(&record));
    }
}

#[tokio::test]
async fn comments_say_what_octets_do_not() {
    let (name, text) = OTHERS[0];
    let record = captured(name, &Source::Text { file: name.to_owned(), text: text.to_owned() }).await;
    let packets = format::packets(&capture(&record));
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
    let error = write(&record, Vec::new()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
}

/// Needs tshark.
#[tokio::test]
async fn wireshark_reads_every_capture_without_a_complaint() {
    if !tshark::is_there() {
        return;
    }
    let records = records(None).await;
    let path = scratch("all.pcapng");
    // A pcapng file may have any number of sections.
    fs::write(&path, records.iter().flat_map(capture).collect::<Vec<u8>>()).unwrap();
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
    if !tshark::is_there() {
        return;
    }
    let mut records = records(None).await;
    records.extend(self::records(Some("rfc9293")).await);
    let hosts = |record: &RunRecord| record.started().unwrap().hosts.len();
    let sides: Vec<(&RunRecord, usize)> =
        records.iter().flat_map(|record| (0..hosts(record)).map(move |host| (record, host))).collect();
    let mut octets = Vec::new();
    for (number, (record, host)) in sides.iter().enumerate() {
        file::side(&capture(record), *host, number, &mut octets);
    }
    let path = scratch("sides.pcapng");
    fs::write(&path, octets).unwrap();
    let mut rows = tshark::analysis(&path).into_iter();
    for (record, host) in sides {
        let mut seen = analysis::Seen::default();
        let all = packets(record);
        for (index, packet) in all.iter().enumerate().filter(|(_, packet)| packet.host == host) {
            let labels = rows.next().expect("a row a packet");
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
async fn one_host_of_a_capture_is_a_filter_away_and_its_peer_has_a_name() {
    if !tshark::is_there() {
        return;
    }
    let source = Source::Bundled("dead-client".to_owned());
    let record = captured("dead-client", &source).await;
    let directory = scratch("captures");
    fs::create_dir_all(&directory).unwrap();
    let (both, one) = (directory.join("dead-client.pcapng"), directory.join("server.pcapng"));
    fs::write(&both, capture(&record)).unwrap();
    let filter = ["-Y", "frame.interface_name == \"server\"", "-w", one.to_str().unwrap()];
    tshark::run(&both, &filter);

    let mut seen = analysis::Seen::default();
    let all = packets(&record);
    let at_server: Vec<&Packet<'_>> = all.iter().filter(|packet| packet.host == 1).collect();
    let expected: Vec<tshark::Labels> = at_server.iter().map(|packet| seen.packet(packet)).collect();
    assert_eq!(tshark::analysis(&one), expected);
    assert_eq!(expected.iter().filter(|labels| labels.contains("keep_alive")).count(), 10);

    let fields = ["-N", "n", "-T", "fields", "-e", "ip.src_host", "-e", "frame.time_epoch"];
    let names = tshark::run(&both, &[&filter[..2], &fields[..]].concat());
    let expected = at_server.iter().map(|packet| {
        let name = if packet.inbound { "client" } else { "server" };
        let time = START + packet.time;
        format!("{name}\t{}.{:09}\n", time.as_secs(), time.subsec_nanos())
    });
    assert_eq!(names, expected.collect::<String>());
}
