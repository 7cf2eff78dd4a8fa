//! Congestion control: how many segments may be in flight.
//!
//! [`Window`] is what all algorithms share: the window, slow start, and what a loss costs until it is undone.
//! [`CongestionControl`] is what differs: how the window grows in congestion avoidance, and the threshold after a loss.

mod cubic;
mod new_reno;

use std::time::Duration;

use cubic::Cubic;
use new_reno::NewReno;

use crate::{CongestionAlgorithm, Instant, Settings};

/// A congestion control algorithm.
pub(super) trait CongestionControl: std::fmt::Debug {
    /// `segments` were acknowledged in congestion avoidance; returns by how many the window grows.
    fn avoid(&mut self, now: Instant, rtt: Duration, window: u32, segments: u32) -> u32;

    /// Segments were lost; returns the slow start threshold that follows from `window`.
    fn after_loss(&mut self, window: u32) -> u32;

    /// The retransmission timer fired: what was learned of the path no longer holds.
    fn forget(&mut self);

    /// Nothing was lost after all.
    fn undo(&mut self);
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
    /// The size and the threshold before the loss that is being repaired.
    before_loss: Option<(u32, u32)>,
}

impl Window {
    pub(crate) fn new(settings: &Settings) -> Window {
        let algorithm: Option<Box<dyn CongestionControl>> = match settings.congestion {
            CongestionAlgorithm::Cubic => Some(Box::<Cubic>::default()),
            CongestionAlgorithm::NewReno => Some(Box::<NewReno>::default()),
            CongestionAlgorithm::None => None,
        };
        let initial = settings.initial_window.max(1);
        Window { algorithm, size: initial, threshold: u32::MAX, initial, before_loss: None }
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

    /// New data was acknowledged while `in_flight` segments were in the network. A window that is not used does not
    /// grow (RFC 7661 §4.4; Linux `tcp_is_cwnd_limited`).
    pub(crate) fn acknowledged(&mut self, now: Instant, rtt: Duration, mut segments: u32, in_flight: u32) {
        if self.size < self.threshold {
            if self.size >= in_flight.saturating_mul(2) {
                return;
            }
            let step = segments.min(self.threshold - self.size);
            self.size += step;
            segments -= step;
        }
        if segments == 0 || in_flight < self.size {
            return;
        }
        if let Some(algorithm) = &mut self.algorithm {
            self.size = self.size.saturating_add(algorithm.avoid(now, rtt, self.size, segments));
        }
    }

    /// Segments were lost. What that costs can be undone until the next loss.
    pub(crate) fn loss(&mut self) {
        self.before_loss = Some((self.size, self.threshold));
        self.threshold = match &mut self.algorithm {
            Some(algorithm) => algorithm.after_loss(self.size).max(2),
            None => self.threshold,
        };
    }

    /// The retransmission timer fired.
    pub(crate) fn timeout(&mut self) {
        if let Some(algorithm) = &mut self.algorithm {
            algorithm.forget();
        }
    }

    /// The window before the loss that is being repaired.
    pub(crate) fn size_before_loss(&self) -> u32 {
        self.before_loss.map_or(self.size, |(size, _)| size)
    }

    /// The loss is repaired: the size becomes the threshold.
    pub(crate) fn repaired(&mut self) {
        if self.threshold < u32::MAX {
            self.size = self.threshold;
        }
    }

    /// Nothing was lost: the size and the threshold are restored (RFC 4015 §3.2).
    pub(crate) fn undo(&mut self) {
        if let Some((size, threshold)) = self.before_loss.take() {
            self.size = self.size.max(size);
            self.threshold = self.threshold.max(threshold);
            if let Some(algorithm) = &mut self.algorithm {
                algorithm.undo();
            }
        }
    }

    /// Nothing was sent for `idle`, in which the path may have changed: the window falls to the restart window, at once
    /// or by half for each RTO (RFC 5681 §4.1; Linux `tcp_cwnd_restart`).
    pub(crate) fn restart_after_idle(&mut self, idle: Duration, rto: Duration, halve: bool) {
        let restart = self.initial.min(self.size);
        self.threshold = self.threshold.max(self.size / 2 + self.size / 4);
        if !halve {
            self.size = restart;
            return;
        }
        let mut left = idle;
        while left >= rto && self.size > restart {
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

    fn acknowledged(window: &mut Window, segments: u32, in_flight: u32) {
        window.acknowledged(Instant::ZERO, RTT, segments, in_flight);
    }

    #[test]
    fn slow_start_doubles_and_avoidance_adds_one() {
        let mut window = window(CongestionAlgorithm::NewReno);
        acknowledged(&mut window, 10, 10);
        assert_eq!(window.size(), 20);
        window.loss();
        window.repaired();
        assert_eq!(window.size(), 10);
        for _ in 0..9 {
            acknowledged(&mut window, 1, 10);
        }
        assert_eq!(window.size(), 10);
        acknowledged(&mut window, 1, 10);
        assert_eq!(window.size(), 11);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut window = window(CongestionAlgorithm::Cubic);
        acknowledged(&mut window, 1, 1);
        assert_eq!(window.size(), 10);
    }

    #[test]
    fn an_undone_loss_leaves_no_trace() {
        for algorithm in [CongestionAlgorithm::Cubic, CongestionAlgorithm::NewReno] {
            let mut window = window(algorithm);
            window.loss();
            window.set(1);
            window.undo();
            assert_eq!((window.size(), window.threshold()), (10, u32::MAX));
        }
    }

    #[test]
    fn an_idle_window_may_fall_at_once() {
        let mut window = window(CongestionAlgorithm::NewReno);
        acknowledged(&mut window, 70, 50);
        window.restart_after_idle(RTT * 2, RTT, false);
        assert_eq!((window.size(), window.threshold()), (10, u32::MAX));
    }

    #[test]
    fn idle_time_halves_the_window_down_to_the_initial_one() {
        let mut window = window(CongestionAlgorithm::NewReno);
        acknowledged(&mut window, 70, 50);
        window.restart_after_idle(RTT * 2, RTT, true);
        assert_eq!(window.size(), 20);
        window.restart_after_idle(RTT * 50, RTT, true);
        assert_eq!(window.size(), 10);
    }
}
