//! Which part of a run a picture shows.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use halfopen_proto::v1::TcpPurpose;
use halfopen_units::parse_duration;

use super::layout::{Item, ItemWhat, Layout};
use crate::timeline::{Entry, EntryKind, HostIndex, Segment, Timeline};
use crate::words;

/// A selection: every part of it must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Rows of any of these kinds; empty: all.
    pub only: BTreeSet<Kind>,
    /// Rows of these connections, and of no connection; empty: all.
    pub connections: BTreeSet<u32>,
    /// Between two times or two hosts.
    pub between: Option<Between>,
}

/// A kind of rows. One row may be of several kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every segment.
    Segments,
    /// Segments with data.
    Data,
    /// Segments with SYN.
    Syn,
    /// Segments with FIN.
    Fin,
    /// Segments with RST.
    Rst,
    /// Segments that never arrived.
    Lost,
    /// Retransmitted segments, for whatever reason.
    Retransmissions,
    /// Keepalive and window probes, and what keepalive found out.
    Probes,
    /// Changes of a connection's state.
    States,
    /// Timers that are set, fire and are cancelled.
    Timers,
    /// Steps of the applications.
    Application,
    /// Errors, of applications and from routers.
    Errors,
    /// Faults, and the segments that they were applied to.
    Faults,
    /// What middleboxes do, and the segments that they injected.
    Middleboxes,
}

/// The kinds by their names.
const KINDS: [(&str, Kind); 14] = [
    ("segments", Kind::Segments),
    ("data", Kind::Data),
    ("syn", Kind::Syn),
    ("fin", Kind::Fin),
    ("rst", Kind::Rst),
    ("lost", Kind::Lost),
    ("retransmissions", Kind::Retransmissions),
    ("probes", Kind::Probes),
    ("states", Kind::States),
    ("timers", Kind::Timers),
    ("application", Kind::Application),
    ("errors", Kind::Errors),
    ("faults", Kind::Faults),
    ("middleboxes", Kind::Middleboxes),
];

impl Kind {
    /// The names of all kinds, as [`Kind::from_str`] reads them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _)| *name)
    }
}

impl FromStr for Kind {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Kind, SelectionError> {
        let found = KINDS.iter().find(|(name, _)| *name == text.trim());
        found.map(|(_, kind)| *kind).ok_or_else(|| SelectionError::Kind(text.to_owned()))
    }
}

/// A range of what is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Between {
    /// From a moment to another, both included, in virtual time.
    Times(Duration, Duration),
    /// What two hosts send to each other, and what happens at either.
    Hosts(String, String),
}

impl FromStr for Between {
    type Err = SelectionError;

    /// Reads `1h..2h`, `1h..`, `..2h` or `client..server`.
    fn from_str(text: &str) -> Result<Between, SelectionError> {
        let wrong = || SelectionError::Between(text.to_owned());
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        let (from, to) = (from.trim(), to.trim());
        let time = |text: &str, open: Duration| if text.is_empty() { Some(open) } else { duration(text) };
        match (time(from, Duration::ZERO), time(to, Duration::MAX)) {
            (Some(from), Some(to)) if from > to => Err(SelectionError::Backwards(text.to_owned())),
            (Some(_), Some(_)) if text.trim() == ".." => Err(wrong()),
            (Some(from), Some(to)) => Ok(Between::Times(from, to)),
            (None, None) => Ok(Between::Hosts(from.to_owned(), to.to_owned())),
            (Some(_), None) | (None, Some(_)) => Err(wrong()),
        }
    }
}

/// An error in a selection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// There is no such kind.
    #[error("there is no kind `{0}`: use one of {names}", names = Names)]
    Kind(String),
    /// Neither two times nor two hosts.
    #[error("`{0}` is neither two times, as 1h..2h, 90s.. or ..500ms, nor two hosts, as client..server")]
    Between(String),
    /// The end is before the beginning.
    #[error("`{0}` ends before it begins: write the earlier time first")]
    Backwards(String),
    /// The run has no such host.
    #[error("there is no host `{0}`: the run has {1}")]
    Host(String, String),
    /// The run has no such connection.
    #[error("there is no connection {0}: the run has {1}")]
    Connection(u32, String),
}

struct Names;

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Kind::names().collect::<Vec<_>>().join(", "))
    }
}

/// A duration, or a bare 0.
fn duration(text: &str) -> Option<Duration> {
    if text.trim() == "0" { Some(Duration::ZERO) } else { parse_duration(text.trim()).ok() }
}

impl Selection {
    /// Whether timers are selected.
    pub(super) fn has_timers(&self) -> bool {
        self.only.contains(&Kind::Timers)
    }

    /// Whether everything is shown.
    pub fn is_all(&self) -> bool {
        *self == Selection::default()
    }

    /// Checks that a run has the hosts and connections of the selection.
    ///
    /// # Errors
    /// Says which it does not have, and which it has.
    pub fn check(&self, timeline: &Timeline) -> Result<(), SelectionError> {
        let Timeline { hosts, connections, .. } = timeline;
        if let Some(Between::Hosts(one, other)) = &self.between
            && let Some(unknown) = [one, other].into_iter().find(|name| !hosts.contains(name))
        {
            return Err(SelectionError::Host(unknown.clone(), hosts.join(", ")));
        }
        match self.connections.iter().find(|number| !(1..=*connections).contains(*number)) {
            Some(number) => {
                Err(SelectionError::Connection(*number, words::count((*connections).into(), "connection")))
            }
            None => Ok(()),
        }
    }

    /// Whether an item is shown, or a part of it.
    pub(super) fn has(&self, layout: &Layout<'_>, index: usize) -> bool {
        let item = &layout.items[index];
        let of_connection = item.connection == 0
            || self.connections.is_empty()
            || self.connections.contains(&item.connection)
            || self.connections.contains(&layout.arrives_at(item));
        of_connection && self.is_between(layout, item) && self.is_of_kind(layout, index)
    }

    fn is_between(&self, layout: &Layout<'_>, item: &Item) -> bool {
        match &self.between {
            None => true,
            Some(Between::Times(from, to)) => (*from..=*to).contains(&item.time),
            Some(Between::Hosts(one, other)) => {
                let name = |host: Option<HostIndex>| host.and_then(|host| layout.timeline.hosts.get(host));
                let is = |host: Option<HostIndex>, wanted: &String| name(host) == Some(wanted);
                match &item.what {
                    ItemWhat::Sent { entry, .. } | ItemWhat::Arrived { sent: entry, .. } => {
                        let from = layout.timeline.entries[*entry].host;
                        let to = layout.timeline.segment(*entry).and_then(|segment| segment.to);
                        (is(from, one) && is(to, other)) || (is(from, other) && is(to, one))
                    }
                    ItemWhat::Notes { host, .. } => host.is_none() || is(*host, one) || is(*host, other),
                }
            }
        }
    }

    fn is_of_kind(&self, layout: &Layout<'_>, index: usize) -> bool {
        if self.only.is_empty() {
            return true;
        }
        if layout.items[index].changes && self.only.contains(&Kind::States) {
            return true;
        }
        match &layout.items[index].what {
            ItemWhat::Sent { entry, .. } | ItemWhat::Arrived { sent: entry, .. } => {
                let Some(segment) = layout.timeline.segment(*entry) else { return false };
                self.only.iter().any(|kind| is_segment(*kind, segment))
            }
            ItemWhat::Notes { notes, becomes, .. } => {
                let faults = becomes.is_some() && self.only.contains(&Kind::Faults);
                faults || layout.notes(notes).any(|(_, entry)| self.has_note(entry))
            }
        }
    }

    /// Whether a note is shown.
    pub(super) fn has_note(&self, entry: &Entry) -> bool {
        let kinds: &[Kind] = match &entry.kind {
            EntryKind::Transition { .. } | EntryKind::End => &[Kind::States],
            EntryKind::Timer { .. } => &[Kind::Timers],
            EntryKind::Keepalive { .. } => &[Kind::Probes],
            EntryKind::Error(_) | EntryKind::Unreachable { .. } => &[Kind::Errors],
            EntryKind::Fault(_) | EntryKind::Host(_) => &[Kind::Faults],
            EntryKind::Middlebox { .. } => &[Kind::Middleboxes],
            EntryKind::Application { error, .. } if error.is_empty() => &[Kind::Application],
            EntryKind::Application { .. } => &[Kind::Application, Kind::Errors],
            EntryKind::Sent(_)
            | EntryKind::Arrived { .. }
            | EntryKind::Lost { .. }
            | EntryKind::Written { .. }
            | EntryKind::Read { .. } => &[],
        };
        self.only.is_empty() || kinds.iter().any(|kind| self.only.contains(kind))
    }
}

/// Whether a segment is of a kind, but for states.
fn is_segment(kind: Kind, segment: &Segment) -> bool {
    match kind {
        Kind::Segments => true,
        Kind::Data => segment.length > 0,
        Kind::Syn => segment.flags.syn,
        Kind::Fin => segment.flags.fin,
        Kind::Rst => segment.flags.rst,
        Kind::Lost => !segment.losses.is_empty(),
        Kind::Retransmissions => segment.retransmission,
        Kind::Probes => match segment.purpose {
            TcpPurpose::KeepaliveProbe | TcpPurpose::WindowProbe => true,
            TcpPurpose::Unspecified
            | TcpPurpose::Normal
            | TcpPurpose::Reset
            | TcpPurpose::Retransmission
            | TcpPurpose::FastRetransmission
            | TcpPurpose::TailLossProbe
            | TcpPurpose::ChallengeAck
            | TcpPurpose::DuplicateAck => false,
        },
        Kind::Faults => !segment.faults.is_empty() || (segment.injected && segment.middlebox.is_empty()),
        Kind::Middleboxes => !segment.middlebox.is_empty(),
        Kind::States | Kind::Timers | Kind::Application | Kind::Errors => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_times_or_two_hosts_are_understood_and_nothing_else() {
        let (s, ms) = (Duration::from_secs, Duration::from_millis);
        let times = [
            ("1h..2h", s(3600), s(7200)),
            ("2h 12m..2h 12m 30.1s", s(7920), ms(7_950_100)),
            ("1.5s..", ms(1500), Duration::MAX),
            ("..61.5ms", Duration::ZERO, Duration::from_micros(61_500)),
            ("0 .. 20us", Duration::ZERO, Duration::from_micros(20)),
            ("1h30m..90min", s(5400), s(5400)),
        ];
        for (text, from, to) in times {
            assert_eq!(text.parse(), Ok(Between::Times(from, to)), "{text}");
        }
        let hosts = Between::Hosts("client".to_owned(), "server".to_owned());
        assert_eq!("client..server".parse(), Ok(hosts));
        for text in ["", "..", "1h", "1h..server", "client..", "client-server", "1x..2h"] {
            assert_eq!(text.parse::<Between>(), Err(SelectionError::Between(text.to_owned())), "{text}");
        }
        assert_eq!("2h..1h".parse::<Between>(), Err(SelectionError::Backwards("2h..1h".to_owned())));
    }

    #[test]
    fn every_kind_has_its_name() {
        for (name, kind) in KINDS {
            assert_eq!(name.parse(), Ok(kind));
        }
        let error = "acks".parse::<Kind>().expect_err("there is no such kind").to_string();
        assert!(error.starts_with("there is no kind `acks`: use one of segments, data,"), "{error}");
    }
}
