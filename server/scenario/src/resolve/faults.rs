//! What goes wrong.

use std::time::Duration;

use super::{Checker, Place, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Probability;
use crate::shape::faults::{PausedClock, Reboot};
use crate::shape::{self, Given, Named, Opt, Processes};
use crate::{
    BlackHole, Cut, Effect, Fault, HostId, Limits, MiddleboxFault, SegmentAction, Unreachable, When, Which,
    wording,
};

impl Checker<'_> {
    pub(super) fn faults(&mut self, faults: &[Spanned<shape::Fault>]) -> Vec<Fault> {
        let first = faults.first().map_or(Span::default(), |fault| fault.span);
        if !self.limit(first, "faults", faults.len(), Limits::MAX_FAULTS) {
            return Vec::new();
        }
        faults.iter().filter_map(|fault| self.fault(fault)).collect()
    }

    pub(super) fn fault(&mut self, fault: &Spanned<shape::Fault>) -> Option<Fault> {
        let place = Place { span: fault.span, pruned: fault.pruned };
        let when = self.when(place, fault);
        let effect = self.effect(place, fault);
        Some(Fault {
            effect: effect?,
            when: when?,
            may_not_happen: word(&fault.when().may_not_happen).is_some_and(|Switch(may)| may),
            location: self.location(fault.span),
            text: self.text(fault.span),
        })
    }

    fn effect(&mut self, place: Place, fault: &shape::Fault) -> Option<Effect> {
        match fault {
            shape::Fault::Drop(it) => self.on_segments(place, &it.drop, &it.which, |_| SegmentAction::Drop),
            shape::Fault::Delay(it) => self.on_segments(place, &it.delay, &it.which, |checker| {
                SegmentAction::Delay { by: checker.by(place, &it.by, "add `by: 300ms`") }
            }),
            shape::Fault::Duplicate(it) => {
                self.on_segments(place, &it.duplicate, &it.which, |checker| SegmentAction::Duplicate {
                    copies: it.copies.as_ref().map_or(1, |copies| checker.copies(copies)),
                    spacing: word(&it.spacing).unwrap_or_default(),
                })
            }
            shape::Fault::Reorder(it) => self.on_segments(place, &it.reorder, &it.which, |checker| {
                let behind = it.behind.as_ref().map_or(1, |behind| checker.at_least_one(behind));
                SegmentAction::Reorder { behind }
            }),
            shape::Fault::Corrupt(it) => self.on_segments(place, &it.corrupt, &it.which, |checker| {
                let bits = it.bits.as_ref().map_or(1, |bits| checker.bits(bits));
                SegmentAction::Corrupt { bits, field: word(&it.field) }
            }),
            shape::Fault::Rewrite(it) => self.on_segments(place, &it.rewrite, &it.which, |checker| {
                SegmentAction::Rewrite(checker.rewrite(place, &it.set))
            }),
            shape::Fault::Unreachable(it) => self.on_segments(place, &it.unreachable, &it.which, |checker| {
                SegmentAction::Unreachable(checker.unreachable(place, it))
            }),
            shape::Fault::Inject(it) => {
                self.forgery(place, &it.inject).map(|forgery| Effect::Inject(Box::new(forgery)))
            }
            shape::Fault::PowerLoss(it) => self.power_loss(place, &it.power_loss),
            shape::Fault::Reboot(it) => self.reboot(place, it),
            shape::Fault::Kill(it) => {
                let restarts_after = self.after(&it.restarts_after);
                let processes = self.processes(place, &it.kill);
                processes.map(|(host, program)| Effect::Kill { host, program, restarts_after })
            }
            shape::Fault::Freeze(it) => {
                let resumes_after = self.after(&it.resumes_after);
                self.victim(place, &it.freeze).map(|host| Effect::Freeze { host, resumes_after })
            }
            shape::Fault::Pause(it) => {
                let resumes_after = self.after(&it.resumes_after);
                let clock_stops = word(&it.clock) == Some(PausedClock::Stops);
                let host = self.victim(place, &it.pause);
                host.map(|host| Effect::Pause { host, resumes_after, clock_stops })
            }
            shape::Fault::ClockJump(it) => {
                let by = self.by(place, &it.by, "add `by: 1h`");
                self.victim(place, &it.clock_jump).map(|host| Effect::ClockJump { host, by })
            }
            shape::Fault::CablePull(it) => {
                let replug_after = self.after(&it.replug_after);
                self.victim(place, &it.cable_pull).map(|host| Effect::CablePull { host, replug_after })
            }
            shape::Fault::Blackhole(it) => {
                let heals_after = self.after(&it.heals_after);
                self.black_hole(place, &it.blackhole).map(|hole| Effect::BlackHole { hole, heals_after })
            }
            shape::Fault::Partition(it) => {
                let heals_after = self.after(&it.heals_after);
                self.cut(place, &it.partition).map(|cut| Effect::Partition { cut, heals_after })
            }
            shape::Fault::MoveAddress(it) => self.move_address(place, it),
            shape::Fault::LoseAddress(it) => self.lose_address(place, it),
            shape::Fault::Forget(it) => self.on_middlebox(place, &it.forget, MiddleboxFault::Forget),
            shape::Fault::BlocksNew(it) => {
                let unblocks_after = self.after(&it.unblocks_after);
                self.on_middlebox(place, &it.blocks_new, MiddleboxFault::BlocksNew { unblocks_after })
            }
        }
    }

    fn power_loss(&mut self, place: Place, name: &Given<Scalar<String>>) -> Option<Effect> {
        match self.middlebox_in(place, name) {
            Some(middlebox) => Some(Effect::Middlebox { middlebox, fault: MiddleboxFault::PowerLoss }),
            None => self.victim(place, name).map(Effect::PowerLoss),
        }
    }

    fn reboot(&mut self, place: Place, it: &Reboot) -> Option<Effect> {
        if it.back_after.is_none() && !place.pruned {
            self.problem(place.span, "this does not say how long the host is down", "add `back-after: 5s`");
        }
        let back_after = self.after(&it.back_after).unwrap_or_default();
        match self.middlebox_in(place, &it.reboot) {
            Some(middlebox) => {
                Some(Effect::Middlebox { middlebox, fault: MiddleboxFault::Reboot { back_after } })
            }
            None => self.victim(place, &it.reboot).map(|host| Effect::Reboot { host, back_after }),
        }
    }

    fn by(&mut self, place: Place, by: &Opt<Duration>, help: &str) -> Duration {
        if by.is_none() && !place.pruned {
            self.problem(place.span, "this does not say by how much", help);
        }
        self.after(by).unwrap_or_default()
    }

    pub(super) fn after(&mut self, after: &Opt<Duration>) -> Option<Duration> {
        after.as_ref().map(|after| self.positive(after))
    }

    fn black_hole(&mut self, place: Place, given: &Given<shape::BlackHole>) -> Option<BlackHole> {
        let at = given.span_or(place.span);
        let hole = self.needed(given, place, "which datagrams", "`blackhole: larger than 1480 B`")?;
        if hole.larger_than.is_none() && !given.is_pruned() {
            self.problem(at, "this does not say which datagrams", "add `larger-than: 1480 B`");
        }
        let (from, receiver) = (self.host_at(&hole.from), self.host_at(&hole.to));
        if let Some(to) = &hole.to {
            self.two_ends([from, receiver], to.span);
        }
        Some(BlackHole { larger_than: hole.larger_than?, from, to: receiver })
    }

    fn copies(&mut self, given: &Spanned<Scalar<u32>>) -> u32 {
        let copies = self.at_least_one(given);
        if copies > Limits::MAX_COPIES {
            let message = format!("a segment can have at most {} copies", Limits::MAX_COPIES);
            self.problem(given.span, message, "lower it");
        }
        copies
    }

    /// As many as a checksum of 16 bits never misses.
    fn bits(&mut self, given: &Spanned<Scalar<u32>>) -> u32 {
        let bits = self.at_least_one(given);
        if bits > 15 {
            self.problem(given.span, "at most 15 bits can be flipped", "lower it");
        }
        bits
    }

    /// What the router says; only one message has an MTU.
    fn unreachable(&mut self, place: Place, it: &shape::faults::Unreachable) -> Unreachable {
        let code = word(&it.code).unwrap_or_default();
        let Unreachable::FragmentationNeeded { .. } = code else {
            if let Some(mtu) = &it.mtu {
                let help = "add `code: fragmentation-needed`";
                self.problem(mtu.key, format!("`mtu` with the code `{}`", code.name()), help);
            }
            return code;
        };
        if it.mtu.is_none() && !place.pruned {
            let message = "this does not say what the MTU of the next link is";
            self.problem(place.span, message, "add `mtu: 1400 B`");
        }
        // RFC 791: what every module must forward. Less than 1280 is sent over IPv6 too; a host must not believe it.
        Unreachable::FragmentationNeeded { mtu: self.octets(&it.mtu, 68).unwrap_or_default() }
    }

    fn on_segments(
        &mut self,
        place: Place,
        matching: &Given<shape::Match>,
        which: &shape::faults::Which,
        action: impl FnOnce(&mut Self) -> SegmentAction,
    ) -> Option<Effect> {
        let action = action(self);
        let Some(given) = matching.inner() else {
            let help = "for example `{from: client, flags: FIN}`, or `{}` for every segment";
            self.problem(matching.span_or(place.span), "this does not say which segments", help);
            return None;
        };
        let matching = self.matching(given);
        if let Some(to) = &given.to {
            self.two_ends([matching.from, matching.to], to.span);
        }
        let skip = word(&which.skip).unwrap_or_default().into();
        Some(Effect::Segment { matching, skip, which: self.which(which), action })
    }

    fn which(&mut self, which: &shape::faults::Which) -> Which {
        let given = [
            ("first", key(&which.first)),
            ("nth", key(&which.nth)),
            ("every", key(&which.every)),
            ("probability", key(&which.probability)),
        ];
        self.at_most_one(&given);
        if let Some(first) = &which.first {
            Which::First(self.at_least_one(first).into())
        } else if let Some(nth) = &which.nth {
            Which::Nth(self.at_least_one(nth).into())
        } else if let Some(every) = &which.every {
            Which::Every(self.at_least_one(every).into())
        } else if let Some(Probability(millionths)) = word(&which.probability) {
            Which::Probability(millionths)
        } else {
            Which::All
        }
    }

    fn at_most_one(&mut self, given: &[(&str, Option<Span>)]) {
        let mut given = given.iter().filter_map(|(name, place)| place.map(|place| (*name, place)));
        if let (Some((first, _)), Some((second, place))) = (given.next(), given.next()) {
            self.problem(place, format!("`{first}` and `{second}` in one fault"), "keep one of them");
        }
    }

    fn victim(&mut self, place: Place, host: &Given<Scalar<String>>) -> Option<HostId> {
        let Scalar(name) =
            self.needed(host, place, "which host", "its name after the word: `power-loss: client`")?;
        self.host(host.span_or(place.span), name)
    }

    /// All processes of a host, or one of them.
    fn processes(&mut self, place: Place, given: &Given<Processes>) -> Option<(HostId, Option<usize>)> {
        let at = given.span_or(place.span);
        let named = match self.needed(given, place, "whose processes die", "`kill: server`")? {
            Processes::OfHost(name) => return self.host(at, name).map(|host| (host, None)),
            Processes::OfList(Named(named)) => named,
        };
        let [(host, list)] = &named[..] else {
            if !given.is_pruned() {
                let help = "name one host and one of its lists: `kill: {server: old}`; make a fault for each";
                self.problem(at, "this is not one list of a host", help);
            }
            return None;
        };
        let (host, Scalar(name)) = (self.host(host.span, &host.value)?, &list.value);
        let programs = self.programs.iter().enumerate().filter(|(_, program)| program.host == host);
        if let Some((position, _)) = programs.clone().find(|(_, program)| program.name == *name) {
            return Some((host, Some(position)));
        }
        let names: Vec<String> = programs.map(|(_, program)| program.name.clone()).collect();
        self.no_such(list.span, "list of this host", name, &names, |names| {
            format!("the host has {}", wording::list(names.iter().copied()))
        });
        None
    }

    fn cut(&mut self, place: Place, given: &Given<shape::Cut>) -> Option<Cut> {
        let cut = self.needed(given, place, "which hosts are separated", "`partition: [client, server]`")?;
        let place = given.span_or(place.span);
        match cut {
            shape::Cut::Isolate(name) => self.host(place, name).map(Cut::Isolate),
            shape::Cut::OneWay(way) => {
                let from = self.host(way.from.span, &way.from.value.0);
                let to = self.host(way.to.span, &way.to.value.0);
                self.two_ends([from, to], way.to.span);
                Some(Cut::OneWay { from: from?, to: to? })
            }
            shape::Cut::Between(names) => {
                let hosts: Vec<Option<HostId>> =
                    names.iter().map(|name| self.host(name.span, &name.value.0)).collect();
                for (index, host) in hosts.iter().enumerate() {
                    if host.is_some() && hosts[..index].contains(host) {
                        self.problem(names[index].span, "this host is in the list twice", "name each once");
                    }
                }
                if hosts.len() < 2 && !given.is_pruned() {
                    self.problem(
                        place,
                        "a partition needs two hosts",
                        "name two: `[client, server]`, or one without brackets to cut it off from all",
                    );
                }
                hosts.into_iter().collect::<Option<Vec<_>>>().map(Cut::Between)
            }
        }
    }

    fn when(&mut self, place: Place, fault: &shape::Fault) -> Option<When> {
        let when = fault.when();
        let which = fault.which();
        let between = which.and_then(|which| which.between.as_ref());
        let given =
            [("at", key(&when.at)), ("between", between.map(|given| given.key)), ("when", key(&when.when))];
        self.at_most_one(&given);
        if let (Some(lasted), None) = (&when.r#for, &when.when) {
            let help = "it says how long a state has lasted: `when: {server: CLOSE-WAIT}`";
            self.problem(lasted.key, "`for` without `when`", help);
        }
        if let Some(at) = word(&when.at) {
            return Some(When::At(at));
        }
        if let Some(between) = between {
            return self.between(between);
        }
        if let Some(state) = &when.when {
            let lasted = word(&when.r#for).unwrap_or_default();
            let (host, state) = self.host_in_state(state)?;
            return Some(When::State { host, state, lasted });
        }
        if which.is_some() {
            return Some(When::Always);
        }
        if let Some(now) = self.now {
            return Some(When::At(now));
        }
        if !place.pruned {
            let help = "add `at: 1s`, or `when: {server: ESTABLISHED}`";
            self.problem(place.span, "this does not say when", help);
        }
        None
    }

    fn between(&mut self, between: &Spanned<Vec<Scalar<Duration>>>) -> Option<When> {
        let [Scalar(from), Scalar(to)] = between.value[..] else {
            if !between.pruned {
                self.problem(between.span, "this is not a pair of times", "write `between: [1s, 5s]`");
            }
            return None;
        };
        if from >= to {
            self.problem(
                between.span,
                "this ends before it begins",
                "the earlier time comes first: `between: [1s, 5s]`",
            );
        }
        Some(When::Between(from, to))
    }
}
