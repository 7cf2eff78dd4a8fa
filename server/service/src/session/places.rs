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
use crate::tenant::Tenant;
use crate::work::Caller;

/// How many sessions that are gone are remembered.
const REMEMBERED: usize = 4096;

/// How long a caller at its quota of sessions waits before it tries again.
const SOON: Duration = Duration::from_secs(1);

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
    gone: VecDeque<Gone>,
    last: Key,
}

/// A session that is gone.
struct Gone {
    id: String,
    tenant: Tenant,
    ended: Ended,
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

    /// Refuses a session if there are too many. A client may have half of them, or as many as its tenant's quota.
    fn admit(&self, caller: &Caller, max: usize) -> Result<(), Status> {
        let (all, own) = (self.open.len(), self.by_caller.get(caller).copied().unwrap_or(0));
        let quota = caller.tenant().quota().sessions;
        if let Some(quota) = quota.filter(|quota| own >= *quota) {
            return Err(status::quota_exceeded(caller.tenant(), &format!("sessions = {quota}"), SOON));
        }
        let is_full = all >= max || quota.is_none() && own >= max.div_ceil(2);
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
    pub(super) fn created_by(&self, caller: &Caller, request_id: &str) -> Option<v1::CreateSessionResponse> {
        self.lock().created_by(&(caller.clone(), request_id.to_owned()))
    }

    /// Refuses a session if there are too many.
    pub(super) fn admit(&self, caller: &Caller, max: usize) -> Result<(), Status> {
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
        let request = (caller.clone(), request_id.clone());
        if let Some(created) = state.created_by(&request) {
            return Ok(created);
        }
        state.admit(&caller, max)?;
        state.last += 1;
        let (place, created) = open(state.last);
        let key = place.key;
        if !request_id.is_empty() {
            state.requests.insert(request, created.session.clone());
        }
        *state.by_caller.entry(caller.clone()).or_default() += 1;
        state.ids.insert(key, created.session.clone());
        let entry = Entry { place, created: created.clone(), caller, request_id };
        state.open.insert(created.session.clone(), entry);
        Ok(created)
    }

    /// The session of a tenant with that id, or what became of it. Another tenant's session is reported like one that never existed.
    pub(super) fn find(&self, tenant: &Tenant, session: &str) -> Result<Place, Status> {
        let state = self.lock();
        if let Some(entry) = state.open.get(session).filter(|entry| entry.caller.tenant() == tenant) {
            return Ok(entry.place.clone());
        }
        match state.gone.iter().rev().find(|gone| gone.id == session && gone.tenant == *tenant) {
            Some(gone) => Err(gone.ended.status()),
            None => Err(status::session_unknown(session)),
        }
    }

    /// A session is no more.
    pub(super) fn end(&self, key: Key, ended: Ended) {
        let mut state = self.lock();
        let Some(id) = state.ids.remove(&key) else { return };
        let Some(Entry { place, caller, request_id, .. }) = state.open.remove(&id) else { return };
        place.record.close();
        match state.by_caller.get_mut(&caller) {
            Some(1) | None => drop(state.by_caller.remove(&caller)),
            Some(own) => *own -= 1,
        }
        let tenant = caller.tenant().clone();
        state.requests.remove(&(caller, request_id));
        state.gone.push_back(Gone { id, tenant, ended });
        if state.gone.len() > REMEMBERED {
            state.gone.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use halfopen_scenario::library;

    use super::*;

    fn tenant(name: &str) -> Tenant {
        name.parse().expect("a name")
    }

    /// Adds a session of a tenant.
    fn add(places: &Places, owner: &str, id: &str) -> Key {
        let scenario = library::scenario("dead-client").expect("it is bundled");
        let record = Arc::new(Record::new(Arc::new(scenario)));
        let mut key = 0;
        let created = places.add(Caller::Tenant(tenant(owner)), String::new(), 8, |next| {
            key = next;
            let place = Place { key, stage: channel().0, record, participants: 1 };
            (place, v1::CreateSessionResponse { session: id.to_owned(), ..Default::default() })
        });
        created.expect("there is room");
        key
    }

    #[test]
    fn the_session_of_another_tenant_does_not_exist_open_or_gone() {
        let places = Places::default();
        let key = add(&places, "acme", "7ac1");
        let refused = |tenant: &Tenant, id: &str| places.find(tenant, id).err().expect("it is not there");
        let (acme, globex) = (tenant("acme"), tenant("globex"));
        assert!(places.find(&acme, "7ac1").is_ok());
        let never = refused(&globex, "0000").to_string();
        let foreign = |status: &Status| status.to_string().replace("7ac1", "0000");
        assert_eq!(foreign(&refused(&globex, "7ac1")), never);
        places.end(key, Ended::Deleted);
        assert!(refused(&acme, "7ac1").message().contains("deleted"));
        assert_eq!(foreign(&refused(&globex, "7ac1")), never);
    }
}
