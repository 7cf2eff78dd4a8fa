//! The current load of a service.

/// The current load of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The number of open connections of all ports.
    pub connections: usize,
    /// The number of open calls of runs, sessions and renderings, finished runs whose stream is still open included.
    pub open_streams: usize,
    /// The number of tasks that wait for a thread.
    pub waiting_runs: usize,
    /// The number of accepted runs that wait until the threads have room for them.
    pub kept_runs_waiting: usize,
    /// The number of tasks in progress.
    pub busy_threads: usize,
    /// The number of sessions.
    pub sessions: usize,
    /// The number of events that no reader has taken yet, over all runs. Every 256 bytes of datagrams count as one more
    /// event.
    pub unread_events: u64,
    /// The memory of all runs and sessions and of unread events, in bytes, as far as it is counted.
    pub memory: u64,
}
