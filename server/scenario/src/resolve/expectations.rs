//! What must come out.

use std::time::Duration;

use halfopen_tcp::State;

use super::{Checker, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::Scalar;
use crate::quantity::Size;
use crate::shape::{self, Expect, Opt};
use crate::{
    Claim, ConnectionRef, Count, Expectation, HostClaim, HostId, Limits, OrderItem, PathItem, Slot, Window,
    wording,
};

impl Checker<'_> {
    pub(super) fn expectations(&mut self, expect: &[Spanned<Expect>]) -> Vec<Expectation> {
        let first = expect.first().map_or(Span::default(), |expect| expect.span);
        if !self.limit(first, "expectations", expect.len(), Limits::MAX_EXPECTATIONS) {
            return Vec::new();
        }
        expect.iter().filter_map(|expect| self.expectation(expect)).collect()
    }

    fn expectation(&mut self, expect: &Spanned<Expect>) -> Option<Expectation> {
        let topics = [
            ("segments", expect.segments.is_given()),
            ("order", expect.order.is_some()),
            ("all-closed", expect.all_closed.is_given()),
            ("data", expect.data.is_some()),
            ("virtual-time", expect.virtual_time.is_some()),
        ];
        let hosts = expect.hosts.iter().map(|(name, _)| name.value.as_str());
        let given = topics.iter().filter(|(_, given)| *given).map(|(word, _)| *word);
        let about: Vec<&str> = hosts.chain(given).collect();
        let (claim, at) = match (&about[..], expect.hosts.first()) {
            ([_], Some((name, claim))) => self.about_host(expect, name, claim)?,
            ([word], None) => self.about_the_run(expect, word)?,
            ([], _) => {
                if !expect.pruned {
                    let help = format!(
                        "name a host and what is claimed of it: `server: {{ends: CLOSED}}`, or one of {}",
                        wording::list(topics.iter().map(|(word, _)| *word))
                    );
                    self.problem(expect.span, "this expectation does not say what it is about", help);
                }
                return None;
            }
            (several, _) => {
                let message = format!("{} in one expectation", wording::list(several.iter().copied()));
                self.problem(expect.span, message, "begin each with `- ` in a line of its own");
                return None;
            }
        };
        Some(Expectation { claim, at, location: self.location(expect.span), text: self.text(expect.span) })
    }

    /// What is about the wire or about everything.
    fn about_the_run(&mut self, expect: &Spanned<Expect>, word: &str) -> Option<(Claim, Option<Window>)> {
        let allowed: &[&str] = match word {
            "segments" => &["count", "spacing", "at", "within"],
            "order" => &["at", "within"],
            _ => &[],
        };
        let beside = [
            ("count", key(&expect.count)),
            ("spacing", key(&expect.spacing)),
            ("at", key(&expect.at)),
            ("within", key(&expect.within)),
        ];
        self.only(word, allowed, &beside);
        let at = self.window(&expect.at, &expect.within);
        match word {
            "segments" => Some((self.segments(expect)?, at)),
            "order" => Some((Claim::Order(self.order(expect.order.as_ref()?)), at)),
            "all-closed" => Some((Claim::AllClosed, expect.all_closed.inner().map(|Scalar(window)| *window))),
            "data" => Some((Claim::DataIntact, None)),
            _ => Some((Claim::VirtualTime(super::word(&expect.virtual_time)?), None)),
        }
    }

    fn segments(&mut self, expect: &Spanned<Expect>) -> Option<Claim> {
        let Some(matching) = expect.segments.inner() else {
            let help = "for example `segments: {from: client, flags: FIN}`";
            self.problem(expect.segments.span_or(expect.span), "this does not say which segments", help);
            return None;
        };
        let matching = self.matching(matching);
        let spacing = match &expect.spacing {
            Some(spacing) => self.spacing(spacing),
            None => Vec::new(),
        };
        if let (Some(count), Some(place)) = (&expect.count, key(&expect.at).or(key(&expect.within)))
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
                if !expect.pruned {
                    let help = "add `count: 2` or `count: at least 2`";
                    self.problem(expect.span, "this does not say how many segments", help);
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
    fn order(&mut self, order: &Spanned<Vec<Spanned<shape::OrderItem>>>) -> Vec<OrderItem> {
        let mut items: Vec<OrderItem> = Vec::new();
        self.limit(order.span, "segments in a row", order.value.len(), Limits::MAX_ORDER);
        for item in &order.value {
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
        if segments < 2 && !order.pruned {
            let help = "name two or more: `order: [{from: client, flags: FIN}, {from: server, flags: FIN}]`";
            self.problem(order.span, "an order needs several segments", help);
        }
        items
    }

    fn about_host(
        &mut self,
        expect: &Spanned<Expect>,
        name: &Spanned<String>,
        claim: &Spanned<shape::Claim>,
    ) -> Option<(Claim, Option<Window>)> {
        for (word, place) in [
            ("count", key(&expect.count)),
            ("spacing", key(&expect.spacing)),
            ("at", key(&expect.at)),
            ("within", key(&expect.within)),
        ] {
            let Some(place) = place else { continue };
            let help = match word {
                "count" => "it counts `segments`".to_owned(),
                "spacing" => "it is between `segments`".to_owned(),
                word => format!("put it in the braces: `{}: {{…, {word}: …}}`", name.value),
            };
            self.problem(place, format!("`{word}` does not belong here"), help);
        }
        let host = self.host(name.span, name);
        let given = [
            ("states", claim.states.is_some()),
            ("ends", claim.ends.is_some()),
            ("never", claim.never.is_some()),
            ("keepalive", claim.keepalive.is_some()),
            ("error", claim.error.is_some()),
            ("received", claim.received.is_some()),
        ];
        if claim.pruned && given.iter().all(|(_, given)| !given) {
            return None;
        }
        let word = self.one_of(name.span, "expectation", &given)?;
        let allowed: &[&str] = match word {
            "keepalive" => &["probes", "after", "at", "within", "on"],
            "never" => &["on"],
            _ => &["at", "within", "on"],
        };
        let beside = [
            ("probes", key(&claim.probes)),
            ("after", key(&claim.after)),
            ("at", key(&claim.at)),
            ("within", key(&claim.within)),
            ("on", key(&claim.on)),
        ];
        self.only(word, allowed, &beside);
        let at = self.window(&claim.at, &claim.within);
        let host_claim = self.claim(word, claim)?;
        let host = host?;
        let connection = match &claim.on {
            Some(on) => Some(self.connection_of(host, on)?),
            None => None,
        };
        Some((Claim::Host { host, connection, claim: host_claim }, at))
    }

    fn claim(&mut self, word: &str, claim: &shape::Claim) -> Option<HostClaim> {
        match word {
            "states" => self.path(claim.states.as_ref()?).map(HostClaim::States),
            "ends" => super::word(&claim.ends).map(HostClaim::Ends),
            "never" => {
                let never = claim.never.as_ref()?;
                if never.value.0.is_empty() && !never.pruned {
                    self.problem(never.span, "this list has no states", "name one: `never: CLOSE-WAIT`");
                }
                Some(HostClaim::Never(never.value.0.clone()))
            }
            "keepalive" => Some(HostClaim::Keepalive {
                outcome: super::word(&claim.keepalive)?,
                probes: super::word(&claim.probes),
                after: super::word(&claim.after),
            }),
            "error" => super::word(&claim.error).map(HostClaim::Error),
            _ => super::word(&claim.received).map(|Size(octets)| HostClaim::Received(octets)),
        }
    }

    /// A path that some connection could take, as far as its beginning and repetitions tell.
    fn path(&mut self, path: &Spanned<Vec<Spanned<Scalar<PathItem>>>>) -> Option<Vec<PathItem>> {
        if path.pruned {
            return None;
        }
        let items: Vec<PathItem> = path.value.iter().map(|item| item.value.0).collect();
        if !items.iter().any(|item| matches!(item, PathItem::State(_))) {
            self.problem(
                path.span,
                "this path has no states",
                "write for example `[…, ESTABLISHED, CLOSED]`",
            );
        }
        if let Some(PathItem::State(first)) = items.first()
            && !matches!(first, State::Closed | State::Listen)
        {
            let help = "a path begins with LISTEN (passive open), CLOSED (active open) or … (any states)";
            self.problem(path.value[0].span, format!("no connection begins in {first}"), help);
        }
        for (index, pair) in items.windows(2).enumerate() {
            if pair[0] == pair[1] {
                let span = path.value[index + 1].span;
                self.problem(
                    span,
                    "this is the same as the one before",
                    "write a state once for each time that it is entered",
                );
            }
        }
        Some(items)
    }

    fn window(&mut self, at: &Opt<Window>, within: &Opt<Duration>) -> Option<Window> {
        if let (Some(_), Some(within)) = (at, within) {
            self.problem(within.key, "`at` and `within` in one expectation", "keep one of them");
        }
        let within = || word(within).map(|to| Window { from: Duration::ZERO, to });
        word(at).or_else(within)
    }

    /// The connection of that name on a host.
    pub(super) fn find_connection(&self, host: HostId, name: &str) -> Option<ConnectionRef> {
        let named = |known: &Option<String>| known.as_deref() == Some(name);
        self.programs.iter().enumerate().filter(|(_, program)| program.host == host).find_map(
            |(program, known)| {
                let connection = known.connections.iter().position(named)?;
                Some(ConnectionRef { program, connection: Slot(connection) })
            },
        )
    }

    pub(super) fn connection_of(
        &mut self,
        host: HostId,
        on: &Spanned<Scalar<String>>,
    ) -> Option<ConnectionRef> {
        let Scalar(name) = &on.value;
        let found = self.find_connection(host, name);
        if found.is_none() {
            let programs = self.programs.iter().filter(|program| program.host == host);
            let names: Vec<&str> =
                programs.flat_map(|known| known.connections.iter().flatten().map(String::as_str)).collect();
            let help =
                wording::suggest(name, names.iter().copied()).unwrap_or_else(|| match names.as_slice() {
                    [] => "no connection of this host has a name; give it one with `as: …`".to_owned(),
                    names => format!("this host has {}", wording::list(names.iter().copied())),
                });
            let message = format!("no connection of this host is called `{}`", wording::short(name));
            self.problem(on.span, message, help);
        }
        found
    }
}
