//! What is claimed of the wire: the segments that hosts sent, whether or not they arrived. One that waited in its host for a
//! neighbour's answer, in vain, was never sent.

use std::collections::BTreeSet;

use halfopen_scenario::{Count, Match, OrderItem, Window};
use halfopen_tcp::Flags;
use halfopen_trace::{
    ConnectionNumber, Decision, EventKind, Finding, HostId, LossReason, SegmentNumber, SegmentSent, Trace,
};

use crate::check::Check;
use crate::claims::Evidence;
use crate::path::matches_path;

/// How many segments are named where it is said what was sent.
const MAX_NAMED: usize = 8;

/// A segment that a host sent.
struct Sent<'a> {
    moment: Decision,
    sender: HostId,
    connection: Option<ConnectionNumber>,
    segment: &'a SegmentSent,
}

/// The segments that never left their host, because no neighbour answered.
pub(crate) fn unresolved(trace: &Trace) -> BTreeSet<SegmentNumber> {
    let lost = trace.iter().filter_map(|(_, event)| match event.kind {
        EventKind::SegmentLost { segment, reason: LossReason::NeighbourUnresolved } => Some(segment),
        _ => None,
    });
    lost.collect()
}

impl Evidence<'_> {
    /// Every segment that a host sent; none that a fault or a middlebox made up.
    fn sent(&self) -> impl Iterator<Item = Sent<'_>> {
        self.trace.iter().filter_map(|(sequence, event)| match &event.kind {
            EventKind::SegmentSent(segment)
                if !segment.injected && !self.unresolved.contains(&segment.segment) =>
            {
                Some(Sent {
                    moment: Decision { event: sequence, time: event.time },
                    sender: event.host?,
                    connection: event.connection,
                    segment,
                })
            }
            _ => None,
        })
    }

    fn is(&self, matching: &Match, sent: &Sent<'_>) -> bool {
        let on = |meant| sent.connection.is_some_and(|number| self.ends.is_at_either_end(meant, number));
        matching.matches(&sent.segment.facts(sent.sender), on)
    }

    /// As many segments like this were sent as claimed, and the first of them as far apart.
    pub(crate) fn check_segments(&self, matching: &Match, count: Count, spacing: &[Window]) -> Check {
        let moments: Vec<Decision> =
            self.sent().filter(|sent| self.is(matching, sent)).map(|sent| sent.moment).collect();
        let is_silent =
            || !self.trace.iter().any(|(_, event)| matches!(event.kind, EventKind::SegmentSent(_)));
        if moments.is_empty() && is_silent() {
            return Check::broken(Finding::NoSegments);
        }
        let gaps = moments.windows(2).map(|pair| pair[1].time.since(pair[0].time));
        let wrong = gaps.clone().zip(spacing).position(|(gap, wanted)| !wanted.contains(gap));
        let is_short = moments.len() <= spacing.len() && !spacing.is_empty();
        let deciding = wrong.map_or(moments.len().checked_sub(1), |gap| Some(gap + 1));
        let found = moments.len() as u64;
        Check::new(
            count.contains(found) && wrong.is_none() && !is_short,
            Finding::Segments { count: found, spacing: gaps.take(spacing.len()).collect() },
            deciding.map(|index| moments[index]),
        )
    }

    /// Of all segments like any of these, exactly these were sent, in this order.
    pub(crate) fn check_order(&self, order: &[OrderItem]) -> Check {
        let is = |item: &OrderItem, sent: &Sent<'_>| match item {
            OrderItem::Segment(matching) => self.is(matching, sent),
            OrderItem::Gap => false,
        };
        let found: Vec<Sent<'_>> =
            self.sent().filter(|sent| order.iter().any(|item| is(item, sent))).collect();
        let passed = matches_path(order, &OrderItem::Gap, &found, is);
        // Where it left an exact order, or its end.
        let left = |(index, sent): (usize, &Sent<'_>)| !order.get(index).is_some_and(|item| is(item, sent));
        let exact = !order.contains(&OrderItem::Gap);
        let wrong = if passed || !exact { None } else { found.iter().enumerate().position(left) };
        let deciding = wrong.and_then(|index| found.get(index)).or(found.last());
        let name = |sent: &Sent<'_>| (sent.sender, sent.segment.header.flags.without(Flags::PSH));
        let finding = Finding::Order {
            first: found.iter().take(MAX_NAMED).map(name).collect(),
            more: found.len().saturating_sub(MAX_NAMED) as u64,
        };
        Check::new(passed, finding, deciding.map(|sent| sent.moment))
    }
}
