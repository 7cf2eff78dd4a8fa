//! SessionService: runs that callers play step by step.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use halfopen_proto::v1;
use halfopen_proto::v1::session_service_server::SessionService;
use halfopen_scenario::{Limits, Scenario};
use halfopen_sim::RunOptions;
use prost::Message;
use tonic::{Request, Response, Status};

use crate::convert::{self, Batch};
use crate::deadline::deadline;
use crate::lifecycle::OpenStream;
use crate::loading::{Wanted, named};
use crate::port::caller;
use crate::session::{Addressed, Exported, Finish, Job, MAX_SOCKETS, Opening, Played, Watch, too_long};
use crate::shared::Shared;
use crate::status;
use crate::work::{Caller, Work};

/// The number of participants that a session may have.
const MAX_PARTICIPANTS: u32 = 16;
/// How long a session lives without calls by default, at least and at most.
const LEASE: Duration = Duration::from_secs(60);
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
const LONGEST_LEASE: Duration = Duration::from_secs(3600);
/// When to try again what takes memory if all of it is in use.
const SOON: Duration = Duration::from_secs(1);
/// The maximum length of the id of a request, in bytes.
const MAX_REQUEST_ID: usize = 128;

/// Handles the calls of SessionService.
pub(crate) struct SessionHandler(pub(crate) Arc<Shared>);

impl SessionHandler {
    /// Makes a call that takes no time.
    async fn call<Q, R>(
        &self,
        request: Request<Q>,
        make: fn(&mut Played, &Q) -> Result<R, Status>,
    ) -> Result<Response<R>, Status>
    where
        Q: Addressed + Message + 'static,
        R: Message + Clone + 'static,
    {
        let caller = caller(request.extensions());
        let request = request.into_inner();
        let (session, id) = (request.session().to_owned(), request.request_id().to_owned());
        let (participant, size) = (request.participant(), request.encoded_len());
        let call = move |played: &mut Played| {
            let response = make(played, &request)?;
            let bytes = response.encoded_len();
            Ok((Arc::new(response) as _, bytes))
        };
        self.job((&caller, &session), participant, &id, (Job::Call(Box::new(call)), size)).await
    }

    /// Has a participant's job done.
    async fn job<R: Clone + 'static>(
        &self,
        (caller, session): (&Caller, &str),
        participant: u32,
        request_id: &str,
        job: (Job, usize),
    ) -> Result<Response<R>, Status> {
        check_request_id(request_id)?;
        let mut open = self.0.lifecycle.open()?;
        let answer = tokio::select! {
            biased;
            answer = self.0.sessions.call(caller.tenant(), session, participant, request_id, job) => answer?,
            () = open.ended() => return Err(status::shutting_down()),
        };
        let response = answer.downcast_ref::<R>().cloned();
        response.map(Response::new).ok_or_else(|| status::request_id_reused(request_id))
    }
}

#[tonic::async_trait]
impl SessionService for SessionHandler {
    type WatchSessionStream = Pin<Box<dyn Stream<Item = Result<v1::WatchSessionResponse, Status>> + Send>>;

    async fn create_session(
        &self,
        request: Request<v1::CreateSessionRequest>,
    ) -> Result<Response<v1::CreateSessionResponse>, Status> {
        let Shared { lifecycle, sessions, pool, latest, .. } = self.0.as_ref();
        let _open = lifecycle.open()?;
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let request = request.into_inner();
        check_request_id(&request.request_id)?;
        if let Some(created) = sessions.created_by(&caller, &request.request_id) {
            return Ok(Response::new(created));
        }
        let participants = request.participants.max(1);
        if participants > MAX_PARTICIPANTS {
            return Err(status::participants_invalid(participants, MAX_PARTICIPANTS));
        }
        let lease = lease(request.lease.as_ref())?;
        sessions.admit(&caller)?;

        let source = match request.source.ok_or_else(status::source_missing)? {
            v1::create_session_request::Source::Yaml(text) => v1::execute_run_request::Source::Yaml(text),
            v1::create_session_request::Source::Name(name) => v1::execute_run_request::Source::Name(name),
        };
        let wanted =
            Wanted { source, variant: request.variant, profile: named(&request.profile)?, session: true };
        let (latest, bytes) = (latest.clone(), wanted.bytes());
        let load = move |_: &dyn Fn() -> bool| latest.load(wanted);
        let scenario = pool.compute((caller.clone(), Work::Session), bytes, deadline, load).await??;
        // The record keeps every event anyway.
        let options =
            RunOptions { keeps_trace: true, ..self.0.run_options(request.seed, request.snapshot_length) };
        let meter = self.0.meter();
        let created = created(&scenario, lease);
        let opening = Opening { scenario, options, meter, participants, lease };
        sessions.open(caller, request.request_id, opening, created).map(Response::new)
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let caller = caller(request.extensions());
        self.0.sessions.look(caller.tenant(), &request.into_inner().session).await.map(Response::new)
    }

    async fn listen(
        &self,
        request: Request<v1::ListenRequest>,
    ) -> Result<Response<v1::ListenResponse>, Status> {
        self.call(request, Played::listen).await
    }

    async fn start_connect(
        &self,
        request: Request<v1::StartConnectRequest>,
    ) -> Result<Response<v1::StartConnectResponse>, Status> {
        self.0.memory.admit(SOON)?;
        self.call(request, Played::start_connect).await
    }

    async fn finish_connect(
        &self,
        request: Request<v1::FinishConnectRequest>,
    ) -> Result<Response<v1::FinishConnectResponse>, Status> {
        self.call(request, Played::finish_connect).await
    }

    async fn accept(
        &self,
        request: Request<v1::AcceptRequest>,
    ) -> Result<Response<v1::AcceptResponse>, Status> {
        self.call(request, Played::accept).await
    }

    async fn send(&self, request: Request<v1::SendRequest>) -> Result<Response<v1::SendResponse>, Status> {
        self.0.memory.admit(SOON)?;
        self.call(request, Played::send).await
    }

    async fn receive(
        &self,
        request: Request<v1::ReceiveRequest>,
    ) -> Result<Response<v1::ReceiveResponse>, Status> {
        self.call(request, Played::receive).await
    }

    async fn shutdown(
        &self,
        request: Request<v1::ShutdownRequest>,
    ) -> Result<Response<v1::ShutdownResponse>, Status> {
        self.call(request, Played::shutdown).await
    }

    async fn close(&self, request: Request<v1::CloseRequest>) -> Result<Response<v1::CloseResponse>, Status> {
        self.call(request, Played::close).await
    }

    async fn abort(&self, request: Request<v1::AbortRequest>) -> Result<Response<v1::AbortResponse>, Status> {
        self.call(request, Played::abort).await
    }

    async fn set_options(
        &self,
        request: Request<v1::SetOptionsRequest>,
    ) -> Result<Response<v1::SetOptionsResponse>, Status> {
        self.call(request, Played::set_options).await
    }

    async fn get_socket(
        &self,
        request: Request<v1::GetSocketRequest>,
    ) -> Result<Response<v1::GetSocketResponse>, Status> {
        self.call(request, Played::get_socket).await
    }

    async fn apply_faults(
        &self,
        request: Request<v1::ApplyFaultsRequest>,
    ) -> Result<Response<v1::ApplyFaultsResponse>, Status> {
        self.call(request, Played::apply_faults).await
    }

    async fn lift_fault(
        &self,
        request: Request<v1::LiftFaultRequest>,
    ) -> Result<Response<v1::LiftFaultResponse>, Status> {
        self.call(request, Played::lift_fault).await
    }

    async fn advance(
        &self,
        request: Request<v1::AdvanceRequest>,
    ) -> Result<Response<v1::AdvanceResponse>, Status> {
        let caller = caller(request.extensions());
        let request = request.into_inner();
        let bytes = request.encoded_len();
        let (session, id, participant) =
            (request.session.clone(), request.request_id.clone(), request.participant);
        self.job((&caller, &session), participant, &id, (Job::Advance(Box::new(request)), bytes)).await
    }

    async fn leave_session(
        &self,
        request: Request<v1::LeaveSessionRequest>,
    ) -> Result<Response<v1::LeaveSessionResponse>, Status> {
        let caller = caller(request.extensions());
        let v1::LeaveSessionRequest { session, participant } = request.into_inner();
        self.job((&caller, &session), participant, "", (Job::Leave, 0)).await
    }

    async fn finish_session(
        &self,
        request: Request<v1::FinishSessionRequest>,
    ) -> Result<Response<v1::FinishSessionResponse>, Status> {
        let caller = caller(request.extensions());
        let v1::FinishSessionRequest { session, participant, until } = request.into_inner();
        let until = match &until {
            None => None,
            Some(until) => Some(convert::time(until).ok_or_else(|| status::time_invalid("until"))?),
        };
        let finish = Finish { until: until.map(|until| halfopen_tcp::Instant::ZERO + until) };
        self.job((&caller, &session), participant, "", (Job::Finish(finish), 0)).await
    }

    async fn watch_session(
        &self,
        request: Request<v1::WatchSessionRequest>,
    ) -> Result<Response<Self::WatchSessionStream>, Status> {
        let caller = caller(request.extensions());
        let v1::WatchSessionRequest { session, after_sequence } = request.into_inner();
        let open = self.0.lifecycle.open()?;
        let watch = self.0.sessions.watch(caller.tenant(), &session, after_sequence)?;
        let next = |mut reader: Watching| async {
            let batch = reader.next().await?;
            Some((batch.map(|Batch { events, part }| v1::WatchSessionResponse { events, part }), reader))
        };
        Ok(Response::new(Box::pin(stream::unfold(Watching { watch, open, is_over: false }, next))))
    }

    async fn export_session(
        &self,
        request: Request<v1::ExportSessionRequest>,
    ) -> Result<Response<v1::ExportSessionResponse>, Status> {
        let Shared { lifecycle, sessions, pool, .. } = self.0.as_ref();
        let _open = lifecycle.open()?;
        let (deadline, caller) = (deadline(request.metadata()), caller(request.extensions()));
        let Exported { scenario, seed } =
            sessions.export(caller.tenant(), &request.into_inner().session).await?;
        let write = move |_: &dyn Fn() -> bool| {
            let yaml = halfopen_scenario::write(&scenario);
            // Only what is too large cannot be read again.
            halfopen_scenario::load(&yaml).map(|_| yaml).map_err(|_| too_long())
        };
        let yaml = pool.compute((caller, Work::Session), Limits::MAX_TEXT, deadline, write).await??;
        Ok(Response::new(v1::ExportSessionResponse { yaml, seed }))
    }

    async fn delete_session(
        &self,
        request: Request<v1::DeleteSessionRequest>,
    ) -> Result<Response<v1::DeleteSessionResponse>, Status> {
        let caller = caller(request.extensions());
        self.0.sessions.delete(caller.tenant(), &request.into_inner().session)?;
        Ok(Response::new(v1::DeleteSessionResponse {}))
    }
}

/// A stream of a session's events.
struct Watching {
    watch: Watch,
    open: OpenStream,
    is_over: bool,
}

impl Watching {
    async fn next(&mut self) -> Option<Result<Batch, Status>> {
        if self.is_over {
            return None;
        }
        tokio::select! {
            biased;
            batch = self.watch.next() => batch.map(Ok),
            () = self.open.ended() => {
                self.is_over = true;
                Some(Err(status::shutting_down()))
            }
        }
    }
}

fn check_request_id(id: &str) -> Result<(), Status> {
    if id.len() <= MAX_REQUEST_ID {
        return Ok(());
    }
    let message = format!("the id of a request has at most {MAX_REQUEST_ID} bytes");
    Err(status::argument_invalid("request_id", &message))
}

/// The lease that is asked for.
fn lease(asked: Option<&halfopen_proto::Duration>) -> Result<Duration, Status> {
    let Some(asked) = asked else { return Ok(LEASE) };
    let lease = convert::time(asked).filter(|lease| (SHORTEST_LEASE..=LONGEST_LEASE).contains(lease));
    lease.ok_or_else(|| status::lease_invalid(SHORTEST_LEASE, LONGEST_LEASE))
}

/// What the caller learns of a session, but for its id.
fn created(scenario: &Scenario, lease: Duration) -> v1::CreateSessionResponse {
    let Limits { virtual_time, events } = scenario.limits;
    v1::CreateSessionResponse {
        session: String::new(),
        hosts: convert::session_hosts(scenario),
        limits: Some(v1::SessionLimits {
            lease: Some(convert::duration(lease)),
            sockets: MAX_SOCKETS as u32,
            events,
            virtual_time: Some(convert::duration(scenario.until.unwrap_or(virtual_time))),
        }),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
