//! What every step of a connection may use.

use std::collections::VecDeque;

use crate::{ConnectionId, Event, EventKind, Instant, Settings, Subject};

/// The time, the host's settings, and the events that nobody has polled for yet.
pub(crate) struct Context<'a> {
    pub(crate) now: Instant,
    pub(crate) settings: &'a Settings,
    pub(crate) events: &'a mut VecDeque<Event>,
}

impl Context<'_> {
    /// Something happened to a connection.
    pub(crate) fn record(&mut self, connection: ConnectionId, kind: EventKind) {
        self.events.push_back(Event { subject: Subject::Connection(connection), kind });
    }
}
