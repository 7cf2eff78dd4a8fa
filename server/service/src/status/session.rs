//! The errors of SessionService.

use std::fmt::Display;
use std::time::Duration;

use halfopen_scenario::Diagnostic;
use halfopen_units::format_duration;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{SOON, described, exhausted, info, shortened, violations};

/// A call that cannot be made now.
pub(crate) fn session(code: Code, reason: &str, message: &str) -> Status {
    Status::with_error_details(code, shortened(message, 1024), info(reason, []))
}

/// There is no such session, and never was as far as anybody knows.
pub(crate) fn session_unknown(id: &str) -> Status {
    let message = format!(
        "there is no session {:?}; create one, or use the id that CreateSession returned",
        shortened(id, 64)
    );
    session(Code::NotFound, "SESSION_UNKNOWN", &message)
}

/// Its participants made no calls.
pub(crate) fn session_expired(lease: Duration, turn: Option<usize>) -> Status {
    let who =
        turn.map_or_else(|| "nobody".to_owned(), |turn| format!("participant {turn}, whose turn it was,"));
    let message = format!(
        "the session is gone: {who} made {} call for {}; ask for a longer lease, or finish it in time",
        if turn.is_some() { "no" } else { "a" },
        format_duration(lease)
    );
    session(Code::NotFound, "SESSION_EXPIRED", &message)
}

/// A participant deleted it.
pub(crate) fn session_deleted() -> Status {
    session(Code::NotFound, "SESSION_DELETED", "the session is gone: a participant deleted it")
}

/// A bug ended it.
pub(crate) fn session_failed(what: &str) -> Status {
    let message = format!(
        "a bug in halfopen ended the session; please report it with what it did: {}",
        shortened(what, 512)
    );
    session(Code::Internal, "SESSION_FAILED", &message)
}

/// The session has too much of something.
pub(crate) fn session_full(message: &str) -> Status {
    session(Code::ResourceExhausted, "SESSION_FULL", message)
}

/// There are too many sessions.
pub(crate) fn too_many_sessions(own: usize, all: usize) -> Status {
    let message =
        format!("{own} sessions of this client and {all} of all clients are open; finish or delete some");
    exhausted("TOO_MANY_SESSIONS", message, SOON)
}

/// The operating system gave no random number.
pub(crate) fn no_randomness(error: &impl Display) -> Status {
    session(Code::Internal, "NO_RANDOMNESS", &format!("cannot make an id for the session: {error}"))
}

/// The session has fewer participants.
pub(crate) fn participant_unknown(asked: u32, participants: u32) -> Status {
    let message = match participants {
        1 => format!(
            "the session has no participant {asked}: it was created for one; set `participants` when you create it"
        ),
        _ => format!("the session has no participant {asked}: it was created for {participants}"),
    };
    argument("PARTICIPANT_UNKNOWN", "participant", &message)
}

/// The participant has left.
pub(crate) fn participant_left(participant: usize) -> Status {
    let message = format!("participant {participant} has left the session, and makes no more calls");
    session(Code::FailedPrecondition, "PARTICIPANT_LEFT", &message)
}

/// The number of participants cannot be.
pub(crate) fn participants_invalid(asked: u32, max: u32) -> Status {
    argument_invalid("participants", &format!("a session has at most {max} participants, not {asked}"))
}

/// The lease cannot be.
pub(crate) fn lease_invalid(shortest: Duration, longest: Duration) -> Status {
    let message = format!("a lease is {} to {}", format_duration(shortest), format_duration(longest));
    argument_invalid("lease", &message)
}

/// A request with this id was another call.
pub(crate) fn request_id_reused(request_id: &str) -> Status {
    let message =
        format!("another call had the request id {:?}; give each request its own", shortened(request_id, 64));
    argument_invalid("request_id", &message)
}

/// The same request came again, and its response goes there.
pub(crate) fn request_superseded() -> Status {
    let message = "the request was repeated, and its response went to whoever repeated it";
    session(Code::Aborted, "REQUEST_REPEATED", message)
}

/// The participant waits already.
pub(crate) fn already_advancing(participant: usize) -> Status {
    let message = format!(
        "participant {participant} waits in another Advance; if two processes take part, create the session for two and number them"
    );
    session(Code::FailedPrecondition, "ALREADY_ADVANCING", &message)
}

/// The scenario has no such host.
pub(crate) fn host_unknown<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Status {
    let names: Vec<&str> = names.collect();
    let message = format!(
        "no host is called {:?}; there are {}",
        shortened(name, 64),
        shortened(&names.join(", "), 512)
    );
    session(Code::NotFound, "HOST_UNKNOWN", &message)
}

/// The session has no such socket.
pub(crate) fn socket_unknown(number: u32) -> Status {
    let message = format!(
        "the session never had a socket {number}; use the number that Listen, StartConnect or Accept returned"
    );
    session(Code::NotFound, "SOCKET_UNKNOWN", &message)
}

/// The time is before the present.
pub(crate) fn time_past(asked: Duration, now: Duration) -> Status {
    let message =
        format!("it is {} already, so time cannot move to {}", format_duration(now), format_duration(asked));
    session(Code::OutOfRange, "TIME_PAST", &message)
}

/// A time cannot be read.
pub(crate) fn time_invalid(field: &str) -> Status {
    argument_invalid(
        field,
        &format!("`{field}` is not a time: it is negative, or its nanoseconds are not 0 to 999,999,999"),
    )
}

/// A port cannot be.
pub(crate) fn port_invalid(field: &str, port: u32) -> Status {
    argument_invalid(field, &format!("{port} is not a port: ports go from 1 to 65535, and 0 is any"))
}

/// It is not an address.
pub(crate) fn address_invalid(field: &str, text: &str) -> Status {
    let message = format!("{:?} is not an IPv4 or IPv6 address such as 10.0.0.1", shortened(text, 64));
    argument_invalid(field, &message)
}

/// A value cannot be.
pub(crate) fn argument_invalid(field: &str, message: &str) -> Status {
    argument("ARGUMENT_INVALID", field, message)
}

/// A condition cannot be.
pub(crate) fn condition_invalid(message: &str) -> Status {
    argument("CONDITION_INVALID", "conditions", message)
}

/// The segment of a condition is wrong.
pub(crate) fn condition_wrong(diagnostics: &[Diagnostic]) -> Status {
    condition_invalid(&diagnostics.first().map(described).unwrap_or_default())
}

/// It is not a destination.
pub(crate) fn destination_invalid(diagnostics: &[Diagnostic]) -> Status {
    argument("ARGUMENT_INVALID", "to", &diagnostics.first().map(described).unwrap_or_default())
}

/// Faults that are to be added are wrong.
pub(crate) fn faults_invalid(diagnostics: &[Diagnostic]) -> Status {
    let first = diagnostics.first().map(described).unwrap_or_default();
    let mut details = info("FAULTS_INVALID", [("mistakes", diagnostics.len().to_string())]);
    details.set_bad_request(violations(diagnostics));
    Status::with_error_details(Code::InvalidArgument, shortened(&first, 1024), details)
}

fn argument(reason: &str, field: &str, message: &str) -> Status {
    let mut details = info(reason, []);
    details.add_bad_request_violation(field, shortened(message, 1024));
    Status::with_error_details(Code::InvalidArgument, shortened(message, 1024), details)
}
