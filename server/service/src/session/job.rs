//! What participants ask for, and what they are answered.

use std::any::Any;
use std::sync::Arc;

use halfopen_proto::v1;
use halfopen_tcp::Instant;
use tonic::Status;

use super::played::Played;

/// Something that a participant does.
pub(crate) enum Job {
    /// A call that takes no time.
    Call(Box<dyn FnOnce(&mut Played) -> Made + Send>),
    /// Waits for time to move.
    Advance(Box<v1::AdvanceRequest>),
    /// Makes no more calls.
    Leave,
    /// Ends the session.
    Finish(Finish),
}

/// A response of any call.
pub(super) type Response = Arc<dyn Any + Send + Sync>;

/// What came of a call, with its size in bytes.
pub(super) type Made = Result<(Response, usize), Status>;

/// How a session is to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finish {
    /// Plays on until this time at most.
    pub(crate) until: Option<Instant>,
}
