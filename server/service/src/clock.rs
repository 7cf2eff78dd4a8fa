//! The clocks that the service reads: the time of day, and the time that a thread works.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use halfopen_history::Time;
use time::OffsetDateTime;

/// The time of day, by which credentials expire.
#[allow(clippy::disallowed_methods, reason = "credentials expire in the time of the world")]
pub(crate) fn time_of_day() -> OffsetDateTime {
    SystemTime::now().into()
}

/// The same, by which it is known when runs were accepted, began and ended.
#[allow(clippy::disallowed_methods, reason = "runs are kept for people")]
pub(crate) fn wall_time() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The processor time of the calling thread.
#[cfg(unix)]
pub(crate) fn thread_time() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // The clock counts from zero.
    Duration::try_from(time).unwrap_or_default()
}

/// The wall time, where threads have no clock of their own.
#[cfg(not(unix))]
pub(crate) fn thread_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}
