//! The connections of an endpoint: which addresses they have, and when each is to be woken.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use super::{Config, Endpoint};
use crate::connection::{Connection, Identity};
use crate::context::Context;
use crate::hash::keyed_hash;
use crate::{ConnectionId, Event, Instant, Seq, State};

/// The largest IP datagram that a host sends to itself, octets (Linux `lo`, as far as IPv4 has them).
const LOOPBACK_MTU: u16 = u16::MAX;

/// What a connection was before it was worked on.
pub(super) struct Before {
    state: State,
    wakeup: Option<Instant>,
    memory: u64,
}

impl Endpoint {
    pub(super) fn all(&self) -> impl Iterator<Item = &Connection> + '_ {
        self.connections.iter().flatten().map(Box::as_ref)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(id.0 as usize)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// Works on a connection, then does what its changes require. `None` if it is gone.
    pub(super) fn with<T>(
        &mut self,
        now: Instant,
        id: ConnectionId,
        work: impl FnOnce(&mut Connection, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let before = self.before(id);
        let connection = self.connections.get_mut(id.0 as usize)?.as_deref_mut()?;
        let remote = connection.addresses().1;
        let outcome = work(connection, &mut context(&self.config, remote, &mut self.events, now));
        self.after(id, before);
        if !self.ready.contains(&id) {
            self.ready.push_back(id);
        }
        Some(outcome)
    }

    pub(super) fn before(&self, id: ConnectionId) -> Option<Before> {
        self.get(id).map(|connection| Before {
            state: connection.state(),
            wakeup: connection.next_timeout(),
            memory: connection.memory(),
        })
    }

    pub(super) fn after(&mut self, id: ConnectionId, before: Option<Before>) {
        let (Some(before), Some(connection)) = (before, self.get(id)) else { return };
        let (state, wakeup, parent) = (connection.state(), connection.next_timeout(), connection.parent);
        self.memory = self.memory - before.memory + connection.memory();
        if wakeup != before.wakeup {
            if let Some(at) = before.wakeup {
                self.wakeups.remove(&(at, id));
            }
            self.wakeups.extend(wakeup.map(|at| (at, id)));
        }
        if state == before.state {
            return;
        }
        if let Some(listener) = parent.and_then(|parent| self.listeners.get_mut(&parent))
            && before.state == State::SynReceived
        {
            listener.embryonic -= 1;
            if state != State::Closed {
                listener.accept_queue.push_back(id);
            }
        }
        if state == State::Closed {
            self.disown(id);
        }
    }

    /// Whether a connection is in SYN-RECEIVED though its listener has closed.
    pub(super) fn has_lost_listener(&self, id: ConnectionId) -> bool {
        let parent = self.get(id).filter(|it| it.is_embryonic()).and_then(|it| it.parent);
        parent.is_some_and(|listener| !self.listeners.contains_key(&listener))
    }

    /// A closed connection releases its addresses.
    pub(super) fn disown(&mut self, id: ConnectionId) {
        if let Some(addresses) = self.get(id).map(Connection::addresses)
            && self.owners.get(&addresses) == Some(&id)
        {
            self.owners.remove(&addresses);
            self.ports.leave(addresses);
        }
    }

    pub(super) fn forget_if_gone(&mut self, id: ConnectionId) {
        if let Some(gone) = self.get(id).filter(|connection| connection.is_gone()) {
            self.memory -= gone.memory();
            self.connections[id.0 as usize] = None;
        }
    }

    /// Adds a new connection.
    pub(super) fn adopt(&mut self, mut connection: Connection) -> ConnectionId {
        let id = connection.id();
        if let Some(listener) = connection.parent.and_then(|parent| self.listeners.get(&parent)) {
            connection.reuse_address = listener.reuse_address;
        }
        self.owners.insert(connection.addresses(), id);
        self.ports.take(connection.addresses());
        self.wakeups.extend(connection.next_timeout().map(|at| (at, id)));
        self.memory += connection.memory();
        self.connections.push(Some(Box::new(connection)));
        self.ready.push_back(id);
        id
    }

    pub(super) fn identity(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Identity {
        let tuple = keyed_hash(self.config.secret, [local, remote], &[]);
        // RFC 9293 §3.4.1: ISN = M + F(tuple, secret), M being a clock of 4 microseconds.
        let clock = (now.as_nanos() / 4_000) as u32;
        let iss = self.config.settings.initial_sequence.unwrap_or_else(|| clock.wrapping_add(tuple as u32));
        Identity {
            id: ConnectionId(self.connections.len() as u32),
            local,
            remote,
            iss: Seq(iss),
            ts_offset: (tuple >> 32) as u32,
            recalled: None,
            mtu: self.path_mtu(now, remote.ip()),
        }
    }

    /// The path MTU to a host, as far as routers have reported it; to the host itself, that of its loopback interface.
    fn path_mtu(&self, now: Instant, remote: IpAddr) -> u16 {
        if self.config.is_own(remote) {
            return LOOPBACK_MTU;
        }
        let lifetime = self.config.settings.path_mtu_lifetime;
        let known = self.path_mtus.get(&remote).filter(|(_, since)| now.since(*since) < lifetime);
        known.map_or(self.config.settings.mtu, |(mtu, _)| *mtu)
    }

    /// A connection has learned its path MTU, which later connections to the same host use, too.
    pub(super) fn learn_path_mtu(&mut self, now: Instant, id: ConnectionId) {
        let Some(connection) = self.get(id) else { return };
        let (remote, mtu) = (connection.addresses().1.ip(), connection.mtu);
        let lifetime = self.config.settings.path_mtu_lifetime;
        self.path_mtus.retain(|_, (_, since)| now.since(*since) < lifetime);
        self.path_mtus.insert(remote, (mtu, now));
    }
}

/// What a connection with this peer may use.
pub(super) fn context<'a>(
    config: &'a Config,
    remote: SocketAddr,
    events: &'a mut VecDeque<Event>,
    now: Instant,
) -> Context<'a> {
    Context { now, settings: config.settings_to(remote.ip()), events }
}
