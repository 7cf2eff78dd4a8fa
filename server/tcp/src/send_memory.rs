//! How much an application can write before it waits, if packets count with their memory as in Linux.
//!
//! The send buffer is counted in memory, begins small and grows with the congestion window (`tcp_sndbuf_expand`,
//! `tcp_new_space`). An application that had to wait writes again when a third of it is free (`sk_stream_write_space`).

use crate::Settings;

/// Octets of memory that the descriptor of a packet takes (`sk_buff`), and its headers and fragments (`MAX_TCP_HEADER`,
/// `skb_shared_info`).
const DESCRIPTOR: u32 = 256;
const HEADERS: u32 = 256 + 320;
/// Octets of memory that a queued packet takes besides its data.
const OVERHEAD: u32 = DESCRIPTOR + HEADERS;
/// The least number of segments for which a buffer that grows has room (`TCP_INIT_CWND`).
const SEGMENTS: u32 = 10;
/// The least memory of a buffer, octets (`SOCK_MIN_SNDBUF`).
const LEAST: u32 = 2 * 2304;
/// Octets of data in the largest packet.
const LARGEST: u32 = 65_535;

/// The memory that a send buffer may take.
#[derive(Clone, Debug)]
pub(crate) struct SendMemory {
    /// The present limit, octets (`sk_sndbuf`).
    limit: u32,
    /// The limit up to which it grows, octets; `None` is not at all.
    max: Option<u32>,
    /// The largest segment that the peer takes, octets (`mss_clamp`).
    clamp: u32,
    /// Whether an application waits for room.
    waits: bool,
}

/// What is in the buffer, and how it leaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queue {
    /// Octets, sent or not.
    pub(crate) octets: u32,
    /// Octets never sent.
    pub(crate) unsent: u32,
    /// Octets that the peer's window still takes.
    pub(crate) window: u32,
    /// Segments sent and not acknowledged.
    pub(crate) in_flight: u32,
    /// Segments in one packet.
    pub(crate) packet: u32,
    /// The congestion window, segments.
    pub(crate) cwnd: u32,
    /// Octets of data in a full-sized segment.
    pub(crate) mss: u32,
    /// The largest window that the peer ever offered, octets.
    pub(crate) max_wnd: u32,
    /// Octets that may wait to be sent before a new packet begins (TCP_NOTSENT_LOWAT).
    pub(crate) notsent_lowat: u32,
    /// Whether its last octet ends a record, so that its last packet is not filled up (MSG_EOR).
    pub(crate) is_record: bool,
}

impl Queue {
    /// Octets of data in a packet that has not been sent: no more than half a window (`tcp_xmit_size_goal`).
    fn packet_len(&self) -> u32 {
        let max = if self.max_wnd > 536 { LARGEST.min(self.max_wnd / 2) } else { LARGEST };
        (max / self.mss).max(1) * self.mss
    }

    /// How many octets fill the last packet, or a new one if little enough waits to be sent.
    pub(crate) fn room_in_packet(&self) -> u32 {
        match self.begun() {
            0 if self.unsent >= self.notsent_lowat => 0,
            begun => self.packet_len() - begun,
        }
    }

    /// Octets in the last packet, if more can be added to it.
    fn begun(&self) -> u32 {
        if self.is_record { 0 } else { self.unsent % self.packet_len() }
    }

    /// Whether so little waits to be sent that an application is woken (`__sk_stream_memory_free` with `wake`).
    pub(crate) fn is_sent_enough(&self) -> bool {
        self.unsent.saturating_mul(2) < self.notsent_lowat
    }

    /// The memory that it takes, octets.
    fn memory(&self) -> u32 {
        let packets = self.in_flight.div_ceil(self.packet) + self.unsent.div_ceil(self.packet_len());
        self.octets.saturating_add(packets.saturating_mul(OVERHEAD))
    }
}

impl SendMemory {
    pub(crate) fn new(settings: &Settings) -> SendMemory {
        let max = settings.send_buffer_max.map(limit);
        SendMemory { limit: limit(settings.send_buffer), max, clamp: 0, waits: false }
    }

    /// Sets how many octets the buffer is to hold (SO_SNDBUF): it no longer grows.
    pub(crate) fn set_capacity(&mut self, capacity: u32) {
        self.limit = limit(capacity);
        self.max = None;
    }

    /// The handshake is over: `clamp` octets is the largest segment that the peer takes (`tcp_init_buffer_space`).
    pub(crate) fn establish(&mut self, clamp: u32) {
        self.clamp = clamp;
        self.grow(SEGMENTS);
    }

    /// Grows with a congestion window of `cwnd` segments: one in flight and one to follow (`tcp_sndbuf_expand`).
    fn grow(&mut self, cwnd: u32) {
        let Some(max) = self.max else { return };
        let wanted = cwnd.max(SEGMENTS).saturating_mul(2 * segment(self.clamp));
        self.limit = self.limit.max(wanted.min(max));
    }

    /// Whether an application waits for room.
    pub(crate) fn application_waits(&self) -> bool {
        self.waits
    }

    /// Whether an application that waits for room goes on: at least a third of the memory is free, and little enough waits to be sent
    /// (`__sk_stream_is_writeable`). If not, one waits from now on.
    pub(crate) fn is_writable(&mut self, queue: Queue) -> bool {
        // The buffer grows only where it, and not the congestion window, is the limit.
        if self.waits && queue.in_flight + queue.unsent.min(queue.window) / queue.mss < queue.cwnd {
            self.grow(queue.cwnd);
        }
        let memory = queue.memory();
        let has_room = memory < self.limit && self.limit - memory >= memory / 2;
        self.waits = !(has_room && queue.is_sent_enough());
        !self.waits
    }

    /// How many octets an application may write now, at most as many as fill a packet.
    pub(crate) fn room(&mut self, queue: Queue) -> u32 {
        if self.waits && !self.is_writable(queue) {
            return 0;
        }
        // Filling up the last packet takes no more memory.
        let is_full = queue.begun() == 0 && queue.memory() >= self.limit;
        let room = if is_full { 0 } else { queue.room_in_packet() };
        self.waits = room == 0;
        room
    }
}

/// The memory of a buffer that is to hold `capacity` octets.
fn limit(capacity: u32) -> u32 {
    capacity.saturating_mul(2).max(LEAST)
}

/// The memory of a segment of `len` octets in a packet of its own.
fn segment(len: u32) -> u32 {
    (len.min(LARGEST) + HEADERS).next_power_of_two() + DESCRIPTOR
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growing(send_buffer_max: u32) -> SendMemory {
        let settings =
            Settings { send_buffer_max: Some(send_buffer_max), ..crate::Profile::Linux.settings() };
        let mut memory = SendMemory::new(&settings);
        memory.establish(1460);
        memory
    }

    /// Writes as much as there is room for, without sending, and returns how much.
    fn fill(memory: &mut SendMemory, mut queue: Queue) -> u32 {
        let before = queue.octets;
        loop {
            let room = memory.room(queue);
            if room == 0 {
                return queue.octets - before;
            }
            (queue.octets, queue.unsent) = (queue.octets + room, queue.unsent + room);
        }
    }

    /// Recording 13a: 40,000 octets into a window of 7,300.
    #[test]
    fn a_write_waits_until_a_third_is_free() {
        let mut memory = growing(2 << 20);
        let sent = Queue {
            octets: 8_688,
            unsent: 1_388,
            window: 0,
            in_flight: 6,
            packet: 2,
            cwnd: 10,
            mss: 1448,
            max_wnd: 7_300,
            notsent_lowat: u32::MAX,
            is_record: false,
        };
        assert_eq!(fill(&mut memory, sent), 36_260 - 8_688);
        // Acknowledged up to 4345: not enough. Up to 8749: enough.
        let later = Queue { octets: 31_916, unsent: 27_572, in_flight: 4, cwnd: 12, ..sent };
        assert_eq!(memory.room(later), 0);
        let enough = Queue { octets: 27_512, unsent: 26_064, in_flight: 1, cwnd: 12, ..sent };
        assert_eq!(memory.room(enough), 2_896);
    }

    #[test]
    fn the_buffer_grows_with_the_congestion_window_that_it_does_not_fill() {
        let mut memory = growing(1 << 20);
        let empty = Queue {
            octets: 0,
            unsent: 0,
            window: 64_512,
            in_flight: 0,
            packet: 2,
            cwnd: 10,
            mss: 1448,
            max_wnd: 64_512,
            notsent_lowat: u32::MAX,
            is_record: false,
        };
        assert_eq!(fill(&mut memory, empty), 2 * 31_856);
        let full = Queue { octets: 63_712, unsent: 20_272, in_flight: 30, cwnd: 30, ..empty };
        assert_eq!(memory.room(full), 0);
        let idle = Queue { octets: 20_000, unsent: 0, in_flight: 14, cwnd: 30, ..empty };
        assert_eq!(memory.room(idle), 31_856);
        assert_eq!(memory.limit, 30 * 2 * 2304);
    }
}
