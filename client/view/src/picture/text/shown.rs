//! Which states are written beside the lifelines: those that are not to be seen above already.

use std::collections::BTreeMap;

use halfopen_proto::v1::{HostState, TcpState};

use super::super::{End, LONG_SILENCE, Picture, Row, What};
use super::canvas::Span;
use super::look;
use crate::timeline::HostIndex;
use crate::words;

/// The states that a row shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Shown {
    /// The sender's, or those of the host of notes.
    pub(super) from: Vec<Span>,
    /// The receiver's.
    pub(super) to: Vec<Span>,
}

/// The states to show in each row: one stands where it is another than the one above it, and again after a long gap.
pub(super) fn shown(picture: &Picture) -> Vec<Shown> {
    let mut above = Above::default();
    let rows = picture.rows.iter().map(|row| match &row.what {
        // Both ends are on one lifeline, and neither makes the state of the other old.
        What::Arrow(arrow) if arrow.turns() => {
            Shown { from: above.changed(&arrow.from, row), to: above.changed(&arrow.to, row) }
        }
        What::Arrow(arrow) => Shown { from: above.next(&arrow.from, row), to: above.next(&arrow.to, row) },
        What::Notes(notes) => {
            if let (Some(host), Some(HostState::Down)) = (notes.host, notes.becomes) {
                above.forget(host);
            }
            let end = End { host: notes.host, connection: row.connection, states: notes.states.clone() };
            above.next(&end, row);
            let named = notes.named_states(row.connection);
            Shown { from: named.map(|state| span(state, None)).collect(), to: Vec::new() }
        }
        What::Folded(_) => Shown::default(),
        What::Silence(silence) if silence.length < LONG_SILENCE => Shown::default(),
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
    /// The states at an end that must be written; with the number of their connection, if it is not the row's.
    fn next(&mut self, end: &End, row: &Row) -> Vec<Span> {
        // A state of another connection stands between.
        if let (Some(host), [_, ..]) = (end.host, end.states.as_slice())
            && self.last.insert(host, end.connection) != Some(end.connection)
        {
            self.states.remove(&(host, end.connection));
        }
        self.changed(end, row)
    }

    /// The states at an end that are others than before.
    fn changed(&mut self, end: &End, row: &Row) -> Vec<Span> {
        let Some(host) = end.host else { return Vec::new() };
        let number = Some(end.connection).filter(|number| *number != row.connection && *number > 0);
        let mut is_new = |state: TcpState| self.states.insert((host, end.connection), state) != Some(state);
        let states = end.states.iter().filter(|state| is_new(**state));
        states.map(|state| span(*state, number)).collect()
    }

    fn forget(&mut self, host: HostIndex) {
        self.states.retain(|(other, _), _| *other != host);
        self.last.remove(&host);
    }
}

/// A state in its colour.
fn span(state: TcpState, connection: Option<u32>) -> Span {
    let number = connection.map(|number| format!("#{number} ")).unwrap_or_default();
    Span::new(format!("{number}{}", words::state(state)), look::of_state(state))
}
