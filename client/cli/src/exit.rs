//! The exit codes. They are part of the interface: `halfopen --help` lists them, and they do not change.
//!
//! Several runs end with the largest code of any of them.

use halfopen_client::{ClientError, Summary};
use halfopen_view::record::Outcome;

/// Every expectation held; or the command did what it was asked for; or the reader closed the pipe.
pub(crate) const PASSED: u8 = 0;
/// An expectation is broken, or something that the scenario says did not happen.
pub(crate) const FAILED: u8 = 1;
/// The arguments are wrong: an unknown option, a file or a name that is not there.
pub(crate) const USAGE: u8 = 2;
/// The scenario is wrong.
pub(crate) const INVALID: u8 = 3;
/// No server: it cannot be reached, there is no agreement on TLS or the token, or `serve` cannot listen.
pub(crate) const NO_SERVER: u8 = 4;
/// Not finished: a limit, a deadline, or the server ended it.
pub(crate) const UNFINISHED: u8 = 5;
/// Interrupted by Ctrl-C: 128 + SIGINT, as shells have it.
pub(crate) const INTERRUPTED: u8 = 130;

/// Ended by SIGTERM: 128 + SIGTERM.
pub(crate) const TERMINATED: u8 = 143;

/// Every code and what it says, for the help and the manual.
pub(crate) const ALL: [(u8, &str); 8] = [
    (PASSED, "every expectation held, `diff` found no difference, the command did its work"),
    (FAILED, "an expectation is broken, something did not happen, `diff` found a difference"),
    (USAGE, "the arguments, the environment or halfopen.toml are wrong"),
    (INVALID, "the scenario is wrong"),
    (NO_SERVER, "no server answers or agrees (TLS, token), or `serve` cannot listen"),
    (UNFINISHED, "not finished: a limit, a deadline, a server that ended it, a full disk"),
    (INTERRUPTED, "Ctrl-C; `serve` and `watch`, which have no other end, end with 0"),
    (TERMINATED, "SIGTERM; `serve` and `watch` as with Ctrl-C"),
];

/// What several runs in one go end with.
pub(crate) const OF_SEVERAL: &str =
    "Several runs end with the largest of theirs. A reader that closes the pipe is no error.";

/// The code of a run that came out so.
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

/// The code of many runs: the largest of theirs.
pub(crate) fn of_summary(summary: &Summary) -> u8 {
    let largest = summary.outcomes.keys().copied().map(of_outcome).max().unwrap_or(PASSED);
    if summary.interrupted { INTERRUPTED } else { largest }
}

/// The code of a command that the service did not answer.
pub(crate) const fn of_error(error: &ClientError) -> u8 {
    match error {
        ClientError::BadAddress { .. }
        | ClientError::BadOptions(_)
        | ClientError::NotFound(_)
        | ClientError::NoVariant(_)
        | ClientError::NoProfile(_)
        | ClientError::HasVariants(_) => USAGE,
        ClientError::Invalid { .. } => INVALID,
        ClientError::NoServer { .. } | ClientError::Refused { .. } => NO_SERVER,
        ClientError::Ended(_) => UNFINISHED,
    }
}
