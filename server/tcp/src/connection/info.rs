//! What the connection counts for its snapshot, and the snapshot itself (Linux `tcp_get_info`).

use std::time::Duration;

use super::Connection;
use crate::{Header, Instant, Purpose, State, TcpInfo, Timer, Totals};

/// What limits the data in flight (Linux `enum tcp_chrono`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    /// The congestion window, the path, or an application that writes no more.
    Other,
    /// The peer's window.
    PeerWindow,
    /// The send buffer.
    SendBuffer,
}

/// How long there was data, and what limited it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chronograph {
    /// What limits now, and since when; `None` while there is no data.
    current: Option<(Limit, Instant)>,
    busy: Duration,
    peer_window: Duration,
    send_buffer: Duration,
}

impl Chronograph {
    fn switch(&mut self, now: Instant, limit: Option<Limit>) {
        if self.current.map(|(current, _)| current) != limit {
            *self = Chronograph { current: limit.map(|limit| (limit, now)), ..self.until(now) };
        }
    }

    /// With what has passed until now.
    fn until(mut self, now: Instant) -> Chronograph {
        if let Some((limit, since)) = self.current {
            let passed = now - since;
            self.busy += passed;
            match limit {
                Limit::Other => {}
                Limit::PeerWindow => self.peer_window += passed,
                Limit::SendBuffer => self.send_buffer += passed,
            }
        }
        self
    }
}

impl Connection {
    /// A segment is sent.
    pub(super) fn count_sent(&mut self, header: &Header, purpose: Purpose) {
        let totals = &mut self.totals;
        totals.segs_out += 1;
        totals.data_segs_out += u64::from(header.payload > 0);
        totals.bytes_sent += u64::from(header.payload);
        match purpose {
            Purpose::Retransmission | Purpose::FastRetransmission | Purpose::TailLossProbe => {
                totals.total_retrans += 1;
                totals.bytes_retrans += u64::from(header.payload);
            }
            Purpose::Normal
            | Purpose::KeepaliveProbe
            | Purpose::WindowProbe
            | Purpose::ChallengeAck
            | Purpose::DuplicateAck
            | Purpose::Reset => {}
        }
    }

    /// A segment arrived.
    pub(super) fn count_received(&mut self, header: &Header) {
        self.totals.segs_in += 1;
        self.totals.data_segs_in += u64::from(header.payload > 0);
    }

    /// Everything that may be sent has been sent: whatever limits the rest does so from now on (Linux
    /// `tcp_write_xmit`, `tcp_cwnd_validate`).
    pub(super) fn note_limit(&mut self, now: Instant) {
        let limit = self.limit();
        self.chronograph.switch(now, limit);
    }

    fn limit(&self) -> Option<Limit> {
        if !self.state.is_synchronized() || self.state == State::TimeWait {
            return None;
        }
        let unsent = self.snd.unsent();
        if unsent == 0 && !self.snd.fin_unsent() {
            if self.snd.sent.is_empty() {
                return None;
            }
            return Some(if self.snd.application_waits() { Limit::SendBuffer } else { Limit::Other });
        }
        let has_room = self.snd.sent.in_flight() < self.congestion.size();
        let closed = self.snd.usable_window() < unsent.min(self.snd.mss).max(1);
        Some(if has_room && closed { Limit::PeerWindow } else { Limit::Other })
    }

    /// The snapshot.
    pub(crate) fn info(&self, now: Instant) -> TcpInfo {
        let Chronograph { busy, peer_window, send_buffer, .. } = self.chronograph.until(now);
        let sent = &self.snd.sent;
        let probing = self.timers.is_set(Timer::Persist);
        TcpInfo {
            state: self.state,
            ca_state: self.recovery.phase,
            snd_cwnd: self.congestion.size(),
            snd_ssthresh: self.congestion.threshold(),
            rtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            min_rtt: self.rtt.min_rtt(),
            rto: self.rtt.rto(),
            backoff: if probing { self.persist.backoff() } else { self.rtt.backoff() },
            retransmits: self.retransmissions.timeouts,
            probes: self.persist.unanswered().max(self.keepalive.unanswered()),
            snd_mss: self.snd.mss,
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv.window(),
            pmtu: self.mtu,
            unacked: sent.len(),
            sacked: sent.sacked().max(sent.duplicates()),
            lost: sent.lost() + sent.resent(),
            retrans: sent.resent(),
            reordering: self.recovery.dup_thresh(),
            notsent_bytes: self.snd.unsent(),
            outq: self.snd.unacknowledged() as u32,
            inq: self.rcv.unread() as u32,
            totals: Totals { bytes_received: self.rcv.received(), ..self.totals },
            busy_time: busy,
            rwnd_limited: peer_window,
            sndbuf_limited: send_buffer,
        }
    }
}
