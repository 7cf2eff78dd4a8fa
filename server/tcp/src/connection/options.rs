//! The options of the socket.

use std::time::Duration;

use super::{Connection, Context};
use crate::{KeepaliveSettings, SocketOptions, Timer};

impl Connection {
    /// Sets the options that are there.
    pub(crate) fn set_options(&mut self, cx: &mut Context<'_>, options: &SocketOptions) {
        let SocketOptions {
            keepalive,
            nodelay,
            cork,
            user_timeout,
            linger,
            receive_buffer,
            send_buffer,
            notsent_lowat,
            mss,
        } = *options;
        if let Some(keepalive) = keepalive {
            self.set_keepalive(cx, keepalive);
        }
        if let Some(nodelay) = nodelay {
            self.set_nodelay(nodelay);
        }
        if let Some(cork) = cork {
            self.set_cork(cork);
        }
        if let Some(timeout) = user_timeout {
            self.set_user_timeout(timeout);
        }
        if let Some(linger) = linger {
            self.set_linger(linger);
        }
        if let Some(octets) = receive_buffer {
            self.set_receive_buffer(octets);
        }
        if let Some(octets) = send_buffer {
            self.set_send_buffer(octets);
        }
        if let Some(octets) = notsent_lowat {
            self.set_notsent_lowat(octets);
        }
        if let Some(octets) = mss {
            self.set_mss(octets);
        }
    }

    /// SO_KEEPALIVE and its three numbers.
    pub(crate) fn set_keepalive(&mut self, cx: &mut Context<'_>, settings: Option<KeepaliveSettings>) {
        self.keepalive.settings = settings;
        self.timers.cancel(cx, Timer::Keepalive);
        self.set_keepalive_timer(cx);
    }

    /// TCP_USER_TIMEOUT.
    pub(crate) fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        self.socket.user_timeout = timeout;
    }

    /// SO_LINGER: zero makes `close` reset the connection; any other time makes it wait, which changes nothing on the
    /// wire.
    pub(crate) fn set_linger(&mut self, linger: Option<Duration>) {
        self.socket.linger = linger;
    }

    /// SO_RCVBUF: the size of the receive buffer. The window does not shrink.
    pub(crate) fn set_receive_buffer(&mut self, octets: u32) {
        self.rcv.set_capacity(octets);
    }

    /// SO_SNDBUF: the size of the send buffer.
    pub(crate) fn set_send_buffer(&mut self, octets: u32) {
        self.snd.set_capacity(octets);
    }

    /// IP_TTL, IPV6_UNICAST_HOPS; at least 1.
    pub(crate) fn set_hops(&mut self, hops: u8) {
        self.ip.hops = hops.max(1);
    }

    /// IP_TOS, IPV6_TCLASS: the upper six bits.
    pub(crate) fn set_codepoint(&mut self, codepoint: u8) {
        self.ip.codepoint = codepoint & 0x3f;
    }

    /// TCP_NODELAY. Switching it on sends what waits, even in a corked socket (Linux `__tcp_sock_set_nodelay`).
    pub(crate) fn set_nodelay(&mut self, nodelay: bool) {
        self.socket.nagle = !nodelay;
        if nodelay {
            self.push();
        }
    }

    /// TCP_CORK (Linux `__tcp_sock_set_cork`).
    pub(crate) fn set_cork(&mut self, cork: bool) {
        self.socket.cork = cork;
        self.application.holds_back = false;
        if !cork && !self.socket.nagle {
            self.push();
        }
    }

    /// What waits for more is sent (Linux TCP_NAGLE_PUSH).
    fn push(&mut self) {
        self.outbox.override_sws |= self.snd.unsent() > 0;
    }

    /// TCP_NOTSENT_LOWAT.
    pub(crate) fn set_notsent_lowat(&mut self, octets: Option<u32>) {
        self.snd.set_notsent_lowat(octets);
    }

    /// TCP_MAXSEG.
    pub(crate) fn set_mss(&mut self, octets: u16) {
        self.socket.mss = Some(octets);
    }
}
