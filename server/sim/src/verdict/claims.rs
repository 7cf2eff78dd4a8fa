//! Expectations, each against what happened.

use std::collections::BTreeMap;
use std::time::Duration;

use halfopen_scenario::{
    Claim, ConnectionRef, Count, Expectation, HostClaim, KeepaliveOutcome, Match, PathItem, Scenario, Window,
};
use halfopen_tcp::{Instant, State};

use super::history::{self, Histories, History, Moment};
use super::words;
use crate::connections::{Connections, End};
use crate::shared::Progress;
use crate::trace::{EventKind, ExpectationResult, HostId, KeepaliveVerdict, Trace};

/// What was found about a claim.
#[derive(Clone, Debug, Default)]
struct Finding {
    passed: bool,
    actual: String,
    /// What decided it; `None`: the end of the run did.
    decided: Option<Moment>,
}

/// What claims are checked against.
struct Evidence<'a> {
    scenario: &'a Scenario,
    trace: &'a Trace,
    connections: &'a Connections,
    progress: &'a Progress,
    histories: Histories,
}

/// Checks every expectation of the scenario, in its order.
pub(super) fn check_all(
    scenario: &Scenario,
    trace: &Trace,
    connections: &Connections,
    progress: &Progress,
) -> Vec<ExpectationResult> {
    if scenario.expectations.is_empty() {
        return Vec::new();
    }
    let evidence = Evidence { scenario, trace, connections, progress, histories: history::read(trace) };
    (1..)
        .zip(&scenario.expectations)
        .map(|(position, expectation)| evidence.check(position, expectation))
        .collect()
}

impl Evidence<'_> {
    fn check(&self, position: u32, expectation: &Expectation) -> ExpectationResult {
        let (mut expected, mut finding) = match &expectation.claim {
            Claim::Host { host, connection, claim } => {
                (in_words(claim), self.check_host((*host).into(), *connection, claim))
            }
            Claim::Segments { matching, count } => {
                (count_in_words(*count), self.count_segments(matching, *count))
            }
        };
        if let Some(window) = expectation.at {
            expected = format!("{expected}, {}", window_in_words("at", window));
            check_window(&mut finding, window);
        }
        ExpectationResult {
            expectation: position,
            passed: finding.passed,
            text: expectation.text.clone(),
            expected,
            actual: finding.actual,
            deciding_event: finding.decided.map_or(0, |(sequence, _)| sequence),
            line: expectation.location.line,
        }
    }

    /// The claim must hold for every connection that is meant; the first for which it does not decides.
    fn check_host(&self, host: HostId, connection: Option<ConnectionRef>, claim: &HostClaim) -> Finding {
        let mut meant = self.meant(host, connection).peekable();
        if meant.peek().is_none() {
            let actual = match connection {
                None => format!("{} had no connection", self.scenario.hosts[host.index()].name),
                Some(_) => "the connection was never opened".to_owned(),
            };
            return Finding { actual, ..Finding::default() };
        }
        let mut last = Finding::default();
        for (end, history) in meant {
            last = check_connection(claim, history, end);
            if !last.passed {
                last.actual = format!("{} (connection {})", last.actual, end.number.0);
                break;
            }
        }
        last
    }

    /// The ends that are meant, each with its history.
    fn meant(
        &self,
        host: HostId,
        connection: Option<ConnectionRef>,
    ) -> impl Iterator<Item = (&End, &History)> {
        let mut seen = BTreeMap::new();
        let ends = self.connections.of_host(host).filter_map(move |end| {
            let nth: &mut usize = seen.entry(end.number).or_default();
            let history = self.histories.get(&(host, end.number))?.get(*nth)?;
            *nth += 1;
            Some((end, history))
        });
        ends.filter(move |(end, _)| connection.is_none_or(|meant| self.progress.is(meant, end.number)))
    }

    fn count_segments(&self, matching: &Match, count: Count) -> Finding {
        let (mut found, mut decided) = (0, None);
        for (sequence, event) in self.trace.iter() {
            if let (EventKind::SegmentSent(sent), Some(from)) = (&event.kind, event.host)
                && !sent.injected
                && matching.matches(&sent.facts(from), |meant| {
                    event.connection.is_some_and(|number| self.progress.is(meant, number))
                })
            {
                found += 1;
                decided = Some((sequence, event.time));
            }
        }
        Finding { passed: count.contains(found), actual: words::count(found, "segment"), decided }
    }
}

/// What decided a claim must have happened at the right time.
fn check_window(finding: &mut Finding, window: Window) {
    if let Some((_, time)) = finding.decided {
        finding.actual = format!("{}, at {}", finding.actual, words::time(time.as_duration()));
        finding.passed &= window.contains(time.as_duration());
    }
}

fn check_connection(claim: &HostClaim, history: &History, end: &End) -> Finding {
    match claim {
        HostClaim::States(path) => check_path(path, history),
        HostClaim::Ends(state) => Finding {
            passed: end.state.is_some_and(|(last, _)| last == *state),
            actual: end.state.map_or("gone with its host".to_owned(), |(state, _)| state.to_string()),
            decided: history.states.last().map(|(_, moment)| *moment),
        },
        HostClaim::Never(states) => match history.states.iter().find(|(state, _)| states.contains(state)) {
            Some((state, moment)) => {
                Finding { passed: false, actual: state.to_string(), decided: Some(*moment) }
            }
            None => Finding { passed: true, actual: path_in_words(history), decided: None },
        },
        HostClaim::Keepalive { outcome, probes, after } => {
            check_keepalive(*outcome, *probes, *after, history)
        }
        HostClaim::Error(errno) => match history.error {
            Some((found, moment)) => {
                Finding { passed: found == *errno, actual: found.to_string(), decided: Some(moment) }
            }
            None => Finding { passed: false, actual: "no error".to_owned(), decided: None },
        },
        HostClaim::Received(octets) => {
            let found = end.received.map_or(0, |(octets, _)| octets);
            let decided = end.received.map(|(_, time)| receipt(history, time));
            Finding { passed: found == *octets, actual: words::count(found, "octet"), decided }
        }
    }
}

/// The event of the last receipt; 0 if the step that received it has not ended.
fn receipt(history: &History, time: Instant) -> Moment {
    let ended = history.last_receipt.filter(|(_, ended)| *ended >= time);
    (ended.map_or(0, |(sequence, _)| sequence), time)
}

fn check_path(path: &[PathItem], history: &History) -> Finding {
    let states: Vec<State> = history.states.iter().map(|(state, _)| *state).collect();
    let passed = matches_path(path, &states);
    // Where it left an exact path, or its end.
    let left = |(index, state): (usize, &State)| path.get(index) != Some(&PathItem::State(*state));
    let exact = !path.contains(&PathItem::Gap);
    let wrong = if passed || !exact { None } else { states.iter().enumerate().position(left) };
    let decided = wrong.and_then(|index| history.states.get(index)).or(history.states.last());
    Finding { passed, actual: path_in_words(history), decided: decided.map(|(_, moment)| *moment) }
}

/// Whether the states are the path's, a gap standing for any number of them.
fn matches_path(path: &[PathItem], states: &[State]) -> bool {
    // How far the path may have come after each state.
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    let skip_gaps = |reached: &mut [bool]| {
        for index in 0..path.len() {
            reached[index + 1] |= reached[index] && path[index] == PathItem::Gap;
        }
    };
    skip_gaps(&mut reached);
    for state in states {
        let mut next = vec![false; path.len() + 1];
        for index in (0..path.len()).filter(|index| reached[*index]) {
            match path[index] {
                PathItem::State(wanted) => next[index + 1] |= wanted == *state,
                PathItem::Gap => next[index] = true,
            }
        }
        skip_gaps(&mut next);
        reached = next;
    }
    reached[path.len()]
}

fn check_keepalive(
    outcome: KeepaliveOutcome,
    probes: Option<u32>,
    after: Option<Window>,
    history: &History,
) -> Finding {
    let Some((verdict, sent, silence, moment)) = history.keepalive else {
        return Finding {
            passed: outcome == KeepaliveOutcome::Silent,
            actual: "silent".to_owned(),
            decided: None,
        };
    };
    let as_claimed = match verdict {
        KeepaliveVerdict::Probing => false,
        KeepaliveVerdict::Alive => outcome == KeepaliveOutcome::Alive,
        KeepaliveVerdict::Reset => outcome == KeepaliveOutcome::Reset,
        KeepaliveVerdict::Dead => outcome == KeepaliveOutcome::Dead,
    };
    let passed = as_claimed
        && probes.is_none_or(|wanted| wanted == sent)
        && after.is_none_or(|window| window.contains(silence));
    let (sent, silence) = (words::count(sent.into(), "probe"), words::time(silence));
    let actual = format!("{verdict}: {sent}, {silence} after the last segment");
    Finding { passed, actual, decided: Some(moment) }
}

fn path_in_words(history: &History) -> String {
    let names: Vec<&str> = history.states.iter().map(|(state, _)| state.name()).collect();
    if names.is_empty() { "no states".to_owned() } else { names.join(", ") }
}

fn in_words(claim: &HostClaim) -> String {
    let names = |states: &[State]| states.iter().map(|state| state.name()).collect::<Vec<_>>().join(", ");
    match claim {
        HostClaim::States(path) => {
            let name = |item: &PathItem| match item {
                PathItem::State(state) => state.name(),
                PathItem::Gap => "…",
            };
            path.iter().map(name).collect::<Vec<_>>().join(", ")
        }
        HostClaim::Ends(state) => state.to_string(),
        HostClaim::Never(states) => format!("never {}", names(states)),
        HostClaim::Keepalive { outcome, probes, after } => {
            let probes = probes.map(|probes| words::count(probes.into(), "probe"));
            let after = after.map(|window| format!("{} after the last segment", range_in_words(window)));
            let details: Vec<String> = probes.into_iter().chain(after).collect();
            let separator = if details.is_empty() { "" } else { ": " };
            format!("{}{separator}{}", outcome.name(), details.join(", "))
        }
        HostClaim::Error(errno) => errno.to_string(),
        HostClaim::Received(octets) => words::count(*octets, "octet"),
    }
}

fn count_in_words(count: Count) -> String {
    match count {
        Count::Exactly(count) => words::count(count, "segment"),
        Count::AtLeast(count) => format!("at least {}", words::count(count, "segment")),
        Count::AtMost(count) => format!("at most {}", words::count(count, "segment")),
    }
}

fn window_in_words(at: &str, window: Window) -> String {
    if window.from == window.to {
        format!("{at} {}", words::time(window.from))
    } else {
        range_in_words(window)
    }
}

fn range_in_words(window: Window) -> String {
    let [from, to] = [window.from, window.to].map(words::time);
    if window.from == window.to {
        from
    } else if window.from == Duration::ZERO {
        format!("within {to}")
    } else {
        format!("between {from} and {to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<PathItem> {
        let item = |word| State::from_name(word).map_or(PathItem::Gap, PathItem::State);
        text.split_whitespace().map(item).collect()
    }

    fn states(text: &str) -> Vec<State> {
        text.split_whitespace().map(|word| State::from_name(word).unwrap()).collect()
    }

    #[test]
    fn a_path_is_exact_but_for_its_gaps() {
        let cases = [
            ("CLOSED SYN-SENT", "CLOSED SYN-SENT", true),
            ("CLOSED SYN-SENT", "CLOSED SYN-SENT ESTABLISHED", false),
            ("CLOSED SYN-SENT ESTABLISHED", "CLOSED SYN-SENT", false),
            ("CLOSED … ESTABLISHED", "CLOSED SYN-SENT ESTABLISHED", true),
            ("CLOSED … ESTABLISHED", "CLOSED ESTABLISHED", true),
            ("CLOSED … ESTABLISHED", "CLOSED SYN-SENT", false),
            ("… CLOSED", "CLOSED SYN-SENT CLOSED", true),
            ("CLOSED …", "CLOSED SYN-SENT CLOSED", true),
            ("…", "", true),
            ("CLOSED", "", false),
            ("… SYN-SENT … CLOSED", "CLOSED SYN-SENT SYN-RECEIVED SYN-SENT CLOSED", true),
        ];
        for (wanted, found, expected) in cases {
            assert_eq!(matches_path(&path(wanted), &states(found)), expected, "{wanted:?} against {found:?}");
        }
    }

    #[test]
    fn a_broken_path_is_decided_by_the_transition_that_left_it() {
        let found = states("CLOSED SYN-SENT CLOSED SYN-SENT");
        let moments = (10..).map(|sequence| (sequence, Instant::ZERO));
        let history = History { states: found.into_iter().zip(moments).collect(), ..History::default() };
        let finding = check_path(&path("CLOSED SYN-SENT ESTABLISHED"), &history);
        assert!(!finding.passed);
        assert_eq!(finding.decided, Some((12, Instant::ZERO)));
    }

    #[test]
    fn keepalive_must_match_in_outcome_probes_and_silence() {
        let silence = Duration::from_secs(7950);
        let found = Some((KeepaliveVerdict::Dead, 10, silence, (5, Instant::ZERO)));
        let history = History { keepalive: found, ..History::default() };
        let exactly = |time| Some(Window { from: time, to: time });
        let check = |outcome, probes, after| check_keepalive(outcome, probes, after, &history).passed;
        assert!(check(KeepaliveOutcome::Dead, Some(10), exactly(silence)));
        assert!(check(KeepaliveOutcome::Dead, None, None));
        assert!(!check(KeepaliveOutcome::Alive, None, None));
        assert!(!check(KeepaliveOutcome::Silent, None, None));
        assert!(!check(KeepaliveOutcome::Dead, Some(9), None));
        assert!(!check(KeepaliveOutcome::Dead, None, exactly(Duration::from_secs(7951))));
        let untouched = History::default();
        assert!(check_keepalive(KeepaliveOutcome::Silent, None, None, &untouched).passed);
    }
}
