//! What happens inside the TCP, and why.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Errno, Flags, Instant, State};

/// Identifies a connection of one endpoint. It is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

/// Identifies a listener of one endpoint. It is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub(crate) u32);

/// Something that happened to a connection or a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The connection or listener.
    pub subject: Subject,
    /// What happened.
    pub kind: EventKind,
}

/// What an event happened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A connection.
    Connection(ConnectionId),
    /// A listening socket.
    Listener(ListenerId),
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A connection was created: CLOSED if active, LISTEN if passive. This is its first event.
    Created {
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// The state changed.
    Transition {
        /// The state before.
        from: State,
        /// The state after.
        to: State,
        /// Why it changed.
        cause: Cause,
    },
    /// A timer was set, fired or was cancelled.
    Timer {
        /// The timer.
        timer: Timer,
        /// What it did.
        change: TimerChange,
    },
    /// Keepalive sent a probe or learned something about the peer.
    Keepalive(Keepalive),
    /// The application's next call will fail with this error.
    Error(Errno),
    /// A report to the application; the connection goes on.
    Report(Report),
}

/// Why the state changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The application called.
    Call(Call),
    /// A segment with these control bits arrived.
    Segment(Flags),
    /// This timer fired.
    Timer(Timer),
    /// Retransmissions of this kind reached their limit.
    GaveUp(Timer),
    /// The user timeout was over when this timer fired (RFC 9293 §3.9.1; `TCP_USER_TIMEOUT` in tcp(7)).
    UserTimeout(Timer),
    /// ICMP said that a segment was not delivered; the application gets this error.
    Unreachable(Errno),
    /// The listener closed, and its unaccepted connections with it.
    ListenerClosed,
    /// A new connection took the place of one in TIME-WAIT (RFC 6191).
    Replaced,
    /// A segment with these control bits returned a SYN cookie: the SYN, which was not remembered, counts as received
    /// (RFC 4987 §3.6).
    SynCookie(Flags),
}

/// A call of the application (RFC 9293 §3.9.1; named as in the sockets API).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// An active open.
    Connect,
    /// A passive open.
    Listen,
    /// No more data will be sent (`shutdown(SHUT_WR)`).
    Shutdown,
    /// The application is done with the socket.
    Close,
    /// The application resets the connection.
    Abort,
}

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// When to send the oldest unacknowledged segment again (RFC 6298).
    Retransmission,
    /// When to send a tail loss probe (RFC 8985 §7).
    TailLossProbe,
    /// When a segment that others overtook is deemed lost (RFC 8985 §6.2, step 5).
    Reordering,
    /// When to probe a zero window (RFC 9293 §3.8.6.1).
    Persist,
    /// When to ask an idle peer whether it is alive (RFC 9293 §3.8.4).
    Keepalive,
    /// When a delayed acknowledgment is due (RFC 9293 §3.8.6.3).
    DelayedAck,
    /// When an orphan stops waiting for the peer's FIN (Linux `tcp_fin_timeout`).
    FinWait2,
    /// When TIME-WAIT ends (RFC 9293 §3.6.1).
    TimeWait,
}

/// What a timer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// It was started or restarted.
    Set {
        /// When it will fire.
        expires: Instant,
    },
    /// It fired.
    Fired,
    /// It was stopped.
    Cancelled,
}

/// What keepalive did or learned about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keepalive {
    /// A probe was sent.
    Probe {
        /// Probes without an answer, this one included.
        unanswered: u32,
    },
    /// The peer answered.
    Alive {
        /// Probes that had no answer until then.
        probes: u32,
    },
    /// The peer answered a probe with RST: it no longer knows the connection.
    Reset {
        /// Probes sent since a segment was last received.
        probes: u32,
        /// Time from the last segment received to the RST.
        silence: Duration,
    },
    /// No probe was answered; the connection is given up.
    Dead {
        /// Probes sent since a segment was last received.
        probes: u32,
        /// Time since a segment was last received.
        silence: Duration,
    },
}

/// An asynchronous report to the application (RFC 9293 §3.9.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// ICMP said that a segment was not delivered: a soft error.
    Unreachable(Errno),
    /// The same segment was sent again this many times without an answer (R1 of RFC 9293 §3.8.3).
    Retransmissions(u32),
    /// The peer sent urgent data, which ends this many octets after where the application reads.
    Urgent(u32),
}

/// Why a segment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// New sequence space, or an acknowledgment of accepted data.
    Normal,
    /// Sequence space sent again because the retransmission timer fired.
    Retransmission,
    /// Sequence space sent again because later data was delivered.
    FastRetransmission,
    /// A tail loss probe (RFC 8985 §7).
    TailLossProbe,
    /// A probe of an idle peer (RFC 9293 §3.8.4).
    KeepaliveProbe,
    /// A probe of a closed window (RFC 9293 §3.8.6.1).
    WindowProbe,
    /// A challenge ACK: the answer to a suspicious segment (RFC 5961).
    ChallengeAck,
    /// An acknowledgment that acknowledges nothing new.
    DuplicateAck,
    /// A reset.
    Reset,
}

/// What became of a segment that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The connection that it belongs to, if any.
    pub connection: Option<ConnectionId>,
    /// Whether it was used, or why not.
    pub disposition: Disposition,
}

impl Arrival {
    /// A segment that belongs to no connection.
    pub(crate) fn dropped(reason: DropReason) -> Arrival {
        Arrival { connection: None, disposition: Disposition::Dropped(reason) }
    }
}

/// Whether a segment that arrived was used, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It was used, at least in part.
    Accepted,
    /// It was dropped; it may have been answered.
    Dropped(DropReason),
}

/// Why a segment that arrived was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// It is no valid IP datagram with a TCP segment, or its source is an address that no host can have.
    Malformed,
    /// The checksum is wrong.
    Checksum,
    /// It is not for an address of this host.
    NotForUs,
    /// It belongs to no connection; it is answered by RST unless it is one.
    NoConnection,
    /// It is a SYN to a port on which nothing listens; it is answered by RST.
    NoListener,
    /// Its sequence numbers are outside the receive window.
    OutOfWindow,
    /// Everything in it had been received before.
    Duplicate,
    /// Its timestamp is older than one already seen (RFC 7323 §5).
    OldTimestamp,
    /// It acknowledges what was never sent, or is too old.
    UnacceptableAck,
    /// It has no ACK bit where one is required.
    NoAck,
    /// It has no SYN bit where one is required.
    NoSyn,
    /// It is a SYN with a FIN, with which no connection begins.
    SynFin,
    /// It is a SYN after the handshake, or another than the one that began it. It is answered by a challenge ACK
    /// (RFC 5961 §4), or, where it ends the connection, by RST (RFC 9293 §3.10.7.4, fourth).
    UnexpectedSyn,
    /// It is a RST whose sequence number is in the window but is not `rcv.nxt` (RFC 5961 §3).
    InexactReset,
    /// The SYN queue or the accept queue is full.
    QueueFull,
    /// It completes a handshake, but the listener waits for data (Linux TCP_DEFER_ACCEPT).
    AwaitingData,
    /// It carries data, but the application has closed; it is answered by RST.
    NoReceiver,
    /// It is an ICMPv6 error with an MTU below the IPv6 minimum (RFC 8201 §4).
    ImpossibleMtu,
}

macro_rules! display {
    ($type:ty: $($variant:pat => $text:literal),+ $(,)?) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $($variant => $text),+ })
            }
        }
    };
}

display!(Call:
    Call::Connect => "connect",
    Call::Listen => "listen",
    Call::Shutdown => "shutdown",
    Call::Close => "close",
    Call::Abort => "abort",
);

display!(Timer:
    Timer::Retransmission => "retransmission",
    Timer::TailLossProbe => "tail loss probe",
    Timer::Reordering => "reordering",
    Timer::Persist => "persist",
    Timer::Keepalive => "keepalive",
    Timer::DelayedAck => "delayed ACK",
    Timer::FinWait2 => "FIN-WAIT-2",
    Timer::TimeWait => "TIME-WAIT",
);

display!(Purpose:
    Purpose::Normal => "normal",
    Purpose::Retransmission => "retransmission",
    Purpose::FastRetransmission => "fast retransmission",
    Purpose::TailLossProbe => "tail loss probe",
    Purpose::KeepaliveProbe => "keepalive probe",
    Purpose::WindowProbe => "window probe",
    Purpose::ChallengeAck => "challenge ACK",
    Purpose::DuplicateAck => "duplicate ACK",
    Purpose::Reset => "reset",
);

display!(DropReason:
    DropReason::Malformed => "malformed",
    DropReason::Checksum => "wrong checksum",
    DropReason::NotForUs => "not for this host",
    DropReason::NoConnection => "no such connection",
    DropReason::NoListener => "no listener on this port",
    DropReason::OutOfWindow => "outside the window",
    DropReason::Duplicate => "received before",
    DropReason::OldTimestamp => "old timestamp (PAWS)",
    DropReason::UnacceptableAck => "unacceptable ACK",
    DropReason::NoAck => "no ACK bit",
    DropReason::NoSyn => "no SYN bit",
    DropReason::SynFin => "SYN with FIN",
    DropReason::UnexpectedSyn => "unexpected SYN",
    DropReason::InexactReset => "RST not exactly at rcv.nxt",
    DropReason::QueueFull => "queue full",
    DropReason::AwaitingData => "no data yet (deferred accept)",
    DropReason::NoReceiver => "the application has closed",
    DropReason::ImpossibleMtu => "its MTU is below IPv6's least",
);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Call(call) => write!(f, "{call}()"),
            Cause::Segment(flags) => write!(f, "received {flags}"),
            Cause::Timer(timer) => write!(f, "{timer} timer fired"),
            Cause::GaveUp(timer) => write!(f, "{timer} timer: gave up"),
            Cause::UserTimeout(timer) => write!(f, "{timer} timer: user timeout"),
            Cause::Unreachable(errno) => write!(f, "ICMP: {errno}"),
            Cause::ListenerClosed => f.write_str("the listener closed"),
            Cause::Replaced => f.write_str("a new connection takes its place"),
            Cause::SynCookie(flags) => write!(f, "received {flags} with a SYN cookie"),
        }
    }
}
