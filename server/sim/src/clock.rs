//! The clock of a host: what `now` means for its TCP and its programs.

use std::time::Duration;

use halfopen_scenario::Limits;
use halfopen_tcp::Instant;

/// How far a clock may run ahead: with the longest run that leaves room in an [`Instant`] for every timer.
const MOST_AHEAD: Duration = Limits::MAX_VIRTUAL_TIME.saturating_mul(4);

/// A clock that goes with the time of the run, and may have jumped or stood still. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    ahead: Duration,
    behind: Duration,
}

impl Clock {
    /// Advances the clock; `false` if it cannot represent the result.
    pub(crate) fn jump(&mut self, by: Duration) -> bool {
        let ahead = self.ahead.saturating_add(by);
        if ahead <= MOST_AHEAD {
            self.ahead = ahead;
        }
        ahead <= MOST_AHEAD
    }

    /// Has stood still for so long.
    pub(crate) fn lose(&mut self, time: Duration) {
        self.behind += time;
    }

    /// What it shows at a time of the run.
    pub(crate) fn at(self, time: Instant) -> Instant {
        Instant::ZERO + time.as_duration().saturating_add(self.ahead).saturating_sub(self.behind)
    }

    /// When it shows this, if nothing happens to it before; a moment that it has skipped is long past.
    pub(crate) fn time_of(self, shown: Instant) -> Instant {
        if shown == Instant::FAR_FUTURE {
            return shown;
        }
        Instant::ZERO + shown.as_duration().saturating_add(self.behind).saturating_sub(self.ahead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_clock_jumps_and_stands_still_and_knows_when_it_shows_what() {
        let mut clock = Clock::default();
        let noon = Instant::ZERO + 12 * HOUR;
        assert_eq!((clock.at(noon), clock.time_of(noon)), (noon, noon));
        assert!(clock.jump(3 * HOUR));
        clock.lose(HOUR);
        assert_eq!(clock.at(noon), noon + 2 * HOUR);
        assert_eq!(clock.time_of(noon + 2 * HOUR), noon);
        assert_eq!(clock.time_of(Instant::ZERO + HOUR), Instant::ZERO, "skipped");
        assert!(!clock.jump(MOST_AHEAD));
        assert_eq!(clock.at(noon), noon + 2 * HOUR);
    }
}
