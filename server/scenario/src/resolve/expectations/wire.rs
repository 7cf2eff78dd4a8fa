//! What must come out on the wire.

use crate::de::Spanned;
use crate::parse::Scalar;
use crate::resolve::{Checker, Place, key};
use crate::shape;
use crate::shape::expect::{Order, Segments};
use crate::{Claim, Count, Limits, OrderItem, Window};

impl Checker<'_> {
    pub(super) fn segments(&mut self, place: Place, expect: &Segments) -> Option<Claim> {
        let example = "`segments: {from: client, flags: FIN}`";
        let matching = self.needed(&expect.segments, place, "which segments", example)?;
        let matching = self.matching(matching);
        let spacing = match &expect.spacing {
            Some(spacing) => self.spacing(spacing),
            None => Vec::new(),
        };
        if let (Some(count), Some(place)) = (&expect.count, key(&expect.when.at).or(key(&expect.when.within)))
            && count.value.0.contains(0)
            && !count.value.0.contains(1)
        {
            self.problem(
                place,
                "there is no last segment if there are none",
                "leave it out, or say `count: 1` or more",
            );
        }
        let least = (!spacing.is_empty()).then(|| spacing.len() as u64 + 1);
        let count = match (&expect.count, least) {
            (None, Some(least)) => Count::Exactly(least),
            (None, None) => {
                if !place.pruned {
                    let help = "add `count: 2` or `count: at least 2`";
                    self.problem(place.span, "this does not say how many segments", help);
                }
                return None;
            }
            (Some(count), least) => {
                let (Scalar(wanted), least) = (count.value, least.unwrap_or_default());
                if let Count::Exactly(most) | Count::AtMost(most) = wanted
                    && most < least
                {
                    let message = format!("{} times are between at least {least} segments", least - 1);
                    self.problem(count.span, message, format!("say `count: {least}`, or leave it out"));
                }
                wanted
            }
        };
        Some(Claim::Segments { matching, count, spacing })
    }

    fn spacing(&mut self, spacing: &Spanned<Vec<Spanned<Scalar<Window>>>>) -> Vec<Window> {
        if spacing.value.is_empty() && !spacing.pruned {
            let help = "say how long after one the next comes: `spacing: [1s, 2s ± 10ms]`";
            self.problem(spacing.span, "this list has no times", help);
        }
        self.limit(spacing.span, "times in a row", spacing.value.len(), Limits::MAX_ORDER);
        spacing.value.iter().map(|gap| gap.value.0).collect()
    }

    /// An order that segments can have.
    pub(super) fn order(&mut self, place: Place, expect: &Order) -> Option<Claim> {
        let example = "`order: [{from: client, flags: FIN}, {from: server, flags: FIN}]`";
        let order = self.needed(&expect.order, place, "in which order", example)?;
        let span = expect.order.span_or(place.span);
        let mut items: Vec<OrderItem> = Vec::new();
        self.limit(span, "segments in a row", order.len(), Limits::MAX_ORDER);
        for item in order {
            items.push(match &item.value {
                shape::OrderItem::Segment(matching) => OrderItem::Segment(self.matching(matching)),
                shape::OrderItem::Gap => {
                    if items.last() == Some(&OrderItem::Gap) {
                        let help = "one `…` is any number of segments";
                        self.problem(item.span, "this is the same as the one before", help);
                    }
                    OrderItem::Gap
                }
            });
        }
        let segments = items.iter().filter(|item| **item != OrderItem::Gap).count();
        if segments < 2 && !expect.order.is_pruned() {
            let help = format!("name two or more: {example}");
            self.problem(span, "an order needs several segments", help);
        }
        Some(Claim::Order(items))
    }
}
