//! The options of sockets, by their names in POSIX and Linux.

use std::time::Duration;

use super::Endpoint;
use crate::{ConnectionId, Instant, KeepaliveSettings, SocketOptions};

impl Endpoint {
    /// Sets the options that are `Some`. Options that are set before [`poll_transmit`](Endpoint::poll_transmit) returns the SYN
    /// determine what it offers.
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
        let options = SocketOptions { keepalive: Some(keepalive), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
    }

    /// TCP_NODELAY: switches Nagle's algorithm off, or on.
    pub fn set_nodelay(&mut self, now: Instant, connection: ConnectionId, nodelay: bool) {
        let options = SocketOptions { nodelay: Some(nodelay), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
    }

    /// TCP_USER_TIMEOUT: how long data may stay unacknowledged, or a probed peer silent. `None` is no such limit,
    /// whatever the settings say.
    pub fn set_user_timeout(&mut self, now: Instant, connection: ConnectionId, timeout: Option<Duration>) {
        let options = SocketOptions { user_timeout: Some(timeout), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
    }

    /// SO_LINGER: zero makes `close` reset the connection. With any other time `close` returns at once, too; a caller
    /// that blocks waits as long as [`lingers`](Endpoint::lingers) says.
    pub fn set_linger(&mut self, now: Instant, connection: ConnectionId, linger: Option<Duration>) {
        let options = SocketOptions { linger: Some(linger), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
    }

    /// SO_RCVBUF: the size of the receive buffer, octets. The window does not shrink.
    pub fn set_receive_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        let options = SocketOptions { receive_buffer: Some(octets), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
    }

    /// SO_SNDBUF: the size of the send buffer, octets. Where packets count with their memory, it no longer grows.
    pub fn set_send_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        let options = SocketOptions { send_buffer: Some(octets), ..SocketOptions::NONE };
        self.set_options(now, connection, &options);
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
