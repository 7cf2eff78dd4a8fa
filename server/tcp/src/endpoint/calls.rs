//! The calls of the application (RFC 9293 §3.9.1).

use std::net::{IpAddr, SocketAddr};
use std::task::Poll;

use super::Endpoint;
use super::bookkeeping::context;
use crate::connection::{Connection, Identity};
use crate::listener::{ListenOptions, Listener};
use crate::{
    Call, Cause, ConnectionId, Errno, Event, EventKind, Instant, ListenerId, Readiness, Received, SendFlags,
    State, Subject, segment,
};

impl Endpoint {
    /// A passive open: listens on every address of the host, with SO_REUSEADDR; otherwise as
    /// [`listen_with`](Endpoint::listen_with).
    pub fn listen(&mut self, now: Instant, port: u16, backlog: u32) -> Result<ListenerId, Errno> {
        self.listen_with(now, port, ListenOptions::new(backlog))
    }

    /// A passive open.
    ///
    /// Fails with EADDRINUSE if the port is bound: by another listener, or by a connection, unless both sockets have
    /// SO_REUSEADDR (Linux `inet_csk_bind_conflict`); and with EADDRNOTAVAIL if the host does not have the address.
    pub fn listen_with(
        &mut self,
        _now: Instant,
        port: u16,
        options: ListenOptions,
    ) -> Result<ListenerId, Errno> {
        options.address.map_or(Ok(()), |address| self.check_own(address))?;
        self.check_unbound(options.address, port, options.reuse_address)?;
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        let extra = self.config.settings.accept_queue_extra;
        self.listeners.insert(id, Listener::new(id, port, options, extra));
        self.record_listener(id, State::Closed, State::Listen, Call::Listen);
        Ok(id)
    }

    /// Fails with EADDRINUSE if another socket keeps one from binding a port (Linux `inet_csk_bind_conflict`): a listener
    /// always does, a connection unless both have SO_REUSEADDR. The kernel knows of a connection as long as it has its
    /// addresses, whether or not a process still has the socket; one in SYN-RECEIVED is no socket yet.
    fn check_unbound(&self, address: Option<IpAddr>, port: u16, reuse_address: bool) -> Result<(), Errno> {
        let is_shared =
            |connection: &Connection| connection.is_embryonic() || reuse_address && connection.reuse_address;
        let mut connections = self.owners.iter().filter(|((local, _), _)| {
            local.port() == port && address.is_none_or(|address| address == local.ip())
        });
        let taken = self.listeners.values().any(|listener| listener.overlaps(address, port))
            || connections.any(|(_, id)| !self.get(*id).is_none_or(is_shared));
        if taken { Err(Errno::AddressInUse) } else { Ok(()) }
    }

    fn record_listener(&mut self, id: ListenerId, from: State, to: State, call: Call) {
        let kind = EventKind::Transition { from, to, cause: Cause::Call(call) };
        self.events.push_back(Event { subject: Subject::Listener(id), kind });
    }

    /// Takes the oldest connection from the accept queue; `None` if it is empty.
    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnectionId> {
        let id = self.listeners.get_mut(&listener)?.accept_queue.pop_front()?;
        if let Some(connection) = self.get_mut(id) {
            connection.parent = None;
        }
        Some(id)
    }

    /// An active open. It returns at once; [`connected`](Endpoint::connected) returns the outcome.
    ///
    /// `remote` may be the host itself, by one of its addresses or a loopback address. If the local port is the remote one, too, the
    /// connection has one end, which opens simultaneously with itself (RFC 9293 §3.5, Figure 7).
    ///
    /// Fails with EADDRINUSE if `local_port` is bound otherwise, as by a listener, or if another connection has it and
    /// `remote`, with EADDRNOTAVAIL if such a connection is in TIME-WAIT or no port is free, and with ENETUNREACH if the
    /// host has no address of the family, or no host can have the remote address.
    pub fn connect(
        &mut self,
        now: Instant,
        local_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Errno> {
        // To itself a host speaks from the address that it speaks to (RFC 6724 §5, rule 1).
        let same_family = |address: &&IpAddr| address.is_ipv4() == remote.is_ipv4();
        let address = match self.config.is_own(remote.ip()) {
            true => remote.ip(),
            false => *self.config.addresses.iter().find(same_family).ok_or(Errno::NetworkUnreachable)?,
        };
        self.open(now, address, local_port, remote)
    }

    /// An active open from one address of the host (RFC 9293 §3.9.1.1, MUST-43), otherwise as
    /// [`connect`](Endpoint::connect).
    ///
    /// Fails with EADDRNOTAVAIL if the host does not have the address, or if it is of another family than `remote`.
    pub fn connect_from(
        &mut self,
        now: Instant,
        local: IpAddr,
        local_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Errno> {
        self.check_own(local)?;
        if local.is_ipv4() != remote.is_ipv4() {
            return Err(Errno::AddressNotAvailable);
        }
        self.open(now, local, local_port, remote)
    }

    fn open(
        &mut self,
        now: Instant,
        address: IpAddr,
        local_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Errno> {
        // RFC 9293 §3.9.2.3, MUST-46.
        if !segment::is_unicast(remote.ip()) {
            return Err(Errno::NetworkUnreachable);
        }
        let mut recalled = None;
        let port = match local_port {
            Some(port) => {
                self.check_unbound(Some(address), port, true)?;
                let local = SocketAddr::new(address, port);
                recalled = self.leave_time_wait(now, local, remote);
                if let Some(id) = self.owners.get(&(local, remote)) {
                    // A port in TIME-WAIT can be bound (SO_REUSEADDR), but the pair of addresses is taken.
                    let waits = self.get(*id).is_some_and(|connection| connection.state() == State::TimeWait);
                    return Err(if waits { Errno::AddressNotAvailable } else { Errno::AddressInUse });
                }
                port
            }
            None => {
                let Endpoint { ports, owners, listeners, .. } = self;
                let is_free = |port| {
                    !owners.contains_key(&(SocketAddr::new(address, port), remote))
                        && !listeners.values().any(|listener| listener.port == port)
                };
                ports.find(address, remote, is_free).ok_or(Errno::AddressNotAvailable)?
            }
        };
        let recalled = recalled.filter(|_| self.config.settings.syn_echoes_time_wait);
        let identity = Identity { recalled, ..self.identity(now, SocketAddr::new(address, port), remote) };
        let mut connection =
            Connection::open(&mut context(&self.config, remote, &mut self.events, now), identity);
        // Whoever binds a port before it connects sets SO_REUSEADDR; without a bind there is no use for it.
        connection.reuse_address = local_port.is_some();
        Ok(self.adopt(connection))
    }

    fn check_own(&self, address: IpAddr) -> Result<(), Errno> {
        if self.config.is_own(address) { Ok(()) } else { Err(Errno::AddressNotAvailable) }
    }

    /// Ends a connection in TIME-WAIT whose addresses an active open needs, if timestamps distinguish its segments from
    /// new ones (RFC 6191; Linux `tcp_twsk_unique`). Returns the peer's last timestamp.
    fn leave_time_wait(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
        let id = *self.owners.get(&(local, remote))?;
        let timestamp = self.get(id).filter(|old| old.may_be_reopened())?.peer_timestamp();
        self.with(now, id, Connection::replaced);
        timestamp
    }

    /// The outcome of an active open. An error is returned once.
    pub fn connected(&mut self, connection: ConnectionId) -> Poll<Result<(), Errno>> {
        match self.get_mut(connection) {
            Some(connection) => connection.connected(),
            None => Poll::Ready(Err(Errno::NotConnected)),
        }
    }

    /// Readiness as poll(2) reports it to an application that waits: writable only when enough of the send buffer is free, a third in
    /// Linux. While it waits, the buffer may grow.
    pub fn poll(&mut self, connection: ConnectionId) -> Readiness {
        self.get_mut(connection).map_or(Readiness::GONE, Connection::poll)
    }

    /// Queues octets for the peer and returns how many; 0 if the send buffer is full. If it returns fewer because a packet is
    /// full and can be sent, the caller comes back with the rest once [`poll_transmit`](Endpoint::poll_transmit) has sent it:
    /// a stack transmits while it copies (Linux `tcp_sendmsg`).
    ///
    /// Fails with the error of the connection, with EPIPE if no more can be sent, or with ENOTCONN.
    pub fn send(&mut self, now: Instant, connection: ConnectionId, octets: &[u8]) -> Result<usize, Errno> {
        self.send_with(now, connection, octets, SendFlags::default())
    }

    /// Queues octets for the peer as [`send`](Endpoint::send) does, with flags.
    pub fn send_with(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        octets: &[u8],
        flags: SendFlags,
    ) -> Result<usize, Errno> {
        self.with(now, connection, |connection, _| connection.send(octets, flags))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Queues octets for the peer as [`send`](Endpoint::send) does, and marks the last of them as the end of urgent
    /// data (RFC 9293 §3.8.5). The peer's application learns of it even while its window is closed, but reads
    /// everything in order.
    pub fn send_urgent(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        octets: &[u8],
    ) -> Result<usize, Errno> {
        self.with(now, connection, |connection, _| connection.send_urgent(octets))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Moves received octets to `buffer`.
    ///
    /// Fails with the error of the connection, once nothing is left to read, or with ENOTCONN.
    pub fn receive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        buffer: &mut [u8],
    ) -> Result<Received, Errno> {
        self.with(now, connection, |connection, cx| connection.receive(cx, buffer))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// `shutdown(SHUT_WR)`: what is queued is sent, then FIN; the connection is half-closed.
    ///
    /// Fails with the error of the connection or with ENOTCONN.
    pub fn shutdown(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Errno> {
        self.with(now, connection, Connection::shutdown).unwrap_or(Err(Errno::NotConnected))
    }

    /// `shutdown(SHUT_RD)`: what has arrived can be read, then the stream ends. The peer does not learn of it.
    ///
    /// Fails with ENOTCONN.
    pub fn shutdown_read(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Errno> {
        self.with(now, connection, |connection, _| connection.shutdown_read())
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// The application closes the socket, which is an orphan until the connection is CLOSED. With unread data the
    /// connection is reset (RFC 2525 §2.17).
    pub fn close(&mut self, now: Instant, connection: ConnectionId) {
        self.with(now, connection, Connection::close);
    }

    /// Resets the connection.
    pub fn abort(&mut self, now: Instant, connection: ConnectionId) {
        self.with(now, connection, Connection::abort);
    }

    /// Stops listening. Connections that were not accepted are reset; those in SYN-RECEIVED perhaps not
    /// ([`closing_listener_resets_embryonic`](crate::Settings::closing_listener_resets_embryonic)).
    pub fn close_listener(&mut self, now: Instant, listener: ListenerId) {
        if self.listeners.remove(&listener).is_none() {
            return;
        }
        let unaccepted: Vec<ConnectionId> =
            self.all().filter(|connection| connection.parent == Some(listener)).map(Connection::id).collect();
        for connection in unaccepted {
            self.with(now, connection, Connection::listener_closed);
        }
        self.record_listener(listener, State::Listen, State::Closed, Call::Close);
    }
}
