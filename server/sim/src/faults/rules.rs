//! Faults on segments. A rule looks at a segment when it is sent.

use halfopen_scenario::{Effect, Fault, Field, Match, SegmentAction, SegmentFacts, When, Which};
use halfopen_tcp::{Instant, Seq};

use super::rewrite::rewrite;
use crate::connections::Connections;
use crate::octets;
use crate::random::Stream;
use halfopen_trace::ConnectionNumber;

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

/// A segment that is sent, as faults see it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) facts: SegmentFacts,
    pub(crate) connection: Option<ConnectionNumber>,
    /// The initial sequence numbers of its sender and of its receiver.
    pub(crate) initial: [Seq; 2],
    /// How far the peer shifts its window.
    pub(crate) window_shift: u8,
}

/// A moment of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) now: Instant,
    pub(crate) connections: &'a Connections,
}

/// A rule that took a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The place of the rule after it.
    pub(crate) next: usize,
    /// Position in the scenario's faults, from 0.
    pub(crate) fault: usize,
    pub(crate) action: SegmentAction,
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
            | Effect::Freeze { .. }
            | Effect::Pause { .. }
            | Effect::ClockJump { .. }
            | Effect::CablePull { .. }
            | Effect::BlackHole { .. }
            | Effect::Partition { .. }
            | Effect::Middlebox { .. } => None,
        };
        Rules(faults.iter().enumerate().filter_map(rule).collect())
    }

    /// The next rule, from this place on, that takes a segment that is sent now; it changes the octets of the datagram
    /// if that is what it does. Rules count what comes to them: one that nobody asks, because the segment is lost already,
    /// does not know of it.
    pub(crate) fn next(
        &mut self,
        place: usize,
        seen: &Seen,
        datagram: &mut [u8],
        moment: Moment<'_>,
    ) -> Option<Applied> {
        let mut rules = self.0.iter_mut().enumerate().skip(place);
        let (place, rule) = rules.find_map(|(place, rule)| {
            let segment = octets::segment_of(datagram);
            rule.takes(seen, segment, moment).then_some((place, rule))
        })?;
        match rule.action {
            SegmentAction::Corrupt { bits, field } => {
                octets::corrupt(datagram, bits, field, &mut rule.coin);
            }
            SegmentAction::Rewrite(new) => rewrite(octets::segment_of_mut(datagram), &new, seen),
            SegmentAction::Drop
            | SegmentAction::Delay { .. }
            | SegmentAction::Duplicate { .. }
            | SegmentAction::Reorder { .. }
            | SegmentAction::Unreachable(_) => {}
        }
        Some(Applied { next: place + 1, fault: rule.fault, action: rule.action })
    }
}

impl Rule {
    fn takes(&mut self, seen: &Seen, segment: &[u8], moment: Moment<'_>) -> bool {
        let is_of = |meant| seen.connection.is_some_and(|number| moment.connections.is(meant, number));
        if !self.matching.matches(&seen.facts, is_of)
            || !is_active(self.when, moment.now, moment.connections)
            || !can_be_done(self.action, seen, segment)
        {
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

/// Whether there is anything to do: data to corrupt, a field that would become another.
fn can_be_done(action: SegmentAction, seen: &Seen, segment: &[u8]) -> bool {
    match action {
        SegmentAction::Corrupt { field: Some(Field::Payload), .. } => seen.facts.octets > 0,
        SegmentAction::Rewrite(new) => {
            let mut copy = segment.to_vec();
            rewrite(&mut copy, &new, seen);
            copy != segment
        }
        SegmentAction::Corrupt { .. }
        | SegmentAction::Drop
        | SegmentAction::Delay { .. }
        | SegmentAction::Duplicate { .. }
        | SegmentAction::Reorder { .. }
        | SegmentAction::Unreachable(_) => true,
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

    /// Asks the rules from a place on about a segment of a host that it sends at this second.
    fn asks(rules: &mut Rules, place: usize, from: usize, second: u64) -> Option<Applied> {
        let facts = SegmentFacts { from: Some(HostId(from)), ..SegmentFacts::default() };
        let seen = Seen { facts, ..Seen::default() };
        let now = Instant::ZERO + Duration::from_secs(second);
        let moment = Moment { now, connections: &Connections::default() };
        rules.next(place, &seen, &mut [0x45; 40], moment)
    }

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
        let is_taken = |second: &u64| asks(&mut rules, 0, from, *second).is_some();
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
        let mut next = |place| asks(&mut rules, place, 0, 0).map(|applied| (applied.fault, applied.next));
        assert_eq!(next(0), Some((0, 1)), "and then nobody asks the others");
        assert_eq!(next(0), Some((2, 3)), "for the second rule it is the first");
        assert_eq!(next(0), Some((1, 2)));
        assert_eq!(next(2), None);
    }
}
