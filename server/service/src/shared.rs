//! The state that the handlers of a service share.

use std::sync::Arc;

use crate::config::Config;
use crate::cost::Memory;
use crate::execution::Runner;
use crate::lifecycle::Lifecycle;
use crate::loading::Latest;
use crate::pool::Pool;
use crate::port::Connections;
use crate::session::Sessions;
use crate::tail::Unread;

/// The state that the handlers of a service share.
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    pub(crate) runner: Arc<dyn Runner>,
    pub(crate) latest: Latest,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) unread: Unread,
    pub(crate) memory: Memory,
    pub(crate) connections: Connections,
    pub(crate) sessions: Sessions,
}

/// The current load of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The number of open connections of all ports.
    pub connections: usize,
    /// The number of runs whose stream a client has open, finished runs included.
    pub open_streams: usize,
    /// The number of runs and validations that wait for a thread.
    pub waiting_runs: usize,
    /// The number of sessions.
    pub sessions: usize,
    /// The number of events that no reader has taken yet, over all runs. Every 256 bytes of datagrams count as one more
    /// event.
    pub unread_events: u64,
    /// The memory of all runs in progress and of their unread events, in bytes, as far as it is counted.
    pub memory: u64,
}

impl Shared {
    pub(crate) fn load(&self) -> Load {
        Load {
            connections: self.connections.open(),
            open_streams: self.lifecycle.open_streams(),
            waiting_runs: self.pool.waiting(),
            sessions: self.sessions.count(),
            unread_events: self.unread.events(),
            memory: self.memory.in_use(),
        }
    }
}
