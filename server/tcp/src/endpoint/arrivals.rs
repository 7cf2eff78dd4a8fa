//! What comes from outside: datagrams and time.

mod closed;
mod cookie;
mod listen;

use std::net::IpAddr;

use super::Endpoint;
use crate::connection::Connection;
use crate::icmp::{self, Reason, Unreachable};
use crate::listener::Listener;
use crate::segment::{self, Segment};
use crate::{Arrival, ConnectionId, Disposition, DropReason, Flags, Instant};

impl Endpoint {
    /// An IP datagram arrived: a TCP segment, or an ICMP error about one of ours.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Arrival {
        if let Some(error) = icmp::decode(datagram) {
            return error.map_or_else(Arrival::dropped, |error| self.unreachable(now, &error));
        }
        let segment = match segment::decode(datagram) {
            Ok(segment) => segment,
            Err(reason) => return Arrival::dropped(reason),
        };
        if !self.config.is_own(segment.destination.ip()) {
            return Arrival::dropped(DropReason::NotForUs);
        }
        if let Some(&id) = self.owners.get(&(segment.destination, segment.source)) {
            if self.has_lost_listener(id) {
                self.with(now, id, Connection::listener_gone);
            } else if self.may_replace(id, &segment) {
                self.with(now, id, Connection::replaced);
            } else {
                return self.arrives_at_connection(now, id, &segment);
            }
        }
        let to = segment.destination;
        match self.listeners.values().find(|listener| listener.takes(to)).map(|listener| listener.id) {
            Some(listener) => self.arrives_in_listen(now, listener, &segment),
            None => self.arrives_in_closed(&segment),
        }
    }

    /// It is now the time that `poll_timeout` returned, or later.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.wakeups.first() {
            if at > now {
                return;
            }
            let lost = self.has_lost_listener(id);
            self.with(now, id, if lost { Connection::listener_gone } else { Connection::handle_timeout });
        }
    }

    /// The host has these addresses now. Connections from one that it has lost stay: they cannot send until it is back, and
    /// nobody tells them.
    pub fn set_addresses(&mut self, addresses: Vec<IpAddr>) {
        self.config.addresses = addresses;
        for connection in self.connections.iter_mut().flatten() {
            connection.set_routed(self.config.is_own(connection.addresses().0.ip()));
        }
    }

    /// ICMP says that a segment of ours was not delivered.
    fn unreachable(&mut self, now: Instant, error: &Unreachable) -> Arrival {
        let connection = self.owners.get(&(error.local, error.remote)).copied();
        let disposition = connection
            .and_then(|id| self.with(now, id, |connection, cx| connection.unreachable(cx, error)))
            .unwrap_or(Disposition::Dropped(DropReason::NoConnection));
        if let (Reason::TooLarge { .. }, Disposition::Accepted, Some(id)) =
            (error.reason, disposition, connection)
        {
            self.learn_path_mtu(now, id);
        }
        Arrival { connection, disposition }
    }

    fn arrives_at_connection(&mut self, now: Instant, id: ConnectionId, segment: &Segment<'_>) -> Arrival {
        let parent = self.get(id).and_then(|connection| connection.parent);
        let room = parent.and_then(|parent| self.listeners.get(&parent)).is_none_or(Listener::has_room);
        let disposition = self
            .with(now, id, |connection, cx| connection.arrives(cx, segment, room))
            .unwrap_or(Disposition::Dropped(DropReason::NoConnection));
        Arrival { connection: Some(id), disposition }
    }

    /// Whether the segment is a SYN that may begin a new connection in place of one in TIME-WAIT
    /// (RFC 9293 §3.6.1, MAY-2). Only a listener takes it.
    fn may_replace(&self, id: ConnectionId, segment: &Segment<'_>) -> bool {
        let flags = segment.header.flags;
        let syn = flags.contains(Flags::SYN) && !flags.intersects(Flags::ACK | Flags::RST);
        syn && self.listeners.values().any(|listener| listener.takes(segment.destination))
            && self.get(id).is_some_and(|connection| connection.may_be_replaced_by(&segment.header))
    }
}
