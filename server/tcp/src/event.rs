//! What happened inside the TCP, with causes.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Errno, Flags, Instant, State};

/// Names a connection of one endpoint. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u32);

/// Names a listener of one endpoint. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub(crate) u32);

/// Something that happened to a connection or a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub subject: Subject,
    /// What.
    pub kind: EventKind,
}

/// Whose an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A connection's.
    Connection(ConnectionId),
    /// A listening socket's.
    Listener(ListenerId),
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A connection came to be, in state CLOSED or, under a listener, LISTEN. Its first event.
    Created {
        /// Our address.
        local: SocketAddr,
        /// The peer's address.
        remote: SocketAddr,
    },
    /// The state changed.
    Transition {
        /// Before.
        from: State,
        /// After.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// A timer was set, fired or was cancelled.
    Timer {
        /// Which.
        timer: Timer,
        /// What it did.
        change: TimerChange,
    },
    /// What keepalive found out.
    Keepalive(Keepalive),
    /// An error that the application's next call gets.
    Error(Errno),
    /// Something that the application may like to know; the connection goes on.
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
    /// A router said, or a host, that a segment could not be delivered; the application gets this error.
    Unreachable(Errno),
    /// The listener closed, and its unaccepted connections with it.
    ListenerClosed,
    /// A new connection took the place of one in TIME-WAIT (RFC 6191).
    Replaced,
}

/// A call of the application (RFC 9293 §3.9.1, with the sockets' words where they differ).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Active open.
    Connect,
    /// Passive open.
    Listen,
    /// No more data will be sent.
    Shutdown,
    /// The application is done with the socket.
    Close,
    /// Reset.
    Abort,
}

/// The timers of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// When to send the oldest unacknowledged segment again (RFC 6298).
    Retransmission,
    /// When to send a tail loss probe (RFC 8985 §7).
    TailLossProbe,
    /// When a segment that others overtook is lost (RFC 8985 §6.3).
    Reordering,
    /// When to probe a zero window (RFC 9293 §3.8.6.1).
    Persist,
    /// When to ask an idle peer whether it is alive (RFC 9293 §3.8.4).
    Keepalive,
    /// When an acknowledgment can wait no longer (RFC 9293 §3.8.6.3).
    DelayedAck,
    /// When an orphan stops waiting for the peer's FIN (Linux `tcp_fin_timeout`).
    FinWait2,
    /// When TIME-WAIT ends (RFC 9293 §3.6.1).
    TimeWait,
}

/// What a timer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerChange {
    /// It runs now, or again.
    Set {
        /// When it will fire.
        expires: Instant,
    },
    /// Its moment came.
    Fired,
    /// It is not needed any more.
    Cancelled,
}

/// What keepalive found out about the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keepalive {
    /// A probe was sent; so many are unanswered now.
    Probe {
        /// Including this one.
        unanswered: u32,
    },
    /// The peer answered.
    Alive {
        /// Probes that had been unanswered until then.
        probes: u32,
    },
    /// The peer answered a probe with RST: it no longer knows the connection.
    Reset {
        /// Probes sent since anything was last received.
        probes: u32,
        /// Time since anything was last received before the RST.
        silence: Duration,
    },
    /// Nobody answered; the connection is gone.
    Dead {
        /// Probes sent since anything was last received.
        probes: u32,
        /// Time since anything was last received.
        silence: Duration,
    },
}

/// What an application may like to know of a connection that goes on (RFC 9293 §3.9.1.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// A router said, or a host, that a segment could not be delivered: a soft error.
    Unreachable(Errno),
    /// The same segment was sent again so often without an answer (R1 of RFC 9293 §3.8.3).
    Retransmissions(u32),
    /// The peer marked as urgent what comes next: so many octets from where the application reads.
    Urgent(u32),
}

/// Why a segment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// New sequence space, or a plain acknowledgment of accepted data.
    Normal,
    /// Sequence space sent before, because the retransmission timer fired.
    Retransmission,
    /// Sequence space sent before, because later data was acknowledged.
    FastRetransmission,
    /// A tail loss probe.
    TailLossProbe,
    /// A question to an idle peer.
    KeepaliveProbe,
    /// A question to a peer whose window is closed.
    WindowProbe,
    /// The answer to a suspicious segment (RFC 5961).
    ChallengeAck,
    /// An acknowledgment of something already acknowledged.
    DuplicateAck,
    /// A reset.
    Reset,
}

/// What became of a segment that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Whose it was, if anybody's.
    pub connection: Option<ConnectionId>,
    /// Used, or why not.
    pub disposition: Disposition,
}

impl Arrival {
    /// It belonged to no connection.
    pub(crate) fn dropped(reason: DropReason) -> Arrival {
        Arrival { connection: None, disposition: Disposition::Dropped(reason) }
    }
}

/// Used, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// It was used, at least in part.
    Accepted,
    /// It changed nothing (it may have been answered).
    Dropped(DropReason),
}

/// Why a segment that arrived was not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// Not an IP datagram with a TCP segment that can be read, or from an address that no host has.
    Malformed,
    /// The checksum is wrong.
    Checksum,
    /// Not for an address of this host.
    NotForUs,
    /// Nobody owns it; answered by RST unless it is one.
    NoConnection,
    /// Its sequence numbers are outside the receive window.
    OutOfWindow,
    /// Everything in it had been received before.
    Duplicate,
    /// Its timestamp is older than one already seen (RFC 7323 §5).
    OldTimestamp,
    /// It acknowledges what was never sent, or what is too old.
    UnacceptableAck,
    /// It has no ACK bit where one is needed.
    NoAck,
    /// It has no SYN bit where one is needed.
    NoSyn,
    /// A SYN in a synchronized state: answered by a challenge ACK (RFC 5961 §4).
    UnexpectedSyn,
    /// A RST that does not stand exactly at the window's left edge (RFC 5961 §3).
    InexactReset,
    /// The SYN queue or the accept queue is full.
    QueueFull,
    /// Data for an application that has closed: answered by RST.
    NoReceiver,
    /// ICMPv6 names an MTU that no link may have (RFC 8201 §4).
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
    DropReason::OutOfWindow => "outside the window",
    DropReason::Duplicate => "received before",
    DropReason::OldTimestamp => "old timestamp (PAWS)",
    DropReason::UnacceptableAck => "unacceptable ACK",
    DropReason::NoAck => "no ACK bit",
    DropReason::NoSyn => "no SYN bit",
    DropReason::UnexpectedSyn => "SYN in a synchronized state",
    DropReason::InexactReset => "RST not exactly at rcv.nxt",
    DropReason::QueueFull => "queue full",
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
            Cause::Unreachable(errno) => write!(f, "ICMP: {errno}"),
            Cause::ListenerClosed => f.write_str("the listener closed"),
            Cause::Replaced => f.write_str("a new connection takes its place"),
        }
    }
}
