//! Congestion control: how many segments may be in flight.
//!
//! [`Window`] is what all algorithms share: the window, slow start, and what a loss costs until it is undone.
//! [`CongestionControl`] is what differs: how the window grows in congestion avoidance, and the threshold after a loss.

mod cubic;
mod hystart;
mod new_reno;
mod usage;

use std::time::Duration;

use cubic::Cubic;
use new_reno::NewReno;
use usage::Usage;

use crate::{CongestionAlgorithm, Instant, Seq, Settings};

pub(crate) use usage::Flight;

/// A congestion control algorithm.
pub(super) trait CongestionControl: std::fmt::Debug {
    /// `segments` were acknowledged in congestion avoidance; returns how many it takes for the window to grow by one.
    fn acknowledgments_per_segment(&mut self, now: Instant, window: u32, segments: u32) -> u32;

    /// Segments were lost; returns the slow start threshold that follows from `window`.
    fn after_loss(&mut self, window: u32) -> u32;

    /// The retransmission timer fired: what was learned of the path no longer holds.
    fn forget(&mut self, now: Instant, nxt: Seq);

    /// Nothing was lost after all.
    fn undo(&mut self);

    /// Takes a measurement. `slow_start` is the window while it is below the threshold; returns whether it is large enough.
    fn measured(&mut self, sample: &Sample, slow_start: Option<u32>) -> bool;

    /// Data is sent again, after nothing was in flight for `idle`.
    fn resumed(&mut self, now: Instant, idle: Duration);
}

/// What the acknowledgment of a segment that was sent once shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) now: Instant,
    /// The round-trip time of the last such segment.
    pub(crate) rtt: Duration,
    /// `snd.una` and `snd.nxt`.
    pub(crate) una: Seq,
    pub(crate) nxt: Seq,
    /// How long the largest packets take to be sent and put together again.
    pub(crate) packet_delay: Duration,
}

/// The congestion window, in segments.
#[derive(Debug)]
pub(crate) struct Window {
    algorithm: Option<Box<dyn CongestionControl>>,
    /// Segments that may be in flight (`cwnd`).
    size: u32,
    /// Slow start ends here (`ssthresh`).
    threshold: u32,
    initial: u32,
    /// Whether a window that is not used falls step by step (RFC 2861).
    validated: bool,
    usage: Usage,
    /// Acknowledged segments for which the window has not grown yet.
    credit: u32,
    /// The size and the threshold before the loss that is being repaired.
    before_loss: Option<(u32, u32)>,
    /// Whether a router has said that it is congested, so that nothing can be undone.
    is_congested: bool,
}

impl Window {
    pub(crate) fn new(settings: &Settings) -> Window {
        let algorithm: Option<Box<dyn CongestionControl>> = match settings.congestion {
            CongestionAlgorithm::Cubic => Some(Box::new(Cubic::new(settings))),
            CongestionAlgorithm::NewReno => Some(Box::new(NewReno)),
            CongestionAlgorithm::None => None,
        };
        let initial = settings.initial_window.max(1);
        Window {
            algorithm,
            size: initial,
            threshold: u32::MAX,
            initial,
            validated: settings.window_validation && settings.slow_start_after_idle,
            usage: Usage::default(),
            credit: 0,
            before_loss: None,
            is_congested: false,
        }
    }

    /// Segments that may be in flight.
    pub(crate) fn size(&self) -> u32 {
        if self.algorithm.is_some() { self.size } else { u32::MAX }
    }

    /// The slow start threshold.
    pub(crate) fn threshold(&self) -> u32 {
        self.threshold
    }

    /// Sets the size to what recovery allows (PRR, or one segment after a timeout).
    pub(crate) fn set(&mut self, size: u32) {
        self.size = size.max(1);
    }

    /// The SYN was sent again (RFC 5681 §3.1).
    pub(crate) fn handshake_timed_out(&mut self) {
        self.size = 1;
    }

    /// Whether the window is below the slow start threshold.
    fn is_in_slow_start(&self) -> bool {
        self.size < self.threshold
    }

    /// New data was sent, or could not be because of the window. One that the application does not use for an RTO falls
    /// halfway to what it does use (RFC 2861 §3.1; Linux `tcp_cwnd_application_limited`).
    pub(crate) fn used(&mut self, flight: &Flight, rto: Duration, may_fall: bool) {
        self.usage.note(flight);
        if self.usage.is_limited(self.size, self.is_in_slow_start()) {
            self.usage.restart(flight.now);
        } else if self.validated
            && let Some(used) = self.usage.unused(flight, rto)
        {
            let used = used.max(self.initial);
            if may_fall && used < self.size {
                self.threshold = self.slow_start_after(self.size);
                self.size = (self.size + used) / 2;
            }
        }
    }

    /// The slow start threshold if the window falls from `size` though nothing was lost (Linux `tcp_current_ssthresh`).
    fn slow_start_after(&self, size: u32) -> u32 {
        self.threshold.max(size / 2 + size / 4)
    }

    /// Something is repaired that is no sign of congestion: slow start is over only where the window fell (Linux
    /// `tcp_simple_retransmit`). While the window is being reduced, its end stays.
    pub(crate) fn hold_threshold(&mut self, reduces: bool) {
        if !reduces {
            self.threshold = self.slow_start_after(self.size);
        }
        self.before_loss = None;
    }

    /// Datagrams grow from one size to another, octets: the window stays as large in octets (Linux `tcp_mtup_probe_success`).
    pub(crate) fn rescale(&mut self, now: Instant, [from, to]: [u16; 2], reduces: bool) {
        self.set((u64::from(self.size) * u64::from(from) / u64::from(to.max(1))) as u32);
        self.credit = 0;
        if !reduces {
            self.threshold = self.slow_start_after(self.size);
        }
        self.usage.restart(now);
    }

    /// A probe of the path MTU counts as two segments (Linux `tcp_mtu_probe`).
    pub(crate) fn probe_sent(&mut self) {
        self.set(self.size.saturating_sub(1));
    }

    /// It was lost, which costs nothing.
    pub(crate) fn probe_lost(&mut self) {
        self.size = self.size.saturating_add(1);
    }

    /// The last segment that was acknowledged and sent only once took `sample.rtt`.
    pub(crate) fn measured(&mut self, sample: Sample) {
        let slow_start = self.is_in_slow_start().then_some(self.size);
        if self.algorithm.as_mut().is_some_and(|algorithm| algorithm.measured(&sample, slow_start)) {
            self.threshold = self.size;
        }
    }

    /// Data is sent after nothing was in flight for `idle`.
    pub(crate) fn resumed(&mut self, now: Instant, idle: Duration) {
        if let Some(algorithm) = &mut self.algorithm {
            algorithm.resumed(now, idle);
        }
    }

    /// New data was acknowledged. A window that is not used does not grow (RFC 7661 §4.4; Linux `tcp_is_cwnd_limited`).
    pub(crate) fn acknowledged(&mut self, now: Instant, mut segments: u32) {
        if !self.usage.is_limited(self.size, self.is_in_slow_start()) {
            return;
        }
        if self.is_in_slow_start() {
            let step = segments.min(self.threshold - self.size);
            self.size += step;
            segments -= step;
        }
        let Some(algorithm) = self.algorithm.as_mut().filter(|_| segments > 0) else { return };
        let every = algorithm.acknowledgments_per_segment(now, self.size, segments).max(1);
        // What was saved up for a larger step is spent gently (Linux `tcp_cong_avoid_ai`).
        if self.credit >= every {
            (self.credit, self.size) = (0, self.size.saturating_add(1));
        }
        self.credit += segments;
        self.size = self.size.saturating_add(self.credit / every);
        self.credit %= every;
    }

    /// Segments were lost. What that costs can be undone until the next loss.
    pub(crate) fn loss(&mut self) {
        self.before_loss = Some((self.size, self.threshold));
        self.is_congested = false;
        self.credit = 0;
        self.threshold = match &mut self.algorithm {
            Some(algorithm) => algorithm.after_loss(self.size).max(2),
            None => self.threshold,
        };
    }

    /// The retransmission timer fired: the window is `size` segments.
    pub(crate) fn timeout(&mut self, now: Instant, nxt: Seq, size: u32) {
        self.credit = 0;
        self.usage.restart(now);
        self.set(size);
        if let Some(algorithm) = &mut self.algorithm {
            algorithm.forget(now, nxt);
        }
    }

    /// The window before the loss that is being repaired.
    pub(crate) fn size_before_loss(&self) -> u32 {
        self.before_loss.map_or(self.size, |(size, _)| size)
    }

    /// The loss is repaired: the size becomes the threshold.
    pub(crate) fn repaired(&mut self, now: Instant) {
        if self.threshold < u32::MAX {
            self.size = self.threshold;
            self.usage.restart(now);
        }
    }

    /// A router has said that it is congested: whatever was lost or not, the reduction stands.
    pub(crate) fn mark_congested(&mut self) {
        self.is_congested = true;
    }

    /// Nothing was lost: the size and the threshold are restored (RFC 4015 §3.2). Returns whether the threshold rises.
    pub(crate) fn undo(&mut self, now: Instant) -> bool {
        let before = self.threshold;
        if let Some((size, threshold)) = self.before_loss.take().filter(|_| !self.is_congested) {
            self.size = self.size.max(size);
            self.threshold = self.threshold.max(threshold);
            self.usage.restart(now);
            if let Some(algorithm) = &mut self.algorithm {
                algorithm.undo();
            }
        }
        self.threshold > before
    }

    /// Nothing was sent for `idle`, in which the path may have changed: the window falls to the restart window, at once
    /// (RFC 5681 §4.1), or by half for each RTO (RFC 2861 §3.1; Linux `tcp_cwnd_restart`).
    pub(crate) fn restart_after_idle(&mut self, now: Instant, idle: Duration, rto: Duration) {
        let restart = self.initial.min(self.size);
        self.threshold = self.slow_start_after(self.size);
        self.usage.restart(now);
        if !self.validated {
            self.size = restart;
            return;
        }
        let mut left = idle;
        while left > rto && self.size > restart {
            left -= rto;
            self.size /= 2;
        }
        self.size = self.size.max(restart);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(40);

    fn window(congestion: CongestionAlgorithm) -> Window {
        Window::new(&Settings { congestion, initial_window: 10, ..crate::Profile::Linux.settings() })
    }

    /// `segments` are in flight, which may be all that the window allows.
    fn used(window: &mut Window, now: Instant, segments: u32) {
        let fills_window = segments >= window.size();
        let flight = Flight { now, una: Seq(0), nxt: Seq(0), segments, fills_window };
        window.used(&flight, RTT, true);
    }

    fn grown(congestion: CongestionAlgorithm, to: u32) -> Window {
        let mut window = window(congestion);
        used(&mut window, Instant::ZERO, 10);
        window.acknowledged(Instant::ZERO, to - 10);
        window
    }

    #[test]
    fn slow_start_doubles_and_avoidance_adds_one() {
        let mut window = grown(CongestionAlgorithm::NewReno, 20);
        assert_eq!(window.size(), 20);
        window.loss();
        window.repaired(Instant::ZERO);
        assert_eq!(window.size(), 10);
        used(&mut window, Instant::ZERO, 10);
        for _ in 0..9 {
            window.acknowledged(Instant::ZERO, 1);
        }
        assert_eq!(window.size(), 10);
        window.acknowledged(Instant::ZERO, 1);
        assert_eq!(window.size(), 11);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut window = window(CongestionAlgorithm::Cubic);
        used(&mut window, Instant::ZERO, 5);
        window.acknowledged(Instant::ZERO, 5);
        assert_eq!(window.size(), 10);
    }

    /// Until everything of that flight is acknowledged, its size counts, and not what is left of it.
    #[test]
    fn a_window_that_was_filled_grows_with_each_acknowledgment() {
        let mut window = window(CongestionAlgorithm::Cubic);
        used(&mut window, Instant::ZERO, 6);
        for _ in 0..3 {
            window.acknowledged(Instant::ZERO, 2);
        }
        assert_eq!(window.size(), 12, "up to twice of what was in flight");
    }

    #[test]
    fn a_window_that_stays_unused_falls_halfway_to_what_is_used() {
        let mut window = grown(CongestionAlgorithm::Cubic, 40);
        for (rounds, segments, size) in [(1, 10, 25), (2, 12, 18), (3, 3, 14), (3, 1, 14)] {
            used(&mut window, Instant::ZERO + RTT * rounds, segments);
            assert_eq!(window.size(), size, "after {rounds} RTOs");
        }
    }

    #[test]
    fn an_undone_loss_leaves_no_trace() {
        for algorithm in [CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno] {
            let mut window = window(algorithm);
            window.loss();
            window.set(1);
            window.undo(Instant::ZERO);
            assert_eq!((window.size(), window.threshold()), (10, u32::MAX));
        }
    }

    #[test]
    fn an_idle_window_may_fall_at_once() {
        let settings = Settings { window_validation: false, ..crate::Profile::Linux.settings() };
        let mut window = Window { size: 80, ..Window::new(&settings) };
        window.restart_after_idle(Instant::ZERO, RTT * 2, RTT);
        assert_eq!((window.size(), window.threshold()), (10, u32::MAX));
    }

    #[test]
    fn idle_time_halves_the_window_down_to_the_initial_one() {
        let mut window = grown(CongestionAlgorithm::NewReno, 80);
        window.restart_after_idle(Instant::ZERO, RTT * 5 / 2, RTT);
        assert_eq!(window.size(), 20);
        window.restart_after_idle(Instant::ZERO, RTT * 50, RTT);
        assert_eq!(window.size(), 10);
    }
}
