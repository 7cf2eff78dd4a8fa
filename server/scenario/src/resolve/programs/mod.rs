//! What the applications do.

mod connections;
mod listeners;
mod steps;

use std::time::Duration;

use self::connections::Connection;
pub(super) use self::connections::LOCALHOST;
use self::listeners::Listener;
use super::{Checker, Place, key, word};
use crate::de::Spanned;
use crate::node::Span;
use crate::parse::{Scalar, Switch};
use crate::shape::programs::MayFail;
use crate::shape::{self, Named, Programs, Steps};
use crate::{Action, Amount, ConnectionRef, Failure, HostId, Limits, Program, Step};

/// What is known of a program while its steps are read.
struct Progress<'a> {
    host: HostId,
    /// The position of the program among all.
    position: usize,
    /// All programs.
    drafts: &'a [Draft<'a>],
    /// Some step was wrong and taken out, so nothing is known for certain.
    vague: bool,
    /// How many connections the whole program makes.
    total: usize,
    listeners: Vec<Listener>,
    connections: Vec<Connection<'a>>,
    /// The connections of other programs that it uses.
    shared: Vec<ConnectionRef>,
    /// The repetitions around the step that is read, outermost first.
    repeats: Vec<Span>,
    /// The step that never ends, and where it stands.
    held: Option<(&'static str, u32)>,
    /// The last `wait-until`, and where it stands.
    waited: Option<(Duration, u32)>,
}

/// A program before its steps are read.
struct Draft<'a> {
    position: usize,
    host: HostId,
    name: &'a Spanned<String>,
    steps: &'a Steps,
    /// The names of the connections that it opens.
    connections: Vec<Option<&'a str>>,
}

impl Checker<'_> {
    pub(super) fn programs(&mut self, applications: &Spanned<Named<Programs>>) {
        if applications.value.0.is_empty() && !applications.pruned {
            self.problem(
                applications.key,
                "there are no applications",
                "say what each does: `client: [connect: server:80]`",
            );
        }
        let steps = applications.value.0.iter().map(|(_, programs)| programs.count()).sum();
        if !self.limit(applications.key, "steps", steps, Limits::MAX_STEPS) {
            return;
        }
        let mut drafts: Vec<Draft<'_>> = Vec::new();
        let mut draft = |host, name, steps| {
            let mut connections = Vec::new();
            opened(steps, &mut connections);
            drafts.push(Draft { position: drafts.len(), host, name, steps, connections });
        };
        for (name, programs) in &applications.value.0 {
            let Some(host) = self.host(name.span, name) else { continue };
            self.has_tcp(name.span, host);
            match programs {
                Programs::One(steps) => draft(host, name, steps),
                Programs::Several(named) => {
                    for (name, steps) in &named.0 {
                        self.name(name.span, "a program's name", name);
                        draft(host, name, steps);
                    }
                }
            }
        }
        for draft in &drafts {
            let program = self.program(draft, &drafts);
            self.programs.push(program);
        }
    }

    fn program<'s>(&mut self, draft: &'s Draft<'s>, drafts: &'s [Draft<'s>]) -> Program {
        let Draft { position, host, name, steps, .. } = *draft;
        let mut progress = Progress {
            host,
            position,
            drafts,
            // A step that is gone altogether shows as a list shorter than it was.
            vague: self.lost_steps(name.span, steps.len()) || any(steps, &|step| step.pruned),
            total: draft.connections.len(),
            listeners: Vec::new(),
            connections: Vec::new(),
            shared: Vec::new(),
            repeats: Vec::new(),
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
        let mut resolved = Vec::new();
        self.steps(&mut progress, steps, &mut resolved);
        let connections = progress.connections.iter().map(Connection::name).collect();
        Program { name: name.value.clone(), host, connections, shared: progress.shared, steps: resolved }
    }

    /// Whether fewer steps are left of a program than the text has.
    fn lost_steps(&self, name: Span, left: usize) -> bool {
        self.root.value_of(name).is_some_and(|node| node.len() != left)
    }

    /// Adds the steps of a list to a program, with those within them.
    fn steps<'s>(&mut self, progress: &mut Progress<'s>, steps: &'s Steps, resolved: &mut Vec<Step>) {
        for step in steps {
            let Some(outer) = self.step(progress, step) else { continue };
            let place = resolved.len();
            resolved.push(outer);
            let held = progress.held;
            if let Some(body) = step.body() {
                progress.repeats.push(step.span);
                self.steps(progress, body, resolved);
                progress.repeats.pop();
            }
            let own = resolved.len() - place - 1;
            let outer = &mut resolved[place];
            if let Action::Repeat { body, .. } = &mut outer.action {
                *body = own;
            }
            if outer.failure != Failure::EndsProgram {
                // What fails in it leads on.
                progress.held = held;
            } else if outer.action.is_endless() {
                progress.held = progress.held.or(Some((outer.action.name(), step.span.line)));
            }
        }
    }

    fn step<'s>(&mut self, progress: &mut Progress<'s>, step: &'s Spanned<shape::Step>) -> Option<Step> {
        if let Some((word, line)) = progress.held.take() {
            let help = match word {
                "hold" => format!("`hold` in line {line} never ends; to pause, use `wait: 5s`"),
                _ => format!(
                    "`{word}` in line {line} never ends; say how often with `times`, or that it ends when a step in it \
                     fails: `may-fail: on`"
                ),
            };
            self.problem(step.span, "this is never reached", help);
        }
        let failure = self.failure(step);
        let place = Place { span: step.span, pruned: step.pruned };
        let action = self.action(progress, place, step)?;
        Some(Step {
            action,
            failure,
            timeout: step.timeout().map(|timeout| match step.value {
                // The answer takes time.
                shape::Step::Ping(_) => self.positive(timeout),
                _ => timeout.value.0,
            }),
            may_not_happen: word(&step.completion().may_not_happen).is_some_and(|Switch(may)| may),
            location: self.location(step.span),
            text: self.step_text(step),
        })
    }

    /// What the step says, but not the steps within it.
    fn step_text(&self, step: &Spanned<shape::Step>) -> String {
        let text = self.text(step.span);
        match &step.value {
            shape::Step::Repeat(it) if it.repeat.inner().is_some() => {
                text.replacen(&self.text(it.repeat.span_or(step.span)), "[…]", 1)
            }
            _ => text,
        }
    }

    /// What it means if the step fails.
    fn failure(&mut self, step: &shape::Step) -> Failure {
        let Some(MayFail { error, may_fail }) = step.failure() else { return Failure::EndsProgram };
        let may = word(may_fail).is_some_and(|Switch(may)| may);
        let until_end = matches!(step, shape::Step::Receive(it)
            if matches!(it.receive.inner(), Some(Scalar(Amount::End))));
        if let Some(place) = key(may_fail)
            && (may && (error.is_some() || until_end))
        {
            let (message, help) = if until_end {
                ("`receive: end` continues after an error anyway", "leave `may-fail` out")
            } else {
                (
                    "`error` and `may-fail` in one step",
                    "keep `error` if it must fail, `may-fail` if it only may",
                )
            };
            self.problem(place, message, help);
        }
        match error {
            Some(error) => Failure::Must(self.errors(error.span, error.pruned, &error.value)),
            None if may => Failure::May,
            None => Failure::EndsProgram,
        }
    }
}

/// Adds the names of the connections that a list opens, in the order of the text.
fn opened<'s>(steps: &'s Steps, names: &mut Vec<Option<&'s str>>) {
    for step in steps {
        let name = match &step.value {
            shape::Step::Accept(it) => Some(&it.r#as),
            shape::Step::Connect(it) => Some(&it.r#as),
            _ => None,
        };
        names.extend(name.map(|name| name.as_ref().map(|name| name.value.0.as_str())));
        if let Some(body) = step.body() {
            opened(body, names);
        }
    }
}

/// Whether something holds for a step of a list, or within it.
fn any(steps: &Steps, holds: &dyn Fn(&Spanned<shape::Step>) -> bool) -> bool {
    count(steps, holds) > 0
}

/// For how many steps of a list, those within them included, something holds.
fn count(steps: &Steps, holds: &dyn Fn(&Spanned<shape::Step>) -> bool) -> usize {
    let within = |step: &Spanned<shape::Step>| step.body().map_or(0, |body| count(body, holds));
    steps.iter().map(|step| usize::from(holds(step)) + within(step)).sum()
}

impl Programs {
    /// How many steps they have.
    fn count(&self) -> usize {
        match self {
            Programs::One(steps) => count(steps, &|_| true),
            Programs::Several(named) => named.0.iter().map(|(_, steps)| count(steps, &|_| true)).sum(),
        }
    }
}
