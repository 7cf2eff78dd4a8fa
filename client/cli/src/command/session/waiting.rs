//! Time passes, and sockets become ready.

use std::time::Duration;

use halfopen_client::session::CallError;
use halfopen_proto::v1::session_condition::Condition;
use halfopen_proto::v1::{self, AdvanceStop, SocketReadiness, advance_request};
use halfopen_view::words::{self, to_proto};

use super::instruction::{Advance, Limit};
use super::player::{Kind, PlayError, Player, Socket};

/// The reason that a call on a socket is refused which is closed.
const CLOSED: &str = "SOCKET_CLOSED";

impl Player {
    /// Lets time pass. If nothing is said, until one more socket is ready.
    pub(super) async fn advance(&mut self, Advance { limit, until }: Advance) -> Result<(), PlayError> {
        if let Some(Condition::Readable(socket) | Condition::Writable(socket)) = until {
            self.socket(socket)?;
        }
        let conditions = match (&until, limit) {
            (Some(condition), _) => vec![condition.clone()],
            (None, Some(_)) => Vec::new(),
            (None, None) => self.awaited(),
        };
        let stopped = self.calls.advance(request(limit, conditions)).await?;
        self.stand_still(&stopped).await?;
        match until {
            Some(_) if stopped.stop() != AdvanceStop::Condition => {
                Err(PlayError::Unmet("what `advance until` waits for did not happen".to_owned()))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Lets time pass to the next moment at which something happens.
    pub(super) async fn step(&mut self) -> Result<(), PlayError> {
        let still = request(Some(Limit::By(Duration::ZERO)), Vec::new());
        let mut stopped = self.calls.advance(still).await?;
        let seen = self.screen.last_event();
        // Timers that nobody sees fire in between.
        while stopped.stop() == AdvanceStop::Time && stopped.last_sequence == seen {
            let limit = stopped.next.map(|next| Limit::Through(words::from_proto(Some(&next))));
            stopped = self.calls.advance(request(limit, Vec::new())).await?;
        }
        self.stand_still(&stopped).await
    }

    /// Shows what has happened, and says why time stands still again.
    async fn stand_still(&mut self, stopped: &v1::AdvanceResponse) -> Result<(), PlayError> {
        self.now = words::from_proto(stopped.time.as_ref());
        self.show().await?;
        let why = match stopped.stop() {
            AdvanceStop::Time | AdvanceStop::Condition => String::new(),
            AdvanceStop::Idle => ": nothing can happen any more unless you do something".to_owned(),
            AdvanceStop::End => ": the scenario ends here, and only finish is left".to_owned(),
            AdvanceStop::Limit => {
                format!(": {}; only finish is left", words::limit_reached(stopped.limit.as_ref()))
            }
            AdvanceStop::Unspecified => ": the server is newer than this client".to_owned(),
        };
        self.screen.line(&format!("now {}{why}", words::duration(self.now)))?;
        self.look().await
    }

    /// What every open socket waits for that is not ready.
    fn awaited(&self) -> Vec<Condition> {
        let mut awaited = Vec::new();
        for (number, Socket { kind, ready, is_asleep, .. }) in &self.sockets {
            let (reads, writes) = match kind {
                _ if *is_asleep => (false, false),
                Kind::Listening => (true, false),
                Kind::Connecting => (false, true),
                Kind::Connected => (true, true),
                Kind::Failed => (false, false),
            };
            awaited.extend((reads && !ready.readable).then_some(Condition::Readable(*number)));
            awaited.extend((writes && !ready.writable).then_some(Condition::Writable(*number)));
        }
        awaited
    }

    /// Says which sockets have become ready.
    pub(super) async fn look(&mut self) -> Result<(), PlayError> {
        for (number, mut socket) in self.sockets.clone() {
            let request = v1::GetSocketRequest { socket: number, ..Default::default() };
            let gone = SocketReadiness { gone: true, ..socket.ready };
            let (ready, is_asleep) = match self.calls.get_socket(request).await {
                Ok(found) => (found.readiness.unwrap_or(socket.ready), false),
                Err(CallError::Refused { reason, .. }) if reason == CLOSED => (gone, false),
                Err(CallError::Refused { .. }) => (socket.ready, true),
                Err(error) => return Err(error.into()),
            };
            socket.is_asleep = is_asleep;
            if ready.gone {
                let why = "its process was killed, or its host lost power";
                self.screen.line(&format!("socket {number} is gone: {why}"))?;
                self.sockets.remove(&number);
                continue;
            }
            if socket.kind == Kind::Connecting && (ready.writable || ready.failed) {
                self.connected(number, &mut socket).await?;
            }
            if let Some(news) = news(number, &socket, &ready) {
                self.screen.line(&news)?;
            }
            socket.ready = ready;
            self.sockets.insert(number, socket);
        }
        Ok(())
    }

    /// Says what came of connecting.
    async fn connected(&mut self, number: u32, socket: &mut Socket) -> Result<(), PlayError> {
        let request = v1::FinishConnectRequest { socket: number, ..Default::default() };
        let error = self.calls.finish_connect(request).await?.error;
        socket.ready.writable = true;
        let text = match error.as_str() {
            "" => {
                socket.kind = Kind::Connected;
                format!("socket {number} is connected")
            }
            error => {
                socket.kind = Kind::Failed;
                format!("socket {number} cannot connect: {error}")
            }
        };
        Ok(self.screen.line(&text)?)
    }
}

/// Asks for time to pass.
fn request(limit: Option<Limit>, conditions: Vec<Condition>) -> v1::AdvanceRequest {
    let limit = limit.map(|limit| match limit {
        Limit::By(time) => advance_request::Limit::By(to_proto(time)),
        Limit::Until(time) => advance_request::Limit::Until(to_proto(time)),
        Limit::Through(time) => advance_request::Limit::Through(to_proto(time)),
    });
    let some = |condition| v1::SessionCondition { condition: Some(condition) };
    let conditions = conditions.into_iter().map(some).collect();
    v1::AdvanceRequest { limit, conditions, ..Default::default() }
}

/// What has become ready at a socket.
fn news(number: u32, socket: &Socket, ready: &SocketReadiness) -> Option<String> {
    let known = &socket.ready;
    match socket.kind {
        Kind::Listening if ready.readable && !known.readable => {
            Some(format!("a connection waits: accept {number}"))
        }
        Kind::Connected if ready.failed && !known.failed => {
            Some(format!("socket {number} has failed: receive {number} says why"))
        }
        Kind::Connected if ready.readable && !known.readable => {
            Some(format!("socket {number} is readable: receive {number}"))
        }
        Kind::Connected if ready.writable && !known.writable => {
            Some(format!("socket {number} takes data again: send {number}"))
        }
        Kind::Listening | Kind::Connecting | Kind::Connected | Kind::Failed => None,
    }
}
