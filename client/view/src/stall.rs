//! Why nothing happened for a while: what was waited for, and what was held back meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_proto::v1::{StepKind, TcpState, TcpTimer, TimerChange};

use crate::timeline::{Entry, EntryIndex, EntryKind, HostIndex, Segment, Timeline};
use crate::words;

/// What was waited for until something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// An acknowledgment that the host delayed.
    DelayedAck(DelayedAck),
    /// A timer of the host, set then if that is known.
    Timer { host: HostIndex, timer: TcpTimer, since: Option<Duration> },
    /// The application of the host, which does nothing for a time.
    Application { host: HostIndex },
}

/// An acknowledgment that was sent because the delayed ACK timer fired (RFC 9293 §3.8.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DelayedAck {
    pub(crate) host: HostIndex,
    /// Since when there was something to acknowledge.
    pub(crate) since: Duration,
    /// What the Nagle algorithm of the peer held back meanwhile.
    pub(crate) held: Option<Held>,
}

/// Data that waits for an acknowledgment before it is sent (RFC 9293 §3.7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) host: HostIndex,
    pub(crate) octets: u64,
}

/// What delayed a run.
#[derive(Debug, Default)]
pub(crate) struct Stalls {
    delayed_acks: BTreeMap<EntryIndex, DelayedAck>,
    /// When each timer that fired was set.
    set: BTreeMap<EntryIndex, Duration>,
    /// Bytes that had not been sent where an end was closed: its FIN waits behind them.
    unsent: BTreeMap<EntryIndex, u64>,
    /// The shortest time that a segment of each connection was on its way.
    ways: BTreeMap<u32, Duration>,
}

impl Stalls {
    pub(crate) fn new(timeline: &Timeline) -> Stalls {
        let mut stalls = Stalls::default();
        let mut flows: BTreeMap<(HostIndex, u32), Flow> = BTreeMap::new();
        let mut running: BTreeMap<(HostIndex, u32, TcpTimer), Duration> = BTreeMap::new();
        for (index, entry) in timeline.entries.iter().enumerate() {
            let Some(host) = entry.host.filter(|_| entry.connection != 0) else { continue };
            let flow = flows.entry((host, entry.connection)).or_default();
            match &entry.kind {
                EntryKind::Written { octets } => flow.written += octets,
                EntryKind::Sent(segment) if !segment.injected => flow.sent(segment),
                EntryKind::Arrived { segment: sent, .. } => {
                    let Some(segment) = timeline.segment(*sent) else { continue };
                    flow.arrived(segment);
                    let way = entry.time.saturating_sub(timeline.entries[*sent].time);
                    let shortest = stalls.ways.entry(entry.connection).or_insert(way);
                    *shortest = way.min(*shortest);
                }
                EntryKind::Timer { timer: TcpTimer::DelayedAck, change, .. } => match change {
                    TimerChange::Set => _ = flow.ack_due.get_or_insert(entry.time),
                    TimerChange::Cancelled | TimerChange::Unspecified => flow.ack_due = None,
                    TimerChange::Fired => {
                        let since = flow.ack_due.take().unwrap_or(entry.time);
                        let mut peers = flows
                            .iter()
                            .filter(|((other, number), _)| *other != host && *number == entry.connection);
                        let held = peers.find_map(|((host, _), peer)| {
                            Some(Held { host: *host, octets: peer.held_by_nagle()? })
                        });
                        stalls.delayed_acks.insert(index, DelayedAck { host, since, held });
                    }
                },
                EntryKind::Timer { timer, change, .. } => {
                    let key = (host, entry.connection, *timer);
                    match change {
                        TimerChange::Set => _ = running.insert(key, entry.time),
                        TimerChange::Cancelled | TimerChange::Unspecified => _ = running.remove(&key),
                        TimerChange::Fired => {
                            stalls.set.extend(running.remove(&key).map(|since| (index, since)));
                        }
                    }
                }
                EntryKind::Transition { to: TcpState::FinWait1 | TcpState::LastAck, .. } => {
                    stalls.unsent.insert(index, flow.unsent());
                }
                _ => {}
            }
        }
        stalls
    }

    /// The acknowledgment that was sent because the timer fired there.
    pub(crate) fn delayed_ack(&self, fired: EntryIndex) -> Option<DelayedAck> {
        self.delayed_acks.get(&fired).copied()
    }

    /// How many bytes of an end had not been sent where it was closed.
    pub(crate) fn unsent(&self, closed: EntryIndex) -> u64 {
        self.unsent.get(&closed).copied().unwrap_or_default()
    }

    /// The shortest round trip of a connection, as far as it is known.
    pub(crate) fn round_trip(&self, connection: u32) -> Option<Duration> {
        self.ways.get(&connection).map(|way| *way * 2)
    }

    /// What was waited for until an entry, if that is known.
    pub(crate) fn before(&self, timeline: &Timeline, index: EntryIndex) -> Option<Wait> {
        let entry = timeline.entries.get(index)?;
        let earlier = timeline.entries[..index].iter().rev().take_while(|other| other.time == entry.time);
        let moment = index - earlier.count()..=index;
        let concerns = |other: &Entry| {
            (entry.host.is_none() || other.host == entry.host)
                && (other.connection == entry.connection || other.connection == 0 || entry.connection == 0)
        };
        moment
            .filter(|index| concerns(&timeline.entries[*index]))
            .find_map(|index| self.wait(timeline, index))
    }

    /// What an entry says was waited for.
    fn wait(&self, timeline: &Timeline, index: EntryIndex) -> Option<Wait> {
        let entry = &timeline.entries[index];
        let host = entry.host?;
        match &entry.kind {
            EntryKind::Timer { timer, change: TimerChange::Fired, .. } => {
                let delayed = self.delayed_ack(index).map(Wait::DelayedAck);
                let since = self.set.get(&index).copied();
                Some(delayed.unwrap_or(Wait::Timer { host, timer: *timer, since }))
            }
            EntryKind::Application { call: StepKind::Wait | StepKind::WaitUntil, .. } => {
                Some(Wait::Application { host })
            }
            _ => None,
        }
    }
}

impl Wait {
    /// Since when it was waited for, if that is known.
    pub(crate) const fn since(self) -> Option<Duration> {
        match self {
            Wait::DelayedAck(DelayedAck { since, .. }) => Some(since),
            Wait::Timer { since, .. } => since,
            Wait::Application { .. } => None,
        }
    }

    /// In words: `server delays its ACK`.
    pub(crate) fn text(self, timeline: &Timeline) -> String {
        let name = |host: HostIndex| timeline.hosts.get(host).map_or("a host", String::as_str);
        match self {
            Wait::DelayedAck(DelayedAck { host, held: None, .. }) => {
                format!("{} delays its ACK", name(host))
            }
            Wait::DelayedAck(DelayedAck { host, held: Some(held), .. }) => {
                let octets = words::count(held.octets, "byte");
                let sender = name(held.host);
                format!("{} delays its ACK, and {sender}'s Nagle algorithm holds {octets}", name(host))
            }
            Wait::Timer { host, timer, .. } => format!("{}'s {} timer runs", name(host), words::timer(timer)),
            Wait::Application { host } => format!("{}'s application waits", name(host)),
        }
    }
}

/// What one end of a connection has to send.
#[derive(Debug, Default)]
struct Flow {
    /// Bytes that the application wrote, that were sent, and that were acknowledged.
    written: u64,
    sent: u64,
    acknowledged: u64,
    /// What the peer accepts: in one segment, and in all.
    mss: u64,
    window: u64,
    /// Whether losses limit what is sent.
    recovers: bool,
    /// Since when it has something to acknowledge.
    ack_due: Option<Duration>,
}

impl Flow {
    fn sent(&mut self, segment: &Segment) {
        let end = (u64::from(segment.seq) + u64::from(segment.length)).saturating_sub(1);
        self.sent = self.sent.max(end);
        self.recovers |= segment.retransmission;
    }

    fn arrived(&mut self, segment: &Segment) {
        self.mss = segment.mss.map_or(self.mss, u64::from);
        self.window = u64::from(segment.window);
        let acknowledged = segment.ack.map_or(0, |ack| u64::from(ack).saturating_sub(1));
        self.acknowledged = self.acknowledged.max(acknowledged);
        self.recovers &= self.acknowledged < self.sent;
    }

    /// How many bytes wait to be sent.
    fn unsent(&self) -> u64 {
        self.written.saturating_sub(self.sent)
    }

    /// How many bytes the Nagle algorithm holds back: less than a segment, which the window would accept, while something is
    /// unacknowledged.
    fn held_by_nagle(&self) -> Option<u64> {
        let unsent = self.unsent();
        let in_flight = self.sent.saturating_sub(self.acknowledged);
        let holds = in_flight > 0 && unsent > 0 && unsent < self.mss && in_flight + unsent <= self.window;
        (holds && !self.recovers).then_some(unsent)
    }
}
