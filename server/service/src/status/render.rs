//! The errors of RenderService.

use std::fmt::Display;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{info, shortened};

/// The request does not say what form the text has.
pub(crate) fn format_missing() -> Status {
    let mut details = info("FORMAT_MISSING", []);
    details.add_bad_request_violation("format", "is required: RENDER_FORMAT_TEXT, RENDER_FORMAT_SVG, …");
    let message = "the request has no format: set one, such as RENDER_FORMAT_TEXT";
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// The events are not those of a run.
pub(crate) fn events_invalid(why: &str) -> Status {
    let message = format!("these are not the events of a run from the first on: {why}");
    let mut details = info("EVENTS_INVALID", []);
    details.add_bad_request_violation("recording.events", message.clone());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

/// There is too much to render.
pub(crate) fn render_too_large(events: u64, max: usize) -> Status {
    let message =
        format!("there are {events} events or more, but at most {max} are rendered; read the events instead");
    Status::with_error_details(Code::OutOfRange, message, info("RENDER_TOO_LARGE", []))
}

/// A bug kept it from being rendered.
pub(crate) fn render_failed(error: &dyn Display) -> Status {
    let what = shortened(&error.to_string(), 512);
    let message = format!("a bug in halfopen stopped rendering; please report it: {what}");
    Status::with_error_details(Code::Internal, message, info("RENDER_FAILED", []))
}
