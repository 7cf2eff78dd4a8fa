//! Keepalive: asking a silent peer whether it is still there (RFC 9293 §3.8.4).

use std::time::Duration;

use super::{Connection, Context};
use crate::{
    Cause, Errno, EventKind, Flags, Header, Instant, Keepalive, KeepaliveSettings, Purpose, State, Timer,
};

/// What keepalive knows.
#[derive(Clone, Debug)]
pub(super) struct KeepaliveState {
    pub(super) settings: Option<KeepaliveSettings>,
    /// When anything was last received.
    last_heard: Instant,
    /// Probes without an answer.
    unanswered: u32,
}

impl KeepaliveState {
    pub(super) fn new(settings: Option<KeepaliveSettings>, now: Instant) -> KeepaliveState {
        KeepaliveState { settings, last_heard: now, unanswered: 0 }
    }
}

impl Connection {
    /// Whether a connection in this state is watched.
    fn keepalive_applies(&self) -> bool {
        match self.state {
            State::Established | State::CloseWait | State::FinWait1 => true,
            // An orphan with a time limit needs no question.
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

    /// Something of this connection was received: the peer lives, and the wait begins anew.
    pub(super) fn keepalive_heard(&mut self, cx: &mut Context<'_>) {
        self.keepalive.last_heard = cx.now;
        let probes = std::mem::take(&mut self.keepalive.unanswered);
        if probes > 0 {
            self.record(cx, EventKind::Keepalive(Keepalive::Alive { probes }));
        }
        self.set_keepalive_timer(cx);
    }

    /// How long nothing has been received.
    pub(super) fn silence(&self, cx: &Context<'_>) -> Duration {
        cx.now - self.keepalive.last_heard
    }

    /// Starts the wait: `idle` after the last receipt, but not before now.
    pub(super) fn set_keepalive_timer(&mut self, cx: &mut Context<'_>) {
        let Some(KeepaliveSettings { idle, .. }) = self.keepalive.settings else { return };
        if self.keepalive_applies() {
            let silence = self.silence(cx);
            self.timers.set(cx, Timer::Keepalive, idle.saturating_sub(silence));
        } else {
            self.timers.cancel(cx, Timer::Keepalive);
        }
    }

    /// The peer answered by RST: if it was asked, that is an answer too.
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
        // Unacknowledged data asks the same question by its retransmissions.
        if !self.snd.sent.is_empty() || self.snd.unsent() > 0 {
            self.timers.set(cx, Timer::Keepalive, idle);
            return;
        }
        let silence = self.silence(cx);
        // The user timeout takes the place of the count (Linux `tcp_keepalive_timer`).
        let hopeless = match self.socket.user_timeout {
            Some(longest) => self.keepalive.unanswered > 0 && silence >= longest,
            None => self.keepalive.unanswered >= probes,
        };
        if hopeless {
            self.record(
                cx,
                EventKind::Keepalive(Keepalive::Dead { probes: self.keepalive.unanswered, silence }),
            );
            let (seq, ack) = (self.snd.nxt, self.rcv.nxt);
            self.fail(cx, Errno::TimedOut, Cause::GaveUp(Timer::Keepalive));
            if cx.settings.reset_unresponsive_peer {
                let flags = Flags::RST | Flags::ACK;
                self.outbox.reset = Some(Header { seq, ack, flags, ..Header::default() });
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
