//! Neighbour discovery on a LAN: whose link-layer address a host has for the address it sends to (ARP, RFC 826; RFC 4861 §7.3).
//!
//! The states and times are those of Linux (net/core/neighbour.c), except that `base_reachable_time` is not drawn from 15 s to
//! 45 s. What a host asks, and the answers, are not lost by chance.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::Instant;
use halfopen_trace::HostId;

use crate::flight::Outgoing;

/// How long a neighbour that answered needs no other sign of life (`base_reachable_time`).
const REACHABLE_TIME: Duration = Duration::from_secs(30);
/// How long a neighbour that may be gone has to give one before it is asked (`delay_first_probe_time`).
const DELAY_FIRST_PROBE_TIME: Duration = Duration::from_secs(5);
/// The time between two requests (`retrans_time`), and how many there are (`mcast_solicit`, `ucast_solicit`).
const RETRANS_TIME: Duration = Duration::from_secs(1);
const SOLICITATIONS: u32 = 3;
/// How many datagrams wait for an answer (`unres_qlen`).
const QUEUE_LENGTH: usize = 101;

/// Octets of memory that an entry is counted with, and a datagram that waits besides its own.
const ENTRY: u64 = 256;
const WAITING: u64 = 256;

/// A datagram that waits for its neighbour.
pub(crate) type Waiting = (Outgoing, Vec<u8>);

/// The memory that a datagram takes while it waits, octets.
fn octets((_, datagram): &Waiting) -> u64 {
    datagram.len() as u64 + WAITING
}

/// The neighbour tables of all hosts.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    /// By the host that has the entry, and the address.
    entries: BTreeMap<(HostId, IpAddr), Entry>,
    /// Octets of the datagrams that wait.
    waiting: u64,
}

#[derive(Debug, Default)]
struct Entry {
    state: State,
    /// The host whose link-layer address it has.
    host: Option<HostId>,
    /// The address that the host itself asks from.
    source: Option<IpAddr>,
    waiting: VecDeque<Waiting>,
}

/// The state of an entry (Linux `NUD_*`).
#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// Nothing is known, or nobody has answered.
    #[default]
    Failed,
    /// Everybody is asked.
    Incomplete(Requests),
    /// It has answered, or sent something, not long ago.
    Reachable { until: Instant },
    /// It may be gone.
    Stale,
    /// It may be gone, and was sent something: a sign of life may come until then.
    Delay { until: Instant },
    /// It is asked.
    Probe(Requests),
}

/// Requests that are not answered yet.
#[derive(Clone, Copy, Debug)]
struct Requests {
    sent: u32,
    /// When the next is due, or all have failed.
    next: Instant,
    /// When an answer comes, and from whom.
    answer: Option<(Instant, HostId)>,
}

/// Who answers a request of a host for an address, and how long that takes.
pub(crate) trait Lan {
    fn answer(&self, asking: HostId, address: IpAddr) -> Option<(HostId, Duration)>;
}

/// What becomes of the datagrams that wait for a neighbour.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) time: Instant,
    /// The host that has answered; `None`: nobody has.
    pub(crate) host: Option<HostId>,
    pub(crate) waiting: VecDeque<Waiting>,
}

impl Neighbours {
    /// The host that datagrams for this address go to, as far as the sender knows.
    pub(crate) fn host(&self, from: HostId, address: IpAddr) -> Option<HostId> {
        self.entries.get(&(from, address))?.host
    }

    /// A host sends something from one address to another. `None`: it has to [wait](Neighbours::wait).
    pub(crate) fn send(
        &mut self,
        now: Instant,
        from: HostId,
        [source, address]: [IpAddr; 2],
        lan: &impl Lan,
    ) -> Option<HostId> {
        let entry = self.entries.entry((from, address)).or_default();
        entry.source = Some(source);
        match entry.state {
            State::Failed => {
                let requests = self.ask(now, from, address, lan);
                self.entries.get_mut(&(from, address))?.state = State::Incomplete(requests);
                None
            }
            State::Incomplete(_) => None,
            State::Reachable { until } if now < until => entry.host,
            State::Reachable { .. } | State::Stale => {
                entry.state = State::Delay { until: now + DELAY_FIRST_PROBE_TIME };
                entry.host
            }
            State::Delay { .. } | State::Probe(_) => entry.host,
        }
    }

    /// A datagram waits for the answer. Returns the one that has waited longest if there are too many.
    pub(crate) fn wait(&mut self, from: HostId, address: IpAddr, datagram: Waiting) -> Option<Waiting> {
        let waiting = &mut self.entries.entry((from, address)).or_default().waiting;
        self.waiting += octets(&datagram);
        waiting.push_back(datagram);
        let too_many = if waiting.len() > QUEUE_LENGTH { waiting.pop_front() } else { None };
        self.waiting -= too_many.as_ref().map_or(0, octets);
        too_many
    }

    /// The memory that they take, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.waiting + self.entries.len() as u64 * ENTRY
    }

    /// Something from this address has come to a host, sent by another: a sign of life.
    pub(crate) fn confirm(&mut self, now: Instant, at: HostId, address: IpAddr, by: HostId) {
        let Some(entry) = self.entries.get_mut(&(at, address)) else { return };
        let is_known = !matches!(entry.state, State::Failed | State::Incomplete(_));
        if is_known && entry.host == Some(by) {
            entry.state = State::Reachable { until: now + REACHABLE_TIME };
        }
    }

    /// A host tells all others that it has the address now (gratuitous ARP): those who have an entry change it.
    pub(crate) fn announce(&mut self, address: IpAddr, host: HostId) {
        for ((_, known), entry) in &mut self.entries {
            if *known == address && entry.host.is_some() {
                (entry.state, entry.host) = (State::Stale, Some(host));
            }
        }
    }

    /// A host loses its memory. Returns what waited in it.
    pub(crate) fn forget(&mut self, host: HostId) -> Vec<Waiting> {
        let mut lost = Vec::new();
        for ((_, _), entry) in self.entries.iter_mut().filter(|((owner, _), _)| *owner == host) {
            lost.extend(std::mem::take(entry).waiting);
        }
        self.waiting -= lost.iter().map(octets).sum::<u64>();
        lost
    }

    /// When datagrams next stop waiting. Nobody has to wait for what else changes.
    pub(crate) fn next_outcome(&self) -> Option<Instant> {
        self.entries.values().filter(|entry| !entry.waiting.is_empty()).filter_map(Entry::due).min()
    }

    /// The next change that is due by now, if there is one whereupon datagrams stop waiting.
    pub(crate) fn handle_timeout(&mut self, now: Instant, lan: &impl Lan) -> Option<Outcome> {
        loop {
            let due = self.entries.iter().filter_map(|(key, entry)| Some((entry.due()?, *key)));
            let (time, (from, address)) = due.min().filter(|(time, _)| *time <= now)?;
            if let Some(host) = self.change(time, from, address, lan) {
                let entry = self.entries.entry((from, address)).or_default();
                entry.host = host;
                let waiting = std::mem::take(&mut entry.waiting);
                if !waiting.is_empty() {
                    self.waiting -= waiting.iter().map(octets).sum::<u64>();
                    return Some(Outcome { time, host, waiting });
                }
            }
        }
    }

    /// What is due for an entry happens. Returns whose link-layer address it has, once that is decided.
    fn change(
        &mut self,
        time: Instant,
        from: HostId,
        address: IpAddr,
        lan: &impl Lan,
    ) -> Option<Option<HostId>> {
        let entry = self.entries.get(&(from, address))?;
        let (state, known) = (entry.state, entry.host);
        let (next, outcome) = match state {
            State::Delay { .. } => (State::Probe(self.ask(time, from, address, lan).of(known)), None),
            State::Incomplete(requests) | State::Probe(requests) => {
                let unicast = matches!(state, State::Probe(_));
                match requests.answer {
                    Some((at, host)) if at <= time => {
                        (State::Reachable { until: time + REACHABLE_TIME }, Some(Some(host)))
                    }
                    Some(_) | None if requests.sent == SOLICITATIONS => (State::Failed, Some(None)),
                    earlier => {
                        let again = self.ask(time, from, address, lan);
                        let again = if unicast { again.of(known) } else { again };
                        let answer = earlier.or(again.answer);
                        let requests = Requests { sent: requests.sent + 1, answer, ..again };
                        (if unicast { State::Probe(requests) } else { State::Incomplete(requests) }, None)
                    }
                }
            }
            State::Failed | State::Reachable { .. } | State::Stale => (state, None),
        };
        self.entries.get_mut(&(from, address))?.state = next;
        outcome
    }

    /// The first request. The host that answers it learns of the host that asks.
    fn ask(&mut self, now: Instant, from: HostId, address: IpAddr, lan: &impl Lan) -> Requests {
        let answer = lan.answer(from, address);
        let source = self.entries.get(&(from, address)).and_then(|entry| entry.source);
        if let (Some((host, _)), Some(source)) = (answer, source) {
            let entry = self.entries.entry((host, source)).or_default();
            if matches!(entry.state, State::Failed) {
                (entry.state, entry.host) = (State::Stale, Some(from));
            }
        }
        let answer = answer.map(|(host, takes)| (now + takes, host));
        Requests { sent: 1, next: now + RETRANS_TIME, answer }
    }
}

impl Entry {
    fn due(&self) -> Option<Instant> {
        match self.state {
            State::Failed | State::Reachable { .. } | State::Stale => None,
            State::Delay { until } => Some(until),
            State::Incomplete(requests) | State::Probe(requests) => {
                Some(requests.answer.map_or(requests.next, |(at, _)| at.min(requests.next)))
            }
        }
    }
}

impl Requests {
    /// Only this host is asked.
    fn of(self, host: Option<HostId>) -> Requests {
        Requests { answer: self.answer.filter(|(_, by)| Some(*by) == host), ..self }
    }
}
