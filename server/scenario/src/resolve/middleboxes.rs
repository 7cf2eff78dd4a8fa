//! Middleboxes: a preset, and what is laid over it.

use std::time::Duration;

use super::{Checker, Place, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::shape::{self, Given, IdleByState, Named, Opt, OrNever, ShortOr};
use crate::{
    Effect, HostId, IdleTimes, Limits, Middlebox, MiddleboxFault, MiddleboxId, MiddleboxSettings, Stands,
    TrackedState, Translates, wording,
};

impl Checker<'_> {
    pub(super) fn middleboxes(
        &mut self,
        middleboxes: &Spanned<Named<Spanned<shape::Middlebox>>>,
    ) -> Vec<Middlebox> {
        let list = &middleboxes.value.0;
        if !self.limit(middleboxes.key, "middleboxes", list.len(), Limits::MAX_MIDDLEBOXES) {
            return Vec::new();
        }
        let mut all: Vec<Middlebox> = Vec::new();
        for (name, middlebox) in list {
            self.name(name.span, "a middlebox's name", name);
            if self.hosts.iter().any(|host| host.name == name.value) {
                let message = format!("a host is already called `{}`", name.value);
                self.problem(name.span, message, "give the middlebox another name");
            }
            let stands = self.stands(middlebox);
            let settings = self.middlebox_settings(middlebox, &all);
            let location = self.location(name.span);
            all.push(Middlebox { name: name.value.clone(), stands, settings, location });
        }
        all
    }

    fn stands(&mut self, given: &shape::Middlebox) -> Stands {
        let (from, to) = (self.host_at(&given.from), self.host_at(&given.to));
        if let Some(behind) = &given.behind {
            if let Some(place) = key(&given.between).or(key(&given.from)).or(key(&given.to)) {
                let help = "keep `behind` (a group of hosts and all others), or remove it";
                self.problem(place, "`behind` already says where the middlebox stands", help);
            }
            return self.in_front_of(behind);
        }
        match (&given.between, &given.from, &given.to) {
            (None, None, None) => Stands::Everywhere,
            (Some(between), None, None) => {
                self.two_hosts(between).map_or(Stands::Everywhere, Stands::Between)
            }
            (Some(_), one, other) => {
                let place = key(one).or(key(other)).unwrap_or_default();
                let help = "keep `between` for both directions, or `from` and `to` for one";
                self.problem(place, "`between` and `from` or `to` of one middlebox", help);
                Stands::Everywhere
            }
            (None, Some(_), Some(receiver)) => {
                self.two_ends([from, to], receiver.span);
                from.zip(to).map_or(Stands::Everywhere, |(from, to)| Stands::OneWay { from, to })
            }
            (None, one, other) => {
                let place = key(one).or(key(other)).unwrap_or_default();
                self.problem(
                    place,
                    "this names one end of a direction",
                    "add `from` or `to`, or use `between`",
                );
                Stands::Everywhere
            }
        }
    }

    fn in_front_of(&mut self, behind: &Spanned<Vec<Spanned<Scalar<String>>>>) -> Stands {
        let named = &behind.value;
        let hosts: Vec<HostId> =
            named.iter().filter_map(|name| self.host(name.span, &name.value.0)).collect();
        let others = (0..self.hosts.len()).map(HostId).any(|host| !hosts.contains(&host));
        if (hosts.is_empty() && named.is_empty() && !behind.pruned) || !others {
            let help = "name some of the hosts: `behind: [phone, laptop]`";
            self.problem(behind.span, "nothing passes a middlebox without a host on each side", help);
        }
        Stands::InFrontOf(hosts)
    }

    fn two_hosts(&mut self, between: &Spanned<Vec<Spanned<Scalar<String>>>>) -> Option<[HostId; 2]> {
        let [one, other] = &between.value[..] else {
            if !between.pruned {
                let message = "a middlebox stands between two hosts, or between all";
                self.problem(between.span, message, "write `between: [client, server]`, or leave it out");
            }
            return None;
        };
        let (first, second) = (self.host(one.span, &one.value.0), self.host(other.span, &other.value.0));
        self.two_ends([first, second], other.span);
        Some([first?, second?])
    }

    fn middlebox_settings(&mut self, given: &shape::Middlebox, others: &[Middlebox]) -> MiddleboxSettings {
        let mut settings = word(&given.preset).map(crate::Preset::settings).unwrap_or_default();
        if let Some(idle) = &given.idle {
            self.idle_times(&mut settings.idle, idle);
        }
        settings.on_expiry = word(&given.on_expiry).unwrap_or(settings.on_expiry);
        settings.strays = word(&given.strays).unwrap_or(settings.strays);
        settings.invalid = word(&given.invalid).unwrap_or(settings.invalid);
        // As little as Linux allows a host to offer.
        settings.mss_clamp = self.octets(&given.mss_clamp, Limits::MIN_MSS).or(settings.mss_clamp);
        if let (Some(translates), None) = (&given.translates, &given.behind) {
            let help = "name the hosts that share the address: `behind: [phone, laptop]`";
            self.problem(translates.key, "`translates` without `behind`", help);
        }
        settings.translates = given.translates.as_ref().and_then(|it| self.translates(it, others));
        settings.max_connections = match &given.max_connections {
            Some(most) => Some(self.at_least_one(most)),
            None => settings.max_connections,
        };
        let is_limited = settings.max_connections.is_some() || given.translates.is_some();
        if let Some(on_full) = given.on_full.as_ref().filter(|_| !is_limited) {
            self.problem(on_full.key, "`on-full` without `max-connections`", "add `max-connections: 1024`");
        }
        settings.on_full = word(&given.on_full).unwrap_or(settings.on_full);
        settings.sequence_numbers = word(&given.sequence_numbers).unwrap_or(settings.sequence_numbers);
        settings.on_reuse = word(&given.on_reuse).unwrap_or(settings.on_reuse);
        settings.blocks_new = word(&given.blocks_new).map_or(settings.blocks_new, |Switch(on)| on);
        settings
    }

    fn translates(&mut self, given: &Spanned<shape::Translates>, others: &[Middlebox]) -> Option<Translates> {
        let shape::Translates { to, ports } = &given.value;
        if to.is_none() && !given.pruned {
            self.problem(given.span, "this does not say which address", "add `to: 203.0.113.1`");
        }
        let ports = ports.as_ref().map_or(Translates::MAX_PORTS, |count| {
            let least = self.at_least_one(count);
            u16::try_from(least).ok().filter(|ports| *ports <= Translates::MAX_PORTS).unwrap_or_else(|| {
                let message = format!(
                    "an address has only {} ports from {} on",
                    Translates::MAX_PORTS,
                    Translates::FIRST_PORT
                );
                self.problem(count.span, message, "lower it, or leave it out for all");
                Translates::MAX_PORTS
            })
        });
        let to = to.as_ref()?;
        let Scalar(address) = to.value;
        if address.is_loopback() {
            let message = format!("{address} is an address of every host");
            self.problem(to.span, message, "name one that others can reach, such as `203.0.113.1`");
        }
        let holder = self.hosts.iter().find(|host| host.addresses.contains(&address)).map(|host| &host.name);
        let shares = |other: &&Middlebox| other.settings.translates.is_some_and(|it| it.to == address);
        let owner = holder.or(others.iter().find(shares).map(|other| &other.name));
        if let Some(owner) = owner {
            let message = format!("`{owner}` already has the address {address}");
            self.problem(to.span, message, "give it one of its own, such as `203.0.113.1`");
        }
        Some(Translates { to: address, ports })
    }

    fn idle_times(&mut self, times: &mut IdleTimes, idle: &Spanned<ShortOr<Duration, IdleByState>>) {
        match &idle.value {
            ShortOr::Short(time) => {
                self.not_zero(idle.span, *time);
                *times = IdleTimes::all(*time);
            }
            ShortOr::Long(given) => self.idle_by_state(times, given),
        }
    }

    fn idle_by_state(&mut self, times: &mut IdleTimes, given: &IdleByState) {
        if let Some(half_closed) = &given.half_closed {
            for other in [&given.fin_wait, &given.close_wait].into_iter().flatten() {
                let help = "it is short for `fin-wait` and `close-wait`: use either it or them";
                self.problem(other.key, "`half-closed` already sets this", help);
            }
            let time = self.idle_time(half_closed);
            times.set(TrackedState::FinWait, time);
            times.set(TrackedState::CloseWait, time);
        }
        let by_state: [(TrackedState, &Opt<OrNever>); TrackedState::ALL.len()] = [
            (TrackedState::SynSent, &given.syn_sent),
            (TrackedState::SynReceived, &given.syn_received),
            (TrackedState::Established, &given.established),
            (TrackedState::FinWait, &given.fin_wait),
            (TrackedState::CloseWait, &given.close_wait),
            (TrackedState::LastAck, &given.last_ack),
            (TrackedState::TimeWait, &given.time_wait),
            (TrackedState::Closed, &given.closed),
        ];
        for (state, time) in by_state {
            if let Some(time) = time {
                times.set(state, self.idle_time(time));
            }
        }
        if let Some(time) = &given.unacknowledged {
            times.unacknowledged = self.idle_time(time);
        }
    }

    fn idle_time(&mut self, given: &Spanned<Scalar<OrNever>>) -> Option<Duration> {
        let Scalar(OrNever(time)) = given.value;
        if let Some(time) = time {
            self.not_zero(given.span, time);
        }
        time
    }

    fn not_zero(&mut self, span: Span, time: Duration) {
        if time.is_zero() {
            self.problem(span, "zero makes no sense here", "say how long, or `never`");
        }
    }

    /// The middlebox of that name; says so if there is none.
    pub(super) fn middlebox(&mut self, span: Span, name: &str) -> Option<MiddleboxId> {
        let found = self.middleboxes.iter().position(|middlebox| middlebox.name == name).map(MiddleboxId);
        if found.is_none() {
            let names: Vec<String> =
                self.middleboxes.iter().map(|middlebox| middlebox.name.clone()).collect();
            self.no_such(span, "middlebox", name, &names, |names| match names {
                [] => "there is none: `network: {middleboxes: {nat: {preset: aws-nlb}}}`".to_owned(),
                [only] => format!("the only one is `{only}`"),
                names => format!("there are {}", wording::list(names.iter().copied())),
            });
        }
        found
    }

    /// The middlebox that stands after a word that may name a host too.
    pub(super) fn middlebox_in(
        &mut self,
        place: Place,
        given: &Given<Scalar<String>>,
    ) -> Option<MiddleboxId> {
        let Scalar(name) = given.inner()?;
        let known = self.middleboxes.iter().any(|middlebox| middlebox.name == *name);
        if known { self.middlebox(given.span_or(place.span), name) } else { None }
    }

    /// What happens to the middlebox that stands after the word.
    pub(super) fn on_middlebox(
        &mut self,
        place: Place,
        given: &Given<Scalar<String>>,
        fault: MiddleboxFault,
    ) -> Option<Effect> {
        let example = format!("its name after the word: `{}: nat`", fault.name());
        let Scalar(name) = self.needed(given, place, "which middlebox", &example)?;
        let middlebox = self.middlebox(given.span_or(place.span), name)?;
        Some(Effect::Middlebox { middlebox, fault })
    }
}
