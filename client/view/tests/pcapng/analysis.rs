//! What Wireshark's analysis of TCP has to say of packets, by what our events say of them. Its rules are those of
//! `tcp_analyze_sequence_number` in packet-tcp.c; the words of each are at the line that follows it.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::TcpFlags;

use crate::facts::Packet;
use crate::tshark::Labels;

/// What one host has seen of its connections.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// By source and destination.
    flows: BTreeMap<[String; 2], Flow>,
    /// By the two ends in their order: the time from the SYN to the first answer.
    first: BTreeMap<[String; 2], (Duration, Option<Duration>)>,
}

/// One direction of a connection.
#[derive(Clone, Debug, Default)]
struct Flow {
    /// The first sequence number.
    first: Option<u32>,
    /// The number after the highest seen, and when it was seen.
    next: Option<(u32, Duration)>,
    /// The number up to which everything was seen.
    whole: Option<u32>,
    /// The last acknowledgment, and when it was seen.
    ack: u32,
    acked: Duration,
    window: u32,
    duplicates: u32,
    /// Of the last segment.
    labels: Labels,
}

fn after(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}

impl Seen {
    /// Whether it has seen numbers of this packet's sender.
    pub(crate) fn knows(&self, packet: &Packet<'_>) -> bool {
        self.flows.get(&packet.sockets()).is_some_and(|flow| flow.next.is_some())
    }

    /// What it says of the next packet.
    pub(crate) fn packet(&mut self, packet: &Packet<'_>) -> Labels {
        let mut labels = Labels::new();
        if packet.message {
            return labels;
        }
        let sent = packet.sent;
        let flags = sent.flags.unwrap_or_default();
        let [source, destination] = packet.sockets();
        let (forth, back) = ([source.clone(), destination.clone()], [destination, source]);
        let [seq, ack] = packet.numbers();
        let mut here = self.flows.remove(&forth).unwrap_or_default();
        let mut there = self.flows.remove(&back).unwrap_or_default();
        let mut pair = [forth[0].clone(), forth[1].clone()];
        pair.sort();

        if flags.syn && !flags.ack && here.first.is_some_and(|first| first != seq) {
            (here, there) = Default::default();
            self.first.remove(&pair);
            labels.insert("reused_ports");
        }
        if flags.syn && flags.ack && here.first.is_some_and(|first| first != seq) {
            here.first = Some(seq);
            labels.insert("reused_ports");
        }
        if here.first.is_none() {
            here.first = Some(if flags.syn { seq } else { seq.wrapping_sub(1) });
        }
        let plain = !flags.syn && !flags.fin && !flags.rst;
        let space = sent.length > 0 || flags.syn || flags.fin;
        let next = here.next.map(|(next, _)| next);

        let probe = sent.length == 1 && next == Some(seq) && there.window == 0;
        if probe {
            labels.insert("zero_window_probe");
        } else {
            self.plain(packet, (&mut here, &there), &mut labels, plain);
        }
        let answer = labels.contains("keep_alive_ack") || labels.contains("zero_window_probe_ack");
        if !probe
            && !answer
            && sent.length == 0
            && plain
            && sent.window > 0
            && sent.window == here.window
            && next == Some(seq)
            && ack == here.ack
        {
            here.duplicates += 1;
            labels.insert("duplicate_ack");
        }
        if ack != here.ack {
            here.duplicates = 0;
        }
        if flags.ack && there.whole.is_some_and(|whole| after(ack, whole)) {
            there.whole = there.next.map(|(next, _)| next);
            labels.insert("ack_lost_segment");
        }
        if space && !labels.contains("keep_alive") {
            let rtt = self.first.get(&pair).and_then(|(_, rtt)| *rtt);
            again(packet, (&here, &there), rtt, &mut labels);
        }
        let end = seq.wrapping_add(sent.length).wrapping_add(u32::from(space && (flags.syn || flags.fin)));
        if !probe && next.is_none_or(|next| after(end, next)) {
            here.next = Some((end, packet.time));
        }
        if !probe && here.whole.is_none_or(|whole| whole == seq) {
            here.whole = here.next.map(|(next, _)| next);
        }
        here.window = sent.window;
        here.ack = ack;
        here.acked = packet.time;
        here.labels = labels.clone();
        self.first_answer(pair, flags, packet.time);
        self.flows.insert(forth, here);
        self.flows.insert(back, there);
        labels
    }

    fn plain(
        &self,
        packet: &Packet<'_>,
        (here, there): (&mut Flow, &Flow),
        labels: &mut Labels,
        plain: bool,
    ) {
        let sent = packet.sent;
        let ([seq, ack], length) = (packet.numbers(), sent.length);
        let next = here.next.map(|(next, _)| next);
        let flags = sent.flags.unwrap_or_default();
        if plain && sent.window == 0 {
            labels.insert("zero_window");
        }
        if !flags.rst && next.is_some_and(|next| after(seq, next)) {
            labels.insert("lost_segment");
        }
        if plain && length <= 1 && next == Some(seq.wrapping_add(1)) {
            labels.insert("keep_alive");
        }
        let repeats = plain && length == 0 && next == Some(seq) && ack == here.ack;
        if repeats && sent.window > 0 && sent.window != here.window {
            labels.insert("window_update");
        }
        if plain
            && length > 0
            && there.first.is_some()
            && seq.wrapping_add(length) == there.ack.wrapping_add(there.window)
        {
            labels.insert("window_full");
        }
        if repeats && sent.window > 0 && sent.window == here.window && there.labels.contains("keep_alive") {
            labels.insert("keep_alive_ack");
        } else if repeats
            && sent.window == 0
            && here.window == 0
            && there.labels.contains("zero_window_probe")
        {
            labels.insert("zero_window_probe_ack");
        }
    }

    /// Notes the time from a SYN to the ACK of its answer.
    fn first_answer(&mut self, pair: [String; 2], flags: TcpFlags, now: Duration) {
        if flags.syn {
            let _ = self.first.entry(pair).or_insert((now, None));
        } else if let Some((syn, rtt)) = self.first.get_mut(&pair)
            && flags.ack
        {
            rtt.get_or_insert(now - *syn);
        }
    }
}

/// A segment that may have been seen before.
fn again(packet: &Packet<'_>, (here, there): (&Flow, &Flow), rtt: Option<Duration>, labels: &mut Labels) {
    let sent = packet.sent;
    let flags = sent.flags.unwrap_or_default();
    let (seq, length) = (packet.numbers()[0], sent.length);
    let Some((next, seen)) = here.next else { return };
    let end = seq.wrapping_add(length);
    let before = after(next, seq) && !(length > 1 && next == seq.wrapping_add(1));
    if length > 0 && there.ack != 0 && !after(end, there.ack) {
        labels.insert("spurious_retransmission");
        labels.insert("retransmission");
        return;
    }
    if !before {
        return;
    }
    let soon = packet.time.checked_sub(there.acked).is_some_and(|time| time < Duration::from_millis(20));
    let end = end.wrapping_add(u32::from(flags.syn || flags.fin));
    if there.duplicates >= 2 && there.ack == seq && soon {
        labels.insert("fast_retransmission");
        labels.insert("retransmission");
    } else if packet.time - seen < rtt.unwrap_or(Duration::from_millis(3)) && next != end {
        labels.insert("out_of_order");
    } else {
        labels.insert("retransmission");
    }
}
