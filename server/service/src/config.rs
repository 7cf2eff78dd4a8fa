//! The limits of a service.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use halfopen_sim::Budget;

/// The maximum size of a request, in bytes. It is larger than the limit for scenarios, so that a text slightly over that
/// limit gets the clearer error of the scenario language.
pub(crate) const MAX_REQUEST: usize = 8 << 20;

/// The limits of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The number of tasks in progress if one client causes all of them and they are of one kind. Clients and kinds of work that
    /// have none in progress get 16 threads more, so that long runs of one do not hold up the others.
    pub threads: NonZeroUsize,
    /// The number of tasks of one kind of one client that may wait for a thread; further ones get RESOURCE_EXHAUSTED.
    pub queue: usize,
    /// The number of unread events, over all clients. A client whose readers keep more than its share, a quarter or less if
    /// there are many, gets RESOURCE_EXHAUSTED for new runs. Every 256 bytes of requested datagrams count as one more event.
    pub max_unread_events: u64,
    /// How long a reader may take no event although some are waiting; then its run ends with ABORTED.
    pub max_pause: Duration,
    /// The number of sessions, over all clients. One client may have half of them.
    pub max_sessions: usize,
    /// What each run may cost. One that would cost more ends as unfinished.
    pub budget: Budget,
    /// The processor time of a run, if that is limited; then it ends as unfinished. This limit alone depends on the machine. Where
    /// it is limited, long work gives way on Linux: after 50 ms of processor time its thread goes on with the nice value 10.
    pub processor_time: Option<Duration>,
    /// The memory of all runs and sessions and of unread events, in bytes, at which further calls get
    /// RESOURCE_EXHAUSTED. What was accepted goes on.
    pub max_memory: u64,
    /// How long open runs may continue after the service was asked to stop.
    pub grace: Duration,
}

impl Config {
    /// For a service that only its own process uses: [`Budget::OWN`], and no limit of time or of the memory of all runs.
    pub fn own() -> Config {
        Config { budget: Budget::OWN, processor_time: None, max_memory: u64::MAX, ..Config::default() }
    }
}

impl Default for Config {
    /// For a service that many use: one thread per core, 256 waiting calls of a client, four million unread events, pauses of 5
    /// minutes, 2,048 sessions, [`Budget::SHARED`] and a minute for each run, 2 GiB for all, 5 seconds to stop.
    fn default() -> Config {
        Config {
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: 256,
            max_unread_events: 4_000_000,
            max_pause: Duration::from_secs(300),
            max_sessions: 2048,
            budget: Budget::SHARED,
            processor_time: Some(Duration::from_secs(60)),
            max_memory: 2 << 30,
            grace: Duration::from_secs(5),
        }
    }
}
