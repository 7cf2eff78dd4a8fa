//! What comes from outside: datagrams and time.

use super::Endpoint;
use super::bookkeeping::context;
use crate::connection::Connection;
use crate::icmp::{self, Reason, Unreachable};
use crate::listener::Listener;
use crate::segment::{self, Segment};
use crate::{Arrival, ConnectionId, Disposition, DropReason, Flags, Instant, ListenerId};

impl Endpoint {
    /// An IP datagram arrived: a TCP segment, or an ICMP error about one of ours.
    pub fn handle_datagram(&mut self, now: Instant, datagram: &[u8]) -> Arrival {
        let nobody = |reason| Arrival { connection: None, disposition: Disposition::Dropped(reason) };
        if let Some(told) = icmp::decode(datagram) {
            return told.map_or_else(nobody, |told| self.unreachable(now, &told));
        }
        let segment = match segment::decode(datagram) {
            Ok(segment) => segment,
            Err(reason) => return nobody(reason),
        };
        if !self.config.addresses.contains(&segment.destination.ip()) {
            return nobody(DropReason::NotForUs);
        }
        if let Some(&id) = self.owners.get(&(segment.destination, segment.source)) {
            if !self.may_follow(id, &segment) {
                return self.arrives_at_connection(now, id, &segment);
            }
            // A new connection takes the place of one in TIME-WAIT.
            self.with(now, id, Connection::make_way);
        }
        let to = segment.destination;
        match self.listeners.values().find(|listener| listener.takes(to)).map(|listener| listener.id) {
            Some(listener) => self.arrives_at_listener(now, listener, &segment),
            None => {
                self.refuse(&segment);
                nobody(DropReason::NoConnection)
            }
        }
    }

    /// It is now the time that `poll_timeout` asked for, or later.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(at, id)) = self.wakeups.first() {
            if at > now {
                return;
            }
            self.with(now, id, Connection::handle_timeout);
        }
    }

    /// ICMP says that a segment of ours did not get through.
    fn unreachable(&mut self, now: Instant, told: &Unreachable) -> Arrival {
        let connection = self.owners.get(&(told.local, told.remote)).copied();
        let disposition = connection
            .and_then(|id| self.with(now, id, |connection, cx| connection.unreachable(cx, told)))
            .unwrap_or(Disposition::Dropped(DropReason::NoConnection));
        if let (Reason::TooLarge { .. }, Disposition::Accepted, Some(id)) =
            (told.reason, disposition, connection)
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

    /// SEGMENT ARRIVES in LISTEN (RFC 9293 §3.10.7.2).
    fn arrives_at_listener(&mut self, now: Instant, id: ListenerId, segment: &Segment<'_>) -> Arrival {
        let nobody = |reason| Arrival { connection: None, disposition: Disposition::Dropped(reason) };
        let flags = segment.header.flags;
        if flags.contains(Flags::RST) {
            return nobody(DropReason::NoConnection);
        }
        if flags.contains(Flags::ACK) {
            self.refuse(segment);
            return nobody(DropReason::NoConnection);
        }
        if !flags.contains(Flags::SYN) {
            return nobody(DropReason::NoSyn);
        }
        let syn_backlog = self.config.settings.syn_backlog;
        let full = |listener: &Listener| !listener.has_room() || listener.embryonic >= syn_backlog;
        match self.listeners.get_mut(&id) {
            Some(listener) if !full(listener) => listener.embryonic += 1,
            _ => return nobody(DropReason::QueueFull),
        }
        let identity = self.identity(now, segment.destination, segment.source);
        let cx = &mut context(&self.config, &mut self.events, now);
        let connection = Connection::answer(cx, identity, id, &segment.header);
        Arrival { connection: Some(self.adopt(connection)), disposition: Disposition::Accepted }
    }

    /// Whether the segment is a SYN that may begin a new connection in place of one in TIME-WAIT
    /// (RFC 9293 §3.6.1, MAY-2). Only a listener takes it.
    fn may_follow(&self, id: ConnectionId, segment: &Segment<'_>) -> bool {
        let flags = segment.header.flags;
        let syn = flags.contains(Flags::SYN) && !flags.intersects(Flags::ACK | Flags::RST);
        syn && self.listeners.values().any(|listener| listener.takes(segment.destination))
            && self.get(id).is_some_and(|connection| connection.may_be_followed_by(&segment.header))
    }

    /// A RST for what nobody owns (RFC 9293 §3.10.7.1).
    fn refuse(&mut self, segment: &Segment<'_>) {
        let arrived = &segment.header;
        if arrived.flags.contains(Flags::RST) {
            return;
        }
        self.resets.push_back((segment.destination, segment.source, arrived.refusal()));
    }
}
