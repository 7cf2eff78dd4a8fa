//! Expectations, each against what happened.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_scenario::{Claim, ConnectionRef, Expectation, HostClaim, Scenario, Window};
use halfopen_units::format_duration;

use super::connection::check_connection;
use super::history::{self, Histories, History, Moment};
use super::phrases;
use crate::connections::{Connections, End};
use crate::shared::Progress;
use crate::trace::{ExpectationResult, HostId, Trace};

/// What was found about a claim.
#[derive(Clone, Debug, Default)]
pub(super) struct Finding {
    pub(super) passed: bool,
    pub(super) actual: String,
    /// What decided it; `None`: the end of the run did.
    pub(super) decided: Option<Moment>,
}

impl Finding {
    /// It does not hold, and nothing in particular decided that.
    pub(super) fn broken(actual: impl Into<String>) -> Finding {
        Finding { passed: false, actual: actual.into(), decided: None }
    }

    /// What decided it must have happened at the right time. What nothing decided happened at none.
    fn in_time(mut self, window: Option<Window>) -> Finding {
        let Some(window) = window else { return self };
        match self.decided {
            Some((_, time)) => {
                self.actual = format!("{}, at {}", self.actual, format_duration(time.as_duration()));
                self.passed &= window.contains(time.as_duration());
            }
            None if self.passed => {
                self.actual = format!("{}, at no time in particular", self.actual);
                self.passed = false;
            }
            None => {}
        }
        self
    }
}

/// What claims are checked against.
pub(super) struct Evidence<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) trace: &'a Trace,
    pub(super) connections: &'a Connections,
    pub(super) progress: &'a Progress,
    pub(super) histories: Histories,
    /// Virtual time from the run's start to its end.
    pub(super) time: Duration,
}

/// Checks every expectation of the scenario, in its order.
pub(super) fn check_all(
    scenario: &Scenario,
    trace: &Trace,
    connections: &Connections,
    progress: &Progress,
    time: Duration,
) -> Vec<ExpectationResult> {
    if scenario.expectations.is_empty() {
        return Vec::new();
    }
    let histories = history::read(trace);
    let evidence = Evidence { scenario, trace, connections, progress, histories, time };
    (1..)
        .zip(&scenario.expectations)
        .map(|(position, expectation)| evidence.check(position, expectation))
        .collect()
}

impl Evidence<'_> {
    fn check(&self, position: u32, expectation: &Expectation) -> ExpectationResult {
        let at = expectation.at;
        let finding = match &expectation.claim {
            Claim::Host { host, connection, claim } => {
                self.check_host((*host).into(), *connection, claim, at)
            }
            Claim::Segments { matching, count, spacing } => {
                self.check_segments(matching, *count, spacing).in_time(at)
            }
            Claim::Order(order) => self.check_order(order).in_time(at),
            Claim::AllClosed => self.check_all_closed().in_time(at),
            Claim::DataIntact => self.check_data(),
            Claim::VirtualTime(window) => self.check_virtual_time(*window),
        };
        ExpectationResult {
            expectation: position,
            passed: finding.passed,
            text: expectation.text.clone(),
            expected: phrases::expected(expectation),
            actual: finding.actual,
            deciding_event: finding.decided.map_or(0, |(sequence, _)| sequence),
            decided_at: finding.decided.map(|(_, time)| time.as_duration()),
            line: expectation.location.line,
        }
    }

    /// The claim must hold for every connection that is meant; the first for which it does not decides.
    fn check_host(
        &self,
        host: HostId,
        connection: Option<ConnectionRef>,
        claim: &HostClaim,
        at: Option<Window>,
    ) -> Finding {
        let mut meant = self.meant(host, connection).peekable();
        if meant.peek().is_none() {
            return Finding::broken(match connection {
                None => format!("{} had no connection", self.host(host)),
                Some(_) => "the connection was never opened".to_owned(),
            });
        }
        let mut last = Finding::default();
        for (end, history) in meant {
            last = check_connection(claim, history, end).in_time(at);
            if !last.passed {
                last.actual = format!("{} (connection {})", last.actual, end.number.0);
                break;
            }
        }
        last
    }

    pub(super) fn host(&self, host: HostId) -> &str {
        &self.scenario.hosts[host.index()].name
    }

    /// The ends that are meant, each with its history.
    pub(super) fn meant(
        &self,
        host: HostId,
        connection: Option<ConnectionRef>,
    ) -> impl Iterator<Item = (&End, &History)> {
        let mut seen = BTreeMap::new();
        let ends = self.connections.of_host(host).filter_map(move |end| {
            let nth: &mut usize = seen.entry(end.number).or_default();
            let history = self.histories.get(&(host, end.number))?.get(*nth)?;
            *nth += 1;
            Some((end, history))
        });
        ends.filter(move |(end, _)| connection.is_none_or(|meant| self.progress.is(meant, end.number)))
    }
}
