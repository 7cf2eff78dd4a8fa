//! The way of a datagram through the middleboxes between two hosts.
//!
//! They stand evenly spread over the latency of a link: one is passed half way, two at a third and at two thirds. What
//! faults, bandwidth and jitter add lies before the first. A datagram that has boxes on its way is kept by the network
//! and not by the world, because a box may change or lose it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use halfopen_scenario::{HostId as ScenarioHost, Scenario, TrackedState};
use halfopen_tcp::{Header, Instant};

use super::rewrite::{self, Whose};
use super::tracker::{Change, Expired, Sockets, Tracker, Verdict};
use super::translate;
use crate::forge::made_up;
use crate::network::Flight;
use crate::shared::Run;
use halfopen_trace::{
    ConnectionNumber, EventKind, HostId, LossReason, MiddleboxChange, MiddleboxChanged, MiddleboxId,
    MiddleboxLoss, SegmentNumber, SegmentSent,
};

/// The middleboxes of a run, and what is on its way to one.
#[derive(Debug, Default)]
pub(crate) struct Middleboxes {
    boxes: Vec<Middlebox>,
    /// Those between two hosts, in the order in which they are met: by sender, then receiver.
    ways: Vec<Vec<MiddleboxId>>,
    hosts: usize,
    /// By the time when it meets its next box, then by id.
    coming: BTreeMap<(Instant, u64), Coming>,
}

#[derive(Debug)]
pub(super) struct Middlebox {
    pub(super) tracker: Tracker,
    mss_clamp: Option<u16>,
    /// How many reasons there are to make no new state.
    pub(super) blocks: u32,
    /// The fault that it is down by.
    pub(super) down: Option<usize>,
}

/// A datagram on its way to a box.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coming {
    pub(crate) flight: Flight,
    /// Which of the boxes on its way it meets next.
    pub(crate) place: usize,
    /// When it arrives at its host.
    pub(crate) due: Instant,
}

impl Middleboxes {
    /// The middleboxes of a scenario.
    pub(crate) fn new(scenario: &Scenario) -> Middleboxes {
        let given = &scenario.network.middleboxes;
        if given.is_empty() {
            return Middleboxes::default();
        }
        let boxes = given.iter().map(|middlebox| Middlebox {
            tracker: Tracker::new(middlebox.settings.clone()),
            mss_clamp: middlebox.settings.mss_clamp,
            blocks: u32::from(middlebox.settings.blocks_new),
            down: None,
        });
        let hosts = scenario.hosts.len();
        let way = |index: usize| {
            let (from, to) = (index / hosts, index % hosts);
            let between = |index: &usize| given[*index].is_between(ScenarioHost(from), ScenarioHost(to));
            let mut way: Vec<MiddleboxId> =
                (0..given.len()).filter(between).map(|index| MiddleboxId(index as u16)).collect();
            // In the order of the text from the host that comes first in it, and back the other way.
            if from > to {
                way.reverse();
            }
            way
        };
        let ways = (0..hosts * hosts).map(way).collect();
        Middleboxes { boxes: boxes.collect(), ways, hosts, coming: BTreeMap::new() }
    }

    /// Those that a datagram meets, in their order.
    pub(crate) fn on_way(&self, from: HostId, to: HostId) -> &[MiddleboxId] {
        self.ways.get(from.index() * self.hosts + to.index()).map_or(&[], Vec::as_slice)
    }

    /// A datagram that is due at its host at a time meets the box at this place of its way next, which is so many parts of
    /// the way's latency before that.
    pub(crate) fn await_datagram(&mut self, id: u64, coming: Coming, latency: std::time::Duration) {
        let boxes = self.on_way(coming.flight.from, coming.flight.to).len();
        let parts = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let rest = latency * parts(boxes - coming.place) / parts(boxes + 1);
        let rest = u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX);
        let time = Instant::from_nanos(coming.due.as_nanos().saturating_sub(rest));
        self.coming.insert((time, id), coming);
    }

    /// How many datagrams are on their way to a box.
    pub(crate) fn len(&self) -> usize {
        self.coming.len()
    }

    /// When something happens next that must not be missed: a datagram meets a box, or a box sends RSTs. That a box
    /// forgets a connection without a word is no reason to wait for it.
    pub(crate) fn next(&self) -> Option<Instant> {
        let coming = self.coming.first_key_value().map(|((time, _), _)| *time);
        let resets = self.boxes.iter().filter_map(|middlebox| middlebox.tracker.next_reset());
        resets.chain(coming).min()
    }

    /// Takes everything that is on its way to a box, from one host to another, with its ids.
    pub(crate) fn take_coming(&mut self, from: HostId, to: HostId) -> Vec<(u64, Flight)> {
        let gone = |coming: &Coming| (coming.flight.from, coming.flight.to) == (from, to);
        let taken = self.coming.iter().filter(|(_, coming)| gone(coming));
        let taken = taken.map(|((_, id), coming)| (*id, coming.flight)).collect();
        self.coming.retain(|_, coming| !gone(coming));
        taken
    }

    /// The socket that this one is known by: what was sent to an address behind a box goes to its host.
    pub(crate) fn real_address(&self, scenario: &Scenario, socket: SocketAddr) -> SocketAddr {
        if self.boxes.is_empty() || scenario.host_of(socket.ip()).is_some() {
            return socket;
        }
        SocketAddr::new(translate::outside(scenario, socket.ip()).unwrap_or(socket.ip()), socket.port())
    }

    pub(super) fn middlebox(&mut self, which: MiddleboxId) -> &mut Middlebox {
        &mut self.boxes[which.index()]
    }

    fn take_due(&mut self, now: Instant) -> Option<(u64, Coming)> {
        let entry = self.coming.first_entry().filter(|entry| entry.key().0 <= now)?;
        let ((_, id), coming) = entry.remove_entry();
        Some((id, coming))
    }

    /// Takes the connection whose time is over first, at whatever box.
    fn take_expired(&mut self, now: Instant) -> Option<(MiddleboxId, Expired)> {
        let times = self.boxes.iter().map(|middlebox| middlebox.tracker.next_expiry());
        let (_, index) = times.zip(0..).filter_map(|(time, index)| Some((time?, index))).min()?;
        let expired = self.boxes[usize::from(index)].tracker.handle_expiry(now)?;
        Some((MiddleboxId(index), expired))
    }
}

impl Coming {
    /// A datagram that sets out, due at its host at that time.
    pub(crate) const fn new(flight: Flight, due: Instant) -> Coming {
        Coming { flight, place: 0, due }
    }
}

impl Run {
    /// What is due meets its next box.
    pub(crate) fn meet_middleboxes(&mut self, scenario: &Scenario, now: Instant) {
        while let Some((id, coming)) = self.network.middleboxes.take_due(now) {
            self.meet(scenario, now, id, coming);
        }
    }

    fn meet(&mut self, scenario: &Scenario, now: Instant, id: u64, coming: Coming) {
        let Coming { flight, place, .. } = coming;
        let which = self.network.middleboxes.on_way(flight.from, flight.to)[place];
        let mut datagram = self.network.take_octets(id);
        let verdict = self.judge(scenario, now, which, flight, &mut datagram);
        let why = match verdict {
            Verdict::Pass | Verdict::Untranslated => {
                self.network.keep_octets(id, datagram);
                self.network.go_on(id, Coming { place: place + 1, ..coming });
                return;
            }
            Verdict::Lose(why) | Verdict::Reset(why, _) => why,
        };
        self.lose_flight(now, flight, LossReason::Middlebox { middlebox: which, why });
        if let (Verdict::Reset(_, reset), Ok((source, destination, _))) =
            (verdict, halfopen_tcp::read_segment(&datagram))
        {
            self.send_reset(now, which, (flight.to, flight.from), [destination, source], reset);
        }
    }

    /// What a box does with a segment, and to it.
    fn judge(
        &mut self,
        scenario: &Scenario,
        now: Instant,
        which: MiddleboxId,
        flight: Flight,
        datagram: &mut [u8],
    ) -> Verdict {
        let middlebox = self.network.middleboxes.middlebox(which);
        if middlebox.down.is_some() {
            return Verdict::Lose(MiddleboxLoss::Down);
        }
        // What nobody can read is passed on as it is.
        let Ok((source, destination, header)) = halfopen_tcp::read_segment(datagram) else {
            return Verdict::Pass;
        };
        // An answer to what passed untranslated.
        if let Some(outside) = translate::outside(scenario, destination.ip()) {
            rewrite::set_address(datagram, Whose::Destination, outside);
            return Verdict::Pass;
        }
        let clamped = middlebox.mss_clamp.is_some_and(|most| rewrite::clamp_mss(datagram, most));
        let blocked = middlebox.blocks > 0;
        let passage = middlebox.tracker.handle_segment(now, source, destination, &header, blocked);
        let about = (flight.connection, Some(flight.segment));
        if let Some((change, after)) = passage.change {
            let (change, before) = match change {
                Change::Created => (MiddleboxChange::Created, None),
                Change::Adopted => (MiddleboxChange::Adopted, None),
                Change::From(before) => (MiddleboxChange::Moved, Some(before)),
            };
            self.note_middlebox(now, which, change, [before, Some(after)], about);
        }
        if clamped && passage.verdict == Verdict::Pass {
            self.note_middlebox(now, which, MiddleboxChange::Clamped, [None, None], about);
        }
        if passage.verdict == Verdict::Untranslated
            && let Some(inside) = translate::inside(scenario, source.ip())
        {
            rewrite::set_address(datagram, Whose::Source, inside);
            self.note_middlebox(now, which, MiddleboxChange::Untranslated, [None, None], about);
        }
        passage.verdict
    }

    /// The boxes forget connections on which nothing has passed for too long, each at its time.
    pub(crate) fn age_middleboxes(&mut self, scenario: &Scenario, now: Instant) {
        while let Some((which, expired)) = self.network.middleboxes.take_expired(now) {
            let Expired { time, sockets, state, resets } = expired;
            self.note_gone(time, which, MiddleboxChange::Expired, (sockets, state));
            let hosts = sockets.map(|socket| scenario.host_of(socket.ip()).map(HostId::from));
            let [Some(low), Some(high)] = hosts else { continue };
            let [to_low, to_high] = resets;
            let [low_socket, high_socket] = sockets;
            if let Some(reset) = to_low {
                self.send_reset(time, which, (high, low), [high_socket, low_socket], reset);
            }
            if let Some(reset) = to_high {
                self.send_reset(time, which, (low, high), [low_socket, high_socket], reset);
            }
        }
    }

    /// The state of a connection is gone from a box, without a segment.
    pub(super) fn note_gone(
        &mut self,
        time: Instant,
        which: MiddleboxId,
        change: MiddleboxChange,
        (sockets, state): (Sockets, TrackedState),
    ) {
        let connection = self.connections.newest_between(sockets);
        self.note_middlebox(time, which, change, [Some(state), None], (connection, None));
    }

    fn note_middlebox(
        &mut self,
        time: Instant,
        middlebox: MiddleboxId,
        change: MiddleboxChange,
        [before, after]: [Option<TrackedState>; 2],
        (connection, segment): (Option<ConnectionNumber>, Option<SegmentNumber>),
    ) {
        let changed = MiddleboxChanged { middlebox, change, before, after, segment };
        self.recorder.push(time, None, connection, EventKind::MiddleboxChanged(Box::new(changed)));
    }

    /// A box sends a RST to a host, in the name of another. From the box on it goes the way of what the other sends.
    fn send_reset(
        &mut self,
        now: Instant,
        which: MiddleboxId,
        (from, to): (HostId, HostId),
        [source, destination]: [SocketAddr; 2],
        header: Header,
    ) {
        let datagram = halfopen_tcp::encode_segment(source, destination, &header, &[]);
        let segment = self.recorder.next_segment();
        let answers = self.connections.answers(source, destination, &header);
        let (connection, relative) =
            answers.map_or_else(Default::default, |(number, relative)| (Some(number), relative));
        let kept = (datagram.len(), self.snapshots.sent(&datagram));
        let made_up = made_up(segment, to, [source, destination], header, &relative, kept);
        let sent = SegmentSent { middlebox: Some(which), ..made_up };
        self.recorder.push(now, Some(from), connection, EventKind::SegmentSent(Box::new(sent)));
        let flight = Flight::of_middlebox(segment, connection, from, to);
        if !self.network.paths.is_open(from, to) {
            self.lose_flight(now, flight, LossReason::Partition);
            return;
        }
        let way = self.network.middleboxes.on_way(from, to);
        let boxes = way.len();
        let place = way.iter().position(|other| *other == which).map_or(boxes, |place| place + 1);
        let parts = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let rest = self.network.paths.latency(from, to) * parts(boxes + 1 - place) / parts(boxes + 1);
        self.network.launch_kept(datagram, Coming { flight, place, due: now + rest });
    }
}
