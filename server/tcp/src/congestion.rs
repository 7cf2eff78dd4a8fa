//! Congestion control: slow start and congestion avoidance (RFC 5681), in segments.

/// The congestion window.
#[derive(Clone, Debug)]
pub(crate) struct Congestion {
    /// Segments that may be in flight.
    window: u32,
    /// Slow start up to here.
    threshold: u32,
    /// Acknowledged segments that have not made the window larger yet.
    credit: u32,
}

impl Congestion {
    pub(crate) fn new(initial_window: u32) -> Congestion {
        Congestion { window: initial_window.max(1), threshold: u32::MAX, credit: 0 }
    }

    /// Segments that may be in flight.
    pub(crate) fn window(&self) -> u32 {
        self.window
    }

    /// The SYN had to be sent again (RFC 6298 §5.7, RFC 5681 §3.1).
    pub(crate) fn handshake_timed_out(&mut self) {
        self.window = 1;
    }

    /// New data was acknowledged. `in_flight` was in the network before: a window that was not used does not
    /// grow (RFC 7661 §4.4).
    pub(crate) fn acknowledged(&mut self, mut segments: u32, in_flight: u32) {
        if self.window < self.threshold {
            if self.window >= in_flight.saturating_mul(2) {
                return;
            }
            let step = segments.min(self.threshold - self.window);
            self.window += step;
            segments -= step;
        }
        if in_flight < self.window {
            return;
        }
        self.credit += segments;
        if self.credit >= self.window {
            self.credit -= self.window;
            self.window += 1;
        }
    }

    /// A segment was lost, but others arrive (RFC 5681 §3.2).
    pub(crate) fn loss(&mut self, in_flight: u32) {
        self.threshold = (in_flight / 2).max(2);
        self.window = self.threshold;
        self.credit = 0;
    }

    /// Nothing arrives any more (RFC 5681 §3.1).
    pub(crate) fn timeout(&mut self, in_flight: u32) {
        self.threshold = (in_flight / 2).max(2);
        self.window = 1;
        self.credit = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Congestion;

    #[test]
    fn slow_start_doubles_and_avoidance_adds_one() {
        let mut congestion = Congestion::new(10);
        congestion.acknowledged(10, 10);
        assert_eq!(congestion.window(), 20);
        congestion.loss(20);
        assert_eq!(congestion.window(), 10);
        for _ in 0..9 {
            congestion.acknowledged(1, 10);
        }
        assert_eq!(congestion.window(), 10);
        congestion.acknowledged(1, 10);
        assert_eq!(congestion.window(), 11);
        congestion.timeout(11);
        assert_eq!(congestion.window(), 1);
        congestion.acknowledged(1, 1);
        assert_eq!(congestion.window(), 2);
    }

    #[test]
    fn an_unused_window_does_not_grow() {
        let mut congestion = Congestion::new(10);
        congestion.acknowledged(1, 1);
        assert_eq!(congestion.window(), 10);
    }
}
