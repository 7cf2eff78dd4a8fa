//! Two endpoints and a path between them. Time jumps from one event to the next.

use std::collections::BTreeMap;

use etherparse::{IpEcn, Ipv4Header};

use super::*;
use crate::segment::Congestion;
use crate::{Received, TcpInfo};

/// What the path does to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Pass,
    Drop,
    Delay(Duration),
    Twice,
    Corrupt,
    /// A router marks congestion.
    Mark,
}

/// A segment on the path: when it was sent, and by which end (0 or 1).
#[derive(Clone, Debug)]
pub(super) struct Passed {
    pub(super) at: Instant,
    pub(super) from: usize,
    pub(super) transmit: Transmit,
    /// The ECN field of its datagram, as it was sent.
    pub(super) congestion: Congestion,
}

type Path = Box<dyn FnMut(usize, &Transmit, Instant) -> Fate>;

/// Ends 0 (10.0.0.1, opens) and 1 (10.0.0.2, listens on port 80), 20 ms apart.
pub(super) struct Pair {
    pub(super) ends: [Endpoint; 2],
    pub(super) ids: [Option<ConnectionId>; 2],
    pub(super) listener: ListenerId,
    pub(super) now: Instant,
    pub(super) latency: Duration,
    pub(super) log: Vec<Passed>,
    pub(super) events: [Vec<(Instant, Event)>; 2],
    /// What each application has read.
    pub(super) read: [Vec<u8>; 2],
    /// Whether each application reads at all.
    pub(super) reads: [bool; 2],
    /// How reading ended.
    pub(super) ended: [Option<Result<(), crate::Errno>>; 2],
    /// What each application still has to write: it waits while the send buffer is full.
    unwritten: [Vec<u8>; 2],
    /// Datagrams by arrival and number.
    flying: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    path: Path,
}

impl Pair {
    pub(super) fn new(client: Settings, server: Settings) -> Pair {
        let mut ends = [endpoint("10.0.0.1", client), endpoint("10.0.0.2", server)];
        let listener = ends[1].listen(Instant::ZERO, 80, 8).unwrap();
        Pair {
            ends,
            ids: [None, None],
            listener,
            now: Instant::ZERO,
            latency: ms(20),
            log: Vec::new(),
            events: [Vec::new(), Vec::new()],
            read: [Vec::new(), Vec::new()],
            reads: [true, true],
            ended: [None, None],
            unwritten: [Vec::new(), Vec::new()],
            flying: BTreeMap::new(),
            sent: 0,
            path: Box::new(|_, _, _| Fate::Pass),
        }
    }

    pub(super) fn linux() -> Pair {
        Pair::new(Profile::Linux.settings(), Profile::Linux.settings())
    }

    /// From now on `path` decides what becomes of each segment.
    pub(super) fn path(&mut self, path: impl FnMut(usize, &Transmit, Instant) -> Fate + 'static) {
        self.path = Box::new(path);
    }

    pub(super) fn connect(&mut self) {
        let remote = "10.0.0.2:80".parse().unwrap();
        self.ids[0] = Some(self.ends[0].connect(self.now, Some(40_000), remote).unwrap());
        self.drain(0);
    }

    /// Connected, both ends know it, and nothing is under way.
    pub(super) fn connected(mut self) -> Pair {
        self.connect();
        self.run_for(secs(1));
        assert_eq!((self.state(0), self.state(1)), (State::Established, State::Established));
        self.log.clear();
        self
    }

    pub(super) fn id(&self, end: usize) -> ConnectionId {
        self.ids[end].unwrap()
    }

    pub(super) fn state(&self, end: usize) -> State {
        let status = self.ids[end].and_then(|id| self.ends[end].status(id));
        status.map_or(State::Closed, |status| status.state)
    }

    pub(super) fn send(&mut self, end: usize, octets: &[u8]) {
        self.unwritten[end].extend_from_slice(octets);
        assert!(self.write_some(end) || octets.is_empty(), "nothing was taken");
        self.drain(end);
    }

    pub(super) fn shutdown(&mut self, end: usize) {
        let id = self.id(end);
        self.ends[end].shutdown(self.now, id).unwrap();
        self.drain(end);
    }

    pub(super) fn close(&mut self, end: usize) {
        let id = self.id(end);
        self.ends[end].close(self.now, id);
        self.drain(end);
    }

    /// Sends what is due, and lets the application read.
    pub(super) fn drain(&mut self, end: usize) {
        loop {
            self.transmit(end);
            if end == 1 && self.ids[1].is_none() {
                self.ids[1] = self.ends[1].accept(self.listener);
            }
            let (wrote, read) = (self.write_some(end), self.read_some(end));
            if !wrote && !read {
                break;
            }
        }
        while let Some(event) = self.ends[end].poll_event() {
            self.events[end].push((self.now, event));
        }
        assert_eq!(self.ends[end].memory(), self.ends[end].count_memory(), "end {end}");
    }

    fn transmit(&mut self, end: usize) {
        let mut buffer = Vec::new();
        while let Some(transmit) = self.ends[end].poll_transmit(self.now, &mut buffer) {
            let mut octets = std::mem::take(&mut buffer);
            let fate = (self.path)(end, &transmit, self.now);
            let congestion = decode(&octets).expect("it is valid").congestion;
            self.log.push(Passed { at: self.now, from: end, transmit, congestion });
            let arrival = self.now + self.latency;
            let mut fly = |at: Instant, octets: Vec<u8>| {
                self.sent += 1;
                self.flying.insert((at, self.sent), (1 - end, octets));
            };
            match fate {
                Fate::Pass => fly(arrival, octets),
                Fate::Drop => {}
                Fate::Delay(by) => fly(arrival + by, octets),
                Fate::Twice => {
                    fly(arrival, octets.clone());
                    fly(arrival + ms(1), octets);
                }
                Fate::Mark => {
                    let (mut ip, _) = Ipv4Header::from_slice(&octets).expect("IPv4");
                    ip.ecn = IpEcn::try_new(3).expect("two bits");
                    ip.header_checksum = ip.calc_header_checksum();
                    octets[..Ipv4Header::MIN_LEN].copy_from_slice(&ip.to_bytes());
                    fly(arrival, octets);
                }
                Fate::Corrupt => {
                    let last = octets.len() - 1;
                    octets[last] ^= 1;
                    fly(arrival, octets);
                }
            }
        }
    }

    /// What a connection says of itself.
    pub(super) fn info(&self, end: usize) -> TcpInfo {
        self.ends[end].info(self.now, self.id(end)).expect("it exists")
    }

    fn write_some(&mut self, end: usize) -> bool {
        let Some(id) = self.ids[end].filter(|_| !self.unwritten[end].is_empty()) else {
            return false;
        };
        let is_open = |state| !matches!(state, State::SynSent | State::SynReceived);
        let connected = self.ends[end].status(id).is_none_or(|status| is_open(status.state));
        let writable = self.ends[end].readiness(id).writable;
        let taken = self.ends[end].send(self.now, id, &self.unwritten[end]);
        assert_eq!(writable, connected && taken != Ok(0), "{taken:?}");
        let taken = taken.unwrap_or(0);
        self.unwritten[end].drain(..taken);
        taken > 0
    }

    fn read_some(&mut self, end: usize) -> bool {
        let Some(id) = self.ids[end].filter(|_| self.reads[end] && self.ended[end].is_none()) else {
            return false;
        };
        let mut buffer = [0; 4096];
        let readable = self.ends[end].readiness(id).readable;
        let received = self.ends[end].receive(self.now, id, &mut buffer);
        assert_eq!(readable, received != Ok(Received::Nothing), "{received:?}");
        match received {
            Ok(Received::Octets(count)) => {
                self.read[end].extend_from_slice(&buffer[..count]);
                return true;
            }
            Ok(Received::End) => self.ended[end] = Some(Ok(())),
            Ok(Received::Nothing) => {}
            Err(crate::Errno::NotConnected) => {}
            Err(errno) => self.ended[end] = Some(Err(errno)),
        }
        false
    }

    /// Goes to the next event, if there is one before `until`.
    pub(super) fn step(&mut self, until: Instant) -> bool {
        let arrival = self.flying.first_key_value().map(|((at, _), _)| *at);
        let timers = [self.ends[0].poll_timeout(), self.ends[1].poll_timeout()];
        let next = arrival.into_iter().chain(timers.into_iter().flatten()).min();
        let Some(next) = next.filter(|next| *next <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        self.now = next;
        if arrival == Some(next) {
            let (_, (to, octets)) = self.flying.pop_first().unwrap();
            self.ends[to].handle_datagram(next, &octets);
            self.drain(to);
            return true;
        }
        for (end, timer) in timers.into_iter().enumerate() {
            if timer.is_some_and(|at| at <= next) {
                self.ends[end].handle_timeout(next);
                self.drain(end);
            }
        }
        true
    }

    pub(super) fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
    }

    /// Runs until nothing is left to happen, within a day.
    pub(super) fn run(&mut self) {
        let until = self.now + secs(86_400);
        while self.step(until) {}
    }

    /// What one end sent: flags, and the rest relative to the ISNs.
    pub(super) fn sent(&self, end: usize) -> Vec<(Flags, u32)> {
        self.log
            .iter()
            .filter(|passed| passed.from == end)
            .map(|passed| (passed.transmit.header.flags, passed.transmit.header.payload))
            .collect()
    }

    /// The states that an end went through.
    pub(super) fn states(&self, end: usize) -> Vec<State> {
        path(&self.events[end].iter().map(|(_, event)| *event).collect::<Vec<_>>())
    }

    /// When each segment that `wanted` picks was sent, in milliseconds.
    pub(super) fn times(&self, wanted: impl Fn(&Passed) -> bool) -> Vec<u64> {
        let millis = |passed: &Passed| passed.at.as_nanos() / 1_000_000;
        self.log.iter().filter(|passed| wanted(passed)).map(millis).collect()
    }
}

/// The gaps between times.
pub(super) fn gaps(times: &[u64]) -> Vec<u64> {
    times.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// A pattern without a short period.
pub(super) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251) as u8 ^ (at / 251) as u8).collect()
}
