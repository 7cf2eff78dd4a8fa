//! Half-open periods (RFC 9293 §3.5.1): one end is there and synchronized, the other is gone.

use halfopen_proto::v1::TcpState;

use super::ends::End;
use crate::timeline::{EntryIndex, EntryKind, HostIndex, Timeline};

/// How long one end of a connection was there alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HalfOpen {
    /// The host whose end was there.
    pub(super) here: HostIndex,
    /// The host whose end was gone.
    pub(super) gone: HostIndex,
    /// Its state when the other end went.
    pub(super) state: TcpState,
    /// Where the other end went.
    pub(super) from: EntryIndex,
    /// Whether the other end's host went down, instead of closing.
    pub(super) by_power: bool,
    /// Where the end that was there went too; `None`: it still is.
    pub(super) until: Option<EntryIndex>,
}

/// The half-open periods of a connection, in the order of its ends. A period that ends by what the other end sent when it
/// went is not counted: that segment was under way.
pub(super) fn periods(timeline: &Timeline, ends: &[End]) -> Vec<HalfOpen> {
    let mut found = Vec::new();
    for end in ends {
        // The last that the peer's host had: one that reboots may get another end of the connection.
        let peer = ends.iter().rfind(|other| other.host != end.host && !other.stays.is_empty());
        let Some((peer, gone)) = peer.and_then(|peer| Some((peer, peer.gone()?))) else { continue };
        let (until, Some(state)) = (end.gone(), end.state_at(gone)) else { continue };
        let alone = synchronized(state) && until.is_none_or(|until| until > gone);
        let news_under_way = until.is_some_and(|until| news(timeline, until, gone));
        if alone && !news_under_way {
            let by_power = peer.down == Some(gone);
            found.push(HalfOpen { here: end.host, gone: peer.host, state, from: gone, by_power, until });
        }
    }
    found
}

/// Whether an end in the state waits for something of a peer that must be there.
const fn synchronized(state: TcpState) -> bool {
    match state {
        TcpState::Established
        | TcpState::FinWait1
        | TcpState::FinWait2
        | TcpState::CloseWait
        | TcpState::Closing
        | TcpState::LastAck => true,
        TcpState::Unspecified
        | TcpState::Closed
        | TcpState::Listen
        | TcpState::SynSent
        | TcpState::SynReceived
        | TcpState::TimeWait => false,
    }
}

/// Whether the end went by a segment that was sent not later than the moment in which the other end was gone.
fn news(timeline: &Timeline, until: EntryIndex, gone: EntryIndex) -> bool {
    let EntryKind::Transition { by_segment: Some(segment), .. } = timeline.entries[until].kind else {
        return false;
    };
    timeline.entries[segment].time <= timeline.entries[gone].time
}
