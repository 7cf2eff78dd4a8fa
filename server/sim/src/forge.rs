//! Segments that no host sent.

use std::net::SocketAddr;
use std::sync::Arc;

use halfopen_scenario::{Base, ForgedTimestamps, Forgery, Number, Payload, Scenario};
use halfopen_tcp::{ConnectionStatus, Flags, Header, Instant, Options, Purpose, SackBlocks, Seq, Timestamps};

use crate::connections::{End, Relative};
use crate::shared::Run;
use halfopen_trace::{ConnectionNumber, EventKind, FaultId, HostId, Phase, SegmentNumber, SegmentSent};

/// What the data of a forged segment is made of.
const FORGED_OCTET: u8 = b'X';

/// A segment that was made up, and its datagram.
pub(crate) struct Forged {
    pub(crate) segment: SegmentNumber,
    pub(crate) connection: ConnectionNumber,
    pub(crate) datagram: Vec<u8>,
}

impl Run {
    /// Makes up a segment, by this fault. `status` is what the host that it arrives at knows of a
    /// connection. `None` if there is no such connection.
    pub(crate) fn forge(
        &mut self,
        scenario: &Scenario,
        forgery: &Forgery,
        (now, fault): (Instant, FaultId),
        status: impl FnOnce(ConnectionNumber) -> Option<ConnectionStatus>,
    ) -> Option<Forged> {
        let hosts = [forgery.from, forgery.to].map(HostId::from);
        let number = match forgery.connection {
            Some(meant) => Some(self.connections.newest_of(meant)?),
            None => None,
        };
        let is_scripted = scenario.hosts[hosts[0].index()].is_scripted;
        let (from, to) = match forgery.port {
            Some(port) => (self.open_scripted(scenario, hosts, port)?, None),
            None => {
                let leads_there =
                    |end: &End| is_scripted && self.network.route(hosts[0], end.sockets).1 == Some(hosts[1]);
                self.connections.between(hosts, number, leads_there)?
            }
        };
        let ends = (self.connections.end(from), to.map(|to| self.connections.end(to)));
        let mut header = header(forgery, ends, status(from.number))?;
        if let Some(octets) = forgery.window {
            let shift = self.connections.relative(from, &header).window_shift;
            header.window = u16::try_from(octets >> shift).unwrap_or(u16::MAX);
        }
        // As the receiver knows them, if it knows the connection.
        let [own, peer] = ends.0.sockets;
        let [destination, source] = ends.1.map_or([peer, own], |to| to.sockets);

        let data = match &forgery.payload {
            Some(Payload::Octets(octets)) => vec![FORGED_OCTET; *octets as usize],
            Some(Payload::Text(text)) => text.clone().into_bytes(),
            None => Vec::new(),
        };
        let datagram = halfopen_tcp::encode_segment(source, destination, &header, &data);
        let segment = self.network.next_segment();
        if is_scripted {
            self.connections.sends(from, &header);
        }
        // It passes no middlebox: it has the numbers that the receiver knows.
        let relative = self.connections.relative(from, &header);
        if let Some(to) = to.filter(|_| forgery.is_unchecked) {
            // The SYN takes the first sequence number.
            let offset = u64::from(relative.seq.wrapping_sub(1));
            self.connections.end_mut(to).unchecked.push(offset..offset + data.len() as u64);
        }
        let kept = (datagram.len(), self.snapshots.sent(&datagram));
        let sent = made_up(segment, hosts[1], [source, destination], header, &relative, kept);
        let connection = from.number;
        self.recorder.push(now, Some(hosts[0]), Some(connection), EventKind::SegmentSent(Box::new(sent)));
        let of_segment = Some((segment, Some(connection)));
        self.apply_fault(now, (fault, Phase::Begin), Some(hosts[0]), of_segment);
        Some(Forged { segment, connection, datagram })
    }
}

/// A segment that no host sent, with the size of its IP datagram and the octets of it that are kept.
pub(crate) fn made_up(
    segment: SegmentNumber,
    to: HostId,
    [source, destination]: [SocketAddr; 2],
    header: Header,
    relative: &Relative,
    (size, datagram): (usize, Option<Arc<[u8]>>),
) -> SegmentSent {
    let reset = header.flags.contains(Flags::RST);
    SegmentSent {
        segment,
        to: Some(to),
        source,
        destination,
        header,
        relative_seq: relative.seq,
        relative_ack: relative.ack,
        peer_iss: relative.peer_iss,
        window: relative.window,
        size: u32::try_from(size).unwrap_or(u32::MAX),
        purpose: if reset { Purpose::Reset } else { Purpose::Normal },
        retransmission: false,
        sender_state: relative.states[0],
        receiver_state: relative.states[1],
        injected: true,
        middlebox: None,
        datagram,
    }
}

/// The header, once all its numbers are known.
fn header(
    forgery: &Forgery,
    (from, to): (&End, Option<&End>),
    status: Option<ConnectionStatus>,
) -> Option<Header> {
    let to_iss = to.and_then(|to| to.iss);
    let number = |number: Number, initial: Option<Seq>| {
        let base = match number.base {
            Base::Initial => initial?,
            Base::SndUna => status?.snd_una,
            Base::SndNxt => status?.snd_nxt,
            Base::RcvNxt => status?.rcv_nxt,
        };
        // Modulo 2^32, as sequence numbers are.
        Some(Seq(base.0.wrapping_add(number.plus as u32)))
    };
    let ack = match forgery.acknowledgment {
        Some(acknowledgment) => number(acknowledgment, to_iss)?,
        None => Seq::default(),
    };
    let mut sack = SackBlocks::default();
    for [left, right] in &forgery.options.sack {
        sack.push(number(*left, to_iss)?, number(*right, to_iss)?);
    }
    let timestamps = |ticks: ForgedTimestamps| {
        // Modulo 2^32, as timestamps are.
        let value = from.timestamp?.wrapping_add(ticks.value as u32);
        Some(Timestamps {
            value,
            echo: to.and_then(|to| to.timestamp).unwrap_or_default().wrapping_add(ticks.echo as u32),
        })
    };
    let options = Options {
        mss: forgery.options.mss,
        window_scale: forgery.options.window_scale,
        sack_permitted: forgery.options.sack_permitted,
        timestamps: forgery.options.timestamps.and_then(timestamps),
        sack,
    };
    Some(Header {
        seq: number(forgery.sequence, from.iss.map(|iss| iss + from.moved()))?,
        ack,
        flags: forgery.flags,
        window: from.window,
        payload: forgery.payload.as_ref().map_or(0, |payload| payload.octets() as u32),
        options,
        ..Header::default()
    })
}
