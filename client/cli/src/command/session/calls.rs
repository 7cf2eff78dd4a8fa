//! Calls on sockets, and faults, with what came of each in words.

use halfopen_proto::v1::{self, SocketOptions, SocketReadiness};
use halfopen_view::words;

use super::player::{Kind, PlayError, Player, Socket};
use super::quoting::quoted;

/// The error of a call that would have to wait.
const WOULD_BLOCK: &str = "EAGAIN";
/// How much of what was received is shown, in bytes.
const SHOWN: usize = 200;

impl Player {
    pub(super) async fn listen(
        &mut self,
        host: String,
        port: u16,
        options: SocketOptions,
    ) -> Result<String, PlayError> {
        let (port, options) = (port.into(), Some(options));
        let request = v1::ListenRequest { host: host.clone(), port, options, ..Default::default() };
        let v1::ListenResponse { error, socket, local } = self.calls.listen(request).await?;
        if !error.is_empty() {
            return Ok(format!("listen: {error}"));
        }
        let text = format!("socket {socket} listens on {local}");
        self.open(socket, host, local, Kind::Listening);
        Ok(text)
    }

    pub(super) async fn connect(
        &mut self,
        host: String,
        to: String,
        options: SocketOptions,
    ) -> Result<String, PlayError> {
        let options = Some(options);
        let request = v1::StartConnectRequest { host: host.clone(), to, options, ..Default::default() };
        let v1::StartConnectResponse { error, socket, local, peer } =
            self.calls.start_connect(request).await?;
        // Without a socket there is nothing to wait for.
        if socket == 0 {
            return Ok(format!("connect: {error}"));
        }
        let text = format!("socket {socket} connects from {local} to {peer}");
        self.open(socket, host, local, Kind::Connecting);
        Ok(text)
    }

    pub(super) async fn accept(&mut self, listener: u32) -> Result<String, PlayError> {
        let host = self.socket(listener)?.host.clone();
        let request = v1::AcceptRequest { socket: listener, ..Default::default() };
        let v1::AcceptResponse { error, socket, local, peer } = self.calls.accept(request).await?;
        if !error.is_empty() {
            return Ok(failed("accept", &error, "no connection waits: advance"));
        }
        self.open(socket, host, local, Kind::Connected);
        Ok(format!("socket {socket} is connected with {peer}"))
    }

    pub(super) async fn send(&mut self, socket: u32, data: Vec<u8>) -> Result<String, PlayError> {
        self.socket(socket)?;
        let all = data.len() as u64;
        let request = v1::SendRequest { socket, data, ..Default::default() };
        let v1::SendResponse { error, sent } = self.calls.send(request).await?;
        Ok(match error.as_str() {
            "" if sent < all => format!("sent {sent} of {all} bytes: the send buffer is full, advance"),
            "" => format!("sent {}", words::count(sent, "byte")),
            error => failed("send", error, "the send buffer is full: advance"),
        })
    }

    pub(super) async fn receive(&mut self, socket: u32, max_bytes: u32) -> Result<String, PlayError> {
        self.socket(socket)?;
        let request = v1::ReceiveRequest { socket, max_bytes, ..Default::default() };
        let v1::ReceiveResponse { error, data, end_of_stream } = self.calls.receive(request).await?;
        Ok(match error.as_str() {
            "" if end_of_stream => "received the end of the stream".to_owned(),
            "" => format!("received {}: {}", words::count(data.len() as u64, "byte"), shown(&data)),
            error => failed("receive", error, "nothing has arrived: advance"),
        })
    }

    pub(super) async fn shutdown(&mut self, socket: u32) -> Result<String, PlayError> {
        self.socket(socket)?;
        let request = v1::ShutdownRequest { socket, write: true, ..Default::default() };
        let v1::ShutdownResponse { error } = self.calls.shutdown(request).await?;
        Ok(match error.as_str() {
            "" => format!("socket {socket} sends nothing more"),
            error => format!("shutdown: {error}"),
        })
    }

    pub(super) async fn close(&mut self, socket: u32) -> Result<String, PlayError> {
        self.socket(socket)?;
        self.calls.close(v1::CloseRequest { socket, ..Default::default() }).await?;
        self.sockets.remove(&socket);
        Ok(format!("socket {socket} is closed"))
    }

    pub(super) async fn abort(&mut self, socket: u32) -> Result<String, PlayError> {
        self.socket(socket)?;
        self.calls.abort(v1::AbortRequest { socket, ..Default::default() }).await?;
        self.sockets.remove(&socket);
        Ok(format!("socket {socket} is closed and its connection reset"))
    }

    pub(super) async fn set(&mut self, socket: u32, options: SocketOptions) -> Result<String, PlayError> {
        self.socket(socket)?;
        let request = v1::SetOptionsRequest { socket, options: Some(options), ..Default::default() };
        self.calls.set_options(request).await?;
        Ok(format!("socket {socket} has new options"))
    }

    pub(super) async fn fault(&mut self, yaml: String) -> Result<String, PlayError> {
        let request = v1::ApplyFaultsRequest { yaml, ..Default::default() };
        let faults = self.calls.apply_faults(request).await?.faults;
        let numbers: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let noun = if numbers.len() == 1 { "fault" } else { "faults" };
        Ok(format!("added {noun} {}", numbers.join(", ")))
    }

    pub(super) async fn lift(&mut self, fault: u32) -> Result<String, PlayError> {
        self.calls.lift_fault(v1::LiftFaultRequest { fault, ..Default::default() }).await?;
        Ok(format!("fault {fault} is lifted"))
    }

    fn open(&mut self, number: u32, host: String, local: String, kind: Kind) {
        // That a new connection is writable goes without saying.
        let ready = SocketReadiness { writable: kind == Kind::Connected, ..SocketReadiness::default() };
        self.sockets.insert(number, Socket { host, local, kind, ready, is_asleep: false });
    }
}

/// That a call failed, and what to do if it would have to wait.
fn failed(call: &str, error: &str, help: &str) -> String {
    let help = if error == WOULD_BLOCK { format!(" ({help})") } else { String::new() };
    format!("{call}: {error}{help}")
}

/// The beginning of what was received.
fn shown(data: &[u8]) -> String {
    let more = if data.len() > SHOWN { " ..." } else { "" };
    format!("{}{more}", quoted(&data[..data.len().min(SHOWN)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_received_the_beginning_is_shown() {
        assert_eq!(shown(&[b'x'; 200]), format!("\"{}\"", "x".repeat(200)));
        assert_eq!(shown(&[b'x'; 201]), format!("\"{}\" ...", "x".repeat(200)));
    }
}
