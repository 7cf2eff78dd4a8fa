//! One host's TCP.

use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use crate::*;

/// What an endpoint is made from.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's addresses; the first of each family is the source of active opens.
    pub addresses: Vec<IpAddr>,
    /// Numbers and choices.
    pub settings: Settings,
    /// The secret of RFC 9293 §3.4.1: initial sequence numbers follow from it and the clock.
    pub secret: u64,
}

/// A datagram to send, and what is known of it. The octets stand in the buffer given to `poll_transmit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Whose it is; `None` for a RST on behalf of nobody.
    pub connection: Option<ConnectionId>,
    /// From.
    pub source: SocketAddr,
    /// To.
    pub destination: SocketAddr,
    /// Its TCP header.
    pub header: Header,
    /// Why it is sent.
    pub purpose: Purpose,
}

/// What `receive` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many octets, more than zero.
    Octets(usize),
    /// The peer will send no more.
    End,
    /// Nothing yet.
    Nothing,
}

/// A connection at a glance (RFC 9293 §3.9.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The state.
    pub state: State,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// Octets the application has not read.
    pub unread: usize,
    /// Octets sent or to be sent that are not acknowledged.
    pub unacknowledged: usize,
}

/// One host's TCP: its listeners and connections.
///
/// Methods come in four kinds. *Getters* change nothing. *Calls* are the application's. `handle_*` tell what came
/// from outside: a datagram, time. `poll_*` ask what follows. After a call or a `handle_*`, take all of
/// [`poll_transmit`](Endpoint::poll_transmit) and [`poll_event`](Endpoint::poll_event), then look at
/// [`poll_timeout`](Endpoint::poll_timeout) and call [`handle_timeout`](Endpoint::handle_timeout) at that time.
///
/// A dropped endpoint is silent: this is what a crash is.
pub struct Endpoint {}

impl Endpoint {
    /// An endpoint without any socket.
    pub fn new(config: Config) -> Endpoint { todo!() }

    // Calls of the application.

    /// Passive open: listens on every address of the host.
    ///
    /// `backlog` is the length of the accept queue; Linux lets one connection more in.
    /// Fails with `EADDRINUSE` if somebody listens on the port.
    pub fn listen(&mut self, now: Instant, port: u16, backlog: u32) -> Result<ListenerId, Errno> { todo!() }

    /// Takes the oldest established connection from the accept queue.
    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnectionId> { todo!() }

    /// Active open. Returns at once; [`connected`](Endpoint::connected) tells the outcome.
    ///
    /// Fails with `EADDRINUSE` if `local_port` is taken for this remote, `EADDRNOTAVAIL` if no port or no address
    /// of the family is left.
    pub fn connect(&mut self, now: Instant, local_port: Option<u16>, remote: SocketAddr) -> Result<ConnectionId, Errno> { todo!() }

    /// The outcome of an active open, once there is one.
    pub fn connected(&mut self, connection: ConnectionId) -> Poll<Result<(), Errno>> { todo!() }

    /// Queues octets for the peer and returns how many; 0 means that the send buffer is full.
    pub fn send(&mut self, now: Instant, connection: ConnectionId, octets: &[u8]) -> Result<usize, Errno> { todo!() }

    /// Takes received octets.
    pub fn receive(&mut self, now: Instant, connection: ConnectionId, buffer: &mut [u8]) -> Result<Received, Errno> { todo!() }

    /// Half-close: no more data will be sent; what is queued still goes, then FIN.
    pub fn shutdown(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Errno> { todo!() }

    /// The application is done with the socket, which becomes an orphan until TCP is done too.
    /// With unread data the connection is reset (RFC 2525 §2.17).
    pub fn close(&mut self, now: Instant, connection: ConnectionId) { todo!() }

    /// Resets the connection and forgets it.
    pub fn abort(&mut self, now: Instant, connection: ConnectionId) { todo!() }

    /// Stops listening; connections not accepted yet are reset.
    pub fn close_listener(&mut self, now: Instant, listener: ListenerId) { todo!() }

    /// What the kernel does when the process dies: closes everything.
    pub fn close_all(&mut self, now: Instant) { todo!() }

    /// Switches keepalive on with these settings, or off (SO_KEEPALIVE).
    pub fn set_keepalive(&mut self, now: Instant, connection: ConnectionId, keepalive: Option<KeepaliveSettings>) { todo!() }

    /// Switches Nagle's algorithm off, or on again (TCP_NODELAY).
    pub fn set_nodelay(&mut self, now: Instant, connection: ConnectionId, nodelay: bool) { todo!() }

    // Getters.

    /// A connection at a glance; `None` once it is gone.
    pub fn status(&self, connection: ConnectionId) -> Option<ConnectionStatus> { todo!() }

    /// Every connection there is, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ { std::iter::empty() }

    // What comes from outside.

    /// An IP datagram arrived.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Arrival { todo!() }

    /// It is now the time that `poll_timeout` asked for, or later.
    pub fn handle_timeout(&mut self, now: Instant) { todo!() }

    // What follows.

    /// The next datagram to send, its octets appended to `buffer`.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> { todo!() }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> { todo!() }

    /// When to call `handle_timeout`; `None` is never.
    pub fn poll_timeout(&mut self) -> Option<Instant> { todo!() }
}
