//! What is correct word by word and yet makes no sense. It is looked for once nothing else is wrong, and only what is
//! certain is reported: what could succeed with some network, fault or timing is left to the run.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use halfopen_tcp::{Flags, State};
use halfopen_units::format_duration;

use crate::node::{Node, Span, Value};
use crate::wording::list;
use crate::{
    Action, AddressMove, CallKind, Calls, Claim, Effect, Expectation, Failure, Fault, FlagsMatch, HostClaim,
    HostId, Location, Match, OrderItem, PathItem, Problem, Program, Scenario, Step, TimedCall, When,
};

/// Everything that makes no sense, in a run or in a session.
pub(super) fn look(scenario: &Scenario, root: &Node, is_session: bool) -> Vec<Problem> {
    let is_played = is_session || !scenario.calls.list.is_empty();
    let mut reader = Reader { scenario, root, is_played, problems: Vec::new() };
    for program in &scenario.programs {
        reader.program(program);
    }
    for fault in &scenario.faults {
        reader.fault(fault);
    }
    reader.calls(&scenario.calls);
    for expectation in &scenario.expectations {
        reader.expectation(expectation);
    }
    reader.problems
}

/// What makes no sense in faults that are added to a scenario.
pub(super) fn look_at_faults(faults: &[Fault], scenario: &Scenario, root: &Node) -> Vec<Problem> {
    let mut reader = Reader { scenario, root, is_played: true, problems: Vec::new() };
    faults.iter().for_each(|fault| reader.fault(fault));
    reader.problems
}

struct Reader<'a> {
    scenario: &'a Scenario,
    root: &'a Node,
    /// Whether somebody outside plays the hosts that have no programs.
    is_played: bool,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// About the value of a key, wherever in the item it stands; about the whole item if the key is not there.
    fn problem(&mut self, item: &Location, key: &str, message: String, help: impl Into<String>) {
        let span =
            begins(self.root, item).map_or(Span::default(), |node| value(node, key).unwrap_or(node.span));
        self.problems.push(Problem::new(span, message).help(help));
    }

    fn name(&self, host: HostId) -> &str {
        &self.scenario.host(host).name
    }

    /// The run must reach that time.
    fn in_time(&mut self, item: &Location, key: &str, time: Duration) {
        let (end, why) = match self.scenario.until {
            Some(until) => (until, "it ends then; raise `until`"),
            None => {
                (self.scenario.limits.virtual_time, "it is abandoned then; raise `limits: {virtual-time: …}`")
            }
        };
        if time > end {
            let help =
                format!("the run lasts {} at most: {why}, or choose an earlier time", format_duration(end));
            self.problem(item, key, "this is after the end of the run".to_owned(), help);
        }
    }

    fn program(&mut self, program: &Program) {
        let works = |step: &Step| step.failure == Failure::EndsProgram && !step.may_not_happen;
        // A repetition may end with the failure of a step in it.
        let forgiving = |step: &Step| matches!(step.action, Action::Repeat { .. }) && !works(step);
        let forgives = program.steps.iter().any(forgiving);
        let mut shut = Vec::new();
        for step in &program.steps {
            let must_work = works(step) && !forgives;
            if let Action::Connect { connection, .. } | Action::Accept { connection, .. } = &step.action {
                shut.retain(|(slot, _)| slot != connection);
            }
            match &step.action {
                Action::Connect { to, from, .. } if must_work => {
                    self.has_address(program, step, *to, *from);
                    self.somebody_listens(program, step, *to);
                }
                Action::WaitUntil(time) if !step.may_not_happen => {
                    self.in_time(&step.location, "wait-until", *time);
                }
                Action::ShutdownWrite { connection } => shut.push((*connection, step.location.line)),
                Action::Send { connection, .. } if must_work => {
                    if let Some((_, line)) = shut.iter().find(|(shut, _)| shut == connection) {
                        let message = format!("`shutdown: write` in line {line} has ended sending");
                        let help = "send before it; if this must fail, say `error: EPIPE` beside it";
                        self.problem(&step.location, "send", message, help);
                    }
                }
                _ => {}
            }
        }
    }

    /// The host has the address at some time that the connection is to have.
    fn has_address(&mut self, program: &Program, step: &Step, to: SocketAddr, from: Option<IpAddr>) {
        let Some(from) = from else { return };
        let name = self.name(program.host);
        if from.is_ipv4() != to.is_ipv4() {
            let message = format!("{from} cannot reach {}: one is IPv4 and the other IPv6", to.ip());
            self.problem(&step.location, "from", message, "name an address of the same family");
        } else if !self.scenario.holders(from).any(|host| host == program.host) {
            let message = format!("`{name}` never has the address {from}");
            let help =
                "name one of its `addresses`; if this must fail, say so: `error: EADDRNOTAVAIL` beside it";
            self.problem(&step.location, "from", message, help);
        }
    }

    /// Some host has the address, and opens the port by listening or, for a simultaneous open, by connecting from it. A text
    /// that expects an error of the connecting host need not have one.
    fn somebody_listens(&mut self, program: &Program, step: &Step, to: SocketAddr) {
        let port = to.port();
        let own = to.ip().is_loopback().then_some(program.host);
        let host = own.or_else(|| self.scenario.host_of(to.ip()));
        let meant = self.scenario.expectations.iter().any(|expectation| {
            matches!(&expectation.claim, Claim::Host { host, claim: HostClaim::Error(_), .. } if *host == program.host)
        });
        let forged = self.scenario.all_faults().any(|fault| matches!(fault.effect, Effect::Inject(_)));
        let mut holders = own.into_iter().chain(self.scenario.holders(to.ip()));
        if meant || forged || holders.any(|holder| self.may_open(holder, port)) {
            return;
        }
        let but = "; if it must fail, say so: `error: ECONNREFUSED` beside it";
        let (message, help) = match host {
            Some(host) => {
                let name = self.name(host);
                (
                    format!("nobody listens on port {port} of `{name}`"),
                    format!("let a program of `{name}` begin with `listen: {port}`{but}"),
                )
            }
            None => (
                "no host has this address".to_owned(),
                format!("give it to one by `addresses`{}", but.replace("ECONNREFUSED", "ETIMEDOUT")),
            ),
        };
        self.problem(&step.location, "connect", message, help);
    }

    /// Whether the host opens the port at some time, or may do so.
    fn may_open(&self, host: HostId, port: u16) -> bool {
        let opens = |step: &Step| match step.action {
            Action::Listen { port: open, .. } => open == port,
            Action::Connect { local_port, .. } => local_port == Some(port),
            _ => false,
        };
        let mut programs = self.scenario.programs.iter().filter(|program| program.host == host).peekable();
        match programs.peek() {
            Some(_) => programs.any(|program| program.steps.iter().any(opens)),
            None => self.is_played,
        }
    }

    fn fault(&mut self, fault: &Fault) {
        match &fault.effect {
            Effect::Segment { matching, .. } => self.matching(&fault.location, matching),
            Effect::Address { change, .. } => self.address(&fault.location, *change),
            Effect::Kill { host, program: None, restarts_after: None } => self.kill(fault, *host),
            _ => {}
        }
        if !fault.may_not_happen {
            match fault.when {
                When::At(time) => self.in_time(&fault.location, "at", time),
                When::Between(from, _) => self.in_time(&fault.location, "between", from),
                When::Always | When::State { .. } => {}
            }
        }
    }

    /// Calls are made before the run ends, and a fault that is lifted was added before.
    fn calls(&mut self, calls: &Calls) {
        let mut faults = self.scenario.faults.len();
        for TimedCall { time, call, location, .. } in &calls.list {
            self.in_time(location, "at", *time);
            match call {
                CallKind::AddFault(fault) => {
                    self.fault(fault);
                    faults += 1;
                }
                CallKind::LiftFault(index) if *index >= faults => {
                    let help = match faults {
                        0 => "there are none so far; faults count from 1".to_owned(),
                        _ => format!("faults count from 1, and so far the last is {faults}"),
                    };
                    self.problem(location, "lift", format!("there is no fault {}", index + 1), help);
                }
                CallKind::LiftFault(_)
                | CallKind::Listen { .. }
                | CallKind::Connect { .. }
                | CallKind::FinishConnect(_)
                | CallKind::Accept { .. }
                | CallKind::Send { .. }
                | CallKind::Receive { .. }
                | CallKind::ShutdownWrite(_)
                | CallKind::ShutdownRead(_)
                | CallKind::Close(_)
                | CallKind::Abort(_)
                | CallKind::Set { .. }
                | CallKind::Status(_)
                | CallKind::Finish => {}
            }
        }
    }

    /// The host that loses an address has it at some time, and the one that gets it does not have it all the time.
    fn address(&mut self, item: &Location, change: AddressMove) {
        let AddressMove { address, from, to, announced: _ } = change;
        if let Some(from) = from
            && !self.scenario.holders(address).any(|host| host == from)
        {
            let message = format!("`{}` never has the address {address}", self.name(from));
            self.problem(item, "from", message, "name the host that has it, or leave `from` out");
        }
        let others = self.scenario.holders(address).filter(|host| Some(*host) != to).count();
        if let Some(to) = to.filter(|_| others == 0) {
            let message = format!("`{}` has the address {address} all the time", self.name(to));
            self.problem(item, "to", message, "name another host");
        }
    }

    /// What kills every program of a host for good does not kill one that waits to begin beside others that have begun: it
    /// would never do anything. A clock that jumps may end its wait earlier.
    fn kill(&mut self, fault: &Fault, host: HostId) {
        let When::At(time) = fault.when else { return };
        let jumps = |fault: &Fault| matches!(fault.effect, Effect::ClockJump { host: jumping, .. } if jumping == host);
        let waits = |program: &&Program| match program.steps.first().map(|step| &step.action) {
            Some(Action::Wait(until) | Action::WaitUntil(until)) => *until > time,
            _ => false,
        };
        let programs = self.scenario.programs.iter().filter(|program| program.host == host);
        let (waiting, begun): (Vec<&Program>, Vec<&Program>) = programs.partition(waits);
        if let (Some(waiting), Some(begun)) = (waiting.first(), begun.first())
            && !self.scenario.all_faults().any(jumps)
        {
            let message = format!("this kills `{}` too, before it begins", waiting.name);
            let help = format!(
                "`kill: {{{}: {}}}` kills one list; `restarts-after: 2s` beside it starts it again",
                self.name(host),
                begun.name
            );
            self.problem(&fault.location, "kill", message, help);
        }
    }

    /// Whether a host may ever send such a segment.
    fn matching(&mut self, item: &Location, matching: &Match) {
        let (flags, only) = match matching.flags {
            Some(FlagsMatch::Only(flags)) => (flags, true),
            Some(FlagsMatch::AtLeast(flags)) => (flags, false),
            None => (Flags::NONE, false),
        };
        let without_ack = only && !flags.contains(Flags::ACK);
        let alone =
            [Flags::SYN, Flags::FIN, Flags::RST].into_iter().filter(|flag| flags.contains(*flag)).count();
        let probe = matching.keepalive_probe == Some(true) || matching.window_probe == Some(true);
        if alone > 1 {
            let help = "a segment has one of SYN, FIN and RST at most; make one item for each";
            self.problem(item, "flags", format!("no host sends {flags}"), help);
        } else if without_ack && !flags.intersects(Flags::SYN | Flags::RST) {
            let help = format!(
                "only SYN and RST are sent without ACK: write `{flags}`, or `only {}`",
                flags | Flags::ACK
            );
            self.problem(item, "flags", format!("no host sends {flags} without ACK"), help);
        } else if without_ack && matching.acknowledgment.is_some() {
            let message = format!("only {flags} has no acknowledgment number");
            self.problem(item, "acknowledgment", message, "leave it out, or `only`");
        } else if matching.keepalive_probe == Some(true) && matching.window_probe == Some(true) {
            let message = "no segment is a keepalive probe and a window probe".to_owned();
            self.problem(item, "window-probe", message, "leave one of them out");
        } else if probe && flags.intersects(Flags::SYN | Flags::RST) {
            self.problem(item, "flags", format!("no probe has {flags}"), "leave the flags out, or the probe");
        }
    }

    fn expectation(&mut self, expectation: &Expectation) {
        if let Some(window) = expectation.at {
            self.in_time(&expectation.location, "at", window.from);
        }
        match &expectation.claim {
            Claim::Segments { matching, .. } => self.matching(&expectation.location, matching),
            Claim::Host { claim: HostClaim::States(path), .. } => self.path(expectation, path),
            Claim::Host { claim: HostClaim::TcpInfo { at, .. }, .. } => {
                self.in_time(&expectation.location, "at", *at);
            }
            Claim::Order(order) => {
                for item in order {
                    if let OrderItem::Segment(matching) = item {
                        self.matching(&expectation.location, matching);
                    }
                }
            }
            Claim::Host { .. } | Claim::AllClosed | Claim::Data { .. } | Claim::VirtualTime(_) => {}
        }
    }

    fn path(&mut self, expectation: &Expectation, path: &[PathItem]) {
        for pair in path.windows(2) {
            let (PathItem::State(from), PathItem::State(to)) = (pair[0], pair[1]) else { continue };
            let next = after(from);
            if !next.contains(&to) {
                let message = format!("no connection goes from {from} to {to}");
                let help = format!(
                    "from {from} it goes to {}; `…` stands for any states between",
                    list(next.iter().map(|state| state.name()))
                );
                self.problem(&expectation.location, "states", message, help);
            }
        }
    }
}

/// The states that may follow a state: RFC 9293 §3.3.2, Figure 5. From anywhere a connection may be reset.
fn after(state: State) -> &'static [State] {
    match state {
        State::Closed => &[State::SynSent],
        State::Listen => &[State::SynReceived],
        State::SynSent => &[State::SynReceived, State::Established, State::Closed],
        State::SynReceived => &[State::Established, State::FinWait1, State::CloseWait, State::Closed],
        State::Established => &[State::FinWait1, State::CloseWait, State::Closed],
        State::FinWait1 => &[State::FinWait2, State::Closing, State::TimeWait, State::Closed],
        State::FinWait2 => &[State::TimeWait, State::Closed],
        State::CloseWait => &[State::LastAck, State::Closed],
        State::Closing => &[State::TimeWait, State::Closed],
        State::LastAck | State::TimeWait => &[State::Closed],
    }
}

/// The innermost map or word that begins there.
fn begins<'a>(node: &'a Node, place: &Location) -> Option<&'a Node> {
    let parts: Vec<&Node> = match &node.value {
        Value::Sequence(items) => items.iter().collect(),
        Value::Mapping(entries) => entries.iter().map(|(_, value)| value).collect(),
        _ => Vec::new(),
    };
    let own = || node.span.begins_at(place).then_some(node);
    match node.value {
        // An item, whose first key stands where it stands itself.
        Value::Mapping(_) => own().or_else(|| parts.iter().find_map(|part| begins(part, place))),
        _ => parts.iter().find_map(|part| begins(part, place)).or_else(own),
    }
}

/// What stands after a key in a map or in what is inside it.
fn value(node: &Node, key: &str) -> Option<Span> {
    let Value::Mapping(entries) = &node.value else { return None };
    entries.iter().find_map(|(known, inner)| {
        let found = matches!(&known.value, Value::String(known) if known == key);
        let own = if matches!(inner.value, Value::Null) { known.span } else { inner.span };
        if found { Some(own) } else { value(inner, key) }
    })
}
