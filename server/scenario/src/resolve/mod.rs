//! From shape to scenario: names are resolved, and contradictions are found.

mod addresses;
mod calls;
mod expectations;
mod faults;
mod hosts;
mod inject;
mod middleboxes;
mod names;
mod network;
mod options;
mod programs;
mod rewrite;
mod sense;

use std::net::SocketAddr;
use std::time::Duration;

use halfopen_tcp::{Errno, Profile, State};

use crate::address::Destination;
use crate::de::Spanned;
use crate::node::{Node, Span, Value};
use crate::options::LoadOptions;
use crate::parse::Scalar;
use crate::shape::{Document, Given, HostInState, Match, OneOrMore, Opt};
use crate::{
    Calls, Errors, Fault, Host, HostId, Limits, Location, Middlebox, Problem, Program, Scenario, wording,
};

/// The scenario that the document says, loaded as the options say. It is only worth something if no problem was found.
pub(crate) fn scenario(
    document: &Spanned<Document>,
    root: &Node,
    text: &str,
    options: LoadOptions<'_>,
    problems: &mut Vec<Problem>,
) -> Scenario {
    let (hosts, middleboxes, programs) = (Vec::new(), Vec::new(), Vec::new());
    let mut checker =
        Checker { root, profile: options.profile, now: None, problems, hosts, middleboxes, programs };
    let id = checker.id(document);
    match &document.hosts {
        Some(hosts) => checker.hosts(hosts),
        None => checker.missing(document, "hosts", "the hosts, by name: `hosts: {client: {}, server: {}}`"),
    }
    let network = document.network.as_ref().map(|network| checker.network(network));
    match &document.applications {
        Some(applications) => checker.programs(applications),
        None if options.session || document.calls.is_some() => {}
        None => {
            checker.missing(document, "applications", "what each host does: `applications: {client: […]}`");
        }
    }
    let faults = checker.faults(&document.faults);
    let calls = match &document.calls {
        Some(calls) if options.session => checker.not_in_a_session(calls.key),
        Some(calls) => checker.calls(calls, document.faults.len()),
        None => Calls::default(),
    };
    let expectations = checker.expectations(&document.expect);
    let until = document.until.as_ref().map(|until| checker.positive(until));
    let limits = checker.limits(document, until);
    let resolved = Scenario {
        title: word(&document.title).unwrap_or_else(|| id.clone()),
        source: word(&document.source).unwrap_or_default(),
        description: head(text),
        id,
        hosts: checker.hosts,
        network: network.unwrap_or_default(),
        programs: checker.programs,
        calls,
        faults,
        expectations,
        variant: None,
        until,
        limits,
    };
    if problems.is_empty() {
        problems.extend(sense::look(&resolved, root, options.session));
    }
    resolved
}

/// The faults of the document, which is said about a scenario that is there already.
pub(crate) fn faults(
    document: &Spanned<Document>,
    root: &Node,
    scenario: &Scenario,
    now: Duration,
    problems: &mut Vec<Problem>,
) -> Vec<Fault> {
    let mut checker = Checker { now: Some(now), ..Checker::about(scenario, root, problems) };
    let faults = checker.faults(&document.faults);
    if problems.is_empty() {
        problems.extend(sense::look_at_faults(&faults, scenario, root));
    }
    faults
}

/// Where a connection of a host goes to.
pub(crate) fn destination(
    to: &Destination,
    from: HostId,
    scenario: &Scenario,
    problems: &mut Vec<Problem>,
) -> Option<SocketAddr> {
    let nothing = Node::new(Span::default(), Value::Null);
    Checker::about(scenario, &nothing, problems).destination(from, Span::default(), to)
}

/// An item of a list.
#[derive(Clone, Copy)]
struct Place {
    span: Span,
    /// Whether a part of it that was wrong has been taken out.
    pruned: bool,
}

/// Looks for what is wrong, and keeps what is known so far.
struct Checker<'a> {
    root: &'a Node,
    /// The profile of every host, whatever the document says.
    profile: Option<Profile>,
    /// The time, if a run is under way: faults that do not say when they happen, happen now.
    now: Option<Duration>,
    problems: &'a mut Vec<Problem>,
    hosts: Vec<Host>,
    middleboxes: Vec<Middlebox>,
    programs: Vec<Program>,
}

impl<'a> Checker<'a> {
    /// One who knows the names of a scenario.
    fn about(scenario: &Scenario, root: &'a Node, problems: &'a mut Vec<Problem>) -> Checker<'a> {
        Checker {
            root,
            profile: None,
            now: None,
            problems,
            hosts: scenario.hosts.clone(),
            middleboxes: scenario.network.middleboxes.clone(),
            programs: scenario.programs.clone(),
        }
    }
}

impl Checker<'_> {
    fn problem(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::new(span, message).help(help));
    }

    /// Where that is.
    fn location(&self, span: Span) -> Location {
        let path = self.root.path_to(span).unwrap_or_default();
        Location { line: span.line, column: span.column, path }
    }

    /// What stands there, on one line.
    fn text(&self, span: Span) -> String {
        self.root.find(span).map(Node::to_string).unwrap_or_default()
    }

    fn id(&mut self, document: &Spanned<Document>) -> String {
        match &document.scenario {
            Some(id) => {
                self.name(id.span, "a scenario's id", &id.value.0);
            }
            None => self.missing(document, "scenario", "its name: `scenario: name-of-the-file`"),
        }
        word(&document.scenario).unwrap_or_default()
    }

    /// Says that a key is not there, unless it was and was wrong.
    fn missing(&mut self, document: &Spanned<Document>, key: &str, add: &str) {
        if !document.pruned {
            let start = Span { end: document.span.start + 1, ..document.span };
            self.problem(start, format!("the key `{key}` is missing"), format!("add {add}"));
        }
    }

    /// Whether it can be a name; says so if not.
    fn name(&mut self, span: Span, what: &str, name: &str) -> bool {
        let good = wording::is_name(name);
        if !good {
            let message = format!("`{}` cannot be {what}", wording::short(name));
            self.problem(span, message, wording::NAME_RULE);
        }
        good
    }

    /// The host of that name; says so if there is none.
    fn host(&mut self, span: Span, name: &str) -> Option<HostId> {
        let found = self.hosts.iter().position(|host| host.name == name).map(HostId);
        // Without any host that is what is wrong.
        if found.is_none() && !self.hosts.is_empty() {
            let names: Vec<String> = self.hosts.iter().map(|host| host.name.clone()).collect();
            self.no_such(span, "host", name, &names, |names| match names {
                [only] => format!("the only host is `{only}`"),
                names => format!("the hosts are {}", wording::list(names.iter().copied())),
            });
        }
        found
    }

    /// Says that nothing of a kind has this name, and what may be meant; or else what there is, as `others` has it.
    fn no_such(
        &mut self,
        span: Span,
        kind: &str,
        name: &str,
        names: &[String],
        others: impl FnOnce(&[&str]) -> String,
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let help = wording::suggest(name, names.iter().copied()).unwrap_or_else(|| others(&names));
        self.problem(span, format!("no {kind} is called `{}`", wording::short(name)), help);
    }

    /// Says that a way from one host to another does not end where it begins. The second host stands at `to`.
    fn two_ends(&mut self, ends: [Option<HostId>; 2], to: Span) {
        if let [Some(from), Some(receiver)] = ends
            && from == receiver
        {
            let name = &self.hosts[from.0].name;
            let message = format!("what `{name}` sends to itself does not leave it");
            self.problem(to, message, "no link, middlebox or fault is on that way: name another host");
        }
    }

    /// Says that a host has no TCP, which an application needs.
    fn has_tcp(&mut self, span: Span, host: HostId) {
        let host = &self.hosts[host.0];
        if host.is_scripted {
            let message = format!("`{}` has no TCP, so that no application can use it", host.name);
            self.problem(span, message, "leave out `tcp: none`, or let `inject` say what it sends");
        }
    }

    fn host_at(&mut self, name: &Opt<String>) -> Option<HostId> {
        let name = name.as_ref()?;
        self.host(name.span, &name.value.0)
    }

    /// A duration that must not be zero.
    fn positive(&mut self, duration: &Spanned<Scalar<Duration>>) -> Duration {
        let Scalar(value) = duration.value;
        if value.is_zero() {
            self.problem(duration.span, "zero makes no sense here", "say how long, for example `1s`");
        }
        value
    }

    /// A count that must not be zero.
    fn at_least_one(&mut self, count: &Spanned<Scalar<u32>>) -> u32 {
        let Scalar(value) = count.value;
        if value == 0 {
            self.problem(count.span, "zero makes no sense here", "the least is 1");
        }
        value.max(1)
    }

    /// The errors that stand there, of which any is meant.
    fn errors(&mut self, span: Span, pruned: bool, OneOrMore(errors): &OneOrMore<Scalar<Errno>>) -> Errors {
        if errors.is_empty() && !pruned {
            self.problem(span, "this list has no errors", "name one: `error: ETIMEDOUT`");
        }
        errors.iter().map(|Scalar(errno)| *errno).collect()
    }

    fn matching(&mut self, matching: &Match) -> crate::Match {
        let from = self.host_at(&matching.from);
        let to = self.host_at(&matching.to);
        let state = matching.state.as_ref().and_then(|state| self.host_in_state(state));
        if let (Some(from), Some(to), Some((host, _))) = (from, to, state)
            && host != from
            && host != to
        {
            let place = matching.state.as_ref().map_or(Span::default(), |state| state.span);
            let name = self.hosts[host.0].name.clone();
            let message = format!("`{name}` is at neither end of these segments");
            self.problem(place, message, "it is the state of the sender or of the receiver");
        }
        let connections = matching.on.as_ref().map(|on| self.connections_at_either_end([from, to], on));
        crate::Match {
            from,
            to,
            connections: connections.unwrap_or_default(),
            flags: matching.flags,
            payload: matching.payload,
            size: matching.size,
            sequence: matching.sequence,
            acknowledgment: matching.acknowledgment,
            state,
            window: matching.window,
            mss: matching.mss,
            window_scale: matching.window_scale,
            sack_permitted: matching.sack_permitted,
            sack: matching.sack,
            timestamps: matching.timestamps,
            retransmission: matching.retransmission,
            keepalive_probe: matching.keepalive_probe,
            window_probe: matching.window_probe,
        }
    }

    /// `{server: CLOSE-WAIT}`.
    fn host_in_state(&mut self, given: &HostInState) -> Option<(HostId, State)> {
        let [(name, state)] = &given.value.0[..] else {
            if !given.pruned {
                let message = "this is not one host with one state";
                self.problem(given.span, message, "write for example `{server: CLOSE-WAIT}`");
            }
            return None;
        };
        Some((self.host(name.span, name)?, state.value.0))
    }

    fn limits(&mut self, document: &Document, until: Option<Duration>) -> Limits {
        let mut limits = Limits::for_run_until(until);
        if let Some(time) = &document.limits.virtual_time {
            limits.virtual_time = self.positive(time);
            if until.is_some_and(|until| until > limits.virtual_time) {
                self.problem(time.span, "the limit is before `until`", "raise it, or leave it out");
            }
        }
        if let Some(events) = &document.limits.events {
            limits.events = self.at_least_one(events).into();
            if limits.events > Limits::MAX_EVENTS {
                let message = format!("a run can have at most {} events", Limits::MAX_EVENTS);
                self.problem(events.span, message, "lower it, or leave it out");
            }
        }
        limits
    }

    fn limit(&mut self, span: Span, what: &str, number: usize, most: usize) -> bool {
        if number > most {
            let message = format!("the scenario has {number} {what}, more than {most}");
            self.problem(span, message, "split it into several scenarios");
        }
        number <= most
    }

    /// What must stand after the word.
    fn needed<'g, T>(
        &mut self,
        given: &'g Given<T>,
        place: Place,
        what: &str,
        example: &str,
    ) -> Option<&'g T> {
        let inner = given.inner();
        if inner.is_none() {
            let at = given.span_or(place.span);
            self.problem(at, format!("this does not say {what}"), format!("write {example}"));
        }
        inner
    }
}

/// The value itself.
fn word<T: Clone>(value: &Opt<T>) -> Option<T> {
    value.as_ref().map(|value| value.value.0.clone())
}

/// Where its key stands, if it is given.
fn key<T>(value: &Option<Spanned<T>>) -> Option<Span> {
    value.as_ref().map(|value| value.key)
}

/// The comment at the head of the text.
fn head(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .map_while(|line| line.strip_prefix('#'))
        .filter(|line| !line.trim_start().starts_with("yaml-language-server:"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    lines.join("\n").trim().to_owned()
}
