//! One connection: a TCB (RFC 9293 §3.3.1). Each of its concerns has a file below, with the state and what is done with
//! it.

mod application;
mod arrives;
mod calls;
mod challenge;
mod cwnd;
mod delayed_ack;
mod ecn;
mod handshake;
mod info;
mod keepalive;
mod mtu_probing;
mod options;
mod outbox;
mod packets;
mod persist;
mod recovery;
mod retransmission;
mod route;
mod timeouts;
mod timestamps;
mod transmit;
mod unreachable;
mod urgent;

use std::net::SocketAddr;

use crate::ack_policy::AckPolicy;
use crate::congestion::Window;
use crate::context::Context;
use crate::memory::CONNECTION;
use crate::rcv::Rcv;
use crate::rtt::RttEstimator;
use crate::segment::IpChoice;
use crate::snd::Snd;
use crate::timers::Timers;
use crate::{
    Cause, ConnectionId, ConnectionStatus, EventKind, Flags, Header, Instant, ListenerId, Seq, SocketOptions,
    State, Timer, Totals,
};

use application::{Application, SocketSettings};
use challenge::ChallengeLimit;
use ecn::EcnState;
use handshake::Agreed;
use info::Chronograph;
use keepalive::KeepaliveState;
use mtu_probing::MtuSearch;
use outbox::Outbox;
use packets::Packets;
use persist::Persist;
use recovery::Recovery;
use retransmission::Retransmissions;
use timestamps::TimestampState;
use urgent::Urgent;

/// A connection of an endpoint.
#[derive(Debug)]
pub(crate) struct Connection {
    id: ConnectionId,
    local: SocketAddr,
    remote: SocketAddr,
    /// The listener of a passive open, until the application accepts.
    pub(crate) parent: Option<ListenerId>,
    /// SO_REUSEADDR.
    pub(crate) reuse_address: bool,
    state: State,

    // What every segment depends on.
    agreed: Agreed,
    timestamps: TimestampState,
    ip: IpChoice,
    /// The path MTU, octets, as far as it is known (RFC 1191, RFC 8201).
    pub(crate) mtu: u16,
    mtu_search: MtuSearch,
    /// Whether the host has lost the local address, so that nothing can be sent.
    unrouted: bool,

    // Sending.
    snd: Snd,
    congestion: Window,
    packets: Packets,
    /// When a segment that takes sequence space was last sent.
    last_sent: Option<Instant>,
    urgent: Urgent,

    // Congestion and losses.
    ecn: EcnState,
    rtt: RttEstimator,
    recovery: Recovery,
    retransmissions: Retransmissions,

    // Receiving.
    rcv: Rcv,
    ack_policy: AckPolicy,
    challenge_limit: ChallengeLimit,

    // Asking the peer whether it lives, and whether its window is open.
    keepalive: KeepaliveState,
    persist: Persist,

    // The application.
    socket: SocketSettings,
    application: Application,

    // What is to come.
    timers: Timers,
    outbox: Outbox,

    // What was, for those who ask.
    totals: Totals,
    chronograph: Chronograph,
}

/// What distinguishes a new connection from others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) id: ConnectionId,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) iss: Seq,
    /// Added to the clock in its timestamps.
    pub(crate) ts_offset: u32,
    /// The peer's last timestamp on the connection in TIME-WAIT whose place this one takes.
    pub(crate) recalled: Option<u32>,
    /// The path MTU, octets, as far as it is known.
    pub(crate) mtu: u16,
}

impl Connection {
    fn new(cx: &mut Context<'_>, identity: Identity, state: State) -> Connection {
        let Identity { id, local, remote, iss, ts_offset, recalled, mtu } = identity;
        let settings = cx.settings;
        let connection = Connection {
            id,
            local,
            remote,
            parent: None,
            reuse_address: false,
            state,
            agreed: Agreed::default(),
            timestamps: TimestampState::new(ts_offset, recalled),
            ip: IpChoice::default(),
            mtu,
            mtu_search: MtuSearch::new(mtu),
            unrouted: false,
            snd: Snd::new(settings, iss),
            congestion: Window::new(settings),
            packets: Packets::default(),
            last_sent: None,
            urgent: Urgent::default(),
            ecn: EcnState::default(),
            rtt: RttEstimator::new(settings),
            recovery: Recovery::default(),
            retransmissions: Retransmissions::default(),
            rcv: Rcv::new(settings),
            ack_policy: AckPolicy::new(settings),
            challenge_limit: ChallengeLimit::default(),
            keepalive: KeepaliveState::new(settings.keepalive, cx.now),
            persist: Persist::default(),
            socket: SocketSettings::new(settings),
            application: Application::default(),
            timers: Timers::new(id),
            outbox: Outbox::default(),
            totals: Totals::default(),
            chronograph: Chronograph::default(),
        };
        connection.record(cx, EventKind::Created { local, remote });
        connection
    }

    /// An active open (RFC 9293 §3.10.1): the SYN is due.
    pub(crate) fn open(cx: &mut Context<'_>, identity: Identity) -> Connection {
        let mut connection = Connection::new(cx, identity, State::Closed);
        connection.transition(cx, State::SynSent, Cause::Call(crate::Call::Connect));
        connection
    }

    /// A SYN reached a listener (RFC 9293 §3.10.7.2, third), or is known by its cookie: the SYN+ACK is due. The connection inherits the
    /// listener's options.
    pub(crate) fn answer(
        cx: &mut Context<'_>,
        identity: Identity,
        parent: (ListenerId, &SocketOptions),
        syn: &Header,
        cause: Cause,
    ) -> Connection {
        let mut connection = Connection::new(cx, identity, State::Listen);
        let (parent, options) = parent;
        connection.parent = Some(parent);
        connection.set_options(cx, options);
        connection.count_received(syn);
        connection.synchronize(cx, syn);
        connection.transition(cx, State::SynReceived, cause);
        connection
    }

    pub(crate) fn id(&self) -> ConnectionId {
        self.id
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        (self.local, self.remote)
    }

    /// The memory that it takes, octets.
    pub(crate) fn memory(&self) -> u64 {
        CONNECTION + self.snd.memory() + self.rcv.memory()
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether the connection is no longer needed: it is CLOSED, and the application knows.
    pub(crate) fn is_gone(&self) -> bool {
        self.state == State::Closed && self.is_orphan() && self.outbox.reset.is_none()
    }

    pub(crate) fn status(&self) -> ConnectionStatus {
        ConnectionStatus {
            state: self.state,
            local: self.local,
            remote: self.remote,
            unread: self.rcv.unread(),
            unacknowledged: self.snd.unacknowledged(),
            snd_una: self.snd.una,
            snd_nxt: self.snd.nxt,
            rcv_nxt: self.rcv.nxt,
            urgent: self.urgent_octets(),
        }
    }

    /// Whether an active open may replace this connection (RFC 6191; Linux `tcp_twsk_unique`).
    pub(crate) fn may_be_reopened(&self) -> bool {
        self.state == State::TimeWait && self.agreed.timestamps
    }

    /// The peer's last timestamp, if both ends use them.
    pub(crate) fn peer_timestamp(&self) -> Option<u32> {
        self.agreed.timestamps.then_some(self.timestamps.recent)
    }

    /// Whether this SYN may begin a new connection in place of this one in TIME-WAIT (RFC 9293 §3.6.1, RFC 6191).
    pub(crate) fn may_be_replaced_by(&self, syn: &Header) -> bool {
        let newer_clock = self.agreed.timestamps && self.timestamps.is_newer(syn);
        self.state == State::TimeWait && (syn.seq.after(self.rcv.nxt) || newer_clock)
    }

    /// The only writer of the state.
    fn transition(&mut self, cx: &mut Context<'_>, to: State, cause: Cause) {
        let from = std::mem::replace(&mut self.state, to);
        debug_assert_ne!(from, to, "a transition goes somewhere");
        self.record(cx, EventKind::Transition { from, to, cause });
        match to {
            State::Closed => {
                self.timers.cancel_all(cx);
                self.snd.clear();
                self.outbox = Outbox::default();
                // A handshake that nobody accepted has no application.
                self.application.has_closed |= from == State::SynReceived && self.parent.is_some();
            }
            State::TimeWait => {
                self.timers.cancel_all(cx);
                self.timers.set(cx, Timer::TimeWait, cx.settings.time_wait);
            }
            State::FinWait2 => {
                self.timers.cancel(cx, Timer::Retransmission);
                self.limit_fin_wait_2(cx);
            }
            State::Established => self.keepalive_received(cx),
            State::Listen
            | State::SynSent
            | State::SynReceived
            | State::FinWait1
            | State::CloseWait
            | State::Closing
            | State::LastAck => {}
        }
    }

    /// An orphan does not stay in FIN-WAIT-2 for ever (Linux `tcp_fin_timeout`).
    fn limit_fin_wait_2(&mut self, cx: &mut Context<'_>) {
        if self.is_orphan()
            && self.state == State::FinWait2
            && let Some(timeout) = cx.settings.fin_timeout
        {
            self.timers.cancel(cx, Timer::Keepalive);
            self.timers.set(cx, Timer::FinWait2, timeout);
        }
    }

    /// Ends the connection and sends a RST.
    fn reset_peer(&mut self, cx: &mut Context<'_>, cause: Cause) {
        self.transition(cx, State::Closed, cause);
        self.queue_reset(cx);
    }

    /// Sends a RST and nothing else. It has timestamps and a window as every segment (RFC 7323 §3.2; Linux
    /// `tcp_send_active_reset`).
    fn queue_reset(&mut self, cx: &mut Context<'_>) {
        let seq = self.acceptable_seq(cx);
        let header = self.ack_header(cx, seq);
        self.outbox.reset = Some(Header { flags: Flags::RST | Flags::ACK, urgent: 0, ..header });
    }

    fn record(&self, cx: &mut Context<'_>, kind: EventKind) {
        cx.record(self.id, kind);
    }
}
