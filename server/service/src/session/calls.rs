//! Calls that take no time, each on a [`Played`].

use std::net::{IpAddr, SocketAddr};

use halfopen_proto::v1;
use halfopen_scenario::{Action, CallKind, HostId, Limits, destination, load_faults};
use halfopen_sim::{Made, Refusal, SocketStatus};
use halfopen_tcp::{Errno, SendFlags, Settings, State};
use tonic::Status;

use super::options::options;
use super::played::Played;
use crate::convert;
use crate::status;

/// The size, in bytes, of a response of Receive that is not told how large it may be.
const RECEIVED: u32 = 64 * 1024;
/// The size, in bytes, of the largest text of faults that are added at once.
const MAX_FAULTS_TEXT: usize = 64 * 1024;

/// A request that a participant makes, but for those that take time.
pub(crate) trait Addressed {
    /// The session.
    fn session(&self) -> &str;
    /// The participant, as the request has it.
    fn participant(&self) -> u32;
    /// The id of the request; empty if it has none.
    fn request_id(&self) -> &str {
        ""
    }
}

impl Addressed for v1::GetSocketRequest {
    fn session(&self) -> &str {
        &self.session
    }
    fn participant(&self) -> u32 {
        self.participant
    }
}

macro_rules! addressed {
    ($($request:ident)*) => {
        $(impl Addressed for v1::$request {
            fn session(&self) -> &str {
                &self.session
            }
            fn participant(&self) -> u32 {
                self.participant
            }
            fn request_id(&self) -> &str {
                &self.request_id
            }
        })*
    };
}

addressed! {
    ListenRequest StartConnectRequest FinishConnectRequest AcceptRequest SendRequest ReceiveRequest ShutdownRequest CloseRequest
    AbortRequest SetOptionsRequest ApplyFaultsRequest LiftFaultRequest
}

/// A port; zero is any.
fn port(field: &str, port: u32) -> Result<Option<u16>, Status> {
    let port = u16::try_from(port).map_err(|_| status::port_invalid(field, port))?;
    Ok(Some(port).filter(|port| *port > 0))
}

/// An address; an empty one is none.
fn address(field: &str, text: &str) -> Result<Option<IpAddr>, Status> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| status::address_invalid(field, text)),
    }
}

fn written(end: Option<SocketAddr>) -> String {
    end.map_or_else(String::new, |end| end.to_string())
}

/// An error as the protocol has it, or none.
fn error<T>(result: &Result<T, Errno>) -> String {
    result.as_ref().err().map_or_else(String::new, |errno| errno.name().to_owned())
}

impl Played {
    fn settings(&self, host: HostId) -> Settings {
        self.scenario().host(host).settings()
    }

    pub(crate) fn listen(&mut self, request: &v1::ListenRequest) -> Result<v1::ListenResponse, Status> {
        self.has_room()?;
        let host = self.host(&request.host)?.into();
        let listen = CallKind::Listen {
            host,
            port: port("port", request.port)?,
            address: address("address", &request.address)?,
            backlog: request.backlog.unwrap_or(Action::DEFAULT_BACKLOG),
            reuse_address: request.reuse_address.unwrap_or(true),
            options: options(request.options.as_ref(), &self.settings(host))?,
            socket: Some(self.next_socket()),
        };
        let listening = self.make(listen)?;
        let error = error(&listening);
        let Ok(Made::Opened { id, local, .. }) = listening else {
            return Ok(v1::ListenResponse { error, ..Default::default() });
        };
        Ok(v1::ListenResponse { error, socket: self.number(id), local: written(local) })
    }

    pub(crate) fn start_connect(
        &mut self,
        request: &v1::StartConnectRequest,
    ) -> Result<v1::StartConnectResponse, Status> {
        self.has_room()?;
        let host = self.host(&request.host)?.into();
        let to = destination(&request.to, host, self.scenario())
            .map_err(|mistakes| status::destination_invalid(mistakes.as_slice()))?;
        let connect = CallKind::Connect {
            host,
            to,
            from: address("from", &request.from)?,
            local_port: port("local_port", request.local_port)?,
            options: options(request.options.as_ref(), &self.settings(host))?,
            socket: Some(self.next_socket()),
        };
        let opened = self.make(connect)?;
        let Ok(Made::Opened { id, local, peer, is_in_progress }) = opened else {
            return Ok(v1::StartConnectResponse { error: error(&opened), ..Default::default() });
        };
        let error = if is_in_progress { Errno::InProgress.name() } else { "" };
        Ok(v1::StartConnectResponse {
            error: error.to_owned(),
            socket: self.number(id),
            local: written(local),
            peer: written(peer),
        })
    }

    pub(crate) fn finish_connect(
        &mut self,
        request: &v1::FinishConnectRequest,
    ) -> Result<v1::FinishConnectResponse, Status> {
        let outcome = self.make(CallKind::FinishConnect(self.socket(request.socket)?))?;
        Ok(v1::FinishConnectResponse { error: error(&outcome) })
    }

    pub(crate) fn accept(&mut self, request: &v1::AcceptRequest) -> Result<v1::AcceptResponse, Status> {
        self.has_room()?;
        let listener = self.socket(request.socket)?;
        let accepted = self.make(CallKind::Accept { listener, socket: Some(self.next_socket()) })?;
        let Ok(Made::Opened { id, local, peer, .. }) = accepted else {
            return Ok(v1::AcceptResponse { error: error(&accepted), ..Default::default() });
        };
        let (local, peer) = (written(local), written(peer));
        Ok(v1::AcceptResponse { error: String::new(), socket: self.number(id), local, peer })
    }

    pub(crate) fn send(&mut self, request: &v1::SendRequest) -> Result<v1::SendResponse, Status> {
        let socket = self.socket(request.socket)?;
        let flags = SendFlags { more: request.more, end_of_record: request.end_of_record };
        let sent = self.make(CallKind::Send { socket, octets: request.data.as_slice().into(), flags })?;
        let octets = if let Ok(Made::Sent(octets)) = sent { octets as u64 } else { 0 };
        Ok(v1::SendResponse { error: error(&sent), sent: octets })
    }

    pub(crate) fn receive(&mut self, request: &v1::ReceiveRequest) -> Result<v1::ReceiveResponse, Status> {
        let socket = self.socket(request.socket)?;
        let max = match request.max_bytes {
            0 => RECEIVED,
            max => max.min(Limits::MAX_RECEIVED),
        };
        let received = self.make(CallKind::Receive { socket, max })?;
        let error = error(&received);
        Ok(match received {
            Ok(Made::Received(data)) => v1::ReceiveResponse { data, ..Default::default() },
            Ok(Made::EndOfStream) => v1::ReceiveResponse { end_of_stream: true, ..Default::default() },
            Ok(_) | Err(_) => v1::ReceiveResponse { error, ..Default::default() },
        })
    }

    pub(crate) fn shutdown(&mut self, request: &v1::ShutdownRequest) -> Result<v1::ShutdownResponse, Status> {
        let socket = self.socket(request.socket)?;
        if !request.write && !request.read {
            return Err(status::argument_invalid(
                "write",
                "nothing is shut down: set `write`, `read` or both",
            ));
        }
        let both = [
            (request.write, CallKind::ShutdownWrite(socket)),
            (request.read, CallKind::ShutdownRead(socket)),
        ];
        for (_, call) in both.into_iter().filter(|(is_asked, _)| *is_asked) {
            let done = self.make(call)?;
            if done.is_err() {
                return Ok(v1::ShutdownResponse { error: error(&done) });
            }
        }
        Ok(v1::ShutdownResponse::default())
    }

    pub(crate) fn close(&mut self, request: &v1::CloseRequest) -> Result<v1::CloseResponse, Status> {
        // Whatever the outcome, it is closed.
        self.make(CallKind::Close(self.socket(request.socket)?)).map(|_| v1::CloseResponse {})
    }

    pub(crate) fn abort(&mut self, request: &v1::AbortRequest) -> Result<v1::AbortResponse, Status> {
        self.make(CallKind::Abort(self.socket(request.socket)?)).map(|_| v1::AbortResponse {})
    }

    pub(crate) fn set_options(
        &mut self,
        request: &v1::SetOptionsRequest,
    ) -> Result<v1::SetOptionsResponse, Status> {
        let socket = self.socket(request.socket)?;
        let host = self.id(request.socket)?.host;
        let options = options(request.options.as_ref(), &self.settings(HostId(host.index())))?;
        self.make(CallKind::Set { socket, options }).map(|_| v1::SetOptionsResponse {})
    }

    pub(crate) fn get_socket(
        &mut self,
        request: &v1::GetSocketRequest,
    ) -> Result<v1::GetSocketResponse, Status> {
        let socket = self.socket(request.socket)?;
        let readiness = Some(self.readiness(self.id(request.socket)?));
        let SocketStatus { number, connection, info } = match self.apply(CallKind::Status(socket)) {
            Ok(Made::Status(status)) => *status,
            // Of a listening socket there is no more to say.
            Err(Refusal::Listening(_)) => {
                let state = convert::state(State::Listen).into();
                return Ok(v1::GetSocketResponse { state, readiness, ..Default::default() });
            }
            Ok(_) | Err(Refusal::Failed(_)) => {
                return Ok(v1::GetSocketResponse { readiness, ..Default::default() });
            }
            Err(refusal) => return Err(self.refused(refusal)),
        };
        Ok(v1::GetSocketResponse {
            state: convert::state(connection.state).into(),
            local: connection.local.to_string(),
            peer: connection.remote.to_string(),
            connection: number.map_or(0, |number| number.0.get()),
            readiness,
            unread_bytes: connection.unread as u64,
            unacknowledged_bytes: connection.unacknowledged as u64,
            info: Some(convert::tcp_info(&info)),
        })
    }

    pub(crate) fn apply_faults(
        &mut self,
        request: &v1::ApplyFaultsRequest,
    ) -> Result<v1::ApplyFaultsResponse, Status> {
        self.is_open()?;
        if request.yaml.len() > MAX_FAULTS_TEXT {
            let message =
                format!("the faults have {} bytes, more than {MAX_FAULTS_TEXT}", request.yaml.len());
            return Err(status::argument_invalid("yaml", &message));
        }
        let now = self.time().as_duration();
        let faults = load_faults(&request.yaml, self.scenario(), now)
            .map_err(|mistakes| status::faults_invalid(mistakes.as_slice()))?;
        self.has_room_for(faults.len())?;
        let mut numbers = Vec::new();
        for fault in faults {
            if let Ok(Made::Fault(id)) = self.make(CallKind::AddFault(Box::new(fault)))? {
                numbers.push(id.0 + 1);
            }
        }
        Ok(v1::ApplyFaultsResponse { faults: numbers })
    }

    pub(crate) fn lift_fault(
        &mut self,
        request: &v1::LiftFaultRequest,
    ) -> Result<v1::LiftFaultResponse, Status> {
        let Some(fault) = request.fault.checked_sub(1) else {
            return Err(status::argument_invalid("fault", "faults are counted from 1"));
        };
        self.make(CallKind::LiftFault(fault as usize)).map(|_| v1::LiftFaultResponse {})
    }
}
