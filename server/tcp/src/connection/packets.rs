//! Segments that leave the stack as one packet and are cut up below it (Linux TSO and GSO). They are planned together,
//! and only the last of them gets PSH.

use std::time::Duration;

use super::recovery::Phase;
use super::{Connection, Context};

/// A packet that is being sent, segment by segment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packet {
    /// Segments that are still to be sent.
    left: u32,
    /// Whether it has more than one.
    has_several: bool,
}

impl Packet {
    pub(super) fn new(segments: u32) -> Packet {
        Packet { left: segments, has_several: segments > 1 }
    }

    /// Whether all of its segments were sent.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Whether the next segment belongs to it, and is one of several.
    pub(super) fn goes_on(&self) -> bool {
        self.has_several && self.left > 0
    }

    /// Counts a segment that is sent; returns whether it is the last of several.
    pub(super) fn count(&mut self) -> bool {
        let last = self.has_several && self.left == 1;
        self.left = self.left.saturating_sub(1);
        last
    }
}

/// The packets of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Packets {
    /// The packet of new data.
    pub(super) new: Packet,
    /// The packet that is sent again.
    pub(super) resent: Packet,
}

impl Connection {
    /// Plans the packet of new data that begins with the next segment (Linux `tcp_write_xmit`, `tcp_mss_split_point`).
    pub(super) fn plan_packet(&mut self, cx: &Context<'_>, unsent: u32, window: u32) {
        if !cx.settings.segmentation_offload || !self.packets.new.is_done() {
            return;
        }
        let room = self.congestion_room();
        let half = (self.congestion.size() / 2).max(1);
        let max = self.packet_segments().min(half).min(room);
        let fits = unsent.min(window);
        let full = fits / self.snd.mss;
        // The rest goes along unless Nagle's algorithm holds it back.
        let rest = full > 0 && !fits.is_multiple_of(self.snd.mss) && !self.holds_small(cx, unsent);
        self.packets.new = Packet::new(max.min(full + u32::from(rest)).max(1));
    }

    /// Whether a small packet is better sent when the next acknowledgment has made room for a larger one: not if the
    /// room is much of the window, nor if the acknowledgment may be far away (Linux `tcp_tso_should_defer`).
    pub(super) fn waits_for_more_room(&self, cx: &Context<'_>, unsent: u32, window: u32) -> bool {
        const RECENT: Duration = Duration::from_millis(1);
        let mss = self.snd.mss;
        if !cx.settings.segmentation_offload
            || !self.packets.new.is_done()
            || unsent <= mss
            || self.recovery.phase >= Phase::Recovery
            || self.last_sent.is_none_or(|last| cx.now - last > RECENT)
        {
            return false;
        }
        let size = self.congestion.size();
        let room = self.congestion_room().saturating_mul(mss).min(window);
        if room >= self.packet_segments() * mss || room >= self.snd.wnd.min(size.saturating_mul(mss)) / 3 {
            return false;
        }
        // Behind the FIN nothing more will come to fill the packet.
        if self.snd.fin_unsent() && room > unsent {
            return false;
        }
        let oldest = self.snd.sent.first().map(|first| cx.now - first.last_sent);
        oldest.zip(self.rtt.srtt()).is_some_and(|(age, srtt)| age >= srtt / 2)
    }

    /// How fast a paced sender would send, octets a second (Linux `tcp_update_pacing_rate`).
    pub(super) fn pacing_rate(&self) -> u64 {
        let window = u64::from(self.congestion.size().max(self.snd.sent.len()));
        let percent = if self.congestion.size() < self.congestion.threshold() / 2 { 200 } else { 120 };
        let srtt = self.rtt.srtt().map_or(1, |srtt| srtt.as_micros().max(1) as u64);
        u64::from(self.snd.mss) * window * percent * 10_000 / srtt
    }

    /// The most segments of one packet: what a paced sender sends in a millisecond, and more on short paths (Linux
    /// `tcp_tso_autosize`).
    pub(super) fn packet_segments(&self) -> u32 {
        let max = u64::from(u16::MAX) + 1;
        let round_trip = self.rtt.min_rtt().map_or(u64::MAX, |min_rtt| min_rtt.as_micros() as u64) >> 9;
        let near = if round_trip < 32 { max >> round_trip } else { 0 };
        (((self.pacing_rate() >> 10) + near).min(max) / u64::from(self.snd.mss)).max(2) as u32
    }
}
