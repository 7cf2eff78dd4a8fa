//! A listening socket and its two queues.

use std::collections::VecDeque;

use crate::{ConnectionId, ListenerId};

/// A listening socket.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    pub(crate) id: ListenerId,
    pub(crate) port: u16,
    /// The length that `listen` asked for.
    backlog: u32,
    /// Connections in SYN-RECEIVED.
    pub(crate) embryonic: u32,
    /// Established connections that nobody has accepted.
    pub(crate) accept_queue: VecDeque<ConnectionId>,
}

impl Listener {
    pub(crate) fn new(id: ListenerId, port: u16, backlog: u32) -> Listener {
        Listener { id, port, backlog, embryonic: 0, accept_queue: VecDeque::new() }
    }

    /// Whether the accept queue takes one more. Linux asks whether it is longer than the backlog, so that one
    /// connection more gets in.
    pub(crate) fn has_room(&self) -> bool {
        self.accept_queue.len() as u64 <= u64::from(self.backlog)
    }
}
