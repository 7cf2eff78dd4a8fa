//! One host's TCP.

mod arrivals;
mod bookkeeping;
mod calls;
mod options;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bookkeeping::context;

use crate::connection::Connection;
use crate::listener::Listener;
use crate::ports::Ports;
use crate::segment::{self, IpChoice};
use crate::{
    ConnectionId, ConnectionStatus, Event, Flags, Header, Instant, ListenerId, Purpose, Readiness, Settings,
    TcpInfo, Transmit,
};

/// The configuration of an endpoint.
#[derive(Clone, Debug)]
pub struct Config {
    /// The host's addresses; the first of each family is the source of active opens. Every host has the loopback addresses, too.
    pub addresses: Vec<IpAddr>,
    /// The numbers and choices of its TCP.
    pub settings: Settings,
    /// Those of connections with an address to which the host has a route with metrics of its own (`ip route`).
    pub routes: BTreeMap<IpAddr, Settings>,
    /// The secret key of RFC 9293 §3.4.1: initial sequence numbers follow from it, the addresses and the clock.
    pub secret: u64,
}

impl Config {
    /// A host to which all ways are alike.
    pub const fn new(addresses: Vec<IpAddr>, settings: Settings, secret: u64) -> Config {
        Config { addresses, settings, routes: BTreeMap::new(), secret }
    }

    /// The numbers and choices of a connection with this address.
    fn settings_to(&self, remote: IpAddr) -> &Settings {
        self.routes.get(&remote).unwrap_or(&self.settings)
    }

    /// Whether an address is the host's own: what is sent there does not leave it.
    fn is_own(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.contains(&address)
    }
}

/// One host's TCP: its listeners and connections.
///
/// There are four kinds of methods. *Getters* change nothing. *Calls* are the application's. `handle_*` take input: a
/// datagram that arrived, time that passed. `poll_*` return output. After a call or a `handle_*`, drain
/// [`poll_transmit`](Endpoint::poll_transmit) and [`poll_event`](Endpoint::poll_event), then call
/// [`handle_timeout`](Endpoint::handle_timeout) at the time that [`poll_timeout`](Endpoint::poll_timeout) returns.
///
/// An endpoint that is dropped sends nothing, as a host that crashes.
pub struct Endpoint {
    config: Config,
    /// By id; the place of one that is gone stays empty.
    connections: Vec<Option<Box<Connection>>>,
    /// The connection of a pair of addresses (ours, the peer's).
    owners: BTreeMap<(SocketAddr, SocketAddr), ConnectionId>,
    listeners: BTreeMap<ListenerId, Listener>,
    next_listener: u32,
    ports: Ports,
    /// When each connection is to be woken.
    wakeups: BTreeSet<(Instant, ConnectionId)>,
    /// Connections that may have something to send.
    ready: VecDeque<ConnectionId>,
    /// Answers that belong to no connection, RST or SYN cookie: source, destination, header.
    answers: VecDeque<(SocketAddr, SocketAddr, Header)>,
    /// The path MTU to other hosts, octets, and when it was learned.
    path_mtus: BTreeMap<IpAddr, (u16, Instant)>,
    events: VecDeque<Event>,
    /// The memory that the connections take, octets.
    memory: u64,
}

impl Endpoint {
    /// An endpoint without sockets.
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
            answers: VecDeque::new(),
            path_mtus: BTreeMap::new(),
            events: VecDeque::new(),
            memory: 0,
        }
    }

    /// Other initial sequence numbers from now on.
    #[cfg(test)]
    pub(crate) fn set_initial_sequence(&mut self, iss: u32) {
        self.config.settings.initial_sequence = Some(iss);
    }

    /// The memory that the connections take, counted anew.
    #[cfg(test)]
    pub(crate) fn count_memory(&self) -> u64 {
        self.all().map(Connection::memory).sum()
    }

    // Getters.

    /// How long `close` may block, counted from the call, while what was sent is not acknowledged (SO_LINGER); `None`
    /// once it is over.
    pub fn lingers(&self, connection: ConnectionId) -> Option<Duration> {
        self.get(connection).and_then(Connection::lingers)
    }

    /// The status of a connection (RFC 9293 §3.9.1.6); `None` once it is gone.
    pub fn status(&self, connection: ConnectionId) -> Option<ConnectionStatus> {
        self.get(connection).map(Connection::status)
    }

    /// A snapshot of a connection (TCP_INFO); `None` once it is gone.
    pub fn info(&self, now: Instant, connection: ConnectionId) -> Option<TcpInfo> {
        self.get(connection).map(|connection| connection.info(now))
    }

    /// Which calls on a connection would do something at once; all of them once it is gone.
    pub fn readiness(&self, connection: ConnectionId) -> Readiness {
        self.get(connection).map_or(Readiness::GONE, Connection::readiness)
    }

    /// The memory that its connections take with what is in their buffers, octets. It follows from what was sent and received, and is
    /// the same on every machine.
    pub fn memory(&self) -> u64 {
        self.memory
    }

    /// Whether [`accept`](Endpoint::accept) would find a connection.
    pub fn is_acceptable(&self, listener: ListenerId) -> bool {
        self.listeners.get(&listener).is_some_and(|listener| !listener.accept_queue.is_empty())
    }

    /// Every connection, oldest first.
    pub fn connections(&self) -> impl Iterator<Item = ConnectionId> + '_ {
        self.all().map(Connection::id)
    }

    // Output.

    /// The next datagram to send, its octets appended to `buffer`.
    pub fn poll_transmit(&mut self, now: Instant, buffer: &mut Vec<u8>) -> Option<Transmit> {
        if let Some((source, destination, header)) = self.answers.pop_front() {
            segment::encode(IpChoice::default(), source, destination, &header, (&[], &[]), buffer);
            let is_reset = header.flags.contains(Flags::RST);
            let purpose = if is_reset { Purpose::Reset } else { Purpose::Normal };
            return Some(Transmit { connection: None, source, destination, header, purpose });
        }
        while let Some(&id) = self.ready.front() {
            let before = self.before(id);
            let transmit = self.connections[id.0 as usize].as_mut().and_then(|connection| {
                let remote = connection.addresses().1;
                connection.poll_transmit(&mut context(&self.config, remote, &mut self.events, now), buffer)
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

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Endpoint::handle_timeout); `None` is never.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wakeups.first().map(|(at, _)| *at)
    }
}
