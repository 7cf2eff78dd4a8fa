//! When the FIN of an end leaves that was closed: behind all that waits to be sent.

use std::time::Duration;

use halfopen_proto::v1::{HostState, TcpState};

use crate::stall::Stalls;
use crate::timeline::{EntryIndex, EntryKind, Timeline};
use crate::words;

/// The FIN of an end, as seen from the transition that closed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fin {
    /// It is sent at once.
    AtOnce,
    /// It leaves so much later, behind this many bytes.
    Later(Duration, u64),
    /// It never leaves, because these bytes before it do not.
    Never(u64),
}

impl Fin {
    /// The FIN of the end that a transition closed.
    pub(super) fn of(timeline: &Timeline, stalls: &Stalls, closed: EntryIndex) -> Fin {
        let entry = &timeline.entries[closed];
        let unsent = stalls.unsent(closed);
        let later = timeline.entries[closed..].iter().filter(|other| other.host == entry.host);
        for other in later {
            match &other.kind {
                EntryKind::Host(HostState::Down) => break,
                _ if other.connection != entry.connection => {}
                EntryKind::Sent(segment) if segment.flags.fin && !segment.injected => {
                    let after = other.time.saturating_sub(entry.time);
                    return if after.is_zero() { Fin::AtOnce } else { Fin::Later(after, unsent) };
                }
                EntryKind::Transition { to: TcpState::Closed, .. } => break,
                _ => {}
            }
        }
        Fin::Never(unsent)
    }
}

/// What a FIN waits behind: `20000 bytes`.
pub(super) fn unsent(octets: u64) -> String {
    match octets {
        0 => "what is not sent yet".to_owned(),
        octets => words::count(octets, "unsent byte"),
    }
}
