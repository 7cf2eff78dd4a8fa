//! The software of a host: its TCP and the application over it.

mod arrivals;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use halfopen_network::random::Stream;
use halfopen_network::{Connections as _, Flight};
use halfopen_scenario::Scenario;
use halfopen_tcp::{
    Cause, Config, ConnectionId, Endpoint, Event, EventKind as TcpEvent, Instant, Keepalive, Subject,
    TimerChange, Transmit,
};

use crate::application::{Application, Context, Opened, Outside, Process, Programs, Socket, Turn};
use crate::clock::Clock;
use crate::connections::{End, EndId, Origin};
use crate::shared::{Shared, Signal};
use crate::wanted::Wanted;
use crate::world::Port;
use halfopen_trace::{
    ConnectionCreated, ConnectionNumber, EventKind, HostId, KeepaliveVerdict, SegmentNumber,
};

/// Timeouts that a TCP may handle in one instant. More is a bug of ours.
const MOST_TIMEOUTS: usize = 1_000_000;

/// Turns that an application has in one round: others have theirs, and whoever reads the run is asked whether it is still wanted.
const MOST_TURNS: usize = 1024;

/// One life of a host, from boot to crash.
pub(crate) async fn live(shared: Rc<Shared>, host: HostId, port: Rc<Port>) -> Infallible {
    let mut machine = Machine::boot(Rc::clone(&shared), host, port);
    loop {
        shared.control(host).turn.notified().await;
        machine.act();
    }
}

struct Machine {
    shared: Rc<Shared>,
    host: HostId,
    port: Rc<Port>,
    endpoint: Endpoint,
    application: Box<dyn Application>,
    /// When expectations ask for a snapshot of connections.
    wanted: Wanted,
    /// The connections of this life.
    ends: BTreeMap<ConnectionId, EndId>,
    /// What the application reads.
    data: Vec<u8>,
    /// What arrived in this step, and where in `incoming` the octets are.
    arrived: Vec<(Flight, Range<usize>)>,
    incoming: Vec<u8>,
    /// The memory of the endpoint and of what the application reads into, as it was last counted.
    memory: u64,
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.count_memory(0);
    }
}

impl Machine {
    fn boot(shared: Rc<Shared>, host: HostId, port: Rc<Port>) -> Machine {
        let life = shared.control(host).lives.get();
        shared.control(host).lives.set(life + 1);
        let addresses = shared.run.borrow().network.addresses_of(host).to_vec();
        let endpoint = Endpoint::new(config(&shared.scenario, host, addresses, (shared.seed, life)));
        let application = application(&shared, host, life);
        let wanted = Wanted::new(&shared.scenario, host, shared.now.get());
        Machine {
            shared,
            host,
            port,
            endpoint,
            application,
            wanted,
            ends: BTreeMap::new(),
            data: Vec::new(),
            arrived: Vec::new(),
            incoming: Vec::new(),
            memory: 0,
        }
    }

    /// All that there is to do at this instant: what was done to the host first, then timers, then what arrived, then
    /// the application. A kernel's clock ticks, so that a timer is there before a segment that is due at the same time; but
    /// the timer of a SYN+ACK is a long one and as late as such timers are: a SYN that comes again comes first.
    fn act(&mut self) {
        let shared = Rc::clone(&self.shared);
        let control = shared.control(self.host);
        self.receive();
        if control.paused.get() {
            self.keep_waiting();
            control.wake.set(None);
            return;
        }
        let now = self.local();
        if control.readdressed.take() {
            let addresses = shared.run.borrow().network.addresses_of(self.host).to_vec();
            self.endpoint.set_addresses(addresses);
        }
        for signal in control.signals.take() {
            match signal {
                Signal::Kill(process) => {
                    let sockets = self.application.kill(process);
                    self.close(sockets);
                }
                Signal::Start(process) => self.application.start(&shared.scenario, process),
            }
        }
        self.take_arrivals(true);
        self.take_timeouts();
        self.take_forgeries();
        self.take_arrivals(false);
        self.take_timeouts();
        let mut next = None;
        if !control.frozen.get() {
            self.application.time_passed(now);
            next = if self.run_application() { self.application.next_time() } else { Some(now) };
        }
        self.take_snapshots();
        let wake = self.endpoint.poll_timeout().into_iter().chain(next).min();
        let wake = wake.map(|time| control.clock.get().time_of(time));
        control.wake.set(wake.into_iter().chain(self.wanted.next()).min());
    }

    /// Notes what TCP_INFO says of the connections that expectations ask for now.
    fn take_snapshots(&mut self) {
        let (time, now) = (self.shared.now.get(), self.local());
        let Some(wanted) = self.wanted.take(time) else { return };
        let mut run = self.shared.run.borrow_mut();
        let is_wanted =
            |number| wanted.iter().any(|meant| meant.is_none_or(|meant| run.connections.is(meant, number)));
        let meant: Vec<(ConnectionId, ConnectionNumber)> = self
            .ends
            .iter()
            .map(|(id, end)| (*id, end.number))
            .filter(|(_, number)| is_wanted(*number))
            .collect();
        for (id, number) in meant {
            if let Some(info) = self.endpoint.info(now, id) {
                run.recorder.push(time, Some(self.host), Some(number), EventKind::TcpInfo(Box::new(info)));
            }
        }
    }

    /// What the host's own clock shows.
    fn local(&self) -> Instant {
        self.shared.control(self.host).clock.get().at(self.shared.now.get())
    }

    fn take_timeouts(&mut self) {
        let now = self.local();
        for _ in 0..MOST_TIMEOUTS {
            if self.endpoint.poll_timeout().is_none_or(|time| time > now) {
                return;
            }
            self.endpoint.handle_timeout(now);
            self.drain(None);
        }
        panic!("a timer is due again and again at {now}");
    }

    /// The application has turns until all of it waits; then returns true. If it has too many, it goes on in the next round of this
    /// instant, unless the run has reached a limit.
    fn run_application(&mut self) -> bool {
        for _ in 0..MOST_TURNS {
            if self.shared.limit().is_some() {
                break;
            }
            let Some(turn) = self.turn() else { return true };
            self.take_events(None);
            // Before its SYN is sent: faults know a connection by its name.
            let connection = turn.connection.and_then(|connection| self.ends.get(&connection));
            let connection = connection.map(|end| end.number);
            if let (Some(opened), Some(number)) = (turn.opened, connection) {
                self.note_opened(opened, number);
            }
            self.drain(None);
            if let Some(step) = turn.blocked {
                self.note(connection, EventKind::StepBlocked(step));
            }
            if let Some(result) = turn.ended {
                self.note(connection, EventKind::ApplicationResult(result));
            }
            if let Some(returned) = turn.returned {
                self.note(connection, EventKind::CallReturned(returned));
            }
            if let Some((process, sockets)) = turn.exited {
                self.shared.control(self.host).processes.borrow_mut().remove(&process);
                self.close(sockets);
            }
        }
        false
    }

    /// Closes the sockets of a process that has ended or died, one after the other.
    fn close(&mut self, sockets: Vec<Socket>) {
        let now = self.local();
        for socket in sockets {
            match socket {
                Socket::Listener(listener) => self.endpoint.close_listener(now, listener),
                Socket::Connection(connection) => self.endpoint.close(now, connection),
            }
            self.drain(None);
        }
    }

    /// The application opened a connection.
    fn note_opened(&self, opened: Opened, number: ConnectionNumber) {
        let kind = match opened {
            Opened::ByProgram(opened) => {
                self.shared.run.borrow_mut().connections.open(opened, number);
                EventKind::ConnectionOpened(opened)
            }
            Opened::ByOutside { socket } => EventKind::SocketOpened { socket },
        };
        self.note(Some(number), kind);
    }

    /// Something happened on this host.
    fn note(&self, connection: Option<ConnectionNumber>, kind: EventKind) {
        let now = self.shared.now.get();
        self.shared.run.borrow_mut().recorder.push(now, Some(self.host), connection, kind);
    }

    fn turn(&mut self) -> Option<Turn> {
        let mut run = self.shared.run.borrow_mut();
        let mut context = Context {
            scenario: &self.shared.scenario,
            host: self.host,
            now: self.local(),
            time: self.shared.now.get(),
            endpoint: &mut self.endpoint,
            run: &mut run,
            ends: &self.ends,
            data: &mut self.data,
            line: &self.shared.control(self.host).line,
        };
        self.application.turn(&mut context)
    }

    /// Takes all that follows from a call, a segment (this one) or time.
    fn drain(&mut self, segment: Option<SegmentNumber>) {
        loop {
            self.take_events(segment);
            let mut datagram = Vec::new();
            match self.endpoint.poll_transmit(self.local(), &mut datagram) {
                Some(transmit) => self.transmit(&transmit, datagram),
                None => break,
            }
        }
        // The last poll may have said something too.
        self.take_events(segment);
        self.count_memory(self.endpoint.memory() + self.data.len() as u64);
    }

    /// The connections and what the application reads into take this much memory now, octets.
    fn count_memory(&mut self, memory: u64) {
        let others = self.shared.hosts_memory.get() - self.memory;
        self.shared.hosts_memory.set(others + memory);
        self.memory = memory;
    }

    fn take_events(&mut self, segment: Option<SegmentNumber>) {
        while let Some(event) = self.endpoint.poll_event() {
            self.record(event, segment);
        }
    }

    fn transmit(&self, transmit: &Transmit, datagram: Vec<u8>) {
        let now = self.shared.now.get();
        let mut run = self.shared.run.borrow_mut();
        let end = transmit.connection.and_then(|connection| self.ends.get(&connection)).copied();
        run.send(now, self.host, end, transmit, datagram);
    }

    fn record(&mut self, event: Event, segment: Option<SegmentNumber>) {
        let now = self.shared.now.get();
        let mut run = self.shared.run.borrow_mut();
        let run = &mut *run;
        let mut end = None;
        if let Subject::Connection(id) = event.subject {
            if let TcpEvent::Created { local, remote } = event.kind {
                let origin = if segment.is_some() { Origin::Segment } else { Origin::Call };
                let (peer, _) = run.network.route(self.host, [local, remote]);
                let end = run.connections.attach(self.host, [local, remote], peer, origin);
                self.ends.insert(id, end);
            }
            end = self.ends.get(&id).copied();
            if matches!(event.kind, TcpEvent::Transition { .. } | TcpEvent::Error(_)) {
                self.application.connection_changed(id);
            }
        }
        let kind = match event.kind {
            TcpEvent::Created { local, remote } => {
                let (_, remote_host) = run.network.route(self.host, [local, remote]);
                let peer = end.and_then(|end| run.connections.number_of_peer(end));
                EventKind::ConnectionCreated(Box::new(ConnectionCreated { local, remote, remote_host, peer }))
            }
            TcpEvent::Transition { from, to, cause } => {
                self.application.listeners_changed();
                if let Some(end) = end {
                    run.connections.change_state(end, to, now);
                }
                let segment = segment.filter(|_| matches!(cause, Cause::Segment(_) | Cause::SynCookie(_)));
                EventKind::StateTransition { from, to, cause, segment }
            }
            TcpEvent::Timer { timer, change } => {
                let clock = self.shared.control(self.host).clock.get();
                EventKind::TimerChanged { timer, change: by_clock(change, clock) }
            }
            TcpEvent::Keepalive(found) => keepalive(found, now, end.map(|end| run.connections.end(end))),
            TcpEvent::Error(errno) => {
                if let Some(end) = end {
                    run.connections.end_mut(end).error = Some(errno);
                }
                EventKind::ConnectionError(errno)
            }
            // No application asks for reports; what they tell is in the trace already.
            TcpEvent::Report(_) => return,
        };
        run.recorder.push(now, Some(self.host), end.map(|end| end.number), kind);
    }
}

/// A timer's change in the time of the run.
fn by_clock(change: TimerChange, clock: Clock) -> TimerChange {
    match change {
        TimerChange::Set { expires } => TimerChange::Set { expires: clock.time_of(expires) },
        TimerChange::Fired | TimerChange::Cancelled => change,
    }
}

fn keepalive(found: Keepalive, now: Instant, end: Option<&End>) -> EventKind {
    let since = end.and_then(|end| end.last_arrival).map_or(Duration::ZERO, |time| now.since(time));
    let (verdict, probes, silence) = match found {
        Keepalive::Probe { unanswered } => (KeepaliveVerdict::Probing, unanswered, since),
        // The answer has just arrived; the silence was before it.
        Keepalive::Alive { probes } => {
            (KeepaliveVerdict::Alive, probes, end.map_or(Duration::ZERO, |end| end.last_silence))
        }
        Keepalive::Reset { probes, silence } => (KeepaliveVerdict::Reset, probes, silence),
        Keepalive::Dead { probes, silence } => (KeepaliveVerdict::Dead, probes, silence),
    };
    EventKind::KeepaliveOutcome { verdict, probes, silence }
}

/// What runs on a host in one of its lives: the programs of the scenario, or else somebody outside.
fn application(shared: &Shared, host: HostId, life: u32) -> Box<dyn Application> {
    let scenario = &*shared.scenario;
    let processes: BTreeSet<Process> = match Programs::has(scenario, host) {
        true => Programs::of(scenario, host, life == 0).map(Process::Program).collect(),
        false => BTreeSet::from([Process::Outside]),
    };
    shared.control(host).processes.replace(processes.clone());
    match Programs::has(scenario, host) {
        true => Box::new(Programs::new(scenario, processes)),
        false => Box::new(Outside::default()),
    }
}

/// What the TCP of a host is made from, in one of its lives.
fn config(scenario: &Scenario, host: HostId, addresses: Vec<IpAddr>, (seed, life): (u64, u32)) -> Config {
    let host = &scenario.hosts[host.index()];
    let mut settings = host.settings();
    if host.tcp.mtu.is_none() {
        settings.mtu = scenario.network.link.mtu;
    }
    let secret = Stream::new(seed, &format!("iss/{}/{life}", host.name)).next_u64();
    let routes = host.routes.iter().flat_map(|route| {
        let settings = route.over(settings.clone());
        scenario.host(route.to).addresses.iter().map(move |address| (*address, settings.clone()))
    });
    let routes = routes.collect();
    Config { addresses, settings, routes, secret }
}
