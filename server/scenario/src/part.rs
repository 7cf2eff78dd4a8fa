//! Parts of the language by themselves, said about a scenario that is there already.

use std::net::SocketAddr;
use std::time::Duration;

use crate::address::Destination;
use crate::load::{MOST_MISTAKES, diagnostic, part, typed};
use crate::node::{Node, Span, Value};
use crate::parse::Parse;
use crate::{Diagnostics, Effect, Fault, HostId, Match, Problem, Scenario, resolve};

/// Reads faults as they stand under `faults:`, a list or one of them, for a run that is under way. They speak of the hosts,
/// connections and middleboxes of `scenario`; one that must say when it happens, and does not, happens at `now`.
///
/// # Errors
/// All mistakes at once, as [`load`](crate::load). Paths begin with `faults`.
pub fn load_faults(text: &str, scenario: &Scenario, now: Duration) -> Result<Vec<Fault>, Diagnostics> {
    let one_or_more = |node: Node| match node.value {
        Value::Sequence(_) => node,
        _ => Node::new(node.span, Value::Sequence(vec![node])),
    };
    faults(text, scenario, now, one_or_more)
}

/// Reads what a segment must be, as it stands beside `drop`: `FIN`, `{flags: SYN, from: client}`.
///
/// # Errors
/// As [`load_faults`].
pub fn load_match(text: &str, scenario: &Scenario) -> Result<Match, Diagnostics> {
    let dropped = |node: Node| {
        let span = node.span;
        let word = Node::new(Span::default(), Value::String("drop".to_owned()));
        let drop = Node::new(span, Value::Mapping(vec![(word, node)]));
        Node::new(span, Value::Sequence(vec![drop]))
    };
    match faults(text, scenario, Duration::ZERO, dropped)?.pop().map(|fault| fault.effect) {
        Some(Effect::Segment { matching, .. }) => Ok(matching),
        _ => Err(wrong(text, Problem::new(Span::default(), "this is not about segments"))),
    }
}

/// The faults that `within` makes of a text.
fn faults(
    text: &str,
    scenario: &Scenario,
    now: Duration,
    within: impl FnOnce(Node) -> Node,
) -> Result<Vec<Fault>, Diagnostics> {
    let nothing = || Problem::new(Span::default(), "the text is empty");
    let read =
        part(text).and_then(|read| read.ok_or_else(nothing)).map_err(|problem| wrong(text, problem))?;
    let word = Node::new(Span::default(), Value::String("faults".to_owned()));
    let list = within(read);
    let root = Node::new(list.span, Value::Mapping(vec![(word, list)]));
    let (document, mut problems) = typed(&root);
    let faults = document.map(|document| resolve::faults(&document, &root, scenario, now, &mut problems));
    problems.sort_by_key(|problem| problem.span.start);
    problems.truncate(MOST_MISTAKES);
    let drawn = problems.into_iter().map(|problem| diagnostic(text, Some(&root), problem)).collect();
    match Diagnostics::from_list(drawn) {
        Some(diagnostics) => Err(diagnostics),
        None => Ok(faults.unwrap_or_default()),
    }
}

/// Where a connection of `from` goes to if it says so: `server:80`, `10.0.0.2:80`, `localhost:80`.
///
/// # Errors
/// If it is not a destination, or the host is unknown or cannot be reached from there.
pub fn destination(text: &str, from: HostId, scenario: &Scenario) -> Result<SocketAddr, Diagnostics> {
    let destination = Destination::parse(text)
        .map_err(|mistake| wrong(text, Problem::new(Span::default(), mistake.message).help(mistake.help)))?;
    let mut problems = Vec::new();
    let found = resolve::destination(&destination, from, scenario, &mut problems);
    found.ok_or_else(|| {
        let problem = problems.pop();
        wrong(
            text,
            problem
                .unwrap_or_else(|| Problem::new(Span::default(), "this host cannot be reached from there")),
        )
    })
}

fn wrong(text: &str, problem: Problem) -> Diagnostics {
    Diagnostics::from(diagnostic(text, None, problem))
}
