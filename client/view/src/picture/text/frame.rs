//! Where the columns of a drawing are.

use std::collections::{BTreeMap, BTreeSet};

use unicode_width::UnicodeWidthStr;

use super::super::{Arrow, Notes, Picture, Row, What};
use super::Paper;
use crate::timeline::HostIndex;
use crate::words;

/// Nothing is drawn on less.
const MIN_WIDTH: usize = 40;
/// Most times are no wider: `2h 11m 15.3s`.
const USUAL_TIME: usize = 12;
/// A margin is never wider.
const MAX_MARGIN: usize = 26;
/// Between two lifelines there is at least so much room if there are margins; first if there are two, then if more.
const ROOM: [usize; 2] = [40, 30];
/// Lifelines of more than two hosts are never nearer to each other: the names stand at the arrows then.
const MIN_GAP: usize = 22;

/// How wide the texts beside the first and the last lifeline are.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// The widest time, or more.
    pub(super) time: usize,
    pub(super) left: BTreeSet<usize>,
    pub(super) right: BTreeSet<usize>,
    /// The widest state among them.
    pub(super) states: usize,
}

impl Needs {
    /// For rows that are not known yet: whatever there is room for.
    pub(super) fn unknown() -> Needs {
        let margin: BTreeSet<usize> = (1..=MAX_MARGIN).collect();
        let states = words::state(halfopen_proto::v1::TcpState::SynReceived).len();
        Needs { time: USUAL_TIME, left: margin.clone(), right: margin, states }
    }
}

/// The columns.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) time: usize,
    pub(super) connection: usize,
    /// Columns of the left margin, which ends one before the first lifeline; 0: none.
    pub(super) left: usize,
    /// The same on the right.
    pub(super) right: usize,
    /// The columns of the lifelines; always two or more.
    pub(super) lanes: Vec<usize>,
    /// Whether there are only two lifelines for more hosts: those of the row.
    pub(super) shared: bool,
    /// The left host of each connection, where lifelines are shared.
    left_hosts: BTreeMap<u32, HostIndex>,
}

impl Frame {
    /// The columns for a picture.
    pub(super) fn new(picture: &Picture, paper: Paper, needs: &Needs) -> Frame {
        let width = paper.width.max(MIN_WIDTH);
        let times = picture.rows.iter().map(|row| words::duration(row.time).width());
        let time = times.max().unwrap_or(0).max(needs.time).max(4);
        let connection = if picture.connections > 1 { 2 + picture.connections.to_string().len() } else { 0 };
        let (left, right, lanes, shared) = (0, 0, Vec::new(), false);
        let left_hosts = BTreeMap::new();
        let mut frame = Frame { width, time, connection, left, right, lanes, shared, left_hosts };
        let hosts = picture.lifelines.len().max(2);
        let room = width.saturating_sub(frame.begin() + hosts);
        if hosts > 2 && room / (hosts - 1) < MIN_GAP {
            frame.share(picture);
            return frame;
        }
        let spare = room.saturating_sub(ROOM[usize::from(hosts > 2)] * (hosts - 1) + 2) / 2;
        let cap = spare.min(MAX_MARGIN);
        // A margin that cannot hold the states is of no use.
        if needs.states <= cap {
            let fitting = |texts: &BTreeSet<usize>| texts.range(..=cap).next_back().copied().unwrap_or(0);
            (frame.left, frame.right) = (fitting(&needs.left), fitting(&needs.right));
        }
        // The names stand above the lifelines and need room too.
        let name = |lifeline: Option<&super::super::Lifeline>| lifeline.map_or(0, |it| it.name.width());
        let [first, last] = [picture.lifelines.first(), picture.lifelines.get(hosts - 1)].map(name);
        frame.left = frame.left.max((first / 2).min(cap));
        frame.right = frame.right.max((last / 2).min(cap));
        frame.spread(hosts);
        frame
    }

    /// Where the left margin begins.
    pub(super) fn begin(&self) -> usize {
        self.time + 2 + self.connection
    }

    fn spread(&mut self, lanes: usize) {
        let margin = |width: usize| if width > 0 { width + 1 } else { 0 };
        let first = self.begin() + margin(self.left);
        let last = self.width.saturating_sub(1 + margin(self.right)).max(first + 1);
        self.lanes = (0..lanes).map(|lane| first + (last - first) * lane / (lanes - 1)).collect();
    }

    /// Two lifelines for the hosts of a row, with their names in the margins.
    fn share(&mut self, picture: &Picture) {
        self.shared = true;
        for row in &picture.rows {
            if let What::Arrow(Arrow { from, to, .. }) = &row.what
                && let Some(one) = from.host.or(to.host)
            {
                let other = to.host.filter(|to| *to != one).unwrap_or(usize::from(one == 0));
                self.left_hosts.entry(row.connection).or_insert(one.min(other));
            }
        }
        let longest = picture.lifelines.iter().map(|lifeline| lifeline.name.width()).max().unwrap_or(0);
        let spare = self.width.saturating_sub(self.begin() + ROOM[0]) / 2;
        // With the longest state, if there is room.
        let both = longest + 1 + words::state(halfopen_proto::v1::TcpState::SynReceived).len();
        (self.left, self.right) =
            if both < spare { (both, both) } else { (longest.min(12), longest.min(12)) };
        self.spread(2);
    }

    /// The lane of each end of an arrow: towards nobody it is the next one.
    pub(super) fn ends(&self, arrow: &Arrow) -> (usize, usize) {
        let rightwards = arrow.rightwards();
        if self.shared {
            return if rightwards { (0, 1) } else { (1, 0) };
        }
        let next = |lane: usize, up: bool| {
            if up { (lane + 1).min(self.lanes.len() - 1) } else { lane.saturating_sub(1) }
        };
        let known = |host: Option<HostIndex>| host.map(|host| host.min(self.lanes.len() - 1));
        match (known(arrow.from.host), known(arrow.to.host)) {
            (Some(from), Some(to)) if from != to => (from, to),
            (Some(from), _) => {
                (from, if from == 0 { 1 } else { next(from, rightwards && from + 1 < self.lanes.len()) })
            }
            (None, Some(to)) => (next(to, !rightwards), to),
            (None, None) => (0, 1),
        }
    }

    /// The lane of notes; `None`: in the network.
    pub(super) fn lane(&self, notes: &Notes, row: &Row) -> Option<usize> {
        let host = notes.host?;
        if self.shared {
            return Some(usize::from(host != self.left_hosts.get(&row.connection).copied().unwrap_or(0)));
        }
        Some(host.min(self.lanes.len() - 1))
    }
}
