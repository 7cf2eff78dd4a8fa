//! Turmoil as the world: hosts that run, die and return, and links that hold what they carry.
//!
//! Turmoil's own clock ticks in steps of fixed length, and its links deliver by that clock. Here it measures
//! nothing: every link is on hold, a datagram leaves it when [`World::step`] is told its id, and one step is
//! one round in which each host handles what it got. What the time is, the driver says.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime};

use turmoil::net::UdpSocket;
use turmoil::{Protocol, Sim};

use crate::network::MOST_UNDER_WAY;
use halfopen_trace::HostId;

/// Octets before the IP datagram: the datagram's id.
pub(crate) const ID_OCTETS: usize = 8;

/// The port of every host's socket: IP's number for TCP.
const PORT: u16 = 6;

/// Datagrams that may arrive at a host in one step: as many as may be under way.
const STEP_CAPACITY: usize = MOST_UNDER_WAY;

/// The world's side of a run.
pub(crate) struct World {
    sim: Sim<'static>,
    hosts: u16,
}

/// A host's way into the world.
pub(crate) struct Port {
    socket: UdpSocket,
}

impl World {
    /// A world without hosts.
    pub(crate) fn new(seed: u64) -> World {
        let sim = turmoil::Builder::new()
            .epoch(SystemTime::UNIX_EPOCH)
            .rng_seed(seed)
            .tick_duration(Duration::from_millis(1))
            .simulation_duration(Duration::MAX)
            .udp_capacity(STEP_CAPACITY)
            .build();
        World { sim, hosts: 0 }
    }

    /// Adds the next host. Each of its lives is a future of `software`, which begins in a step.
    pub(crate) fn add_host<F, Life>(&mut self, software: F)
    where
        F: Fn() -> Life + 'static,
        Life: Future<Output = ()> + 'static,
    {
        let host = HostId(self.hosts);
        self.sim.host(address(host), move || {
            let life = software();
            async move {
                life.await;
                Ok(())
            }
        });
        for other in (0..self.hosts).map(HostId) {
            self.sim.hold(address(other), address(host));
        }
        self.hosts += 1;
    }

    /// One round: the datagrams of these ids (ascending) arrive, and each host does what there is to do, in
    /// the order the hosts were added. What they send stays on its link.
    ///
    /// # Panics
    /// If a host's software panicked.
    pub(crate) fn step(&mut self, due: &[u64]) {
        if !due.is_empty() {
            self.sim.links(|links| release(links, due));
        }
        if let Err(error) = self.sim.step() {
            panic!("the software of a host failed: {error}");
        }
    }

    /// Power off: the host's software is gone, without a word. What it sent before is still under way.
    pub(crate) fn crash(&mut self, host: HostId) {
        self.sim.crash(address(host));
    }

    /// Power on: a new life begins in the next step, after that step's arrivals.
    pub(crate) fn boot(&mut self, host: HostId) {
        self.sim.bounce(address(host));
    }

    /// Opens or cuts the ways between two hosts; what is under way on a cut one is gone.
    ///
    /// Turmoil's hold is for both ways at once and ends a partition, so both are said anew each time.
    pub(crate) fn set_ways(&mut self, [a, b]: [HostId; 2], a_to_b_open: bool, b_to_a_open: bool) {
        let (a, b) = (address(a), address(b));
        self.sim.hold(a, b);
        if !a_to_b_open {
            self.sim.partition_oneway(a, b);
        }
        if !b_to_a_open {
            self.sim.partition_oneway(b, a);
        }
    }
}

/// Marks the held datagrams of these ids as deliverable.
fn release(links: turmoil::LinksIter<'_>, due: &[u64]) {
    let mut missing = due.len();
    for datagram in links.flatten() {
        if missing == 0 {
            return;
        }
        if due.binary_search(&id_of(&datagram)).is_ok() {
            datagram.deliver();
            missing -= 1;
        }
    }
    assert_eq!(missing, 0, "a datagram is due that no link holds");
}

fn id_of(datagram: &turmoil::SentRef<'_>) -> u64 {
    let Protocol::Udp(turmoil::Datagram(octets)) = datagram.protocol() else {
        unreachable!("hosts have no other socket than their UDP socket")
    };
    read_id(octets)
}

/// The id at the head of a datagram of ours.
fn read_id(octets: &[u8]) -> u64 {
    octets.first_chunk().map(|id| u64::from_be_bytes(*id)).expect("every datagram begins with its id")
}

/// Where turmoil knows the host: nothing to do with the addresses it has in the scenario.
fn address(host: HostId) -> IpAddr {
    let [high, low] = host.0.to_be_bytes();
    Ipv4Addr::new(192, 168, high, low).into()
}

impl Port {
    /// Binds the socket of the host whose software calls this.
    pub(crate) async fn open() -> Port {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await;
        Port { socket: socket.expect("a host has one socket, and it is gone when the host is") }
    }

    /// Sends a datagram that begins with its id. It stays on the link until its id is due.
    pub(crate) fn send(&self, to: HostId, datagram: &[u8]) {
        self.socket
            .try_send_to(datagram, SocketAddr::new(address(to), PORT))
            .expect("there is a link between any two hosts");
    }

    /// The next datagram that arrived in this step, if any: its id; its octets in `buffer`.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Option<(u64, usize)> {
        let (octets, _) = self.socket.try_recv_from(buffer).ok()?;
        Some((read_id(&buffer[..octets]), octets))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::*;

    const A: HostId = HostId(0);
    const B: HostId = HostId(1);

    /// Two hosts that send what they are told to, once a step, and note the ids of what they get.
    struct Pair {
        world: World,
        to_send: Rc<Cell<Option<(HostId, u64)>>>,
        got: Rc<RefCell<Vec<(HostId, u64)>>>,
    }

    impl Pair {
        fn new() -> Pair {
            let mut world = World::new(1);
            let to_send: Rc<Cell<Option<(HostId, u64)>>> = Rc::default();
            let got: Rc<RefCell<Vec<(HostId, u64)>>> = Rc::default();
            for host in [A, B] {
                let (to_send, got) = (Rc::clone(&to_send), Rc::clone(&got));
                world.add_host(move || {
                    let (to_send, got) = (Rc::clone(&to_send), Rc::clone(&got));
                    async move {
                        let port = Port::open().await;
                        let mut buffer = [0; 100];
                        loop {
                            while let Some((id, octets)) = port.receive(&mut buffer) {
                                assert_eq!(&buffer[ID_OCTETS..octets], b"segment");
                                got.borrow_mut().push((host, id));
                            }
                            if let Some((from, id)) = to_send.get().filter(|(from, _)| *from == host) {
                                to_send.set(None);
                                port.send(HostId(1 - from.0), &[&id.to_be_bytes()[..], b"segment"].concat());
                            }
                            // Once a step, and turmoil's step is a millisecond long.
                            tokio::time::sleep(Duration::from_millis(1)).await;
                        }
                    }
                });
            }
            let mut pair = Pair { world, to_send, got };
            pair.step(&[]);
            pair
        }

        fn send(&mut self, from: HostId, id: u64) {
            self.to_send.set(Some((from, id)));
            self.step(&[]);
            assert_eq!(self.to_send.get(), None, "the host is alive");
        }

        /// What arrives when this is due. Hosts look once a step, so it takes two.
        fn step(&mut self, due: &[u64]) -> Vec<(HostId, u64)> {
            self.world.step(due);
            self.world.step(&[]);
            self.got.take()
        }
    }

    #[test]
    fn a_datagram_stays_on_its_link_until_it_is_due() {
        let mut pair = Pair::new();
        for (from, id) in [(A, 1), (B, 2), (A, 3), (A, 4)] {
            pair.send(from, id);
        }
        assert_eq!(pair.step(&[]), []);
        assert_eq!(pair.step(&[3]), [(B, 3)], "not in the order it was sent");
        assert_eq!(pair.step(&[1, 2, 4]), [(A, 2), (B, 1), (B, 4)]);
    }

    #[test]
    fn what_a_host_sent_before_it_crashed_arrives_and_what_comes_to_it_is_gone() {
        let mut pair = Pair::new();
        pair.send(A, 1);
        pair.send(B, 2);
        pair.send(B, 3);
        pair.world.crash(A);
        assert_eq!(pair.step(&[1, 2]), [(B, 1)]);
        pair.world.boot(A);
        assert_eq!(pair.step(&[]), [], "the new life begins with nothing");
        assert_eq!(pair.step(&[3]), [(A, 3)], "still under way when it came back");
        pair.send(A, 4);
        assert_eq!(pair.step(&[4]), [(B, 4)]);
    }

    #[test]
    fn a_cut_loses_what_is_under_way_and_an_open_way_holds_again() {
        let mut pair = Pair::new();
        pair.send(A, 1);
        pair.send(B, 2);
        pair.world.set_ways([A, B], false, true);
        pair.send(A, 3);
        assert_eq!(pair.step(&[2]), [(A, 2)], "the other way is fine");
        pair.world.set_ways([A, B], false, false);
        pair.world.set_ways([A, B], true, false);
        pair.send(A, 4);
        assert_eq!(pair.step(&[]), [], "1 and 3 are gone, and 4 is held");
        assert_eq!(pair.step(&[4]), [(B, 4)]);
    }

    #[test]
    #[should_panic(expected = "a datagram is due that no link holds")]
    fn what_is_not_there_can_not_be_due() {
        let mut pair = Pair::new();
        pair.send(A, 1);
        pair.world.set_ways([A, B], false, true);
        pair.step(&[1]);
    }

    #[test]
    #[should_panic(expected = "the software of a host failed")]
    fn a_host_that_panics_ends_the_run() {
        let mut world = World::new(1);
        world.add_host(|| async { panic!("a bug") });
        world.step(&[]);
    }
}
