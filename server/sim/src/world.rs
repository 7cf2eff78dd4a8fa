//! Turmoil as the world: hosts that run, die and return, and the wire that brings datagrams to them.
//!
//! Turmoil's own clock ticks in steps of fixed length, and its links deliver by that clock. Here it measures nothing: what is under
//! way is the [`Network`](halfopen_network::Network)'s, and what the time is, the driver says. One more host, the wire, runs first in
//! each step and sends the datagrams that are due; without latency, so that their hosts get them in the same step and in the same
//! order.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
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

/// The world's side of a run.
pub(crate) struct World {
    sim: Sim<'static>,
    wire: Rc<Wire>,
    /// By host: what the wire sends it in this step.
    arriving: Vec<Rc<Arriving>>,
}

/// Datagrams for a host, with their sizes, in the order in which the wire sends them.
type Arriving = RefCell<VecDeque<(Flight, usize)>>;

/// What the wire has to send.
#[derive(Default)]
struct Wire {
    work: Notify,
    due: RefCell<Vec<(HostId, Vec<u8>)>>,
}

/// A host's way out of the world: its socket, and what arrives there.
pub(crate) struct Port {
    socket: UdpSocket,
    arriving: Rc<Arriving>,
}

impl World {
    /// A world without hosts.
    pub(crate) fn new() -> World {
        let mut sim = turmoil::Builder::new()
            .epoch(SystemTime::UNIX_EPOCH)
            .rng_seed(0)
            .tick_duration(Duration::from_millis(1))
            .simulation_duration(Duration::MAX)
            .min_message_latency(Duration::ZERO)
            .max_message_latency(Duration::ZERO)
            .udp_capacity(Semaphore::MAX_PERMITS)
            .build();
        let wire = Rc::new(Wire::default());
        let software = Rc::clone(&wire);
        sim.host(WIRE, move || {
            let wire = Rc::clone(&software);
            async move {
                let socket = open().await;
                loop {
                    wire.send(&socket);
                    wire.work.notified().await;
                }
            }
        });
        World { sim, wire, arriving: Vec::new() }
    }

    /// Adds the next host. Each of its lives is a future of `software`, which begins in a step.
    pub(crate) fn add_host<F, Life>(&mut self, software: F)
    where
        F: Fn(Port) -> Life + 'static,
        Life: Future<Output = ()> + 'static,
    {
        let host = HostId(u16::try_from(self.arriving.len()).expect("a scenario has at most 2^16 hosts"));
        let arriving = Rc::new(Arriving::default());
        self.arriving.push(Rc::clone(&arriving));
        let software = Rc::new(software);
        self.sim.host(address(host), move || {
            let (software, arriving) = (Rc::clone(&software), Rc::clone(&arriving));
            async move {
                let socket = open().await;
                software(Port { socket, arriving }).await;
                Ok(())
            }
        });
    }

    /// The datagram arrives at its host, which runs, in the next step.
    pub(crate) fn deliver(&mut self, Delivery { flight, octets }: Delivery) {
        self.arriving[flight.to.index()].borrow_mut().push_back((flight, octets.len()));
        self.wire.due.borrow_mut().push((flight.to, octets));
    }

    /// One round: what was delivered arrives, and each host does what there is to do, in the order the hosts were added.
    ///
    /// # Panics
    /// If a host's software panicked, or did not take what arrived.
    pub(crate) fn step(&mut self) {
        if !self.wire.due.borrow().is_empty() {
            self.wire.work.notify_one();
        }
        if let Err(error) = self.sim.step() {
            panic!("the software of a host failed: {error}");
        }
        let taken = self.arriving.iter().all(|arriving| arriving.borrow().is_empty());
        assert!(taken, "datagrams arrived that no host took");
    }

    /// Power off: the host's software is gone, without a word.
    pub(crate) fn crash(&mut self, host: HostId) {
        self.sim.crash(address(host));
    }

    /// Power on: a new life begins in the next step.
    pub(crate) fn boot(&mut self, host: HostId) {
        self.sim.bounce(address(host));
    }
}

impl Wire {
    /// Sends what is due.
    fn send(&self, socket: &UdpSocket) {
        for (host, octets) in self.due.borrow_mut().drain(..) {
            socket
                .try_send_to(&octets, SocketAddr::new(address(host), PORT))
                .expect("there is a link between any two hosts");
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
    /// The next datagram that arrived in this step, if any. Appends its octets.
    pub(crate) fn receive(&self, octets: &mut Vec<u8>) -> Option<Flight> {
        let (flight, size) = self.arriving.borrow_mut().pop_front()?;
        let start = octets.len();
        octets.resize(start + size, 0);
        let received = self.socket.try_recv_from(&mut octets[start..]);
        assert_eq!(received.expect("the wire has sent it").0, size);
        Some(flight)
    }
}

#[cfg(test)]
mod tests {
    use halfopen_trace::SegmentNumber;

    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);

    /// Two hosts that note what they get.
    struct Pair {
        world: World,
        got: Rc<RefCell<Vec<(HostId, u64)>>>,
    }

    impl Pair {
        fn new() -> Pair {
            let mut world = World::new();
            let got: Rc<RefCell<Vec<(HostId, u64)>>> = Rc::default();
            for host in [A, B] {
                let got = Rc::clone(&got);
                world.add_host(move |port| {
                    let got = Rc::clone(&got);
                    async move {
                        let mut octets = Vec::new();
                        loop {
                            while let Some(flight) = port.receive(&mut octets) {
                                assert_eq!((flight.to, octets.as_slice()), (host, &b"datagram"[..]));
                                octets.clear();
                                got.borrow_mut().push((host, flight.segment.0.get()));
                            }
                            // Once a step, and turmoil's step is a millisecond long.
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                });
            }
            let mut pair = Pair { world, got };
            pair.step(&[]);
            pair
        }

        /// What the hosts get when these are due.
        fn step(&mut self, due: &[(HostId, u64)]) -> Vec<(HostId, u64)> {
            for (to, number) in due {
                let segment = SegmentNumber::new(*number).unwrap();
                let (from, to) = (HostId(1 - to.0), *to);
                let flight =
                    Flight { segment, connection: None, from, to, opens: false, copy: false, message: None };
                self.world.deliver(Delivery { flight, octets: b"datagram".to_vec() });
            }
            self.world.step();
            self.got.take()
        }
    }

    #[test]
    fn datagrams_arrive_in_the_step_in_which_they_are_due_and_in_order() {
        let mut pair = Pair::new();
        assert_eq!(pair.step(&[(B, 2), (A, 3), (B, 1)]), [(A, 3), (B, 2), (B, 1)]);
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[(A, 4)]), [(A, 4)]);
    }

    #[test]
    fn a_host_that_crashed_gets_datagrams_again_when_it_is_back() {
        let mut pair = Pair::new();
        pair.world.crash(A);
        assert_eq!(pair.step(&[(B, 1)]), [(B, 1)]);
        pair.world.boot(A);
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[(A, 2), (B, 3)]), [(A, 2), (B, 3)]);
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
        let mut world = World::new();
        world.add_host(|_| async { panic!("a bug") });
        world.step();
    }
}
