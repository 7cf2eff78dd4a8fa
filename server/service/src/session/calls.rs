//! Calls that take no time, each on a [`Played`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use halfopen_proto::v1;
use halfopen_scenario::{Action, destination, load_faults};
use halfopen_sim::{Call, Command, Refusal, Reply, SocketId, SocketStatus};
use halfopen_tcp::{Errno, ListenOptions, SendFlags, State};
use halfopen_trace::HostId;
use tonic::Status;

use super::options::options;
use super::played::Played;
use crate::convert;
use crate::status;

/// The size, in bytes, of the largest response of Receive, and of one that is not told how large it may be.
const MAX_RECEIVED: usize = 1 << 20;
const RECEIVED: usize = 64 * 1024;
/// The size, in bytes, of the largest text of faults that are added at once.
const MAX_FAULTS_TEXT: usize = 64 * 1024;
/// The ports of listening sockets that do not say which (Linux `ip_local_port_range`).
const LOCAL_PORTS: std::ops::RangeInclusive<u16> = 32_768..=60_999;

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
    AbortRequest SetOptionsRequest ApplyFaultsRequest
}

fn port(field: &str, port: u32) -> Result<u16, Status> {
    u16::try_from(port).map_err(|_| status::port_invalid(field, port))
}

/// An error as the protocol has it, or none.
fn error<T>(result: &Result<T, Errno>) -> String {
    result.as_ref().err().map_or_else(String::new, |errno| errno.name().to_owned())
}

impl Played {
    pub(crate) fn listen(&mut self, request: &v1::ListenRequest) -> Result<v1::ListenResponse, Status> {
        self.has_room()?;
        let host = self.host(&request.host)?;
        let port = port("port", request.port)?;
        let address = match request.address.as_str() {
            "" => None,
            text => Some(text.parse::<IpAddr>().map_err(|_| status::address_invalid("address", text))?),
        };
        let settings = self.scenario().hosts[host.index()].settings();
        let options = ListenOptions {
            address,
            reuse_address: request.reuse_address.unwrap_or(true),
            options: options(request.options.as_ref(), &settings)?,
            ..ListenOptions::new(request.backlog.unwrap_or(Action::DEFAULT_BACKLOG))
        };
        for port in self.ports(host, port) {
            let opened = self.make(Command::Call(Call::Listen { host, port, options }))?;
            if opened == Err(Errno::AddressInUse) && request.port == 0 {
                continue;
            }
            let error = error(&opened);
            let Ok(Reply::Socket(socket)) = opened else {
                return Ok(v1::ListenResponse { error, ..Default::default() });
            };
            let any = match self.scenario().hosts[host.index()].addresses.first() {
                Some(IpAddr::V6(_)) => IpAddr::from([0_u16; 8]),
                _ => IpAddr::from([0_u8; 4]),
            };
            let local = SocketAddr::new(address.unwrap_or(any), port).to_string();
            self.last_ports.insert(host, port);
            return Ok(v1::ListenResponse { error, socket: self.number(socket), local });
        }
        Ok(v1::ListenResponse { error: Errno::AddressInUse.name().to_owned(), ..Default::default() })
    }

    /// The ports to try: that one, or if it is 0, any, those that were given last at the end.
    fn ports(&self, host: HostId, port: u16) -> Vec<u16> {
        if port > 0 {
            return vec![port];
        }
        let last = self.last_ports.get(&host).copied().unwrap_or(*LOCAL_PORTS.end());
        (last + 1..=*LOCAL_PORTS.end()).chain(*LOCAL_PORTS.start()..=last).collect()
    }

    pub(crate) fn start_connect(
        &mut self,
        request: &v1::StartConnectRequest,
    ) -> Result<v1::StartConnectResponse, Status> {
        self.has_room()?;
        let host = self.host(&request.host)?;
        let own = halfopen_scenario::HostId(host.index());
        let to = destination(&request.to, own, self.scenario())
            .map_err(|mistakes| status::destination_invalid(mistakes.as_slice()))?;
        let from = match request.from.as_str() {
            "" => None,
            text => Some(text.parse::<IpAddr>().map_err(|_| status::address_invalid("from", text))?),
        };
        let local_port = Some(port("local_port", request.local_port)?).filter(|port| *port > 0);
        let settings = self.scenario().hosts[host.index()].settings();
        let options = options(request.options.as_ref(), &settings)?;
        let opened = self.make(Command::Call(Call::Connect { host, to, from, local_port, options }))?;
        let Ok(Reply::Socket(socket)) = opened else {
            return Ok(v1::StartConnectResponse { error: error(&opened), ..Default::default() });
        };
        // On the same host the outcome may be there.
        let outcome = self.make(Command::Call(Call::FinishConnect(socket)))?;
        if !matches!(outcome, Ok(_) | Err(Errno::InProgress)) {
            // Nobody needs it any more, closed or not.
            let _ = self.make(Command::Call(Call::Close(socket)))?;
            return Ok(v1::StartConnectResponse { error: error(&outcome), ..Default::default() });
        }
        let (local, peer) = self.ends(socket)?;
        Ok(v1::StartConnectResponse { error: error(&outcome), socket: self.number(socket), local, peer })
    }

    pub(crate) fn finish_connect(
        &mut self,
        request: &v1::FinishConnectRequest,
    ) -> Result<v1::FinishConnectResponse, Status> {
        let socket = self.socket(request.socket)?;
        let outcome = self.make(Command::Call(Call::FinishConnect(socket)))?;
        Ok(v1::FinishConnectResponse { error: error(&outcome) })
    }

    pub(crate) fn accept(&mut self, request: &v1::AcceptRequest) -> Result<v1::AcceptResponse, Status> {
        self.has_room()?;
        let listener = self.socket(request.socket)?;
        let accepted = self.make(Command::Call(Call::Accept(listener)))?;
        let Ok(Reply::Socket(socket)) = accepted else {
            return Ok(v1::AcceptResponse { error: error(&accepted), ..Default::default() });
        };
        let (local, peer) = self.ends(socket)?;
        Ok(v1::AcceptResponse { error: String::new(), socket: self.number(socket), local, peer })
    }

    /// The addresses of a connection; empty if it is gone already.
    fn ends(&mut self, socket: SocketId) -> Result<(String, String), Status> {
        let status = self.status(socket)?;
        let ends = |status: SocketStatus| {
            (status.connection.local.to_string(), status.connection.remote.to_string())
        };
        Ok(status.map(ends).unwrap_or_default())
    }

    fn status(&mut self, socket: SocketId) -> Result<Option<SocketStatus>, Status> {
        match self.make(Command::Call(Call::Status(socket)))? {
            Ok(Reply::Status(status)) => Ok(Some(*status)),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// As a system call does, goes on until nothing more is taken.
    pub(crate) fn send(&mut self, request: &v1::SendRequest) -> Result<v1::SendResponse, Status> {
        let socket = self.socket(request.socket)?;
        let flags = SendFlags { more: request.more, end_of_record: request.end_of_record };
        let octets: Arc<[u8]> = request.data.as_slice().into();
        let mut sent = 0;
        loop {
            let call = Call::Send { socket, octets: Arc::clone(&octets), from: sent, flags };
            match self.make(Command::Call(call)) {
                Ok(Ok(Reply::Sent(taken))) => {
                    sent += taken;
                    // An error is left for the next call.
                    if taken == 0 || sent == octets.len() || self.readiness(socket).failed {
                        return Ok(v1::SendResponse { error: String::new(), sent: sent as u64 });
                    }
                }
                Ok(Err(errno)) if sent == 0 => {
                    return Ok(v1::SendResponse { error: errno.name().to_owned(), sent: 0 });
                }
                Err(status) if sent == 0 => return Err(status),
                Ok(_) | Err(_) => return Ok(v1::SendResponse { error: String::new(), sent: sent as u64 }),
            }
        }
    }

    pub(crate) fn receive(&mut self, request: &v1::ReceiveRequest) -> Result<v1::ReceiveResponse, Status> {
        let socket = self.socket(request.socket)?;
        let max = match request.max_bytes as usize {
            0 => RECEIVED,
            max => max.min(MAX_RECEIVED),
        };
        let mut response = v1::ReceiveResponse::default();
        while response.data.len() < max {
            let max_len = max - response.data.len();
            match self.make(Command::Call(Call::Receive { socket, max_len })) {
                Ok(Ok(Reply::Received(mut octets))) => {
                    response.data.append(&mut octets);
                    // An error or the end is left for the next call.
                    let known = self.readiness(socket);
                    if known.failed || known.peer_closed {
                        break;
                    }
                }
                Ok(Ok(Reply::EndOfStream)) => {
                    response.end_of_stream = response.data.is_empty();
                    break;
                }
                Ok(Err(errno)) if response.data.is_empty() => {
                    errno.name().clone_into(&mut response.error);
                    break;
                }
                Err(status) if response.data.is_empty() => return Err(status),
                Ok(_) | Err(_) => break,
            }
        }
        Ok(response)
    }

    pub(crate) fn shutdown(&mut self, request: &v1::ShutdownRequest) -> Result<v1::ShutdownResponse, Status> {
        let socket = self.socket(request.socket)?;
        if !request.write && !request.read {
            return Err(status::argument_invalid(
                "write",
                "nothing is shut down: set `write`, `read` or both",
            ));
        }
        let both = [(request.write, Call::ShutdownWrite(socket)), (request.read, Call::ShutdownRead(socket))];
        for (_, call) in both.into_iter().filter(|(is_asked, _)| *is_asked) {
            let done = self.make(Command::Call(call))?;
            if done.is_err() {
                return Ok(v1::ShutdownResponse { error: error(&done) });
            }
        }
        Ok(v1::ShutdownResponse::default())
    }

    pub(crate) fn close(&mut self, request: &v1::CloseRequest) -> Result<v1::CloseResponse, Status> {
        let socket = self.socket(request.socket)?;
        // Whatever the outcome, it is closed.
        self.make(Command::Call(Call::Close(socket))).map(|_| v1::CloseResponse {})
    }

    pub(crate) fn abort(&mut self, request: &v1::AbortRequest) -> Result<v1::AbortResponse, Status> {
        let socket = self.socket(request.socket)?;
        self.make(Command::Call(Call::Abort(socket))).map(|_| v1::AbortResponse {})
    }

    pub(crate) fn set_options(
        &mut self,
        request: &v1::SetOptionsRequest,
    ) -> Result<v1::SetOptionsResponse, Status> {
        let socket = self.socket(request.socket)?;
        let settings = self.scenario().hosts[socket.host.index()].settings();
        let options = options(request.options.as_ref(), &settings)?;
        self.make(Command::Call(Call::SetOptions(socket, options))).map(|_| v1::SetOptionsResponse {})
    }

    pub(crate) fn get_socket(
        &mut self,
        request: &v1::GetSocketRequest,
    ) -> Result<v1::GetSocketResponse, Status> {
        let socket = self.socket(request.socket)?;
        let readiness = Some(self.readiness(socket));
        let SocketStatus { number, connection, info } = match self.apply(Command::Call(Call::Status(socket)))
        {
            Ok(Reply::Status(status)) => *status,
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
            if let Ok(Reply::Fault(id)) = self.make(Command::AddFault(Box::new(fault)))? {
                numbers.push(id.0 + 1);
            }
        }
        Ok(v1::ApplyFaultsResponse { faults: numbers })
    }
}
