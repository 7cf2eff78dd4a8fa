//! The steps of a program, one by one.

use std::time::Duration;

use halfopen_tcp::SendFlags;
use halfopen_units::format_duration;

use super::Progress;
use crate::address::Port;
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::quantity::Size;
use crate::resolve::{Checker, Place, key, word};
use crate::shape::arguments::{Direction, Payload};
use crate::shape::programs::{
    Accept, Close, Connect, Ping, Poll, Receive, Relay, Repeat, Send, Set, Shutdown, Wait, WaitUntil,
};
use crate::shape::{self, OneOrMore, Opt};
use crate::{Action, Amount, Limits, OnEnd, PollEvent};

impl Checker<'_> {
    pub(super) fn action<'s>(
        &mut self,
        progress: &mut Progress<'s>,
        place: Place,
        step: &'s shape::Step,
    ) -> Option<Action> {
        match step {
            shape::Step::Listen(it) => self.listen(progress, place, it),
            shape::Step::Accept(it) => self.accept(progress, place, it),
            shape::Step::Connect(it) => self.connect(progress, place, it),
            shape::Step::Send(it) => self.send(progress, place, it),
            shape::Step::Receive(it) => self.receive(progress, place, it),
            shape::Step::Poll(it) => self.poll(progress, place, it),
            shape::Step::Ping(it) => self.ping(progress, place, it),
            shape::Step::Relay(it) => self.relay(progress, place, it),
            shape::Step::Repeat(it) => self.repeat(place, it),
            shape::Step::Wait(it) => self.wait(place, it),
            shape::Step::WaitUntil(it) => self.wait_until(progress, place, it),
            shape::Step::Hold(_) => {
                self.once(progress, place, "there is no second round", "put `hold` after the `repeat`");
                Some(Action::Hold)
            }
            shape::Step::Shutdown(it) => self.shutdown(progress, place, it),
            shape::Step::Close(it) => self.close(progress, place, it),
            shape::Step::Abort(it) => {
                Some(Action::Abort { connection: self.closed(progress, place, it.on.on.as_ref())? })
            }
            shape::Step::Set(it) => self.set(progress, place, it),
        }
    }

    fn accept<'s>(&mut self, progress: &mut Progress<'s>, place: Place, it: &'s Accept) -> Option<Action> {
        let port = self.accept_port(progress, place, it);
        let connection = self.opened(progress, &it.r#as);
        Some(Action::Accept { port: port?, connection })
    }

    fn connect<'s>(&mut self, progress: &mut Progress<'s>, place: Place, it: &'s Connect) -> Option<Action> {
        let to = self.needed(&it.connect, place, "to where", "`connect: server:80`").cloned();
        let at = it.connect.span_or(place.span);
        let to = to.and_then(|Scalar(to)| self.destination(progress.host, at, &to));
        let connection = self.opened(progress, &it.r#as);
        let (from, local_port) = (word(&it.from), word(&it.port).map(|Port(port)| port));
        let options = self.options_beside(progress.host, it.set.as_ref());
        Some(Action::Connect { to: to?, from, local_port, options, connection })
    }

    fn send(&mut self, progress: &mut Progress<'_>, place: Place, it: &Send) -> Option<Action> {
        let connection = self.connection(progress, place, it.on.on.as_ref());
        let payload = match self.needed(&it.send, place, "what", "`send: 1 KiB`")? {
            Payload::Size(Size(octets)) => crate::Payload::Octets(*octets),
            Payload::Text(text) => crate::Payload::Text(text.value.0.clone()),
        };
        let times = it.times.as_ref().map_or(1, |times| self.at_least_one(times));
        let every = self.every(&it.every).unwrap_or_default();
        if let (Some(every), None) = (&it.every, &it.times) {
            self.problem(every.key, "`every` without `times`", "say how often: `times: 5`");
        }
        let octets = payload.octets().saturating_mul(times.into());
        self.octets_in_range(it.send.span_or(place.span), octets);
        let is_on = |switch| word(switch).is_some_and(|Switch(on)| on);
        let flags = SendFlags { more: is_on(&it.more), end_of_record: is_on(&it.end_of_record) };
        Some(Action::Send { connection: connection?, payload, times, every, flags })
    }

    fn poll(&mut self, progress: &mut Progress<'_>, place: Place, it: &Poll) -> Option<Action> {
        let connection = self.connection(progress, place, it.on.on.as_ref());
        let OneOrMore(given) = self.needed(&it.poll, place, "for what", "`poll: POLLOUT`")?;
        if given.is_empty() && !it.poll.is_pruned() {
            let at = it.poll.span_or(place.span);
            self.problem(at, "this waits for nothing", "say for what, for example `poll: POLLOUT`");
        }
        let mut events: Vec<PollEvent> = given.iter().map(|Scalar(event)| *event).collect();
        events.sort_unstable();
        events.dedup();
        Some(Action::Poll { connection: connection?, events })
    }

    fn receive(&mut self, progress: &mut Progress<'_>, place: Place, it: &Receive) -> Option<Action> {
        let connection = self.connection(progress, place, it.on.on.as_ref())?;
        let amount = it.receive.inner().map_or(Amount::Next, |Scalar(amount)| *amount);
        if let Amount::Octets(octets) = amount {
            self.octets_in_range(it.receive.span_or(place.span), octets);
        }
        Some(Action::Receive { connection, amount })
    }

    fn ping(&mut self, progress: &mut Progress<'_>, place: Place, it: &Ping) -> Option<Action> {
        let connection = self.connection(progress, place, it.on.on.as_ref());
        let Scalar(Size(octets)) = *self.needed(&it.ping, place, "how much", "`ping: 17 B`")?;
        self.octets_in_range(it.ping.span_or(place.span), octets);
        let times = it.times.as_ref().map(|times| self.at_least_one(times));
        let every = self.every(&it.every);
        if every.is_none() && times != Some(1) {
            self.problem(place.span, "this does not say how often", "add `every: 30s`, or `times: 1`");
        }
        Some(Action::Ping { connection: connection?, octets, times, every: every.unwrap_or_default() })
    }

    fn relay(&mut self, progress: &mut Progress<'_>, place: Place, it: &Relay) -> Option<Action> {
        let names = self.needed(&it.relay, place, "between which connections", "`relay: [down, up]`")?;
        let [one, other] = &names[..] else {
            if !it.relay.is_pruned() {
                let help = "name them where they are opened, with `as`, and here: `relay: [down, up]`";
                self.problem(it.relay.span_or(place.span), "a relay needs two connections", help);
            }
            return None;
        };
        if one.value == other.value {
            self.problem(other.span, "a relay needs two connections", "this is the same as the one before");
            return None;
        }
        let [one, other] = [one, other].map(|name| self.closed(progress, place, Some(name)));
        Some(Action::Relay {
            connections: [one?, other?],
            half_close: word(&it.half_close).unwrap_or(OnEnd::Passed),
            reset: word(&it.reset).unwrap_or(OnEnd::Passed),
            idle: it.idle.as_ref().map(|idle| self.positive(idle)),
        })
    }

    fn repeat(&mut self, place: Place, it: &Repeat) -> Option<Action> {
        let body = self.needed(&it.repeat, place, "what", "`repeat: [send: 1 B, wait: 1s]`")?;
        if body.is_empty() && !it.repeat.is_pruned() {
            let at = it.repeat.span_or(place.span);
            self.problem(at, "nothing is repeated", "say what each round does");
        }
        let times = it.times.as_ref().map(|times| self.at_least_one(times));
        let every = self.every(&it.every);
        if times.is_none() && every.is_none() && !body.is_empty() && !super::any(body, &may_wait) {
            self.problem(
                place.span,
                "this repeats forever and no time passes",
                "say how often: `every: 1s`, or `times: 10`",
            );
        }
        // How many steps it has is known once they are read.
        Some(Action::Repeat { body: 0, times, every: every.unwrap_or_default() })
    }

    fn wait(&mut self, place: Place, it: &Wait) -> Option<Action> {
        let Scalar(time) = *self.needed(&it.wait, place, "how long", "`wait: 5s`")?;
        if time.is_zero() {
            let at = it.wait.span_or(place.span);
            self.problem(at, "zero makes no sense here", "say how long, for example `wait: 1s`");
        }
        Some(Action::Wait(time))
    }

    fn wait_until(&mut self, progress: &mut Progress<'_>, place: Place, it: &WaitUntil) -> Option<Action> {
        let Scalar(time) = *self.needed(&it.wait_until, place, "until when", "`wait-until: 5s`")?;
        self.once(progress, place, "the time comes only once", "to pause in each round, use `wait: 5s`");
        if let Some((before, line)) = progress.waited
            && time < before
        {
            let message = format!("the program has waited until {} in line {line}", format_duration(before));
            self.problem(it.wait_until.span_or(place.span), message, "times cannot go backwards");
        }
        progress.waited = Some((time, place.span.line));
        Some(Action::WaitUntil(time))
    }

    fn shutdown(&mut self, progress: &mut Progress<'_>, place: Place, it: &Shutdown) -> Option<Action> {
        let Scalar(direction) = *self.needed(&it.shutdown, place, "which direction", "`shutdown: write`")?;
        let connection = self.connection(progress, place, it.on.on.as_ref())?;
        Some(match direction {
            Direction::Write => Action::ShutdownWrite { connection },
            Direction::Read => Action::ShutdownRead { connection },
        })
    }

    fn set(&mut self, progress: &mut Progress<'_>, place: Place, it: &Set) -> Option<Action> {
        let connection = self.connection(progress, place, it.on.on.as_ref());
        let given = self.needed(&it.set, place, "which options", "`set: {nodelay: on}`")?;
        let at = it.set.span_or(place.span);
        let options = self.some_options(progress.host, at, it.set.is_pruned(), given);
        self.mss_is_agreed(given);
        Some(Action::Set { connection: connection?, options })
    }

    fn close(&mut self, progress: &mut Progress<'_>, place: Place, it: &Close) -> Option<Action> {
        if it.close.inner().is_some() {
            if let Some(on) = key(&it.on.on) {
                let help = "a listener is named by its port: add `port: 80` if there are several";
                self.problem(on, "`on` does not belong to `close: listener`", help);
            }
            return self.close_listener(progress, place, &it.port);
        }
        if let Some(port) = &it.port {
            let help = "to close a listener, write `close: listener`";
            self.problem(port.key, "a connection is not closed by its port", help);
        }
        Some(Action::Close { connection: self.closed(progress, place, it.on.on.as_ref())? })
    }

    /// Complains about a step within a repetition that makes no sense there.
    pub(super) fn once(&mut self, progress: &Progress<'_>, place: Place, why: &str, help: &str) {
        if !progress.repeats.is_empty() {
            self.problem(place.span, format!("this cannot be repeated: {why}"), help);
        }
    }

    fn every(&mut self, every: &Opt<Duration>) -> Option<Duration> {
        every.as_ref().map(|every| self.positive(every))
    }

    fn octets_in_range(&mut self, span: Span, octets: u64) {
        if octets == 0 {
            self.problem(span, "there is nothing to send or receive", "the least is 1 B");
        } else if octets > Limits::MAX_OCTETS {
            self.problem(span, "this is too much for one step", "the most is 1 GiB, repetitions included");
        }
    }
}

/// Whether a step may take time.
fn may_wait(step: &Spanned<shape::Step>) -> bool {
    let takes_time = match &step.value {
        shape::Step::Accept(_)
        | shape::Step::Connect(_)
        | shape::Step::Send(_)
        | shape::Step::Receive(_)
        | shape::Step::Poll(_)
        | shape::Step::Ping(_)
        | shape::Step::Relay(_)
        | shape::Step::Wait(_) => true,
        shape::Step::Repeat(it) => it.every.is_some(),
        shape::Step::Listen(_)
        | shape::Step::WaitUntil(_)
        | shape::Step::Hold(_)
        | shape::Step::Shutdown(_)
        | shape::Step::Close(_)
        | shape::Step::Abort(_)
        | shape::Step::Set(_) => false,
    };
    step.pruned || takes_time
}
