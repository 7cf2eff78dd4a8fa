//! Faults on segments. A rule looks at a segment when it is sent.

use halfopen_scenario::{Effect, Fault, Match, SegmentAction, SegmentFacts, When, Which};
use halfopen_tcp::Instant;

use crate::connections::Connections;
use crate::random::Stream;

/// The rules of a scenario, in its order.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    /// Position in the scenario's faults, from 0.
    fault: usize,
    matching: Match,
    /// So many that match are let through first.
    skip: u64,
    which: Which,
    action: SegmentAction,
    when: When,
    coin: Stream,
    /// Segments that matched so far and were not skipped.
    matched: u64,
}

/// A rule that takes a segment.
#[derive(Debug)]
pub(crate) struct Applied<'a> {
    /// The place of the rule after it.
    pub(crate) next: usize,
    /// Position in the scenario's faults, from 0.
    pub(crate) fault: usize,
    pub(crate) action: SegmentAction,
    /// The random numbers of this fault.
    pub(crate) coin: &'a mut Stream,
}

impl Rules {
    /// The rules among the faults of a scenario.
    pub(crate) fn new(faults: &[Fault], seed: u64) -> Rules {
        let rule = |(fault, what): (usize, &Fault)| match &what.effect {
            Effect::Segment { matching, skip, which, action } => Some(Rule {
                fault,
                matching: matching.clone(),
                skip: *skip,
                which: *which,
                action: *action,
                when: what.when,
                coin: Stream::new(seed, &format!("fault/{}", fault + 1)),
                matched: 0,
            }),
            Effect::Inject(_)
            | Effect::PowerLoss(_)
            | Effect::Reboot { .. }
            | Effect::Kill(_)
            | Effect::Partition { .. } => None,
        };
        Rules(faults.iter().enumerate().filter_map(rule).collect())
    }

    /// The next rule, from this place on, that takes a segment that is sent now. Rules count what comes to them: one
    /// that nobody asks, because the segment is lost already, does not know of it.
    pub(crate) fn next(
        &mut self,
        place: usize,
        now: Instant,
        segment: &SegmentFacts,
        connections: &Connections,
    ) -> Option<Applied<'_>> {
        let rules = self.0.iter_mut().enumerate().skip(place);
        let (place, rule) = { rules }
            .find_map(|(place, rule)| rule.takes(now, segment, connections).then_some((place, rule)))?;
        Some(Applied { next: place + 1, fault: rule.fault, action: rule.action, coin: &mut rule.coin })
    }
}

impl Rule {
    fn takes(&mut self, now: Instant, segment: &SegmentFacts, connections: &Connections) -> bool {
        if !self.matching.matches(segment) || !is_active(self.when, now, connections) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.matched += 1;
        match self.which {
            Which::All => true,
            Which::First(count) => self.matched <= count,
            Which::Nth(position) => self.matched == position,
            Which::Every(step) => self.matched.is_multiple_of(step),
            Which::Probability(millionths) => self.coin.chance(f64::from(millionths) / 1e6),
        }
    }
}

fn is_active(when: When, now: Instant, connections: &Connections) -> bool {
    let elapsed = now.as_duration();
    match when {
        When::Always => true,
        When::At(time) => elapsed >= time,
        When::Between(from, to) => (from..to).contains(&elapsed),
        When::State { host, state, lasted } => {
            connections.in_state_since(host.into(), state).is_some_and(|since| now.since(since) >= lasted)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use halfopen_scenario::{HostId, Location};

    use super::*;

    fn drop_faults(which: Which, when: When) -> Vec<Fault> {
        let matching = Match { from: Some(HostId(0)), ..Match::default() };
        let effect = Effect::Segment { matching, skip: 0, which, action: SegmentAction::Drop };
        let location = Location::default();
        vec![Fault { effect, when, may_not_happen: false, location, text: String::new() }]
    }

    /// Which of ten segments, one a second, from a host are taken.
    fn taken(which: Which, when: When, from: usize) -> Vec<u64> {
        taken_of(&drop_faults(which, when), from)
    }

    fn taken_of(faults: &[Fault], from: usize) -> Vec<u64> {
        let mut rules = Rules::new(faults, 1);
        let facts = SegmentFacts { from: Some(HostId(from)), ..SegmentFacts::default() };
        let connections = Connections::default();
        let is_taken = |second: &u64| {
            let now = Instant::ZERO + Duration::from_secs(*second);
            rules.next(0, now, &facts, &connections).is_some()
        };
        (1..=10).filter(is_taken).collect()
    }

    #[test]
    fn a_rule_takes_what_it_says() {
        let second = Duration::from_secs;
        let cases = [
            (Which::All, When::Always, vec![1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
            (Which::First(2), When::Always, vec![1, 2]),
            (Which::Nth(3), When::Always, vec![3]),
            (Which::Every(4), When::Always, vec![4, 8]),
            (Which::All, When::At(second(9)), vec![9, 10]),
            (Which::All, When::Between(second(3), second(5)), vec![3, 4]),
            (Which::Nth(2), When::At(second(5)), vec![6]),
            (Which::Probability(0), When::Always, vec![]),
            (Which::Probability(1_000_000), When::Between(second(0), second(2)), vec![1]),
        ];
        for (which, when, expected) in cases {
            assert_eq!(taken(which, when, 0), expected, "{which:?} {when:?}");
        }
        assert_eq!(taken(Which::All, When::Always, 1), [] as [u64; 0], "from another host");
    }

    #[test]
    fn what_is_skipped_is_not_counted() {
        let second = Duration::from_secs;
        let cases = [
            (Which::All, When::Always, vec![3, 4, 5, 6, 7, 8, 9, 10]),
            (Which::First(2), When::Always, vec![3, 4]),
            (Which::Nth(3), When::Always, vec![5]),
            (Which::Every(4), When::Always, vec![6, 10]),
            (Which::First(1), When::At(second(5)), vec![7]),
        ];
        for (which, when, expected) in cases {
            let mut faults = drop_faults(which, when);
            if let Effect::Segment { skip, .. } = &mut faults[0].effect {
                *skip = 2;
            }
            assert_eq!(taken_of(&faults, 0), expected, "{which:?} {when:?}");
        }
    }

    #[test]
    fn rules_are_asked_in_their_order_and_count_only_what_comes_to_them() {
        let mut faults = drop_faults(Which::Nth(1), When::Always);
        faults.extend(drop_faults(Which::Every(2), When::Always));
        faults.extend(drop_faults(Which::Nth(1), When::Always));
        let mut rules = Rules::new(&faults, 1);
        let facts = SegmentFacts { from: Some(HostId(0)), ..SegmentFacts::default() };
        let connections = Connections::default();
        let mut next = |place| {
            let applied = rules.next(place, Instant::ZERO, &facts, &connections);
            applied.map(|applied| (applied.fault, applied.next))
        };
        assert_eq!(next(0), Some((0, 1)), "and then nobody asks the others");
        assert_eq!(next(0), Some((2, 3)), "for the second rule it is the first");
        assert_eq!(next(0), Some((1, 2)));
        assert_eq!(next(2), None);
    }
}
