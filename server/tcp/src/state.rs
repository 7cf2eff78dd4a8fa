//! The eleven states of a connection.

use std::fmt;

/// A connection's state (RFC 9293 §3.3.2). Prints as the RFC spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No connection at all.
    Closed,
    /// Waiting for a connection request from any remote endpoint.
    Listen,
    /// Sent a SYN, waiting for the matching one.
    SynSent,
    /// Received and sent a SYN, waiting for the acknowledgment of ours.
    SynReceived,
    /// Open: data flows both ways.
    Established,
    /// Sent a FIN that is not acknowledged yet.
    FinWait1,
    /// Our FIN is acknowledged; waiting for the peer's.
    FinWait2,
    /// The peer closed; waiting for the local application to close.
    CloseWait,
    /// Both ends closed at the same time; waiting for the acknowledgment of our FIN.
    Closing,
    /// Closed after the peer did; waiting for the acknowledgment of our FIN.
    LastAck,
    /// Waiting long enough for the peer to have received the acknowledgment of its FIN.
    TimeWait,
}

impl State {
    /// Every state, in the order of RFC 9293 §3.3.2 with CLOSED first.
    pub const ALL: [State; 11] = [
        State::Closed,
        State::Listen,
        State::SynSent,
        State::SynReceived,
        State::Established,
        State::FinWait1,
        State::FinWait2,
        State::CloseWait,
        State::Closing,
        State::LastAck,
        State::TimeWait,
    ];

    /// The name as RFC 9293 prints it, for example `FIN-WAIT-1`.
    pub const fn name(self) -> &'static str {
        match self {
            State::Closed => "CLOSED",
            State::Listen => "LISTEN",
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECEIVED",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN-WAIT-1",
            State::FinWait2 => "FIN-WAIT-2",
            State::CloseWait => "CLOSE-WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST-ACK",
            State::TimeWait => "TIME-WAIT",
        }
    }

    /// The state of that name, if there is one. Exact: `FIN-WAIT-1`, not `fin_wait1`.
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the state is synchronized: both ends have agreed on sequence numbers (RFC 9293 §3.5.2, the third group).
    pub const fn is_synchronized(self) -> bool {
        match self {
            State::Closed | State::Listen | State::SynSent | State::SynReceived => false,
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => true,
        }
    }

    /// Whether the peer may send text: it has not sent its FIN (RFC 9293 §3.10.7.4, seventh).
    pub(crate) const fn takes_text(self) -> bool {
        match self {
            State::Established | State::FinWait1 | State::FinWait2 => true,
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    #[test]
    fn names_round_trip() {
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
        assert_eq!(State::from_name("ESTABLISHD"), None);
    }
}
