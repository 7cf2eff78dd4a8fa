//! Answers to segments that are not acceptable, and how often they are sent (RFC 5961 §7).

use super::{Connection, Context};
use crate::{Header, Instant, Purpose};

/// The limit on challenge ACKs of one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ChallengeLimit {
    last: Option<Instant>,
}

impl ChallengeLimit {
    /// Whether one may be sent now, which counts as sent.
    fn admit(&mut self, cx: &Context<'_>) -> bool {
        let interval = cx.settings.challenge_ack_interval;
        let admitted = self.last.is_none_or(|last| cx.now - last >= interval);
        if admitted {
            self.last = Some(cx.now);
        }
        admitted
    }
}

impl Connection {
    /// Acknowledges what is not acceptable. Challenges and the answers to empty segments are limited, so that two ends
    /// cannot answer each other without end (Linux `tcp_oow_rate_limited`).
    pub(super) fn answer_unacceptable(&mut self, cx: &mut Context<'_>, header: &Header, purpose: Purpose) {
        let limited = purpose == Purpose::ChallengeAck || header.is_empty();
        if !limited || self.challenge_limit.admit(cx) {
            self.outbox.ack = Some(purpose);
        }
    }
}
