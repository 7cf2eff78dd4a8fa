//! When expectations ask what TCP_INFO says.

use std::collections::BTreeMap;

use halfopen_scenario::{Claim, ConnectionRef, HostClaim, Scenario};
use halfopen_tcp::Instant;
use halfopen_trace::HostId;

/// The times at which expectations ask about connections of a host, with those that each means; `None`: all.
#[derive(Debug, Default)]
pub(crate) struct Wanted(BTreeMap<Instant, Vec<Option<ConnectionRef>>>);

impl Wanted {
    /// What expectations ask of a host that boots now.
    pub(crate) fn new(scenario: &Scenario, host: HostId, now: Instant) -> Wanted {
        let mut wanted = Wanted::default();
        for expectation in &scenario.expectations {
            if let Claim::Host { host: meant, connection, claim: HostClaim::TcpInfo { at, .. }, .. } =
                &expectation.claim
                && HostId::from(*meant) == host
                && Instant::ZERO + *at >= now
            {
                wanted.0.entry(Instant::ZERO + *at).or_default().push(*connection);
            }
        }
        wanted
    }

    /// When they ask next.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.keys().next().copied()
    }

    /// What they ask for now; what they asked for before is over.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Vec<Option<ConnectionRef>>> {
        while self.next().is_some_and(|time| time < now) {
            self.0.pop_first();
        }
        self.0.remove(&now)
    }
}
