//! What is claimed of the wire: the segments that hosts sent, whether or not they arrived.

use halfopen_scenario::{Count, Match, OrderItem, Window};
use halfopen_tcp::Flags;
use halfopen_units::{format_count, format_duration};

use super::claims::{Evidence, Finding};
use super::history::Moment;
use super::path::matches_path;
use crate::trace::{ConnectionNumber, EventKind, HostId, SegmentSent};

/// So many segments are named where it is said what was sent.
const MOST_NAMED: usize = 8;

/// A segment that a host sent.
struct Sent<'a> {
    moment: Moment,
    from: HostId,
    connection: Option<ConnectionNumber>,
    segment: &'a SegmentSent,
}

impl Evidence<'_> {
    /// Every segment that a host sent. Those that faults made are not among them.
    fn sent(&self) -> impl Iterator<Item = Sent<'_>> {
        self.trace.iter().filter_map(|(sequence, event)| match &event.kind {
            EventKind::SegmentSent(segment) if !segment.injected => Some(Sent {
                moment: (sequence, event.time),
                from: event.host?,
                connection: event.connection,
                segment,
            }),
            _ => None,
        })
    }

    fn is(&self, matching: &Match, sent: &Sent<'_>) -> bool {
        let on = |meant| sent.connection.is_some_and(|number| self.progress.is(meant, number));
        matching.matches(&sent.segment.facts(sent.from), on)
    }

    /// So many segments like this were sent, the first of them so far apart.
    pub(super) fn check_segments(&self, matching: &Match, count: Count, spacing: &[Window]) -> Finding {
        let moments: Vec<Moment> =
            self.sent().filter(|sent| self.is(matching, sent)).map(|sent| sent.moment).collect();
        if moments.is_empty() && self.sent().next().is_none() {
            return Finding::broken("no host sent anything");
        }
        let gaps = moments.windows(2).map(|pair| pair[1].1.since(pair[0].1));
        let wrong = gaps.clone().zip(spacing).position(|(gap, wanted)| !wanted.contains(gap));
        let missing = moments.len() <= spacing.len() && !spacing.is_empty();
        let mut actual = format_count(moments.len() as u64, "segment");
        if !spacing.is_empty() && moments.len() > 1 {
            let gaps: Vec<String> = gaps.take(spacing.len()).map(format_duration).collect();
            actual = format!("{actual}, {} apart", gaps.join(", "));
        }
        let deciding = wrong.map_or(moments.len().checked_sub(1), |gap| Some(gap + 1));
        Finding {
            passed: count.contains(moments.len() as u64) && wrong.is_none() && !missing,
            actual,
            decided: deciding.map(|index| moments[index]),
        }
    }

    /// Of all segments like any of these, exactly these were sent, in this order.
    pub(super) fn check_order(&self, order: &[OrderItem]) -> Finding {
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
        Finding { passed, actual: self.names(&found), decided: deciding.map(|sent| sent.moment) }
    }

    /// `client FIN+ACK, server ACK`.
    fn names(&self, found: &[Sent<'_>]) -> String {
        let name = |sent: &Sent<'_>| {
            let flags = sent.segment.header.flags.without(Flags::PSH);
            format!("{} {flags}", self.host(sent.from))
        };
        let names: Vec<String> = found.iter().take(MOST_NAMED).map(name).collect();
        match found.len().checked_sub(MOST_NAMED) {
            _ if found.is_empty() => "none of them".to_owned(),
            Some(more @ 1..) => format!("{} and {more} more", names.join(", ")),
            _ => names.join(", "),
        }
    }
}
