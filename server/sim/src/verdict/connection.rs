//! What is claimed of one connection, against its history.

use halfopen_scenario::{HostClaim, KeepaliveOutcome, PathItem, Window};
use halfopen_tcp::{Instant, State};
use halfopen_units::{format_count, format_duration};

use super::claims::Finding;
use super::history::{History, Moment};
use super::path::matches_path;
use crate::connections::End;
use crate::trace::KeepaliveVerdict;

pub(super) fn check_connection(claim: &HostClaim, history: &History, end: &End) -> Finding {
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
            Finding { passed: found == *octets, actual: format_count(found, "octet"), decided }
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
    let passed = matches_path(path, &PathItem::Gap, &states, |item, state| *item == PathItem::State(*state));
    // Where it left an exact path, or its end.
    let left = |(index, state): (usize, &State)| path.get(index) != Some(&PathItem::State(*state));
    let exact = !path.contains(&PathItem::Gap);
    let wrong = if passed || !exact { None } else { states.iter().enumerate().position(left) };
    let decided = wrong.and_then(|index| history.states.get(index)).or(history.states.last());
    Finding { passed, actual: path_in_words(history), decided: decided.map(|(_, moment)| *moment) }
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
    let (sent, silence) = (format_count(sent.into(), "probe"), format_duration(silence));
    let actual = format!("{verdict}: {sent}, {silence} after the last segment");
    Finding { passed, actual, decided: Some(moment) }
}

fn path_in_words(history: &History) -> String {
    let names: Vec<&str> = history.states.iter().map(|(state, _)| state.name()).collect();
    if names.is_empty() { "no states".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::path::tests::{path, states};
    use super::*;

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
