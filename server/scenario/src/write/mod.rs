//! From scenario to text: YAML that a person might have written, and that loads as the same scenario.

mod calls;
mod expectations;
mod faults;
mod hosts;
mod network;
mod programs;
mod segments;
mod settings;
mod sockets;
mod yaml;

use std::fmt::Write as _;
use std::time::Duration;

use self::yaml::{Map, Yaml};
use crate::{ConnectionRef, Errors, HostId, Limits, MiddleboxId, Scenario};
use halfopen_tcp::Errno;
pub use settings::{Setting, SettingValue, settings};

/// The scenario as YAML.
///
/// [`load`](crate::load) makes the same scenario of it, apart from what only the text has: see
/// [`Scenario::without_places`]. What holds by default is not written. A variant is written as a scenario of its own,
/// and addresses as the hosts that have them, where that means the same.
///
/// What no text can say is written as what comes next to it: the times of a [`Window`](crate::Window) are an even
/// number of nanoseconds apart, unless it begins at zero.
pub fn write(scenario: &Scenario) -> String {
    let writer = Writer { scenario };
    let Scenario { id, title, source, .. } = scenario;
    let expectations: Vec<Yaml> =
        scenario.expectations.iter().map(|expectation| writer.expectation(expectation)).collect();
    let document = Map::new()
        .with("scenario", Yaml::Text(id.clone()))
        .maybe("title", (title != id).then(|| Yaml::Text(title.clone())))
        .maybe("source", (!source.is_empty()).then(|| Yaml::Text(source.clone())))
        .and(writer.circumstances())
        .maybe("expect", (!expectations.is_empty()).then_some(Yaml::Lines(expectations)))
        .and(writer.end());
    format!("{}{document}", head(&scenario.description))
}

fn limits_map(until: Option<Duration>, limits: Limits) -> Map {
    let Limits { virtual_time, events } = limits;
    let usual = Limits::for_run_until(until);
    let map = Map::new().unless(&usual.virtual_time, "virtual-time", virtual_time);
    map.unless(&usual.events, "events", events)
}

/// One word, or a list.
fn one_or_more(names: impl IntoIterator<Item = &'static str>) -> Yaml {
    let mut names: Vec<Yaml> = names.into_iter().map(Yaml::from).collect();
    if names.len() == 1 { names.remove(0) } else { Yaml::List(names) }
}

/// `EPIPE`, or a list.
fn errors(errors: Errors) -> Yaml {
    one_or_more(errors.iter().map(Errno::name))
}

/// The comment at the head of the text.
fn head(description: &str) -> String {
    let mut head = String::new();
    for line in description.lines() {
        let space = if line.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = writeln!(head, "#{space}{line}");
    }
    head
}

/// Writes parts of a scenario.
#[derive(Clone, Copy)]
struct Writer<'a> {
    scenario: &'a Scenario,
}

impl<'a> Writer<'a> {
    /// The hosts and what is between them, what their applications and those outside do, and what goes wrong.
    fn circumstances(self) -> Map {
        let (network, applications) = (self.network(), self.applications());
        let faults: Vec<Yaml> = self.scenario.faults.iter().map(|fault| self.fault(fault)).collect();
        Map::new()
            .with("hosts", self.hosts())
            .maybe("network", (!network.is_empty()).then_some(network))
            .maybe("applications", (!applications.is_empty()).then_some(applications))
            .maybe("faults", (!faults.is_empty()).then_some(Yaml::Lines(faults)))
            .maybe("calls", (!self.scenario.calls.list.is_empty()).then(|| self.calls()))
    }

    /// When the run ends, at the latest.
    fn end(self) -> Map {
        let Scenario { until, limits, .. } = *self.scenario;
        let limits = limits_map(until, limits);
        Map::new().maybe("until", until).maybe("limits", (!limits.is_empty()).then_some(limits))
    }

    fn host_name(self, host: HostId) -> &'a str {
        &self.scenario.host(host).name
    }

    fn host(self, host: HostId) -> Yaml {
        name(self.host_name(host))
    }

    fn middlebox(self, MiddleboxId(middlebox): MiddleboxId) -> Yaml {
        name(&self.scenario.network.middleboxes[middlebox].name)
    }

    /// The name of a connection; the text always gives one to what it refers to.
    fn connection(self, connection: ConnectionRef) -> Yaml {
        let program = &self.scenario.programs[connection.program];
        let known = program.connections[connection.connection.0].as_deref().unwrap_or_default();
        match connection.nth {
            Some(nth) => Yaml::Text(format!("{known}#{nth}")),
            None => name(known),
        }
    }
}

fn name(name: &str) -> Yaml {
    Yaml::Text(name.to_owned())
}

fn size(octets: impl Into<u64>) -> Yaml {
    Yaml::Size(octets.into())
}
