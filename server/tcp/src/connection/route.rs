//! The route out: a connection whose host has lost the local address can send nothing (Linux `ip_route_output_key_hash_rcu`
//! finds no route from an address that no device has).

use super::{Connection, Context};
use crate::{Errno, Purpose, Transmit};

impl Connection {
    /// The host has lost the local address, or has it back. The connection does nothing now: what is due later meets the change.
    pub(crate) fn set_routed(&mut self, routed: bool) {
        self.unrouted = !routed;
    }

    /// The next segment, appended to `buffer`. Without a route it is lost before it leaves the host.
    pub(crate) fn poll_transmit(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        loop {
            let start = buffer.len();
            let transmit = self.next_segment(cx, buffer)?;
            if !self.unrouted {
                return Some(transmit);
            }
            buffer.truncate(start);
            if looks_up_route(transmit.purpose) {
                self.soft_error(cx, Errno::NetworkUnreachable);
            }
        }
    }

    /// Octets of new data that may be sent. Without a route none leave, and the persist timer tries again (Linux
    /// `tcp_write_xmit` and `tcp_check_probe_timer`).
    pub(super) fn usable_window(&self) -> u32 {
        if self.unrouted { 0 } else { self.snd.usable_window() }
    }
}

/// Whether the failure to send this reaches the socket. Linux looks up the route for a segment that is sent again
/// (`inet_sk_rebuild_header` in `__tcp_retransmit_skb`), and drops any other in silence (`__ip_queue_xmit`).
const fn looks_up_route(purpose: Purpose) -> bool {
    match purpose {
        Purpose::Retransmission | Purpose::FastRetransmission | Purpose::TailLossProbe => true,
        Purpose::Normal
        | Purpose::KeepaliveProbe
        | Purpose::WindowProbe
        | Purpose::ChallengeAck
        | Purpose::DuplicateAck
        | Purpose::Reset => false,
    }
}
