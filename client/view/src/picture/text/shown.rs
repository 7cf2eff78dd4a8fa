//! Which states are written beside the lifelines: those that are not to be seen above already.

use std::collections::BTreeMap;

use halfopen_proto::v1::{HostState, TcpState};

use super::super::{End, Picture, What};
use crate::timeline::HostIndex;

/// The states that a row shows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shown {
    /// The sender's, or that of the host of notes.
    pub(super) from: Option<TcpState>,
    /// The receiver's.
    pub(super) to: Option<TcpState>,
}

/// The states to show in each row: one stands where it is another than the one above it, and again after a gap.
pub(super) fn shown(picture: &Picture) -> Vec<Shown> {
    let mut above = Above::default();
    let rows = picture.rows.iter().map(|row| match &row.what {
        What::Arrow(arrow) => {
            Shown { from: above.next(arrow.from, row.connection), to: above.next(arrow.to, row.connection) }
        }
        What::Notes(notes) => {
            if let (Some(host), Some(HostState::Down)) = (notes.host, notes.becomes) {
                above.forget(host);
            }
            let end = End { host: notes.host, state: notes.state };
            above.next(end, row.connection);
            Shown { from: notes.state, to: None }
        }
        What::Folded(_) => Shown::default(),
        What::Silence(_) | What::Omitted(_) => {
            above = Above::default();
            Shown::default()
        }
    });
    rows.collect()
}

/// What stands above.
#[derive(Default)]
struct Above {
    states: BTreeMap<(HostIndex, u32), TcpState>,
    /// The connection that a host's last state was of.
    last: BTreeMap<HostIndex, u32>,
}

impl Above {
    /// The state at an end, if it must be written.
    fn next(&mut self, end: End, connection: u32) -> Option<TcpState> {
        let (host, state) = (end.host?, end.state?);
        let before = self.states.insert((host, connection), state);
        let last = self.last.insert(host, connection);
        (before != Some(state) || last != Some(connection)).then_some(state)
    }

    fn forget(&mut self, host: HostIndex) {
        self.states.retain(|(other, _), _| *other != host);
        self.last.remove(&host);
    }
}
