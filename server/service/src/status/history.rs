//! Errors of kept runs.

use std::fmt::Display;

use halfopen_history::{HistoryError, Interruption};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{SOON, exhausted, info, page_token_invalid};
use crate::text::shortened;

/// The server has no history.
pub(crate) fn history_missing() -> Status {
    let message = "this server keeps no runs: start it with --history PATH, or use ExecuteRun";
    Status::with_error_details(Code::FailedPrecondition, message, info("HISTORY_MISSING", []))
}

/// The history did not do what it was asked for. The id is that of the run, the token that of the page.
pub(crate) fn history(error: HistoryError, id: &str, token: &str) -> Status {
    match error {
        HistoryError::Unknown => run_unknown(id),
        HistoryError::RequestIdTaken(run) => request_id_taken(id, run),
        HistoryError::PageToken => page_token_invalid(token),
        HistoryError::Database(error) => {
            tracing::error!("the history cannot be used: {error}");
            let mut details = info("HISTORY_UNAVAILABLE", []);
            details.set_retry_info(Some(SOON));
            let message = "the database of the server cannot be used now; try again, or see the server's log";
            Status::with_error_details(Code::Unavailable, message, details)
        }
    }
}

fn run_unknown(id: &str) -> Status {
    let id = shortened(id, 256);
    let message = format!("there is no run {id:?}; ListRuns lists the runs that there are");
    let mut details = info("RUN_UNKNOWN", [("run", id.clone())]);
    details.set_resource_info("halfopen.v1.Run", id, "", "not in the history");
    Status::with_error_details(Code::NotFound, message, details)
}

fn request_id_taken(request_id: &str, run: String) -> Status {
    let message = format!(
        "the request id {request_id:?} belongs to another request, that of run {run}: choose another, or repeat that request"
    );
    let details = info("REQUEST_ID_TAKEN", [("request_id", request_id.to_owned()), ("run", run)]);
    Status::with_error_details(Code::AlreadyExists, message, details)
}

/// The request id cannot be kept.
pub(crate) fn request_id_invalid(limit: usize) -> Status {
    let message = format!("a request id has at most {limit} printable characters");
    let mut details = info("REQUEST_ID_INVALID", []);
    details.add_bad_request_violation("request_id", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The labels cannot be kept.
pub(crate) fn labels_invalid(count: usize, name: usize, value: usize) -> Status {
    let message = format!(
        "a run has at most {count} labels, with 1 to {name} printable characters in the name and at most {value} in the value"
    );
    let mut details = info("LABELS_INVALID", []);
    details.add_bad_request_violation("labels", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// Too many runs of the tenant wait.
pub(crate) fn too_many_runs_wait(waiting: usize) -> Status {
    let message = format!("{waiting} runs of this tenant are waiting already; try again when some are over");
    exhausted("QUEUE_FULL", message, SOON)
}

/// What is stored of a run is not what this program has stored.
pub(crate) fn run_unreadable(id: &str, error: &impl Display) -> Status {
    tracing::error!(run = id, "a run in the history cannot be read: {error}");
    let message = format!(
        "run {id} cannot be read: its server is older than the one that stored it, or its database was damaged"
    );
    Status::with_error_details(Code::DataLoss, message, info("RUN_UNREADABLE", [("run", id.to_owned())]))
}

/// No more events of a run come, because it was cancelled.
pub(crate) fn run_cancelled(id: &str) -> Status {
    let message = format!("run {id} was cancelled");
    Status::with_error_details(Code::Aborted, message, info("RUN_CANCELLED", [("run", id.to_owned())]))
}

/// No more events of a run come, because it ended without a verdict.
pub(crate) fn run_interrupted(id: &str, interruption: Interruption) -> Status {
    let reason = match interruption {
        Interruption::VersionChanged => "the server has another version since; create the run again",
        Interruption::NotRepeatable => {
            "executed again after a restart, it had other events: the limits of the server were changed, or halfopen has \
             a bug; create the run again"
        }
        Interruption::ServerCrashed => {
            "the server ended again and again while it executed it; please report it with the scenario and the seed"
        }
        Interruption::Panicked => {
            "a bug in halfopen ended it; please report it with the scenario and the seed"
        }
        Interruption::NotLoadable => "this version of the server cannot load its scenario",
    };
    let message = format!("run {id} ended without a verdict: {reason}");
    Status::with_error_details(Code::Aborted, message, info("RUN_INTERRUPTED", [("run", id.to_owned())]))
}
