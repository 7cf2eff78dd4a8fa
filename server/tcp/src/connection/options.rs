//! The options of the socket.

use super::{Connection, Context};
use crate::{SocketOptions, Timer};

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
            self.keepalive.settings = keepalive;
            self.timers.cancel(cx, Timer::Keepalive);
            self.set_keepalive_timer(cx);
        }
        if let Some(nodelay) = nodelay {
            self.socket.nagle = !nodelay;
            self.application.pushes |= nodelay;
        }
        if let Some(cork) = cork {
            self.socket.cork = cork;
            self.application.holds_back = false;
        }
        let socket = &mut self.socket;
        socket.user_timeout = user_timeout.unwrap_or(socket.user_timeout);
        socket.linger = linger.unwrap_or(socket.linger);
        socket.mss = mss.or(socket.mss);
        receive_buffer.into_iter().for_each(|octets| self.rcv.set_capacity(octets));
        send_buffer.into_iter().for_each(|octets| self.snd.set_capacity(octets));
        notsent_lowat.into_iter().for_each(|octets| self.snd.set_notsent_lowat(octets));
    }

    /// IP_TTL, IPV6_UNICAST_HOPS; at least 1.
    pub(crate) fn set_hops(&mut self, hops: u8) {
        self.ip.hops = hops.max(1);
    }

    /// IP_TOS, IPV6_TCLASS: the upper six bits.
    pub(crate) fn set_codepoint(&mut self, codepoint: u8) {
        self.ip.codepoint = codepoint & 0x3f;
    }
}
