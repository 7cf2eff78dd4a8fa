//! The exit codes. They are part of the interface: `halfopen --help` lists them, and they do not change.
//!
//! Several runs end with the largest of their codes.

use halfopen_client::{ClientError, Summary};
use halfopen_view::Stopped;
use halfopen_view::record::{Outcome, RunRecord};

/// Every expectation held; or the command succeeded; or the reader closed the pipe.
pub(crate) const PASSED: u8 = 0;
/// An expectation is broken, or something that the scenario says did not happen.
pub(crate) const FAILED: u8 = 1;
/// The arguments are wrong: an unknown option, or a file or name that does not exist.
pub(crate) const USAGE: u8 = 2;
/// The scenario is invalid.
pub(crate) const INVALID: u8 = 3;
/// No server: it cannot be reached, client and server do not agree on TLS or the token, or `serve` cannot listen.
pub(crate) const NO_SERVER: u8 = 4;
/// Not finished: a limit, a deadline, or the server ended it.
pub(crate) const UNFINISHED: u8 = 5;
/// Interrupted by Ctrl-C: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Ended by SIGTERM: 128 + SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

/// Every code and its meaning, for the help and the manual.
pub(crate) const ALL: [(u8, &str); 8] = [
    (PASSED, "every expectation held, `diff` found no difference, the command succeeded"),
    (
        FAILED,
        "an expectation is broken, a fault or step of the scenario did not happen, `diff` found a difference",
    ),
    (USAGE, "the arguments, the environment or halfopen.toml are wrong"),
    (INVALID, "the scenario is invalid"),
    (NO_SERVER, "no server answers, or it refuses (TLS, token), or `serve` cannot listen"),
    (UNFINISHED, "not finished: a limit, a deadline, the server ended it, a full disk"),
    (INTERRUPTED, "Ctrl-C; `serve` and `watch`, which end in no other way, exit with 0"),
    (TERMINATED, "SIGTERM; `serve` and `watch` as with Ctrl-C"),
];

/// The exit code of several runs.
pub(crate) const OF_SEVERAL: &str =
    "Several runs exit with the largest of their codes. A reader that closes the pipe is not an error.";

/// The code of a run with this outcome.
pub(crate) const fn of_outcome(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Passed => PASSED,
        Outcome::Failed => FAILED,
        Outcome::NotFound => USAGE,
        Outcome::Invalid => INVALID,
        Outcome::NoServer => NO_SERVER,
        Outcome::Unfinished => UNFINISHED,
    }
}

/// The code of a run that cannot be explained or compared. `None` if it can: a limit of the scenario is part of what it says.
pub(crate) fn of_incomplete(record: &RunRecord) -> Option<u8> {
    match (&record.stopped, record.outcome()) {
        (Some(Stopped::Interrupted), _) => Some(INTERRUPTED),
        (_, Outcome::Passed | Outcome::Failed) | (None, Outcome::Unfinished) => None,
        (_, outcome) => Some(of_outcome(outcome)),
    }
}

/// The code of many runs: the largest of theirs.
pub(crate) fn of_summary(summary: &Summary) -> u8 {
    let largest = summary.outcomes.keys().copied().map(of_outcome).max().unwrap_or(PASSED);
    if summary.interrupted { INTERRUPTED } else { largest }
}

/// The code of a command whose call failed.
pub(crate) const fn of_error(error: &ClientError) -> u8 {
    match error {
        ClientError::BadAddress { .. }
        | ClientError::BadOptions(_)
        | ClientError::NotFound(_)
        | ClientError::NoVariant(_)
        | ClientError::NoProfile(_)
        | ClientError::HasVariants(_) => USAGE,
        ClientError::Invalid { .. } => INVALID,
        ClientError::NoServer { .. } | ClientError::Refused { .. } | ClientError::Unsupported { .. } => {
            NO_SERVER
        }
        ClientError::Ended(_) => UNFINISHED,
    }
}
