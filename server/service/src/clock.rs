//! The clocks that the service reads: the time of day, and the time that a thread works.

use std::time::{Duration, SystemTime};

use time::OffsetDateTime;

/// The time of day, by which credentials expire.
#[allow(clippy::disallowed_methods, reason = "credentials expire in the time of the world")]
pub(crate) fn time_of_day() -> OffsetDateTime {
    SystemTime::now().into()
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
