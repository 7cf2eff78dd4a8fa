//! The current load of a service.

/// The current load of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// The number of open connections of all ports.
    pub connections: usize,
    /// The number of runs whose stream a client has open, finished runs included.
    pub open_streams: usize,
    /// The number of runs and validations that wait for a thread.
    pub waiting_runs: usize,
    /// The number of runs and validations in progress.
    pub busy_threads: usize,
    /// The number of sessions.
    pub sessions: usize,
    /// The number of events that no reader has taken yet, over all runs. Every 256 bytes of datagrams count as one more
    /// event.
    pub unread_events: u64,
    /// The memory of all runs in progress and of their unread events, in bytes, as far as it is counted.
    pub memory: u64,
}
