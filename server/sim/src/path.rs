//! How long a segment is under way.

use std::time::Duration;

use halfopen_scenario::Network;
use halfopen_tcp::Instant;

use crate::random::Stream;
use crate::trace::HostId;

/// The ways between the hosts.
///
/// A way is a queue: jitter spreads arrivals but never lets a segment overtake one that was sent before it.
/// Only faults change the order.
#[derive(Debug)]
pub(crate) struct Paths {
    latency: Duration,
    jitter: Duration,
    mtu: u16,
    hosts: usize,
    /// By sender, then receiver.
    ways: Vec<Way>,
}

#[derive(Debug)]
struct Way {
    jitter: Stream,
    /// When the last segment sent arrives.
    last: Instant,
    /// How many faults cut it now.
    cuts: u32,
}

impl Paths {
    /// The ways between so many hosts.
    pub(crate) fn new(network: &Network, hosts: usize, seed: u64) -> Paths {
        let way = |index: usize| Way {
            jitter: Stream::new(seed, &format!("jitter/{}/{}", index / hosts, index % hosts)),
            last: Instant::ZERO,
            cuts: 0,
        };
        let ways = (0..hosts * hosts).map(way).collect();
        Paths { latency: network.latency, jitter: network.jitter, mtu: network.mtu, hosts, ways }
    }

    /// Largest IP datagram that gets through, octets.
    pub(crate) const fn mtu(&self) -> u16 {
        self.mtu
    }

    /// When what is sent now arrives, if nothing happens to it.
    pub(crate) fn arrival(&mut self, now: Instant, from: HostId, to: HostId) -> Instant {
        let (latency, jitter) = (self.latency, self.jitter);
        let way = self.way_mut(from, to);
        let delay = match jitter {
            Duration::ZERO => latency,
            jitter => latency.saturating_sub(jitter) + way.jitter.up_to(2 * jitter),
        };
        way.last = way.last.max(now + delay);
        way.last
    }

    /// Cuts a way, once more if it is cut already.
    pub(crate) fn cut(&mut self, from: HostId, to: HostId) {
        self.way_mut(from, to).cuts += 1;
    }

    /// Takes one cut back.
    pub(crate) fn mend(&mut self, from: HostId, to: HostId) {
        self.way_mut(from, to).cuts -= 1;
    }

    /// Whether a way is open.
    pub(crate) fn is_open(&self, from: HostId, to: HostId) -> bool {
        self.ways[from.index() * self.hosts + to.index()].cuts == 0
    }

    fn way_mut(&mut self, from: HostId, to: HostId) -> &mut Way {
        &mut self.ways[from.index() * self.hosts + to.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);

    fn paths(jitter: Duration) -> Paths {
        let network = Network { latency: Duration::from_millis(20), jitter, ..Network::default() };
        Paths::new(&network, 2, 1)
    }

    #[test]
    fn without_jitter_every_segment_takes_the_latency() {
        let mut paths = paths(Duration::ZERO);
        let at = Instant::ZERO + Duration::from_secs(1);
        assert_eq!(paths.arrival(at, A, B), at + Duration::from_millis(20));
    }

    #[test]
    fn jitter_spreads_arrivals_around_the_latency_and_keeps_their_order() {
        let mut paths = paths(Duration::from_millis(10));
        let mut last = Instant::ZERO;
        let mut spread = std::collections::BTreeSet::new();
        for tick in 0..1000 {
            let sent = Instant::ZERO + Duration::from_millis(5 * tick);
            let arrival = paths.arrival(sent, A, B);
            assert!(arrival >= last);
            let delay = arrival - sent;
            assert!((Duration::from_millis(10)..=Duration::from_millis(30)).contains(&delay), "{delay:?}");
            spread.insert(delay);
            last = arrival;
        }
        assert!(spread.len() > 500);
    }

    #[test]
    fn a_way_is_open_again_when_every_cut_is_mended() {
        let mut paths = paths(Duration::ZERO);
        paths.cut(A, B);
        paths.cut(A, B);
        paths.mend(A, B);
        assert!(!paths.is_open(A, B) && paths.is_open(B, A));
        paths.mend(A, B);
        assert!(paths.is_open(A, B));
    }
}
