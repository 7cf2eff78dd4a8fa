//! What is claimed of the wire: the segments that hosts sent, whether or not they arrived. One that waited in its host for a
//! neighbour's answer, in vain, was never sent.

use std::collections::BTreeSet;
use std::time::Duration;

use halfopen_scenario::{Count, Match, OrderItem, Window};
use halfopen_tcp::Flags;
use halfopen_trace::{
    ConnectionNumber, Decision, EventKind, Finding, HostId, LossReason, SegmentNumber, SegmentSent, Trace,
};

use crate::check::Check;
use crate::claims::Evidence;
use crate::path::Progress;

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
        let wanted = self.trace.iter().take_while(|_| self.work.goes_on(1));
        wanted.filter_map(|(sequence, event)| match &event.kind {
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
        self.work.goes_on(1) && matching.matches(&sent.segment.facts(sent.sender), on)
    }

    /// As many segments like this were sent as claimed, and the first of them as far apart.
    pub(crate) fn check_segments(&self, matching: &Match, count: Count, spacing: &[Window]) -> Check {
        let (mut found, mut last, mut wrong) = (0_u64, None, None);
        let mut gaps: Vec<Duration> = Vec::new();
        for sent in self.sent() {
            if !self.is(matching, &sent) {
                continue;
            }
            let before: Option<Decision> = last.replace(sent.moment);
            found += 1;
            if let (Some(before), Some(wanted)) = (before, spacing.get(gaps.len())) {
                let gap = sent.moment.time.since(before.time);
                gaps.push(gap);
                if !wanted.contains(gap) {
                    wrong.get_or_insert(sent.moment);
                }
            }
        }
        let is_silent = || {
            !self
                .trace
                .iter()
                .any(|(_, event)| matches!(&event.kind, EventKind::SegmentSent(sent) if !sent.injected))
        };
        if found == 0 && is_silent() {
            return Check::broken(Finding::NoSegments);
        }
        let is_short = gaps.len() < spacing.len();
        Check::new(
            count.contains(found) && wrong.is_none() && !is_short,
            Finding::Segments { count: found, spacing: gaps },
            wrong.or(last),
        )
    }

    /// Of all segments like any of these, exactly these were sent, in this order.
    pub(crate) fn check_order(&self, order: &[OrderItem]) -> Check {
        let exact = !order.contains(&OrderItem::Gap);
        let mut progress = Progress::new(order, &OrderItem::Gap);
        let (mut first, mut found, mut last) = (Vec::new(), 0, None);
        // Where it left an exact order.
        let mut left = None;
        for sent in self.sent() {
            let is = |item: &OrderItem| match item {
                OrderItem::Segment(matching) => self.is(matching, &sent),
                OrderItem::Gap => false,
            };
            if !order.iter().any(is) {
                continue;
            }
            progress.find(is);
            if exact && !order.get(found).is_some_and(is) {
                left.get_or_insert(sent.moment);
            }
            if first.len() < MAX_NAMED {
                first.push((sent.sender, sent.segment.header.flags.without(Flags::PSH)));
            }
            found += 1;
            last = Some(sent.moment);
        }
        let more = (found - first.len()) as u64;
        Check::new(progress.is_complete(), Finding::Order { first, more }, left.or(last))
    }
}
