//! Sequence numbers in a middlebox: which segments can belong to a connection, and what each end expects.
//!
//! The bounds are those of van Rooij, "Real stateful TCP packet filtering in IP Filter" (2000), as nf_conntrack has them.

use halfopen_tcp::{Flags, Header, Seq};

/// How far an acknowledgment may be behind the newest octet, in octets, even if the window never was that large.
const LEAST_ACK_WINDOW: u32 = 66_000;

/// What the middlebox has seen one end send, and what that end may send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct End {
    /// The sequence number after the last octet it sent.
    pub(super) sent: Option<Seq>,
    /// The highest acknowledgment number it sent: its `rcv.nxt`, as far as the middlebox knows.
    pub(super) acked: Option<Seq>,
    /// The right edge of the window it may send into.
    limit: Option<Seq>,
    /// The largest window it offered, in octets.
    window: u32,
    /// The window scale that its SYN offered.
    scale: Option<u8>,
}

impl End {
    /// Whether a segment from `self` to `other` can belong to the connection, as far as the middlebox knows.
    pub(super) fn may_send(&self, other: &End, header: &Header) -> bool {
        let is_reset = header.flags.contains(Flags::RST);
        let data = !header.is_empty() || is_reset;
        let not_too_high = !data || self.limit.is_none_or(|limit| header.seq.at_or_before(limit));
        let not_too_low = !data || self.sent.is_none_or(|sent| header.end().at_or_after(sent - other.window));
        // A RST before what the other end has acknowledged is stale.
        let not_stale = !is_reset || other.acked.is_none_or(|acked| header.seq.at_or_after(acked));
        let ack_fits = match other.sent {
            Some(sent) if header.flags.contains(Flags::ACK) && !is_reset => {
                let oldest = sent - self.window.max(LEAST_ACK_WINDOW);
                highest_ack(header).at_or_before(sent) && header.ack.at_or_after(oldest)
            }
            Some(_) | None => true,
        };
        not_too_high && not_too_low && not_stale && ack_fits
    }

    /// Whether the other end has acknowledged something, but not everything that this one sent.
    pub(super) fn waits_for(&self, other: &End) -> bool {
        matches!((self.sent, other.acked), (Some(sent), Some(acked)) if acked.before(sent))
    }
}

/// A segment from one end to the other passes.
pub(super) fn note(sender: &mut End, receiver: &mut End, header: &Header) {
    if header.flags.contains(Flags::RST) {
        return;
    }
    let opens = header.flags.contains(Flags::SYN);
    if opens && sender.sent.is_none_or(|sent| header.end().after(sent)) {
        let acked = sender.acked;
        *sender = End { acked, scale: header.options.window_scale, ..End::default() };
    }
    let end = header.end();
    if let Some(limit) = sender.limit
        && end.after(limit)
    {
        receiver.window = receiver.window.saturating_add(limit.until(end));
    }
    sender.sent = Some(sender.sent.map_or(end, |sent| sent.max(end)));
    sender.limit.get_or_insert(end);
    if !header.flags.contains(Flags::ACK) {
        sender.window = sender.window.max(u32::from(header.window).max(1));
        return;
    }
    // The window of a SYN is never scaled, and others only if both offered it (RFC 7323 §2.2).
    let shift = match (sender.scale, receiver.scale) {
        (Some(shift), Some(_)) if !opens => u32::from(shift.min(14)),
        _ => 0,
    };
    let window = u32::from(header.window) << shift;
    let right = highest_ack(header);
    sender.window = sender.window.max(window.saturating_add(header.ack.until(right)).max(1));
    sender.acked = Some(sender.acked.map_or(header.ack, |acked| acked.max(header.ack)));
    let limit = right + window.max(1);
    receiver.limit = Some(receiver.limit.map_or(limit, |known| known.max(limit)));
}

/// The highest sequence number that the segment acknowledges, SACK blocks included.
fn highest_ack(header: &Header) -> Seq {
    header.options.sack.as_slice().iter().fold(header.ack, |highest, (_, right)| highest.max(*right))
}
