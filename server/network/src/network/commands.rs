//! Faults on the network.

use halfopen_scenario::{AddressMove, BlackHole, Cut, MiddleboxFault};
use halfopen_tcp::Instant;
use halfopen_trace::{FaultId, HostId, LossReason, MiddleboxChange, MiddleboxId, Phase};

use super::Network;
use crate::connections::Connections;
use crate::event::EventKind;
use crate::flight::Packet;

/// A fault on the network begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The fault.
    pub fault: FaultId,
    /// Whether it begins or ends.
    pub phase: Phase,
    /// What it does.
    pub what: NetworkFault,
}

/// A fault on the network. It acts on everything that is sent from its beginning to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The cable of a host is out: what it sends is lost, and what arrives at it. Pulls add up.
    CablePull(HostId),
    /// Large datagrams are lost silently.
    BlackHole(BlackHole),
    /// Hosts cannot reach each other; what is under way between them when it begins is lost. Cuts add up.
    Partition(Cut),
    /// An address changes hands, or is lost. What is under way to the host that had it still goes there.
    Address(AddressMove),
    /// Something happens to a middlebox.
    Middlebox(MiddleboxId, MiddleboxFault),
}

/// What follows from a command that took effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The earlier fault that this one replaces, so that it does not end any more: a middlebox that is rebooting loses its
    /// power for good.
    pub replaces: Option<FaultId>,
    /// The hosts that have other addresses now: the one that lost an address, and the one that got it.
    pub readdressed: [Option<HostId>; 2],
}

impl Network {
    /// A fault begins or ends. `None`, and no event, if it has no effect: a middlebox has nothing to forget, or is off when
    /// it is to reboot, or an address is where it is to go.
    pub fn apply(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        command: &Command,
    ) -> Option<Applied> {
        let Command { fault, phase, ref what } = *command;
        let applied = |host| EventKind::FaultApplied { fault, phase, host, segment: None };
        match what {
            NetworkFault::CablePull(host) => {
                match phase {
                    Phase::Begin => self.cables_out[host.index()] += 1,
                    Phase::End => self.cables_out[host.index()] -= 1,
                }
                self.events.push(now, applied(Some(*host)));
            }
            NetworkFault::BlackHole(hole) => {
                match phase {
                    Phase::Begin => self.black_holes.insert(fault, *hole),
                    Phase::End => self.black_holes.remove(&fault),
                };
                self.events.push(now, applied(None));
            }
            NetworkFault::Partition(cut) => {
                self.events.push(now, applied(None));
                self.partition(now, phase, cut);
            }
            NetworkFault::Address(change) => {
                let readdressed = match phase {
                    Phase::Begin => self.addresses.begin(fault, change),
                    Phase::End => self.addresses.end(fault, change),
                }?;
                let [lost, got] = readdressed;
                if let Some(host) = got.filter(|_| change.announced || phase == Phase::End) {
                    self.neighbours.announce(change.address, host);
                }
                self.events.push(now, applied(got.or(lost)));
                return Some(Applied { readdressed, ..Applied::default() });
            }
            NetworkFault::Middlebox(which, what) => {
                let struck = self.middleboxes.strike(fault, phase, *which, *what)?;
                self.events.push(now, applied(None));
                for gone in struck.forgotten {
                    self.note_gone(now, connections, *which, MiddleboxChange::Forgotten, gone);
                }
                return Some(Applied { replaces: struck.replaces, ..Applied::default() });
            }
        }
        Some(Applied::default())
    }

    fn partition(&mut self, now: Instant, phase: Phase, cut: &Cut) {
        let hosts = (0..).map(HostId).take(self.scenario.hosts.len());
        let pairs = hosts.clone().flat_map(|from| hosts.clone().map(move |to| (from, to)));
        for (from, to) in pairs.filter(|(from, to)| cut.stops((*from).into(), (*to).into())) {
            match phase {
                Phase::Begin => {
                    self.paths.cut(from, to);
                    self.lose_under_way(now, from, to);
                }
                Phase::End => self.paths.mend(from, to),
            }
        }
    }

    /// Everything under way from one host to another is lost.
    fn lose_under_way(&mut self, now: Instant, from: HostId, to: HostId) {
        let Network { held, arriving, meeting, octets, events, .. } = self;
        let mut stays = |packet: &Packet| {
            let gone = (packet.flight.from, packet.flight.to) == (from, to);
            if gone {
                *octets -= packet.octets.len() as u64;
                events.lose(now, packet.flight, LossReason::Partition);
            }
            !gone
        };
        held.retain(|held| stays(&held.packet));
        arriving.retain(|_, packet| stays(packet));
        meeting.retain(|_, packet| stays(packet));
    }
}
