//! CUBIC (RFC 9438): the window is a cubic function of the time since the last loss, flat around the size at which it
//! happened, and never smaller than Reno's would be.
//!
//! It is computed in integers, so that every machine gets the same: windows in 1/1024 segments, time in milliseconds.

use std::time::Duration;

use super::CongestionControl;
use crate::Instant;

/// One segment, in 1/1024 segments.
const ONE: u64 = 1024;
/// `beta_cubic` = 0.7 (RFC 9438 §4.6) in 1/1024, as in Linux.
const BETA: u64 = 717;
/// `C` = 0.4 segments / s^3 (RFC 9438 §5.1), as a fraction.
const C: (u64, u64) = (4, 10);

/// CUBIC.
#[derive(Clone, Debug, Default)]
pub(super) struct Cubic {
    /// `W_max`: the window at the last loss.
    w_max: u64,
    /// `W_max` before the loss that may be undone.
    w_max_before: u64,
    epoch: Option<Epoch>,
    /// Acknowledged segments for which the window has not grown yet.
    credit: u32,
}

/// A period of congestion avoidance (RFC 9438 §4.2).
#[derive(Clone, Debug)]
struct Epoch {
    start: Instant,
    /// `K`: milliseconds until the curve reaches its origin.
    k: u64,
    /// Where the curve is flat, in 1/1024 segments.
    origin: u64,
    /// `W_est`: the window that Reno would have.
    reno: u64,
}

impl Epoch {
    fn new(now: Instant, window: u64, w_max: u64) -> Epoch {
        let (origin, k) = if window < w_max {
            // K = cbrt((W_max - cwnd) / C) seconds (RFC 9438 §4.2).
            let cubed = u128::from(w_max - window) * u128::from(C.1) * 1_000_000_000
                / (u128::from(C.0) * u128::from(ONE));
            (w_max, cube_root(cubed))
        } else {
            (window, 0)
        };
        Epoch { start: now, k, origin, reno: window }
    }

    /// `W_cubic(t)`.
    fn target(&self, millis: u64) -> u64 {
        let distance = u128::from(millis.abs_diff(self.k).min(100_000_000));
        let cubed = distance * distance * distance;
        let delta = cubed * u128::from(C.0) * u128::from(ONE) / (u128::from(C.1) * 1_000_000_000);
        let delta = u64::try_from(delta).unwrap_or(u64::MAX);
        if millis < self.k { self.origin.saturating_sub(delta) } else { self.origin.saturating_add(delta) }
    }
}

impl CongestionControl for Cubic {
    fn avoid(&mut self, now: Instant, rtt: Duration, window: u32, segments: u32) -> u32 {
        let size = u64::from(window) * ONE;
        let w_max = self.w_max;
        let epoch = self.epoch.get_or_insert_with(|| Epoch::new(now, size, w_max));
        // Where the curve will be one round trip from now, at most 1.5 times the window (RFC 9438 §4.2).
        let millis = (now.since(epoch.start) + rtt).as_millis();
        let target = epoch.target(u64::try_from(millis).unwrap_or(u64::MAX)).clamp(size, size + size / 2);
        // Reno with CUBIC's beta (RFC 9438 §4.3): alpha = 3 (1 - beta) / (1 + beta), and 1 once W_max is reached again.
        let alpha = if epoch.reno < w_max { 3 * (ONE - BETA) * ONE / (ONE + BETA) } else { ONE };
        epoch.reno += alpha * u64::from(segments) / u64::from(window);
        let target = target.max(epoch.reno);
        if target <= size {
            return 0;
        }
        // (target - cwnd) / cwnd segments for each acknowledged one: one for every cwnd / (target - cwnd).
        self.credit += segments;
        let every = u32::try_from((size / (target - size)).max(2)).unwrap_or(u32::MAX);
        let more = self.credit / every;
        self.credit %= every;
        more
    }

    fn after_loss(&mut self, window: u32) -> u32 {
        let size = u64::from(window) * ONE;
        self.w_max_before = self.w_max;
        // Fast convergence (RFC 9438 §4.7): a smaller maximum than last time makes room for other connections.
        self.w_max = if size < self.w_max { size * (ONE + BETA) / (2 * ONE) } else { size };
        self.epoch = None;
        self.credit = 0;
        (size * BETA / ONE / ONE) as u32
    }

    fn forget(&mut self) {
        // The path may be a new one (Linux `bictcp_reset`).
        *self = Cubic { w_max_before: self.w_max, ..Cubic::default() };
    }

    fn undo(&mut self) {
        self.w_max = self.w_max_before;
        self.epoch = None;
    }
}

/// The integer cube root, rounded down.
fn cube_root(value: u128) -> u64 {
    let (mut low, mut high) = (0_u128, 1 << 42);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if middle * middle * middle <= value { low = middle } else { high = middle - 1 }
    }
    low as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(100);

    #[test]
    fn cube_roots_are_exact() {
        for (value, root) in [(0, 0), (7, 1), (8, 2), (26, 2), (27, 3), (1_000_000_000, 1000)] {
            assert_eq!(cube_root(value), root);
        }
    }

    /// RFC 9438 §4.2: K = cbrt((W_max - cwnd) / C); after K seconds the window is back at W_max.
    #[test]
    fn after_k_seconds_the_window_is_back_where_the_loss_was() {
        let mut cubic = Cubic::default();
        assert_eq!(cubic.after_loss(100), 70);
        let epoch = Epoch::new(Instant::ZERO, 70 * ONE, 100 * ONE);
        assert_eq!(epoch.k, 4217, "cbrt(30 / 0.4) seconds");
        assert_eq!(epoch.target(0) / ONE, 70);
        assert_eq!(epoch.target(4217) / ONE, 100);
        assert!(epoch.target(3000) / ONE >= 99, "flat near the top");
        assert!(epoch.target(9000) / ONE > 140, "and then it looks for more");
    }

    #[test]
    fn the_window_follows_the_curve() {
        let mut cubic = Cubic::default();
        cubic.after_loss(1000);
        let (mut window, mut now) = (700, Instant::ZERO);
        // K is cbrt(300 / 0.4) = 9.08 s.
        let mut at = Vec::new();
        for round in 0..150 {
            if round % 30 == 0 {
                at.push(window);
            }
            let flight = window;
            for _ in 0..flight {
                window += cubic.avoid(now, RTT, window, 1);
            }
            now += RTT;
        }
        assert_eq!(at[0], 700);
        assert!((840..=930).contains(&at[1]) && (970..=1000).contains(&at[2]), "{at:?}");
        assert!((990..=1010).contains(&at[3]) && at[4] > at[3], "{at:?}");
    }

    #[test]
    fn a_second_loss_below_the_maximum_leaves_room_for_others() {
        let mut cubic = Cubic::default();
        cubic.after_loss(100);
        cubic.after_loss(80);
        assert_eq!(cubic.w_max / ONE, 68, "80 (1 + 0.7) / 2");
        cubic.undo();
        assert_eq!(cubic.w_max / ONE, 100);
    }
}
