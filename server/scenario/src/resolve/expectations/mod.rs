//! What must come out.

mod host;
mod wire;

use std::time::Duration;

use super::{Checker, Place, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::Scalar;
use crate::shape::expect::DataOf;
use crate::shape::{Expect, Named, Opt};
use crate::{Claim, Expectation, Limits, Window};

impl Checker<'_> {
    pub(super) fn expectations(&mut self, expect: &[Spanned<Expect>]) -> Vec<Expectation> {
        let first = expect.first().map_or(Span::default(), |expect| expect.span);
        if !self.limit(first, "expectations", expect.len(), Limits::MAX_EXPECTATIONS) {
            return Vec::new();
        }
        expect.iter().filter_map(|expect| self.expectation(expect)).collect()
    }

    fn expectation(&mut self, expect: &Spanned<Expect>) -> Option<Expectation> {
        let place = Place { span: expect.span, pruned: expect.pruned };
        let (claim, at) = match &expect.value {
            Expect::Host(it) => self.about_host(place, it)?,
            Expect::Segments(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                (self.segments(place, it)?, at)
            }
            Expect::Order(it) => {
                let at = self.window(&it.when.at, &it.when.within);
                (self.order(place, it)?, at)
            }
            Expect::AllClosed(it) => (Claim::AllClosed, it.all_closed.inner().map(|Scalar(window)| *window)),
            Expect::Data(it) => {
                let data = self.needed(&it.data, place, "what became of it", "`data: intact`")?;
                let place = Place { span: it.data.span_or(place.span), pruned: it.data.is_pruned() };
                (self.data(place, data)?, None)
            }
            Expect::VirtualTime(it) => {
                let example = "`virtual-time: under 3h`";
                let Scalar(window) = *self.needed(&it.virtual_time, place, "how much", example)?;
                (Claim::VirtualTime(window), None)
            }
        };
        Some(Expectation { claim, at, location: self.location(expect.span), text: self.text(expect.span) })
    }

    fn data(&mut self, place: Place, data: &DataOf) -> Option<Claim> {
        match data {
            DataOf::All(wholeness) => Some(Claim::Data { sender: None, wholeness: *wholeness }),
            DataOf::Host(Named(hosts)) => {
                let [(name, wholeness)] = &hosts[..] else {
                    if !place.pruned {
                        let help = "write for example `data: {client: incomplete}`";
                        self.problem(place.span, "this is not one host and what became of its data", help);
                    }
                    return None;
                };
                let sender = Some(self.host(name.span, name)?);
                Some(Claim::Data { sender, wholeness: wholeness.value.0 })
            }
        }
    }

    fn window(&mut self, at: &Opt<Window>, within: &Opt<Duration>) -> Option<Window> {
        if let (Some(_), Some(within)) = (at, within) {
            self.problem(within.key, "`at` and `within` in one expectation", "keep one of them");
        }
        let within = || word(within).map(|to| Window { from: Duration::ZERO, to });
        word(at).or_else(within)
    }
}
