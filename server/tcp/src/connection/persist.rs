//! Probing a closed window (RFC 9293 §3.8.6.1).

use super::{Connection, Context};
use crate::{Cause, GiveUp, Instant, Purpose, Timer};

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
        if let Some(cause) = self.probing_ends(cx) {
            self.give_up(cx, cause);
            return;
        }
        self.outbox.probe = Some(Purpose::WindowProbe);
        self.outbox.urgent = self.has_urgent();
        self.persist.unanswered += 1;
        self.persist.backoff = (self.persist.backoff + 1).min(cx.settings.give_up.max_probe_backoff());
        self.set_persist_timer(cx);
    }

    /// Why the probes end the connection, if they do. As long as they are answered they go on for ever (MUST-37), unless
    /// the application sets a limit or has closed; both limits may apply (Linux `tcp_probe_timer`).
    fn probing_ends(&mut self, cx: &Context<'_>) -> Option<Cause> {
        let first = *self.persist.first_probe.get_or_insert(cx.now);
        let unanswered_since = *self.persist.unanswered_since.get_or_insert(cx.now);
        let user_timeout = self.socket.user_timeout;
        if user_timeout.is_some_and(|longest| cx.now - first >= longest) {
            return Some(Cause::UserTimeout(Timer::Persist));
        }
        let Persist { unanswered, backoff, .. } = self.persist;
        let at_max = self.is_orphan() && self.rtt.doubled(backoff) >= cx.settings.rto.max;
        let is_hopeless = match cx.settings.orphan_retries_at_max_rto.filter(|_| at_max) {
            Some(retries) => unanswered.max(backoff) >= retries,
            None => match self.data_limit(cx) {
                GiveUp::Retries(retries) | GiveUp::Count(retries) => unanswered >= retries,
                // Such a time is the user timeout where the application names none.
                GiveUp::After(longest) => user_timeout.is_none() && cx.now - unanswered_since >= longest,
            },
        };
        is_hopeless.then_some(Cause::GaveUp(Timer::Persist))
    }

    /// Starts the wait for the next probe.
    pub(super) fn set_persist_timer(&mut self, cx: &mut Context<'_>) {
        let wait = self.rtt.doubled(self.persist.backoff);
        let limits = self.socket.user_timeout.zip(self.persist.first_probe);
        let left = limits.map(|(longest, first)| (first + longest) - cx.now);
        self.timers.set(cx, Timer::Persist, left.map_or(wait, |left| wait.min(left)));
    }
}
