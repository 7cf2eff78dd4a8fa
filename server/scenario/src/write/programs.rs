//! What the applications do.

use std::time::Duration;

use halfopen_tcp::SendFlags;

use super::hosts::address;
use super::yaml::{Map, Yaml};
use super::{Writer, name, one_or_more, size};
use crate::{Action, Amount, Failure, OnEnd, Payload, Program, Slot, Step};

impl Writer<'_> {
    /// The programs of each host: one has its name, several have names of their own.
    pub(super) fn applications(self) -> Map {
        let programs = &self.scenario.programs[..];
        let hosts = programs.chunk_by(|one, next| one.host == next.host);
        let applications = hosts.fold(Map::new(), |map, programs| {
            let host = self.host_name(programs[0].host);
            match programs {
                [program] if program.name == host => map.with(host, self.program(program)),
                _ => {
                    let named = |map: Map, it: &Program| map.with(&it.name, self.program(it));
                    map.with(host, programs.iter().fold(Map::new(), named))
                }
            }
        });
        match self.scenario.hosts.first() {
            // A text with neither applications nor calls is a mistake; one in which a host has none is not.
            Some(host) if applications.is_empty() && self.scenario.calls.list.is_empty() => {
                Map::new().with(&host.name, Map::new())
            }
            _ => applications,
        }
    }

    fn program(self, program: &Program) -> Yaml {
        let opens = |step: &&Step| matches!(step.action, Action::Accept { .. } | Action::Connect { .. });
        let several = program.steps.iter().filter(opens).count() > 1;
        let mut steps = Steps { writer: self, program, several, listens: Vec::new() };
        Yaml::List(steps.list(&program.steps))
    }
}

/// The steps of a program while they are written.
struct Steps<'a> {
    writer: Writer<'a>,
    program: &'a Program,
    /// Whether it makes several connections, so that steps say which they mean.
    several: bool,
    /// The ports that are open so far.
    listens: Vec<u16>,
}

impl Steps<'_> {
    fn list(&mut self, mut steps: &[Step]) -> Vec<Yaml> {
        let mut list = Vec::new();
        while let Some((step, rest)) = steps.split_first() {
            let within = match step.action {
                Action::Repeat { body, .. } => body.min(rest.len()),
                _ => 0,
            };
            let (body, rest) = rest.split_at(within);
            list.push(self.step(step, body));
            steps = rest;
        }
        list
    }

    fn step(&mut self, step: &Step, body: &[Step]) -> Yaml {
        let Step { action, failure, timeout, may_not_happen, location: _, text: _ } = step;
        let error = match failure {
            Failure::EndsProgram | Failure::May => None,
            Failure::Must(errors) => Some(super::errors(*errors)),
        };
        self.action(action, body)
            .maybe("timeout", *timeout)
            .maybe("error", error)
            .on("may-fail", *failure == Failure::May)
            .on("may-not-happen", *may_not_happen)
            .item()
    }

    fn action(&mut self, action: &Action, body: &[Step]) -> Map {
        let (word, host) = (action.name(), self.program.host);
        match action {
            Action::Listen { port, backlog, reuse_address, options } => {
                self.listens.push(*port);
                Map::new()
                    .with(word, u32::from(*port))
                    .unless(&Action::DEFAULT_BACKLOG, "backlog", *backlog)
                    .unless(&true, "reuse-address", *reuse_address)
                    .maybe("set", self.writer.options_beside(host, options))
            }
            Action::Accept { port, connection } => {
                let port = self.unless_only(*port).map_or(Yaml::Nothing, Yaml::from);
                Map::new().with(word, port).maybe("as", self.name_of(*connection))
            }
            Action::Connect { to, from, local_port, options, connection } => Map::new()
                .with(word, self.writer.destination(host, *to))
                .maybe("as", self.name_of(*connection))
                .maybe("from", from.map(address))
                .maybe("port", local_port.map(u32::from))
                .maybe("set", self.writer.options_beside(host, options)),
            Action::Send { connection, payload, times, every, flags } => {
                let sent = self.on(*connection, Map::new().with(word, self::payload(payload)));
                send(sent, (*times, *every), *flags)
            }
            Action::Receive { connection, amount } => {
                self.on(*connection, Map::new().with(word, self::amount(*amount)))
            }
            Action::Poll { connection, events } => {
                let events = one_or_more(events.iter().map(|event| event.name()));
                self.on(*connection, Map::new().with(word, events))
            }
            Action::Ping { connection, octets, times, every } => self
                .on(*connection, Map::new().with(word, size(*octets)))
                .unless(&Duration::ZERO, "every", *every)
                .maybe("times", *times),
            Action::Relay { connections, half_close, reset, idle } => {
                let names = connections.map(|connection| self.name_of(connection).unwrap_or(Yaml::Nothing));
                Map::new()
                    .with(word, Yaml::List(names.into()))
                    .unless(&OnEnd::Passed.name(), "half-close", half_close.name())
                    .unless(&OnEnd::Passed.name(), "reset", reset.name())
                    .maybe("idle", *idle)
            }
            Action::Repeat { body: _, times, every } => Map::new()
                .with(word, Yaml::List(self.list(body)))
                .unless(&Duration::ZERO, "every", *every)
                .maybe("times", *times),
            Action::Wait(time) | Action::WaitUntil(time) => Map::new().with(word, *time),
            Action::Hold => Map::new().with(word, Yaml::Nothing),
            Action::ShutdownWrite { connection } => self.on(*connection, Map::new().with(word, "write")),
            Action::ShutdownRead { connection } => self.on(*connection, Map::new().with(word, "read")),
            Action::Close { connection } | Action::Abort { connection } => {
                self.on(*connection, Map::new().with(word, Yaml::Nothing))
            }
            Action::CloseListener { port } => {
                let said = self.unless_only(*port);
                self.listens.retain(|open| open != port);
                Map::new().with(word, "listener").maybe("port", said)
            }
            Action::Set { connection, options } => {
                self.on(*connection, Map::new().with(word, self.writer.options(host, options)))
            }
        }
    }

    /// A port, unless it is the only one that the program listens on.
    fn unless_only(&self, port: u16) -> Option<u32> {
        (self.listens[..] != [port]).then(|| port.into())
    }

    fn name_of(&self, connection: Slot) -> Option<Yaml> {
        match self.program.shared(connection) {
            Some(of_another) => Some(self.writer.connection(of_another)),
            None => self.program.connections.get(connection.0)?.as_deref().map(name),
        }
    }

    /// With the name of the connection, if the program has several or it is another's.
    fn on(&self, connection: Slot, map: Map) -> Map {
        let is_said = self.several || self.program.shared(connection).is_some();
        map.maybe("on", self.name_of(connection).filter(|_| is_said))
    }
}

/// A `send` with what stands beside it.
fn send(sent: Map, (times, every): (u32, Duration), flags: SendFlags) -> Map {
    let paced = times != 1 || !every.is_zero();
    sent.unless(&Duration::ZERO, "every", every).maybe("times", paced.then_some(times)).and(send_flags(flags))
}

pub(super) fn send_flags(SendFlags { more, end_of_record }: SendFlags) -> Map {
    Map::new().on("more", more).on("end-of-record", end_of_record)
}

pub(super) fn payload(payload: &Payload) -> Yaml {
    match payload {
        Payload::Octets(octets) => size(*octets),
        Payload::Text(text) => Yaml::Map(Map::new().with("text", Yaml::Text(text.clone()))),
    }
}

fn amount(amount: Amount) -> Yaml {
    match amount {
        Amount::Octets(octets) => size(octets),
        Amount::Next => Yaml::Nothing,
        Amount::End => Yaml::from("end"),
    }
}
