//! The timers of one connection.

use std::time::Duration;

use crate::context::Context;
use crate::{ConnectionId, EventKind, Instant, Timer, TimerChange};

/// Every timer. Of two that are due, the earlier in this list fires first.
const ALL: [Timer; 8] = [
    Timer::TimeWait,
    Timer::FinWait2,
    Timer::Keepalive,
    Timer::DelayedAck,
    Timer::TailLossProbe,
    Timer::Reordering,
    Timer::Retransmission,
    Timer::Persist,
];

/// When each timer fires; `None` is a timer that does not run.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    connection: ConnectionId,
    expires: [Option<Instant>; ALL.len()],
    /// The earliest of them, which is read far more often than it changes.
    next: Option<Instant>,
}

impl Timers {
    pub(crate) fn new(connection: ConnectionId) -> Timers {
        Timers { connection, expires: [None; ALL.len()], next: None }
    }

    /// When `timer` fires.
    pub(crate) fn expires(&self, timer: Timer) -> Option<Instant> {
        self.expires[timer as usize]
    }

    /// Whether `timer` runs.
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.expires(timer).is_some()
    }

    /// Starts `timer`, or starts it again.
    pub(crate) fn set(&mut self, cx: &mut Context<'_>, timer: Timer, after: Duration) {
        let expires = cx.now + after;
        if self.expires[timer as usize] != Some(expires) {
            self.write(timer, Some(expires));
            self.record(cx, timer, TimerChange::Set { expires });
        }
    }

    /// Stops `timer`.
    pub(crate) fn cancel(&mut self, cx: &mut Context<'_>, timer: Timer) {
        if self.is_set(timer) {
            self.write(timer, None);
            self.record(cx, timer, TimerChange::Cancelled);
        }
    }

    /// Stops every timer.
    pub(crate) fn cancel_all(&mut self, cx: &mut Context<'_>) {
        for timer in ALL {
            self.cancel(cx, timer);
        }
    }

    /// When the earliest of them fires.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.next
    }

    fn write(&mut self, timer: Timer, expires: Option<Instant>) {
        self.expires[timer as usize] = expires;
        self.next = self.expires.iter().copied().flatten().min();
    }

    /// A timer that has fired, if any; it no longer runs.
    pub(crate) fn pop_due(&mut self, cx: &mut Context<'_>) -> Option<Timer> {
        let due = ALL.into_iter().find(|timer| self.expires(*timer).is_some_and(|at| at <= cx.now))?;
        self.write(due, None);
        self.record(cx, due, TimerChange::Fired);
        Some(due)
    }

    fn record(&self, cx: &mut Context<'_>, timer: Timer, change: TimerChange) {
        cx.record(self.connection, EventKind::Timer { timer, change });
    }
}
