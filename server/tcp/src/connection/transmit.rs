//! What is sent next, and the segment that is made of it (RFC 9293 §3.8.6.2.1, §3.7.4, §3.10.2).

use super::mtu_probing::NextProbe;
use super::packets::Packet;
use super::recovery::TailProbe;
use super::{Connection, Context};
use crate::scoreboard::Sent;
use crate::segment::{IpChoice, encode};
use crate::{Flags, Header, Instant, Options, Purpose, Seq, State, Timer, Transmit};

impl Connection {
    /// The next segment, appended to `buffer`.
    pub(super) fn next_segment(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some(reset) = self.outbox.reset.take() {
            return Some(self.emit(reset, Purpose::Reset, buffer));
        }
        match self.state {
            State::Closed | State::Listen => None,
            State::SynSent | State::SynReceived => self.transmit_syn(cx, buffer),
            State::Established
            | State::FinWait1
            | State::FinWait2
            | State::CloseWait
            | State::Closing
            | State::LastAck
            | State::TimeWait => {
                let transmit = self
                    .transmit_lost(cx, buffer)
                    .or_else(|| self.transmit_new(cx, buffer))
                    .or_else(|| self.transmit_tail_loss_probe(cx, buffer))
                    .or_else(|| self.transmit_urgent(cx, buffer))
                    .or_else(|| self.transmit_probe(cx, buffer))
                    .or_else(|| self.transmit_ack(cx, buffer));
                if transmit.is_none() {
                    self.note_limit(cx.now);
                }
                transmit
            }
        }
    }

    /// A lost segment, if the congestion window allows. If the timeout may have been spurious, new data is sent instead
    /// (RFC 5682 §2.1, step 2.b).
    fn transmit_lost(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if self.recovery.new_data_first {
            let sent = self.transmit_new(cx, buffer);
            if sent.is_some() || self.recovery.has_sent_new_data(self.snd.nxt) {
                return sent;
            }
        }
        if !self.snd.sent.has_lost() || self.congestion_room() == 0 {
            return None;
        }
        let edge = self.snd.window_end();
        if !self.snd.sent.fit_lost(edge, self.snd.mss) {
            return None;
        }
        if cx.settings.segmentation_offload && self.packets.resent.is_done() {
            let room = self.congestion_room();
            let segments = self.snd.sent.plan_resend(self.packet_segments().min(room), edge);
            self.packets.resent = Packet::new(segments);
        }
        if cx.settings.collapse && !self.packets.resent.goes_on() {
            self.snd.sent.collapse_lost(self.snd.mss, edge);
        }
        let mut sent = self.snd.sent.resend_lost(cx.now)?;
        if self.packets.resent.count() {
            sent.flags |= Flags::PSH;
        }
        self.recovery.count_retransmission(cx.now);
        self.mtu_search.forget_probe();
        let purpose = self.retransmission_purpose();
        Some(self.emit_sent(cx, &sent, purpose, buffer))
    }

    /// New data, a new FIN, or both in one segment.
    fn transmit_new(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let unsent = self.snd.unsent();
        let fin = self.snd.fin_unsent();
        // A tail loss probe may exceed the congestion window by a segment (RFC 8985 §7.3).
        let probes = self.outbox.tail_loss_probe;
        if unsent == 0 && !fin {
            return None;
        }
        if !probes {
            match self.next_mtu_probe(cx, unsent) {
                NextProbe::None => {}
                NextProbe::Waits => return None,
                NextProbe::Due(len) => return Some(self.transmit_mtu_probe(cx, len, buffer)),
            }
        }
        // No segment goes beyond the end of a record.
        let due = self.snd.unsent_of_record();
        let (room, window) = (self.congestion_room(), self.usable_window());
        if room == 0 && !probes {
            self.note_use(cx, true);
            return None;
        }
        if !probes && self.waits_for_more_room(cx, due, window) {
            if room.saturating_mul(self.snd.mss) < window {
                self.note_use(cx, true);
            }
            return None;
        }
        let len = due.min(self.snd.mss).min(window);
        let ends = len == unsent;
        let fin = fin && ends && window > len;
        self.plan_packet(cx, due, window);
        // A probe sends what Nagle's algorithm holds back (Linux `tcp_send_loss_probe`).
        let override_sws = std::mem::take(&mut self.outbox.override_sws);
        let any_length = len > 0 && (override_sws || self.recovery.new_data_first || probes);
        if !any_length && !self.is_worth_sending(cx, len, due, fin) {
            if self.snd.sent.is_empty() && !self.timers.is_set(Timer::Persist) {
                self.begin_probing(cx);
            }
            self.packets.new = Packet::default();
            return None;
        }
        let mut flags = if fin { Flags::FIN } else { Flags::NONE };
        // What the persist timer sends is pushed, whatever the application said (Linux `tcp_write_wakeup`).
        let pushed = ends && (override_sws || self.snd.is_pushed());
        if len > 0 && (pushed || len == due && due < unsent) {
            flags |= Flags::PSH;
        }
        let sent = self.advance_nxt(cx, len, flags);
        Some(self.emit_sent(cx, &sent, Purpose::Normal, buffer))
    }

    /// The next `len` octets of data, and perhaps a FIN, are in flight (Linux `tcp_event_new_data_sent`). Returns the segment
    /// as it is sent.
    pub(super) fn advance_nxt(&mut self, cx: &mut Context<'_>, len: u32, flags: Flags) -> Sent {
        self.timers.cancel(cx, Timer::Persist);
        let ends_packet = len > 0 && self.packets.new.count();
        if len > 0 {
            self.end_idleness(cx);
        }
        let octets = len + u32::from(flags.contains(Flags::FIN));
        let mut sent = Sent::new(self.snd.nxt, octets, flags, cx.now);
        sent.joined = self.packets.new.goes_on();
        self.snd.nxt += sent.len;
        sent.ends_record = self.snd.pass_record();
        if len > 0 && len < self.snd.mss {
            self.snd.small_end = self.snd.nxt;
        }
        self.snd.sent.push(sent.clone());
        self.note_use(cx, false);
        if len > 0 {
            self.ack_policy.data_sent(cx.now);
        }
        if std::mem::take(&mut self.outbox.tail_loss_probe) {
            self.recovery.tail_probe = Some(TailProbe { end_seq: self.snd.nxt, is_retrans: false });
        } else if !self.timers.is_set(Timer::Retransmission) || self.may_probe_tail(cx) {
            // RFC 6298 §5.1: a running timer is left alone; a tail loss probe is postponed (RFC 8985 §7.2).
            self.extend_loss_timer(cx);
        }
        if ends_packet {
            sent.flags |= Flags::PSH;
        }
        sent
    }

    /// The sender's silly-window avoidance and Nagle's algorithm (RFC 9293 §3.8.6.2.1, §3.7.4). `due` octets are left of the record.
    fn is_worth_sending(&self, cx: &Context<'_>, len: u32, due: u32, fin: bool) -> bool {
        if fin || (len > 0 && len == self.snd.mss) {
            return true;
        }
        if len == 0 {
            return false;
        }
        if self.packets.new.goes_on() {
            return true;
        }
        if len < due {
            return cx.settings.half_window_segments && len >= self.snd.max_wnd / 2;
        }
        self.snd.is_finishing() || !self.holds_small(cx, due)
    }

    /// Whether the rest of a record, which fills no segment, waits: for an acknowledgment by Nagle's algorithm, or for more because the
    /// application says that it will come. Only the last record does (Linux `tcp_write_xmit`).
    pub(super) fn holds_small(&self, cx: &Context<'_>, due: u32) -> bool {
        let waits =
            if cx.settings.minshall { self.snd.has_small_in_flight() } else { !self.snd.sent.is_empty() };
        let waits_for_more = self.socket.cork || self.application.holds_back;
        let holds = waits_for_more || self.socket.nagle && waits;
        due == self.snd.unsent() && holds && !self.application.pushes
    }

    /// A tail loss probe that is no new data: the last segment again (RFC 8985 §7.3).
    fn transmit_tail_loss_probe(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.outbox.tail_loss_probe) {
            return None;
        }
        let room = self.snd.room_at(self.snd.sent.last()?.seq);
        let sent = self
            .snd
            .sent
            .resend_last(cx.now, if room > 0 { room.min(self.snd.mss) } else { self.snd.mss })?;
        self.mtu_search.forget_probe();
        Some(self.emit_sent(cx, &sent, Purpose::TailLossProbe, buffer))
    }

    /// A keepalive or window probe: empty, with the sequence number before the next one that the peer expects
    /// (RFC 9293 §3.8.4; Linux `tcp_xmit_probe_skb`).
    fn transmit_probe(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let purpose = self.outbox.probe.take()?;
        let header = self.ack_header(cx, self.snd.una - 1);
        Some(self.emit(header, purpose, buffer))
    }

    pub(super) fn transmit_ack(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let mut purpose = self.outbox.ack?;
        // It also acknowledges what was delayed until then.
        if purpose == Purpose::DuplicateAck && self.ack_policy.last_sent().before(self.rcv.nxt) {
            purpose = Purpose::Normal;
        }
        let seq = self.acceptable_seq(cx);
        let header = self.ack_header(cx, seq);
        Some(self.emit(header, purpose, buffer))
    }

    /// The sequence number of a segment without data: `snd.nxt`, or where the window ends if the peer has taken it back and
    /// our numbers keep to it.
    pub(super) fn acceptable_seq(&self, cx: &Context<'_>) -> Seq {
        let (nxt, edge) = (self.snd.nxt, self.snd.window_end());
        // Less than a step of the scale is lost in rounding.
        let step = if self.agreed.window_scale { 1 << self.rcv.scale() } else { 1 };
        let shrunk = edge.before(nxt) && edge.until(nxt) >= step;
        if shrunk && cx.settings.numbers_keep_to_window { edge } else { nxt }
    }

    /// The header of an acknowledgment.
    pub(super) fn ack_header(&mut self, cx: &mut Context<'_>, seq: Seq) -> Header {
        self.outbox.ack = None;
        self.timers.cancel(cx, Timer::DelayedAck);
        self.ack_policy.sent(self.rcv.nxt);
        if self.rcv.is_tight() {
            self.ack_policy.room_runs_out();
        }
        let urgent = self.urgent_pointer(seq);
        Header {
            seq,
            ack: self.rcv.nxt,
            flags: if urgent > 0 { Flags::ACK | Flags::URG } else { Flags::ACK },
            window: self.rcv.advertise(),
            urgent,
            payload: 0,
            options: self.options(cx.now),
        }
    }

    /// The options of every segment but a SYN.
    fn options(&mut self, now: Instant) -> Options {
        let mut options = Options::default();
        if self.agreed.timestamps {
            options.timestamps = Some(self.timestamps.option(now));
        }
        if self.agreed.sack {
            if let Some((left, right)) = self.outbox.dsack.take() {
                options.sack.push(left, right);
            }
            self.rcv.push_sack_blocks(&mut options.sack);
            // Three blocks fit beside timestamps, four without (RFC 2018 §3).
            options.sack.fit(40 - self.option_octets());
        }
        options
    }

    /// Emits a segment of the scoreboard.
    pub(super) fn emit_sent(
        &mut self,
        cx: &mut Context<'_>,
        sent: &Sent,
        purpose: Purpose,
        buffer: &mut Vec<u8>,
    ) -> Transmit {
        if self.recovery.phase.reduces_window() {
            self.recovery.count_sent();
        }
        self.last_sent = Some(cx.now);
        if sent.flags.contains(Flags::SYN) {
            // The application closed before our SYN was acknowledged.
            let header = self.syn_header(cx);
            return self.emit(header, purpose, buffer);
        }
        let mut header = self.ack_header(cx, sent.seq);
        header.flags |= sent.flags;
        header.payload = sent.len - u32::from(sent.flags.contains(Flags::FIN));
        if header.payload > 0 {
            // Data and options together have at most MSS octets (RFC 9293 §3.7.1).
            header.options.sack.fit(self.snd.mss.saturating_sub(header.payload));
        }
        let is_new = header.payload > 0 && sent.transmissions == 1;
        self.emit_marked(header, purpose, is_new, buffer)
    }

    /// Writes the datagram.
    pub(super) fn emit(&mut self, header: Header, purpose: Purpose, buffer: &mut Vec<u8>) -> Transmit {
        self.emit_marked(header, purpose, false, buffer)
    }

    /// Writes the datagram; `is_new` says that it has data that was never sent.
    fn emit_marked(
        &mut self,
        mut header: Header,
        purpose: Purpose,
        is_new: bool,
        buffer: &mut Vec<u8>,
    ) -> Transmit {
        let in_handshake = header.flags.contains(Flags::SYN);
        let ecn_capable = !in_handshake && self.notify_congestion(&mut header, is_new);
        self.count_sent(&header, purpose);
        let payload =
            if header.payload > 0 { self.snd.octets(header.seq, header.payload) } else { (&[][..], &[][..]) };
        let ip = IpChoice { ecn_capable, ..self.ip };
        encode(ip, self.local, self.remote, &header, payload, buffer);
        Transmit { connection: Some(self.id), source: self.local, destination: self.remote, header, purpose }
    }
}
