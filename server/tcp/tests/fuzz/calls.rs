//! A stream of segments, calls and steps of time, as octets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use halfopen_tcp::{
    CongestionAlgorithm, ConnectionId, Endpoint, Instant, KeepaliveSettings, ListenerId, Profile, Received,
    Seq, Settings, WindowScale,
};

use super::watch::{Watch, ours, theirs};
use super::{Input, PEER, PORT, US, endpoint, wire};

/// Room for data, either way: small, so that it fills.
const BUFFER: u32 = 5000;
/// What an endpoint may send at most without anything happening in between.
const MOST_AT_ONCE: usize = 1000;

/// Settings by four octets. Keepalive sees to it that everything ends.
pub(super) fn settings(input: &mut Input<'_>) -> Settings {
    let (which, choices, scale, more) = (input.octet(), input.octet(), input.octet(), input.octet());
    let profile = Profile::ALL[usize::from(which) % Profile::ALL.len()].settings();
    let algorithms = CongestionAlgorithm::ALL;
    let seconds = Duration::from_secs;
    Settings {
        keepalive: Some(KeepaliveSettings { idle: seconds(60), interval: seconds(10), probes: 3 }),
        congestion: algorithms[usize::from(more) % algorithms.len()],
        timestamps: choices & 1 != 0,
        sack: choices & 2 != 0,
        nagle: choices & 4 != 0,
        window_scale: (choices & 8 != 0).then_some(WindowScale::Shift(scale % 15)),
        initial_sequence: (choices & 16 != 0).then_some(u32::MAX - u32::from(scale)),
        mtu: if choices & 32 != 0 { 300 } else { 1500 },
        receive_buffer: BUFFER,
        receive_buffer_max: None,
        send_buffer: BUFFER,
        send_buffer_max: None,
        ..profile
    }
}

struct Player {
    endpoint: Endpoint,
    now: Instant,
    listener: Option<ListenerId>,
    /// Every connection that ever sent anything.
    watches: BTreeMap<ConnectionId, Watch>,
    /// Connections that the application holds.
    held: Vec<ConnectionId>,
    scaled: bool,
    packet_memory: bool,
}

/// Plays the octets; panics if the endpoint does what it must not.
pub(crate) fn calls(octets: &[u8]) {
    let mut input = Input(octets);
    let settings = settings(&mut input);
    let (scaled, packet_memory) = (settings.window_scale.is_some(), settings.packet_memory);
    let mut player = Player {
        endpoint: endpoint(US, settings),
        now: Instant::ZERO,
        listener: None,
        watches: BTreeMap::new(),
        held: Vec::new(),
        scaled,
        packet_memory,
    };
    while !input.is_empty() {
        player.step(&mut input);
        player.drain();
    }
    player.end();
}

impl Player {
    fn step(&mut self, input: &mut Input<'_>) {
        let (action, argument) = (input.octet(), input.octet());
        let now = self.now;
        let held = self.held.get(usize::from(argument >> 4) % self.held.len().max(1)).copied();
        match (action % 16, held) {
            (0, _) => {
                let listener = self.endpoint.listen(now, PORT, u32::from(argument % 4));
                self.listener = listener.ok().or(self.listener);
            }
            (1, _) => {
                let remote = SocketAddr::new(PEER.into(), PORT);
                let port = Some(1000 + u16::from(argument % 4));
                self.held.extend(self.endpoint.connect(now, port, remote));
            }
            (2, _) => self.held.extend(self.listener.and_then(|listener| self.endpoint.accept(listener))),
            (3, Some(id)) => self.send(id, usize::from(argument) * 8),
            (4, Some(id)) => self.receive(id, usize::from(argument) * 8),
            (5, Some(id)) => {
                let _ = self.endpoint.shutdown(now, id);
            }
            (6, Some(id)) => match argument % 4 {
                0 => self.endpoint.close(now, id),
                1 => self.endpoint.abort(now, id),
                2 => self.endpoint.set_nodelay(now, id, argument & 4 != 0),
                _ => {
                    let _ = self.endpoint.connected(id);
                }
            },
            (7, Some(id)) => {
                let timeout = Duration::from_millis(u64::from(argument) * 100);
                self.endpoint.set_user_timeout(now, id, Some(timeout).filter(|timeout| !timeout.is_zero()));
            }
            (8, _) => self.wait(now + Duration::from_millis(u64::from(argument))),
            (9, _) => self.wait(now + Duration::from_secs(u64::from(argument))),
            (10, _) => self.wait(self.endpoint.poll_timeout().unwrap_or(now)),
            (11..=15, _) => self.arrive(argument, input),
            _ => {}
        }
    }

    fn send(&mut self, id: ConnectionId, count: usize) {
        let written = self.watches.entry(id).or_default().written;
        let octets: Vec<u8> = (0..count as u32).map(|at| ours(written + at)).collect();
        let taken = self.endpoint.send(self.now, id, &octets).unwrap_or(0);
        self.watches.entry(id).or_default().written += taken as u32;
    }

    fn receive(&mut self, id: ConnectionId, count: usize) {
        let mut buffer = vec![0; count];
        if let Ok(Received::Octets(count)) = self.endpoint.receive(self.now, id, &mut buffer) {
            self.watches.entry(id).or_default().received(&buffer[..count]);
        }
    }

    fn wait(&mut self, until: Instant) {
        self.now = self.now.max(until);
        self.endpoint.handle_timeout(self.now);
        let next = self.endpoint.poll_timeout();
        assert!(next.is_none_or(|at| at > self.now), "a timer that fires for ever, at {}", self.now);
    }

    /// A segment with numbers near those of one of the connections.
    fn arrive(&mut self, argument: u8, input: &mut Input<'_>) {
        let active = argument & 1 == 0;
        let port = u16::from(argument >> 1 & 3);
        let (from, to) = if active { (PORT, 1000 + port) } else { (2000 + port, PORT) };
        let (ours, remote) = (SocketAddr::new(US.into(), to), SocketAddr::new(PEER.into(), from));
        let owner = self.endpoint.connections().filter(|id| {
            self.endpoint.status(*id).is_some_and(|status| (status.local, status.remote) == (ours, remote))
        });
        let watch = owner.last().and_then(|id| self.watches.get(&id)).copied().unwrap_or_default();
        let (flags, seq, ack) = (input.octet(), input.octet() as i8, input.octet() as i8);
        let (window, length) = (input.word(), usize::from(input.octet()) * 6);
        let options = input.octet();
        let seq = watch.near(false, seq);
        let mut tcp = Vec::new();
        tcp.extend(from.to_be_bytes());
        tcp.extend(to.to_be_bytes());
        tcp.extend(seq.0.to_be_bytes());
        tcp.extend(watch.near(true, ack).0.to_be_bytes());
        let options = self.options(options, input, &watch);
        tcp.extend([(5 + options.len() as u8 / 4) << 4, flags & 0x3f]);
        tcp.extend(window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(options);
        // The octet after a SYN has the number after the SYN's.
        let first = seq + u32::from(flags & 0x02 != 0);
        tcp.extend((0..length as u32).map(|at| theirs(first + at)));
        self.endpoint.handle_datagram(self.now, &wire::datagram(PEER, US, tcp));
    }

    /// Options by the bits of `chosen`, each padded to four octets.
    fn options(&self, chosen: u8, input: &mut Input<'_>, watch: &Watch) -> Vec<u8> {
        let mut options = Vec::new();
        if chosen & 1 != 0 {
            options.extend([2, 4, input.octet(), input.octet()]);
        }
        if chosen & 2 != 0 {
            options.extend([3, 3, input.octet(), 1]);
        }
        if chosen & 4 != 0 {
            options.extend([4, 2, 1, 1]);
        }
        if chosen & 8 != 0 {
            let clock = (self.now.as_nanos() / 1_000_000) as u32;
            options.extend([1, 1, 8, 10]);
            options.extend(clock.wrapping_add_signed(i32::from(input.octet() as i8)).to_be_bytes());
            options.extend([0, 0, input.octet(), input.octet()]);
        }
        if chosen & 16 != 0 {
            options.extend([1, 1, 5, 10]);
            let left = watch.near(true, input.octet() as i8);
            options.extend(left.0.to_be_bytes());
            options.extend(Seq(left.0.wrapping_add(u32::from(input.octet()))).0.to_be_bytes());
        }
        options
    }

    /// Takes what follows, and checks it.
    fn drain(&mut self) {
        let mut octets = Vec::new();
        for count in 0.. {
            assert!(count < MOST_AT_ONCE, "it sends for ever");
            octets.clear();
            let Some(transmit) = self.endpoint.poll_transmit(self.now, &mut octets) else { break };
            assert!(octets.len() <= 1500, "longer than the MTU: {transmit:?}");
            if let Some(id) = transmit.connection {
                let payload = &octets[octets.len() - transmit.header.payload as usize..];
                self.watches.entry(id).or_default().sent(&transmit, payload, self.scaled);
            }
        }
        while self.endpoint.poll_event().is_some() {}
        for status in self.endpoint.connections().filter_map(|id| self.endpoint.status(id)) {
            // Linux sets twice the memory aside, and fills it when packets waste little; scaled windows are rounded.
            let most = 2 * BUFFER as usize + if self.scaled { 1 << 14 } else { 0 };
            assert!(status.unread <= most, "more than the receive buffer holds: {status:?}");
            // It begins the last packet as long as there is memory left.
            let most = if self.packet_memory { 2 * BUFFER as usize + (1 << 16) } else { BUFFER as usize };
            assert!(status.unacknowledged <= most, "more than the send buffer holds: {status:?}");
        }
    }

    /// The applications go, and nobody answers any more: everything ends.
    fn end(&mut self) {
        if let Some(listener) = self.listener {
            self.endpoint.close_listener(self.now, listener);
        }
        for connection in self.endpoint.connections().collect::<Vec<_>>() {
            self.endpoint.close(self.now, connection);
        }
        self.drain();
        for _ in 0..2000 {
            let Some(next) = self.endpoint.poll_timeout() else {
                let left: Vec<_> = self.endpoint.connections().map(|id| self.endpoint.status(id)).collect();
                assert!(left.is_empty(), "left, without a timer: {left:?}");
                return;
            };
            self.wait(next);
            self.drain();
        }
        panic!("it never ends");
    }
}
