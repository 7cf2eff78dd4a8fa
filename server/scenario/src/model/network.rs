//! What lies between the hosts.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use super::{HostId, Middlebox};

/// The network between the hosts: a link from each host to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Every link that is not in `links`. A host uses its MTU, unless the host has one of its own.
    pub link: Link,
    /// Links that differ, by sender and receiver.
    pub links: BTreeMap<(HostId, HostId), Link>,
    /// Whether ICMP messages of routers reach their destinations.
    pub icmp: bool,
    /// The middleboxes, in the order of the text. A [`MiddleboxId`](super::MiddleboxId) is an index into it.
    pub middleboxes: Vec<Middlebox>,
}

impl Network {
    /// The link from one host to another.
    pub fn link(&self, from: HostId, to: HostId) -> &Link {
        self.links.get(&(from, to)).unwrap_or(&self.link)
    }
}

impl Default for Network {
    fn default() -> Network {
        Network { link: Link::default(), links: BTreeMap::new(), icmp: true, middleboxes: Vec::new() }
    }
}

/// The path from one host to another, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a segment takes to arrive once it has been transmitted.
    pub latency: Duration,
    /// How much the latency varies.
    pub jitter: Jitter,
    /// The bandwidth in bits per second, of whole IP datagrams; `None`: transmission takes no time.
    pub bandwidth: Option<NonZeroU64>,
    /// How much may wait for transmission; what arrives when it is full is lost.
    pub queue: Queue,
    /// Random loss.
    pub loss: Loss,
    /// The largest IP datagram, in octets.
    pub mtu: u16,
    /// Whether the two hosts are on one LAN, so that the sender must find the receiver there (ARP; IPv6 neighbour discovery)
    /// before it can send anything.
    pub neighbours: bool,
}

impl Link {
    /// The default latency.
    pub const DEFAULT_LATENCY: Duration = Duration::from_millis(1);
    /// The default MTU, in octets.
    pub const DEFAULT_MTU: u16 = 1500;
    /// The least and the greatest bandwidth, in bits per second.
    pub const BANDWIDTHS: [u64; 2] = [1_000, 1_000_000_000_000];
}

impl Default for Link {
    fn default() -> Link {
        Link {
            latency: Link::DEFAULT_LATENCY,
            jitter: Jitter::default(),
            bandwidth: None,
            queue: Queue::default(),
            loss: Loss::default(),
            mtu: Link::DEFAULT_MTU,
            neighbours: false,
        }
    }
}

/// How much the latency of a link varies from segment to segment. It never changes their order: a segment does not arrive
/// before one that was sent earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// The most that a segment is late, and, if the distribution has two sides, early.
    pub most: Duration,
    /// How delays are distributed.
    pub distribution: Distribution,
}

/// How delays are distributed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distribution {
    /// Uniform, from `most` earlier to `most` later.
    #[default]
    Even,
    /// Approximately normal within the same bounds, with a standard deviation of a sixth of `most`: the mean of twelve
    /// uniform delays.
    Normal,
    /// Later only: exponential with a mean of a fifth of `most`, truncated at `most` (which affects less than 1%).
    Exponential,
    /// Later only, with a long tail: Pareto (type II, shape 2) with a median of 4% of `most` and a mean of 8%, truncated at
    /// `most` (which affects less than 1%).
    Pareto,
}

impl Distribution {
    /// All of them.
    pub const ALL: [Distribution; 4] =
        [Distribution::Even, Distribution::Normal, Distribution::Exponential, Distribution::Pareto];

    /// The word for it in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Distribution::Even => "even",
            Distribution::Normal => "normal",
            Distribution::Exponential => "exponential",
            Distribution::Pareto => "pareto",
        }
    }

    /// Whether a segment may arrive earlier than after the latency.
    pub const fn is_two_sided(self) -> bool {
        match self {
            Distribution::Even | Distribution::Normal => true,
            Distribution::Exponential | Distribution::Pareto => false,
        }
    }
}

/// The capacity of the queue before a link of limited bandwidth. The queue is first in, first out, and drops what arrives
/// when it is full (drop-tail). The datagram that is being transmitted is no longer in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Octets of IP datagrams.
    Octets(u64),
    /// Segments.
    Segments(u64),
}

impl Default for Queue {
    /// What Linux gives an Ethernet device (`txqueuelen`).
    fn default() -> Queue {
        Queue::Segments(1000)
    }
}

/// Random loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    #[default]
    None,
    /// Each segment with this probability, in millionths.
    Random(u32),
    /// More while a burst lasts than between bursts.
    Bursts(Bursts),
}

/// Bursty loss, in the model of Gilbert and Elliott. Probabilities are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bursts {
    /// The probability that a burst begins with a segment.
    pub begin: u32,
    /// The probability that a burst ends with a segment. Its mean length is 1 / `end` segments.
    pub end: u32,
    /// The probability that a segment is lost during a burst.
    pub during: u32,
    /// The probability that a segment is lost between bursts.
    pub between: u32,
}

impl Bursts {
    /// The share of segments that are lost in the long run, from 0 to 1:
    /// (`begin` × `during` + `end` × `between`) / (`begin` + `end`).
    pub fn mean(&self) -> f64 {
        let [begin, end, during, between] =
            [self.begin, self.end, self.during, self.between].map(|millionths| f64::from(millionths) / 1e6);
        (begin * during + end * between) / (begin + end)
    }
}
