//! tcpdump, and what it says.

use std::path::Path;

use halfopen_proto::v1::TcpDropReason;

use crate::facts::Packet;
use crate::tool;

/// What it reads in a file.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reading {
    segments: usize,
    /// Segments with a wrong checksum.
    corrupt: usize,
    messages: usize,
}

impl Reading {
    /// What it must read.
    pub(crate) fn of(packets: &[Packet<'_>]) -> Reading {
        let messages = packets.iter().filter(|packet| packet.message).count();
        let corrupt = packets.iter().filter(|packet| packet.dropped == TcpDropReason::Checksum).count();
        Reading { segments: packets.len() - messages, corrupt, messages }
    }
}

/// What it reads in a file, of whose datagrams it complains about none.
pub(crate) fn read(file: &Path) -> Reading {
    let mut reading = Reading::default();
    let text = tool::run("tcpdump", ["-nn", "-tt", "-vv", "-r"], file);
    let mut lines = text.lines().peekable();
    while let Some(first) = lines.next() {
        // Only the first line of a packet begins with its time.
        let more = std::iter::from_fn(|| {
            lines.next_if(|line| !line.starts_with(|first: char| first.is_ascii_digit()))
        });
        let packet = more.fold(first.to_owned(), |packet, line| packet + "\n" + line);
        let complaints = ["bad cksum", "[|tcp]", "[|ip]", "[|ip6]", "[|ether]"];
        assert!(!complaints.iter().any(|complaint| packet.contains(complaint)), "{packet}");
        if packet.contains("proto ICMP") || packet.contains("ICMPv6") {
            reading.messages += 1;
        } else {
            reading.segments += 1;
            reading.corrupt += usize::from(packet.contains("(incorrect"));
            assert!(packet.contains("(correct)") || packet.contains("(incorrect"), "{packet}");
        }
    }
    reading
}
