//! Which connections to describe: one stands for all that went the same way, the most interesting first.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use halfopen_proto::v1::{TcpDropReason, TcpState};

use super::ends::{End, Ends};
use super::half_open;
use super::phrases;
use crate::timeline::{EntryKind, HostIndex, Timeline};
use crate::words;

/// Connections that went the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The first of them, which is described.
    pub(super) first: u32,
    /// How many there are.
    pub(super) count: usize,
    /// What is remarkable about them, in a few words each.
    pub(super) remarks: Vec<String>,
    interest: u32,
}

/// What happened to a connection, as far as it makes a difference.
#[derive(Default)]
struct Marks {
    /// Errors that applications got, or would get.
    errors: BTreeSet<String>,
    /// Why segments were lost, or not used.
    troubles: BTreeSet<String>,
    /// The hosts whose applications sent something, and received something.
    moved: BTreeSet<(HostIndex, bool)>,
}

/// The groups, the most interesting first; of equally interesting ones the earliest.
pub(super) fn groups(timeline: &Timeline, ends: &Ends) -> Vec<Group> {
    let marks = marks(timeline);
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (number, connection) in &ends.connections {
        let way = way(timeline, connection, marks.get(number));
        let known = groups.entry(way).or_insert_with(|| {
            let (interest, remarks) = remarks(timeline, connection, marks.get(number));
            Group { first: *number, count: 0, remarks, interest }
        });
        known.count += 1;
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.interest), group.first));
    groups
}

fn marks(timeline: &Timeline) -> BTreeMap<u32, Marks> {
    let mut all: BTreeMap<u32, Marks> = BTreeMap::new();
    for entry in &timeline.entries {
        if let (EntryKind::Written { .. } | EntryKind::Read { .. }, Some(host)) = (&entry.kind, entry.host) {
            let sent = matches!(entry.kind, EntryKind::Written { .. });
            all.entry(entry.connection).or_default().moved.insert((host, sent));
        }
        let mark: (bool, String) = match &entry.kind {
            EntryKind::Error(errno) => (true, errno.clone()),
            EntryKind::Application { call, error, .. } if !error.is_empty() => {
                (true, format!("{}: {error}", words::step(*call)))
            }
            EntryKind::Lost { segment } => match timeline.segment(*segment) {
                Some(segment) if segment.arrivals.is_empty() => {
                    (false, segment.losses.first().map(words::loss).unwrap_or_default())
                }
                _ => continue,
            },
            EntryKind::Arrived { dropped: TcpDropReason::Duplicate, .. } => continue,
            EntryKind::Arrived { dropped, .. } => match words::drop_reason(*dropped) {
                Some(why) => (false, why.to_owned()),
                None => continue,
            },
            _ => continue,
        };
        if entry.connection != 0 {
            let marks = all.entry(entry.connection).or_default();
            let (is_error, text) = mark;
            if is_error {
                marks.errors.insert(text)
            } else {
                marks.troubles.insert(text)
            };
        }
    }
    all
}

/// The way of a connection: its ends with their states, errors and troubles. Equal for those that went the same way.
fn way(timeline: &Timeline, ends: &[End], marks: Option<&Marks>) -> String {
    let mut way = String::new();
    for end in ends {
        let _ = write!(way, "{}{}", end.host, if end.down.is_some() { "!" } else { "" });
        for stay in &end.stays {
            let EntryKind::Transition { cause, .. } = &timeline.entries[stay.since].kind else { continue };
            let _ = write!(way, ",{}:{}", stay.state as i32, words::cause(cause));
        }
        way.push(';');
    }
    if let Some(marks) = marks {
        let _ = write!(way, "{:?}{:?}{:?}", marks.errors, marks.troubles, marks.moved);
    }
    way
}

/// How interesting a connection is, and why.
fn remarks(timeline: &Timeline, ends: &[End], marks: Option<&Marks>) -> (u32, Vec<String>) {
    let mut interest = 0;
    let mut remarks = Vec::new();
    if let Some(period) = half_open::periods(timeline, ends).first() {
        interest += 8;
        remarks.push(format!("half-open, with {} alone", timeline.hosts[period.here]));
    }
    if let Some(Marks { errors, troubles, .. }) = marks {
        if !errors.is_empty() {
            interest += 4;
            // The error itself says less than the call that got it.
            let calls: Vec<String> = errors.iter().filter(|error| error.contains(": ")).cloned().collect();
            let all: Vec<String> = errors.iter().cloned().collect();
            remarks.push(phrases::list(if calls.is_empty() { &all } else { &calls }));
        }
        if !troubles.is_empty() {
            interest += 2;
            let troubles: Vec<String> = troubles.iter().cloned().collect();
            remarks.push(format!("segments lost or not used ({})", phrases::list(&troubles)));
        }
    }
    let still: Vec<String> = ends
        .iter()
        .filter(|end| end.gone().is_none())
        .filter_map(|end| Some((end, end.state()?)))
        .filter(|(_, state)| *state != TcpState::TimeWait)
        .map(|(end, state)| format!("{} still {}", timeline.hosts[end.host], words::state(state)))
        .collect();
    if !still.is_empty() {
        interest += 1;
        remarks.push(phrases::list(&still));
    }
    if remarks.is_empty() {
        let waits = ends.iter().any(|end| end.gone().is_none() && end.state() == Some(TcpState::TimeWait));
        let still = if waits { ", still in TIME-WAIT" } else { "" };
        remarks.push(format!("opened and closed in order{still}"));
    }
    (interest, remarks)
}
