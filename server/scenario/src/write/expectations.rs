//! What must come out.

use std::time::Duration;

use halfopen_tcp::State;
use halfopen_units::{format_duration, format_size};

use super::yaml::{Map, Yaml};
use super::{Writer, size};
use crate::{
    Claim, Count, Expectation, HostClaim, InfoField, InfoMatch, OrderItem, PathItem, Wholeness, Window,
};

impl Writer<'_> {
    pub(super) fn expectation(self, expectation: &Expectation) -> Yaml {
        let Expectation { claim, at, location: _, text: _ } = expectation;
        Yaml::Map(match claim {
            Claim::Host { host, connection, some, claim } => {
                let claim = host_claim(claim)
                    .and(self::at(*at))
                    .maybe("on", connection.map(|connection| self.connection(connection)))
                    .maybe("some", some.then_some("on"));
                Map::new().with(self.host_name(*host), claim)
            }
            Claim::Segments { matching, count, spacing } => {
                let implied = Count::Exactly(spacing.len() as u64 + 1);
                let is_said = spacing.is_empty() || *count != implied;
                let gaps = Yaml::List(spacing.iter().map(|gap| window(*gap)).collect());
                Map::new()
                    .with("segments", self.matching(matching))
                    .maybe("count", is_said.then(|| self::count(*count)))
                    .maybe("spacing", (!spacing.is_empty()).then_some(gaps))
                    .and(self::at(*at))
            }
            Claim::Order(order) => {
                let item = |item: &OrderItem| match item {
                    OrderItem::Segment(matching) => self.matching(matching),
                    OrderItem::Gap => Yaml::from("…"),
                };
                Map::new().with("order", Yaml::List(order.iter().map(item).collect())).and(self::at(*at))
            }
            Claim::AllClosed => Map::new().with("all-closed", at.map_or(Yaml::Nothing, window)),
            Claim::Data { sender, wholeness } => {
                let wholeness = match wholeness {
                    Wholeness::Intact => "intact",
                    Wholeness::Incomplete => "incomplete",
                };
                let of_host = |host| Map::new().with(self.host_name(host), wholeness).into();
                Map::new().with("data", sender.map_or(Yaml::from(wholeness), of_host))
            }
            Claim::VirtualTime(time) => Map::new().with("virtual-time", window(*time)),
        })
    }
}

fn host_claim(claim: &HostClaim) -> Map {
    let states = |states: &[State]| Yaml::List(states.iter().map(|state| Yaml::from(state.name())).collect());
    match claim {
        HostClaim::States(path) => {
            let item = |item: &PathItem| match item {
                PathItem::State(state) => Yaml::from(state.name()),
                PathItem::Gap => Yaml::from("…"),
            };
            Map::new().with("states", Yaml::List(path.iter().map(item).collect()))
        }
        HostClaim::Ends(state) => Map::new().with("ends", state.name()),
        HostClaim::Never(never) => match never[..] {
            [state] => Map::new().with("never", state.name()),
            _ => Map::new().with("never", states(never)),
        },
        HostClaim::Keepalive { outcome, probes, after } => Map::new()
            .with("keepalive", outcome.name())
            .maybe("probes", *probes)
            .maybe("after", after.map(window)),
        HostClaim::Error(errors) => Map::new().with("error", super::errors(*errors)),
        HostClaim::TcpInfo { at, fields } => {
            let field = |map: Map, (field, value): &(InfoField, InfoMatch)| {
                map.with(
                    field.name(),
                    match value {
                        InfoMatch::Number(number) => count(*number),
                        InfoMatch::Time(time) => window(*time),
                        InfoMatch::Octets(octets) => size_count(*octets),
                    },
                )
            };
            Map::new().with("tcp-info", fields.iter().fold(Map::new(), field)).with("at", *at)
        }
        HostClaim::EndOfStream => Map::new().with("received", "end"),
        HostClaim::Received(octets) => Map::new().with("received", size(*octets)),
    }
}

fn at(at: Option<Window>) -> Map {
    match at {
        Some(Window { from: Duration::ZERO, to }) if !is_under(to) => Map::new().with("within", to),
        Some(at) => Map::new().with("at", window(at)),
        None => Map::new(),
    }
}

const NANOSECOND: Duration = Duration::from_nanos(1);

/// Whether it is a nanosecond before a time without a fraction of a microsecond: how `under` is read.
fn is_under(to: Duration) -> bool {
    !to.is_zero() && (to + NANOSECOND).subsec_nanos().is_multiple_of(1_000)
}

/// `5s`, `5s ± 1s`, `within 5s` or `under 5s`.
fn window(Window { from, to }: Window) -> Yaml {
    let text = if from == to {
        format_duration(from)
    } else if from.is_zero() && is_under(to) {
        format!("under {}", format_duration(to + NANOSECOND))
    } else if from.is_zero() {
        format!("within {}", format_duration(to))
    } else {
        let length = to.saturating_sub(from).as_nanos();
        let margin = Duration::from_nanos(u64::try_from(length.div_ceil(2)).unwrap_or(u64::MAX));
        format!("{} ± {}", format_duration(from + margin), format_duration(margin))
    };
    Yaml::Word(text)
}

fn size_count(count: Count) -> Yaml {
    Yaml::Word(match count {
        Count::Exactly(octets) => format_size(octets),
        Count::AtLeast(octets) => format!("at least {}", format_size(octets)),
        Count::AtMost(octets) => format!("at most {}", format_size(octets)),
    })
}

fn count(count: Count) -> Yaml {
    match count {
        Count::Exactly(count) => Yaml::from(count),
        Count::AtLeast(count) => Yaml::Word(format!("at least {count}")),
        Count::AtMost(count) => Yaml::Word(format!("at most {count}")),
    }
}
