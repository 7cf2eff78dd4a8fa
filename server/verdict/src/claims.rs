//! Expectations, each against what happened.

use std::collections::BTreeSet;
use std::time::Duration;

use halfopen_scenario::{Claim, ConnectionRef, Expectation, HostClaim, Scenario, Window};
use halfopen_trace::{ExpectationId, ExpectationResult, Finding, HostId, SegmentNumber, Trace};

use crate::check::Check;
use crate::connection::check_connection;
use crate::ends::{End, Ends};
use crate::work::Work;

/// What claims are checked against.
pub(crate) struct Evidence<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) ends: &'a Ends,
    /// Segments that never left their host.
    pub(crate) unresolved: BTreeSet<SegmentNumber>,
    pub(crate) virtual_time: Duration,
    pub(crate) work: &'a Work<'a>,
}

impl Evidence<'_> {
    /// Checks every expectation of the scenario, in its order.
    pub(crate) fn check_all(&self, scenario: &Scenario) -> Vec<ExpectationResult> {
        let expectations = (0..).map(ExpectationId).zip(&scenario.expectations);
        let result = |(id, expectation)| {
            let Check { passed, finding, connection, decided } = self.check(expectation);
            ExpectationResult { expectation: id, passed, finding, connection, decided }
        };
        expectations.take_while(|_| self.work.goes_on(1)).map(result).collect()
    }

    fn check(&self, expectation: &Expectation) -> Check {
        let at = expectation.at;
        match &expectation.claim {
            Claim::Host { host, connection, some, claim } => {
                self.check_host((*host).into(), (*connection, *some), claim, at)
            }
            Claim::Segments { matching, count, spacing } => {
                self.check_segments(matching, *count, spacing).in_time(at)
            }
            Claim::Order(order) => self.check_order(order).in_time(at),
            Claim::AllClosed => self.check_all_closed().in_time(at),
            Claim::Data { sender, wholeness } => self.check_data(sender.map(HostId::from), *wholeness),
            Claim::VirtualTime(window) => self.check_virtual_time(*window),
        }
    }

    /// The claim must hold for every connection that is meant, or for some of them; the first for which it does not, or does,
    /// decides.
    fn check_host(
        &self,
        host: HostId,
        (connection, some): (Option<ConnectionRef>, bool),
        claim: &HostClaim,
        at: Option<Window>,
    ) -> Check {
        let mut last = Check::broken(match connection {
            _ if matches!(claim, HostClaim::TcpInfo { .. }) => Finding::NoConnectionThen,
            None => Finding::NoConnection,
            Some(_) => Finding::NeverOpened,
        });
        // A claim about a moment means the connections that existed then.
        let exists = |end: &&End| match claim {
            HostClaim::TcpInfo { at, .. } => end.info_at(*at).is_some(),
            _ => true,
        };
        let on_host = self.ends.iter().filter(|end| self.work.goes_on(1) && end.host == host);
        let meant = |end: &&End| connection.is_none_or(|connection| self.ends.is(connection, end.number));
        for end in on_host.filter(meant).filter(exists) {
            last = check_connection(claim, end).in_time(at);
            if !last.passed {
                last = last.by(end.number);
            }
            if last.passed == some {
                break;
            }
        }
        last
    }
}
