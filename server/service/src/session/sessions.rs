//! Where the sessions of a service are, how many there may be, and what became of those that are gone.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use halfopen_proto::v1;
use tokio::sync::oneshot;
use tonic::Status;

use super::job::Job;
use super::participants::Queued;
use super::play::Opening;
use super::record::Record;
use super::stage::{Key, Order, Stage};
use super::watch::Watch;
use crate::pool::Caller;
use crate::status;

/// How many sessions that are gone are remembered.
const REMEMBERED: usize = 4096;

/// The sessions of a service. Dropping it ends them.
pub(crate) struct Sessions {
    places: Places,
    stages: Vec<Sender<Order>>,
    /// The number that there may be.
    max: usize,
}

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
    open: BTreeMap<String, Place>,
    ids: BTreeMap<Key, String>,
    /// By the request that created each.
    requests: BTreeMap<(Caller, String), String>,
    by_caller: BTreeMap<Caller, usize>,
    gone: VecDeque<(String, Ended)>,
    last: Key,
}

#[derive(Clone)]
struct Place {
    key: Key,
    stage: Sender<Order>,
    caller: Caller,
    request_id: String,
    record: Arc<Record>,
    participants: u32,
    created: v1::CreateSessionResponse,
}

impl Sessions {
    /// Starts the threads. Fails if the operating system provides none.
    pub(crate) fn new(threads: usize, max: usize) -> io::Result<Sessions> {
        let places = Places::default();
        let mut stages = Vec::new();
        for number in 1..=threads {
            let (orders, received) = channel();
            let stage = places.clone();
            let play = move || Stage::new(received, stage).play();
            thread::Builder::new().name(format!("session-{number}")).spawn(play)?;
            stages.push(orders);
        }
        Ok(Sessions { places, stages, max })
    }

    /// The number of sessions.
    pub(crate) fn count(&self) -> usize {
        self.places.lock().open.len()
    }

    /// The session that an earlier request with this id created.
    pub(crate) fn created_by(&self, caller: Caller, request_id: &str) -> Option<v1::CreateSessionResponse> {
        let state = self.places.lock();
        let id = state.requests.get(&(caller, request_id.to_owned()))?;
        state.open.get(id).map(|place| place.created.clone())
    }

    /// Refuses a session if there are too many.
    pub(crate) fn admit(&self, caller: Caller) -> Result<(), Status> {
        let state = self.places.lock();
        let (all, own) = (state.open.len(), state.by_caller.get(&caller).copied().unwrap_or(0));
        // Half of them are enough for one, and leave some for others.
        if all >= self.max || own >= self.max.div_ceil(2) {
            return Err(status::too_many_sessions(own, all));
        }
        Ok(())
    }

    /// Begins a session. `created` gets its id.
    pub(crate) fn open(
        &self,
        caller: Caller,
        request_id: String,
        opening: Opening,
        created: v1::CreateSessionResponse,
    ) -> Result<v1::CreateSessionResponse, Status> {
        self.admit(caller)?;
        let id = new_id().map_err(|error| status::no_randomness(&error))?;
        let created = v1::CreateSessionResponse { session: id.clone(), ..created };
        let record = Arc::new(Record::new(Arc::clone(&opening.scenario)));
        let mut state = self.places.lock();
        state.last += 1;
        let key = state.last;
        let stage = self.stages[key as usize % self.stages.len()].clone();
        let participants = opening.participants;
        // The thread ends only with the service.
        let _ = stage.send(Order::Open(key, opening, Arc::clone(&record)));
        if !request_id.is_empty() {
            state.requests.insert((caller, request_id.clone()), id.clone());
        }
        *state.by_caller.entry(caller).or_default() += 1;
        state.ids.insert(key, id.clone());
        let place = Place { key, stage, caller, request_id, record, participants, created: created.clone() };
        state.open.insert(id, place);
        Ok(created)
    }

    /// Has a participant's job done, and waits for the answer.
    pub(crate) async fn call(
        &self,
        session: &str,
        participant: u32,
        request_id: &str,
        job: Job,
    ) -> Result<super::job::Response, Status> {
        let place = self.places.find(session)?;
        let index = participant.max(1) - 1;
        if index >= place.participants {
            return Err(status::participant_unknown(participant, place.participants));
        }
        let (reply, answer) = oneshot::channel();
        let queued = Queued { request_id: request_id.to_owned(), job, reply };
        let _ = place.stage.send(Order::Call(place.key, index as usize, queued));
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.gone(session)),
        }
    }

    /// What a session has come to.
    pub(crate) async fn look(&self, session: &str) -> Result<v1::GetSessionResponse, Status> {
        let place = self.places.find(session)?;
        let (reply, answer) = oneshot::channel();
        let _ = place.stage.send(Order::Look(place.key, reply));
        answer.await.map_err(|_| self.gone(session))
    }

    /// Reads the events of a session after the first `seen`.
    pub(crate) fn watch(&self, session: &str, seen: u64) -> Result<Watch, Status> {
        let place = self.places.find(session)?;
        let watch = Watch::new(&place.record, seen);
        let _ = place.stage.send(Order::Flush(place.key));
        Ok(watch)
    }

    /// Deletes a session.
    pub(crate) fn delete(&self, session: &str) -> Result<(), Status> {
        let place = self.places.find(session)?;
        let _ = place.stage.send(Order::Close(place.key));
        self.places.end(place.key, Ended::Deleted);
        Ok(())
    }

    /// Why a session is no more.
    fn gone(&self, session: &str) -> Status {
        // A session that is there and gives no answer ends with the service.
        self.places.find(session).err().unwrap_or_else(status::shutting_down)
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session with that id, or what became of it.
    fn find(&self, session: &str) -> Result<Place, Status> {
        let state = self.lock();
        if let Some(place) = state.open.get(session) {
            return Ok(place.clone());
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
        if let Some(Place { caller, request_id, record, .. }) = state.open.remove(&id) {
            record.close();
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

/// An id that nobody can guess.
fn new_id() -> Result<String, getrandom::Error> {
    let mut octets = [0_u8; 16];
    getrandom::fill(&mut octets)?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
