//! One connection: a TCB (RFC 9293 §3.3.1) and what happens to it. One concern a file below.

mod arrives;
mod calls;
mod challenge;
mod delayed_ack;
mod keepalive;
mod recovery;
mod timeouts;
mod transmit;
mod unreachable;
mod urgent;

use std::net::SocketAddr;
use std::time::Duration;

use crate::ack_policy::AckPolicy;
use crate::congestion::Window;
use crate::context::Context;
use crate::rcv::Rcv;
use crate::rtt::RttEstimator;
use crate::segment::{IpChoice, TIMESTAMPS_OPTION, default_mss, mss_for_mtu};
use crate::snd::Snd;
use crate::timers::Timers;
use crate::{
    Cause, ConnectionId, ConnectionStatus, Errno, EventKind, Flags, Header, Instant, ListenerId, Options,
    Purpose, Report, Seq, Settings, State, Timer, Timestamps,
};

use challenge::ChallengeLimit;
use keepalive::KeepaliveState;
use recovery::Recovery;
use urgent::Urgent;

/// What both ends agreed on in the handshake.
#[derive(Clone, Copy, Debug, Default)]
struct Agreed {
    timestamps: bool,
    sack: bool,
    window_scale: bool,
}

/// Segments that are due besides data: at most one of each.
#[derive(Clone, Debug, Default)]
struct Outbox {
    /// A RST; nothing else follows.
    reset: Option<Header>,
    /// An acknowledgment, at once.
    ack: Option<Purpose>,
    /// What arrived twice: told by the next acknowledgment (RFC 2883).
    dsack: Option<(Seq, Seq)>,
    /// The urgent pointer, though the window is closed.
    urgent: bool,
    /// A probe without data at `snd.una` - 1.
    probe: Option<Purpose>,
    /// New data, however little of it the peer's window takes.
    silly: bool,
    /// The newest segment again.
    tail_loss_probe: bool,
}

/// A connection of an endpoint.
#[derive(Debug)]
pub(crate) struct Connection {
    id: ConnectionId,
    local: SocketAddr,
    remote: SocketAddr,
    ip: IpChoice,
    /// What the path takes, octets, as far as known (RFC 1191, RFC 8201).
    pub(crate) mtu: u16,
    /// The listener of a passive open, until the application accepts.
    pub(crate) parent: Option<ListenerId>,
    state: State,
    agreed: Agreed,
    snd: Snd,
    rcv: Rcv,
    rtt: RttEstimator,
    congestion: Window,
    recovery: Recovery,
    timers: Timers,
    keepalive: KeepaliveState,
    urgent: Urgent,
    ack_policy: AckPolicy,
    outbox: Outbox,
    nagle: bool,
    /// How long data may stay unacknowledged, or a probed peer silent (TCP_USER_TIMEOUT).
    user_timeout: Option<Duration>,
    /// How long `close` waits for the last acknowledgment; zero: it resets (SO_LINGER).
    linger: Option<Duration>,
    /// The application will read no more than what is there (`shutdown(SHUT_RD)`).
    read_shut: bool,
    /// What a router said; the reason if the connection is given up later.
    soft_error: Option<Errno>,
    /// The application has closed the socket: nobody reads, nobody is told.
    orphan: bool,
    /// What the application's next call fails with.
    error: Option<Errno>,
    /// `TS.Recent` (RFC 7323 §4.3).
    ts_recent: u32,
    /// Added to our clock in timestamps (RFC 7323 §5.4).
    ts_offset: u32,
    /// How often the retransmission timer fired since anything new was acknowledged.
    timeouts: u32,
    /// When it fired first since then.
    first_timeout: Option<Instant>,
    /// Segments still to come of a packet that is cut up below the stack, and whether it has more than one.
    packet_left: u32,
    packet_is_many: bool,
    /// The same of a packet that is sent again.
    again_left: u32,
    again_is_many: bool,
    /// The congestion window has room that waits for more of it.
    saves_room: bool,
    /// When data or FIN was last sent.
    last_sent: Option<Instant>,
    /// When the closed window was first probed.
    first_window_probe: Option<Instant>,
    /// Probes of a closed window without an answer.
    window_probes: u32,
    /// When the first of them was sent.
    unanswered_since: Option<Instant>,
    /// How often the time between two such probes has doubled.
    persist_backoff: u32,
    challenge_limit: ChallengeLimit,
}

/// What identifies a new connection and makes it unlike others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    pub(crate) id: ConnectionId,
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) iss: Seq,
    pub(crate) ts_offset: u32,
    /// What the path takes, octets, as far as known.
    pub(crate) mtu: u16,
}

impl Connection {
    fn new(cx: &mut Context<'_>, identity: Identity, state: State) -> Connection {
        let Identity { id, local, remote, iss, ts_offset, mtu } = identity;
        let settings = cx.settings;
        let connection = Connection {
            id,
            local,
            remote,
            ip: IpChoice::default(),
            mtu,
            parent: None,
            state,
            agreed: Agreed::default(),
            snd: Snd::new(iss, settings.send_buffer, settings.packet_memory),
            rcv: Rcv::new(settings),
            rtt: RttEstimator::new(settings),
            congestion: Window::new(settings),
            recovery: Recovery::default(),
            timers: Timers::new(id),
            keepalive: KeepaliveState::new(settings.keepalive, cx.now),
            urgent: Urgent::default(),
            ack_policy: AckPolicy::new(settings),
            outbox: Outbox::default(),
            nagle: settings.nagle,
            user_timeout: settings.user_timeout,
            linger: None,
            read_shut: false,
            soft_error: None,
            orphan: false,
            error: None,
            ts_recent: 0,
            ts_offset,
            timeouts: 0,
            first_timeout: None,
            packet_left: 0,
            packet_is_many: false,
            again_left: 0,
            again_is_many: false,
            saves_room: false,
            last_sent: None,
            first_window_probe: None,
            window_probes: 0,
            unanswered_since: None,
            persist_backoff: 0,
            challenge_limit: ChallengeLimit::default(),
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

    /// A SYN reached a listener (RFC 9293 §3.10.7.2, third): the SYN+ACK is due.
    pub(crate) fn answer(
        cx: &mut Context<'_>,
        identity: Identity,
        parent: ListenerId,
        syn: &Header,
    ) -> Connection {
        let mut connection = Connection::new(cx, identity, State::Listen);
        connection.parent = Some(parent);
        connection.synchronize(cx.settings, syn);
        connection.transition(cx, State::SynReceived, Cause::Segment(syn.flags));
        connection
    }

    /// Takes sequence number, window and options of the peer's SYN.
    fn synchronize(&mut self, settings: &Settings, syn: &Header) {
        self.rcv.synchronize(syn.seq);
        self.snd.set_window(syn);
        let theirs = &syn.options;
        self.agreed = Agreed {
            timestamps: settings.timestamps && theirs.timestamps.is_some(),
            sack: settings.sack && theirs.sack_permitted,
            window_scale: settings.window_scale.is_some() && theirs.window_scale.is_some(),
        };
        if let Some(Timestamps { value, .. }) = theirs.timestamps {
            self.ts_recent = value;
        }
        // RFC 9293 §3.7.1: Eff.snd.MSS. An MSS option of nearly nothing would make segments without data.
        let theirs_mss =
            u32::from(theirs.mss.unwrap_or(default_mss(self.remote.ip()))).max(64) - self.option_octets();
        self.snd.mss = theirs_mss.min(self.payload_for_mtu());
        let ours = u32::from(self.announced_mss(settings)) - self.option_octets();
        let scale = if self.agreed.window_scale { settings.window_scale.unwrap_or(0).min(14) } else { 0 };
        if self.agreed.window_scale {
            // RFC 7323 §2.3: a shift above 14 counts as 14.
            self.snd.scale = theirs.window_scale.unwrap_or(0).min(14);
        }
        let headers = u32::from(self.mtu).saturating_sub(self.payload_for_mtu());
        self.rcv.agree(scale, ours, headers);
        self.rcv.sack = self.agreed.sack;
    }

    /// Octets that the options of every segment take.
    fn option_octets(&self) -> u32 {
        if self.agreed.timestamps { u32::from(TIMESTAMPS_OPTION) } else { 0 }
    }

    /// Octets of data in a segment that fits the path's MTU.
    fn payload_for_mtu(&self) -> u32 {
        u32::from(mss_for_mtu(self.mtu, self.remote.ip())).max(64) - self.option_octets()
    }

    /// The MSS option of our SYN.
    fn announced_mss(&self, settings: &Settings) -> u16 {
        let most = mss_for_mtu(self.mtu, self.remote.ip()).max(64);
        settings.mss.map_or(most, |mss| mss.clamp(64, most))
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

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Whether nobody needs it any more: closed, and the application knows.
    pub(crate) fn is_gone(&self) -> bool {
        self.state == State::Closed && self.orphan && self.outbox.reset.is_none()
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

    /// Whether we may open another in the place of this one.
    pub(crate) fn may_be_reopened(&self) -> bool {
        self.state == State::TimeWait && self.agreed.timestamps
    }

    /// Whether this SYN may begin a new connection in place of this one in TIME-WAIT (RFC 9293 §3.6.1, RFC 6191).
    pub(crate) fn may_be_replaced_by(&self, syn: &Header) -> bool {
        let newer_clock = match (self.agreed.timestamps, syn.options.timestamps) {
            (true, Some(timestamps)) => is_later(timestamps.value, self.ts_recent),
            _ => false,
        };
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
                self.orphan |= from == State::SynReceived && self.parent.is_some();
            }
            State::TimeWait => {
                self.timers.cancel_all(cx);
                self.timers.set(cx, Timer::TimeWait, cx.settings.time_wait);
            }
            State::FinWait2 => {
                self.timers.cancel(cx, Timer::Retransmission);
                self.watch_orphan(cx);
            }
            State::Established => self.keepalive_heard(cx),
            State::Listen
            | State::SynSent
            | State::SynReceived
            | State::FinWait1
            | State::CloseWait
            | State::Closing
            | State::LastAck => {}
        }
    }

    /// An orphan does not wait in FIN-WAIT-2 for ever (Linux `tcp_fin_timeout`).
    fn watch_orphan(&mut self, cx: &mut Context<'_>) {
        if self.orphan
            && self.state == State::FinWait2
            && let Some(timeout) = cx.settings.fin_timeout
        {
            self.timers.cancel(cx, Timer::Keepalive);
            self.timers.set(cx, Timer::FinWait2, timeout);
        }
    }

    /// The connection ends by an error that the application, if there still is one, is told.
    fn fail(&mut self, cx: &mut Context<'_>, errno: Errno, cause: Cause) {
        if !self.orphan {
            self.error = Some(errno);
            self.record(cx, EventKind::Error(errno));
        }
        self.transition(cx, State::Closed, cause);
    }

    /// Tells the application, if there still is one, what it may like to know (RFC 9293 §3.9.1.8).
    fn report(&self, cx: &mut Context<'_>, report: Report) {
        if !self.orphan {
            self.record(cx, EventKind::Report(report));
        }
    }

    /// Sends a RST for this connection and forgets everything else that was due.
    fn reset_peer(&mut self, cx: &mut Context<'_>, seq: Seq, cause: Cause) {
        let ack = self.rcv.nxt;
        self.transition(cx, State::Closed, cause);
        self.outbox.reset = Some(Header { seq, ack, flags: Flags::RST | Flags::ACK, ..Header::default() });
    }

    fn record(&self, cx: &mut Context<'_>, kind: EventKind) {
        cx.record(self.id, kind);
    }

    /// The options of every segment but a SYN.
    fn options(&mut self, now: Instant) -> Options {
        let mut options = Options::default();
        if self.agreed.timestamps {
            options.timestamps = Some(Timestamps { value: self.timestamp(now), echo: self.ts_recent });
        }
        if self.agreed.sack {
            if let Some((left, right)) = self.outbox.dsack.take() {
                options.sack.push(left, right);
            }
            self.rcv.push_sack_blocks(&mut options.sack);
            // Three blocks fit beside timestamps, four without (RFC 2018 §3).
            options.sack.fit(40 - self.option_octets());
        }
        options
    }

    /// Notes a duplicate for the next acknowledgment to report (RFC 2883 §4).
    fn report_duplicate(&mut self, settings: &Settings, left: Seq, right: Seq) {
        if settings.dsack {
            self.outbox.dsack = Some((left, right));
        }
    }

    /// Our timestamp clock: milliseconds, from a start of its own.
    fn timestamp(&self, now: Instant) -> u32 {
        ((now.as_nanos() / 1_000_000) as u32).wrapping_add(self.ts_offset)
    }
}

/// Whether timestamp `a` is later than `b`, modulo 2^32.
fn is_later(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) > 0
}
