//! What the applications of a connection saw of it.

use std::collections::BTreeMap;

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{StepKind, TcpCall};

use super::phrases;
use crate::timeline::{Closer, EntryIndex, EntryKind, HostIndex, Timeline};
use crate::words;

const CLOSED: &str = "closed";
const SHUT_DOWN: &str = "shut down its direction";
const ABORTED: &str = "aborted";

/// What one application saw.
#[derive(Clone, Debug, Default)]
struct Seen {
    first: Option<EntryIndex>,
    last: EntryIndex,
    sent: u64,
    received: u64,
    end_of_stream: bool,
    /// How it let go of the connection, by a call or without one.
    ended: Option<&'static str>,
    /// Calls that failed, with their errors, each with its number.
    failed: BTreeMap<(String, String), usize>,
    /// An error that no call got so far.
    waiting: Option<String>,
}

/// Sentences on what applications saw of a connection, one a host.
pub(super) fn sentences(timeline: &Timeline, connection: u32) -> Vec<(EntryIndex, EntryIndex, String)> {
    let mut hosts: BTreeMap<HostIndex, Seen> = BTreeMap::new();
    for (index, entry) in timeline.entries.iter().enumerate() {
        let Some(host) = entry.host.filter(|_| entry.connection == connection) else { continue };
        match &entry.kind {
            EntryKind::Application { call, end_of_stream, error, .. } => {
                let seen = hosts.entry(host).or_default();
                seen.at(index);
                seen.note(*call, *end_of_stream, error);
            }
            EntryKind::Transition { cause, .. } => {
                let ended = match (timeline.closer(index), &cause.origin) {
                    (Some(Closer::Kill), _) => "was killed",
                    (Some(Closer::Exit), _) => "ended",
                    (Some(Closer::Application), Some(Origin::Call(call))) => {
                        match TcpCall::try_from(*call).unwrap_or_default() {
                            TcpCall::Shutdown => SHUT_DOWN,
                            TcpCall::Abort => ABORTED,
                            TcpCall::Unspecified | TcpCall::Connect | TcpCall::Listen | TcpCall::Close => {
                                CLOSED
                            }
                        }
                    }
                    (Some(Closer::Application) | None, _) => continue,
                };
                let seen = hosts.entry(host).or_default();
                seen.at(index);
                seen.ended = Some(ended);
            }
            EntryKind::Written { octets } => {
                let seen = hosts.entry(host).or_default();
                seen.at(index);
                seen.sent += octets;
            }
            EntryKind::Read { octets } => {
                let seen = hosts.entry(host).or_default();
                seen.at(index);
                seen.received += octets;
            }
            EntryKind::Error(errno) => {
                hosts.entry(host).or_default().waiting = Some(errno.clone());
            }
            _ => {}
        }
    }
    let mut sentences = Vec::new();
    for (host, seen) in &hosts {
        let name = phrases::host(timeline, *host);
        if let Some(first) = seen.first {
            sentences.push((first, seen.last, seen.sentence(name)));
        }
        let peer = hosts.iter().find(|(other, _)| *other != host).filter(|_| hosts.len() == 2);
        if let Some((peer, theirs)) = peer.filter(|(_, theirs)| theirs.received < seen.sent) {
            let (sent, received) = (words::count(seen.sent, "byte"), theirs.received);
            let peer = phrases::host(timeline, *peer);
            let text = format!("Of the {sent} that {name}'s application sent, {peer}'s received {received}.");
            sentences.push((seen.last, seen.last, text));
        }
    }
    sentences
}

impl Seen {
    fn at(&mut self, index: EntryIndex) {
        self.first.get_or_insert(index);
        self.last = index;
    }

    fn note(&mut self, call: StepKind, end_of_stream: bool, error: &str) {
        self.end_of_stream |= end_of_stream;
        if !error.is_empty() {
            *self.failed.entry((words::step(call).to_owned(), error.to_owned())).or_default() += 1;
            self.waiting = None;
            return;
        }
        match call {
            StepKind::Close => self.ended = Some(CLOSED),
            StepKind::Shutdown => self.ended = Some(SHUT_DOWN),
            StepKind::Abort => self.ended = Some(ABORTED),
            _ => {}
        }
    }

    fn sentence(&self, host: &str) -> String {
        let mut parts = Vec::new();
        let moved = |verb: &str, octets: u64| match octets {
            0 => format!("{verb} nothing"),
            octets => format!("{verb} {}", words::count(octets, "byte")),
        };
        parts.extend([moved("sent", self.sent), moved("received", self.received)]);
        if self.end_of_stream {
            parts.push("saw the end of the stream".to_owned());
        }
        let failures: Vec<String> = self
            .failed
            .iter()
            .map(|((call, error), count)| match count {
                1 => format!("{call} failed with {error}"),
                many => format!("{call} failed with {error} {}", phrases::times(*many)),
            })
            .collect();
        parts.extend(self.ended.map(str::to_owned));
        let mut text = format!("{host}'s application {}", phrases::list(&parts));
        if !failures.is_empty() {
            text.push_str(&format!("; its {}", phrases::list(&failures)));
        }
        if let Some(errno) = &self.waiting {
            text.push_str(&format!("; the error {errno} reached no call"));
        } else if failures.is_empty() {
            text.push_str("; no call failed");
        }
        text + "."
    }
}
