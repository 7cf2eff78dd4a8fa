//! CUBIC (RFC 9438): the window is a cubic function of the time since the last loss, flat around the size at which it
//! happened, and never smaller than Reno's would be.
//!
//! It is computed as in Linux (`tcp_cubic`): in whole segments and ticks of the clock, so that every machine gets the same.

use std::time::Duration;

use super::hystart::HyStart;
use super::{CongestionControl, Sample};
use crate::{Instant, Seq, Settings};

/// What `BETA` is a fraction of.
const ONE: u64 = 1024;
/// `beta_cubic` = 0.7 (RFC 9438 §4.6).
const BETA: u64 = 717;
/// `C` = 0.4 segments / s³ (RFC 9438 §5.1), times 1024.
const C: u64 = 410;
/// A second, in units of time on the curve.
const SECOND: u64 = 1024;
/// Eighths of the window that are acknowledged while Reno's window grows by one segment: 8 / alpha, where alpha is
/// 3 (1 - beta) / (1 + beta) (RFC 9438 §4.3).
const PER_RENO_SEGMENT: u64 = 8 * (ONE + BETA) / 3 / (ONE - BETA);
/// Where no loss is known, the window grows by at least a twentieth a round trip.
const SLOWEST: u32 = 20;
/// Round trips are not measured for this long after an epoch began (Linux: right after fast recovery).
const UNSETTLED: Duration = Duration::from_secs(1);

/// CUBIC.
#[derive(Clone, Debug)]
pub(super) struct Cubic {
    tick: Duration,
    follows_rfc: bool,
    hystart: Option<HyStart>,
    /// The shortest round trip.
    min_delay: Option<Duration>,
    /// `W_max`: the window at the last loss; 0 before it.
    w_max: u32,
    /// `W_max` before the loss that may be undone.
    w_max_before: u32,
    epoch: Option<Epoch>,
    /// How many acknowledgments the window needs to grow by a segment, for which window, and since which tick.
    every: u32,
    window: u32,
    computed: u64,
}

/// A period of congestion avoidance (RFC 9438 §4.2). Times are in ticks.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    start: u64,
    /// `K`: the time until the curve reaches its origin, in units of time on the curve.
    k: u64,
    /// Where the curve is flat, in segments.
    origin: u64,
    /// `W_est`: the window that Reno would have.
    reno: u32,
    /// What was acknowledged since it last grew.
    acknowledged: u64,
}

impl Cubic {
    pub(super) fn new(settings: &Settings) -> Cubic {
        let tick = settings.rto.granularity.max(Duration::from_millis(1));
        Cubic::fresh(tick, settings.cubic_follows_rfc, settings.hystart.then(HyStart::default))
    }

    /// Knows nothing of the path.
    fn fresh(tick: Duration, follows_rfc: bool, hystart: Option<HyStart>) -> Cubic {
        Cubic {
            tick,
            follows_rfc,
            hystart,
            min_delay: None,
            w_max: 0,
            w_max_before: 0,
            epoch: None,
            every: 0,
            window: 0,
            computed: 0,
        }
    }

    fn ticks(&self, time: Duration) -> u64 {
        (time.as_nanos() / self.tick.as_nanos()) as u64
    }

    /// The same, rounded up.
    fn whole_ticks(&self, time: Duration) -> u64 {
        time.as_nanos().div_ceil(self.tick.as_nanos()) as u64
    }

    /// How many acknowledgments the curve wants for a segment more.
    fn follow_curve(&self, epoch: &Epoch, now: u64, window: u32) -> u32 {
        // Where the curve will be a round trip from now (RFC 9438 §4.2).
        let ticks =
            now.saturating_sub(epoch.start) + self.min_delay.map_or(0, |delay| self.whole_ticks(delay));
        let time = (u128::from(ticks) * self.tick.as_nanos() * u128::from(SECOND) / 1_000_000_000) as u64;
        let target = epoch.target(time);
        let window = u64::from(window);
        let every = if target > window { window / (target - window) } else { 100 * window };
        let every = u32::try_from(every).unwrap_or(u32::MAX);
        if self.w_max == 0 { every.min(SLOWEST) } else { every }
    }
}

impl Epoch {
    fn new(now: u64, window: u32, w_max: u32) -> Epoch {
        let (origin, k) = if w_max > window {
            // K = cbrt((W_max - cwnd) / C) (RFC 9438 §4.2).
            let cubed = u128::from(w_max - window) * u128::from(SECOND * SECOND * SECOND * ONE / C);
            (w_max, cube_root(cubed))
        } else {
            (window, 0)
        };
        Epoch { start: now, k, origin: u64::from(origin), reno: window, acknowledged: 0 }
    }

    /// `W_cubic(t)`.
    fn target(&self, time: u64) -> u64 {
        let distance = u128::from(time.abs_diff(self.k).min(1 << 30));
        let delta =
            distance * distance * distance * u128::from(C) / u128::from(SECOND * SECOND * SECOND * ONE);
        let delta = u64::try_from(delta).unwrap_or(u64::MAX);
        if time < self.k { self.origin.saturating_sub(delta) } else { self.origin.saturating_add(delta) }
    }

    /// `segments` more were acknowledged: the window that Reno would have. It grows by one for each 1 / alpha of a window, and for
    /// each whole window once it has reached `catches_up_at` (RFC 9438 §4.3).
    fn follow_reno(&mut self, window: u32, segments: u32, catches_up_at: Option<u32>) -> u32 {
        self.acknowledged += u64::from(segments);
        loop {
            let caught_up = catches_up_at.is_some_and(|w_max| self.reno >= w_max);
            let needed = if caught_up { u64::from(window) } else { u64::from(window) * PER_RENO_SEGMENT / 8 };
            if self.acknowledged <= needed {
                return self.reno;
            }
            self.acknowledged -= needed.max(1);
            self.reno += 1;
        }
    }
}

impl CongestionControl for Cubic {
    fn acknowledgments_per_segment(&mut self, now: Instant, window: u32, segments: u32) -> u32 {
        let now = self.ticks(now.since(Instant::ZERO));
        let mut epoch = self.epoch.unwrap_or_else(|| Epoch::new(now, window, self.w_max));
        let catches_up_at = self.follows_rfc.then_some(self.w_max);
        // The curve is looked at once a tick; 32 times a second while the window stays.
        if self.window == window && now - self.computed <= self.ticks(Duration::from_secs(1)) / 32 {
            epoch.acknowledged += u64::from(segments);
            self.epoch = self.epoch.map(|_| epoch);
            return self.every;
        }
        if self.epoch.is_none() || now != self.computed {
            (self.window, self.computed) = (window, now);
            self.every = self.follow_curve(&epoch, now, window);
        }
        let reno = epoch.follow_reno(window, segments, catches_up_at);
        if reno > window {
            self.every = self.every.min(window / (reno - window));
        }
        self.epoch = Some(epoch);
        // At most half as much again in a round trip (RFC 9438 §4.2).
        self.every = self.every.max(2);
        self.every
    }

    fn after_loss(&mut self, window: u32) -> u32 {
        self.w_max_before = self.w_max;
        // Fast convergence (RFC 9438 §4.7): a smaller maximum than last time makes room for other connections.
        self.w_max =
            if window < self.w_max { (u64::from(window) * (ONE + BETA) / (2 * ONE)) as u32 } else { window };
        self.epoch = None;
        (u64::from(window) * BETA / ONE) as u32
    }

    fn forget(&mut self, now: Instant, nxt: Seq) {
        // The path may be a new one (`bictcp_reset`).
        let hystart = self.hystart.map(|_| HyStart::new(now, nxt));
        let w_max_before = self.w_max_before;
        *self = Cubic { w_max_before, ..Cubic::fresh(self.tick, self.follows_rfc, hystart) };
    }

    fn undo(&mut self) {
        if self.follows_rfc {
            // RFC 9438 §4.9.
            self.w_max = self.w_max_before;
        }
        self.epoch = None;
    }

    fn measured(&mut self, sample: &Sample, slow_start: Option<u32>) -> bool {
        let now = self.ticks(sample.now.since(Instant::ZERO));
        if self.epoch.is_some_and(|epoch| now.saturating_sub(epoch.start) < self.ticks(UNSETTLED)) {
            return false;
        }
        let min_delay = self.min_delay.map_or(sample.rtt, |delay| delay.min(sample.rtt));
        self.min_delay = Some(min_delay);
        let hystart = self.hystart.as_mut().zip(slow_start);
        hystart.is_some_and(|(hystart, window)| hystart.ends(window, sample, min_delay))
    }

    fn resumed(&mut self, now: Instant, idle: Duration) {
        // Time without data does not count (`cubictcp_cwnd_event`).
        let (now, idle) = (self.ticks(now.since(Instant::ZERO)), self.ticks(idle));
        if let Some(epoch) = &mut self.epoch {
            epoch.start = (epoch.start + idle).min(now);
        }
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
    use crate::Profile;

    const RTT: Duration = Duration::from_millis(100);

    fn cubic() -> Cubic {
        Cubic::new(&Profile::Linux.settings())
    }

    #[test]
    fn cube_roots_are_exact() {
        for (value, root) in [(0, 0), (7, 1), (8, 2), (26, 2), (27, 3), (1_000_000_000, 1000)] {
            assert_eq!(cube_root(value), root);
        }
    }

    /// RFC 9438 §4.2: K = cbrt((W_max - cwnd) / C); after K seconds the window is back at W_max.
    #[test]
    fn after_k_seconds_the_window_is_back_where_the_loss_was() {
        assert_eq!(cubic().after_loss(100), 70);
        let epoch = Epoch::new(0, 70, 100);
        assert_eq!(epoch.k, 4316, "cbrt(30 / 0.4) seconds");
        assert_eq!(epoch.target(0), 71, "70, rounded");
        assert_eq!(epoch.target(4315), 100);
        assert!(epoch.target(3072) >= 99, "flat near the top");
        assert!(epoch.target(9216) > 140, "and then it looks for more");
    }

    /// The window at the beginning of each of some round trips after a loss.
    fn windows(mut cubic: Cubic, lost_at: u32, rounds: u32, rtt: Duration) -> Vec<u32> {
        let mut window = cubic.after_loss(lost_at);
        let (mut now, mut credit) = (Instant::ZERO, 0);
        cubic.min_delay = Some(rtt);
        let mut windows = Vec::new();
        for _ in 0..rounds {
            windows.push(window);
            let acknowledged = window;
            for _ in 0..acknowledged {
                let every = cubic.acknowledgments_per_segment(now, window, 1);
                credit += 1;
                if credit >= every {
                    (window, credit) = (window + 1, 0);
                }
            }
            now += rtt;
        }
        windows
    }

    #[test]
    fn the_window_follows_the_curve() {
        // K is cbrt(300 / 0.4) = 9.08 s.
        let at: Vec<u32> = windows(cubic(), 1000, 150, RTT).into_iter().step_by(30).collect();
        assert_eq!(at[0], 700);
        assert!((840..=930).contains(&at[1]) && (970..=1000).contains(&at[2]), "{at:?}");
        assert!((990..=1010).contains(&at[3]) && at[4] > at[3], "{at:?}");
    }

    /// On a short path Reno's window is larger than that of the curve. RFC 9438 §4.3 lets it grow faster once it has reached
    /// `W_max`; `tcp_cubic` does not.
    #[test]
    fn reno_catches_up_where_the_rfc_is_followed() {
        let rtt = Duration::from_millis(10);
        let rfc = Cubic { follows_rfc: true, ..cubic() };
        let [linux, rfc] = [cubic(), rfc].map(|cubic| windows(cubic, 20, 80, rtt));
        let reached = rfc.iter().position(|window| *window > 20).expect("it grows");
        assert_eq!(linux[..reached], rfc[..reached]);
        assert_eq!((linux[79] - 14, rfc[79] - 20), (40, 64), "by 0.53 and by 1 a round trip");
    }

    #[test]
    fn a_second_loss_below_the_maximum_leaves_room_for_others() {
        for follows_rfc in [false, true] {
            let mut cubic = Cubic { follows_rfc, ..cubic() };
            cubic.after_loss(100);
            cubic.after_loss(80);
            assert_eq!(cubic.w_max, 68, "80 (1 + 0.7) / 2");
            cubic.undo();
            assert_eq!(cubic.w_max, if follows_rfc { 100 } else { 68 });
        }
    }
}
