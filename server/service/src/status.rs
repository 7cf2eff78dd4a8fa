//! The errors of this service, with their details.

use std::collections::HashMap;
use std::time::Duration;

use halfopen_scenario::{Diagnostic, library};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};

mod credential;
mod history;
mod render;
mod session;

use crate::text::shortened;

pub(crate) use self::credential::*;
pub(crate) use self::history::*;
pub(crate) use self::render::*;
pub(crate) use self::session::*;

/// What a client that does not speak TLS is told.
pub(crate) const WANTS_TLS: &str = "this port speaks TLS: use https://";

/// The domain of every `google.rpc.ErrorInfo`.
const DOMAIN: &str = "halfopen.v1";

/// The maximum size, in bytes, of the violations in one status: details are sent in a header, and many clients accept no
/// more than 8 KiB of headers. `ValidateScenario` has no such limit.
const MAX_VIOLATIONS: usize = 3 * 1024;

/// When to try again if nothing tells when there will be room.
const SOON: Duration = Duration::from_millis(100);

/// The scenario is wrong.
pub(crate) fn scenario_invalid(diagnostics: &[Diagnostic]) -> Status {
    let violations = violations(diagnostics);
    let mistakes = diagnostics.len();
    let first = diagnostics.first().map(described).unwrap_or_default();
    let message = match mistakes {
        1 => format!("the scenario is wrong: {}", shortened(&first, 1024)),
        _ => format!("the scenario has {mistakes} mistakes; the first: {}", shortened(&first, 1024)),
    };
    let mut details = info("SCENARIO_INVALID", [("mistakes", mistakes.to_string())]);
    details.set_bad_request(violations);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// As many violations as fit.
fn violations(diagnostics: &[Diagnostic]) -> Vec<FieldViolation> {
    let mut left = MAX_VIOLATIONS;
    let fits = |violation: &FieldViolation| {
        let bytes = violation.field.len() + violation.description.len();
        let fits = bytes <= left;
        left = left.saturating_sub(bytes);
        fits
    };
    diagnostics.iter().map(violation).take_while(fits).collect()
}

fn violation(diagnostic: &Diagnostic) -> FieldViolation {
    FieldViolation::new(shortened(&diagnostic.path, 512), shortened(&described(diagnostic), 1024))
}

fn described(diagnostic: &Diagnostic) -> String {
    let mut text = String::new();
    if diagnostic.line > 0 {
        text = format!("line {}, column {}: ", diagnostic.line, diagnostic.column);
    }
    text += &diagnostic.message;
    if !diagnostic.variants.is_empty() {
        text += ", ";
        text += &diagnostic.in_variants();
    }
    if !diagnostic.help.is_empty() {
        text += "; ";
        text += &diagnostic.help;
    }
    text
}

/// The request has no scenario.
pub(crate) fn source_missing() -> Status {
    let mut details = info("SOURCE_MISSING", []);
    details.add_bad_request_violation("source", "is required: set yaml or name");
    Status::with_error_details(
        Code::InvalidArgument,
        "the request has no scenario: set yaml (a text) or name (a bundled scenario)",
        details,
    )
}

/// No bundled scenario has that name.
pub(crate) fn scenario_unknown(name: &str) -> Status {
    let help = library::suggest(name)
        .unwrap_or_else(|| "`halfopen list` and ListScenarios list the names".to_owned());
    let name = shortened(name, 256);
    let message = format!("no bundled scenario is named {name:?}; {help}");
    let mut details = info("SCENARIO_UNKNOWN", [("name", name.clone())]);
    details.set_resource_info("halfopen.v1.Scenario", name, "", "not bundled");
    Status::with_error_details(Code::NotFound, message, details)
}

/// The requested page size is negative.
pub(crate) fn page_size_invalid(size: i32) -> Status {
    let message =
        format!("the page size {size} is negative: set the number of items per page, or leave it out");
    let mut details = info("PAGE_SIZE_INVALID", []);
    details.add_bad_request_violation("page_size", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The requested page does not exist.
pub(crate) fn page_token_invalid(token: &str) -> Status {
    let token = shortened(token, 256);
    let message = format!("the page token {token:?} is unknown: use `next_page_token` of the previous page");
    let mut details = info("PAGE_TOKEN_INVALID", [("page_token", token)]);
    details.add_bad_request_violation("page_token", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The scenario has variants and the request names none of them.
pub(crate) fn no_variant(message: &str, asked: Option<&str>) -> Status {
    let message = shortened(message, 1024);
    match asked {
        None => {
            let mut details = info("VARIANT_MISSING", []);
            details.add_bad_request_violation("variant", message.clone());
            Status::with_error_details(Code::InvalidArgument, message, details)
        }
        Some(asked) => {
            let details = info("VARIANT_UNKNOWN", [("variant", shortened(asked, 256))]);
            Status::with_error_details(Code::NotFound, message, details)
        }
    }
}

/// No TCP profile has the requested name.
pub(crate) fn profile_unknown(message: &str, asked: &str) -> Status {
    let message = shortened(message, 1024);
    let mut details = info("PROFILE_UNKNOWN", [("profile", shortened(asked, 256))]);
    details.add_bad_request_violation("profile", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The queue is full.
pub(crate) fn queue_full(own: usize, all: usize, retry: Duration) -> Status {
    let message = format!(
        "{own} calls of this client and {all} of all clients are waiting; try again when some are done"
    );
    exhausted("QUEUE_FULL", message, retry)
}

/// The caller has too many unread events to begin another run.
pub(crate) fn readers_too_slow(unread: u64) -> Status {
    exhausted(
        "READERS_TOO_SLOW",
        format!("this client has not read {unread} events of its runs; try again when it has"),
        SOON,
    )
}

/// Runs and sessions take too much memory for further work.
pub(crate) fn memory_full(in_use: u64, limit: u64, retry: Duration) -> Status {
    let [in_use, limit] = [in_use, limit].map(|bytes| bytes >> 20);
    let message =
        format!("runs and sessions take {in_use} of {limit} MiB; try again when some of them are over");
    exhausted("MEMORY_FULL", message, retry)
}

/// The reader took nothing for too long.
pub(crate) fn reader_paused(pause: Duration) -> Status {
    let message =
        format!("the client read none of the events that were waiting for {pause:?}; its run was ended");
    Status::with_error_details(Code::Aborted, message, info("READER_PAUSED", []))
}

/// The requests that have not arrived completely take too much memory.
pub(crate) fn requests_too_large(limit: u64) -> Status {
    exhausted(
        "REQUESTS_TOO_LARGE",
        format!("unfinished requests have {limit} bytes already; try again when some are complete"),
        SOON,
    )
}

/// Too many watches of health are open.
pub(crate) fn too_many_watches(limit: usize) -> Status {
    exhausted("TOO_MANY_WATCHES", format!("{limit} clients watch the health of this server already"), SOON)
}

/// The request did not arrive in time.
pub(crate) fn request_too_slow(time: Duration) -> Status {
    let message = format!("the request was not complete after {time:?}: send it faster");
    Status::with_error_details(Code::DeadlineExceeded, message, info("REQUEST_TOO_SLOW", []))
}

fn exhausted(reason: &str, message: String, retry: Duration) -> Status {
    let mut details = info(reason, []);
    details.set_retry_info(Some(retry));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The client does not speak TLS, and the port does. Another attempt would not help.
pub(crate) fn tls_required() -> Status {
    Status::with_error_details(Code::FailedPrecondition, WANTS_TLS, info("TLS_REQUIRED", []))
}

/// The server accepts no more runs, or ends those it has.
pub(crate) fn shutting_down() -> Status {
    let details = info("SHUTTING_DOWN", []);
    Status::with_error_details(Code::Unavailable, "the server is shutting down", details)
}

/// The deadline of the call has passed.
pub(crate) fn deadline_exceeded() -> Status {
    let details = info("DEADLINE_EXCEEDED", []);
    Status::with_error_details(Code::DeadlineExceeded, "the deadline passed before the run finished", details)
}

/// The run failed because of a bug.
pub(crate) fn run_failed(what: &str, seed: u64) -> Status {
    let what = shortened(what, 1024);
    let details = info("RUN_FAILED", [("seed", seed.to_string())]);
    let message = format!(
        "a bug in halfopen ended the run; please report it with the scenario and seed {seed}: {what}"
    );
    Status::with_error_details(Code::Internal, message, details)
}

/// The name of the file is too long.
pub(crate) fn file_name_too_long(bytes: usize, limit: usize) -> Status {
    let message = format!("the file name has {bytes} bytes, but at most {limit} are allowed");
    let mut details = info("FILE_NAME_TOO_LONG", []);
    details.add_bad_request_violation("file", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The scenario could not be loaded because of a bug.
pub(crate) fn loading_failed(what: &str) -> Status {
    let details = info("LOADING_FAILED", []);
    let message = format!(
        "a bug in halfopen stopped loading; please report it with the scenario: {}",
        shortened(what, 1024)
    );
    Status::with_error_details(Code::Internal, message, details)
}

fn info<const N: usize>(reason: &str, metadata: [(&str, String); N]) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    ErrorDetails::with_error_info(reason, DOMAIN, metadata)
}
