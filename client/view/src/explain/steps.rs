//! Changes of state in sentences: how a connection opened, and how it was closed.

use std::fmt;

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{Cause, TcpCall, TcpState, TcpTimer};

use super::beats::{Beat, Reset};
use super::faults;
use super::fin::{self, Fin};
use super::phrases::{self, about};
use super::sentences::{Sentences, lost};
use crate::timeline::{Closer, EntryIndex, EntryKind, HostIndex, Segment};
use crate::words;

/// Who sent a segment.
#[derive(Clone, Copy)]
pub(super) enum Peer<'a> {
    Host(&'a str),
    /// The other end of a connection of one host.
    OtherEnd,
    /// The socket that received it.
    SameSocket,
    Unknown,
}

impl Peer<'_> {
    /// At the beginning of a sentence. The name of a host stays as it is.
    fn first(self) -> String {
        match self {
            Peer::Host(name) => name.to_owned(),
            Peer::OtherEnd => "The other end".to_owned(),
            Peer::SameSocket => "The same socket".to_owned(),
            Peer::Unknown => "The peer".to_owned(),
        }
    }
}

impl fmt::Display for Peer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Peer::Host(name) => name,
            Peer::OtherEnd => "the other end",
            Peer::SameSocket => "the same socket",
            Peer::Unknown => "the peer",
        })
    }
}

impl Sentences<'_> {
    pub(super) fn opening(
        &self,
        beat: &Beat,
        by: HostIndex,
        crossed: bool,
        established: &[(HostIndex, EntryIndex)],
    ) -> String {
        let start = self.timeline.entries[beat.from].time;
        let when: Vec<String> = established
            .iter()
            .map(|(host, entry)| {
                let after = self.timeline.entries[*entry].time.saturating_sub(start);
                format!("at {} after {}", self.host(*host), about(after))
            })
            .collect();
        let how = match crossed {
            true => {
                "Both ends called connect, their SYNs crossed, and each answered the other's with a SYN+ACK"
                    .to_owned()
            }
            false => format!("{} called connect and sent a SYN", self.host(by)),
        };
        let how = match self.with_cookie(beat) {
            Some(host) => format!("{how}, which {} answered with a SYN cookie", self.host(host)),
            None => how,
        };
        match when.is_empty() {
            true => format!("{how}; no end was ever ESTABLISHED."),
            false => format!("{how}; the connection was ESTABLISHED {}.", phrases::list(&when)),
        }
    }

    /// The host that did not remember the SYN of an opening, but got it back in a SYN cookie.
    fn with_cookie(&self, opening: &Beat) -> Option<HostIndex> {
        let entries = &self.timeline.entries[opening.from..=opening.until];
        let of_it = entries.iter().filter(|entry| entry.connection == entries[0].connection);
        let mut cookies = of_it.filter(|entry| match &entry.kind {
            EntryKind::Transition { cause, .. } => {
                matches!(&cause.origin, Some(Origin::Segment(segment)) if segment.syn_cookie)
            }
            _ => false,
        });
        cookies.next().and_then(|entry| entry.host)
    }

    pub(super) fn step(&self, beat: &Beat, host: HostIndex, from: TcpState, reset: Option<&Reset>) -> String {
        let EntryKind::Transition { to, by_segment, cause, .. } = &self.timeline.entries[beat.from].kind
        else {
            return String::new();
        };
        let name = self.host(host);
        let (was, is) = (words::state(from), words::state(*to));
        let why = self.timeline.why(beat.from);
        let segment = by_segment.and_then(|sent| self.timeline.segment(sent));
        let sent = by_segment.map(|sent| &self.timeline.entries[sent]);
        let sender = sent.and_then(|sent| sent.host);
        let own = self.timeline.entries[beat.from].connection;
        let peer = match sent {
            Some(sent) if sender == Some(host) && sent.connection != own => Peer::OtherEnd,
            Some(_) if self.timeline.is_loop(own) => Peer::SameSocket,
            _ => sender.map_or(Peer::Unknown, |host| Peer::Host(self.host(host))),
        };
        let first = peer.first();
        let mut text = match (from, *to) {
            (_, TcpState::Closed) => self.closed(beat.from, (name, from), segment, peer, cause),
            (_, TcpState::FinWait1 | TcpState::LastAck) => self.closing(beat.from, name, *to),
            (_, TcpState::CloseWait) => {
                format!("{first}'s FIN reached {name}: {is}, until its application closes too")
            }
            (_, TcpState::FinWait2) => format!("{first} acknowledged {name}'s FIN: {is}"),
            (_, TcpState::Closing) => {
                format!("{first}'s FIN reached {name} before its own was acknowledged: {is}")
            }
            (TcpState::FinWait1, TcpState::TimeWait) => {
                format!("{first}'s FIN reached {name} and acknowledged its own: {is}")
            }
            (TcpState::Closing, TcpState::TimeWait) => format!("{first} acknowledged {name}'s FIN: {is}"),
            (_, TcpState::TimeWait) => format!("{first}'s FIN reached {name}: {is}"),
            _ => format!("{name} went from {was} to {is}: {why}"),
        };
        if let Some(reset) = reset {
            let is_close = cause.origin == Some(Origin::Call(TcpCall::Close.into()));
            let unread = if is_close { " because input was unread" } else { "" };
            text.push_str(&format!("; it sent a RST{unread}{}", lost(reset)));
        }
        text + "."
    }

    /// An end is closed, and its FIN leaves behind all that waits to be sent.
    fn closing(&self, at: EntryIndex, name: &str, to: TcpState) -> String {
        let (by, is) = (self.by(at, name), words::state(to));
        let which = if to == TcpState::LastAck { "its own FIN" } else { "a FIN" };
        match Fin::of(self.timeline, self.stalls, at) {
            Fin::AtOnce => format!("{by}: {name} sent {which}, {is}"),
            Fin::Later(after, behind) => {
                format!(
                    "{by}: {is}; its FIN waits behind {}, and leaves {} later",
                    fin::unsent(behind),
                    about(after)
                )
            }
            Fin::Never(behind) => {
                format!("{by}: {is}; its FIN waits behind {}, and never leaves", fin::unsent(behind))
            }
        }
    }

    /// Who made the call of a transition: `server's application called close()`.
    fn by(&self, at: EntryIndex, name: &str) -> String {
        match self.timeline.closer(at) {
            Some(Closer::Kill) => format!("{name}'s program was killed, and its kernel closed the socket"),
            Some(Closer::Exit) => format!("{name}'s program ended, and its kernel closed the socket"),
            Some(Closer::Application) | None => {
                format!("{name}'s application called {}", self.timeline.why(at))
            }
        }
    }

    pub(super) fn closed(
        &self,
        at: EntryIndex,
        (name, from): (&str, TcpState),
        segment: Option<&Segment>,
        peer: Peer<'_>,
        cause: &Cause,
    ) -> String {
        let first = peer.first();
        let was = words::state(from);
        if let Some(timer) = phrases::gave_up(cause) {
            let mute = faults::mute(self.timeline, at).filter(|_| timer == TcpTimer::Persist);
            if let Some(mute) = mute {
                let how_long =
                    if cause.user_timeout { "until its user timeout was over" } else { "for too long" };
                return format!(
                    "{name} gave up: {how_long} it could send nothing, because {mute}. From {was} it went to CLOSED"
                );
            }
            let why = match (timer, cause.user_timeout) {
                (TcpTimer::Keepalive, false) => {
                    "the keepalive timer fired again and no probe had been answered"
                }
                (TcpTimer::Persist, false) => "for too long no window probe had opened the window",
                (_, false) => "for too long nothing had been acknowledged",
                (TcpTimer::Keepalive, true) => {
                    "its user timeout was over, and no keepalive probe had been answered"
                }
                (TcpTimer::Persist, true) => {
                    "its user timeout was over, and no window probe had opened the window"
                }
                (_, true) => "its user timeout was over, and nothing had been acknowledged",
            };
            return format!("{name} gave up: {why}. From {was} it went to CLOSED");
        }
        match segment {
            Some(segment) if segment.flags.rst => {
                let who = match (segment.middlebox.as_str(), segment.injected) {
                    ("", false) => format!("A RST from {peer}"),
                    ("", true) => format!("A forged RST in the name of {peer}"),
                    (middlebox, _) => {
                        format!("A RST that middlebox {middlebox} forged in the name of {peer}")
                    }
                };
                return format!("{who} reached {name}: from {was} it went to CLOSED");
            }
            Some(_) if from == TcpState::LastAck => {
                return format!("{first} acknowledged {name}'s FIN: {name} is CLOSED");
            }
            Some(segment) if segment.length > 0 => {
                return format!(
                    "{first}'s data came when nobody could read it at {name} any more: from {was} it went to CLOSED"
                );
            }
            _ => {}
        }
        let why = self.timeline.why(at);
        match cause.origin {
            _ if phrases::is_replaced(cause) => {
                format!("{name}'s TIME-WAIT ended early, because a new connection takes its place: CLOSED")
            }
            Some(Origin::Other(_)) => {
                format!("{name}'s listener closed, and with it the connection: CLOSED")
            }
            Some(Origin::Call(_)) => {
                format!("{}: from {was} it went to CLOSED", self.by(at, name))
            }
            _ => match phrases::fired(cause) {
                Some(TcpTimer::TimeWait) => format!("{name}'s TIME-WAIT ended: CLOSED"),
                Some(TcpTimer::FinWait2) => {
                    format!("{name} stopped waiting for a FIN: its FIN-WAIT-2 timer fired, CLOSED")
                }
                _ => format!("{name} went from {was} to CLOSED: {why}"),
            },
        }
    }
}
