//! Keepalive: probing a silent peer (RFC 9293 §3.8.4).

use std::time::Duration;

use super::{Connection, Context};
use crate::{Errno, EventKind, Instant, Keepalive, KeepaliveSettings, Purpose, State, Timer};

/// The state of keepalive.
#[derive(Clone, Debug)]
pub(super) struct KeepaliveState {
    pub(super) settings: Option<KeepaliveSettings>,
    /// When a segment was last received.
    last_received: Instant,
    /// Probes sent since then.
    unanswered: u32,
}

impl KeepaliveState {
    pub(super) fn new(settings: Option<KeepaliveSettings>, now: Instant) -> KeepaliveState {
        KeepaliveState { settings, last_received: now, unanswered: 0 }
    }

    /// Probes without an answer.
    pub(super) fn unanswered(&self) -> u32 {
        self.unanswered
    }
}

impl Connection {
    /// Whether the peer is probed in this state.
    fn keepalive_applies(&self) -> bool {
        match self.state {
            State::Established | State::CloseWait | State::FinWait1 => true,
            // Where FIN-WAIT-2 has a limit of its own, no probe is needed.
            State::FinWait2 => !self.timers.is_set(Timer::FinWait2),
            State::Closed
            | State::Listen
            | State::SynSent
            | State::SynReceived
            | State::Closing
            | State::LastAck
            | State::TimeWait => false,
        }
    }

    /// An acceptable segment was received: the peer lives, and the wait starts again.
    pub(super) fn keepalive_received(&mut self, cx: &mut Context<'_>) {
        self.keepalive.last_received = cx.now;
        let probes = std::mem::take(&mut self.keepalive.unanswered);
        if probes > 0 {
            self.record(cx, EventKind::Keepalive(Keepalive::Alive { probes }));
        }
        self.set_keepalive_timer(cx);
    }

    /// The time since a segment was last received.
    pub(super) fn silence(&self, cx: &Context<'_>) -> Duration {
        cx.now - self.keepalive.last_received
    }

    /// Starts the wait: until `idle` has passed since a segment was last received.
    pub(super) fn set_keepalive_timer(&mut self, cx: &mut Context<'_>) {
        let Some(KeepaliveSettings { idle, .. }) = self.keepalive.settings else { return };
        if self.keepalive_applies() {
            let silence = self.silence(cx);
            self.timers.set(cx, Timer::Keepalive, idle.saturating_sub(silence));
        } else {
            self.timers.cancel(cx, Timer::Keepalive);
        }
    }

    /// A RST was received: if the peer was probed, this is its answer.
    pub(super) fn keepalive_reset(&mut self, cx: &mut Context<'_>) {
        let probes = self.keepalive.unanswered;
        if probes > 0 {
            let silence = self.silence(cx);
            self.record(cx, EventKind::Keepalive(Keepalive::Reset { probes, silence }));
        }
    }

    /// The keepalive timer fired.
    pub(super) fn keepalive_timeout(&mut self, cx: &mut Context<'_>) {
        let Some(KeepaliveSettings { idle, interval, probes }) = self.keepalive.settings else { return };
        if !self.keepalive_applies() {
            return;
        }
        // Retransmissions of unacknowledged data probe the peer already.
        if !self.snd.sent.is_empty() || self.snd.unsent() > 0 {
            self.timers.set(cx, Timer::Keepalive, idle);
            return;
        }
        let silence = self.silence(cx);
        // The user timeout replaces the count (Linux `tcp_keepalive_timer`).
        let hopeless = match self.socket.user_timeout {
            Some(longest) => self.keepalive.unanswered > 0 && silence >= longest,
            None => self.keepalive.unanswered >= probes,
        };
        if hopeless {
            self.record(
                cx,
                EventKind::Keepalive(Keepalive::Dead { probes: self.keepalive.unanswered, silence }),
            );
            self.fail(cx, Errno::TimedOut, self.limit_reached(Timer::Keepalive));
            if cx.settings.reset_unresponsive_peer {
                self.queue_reset(cx);
            }
            return;
        }
        self.keepalive.unanswered += 1;
        let unanswered = self.keepalive.unanswered;
        self.record(cx, EventKind::Keepalive(Keepalive::Probe { unanswered }));
        self.outbox.probe = Some(Purpose::KeepaliveProbe);
        self.timers.set(cx, Timer::Keepalive, interval);
    }
}
