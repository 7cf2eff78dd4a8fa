//! The application behind the connection: what it asked for, and what it is still to learn.

use std::time::Duration;

use super::{Connection, Context};
use crate::{Cause, Errno, EventKind, Report, Settings, State};

/// What the options of the socket say.
#[derive(Clone, Copy, Debug)]
pub(super) struct SocketSettings {
    /// Whether Nagle's algorithm is on (TCP_NODELAY switches it off).
    pub(super) nagle: bool,
    /// Whether segments that are not full wait for more (TCP_CORK).
    pub(super) cork: bool,
    /// How long data may stay unacknowledged, or a probed peer silent (TCP_USER_TIMEOUT).
    pub(super) user_timeout: Option<Duration>,
    /// How long `close` waits for the last acknowledgment; with zero it resets (SO_LINGER).
    pub(super) linger: Option<Duration>,
    /// The largest MSS that is announced to the peer or accepted from it, octets (TCP_MAXSEG); `None` is what the path MTU allows.
    pub(super) mss: Option<u16>,
}

impl SocketSettings {
    pub(super) fn new(settings: &Settings) -> SocketSettings {
        let Settings { nagle, user_timeout, mss, .. } = *settings;
        SocketSettings { nagle, cork: false, user_timeout, linger: None, mss }
    }
}

/// The application's state.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Application {
    /// It has closed the socket, so that nobody reads and nobody learns of errors: the connection is an orphan.
    pub(super) has_closed: bool,
    /// It reads no more than what has arrived (`shutdown(SHUT_RD)`).
    pub(super) read_shut: bool,
    /// It has written with MSG_MORE, and no segment has arrived since.
    pub(super) holds_back: bool,
    /// It has set TCP_NODELAY, and written nothing since: what waits is sent, even in a corked socket (Linux TCP_NAGLE_PUSH).
    pub(super) pushes: bool,
    /// What its next call fails with.
    pub(super) error: Option<Errno>,
    /// What a router reported: the error if the connection is given up later.
    pub(super) soft_error: Option<Errno>,
}

impl Connection {
    /// The application has closed the socket.
    pub(super) fn is_orphan(&self) -> bool {
        self.application.has_closed
    }

    /// A connection of a passive open whose handshake is not complete: no application has it yet.
    pub(crate) fn is_embryonic(&self) -> bool {
        self.state == State::SynReceived && self.parent.is_some()
    }

    /// The connection ends with an error, which the application gets if there still is one.
    pub(super) fn fail(&mut self, cx: &mut Context<'_>, errno: Errno, cause: Cause) {
        if !self.is_orphan() {
            self.application.error = Some(errno);
            self.record(cx, EventKind::Error(errno));
        }
        self.transition(cx, State::Closed, cause);
    }

    /// The connection is given up: the error is what a router reported, or ETIMEDOUT.
    pub(super) fn give_up(&mut self, cx: &mut Context<'_>, cause: Cause) {
        let errno = self.application.soft_error.unwrap_or(Errno::TimedOut);
        self.fail(cx, errno, cause);
    }

    /// Reports to the application, if there still is one, what does not end the connection (RFC 9293 §3.9.1.8).
    pub(super) fn report(&self, cx: &mut Context<'_>, report: Report) {
        if !self.is_orphan() {
            self.record(cx, EventKind::Report(report));
        }
    }
}
