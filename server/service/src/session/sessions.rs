//! The sessions of a service: how many there may be, and the way to each.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::{io, thread};

use halfopen_proto::v1;
use tokio::sync::oneshot;
use tonic::Status;

use super::job::{Job, Response};
use super::order::Order;
use super::participants::Queued;
use super::places::{Ended, Place, Places};
use super::play::{Exported, Opening};
use super::record::Record;
use super::referee::Referee;
use super::stage::Stage;
use super::watch::Watch;
use crate::pool::Entrance;
use crate::tenant::Tenant;
use crate::work::Caller;
use crate::{id, status};

/// The sessions of a service. Dropping it ends them.
pub(crate) struct Sessions {
    places: Places,
    stages: Vec<Sender<Order>>,
    /// The number that there may be.
    max: usize,
    /// Where they are judged.
    pool: Entrance,
}

impl Sessions {
    /// Starts the threads. Fails if the operating system provides none.
    pub(crate) fn new(threads: usize, max: usize, pool: Entrance) -> io::Result<Sessions> {
        let places = Places::default();
        let mut stages = Vec::new();
        for number in 1..=threads {
            let (orders, received) = channel();
            let stage = places.clone();
            let play = move || Stage::new(received, stage).play();
            thread::Builder::new().name(format!("session-{number}")).spawn(play)?;
            stages.push(orders);
        }
        Ok(Sessions { places, stages, max, pool })
    }

    /// The number of sessions.
    pub(crate) fn count(&self) -> usize {
        self.places.count()
    }

    /// The session that an earlier request with this id created.
    pub(crate) fn created_by(&self, caller: &Caller, request_id: &str) -> Option<v1::CreateSessionResponse> {
        self.places.created_by(caller, request_id)
    }

    /// Refuses a session if there are too many.
    pub(crate) fn admit(&self, caller: &Caller) -> Result<(), Status> {
        self.places.admit(caller, self.max)
    }

    /// Begins a session, unless an earlier request with this id did. `created` gets its id.
    pub(crate) fn open(
        &self,
        caller: Caller,
        request_id: String,
        opening: Opening,
        created: v1::CreateSessionResponse,
    ) -> Result<v1::CreateSessionResponse, Status> {
        let session = id::new()?;
        let created = v1::CreateSessionResponse { session, ..created };
        let record = Arc::new(Record::new(Arc::clone(&opening.scenario)));
        let participants = opening.participants;
        let creator = caller.clone();
        self.places.add(caller, request_id, self.max, |key| {
            let stage = self.stages[key as usize % self.stages.len()].clone();
            let to_stage = stage.clone();
            // The thread ends only with the service.
            let wake = Arc::new(move || drop(to_stage.send(Order::GoOn(key))));
            let referee = Referee { pool: self.pool.clone(), caller: creator, wake };
            let _ = stage.send(Order::Open(key, opening, Arc::clone(&record), referee));
            (Place { key, stage, record, participants }, created)
        })
    }

    /// Has a participant's job done, and waits for the answer.
    pub(crate) async fn call(
        &self,
        tenant: &Tenant,
        session: &str,
        participant: u32,
        request_id: &str,
        (job, bytes): (Job, usize),
    ) -> Result<Response, Status> {
        let place = self.places.find(tenant, session)?;
        let index = participant.max(1) - 1;
        if index >= place.participants {
            return Err(status::participant_unknown(participant, place.participants));
        }
        let (reply, answer) = oneshot::channel();
        let queued = Queued { request_id: request_id.to_owned(), job, bytes, reply };
        let _ = place.stage.send(Order::Call(place.key, index as usize, queued));
        match answer.await {
            Ok(answer) => answer,
            Err(_) => Err(self.gone(tenant, session)),
        }
    }

    /// What a session has come to.
    pub(crate) async fn look(
        &self,
        tenant: &Tenant,
        session: &str,
    ) -> Result<v1::GetSessionResponse, Status> {
        let place = self.places.find(tenant, session)?;
        let (reply, answer) = oneshot::channel();
        let _ = place.stage.send(Order::Look(place.key, reply));
        answer.await.map_err(|_| self.gone(tenant, session))
    }

    /// What plays the same as a session.
    pub(crate) async fn export(&self, tenant: &Tenant, session: &str) -> Result<Exported, Status> {
        let place = self.places.find(tenant, session)?;
        let (reply, answer) = oneshot::channel();
        let _ = place.stage.send(Order::Export(place.key, reply));
        answer.await.map_err(|_| self.gone(tenant, session))?
    }

    /// Reads the events of a session after the first `seen`.
    pub(crate) fn watch(&self, tenant: &Tenant, session: &str, seen: u64) -> Result<Watch, Status> {
        let place = self.places.find(tenant, session)?;
        let watch = Watch::new(&place.record, seen);
        let _ = place.stage.send(Order::Flush(place.key));
        Ok(watch)
    }

    /// Deletes a session.
    pub(crate) fn delete(&self, tenant: &Tenant, session: &str) -> Result<(), Status> {
        let place = self.places.find(tenant, session)?;
        let _ = place.stage.send(Order::Close(place.key));
        self.places.end(place.key, Ended::Deleted);
        Ok(())
    }

    /// Why a session is no more.
    fn gone(&self, tenant: &Tenant, session: &str) -> Status {
        // A session that is there and gives no answer ends with the service.
        self.places.find(tenant, session).err().unwrap_or_else(status::shutting_down)
    }
}
