//! What the methods of an endpoint return.

use std::net::SocketAddr;

use crate::{ConnectionId, Header, Purpose, Seq, State};

/// A datagram to send. Its octets are in the buffer given to `poll_transmit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// The connection that sends it; `None` for a RST that answers a segment of no connection, and
    /// for a SYN cookie.
    pub connection: Option<ConnectionId>,
    /// The source.
    pub source: SocketAddr,
    /// The destination.
    pub destination: SocketAddr,
    /// Its TCP header.
    pub header: Header,
    /// Why it is sent.
    pub purpose: Purpose,
}

/// The outcome of `receive`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// This many octets were moved, at least one.
    Octets(usize),
    /// The stream has ended.
    End,
    /// Nothing has arrived yet.
    Nothing,
}

/// The status of a connection (RFC 9293 §3.9.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionStatus {
    /// The state.
    pub state: State,
    /// Our address.
    pub local: SocketAddr,
    /// The peer's address.
    pub remote: SocketAddr,
    /// Octets that the application has not read.
    pub unread: usize,
    /// Octets that are not acknowledged, sent or not.
    pub unacknowledged: usize,
    /// `snd.una`.
    pub snd_una: Seq,
    /// `snd.nxt`.
    pub snd_nxt: Seq,
    /// `rcv.nxt`.
    pub rcv_nxt: Seq,
    /// Octets from where the application reads to the end of the peer's urgent data.
    pub urgent: u32,
}

/// Which calls would return at once (POSIX `poll`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// `receive` finds octets, the end of the stream or an error (POLLIN).
    pub readable: bool,
    /// The connection is open and `send` takes at least one octet, or `send` or `connected` finds an error (POLLOUT).
    pub writable: bool,
    /// The peer has closed, or `shutdown(SHUT_RD)` was called (POLLRDHUP): nothing more will come.
    pub peer_closed: bool,
    /// Both directions are closed (POLLHUP).
    pub hung_up: bool,
    /// The next call fails with the error of the connection (POLLERR).
    pub failed: bool,
}

impl Readiness {
    /// A connection that is gone.
    pub(crate) const GONE: Readiness =
        Readiness { readable: true, writable: true, peer_closed: true, hung_up: true, failed: false };
}
