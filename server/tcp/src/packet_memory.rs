//! The window, if packets count against the receive buffer with their memory as in Linux.
//!
//! A packet takes more memory than its data, so the buffer has twice the memory, and how much data that holds is
//! estimated from the packets that arrive (`tcp_scaling_ratio`, `tcp_grow_window`, `__tcp_select_window`).

use std::collections::VecDeque;
use std::time::Duration;

use crate::autotuning::Autotuning;
use crate::{Instant, Settings};

/// Octets of memory that a packet takes besides the room for its octets: `sk_buff` and `skb_shared_info`.
const OVERHEAD: u32 = 256 + 320;
/// Room before a packet, octets (`NET_SKB_PAD`).
const HEADROOM: u32 = 64;
/// The least memory of a buffer, octets (`SOCK_MIN_RCVBUF`): that of one packet, so that its window always opens again.
const LEAST: u32 = 2304;
/// Packets with fewer octets do not let the window grow (`tcp_event_data_recv`).
const SMALL: u32 = 128;

/// The memory behind the octets that the application has not read.
#[derive(Clone, Debug)]
pub(crate) struct PacketMemory {
    /// The memory of the buffer, octets (`sk_rcvbuf`).
    limit: u32,
    /// The memory in use, octets (`sk_rmem_alloc`).
    used: u32,
    /// How many 256ths of the memory hold data (`scaling_ratio`).
    ratio: u32,
    /// The largest window at present (`rcv_ssthresh`).
    threshold: u32,
    /// The largest window that the buffer is believed to hold (`window_clamp`).
    clamp: u32,
    /// How the buffer grows, unless its size is fixed.
    autotuning: Option<Autotuning>,
    /// Octets in the largest segment received (`rcv_mss`).
    full_size: u32,
    /// The packets that are not read.
    packets: VecDeque<Packet>,
    /// The memory of packets beyond a gap, octets.
    beyond_gap: u32,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    octets: u32,
    memory: u32,
    /// Octets that still fit after the data.
    spare: u32,
}

impl Packet {
    /// As a TUN device allocates it: the next power of two.
    fn new(octets: u32, headers: u32) -> Packet {
        let datagram = HEADROOM + headers + octets;
        let bucket = (datagram.next_multiple_of(64) + 320).next_power_of_two();
        Packet { octets, memory: bucket - 320 + OVERHEAD, spare: bucket - 320 - datagram }
    }
}

impl PacketMemory {
    /// For a buffer of that size.
    pub(crate) fn new(settings: &Settings) -> PacketMemory {
        let limit = limit(settings.receive_buffer);
        PacketMemory {
            limit,
            used: 0,
            ratio: 128,
            threshold: limit / 2,
            clamp: u32::MAX,
            autotuning: settings.receive_buffer_max.map(|max| Autotuning::new(self::limit(max))),
            // RFC 9293 §3.7.1: 536 until a larger one arrives.
            full_size: 536,
            packets: VecDeque::new(),
            beyond_gap: 0,
        }
    }

    /// Sets how many octets the buffer is to hold (SO_RCVBUF): it no longer grows.
    pub(crate) fn set_capacity(&mut self, capacity: u32) {
        self.limit = limit(capacity);
        self.autotuning = None;
    }

    /// Octets that the buffer holds: at least what was asked for.
    pub(crate) fn capacity(&self) -> u32 {
        self.limit / 2
    }

    /// How much memory it may grow to, octets; `None` if it does not grow.
    pub(crate) fn grows_to(&self) -> Option<u32> {
        self.autotuning.as_ref().map(|autotuning| autotuning.max)
    }

    /// `window` was offered in the SYN.
    pub(crate) fn begin(&mut self, window: u32) {
        self.threshold = window;
        // Two full-sized segments fit the window (`tcp_initialize_rcv_mss`), or it might never open again.
        self.full_size = self.full_size.min(window / 2).max(88);
    }

    /// The handshake is over: `window` is offered, and the peer sends segments of up to `mss` octets
    /// (`tcp_init_buffer_space`).
    pub(crate) fn establish(&mut self, now: Instant, window: u32, mss: u32) {
        /// Segments that a peer sends in the first round trip (`TCP_INIT_CWND`).
        const FIRST: u32 = 10;
        let full = self.full();
        self.clamp = self.clamp.min(full);
        // One segment is reserved.
        if self.clamp > 2 * mss && self.clamp + mss > full {
            self.clamp = (2 * mss).max(full - mss);
        }
        self.threshold = self.threshold.min(self.clamp);
        if let Some(autotuning) = &mut self.autotuning {
            autotuning.establish(now, self.threshold.min(window).min(FIRST * mss));
        }
    }

    /// The buffer grows until it holds `window` octets, or as far as it may (`tcp_rcvbuf_grow`).
    fn grow_buffer(&mut self, window: u64, max: u32) {
        let memory = u32::try_from((window << 8) / u64::from(self.ratio)).unwrap_or(u32::MAX).min(max);
        if memory > self.limit {
            self.limit = memory;
            self.clamp = self.full();
        }
    }

    /// A segment with `octets` octets of data echoed our timestamp, which is `age` old.
    pub(crate) fn echoed(&mut self, echo: u32, age: Duration, octets: u32, unread: u32) {
        if let Some(autotuning) = &mut self.autotuning {
            autotuning.echoed(echo, age, octets > 0 && octets >= self.full_size, unread > 0);
        }
    }

    /// The stream has arrived up to `offset`; `window` octets more are offered.
    pub(crate) fn received(&mut self, now: Instant, offset: u64, window: u32) {
        if let Some(autotuning) = &mut self.autotuning {
            autotuning.received(now, offset, window);
        }
    }

    /// `beyond` octets of the stream are held back by a gap.
    pub(crate) fn held_back(&mut self, beyond: u64) {
        if let Some(autotuning) = &self.autotuning {
            self.grow_buffer(autotuning.with_gap(beyond), autotuning.max);
        }
    }

    /// Octets of data that fit `memory`.
    fn holds(&self, memory: u32) -> u32 {
        ((u64::from(memory) * u64::from(self.ratio)) >> 8) as u32
    }

    /// Octets of data that fit the buffer.
    fn full(&self) -> u32 {
        self.holds(self.limit)
    }

    /// Octets of data that fit the rest of the buffer.
    fn free(&self) -> u32 {
        self.holds(self.limit.saturating_sub(self.used))
    }

    /// The largest window that the buffer has room for when it is empty.
    fn widest(&self) -> u32 {
        self.full().min(self.clamp)
    }

    /// Whether less than half is left.
    pub(crate) fn is_tight(&self) -> bool {
        self.free() < self.widest() / 2
    }

    /// A packet with data arrived while `offered` was the window; all arguments are octets. Returns whether the window
    /// may grow for it.
    pub(crate) fn add(&mut self, octets: u32, headers: u32, mss: u32, offered: u32) -> bool {
        let packet = Packet::new(octets, headers);
        match self.packets.back_mut() {
            Some(last) if octets <= last.spare => {
                last.octets += octets;
                last.spare -= octets;
            }
            _ => {
                self.used += packet.memory;
                self.packets.push_back(packet);
            }
        }
        self.measure(octets, packet.memory, mss, offered);
        octets >= SMALL && self.grow(octets, packet.memory, mss)
    }

    /// Learns the size of a full segment and its memory (`tcp_measure_rcv_mss`).
    fn measure(&mut self, octets: u32, memory: u32, mss: u32, offered: u32) {
        if octets < self.full_size {
            return;
        }
        let ratio = ((octets << 8) / memory).max(1);
        if octets != self.full_size && ratio != self.ratio {
            self.ratio = ratio;
            self.set_clamp(offered);
        }
        self.full_size = octets.min(mss);
    }

    /// The buffer holds more or less than was believed (`tcp_set_window_clamp`).
    fn set_clamp(&mut self, offered: u32) {
        let clamp = self.full().max(LEAST / 2);
        if clamp > self.clamp {
            self.threshold = self.threshold.max(offered.min(clamp));
        } else {
            self.threshold = self.threshold.min(clamp);
        }
        self.clamp = clamp;
        if let Some(autotuning) = &mut self.autotuning {
            autotuning.limit_space(clamp);
        }
    }

    /// A packet beyond a gap arrived (`tcp_data_queue_ofo`). Without SACK the window does not grow, or the peer would
    /// not see the acknowledgment as a duplicate.
    pub(crate) fn add_beyond_gap(
        &mut self,
        octets: u32,
        headers: u32,
        mss: u32,
        offered: u32,
        sack: bool,
    ) -> bool {
        let memory = Packet::new(octets, headers).memory;
        self.used += memory;
        self.beyond_gap += memory;
        self.measure(octets, memory, mss, offered);
        sack && octets >= SMALL && self.grow(octets, memory, mss)
    }

    /// A packet that was beyond a gap can be read.
    pub(crate) fn catch_up(&mut self, octets: u32, headers: u32) {
        let packet = Packet::new(octets, headers);
        self.packets.push_back(packet);
        // What arrived twice, or in parts, was counted differently.
        let known = packet.memory.min(self.beyond_gap);
        self.beyond_gap -= known;
        self.used += packet.memory - known;
    }

    /// Nothing is beyond a gap any more: it became readable, or arrived again before it did.
    pub(crate) fn close_gaps(&mut self) {
        self.used -= std::mem::take(&mut self.beyond_gap);
    }

    /// Lets the window grow while packets are worth their memory (`tcp_grow_window`).
    fn grow(&mut self, octets: u32, memory: u32, mss: u32) -> bool {
        let room = self.free().min(self.clamp).saturating_sub(self.threshold);
        if room == 0 {
            return false;
        }
        let increase =
            if self.holds(memory) <= octets { 2 * mss } else { self.growth_of_small(octets, memory) };
        if increase > 0 {
            self.threshold += room.min(increase.max(2 * octets));
        }
        increase > 0
    }

    /// Packets with little data for their memory let only a small window grow (`__tcp_grow_window`).
    fn growth_of_small(&self, octets: u32, memory: u32) -> u32 {
        let (mut memory, mut window) = (self.holds(memory) / 2, self.full() / 2);
        while self.threshold <= window {
            if memory <= octets {
                return 2 * self.full_size;
            }
            (memory, window) = (memory / 2, window / 2);
        }
        0
    }

    /// The application reads `octets` and has then read `total`, while `unread` are left.
    pub(crate) fn read(&mut self, now: Instant, octets: u32, total: u64, unread: u32) {
        // A kernel reads packet by packet, and what is left behind the first counts as unread.
        let behind = octets - self.packets.front().map_or(0, |first| first.octets.min(octets));
        let window = self.autotuning.as_mut().and_then(|it| {
            let window = it.read(now, total - u64::from(behind), unread + behind)?;
            Some((window, it.max))
        });
        self.release(octets);
        if let Some((window, max)) = window {
            self.grow_buffer(window, max);
        }
    }

    /// The first `octets` leave the buffer.
    pub(crate) fn release(&mut self, mut octets: u32) {
        while let Some(packet) = self.packets.front_mut() {
            if packet.octets > octets {
                packet.octets -= octets;
                return;
            }
            octets -= packet.octets;
            self.used -= packet.memory;
            self.packets.pop_front();
        }
    }

    /// The window to offer after `offered` (`__tcp_select_window`).
    pub(crate) fn window(&self, offered: u32, scale: u8) -> u32 {
        let full = self.widest();
        let mss = self.full_size.min(full).max(1);
        let mut free = self.free();
        if self.is_tight() {
            free = free >> scale << scale;
            if free < self.full() / 16 || free < mss {
                return 0;
            }
        }
        let free = free.min(self.threshold);
        if scale > 0 {
            return free.next_multiple_of(1 << scale);
        }
        if offered.saturating_add(mss) <= free || offered > free {
            free - free % mss
        } else if mss == full && free > offered + full / 2 {
            free
        } else {
            offered
        }
    }
}

/// The memory of a buffer that is to hold `capacity` octets.
fn limit(capacity: u32) -> u32 {
    capacity.saturating_mul(2).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IPv4, TCP and timestamps.
    const HEADERS: u32 = 52;

    fn fixed(receive_buffer: u32) -> PacketMemory {
        let linux = crate::Profile::Linux.settings();
        PacketMemory::new(&Settings { receive_buffer, receive_buffer_max: None, ..linux })
    }

    /// What is offered while segments arrive and nobody reads; `None`: no acknowledgment goes out.
    fn offers(capacity: u32, first: u32, segments: &[(u32, bool)]) -> Vec<u32> {
        let mut memory = fixed(capacity);
        memory.begin(first);
        let (mut offered, mut current) = (first, first);
        let mut offers = Vec::new();
        for (octets, acknowledged) in segments {
            memory.add(*octets, HEADERS, 1448, offered);
            current -= octets;
            if *acknowledged {
                current = current.max(memory.window(offered, 0));
                offered = current;
                offers.push(current);
            }
        }
        offers
    }

    /// Recording 13a: SO_RCVBUF 8192.
    #[test]
    fn a_small_window_closes_as_linux_closes_it() {
        let full = |acknowledged| (1448, acknowledged);
        let segments = [
            full(true),
            full(true),
            full(true),
            full(false),
            full(false),
            (60, false),
            full(true),
            full(true),
        ];
        assert_eq!(offers(8192, 7300, &segments), [8688, 7240, 5792, 1448, 0]);
    }

    /// Recording 07h: SO_RCVBUF 4096.
    #[test]
    fn a_tiny_window_closes_as_linux_closes_it() {
        let segments = [(1448, true), (1448, false), (1448, true), (24, true)];
        assert_eq!(offers(4096, 2920, &segments), [2920, 24, 0]);
    }

    #[test]
    fn the_window_of_the_smallest_buffer_opens_again() {
        let mut memory = fixed(1);
        assert_eq!(memory.capacity(), 1152);
        memory.begin(1152);
        for octets in [1152, 1, 700, 1152] {
            memory.add(octets, HEADERS, 1448, 0);
            memory.release(octets);
            assert_eq!(memory.window(0, 0), 1152, "after {octets} octets");
        }
    }

    #[test]
    fn reading_gives_memory_back_by_the_packet() {
        let mut memory = fixed(8192);
        memory.begin(7300);
        for _ in 0..7 {
            memory.add(1448, HEADERS, 1448, 0);
        }
        assert!(memory.is_tight());
        assert_eq!(memory.window(0, 0), 0);
        memory.release(1447);
        assert_eq!(memory.window(0, 0), 0, "not a whole packet");
        memory.release(1 + 6 * 1448);
        assert_eq!(memory.used, 0);
        assert_eq!(memory.window(0, 0), 8688);
    }

    #[test]
    fn the_window_of_a_large_buffer_grows_with_what_comes() {
        let mut memory = fixed(65_536);
        memory.begin(64_240);
        let mut windows = Vec::new();
        for _ in 0..8 {
            assert_eq!(memory.add(1448, HEADERS, 1448, 0), windows.last() != Some(&79));
            memory.release(1448);
            windows.push(memory.window(64_512, 10) >> 10);
        }
        assert!(windows.is_sorted() && windows[0] > 64 && windows[7] <= 80, "{windows:?}");
    }
}
