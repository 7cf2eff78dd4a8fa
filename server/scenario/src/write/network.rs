//! What lies between the hosts.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use halfopen_units::{format_bandwidth, format_percentage};

use super::hosts::or;
use super::yaml::{Map, Yaml};
use super::{Writer, size};
use crate::{
    Bursts, HostId, IdleTimes, Jitter, Link, Loss, Middlebox, MiddleboxSettings, Network, Preset, Queue,
    Stands, TrackedState, Translates,
};

impl Writer<'_> {
    pub(super) fn network(self) -> Map {
        let Network { link: all, links: _, icmp, middleboxes } = &self.scenario.network;
        let links = self.links();
        let boxes = middleboxes.iter().fold(Map::new(), |map, it| map.with(&it.name, self.middlebox_map(it)));
        link(&Link::default(), all)
            .unless(&true, "icmp", *icmp)
            .maybe("links", (!links.is_empty()).then_some(Yaml::Lines(links)))
            .maybe("middleboxes", (!boxes.is_empty()).then_some(boxes))
    }

    /// The links that are different; one item for both directions if they are alike.
    fn links(self) -> Vec<Yaml> {
        let Network { link: all, links, .. } = &self.scenario.network;
        let mut written = BTreeSet::new();
        let mut items = Vec::new();
        for ((from, to), own) in links {
            if written.contains(&(*from, *to)) {
                continue;
            }
            let ends = if links.get(&(*to, *from)) == Some(own) {
                written.insert((*to, *from));
                Map::new().with("between", self.host_list(&[*from, *to]))
            } else {
                Map::new().with("from", self.host(*from)).with("to", self.host(*to))
            };
            items.push(Yaml::Map(ends.and(link(all, own))));
        }
        items
    }

    pub(super) fn host_list(self, hosts: &[HostId]) -> Yaml {
        Yaml::List(hosts.iter().map(|host| self.host(*host)).collect())
    }

    fn middlebox_map(self, middlebox: &Middlebox) -> Map {
        let Middlebox { name: _, stands, settings, location: _ } = middlebox;
        let preset = Preset::ALL.into_iter().find(|preset| preset.settings() == *settings);
        let base = Map::new().maybe("preset", preset.map(Preset::name));
        let base = match stands {
            Stands::Everywhere => base,
            Stands::Between(hosts) => base.with("between", self.host_list(hosts)),
            Stands::InFrontOf(hosts) => base.with("behind", self.host_list(hosts)),
            Stands::OneWay { from, to } => base.with("from", self.host(*from)).with("to", self.host(*to)),
        };
        match preset {
            Some(_) => base,
            None => base.and(middlebox_settings(settings)),
        }
    }
}

/// What a link has that another has not.
fn link(base: &Link, link: &Link) -> Map {
    let Link { latency, jitter, bandwidth, queue, loss, mtu, neighbours } = *link;
    Map::new()
        .unless(&base.latency, "latency", latency)
        .maybe("jitter", (base.jitter != jitter).then(|| self::jitter(jitter)))
        .maybe("bandwidth", (base.bandwidth != bandwidth).then(|| self::bandwidth(bandwidth)))
        .maybe("queue", (base.queue != queue).then(|| self::queue(queue)))
        .maybe("loss", (base.loss != loss).then(|| self::loss(loss)))
        .maybe("mtu", (base.mtu != mtu).then(|| size(mtu)))
        .unless(&base.neighbours, "neighbours", neighbours)
}

fn jitter(Jitter { most, distribution }: Jitter) -> Yaml {
    if distribution == Jitter::default().distribution {
        return Yaml::from(most);
    }
    Yaml::Map(Map::new().with("most", most).with("distribution", distribution.name()))
}

fn bandwidth(bandwidth: Option<NonZeroU64>) -> Yaml {
    or(bandwidth.map(|bits| format_bandwidth(bits.get())), "unlimited")
}

fn queue(queue: Queue) -> Yaml {
    match queue {
        Queue::Octets(octets) => size(octets),
        Queue::Segments(segments) => Yaml::Word(halfopen_units::format_count(segments, "segment")),
    }
}

fn loss(loss: Loss) -> Yaml {
    match loss {
        Loss::None => Yaml::from(false),
        Loss::Random(millionths) => Yaml::Word(format_percentage(millionths)),
        Loss::Bursts(Bursts { begin, end, during, between }) => {
            let share = |millionths: u32| format_percentage(millionths);
            let bursts = Map::new()
                .with("begin", share(begin))
                .with("end", share(end))
                .unless(&share(1_000_000), "during", share(during))
                .unless(&share(0), "between", share(between));
            Yaml::Map(Map::new().with("bursts", bursts))
        }
    }
}

fn middlebox_settings(settings: &MiddleboxSettings) -> Map {
    let MiddleboxSettings {
        idle,
        on_expiry,
        strays,
        invalid,
        mss_clamp,
        translates,
        blocks_new,
        sequence_numbers,
        max_connections,
        on_full,
        on_reuse,
    } = settings;
    let base = MiddleboxSettings::default();
    Map::new()
        .maybe("idle", (base.idle != *idle).then(|| self::idle(idle)))
        .unless(&base.on_expiry.name(), "on-expiry", on_expiry.name())
        .unless(&base.strays.name(), "strays", strays.name())
        .unless(&base.invalid.name(), "invalid", invalid.name())
        .maybe("mss-clamp", mss_clamp.map(size))
        .maybe("translates", translates.map(self::translates))
        .on("blocks-new", *blocks_new)
        .unless(&base.sequence_numbers.name(), "sequence-numbers", sequence_numbers.name())
        .maybe("max-connections", *max_connections)
        .unless(&base.on_full.name(), "on-full", on_full.name())
        .unless(&base.on_reuse.name(), "on-reuse", on_reuse.name())
}

fn translates(Translates { to, ports }: Translates) -> Yaml {
    let map = Map::new().with("to", to.to_string());
    Yaml::Map(map.unless(&u32::from(Translates::MAX_PORTS), "ports", u32::from(ports)))
}

fn idle(idle: &IdleTimes) -> Yaml {
    if let Some(time) = idle.of(TrackedState::Established).filter(|time| *idle == IdleTimes::all(*time)) {
        return Yaml::from(time);
    }
    let states = TrackedState::ALL.into_iter().filter_map(|state| Some((state, idle.of(state)?)));
    let map =
        states.fold(Map::new(), |map, (state, time)| map.with(&state.name().to_ascii_lowercase(), time));
    Yaml::Map(map.maybe("unacknowledged", idle.unacknowledged))
}
