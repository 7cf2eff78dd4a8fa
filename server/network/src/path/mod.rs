//! Links: whether a datagram gets from one host to another, and when it arrives.

mod jitter;
mod line;
mod loss;

use std::time::Duration;

use halfopen_scenario::{Link, Network};
use halfopen_tcp::Instant;

use self::jitter::Jitter;
use self::line::Line;
use self::loss::Losses;
use halfopen_trace::{HostId, LossReason};

/// The ways between the hosts, one for each ordered pair.
///
/// A way is a queue: jitter spreads arrivals but never lets a datagram overtake one that was sent before it.
/// Only faults change the order.
#[derive(Debug)]
pub(crate) struct Paths {
    hosts: usize,
    /// By sender, then receiver.
    ways: Vec<Way>,
}

#[derive(Debug)]
struct Way {
    latency: Duration,
    mtu: u16,
    jitter: Option<Jitter>,
    loss: Option<Losses>,
    /// The line that transmits it; `None` if transmission takes no time.
    line: Option<Line>,
    /// When the last datagram sent arrives.
    last: Instant,
    /// The number of faults that cut it now.
    cuts: u32,
}

impl Way {
    /// A way whose random numbers come from streams with its own name.
    fn new(link: &Link, seed: u64, name: &str) -> Way {
        Way {
            latency: link.latency,
            mtu: link.mtu,
            jitter: Jitter::new(link.jitter, seed, name),
            loss: Losses::new(link.loss, seed, name),
            line: link.bandwidth.map(|bandwidth| Line::new(bandwidth, link.queue)),
            last: Instant::ZERO,
            cuts: 0,
        }
    }
}

impl Paths {
    /// The ways of a network with this number of hosts.
    pub(crate) fn new(network: &Network, hosts: usize, seed: u64) -> Paths {
        let way = |index: usize| {
            let [from, to] = [index / hosts, index % hosts];
            let link = network.link(halfopen_scenario::HostId(from), halfopen_scenario::HostId(to));
            Way::new(link, seed, &format!("{from}/{to}"))
        };
        Paths { hosts, ways: (0..hosts * hosts).map(way).collect() }
    }

    /// How long a datagram takes from one host to another without jitter, once it has been transmitted.
    pub(crate) fn latency(&self, from: HostId, to: HostId) -> Duration {
        self.way(from, to).latency
    }

    /// The largest IP datagram that gets from one host to another, in octets.
    pub(crate) fn mtu(&self, from: HostId, to: HostId) -> u16 {
        self.way(from, to).mtu
    }

    /// When an IP datagram of this size that is sent now arrives, if no fault delays it.
    ///
    /// # Errors
    /// Why it is lost.
    pub(crate) fn carry(
        &mut self,
        now: Instant,
        from: HostId,
        to: HostId,
        octets: usize,
    ) -> Result<Instant, LossReason> {
        let way = self.way_mut(from, to);
        if way.cuts > 0 {
            return Err(LossReason::Partition);
        }
        if octets > way.mtu.into() {
            return Err(LossReason::TooLarge);
        }
        if way.loss.as_mut().is_some_and(Losses::next) {
            return Err(LossReason::Random);
        }
        let sent = match &mut way.line {
            None => now,
            Some(line) => line.send(now, octets).ok_or(LossReason::QueueFull)?,
        };
        let delay = match &mut way.jitter {
            None => way.latency,
            Some(jitter) => jitter.vary(way.latency),
        };
        way.last = way.last.max(sent + delay);
        Ok(way.last)
    }

    /// Cuts a way; cuts add up. Datagrams that wait to be transmitted are gone.
    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        let way = self.way_mut(from, to);
        way.cuts += 1;
        way.last = Instant::ZERO;
        if let Some(line) = &mut way.line {
            line.clear();
        }
    }

    /// Takes back one cut.
    pub(crate) fn mend(&mut self, from: HostId, to: HostId) {
        self.way_mut(from, to).cuts -= 1;
    }

    /// Whether a way is open.
    pub(crate) fn is_open(&self, from: HostId, to: HostId) -> bool {
        self.way(from, to).cuts == 0
    }

    fn way(&self, from: HostId, to: HostId) -> &Way {
        &self.ways[from.index() * self.hosts + to.index()]
    }

    fn way_mut(&mut self, from: HostId, to: HostId) -> &mut Way {
        &mut self.ways[from.index() * self.hosts + to.index()]
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use halfopen_scenario::{Jitter, Loss, Queue};

    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);
    const LATENCY: Duration = Duration::from_millis(20);

    fn paths(link: Link) -> Paths {
        Paths::new(&Network { link, ..Network::default() }, 3, 1)
    }

    fn at(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// When what is sent every 5 ms arrives from A at B.
    fn arrivals(paths: &mut Paths) -> Vec<Result<Instant, LossReason>> {
        (0..1000).map(|tick| paths.carry(at(5 * tick), A, B, 100)).collect()
    }

    #[test]
    fn without_jitter_every_segment_takes_the_latency() {
        let mut paths = paths(Link { latency: LATENCY, ..Link::default() });
        assert_eq!(paths.carry(at(1000), A, B, 1500), Ok(at(1020)));
        assert_eq!(paths.carry(at(1000), A, B, 1501), Err(LossReason::TooLarge));
    }

    #[test]
    fn each_direction_has_the_values_of_its_own_link() {
        let mut network = Network::default();
        let there = (halfopen_scenario::HostId(0), halfopen_scenario::HostId(1));
        network.links.insert(there, Link { latency: LATENCY, mtu: 1400, ..network.link });
        let mut paths = Paths::new(&network, 3, 1);
        assert_eq!([paths.mtu(A, B), paths.mtu(B, A)], [1400, 1500]);
        assert_eq!(paths.carry(at(0), A, B, 100), Ok(at(20)));
        assert_eq!(paths.carry(at(0), B, A, 100), Ok(at(1)));
    }

    #[test]
    fn jitter_keeps_the_order() {
        let jitter = Jitter { most: LATENCY, ..Jitter::default() };
        let mut paths = paths(Link { latency: LATENCY, jitter, ..Link::default() });
        let arrivals = arrivals(&mut paths);
        assert!(arrivals.iter().is_sorted_by_key(|arrival| arrival.unwrap()));
        assert!(arrivals.windows(2).any(|pair| pair[0] == pair[1]), "some have caught up");
    }

    /// One more random link, or one that is random in one more way, changes nothing on the others.
    #[test]
    fn every_link_and_purpose_has_random_numbers_of_its_own() {
        let jitter = Jitter { most: Duration::from_millis(5), ..Jitter::default() };
        let plain = Link { latency: LATENCY, jitter, ..Link::default() };
        let lossy = Link { loss: Loss::Random(200_000), ..plain };
        let alone = arrivals(&mut paths(plain));

        let mut network = Network { link: plain, ..Network::default() };
        network.links.insert((halfopen_scenario::HostId(1), halfopen_scenario::HostId(0)), lossy);
        let mut other = Paths::new(&network, 3, 1);
        let beside: Vec<_> = (0..1000)
            .map(|tick| {
                let _ = other.carry(at(5 * tick), B, A, 100);
                other.carry(at(5 * tick), A, B, 100)
            })
            .collect();
        assert_eq!(beside, alone);

        let lost = |paths: Link| arrivals(&mut self::paths(paths)).iter().filter(|way| way.is_err()).count();
        assert_eq!(lost(lossy), lost(Link { jitter: Jitter::default(), ..lossy }));
    }

    #[test]
    fn a_way_is_open_again_and_empty_when_every_cut_is_mended() {
        let mut paths = paths(Link {
            latency: LATENCY,
            bandwidth: NonZeroU64::new(8_000),
            queue: Queue::Segments(1),
            ..Link::default()
        });
        // 100 octets take 100 ms.
        assert_eq!(paths.carry(at(0), A, B, 100), Ok(at(120)));
        assert_eq!(paths.carry(at(0), A, B, 100), Ok(at(220)));
        assert_eq!(paths.carry(at(0), A, B, 100), Err(LossReason::QueueFull));
        paths.cut(A, B);
        paths.cut(A, B);
        paths.mend(A, B);
        assert!(!paths.is_open(A, B) && paths.is_open(B, A));
        assert_eq!(paths.carry(at(1), A, B, 100), Err(LossReason::Partition));
        paths.mend(A, B);
        assert!(paths.is_open(A, B));
        assert_eq!(paths.carry(at(2), A, B, 100), Ok(at(122)));
    }
}
