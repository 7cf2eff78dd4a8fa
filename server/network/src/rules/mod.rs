//! Rules over segments: the faults of a scenario that act on segments as they are sent.

mod corrupt;
mod rewrite;

use std::time::Duration;

use halfopen_scenario::{Effect, Fault, Field, Match, SegmentAction, Unreachable, When, Which};
use halfopen_tcp::Instant;
use halfopen_trace::{FaultId, Phase};

use self::corrupt::corrupt;
use self::rewrite::rewrite;
use crate::connections::Connections;
use crate::event::{EventKind, Events};
use crate::flight::Outgoing;
use crate::random::Stream;

/// The rules of a scenario, in its order.
#[derive(Debug)]
pub(crate) struct Rules(Vec<Rule>);

#[derive(Debug)]
struct Rule {
    fault: FaultId,
    matching: Match,
    /// The number of matches that still pass first.
    skip: u64,
    which: Which,
    action: SegmentAction,
    when: When,
    coin: Stream,
    /// Segments that matched so far and were not skipped.
    matched: u64,
}

/// What rules do to a segment that they do not drop.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// How much later it arrives.
    pub(crate) delay: Duration,
    /// Copies of it: how many, and the time between two of them.
    copies: Vec<(u32, Duration)>,
    /// How many later segments must overtake it.
    pub(crate) behind: u32,
}

impl Changes {
    /// How long after the segment itself each of its copies arrives.
    pub(crate) fn copies(&self) -> impl Iterator<Item = Duration> {
        self.copies.iter().flat_map(|(copies, spacing)| (1..=*copies).map(|nth| *spacing * nth))
    }
}

/// A rule drops the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) fault: FaultId,
    /// What a router answers.
    pub(crate) answer: Option<Unreachable>,
}

impl Rules {
    /// The rules among the faults of a scenario.
    pub(crate) fn new(faults: &[Fault], seed: u64) -> Rules {
        let mut rules = Rules(Vec::new());
        for (position, fault) in (0..).zip(faults) {
            rules.add(FaultId(position), fault, seed);
        }
        rules
    }

    /// Adds a fault as the last rule, if it acts on segments.
    pub(crate) fn add(&mut self, id: FaultId, fault: &Fault, seed: u64) {
        match &fault.effect {
            Effect::Segment { matching, skip, which, action } => self.0.push(Rule {
                fault: id,
                matching: matching.clone(),
                skip: *skip,
                which: *which,
                action: *action,
                when: fault.when,
                coin: Stream::new(seed, &format!("fault/{}", id.0 + 1)),
                matched: 0,
            }),
            Effect::Inject(_)
            | Effect::PowerLoss(_)
            | Effect::Reboot { .. }
            | Effect::Kill { .. }
            | Effect::Freeze { .. }
            | Effect::Pause { .. }
            | Effect::ClockJump { .. }
            | Effect::CablePull { .. }
            | Effect::BlackHole { .. }
            | Effect::Partition { .. }
            | Effect::Address { .. }
            | Effect::Middlebox { .. } => {}
        }
    }

    /// Removes a rule; whether there was one.
    pub(crate) fn remove(&mut self, id: FaultId) -> bool {
        let before = self.0.len();
        self.0.retain(|rule| rule.fault != id);
        self.0.len() < before
    }

    /// A segment meets the rules, in their order, until one drops it. They may change its octets. A rule counts only the
    /// segments that get to it.
    ///
    /// # Errors
    /// The rule that drops it.
    pub(crate) fn meet(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        sent: &Outgoing,
        datagram: &mut [u8],
        events: &mut Events,
    ) -> Result<Changes, Dropped> {
        let mut changes = Changes::default();
        for rule in &mut self.0 {
            if !rule.takes(now, connections, sent, datagram) {
                continue;
            }
            let fault = rule.fault;
            let segment = Some((sent.segment, sent.connection));
            let applied =
                EventKind::FaultApplied { fault, phase: Phase::Begin, host: Some(sent.from), segment };
            events.push(now, applied);
            match rule.action {
                SegmentAction::Drop => return Err(Dropped { fault, answer: None }),
                SegmentAction::Unreachable(code) => return Err(Dropped { fault, answer: Some(code) }),
                SegmentAction::Delay { by } => changes.delay += by,
                SegmentAction::Duplicate { copies, spacing } => changes.copies.push((copies, spacing)),
                SegmentAction::Reorder { behind } => changes.behind = changes.behind.saturating_add(behind),
                SegmentAction::Corrupt { bits, field } => corrupt(datagram, bits, field, &mut rule.coin),
                SegmentAction::Rewrite(new) => rewrite(datagram, &new, sent),
            }
        }
        Ok(changes)
    }
}

impl Rule {
    fn takes(
        &mut self,
        now: Instant,
        connections: &dyn Connections,
        sent: &Outgoing,
        datagram: &[u8],
    ) -> bool {
        let is_of = |meant| sent.connection.is_some_and(|number| connections.is(meant, number));
        if !self.matching.matches(&sent.facts, is_of)
            || !is_active(self.when, now, connections)
            || !has_effect(self.action, sent, datagram)
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

/// Whether the action changes anything: there is data to corrupt, or a field gets another value.
fn has_effect(action: SegmentAction, sent: &Outgoing, datagram: &[u8]) -> bool {
    match action {
        SegmentAction::Corrupt { field: Some(Field::Payload), .. } => sent.facts.octets > 0,
        SegmentAction::Rewrite(new) => {
            let mut copy = datagram.to_vec();
            rewrite(&mut copy, &new, sent);
            copy != datagram
        }
        SegmentAction::Corrupt { .. }
        | SegmentAction::Drop
        | SegmentAction::Delay { .. }
        | SegmentAction::Duplicate { .. }
        | SegmentAction::Reorder { .. }
        | SegmentAction::Unreachable(_) => true,
    }
}

fn is_active(when: When, now: Instant, connections: &dyn Connections) -> bool {
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
fn outgoing() -> Outgoing {
    use halfopen_tcp::Seq;
    use halfopen_trace::{HostId, SegmentNumber};

    Outgoing {
        segment: SegmentNumber::new(1).expect("it is not 0"),
        connection: None,
        from: HostId(0),
        to: Some(HostId(1)),
        facts: halfopen_scenario::SegmentFacts::default(),
        initial: [Seq(0); 2],
        window_shift: 0,
    }
}

#[cfg(test)]
mod tests {
    use halfopen_scenario::{HostId, Location, SegmentFacts};

    use super::*;
    use crate::connections::NoConnections;

    /// The rules that take a segment from a host, sent at this second.
    fn takers(rules: &mut Rules, from: usize, second: u64) -> Vec<u32> {
        let facts = SegmentFacts { from: Some(HostId(from)), ..SegmentFacts::default() };
        let sent = Outgoing { facts, ..outgoing() };
        let now = Instant::ZERO + Duration::from_secs(second);
        let mut events = Events::default();
        let _ = rules.meet(now, &NoConnections, &sent, &mut [0x45; 40], &mut events);
        let fault = |event: crate::Event| match event.kind {
            EventKind::FaultApplied { fault, .. } => fault.0,
            other => panic!("not of a rule: {other:?}"),
        };
        std::iter::from_fn(|| events.poll()).map(fault).collect()
    }

    fn faults(which: Which, when: When, action: SegmentAction) -> Vec<Fault> {
        let matching = Match { from: Some(HostId(0)), ..Match::default() };
        let effect = Effect::Segment { matching, skip: 0, which, action };
        let location = Location::default();
        vec![Fault { effect, when, may_not_happen: false, location, text: String::new() }]
    }

    fn drop_faults(which: Which, when: When) -> Vec<Fault> {
        faults(which, when, SegmentAction::Drop)
    }

    /// Which of ten segments, one a second, from a host are taken.
    fn taken(which: Which, when: When, from: usize) -> Vec<u64> {
        taken_of(&drop_faults(which, when), from)
    }

    fn taken_of(faults: &[Fault], from: usize) -> Vec<u64> {
        let mut rules = Rules::new(faults, 1);
        let is_taken = |second: &u64| !takers(&mut rules, from, *second).is_empty();
        (1..=10).filter(is_taken).collect()
    }

    #[test]
    fn a_rule_takes_the_segments_it_names() {
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
    fn skipped_segments_are_not_counted() {
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
    fn rules_act_in_their_order_until_one_drops_the_segment_and_count_only_what_gets_to_them() {
        let mut rules = drop_faults(Which::Nth(1), When::Always);
        let delay = SegmentAction::Delay { by: Duration::from_secs(1) };
        rules.extend(faults(Which::Every(2), When::Always, delay));
        rules.extend(drop_faults(Which::Nth(1), When::Always));
        let mut rules = Rules::new(&rules, 1);
        let mut next = || takers(&mut rules, 0, 0);
        assert_eq!(next(), [0], "the others never see it");
        assert_eq!(next(), [2], "for the second rule it is the first");
        assert_eq!(next(), [1]);
        assert_eq!(next(), [0; 0]);
    }
}
