//! What the congestion window learns: how far it is used, and how long round trips take.

use std::time::Duration;

use super::recovery::Phase;
use super::{Connection, Context};
use crate::congestion::{Flight, Sample};
use crate::scoreboard::Delivered;

impl Connection {
    /// Segments that the congestion window still allows.
    pub(super) fn congestion_room(&self) -> u32 {
        self.congestion.size().saturating_sub(self.snd.sent.in_flight())
    }

    /// New data was sent, or waits because the congestion window allows no more (Linux `tcp_cwnd_validate`).
    pub(super) fn note_use(&mut self, cx: &Context<'_>, waits: bool) {
        let flight = Flight {
            now: cx.now,
            una: self.snd.una,
            nxt: self.snd.nxt,
            segments: self.snd.sent.len(),
            fills_window: waits || self.congestion_room() == 0,
        };
        let may_fall = self.recovery.phase == Phase::Open && !self.snd.application_waits();
        self.congestion.used(&flight, self.rtt.rto(), may_fall);
    }

    /// Before new data is sent: a connection that was idle for longer than its RTO restarts with a smaller window
    /// (RFC 5681 §4.1).
    pub(super) fn end_idleness(&mut self, cx: &Context<'_>) {
        let Some(idle) = self.last_sent.map(|last| cx.now - last) else { return };
        let rto = self.rtt.rto();
        if cx.settings.slow_start_after_idle && self.snd.sent.is_empty() && idle > rto {
            self.congestion.restart_after_idle(cx.now, idle, rto);
        }
        if self.snd.sent.in_flight() == 0 {
            self.congestion.resumed(cx.now, idle);
        }
    }

    /// An acknowledgment shows the round trip of the last segment that it delivers (Linux `tcp_clean_rtx_queue`).
    pub(super) fn measure(&mut self, cx: &Context<'_>, delivered: &Delivered) {
        /// Two of the largest packets, one being sent and one queued, and twice that because the pacing rate is doubled in slow
        /// start, octets (Linux `hystart_ack_delay`).
        const PACKETS: u64 = 4 << 16;
        const LONGEST: Duration = Duration::from_millis(1);
        let Some(sent) = delivered.last_sent_once() else { return };
        let packet_delay =
            Duration::from_micros(PACKETS * 1_000_000 / self.pacing_rate().max(1)).min(LONGEST);
        self.congestion.measured(Sample {
            now: cx.now,
            rtt: cx.now - sent,
            una: self.snd.una,
            nxt: self.snd.nxt,
            packet_delay,
        });
    }
}
