//! What a host's TCP does otherwise on the way to one other host.

use std::time::Duration;

use halfopen_tcp::{CongestionAlgorithm, Ecn, Settings};

use super::HostId;

/// The metrics of a route (ip-route(8)). `None` leaves the host's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The host at its end: all of its addresses, as they are at first.
    pub to: HostId,
    /// The least retransmission timeout (`rto_min`).
    pub rto_min: Option<Duration>,
    /// The initial congestion window, in segments (`initcwnd`).
    pub initial_window: Option<u32>,
    /// The congestion control algorithm (`congctl`).
    pub congestion: Option<CongestionAlgorithm>,
    /// Whether connections use explicit congestion notification (`features ecn`).
    pub ecn: Option<Ecn>,
}

impl Route {
    /// These laid over the settings of the host.
    pub fn over(&self, base: Settings) -> Settings {
        let mut settings = base;
        settings.rto.min = self.rto_min.unwrap_or(settings.rto.min);
        settings.initial_window = self.initial_window.unwrap_or(settings.initial_window);
        settings.congestion = self.congestion.unwrap_or(settings.congestion);
        settings.ecn = self.ecn.unwrap_or(settings.ecn);
        settings
    }
}
