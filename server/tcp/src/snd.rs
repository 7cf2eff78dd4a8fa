//! The send side: sequence space, buffer and the peer's window (RFC 9293 §3.3.1, §3.8.6).

use std::collections::VecDeque;

use crate::memory::give_back;
use crate::scoreboard::Scoreboard;
use crate::send_memory::{Queue, SendMemory};
use crate::{Header, SendFlags, Seq, Settings};

/// RFC 9293 §3.7.1, MUST-15: the MSS without an MSS option, octets.
const DEFAULT_MSS: u32 = 536;

/// `snd.*` of RFC 9293, and the octets behind it.
#[derive(Clone, Debug)]
pub(crate) struct Snd {
    /// `iss`: our initial sequence number.
    pub(crate) iss: Seq,
    /// `snd.una`: the oldest sequence number not acknowledged.
    pub(crate) una: Seq,
    /// `snd.nxt`: the next sequence number never sent.
    pub(crate) nxt: Seq,
    /// `snd.wnd`: octets that the peer takes from `snd.una` on.
    pub(crate) wnd: u32,
    /// The largest window that the peer ever offered (`MAX.SND.WND` of RFC 9293 §3.10.7.4).
    pub(crate) max_wnd: u32,
    /// `snd.wl1`, `snd.wl2`: the segment that last changed the window.
    wl1: Seq,
    wl2: Seq,
    /// The shift count of the windows that the peer advertises.
    pub(crate) scale: u8,
    /// Octets of data in a full-sized segment.
    pub(crate) mss: u32,
    /// The same as far as MSS, options and path MTU allow it.
    max_mss: u32,
    /// Whether a full-sized segment takes at most half of `max_wnd`.
    halves_windows: bool,
    /// Where the last segment with less data ended (Linux `snd_sml`).
    pub(crate) small_end: Seq,
    /// The segments in flight.
    pub(crate) sent: Scoreboard,
    /// Octets from `buffer_start` on: in flight or not sent yet.
    buffer: VecDeque<u8>,
    buffer_start: Seq,
    room: Room,
    /// Where a segment has PSH that leaves nothing unsent (Linux `pushed_seq`): at the end of each write, and where more than
    /// half of the largest window was written since.
    pushed: Seq,
    /// Octets that may be in the buffer without being sent (TCP_NOTSENT_LOWAT).
    notsent_lowat: u32,
    /// Where records end that are not sent (MSG_EOR).
    record_ends: VecDeque<Seq>,
    /// Whether a FIN follows the last octet.
    fin_queued: bool,
}

/// What limits the buffer.
#[derive(Clone, Debug)]
enum Room {
    /// Octets of data.
    Octets(u32),
    /// The memory that packets take.
    Memory(SendMemory),
}

impl Snd {
    pub(crate) fn new(settings: &Settings, iss: Seq) -> Snd {
        let room = if settings.packet_memory {
            Room::Memory(SendMemory::new(settings))
        } else {
            Room::Octets(settings.send_buffer)
        };
        Snd {
            iss,
            una: iss,
            nxt: iss,
            wnd: 0,
            max_wnd: 0,
            wl1: Seq(0),
            wl2: Seq(0),
            scale: 0,
            mss: DEFAULT_MSS,
            max_mss: DEFAULT_MSS,
            halves_windows: !settings.half_window_segments,
            small_end: iss,
            sent: Scoreboard::default(),
            buffer: VecDeque::new(),
            buffer_start: iss + 1,
            room,
            pushed: iss + 1,
            notsent_lowat: u32::MAX,
            record_ends: VecDeque::new(),
            fin_queued: false,
        }
    }

    /// Takes octets from the application and returns how many: at most as many as fill a packet, which may then be sent. The
    /// congestion window and the size of a packet are in segments.
    pub(crate) fn write(&mut self, octets: &[u8], flags: SendFlags, cwnd: u32, packet: u32) -> usize {
        let wanted = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        let queue = self.queue(cwnd, packet);
        let room = match &mut self.room {
            Room::Octets(capacity) => capacity.saturating_sub(queue.octets).min(queue.room_in_packet()),
            Room::Memory(memory) => memory.room(queue),
        };
        let count = wanted.min(room);
        self.buffer.extend(&octets[..count as usize]);
        let goes_on = 0 < count && (count < wanted || flags.more);
        // Of a record that is not all there, the end is still to come.
        if flags.end_of_record && count > 0 && count == wanted {
            self.record_ends.push_back(self.buffer_end());
        }
        if !goes_on || self.pushed.until(self.buffer_end()) > self.max_wnd / 2 {
            self.pushed = self.buffer_end();
        }
        count as usize
    }

    /// Whether PSH is due where everything was sent.
    pub(crate) fn is_pushed(&self) -> bool {
        self.pushed == self.buffer_end()
    }

    /// Whether [`write`](Snd::write) would take an octet.
    pub(crate) fn has_room(&self, cwnd: u32, packet: u32) -> bool {
        let queue = self.queue(cwnd, packet);
        match &self.room {
            Room::Octets(capacity) => queue.octets < *capacity && queue.room_in_packet() > 0,
            Room::Memory(memory) => memory.clone().room(queue) > 0,
        }
    }

    /// Whether an application that waits for room goes on; if not, one waits from now on.
    pub(crate) fn is_writable(&mut self, cwnd: u32, packet: u32) -> bool {
        let queue = self.queue(cwnd, packet);
        match &mut self.room {
            Room::Octets(capacity) => queue.octets < *capacity && queue.is_sent_enough(),
            Room::Memory(memory) => memory.is_writable(queue),
        }
    }

    /// Whether an application waits for room.
    pub(crate) fn application_waits(&self) -> bool {
        match &self.room {
            Room::Octets(capacity) => self.buffer.len() >= *capacity as usize,
            Room::Memory(memory) => memory.application_waits(),
        }
    }

    /// The handshake is over; the options of every segment take `options` octets.
    pub(crate) fn establish(&mut self, options: u32) {
        if let Room::Memory(memory) = &mut self.room {
            memory.establish(self.max_mss + options);
        }
    }

    /// The buffer as the memory of packets sees it.
    fn queue(&self, cwnd: u32, packet: u32) -> Queue {
        Queue {
            octets: self.buffer.len() as u32,
            unsent: self.unsent(),
            window: self.usable_window(),
            in_flight: self.sent.len(),
            packet,
            cwnd,
            mss: self.mss,
            max_wnd: self.max_wnd,
            notsent_lowat: self.notsent_lowat,
            is_record: self.record_ends.back() == Some(&self.buffer_end()),
        }
    }

    /// Sets how many octets may be in the buffer without being sent; `None` is any number.
    pub(crate) fn set_notsent_lowat(&mut self, octets: Option<u32>) {
        self.notsent_lowat = octets.unwrap_or(u32::MAX);
    }

    /// Sets the size of the buffer, octets. What was written stays.
    pub(crate) fn set_capacity(&mut self, octets: u32) {
        match &mut self.room {
            Room::Octets(capacity) => *capacity = octets,
            Room::Memory(memory) => memory.set_capacity(octets),
        }
    }

    /// The stream ends here: a FIN follows the last octet.
    pub(crate) fn queue_fin(&mut self) {
        self.fin_queued = true;
    }

    /// Whether a FIN was queued.
    pub(crate) fn is_finishing(&self) -> bool {
        self.fin_queued
    }

    /// The sequence number after everything that was written.
    pub(crate) fn buffer_end(&self) -> Seq {
        self.buffer_start + self.buffer.len() as u32
    }

    /// Octets never sent.
    pub(crate) fn unsent(&self) -> u32 {
        let next = self.nxt.max(self.buffer_start);
        if next.before(self.buffer_end()) { next.until(self.buffer_end()) } else { 0 }
    }

    /// Of the octets never sent, those of the first record.
    pub(crate) fn unsent_of_record(&self) -> u32 {
        let next = self.nxt.max(self.buffer_start);
        self.record_ends.front().map_or_else(|| self.unsent(), |end| next.until(*end))
    }

    /// Everything before `nxt` was sent; returns whether a record ends there.
    pub(crate) fn pass_record(&mut self) -> bool {
        let ends = self.record_ends.front().is_some_and(|end| end.at_or_before(self.nxt));
        if ends {
            self.record_ends.pop_front();
        }
        ends
    }

    /// Whether a FIN was queued and never sent.
    pub(crate) fn fin_unsent(&self) -> bool {
        self.fin_queued && self.nxt.at_or_before(self.buffer_end())
    }

    /// Whether our FIN is acknowledged.
    pub(crate) fn fin_acknowledged(&self) -> bool {
        self.fin_queued && self.una.after(self.buffer_end())
    }

    /// Octets not acknowledged, sent or not.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.buffer.len()
    }

    /// The memory that it takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        (self.buffer.len() + size_of::<u32>() * self.record_ends.len()) as u64 + self.sent.memory()
    }

    /// The end of the peer's window.
    pub(crate) fn window_end(&self) -> Seq {
        self.una + self.wnd
    }

    /// Octets from `seq` on that the peer's window takes.
    pub(crate) fn room_at(&self, seq: Seq) -> u32 {
        let edge = self.window_end();
        if seq.before(edge) { seq.until(edge) } else { 0 }
    }

    /// Octets that the peer's window still takes.
    pub(crate) fn usable_window(&self) -> u32 {
        self.room_at(self.nxt)
    }

    /// Whether a segment that is not full-sized is not acknowledged yet.
    pub(crate) fn has_small_in_flight(&self) -> bool {
        self.una.before(self.small_end)
    }

    /// Everything before `una` is acknowledged.
    pub(crate) fn acknowledge(&mut self, una: Seq) {
        self.una = una;
        if self.buffer_start.before(una) {
            let known = (self.buffer_start.until(una) as usize).min(self.buffer.len());
            self.buffer.drain(..known);
            give_back(&mut self.buffer);
            self.buffer_start += known as u32;
        }
    }

    /// MSS, options and path MTU allow segments of `max_mss` octets of data.
    ///
    /// If only whole segments are sent, a window that takes no two of them would be filled once a round trip, or never
    /// (Linux `tcp_bound_to_half_wnd`).
    pub(crate) fn set_mss(&mut self, max_mss: u32) {
        /// The fewest octets of data in a segment (Linux allows 68 octets with the TCP header).
        const LEAST: u32 = 48;
        self.max_mss = max_mss;
        let half = if self.max_wnd > DEFAULT_MSS { self.max_wnd / 2 } else { self.max_wnd };
        let bound = if self.halves_windows && half > 0 { half.max(LEAST) } else { max_mss };
        self.mss = max_mss.min(bound);
    }

    /// Takes the window of a segment unless a newer one is known, and returns whether it changed (RFC 9293 §3.10.7.4,
    /// fifth, ESTABLISHED).
    ///
    /// An old segment that is sent again may acknowledge more than any before. The RFC's rule would ignore its window,
    /// and the previous one, counted from the new `snd.una`, would reach too far (Linux `tcp_may_update_window`).
    pub(crate) fn update_window(&mut self, header: &Header) -> bool {
        let newer = header.ack.after(self.una)
            || self.wl1.before(header.seq)
            || (self.wl1 == header.seq && self.wl2.at_or_before(header.ack));
        newer && self.set_window(header)
    }

    /// Whether the segment acknowledges more or may change the window (Linux `tcp_may_update_window`).
    pub(crate) fn moves_window(&self, header: &Header) -> bool {
        let wnd = u32::from(header.window) << self.scale;
        header.ack.after(self.una)
            || self.wl1.before(header.seq)
            || (self.wl1 == header.seq && (wnd > self.wnd || wnd == 0))
    }

    /// Takes the window of a segment and returns whether it changed. That of a SYN is not scaled (RFC 7323 §2.2).
    pub(crate) fn set_window(&mut self, header: &Header) -> bool {
        let scale = if header.flags.contains(crate::Flags::SYN) { 0 } else { self.scale };
        let wnd = u32::from(header.window) << scale;
        let changed = wnd != self.wnd;
        self.wnd = wnd;
        if wnd > self.max_wnd {
            self.max_wnd = wnd;
            self.set_mss(self.max_mss);
        }
        self.wl1 = header.seq;
        self.wl2 = header.ack;
        changed
    }

    /// The octets at `seq`, in the two parts of a ring buffer.
    pub(crate) fn octets(&self, seq: Seq, len: u32) -> (&[u8], &[u8]) {
        let start = self.buffer_start.until(seq) as usize;
        let end = start + len as usize;
        let (front, back) = self.buffer.as_slices();
        if end <= front.len() {
            (&front[start..end], &[])
        } else if start >= front.len() {
            (&back[start - front.len()..end - front.len()], &[])
        } else {
            (&front[start..], &back[..end - front.len()])
        }
    }

    /// Drops everything: nothing more will be sent.
    pub(crate) fn clear(&mut self) {
        self.buffer = VecDeque::new();
        self.record_ends.clear();
        self.sent.clear();
    }
}
