//! What is claimed of one connection, against what it went through.

use halfopen_scenario::{HostClaim, KeepaliveOutcome, PathItem, Window};
use halfopen_trace::{Finding, KeepaliveVerdict};

use crate::check::Check;
use crate::ends::End;
use crate::path::matches_path;

pub(crate) fn check_connection(claim: &HostClaim, end: &End) -> Check {
    match claim {
        HostClaim::States(path) => check_path(path, end),
        HostClaim::Ends(state) => {
            Check::new(end.state() == Some(*state), Finding::LastState(end.state()), end.last_transition())
        }
        HostClaim::Never(states) => match end.states.iter().find(|(state, _)| states.contains(state)) {
            Some((state, moment)) => Check::new(false, Finding::States(vec![*state]), Some(*moment)),
            None => Check::new(true, Finding::States(end.path()), None),
        },
        HostClaim::Keepalive { outcome, probes, after } => check_keepalive(*outcome, *probes, *after, end),
        HostClaim::Error(errors) => {
            let decided = end.error_returned;
            let finding = match (end.error, decided) {
                (Some(pending), None) => Finding::PendingError(pending),
                (found, _) => Finding::Error(found),
            };
            let as_claimed = end.error.is_some_and(|errno| errors.contains(errno));
            Check::new(decided.is_some() && as_claimed, finding, decided)
        }
        HostClaim::TcpInfo { at, fields } => {
            let Some((info, moment)) = end.info_at(*at) else {
                return Check::broken(Finding::NoConnectionThen);
            };
            let passed = fields.iter().all(|(field, wanted)| wanted.matches(field.of(info)));
            let found = fields.iter().map(|(field, _)| (*field, field.of(info))).collect();
            Check::new(passed, Finding::TcpInfo(found), Some(moment))
        }
        HostClaim::EndOfStream => {
            let decided = end.end_of_stream;
            Check::new(decided.is_some(), Finding::EndOfStream(decided.is_some()), decided)
        }
        HostClaim::Received(octets) => {
            Check::new(end.read == *octets, Finding::Received(end.read), end.last_read)
        }
    }
}

fn check_path(path: &[PathItem], end: &End) -> Check {
    let states = end.path();
    let passed = matches_path(path, &PathItem::Gap, &states, |item, state| *item == PathItem::State(*state));
    // Where it left an exact path, or its end.
    let left = |index: usize| path.get(index) != Some(&PathItem::State(states[index]));
    let exact = !path.contains(&PathItem::Gap);
    let wrong = if passed || !exact { None } else { (0..states.len()).find(|index| left(*index)) };
    let decided = wrong.map(|index| end.states[index].1).or(end.last_transition());
    Check::new(passed, Finding::States(states), decided)
}

fn check_keepalive(
    outcome: KeepaliveOutcome,
    probes: Option<u32>,
    after: Option<Window>,
    end: &End,
) -> Check {
    let Some((found, moment)) = end.keepalive else {
        return Check::new(outcome == KeepaliveOutcome::Silent, Finding::Keepalive(None), None);
    };
    let as_claimed = match found.verdict {
        KeepaliveVerdict::Probing => false,
        KeepaliveVerdict::Alive => outcome == KeepaliveOutcome::Alive,
        KeepaliveVerdict::Reset => outcome == KeepaliveOutcome::Reset,
        KeepaliveVerdict::Dead => outcome == KeepaliveOutcome::Dead,
    };
    let passed = as_claimed
        && probes.is_none_or(|wanted| wanted == found.probes)
        && after.is_none_or(|window| window.contains(found.silence));
    Check::new(passed, Finding::Keepalive(Some(found)), Some(moment))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use halfopen_tcp::Instant;
    use halfopen_trace::{ConnectionNumber, Decision, HostId, KeepaliveFound};

    use super::*;
    use crate::path::tests::{path, states};

    fn end() -> End {
        let socket = "10.0.0.1:80".parse().expect("an address");
        End::new(HostId(0), ConnectionNumber(NonZeroU32::MIN), [socket; 2])
    }

    fn moment(event: u64) -> Decision {
        Decision { event, time: Instant::ZERO }
    }

    #[test]
    fn a_broken_path_is_decided_by_the_transition_that_left_it() {
        let found = states("CLOSED SYN-SENT CLOSED SYN-SENT");
        let end = End { states: found.into_iter().zip((10..).map(moment)).collect(), ..end() };
        let check = check_path(&path("CLOSED SYN-SENT ESTABLISHED"), &end);
        assert!(!check.passed);
        assert_eq!(check.decided, Some(moment(12)));
    }

    #[test]
    fn keepalive_must_match_in_outcome_probes_and_silence() {
        let silence = Duration::from_secs(7950);
        let found = KeepaliveFound { verdict: KeepaliveVerdict::Dead, probes: 10, silence };
        let dead = End { keepalive: Some((found, moment(5))), ..end() };
        let exactly = |time| Some(Window { from: time, to: time });
        let check = |outcome, probes, after| check_keepalive(outcome, probes, after, &dead).passed;
        assert!(check(KeepaliveOutcome::Dead, Some(10), exactly(silence)));
        assert!(check(KeepaliveOutcome::Dead, None, None));
        assert!(!check(KeepaliveOutcome::Alive, None, None));
        assert!(!check(KeepaliveOutcome::Silent, None, None));
        assert!(!check(KeepaliveOutcome::Dead, Some(9), None));
        assert!(!check(KeepaliveOutcome::Dead, None, exactly(Duration::from_secs(7951))));
        assert!(check_keepalive(KeepaliveOutcome::Silent, None, None, &end()).passed);
    }
}
