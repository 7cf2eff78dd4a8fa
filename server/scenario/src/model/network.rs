//! What lies between the hosts.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use super::{HostId, Middlebox};

/// What lies between the hosts: a link from each to each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Every link that is not one of `links`. A host takes its MTU for that of its own link, unless it is told another.
    pub link: Link,
    /// Links that are different, by sender and receiver.
    pub links: BTreeMap<(HostId, HostId), Link>,
    /// Whether what routers say by ICMP reaches whom they say it to.
    pub icmp: bool,
    /// What stands on the way, in the order of the text. A [`MiddleboxId`](super::MiddleboxId) is an index into it.
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

/// The way from one host to another, in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a segment is under way once it has been transmitted.
    pub latency: Duration,
    /// How much this varies.
    pub jitter: Jitter,
    /// Bits a second, of whole IP datagrams; `None`: a datagram is transmitted at once.
    pub bandwidth: Option<NonZeroU64>,
    /// How many may wait to be transmitted; what comes then is lost.
    pub queue: Queue,
    /// How many are lost by chance.
    pub loss: Loss,
    /// Largest IP datagram, octets.
    pub mtu: u16,
}

impl Link {
    /// Latency when the text says none.
    pub const DEFAULT_LATENCY: Duration = Duration::from_millis(1);
    /// MTU when the text says none.
    pub const DEFAULT_MTU: u16 = 1500;
    /// The least and the greatest bandwidth, bits a second.
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
        }
    }
}

/// How much the latency of a link varies from segment to segment. It never changes their order: a segment does not arrive
/// before one that was sent earlier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// The most that a segment is late, and, if the distribution has two sides, early.
    pub most: Duration,
    /// How the rest is spread.
    pub distribution: Distribution,
}

/// How delays are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Distribution {
    /// From `most` earlier to `most` later, any time as likely as any other.
    #[default]
    Even,
    /// Within the same bounds, but mostly little: the mean of twelve even ones, which is as good as normal, with a standard
    /// deviation of a sixth of `most`.
    Normal,
    /// Later only: exponential with a mean of a fifth of `most`, cut off there (which takes less than 1% of it).
    Exponential,
    /// Later only, with a long tail: Pareto (of the second kind, with shape 2) with a median of 4% of `most` and a mean of
    /// 8%, cut off there (which takes less than 1% of it).
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

    /// Whether a segment may be earlier than the latency says.
    pub const fn is_two_sided(self) -> bool {
        match self {
            Distribution::Even | Distribution::Normal => true,
            Distribution::Exponential | Distribution::Pareto => false,
        }
    }
}

/// What may wait before a line of limited bandwidth: first in, first out, and what finds no room is lost (drop-tail).
/// The datagram that is being transmitted does not wait any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// So many octets of IP datagrams.
    Octets(u64),
    /// So many segments.
    Segments(u64),
}

impl Default for Queue {
    /// What Linux gives an Ethernet device (`txqueuelen`).
    fn default() -> Queue {
        Queue::Segments(1000)
    }
}

/// What is lost by chance.
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

/// Loss that comes in bursts: the model of Gilbert and Elliott. Probabilities are in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bursts {
    /// That a burst begins with a segment.
    pub begin: u32,
    /// That a burst is over with a segment. It is as long as so many segments on average: 1 / `end`.
    pub end: u32,
    /// That a segment is lost during a burst.
    pub during: u32,
    /// That a segment is lost between bursts.
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
