//! What each host is at each row: the states along the lifelines.

use std::collections::BTreeMap;
use std::ops::Range;

use halfopen_proto::v1::{HostState, TcpState};

use super::row::{Life, Row, What};
use crate::timeline::{HostIndex, Timeline};

/// Leaves out ranges of rows, each with a row in its place that says so, and says of the others what each host is from
/// there on. The ranges are in order.
pub(super) fn without(timeline: &Timeline, rows: Vec<Row>, ranges: &[Range<usize>]) -> Vec<Row> {
    let mut lives = Lives::new(timeline.hosts.len());
    let mut result: Vec<Row> = Vec::new();
    let mut ranges = ranges.iter().filter(|range| !range.is_empty()).peekable();
    for (index, mut row) in rows.into_iter().enumerate() {
        lives.pass(&row);
        ranges.next_if(|range| range.end <= index);
        match ranges.peek() {
            Some(range) if range.contains(&index) => {
                if index + 1 == range.end {
                    let time = result.last().map(|row| row.time).unwrap_or_default();
                    let row = Row::gap(time, What::Omitted(range.len()));
                    result.push(Row { lives: lives.present(), ..row });
                }
            }
            _ => {
                row.lives = lives.present();
                result.push(row);
            }
        }
    }
    result
}

/// The hosts with their connections, as far as the rows have told.
struct Lives {
    hosts: Vec<Host>,
}

#[derive(Default)]
struct Host {
    does: HostState,
    states: BTreeMap<u32, TcpState>,
    /// How many connections are in each state, the most open one last.
    counts: BTreeMap<(u8, TcpState), usize>,
}

impl Lives {
    fn new(hosts: usize) -> Lives {
        let host = |_| Host { does: HostState::Up, ..Host::default() };
        Lives { hosts: (0..hosts).map(host).collect() }
    }

    fn present(&self) -> Vec<Life> {
        let life = |host: &Host| Life {
            host: host.does,
            state: host.counts.last_key_value().map(|((_, state), _)| *state),
        };
        self.hosts.iter().map(life).collect()
    }

    fn pass(&mut self, row: &Row) {
        match &row.what {
            What::Arrow(arrow) => {
                for end in [arrow.from, arrow.to] {
                    self.set(end.host, row.connection, end.state);
                }
            }
            What::Notes(notes) => {
                if let (Some(state), Some(host)) = (notes.becomes, notes.host) {
                    self.becomes(host, state);
                }
                self.set(notes.host, row.connection, notes.state);
            }
            What::Silence(_) | What::Omitted(_) => {}
        }
    }

    fn becomes(&mut self, host: HostIndex, state: HostState) {
        let Some(host) = self.hosts.get_mut(host) else { return };
        *host = if state == HostState::Down { Host::default() } else { std::mem::take(host) };
        host.does = state;
    }

    fn set(&mut self, host: Option<HostIndex>, connection: u32, state: Option<TcpState>) {
        let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) else { return };
        let Some(state) = state else { return };
        let before = if state == TcpState::Closed {
            host.states.remove(&connection)
        } else {
            host.states.insert(connection, state)
        };
        if let Some(before) = before {
            let key = (openness(before), before);
            let count = host.counts.entry(key).or_insert(1);
            *count -= 1;
            if *count == 0 {
                host.counts.remove(&key);
            }
        }
        if state != TcpState::Closed {
            *host.counts.entry((openness(state), state)).or_default() += 1;
        }
    }
}

/// How open a connection is in a state: of several states a lifeline shows the one with the highest.
const fn openness(state: TcpState) -> u8 {
    match state {
        TcpState::Unspecified | TcpState::Closed => 0,
        TcpState::Listen => 1,
        TcpState::TimeWait => 2,
        TcpState::LastAck | TcpState::Closing => 3,
        TcpState::SynSent | TcpState::SynReceived => 4,
        TcpState::FinWait1 | TcpState::FinWait2 | TcpState::CloseWait => 5,
        TcpState::Established => 6,
    }
}
