//! What lies between the hosts.

use std::num::NonZeroU64;
use std::time::Duration;

use halfopen_units::format_duration;

use super::{Checker, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::{Bandwidth, LossRate, Probability, Size};
use crate::shape::{self, Opt, ShortOr};
use crate::{Bursts, HostId, Jitter, Limits, Link, Loss, Network, Queue};

/// What the text says about some links, or about all.
struct Said<'a> {
    /// Whether something of it was wrong and has been taken out.
    pruned: bool,
    latency: &'a Opt<Duration>,
    jitter: &'a Option<Spanned<ShortOr<Duration, shape::Jitter>>>,
    bandwidth: &'a Opt<Bandwidth>,
    queue: &'a Opt<Queue>,
    loss: &'a Option<Spanned<ShortOr<LossRate, shape::Loss>>>,
    mtu: &'a Opt<Size>,
    neighbours: &'a Opt<Switch>,
}

/// What of it is there and makes sense by itself.
struct Values {
    latency: Option<Duration>,
    jitter: Option<Jitter>,
    bandwidth: Option<Option<NonZeroU64>>,
    queue: Option<Queue>,
    loss: Option<Loss>,
    mtu: Option<u16>,
    neighbours: Option<bool>,
}

impl Values {
    fn over(&self, link: &Link) -> Link {
        Link {
            latency: self.latency.unwrap_or(link.latency),
            jitter: self.jitter.unwrap_or(link.jitter),
            bandwidth: self.bandwidth.unwrap_or(link.bandwidth),
            queue: self.queue.unwrap_or(link.queue),
            loss: self.loss.unwrap_or(link.loss),
            mtu: self.mtu.unwrap_or(link.mtu),
            neighbours: self.neighbours.unwrap_or(link.neighbours),
        }
    }
}

impl Checker<'_> {
    pub(super) fn network(&mut self, network: &Spanned<shape::Network>) -> Network {
        let pruned = network.pruned;
        let shape::Network {
            latency,
            jitter,
            bandwidth,
            queue,
            loss,
            mtu,
            neighbours,
            icmp,
            links: given,
            middleboxes,
        } = &network.value;
        let said = Said { pruned, latency, jitter, bandwidth, queue, loss, mtu, neighbours };
        let icmp = word(icmp).is_none_or(|Switch(on)| on);
        let link = self.values(&said).over(&Link::default());
        let with_ipv6 = self.hosts.iter().filter(|host| host.has_ipv6()).count();
        self.fits_together(&said, &link, with_ipv6 > 1);
        let mut network = Network { link, icmp, ..Network::default() };
        let first = given.first().map_or(Span::default(), |link| link.span);
        if self.limit(first, "links", given.len(), Limits::MAX_LINKS) {
            for given in given {
                self.links(given, pruned, &mut network);
            }
        }
        self.queue_is_before_a_line(&said, network.links.values().chain([&network.link]));
        // Nothing waits where there is no line.
        for link in network.links.values_mut().filter(|link| link.bandwidth.is_none()) {
            link.queue = network.link.queue;
        }
        if let Some(middleboxes) = middleboxes {
            self.middleboxes = self.middleboxes(middleboxes);
            network.middleboxes.clone_from(&self.middleboxes);
        }
        network
    }

    /// Lays what an item says about some links over what is known of them.
    fn links(&mut self, given: &Spanned<shape::Link>, pruned: bool, network: &mut Network) {
        let shape::Link { latency, jitter, bandwidth, queue, loss, mtu, neighbours, .. } = &given.value;
        let pruned = pruned || given.pruned;
        let said = Said { pruned, latency, jitter, bandwidth, queue, loss, mtu, neighbours };
        let values = self.values(&said);
        let mut changed = Vec::new();
        let mut good = true;
        for (from, to) in self.directions(given) {
            let link = values.over(network.link(from, to));
            // Said once, however many links it is about.
            let ipv6 = [from, to].iter().all(|host| self.hosts[host.0].has_ipv6());
            good = good && self.fits_together(&said, &link, ipv6);
            network.links.insert((from, to), link);
            changed.push(link);
        }
        self.queue_is_before_a_line(&said, &changed);
    }

    /// Says so if none of the links has a line that is worth waiting for.
    fn queue_is_before_a_line<'l>(&mut self, said: &Said<'_>, links: impl IntoIterator<Item = &'l Link>) {
        let mut links = links.into_iter().peekable();
        let Some(queue) = said.queue.as_ref().filter(|_| !said.pruned && links.peek().is_some()) else {
            return;
        };
        if links.all(|link| link.bandwidth.is_none()) {
            let help = "add `bandwidth: 10 Mbit/s`";
            self.problem(queue.key, "a queue needs a `bandwidth`", help);
        }
    }

    /// Which links it is about, by sender and receiver.
    fn directions(&mut self, given: &Spanned<shape::Link>) -> Vec<(HostId, HostId)> {
        let all: Vec<HostId> = (0..self.hosts.len()).map(HostId).collect();
        let (senders, receivers) = match (&given.between, &given.from, &given.to) {
            (None, None, None) => {
                if !given.pruned {
                    let help = "add `between: [client, server]`, or `from: client` for one direction";
                    self.problem(given.span, "this does not say which links", help);
                }
                return Vec::new();
            }
            (None, from, to) => {
                let ends = [from, to].map(|end| (end.is_some(), self.host_at(end)));
                if let ([(true, Some(from)), (true, Some(receiver))], Some(place)) = (ends, to)
                    && from == receiver
                {
                    self.problem(place.span, "no link goes from a host to itself", "name another host");
                }
                let hosts = |(given, host): (bool, Option<HostId>)| {
                    if given { host.into_iter().collect() } else { all.clone() }
                };
                (hosts(ends[0]), hosts(ends[1]))
            }
            (Some(between), from, to) => {
                if let Some(place) = key(from).or(key(to)) {
                    let help = "keep `between` for both directions, or `from` and `to` for one";
                    self.problem(place, "`between` and `from` or `to` of one link", help);
                }
                let hosts: Vec<HostId> =
                    between.value.iter().filter_map(|name| self.host(name.span, &name.value.0)).collect();
                if between.value.len() < 2 && !between.pruned {
                    let help = "name two: `between: [client, server]`";
                    self.problem(between.span, "a link is between two hosts", help);
                }
                (hosts.clone(), hosts)
            }
        };
        let pairs = senders.iter().flat_map(|from| receivers.iter().map(|to| (*from, *to)));
        pairs.filter(|(from, to)| from != to).collect()
    }

    fn values(&mut self, said: &Said<'_>) -> Values {
        let queue = said.queue.as_ref().map(|queue| {
            let Scalar(value) = queue.value;
            if matches!(value, Queue::Octets(0) | Queue::Segments(0)) {
                self.problem(queue.span, "zero makes no sense here", "the least is `1 segment`");
            }
            value
        });
        Values {
            latency: word(said.latency),
            jitter: said.jitter.as_ref().and_then(|jitter| self.jitter(jitter)),
            bandwidth: word(said.bandwidth).map(|Bandwidth(bits)| bits),
            queue,
            loss: said.loss.as_ref().and_then(|loss| self.loss(loss)),
            mtu: self.octets(said.mtu, 576),
            neighbours: word(said.neighbours).map(|Switch(on)| on),
        }
    }

    fn jitter(&mut self, jitter: &Spanned<ShortOr<Duration, shape::Jitter>>) -> Option<Jitter> {
        let long = match &jitter.value {
            ShortOr::Short(most) => return Some(Jitter { most: *most, ..Jitter::default() }),
            ShortOr::Long(long) => long,
        };
        if long.most.is_none() && !jitter.pruned {
            self.problem(jitter.span, "this does not say how much", "add `most: 5ms`");
        }
        Some(Jitter { most: word(&long.most)?, distribution: word(&long.distribution).unwrap_or_default() })
    }

    fn loss(&mut self, loss: &Spanned<ShortOr<LossRate, shape::Loss>>) -> Option<Loss> {
        let bursts = match &loss.value {
            ShortOr::Short(LossRate(None)) => return Some(Loss::None),
            ShortOr::Short(LossRate(Some(millionths))) => return Some(Loss::Random(*millionths)),
            ShortOr::Long(shape::Loss { bursts }) => bursts,
        };
        let Some(bursts) = bursts else {
            if !loss.pruned {
                let help = "write `1%`, or `{bursts: {begin: 1%, end: 25%}}`";
                self.problem(loss.span, "this does not say how much is lost", help);
            }
            return None;
        };
        if (bursts.value.begin.is_none() || bursts.value.end.is_none()) && !bursts.pruned {
            let help = "give both: `{begin: 1%, end: 25%}`";
            self.problem(bursts.span, "this does not say how bursts begin and end", help);
        }
        let share = |probability| word(probability).map(|Probability(millionths)| millionths);
        Some(Loss::Bursts(Bursts {
            begin: share(&bursts.value.begin)?,
            end: share(&bursts.value.end)?,
            during: share(&bursts.value.during).unwrap_or(1_000_000),
            between: share(&bursts.value.between).unwrap_or(0),
        }))
    }

    /// Whether the values of a link fit together, and IPv6 if that may be on it; says so if not.
    fn fits_together(&mut self, said: &Said<'_>, link: &Link, ipv6: bool) -> bool {
        let (latency, most) = (link.latency, link.jitter.most);
        let early = link.jitter.distribution.is_two_sided() && most > latency;
        let place = said.jitter.as_ref().map(|jitter| jitter.span);
        if let Some(place) = place.or(said.latency.as_ref().map(|latency| latency.span)).filter(|_| early) {
            let help = format!(
                "the latency is {}; a segment cannot arrive before it is sent",
                format_duration(latency)
            );
            self.problem(place, "the jitter is more than the latency", help);
            return false;
        }
        // RFC 8200 §5.
        if let Some(mtu) = said.mtu.as_ref().filter(|_| ipv6 && link.mtu < 1280) {
            let help = "raise it, or give only one of the two hosts an IPv6 address";
            self.problem(mtu.span, "a link of IPv6 takes at least 1280 B", help);
            return false;
        }
        true
    }
}
