//! Finding the path MTU without routers that report it (RFC 4821), as in Linux (`tcp_mtu_probing`, `tcp_mtu_probe`).
//!
//! The search has two bounds. Segments fill the lower one, and one segment that is larger, the probe, is sent with data that
//! would be sent anyway: if it arrives, the lower bound rises to it, and if it alone is lost, the upper bound falls below it.

use std::time::Duration;

use super::recovery::Phase;
use super::{Connection, Context};
use crate::segment::mss_for_mtu;
use crate::{Flags, Instant, MtuProbing, Purpose, Seq, Transmit};

/// The payload of segments before larger ones have arrived, octets (`tcp_base_mss`).
const BASE_MSS: u32 = 1024;
/// The least that the lower bound falls to, octets of payload (`tcp_mtu_probe_floor`).
const FLOOR: u32 = 48;
/// The search ends when its bounds are this close, octets (`tcp_probe_threshold`), and begins again after this time
/// (`tcp_probe_interval`).
const THRESHOLD: u16 = 8;
const INTERVAL: Duration = Duration::from_secs(600);
/// A congestion window that is smaller has no room for a probe, segments.
const LEAST_WINDOW: u32 = 11;

/// The search for the path MTU. Bounds are octets of the IP datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct MtuSearch {
    /// Whether segments keep to the lower bound, and probes are sent.
    active: bool,
    low: u16,
    high: u16,
    /// When it began, or began again.
    since: Instant,
    /// The probe in flight.
    probe: Option<Probe>,
    /// The most payload that the peer takes, octets, options of TCP included.
    peer_mss: u16,
}

/// A segment that is larger than has ever arrived.
#[derive(Clone, Copy, Debug)]
struct Probe {
    /// Octets of its IP datagram.
    size: u16,
    start: Seq,
    end: Seq,
}

/// What the search says before new data is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextProbe {
    /// It has nothing to ask.
    None,
    /// A probe is to be sent, once there is room for it.
    Waits,
    /// A probe with so many octets of data is sent next.
    Due(u32),
}

impl MtuSearch {
    /// None yet: what the peer takes is not known before its SYN.
    pub(super) const fn new(mtu: u16) -> MtuSearch {
        MtuSearch {
            active: false,
            low: mtu,
            high: mtu,
            since: Instant::ZERO,
            probe: None,
            peer_mss: u16::MAX,
        }
    }

    /// What was sent again tells nothing of the probe (Linux `__tcp_retransmit_skb`).
    pub(super) fn forget_probe(&mut self) {
        self.probe = None;
    }
}

impl Connection {
    /// The connection knows what the peer takes (Linux `tcp_mtup_init`).
    pub(super) fn begin_mtu_search(&mut self, cx: &Context<'_>, peer_mss: u16) {
        let headers = self.ip_and_tcp_headers();
        self.mtu_search = MtuSearch {
            active: cx.settings.mtu_probing == MtuProbing::Always,
            low: self.datagram_of(BASE_MSS),
            high: peer_mss.saturating_add(headers).min(self.mtu),
            since: cx.now,
            probe: None,
            peer_mss,
        };
        self.sync_mss();
    }

    /// Octets of the headers without options.
    fn ip_and_tcp_headers(&self) -> u16 {
        u16::MAX - mss_for_mtu(u16::MAX, self.remote.ip())
    }

    /// The payload that a datagram of this size has (Linux `tcp_mtu_to_mss`).
    fn payload_of(&self, datagram: u16) -> u32 {
        let mss = mss_for_mtu(datagram, self.remote.ip()).min(self.mtu_search.peer_mss);
        u32::from(mss).saturating_sub(self.option_octets())
    }

    /// The size of the datagram that has this much payload (Linux `tcp_mss_to_mtu`).
    fn datagram_of(&self, payload: u32) -> u16 {
        let size = payload + self.option_octets() + u32::from(self.ip_and_tcp_headers());
        u16::try_from(size).unwrap_or(u16::MAX)
    }

    /// Segments are as large as the path MTU and the search allow (Linux `tcp_sync_mss`). Returns whether they are smaller than before.
    pub(super) fn sync_mss(&mut self) -> bool {
        let before = self.snd.mss;
        let search = &mut self.mtu_search;
        search.high = search.high.min(self.mtu);
        let peer = u32::from(search.peer_mss) - self.option_octets();
        let allowed = self.payload_for_mtu().min(peer);
        let search = self.mtu_search;
        let found = if search.active { self.payload_of(search.low) } else { allowed };
        self.snd.set_mss(allowed.min(found));
        self.snd.mss < before
    }

    /// The same data timed out again and again: perhaps a router drops what is large, and reports nothing (Linux
    /// `tcp_mtu_probing`).
    pub(super) fn suspect_black_hole(&mut self, cx: &Context<'_>) {
        if cx.settings.mtu_probing == MtuProbing::Off {
            return;
        }
        if self.mtu_search.active {
            let half = self.payload_of(self.mtu_search.low) / 2;
            self.mtu_search.low = self.datagram_of(half.clamp(FLOOR, BASE_MSS));
        } else {
            (self.mtu_search.active, self.mtu_search.since) = (true, cx.now);
        }
        if self.sync_mss() {
            self.snd.sent.cut_longer_than(self.snd.mss);
        }
    }

    /// Whether `unsent` octets of new data begin with a probe (Linux `tcp_mtu_probe`).
    pub(super) fn next_mtu_probe(&mut self, cx: &Context<'_>, unsent: u32) -> NextProbe {
        let search = self.mtu_search;
        // SACK blocks of our own would make the probe larger.
        let reports = self.rcv.has_gap() || self.outbox.dsack.is_some();
        if !search.active
            || search.probe.is_some()
            || self.recovery.phase != Phase::Open
            || self.congestion.size() < LEAST_WINDOW
            || reports
        {
            return NextProbe::None;
        }
        let size = self.payload_of(search.low.midpoint(search.high));
        if search.high.saturating_sub(search.low) < THRESHOLD {
            self.search_again(cx.now);
            return NextProbe::None;
        }
        // As much follows it as shows its loss without a timeout.
        let needed = size + (self.recovery.dup_thresh() + 1) * self.snd.mss;
        if unsent < needed || self.snd.wnd < needed || self.snd.unsent_of_record() < size {
            return NextProbe::None;
        }
        let in_flight = self.snd.sent.in_flight();
        if self.usable_window() < needed || in_flight + 2 > self.congestion.size() {
            return if in_flight == 0 { NextProbe::None } else { NextProbe::Waits };
        }
        NextProbe::Due(size)
    }

    /// After a while the path may be another one (Linux `tcp_mtu_check_reprobe`).
    fn search_again(&mut self, now: Instant) {
        if now - self.mtu_search.since >= INTERVAL {
            self.mtu_search.high =
                self.mtu_search.peer_mss.saturating_add(self.ip_and_tcp_headers()).min(self.mtu);
            self.mtu_search.low = self.datagram_of(self.snd.mss);
            self.mtu_search.since = now;
        }
    }

    /// Sends a probe. It counts as two segments, because its loss is to cost no more.
    pub(super) fn transmit_mtu_probe(
        &mut self,
        cx: &mut Context<'_>,
        len: u32,
        buffer: &mut Vec<u8>,
    ) -> Transmit {
        let sent = self.advance_nxt(cx, len, Flags::NONE);
        self.congestion.probe_sent();
        self.mtu_search.probe = Some(Probe { size: self.datagram_of(len), start: sent.seq, end: sent.end() });
        self.emit_sent(cx, &sent, Purpose::Normal, buffer)
    }

    /// `snd.una` has advanced: whether the probe has arrived (Linux `tcp_mtup_probe_success`). The window stays as many octets.
    pub(super) fn mtu_probe_acknowledged(&mut self, now: Instant) {
        let una = self.snd.una;
        let Some(probe) = self.mtu_search.probe.filter(|probe| probe.end.at_or_before(una)) else { return };
        let reduces = self.recovery.phase.reduces_window();
        self.congestion.rescale(now, [self.datagram_of(self.snd.mss), probe.size], reduces);
        (self.mtu_search.low, self.mtu_search.probe) = (probe.size, None);
        self.sync_mss();
    }

    /// Something is lost: returns whether it is the probe, which is no sign of congestion (RFC 4821 §7.5; Linux
    /// `tcp_mtup_probe_failed`). Its data is sent again in segments that arrive.
    pub(super) fn mtu_probe_failed(&mut self) -> bool {
        let una = self.snd.una;
        let is_meant = |probe: &Probe| probe.start == una && self.recovery.phase < Phase::Cwr;
        let Some(probe) = self.mtu_search.probe.filter(is_meant) else { return false };
        self.mtu_search.high = self.mtu_search.high.min(probe.size - 1);
        self.mtu_search.probe = None;
        self.congestion.probe_lost();
        self.resend_in_shorter_segments();
        true
    }
}
