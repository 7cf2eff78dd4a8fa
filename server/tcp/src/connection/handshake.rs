//! What our SYN offers, and what both ends agree on (RFC 9293 §3.5, §3.7.1; RFC 7323 §2, §3; RFC 2018 §2).

use super::{Connection, Context};
use crate::scoreboard::Sent;
use crate::segment::{TIMESTAMPS_OPTION, default_mss, mss_for_mtu};
use crate::{Flags, Header, Options, Purpose, Seq, State, Timer, Timestamps, Transmit};

/// What both ends agreed on in the handshake.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Agreed {
    pub(super) timestamps: bool,
    pub(super) sack: bool,
    pub(super) window_scale: bool,
    /// The peer has acknowledged our SYN, but is to send data first (TCP_DEFER_ACCEPT).
    pub(super) deferred: bool,
}

impl Connection {
    /// A SYN or SYN+ACK: the first, or one repeated because the timer fired or the peer's SYN was repeated. Any other
    /// segment is answered by a plain acknowledgment.
    pub(super) fn transmit_syn(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<u8>) -> Option<Transmit> {
        let first = self.snd.nxt == self.snd.iss;
        let purpose = if first {
            Purpose::Normal
        } else if self.snd.sent.resend_lost(cx.now).is_some() {
            Purpose::Retransmission
        } else {
            match self.outbox.ack? {
                repeats @ (Purpose::Normal | Purpose::Retransmission) => repeats,
                Purpose::FastRetransmission
                | Purpose::TailLossProbe
                | Purpose::KeepaliveProbe
                | Purpose::WindowProbe
                | Purpose::ChallengeAck
                | Purpose::DuplicateAck
                | Purpose::Reset => return self.transmit_ack(cx, buffer),
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

    pub(super) fn syn_header(&mut self, cx: &Context<'_>) -> Header {
        let settings = cx.settings;
        let answers = self.state != State::SynSent;
        // A SYN offers everything, a SYN+ACK what the peer offered too.
        let offers = !answers || (settings.simultaneous_open_offers_all && !self.is_embryonic());
        let timestamps = if offers { settings.timestamps } else { self.agreed.timestamps };
        let sack = if offers { settings.sack } else { self.agreed.sack };
        let scale = offers || self.agreed.window_scale;
        let announced = self.announced_mss();
        // The window of a SYN takes no account of timestamps before the peer is known to have them, and that of a
        // simultaneous open stays as it was (Linux `tcp_connect_init`).
        let knows = self.is_embryonic() || self.timestamps.is_recalled;
        let full = if knows && timestamps { announced - TIMESTAMPS_OPTION } else { announced };
        Header {
            seq: self.snd.iss,
            ack: if answers { self.rcv.nxt } else { Seq(0) },
            flags: if answers { Flags::SYN | Flags::ACK } else { Flags::SYN } | self.ecn_of_syn(cx),
            window: self.rcv.initial_window(u32::from(full)),
            urgent: 0,
            payload: 0,
            options: Options {
                mss: Some(announced),
                window_scale: self.rcv.offer_scale(settings).filter(|_| scale),
                sack_permitted: sack,
                timestamps: timestamps.then(|| self.timestamps.option(cx.now)),
                ..Options::default()
            },
        }
    }

    /// The SYN+ACK that is a SYN cookie; `kept` is what it keeps of the peer's SYN.
    pub(crate) fn cookie(mut self, cx: &Context<'_>, kept: &Header) -> Header {
        let mut header = self.syn_header(cx);
        if let Some(stamps) = &mut header.options.timestamps {
            stamps.value = self.timestamps.cookie(cx.now, kept);
        }
        header
    }

    /// The peer returned a SYN cookie: our SYN was sent, and what arrives next acknowledges it. When it was sent nobody
    /// knows.
    pub(crate) fn cookie_returned(&mut self, cx: &Context<'_>) {
        self.syn_header(cx);
        self.snd.nxt = self.snd.iss + 1;
        self.snd.una = self.snd.nxt;
    }

    /// Takes the sequence number, the window and the options of the peer's SYN.
    pub(super) fn synchronize(&mut self, cx: &Context<'_>, syn: &Header) {
        let settings = cx.settings;
        self.rcv.synchronize(syn.seq);
        self.agree_on_ecn(cx, syn);
        self.snd.set_window(syn);
        let theirs = &syn.options;
        self.agreed = Agreed {
            timestamps: settings.timestamps && theirs.timestamps.is_some(),
            sack: settings.sack && theirs.sack_permitted,
            window_scale: settings.window_scale.is_some() && theirs.window_scale.is_some(),
            deferred: false,
        };
        if let Some(Timestamps { value, .. }) = theirs.timestamps {
            self.timestamps.recent = value;
        }
        // RFC 9293 §3.7.1: Eff.snd.MSS. With an MSS below 64 the options might leave no room for data.
        let theirs_mss = theirs.mss.unwrap_or(default_mss(self.remote.ip()));
        let bound = self.socket.mss.map_or(theirs_mss, |mss| theirs_mss.min(mss));
        self.begin_mtu_search(cx, bound.max(64));
        let ours = u32::from(self.announced_mss()) - self.option_octets();
        let scale = self.rcv.offer_scale(settings).filter(|_| self.agreed.window_scale).unwrap_or(0);
        if self.agreed.window_scale {
            // RFC 7323 §2.3: a shift above 14 counts as 14.
            self.snd.scale = theirs.window_scale.unwrap_or(0).min(14);
        }
        let headers = u32::from(self.mtu).saturating_sub(self.payload_for_mtu());
        self.rcv.agree(scale, ours, headers);
        self.rcv.sack = self.agreed.sack;
    }

    /// Octets that the options of every segment take.
    pub(super) fn option_octets(&self) -> u32 {
        if self.agreed.timestamps { u32::from(TIMESTAMPS_OPTION) } else { 0 }
    }

    /// The largest payload that the path MTU allows, octets.
    pub(super) fn payload_for_mtu(&self) -> u32 {
        u32::from(mss_for_mtu(self.mtu, self.remote.ip())).max(64) - self.option_octets()
    }

    /// The MSS option of our SYN.
    fn announced_mss(&self) -> u16 {
        let max = mss_for_mtu(self.mtu, self.remote.ip()).max(64);
        self.socket.mss.map_or(max, |mss| mss.clamp(64, max))
    }
}
