//! Tests of the whole endpoint: one against hand-made segments, or two against each other.

mod binding;
mod choices;
mod close;
mod congestion;
mod ecn;
mod figures;
mod handshake;
mod icmp;
mod info;
mod keepalive;
mod loss;
mod mtu_probing;
mod options;
mod pair;
mod profiles;
mod recorded;
mod requirements;
mod route;
mod segments_by_state;
mod syn_cookies;
mod transfer;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::segment::{IpChoice, decode, encode};
use crate::{
    Arrival, Config, ConnectionId, Endpoint, Event, EventKind, Flags, Header, Instant, ListenerId, Options,
    Profile, Seq, Settings, State, Subject, Transmit,
};

/// A number of milliseconds.
fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A number of seconds.
fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Linux without options and with a fixed ISS, so that numbers are easy to read.
fn plain(iss: u32) -> Settings {
    Settings {
        timestamps: false,
        sack: false,
        window_scale: None,
        initial_sequence: Some(iss),
        ..Profile::Linux.settings()
    }
}

fn endpoint(address: &str, settings: Settings) -> Endpoint {
    let addresses: Vec<IpAddr> = vec![address.parse().unwrap()];
    Endpoint::new(Config::new(addresses, settings, 7))
}

/// A segment in brief: flags, seq, ack, octets of data.
type Brief = (Flags, u32, u32, usize);

const SYN: Flags = Flags::SYN;
const FIN: Flags = Flags::FIN;
const RST: Flags = Flags::RST;
const ACK: Flags = Flags::ACK;
const PSH: Flags = Flags::PSH;

/// One endpoint, its peer played by the test. Our ISS is 100, the peer's 300.
struct Lone {
    endpoint: Endpoint,
    now: Instant,
    local: SocketAddr,
    peer: SocketAddr,
    listener: Option<ListenerId>,
    connection: Option<ConnectionId>,
}

impl Lone {
    fn new(settings: Settings) -> Lone {
        Lone {
            endpoint: endpoint("10.0.0.1", settings),
            now: Instant::ZERO,
            local: "10.0.0.1:5000".parse().unwrap(),
            peer: "10.0.0.2:80".parse().unwrap(),
            listener: None,
            connection: None,
        }
    }

    fn id(&self) -> ConnectionId {
        self.connection.unwrap()
    }

    /// The state of the connection, LISTEN of the listener, or CLOSED.
    fn state(&self) -> State {
        match (self.connection, self.listener) {
            (Some(id), _) => self.endpoint.status(id).map_or(State::Closed, |status| status.state),
            (None, Some(_)) => State::Listen,
            (None, None) => State::Closed,
        }
    }

    fn listen(&mut self) {
        self.listener = Some(self.endpoint.listen(self.now, self.local.port(), 8).unwrap());
    }

    fn connect(&mut self) {
        self.connection = Some(self.endpoint.connect(self.now, Some(self.local.port()), self.peer).unwrap());
    }

    /// Writes all of it before any of it is sent.
    fn write(&mut self, octets: &[u8]) {
        let (id, mut at) = (self.id(), 0);
        while at < octets.len() {
            let taken = self.endpoint.send(self.now, id, &octets[at..]).unwrap();
            assert!(taken > 0, "the buffer is full after {at}");
            at += taken;
        }
    }

    /// A segment of the peer arrives; returns what is sent at once.
    fn deliver(&mut self, (flags, seq, ack, len): Brief) -> (Arrival, Vec<Brief>) {
        self.deliver_with(flags, seq, ack, &vec![b'x'; len], 65_535, Options::default())
    }

    fn deliver_with(
        &mut self,
        flags: Flags,
        seq: u32,
        ack: u32,
        payload: &[u8],
        window: u16,
        options: Options,
    ) -> (Arrival, Vec<Brief>) {
        let arrival = self.arrives(flags, seq, ack, payload, window, options);
        if self.connection.is_none() {
            self.connection = arrival.connection;
        }
        (arrival, self.sent_now())
    }

    /// A segment of the peer arrives, and nothing is sent yet.
    fn arrives(
        &mut self,
        flags: Flags,
        seq: u32,
        ack: u32,
        payload: &[u8],
        window: u16,
        options: Options,
    ) -> Arrival {
        let header = Header {
            seq: Seq(seq),
            ack: Seq(ack),
            flags,
            window,
            payload: payload.len() as u32,
            options,
            ..Header::default()
        };
        let mut octets = Vec::new();
        encode(IpChoice::default(), self.peer, self.local, &header, (payload, b""), &mut octets);
        self.endpoint.handle_datagram(self.now, &octets)
    }

    /// What the endpoint sends now, in brief.
    fn sent_now(&mut self) -> Vec<Brief> {
        self.transmits()
            .into_iter()
            .map(|sent| {
                (sent.header.flags, sent.header.seq.0, sent.header.ack.0, sent.header.payload as usize)
            })
            .collect()
    }

    fn transmits(&mut self) -> Vec<Transmit> {
        let mut buffer = Vec::new();
        std::iter::from_fn(|| {
            buffer.clear();
            let transmit = self.endpoint.poll_transmit(self.now, &mut buffer)?;
            let segment = decode(&buffer).expect("what is sent can be read");
            assert_eq!(segment.header, transmit.header);
            Some(transmit)
        })
        .collect()
    }

    /// Goes to the next timer and fires it; what is sent then.
    fn wait(&mut self) -> Vec<Brief> {
        self.now = self.endpoint.poll_timeout().expect("a timer runs");
        self.endpoint.handle_timeout(self.now);
        self.sent_now()
    }

    fn events(&mut self) -> Vec<EventKind> {
        std::iter::from_fn(|| self.endpoint.poll_event()).map(|event: Event| event.kind).collect()
    }

    /// The states that the connection went through since last asked.
    fn path(&mut self) -> Vec<State> {
        path(&std::iter::from_fn(|| self.endpoint.poll_event()).collect::<Vec<_>>())
    }

    /// An endpoint whose connection is in `state`: snd.nxt is 101 or, behind our FIN, 102; rcv.nxt is 301 or,
    /// behind the peer's FIN, 302.
    fn in_state(state: State, settings: Settings) -> Lone {
        let mut lone = Lone::new(settings);
        match state {
            State::Closed => return lone,
            State::Listen => {
                lone.listen();
                return lone;
            }
            State::SynSent => {
                lone.connect();
                assert_eq!(lone.sent_now(), [(SYN, 100, 0, 0)]);
                return lone;
            }
            State::SynReceived => {
                lone.listen();
                assert_eq!(lone.deliver((SYN, 300, 0, 0)).1, [(SYN | ACK, 100, 301, 0)]);
                return lone;
            }
            _ => {
                lone.connect();
                lone.sent_now();
                assert_eq!(lone.deliver((SYN | ACK, 300, 101, 0)).1, [(ACK, 101, 301, 0)]);
            }
        }
        let shutdown = |lone: &mut Lone| {
            lone.endpoint.shutdown(lone.now, lone.connection.unwrap()).unwrap();
            let fin = lone.sent_now();
            assert_eq!((fin[0].0, fin[0].1), (FIN | ACK, 101));
        };
        match state {
            State::FinWait1 => shutdown(&mut lone),
            State::FinWait2 => {
                shutdown(&mut lone);
                lone.deliver((ACK, 301, 102, 0));
            }
            State::CloseWait => {
                lone.deliver((FIN | ACK, 301, 101, 0));
            }
            State::Closing => {
                shutdown(&mut lone);
                lone.deliver((FIN | ACK, 301, 101, 0));
            }
            State::LastAck => {
                lone.deliver((FIN | ACK, 301, 101, 0));
                shutdown(&mut lone);
            }
            State::TimeWait => {
                shutdown(&mut lone);
                lone.deliver((FIN | ACK, 301, 102, 0));
            }
            _ => {}
        }
        assert_eq!(lone.state(), state);
        lone.events();
        lone
    }
}

/// The states that connections went through, in the order of `events`.
fn path(events: &[Event]) -> Vec<State> {
    let mut path = Vec::new();
    for event in events {
        if let (Subject::Connection(_), EventKind::Transition { from, to, .. }) = (event.subject, event.kind)
        {
            if path.is_empty() {
                path.push(from);
            }
            path.push(to);
        }
    }
    path
}
