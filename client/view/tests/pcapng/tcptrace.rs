//! tcptrace, and what it counts.

use std::path::Path;

use crate::facts::Packet;
use crate::tool;

/// What it counts in the capture of a host.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Counts {
    segments: usize,
    /// Segments with data, of both directions.
    with_data: usize,
    syns: usize,
    fins: usize,
}

impl Counts {
    /// What it must count.
    pub(crate) fn of(packets: &[Packet<'_>]) -> Counts {
        let mut counts = Counts::default();
        for packet in packets.iter().filter(|packet| !packet.message) {
            let flags = packet.sent.flags.unwrap_or_default();
            counts.segments += 1;
            counts.with_data += usize::from(packet.sent.length > 0);
            counts.syns += usize::from(flags.syn);
            counts.fins += usize::from(flags.fin);
        }
        counts
    }
}

/// What it counts in a file.
pub(crate) fn counts(file: &Path) -> Counts {
    let mut counts = Counts::default();
    for line in tool::run("tcptrace", ["-n", "-l"], file).lines() {
        // `LABEL:  NUMBER  LABEL:  NUMBER`, a column for each direction.
        let values = |label: &str| -> Vec<String> {
            let parts = line.split(label).skip(1);
            parts.map(|part| part.split_whitespace().next().unwrap_or_default().to_owned()).collect()
        };
        let sum =
            |values: Vec<String>| values.iter().map(|value| value.parse::<usize>().unwrap()).sum::<usize>();
        if let Some((_, traced)) = line.split_once(" packets seen, ") {
            counts.segments = sum(vec![traced.split(' ').next().unwrap().to_owned()]);
        }
        counts.with_data += sum(values("actual data pkts:"));
        for both in values("SYN/FIN pkts sent:") {
            let (syns, fins) = both.split_once('/').unwrap();
            counts.syns += syns.parse::<usize>().unwrap();
            counts.fins += fins.parse::<usize>().unwrap();
        }
    }
    counts
}
