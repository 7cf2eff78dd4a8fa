//! What callers learn of a session.

use halfopen_proto::v1;
use halfopen_scenario::{HostId, Scenario};

/// The hosts of a scenario, as those of a session.
pub(crate) fn session_hosts(scenario: &Scenario) -> Vec<v1::SessionHost> {
    let has_programs = |host: usize| scenario.programs.iter().any(|program| program.host == HostId(host));
    let hosts = scenario.hosts.iter().enumerate().map(|(index, host)| v1::SessionHost {
        name: host.name.clone(),
        addresses: host.addresses.iter().map(ToString::to_string).collect(),
        profile: host.profile.name().to_owned(),
        outside: !has_programs(index) && !host.is_scripted,
    });
    hosts.collect()
}
