//! A listening socket and its two queues.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use crate::{ConnectionId, ListenerId};

/// A listening socket.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: ListenerId,
    /// The address it listens on; `None` is every address of the host.
    address: Option<IpAddr>,
    pub(crate) port: u16,
    /// Connections that the accept queue holds.
    room: u64,
    /// How many of its connections are in SYN-RECEIVED.
    pub(crate) embryonic: u32,
    /// Established connections that nobody has accepted.
    pub(crate) accept_queue: VecDeque<ConnectionId>,
}

impl Listener {
    pub(crate) fn new(id: ListenerId, address: Option<IpAddr>, port: u16, room: u64) -> Listener {
        Listener { id, address, port, room, embryonic: 0, accept_queue: VecDeque::new() }
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

    /// Whether the accept queue takes one more.
    pub(crate) fn has_room(&self) -> bool {
        (self.accept_queue.len() as u64) < self.room
    }
}
