//! What is due to be sent besides data.

use crate::{Header, Purpose, Seq};

/// The segments that are due besides data: at most one of each.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    /// A RST; nothing follows it.
    pub(super) reset: Option<Header>,
    /// An acknowledgment.
    pub(super) ack: Option<Purpose>,
    /// The duplicate that the next acknowledgment reports (RFC 2883).
    pub(super) dsack: Option<(Seq, Seq)>,
    /// The urgent pointer, although the window is closed.
    pub(super) urgent: bool,
    /// A probe without data at `snd.una` - 1.
    pub(super) probe: Option<Purpose>,
    /// New data, however little of it the window takes: overrides silly-window avoidance (RFC 9293 §3.8.6.2.1).
    pub(super) override_sws: bool,
    /// A tail loss probe: new data, or the last segment again (RFC 8985 §7.3).
    pub(super) tail_loss_probe: bool,
}
