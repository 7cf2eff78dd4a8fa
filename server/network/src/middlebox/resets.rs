//! The RSTs that a middlebox sends.

use halfopen_tcp::{Flags, Header, Seq};

use super::window::End;

/// The RST for an end of a connection that expired: it has the sequence number that the end expects next, to which `added` was added.
/// An end that has only sent a SYN believes nothing but an acknowledgment of it (RFC 9293 §3.10.7.3).
pub(super) fn reset_of(end: &End, added: u32) -> Option<Header> {
    match (end.acked, end.sent) {
        (Some(expects), _) => Some(Header { seq: expects + added, flags: Flags::RST, ..Header::default() }),
        (None, Some(sent)) => Some(reset_acknowledging(sent)),
        (None, None) => None,
    }
}

/// The RST that answers a segment, as from a host without the connection (RFC 9293 §3.10.7.1).
pub(super) fn reset_for(header: &Header) -> Header {
    if header.flags.contains(Flags::ACK) {
        Header { seq: header.ack, flags: Flags::RST, ..Header::default() }
    } else {
        reset_acknowledging(header.end())
    }
}

fn reset_acknowledging(end: Seq) -> Header {
    Header { ack: end, flags: Flags::RST | Flags::ACK, ..Header::default() }
}
