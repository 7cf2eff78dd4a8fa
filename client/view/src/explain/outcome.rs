//! How the ends of a connection came out: which states they stayed in for long and why, and where they are at the end.

use std::time::Duration;

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{TcpState, TcpTimer, TimerChange};

use super::beats::Story;
use super::ends::End;
use super::fate::fate;
use super::fin::{self, Fin};
use super::half_open::HalfOpen;
use super::phrases::{self, about};
use super::recovery::{Control, Piece, Recovery};
use crate::stall::Stalls;
use crate::timeline::{Closer, EntryIndex, EntryKind, Timeline};
use crate::words;

/// A state that waits for something is worth a word if it lasts so long.
const LONG: Duration = Duration::from_secs(1);

/// Says how ends came out.
pub(super) struct Outcomes<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) stalls: &'a Stalls,
    /// When the run ended.
    pub(super) end: Duration,
    pub(super) story: &'a Story,
    pub(super) ends: &'a [End],
    pub(super) half_open: &'a [HalfOpen],
}

/// A sentence about a span of entries; without `until` it goes to the end of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) from: EntryIndex,
    pub(super) until: Option<EntryIndex>,
    pub(super) text: String,
}

impl Outcomes<'_> {
    pub(super) fn sentences(&self) -> Vec<Said> {
        let mut all = Vec::new();
        for end in self.ends {
            for (index, stay) in end.stays.iter().enumerate() {
                let until = end.left(index);
                let length = self.time(until).saturating_sub(self.timeline.entries[stay.since].time);
                let last = index + 1 == end.stays.len();
                if let Some(text) = self.stay(end, stay.state, (stay.since, until), length, last) {
                    all.push(Said { from: stay.since, until, text });
                }
            }
        }
        all
    }

    /// Why an end stayed in a state, if that is worth a word.
    fn stay(
        &self,
        end: &End,
        state: TcpState,
        (from, until): (EntryIndex, Option<EntryIndex>),
        length: Duration,
        last: bool,
    ) -> Option<String> {
        let name = self.host(end.host);
        let stayed = match until {
            Some(_) => format!("{name} stayed in {} for {}", words::state(state), about(length)),
            None if length.is_zero() => format!("{name} is {} when the run ends", words::state(state)),
            None => {
                format!("{name} is still {} when the run ends, {} later", words::state(state), about(length))
            }
        };
        let why = match state {
            TcpState::Closed => return last.then(|| self.closed(end, from)),
            TcpState::Unspecified | TcpState::Listen => return None,
            TcpState::Established => match until {
                None => self.why_established(end),
                Some(until) => return self.cut_short(end, until, state),
            },
            _ if length < LONG && until.is_some() => {
                return self.cut_short(end, until.unwrap_or(from), state);
            }
            TcpState::SynSent => self.unacknowledged(end, from, until, Control::Syn, "no answer came to its SYN"),
            TcpState::SynReceived => {
                self.unacknowledged(end, from, until, Control::SynAck, "no ACK of its SYN+ACK came (the connection is embryonic)")
            }
            TcpState::FinWait1 | TcpState::LastAck => {
                let unacknowledged = match Fin::of(self.timeline, self.stalls, from) {
                    Fin::AtOnce => "its FIN was not acknowledged".to_owned(),
                    Fin::Later(after, behind) => {
                        format!("its FIN waited for {} behind {}", about(after), fin::unsent(behind))
                    }
                    Fin::Never(behind) => format!("its FIN waited behind {}, and never left", fin::unsent(behind)),
                };
                self.unacknowledged(end, from, until, Control::Fin, &unacknowledged)
            }
            TcpState::Closing => {
                self.unacknowledged(end, from, until, Control::Fin, "its FIN was not acknowledged")
            }
            TcpState::FinWait2 => self.why_fin_wait_2(end, from, until),
            TcpState::CloseWait => match until {
                None => "its application never closed, although the peer had finished".to_owned(),
                Some(until) => match self.timeline.closer(until) {
                    Some(Closer::Application) => "its application closed only then".to_owned(),
                    Some(Closer::Exit) => "its program ended only then".to_owned(),
                    Some(Closer::Kill) => "its application had not closed before it was killed".to_owned(),
                    None => "its application did not close".to_owned(),
                },
            },
            TcpState::TimeWait => "it may have to acknowledge the peer's FIN again, and old segments must disappear before the ports are reused".to_owned(),
        };
        let then =
            until.and_then(|until| self.then(end, until)).map(|then| format!(" {then}")).unwrap_or_default();
        Some(format!("{stayed}: {why}.{then}"))
    }

    /// Since when an end is closed, and why.
    fn closed(&self, end: &End, from: EntryIndex) -> String {
        let name = self.host(end.host);
        let before = from.checked_sub(1).and_then(|before| end.state_at(before));
        let entry = &self.timeline.entries[from];
        let EntryKind::Transition { cause, by_segment, .. } = &entry.kind else { return String::new() };
        let segment = by_segment.and_then(|sent| self.timeline.segment(sent));
        let why = match (phrases::gave_up(cause), segment) {
            (Some(_), _) if cause.user_timeout => "its user timeout was over".to_owned(),
            (Some(timer), _) => format!("TCP gave up ({} timer)", words::timer(timer)),
            (None, Some(segment)) if segment.flags.rst => "a RST came".to_owned(),
            (None, Some(_)) if before == Some(TcpState::LastAck) => {
                "its FIN was acknowledged, and it had the peer's".to_owned()
            }
            (None, Some(segment)) if segment.length > 0 => {
                "data came that its application could not read any more".to_owned()
            }
            _ => self.timeline.why(from),
        };
        format!("{name} is CLOSED from {} on: {why}.", words::duration(entry.time))
    }

    /// An end that was lost with its host, whatever its state.
    fn cut_short(&self, end: &End, until: EntryIndex, state: TcpState) -> Option<String> {
        let name = self.host(end.host);
        (end.down == Some(until)).then(|| {
            format!("{name}'s end was {} when its host went down, and is gone with it.", words::state(state))
        })
    }

    fn why_established(&self, end: &End) -> String {
        if let Some(period) =
            self.half_open.iter().find(|period| period.here == end.host && period.until.is_none())
        {
            let asks = self.keepalive_set(end);
            let silent = match asks {
                true => "its keepalive has not noticed yet",
                false => "it has nothing to send, and no keepalive",
            };
            return format!(
                "the connection is half-open: {} is gone without notice; {silent}",
                self.host(period.gone)
            );
        }
        let closed = |other: &&End| {
            other.host != end.host && matches!(other.state(), Some(state) if state != TcpState::Established)
        };
        match self.ends.iter().find(closed).and_then(|other| Some((other, other.state()?))) {
            Some((other, state)) if other.gone().is_none() => {
                format!(
                    "nothing of {}'s side, which is {}, reached it",
                    self.host(other.host),
                    words::state(state)
                )
            }
            Some((other, _)) => format!("{} is gone", self.host(other.host)),
            None => "nobody closed the connection".to_owned(),
        }
    }

    /// Whether the end's keepalive timer was set and not cancelled.
    fn keepalive_set(&self, end: &End) -> bool {
        let Some(connection) = self.connection(end) else { return false };
        let changed = self.timeline.entries.iter().rev().find_map(|entry| match &entry.kind {
            EntryKind::Timer { timer: TcpTimer::Keepalive, change, .. }
                if entry.host == Some(end.host) && entry.connection == connection =>
            {
                Some(*change)
            }
            _ => None,
        });
        changed == Some(TimerChange::Set)
    }

    fn connection(&self, end: &End) -> Option<u32> {
        let stay = end.stays.first()?;
        Some(self.timeline.entries[stay.since].connection)
    }

    fn why_fin_wait_2(&self, end: &End, from: EntryIndex, until: Option<EntryIndex>) -> String {
        let peer = self.ends.iter().rfind(|other| other.host != end.host);
        let Some(peer) = peer else { return "the peer's FIN did not come".to_owned() };
        let name = self.host(peer.host);
        let at = until.unwrap_or(self.timeline.entries.len().saturating_sub(1));
        let lost = self.recovery(peer, Control::Fin, from, until);
        match (peer.state_at(at), peer.gone()) {
            (_, Some(gone)) if gone <= at && lost.is_none() => {
                format!("{name} had acknowledged its FIN, and disappeared without sending its own")
            }
            (Some(TcpState::CloseWait), _) => {
                format!(
                    "{name} had acknowledged its FIN, but {name}'s application had not closed (CLOSE-WAIT)"
                )
            }
            _ => match lost {
                Some((recovery, _)) => format!("{name}'s FIN did not reach it ({})", recovery.lost.text()),
                None => format!("{name}'s FIN came only then"),
            },
        }
    }

    /// Why what an end sent was not acknowledged.
    fn unacknowledged(
        &self,
        end: &End,
        from: EntryIndex,
        until: Option<EntryIndex>,
        what: Control,
        otherwise: &str,
    ) -> String {
        match self.recovery(end, what, from, until) {
            Some((recovery, piece)) if piece.lost > 0 => {
                let again = piece.sent.len() - 1;
                let each = match (again, piece.lost) {
                    (1, 2) => " and so was its retransmission".to_owned(),
                    (again, lost) if lost > 1 && lost == again + 1 => {
                        format!(" and so was each of its {again} retransmissions")
                    }
                    (_, lost) if lost > 1 => format!(" {}", phrases::times(lost)),
                    _ => String::new(),
                };
                format!("its {} was lost{each} ({})", what.name(), recovery.lost.text())
            }
            Some((_, piece)) => {
                let again = piece.sent.len() - 1;
                let fate = fate(self.timeline, piece);
                format!("its {} {fate}; it was retransmitted {}", what.name(), phrases::times(again))
            }
            None => otherwise.to_owned(),
        }
    }

    /// The recovery of an end's SYN, SYN+ACK or FIN in a span.
    fn recovery(
        &self,
        end: &End,
        what: Control,
        from: EntryIndex,
        until: Option<EntryIndex>,
    ) -> Option<(&Recovery, &Piece)> {
        let overlaps = |recovery: &Recovery| {
            recovery.first().is_some_and(|first| until.is_none_or(|until| first <= until))
                && recovery.acknowledged.is_none_or(|acknowledged| acknowledged >= from)
        };
        self.story
            .recoveries
            .iter()
            .filter(|recovery| recovery.host == end.host && overlaps(recovery))
            .find_map(|recovery| {
                let piece = recovery.pieces.values().find(|piece| piece.control() == Some(what))?;
                Some((recovery, piece))
            })
    }

    /// How a stay ended.
    fn then(&self, end: &End, until: EntryIndex) -> Option<String> {
        let name = self.host(end.host);
        if end.down == Some(until) {
            return Some(format!("Then {name} went down, and the connection with it."));
        }
        let entry = &self.timeline.entries[until];
        let EntryKind::Transition { to, cause, by_segment, .. } = &entry.kind else { return None };
        if phrases::is_replaced(cause) {
            return Some("Then a new connection took its place.".to_owned());
        }
        if phrases::gave_up(cause).is_some() {
            let how = if cause.user_timeout { "its user timeout was over" } else { "TCP gave up" };
            return Some(format!("Then {how}{}.", self.error_of(end, until)));
        }
        let segment = by_segment.and_then(|sent| self.timeline.segment(sent));
        Some(match segment {
            Some(segment) if segment.flags.rst => format!("Then a RST came{}.", self.error_of(end, until)),
            Some(segment) => {
                let sender = by_segment.and_then(|sent| self.timeline.entries[sent].host);
                let sender = sender.map_or("the peer", |host| self.host(host));
                let flags = words::flags(segment.flags);
                format!("Then {sender}'s {flags} came: {}.", words::state(*to))
            }
            None if *to == TcpState::Closed && phrases::fired(cause).is_some() => {
                return Some("Then its timer fired.".to_owned());
            }
            None if matches!(cause.origin, Some(Origin::Other(_))) => {
                format!("Then its listener closed: {}.", words::state(*to))
            }
            None => {
                let why = self.timeline.why(until);
                let by = match self.timeline.closer(until) {
                    Some(Closer::Kill | Closer::Exit) => why,
                    Some(Closer::Application) | None => format!("its application called {why}"),
                };
                format!("Then {by}: {}.", words::state(*to))
            }
        })
    }

    /// The error that came with an entry, and whether anybody got it.
    fn error_of(&self, end: &End, entry: EntryIndex) -> String {
        let (before, after) = self.timeline.entries.split_at(entry);
        let at = &after[0];
        let errno = (before.iter().rev().take_while(|other| other.time == at.time))
            .chain(after.iter().take_while(|other| other.time == at.time))
            .filter(|other| other.host == at.host && other.connection == at.connection)
            .find_map(|other| match &other.kind {
                EntryKind::Error(errno) => Some(errno),
                _ => None,
            });
        match errno {
            Some(errno) => format!(": {errno}"),
            None if end.state_at(entry.saturating_sub(1)) == Some(TcpState::SynReceived) => {
                format!("; no application of {} knew of it yet", self.host(end.host))
            }
            None => format!("; {}'s application had closed, and got no error", self.host(end.host)),
        }
    }

    fn time(&self, entry: Option<EntryIndex>) -> Duration {
        entry.map_or(self.end, |entry| self.timeline.entries[entry].time)
    }

    fn host(&self, host: usize) -> &str {
        phrases::host(self.timeline, host)
    }
}
