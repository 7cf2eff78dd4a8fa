//! The state that the handlers of a service share.

use std::sync::Arc;

use crate::config::Config;
use crate::cost::Memory;
use crate::execution::Runner;
use crate::lifecycle::Lifecycle;
use crate::load::Load;
use crate::loading::Latest;
use crate::metrics::Metrics;
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
    pub(crate) metrics: Arc<Metrics>,
}

impl Shared {
    pub(crate) fn load(&self) -> Load {
        let (waiting_runs, busy_threads) = self.pool.load();
        Load {
            connections: self.connections.open(),
            open_streams: self.lifecycle.open_streams(),
            sessions: self.sessions.count(),
            waiting_runs,
            busy_threads,
            unread_events: self.unread.events(),
            memory: self.memory.in_use(),
        }
    }
}
