//! Middleboxes: devices on the way between two hosts that keep state of connections.

mod addresses;
mod edit;
mod numbers;
mod resets;
mod states;
#[cfg(test)]
mod tests;
mod tracker;
mod translation;
mod window;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use halfopen_scenario::{HostId as ScenarioHost, MiddleboxFault, Scenario, Stands, TrackedState};
use halfopen_tcp::{Flags, Instant, read_segment};
use halfopen_trace::{FaultId, HostId, MiddleboxChange, MiddleboxChanged, MiddleboxId, MiddleboxLoss, Phase};

use self::tracker::{Change, Origin, Tracker};
pub(crate) use self::tracker::{Expired, Sockets, Verdict};
use crate::event::{EventKind, Events};
use crate::flight::Flight;
use crate::random::Stream;
use crate::wire::{self, End};

/// The middleboxes of a scenario, and where they stand.
#[derive(Debug)]
pub(crate) struct Middleboxes {
    scenario: Arc<Scenario>,
    boxes: Vec<Middlebox>,
    /// The middleboxes between two hosts, in the order in which a datagram meets them: by sender, then receiver.
    ways: Vec<Vec<MiddleboxId>>,
}

#[derive(Debug)]
struct Middlebox {
    tracker: Tracker,
    /// The hosts behind it, if it stands before some.
    behind: Vec<HostId>,
    mss_clamp: Option<u16>,
    /// The number of reasons to create no new state: faults, and its own settings.
    blocks: u32,
    /// The fault that turned it off.
    down: Option<FaultId>,
}

/// What a middlebox does with a segment, and the connection that it forgets for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) forgotten: Option<(Sockets, TrackedState)>,
    /// The socket that the segment is for now, if that has changed.
    pub(crate) destination: Option<SocketAddr>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Judged {
        Judged { verdict, forgotten: None, destination: None }
    }
}

/// What follows from a fault on a middlebox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Struck {
    /// The fault that had turned it off before, and does not turn it on again.
    pub(crate) replaces: Option<FaultId>,
    /// The connections that it has forgotten.
    pub(crate) forgotten: Vec<(Sockets, TrackedState)>,
}

impl Middleboxes {
    /// The middleboxes of a scenario.
    pub(crate) fn new(scenario: &Arc<Scenario>, seed: u64) -> Middleboxes {
        let given = &scenario.network.middleboxes;
        let boxes = given.iter().map(|middlebox| Middlebox {
            tracker: Tracker::new(
                middlebox.settings.clone(),
                Stream::new(seed, &format!("middlebox/{}", middlebox.name)),
            ),
            behind: match &middlebox.stands {
                Stands::InFrontOf(hosts) => hosts.iter().map(|host| HostId::from(*host)).collect(),
                Stands::Everywhere | Stands::Between(_) | Stands::OneWay { .. } => Vec::new(),
            },
            mss_clamp: middlebox.settings.mss_clamp,
            blocks: u32::from(middlebox.settings.blocks_new),
            down: None,
        });
        let hosts = scenario.hosts.len();
        let way = |index: usize| {
            let (from, to) = (index / hosts, index % hosts);
            let on_way = |index: &usize| given[*index].is_on_way(ScenarioHost(from), ScenarioHost(to));
            let mut way: Vec<MiddleboxId> =
                (0..given.len()).filter(on_way).map(|index| MiddleboxId(index as u16)).collect();
            // In the order of the text from the host that comes first in it, and in reverse from the other.
            if from > to {
                way.reverse();
            }
            way
        };
        let ways = if given.is_empty() { 0 } else { hosts * hosts };
        Middleboxes {
            scenario: Arc::clone(scenario),
            boxes: boxes.collect(),
            ways: (0..ways).map(way).collect(),
        }
    }

    /// The middleboxes that a datagram meets, in order.
    pub(crate) fn on_way(&self, from: HostId, to: HostId) -> &[MiddleboxId] {
        let hosts = self.scenario.hosts.len();
        self.ways.get(from.index() * hosts + to.index()).map_or(&[], Vec::as_slice)
    }

    /// The memory that their state takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.boxes.iter().map(|middlebox| middlebox.tracker.memory()).sum()
    }

    /// When a middlebox next sends RSTs. Nobody has to wait for a connection that expires silently.
    pub(crate) fn next_reset(&self) -> Option<Instant> {
        self.boxes.iter().filter_map(|middlebox| middlebox.tracker.next_reset()).min()
    }

    /// The socket of a host that another socket knows by this one; any other socket stays what it is.
    pub(crate) fn owner(&self, mut socket: SocketAddr, other: SocketAddr) -> SocketAddr {
        if self.boxes.is_empty() || self.scenario.host_of(socket.ip()).is_some() {
            return socket;
        }
        // As many may stand in a row as there are.
        for _ in &self.boxes {
            let translations = self.boxes.iter().filter_map(|it| it.tracker.translation(socket.ip()));
            socket = translations.filter_map(|it| it.owner(socket, other)).next().unwrap_or(socket);
        }
        let address = addresses::outside(&self.scenario, socket.ip()).unwrap_or(socket.ip());
        SocketAddr::new(address, socket.port())
    }

    /// The host to which a datagram for the shared address of a middlebox travels if it belongs to no connection: the first one
    /// behind the middlebox.
    pub(crate) fn host_behind(&self, from: HostId, address: IpAddr) -> Option<HostId> {
        let shares =
            |it: &&Middlebox| it.tracker.translation(address).is_some_and(|it| it.address() == address);
        let middlebox = self.boxes.iter().find(shares).filter(|it| !it.behind.contains(&from))?;
        middlebox.behind.first().copied()
    }

    /// Whether a middlebox that translates, which is a router, stands between two hosts.
    pub(crate) fn are_routed(&self, from: HostId, to: HostId) -> bool {
        let given = &self.scenario.network.middleboxes;
        self.on_way(from, to).iter().any(|which| given[which.index()].settings.translates.is_some())
    }

    /// A datagram comes to a middlebox, which may change it.
    pub(crate) fn judge(
        &mut self,
        now: Instant,
        which: MiddleboxId,
        flight: &Flight,
        datagram: &mut [u8],
        events: &mut Events,
    ) -> Judged {
        let middlebox = &mut self.boxes[which.index()];
        if middlebox.down.is_some() {
            return Verdict::Lose(MiddleboxLoss::Down).into();
        }
        // A segment that cannot be read passes unchanged.
        let Ok((source, destination, header)) = read_segment(datagram) else { return Verdict::Pass.into() };
        // An answer to a segment that passed untranslated.
        if let Some(outside) = addresses::outside(&self.scenario, destination.ip()) {
            wire::set_socket(datagram, End::Destination, SocketAddr::new(outside, destination.port()));
            return Verdict::Pass.into();
        }
        let clamped =
            middlebox.mss_clamp.is_some_and(|most| edit::clamp_mss(wire::segment_mut(datagram), most));
        let blocked = middlebox.blocks > 0;
        let origin = match middlebox.tracker.translation(source.ip()) {
            None => Origin::Either,
            Some(_) if middlebox.behind.contains(&flight.from) => Origin::Behind,
            Some(_) => Origin::Outside,
        };
        let sockets = [source, destination];
        let passage = middlebox.tracker.handle_segment(now, origin, sockets, &header, blocked);
        let mut note = |change, before, after| {
            let segment = Some(flight.segment);
            let changed = MiddleboxChanged { middlebox: which, change, before, after, segment };
            events.push(now, EventKind::MiddleboxChanged { connection: flight.connection, changed });
        };
        if let Some((change, after)) = passage.change {
            let (change, before) = match change {
                Change::Created => (MiddleboxChange::Created, None),
                Change::Adopted => (MiddleboxChange::Adopted, None),
                Change::From(before) => (MiddleboxChange::Moved, Some(before)),
            };
            note(change, before, Some(after));
            if let (None, Some((_, to))) = (before, passage.translated) {
                note(MiddleboxChange::Translated { to }, None, None);
            }
        }
        edit::renumber(wire::segment_mut(datagram), passage.moved);
        if passage.moved.sequence != 0 && header.flags.contains(Flags::SYN) {
            let with_sack = middlebox.tracker.moves_sack();
            let (from, by) = (flight.from, passage.moved.sequence);
            note(MiddleboxChange::Renumbered { from, by, with_sack }, None, None);
        }
        if let Some((end, socket)) = passage.translated {
            wire::set_socket(datagram, end, socket);
        }
        if clamped && passage.verdict == Verdict::Pass {
            note(MiddleboxChange::Clamped, None, None);
        }
        if passage.verdict == Verdict::Untranslated {
            let inside = addresses::inside(&self.scenario, source.ip()).filter(|_| origin == Origin::Either);
            if let Some(inside) = inside {
                wire::set_socket(datagram, End::Source, SocketAddr::new(inside, source.port()));
            }
            note(MiddleboxChange::Untranslated, None, None);
        }
        let destination = passage.translated.filter(|(end, _)| *end == End::Destination);
        Judged {
            verdict: passage.verdict,
            forgotten: passage.forgotten,
            destination: destination.map(|(_, socket)| socket),
        }
    }

    /// Forgets the connection that expires first, at any middlebox, if it has expired by now.
    pub(crate) fn handle_expiry(&mut self, now: Instant) -> Option<(MiddleboxId, Expired)> {
        let times = self.boxes.iter().map(|middlebox| middlebox.tracker.next_expiry());
        let (_, index) = times.zip(0..).filter_map(|(time, index)| Some((time?, index))).min()?;
        let expired = self.boxes[usize::from(index)].tracker.handle_expiry(now)?;
        Some((MiddleboxId(index), expired))
    }

    /// A fault on a middlebox begins or ends. `None` if it has no effect: there is nothing to forget, or the middlebox that
    /// is to reboot is off.
    pub(crate) fn strike(
        &mut self,
        fault: FaultId,
        phase: Phase,
        which: MiddleboxId,
        what: MiddleboxFault,
    ) -> Option<Struck> {
        let middlebox = &mut self.boxes[which.index()];
        let mut struck = Struck::default();
        match (what, phase) {
            (MiddleboxFault::Forget, _) if middlebox.tracker.is_empty() => return None,
            (MiddleboxFault::Reboot { .. }, Phase::Begin) if middlebox.down.is_some() => return None,
            (MiddleboxFault::BlocksNew { .. }, Phase::Begin) => middlebox.blocks += 1,
            (MiddleboxFault::BlocksNew { .. }, Phase::End) => middlebox.blocks -= 1,
            (MiddleboxFault::PowerLoss, Phase::Begin) => struck.replaces = middlebox.down.replace(fault),
            (MiddleboxFault::Reboot { .. }, Phase::Begin) => middlebox.down = Some(fault),
            (MiddleboxFault::Reboot { .. } | MiddleboxFault::PowerLoss, Phase::End) => middlebox.down = None,
            (MiddleboxFault::Forget, _) => {}
        }
        if phase == Phase::Begin && !matches!(what, MiddleboxFault::BlocksNew { .. }) {
            struck.forgotten = middlebox.tracker.forget();
        }
        Some(struck)
    }
}
