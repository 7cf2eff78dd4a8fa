//! The calls of a session as the protocol has them.

use halfopen_proto::v1;
use halfopen_proto::v1::create_session_request::Source as Wanted;
use halfopen_proto::v1::session_service_client::SessionServiceClient;
use halfopen_view::record::RunOptions;
use halfopen_view::words::to_proto;
use tonic::{Code, Status};

use super::SessionOptions;
use crate::client::{Client, Source, Use, reason};
use crate::connection::Line;
use crate::error::ClientError;
use crate::events::{Joined, Parts};

/// The service that plays sessions.
pub(super) type Service = SessionServiceClient<Line>;

/// Creates a session of a scenario.
pub(super) async fn create(
    client: &mut Client,
    source: &Source,
    options: &SessionOptions,
) -> Result<v1::CreateSessionResponse, ClientError> {
    let SessionOptions { variant, seed, profile, lease } = options.clone();
    let wanted = match source.clone() {
        Source::Text { text, .. } => Wanted::Yaml(text),
        Source::Bundled(name) => Wanted::Name(name),
    };
    let request = v1::CreateSessionRequest {
        source: Some(wanted),
        seed,
        variant: variant.clone().unwrap_or_default(),
        profile: profile.clone().unwrap_or_default(),
        lease: lease.map(to_proto),
        ..Default::default()
    };
    match client.sessions().create_session(request).await {
        Ok(created) => Ok(created.into_inner()),
        Err(status) => {
            let options = RunOptions { variant, seed, profile, ..RunOptions::default() };
            Err(client.refused(Use::Session, status, source, &options).await)
        }
    }
}

/// A session of one participant, call by call. `halfopen/v1/session.proto` describes the calls; each fills in the session of
/// its request.
#[derive(Clone, Debug)]
pub struct Calls {
    client: Client,
    service: Service,
    created: v1::CreateSessionResponse,
    /// The parts of the next event that have come with `advance`.
    parts: Parts,
}

/// Why a call was not made.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The call is impossible, or impossible now. It had no effect, and the session goes on.
    #[error("{message}")]
    Refused {
        /// The reason, as `halfopen/v1/session.proto` lists them: `SOCKET_CLOSED`.
        reason: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The session is gone: its lease ended, or a participant deleted it.
    #[error("{0}")]
    Gone(
        /// Why.
        String,
    ),
    /// The server cannot be reached, or ended the call.
    #[error(transparent)]
    Client(#[from] ClientError),
}

macro_rules! calls {
    ($($(#[$meta:meta])* $name:ident($request:ident) -> $response:ident;)*) => {
        $($(#[$meta])*
        pub async fn $name(&mut self, request: v1::$request) -> Result<v1::$response, CallError> {
            let request = v1::$request { session: self.created.session.clone(), ..request };
            let response = self.service.$name(request).await;
            response.map(tonic::Response::into_inner).map_err(|status| self.failed(status))
        })*
    };
}

impl Calls {
    /// Creates a session of a scenario. The hosts for which it has no programs are the caller's.
    pub async fn create(
        client: &Client,
        source: &Source,
        options: &SessionOptions,
    ) -> Result<Calls, ClientError> {
        let mut client = client.clone();
        let created = create(&mut client, source, options).await?;
        Ok(Calls { service: client.sessions(), client, created, parts: Parts::default() })
    }

    /// The hosts of the session, in the order of the scenario.
    pub fn hosts(&self) -> &[v1::SessionHost] {
        &self.created.hosts
    }

    calls! {
        /// Opens a listening socket.
        listen(ListenRequest) -> ListenResponse;
        /// Opens a connection.
        start_connect(StartConnectRequest) -> StartConnectResponse;
        /// Returns the outcome of `start_connect`.
        finish_connect(FinishConnectRequest) -> FinishConnectResponse;
        /// Takes a connection of a listening socket.
        accept(AcceptRequest) -> AcceptResponse;
        /// Sends as much as the send buffer takes.
        send(SendRequest) -> SendResponse;
        /// Receives what has arrived.
        receive(ReceiveRequest) -> ReceiveResponse;
        /// Half-closes a connection.
        shutdown(ShutdownRequest) -> ShutdownResponse;
        /// Closes a socket.
        close(CloseRequest) -> CloseResponse;
        /// Resets a connection and closes its socket.
        abort(AbortRequest) -> AbortResponse;
        /// Sets options of a connection.
        set_options(SetOptionsRequest) -> SetOptionsResponse;
        /// Returns what the host's TCP knows of a socket.
        get_socket(GetSocketRequest) -> GetSocketResponse;
        /// Adds faults.
        apply_faults(ApplyFaultsRequest) -> ApplyFaultsResponse;
        /// Lifts a fault.
        lift_fault(LiftFaultRequest) -> LiftFaultResponse;
        /// Plays on until nothing can happen any more, and judges the session by what its scenario expects.
        finish_session(FinishSessionRequest) -> FinishSessionResponse;
    }

    /// Moves time, which nothing else does. An event that arrives in parts is returned whole, by the call that receives its end.
    pub async fn advance(&mut self, request: v1::AdvanceRequest) -> Result<v1::AdvanceResponse, CallError> {
        let request = v1::AdvanceRequest { session: self.created.session.clone(), ..request };
        let response = self.service.advance(request).await;
        let mut response = response.map_err(|status| self.failed(status))?.into_inner();
        self.parts.join(&mut response.events, response.part.take());
        Ok(response)
    }

    /// What the session has come to.
    pub async fn state(&mut self) -> Result<v1::GetSessionResponse, CallError> {
        let request = v1::GetSessionRequest { session: self.created.session.clone() };
        let response = self.service.get_session(request).await;
        response.map(tonic::Response::into_inner).map_err(|status| self.failed(status))
    }

    /// A scenario that plays the same as the session so far.
    pub async fn export(&mut self) -> Result<v1::ExportSessionResponse, CallError> {
        let request = v1::ExportSessionRequest { session: self.created.session.clone() };
        let response = self.service.export_session(request).await;
        response.map(tonic::Response::into_inner).map_err(|status| self.failed(status))
    }

    /// Deletes the session.
    pub async fn delete(mut self) -> Result<(), CallError> {
        let request = v1::DeleteSessionRequest { session: self.created.session.clone() };
        let deleted = self.service.delete_session(request).await;
        deleted.map(drop).map_err(|status| self.failed(status))
    }

    /// The events after that one, as they happen.
    pub async fn watch(&mut self, after_sequence: u64) -> Result<Watch, CallError> {
        let session = self.created.session.clone();
        let request = v1::WatchSessionRequest { session, after_sequence };
        let messages = self.service.watch_session(request).await.map_err(|status| self.failed(status))?;
        Ok(Watch { client: self.client.clone(), events: Joined::new(messages.into_inner()) })
    }

    fn failed(&self, status: Status) -> CallError {
        failed(&self.client, status)
    }
}

/// The events of a session, as they come. Those that the server sends in parts are whole here.
#[derive(Debug)]
pub struct Watch {
    client: Client,
    events: Joined<v1::WatchSessionResponse>,
}

impl Watch {
    /// The next events; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<v1::Event>>, CallError> {
        self.events.next().await.map_err(|status| failed(&self.client, status))
    }
}

/// The reasons of calls to a session that is gone.
const GONE: [&str; 3] = ["SESSION_UNKNOWN", "SESSION_EXPIRED", "SESSION_DELETED"];

/// Why a call failed: those that the session refuses have a reason.
fn failed(client: &Client, status: Status) -> CallError {
    let message = status.message().to_owned();
    let refusals = [
        Code::InvalidArgument,
        Code::NotFound,
        Code::FailedPrecondition,
        Code::OutOfRange,
        Code::ResourceExhausted,
    ];
    match reason(&status) {
        Some(reason) if GONE.contains(&reason.as_str()) => CallError::Gone(message),
        Some(reason) if refusals.contains(&status.code()) => CallError::Refused { reason, message },
        Some(_) | None => CallError::Client(client.failed(status)),
    }
}
