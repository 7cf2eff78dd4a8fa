//! What the applications do.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{Checker, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::{Destination, Port, Size};
use crate::shape::{self, Direction, DurationOrOff, Given, Named, Programs, Steps};
use crate::{
    Action, Amount, Failure, HostId, Keepalive, Limits, Payload, Program, Slot, SocketOptions, Step, words,
};

/// As many may wait for `accept` when the text does not say (Linux `somaxconn`).
const DEFAULT_BACKLOG: u32 = 4096;

/// What is known of a program while its steps are read.
struct Progress<'a> {
    host: HostId,
    /// Some step was wrong and taken out, so nothing is known for certain.
    vague: bool,
    /// How many connections the whole program makes.
    total: usize,
    listens: Vec<u16>,
    connections: Vec<Connection<'a>>,
    /// Where `hold` stands.
    held: Option<u32>,
    /// The last `wait-until`, and where it stands.
    waited: Option<(Duration, u32)>,
}

struct Connection<'a> {
    name: Option<&'a str>,
    /// The line in which it is closed.
    closed: Option<u32>,
}

impl Checker<'_> {
    pub(super) fn programs(&mut self, applications: &Spanned<Named<Programs>>) {
        if applications.value.0.is_empty() && !applications.pruned {
            self.problem(
                applications.key,
                "no application does anything",
                "say what each does: `client: [connect: server:80]`",
            );
        }
        let count = |programs: &Programs| match programs {
            Programs::One(steps) => steps.len(),
            Programs::Several(named) => named.0.iter().map(|(_, steps)| steps.len()).sum(),
        };
        let steps = applications.value.0.iter().map(|(_, programs)| count(programs)).sum();
        if !self.limit(applications.key, "steps", steps, Limits::MAX_STEPS) {
            return;
        }
        for (name, programs) in &applications.value.0 {
            let Some(host) = self.host(name.span, name) else { continue };
            match programs {
                Programs::One(steps) => self.program(host, name, steps),
                Programs::Several(named) => {
                    for (name, steps) in &named.0 {
                        self.name(name.span, "a program's name", name);
                        self.program(host, name, steps);
                    }
                }
            }
        }
    }

    fn program(&mut self, host: HostId, name: &Spanned<String>, steps: &Steps) {
        let makes_one = |step: &&Spanned<shape::Step>| step.connect.is_given() || step.accept.is_given();
        let mut progress = Progress {
            host,
            // A step that is gone altogether shows as a list shorter than it was.
            vague: self.lost_steps(name.span, steps.len()) || steps.iter().any(|step| step.pruned),
            total: steps.iter().filter(makes_one).count(),
            listens: Vec::new(),
            connections: Vec::new(),
            held: None,
            waited: None,
        };
        if steps.is_empty() && !progress.vague {
            self.problem(
                name.span,
                format!("`{}` has no steps", name.value),
                "leave it out, or say what it does",
            );
        }
        let resolved: Vec<Step> = steps.iter().filter_map(|step| self.step(&mut progress, step)).collect();
        let connections = progress.connections.iter().map(|known| known.name.map(str::to_owned)).collect();
        self.programs.push(Program { name: name.value.clone(), host, connections, steps: resolved });
    }

    /// Whether fewer steps are left of a program than the text has.
    fn lost_steps(&self, name: Span, left: usize) -> bool {
        self.root.value_of(name).is_some_and(|node| node.len() != left)
    }

    fn step<'s>(&mut self, progress: &mut Progress<'s>, step: &'s Spanned<shape::Step>) -> Option<Step> {
        if let Some(line) = progress.held {
            let message = "this is never reached";
            self.problem(
                step.span,
                message,
                format!("`hold` in line {line} is for ever; to pause, use `wait: 5s`"),
            );
        }
        let words = [
            ("listen", step.listen.is_given()),
            ("accept", step.accept.is_given()),
            ("connect", step.connect.is_given()),
            ("send", step.send.is_given()),
            ("receive", step.receive.is_given()),
            ("wait", step.wait.is_given()),
            ("wait-until", step.wait_until.is_given()),
            ("hold", step.hold.is_given()),
            ("shutdown", step.shutdown.is_given()),
            ("close", step.close.is_given()),
            ("abort", step.abort.is_given()),
            ("set", step.set.is_given()),
        ];
        if step.pruned && words.iter().all(|(_, given)| !given) {
            return None;
        }
        let word = self.one_of(step.span, "step", &words)?;
        self.belongs(word, step);
        let failure = self.failure(step);
        let action = self.action(progress, word, step)?;
        Some(Step {
            action,
            failure,
            may_not_happen: super::word(&step.may_not_happen).is_some_and(|Switch(may)| may),
            location: step.span.location(),
            text: self.text(step.span),
        })
    }

    fn belongs(&mut self, word: &str, step: &shape::Step) {
        let allowed: &[&str] = match word {
            "listen" => &["backlog", "error", "may-fail"],
            "accept" => &["as"],
            "connect" => &["as", "port", "error", "may-fail"],
            "send" => &["on", "every", "times", "error", "may-fail"],
            "receive" | "shutdown" => &["on", "error", "may-fail"],
            "close" | "abort" | "set" => &["on"],
            _ => &[],
        };
        let given = [
            ("on", key(&step.on)),
            ("as", key(&step.r#as)),
            ("port", key(&step.port)),
            ("backlog", key(&step.backlog)),
            ("every", key(&step.every)),
            ("times", key(&step.times)),
            ("error", key(&step.error)),
            ("may-fail", key(&step.may_fail)),
        ];
        self.only(word, allowed, &given);
    }

    /// What it means if the step fails.
    fn failure(&mut self, step: &Spanned<shape::Step>) -> Failure {
        let may = word(&step.may_fail).is_some_and(|Switch(may)| may);
        let until_end = matches!(step.receive.inner(), Some(Scalar(Amount::End)));
        if let Some(place) = key(&step.may_fail)
            && (may && (step.error.is_some() || until_end))
        {
            let (message, help) = if until_end {
                ("`receive: end` goes on after an error anyway", "leave `may-fail` out")
            } else {
                (
                    "`error` and `may-fail` in one step",
                    "keep `error` if it must fail, `may-fail` if it only may",
                )
            };
            self.problem(place, message, help);
        }
        match word(&step.error) {
            Some(errno) => Failure::Must(errno),
            None if may => Failure::May,
            None => Failure::EndsProgram,
        }
    }

    fn action<'s>(
        &mut self,
        progress: &mut Progress<'s>,
        word: &str,
        step: &'s Spanned<shape::Step>,
    ) -> Option<Action> {
        let all = step.span;
        match word {
            "listen" => self.listen(progress, step),
            "accept" => {
                let port = self.accept_port(progress, step);
                let connection = self.opened(progress, step);
                Some(Action::Accept { port: port?, connection })
            }
            "connect" => {
                let to = self.needed(&step.connect, all, "to where", "`connect: server:80`").cloned();
                let to =
                    to.and_then(|Scalar(to)| self.destination(progress.host, step.connect.span_or(all), &to));
                let connection = self.opened(progress, step);
                let local_port = super::word(&step.port).map(|Port(port)| port);
                Some(Action::Connect { to: to?, local_port, connection })
            }
            "send" => self.send(progress, step),
            "receive" => {
                let connection = self.connection(progress, step)?;
                let amount = step.receive.inner().map_or(Amount::Next, |Scalar(amount)| *amount);
                if let Amount::Octets(octets) = amount {
                    self.octets_in_range(step.receive.span_or(all), octets);
                }
                Some(Action::Receive { connection, amount })
            }
            "wait" => {
                let Scalar(time) = *self.needed(&step.wait, all, "how long", "`wait: 5s`")?;
                if time.is_zero() {
                    self.problem(
                        step.wait.span_or(all),
                        "zero makes no sense here",
                        "say how long, for example `wait: 1s`",
                    );
                }
                Some(Action::Wait(time))
            }
            "wait-until" => {
                let Scalar(time) = *self.needed(&step.wait_until, all, "until when", "`wait-until: 5s`")?;
                if let Some((before, line)) = progress.waited
                    && time < before
                {
                    let message = format!("the program has waited until {before:?} in line {line}");
                    self.problem(step.wait_until.span_or(all), message, "the times must not go back");
                }
                progress.waited = Some((time, step.span.line));
                Some(Action::WaitUntil(time))
            }
            "hold" => {
                progress.held = Some(step.span.line);
                Some(Action::Hold)
            }
            "shutdown" => {
                let Scalar(direction) =
                    *self.needed(&step.shutdown, all, "which direction", "`shutdown: write`")?;
                let connection = self.connection(progress, step)?;
                Some(match direction {
                    Direction::Write => Action::ShutdownWrite { connection },
                    Direction::Read => Action::ShutdownRead { connection },
                })
            }
            "close" => Some(Action::Close { connection: self.closed(progress, step)? }),
            "abort" => Some(Action::Abort { connection: self.closed(progress, step)? }),
            _ => self.set(progress, step),
        }
    }

    /// What must stand after the word.
    fn needed<'g, T>(&mut self, given: &'g Given<T>, all: Span, what: &str, example: &str) -> Option<&'g T> {
        let inner = given.inner();
        if inner.is_none() {
            self.problem(given.span_or(all), format!("this does not say {what}"), format!("write {example}"));
        }
        inner
    }

    fn listen(&mut self, progress: &mut Progress<'_>, step: &Spanned<shape::Step>) -> Option<Action> {
        let Scalar(Port(port)) = *self.needed(&step.listen, step.span, "on which port", "`listen: 80`")?;
        if progress.listens.contains(&port) {
            let message = format!("this program listens on port {port} already");
            self.problem(step.listen.span_or(step.span), message, "leave one of them out");
        }
        progress.listens.push(port);
        let backlog = word(&step.backlog).unwrap_or(DEFAULT_BACKLOG);
        Some(Action::Listen { port, backlog })
    }

    fn accept_port(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<u16> {
        let place = step.accept.span_or(step.span);
        match (step.accept.inner(), progress.listens.as_slice()) {
            (None, [port]) => Some(*port),
            (Some(Scalar(Port(port))), listens) if listens.contains(port) => Some(*port),
            _ if progress.vague => None,
            (_, []) => {
                self.problem(place, "nobody listens yet", "put `listen: 80` before it, in the same program");
                None
            }
            (None, _) => {
                self.problem(place, "this program listens on several ports", "say which: `accept: 80`");
                None
            }
            (Some(Scalar(Port(port))), _) => {
                self.problem(
                    place,
                    format!("this program does not listen on port {port}"),
                    "accept on a port of its `listen`",
                );
                None
            }
        }
    }

    /// A new connection of the program.
    fn opened<'s>(&mut self, progress: &mut Progress<'s>, step: &'s Spanned<shape::Step>) -> Slot {
        let name = step.r#as.as_ref();
        if let Some(name) = name {
            let Scalar(text) = &name.value;
            self.name(name.span, "a connection's name", text);
            let here = progress.connections.iter().any(|known| known.name == Some(text.as_str()));
            let host = progress.host;
            let elsewhere = self.programs.iter().filter(|program| program.host == host);
            if here
                || elsewhere
                    .flat_map(|program| &program.connections)
                    .any(|known| known.as_ref() == Some(text))
            {
                let message = format!("another connection of this host is called `{text}`");
                self.problem(name.span, message, "take another name");
            }
        }
        progress.connections.push(Connection { name: name.map(|name| name.value.0.as_str()), closed: None });
        Slot(progress.connections.len() - 1)
    }

    /// The connection that a step is about.
    fn connection(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<Slot> {
        let slot = match &step.on {
            Some(name) => self.named(progress, name),
            None if progress.vague => None,
            None if progress.connections.is_empty() => {
                self.problem(
                    step.span,
                    "there is no connection yet",
                    "put `connect: server:80`, or `listen: 80` and `accept`, before it",
                );
                None
            }
            None if progress.total > 1 => {
                let message = format!("this program has {} connections", progress.total);
                self.problem(step.span, message, "name each with `as: …` and say which with `on: …`");
                None
            }
            None => Some(Slot(0)),
        }?;
        if let Some(line) = progress.connections[slot.0].closed {
            let message = format!("the connection is closed in line {line} already");
            self.problem(step.span, message, "to close one direction only, use `shutdown: write` there");
        }
        Some(slot)
    }

    fn named(&mut self, progress: &Progress<'_>, name: &Spanned<Scalar<String>>) -> Option<Slot> {
        let Scalar(text) = &name.value;
        let found = progress.connections.iter().position(|known| known.name == Some(text.as_str()));
        if found.is_none() && !progress.vague {
            let names: Vec<&str> = progress.connections.iter().filter_map(|known| known.name).collect();
            let help =
                words::suggest(text, names.iter().copied()).unwrap_or_else(|| match names.as_slice() {
                    [] => format!(
                        "name it where it is made: `connect: server:80` with `as: {}`",
                        words::short(text)
                    ),
                    names => format!("so far there are {}", words::list(names.iter().copied())),
                });
            self.problem(name.span, format!("no connection is called `{}`", words::short(text)), help);
        }
        found.map(Slot)
    }

    fn closed(&mut self, progress: &mut Progress<'_>, step: &Spanned<shape::Step>) -> Option<Slot> {
        let slot = self.connection(progress, step)?;
        progress.connections[slot.0].closed = Some(step.span.line);
        Some(slot)
    }

    fn destination(&mut self, from: HostId, span: Span, to: &Destination) -> Option<SocketAddr> {
        let address = match to.host.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => {
                let host = self.host(span, &to.host)?;
                let own = &self.hosts[from.0].addresses;
                let theirs = &self.hosts[host.0].addresses;
                let reachable =
                    theirs.iter().find(|theirs| own.iter().any(|own| own.is_ipv4() == theirs.is_ipv4()));
                let Some(address) = reachable else {
                    let message =
                        format!("one has IPv4 and the other IPv6: `{}` can not be reached", to.host);
                    self.problem(span, message, "give both hosts an address of one family");
                    return None;
                };
                *address
            }
        };
        if self.hosts[from.0].addresses.contains(&address) {
            self.problem(span, "a host can not connect to itself", "name another host");
        }
        Some(SocketAddr::new(address, to.port))
    }

    fn send(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<Action> {
        let connection = self.connection(progress, step);
        let place = step.send.span_or(step.span);
        let payload = match self.needed(&step.send, step.span, "what", "`send: 1 KiB`")? {
            shape::Payload::Size(Size(octets)) => Payload::Octets(*octets),
            shape::Payload::Text(text) => Payload::Text(text.value.0.clone()),
        };
        let times = step.times.as_ref().map_or(1, |times| self.at_least_one(times));
        let every = step.every.as_ref().map_or(Duration::ZERO, |every| self.positive(every));
        if let (Some(every), None) = (&step.every, &step.times) {
            self.problem(every.key, "`every` without `times`", "say how often: `times: 5`");
        }
        self.octets_in_range(place, payload.octets().saturating_mul(times.into()));
        Some(Action::Send { connection: connection?, payload, times, every })
    }

    fn octets_in_range(&mut self, span: Span, octets: u64) {
        if octets == 0 {
            self.problem(span, "nothing can not be sent or received", "the least is 1 B");
        } else if octets > Limits::MAX_OCTETS {
            self.problem(span, "this is too much for one step", "at most 1 GiB, repetitions included");
        }
    }

    fn set(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<Action> {
        let connection = self.connection(progress, step);
        let options = self.needed(&step.set, step.span, "which options", "`set: {nodelay: on}`")?;
        let settings = self.hosts[progress.host.0].settings();
        let base = settings.keepalive.unwrap_or(settings.keepalive_numbers);
        let keepalive = options.keepalive.as_ref().map(|keepalive| self.keepalive(keepalive));
        let set = SocketOptions {
            keepalive: keepalive.map(|keepalive: Keepalive| keepalive.over(base)),
            nodelay: word(&options.nodelay).map(|Switch(on)| on),
            user_timeout: self.user_timeout(&options.user_timeout),
            linger: word(&options.linger).map(|DurationOrOff(linger)| linger),
            receive_buffer: self.receive_buffer(&options.receive_buffer),
        };
        if set == SocketOptions::default() && !step.set.is_pruned() && options.receive_buffer.is_none() {
            self.problem(
                step.set.span_or(step.span),
                "this sets nothing",
                "write `set: {nodelay: on}` or `set: {keepalive: {idle: 10s}}`",
            );
        }
        Some(Action::Set { connection: connection?, options: set })
    }
}
