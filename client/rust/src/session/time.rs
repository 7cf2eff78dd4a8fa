//! Time in a session.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::world::World;

/// The clock of a session: time since its start.
#[derive(Clone, Debug)]
pub struct Clock {
    world: World,
}

impl Clock {
    pub(super) fn new(world: World) -> Clock {
        Clock { world }
    }

    /// The virtual time.
    pub fn now(&self) -> Duration {
        self.world.lock().now
    }

    /// Waits for this long, which takes no time outside.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.sleep_until(self.now().saturating_add(time))
    }

    /// Waits until this time since the start.
    pub fn sleep_until(&self, time: Duration) -> Sleep {
        Sleep { world: self.world.clone(), time, number: None }
    }
}

/// Waits until an instant. Made by [`Clock::sleep`].
#[derive(Debug)]
#[must_use = "it waits only when it is awaited"]
pub struct Sleep {
    world: World,
    time: Duration,
    /// Identifies the wait once it has begun.
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.world.lock().now >= self.time {
            return Poll::Ready(());
        }
        self.number = Some(self.world.wait_until(self.time, self.number, context));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.world.lock().timers.remove(&(self.time, number));
        }
    }
}
