//! Probing a closed window (RFC 9293 §3.8.6.1).

use super::{Connection, Context};
use crate::{GiveUp, Instant, Purpose, Timer};

/// What is known of the probes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Persist {
    /// When the first was sent.
    first_probe: Option<Instant>,
    /// How many have been sent since the last answer.
    unanswered: u32,
    /// When the first of those was sent.
    unanswered_since: Option<Instant>,
    /// How often the time between two of them has doubled.
    backoff: u32,
}

impl Persist {
    /// The peer answered.
    pub(super) fn answered(&mut self) {
        self.unanswered = 0;
        self.unanswered_since = None;
    }

    /// Probes without an answer.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }

    /// How often the time between two probes has doubled.
    pub(super) fn backoff(&self) -> u32 {
        self.backoff
    }
}

impl Connection {
    /// Nothing in flight will bring the acknowledgment that opens the window: probing begins.
    pub(super) fn begin_probing(&mut self, cx: &mut Context<'_>) {
        self.persist.backoff = 0;
        self.persist.first_probe = None;
        self.timers.set(cx, Timer::Persist, self.rtt.rto());
    }

    /// The persist timer fired: the window may have opened without our knowing; or it is silly, and has been for long
    /// enough (RFC 9293 §3.8.6.2.1).
    pub(super) fn persist_timeout(&mut self, cx: &mut Context<'_>) {
        if self.usable_window() > 0 {
            self.outbox.override_sws = true;
            return;
        }
        if self.probing_is_hopeless(cx) {
            self.give_up(cx, self.limit_reached(Timer::Persist));
            return;
        }
        self.outbox.probe = Some(Purpose::WindowProbe);
        self.outbox.urgent = self.has_urgent();
        self.persist.unanswered += 1;
        self.persist.backoff = (self.persist.backoff + 1).min(cx.settings.give_up.max_probe_backoff());
        self.set_persist_timer(cx);
    }

    /// Whether the probes end the connection. As long as they are answered they go on for ever (MUST-37), unless the
    /// application sets a limit or has closed.
    fn probing_is_hopeless(&mut self, cx: &Context<'_>) -> bool {
        let first = *self.persist.first_probe.get_or_insert(cx.now);
        let unanswered_since = *self.persist.unanswered_since.get_or_insert(cx.now);
        if let Some(longest) = self.socket.user_timeout {
            return cx.now - first >= longest;
        }
        let Persist { unanswered, backoff, .. } = self.persist;
        let at_max = self.is_orphan() && self.rtt.doubled(backoff) >= cx.settings.rto.max;
        if let Some(retries) = cx.settings.orphan_retries_at_max_rto.filter(|_| at_max) {
            return unanswered.max(backoff) >= retries;
        }
        match self.data_limit(cx) {
            GiveUp::Retries(retries) | GiveUp::Count(retries) => unanswered >= retries,
            GiveUp::After(longest) => cx.now - unanswered_since >= longest,
        }
    }

    /// Starts the wait for the next probe.
    pub(super) fn set_persist_timer(&mut self, cx: &mut Context<'_>) {
        let wait = self.rtt.doubled(self.persist.backoff);
        let limits = self.socket.user_timeout.zip(self.persist.first_probe);
        let left = limits.map(|(longest, first)| (first + longest) - cx.now);
        self.timers.set(cx, Timer::Persist, left.map_or(wait, |left| wait.min(left)));
    }
}
