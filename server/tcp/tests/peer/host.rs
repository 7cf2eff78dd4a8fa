//! What a case asks of a TCP, and our own.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::time::Duration;

use halfopen_tcp::{
    Cause, Config, ConnectionId, DelayedAckSettings, Endpoint, EventKind, Flags, Instant, KeepaliveSettings,
    ListenerId, Profile, Received, Settings, State, Subject, WindowScale,
};

use crate::plan::Tuning;

/// The port that end 1 listens on.
pub(crate) const PORT: u16 = 80;

/// The address of an end.
pub(crate) fn address(end: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, 1 + end as u8)
}

/// How a connection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is none yet.
    Opening,
    /// Open, at least one way.
    Open,
    /// Gone, after both FINs were acknowledged as far as this end can know.
    Clean,
    /// Gone, for this reason.
    Failed(String),
}

/// A TCP with one connection.
pub(crate) trait Host {
    fn standing(&mut self) -> Standing;
    /// How many octets it took.
    fn write(&mut self, now: Instant, octets: &[u8]) -> usize;
    fn read(&mut self, now: Instant, buffer: &mut [u8]) -> Received;
    /// Sends FIN behind everything written.
    fn shutdown(&mut self, now: Instant);
    /// The application is gone.
    fn close(&mut self, now: Instant);
    fn abort(&mut self, now: Instant);
    /// Whether the peer has acknowledged everything, our FIN too.
    fn is_acknowledged(&mut self) -> bool;
    fn arrives(&mut self, now: Instant, datagram: &[u8]);
    fn wake(&mut self, now: Instant);
    fn wakes_at(&mut self, now: Instant) -> Option<Instant>;
    fn transmit(&mut self, now: Instant) -> Option<Vec<u8>>;
    /// What is left although everything has ended.
    fn leftovers(&mut self) -> Vec<String>;
    /// For a message about a failed case.
    fn describe(&mut self) -> String;
}

/// Our TCP.
pub(crate) struct Halfopen {
    endpoint: Endpoint,
    listener: Option<ListenerId>,
    connection: Option<ConnectionId>,
    /// Whether `connection` was ever established.
    open: bool,
    clean: bool,
    error: Option<String>,
}

impl Halfopen {
    pub(crate) fn new(end: usize, seed: u64, tuning: &Tuning) -> Halfopen {
        let addresses = vec![IpAddr::V4(address(end))];
        let secret = seed.wrapping_add(end as u64);
        let mut endpoint = Endpoint::new(Config::new(addresses, settings(tuning), secret));
        let (mut listener, mut connection) = (None, None);
        if end == 0 {
            let remote = SocketAddr::new(IpAddr::V4(address(1)), PORT);
            connection = Some(endpoint.connect(Instant::ZERO, None, remote).expect("ports are free"));
        } else {
            listener = Some(endpoint.listen(Instant::ZERO, PORT, 8).expect("the port is free"));
        }
        Halfopen { endpoint, listener, connection, open: false, clean: false, error: None }
    }

    fn state(&self) -> Option<State> {
        Some(self.endpoint.status(self.connection?)?.state)
    }

    fn note_events(&mut self) {
        if let Some(listener) = self.listener
            && let Some(accepted) = self.endpoint.accept(listener)
        {
            assert_eq!(self.connection, None, "one SYN made two connections");
            self.connection = Some(accepted);
        }
        while let Some(event) = self.endpoint.poll_event() {
            let EventKind::Transition { from, to, cause } = event.kind else { continue };
            let Subject::Connection(id) = event.subject else { continue };
            if self.connection.is_some_and(|connection| connection != id) {
                continue;
            }
            let acknowledged = matches!(cause, Cause::Segment(flags) if !flags.contains(Flags::RST));
            self.clean |= to == State::TimeWait;
            self.clean |= (from, to) == (State::LastAck, State::Closed) && acknowledged;
        }
    }
}

/// The profile's settings, with what the case changes. Keepalive finds a peer that is gone.
fn settings(tuning: &Tuning) -> Settings {
    let profile = tuning.profile.settings();
    let seconds = Duration::from_secs;
    // Linux has no smaller buffer: half of SOCK_MIN_RCVBUF.
    let least = if tuning.profile == Profile::Linux { 1152 } else { 1 };
    Settings {
        keepalive: Some(KeepaliveSettings { idle: seconds(20), interval: seconds(10), probes: 6 }),
        congestion: tuning.congestion,
        receive_buffer: tuning.receive_buffer.max(least),
        send_buffer: tuning.send_buffer,
        send_buffer_max: None,
        mtu: tuning.mtu,
        window_scale: tuning.window_scale.map(WindowScale::Shift),
        timestamps: tuning.timestamps,
        sack: tuning.sack,
        nagle: tuning.nagle,
        delayed_ack: profile.delayed_ack.filter(|_: &DelayedAckSettings| tuning.delayed_ack),
        ..profile
    }
}

impl Host for Halfopen {
    fn standing(&mut self) -> Standing {
        self.note_events();
        let Some(connection) = self.connection else { return Standing::Opening };
        // Whoever was told of an error still takes what has arrived.
        if self.endpoint.status(connection).is_some_and(|status| status.unread > 0) {
            return Standing::Open;
        }
        if let Some(error) = &self.error {
            return Standing::Failed(error.clone());
        }
        match self.endpoint.connected(connection) {
            Poll::Ready(Err(errno)) if !self.clean => {
                self.error = Some(errno.to_string());
                Standing::Failed(errno.to_string())
            }
            Poll::Ready(Err(_)) => Standing::Clean,
            Poll::Ready(Ok(())) => {
                self.open = true;
                Standing::Open
            }
            Poll::Pending => Standing::Opening,
        }
    }

    fn write(&mut self, now: Instant, octets: &[u8]) -> usize {
        let Some(connection) = self.connection else { return 0 };
        self.endpoint.send(now, connection, octets).unwrap_or_else(|errno| {
            self.error = Some(errno.to_string());
            0
        })
    }

    fn read(&mut self, now: Instant, buffer: &mut [u8]) -> Received {
        let Some(connection) = self.connection else { return Received::Nothing };
        match self.endpoint.receive(now, connection, buffer) {
            // Once an error has been told, a socket says that it is at its end.
            Ok(Received::End) if self.error.is_some() => Received::Nothing,
            Ok(received) => received,
            Err(errno) => {
                self.error = Some(errno.to_string());
                Received::Nothing
            }
        }
    }

    fn shutdown(&mut self, now: Instant) {
        if let Some(connection) = self.connection
            && let Err(errno) = self.endpoint.shutdown(now, connection)
        {
            self.error = Some(errno.to_string());
        }
    }

    fn close(&mut self, now: Instant) {
        if let Some(connection) = self.connection {
            self.endpoint.close(now, connection);
        }
    }

    fn abort(&mut self, now: Instant) {
        if let Some(connection) = self.connection {
            self.endpoint.abort(now, connection);
        }
    }

    fn is_acknowledged(&mut self) -> bool {
        matches!(self.state(), None | Some(State::Closed | State::TimeWait | State::FinWait2))
    }

    fn arrives(&mut self, now: Instant, datagram: &[u8]) {
        self.endpoint.handle_datagram(now, datagram);
    }

    fn wake(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        assert!(self.endpoint.poll_timeout().is_none_or(|at| at > now), "a timer that fires for ever");
    }

    fn wakes_at(&mut self, _now: Instant) -> Option<Instant> {
        self.endpoint.poll_timeout()
    }

    fn transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        let mut octets = Vec::new();
        self.endpoint.poll_transmit(now, &mut octets)?;
        Some(octets)
    }

    fn leftovers(&mut self) -> Vec<String> {
        let left = self.endpoint.connections().filter_map(|id| self.endpoint.status(id));
        left.map(|status| format!("{status:?}")).collect()
    }

    fn describe(&mut self) -> String {
        let all: Vec<_> = self.endpoint.connections().map(|id| self.endpoint.status(id)).collect();
        format!("ours: open {}, clean {}, error {:?}, {all:?}", self.open, self.clean, self.error)
    }
}
