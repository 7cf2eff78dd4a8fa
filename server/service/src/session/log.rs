//! The calls of a session, for whoever wants to play it again.

use halfopen_scenario::{CallKind, Calls, Limits, Location, TimedCall};
use halfopen_tcp::Instant;
use tonic::{Code, Status};

use crate::status;

/// The most bytes of sent data that are kept. In base64 they are a third larger.
const MAX_BYTES: usize = Limits::MAX_TEXT / 2;

/// The calls that were made, as long as a scenario has room for them.
#[derive(Debug, Default)]
pub(super) struct Log {
    calls: Vec<TimedCall>,
    bytes: usize,
    is_too_long: bool,
}

impl Log {
    /// A call was made when so much of an instant had happened.
    pub(super) fn add(&mut self, time: Instant, turn: u32, call: CallKind) {
        self.bytes += if let CallKind::Send { octets, .. } = &call { octets.len() } else { 0 };
        if self.calls.len() >= Limits::MAX_CALLS || self.bytes > MAX_BYTES {
            self.is_too_long = true;
            self.calls = Vec::new();
        }
        if !self.is_too_long {
            let (location, text) = (Location::default(), String::new());
            self.calls.push(TimedCall { time: time.as_duration(), turn, call, location, text });
        }
    }

    /// The calls.
    pub(super) fn calls(&self) -> Result<Calls, Status> {
        if self.is_too_long {
            return Err(too_long());
        }
        let opened =
            self.calls.iter().filter_map(|timed| timed.call.opens()).map(|socket| socket.0 + 1).max();
        let sockets = (1..=opened.unwrap_or(0)).map(|number| format!("s{number}")).collect();
        Ok(Calls { sockets, list: self.calls.clone() })
    }
}

/// A session that is too long for a scenario.
pub(crate) fn too_long() -> Status {
    let message = format!(
        "the session is too long for a scenario, which has at most {} calls and {} bytes of text",
        Limits::MAX_CALLS,
        Limits::MAX_TEXT,
    );
    status::session(Code::FailedPrecondition, "EXPORT_TOO_LONG", &message)
}
