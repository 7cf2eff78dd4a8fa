//! The receive side: sequence space, buffer and window (RFC 9293 §3.3.1, §3.8.6).

use std::collections::VecDeque;
use std::time::Duration;

use crate::assembler::Assembler;
use crate::memory::give_back;
use crate::packet_memory::PacketMemory;
use crate::{Instant, SackBlocks, Seq, Settings};

/// `rcv.*` of RFC 9293, and the octets behind it.
#[derive(Clone, Debug)]
pub(crate) struct Rcv {
    /// `irs`: the peer's initial sequence number.
    pub(crate) irs: Seq,
    /// `rcv.nxt`: the next sequence number expected.
    pub(crate) nxt: Seq,
    /// The right edge of the window as last advertised: never moves back (RFC 9293 §3.8.6, SHLD-14).
    right_edge: Seq,
    /// Octets of the stream before `nxt`.
    offset: u64,
    /// Octets that the application has not read.
    readable: VecDeque<u8>,
    assembler: Assembler,
    /// The sequence number of the peer's FIN, once seen.
    fin: Option<Seq>,
    /// The size of the buffer, octets.
    capacity: u32,
    /// The shift count that our SYN offers, once it is decided.
    offered_scale: Option<Option<u8>>,
    /// The shift count of the windows we advertise.
    scale: u8,
    /// Whether the window of a SYN is a whole number of segments.
    whole_segments: bool,
    /// Whether what lies beyond the window is cut off.
    trims: bool,
    /// The least increase that avoids a silly window, octets (RFC 9293 §3.8.6.2.2).
    min_increase: u32,
    /// The window as last advertised.
    offered: u32,
    /// The memory that packets take, if that limits the window.
    memory: Option<PacketMemory>,
    /// Octets of headers in a packet.
    headers: u32,
    /// The MSS that we announced, octets.
    mss: u32,
    /// Whether SACK reports data beyond a gap to the peer.
    pub(crate) sack: bool,
    /// Whether packets received since `take_growth` was last called let the window grow.
    grew: bool,
}

/// What the text of a segment did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// It continued the stream by this many octets.
    InOrder(u32),
    /// It filled a gap, or the beginning of one: this many octets became readable.
    FilledGap(u32),
    /// It lies beyond a gap.
    OutOfOrder,
    /// Nothing in it was new.
    Nothing,
}

impl Rcv {
    /// The receive side before the peer's SYN.
    pub(crate) fn new(settings: &Settings) -> Rcv {
        let capacity = settings.receive_buffer;
        let memory = settings.packet_memory.then(|| PacketMemory::new(settings));
        Rcv {
            irs: Seq(0),
            nxt: Seq(0),
            right_edge: Seq(0),
            offset: 0,
            readable: VecDeque::new(),
            assembler: Assembler::default(),
            fin: None,
            capacity: memory.as_ref().map_or(capacity, PacketMemory::capacity),
            offered_scale: None,
            scale: 0,
            whole_segments: settings.whole_segment_window,
            trims: settings.trim_to_window,
            min_increase: 1,
            offered: 0,
            memory,
            headers: 40,
            mss: 536,
            sack: false,
            grew: false,
        }
    }

    /// Sets the size of the buffer, octets. It no longer grows.
    pub(crate) fn set_capacity(&mut self, capacity: u32) {
        self.capacity = capacity;
        if let Some(memory) = &mut self.memory {
            memory.set_capacity(capacity);
            self.capacity = memory.capacity();
        }
        self.min_increase = self.min_increase.min((self.capacity / 2).max(1));
    }

    /// The shift count that our SYN offers. It follows from the buffer as it is when the SYN is first made: the whole memory of one that
    /// grows, but the data of a fixed one (Linux `tcp_select_initial_window`).
    pub(crate) fn offer_scale(&mut self, settings: &Settings) -> Option<u8> {
        let grows_to = self.memory.as_ref().and_then(PacketMemory::grows_to);
        let largest = self.capacity.max(grows_to.unwrap_or(0));
        *self.offered_scale.get_or_insert_with(|| Some(settings.window_scale?.shift_for(largest)))
    }

    /// The peer's SYN arrived.
    pub(crate) fn synchronize(&mut self, irs: Seq) {
        self.irs = irs;
        self.nxt = irs + 1;
        // Our SYN may have offered a window already, which Linux keeps to (`tcp_select_window`).
        self.right_edge = self.nxt + if self.memory.is_some() { self.offered } else { 0 };
    }

    /// The handshake is over: our windows are scaled by `scale`, and the peer sends segments of up to `mss` octets with
    /// `headers` octets of headers.
    pub(crate) fn agree(&mut self, scale: u8, mss: u32, headers: u32) {
        self.scale = scale;
        (self.mss, self.headers) = (mss, headers);
        self.min_increase = (self.capacity / 2).min(mss);
    }

    /// The window of a SYN or SYN+ACK, which is not scaled (RFC 7323 §2.2).
    pub(crate) fn initial_window(&mut self, mss: u32) -> u16 {
        const MAX: u32 = u16::MAX as u32;
        // In Linux a larger one is open though the field does not say so (`tcp_select_initial_window`).
        let most = if self.memory.is_some() { u32::MAX } else { MAX };
        // A peer may send data before it acknowledges our SYN, and the SYN is sent again.
        let room = self.free().min(most);
        let window = if self.whole_segments && room > mss { room - room % mss } else { room };
        // A SYN that is sent again does not shrink the window.
        let window = window.max(self.window().min(most));
        self.right_edge = self.right_edge.max(self.nxt + window);
        self.offered = window;
        if let Some(memory) = &mut self.memory {
            memory.begin(window);
        }
        window.min(MAX) as u16
    }

    /// The handshake is over.
    pub(crate) fn establish(&mut self, now: Instant) {
        if let Some(memory) = &mut self.memory {
            memory.establish(now, self.offered, self.mss);
        }
    }

    /// A segment with `octets` octets of data echoed our timestamp, which is `age` old.
    pub(crate) fn echoed(&mut self, echo: u32, age: Duration, octets: u32) {
        if let Some(memory) = &mut self.memory {
            memory.echoed(echo, age, octets, self.readable.len() as u32);
        }
    }

    /// Data arrived: the receive buffer may have to grow (Linux `tcp_event_data_recv`, `tcp_data_queue_ofo`).
    pub(crate) fn tune(&mut self, now: Instant, text: Text) {
        let Some(memory) = &mut self.memory else { return };
        match text {
            Text::InOrder(_) | Text::FilledGap(_) => memory.received(now, self.offset, self.offered),
            Text::OutOfOrder => memory.held_back(self.assembler.end().saturating_sub(self.offset)),
            Text::Nothing => {}
        }
    }

    /// `rcv.wnd`: octets that the peer may send now.
    pub(crate) fn window(&self) -> u32 {
        if self.nxt.before(self.right_edge) { self.nxt.until(self.right_edge) } else { 0 }
    }

    fn free(&self) -> u32 {
        self.capacity.saturating_sub(self.readable.len() as u32)
    }

    /// The window that the next segment would advertise (RFC 9293 §3.8.6.2.2).
    pub(crate) fn next_window(&self) -> u32 {
        let (current, free) = (self.window(), self.free());
        if let Some(memory) = &self.memory {
            return memory.window(self.offered, self.scale).max(current);
        }
        if free >= current + self.min_increase { free } else { current }
    }

    /// The window field of a segment that is sent now.
    pub(crate) fn advertise(&mut self) -> u16 {
        let (current, next) = (self.window(), self.next_window());
        if self.memory.is_some() {
            // The window never shrinks (Linux `tcp_select_window`).
            return self.offer(next.div_ceil(1 << self.scale));
        }
        let mut field = next >> self.scale;
        // Rounding down shrinks the window (RFC 7323 §2.4), and rounding up may exceed the buffer.
        if next == current && (field << self.scale) < current && ((field + 1) << self.scale) <= self.free() {
            field += 1;
        }
        // In a buffer smaller than one step of the scale the window would stay closed for ever.
        if field == 0 && next > 0 && self.free() == self.capacity {
            field = 1;
        }
        self.offer(field)
    }

    fn offer(&mut self, field: u32) -> u16 {
        let field = field.min(u32::from(u16::MAX));
        self.offered = field << self.scale;
        self.right_edge = self.right_edge.max(self.nxt + self.offered);
        field as u16
    }

    /// The shift count of the windows we advertise.
    pub(crate) fn scale(&self) -> u8 {
        self.scale
    }

    /// The window as last advertised, whatever has arrived since.
    pub(crate) fn offered(&self) -> u32 {
        self.offered
    }

    /// Whether unread packets take more than half of the memory, if memory limits the window.
    pub(crate) fn is_tight(&self) -> bool {
        self.memory.as_ref().is_some_and(PacketMemory::is_tight)
    }

    /// Whether packets received since the last call let the window grow.
    pub(crate) fn take_growth(&mut self) -> bool {
        std::mem::take(&mut self.grew)
    }

    /// The acceptability test (RFC 9293 §3.10.7.4, table 6).
    pub(crate) fn is_acceptable(&self, seq: Seq, len: u32) -> bool {
        let window = self.window();
        let inside = |at: Seq| self.nxt.until(at) < window;
        match (len, window) {
            (0, 0) => seq == self.nxt,
            (0, _) => inside(seq),
            (_, 0) => false,
            _ => inside(seq) || inside(seq + (len - 1)),
        }
    }

    /// Whether text up to `end` is too much, where nothing is trimmed: it exceeds the window, and there is unread data. A FIN
    /// takes no room.
    pub(crate) fn overflows(&self, end: Seq) -> bool {
        !self.trims && end.after(self.right_edge) && self.unread() > 0
    }

    /// Takes the part of the text that is new and, if it is trimmed, in the window.
    pub(crate) fn text(&mut self, seq: Seq, mut octets: &[u8]) -> Text {
        let mut start = seq;
        if start.before(self.nxt) {
            let known = (start.until(self.nxt) as usize).min(octets.len());
            octets = &octets[known..];
            start = self.nxt;
        }
        if self.trims {
            let room = start.until(self.right_edge.max(start)) as usize;
            octets = &octets[..octets.len().min(room)];
        }
        if octets.is_empty() {
            return Text::Nothing;
        }
        if start != self.nxt {
            let known = self.has_beyond_gap(start, octets.len() as u32);
            if let Some(memory) = self.memory.as_mut().filter(|_| !known) {
                self.grew |= memory.add_beyond_gap(
                    octets.len() as u32,
                    self.headers,
                    self.mss,
                    self.offered,
                    self.sack,
                );
            }
            self.assembler.insert(self.offset + u64::from(self.nxt.until(start)), octets);
            return Text::OutOfOrder;
        }
        self.append(octets);
        let mut taken = octets.len() as u32;
        if self.assembler.is_empty() {
            return Text::InOrder(taken);
        }
        let mut joined = false;
        while let Some(waiting) = self.assembler.take(self.offset) {
            self.extend(&waiting);
            if let Some(memory) = &mut self.memory {
                for packet in waiting.chunks(self.mss.max(1) as usize) {
                    memory.catch_up(packet.len() as u32, self.headers);
                }
            }
            taken += waiting.len() as u32;
            joined = true;
        }
        if let Some(memory) = self.memory.as_mut().filter(|_| self.assembler.is_empty()) {
            memory.close_gaps();
        }
        if joined || !self.assembler.is_empty() { Text::FilledGap(taken) } else { Text::InOrder(taken) }
    }

    fn append(&mut self, octets: &[u8]) {
        self.extend(octets);
        if let Some(memory) = &mut self.memory {
            for packet in octets.chunks(self.mss.max(1) as usize) {
                self.grew |= memory.add(packet.len() as u32, self.headers, self.mss, self.offered);
            }
        }
    }

    fn extend(&mut self, octets: &[u8]) {
        self.readable.extend(octets);
        self.nxt += octets.len() as u32;
        self.offset += octets.len() as u64;
    }

    /// The peer's FIN is at `seq`.
    pub(crate) fn note_fin(&mut self, seq: Seq) {
        // A FIN beyond the window does not count if the text before it is cut off.
        if !self.trims || seq.at_or_before(self.right_edge) {
            self.fin.get_or_insert(seq);
        }
    }

    /// Advances `rcv.nxt` over the FIN if that is next, and returns whether it did. What lies beyond it is dropped (Linux
    /// `tcp_fin`).
    pub(crate) fn take_fin(&mut self) -> bool {
        let next = self.fin == Some(self.nxt);
        if next {
            self.nxt += 1;
            self.assembler = Assembler::default();
            if let Some(memory) = &mut self.memory {
                memory.close_gaps();
            }
        }
        next
    }

    /// Whether everything up to the peer's FIN has arrived.
    pub(crate) fn is_finished(&self) -> bool {
        self.fin.is_some_and(|fin| fin.before(self.nxt))
    }

    /// Sequence numbers received in order after the SYN: octets, and one for FIN.
    pub(crate) fn received(&self) -> u64 {
        self.offset + u64::from(self.is_finished())
    }

    /// Octets that can be read.
    pub(crate) fn unread(&self) -> usize {
        self.readable.len()
    }

    /// The memory that it takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        self.readable.len() as u64 + self.assembler.memory()
    }

    /// Drops what the application will not read.
    pub(crate) fn discard_unread(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.release(self.readable.len() as u32);
        }
        self.readable = VecDeque::new();
    }

    /// Moves octets to the application.
    pub(crate) fn read(&mut self, now: Instant, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.readable.len());
        let (front, back) = self.readable.as_slices();
        let first = count.min(front.len());
        buffer[..first].copy_from_slice(&front[..first]);
        buffer[first..count].copy_from_slice(&back[..count - first]);
        self.readable.drain(..count);
        give_back(&mut self.readable);
        if let Some(memory) = &mut self.memory {
            let unread = self.readable.len() as u32;
            memory.read(now, count as u32, self.offset - u64::from(unread), unread);
        }
        count
    }

    /// Whether something lies beyond a gap.
    pub(crate) fn has_gap(&self) -> bool {
        !self.assembler.is_empty() || self.waiting_fin().is_some()
    }

    /// The peer's FIN, if something before it is missing.
    fn waiting_fin(&self) -> Option<Seq> {
        self.fin.filter(|fin| fin.after(self.nxt))
    }

    /// Adds the blocks of the SACK option (RFC 2018 §4).
    pub(crate) fn push_sack_blocks(&self, blocks: &mut SackBlocks) {
        let at = |offset: u64| self.nxt + (offset - self.offset) as u32;
        // A FIN takes a sequence number, as an octet does.
        let fin = self.waiting_fin();
        let behind_data = self.assembler.ranges().any(|(_, end)| Some(at(end)) == fin);
        if let Some(fin) = fin.filter(|_| !behind_data) {
            blocks.push(fin, fin + 1);
        }
        for (start, end) in self.assembler.ranges() {
            blocks.push(at(start), at(end) + u32::from(Some(at(end)) == fin));
        }
    }

    /// Whether all of these octets lie beyond a gap already.
    pub(crate) fn has_beyond_gap(&self, seq: Seq, len: u32) -> bool {
        let start = self.offset + u64::from(self.nxt.until(seq));
        seq.after(self.nxt)
            && self.assembler.ranges().any(|(from, to)| from <= start && start + u64::from(len) <= to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(receive_buffer: u32, packet_memory: bool) -> Rcv {
        Rcv::new(&Settings {
            receive_buffer,
            receive_buffer_max: None,
            packet_memory,
            trim_to_window: true,
            ..crate::Profile::Linux.settings()
        })
    }

    fn rcv() -> Rcv {
        let mut rcv = receiver(1000, false);
        rcv.synchronize(Seq(99));
        rcv.agree(0, 100, 40);
        assert_eq!(rcv.initial_window(100), 1000);
        rcv
    }

    #[test]
    fn what_came_twice_around_a_gap_leaves_no_memory_taken() {
        let mut rcv = receiver(1, true);
        rcv.synchronize(Seq(99));
        rcv.agree(0, 588, 40);
        let window = rcv.initial_window(588);
        assert_eq!(rcv.text(Seq(101), &[0; 100]), Text::OutOfOrder);
        assert_eq!(rcv.text(Seq(100), &[0; 101]), Text::InOrder(101));
        assert_eq!(rcv.read(Instant::ZERO, &mut [0; 101]), 101);
        assert_eq!(rcv.next_window(), u32::from(window));
    }

    #[test]
    fn the_acceptability_test_of_rfc_9293() {
        let open = rcv();
        let mut closed = rcv();
        assert_eq!(closed.text(Seq(100), &[0; 1000]), Text::InOrder(1000));
        assert_eq!(closed.window(), 0);
        // (window open, seq relative to rcv.nxt, seg.len, acceptable)
        for (is_open, seq, len, acceptable) in [
            (false, 0, 0, true),
            (false, 1, 0, false),
            (false, 0, 1, false),
            (true, 0, 0, true),
            (true, 999, 0, true),
            (true, 1000, 0, false),
            (true, u32::MAX, 0, false),
            (true, 0, 1, true),
            (true, 999, 50, true),
            (true, 1000, 1, false),
            (true, u32::MAX, 1, false),
            (true, u32::MAX, 2, true),
            (true, u32::MAX - 9, 2000, false),
        ] {
            let rcv = if is_open { &open } else { &closed };
            assert_eq!(rcv.is_acceptable(rcv.nxt + seq, len), acceptable, "{is_open} {seq} {len}");
        }
    }

    #[test]
    fn text_is_trimmed_to_what_is_new_and_inside() {
        let mut rcv = rcv();
        assert_eq!(rcv.text(Seq(150), &[2; 50]), Text::OutOfOrder);
        let mut blocks = SackBlocks::default();
        rcv.push_sack_blocks(&mut blocks);
        assert_eq!(blocks.as_slice(), [(Seq(150), Seq(200))]);
        assert!(rcv.has_beyond_gap(Seq(160), 40) && !rcv.has_beyond_gap(Seq(160), 41));
        assert_eq!(rcv.text(Seq(90), &[1; 60]), Text::FilledGap(100));
        assert_eq!(rcv.text(Seq(100), &[1; 60]), Text::Nothing);
        assert_eq!(rcv.text(Seq(200), &[3; 2000]), Text::InOrder(900));
        assert_eq!(rcv.text(rcv.nxt, &[3; 1]), Text::Nothing, "no room");
        let mut read = [0; 1200];
        assert_eq!(rcv.read(Instant::ZERO, &mut read), 1000);
        assert_eq!((read[49], read[50], read[99], read[100]), (1, 2, 2, 3));
    }

    #[test]
    fn what_is_not_trimmed_is_taken_whole_unless_something_is_unread() {
        let mut rcv = rcv();
        rcv.trims = false;
        assert!(!rcv.overflows(Seq(1101)), "nothing is unread");
        assert_eq!(rcv.text(Seq(100), &[1; 1010]), Text::InOrder(1010));
        assert_eq!((rcv.unread(), rcv.window()), (1010, 0));
        assert!(!rcv.overflows(Seq(1100)) && rcv.overflows(Seq(1101)));
        rcv.note_fin(Seq(1110));
        assert!(rcv.take_fin(), "though it lies beyond the window");
    }

    #[test]
    fn what_lies_beyond_a_fin_is_dropped() {
        let mut rcv = rcv();
        assert_eq!(rcv.text(Seq(150), &[2; 50]), Text::OutOfOrder);
        rcv.note_fin(Seq(100));
        assert!(rcv.take_fin() && !rcv.has_gap());
        let mut blocks = SackBlocks::default();
        rcv.push_sack_blocks(&mut blocks);
        assert!(blocks.is_empty());
    }

    #[test]
    fn the_window_opens_only_by_worthwhile_steps_and_never_shrinks() {
        let mut rcv = rcv();
        rcv.text(Seq(100), &[0; 1000]);
        assert_eq!(rcv.advertise(), 0);
        rcv.read(Instant::ZERO, &mut [0; 99]);
        assert_eq!(rcv.advertise(), 0, "a silly window");
        rcv.read(Instant::ZERO, &mut [0; 1]);
        assert_eq!(rcv.advertise(), 100);
        assert_eq!(rcv.window(), 100);
    }

    #[test]
    fn rounding_takes_nothing_back() {
        let mut rcv = receiver(65_536, false);
        rcv.synchronize(Seq(0));
        assert_eq!(rcv.initial_window(1448), 65_160);
        rcv.agree(10, 1448, 40);
        let edge = rcv.right_edge;
        let field = rcv.advertise();
        assert!(rcv.nxt + (u32::from(field) << 10) == rcv.right_edge && edge.at_or_before(rcv.right_edge));
    }

    #[test]
    fn a_fin_beyond_a_gap_is_reported() {
        let reported = |rcv: &Rcv| {
            let mut blocks = SackBlocks::default();
            rcv.push_sack_blocks(&mut blocks);
            blocks.as_slice().to_vec()
        };
        let mut rcv = rcv();
        rcv.note_fin(Seq(150));
        assert!(!rcv.take_fin() && rcv.has_gap());
        assert_eq!(reported(&rcv), [(Seq(150), Seq(151))]);
        rcv.text(Seq(140), &[0; 10]);
        assert_eq!(reported(&rcv), [(Seq(140), Seq(151))]);
        rcv.text(Seq(100), &[0; 40]);
        assert!(rcv.take_fin() && !rcv.has_gap());
        assert_eq!(reported(&rcv), []);
    }

    #[test]
    fn a_buffer_smaller_than_the_scale_can_tell_still_opens_the_window() {
        let mut rcv = receiver(1000, false);
        rcv.synchronize(Seq(99));
        rcv.initial_window(100);
        rcv.agree(14, 100, 40);
        rcv.text(Seq(100), &[0; 1000]);
        assert_eq!(rcv.advertise(), 0, "full");
        rcv.read(Instant::ZERO, &mut [0; 1000]);
        assert_eq!(rcv.advertise(), 1);
    }

    #[test]
    fn fin_counts_when_everything_before_it_is_there() {
        let mut rcv = rcv();
        rcv.note_fin(Seq(110));
        assert!(!rcv.take_fin());
        rcv.text(Seq(100), &[0; 10]);
        assert!(rcv.take_fin() && rcv.is_finished());
        assert_eq!(rcv.nxt, Seq(111));
        assert!(!rcv.take_fin());
    }
}
