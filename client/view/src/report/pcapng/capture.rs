//! A run as packets at its hosts.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::IpAddr;
use std::ops::Range;

use halfopen_proto::v1::{RunStarted, TcpDropReason, event::Kind};

use super::blocks::{Blocks, Packet};
use super::{SNAPSHOT_LENGTH, START};
use crate::record::RunRecord;
use crate::timeline::{Entry, EntryIndex, EntryKind, Segment, Timeline};
use crate::words;

/// The captures of a run: one of each host, and one of all hosts together.
#[derive(Debug)]
pub struct Captures<'a> {
    record: &'a RunRecord,
    started: &'a RunStarted,
    timeline: Timeline,
}

impl<'a> Captures<'a> {
    /// The captures of a run; `None` if there was no run.
    pub fn of(record: &'a RunRecord) -> Option<Captures<'a>> {
        let started = record.started()?;
        Some(Captures { record, started, timeline: Timeline::new(&record.events) })
    }

    /// The names of the hosts.
    pub fn hosts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.started.hosts.iter().map(|host| host.name.as_str())
    }

    /// Writes what the hosts captured, in the order of time. Fails like [`Captures::write_host`].
    pub fn write_merged(&self, out: impl Write) -> io::Result<()> {
        self.write(0..self.started.hosts.len(), out)
    }

    /// Writes what one host captured, given its position; nothing if there is no such host.
    ///
    /// Fails if `out` does, and with [`io::ErrorKind::InvalidInput`] if the events have no bytes of datagrams: the run
    /// must have been requested with a [`snapshot_length`](crate::record::RunOptions::snapshot_length).
    pub fn write_host(&self, host: usize, out: impl Write) -> io::Result<()> {
        self.write(host..host + 1, out)
    }

    /// Writes what these hosts captured.
    fn write(&self, hosts: Range<usize>, out: impl Write) -> io::Result<()> {
        let Captures { record, started, timeline } = self;
        let Some(captured) = started.hosts.get(hosts.clone()) else { return Ok(()) };
        let application = format!("halfopen {}", started.version);
        let mut blocks = Blocks::begin(out, &application, &about(record, started))?;
        for host in captured {
            let description = format!("{}, TCP profile {}", host.addresses.join(", "), host.profile);
            blocks.interface(&host.name, &description, SNAPSHOT_LENGTH)?;
        }
        let names = started.hosts.iter().flat_map(|host| {
            let addresses = host.addresses.iter().filter_map(|address| address.parse::<IpAddr>().ok());
            addresses.map(|address| (address, host.name.as_str()))
        });
        blocks.names(names)?;

        let mut capture = Capture { record, timeline, sent: BTreeMap::new() };
        let mut packets = 0;
        for (index, entry) in timeline.entries.iter().enumerate() {
            let Some(host) = entry.host.filter(|host| hosts.contains(host)) else { continue };
            let Ok(interface) = u32::try_from(host - hosts.start) else { continue };
            let Some(found) = capture.packet(index, entry) else { continue };
            let Found { inbound, octets, length, comments } = found;
            if octets.is_empty() {
                let reason = "the events have no bytes of datagrams; request the run with a snapshot length";
                return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
            }
            packets += 1;
            if !inbound {
                capture.sent.insert(index, packets);
            }
            let time = START + entry.time;
            blocks.packet(&Packet { interface, inbound, time, octets, length, comments: &comments })?;
        }
        blocks.end()
    }
}

/// The comment of the capture.
fn about(record: &RunRecord, started: &RunStarted) -> String {
    let mut lines = vec![started.title.clone()];
    let variant = Some(&started.variant).filter(|variant| !variant.is_empty());
    let variant = variant.map(|variant| format!(", variant {variant}")).unwrap_or_default();
    let RunStarted { scenario, seed, version, .. } = started;
    lines.push(format!("scenario {scenario}{variant}, seed {seed}, halfopen {version}"));
    lines.extend(record.command().map(|command| format!("repeat it with: {command}")));
    lines.push(
        "Times are virtual: the run begins with the year 2000 (UTC). Each interface is a host, with what it sent, lost or not, and \
         what arrived. What a fault or a middlebox injected is only where it arrived. No link layer is simulated: hardware \
         addresses are made from IP addresses."
            .to_owned(),
    );
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// A packet, without its time and place.
struct Found<'a> {
    inbound: bool,
    octets: &'a [u8],
    length: u32,
    comments: Vec<String>,
}

struct Capture<'a> {
    record: &'a RunRecord,
    timeline: &'a Timeline,
    /// The numbers in the file, from 1, of packets that its hosts sent.
    sent: BTreeMap<EntryIndex, u64>,
}

impl<'a> Capture<'a> {
    /// What is captured of an event; `None` if nothing is.
    fn packet(&self, index: EntryIndex, entry: &Entry) -> Option<Found<'a>> {
        match &entry.kind {
            // Nobody sent it.
            EntryKind::Sent(segment) if segment.injected => None,
            EntryKind::Sent(segment) => {
                let (octets, length) = self.sent(index)?;
                let again = matches!(self.record.event(entry.sequence)?.kind.as_ref()?, Kind::SegmentSent(sent) if sent.retransmission);
                let mut comments = of_sent(segment, again);
                comments.extend(self.of_loopback(entry, segment));
                Some(Found { inbound: false, octets, length, comments })
            }
            EntryKind::Arrived { segment: sent, .. } if self.is_loopback(entry, *sent) => None,
            EntryKind::Arrived { segment: sent, copy, dropped } => {
                let (octets, length) = self.sent(*sent)?;
                let changed = self.octets(entry.sequence).filter(|octets| !octets.is_empty());
                let segment = self.timeline.segment(*sent)?;
                let comments = self.of_arrival(segment, *sent, (*copy, changed.is_some()), *dropped);
                Some(Found { inbound: true, octets: changed.unwrap_or(octets), length, comments })
            }
            EntryKind::Unreachable { segment: sent, dropped, .. } => {
                let octets = self.octets(entry.sequence)?;
                let about = self.sent.get(sent).map(|number| format!("a router, about packet {number}"));
                let comments = about.into_iter().chain(not_used(*dropped)).collect();
                Some(Found { inbound: true, octets, length: length_of(octets), comments })
            }
            EntryKind::Lost { .. }
            | EntryKind::Middlebox { .. }
            | EntryKind::Transition { .. }
            | EntryKind::Timer { .. }
            | EntryKind::Keepalive { .. }
            | EntryKind::Error(_)
            | EntryKind::Fault(_)
            | EntryKind::Host(_)
            | EntryKind::End
            | EntryKind::Application { .. }
            | EntryKind::Written { .. }
            | EntryKind::Read { .. } => None,
        }
    }

    /// Whether a segment arrives at the host that sent it. Such a packet is captured once, as on the interface `lo`.
    fn is_loopback(&self, arrival: &Entry, sent: EntryIndex) -> bool {
        self.timeline.entries.get(sent).is_some_and(|sent| {
            sent.host == arrival.host && matches!(&sent.kind, EntryKind::Sent(segment) if !segment.injected)
        })
    }

    /// Comments on a packet of a host to itself: what would stand where it arrives.
    fn of_loopback(&self, sent: &Entry, segment: &Segment) -> Vec<String> {
        let arrivals = segment.arrivals.iter().filter_map(|index| self.timeline.entries.get(*index));
        let here = arrivals.filter(|arrival| arrival.host == sent.host);
        here.filter_map(|arrival| match arrival.kind {
            EntryKind::Arrived { dropped, .. } => not_used(dropped),
            _ => None,
        })
        .collect()
    }

    /// The bytes in the event of that number.
    fn octets(&self, sequence: u64) -> Option<&'a [u8]> {
        match self.record.event(sequence)?.kind.as_ref()? {
            Kind::SegmentSent(sent) => Some(&sent.datagram),
            Kind::SegmentArrived(arrived) => Some(&arrived.datagram),
            Kind::DestinationUnreachable(message) => Some(&message.datagram),
            _ => None,
        }
    }

    /// A segment as it was sent, and its length in bytes.
    fn sent(&self, index: EntryIndex) -> Option<(&'a [u8], u32)> {
        let Kind::SegmentSent(sent) =
            self.record.event(self.timeline.entries.get(index)?.sequence)?.kind.as_ref()?
        else {
            return None;
        };
        Some((&sent.datagram, sent.size))
    }

    /// Comments on a segment where it arrives: which copy it is, and whether it was changed.
    fn of_arrival(
        &self,
        segment: &Segment,
        sent: EntryIndex,
        (copy, changed): (usize, bool),
        dropped: TcpDropReason,
    ) -> Vec<String> {
        let mut comments = Vec::new();
        if segment.injected {
            let host = self.timeline.entries.get(sent).and_then(|entry| self.timeline.hosts.get(entry.host?));
            let host = host.map_or("its source", String::as_str);
            let maker = if segment.middlebox.is_empty() { "a fault" } else { &segment.middlebox };
            comments.push(format!("injected by {maker}: {host} did not send it"));
            comments.extend(of_faults(segment));
        } else if changed {
            comments.push(match self.sent.get(&sent) {
                Some(number) => format!("changed on the way: differs from packet {number} as sent"),
                None => "changed on the way".to_owned(),
            });
        }
        if copy > 1 {
            comments.push(format!("copy {copy} arrives"));
        }
        comments.extend(not_used(dropped));
        comments
    }
}

/// Comments on a segment where it is sent, among them whether any of it was sent before.
fn of_sent(segment: &Segment, again: bool) -> Vec<String> {
    let mut comments = Vec::new();
    comments.extend(words::purpose(segment.purpose).map(str::to_owned));
    if again && comments.is_empty() {
        comments.push("sent before".to_owned());
    }
    comments.extend(of_faults(segment));
    let lost = if segment.arrivals.is_empty() { "lost" } else { "a copy is lost" };
    comments.extend(segment.losses.iter().map(|loss| format!("{lost}: {}", words::loss(loss))));
    comments
}

/// The faults that were applied to a segment.
fn of_faults(segment: &Segment) -> impl Iterator<Item = String> {
    segment.faults.iter().map(|fault| format!("fault {}: {}", fault.number, fault.action))
}

fn not_used(dropped: TcpDropReason) -> Option<String> {
    words::drop_reason(dropped).map(|why| format!("not used by TCP: {why}"))
}

/// The length of an IP datagram according to its header.
fn length_of(datagram: &[u8]) -> u32 {
    let said = |place: usize| {
        datagram.get(place..place + 2).map_or(0, |said| u32::from(said[0]) << 8 | u32::from(said[1]))
    };
    let version = datagram.first().map_or(0, |octet| octet >> 4);
    if version == 4 { said(2) } else { 40 + said(4) }
}
