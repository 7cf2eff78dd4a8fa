//! Kept runs as messages of the protocol, and what of a request is stored.

use std::collections::BTreeMap;

use halfopen_history::{Filter, Interruption, State, Time};
use halfopen_proto::v1::{
    CreateRunRequest, ExecuteRunRequest, ListRunsRequest, Run, RunInterruption, RunState, Verdict,
};
use prost::Message;
use tonic::Status;

use crate::convert::{duration, micros, timestamp};
use crate::status;

/// The maximum length of a request id, in characters.
const MAX_REQUEST_ID: usize = 128;
/// The maximum number of labels, and their lengths in characters.
const MAX_LABELS: usize = 32;
const MAX_LABEL_NAME: usize = 64;
const MAX_LABEL_VALUE: usize = 256;

/// Checks what a request says besides what to run.
pub(super) fn check(request_id: &str, labels: &BTreeMap<String, String>) -> Result<(), Status> {
    let fits = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
    if !fits(request_id, MAX_REQUEST_ID) {
        return Err(status::request_id_invalid(MAX_REQUEST_ID));
    }
    let are_fine = labels
        .iter()
        .all(|(name, value)| !name.is_empty() && fits(name, MAX_LABEL_NAME) && fits(value, MAX_LABEL_VALUE));
    if labels.len() > MAX_LABELS || !are_fine {
        return Err(status::labels_invalid(MAX_LABELS, MAX_LABEL_NAME, MAX_LABEL_VALUE));
    }
    Ok(())
}

/// A request as it is stored: the same bytes for the same request.
pub(super) fn request(run: &ExecuteRunRequest, labels: &BTreeMap<String, String>) -> Vec<u8> {
    let (run, labels) = (Some(run.clone()), labels.clone());
    CreateRunRequest { run, request_id: String::new(), labels }.encode_to_vec()
}

/// What to run of a stored request.
pub(super) fn requested(stored: &[u8]) -> ExecuteRunRequest {
    // Without a source, which no request has that was accepted, the run cannot be loaded.
    CreateRunRequest::decode(stored).ok().and_then(|request| request.run).unwrap_or_default()
}

/// What lists show of a run and never changes, as it is stored.
pub(super) fn summary(
    run: &ExecuteRunRequest,
    scenario: &str,
    request_id: &str,
    labels: &BTreeMap<String, String>,
) -> Vec<u8> {
    let ExecuteRunRequest { source: _, seed, variant, profile, snapshot_length } = run;
    let summary = Run {
        scenario: scenario.to_owned(),
        variant: variant.clone(),
        profile: profile.clone(),
        seed: seed.unwrap_or_default(),
        snapshot_length: *snapshot_length,
        request_id: request_id.to_owned(),
        labels: labels.clone(),
        ..Run::default()
    };
    summary.encode_to_vec()
}

/// A run as a message.
pub(super) fn run(run: halfopen_history::Run) -> Result<Run, Status> {
    let summary =
        Run::decode(run.summary.as_slice()).map_err(|error| status::run_unreadable(&run.id, &error))?;
    let interruption = match run.state {
        State::Interrupted(interruption) => self::interruption(interruption),
        State::Queued | State::Running | State::Finished | State::Cancelled => RunInterruption::Unspecified,
    };
    let time = |Time(micros)| timestamp(micros);
    Ok(Run {
        id: run.id,
        tenant: run.tenant,
        state: state(run.state).into(),
        verdict: run.verdict.unwrap_or_default(),
        interruption: interruption.into(),
        version: run.version,
        create_time: Some(time(run.created)),
        begin_time: run.began.map(time),
        end_time: run.ended.map(time),
        virtual_time: run.virtual_time.map(duration),
        events: run.events,
        stored_bytes: run.bytes,
        ..summary
    })
}

/// What a list is to have.
pub(super) fn filter(request: ListRunsRequest) -> Filter {
    let state = match request.state() {
        RunState::Unspecified => None,
        RunState::Queued => Some(State::Queued),
        RunState::Running => Some(State::Running),
        RunState::Finished => Some(State::Finished),
        RunState::Cancelled => Some(State::Cancelled),
        // Whatever interrupted it.
        RunState::Interrupted => Some(State::Interrupted(Interruption::VersionChanged)),
    };
    let verdict = Some(request.verdict()).filter(|verdict| *verdict != Verdict::Unspecified).map(i32::from);
    let time = |time: &halfopen_proto::Timestamp| Time(micros(time));
    Filter {
        state,
        verdict,
        created_from: request.created_from.as_ref().map(time),
        created_before: request.created_before.as_ref().map(time),
        scenario: Some(request.scenario).filter(|scenario| !scenario.is_empty()),
        labels: request.labels,
    }
}

fn state(state: State) -> RunState {
    match state {
        State::Queued => RunState::Queued,
        State::Running => RunState::Running,
        State::Finished => RunState::Finished,
        State::Cancelled => RunState::Cancelled,
        State::Interrupted(_) => RunState::Interrupted,
    }
}

fn interruption(interruption: Interruption) -> RunInterruption {
    match interruption {
        Interruption::VersionChanged => RunInterruption::VersionChanged,
        Interruption::NotRepeatable => RunInterruption::NotRepeatable,
        Interruption::ServerCrashed => RunInterruption::ServerCrashed,
        Interruption::Panicked => RunInterruption::Panicked,
        Interruption::NotLoadable => RunInterruption::NotLoadable,
    }
}
