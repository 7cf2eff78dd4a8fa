//! Turmoil as the world: hosts that run, die and return, and the wire that brings datagrams to them.
//!
//! Turmoil's own clock ticks in steps of fixed length, and its links deliver by that clock. Here it measures nothing: the
//! [`Network`](halfopen_network::Network) holds what is under way, and the driver says what the time is. One more host, the wire,
//! runs first in each step and sends what is due: one frame to each host, with its datagrams in order. Links have no latency, so
//! hosts get them in the same step.
//!
//! A run depends on nothing of turmoil that lasts, neither its clock nor its random numbers. So the turmoil simulation of a run that
//! is over serves the next run on the same thread, if that has as many hosts: building one costs as much as a short run.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use halfopen_network::{Delivery, Flight};
use halfopen_trace::HostId;
use tokio::sync::{Notify, Semaphore};
use turmoil::Sim;
use turmoil::net::UdpSocket;

/// The port of every socket: IP's number for TCP.
const PORT: u16 = 6;

/// The wire's address in turmoil.
const WIRE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 255, 255));

/// Octets of memory that a frame keeps for the next one.
pub(crate) const MOST_KEPT: usize = 1 << 20;

thread_local! {
    /// The simulation of the last run on this thread.
    static IDLE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// The world's side of a run.
pub(crate) struct World {
    /// `None` only while the world is dropped.
    stage: Option<Stage>,
    /// Whether a life begins in the next step.
    boots: bool,
    /// Whether the last step ended; not if a host's software panicked.
    is_whole: bool,
}

/// A turmoil simulation.
struct Stage {
    sim: Sim<'static>,
    wire: Rc<Wire>,
    hosts: Vec<Rc<Host>>,
}

/// What the wire has to send.
struct Wire {
    work: Notify,
    /// The frame for each host; empty if nothing is due.
    frames: RefCell<Vec<Vec<u8>>>,
}

/// A turmoil host.
struct Host {
    /// What makes its lives; `None` while no run needs it.
    software: RefCell<Option<Software>>,
    life: RefCell<Option<Life>>,
    /// Wakes the task that lives.
    task: RefCell<Waker>,
    arriving: Rc<Arriving>,
}

type Software = Box<dyn Fn(Rc<Port>) -> Life>;
/// It does not end by itself.
type Life = Pin<Box<dyn Future<Output = Infallible>>>;

/// The datagrams that the wire sends a host in this step, in order, with their sizes.
type Arriving = RefCell<Vec<(Flight, usize)>>;

/// Where a host takes what arrives.
pub(crate) struct Port {
    socket: UdpSocket,
    arriving: Rc<Arriving>,
}

impl World {
    /// A world with this number of hosts, which do nothing yet.
    pub(crate) fn new(hosts: u16) -> World {
        let idle = IDLE.take().filter(|idle| idle.hosts.len() == usize::from(hosts));
        World { stage: Some(idle.unwrap_or_else(|| Stage::new(hosts))), boots: false, is_whole: true }
    }

    /// Installs a host's software. Each boot creates a future from it, which is first polled in the next step.
    pub(crate) fn install<F, L>(&mut self, host: HostId, software: F)
    where
        F: Fn(Rc<Port>) -> L + 'static,
        L: Future<Output = Infallible> + 'static,
    {
        let Stage { sim, hosts, .. } = self.stage();
        let installed = &hosts[host.index()];
        installed.software.replace(Some(Box::new(move |port| Box::pin(software(port)))));
        if sim.is_host_running(address(host)) {
            installed.task.borrow().wake_by_ref();
        } else {
            sim.bounce(address(host));
        }
        self.boots = true;
    }

    /// The datagram arrives at its host, which runs, in the next step.
    pub(crate) fn deliver(&mut self, Delivery { flight, octets }: Delivery) {
        let Stage { wire, hosts, .. } = self.stage();
        let to = flight.to.index();
        hosts[to].arriving.borrow_mut().push((flight, octets.len()));
        wire.frames.borrow_mut()[to].extend_from_slice(&octets);
    }

    /// What was delivered arrives, and each host does what there is to do, in the order of the scenario. Turmoil makes a step if
    /// a host has something to take or boots; otherwise hosts go on without it.
    ///
    /// # Panics
    /// If a host's software panicked.
    pub(crate) fn step(&mut self) {
        let boots = std::mem::take(&mut self.boots);
        self.is_whole = false;
        let Stage { sim, wire, hosts } = self.stage();
        if !boots && hosts.iter().all(|host| host.has_taken_all()) {
            hosts.iter().for_each(|host| host.go_on());
        } else {
            wire.work.notify_one();
            if let Err(error) = sim.step() {
                panic!("the software of a host failed: {error}");
            }
        }
        self.is_whole = true;
    }

    /// All hosts have done what there was to do.
    ///
    /// # Panics
    /// If a host did not take what arrived.
    pub(crate) fn end_round(&mut self) {
        let taken = self.stage().hosts.iter().all(|host| host.has_taken_all());
        assert!(taken, "datagrams arrived that no host took");
    }

    /// Power off: the host's software is dropped, and sends nothing more.
    pub(crate) fn crash(&mut self, host: HostId) {
        let Stage { sim, hosts, .. } = self.stage();
        hosts[host.index()].life.take();
        sim.crash(address(host));
    }

    /// Power on: a new life begins in the next step.
    pub(crate) fn boot(&mut self, host: HostId) {
        self.stage().sim.bounce(address(host));
        self.boots = true;
    }

    fn stage(&mut self) -> &mut Stage {
        self.stage.as_mut().expect("it is there until the world is dropped")
    }
}

impl Drop for World {
    /// Ends every life. The simulation is left to the next run, unless a host panicked, or has datagrams in its socket.
    fn drop(&mut self) {
        let Some(stage) = self.stage.take() else { return };
        let is_clean = self.is_whole && stage.hosts.iter().all(|host| host.has_taken_all());
        for host in &stage.hosts {
            host.software.take();
            host.life.take();
        }
        if is_clean {
            IDLE.set(Some(stage));
        }
    }
}

impl Stage {
    fn new(hosts: u16) -> Stage {
        let mut sim = turmoil::Builder::new()
            .epoch(SystemTime::UNIX_EPOCH)
            .rng_seed(0)
            .tick_duration(Duration::from_millis(1))
            .simulation_duration(Duration::MAX)
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .udp_capacity(Semaphore::MAX_PERMITS)
            .build();
        let frames = RefCell::new(vec![Vec::new(); usize::from(hosts)]);
        let wire = Rc::new(Wire { work: Notify::new(), frames });
        let sender = Rc::clone(&wire);
        sim.host(WIRE, move || {
            let wire = Rc::clone(&sender);
            async move {
                let socket = open().await;
                loop {
                    wire.send(&socket);
                    wire.work.notified().await;
                }
            }
        });
        let hosts = (0..hosts).map(|host| Host::add(&mut sim, HostId(host))).collect();
        Stage { sim, wire, hosts }
    }
}

impl Host {
    fn add(sim: &mut Sim<'static>, address_of: HostId) -> Rc<Host> {
        let host = Rc::new(Host {
            software: RefCell::default(),
            life: RefCell::default(),
            task: RefCell::new(Waker::noop().clone()),
            arriving: Rc::default(),
        });
        let lives = Rc::clone(&host);
        sim.host(address(address_of), move || {
            let host = Rc::clone(&lives);
            async move {
                let port = Rc::new(Port { socket: open().await, arriving: Rc::clone(&host.arriving) });
                match poll_fn(|context| host.poll(&port, context)).await {}
            }
        });
        host
    }

    fn has_taken_all(&self) -> bool {
        self.arriving.borrow().is_empty()
    }

    /// Lets the life go on outside of a step of turmoil.
    fn go_on(&self) {
        let task = self.task.borrow();
        if let Some(life) = &mut *self.life.borrow_mut() {
            let Poll::Pending = life.as_mut().poll(&mut Context::from_waker(&task));
        }
    }

    /// Lives, if there is software.
    fn poll(&self, port: &Rc<Port>, context: &mut Context<'_>) -> Poll<Infallible> {
        self.task.borrow_mut().clone_from(context.waker());
        let mut life = self.life.borrow_mut();
        if life.is_none() {
            *life = self.software.borrow().as_ref().map(|software| software(Rc::clone(port)));
        }
        life.as_mut().map_or(Poll::Pending, |life| life.as_mut().poll(context))
    }
}

impl Wire {
    /// Sends what is due.
    fn send(&self, socket: &UdpSocket) {
        for (host, frame) in (0..).map(HostId).zip(&mut *self.frames.borrow_mut()) {
            if !frame.is_empty() {
                let sent = socket.try_send_to(frame, SocketAddr::new(address(host), PORT));
                sent.expect("there is a link between any two hosts");
                frame.clear();
                frame.shrink_to(MOST_KEPT);
            }
        }
    }
}

/// Opens the socket of the host whose software calls this.
async fn open() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await;
    socket.expect("a host has one socket, and it is gone when the host is")
}

/// A host's address in turmoil, which has nothing to do with its addresses in the scenario.
fn address(host: HostId) -> IpAddr {
    let [high, low] = host.0.to_be_bytes();
    Ipv4Addr::new(192, 168, high, low).into()
}

impl Port {
    /// Appends the octets of the datagrams that arrived in this step, and tells of each where they are.
    pub(crate) fn receive(&self, octets: &mut Vec<u8>, mut each: impl FnMut(Flight, Range<usize>)) {
        let mut end = octets.len();
        for (flight, size) in self.arriving.borrow_mut().drain(..) {
            each(flight, end..end + size);
            end += size;
        }
        let mut start = octets.len();
        octets.resize(end, 0);
        while start < end {
            let received = self.socket.try_recv_from(&mut octets[start..]);
            start += received.expect("the wire has sent it").0;
        }
    }
}

#[cfg(test)]
mod tests {
    use halfopen_trace::SegmentNumber;

    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);

    /// Two hosts that note what they get, each time they act.
    struct Pair {
        world: World,
        work: Rc<[Notify; 2]>,
        got: Rc<RefCell<Vec<(HostId, u64)>>>,
        acts: Rc<RefCell<Vec<HostId>>>,
    }

    impl Pair {
        fn new() -> Pair {
            let mut world = World::new(2);
            let work: Rc<[Notify; 2]> = Rc::default();
            let got: Rc<RefCell<Vec<(HostId, u64)>>> = Rc::default();
            let acts: Rc<RefCell<Vec<HostId>>> = Rc::default();
            for host in [A, B] {
                let (work, got, acts) = (Rc::clone(&work), Rc::clone(&got), Rc::clone(&acts));
                world.install(host, move |port| {
                    let (work, got, acts) = (Rc::clone(&work), Rc::clone(&got), Rc::clone(&acts));
                    async move {
                        let mut octets = Vec::new();
                        loop {
                            acts.borrow_mut().push(host);
                            let mut arrived = Vec::new();
                            port.receive(&mut octets, |flight, range| arrived.push((flight, range)));
                            for (flight, range) in arrived {
                                let number = flight.segment.0.get();
                                assert_eq!((flight.to, &octets[range]), (host, datagram(number).as_slice()));
                                got.borrow_mut().push((host, number));
                            }
                            octets.clear();
                            work[host.index()].notified().await;
                        }
                    }
                });
            }
            let mut pair = Pair { world, work, got, acts };
            assert_eq!(pair.step(&[]), []);
            assert_eq!(pair.acts.take(), [A, B], "they boot");
            pair
        }

        fn deliver(&mut self, to: HostId, number: u64) {
            self.send(to, number);
            self.work[to.index()].notify_one();
        }

        /// Delivers without a turn for the host.
        fn send(&mut self, to: HostId, number: u64) {
            let segment = SegmentNumber::new(number).unwrap();
            let (from, connection) = (HostId(1 - to.0), None);
            let flight = Flight { segment, connection, from, to, opens: false, copy: false, message: None };
            self.world.deliver(Delivery { flight, octets: datagram(number) });
        }

        /// What the hosts get when these are due.
        fn step(&mut self, due: &[(HostId, u64)]) -> Vec<(HostId, u64)> {
            for (to, number) in due {
                self.deliver(*to, *number);
            }
            self.world.step();
            self.world.end_round();
            self.got.take()
        }
    }

    /// Each has another content and size.
    fn datagram(number: u64) -> Vec<u8> {
        format!("datagram {}", "x".repeat(number as usize)).into_bytes()
    }

    #[test]
    fn datagrams_arrive_in_the_step_in_which_they_are_due_and_in_order() {
        let mut pair = Pair::new();
        assert_eq!(pair.step(&[(B, 2), (A, 3), (B, 1)]), [(A, 3), (B, 2), (B, 1)]);
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[(A, 4)]), [(A, 4)]);
    }

    #[test]
    fn hosts_with_work_act_in_their_order_whether_or_not_anything_arrives() {
        for (busy, due) in [(&[B, A][..], &[][..]), (&[A], &[(B, 1)])] {
            let mut pair = Pair::new();
            busy.iter().for_each(|host| pair.work[host.index()].notify_one());
            assert_eq!(pair.step(due), due);
            assert_eq!(pair.acts.take(), [A, B]);
            assert_eq!(pair.step(&[]), []);
            assert_eq!(pair.acts.take(), [], "they have nothing to do");
        }
    }

    #[test]
    fn a_host_that_crashed_does_nothing_until_it_is_back_and_begins_anew() {
        let mut pair = Pair::new();
        pair.world.crash(A);
        pair.work[A.index()].notify_one();
        assert_eq!(pair.step(&[(B, 1)]), [(B, 1)]);
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.acts.take(), [B]);
        pair.world.boot(A);
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[(A, 2), (B, 3)]), [(A, 2), (B, 3)]);
    }

    #[test]
    fn a_world_begins_anew_whatever_the_one_before_it_has_left() {
        let mut pair = Pair::new();
        pair.step(&[(A, 1)]);
        pair.world.crash(A);
        drop(pair);
        let mut pair = Pair::new();
        assert_eq!(pair.step(&[(A, 2), (B, 3)]), [(A, 2), (B, 3)]);
        pair.world.crash(B);
        pair.world.boot(B);
        pair.deliver(A, 4);
        pair.deliver(B, 4);
        drop(pair);
        let mut pair = Pair::new();
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[(B, 5), (A, 6)]), [(A, 6), (B, 5)]);
        pair.send(A, 7);
        pair.deliver(B, 8);
        pair.world.step();
        assert_eq!(pair.got.take(), [(B, 8)], "A has no turn, and a datagram in its socket");
        drop(pair);
        let mut pair = Pair::new();
        assert_eq!(pair.step(&[(A, 9)]), [(A, 9)]);
    }

    #[test]
    #[should_panic(expected = "datagrams arrived that no host took")]
    fn a_host_that_is_off_cannot_get_a_datagram() {
        let mut pair = Pair::new();
        pair.world.crash(A);
        pair.step(&[(A, 1)]);
    }

    #[test]
    #[should_panic(expected = "the software of a host failed")]
    fn a_host_that_panics_ends_the_run() {
        let mut world = World::new(1);
        world.install(A, |_| async { panic!("a bug") });
        world.step();
    }
}
