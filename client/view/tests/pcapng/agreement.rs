//! What our TCP says of a segment, and what Wireshark, which sees octets only, must then say of it.
//!
//! Where the two differ, they do so by definition, in this alone:
//! * A window probe of Linux has the octets of a keepalive probe, and is called one.
//! * Of what is sent again Wireshark knows no cause: it is *fast* after two duplicate ACKs and within 20 ms of the last, *out of order*
//!   within a round trip of the newest data, *spurious* if an ACK of it was seen. Our TCP has SACK to know a loss by.
//! * A duplicate ACK is one that repeats everything: after a probe it is a *keep-alive ACK*, with another window a *window update*,
//!   with a closed one only a *zero window*. And a challenge ACK is one too.
//! * It takes up with nothing after a SYN of other numbers, even if the host at the other end ignores it.

use std::collections::BTreeSet;

use halfopen_proto::v1::{TcpDropReason, TcpPurpose};

use crate::facts::Packet;
use crate::tshark::Labels;

/// Whether they agree on a packet; all those of its run before it, at all hosts. `known`: whether Wireshark has seen the
/// sender's numbers before.
pub(crate) fn check(
    before: &[Packet<'_>],
    packet: &Packet<'_>,
    labels: &Labels,
    known: bool,
) -> Result<(), &'static str> {
    if packet.message {
        return if labels.is_empty() { Ok(()) } else { Err("it is what a router says") };
    }
    let has = |label: &str| labels.contains(label);
    let sent = packet.sent;
    let purpose = sent.purpose();
    let flags = sent.flags.unwrap_or_default();
    let again = has("retransmission") || has("out_of_order");

    let probe = matches!(purpose, TcpPurpose::KeepaliveProbe | TcpPurpose::WindowProbe);
    if has("keep_alive") != probe {
        return Err("keep-alives are the probes of keepalive and of windows");
    }
    if has("fast_retransmission") && purpose != TcpPurpose::FastRetransmission {
        return Err("no ACK made its sender send it again");
    }
    if has("zero_window") != (sent.window == 0 && !flags.syn && !flags.fin && !flags.rst) {
        return Err("the event has another window");
    }
    let repeats = matches!(purpose, TcpPurpose::DuplicateAck | TcpPurpose::ChallengeAck);
    let repeated = ["duplicate_ack", "keep_alive_ack", "window_update", "zero_window"].into_iter().any(has);
    if packet.inbound {
        return arrival(before, packet, labels, again);
    }
    if again != sent.retransmission {
        return Err("a host knows what it sends again");
    }
    if has("spurious_retransmission") || (has("lost_segment") && !has("reused_ports")) {
        return Err("a host neither sends what was acknowledged, nor leaves anything out");
    }
    if has("duplicate_ack") && !repeats {
        return Err("a host knows what it acknowledges again");
    }
    if repeats && known && !repeated {
        return Err("it acknowledges what was acknowledged before");
    }
    Ok(())
}

/// The same for a packet that arrives.
fn arrival(
    before: &[Packet<'_>],
    packet: &Packet<'_>,
    labels: &Labels,
    again: bool,
) -> Result<(), &'static str> {
    if labels.contains("spurious_retransmission") && packet.dropped == TcpDropReason::Unspecified {
        return Err("TCP uses it");
    }
    let lost = labels.contains("lost_segment") && !labels.contains("reused_ports");
    if !again && !lost {
        return Ok(());
    }
    let number = packet.sent.segment;
    let here = |other: &&Packet<'_>| other.inbound && other.host == packet.host && !other.message;
    let arrived: BTreeSet<u64> = before.iter().filter(here).map(|other| other.sent.segment).collect();
    let forged = before.iter().filter(here).any(|other| other.sent.injected);
    let late = arrived.range(number..).next().is_some();
    if again && !(packet.sent.retransmission || late || forged) {
        return Err("it was sent once, arrives once, and nothing overtook it");
    }
    let missing = before.iter().any(|other| {
        let sent = other.sent;
        let flags = sent.flags.unwrap_or_default();
        !other.inbound
            && (&sent.source, &sent.destination) == (&packet.sent.source, &packet.sent.destination)
            && (sent.length > 0 || flags.syn || flags.fin)
            && !arrived.contains(&sent.segment)
            && sent.segment < number
    });
    if lost && !missing && !forged {
        return Err("everything that was sent before it has arrived");
    }
    Ok(())
}
