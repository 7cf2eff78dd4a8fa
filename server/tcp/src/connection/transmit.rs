//! What to send next, and the segment it makes (RFC 9293 §3.8.6.2.1, §3.7.4, §3.10.2).

use std::time::Duration;

use super::recovery::{Phase, TailProbe};
use super::{Connection, Context};
use crate::scoreboard::Sent;
use crate::segment::encode;
use crate::{Flags, Header, Options, Purpose, Seq, State, Timer, Timestamps, Transmit};

impl Connection {
    /// The next segment, appended to `buffer`.
    pub(crate) fn poll_transmit(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
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
            | State::TimeWait => self
                .transmit_again(cx, buffer)
                .or_else(|| self.transmit_new(cx, buffer))
                .or_else(|| self.transmit_tail(cx, buffer))
                .or_else(|| self.transmit_urgent(cx, buffer))
                .or_else(|| self.transmit_probe(cx, buffer))
                .or_else(|| self.transmit_ack(cx, buffer)),
        }
    }

    /// SYN or SYN+ACK: the first, or again because the timer fired or the peer's SYN came again. Anything else is
    /// answered by a plain acknowledgment.
    fn transmit_syn(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let first = self.snd.nxt == self.snd.iss;
        let purpose = if first {
            Purpose::Normal
        } else if self.snd.sent.resend_lost(cx.now).is_some() {
            Purpose::Retransmission
        } else {
            match self.outbox.ack? {
                again @ (Purpose::Normal | Purpose::Retransmission) => again,
                _ => return self.transmit_ack(cx, buffer),
            }
        };
        self.outbox.ack = None;
        if first {
            self.snd.sent.push(Sent::new(self.snd.iss, 1, Flags::SYN, cx.now));
            self.snd.nxt = self.snd.iss + 1;
            self.timers.set(cx, Timer::Retransmission, self.rtt.rto());
        }
        let header = self.syn_header(cx);
        if header.flags.contains(Flags::ACK) {
            self.ack_policy.sent(self.rcv.nxt);
        }
        Some(self.emit(header, purpose, buffer))
    }

    fn syn_header(&mut self, cx: &Context<'_>) -> Header {
        let settings = cx.settings;
        let answers = self.state != State::SynSent;
        // A SYN offers everything, a SYN+ACK what the peer offered too.
        let timestamps = if answers { self.agreed.timestamps } else { settings.timestamps };
        let sack = if answers { self.agreed.sack } else { settings.sack };
        let scale = !answers || self.agreed.window_scale;
        let announced = self.announced_mss(settings);
        let full =
            if answers && timestamps { announced - crate::segment::TIMESTAMPS_OPTION } else { announced };
        Header {
            seq: self.snd.iss,
            ack: if answers { self.rcv.nxt } else { Seq(0) },
            flags: if answers { Flags::SYN | Flags::ACK } else { Flags::SYN },
            window: self.rcv.initial_window(u32::from(full)),
            urgent: 0,
            payload: 0,
            options: Options {
                mss: Some(announced),
                window_scale: settings.window_scale.filter(|_| scale).map(|shift| shift.min(14)),
                sack_permitted: sack,
                timestamps: timestamps
                    .then(|| Timestamps { value: self.timestamp(cx.now), echo: self.ts_recent }),
                ..Options::default()
            },
        }
    }

    /// A lost segment, as the congestion window allows; the first after a timeout always goes. If the timeout may have
    /// been spurious, new data goes instead (RFC 5682 step 2.b).
    fn transmit_again(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if self.recovery.new_data_first {
            let sent = self.transmit_new(cx, buffer);
            if sent.is_some() || self.recovery.has_sent_new(self.snd.nxt) {
                return sent;
            }
        }
        if !self.snd.sent.has_lost() || self.snd.sent.in_flight() >= self.congestion.size() {
            return None;
        }
        if cx.settings.segmentation_offload && self.again_left == 0 {
            let room = self.congestion.size().saturating_sub(self.snd.sent.in_flight());
            self.again_left = self.snd.sent.plan_resend(self.packet_segments().min(room));
            self.again_is_many = self.again_left > 1;
        }
        if cx.settings.collapse && !self.again_is_many {
            self.snd.sent.collapse_lost(self.snd.mss, self.snd.una + self.snd.wnd);
        }
        let mut sent = self.snd.sent.resend_lost(cx.now)?;
        self.again_left = self.again_left.saturating_sub(1);
        if self.again_is_many && self.again_left == 0 {
            sent.flags |= Flags::PSH;
            self.again_is_many = false;
        }
        self.recovery.count_resend(cx.now);
        let purpose = self.resend_purpose();
        Some(self.emit_sent(cx, &sent, purpose, buffer))
    }

    /// New data, new FIN, or both in one.
    fn transmit_new(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let unsent = self.snd.unsent();
        let fin = self.snd.fin_unsent();
        // A tail loss probe may be one segment more than the window allows (RFC 8985 §7.3).
        let probes = self.outbox.tail_loss_probe;
        if (unsent == 0 && !fin) || (self.snd.sent.in_flight() >= self.congestion.size() && !probes) {
            return None;
        }
        let window = self.snd.usable_window();
        self.saves_room = !probes && self.waits_for_more_room(cx, unsent, window);
        if self.saves_room {
            return None;
        }
        let len = unsent.min(self.snd.mss).min(window);
        let ends = len == unsent;
        let fin = fin && ends && window > len;
        self.plan_packet(cx, unsent, window);
        // A probe takes what Nagle's algorithm holds back (Linux `tcp_send_loss_probe`).
        let silly =
            (std::mem::take(&mut self.outbox.silly) || self.recovery.new_data_first || probes) && len > 0;
        if !silly && !self.is_worth_sending(cx, len, unsent, fin) {
            // Nothing under way will bring an acknowledgment that opens the window.
            if self.snd.sent.is_empty() && !self.timers.is_set(Timer::Persist) {
                self.persist_backoff = 0;
                self.first_window_probe = None;
                self.timers.set(cx, Timer::Persist, self.rtt.rto());
            }
            self.packet_left = 0;
            return None;
        }
        self.timers.cancel(cx, Timer::Persist);
        let mut flags = Flags::NONE;
        if fin {
            flags |= Flags::FIN;
        }
        if len > 0 && ends {
            flags |= Flags::PSH;
        }
        let ends_packet = len > 0 && self.ends_packet();
        self.restart_after_idle(cx);
        let mut sent = Sent::new(self.snd.nxt, len + u32::from(fin), flags, cx.now);
        sent.joined = self.packet_is_many && self.packet_left > 0;
        self.snd.nxt += sent.len;
        if len > 0 && len < self.snd.mss {
            self.snd.small_end = self.snd.nxt;
        }
        self.snd.sent.push(sent.clone());
        if len > 0 {
            self.ack_policy.data_sent(cx.now);
        }
        if std::mem::take(&mut self.outbox.tail_loss_probe) {
            self.recovery.tail_probe = Some(TailProbe { until: self.snd.nxt, repeats: false });
        } else if !self.timers.is_set(Timer::Retransmission) || self.may_probe_tail(cx) {
            // RFC 6298 §5.1: a timer that runs is left alone; a probe is put off (RFC 8985 §7.2).
            self.extend_loss_timer(cx);
        }
        if ends_packet {
            sent.flags |= Flags::PSH;
        }
        Some(self.emit_sent(cx, &sent, Purpose::Normal, buffer))
    }

    /// Plans how many segments leave the stack as one, from the next on (Linux `tcp_write_xmit`, `tcp_mss_split_point`).
    fn plan_packet(&mut self, cx: &Context<'_>, unsent: u32, window: u32) {
        if !cx.settings.segmentation_offload || self.packet_left > 0 {
            return;
        }
        let room = self.congestion.size().saturating_sub(self.snd.sent.in_flight());
        let half = (self.congestion.size() / 2).max(1);
        let most = self.packet_segments().min(half).min(room);
        let fits = unsent.min(window);
        let full = fits / self.snd.mss;
        // What is left over goes along, as far as Nagle's algorithm has nothing against it.
        let rest = full > 0 && !fits.is_multiple_of(self.snd.mss) && !self.holds_small(cx);
        self.packet_left = most.min(full + u32::from(rest)).max(1);
        self.packet_is_many = self.packet_left > 1;
    }

    /// Whether a packet of few segments is better sent when the next acknowledgment has made room for more: not if that room is
    /// much of the window, nor if the acknowledgment may be far away (Linux `tcp_tso_should_defer`).
    fn waits_for_more_room(&self, cx: &Context<'_>, unsent: u32, window: u32) -> bool {
        const RECENT: Duration = Duration::from_millis(1);
        let mss = self.snd.mss;
        if !cx.settings.segmentation_offload
            || self.packet_left > 0
            || unsent <= mss
            || self.recovery.phase >= Phase::Recovery
            || self.last_sent.is_none_or(|last| cx.now - last > RECENT)
        {
            return false;
        }
        let size = self.congestion.size();
        let room = size.saturating_sub(self.snd.sent.in_flight()).saturating_mul(mss).min(window);
        if room >= self.packet_segments() * mss || room >= self.snd.wnd.min(size.saturating_mul(mss)) / 3 {
            return false;
        }
        let oldest = self.snd.sent.first().map(|first| cx.now - first.last_sent);
        oldest.zip(self.rtt.srtt()).is_some_and(|(age, srtt)| age >= srtt / 2)
    }

    /// Counts a segment of the packet; returns whether it is the last of several.
    fn ends_packet(&mut self) -> bool {
        let last = self.packet_left == 1 && self.packet_is_many;
        self.packet_left = self.packet_left.saturating_sub(1);
        last
    }

    /// How many segments Linux puts into one packet: what goes in a millisecond at the rate it would pace at, and more
    /// on short paths (`tcp_tso_autosize`, `tcp_update_pacing_rate`).
    pub(super) fn packet_segments(&self) -> u32 {
        let most = u64::from(u16::MAX) + 1;
        let (mss, window) =
            (u64::from(self.snd.mss), u64::from(self.congestion.size().max(self.snd.sent.len())));
        let percent = if self.congestion.size() < self.congestion.threshold() / 2 { 200 } else { 120 };
        let srtt = self.rtt.srtt().map_or(1, |srtt| srtt.as_micros().max(1) as u64);
        let rate = mss * window * percent * 10_000 / srtt;
        let round_trip = self.rtt.min_rtt().map_or(u64::MAX, |least| least.as_micros() as u64) >> 9;
        let near = if round_trip < 32 { most >> round_trip } else { 0 };
        (((rate >> 10) + near).min(most) / mss).max(2) as u32
    }

    /// A connection that was idle for longer than its RTO begins carefully again (RFC 5681 §4.1).
    fn restart_after_idle(&mut self, cx: &Context<'_>) {
        if !cx.settings.slow_start_after_idle || !self.snd.sent.is_empty() {
            return;
        }
        let (rto, idle) = (self.rtt.rto(), self.last_sent.map(|last| cx.now - last));
        if let Some(idle) = idle.filter(|idle| *idle > rto) {
            self.congestion.restart_after_idle(idle, rto, cx.settings.halve_idle_window);
        }
    }

    /// Sender's silly window avoidance and Nagle's algorithm (RFC 9293 §3.8.6.2.1, §3.7.4).
    fn is_worth_sending(&self, cx: &Context<'_>, len: u32, unsent: u32, fin: bool) -> bool {
        if fin || (len > 0 && len == self.snd.mss) {
            return true;
        }
        if len == 0 {
            return false;
        }
        if self.packet_is_many && self.packet_left > 0 {
            return true;
        }
        if len < unsent {
            return cx.settings.half_window_segments && len >= self.snd.max_wnd / 2;
        }
        self.snd.is_finishing() || !self.holds_small(cx)
    }

    /// Whether Nagle's algorithm holds a small segment back; in Linux only while another small one is under way.
    fn holds_small(&self, cx: &Context<'_>) -> bool {
        let waits =
            if cx.settings.minshall { self.snd.has_small_in_flight() } else { !self.snd.sent.is_empty() };
        self.nagle && waits
    }

    /// The tail loss probe: the newest segment again (RFC 8985 §7.3; new data had its turn before).
    fn transmit_tail(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if !std::mem::take(&mut self.outbox.tail_loss_probe) {
            return None;
        }
        let sent = self.snd.sent.resend_last(cx.now)?;
        Some(self.emit_sent(cx, &sent, Purpose::TailLossProbe, buffer))
    }

    /// A keepalive or window probe: empty, one before what the peer expects (Linux `tcp_xmit_probe_skb`).
    fn transmit_probe(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let purpose = self.outbox.probe.take()?;
        let header = self.ack_header(cx, self.snd.una - 1);
        Some(self.emit(header, purpose, buffer))
    }

    fn transmit_ack(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let mut purpose = self.outbox.ack?;
        // It also says what was held back until then.
        if purpose == Purpose::DuplicateAck && self.ack_policy.last_sent().before(self.rcv.nxt) {
            purpose = Purpose::Normal;
        }
        let header = self.ack_header(cx, self.snd.nxt);
        Some(self.emit(header, purpose, buffer))
    }

    /// An empty segment that acknowledges.
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

    /// A segment of the scoreboard.
    fn emit_sent(
        &mut self,
        cx: &mut Context<'_>,
        sent: &Sent,
        purpose: Purpose,
        buffer: &mut Vec<u8>,
    ) -> Transmit {
        if self.recovery.phase == Phase::Recovery {
            self.recovery.count_sent();
        }
        self.last_sent = Some(cx.now);
        if sent.flags.contains(Flags::SYN) {
            // The application closed before its SYN was acknowledged.
            let header = self.syn_header(cx);
            return self.emit(header, purpose, buffer);
        }
        let mut header = self.ack_header(cx, sent.seq);
        header.flags |= sent.flags;
        header.payload = sent.len - u32::from(sent.flags.contains(Flags::FIN));
        if header.payload > 0 {
            // Data and options together are no longer than the MSS (RFC 6691 §2).
            header.options.sack.fit(self.snd.mss.saturating_sub(header.payload));
        }
        self.emit(header, purpose, buffer)
    }

    pub(super) fn emit(&self, header: Header, purpose: Purpose, buffer: &mut Vec<u8>) -> Transmit {
        let payload =
            if header.payload > 0 { self.snd.octets(header.seq, header.payload) } else { (&[][..], &[][..]) };
        encode(self.ip, self.local, self.remote, &header, payload, buffer);
        Transmit { connection: Some(self.id), source: self.local, destination: self.remote, header, purpose }
    }
}
