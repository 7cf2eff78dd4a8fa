//! Explicit congestion notification (RFC 3168): a router marks a datagram instead of dropping it, the receiver echoes the mark
//! until it hears that the window was reduced. As in Linux (`tcp_ecn_*`).

use super::{Connection, Context};
use crate::segment::Congestion;
use crate::{Ecn, Flags, Header, State};

/// Congestion notification of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EcnState {
    /// Whether both ends use it.
    agreed: bool,
    /// A mark has arrived, and is echoed until the peer says that it has reduced its window (`TCP_ECN_DEMAND_CWR`).
    echoes: bool,
    /// The window was reduced, which the next new data says (`TCP_ECN_QUEUE_CWR`).
    reduced: bool,
    /// Whether the peer has sent datagrams that may be marked (`TCP_ECN_SEEN`).
    seen: bool,
}

impl Connection {
    /// The flags with which our SYN asks for it, or our SYN+ACK agrees to it (RFC 3168 §6.1.1). A SYN that is sent again does
    /// not ask: something on the way may drop those that do (§6.1.1.1).
    pub(super) fn ecn_of_syn(&self, cx: &Context<'_>) -> Flags {
        if self.state != State::SynSent {
            return if self.ecn.agreed { Flags::ECE } else { Flags::NONE };
        }
        let is_first = self.snd.sent.first().is_none_or(|syn| syn.transmissions == 1);
        if is_first && cx.settings.ecn == Ecn::On { Flags::ECN } else { Flags::NONE }
    }

    /// Takes what the peer's SYN or SYN+ACK says.
    pub(super) fn agree_on_ecn(&mut self, cx: &Context<'_>, syn: &Header) {
        let asked = cx.settings.ecn == Ecn::On;
        let asks = syn.flags.contains(Flags::ECN);
        self.ecn.agreed = match self.state {
            State::SynSent if syn.flags.contains(Flags::ACK) => {
                asked && syn.flags.contains(Flags::ECE) && !syn.flags.contains(Flags::CWR)
            }
            State::SynSent => asked && asks,
            State::Listen
            | State::Closed
            | State::SynReceived
            | State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => cx.settings.ecn != Ecn::Off && asks,
        };
    }

    /// Completes the header of a segment after the handshake; `is_new` says that it has data that was never sent. Returns
    /// whether its datagram may be marked: not if it is sent again or has no data (RFC 3168 §6.1.4, §6.1.5).
    pub(super) fn notify_congestion(&mut self, header: &mut Header, is_new: bool) -> bool {
        if !self.ecn.agreed {
            return false;
        }
        if self.ecn.echoes {
            header.flags |= Flags::ECE;
        }
        if is_new && std::mem::take(&mut self.ecn.reduced) {
            header.flags |= Flags::CWR;
        }
        is_new
    }

    /// The window was reduced: the peer is to know (RFC 3168 §6.1.2).
    pub(super) fn window_was_reduced(&mut self) {
        self.ecn.reduced = true;
    }

    /// It was for nothing.
    pub(super) fn window_was_restored(&mut self) {
        self.ecn.reduced = false;
    }

    /// Whether a segment echoes a mark.
    pub(super) fn echoes_congestion(&self, header: &Header) -> bool {
        self.ecn.agreed && header.flags.contains(Flags::ECE) && !header.flags.contains(Flags::SYN)
    }

    /// Text arrived: returns whether the peer has reduced its window, which may be so small now that it needs an acknowledgment
    /// at once (Linux `tcp_ecn_accept_cwr`).
    pub(super) fn take_cwr(&mut self, header: &Header) -> bool {
        let reduced = self.ecn.agreed && header.flags.contains(Flags::CWR);
        self.ecn.echoes &= !reduced;
        reduced
    }

    /// Takes the mark of a datagram with text; `window` is what was offered before (RFC 3168 §6.1.3; Linux `tcp_data_ecn_check`).
    pub(super) fn take_mark(&mut self, mark: Congestion, window: u32) {
        if !self.ecn.agreed {
            return;
        }
        match mark {
            // It was sent again, most likely.
            Congestion::NotCapable if self.ecn.seen => self.ack_policy.hurry_a_little(window),
            Congestion::NotCapable => {}
            Congestion::Capable => self.ecn.seen = true,
            Congestion::Experienced => {
                if !self.ecn.echoes {
                    self.ack_policy.hurry_a_little(window);
                }
                (self.ecn.echoes, self.ecn.seen) = (true, true);
            }
        }
    }
}
