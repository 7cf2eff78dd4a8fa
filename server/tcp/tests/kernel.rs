//! Our TCP against the kernel's, through a TUN device in a network namespace of its own, with segments dropped and
//! reordered. Needs root; the namespace is gone with the process.
//!
//! ```text
//! cargo test --release -p halfopen-tcp --test kernel -- --ignored --nocapture
//! ```
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "the kernel's clock is the wall clock")]

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, fs, thread};

use halfopen_tcp::{Config, ConnectionId, Endpoint, Errno, Instant, Profile, Received, State};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use tun_rs::{DeviceBuilder, SyncDevice};

const KERNEL: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 1);
const US: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const INSIDE: &str = "HALFOPEN_TEST_NAMESPACE";
const MEBIBYTE: usize = 1 << 20;

/// How a session ends, once both have written everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    WeFirst,
    KernelFirst,
    Both,
    WeReset,
    /// It closes without having read what we wrote.
    KernelResets,
}

/// What happens to the datagrams, per mille, either way.
#[derive(Clone, Copy, Debug)]
struct Path {
    lost: u64,
    /// Up to five milliseconds late.
    late: u64,
}

/// The octet at an offset of what we write, or of what the kernel's side writes.
fn octet(we: bool, offset: usize) -> u8 {
    (offset % 251) as u8 ^ (offset / 251) as u8 ^ u8::from(we) << 7
}

fn text(we: bool, from: usize, to: usize) -> Vec<u8> {
    (from..to).map(|offset| octet(we, offset)).collect()
}

/// The endpoint, its device, and the datagrams that are late.
struct Host {
    endpoint: Endpoint,
    device: SyncDevice,
    began: std::time::Instant,
    path: Path,
    dice: Pcg64Mcg,
    /// By time and number: whether it comes to us, and its octets.
    late: BTreeMap<(Instant, u64), (bool, Vec<u8>)>,
    count: u64,
    dropped: u64,
}

impl Host {
    fn new() -> Host {
        run("ip", &["link", "set", "lo", "up"]);
        let device = DeviceBuilder::new().name("halfopen0").mtu(1500).build_sync().unwrap();
        device.set_nonblocking(true).unwrap();
        run("ip", &["address", "add", "10.77.0.1/24", "dev", "halfopen0"]);
        run("ip", &["link", "set", "halfopen0", "up"]);
        let settings = Profile::Linux.settings();
        let endpoint = Endpoint::new(Config::new(vec![IpAddr::V4(US)], settings, 7));
        Host {
            endpoint,
            device,
            began: std::time::Instant::now(),
            path: Path { lost: 0, late: 0 },
            dice: Pcg64Mcg::seed_from_u64(7),
            late: BTreeMap::new(),
            count: 0,
            dropped: 0,
        }
    }

    fn now(&self) -> Instant {
        Instant::ZERO + self.began.elapsed()
    }

    /// Moves everything that is due.
    fn turn(&mut self) {
        let mut busy = false;
        let mut buffer = [0; 2000];
        while let Ok(length) = self.device.recv(&mut buffer) {
            busy = true;
            self.travel(true, buffer[..length].to_vec());
        }
        while let Some(entry) =
            self.late.first_entry().filter(|entry| entry.key().0 <= Instant::ZERO + self.began.elapsed())
        {
            busy = true;
            let (to_us, octets) = entry.remove();
            self.deliver(to_us, &octets);
        }
        let now = self.now();
        if self.endpoint.poll_timeout().is_some_and(|at| at <= now) {
            self.endpoint.handle_timeout(now);
        }
        let mut octets = Vec::new();
        while self.endpoint.poll_transmit(now, &mut octets).is_some() {
            busy = true;
            self.travel(false, std::mem::take(&mut octets));
        }
        while self.endpoint.poll_event().is_some() {}
        if !busy {
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn travel(&mut self, to_us: bool, octets: Vec<u8>) {
        self.count += 1;
        if self.dice.next_u64() % 1000 < self.path.lost {
            self.dropped += 1;
        } else if self.dice.next_u64() % 1000 < self.path.late {
            let delay = Duration::from_micros(self.dice.next_u64() % 5000);
            self.late.insert((self.now() + delay, self.count), (to_us, octets));
        } else {
            self.deliver(to_us, &octets);
        }
    }

    fn deliver(&mut self, to_us: bool, octets: &[u8]) {
        if to_us {
            let now = self.now();
            self.endpoint.handle_datagram(now, octets);
        } else {
            // A full queue of the device is one more loss.
            let _ = self.device.send(octets);
        }
    }

    /// Turns until `done`, for a minute at most.
    fn until<T>(&mut self, what: &str, mut done: impl FnMut(&mut Host) -> Option<T>) -> T {
        let limit = self.now() + Duration::from_secs(60);
        loop {
            self.turn();
            if let Some(outcome) = done(self) {
                return outcome;
            }
            let all: Vec<_> = self.endpoint.connections().map(|id| self.endpoint.status(id)).collect();
            assert!(self.now() < limit, "{what} takes for ever: {all:?}");
        }
    }

    fn state(&self, id: ConnectionId) -> State {
        self.endpoint.status(id).map_or(State::Closed, |status| status.state)
    }
}

/// The kernel's end: writes and reads `size` octets, and closes in its turn. What its last read said.
fn kernel_side(mut stream: TcpStream, size: usize, order: Order) -> JoinHandle<Option<ErrorKind>> {
    thread::spawn(move || {
        if order == Order::KernelResets {
            thread::sleep(Duration::from_millis(300));
            return None;
        }
        let mut other = stream.try_clone().unwrap();
        let writer = thread::spawn(move || {
            for from in (0..size).step_by(65_536) {
                other.write_all(&text(false, from, size.min(from + 65_536))).unwrap();
            }
            if matches!(order, Order::KernelFirst | Order::Both) {
                other.shutdown(Shutdown::Write).unwrap();
            }
        });
        let mut octets = vec![0; size];
        stream.read_exact(&mut octets).unwrap();
        assert!(octets == text(true, 0, size), "the kernel read something else");
        let last = stream.read(&mut [0]);
        writer.join().unwrap();
        match last {
            Ok(count) => {
                assert_eq!(count, 0, "nothing more was written");
                None
            }
            Err(error) => Some(error.kind()),
        }
    })
}

/// Writes and reads `size` octets, and reads the end if the kernel's side shuts down first.
fn our_side(host: &mut Host, id: ConnectionId, size: usize, order: Order) {
    let (mut written, mut read) = (0, Vec::new());
    let mut buffer = vec![0; 65_536];
    let mut shut = false;
    host.until("the transfer", |host| {
        let now = host.now();
        if written < size {
            let next = text(true, written, size.min(written + 16_384));
            written += host.endpoint.send(now, id, &next).unwrap();
        } else if !shut && matches!(order, Order::WeFirst | Order::Both) {
            host.endpoint.shutdown(now, id).unwrap();
            shut = true;
        }
        if read.len() < size
            && let Received::Octets(count) = host.endpoint.receive(now, id, &mut buffer).unwrap()
        {
            read.extend_from_slice(&buffer[..count]);
        }
        let told = host.endpoint.status(id).is_some_and(|status| status.unacknowledged == 0);
        (written == size && read.len() == size && told).then_some(())
    });
    assert!(read == text(false, 0, size), "we read something else");
}

fn session(host: &mut Host, we_open: bool, size: usize, order: Order) {
    let (before, dropped, began) = (host.count, host.dropped, host.now());
    let (id, stream) = if we_open {
        let listener = TcpListener::bind((KERNEL, 0)).unwrap();
        let remote = listener.local_addr().unwrap();
        let now = host.now();
        let id = host.endpoint.connect(now, None, remote).unwrap();
        let accepting = thread::spawn(move || listener.accept().unwrap().0);
        host.until("the handshake", |host| host.endpoint.connected(id).is_ready().then_some(()));
        host.until("accept", |_| accepting.is_finished().then_some(()));
        (id, accepting.join().unwrap())
    } else {
        let now = host.now();
        let listener = host.endpoint.listen(now, 80, 8).unwrap();
        let connecting = thread::spawn(|| TcpStream::connect(SocketAddr::new(US.into(), 80)).unwrap());
        let id = host.until("the handshake", |host| host.endpoint.accept(listener));
        host.until("connect", |_| connecting.is_finished().then_some(()));
        let now = host.now();
        host.endpoint.close_listener(now, listener);
        (id, connecting.join().unwrap())
    };
    let kernel = kernel_side(stream, size, order);
    let path = host.path;
    if order == Order::KernelResets {
        // Nobody repeats a reset.
        host.path.lost = 0;
        let now = host.now();
        host.endpoint.send(now, id, &[1]).unwrap();
        let error = host.until("the reset", |host| host.endpoint.receive(host.now(), id, &mut [0]).err());
        assert_eq!(error, Errno::ConnectionReset);
    } else {
        our_side(host, id, size, order);
        finish(host, id, order);
    }
    host.path.lost = if order == Order::WeReset { 0 } else { path.lost };
    let now = host.now();
    host.endpoint.close(now, id);
    host.until("the kernel's side", |_| kernel.is_finished().then_some(()));
    let expected = (order == Order::WeReset).then_some(ErrorKind::ConnectionReset);
    assert_eq!(kernel.join().unwrap(), expected);
    let last = host.until("the end", |host| Some(host.state(id)).filter(|state| over(*state)));
    host.until("the kernel's end", |_| (kernel_states().iter().all(|state| *state == 6)).then_some(()));
    host.path = path;
    println!(
        "{:9} {size:>8} octets each way, {order:?}: {} ms, {} datagrams, {} dropped, we end in {last}",
        if we_open { "we open" } else { "it opens" },
        (host.now() - began).as_millis(),
        host.count - before,
        host.dropped - dropped,
    );
}

/// What is left to do after the transfer.
fn finish(host: &mut Host, id: ConnectionId, order: Order) {
    let now = host.now();
    match order {
        Order::WeReset => {
            host.path.lost = 0;
            host.endpoint.abort(now, id);
        }
        // The kernel's side closes when it has read our FIN.
        Order::WeFirst | Order::Both | Order::KernelFirst => {
            host.until("the end of the stream", |host| {
                let received = host.endpoint.receive(host.now(), id, &mut [0]).unwrap();
                (received == Received::End).then_some(())
            });
        }
        Order::KernelResets => {}
    }
}

fn over(state: State) -> bool {
    matches!(state, State::Closed | State::TimeWait)
}

/// The states of the kernel's connections, by its own numbers: 6 is TIME-WAIT.
fn kernel_states() -> Vec<u8> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let states = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(3));
    states.map(|state| u8::from_str_radix(state, 16).unwrap()).collect()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Command::new(program).args(arguments).status().unwrap().success(), "{program} {arguments:?}");
}

#[test]
#[ignore = "needs root and a TUN device"]
fn the_kernel_s_tcp_and_ours_understand_each_other() {
    if env::var_os(INSIDE).is_none() {
        // Once more, in a network namespace that ends with the process.
        let this = env::current_exe().unwrap();
        let status = Command::new("unshare")
            .arg("--net")
            .arg(this)
            .args(["--ignored", "--exact", "--nocapture", "the_kernel_s_tcp_and_ours_understand_each_other"])
            .env(INSIDE, "1")
            .status()
            .unwrap();
        assert!(status.success(), "in the namespace");
        return;
    }
    let mut host = Host::new();
    let orders = [Order::WeFirst, Order::KernelFirst, Order::Both, Order::WeReset, Order::KernelResets];
    for path in [Path { lost: 0, late: 0 }, Path { lost: 0, late: 100 }, Path { lost: 10, late: 50 }] {
        host.path = path;
        println!("{path:?} per mille");
        for we_open in [true, false] {
            for order in orders {
                session(&mut host, we_open, 10_000, order);
            }
            session(&mut host, we_open, 10 * MEBIBYTE, Order::Both);
        }
    }
}
