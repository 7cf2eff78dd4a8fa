//! The model: a scenario that is loaded, checked and resolved. It has all that a run needs and nothing of YAML.

mod address;
mod calls;
mod errors;
mod expectation;
mod fault;
mod limits;
mod middlebox;
mod network;
mod presets;
mod program;
mod rewrite;
mod route;
mod segment;
mod tcp_info;
mod tcp_settings;

use std::net::IpAddr;
use std::time::Duration;

use halfopen_tcp::Profile;

pub use address::AddressMove;
pub use calls::{CallKind, Calls, Socket, TimedCall};
pub use errors::Errors;
pub use expectation::{
    Claim, ConnectionRef, Count, Expectation, HostClaim, KeepaliveOutcome, OrderItem, PathItem, Wholeness,
    Window,
};
pub use fault::{
    Base, BlackHole, Cut, Effect, Fault, Field, ForgedOptions, ForgedTimestamps, Forgery, Number,
    SegmentAction, Unreachable, When, Which,
};
pub use limits::Limits;
pub use middlebox::{
    IdleTimes, Invalid, Middlebox, MiddleboxFault, MiddleboxId, MiddleboxSettings, OnExpiry, OnFull, OnReuse,
    SequenceNumbers, Stands, Strays, TrackedState, Translates,
};
pub use network::{Bursts, Distribution, Jitter, Link, Loss, Network, Queue};
pub use presets::Preset;
pub use program::{Action, Amount, Failure, OnEnd, Payload, PollEvent, Program, Step};
pub use rewrite::{NewValue, Renumber, Rewrite};
pub use route::Route;
pub use segment::{FlagsMatch, Match, PayloadMatch, SegmentFacts, SizeMatch};
pub use tcp_info::{InfoField, InfoMatch, InfoValue};
pub use tcp_settings::{DelayedAck, Keepalive, TcpSettings};

/// A scenario, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Its id: the name of its file without `.yaml`.
    pub id: String,
    /// Which of the text's variants this is; `None` if the text has none.
    pub variant: Option<String>,
    /// One line on what happens.
    pub title: String,
    /// Where the problem and its numbers come from; may be empty.
    pub source: String,
    /// The comment at the head of the text, without `#`; may be empty.
    pub description: String,
    /// The hosts, in the order of the text. A [`HostId`] is an index into it.
    pub hosts: Vec<Host>,
    /// What lies between the hosts.
    pub network: Network,
    /// What the applications do, in the order of the text.
    pub programs: Vec<Program>,
    /// What somebody outside does.
    pub calls: Calls,
    /// What goes wrong, in the order of the text.
    pub faults: Vec<Fault>,
    /// What must come out, in the order of the text.
    pub expectations: Vec<Expectation>,
    /// When the run ends, whatever is still in progress; idle time until then passes too. `None`: it ends when nothing
    /// more can happen.
    pub until: Option<Duration>,
    /// When the run is abandoned as unfinished.
    pub limits: Limits,
}

impl Scenario {
    /// The name of its runs: the id, with the variant's name if it is one: `dead-client`, `pool/busy+both`.
    pub fn name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{}/{variant}", self.id),
            None => self.id.clone(),
        }
    }

    /// The same scenario without what only its text has: where things stand, how they are written, and which variant it
    /// is. Two texts say the same if these are equal.
    pub fn without_places(mut self) -> Scenario {
        self.variant = None;
        let steps = self.programs.iter_mut().flat_map(|program| &mut program.steps);
        let steps = steps.map(|step| (&mut step.location, &mut step.text));
        let mut added = Vec::new();
        let mut calls = Vec::new();
        for TimedCall { call, location, text, .. } in &mut self.calls.list {
            calls.push((location, text));
            if let CallKind::AddFault(fault) = call {
                added.push(&mut **fault);
            }
        }
        let faults = self.faults.iter_mut().chain(added);
        let faults = faults.map(|fault| (&mut fault.location, &mut fault.text));
        let expectations = self.expectations.iter_mut();
        let expectations = expectations.map(|expectation| (&mut expectation.location, &mut expectation.text));
        for (location, text) in steps.chain(calls).chain(faults).chain(expectations) {
            *location = Location::default();
            text.clear();
        }
        let hosts = self.hosts.iter_mut().map(|host| &mut host.location);
        let middleboxes = self.network.middleboxes.iter_mut().map(|middlebox| &mut middlebox.location);
        for location in hosts.chain(middleboxes) {
            *location = Location::default();
        }
        self
    }

    /// Whether its text has a single line, as programs write JSON, so that lines tell no place from another.
    pub fn is_on_one_line(&self) -> bool {
        let steps = self.programs.iter().flat_map(|program| &program.steps).map(|step| &step.location);
        let faults = self.faults.iter().map(|fault| &fault.location);
        let expectations = self.expectations.iter().map(|expectation| &expectation.location);
        let hosts = self.hosts.iter().map(|host| &host.location);
        let calls = self.calls.list.iter().map(|call| &call.location);
        steps.chain(calls).chain(faults).chain(expectations).chain(hosts).all(|location| location.line <= 1)
    }

    /// The host of that id.
    ///
    /// # Panics
    /// With an id of another scenario.
    pub fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.0]
    }

    /// What goes wrong, including what calls add: in the order of the numbers of faults.
    pub fn all_faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().chain(self.calls.faults())
    }

    /// The hosts that have this address at some time: at first, or because of a fault.
    pub fn holders(&self, address: IpAddr) -> impl Iterator<Item = HostId> + '_ {
        let gets = move |fault: &Fault| match &fault.effect {
            Effect::Address { change, .. } if change.address == address => change.to,
            _ => None,
        };
        self.host_of(address).into_iter().chain(self.all_faults().filter_map(gets))
    }

    /// The host that has this address at first.
    pub fn host_of(&self, address: IpAddr) -> Option<HostId> {
        self.hosts.iter().position(|host| host.addresses.contains(&address)).map(HostId)
    }
}

/// Identifies a host of the scenario: its index in [`Scenario::hosts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub usize);

/// Identifies a connection of a program: its index in [`Program::connections`], which counts every `connect` and `accept`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub usize);

/// A place in the text of the scenario.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Counted from 1. A JSON text may have only one.
    pub line: u32,
    /// In characters, counted from 1.
    pub column: u32,
    /// The path through the document: `faults[0]`, `applications.client[2]`.
    pub path: String,
}

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// The TCP stack it imitates.
    pub profile: Profile,
    /// Settings that override the profile's.
    pub tcp: TcpSettings,
    /// Ways to other hosts on which its TCP has settings of their own, each host once.
    pub routes: Vec<Route>,
    /// Whether it has no TCP: it sends what faults forge, and answers nothing.
    pub is_scripted: bool,
    /// Its addresses at first, at least one. Connections leave from the first of a family. By default the Nth host has
    /// 10.0.0.N.
    pub addresses: Vec<IpAddr>,
    /// Its place in the text.
    pub location: Location,
}

impl Host {
    /// The settings of its TCP: the profile's, overridden by the host's own.
    pub fn settings(&self) -> halfopen_tcp::Settings {
        self.tcp.over(self.profile.settings())
    }

    /// The address that its name stands for on another host: the first of a family that both have.
    pub fn address_from(&self, other: &Host) -> Option<IpAddr> {
        let common = |own: &&IpAddr| other.addresses.iter().any(|theirs| theirs.is_ipv4() == own.is_ipv4());
        self.addresses.iter().find(common).copied()
    }

    /// Whether it has an IPv6 address.
    pub(crate) fn has_ipv6(&self) -> bool {
        self.addresses.iter().any(IpAddr::is_ipv6)
    }
}
