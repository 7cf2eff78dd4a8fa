//! What goes wrong.

use std::time::Duration;

use super::{Checker, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Probability;
use crate::shape;
use crate::{
    BlackHole, Cut, Effect, Fault, HostId, Limits, MiddleboxFault, SegmentAction, Unreachable, When, Which,
};

impl Checker<'_> {
    pub(super) fn faults(&mut self, faults: &[Spanned<shape::Fault>]) -> Vec<Fault> {
        let first = faults.first().map_or(Span::default(), |fault| fault.span);
        if !self.limit(first, "faults", faults.len(), Limits::MAX_FAULTS) {
            return Vec::new();
        }
        faults.iter().filter_map(|fault| self.fault(fault)).collect()
    }

    fn fault(&mut self, fault: &Spanned<shape::Fault>) -> Option<Fault> {
        let words = [
            ("drop", fault.drop.is_given()),
            ("delay", fault.delay.is_given()),
            ("duplicate", fault.duplicate.is_given()),
            ("reorder", fault.reorder.is_given()),
            ("corrupt", fault.corrupt.is_given()),
            ("rewrite", fault.rewrite.is_given()),
            ("unreachable", fault.unreachable.is_given()),
            ("inject", fault.inject.is_given()),
            ("power-loss", fault.power_loss.is_given()),
            ("reboot", fault.reboot.is_given()),
            ("kill", fault.kill.is_given()),
            ("freeze", fault.freeze.is_given()),
            ("pause", fault.pause.is_given()),
            ("clock-jump", fault.clock_jump.is_given()),
            ("cable-pull", fault.cable_pull.is_given()),
            ("blackhole", fault.blackhole.is_given()),
            ("partition", fault.partition.is_given()),
            ("forget", fault.forget.is_given()),
            ("blocks-new", fault.blocks_new.is_given()),
        ];
        if fault.pruned && words.iter().all(|(_, given)| !given) {
            return None;
        }
        let word = self.one_of(fault.span, "fault", &words)?;
        self.fits(word, fault);
        let when = self.when(word, fault);
        let effect = self.effect(word, fault);
        Some(Fault {
            effect: effect?,
            when: when?,
            may_not_happen: super::word(&fault.may_not_happen).is_some_and(|Switch(may)| may),
            location: self.location(fault.span),
            text: self.text(fault.span),
        })
    }

    fn fits(&mut self, word: &str, fault: &shape::Fault) {
        let own: &[&str] = match word {
            "delay" | "clock-jump" => &["by"],
            "duplicate" => &["copies", "spacing"],
            "reorder" => &["behind"],
            "corrupt" => &["bits", "field"],
            "rewrite" => &["set"],
            "unreachable" => &["code", "mtu"],
            "reboot" => &["back-after"],
            "freeze" => &["resumes-after"],
            "pause" => &["resumes-after", "clock"],
            "cable-pull" => &["replug-after"],
            "partition" | "blackhole" => &["heals-after"],
            "blocks-new" => &["unblocks-after"],
            _ => &[],
        };
        let shared: &[&str] = if is_on_segments(word) {
            &["skip", "first", "nth", "every", "probability", "at", "between", "when", "for"]
        } else {
            &["at", "when", "for"]
        };
        let given = [
            ("by", key(&fault.by)),
            ("copies", key(&fault.copies)),
            ("spacing", key(&fault.spacing)),
            ("behind", key(&fault.behind)),
            ("bits", key(&fault.bits)),
            ("field", key(&fault.field)),
            ("set", key(&fault.set)),
            ("code", key(&fault.code)),
            ("mtu", key(&fault.mtu)),
            ("back-after", key(&fault.back_after)),
            ("heals-after", key(&fault.heals_after)),
            ("resumes-after", key(&fault.resumes_after)),
            ("clock", key(&fault.clock)),
            ("replug-after", key(&fault.replug_after)),
            ("unblocks-after", key(&fault.unblocks_after)),
            ("skip", key(&fault.skip)),
            ("first", key(&fault.first)),
            ("nth", key(&fault.nth)),
            ("every", key(&fault.every)),
            ("probability", key(&fault.probability)),
            ("at", key(&fault.at)),
            ("between", key(&fault.between)),
            ("when", key(&fault.when)),
            ("for", key(&fault.r#for)),
        ];
        self.only(word, &[own, shared].concat(), &given);
    }

    fn effect(&mut self, word: &str, fault: &Spanned<shape::Fault>) -> Option<Effect> {
        match word {
            "drop" => self.on_segments(fault, &fault.drop, SegmentAction::Drop),
            "delay" => {
                let by = self.by(fault, "add `by: 300ms`");
                self.on_segments(fault, &fault.delay, SegmentAction::Delay { by })
            }
            "duplicate" => {
                let copies = fault.copies.as_ref().map_or(1, |copies| self.copies(copies));
                let spacing = super::word(&fault.spacing).unwrap_or_default();
                self.on_segments(fault, &fault.duplicate, SegmentAction::Duplicate { copies, spacing })
            }
            "reorder" => {
                let behind = fault.behind.as_ref().map_or(1, |behind| self.at_least_one(behind));
                self.on_segments(fault, &fault.reorder, SegmentAction::Reorder { behind })
            }
            "corrupt" => {
                let bits = fault.bits.as_ref().map_or(1, |bits| self.bits(bits));
                let field = super::word(&fault.field);
                self.on_segments(fault, &fault.corrupt, SegmentAction::Corrupt { bits, field })
            }
            "rewrite" => {
                let rewrite = self.rewrite(fault);
                self.on_segments(fault, &fault.rewrite, SegmentAction::Rewrite(rewrite))
            }
            "unreachable" => {
                let code = self.unreachable(fault);
                self.on_segments(fault, &fault.unreachable, SegmentAction::Unreachable(code))
            }
            "inject" => self.forgery(fault).map(|forgery| Effect::Inject(Box::new(forgery))),
            "power-loss" => match self.middlebox_in(&fault.power_loss, fault.span) {
                Some(middlebox) => Some(Effect::Middlebox { middlebox, fault: MiddleboxFault::PowerLoss }),
                None => self.victim(&fault.power_loss, fault.span).map(Effect::PowerLoss),
            },
            "reboot" => {
                if fault.back_after.is_none() && !fault.pruned {
                    self.problem(
                        fault.span,
                        "this does not say how long the host is away",
                        "add `back-after: 5s`",
                    );
                }
                let back_after =
                    fault.back_after.as_ref().map_or(Duration::ZERO, |after| self.positive(after));
                match self.middlebox_in(&fault.reboot, fault.span) {
                    Some(middlebox) => {
                        Some(Effect::Middlebox { middlebox, fault: MiddleboxFault::Reboot { back_after } })
                    }
                    None => {
                        self.victim(&fault.reboot, fault.span).map(|host| Effect::Reboot { host, back_after })
                    }
                }
            }
            "kill" => self.victim(&fault.kill, fault.span).map(Effect::Kill),
            "freeze" => {
                let resumes_after = self.after(&fault.resumes_after);
                self.victim(&fault.freeze, fault.span).map(|host| Effect::Freeze { host, resumes_after })
            }
            "pause" => {
                let resumes_after = self.after(&fault.resumes_after);
                let clock_stops = super::word(&fault.clock) == Some(shape::PausedClock::Stops);
                let host = self.victim(&fault.pause, fault.span);
                host.map(|host| Effect::Pause { host, resumes_after, clock_stops })
            }
            "clock-jump" => {
                let by = self.by(fault, "add `by: 1h`");
                self.victim(&fault.clock_jump, fault.span).map(|host| Effect::ClockJump { host, by })
            }
            "cable-pull" => {
                let replug_after = self.after(&fault.replug_after);
                self.victim(&fault.cable_pull, fault.span)
                    .map(|host| Effect::CablePull { host, replug_after })
            }
            "forget" => self.on_middlebox(&fault.forget, fault.span, MiddleboxFault::Forget),
            "blocks-new" => {
                let unblocks_after = self.after(&fault.unblocks_after);
                let effect = MiddleboxFault::BlocksNew { unblocks_after };
                self.on_middlebox(&fault.blocks_new, fault.span, effect)
            }
            "blackhole" => {
                let heals_after = self.after(&fault.heals_after);
                self.black_hole(fault).map(|hole| Effect::BlackHole { hole, heals_after })
            }
            _ => {
                let heals_after = self.after(&fault.heals_after);
                self.cut(fault).map(|cut| Effect::Partition { cut, heals_after })
            }
        }
    }

    fn by(&mut self, fault: &Spanned<shape::Fault>, help: &str) -> Duration {
        if fault.by.is_none() && !fault.pruned {
            self.problem(fault.span, "this does not say by how much", help);
        }
        fault.by.as_ref().map_or(Duration::ZERO, |by| self.positive(by))
    }

    fn after(&mut self, after: &shape::Opt<Duration>) -> Option<Duration> {
        after.as_ref().map(|after| self.positive(after))
    }

    fn black_hole(&mut self, fault: &Spanned<shape::Fault>) -> Option<BlackHole> {
        let Some(hole) = fault.blackhole.inner() else {
            let place = fault.blackhole.span_or(fault.span);
            self.problem(place, "this does not say which datagrams", "write `blackhole: larger than 1480 B`");
            return None;
        };
        if hole.larger_than.is_none() && !fault.blackhole.is_pruned() {
            let place = fault.blackhole.span_or(fault.span);
            self.problem(place, "this does not say which datagrams", "add `larger-than: 1480 B`");
        }
        let (from, to) = (self.host_at(&hole.from), self.host_at(&hole.to));
        if let (Some(host), Some(place)) = (from, &hole.to)
            && from == to
        {
            let name = self.hosts[host.0].name.clone();
            self.problem(place.span, format!("nothing goes from `{name}` to itself"), "name another host");
        }
        Some(BlackHole { larger_than: hole.larger_than?, from, to })
    }

    fn copies(&mut self, given: &Spanned<Scalar<u32>>) -> u32 {
        let copies = self.at_least_one(given);
        if copies > Limits::MAX_COPIES {
            let message = format!("no segment may have more than {} copies", Limits::MAX_COPIES);
            self.problem(given.span, message, "lower it");
        }
        copies
    }

    /// As many as a checksum of 16 bits never misses.
    fn bits(&mut self, given: &Spanned<Scalar<u32>>) -> u32 {
        let bits = self.at_least_one(given);
        if bits > 15 {
            self.problem(given.span, "no more than 15 bits are flipped at once", "lower it");
        }
        bits
    }

    /// What the router says; only one message has an MTU.
    fn unreachable(&mut self, fault: &Spanned<shape::Fault>) -> Unreachable {
        let code = word(&fault.code).unwrap_or_default();
        let Unreachable::FragmentationNeeded { .. } = code else {
            if let Some(mtu) = &fault.mtu {
                let help = "add `code: fragmentation-needed`";
                self.problem(mtu.key, format!("`mtu` with the code `{}`", code.name()), help);
            }
            return code;
        };
        if fault.mtu.is_none() && !fault.pruned {
            let message = "this does not say which size the next link takes";
            self.problem(fault.span, message, "add `mtu: 1400 B`");
        }
        // RFC 791: what every module must forward. Less than 1280 is sent over IPv6 too; a host must not believe it.
        Unreachable::FragmentationNeeded { mtu: self.octets(&fault.mtu, 68).unwrap_or_default() }
    }

    fn on_segments(
        &mut self,
        fault: &Spanned<shape::Fault>,
        matching: &shape::Given<shape::Match>,
        action: SegmentAction,
    ) -> Option<Effect> {
        let Some(matching) = matching.inner() else {
            let help = "for example `{from: client, flags: FIN}`, or `{}` for every segment";
            self.problem(matching.span_or(fault.span), "this does not say which segments", help);
            return None;
        };
        let matching = self.matching(matching);
        let skip = word(&fault.skip).unwrap_or_default().into();
        Some(Effect::Segment { matching, skip, which: self.which(fault), action })
    }

    fn which(&mut self, fault: &Spanned<shape::Fault>) -> Which {
        let given = [
            ("first", key(&fault.first)),
            ("nth", key(&fault.nth)),
            ("every", key(&fault.every)),
            ("probability", key(&fault.probability)),
        ];
        self.at_most_one(&given);
        if let Some(first) = &fault.first {
            Which::First(self.at_least_one(first).into())
        } else if let Some(nth) = &fault.nth {
            Which::Nth(self.at_least_one(nth).into())
        } else if let Some(every) = &fault.every {
            Which::Every(self.at_least_one(every).into())
        } else if let Some(Probability(millionths)) = word(&fault.probability) {
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

    fn victim(&mut self, host: &shape::Given<Scalar<String>>, all: Span) -> Option<HostId> {
        let place = host.span_or(all);
        match host.inner() {
            Some(Scalar(name)) => self.host(place, name),
            None => {
                self.problem(
                    place,
                    "this does not say which host",
                    "write its name after the word: `power-loss: client`",
                );
                None
            }
        }
    }

    fn cut(&mut self, fault: &Spanned<shape::Fault>) -> Option<Cut> {
        let place = fault.partition.span_or(fault.span);
        match fault.partition.inner() {
            None => {
                self.problem(place, "this does not say between whom", "write `partition: [client, server]`");
                None
            }
            Some(shape::Cut::Isolate(name)) => self.host(place, name).map(Cut::Isolate),
            Some(shape::Cut::OneWay(way)) => {
                let from = self.host(way.from.span, &way.from.value.0);
                let to = self.host(way.to.span, &way.to.value.0);
                if from.is_some() && from == to {
                    self.problem(way.to.span, "nothing goes from a host to itself", "name another host");
                }
                Some(Cut::OneWay { from: from?, to: to? })
            }
            Some(shape::Cut::Between(names)) => {
                let hosts: Vec<Option<HostId>> =
                    names.iter().map(|name| self.host(name.span, &name.value.0)).collect();
                for (index, host) in hosts.iter().enumerate() {
                    if host.is_some() && hosts[..index].contains(host) {
                        self.problem(names[index].span, "this host is in the list twice", "name each once");
                    }
                }
                if hosts.len() < 2 && !fault.partition.is_pruned() {
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

    fn when(&mut self, word: &str, fault: &Spanned<shape::Fault>) -> Option<When> {
        let given = [("at", key(&fault.at)), ("between", key(&fault.between)), ("when", key(&fault.when))];
        self.at_most_one(&given);
        if let (Some(place), None) = (&fault.r#for, &fault.when) {
            let help = "it says how long a state has lasted: `when: {server: CLOSE-WAIT}`";
            self.problem(place.key, "`for` without `when`", help);
        }
        if let Some(Scalar(at)) = fault.at.as_ref().map(|at| at.value) {
            return Some(When::At(at));
        }
        if let Some(between) = &fault.between {
            return self.between(between);
        }
        if let Some(when) = &fault.when {
            let lasted = super::word(&fault.r#for).unwrap_or_default();
            let (host, state) = self.host_in_state(when)?;
            return Some(When::State { host, state, lasted });
        }
        if !is_on_segments(word) {
            if !fault.pruned {
                self.problem(
                    fault.span,
                    "this does not say when",
                    "add `at: 1s`, or `when: {server: ESTABLISHED}`",
                );
            }
            return None;
        }
        Some(When::Always)
    }

    fn between(&mut self, between: &Spanned<Vec<Scalar<Duration>>>) -> Option<When> {
        let [Scalar(from), Scalar(to)] = between.value[..] else {
            if !between.pruned {
                self.problem(
                    between.span,
                    "this is not from one time to another",
                    "write `between: [1s, 5s]`",
                );
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

/// Whether the fault is about segments.
fn is_on_segments(word: &str) -> bool {
    matches!(word, "drop" | "delay" | "duplicate" | "reorder" | "corrupt" | "rewrite" | "unreachable")
}
