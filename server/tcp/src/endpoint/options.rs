//! The options of sockets, by their names in POSIX and Linux.

use std::time::Duration;

use super::Endpoint;
use crate::{ConnectionId, Instant, KeepaliveSettings, SocketOptions};

impl Endpoint {
    /// Sets the options that are there. Before [`poll_transmit`](Endpoint::poll_transmit) has returned the SYN they decide what that
    /// offers.
    pub fn set_options(&mut self, now: Instant, connection: ConnectionId, options: &SocketOptions) {
        self.with(now, connection, |connection, cx| connection.set_options(cx, options));
    }

    /// SO_KEEPALIVE: switches keepalive on with these numbers, or off.
    pub fn set_keepalive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        keepalive: Option<KeepaliveSettings>,
    ) {
        self.with(now, connection, |connection, cx| connection.set_keepalive(cx, keepalive));
    }

    /// TCP_NODELAY: switches Nagle's algorithm off, or on.
    pub fn set_nodelay(&mut self, now: Instant, connection: ConnectionId, nodelay: bool) {
        self.with(now, connection, |connection, _| connection.set_nodelay(nodelay));
    }

    /// TCP_CORK: segments that are not full wait for more, and leave once it is off, or after an RTO without anything in flight.
    pub fn set_cork(&mut self, now: Instant, connection: ConnectionId, cork: bool) {
        self.with(now, connection, |connection, _| connection.set_cork(cork));
    }

    /// TCP_USER_TIMEOUT: how long data may stay unacknowledged, or a probed peer silent. `None` is no such limit,
    /// whatever the settings say.
    pub fn set_user_timeout(&mut self, now: Instant, connection: ConnectionId, timeout: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_user_timeout(timeout));
    }

    /// SO_LINGER: zero makes `close` reset the connection. With any other time `close` returns at once, too; a caller
    /// that blocks waits as long as [`lingers`](Endpoint::lingers) says.
    pub fn set_linger(&mut self, now: Instant, connection: ConnectionId, linger: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_linger(linger));
    }

    /// SO_RCVBUF: the size of the receive buffer, octets. The window does not shrink.
    pub fn set_receive_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        self.with(now, connection, |connection, _| connection.set_receive_buffer(octets));
    }

    /// SO_SNDBUF: the size of the send buffer, octets. Where packets count with their memory, it no longer grows.
    pub fn set_send_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        self.with(now, connection, |connection, _| connection.set_send_buffer(octets));
    }

    /// TCP_NOTSENT_LOWAT: the octets that may be in the send buffer without being sent; `None` is no limit but the buffer's.
    pub fn set_notsent_lowat(&mut self, now: Instant, connection: ConnectionId, octets: Option<u32>) {
        self.with(now, connection, |connection, _| connection.set_notsent_lowat(octets));
    }

    /// TCP_MAXSEG: the largest MSS announced, and of the peer's believed, octets. It has no effect after the handshake.
    pub fn set_mss(&mut self, now: Instant, connection: ConnectionId, octets: u16) {
        self.with(now, connection, |connection, _| connection.set_mss(octets));
    }

    /// IP_TTL: the TTL or hop limit of what the connection sends, 64 by default (RFC 9293 §3.9.2, MUST-49).
    pub fn set_hops(&mut self, now: Instant, connection: ConnectionId, hops: u8) {
        self.with(now, connection, |connection, _| connection.set_hops(hops));
    }

    /// IP_TOS: the differentiated services codepoint of what the connection sends, six bits, 0 by default
    /// (RFC 9293 §3.9.1.9, MUST-48).
    pub fn set_codepoint(&mut self, now: Instant, connection: ConnectionId, codepoint: u8) {
        self.with(now, connection, |connection, _| connection.set_codepoint(codepoint));
    }
}
