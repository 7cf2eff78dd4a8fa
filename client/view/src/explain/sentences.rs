//! A beat in a sentence.

use std::collections::BTreeMap;

use halfopen_proto::v1::{HostState, MiddleboxChange, MiddleboxState, UnreachableCode};

use super::beats::{Answer, Beat, Moved, Reset, Story, What};
use super::phrases::{self, about, times};
use crate::timeline::{EntryIndex, EntryKind, HostIndex, Timeline};
use crate::words;

/// Says beats of one connection.
pub(super) struct Sentences<'a> {
    pub(super) timeline: &'a Timeline,
    pub(super) story: &'a Story,
}

impl Sentences<'_> {
    pub(super) fn sentence(&self, beat: &Beat) -> String {
        let count = beat.count;
        match &beat.what {
            What::Opening { by, crossed, established } => self.opening(beat, *by, *crossed, established),
            What::Transfer(moved) => self.transfer(moved),
            What::Recovery(number) => match self.story.recoveries.get(*number) {
                Some(recovery) => self.recovery(recovery),
                None => String::new(),
            },
            What::Lost { host, label, reasons } => {
                let (host, count) = (self.host(*host), reasons.count());
                match count {
                    1 => format!("{host}'s {label} was lost ({}).", reasons.text()),
                    _ => format!("{count} segments of {host} ({label}) were lost ({}).", reasons.text()),
                }
            }
            What::Probes(probes) if probes.of_window => self.window_probes(probes),
            What::Probes(probes) => self.keepalive_probes(probes),
            What::WindowClosed { host } => {
                let host = self.host(*host);
                format!("{host}'s window is closed: its buffer is full, until its application reads.")
            }
            What::Step { host, from, reset } => self.step(beat, *host, *from, reset.as_ref()),
            What::EndOfStream { host } => {
                format!("{}'s application read the end of the stream.", self.host(*host))
            }
            What::Failed { host, call, octets, error } => {
                let host = self.host(*host);
                let so_far = match octets {
                    0 => String::new(),
                    octets => format!(" after {}", words::count(*octets, "byte")),
                };
                let times = if count > 1 { format!(" {}", times(count)) } else { String::new() };
                format!("{host}'s {call} failed{so_far} with {error}{times}{}.", meaning(call, error))
            }
            What::Error { host, errno } => {
                format!(
                    "The error {errno} was pending for the next call of {}'s application.",
                    self.host(*host)
                )
            }
            What::Fault { host, number, action, state } => self.fault(*host, *number, action, *state),
            What::Host { host, state } => format!("{} {}.", self.host(*host), does(*state)),
            What::Altered { host, number, action, label } => {
                let host = host.map_or("somebody", |host| self.host(host));
                let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
                format!("Fault {number} ({action}) was applied to {host}'s {label}{times}.")
            }
            What::Forged { name, by, label } => self.forged(*name, by, label, count),
            What::NotUsed { host, from, label, why, answer } => {
                self.not_used(*host, *from, (label, count), why, answer.as_ref())
            }
            What::Reset { host, reset } => format!("{} sent a RST{}.", self.host(*host), lost(reset)),
            What::Unreachable { host, label, code, mtu, dropped } => {
                let host = self.host(*host);
                let code = match code {
                    UnreachableCode::FragmentationNeeded => {
                        format!("it exceeds the MTU of the next link, {mtu} bytes")
                    }
                    code => words::unreachable(*code).to_owned(),
                };
                let used =
                    if dropped.is_empty() { String::new() } else { format!(" It was not used: {dropped}.") };
                let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
                format!(
                    "A router reported to {host} by ICMP that it could not deliver its {label} ({code}){times}.{used}"
                )
            }
            What::Middlebox { name, change, before } => self.middlebox(beat, name, *change, *before, count),
        }
    }

    pub(super) fn host(&self, host: HostIndex) -> &str {
        phrases::host(self.timeline, host)
    }

    fn transfer(&self, moved: &BTreeMap<HostIndex, Moved>) -> String {
        let calls = |count: usize, call: &str| match count {
            1 => String::new(),
            many => format!(" ({many} {call}s)"),
        };
        let parts: Vec<String> = moved
            .iter()
            .map(|(host, moved)| {
                let sent = (moved.sends > 0).then(|| {
                    format!("sent {}{}", words::count(moved.sent, "byte"), calls(moved.sends, "call"))
                });
                let received = (moved.receives > 0).then(|| {
                    format!(
                        "received {}{}",
                        words::count(moved.received, "byte"),
                        calls(moved.receives, "call")
                    )
                });
                let both: Vec<String> = [sent, received].into_iter().flatten().collect();
                format!("{} {}", self.host(*host), both.join(" and "))
            })
            .collect();
        format!("{}.", parts.join("; "))
    }

    fn fault(&self, host: Option<HostIndex>, number: u32, action: &str, state: Option<HostState>) -> String {
        let whom = host.map(|host| self.host(host));
        let effect = match (state, whom) {
            (Some(state), Some(host)) if action == "back" => format!(": {host} {}", does(state)),
            (Some(state), _) => format!(", which {}", does(state)),
            _ => String::new(),
        };
        match (action, whom) {
            ("back", Some(host)) => format!(
                "Fault {number} ended{}.",
                if effect.is_empty() { format!(": {host} is back") } else { effect }
            ),
            ("heal", _) => format!("Fault {number} ended: the network is whole again."),
            (_, Some(host)) => format!("Fault {number} ({action}) was applied to {host}{effect}."),
            (_, None) => format!("Fault {number} ({action}) was applied to the network."),
        }
    }

    fn forged(&self, name: Option<HostIndex>, by: &str, label: &str, count: usize) -> String {
        let name = name.map_or("nobody", |host| self.host(host));
        match count {
            1 => format!("A {label} in the name of {name} was forged by {by}."),
            many => format!("{many} segments ({label}) in the name of {name} were forged by {by}."),
        }
    }

    fn not_used(
        &self,
        host: HostIndex,
        from: Option<HostIndex>,
        (label, count): (&str, usize),
        why: &str,
        answer: Option<&(Answer, usize)>,
    ) -> String {
        let (host, from) = (self.host(host), from.map_or("somebody", |from| self.host(from)));
        let because = match why {
            "no such connection" => "it has no such connection (any more)",
            "the application has closed" => "its application had closed, and nobody can read it",
            "queue full" => "its queue was full",
            "outside the window" => "its sequence number is outside the window",
            "RST not exactly at rcv.nxt" => {
                "its sequence number is not exactly the next one expected (RFC 5961)"
            }
            "unexpected SYN" => "the connection is open already (RFC 5961)",
            "unacceptable ACK" => "it acknowledges data that was never sent",
            "old timestamp (PAWS)" => "its timestamp is older than the last one (PAWS)",
            other => other,
        };
        let repeated = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        let answer = match answer {
            None => String::new(),
            Some((answer, answered)) => {
                let what = match answer {
                    Answer::Reset(reset) => format!("a RST{}", lost(reset)),
                    Answer::Challenge => "a challenge ACK".to_owned(),
                    Answer::Ack => "an ACK".to_owned(),
                };
                let often = match *answered {
                    all if all == count => String::new(),
                    answered => format!(" {answered} of them"),
                };
                format!(", and answered{often} with {what}")
            }
        };
        format!("{host} did not use {from}'s {label}{repeated}: {because}{answer}.")
    }

    fn middlebox(
        &self,
        beat: &Beat,
        name: &str,
        change: MiddleboxChange,
        before: MiddleboxState,
        count: usize,
    ) -> String {
        let state = words::middlebox_state(before);
        let silence = self.silence_before(beat.from);
        let times = if count > 1 { format!(" ({})", times(count)) } else { String::new() };
        match change {
            MiddleboxChange::Unspecified | MiddleboxChange::Created | MiddleboxChange::Moved => String::new(),
            MiddleboxChange::Adopted => {
                format!("Middlebox {name} adopted the connection: it had not seen its beginning.")
            }
            MiddleboxChange::Expired => format!(
                "Middlebox {name} forgot the connection ({state} there) after {} of silence, without telling either end.",
                about(silence)
            ),
            MiddleboxChange::Forgotten => {
                format!(
                    "Middlebox {name} lost its state of the connection ({state} there), without telling either end."
                )
            }
            MiddleboxChange::Clamped => format!("Middlebox {name} lowered the MSS in the SYNs{times}."),
            MiddleboxChange::Untranslated => {
                format!(
                    "Middlebox {name} let a segment pass untranslated{times}: its receiver cannot recognize it."
                )
            }
        }
    }

    /// How long no segment of the connection had been sent before an entry.
    fn silence_before(&self, index: EntryIndex) -> std::time::Duration {
        let entry = &self.timeline.entries[index];
        let sent = |other: &&crate::timeline::Entry| {
            other.connection == entry.connection
                && matches!(other.kind, EntryKind::Sent(_) | EntryKind::Arrived { .. })
        };
        let last = self.timeline.entries[..index].iter().rev().find(sent);
        last.map_or(entry.time, |last| entry.time.saturating_sub(last.time))
    }
}

/// What a host does from now on.
const fn does(state: HostState) -> &'static str {
    match state {
        HostState::Unspecified => "is in an unknown state",
        HostState::Up => "is up again",
        HostState::Frozen => "is frozen: its programs are stopped, its kernel answers",
        HostState::Paused => "is paused as a whole, and keeps its state",
        HostState::Down => "is down now: its connections are gone, without notice",
    }
}

/// What an error means, where that helps.
fn meaning(call: &str, error: &str) -> &'static str {
    match error {
        "ETIMEDOUT" => " (the peer did not answer)",
        "ECONNRESET" => " (a RST came)",
        "ECONNREFUSED" => " (there is no listener)",
        "EPIPE" => " (the connection cannot send any more)",
        "EADDRNOTAVAIL" => " (no port is left)",
        "EAGAIN" if call == "receive" || call == "ping" => {
            " (nothing arrived within the timeout of the application)"
        }
        "EHOSTUNREACH" => " (a router cannot reach the host)",
        "ENETUNREACH" => " (a router cannot reach the network)",
        _ => "",
    }
}

/// What became of a RST, if it was lost.
pub(super) fn lost(reset: &Reset) -> String {
    match reset.lost.count() {
        0 => String::new(),
        _ => format!(", which was lost ({})", reset.lost.text()),
    }
}
