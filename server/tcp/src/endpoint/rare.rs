//! Calls that few applications make, but that RFC 9293 asks for.

use std::net::{IpAddr, SocketAddr};

use super::Endpoint;
use crate::{ConnectionId, Errno, Instant, ListenerId};

impl Endpoint {
    /// Passive open on one address of the host (RFC 9293 §3.9.1.1, MUST-43); the rest as
    /// [`listen`](Endpoint::listen).
    ///
    /// Fails with `EADDRNOTAVAIL` if the host does not have the address.
    pub fn listen_on(&mut self, _now: Instant, local: SocketAddr, backlog: u32) -> Result<ListenerId, Errno> {
        self.own(local.ip())?;
        self.add_listener(Some(local.ip()), local.port(), backlog)
    }

    /// Active open from one address of the host (RFC 9293 §3.9.1.1, MUST-43); the rest as
    /// [`connect`](Endpoint::connect).
    ///
    /// Fails with `EADDRNOTAVAIL` if the host does not have the address, or it is of the other family.
    pub fn connect_from(
        &mut self,
        now: Instant,
        local: IpAddr,
        local_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Errno> {
        self.own(local)?;
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(Errno::AddressNotAvailable);
        }
        self.open(now, local, local_port, remote)
    }

    /// Queues octets for the peer, and marks the last as the end of urgent data (RFC 9293 §3.8.5): the peer's application
    /// is told, even while its window is closed, but reads everything in order. Returns how many octets were queued.
    pub fn send_urgent(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        octets: &[u8],
    ) -> Result<usize, Errno> {
        self.with(now, connection, |connection, _| connection.send_urgent(octets))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Sets the TTL, or hop limit, of what the connection sends (RFC 9293 §3.9.2, MUST-49); 64 before.
    pub fn set_hops(&mut self, now: Instant, connection: ConnectionId, hops: u8) {
        self.with(now, connection, |connection, _| connection.set_hops(hops));
    }

    /// Sets the differentiated services codepoint of what the connection sends, six bits (RFC 9293 §3.9.1.9, MUST-48);
    /// 0 before.
    pub fn set_codepoint(&mut self, now: Instant, connection: ConnectionId, codepoint: u8) {
        self.with(now, connection, |connection, _| connection.set_codepoint(codepoint));
    }

    fn own(&self, address: IpAddr) -> Result<(), Errno> {
        if self.config.addresses.contains(&address) { Ok(()) } else { Err(Errno::AddressNotAvailable) }
    }
}
