//! The steps of a program, one by one.

use std::time::Duration;

use super::Progress;
use crate::address::Port;
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::resolve::{Checker, word};
use crate::shape::{self, Direction, DurationOrOff, Given};
use crate::{Action, Amount, Keepalive, Limits, Payload, SocketOptions};

/// As many may wait for `accept` when the text does not say (Linux `somaxconn`).
const DEFAULT_BACKLOG: u32 = 4096;

impl Checker<'_> {
    pub(super) fn action<'s>(
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
            "ping" => {
                let connection = self.connection(progress, step);
                let Scalar(Size(octets)) = *self.needed(&step.ping, all, "how much", "`ping: 17 B`")?;
                self.octets_in_range(step.ping.span_or(all), octets);
                let times = step.times.as_ref().map(|times| self.at_least_one(times));
                let every = step.every.as_ref().map(|every| self.positive(every));
                if every.is_none() && times != Some(1) {
                    self.problem(step.span, "this does not say how often", "add `every: 30s`, or `times: 1`");
                }
                Some(Action::Ping {
                    connection: connection?,
                    octets,
                    times,
                    every: every.unwrap_or_default(),
                })
            }
            "repeat" => {
                let body = self.needed(&step.repeat, all, "what", "`repeat: [send: 1 B, wait: 1s]`")?;
                if body.is_empty() && !step.repeat.is_pruned() {
                    self.problem(step.repeat.span_or(all), "nothing is repeated", "say what each round does");
                }
                let times = step.times.as_ref().map(|times| self.at_least_one(times));
                let every = step.every.as_ref().map(|every| self.positive(every));
                if times.is_none() && every.is_none() && !body.is_empty() && !super::any(body, &may_wait) {
                    self.problem(
                        all,
                        "this goes round for ever and no time passes",
                        "say how often: `every: 1s`, or `times: 10`",
                    );
                }
                // How many steps it has is known once they are read.
                Some(Action::Repeat { body: 0, times, every: every.unwrap_or_default() })
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
                self.once(progress, step, "that time comes once", "to pause in each round, use `wait: 5s`");
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
                self.once(progress, step, "no second round comes", "put `hold` after the `repeat`");
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

    /// Complains about a step within a repetition that makes no sense there.
    fn once(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>, why: &str, help: &str) {
        if !progress.repeats.is_empty() {
            self.problem(step.span, format!("this can not be repeated: {why}"), help);
        }
    }

    /// What must stand after the word.
    pub(super) fn needed<'g, T>(
        &mut self,
        given: &'g Given<T>,
        all: Span,
        what: &str,
        example: &str,
    ) -> Option<&'g T> {
        let inner = given.inner();
        if inner.is_none() {
            self.problem(given.span_or(all), format!("this does not say {what}"), format!("write {example}"));
        }
        inner
    }

    pub(super) fn listen(
        &mut self,
        progress: &mut Progress<'_>,
        step: &Spanned<shape::Step>,
    ) -> Option<Action> {
        let Scalar(Port(port)) = *self.needed(&step.listen, step.span, "on which port", "`listen: 80`")?;
        if progress.listens.contains(&port) {
            let message = format!("this program listens on port {port} already");
            self.problem(step.listen.span_or(step.span), message, "leave one of them out");
        }
        self.once(progress, step, "a port can be opened once", "put `listen` before the `repeat`");
        progress.listens.push(port);
        let backlog = word(&step.backlog).unwrap_or(DEFAULT_BACKLOG);
        Some(Action::Listen { port, backlog })
    }

    pub(super) fn accept_port(
        &mut self,
        progress: &Progress<'_>,
        step: &Spanned<shape::Step>,
    ) -> Option<u16> {
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

    pub(super) fn send(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<Action> {
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

    pub(super) fn octets_in_range(&mut self, span: Span, octets: u64) {
        if octets == 0 {
            self.problem(span, "nothing can not be sent or received", "the least is 1 B");
        } else if octets > Limits::MAX_OCTETS {
            self.problem(span, "this is too much for one step", "at most 1 GiB, repetitions included");
        }
    }

    pub(super) fn set(&mut self, progress: &Progress<'_>, step: &Spanned<shape::Step>) -> Option<Action> {
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
            receive_buffer: self.buffer(&options.receive_buffer),
            send_buffer: self.buffer(&options.send_buffer),
        };
        let sizes = options.receive_buffer.is_some() || options.send_buffer.is_some();
        if set == SocketOptions::default() && !step.set.is_pruned() && !sizes {
            self.problem(
                step.set.span_or(step.span),
                "this sets nothing",
                "write `set: {nodelay: on}` or `set: {keepalive: {idle: 10s}}`",
            );
        }
        Some(Action::Set { connection: connection?, options: set })
    }
}

/// Whether a step may take time.
fn may_wait(step: &Spanned<shape::Step>) -> bool {
    step.pruned
        || step.accept.is_given()
        || step.connect.is_given()
        || step.send.is_given()
        || step.receive.is_given()
        || step.ping.is_given()
        || step.wait.is_given()
        || step.every.is_some()
}
