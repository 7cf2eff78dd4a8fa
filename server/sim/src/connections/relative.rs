//! What a segment is relative to its connection.

use halfopen_tcp::{Flags, Header, State};

use super::End;

/// What an end's history makes of a segment it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) peer_iss: u32,
    pub(crate) window: u32,
    /// How far the window field is shifted for that.
    pub(crate) window_shift: u8,
    pub(crate) retransmission: bool,
    /// Of the sender's end and of the receiver's newest.
    pub(crate) states: [Option<State>; 2],
}

/// Whose numbers a header has, if a middlebox moves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Those that the sender knows.
    Sent,
    /// Those that the receiver knows.
    Arrived,
}

impl Relative {
    pub(super) fn of<'a>(
        header: &Header,
        numbers: Numbers,
        own: Option<&End>,
        peers: impl Iterator<Item = &'a End>,
    ) -> Relative {
        // Middleboxes move the numbers of the sender on the way, and those of its peer before.
        let [moved, peer_moved]: [fn(&End) -> u32; 2] = match numbers {
            Numbers::Sent => [|_| 0, End::moved],
            Numbers::Arrived => [End::moved, |_| 0],
        };
        // The end that sent what is acknowledged, or the newest.
        let mut peers = peers.peekable();
        let newest = peers.peek().copied();
        let peer = peers.find(|peer| peer.has_sent(header.ack - peer_moved(peer))).or(newest);
        let state = |end: Option<&End>| end.and_then(|end| end.state).map(|(state, _)| state);
        let iss = |end: Option<&End>, moved: fn(&End) -> u32| {
            end.and_then(|end| Some(end.iss? + moved(end))).unwrap_or_default()
        };
        let peer_iss = iss(peer, peer_moved);
        let scales = [own, peer].map(|end| end.and_then(|end| end.scale));
        // The window of a SYN is never scaled, and others only if both SYNs offered it (RFC 7323 §2.2).
        let shift = match scales {
            [Some(shift), Some(_)] if !header.flags.contains(Flags::SYN) => shift,
            _ => 0,
        };
        Relative {
            seq: iss(own, moved).until(header.seq),
            ack: if header.flags.contains(Flags::ACK) { peer_iss.until(header.ack) } else { 0 },
            peer_iss: peer_iss.0,
            window: u32::from(header.window) << shift,
            window_shift: shift,
            retransmission: false,
            states: [state(own), state(newest)],
        }
    }
}
