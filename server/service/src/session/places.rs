//! Where each session is, and what became of those that are gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use halfopen_proto::v1;
use tonic::Status;

use super::order::{Key, Order};
use super::record::Record;
use crate::status;
use crate::work::Caller;

/// How many sessions that are gone are remembered.
const REMEMBERED: usize = 4096;

/// What became of a session.
#[derive(Clone, Debug)]
pub(crate) enum Ended {
    /// Its participants made no calls for this time; it was this one's turn, if it was anybody's.
    Expired {
        /// The time.
        lease: Duration,
        /// The participant, from 1.
        turn: Option<usize>,
    },
    /// A participant deleted it.
    Deleted,
    /// A bug ended it.
    Failed(String),
}

impl Ended {
    fn status(&self) -> Status {
        match self {
            Ended::Expired { lease, turn } => status::session_expired(*lease, *turn),
            Ended::Deleted => status::session_deleted(),
            Ended::Failed(message) => status::session_failed(message),
        }
    }
}

/// Where each session is.
#[derive(Clone, Default)]
pub(super) struct Places(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    open: BTreeMap<String, Entry>,
    ids: BTreeMap<Key, String>,
    /// By the request that created each.
    requests: BTreeMap<(Caller, String), String>,
    by_caller: BTreeMap<Caller, usize>,
    gone: VecDeque<(String, Ended)>,
    last: Key,
}

/// A session and who created it, by which request.
struct Entry {
    place: Place,
    /// What the request that created it was answered.
    created: v1::CreateSessionResponse,
    caller: Caller,
    request_id: String,
}

/// The way to a session.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) key: Key,
    /// To its thread.
    pub(super) stage: Sender<Order>,
    pub(super) record: Arc<Record>,
    pub(super) participants: u32,
}

impl State {
    /// The session that a request created.
    fn created_by(&self, request: &(Caller, String)) -> Option<v1::CreateSessionResponse> {
        Some(self.open.get(self.requests.get(request)?)?.created.clone())
    }

    /// Refuses a session if there are too many. One client may have half of them.
    fn admit(&self, caller: Caller, max: usize) -> Result<(), Status> {
        let (all, own) = (self.open.len(), self.by_caller.get(&caller).copied().unwrap_or(0));
        let is_full = all >= max || own >= max.div_ceil(2);
        if is_full { Err(status::too_many_sessions(own, all)) } else { Ok(()) }
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of sessions.
    pub(super) fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// The session that an earlier request of the caller created.
    pub(super) fn created_by(&self, caller: Caller, request_id: &str) -> Option<v1::CreateSessionResponse> {
        self.lock().created_by(&(caller, request_id.to_owned()))
    }

    /// Refuses a session if there are too many.
    pub(super) fn admit(&self, caller: Caller, max: usize) -> Result<(), Status> {
        self.lock().admit(caller, max)
    }

    /// Adds the session that `open` opens, unless an earlier request with this id did.
    pub(super) fn add(
        &self,
        caller: Caller,
        request_id: String,
        max: usize,
        open: impl FnOnce(Key) -> (Place, v1::CreateSessionResponse),
    ) -> Result<v1::CreateSessionResponse, Status> {
        let mut state = self.lock();
        let request = (caller, request_id.clone());
        if let Some(created) = state.created_by(&request) {
            return Ok(created);
        }
        state.admit(caller, max)?;
        state.last += 1;
        let (place, created) = open(state.last);
        let key = place.key;
        if !request_id.is_empty() {
            state.requests.insert(request, created.session.clone());
        }
        *state.by_caller.entry(caller).or_default() += 1;
        state.ids.insert(key, created.session.clone());
        let entry = Entry { place, created: created.clone(), caller, request_id };
        state.open.insert(created.session.clone(), entry);
        Ok(created)
    }

    /// The session with that id, or what became of it.
    pub(super) fn find(&self, session: &str) -> Result<Place, Status> {
        let state = self.lock();
        if let Some(entry) = state.open.get(session) {
            return Ok(entry.place.clone());
        }
        match state.gone.iter().rev().find(|(id, _)| id == session) {
            Some((_, ended)) => Err(ended.status()),
            None => Err(status::session_unknown(session)),
        }
    }

    /// A session is no more.
    pub(super) fn end(&self, key: Key, ended: Ended) {
        let mut state = self.lock();
        let Some(id) = state.ids.remove(&key) else { return };
        if let Some(Entry { place, caller, request_id, .. }) = state.open.remove(&id) {
            place.record.close();
            state.requests.remove(&(caller, request_id));
            match state.by_caller.get_mut(&caller) {
                Some(1) | None => drop(state.by_caller.remove(&caller)),
                Some(own) => *own -= 1,
            }
        }
        state.gone.push_back((id, ended));
        if state.gone.len() > REMEMBERED {
            state.gone.pop_front();
        }
    }
}
