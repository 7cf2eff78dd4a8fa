//! Compares a run with a recording.

use std::sync::Arc;

use halfopen_scenario::Scenario;

use super::observed::{Call, Host, Observed, Path, Segment};
use super::recording::Recording;
use super::replay::Replay;
use super::times::{self, Late, Times};

/// What a comparison came to: the first difference of each kind, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) structure: Option<String>,
    /// Judged only where the structure is the same.
    pub(crate) times: Option<String>,
}

impl Comparison {
    /// Whether there is no difference.
    pub(crate) fn is_the_same(&self) -> bool {
        self.structure.is_none() && self.times.is_none()
    }
}

/// How strict to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strictness {
    /// Every segment must be the same, not only what timers, faults and the handshake make.
    pub(crate) exact: bool,
    /// SYN+ACKs must have the right times.
    pub(crate) syn_ack_times: bool,
}

/// Compares with each of the recorded structures; the best counts. What is told of is the first structure's difference.
pub(crate) fn compare(
    scenario: &Arc<Scenario>,
    run: &Replay,
    recording: &Recording,
    strictness: Strictness,
) -> Comparison {
    let mut best: Option<Comparison> = None;
    for recorded in &recording.structures {
        let Times { wrong, late } = times::compare(scenario, run, recorded, &recording.injected, strictness);
        let structure = structure(&run.observed, recorded, &late, strictness.exact);
        let times = if structure.is_none() { wrong } else { None };
        let comparison = Comparison { structure, times };
        if comparison.is_the_same() {
            return comparison;
        }
        let better =
            best.as_ref().is_none_or(|best| best.structure.is_some() && comparison.structure.is_none());
        if better {
            best = Some(comparison);
        }
    }
    best.expect("a recording has a structure")
}

/// The first difference, each host for itself: the order of two hosts' segments that are close in time means nothing.
fn structure(run: &Observed, recorded: &Observed, late: &Late, exact: bool) -> Option<String> {
    Host::BOTH.into_iter().find_map(|host| {
        let ours = of(&run.segments, |it| it.host == host, &late.segments);
        let theirs = of(&recorded.segments, |it| it.host == host, &[]);
        let segments = if exact {
            differs(&ours, &theirs, Segment::is_like)
        } else {
            differs(&outline(&ours), &outline(&theirs), Segment::is_like).or_else(|| amounts(&ours, &theirs))
        };
        segments.or_else(|| calls(run, recorded, late, host)).or_else(|| paths(run, recorded, late, host))
    })
}

fn calls(run: &Observed, recorded: &Observed, late: &Late, host: Host) -> Option<String> {
    let ours = of(&run.calls, |it| it.host == host, &late.calls);
    let theirs = of(&recorded.calls, |it| it.host == host, &[]);
    differs(&ours, &theirs, |a: &Call, b: &Call| a.result == b.result)
}

fn paths(run: &Observed, recorded: &Observed, late: &Late, host: Host) -> Option<String> {
    let mut ours = run.paths.clone();
    for (path, step) in late.steps.iter().rev() {
        ours[*path].steps.truncate(*step);
    }
    // A connection that came to be when the recording had ended is none.
    ours.retain(|path| !path.steps.is_empty());
    let states = |paths: &[Path]| -> Vec<String> {
        let names =
            |path: &Path| path.states().iter().map(|state| state.name()).collect::<Vec<_>>().join(" ");
        paths.iter().filter(|path| path.host == host).map(names).collect()
    };
    let (ours, theirs) = (states(&ours), states(&recorded.paths));
    (ours != theirs).then(|| format!("{host} states: expected {theirs:?}, was {ours:?}"))
}

/// Those of a host, without those that the recording was too short for.
fn of<'a, T>(things: &'a [T], wanted: impl Fn(&T) -> bool, late: &[usize]) -> Vec<&'a T> {
    let kept = |(position, thing): &(usize, &'a T)| wanted(thing) && !late.contains(position);
    things.iter().enumerate().filter(kept).map(|(_, thing)| thing).collect()
}

/// The first place where the two lists differ.
fn differs<T: std::fmt::Display>(
    ours: &[&T],
    theirs: &[&T],
    is_like: impl Fn(&T, &T) -> bool,
) -> Option<String> {
    let same = ours.iter().zip(theirs).take_while(|(ours, theirs)| is_like(ours, theirs)).count();
    let show = |thing: Option<&&T>| thing.map_or("nothing more".to_owned(), |thing| format!("`{thing}`"));
    (same < ours.len().max(theirs.len()))
        .then(|| format!("expected {}, was {}", show(theirs.get(same)), show(ours.get(same))))
}

/// Those of a host's segments that timers, faults and the handshake make: SYN, FIN, RST, what is sent again and probes.
/// Without the acknowledgments and how data was cut into segments, which depend on when a reader of the recording woke up.
pub(crate) fn is_outlined(segments: &[&Segment]) -> Vec<bool> {
    let mut next = 0;
    let outlined = |segment: &&Segment| {
        let outlined = segment.flags.contains(['S', 'F', 'R']) || segment.seq < next;
        next = next.max(segment.seq + segment.len + i64::from(segment.flags.contains(['S', 'F'])));
        outlined
    };
    segments.iter().map(outlined).collect()
}

fn outline<'a>(segments: &[&'a Segment]) -> Vec<&'a Segment> {
    let outlined = is_outlined(segments);
    segments.iter().zip(outlined).filter(|(_, outlined)| *outlined).map(|(segment, _)| *segment).collect()
}

/// How much a host sent, each octet once.
fn amounts(ours: &[&Segment], theirs: &[&Segment]) -> Option<String> {
    let amount = |segments: &[&Segment]| segments.iter().map(|segment| segment.seq + segment.len).max();
    let (ours, theirs) = (amount(ours), amount(theirs));
    (ours != theirs).then(|| format!("expected data up to {theirs:?}, was {ours:?}"))
}
