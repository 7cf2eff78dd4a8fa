//! A listening socket and its two queues.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::{ConnectionId, Instant, ListenerId, Settings, SocketOptions, SynCookies, SynQueueLimit};

/// What becomes of a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It begins a connection in SYN-RECEIVED.
    Queue,
    /// It is answered by a SYN cookie, and forgotten.
    Cookie,
    /// It is dropped.
    Drop,
}

/// How a listening socket is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOptions {
    /// The address it listens on (RFC 9293 §3.9.1.1, MUST-43); `None` is every address of the host.
    pub address: Option<IpAddr>,
    /// The length of the accept queue, to which the settings may add
    /// ([`accept_queue_extra`](crate::Settings::accept_queue_extra)).
    pub backlog: u32,
    /// SO_REUSEADDR: whether it shares the port with connections whose sockets have the option too, those in TIME-WAIT
    /// included. Its connections inherit it.
    pub reuse_address: bool,
    /// The options of its connections, which inherit them.
    pub options: SocketOptions,
}

impl ListenOptions {
    /// On every address, with SO_REUSEADDR, as servers are usually written.
    pub const fn new(backlog: u32) -> ListenOptions {
        ListenOptions { address: None, backlog, reuse_address: true, options: SocketOptions::NONE }
    }
}

/// A listening socket.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: ListenerId,
    /// The address it listens on; `None` is every address of the host.
    address: Option<IpAddr>,
    pub(crate) port: u16,
    /// The backlog of `listen`.
    pub(crate) backlog: u32,
    /// SO_REUSEADDR, which its connections inherit.
    pub(crate) reuse_address: bool,
    /// The options that its connections inherit.
    pub(crate) options: SocketOptions,
    /// Connections that the accept queue holds.
    room: u64,
    /// When a SYN cookie was last sent.
    pub(crate) cookie_sent: Option<Instant>,
    /// How many of its connections are in SYN-RECEIVED.
    pub(crate) embryonic: u32,
    /// Established connections that nobody has accepted.
    pub(crate) accept_queue: VecDeque<ConnectionId>,
}

impl Listener {
    pub(crate) fn new(id: ListenerId, port: u16, options: ListenOptions, extra: u32) -> Listener {
        let ListenOptions { address, backlog, reuse_address, options } = options;
        Listener {
            id,
            address,
            port,
            backlog,
            reuse_address,
            options,
            room: u64::from(backlog) + u64::from(extra),
            cookie_sent: None,
            embryonic: 0,
            accept_queue: VecDeque::new(),
        }
    }

    /// Whether it takes what is sent to `to`.
    pub(crate) fn takes(&self, to: SocketAddr) -> bool {
        self.overlaps(Some(to.ip()), to.port())
    }

    /// Whether it shares addresses with a listener there.
    pub(crate) fn overlaps(&self, address: Option<IpAddr>, port: u16) -> bool {
        let same = self.address.is_none() || address.is_none() || self.address == address;
        self.port == port && same
    }

    /// What becomes of another SYN (Linux `tcp_conn_request`).
    pub(crate) fn admit(&self, settings: &Settings) -> Admission {
        let waiting = self.embryonic;
        let full = match settings.syn_queue_limit {
            SynQueueLimit::SynBacklog => waiting >= settings.syn_backlog,
            SynQueueLimit::ListenBacklog => waiting > self.backlog,
        };
        // Without cookies the last quarter is for peers that are known to be alive.
        let known = settings.syn_backlog - settings.syn_backlog / 4;
        match (settings.syn_cookies, settings.syn_queue_limit) {
            (SynCookies::Always, _) => Admission::Cookie,
            (SynCookies::WhenFull, _) if full => Admission::Cookie,
            (SynCookies::Off, SynQueueLimit::ListenBacklog) if waiting > known => Admission::Drop,
            (SynCookies::Off, _) if full => Admission::Drop,
            (SynCookies::Off | SynCookies::WhenFull, _) => Admission::Queue,
        }
    }

    /// Whether the accept queue takes one more.
    pub(crate) fn has_room(&self) -> bool {
        (self.accept_queue.len() as u64) < self.room
    }
}
