//! Orders to the threads of sessions.

use std::sync::Arc;

use halfopen_proto::v1;
use tokio::sync::oneshot;
use tonic::Status;

use super::participants::Queued;
use super::play::{Exported, Opening};
use super::record::Record;
use super::referee::Referee;

/// The number of a session, which is never used again.
pub(super) type Key = u64;

/// An order to a thread.
pub(super) enum Order {
    /// Begins a session.
    Open(Key, Opening, Arc<Record>, Referee),
    /// A participant makes a call.
    Call(Key, usize, Queued),
    /// Somebody asks what a session has come to.
    Look(Key, oneshot::Sender<v1::GetSessionResponse>),
    /// Somebody wants what plays the same.
    Export(Key, oneshot::Sender<Result<Exported, Status>>),
    /// Somebody began to watch a session.
    Flush(Key),
    /// A session was judged.
    GoOn(Key),
    /// Ends a session.
    Close(Key),
}

impl Order {
    /// The session that it is about.
    pub(super) fn key(&self) -> Key {
        match self {
            Order::Open(key, ..)
            | Order::Call(key, ..)
            | Order::Look(key, _)
            | Order::Export(key, _)
            | Order::Flush(key)
            | Order::GoOn(key)
            | Order::Close(key) => *key,
        }
    }
}
