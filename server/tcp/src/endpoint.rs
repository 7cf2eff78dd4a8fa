//! One host's TCP.

mod arrivals;
mod bookkeeping;
mod rare;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use bookkeeping::context;

use crate::connection::Connection;
use crate::listener::Listener;
use crate::ports::Ports;
use crate::segment::{self, IpChoice};
use crate::{
    Call, Cause, ConnectionId, Errno, Event, EventKind, Header, Instant, KeepaliveSettings, ListenerId,
    Purpose, Seq, Settings, State, Subject,
};

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

/// A datagram to send, and what is known of it. Its octets stand in the buffer given to `poll_transmit`.
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
    /// `snd.una`.
    pub snd_una: Seq,
    /// `snd.nxt`.
    pub snd_nxt: Seq,
    /// `rcv.nxt`.
    pub rcv_nxt: Seq,
    /// Octets to the end of what the peer marked as urgent, read from where the application is.
    pub urgent: u32,
}

/// One host's TCP: its listeners and connections.
///
/// Methods come in four kinds. *Getters* change nothing. *Calls* are the application's. `handle_*` tell what came
/// from outside: a datagram, time. `poll_*` ask what follows. After a call or a `handle_*`, take all of
/// [`poll_transmit`](Endpoint::poll_transmit) and [`poll_event`](Endpoint::poll_event), then look at
/// [`poll_timeout`](Endpoint::poll_timeout) and call [`handle_timeout`](Endpoint::handle_timeout) at that time.
///
/// A dropped endpoint is silent: this is what a crash is.
pub struct Endpoint {
    config: Config,
    /// By id; a gone one leaves its place empty.
    connections: Vec<Option<Box<Connection>>>,
    /// Who owns a pair of addresses (ours, the peer's).
    owners: BTreeMap<(SocketAddr, SocketAddr), ConnectionId>,
    listeners: BTreeMap<ListenerId, Listener>,
    next_listener: u32,
    ports: Ports,
    /// When each connection wants to be woken, and the same by connection.
    wakeups: BTreeSet<(Instant, ConnectionId)>,
    /// Connections that may have something to send, each once.
    ready: VecDeque<ConnectionId>,
    /// Resets on behalf of nobody: source, destination, header.
    resets: VecDeque<(SocketAddr, SocketAddr, Header)>,
    /// What the paths to other hosts take, octets, and since when that is known.
    path_mtus: BTreeMap<IpAddr, (u16, Instant)>,
    events: VecDeque<Event>,
}

impl Endpoint {
    /// An endpoint without any socket.
    pub fn new(config: Config) -> Endpoint {
        let ports = Ports::new(&config.settings);
        Endpoint {
            config,
            connections: Vec::new(),
            owners: BTreeMap::new(),
            listeners: BTreeMap::new(),
            next_listener: 0,
            ports,
            wakeups: BTreeSet::new(),
            ready: VecDeque::new(),
            resets: VecDeque::new(),
            path_mtus: BTreeMap::new(),
            events: VecDeque::new(),
        }
    }

    // Calls of the application.

    /// Passive open: listens on every address of the host.
    ///
    /// `backlog` is the length of the accept queue, to which the settings may add
    /// ([`accept_queue_extra`](Settings::accept_queue_extra)).
    /// Fails with `EADDRINUSE` if somebody listens on the port.
    pub fn listen(&mut self, _now: Instant, port: u16, backlog: u32) -> Result<ListenerId, Errno> {
        self.add_listener(None, port, backlog)
    }

    fn add_listener(
        &mut self,
        address: Option<IpAddr>,
        port: u16,
        backlog: u32,
    ) -> Result<ListenerId, Errno> {
        if self.listeners.values().any(|listener| listener.overlaps(address, port)) {
            return Err(Errno::AddressInUse);
        }
        let room = u64::from(backlog) + u64::from(self.config.settings.accept_queue_extra);
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        self.listeners.insert(id, Listener::new(id, address, port, room));
        self.tell_listener(id, State::Closed, State::Listen, Call::Listen);
        Ok(id)
    }

    fn tell_listener(&mut self, id: ListenerId, from: State, to: State, call: Call) {
        let kind = EventKind::Transition { from, to, cause: Cause::Call(call) };
        self.events.push_back(Event { subject: Subject::Listener(id), kind });
    }

    /// Takes the oldest established connection from the accept queue.
    pub fn accept(&mut self, listener: ListenerId) -> Option<ConnectionId> {
        let id = self.listeners.get_mut(&listener)?.accept_queue.pop_front()?;
        if let Some(connection) = self.get_mut(id) {
            connection.parent = None;
        }
        Some(id)
    }

    /// Active open. Returns at once; [`connected`](Endpoint::connected) tells the outcome.
    ///
    /// Fails with `EADDRINUSE` if `local_port` is taken for this remote, `EADDRNOTAVAIL` if that pair is in TIME-WAIT or no
    /// port or no address of the family is left, `ENETUNREACH` if no host can have the remote address.
    pub fn connect(
        &mut self,
        now: Instant,
        local_port: Option<u16>,
        remote: SocketAddr,
    ) -> Result<ConnectionId, Errno> {
        let same_family = |address: &&IpAddr| address.is_ipv4() == remote.is_ipv4();
        let address = *self.config.addresses.iter().find(same_family).ok_or(Errno::AddressNotAvailable)?;
        self.open(now, address, local_port, remote)
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
        let port = match local_port {
            Some(port) => {
                let local = SocketAddr::new(address, port);
                self.leave_time_wait(now, local, remote);
                if let Some(id) = self.owners.get(&(local, remote)) {
                    // A port in TIME-WAIT can be bound (SO_REUSEADDR), but the pair of addresses is not to be had.
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
        let identity = self.identity(now, SocketAddr::new(address, port), remote);
        let connection = Connection::open(&mut context(&self.config, &mut self.events, now), identity);
        Ok(self.adopt(connection))
    }

    /// Ends a connection in TIME-WAIT whose addresses are asked for again, if its timestamps tell old segments from new
    /// ones (RFC 6191; Linux `tcp_twsk_unique`).
    fn leave_time_wait(&mut self, now: Instant, local: SocketAddr, remote: SocketAddr) {
        let owner = self.owners.get(&(local, remote)).copied();
        if let Some(id) = owner.filter(|id| self.get(*id).is_some_and(Connection::may_be_reopened)) {
            self.with(now, id, Connection::replaced);
        }
    }

    /// The outcome of an active open, once there is one.
    pub fn connected(&mut self, connection: ConnectionId) -> Poll<Result<(), Errno>> {
        match self.get_mut(connection) {
            Some(connection) => connection.connected(),
            None => Poll::Ready(Err(Errno::NotConnected)),
        }
    }

    /// Queues octets for the peer and returns how many; 0 means that the send buffer is full.
    pub fn send(&mut self, now: Instant, connection: ConnectionId, octets: &[u8]) -> Result<usize, Errno> {
        self.with(now, connection, |connection, _| connection.send(octets))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Takes received octets.
    pub fn receive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        buffer: &mut [u8],
    ) -> Result<Received, Errno> {
        self.with(now, connection, |connection, cx| connection.receive(cx, buffer))
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Half-close: no more data will be sent; what is queued still goes, then FIN.
    pub fn shutdown(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Errno> {
        self.with(now, connection, Connection::shutdown).unwrap_or(Err(Errno::NotConnected))
    }

    /// The application is done with the socket, which becomes an orphan until TCP is done too.
    /// With unread data the connection is reset (RFC 2525 §2.17).
    pub fn close(&mut self, now: Instant, connection: ConnectionId) {
        self.with(now, connection, Connection::close);
    }

    /// Resets the connection and forgets it.
    pub fn abort(&mut self, now: Instant, connection: ConnectionId) {
        self.with(now, connection, Connection::abort);
    }

    /// Stops listening; connections that nobody accepted are reset.
    pub fn close_listener(&mut self, now: Instant, listener: ListenerId) {
        if self.listeners.remove(&listener).is_none() {
            return;
        }
        let unaccepted: Vec<ConnectionId> =
            self.all().filter(|connection| connection.parent == Some(listener)).map(Connection::id).collect();
        for connection in unaccepted {
            self.with(now, connection, Connection::listener_closed);
        }
        self.tell_listener(listener, State::Listen, State::Closed, Call::Close);
    }

    /// What the kernel does when the process dies: closes everything.
    pub fn close_all(&mut self, now: Instant) {
        let listeners: Vec<ListenerId> = self.listeners.keys().copied().collect();
        for listener in listeners {
            self.close_listener(now, listener);
        }
        let connections: Vec<ConnectionId> = self.connections().collect();
        for connection in connections {
            self.close(now, connection);
        }
    }

    /// Switches keepalive on with these settings, or off (SO_KEEPALIVE).
    pub fn set_keepalive(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        keepalive: Option<KeepaliveSettings>,
    ) {
        self.with(now, connection, |connection, cx| connection.set_keepalive(cx, keepalive));
    }

    /// Switches Nagle's algorithm off, or on again (TCP_NODELAY).
    pub fn set_nodelay(&mut self, now: Instant, connection: ConnectionId, nodelay: bool) {
        self.with(now, connection, |connection, _| connection.set_nodelay(nodelay));
    }

    /// Other initial sequence numbers from now on.
    #[cfg(test)]
    pub(crate) fn set_initial_sequence(&mut self, iss: u32) {
        self.config.settings.initial_sequence = Some(iss);
    }

    /// `shutdown(SHUT_RD)`: what has arrived can still be read, then comes the end of the stream. The peer is not told.
    pub fn shutdown_read(&mut self, now: Instant, connection: ConnectionId) -> Result<(), Errno> {
        self.with(now, connection, |connection, _| connection.shutdown_read())
            .unwrap_or(Err(Errno::NotConnected))
    }

    /// Sets how long data may stay unacknowledged, or a probed peer silent (TCP_USER_TIMEOUT); `None` is no such limit,
    /// whatever the settings say.
    pub fn set_user_timeout(&mut self, now: Instant, connection: ConnectionId, timeout: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_user_timeout(timeout));
    }

    /// SO_LINGER: zero makes `close` reset the connection. With any other time `close` returns at once here too; who plays
    /// a blocking call asks [`lingers`](Endpoint::lingers) how long it is to wait.
    pub fn set_linger(&mut self, now: Instant, connection: ConnectionId, linger: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_linger(linger));
    }

    /// Sets the room for received data, octets (SO_RCVBUF). What was promised to the peer stays promised.
    pub fn set_receive_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        self.with(now, connection, |connection, _| connection.set_receive_buffer(octets));
    }

    /// Sets the room for data that is not acknowledged, octets (SO_SNDBUF). As on Linux it is counted in memory where the
    /// settings say so, and does not grow any more.
    pub fn set_send_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        self.with(now, connection, |connection, _| connection.set_send_buffer(octets));
    }

    // Getters.

    /// How long a `close` blocks at most, counted from the call, while what was sent is not acknowledged (SO_LINGER);
    /// `None` once it is over.
    pub fn lingers(&self, connection: ConnectionId) -> Option<Duration> {
        self.get(connection).and_then(Connection::lingers)
    }

    /// A connection at a glance; `None` once it is gone.
    pub fn status(&self, connection: ConnectionId) -> Option<ConnectionStatus> {
        self.get(connection).map(Connection::status)
    }

    /// Every connection there is, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.all().map(Connection::id)
    }

    // What follows.

    /// The next datagram to send, its octets appended to `buffer`.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some((source, destination, header)) = self.resets.pop_front() {
            segment::encode(IpChoice::default(), source, destination, &header, (&[], &[]), buffer);
            return Some(Transmit { connection: None, source, destination, header, purpose: Purpose::Reset });
        }
        while let Some(&id) = self.ready.front() {
            let before = self.before(id);
            let transmit = self.connections[id.0 as usize].as_mut().and_then(|connection| {
                connection.poll_transmit(&mut context(&self.config, &mut self.events, now), buffer)
            });
            self.after(id, before);
            if transmit.is_some() {
                return transmit;
            }
            self.ready.pop_front();
            self.forget_if_gone(id);
        }
        None
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call `handle_timeout`; `None` is never.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wakeups.first().map(|(at, _)| *at)
    }
}
