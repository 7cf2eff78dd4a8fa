//! What to write instead where an expectation is broken because a scenario says something else than it means.

use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::{
    ApplicationResult, Event, ExpectationResult, HostClaim, StepKind, claim, finding, host_claim,
};

use crate::record::RunRecord;

/// Advice on a broken expectation; `None` if there is nothing to suspect.
pub(super) fn on(record: &RunRecord, result: &ExpectationResult) -> Option<String> {
    let Some(claim::Kind::Host(claim)) = result.claim.as_ref()?.kind.as_ref() else { return None };
    on_a_loop(record, claim)
        .or_else(|| on_a_lan(claim, result).map(str::to_owned))
        .or_else(|| on_every_connection(record, claim, result))
}

/// A `repeat` that tries until a connection opens, and ends with the first that does not.
fn on_a_loop(record: &RunRecord, claim: &HostClaim) -> Option<String> {
    if claim.connection.is_empty() {
        return None;
    }
    let (connect, repeat) = record.events.windows(2).find_map(|pair| {
        let (one, other) = (failed(&pair[0], StepKind::Connect)?, failed(&pair[1], StepKind::Repeat)?);
        let is_one = pair[0].host == claim.host && pair[1].host == claim.host && one.error == other.error;
        is_one.then_some((one, other))
    })?;
    let line = |result: &ApplicationResult| result.step.as_ref().map_or(0, |step| step.line);
    Some(format!(
        "the `repeat` in line {} ended with its first `connect` that failed: to go on, write `may-fail: on` beside that (line {})",
        line(repeat),
        line(connect)
    ))
}

/// The result of a step of that kind which failed.
fn failed(event: &Event, wanted: StepKind) -> Option<&ApplicationResult> {
    match &event.kind {
        Some(Kind::ApplicationResult(result))
            if result.step.as_ref().is_some_and(|step| step.kind() == wanted) && !result.error.is_empty() =>
        {
            Some(result)
        }
        _ => None,
    }
}

/// A host on the same LAN that is expected to be unreachable.
fn on_a_lan(claim: &HostClaim, result: &ExpectationResult) -> Option<&'static str> {
    let expected = match &claim.kind {
        Some(host_claim::Kind::Error(errno)) => errno == "EHOSTUNREACH",
        Some(host_claim::Kind::Errors(errors)) => errors.names.iter().any(|errno| errno == "EHOSTUNREACH"),
        _ => false,
    };
    let found = result.finding.as_ref().and_then(|finding| finding.kind.as_ref());
    let timed_out = matches!(found, Some(finding::Kind::Error(errno)) if errno == "ETIMEDOUT");
    (expected && timed_out).then_some(
        "hosts on one LAN find out that another is gone: write `network: {neighbours: on}`; elsewhere, a router must report it (`unreachable`)",
    )
}

/// A claim about every connection, one of which is otherwise.
fn on_every_connection(record: &RunRecord, claim: &HostClaim, result: &ExpectationResult) -> Option<String> {
    if claim.some || !claim.connection.is_empty() || result.connection == 0 {
        return None;
    }
    let is_another = |event: &Event| {
        matches!(event.kind, Some(Kind::ConnectionCreated(_)))
            && event.host == claim.host
            && event.connection != result.connection
    };
    record.events.iter().any(is_another).then(|| {
        format!(
            "the claim is about every connection of {}: write `on: NAME` for one of them, or `some: on`",
            claim.host
        )
    })
}
