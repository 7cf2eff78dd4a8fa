//! One host's TCP.

mod rare;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use crate::connection::{Connection, Context, Identity};
use crate::icmp::{self, Unreachable};
use crate::listener::Listener;
use crate::segment::{self, IpChoice, Segment};
use crate::{
    Arrival, Call, Cause, ConnectionId, Disposition, DropReason, Errno, Event, EventKind, Flags, Header,
    Instant, KeepaliveSettings, ListenerId, Purpose, Seq, Settings, State, Subject,
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
    /// Where the search for a free port goes on.
    next_port: u16,
    /// When each connection wants to be woken, and the same by connection.
    wakeups: BTreeSet<(Instant, ConnectionId)>,
    /// Connections that may have something to send, each once.
    ready: VecDeque<ConnectionId>,
    /// Resets on behalf of nobody: source, destination, header.
    resets: VecDeque<(SocketAddr, SocketAddr, Header)>,
    events: VecDeque<Event>,
}

/// What the endpoint keeps beside a connection while it is being worked on.
struct Before {
    state: State,
    wakeup: Option<Instant>,
}

impl Endpoint {
    /// An endpoint without any socket.
    pub fn new(config: Config) -> Endpoint {
        let next_port = *config.settings.ephemeral_ports.start();
        Endpoint {
            config,
            connections: Vec::new(),
            owners: BTreeMap::new(),
            listeners: BTreeMap::new(),
            next_listener: 0,
            next_port,
            wakeups: BTreeSet::new(),
            ready: VecDeque::new(),
            resets: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    // Calls of the application.

    /// Passive open: listens on every address of the host.
    ///
    /// `backlog` is the length of the accept queue; one connection more gets in, as on Linux.
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
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        self.listeners.insert(id, Listener::new(id, address, port, backlog));
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
    /// Fails with `EADDRINUSE` if `local_port` is taken for this remote, `EADDRNOTAVAIL` if no port or no address
    /// of the family is left, `ENETUNREACH` if no host can have the remote address.
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
            Some(port) if self.is_free(SocketAddr::new(address, port), remote) => port,
            Some(_) => return Err(Errno::AddressInUse),
            None => self.free_port(address, remote).ok_or(Errno::AddressNotAvailable)?,
        };
        let identity = self.identity(now, SocketAddr::new(address, port), remote);
        let connection = Connection::open(&mut context(&self.config, &mut self.events, now), identity);
        Ok(self.adopt(connection))
    }

    /// A pair of addresses is free if nobody has it, or only a connection in TIME-WAIT (Linux `tcp_tw_reuse` for a port
    /// that was asked for; RFC 6191).
    fn is_free(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        !self.owners.contains_key(&(local, remote))
    }

    fn free_port(&mut self, address: IpAddr, remote: SocketAddr) -> Option<u16> {
        let range = self.config.settings.ephemeral_ports.clone();
        let (first, last) = (*range.start(), *range.end());
        let tried = range.len();
        for _ in 0..tried {
            let port = self.next_port.clamp(first, last);
            self.next_port = if port == last { first } else { port + 1 };
            let listened = self.listeners.values().any(|listener| listener.port == port);
            if !listened && self.is_free(SocketAddr::new(address, port), remote) {
                return Some(port);
            }
        }
        None
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
            self.with(now, connection, Connection::abandon);
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

    /// Sets how long data may stay unacknowledged, or a probed peer silent (TCP_USER_TIMEOUT); `None` leaves it to the
    /// settings.
    pub fn set_user_timeout(&mut self, now: Instant, connection: ConnectionId, timeout: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_user_timeout(timeout));
    }

    /// SO_LINGER: zero makes `close` reset the connection. Any other time changes nothing on the wire.
    pub fn set_linger(&mut self, now: Instant, connection: ConnectionId, linger: Option<Duration>) {
        self.with(now, connection, |connection, _| connection.set_linger(linger));
    }

    /// Sets the room for received data, octets (SO_RCVBUF). What was promised to the peer stays promised.
    pub fn set_receive_buffer(&mut self, now: Instant, connection: ConnectionId, octets: u32) {
        self.with(now, connection, |connection, _| connection.set_receive_buffer(octets));
    }

    // Getters.

    /// A connection at a glance; `None` once it is gone.
    pub fn status(&self, connection: ConnectionId) -> Option<ConnectionStatus> {
        self.get(connection).map(Connection::status)
    }

    /// Every connection there is, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.all().map(Connection::id)
    }

    // What comes from outside.

    /// An IP datagram arrived: a TCP segment, or ICMP destination unreachable about one of ours.
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
            self.with(now, id, Connection::abort);
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
        let header = if arrived.flags.contains(Flags::ACK) {
            Header { seq: arrived.ack, flags: Flags::RST, ..Header::default() }
        } else {
            Header { ack: arrived.end(), flags: Flags::RST | Flags::ACK, ..Header::default() }
        };
        self.resets.push_back((segment.destination, segment.source, header));
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

    // Bookkeeping.

    fn all(&self) -> impl Iterator<Item = &Connection> + '_ {
        self.connections.iter().flatten().map(Box::as_ref)
    }

    fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(id.0 as usize)?.as_deref()
    }

    fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// Works on a connection, and does what its changes make necessary. `None` if it is gone.
    fn with<T>(
        &mut self,
        now: Instant,
        id: ConnectionId,
        work: impl FnOnce(&mut Connection, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let before = self.before(id);
        let connection = self.connections.get_mut(id.0 as usize)?.as_deref_mut()?;
        let outcome = work(connection, &mut context(&self.config, &mut self.events, now));
        self.after(id, before);
        if !self.ready.contains(&id) {
            self.ready.push_back(id);
        }
        Some(outcome)
    }

    fn before(&self, id: ConnectionId) -> Option<Before> {
        self.get(id).map(|connection| Before { state: connection.state(), wakeup: connection.next_timeout() })
    }

    fn after(&mut self, id: ConnectionId, before: Option<Before>) {
        let (Some(before), Some(connection)) = (before, self.get(id)) else { return };
        let (state, wakeup, parent) = (connection.state(), connection.next_timeout(), connection.parent);
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

    /// A closed connection has no addresses any more: others may take them.
    fn disown(&mut self, id: ConnectionId) {
        if let Some(addresses) = self.get(id).map(Connection::addresses)
            && self.owners.get(&addresses) == Some(&id)
        {
            self.owners.remove(&addresses);
        }
    }

    fn forget_if_gone(&mut self, id: ConnectionId) {
        if self.get(id).is_some_and(Connection::is_gone) {
            self.connections[id.0 as usize] = None;
        }
    }

    /// A new connection gets its place.
    fn adopt(&mut self, connection: Connection) -> ConnectionId {
        let id = connection.id();
        self.owners.insert(connection.addresses(), id);
        self.wakeups.extend(connection.next_timeout().map(|at| (at, id)));
        self.connections.push(Some(Box::new(connection)));
        self.ready.push_back(id);
        id
    }

    fn identity(&self, now: Instant, local: SocketAddr, remote: SocketAddr) -> Identity {
        let tuple = mix(self.config.secret, &[address_bits(local), address_bits(remote)]);
        // RFC 9293 §3.4.1: ISN = M + F(tuple, secret), M being a clock of 4 microseconds.
        let clock = (now.as_nanos() / 4_000) as u32;
        let iss = self.config.settings.initial_sequence.unwrap_or_else(|| clock.wrapping_add(tuple as u32));
        Identity {
            id: ConnectionId(self.connections.len() as u32),
            local,
            remote,
            iss: Seq(iss),
            ts_offset: (tuple >> 32) as u32,
        }
    }
}

fn context<'a>(config: &'a Config, events: &'a mut VecDeque<Event>, now: Instant) -> Context<'a> {
    Context { now, settings: &config.settings, events }
}

fn address_bits(address: SocketAddr) -> u128 {
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    ip.rotate_left(16) ^ u128::from(address.port())
}

/// A keyed hash, good enough to tell tuples apart: SplitMix64 over the words.
fn mix(secret: u64, words: &[u128]) -> u64 {
    words.iter().flat_map(|word| [*word as u64, (*word >> 64) as u64]).fold(secret, |state, word| {
        let mut z = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
