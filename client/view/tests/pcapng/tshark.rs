//! tshark, and what it says.

use std::collections::BTreeSet;
use std::path::Path;

use halfopen_proto::v1::TcpDropReason;
use halfopen_view::report::pcapng::START;

use crate::facts::{ETHERNET_HEADER, Packet};
use crate::tool;

/// What Wireshark's analysis may say of a packet: `tcp.analysis.` and one of these.
const LABELS: [&str; 15] = [
    "retransmission",
    "fast_retransmission",
    "spurious_retransmission",
    "out_of_order",
    "lost_segment",
    "ack_lost_segment",
    "duplicate_ack",
    "keep_alive",
    "keep_alive_ack",
    "zero_window",
    "zero_window_probe",
    "zero_window_probe_ack",
    "window_full",
    "window_update",
    "reused_ports",
];

/// Some of [`LABELS`].
pub(crate) type Labels = BTreeSet<&'static str>;

/// What it prints about a file.
pub(crate) fn run(file: &Path, arguments: &[&str]) -> String {
    tool::run("tshark", arguments.iter().copied().chain(["-r"]), file)
}

/// What these fields are in every packet of a file; the first of each kind.
fn fields(file: &Path, preferences: &[&str], fields: &[&str]) -> Vec<Vec<String>> {
    let mut arguments = vec!["-n", "-T", "fields", "-E", "occurrence=f"];
    arguments.extend(preferences.iter().flat_map(|preference| ["-o", preference]));
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let text = run(file, &arguments);
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// Its analysis of every packet.
pub(crate) fn analysis(file: &Path) -> Vec<Labels> {
    let names = LABELS.map(|label| format!("tcp.analysis.{label}"));
    let rows = fields(file, &[], &names.each_ref().map(String::as_str));
    let labels = |row: Vec<String>| {
        let set = LABELS.into_iter().zip(row).filter(|(_, value)| !value.is_empty());
        set.map(|(label, _)| label).collect()
    };
    rows.into_iter().map(labels).collect()
}

/// The fields of [`Reading`].
const READING: [&str; 12] = [
    "_ws.malformed",
    "_ws.short",
    "ip.checksum.status",
    "icmp.checksum.status",
    "icmpv6.checksum.status",
    "tcp.checksum.status",
    "frame.interface_id",
    "frame.packet_flags_direction",
    "frame.time_epoch",
    "frame.len",
    "tcp.seq_raw",
    "tcp.len",
];

/// What it reads in a packet.
#[derive(Debug, PartialEq)]
pub(crate) struct Reading(Vec<String>);

/// What it says of checksums.
const GOOD: &str = "1";
const BAD: &str = "0";

impl Reading {
    /// What it must read in this packet.
    pub(crate) fn of(packet: &Packet<'_>) -> Reading {
        let time = START + packet.time;
        let version = packet.octets[0] >> 4;
        let ip = if version == 4 { GOOD } else { "" };
        let [icmp, icmpv6] = [4, 6].map(|of| if packet.message && version == of { GOOD } else { "" });
        let mut reading: Vec<String> = ["", "", ip, icmp, icmpv6].map(str::to_owned).into();
        let tcp = if packet.dropped == TcpDropReason::Checksum { BAD } else { GOOD };
        reading.push(if packet.message { String::new() } else { tcp.to_owned() });
        reading.push(packet.host.to_string());
        reading.push(format!("0x0000000{}", if packet.inbound { 1 } else { 2 }));
        reading.push(format!("{}.{:09}", time.as_secs(), time.subsec_nanos()));
        reading.push((ETHERNET_HEADER + packet.octets.len()).to_string());
        let numbers = [packet.numbers()[0], packet.sent.length].map(|number| number.to_string());
        reading.extend(numbers.map(|number| if packet.message { String::new() } else { number }));
        Reading(reading)
    }
}

/// What it reads in every packet, with checksums looked at.
pub(crate) fn reading(file: &Path) -> Vec<Reading> {
    let rows = fields(file, &["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE"], &READING);
    let reading = |mut row: Vec<String>| {
        let message = !row[3].is_empty() || !row[4].is_empty();
        if message {
            // What a router quotes need not be whole: it takes the quotation for the segment, and its checksum for wrong.
            for place in [5, 10, 11] {
                row[place].clear();
            }
        }
        Reading(row)
    };
    rows.into_iter().map(reading).collect()
}
