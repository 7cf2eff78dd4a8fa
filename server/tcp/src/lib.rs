//! A complete TCP (RFC 9293) without a clock, a thread, a socket or randomness of its own.
//!
//! [`Endpoint`] is the TCP of one host. Its owner passes the time and the datagrams that arrive, sends the datagrams
//! that it returns, and calls it again when its next timer expires.

mod ack_policy;
mod assembler;
mod autotuning;
mod clock;
mod congestion;
mod connection;
mod context;
mod endpoint;
mod errno;
mod event;
mod flags;
mod hash;
mod header;
mod icmp;
mod info;
mod listener;
mod memory;
mod packet_memory;
mod ports;
mod profiles;
mod rcv;
mod results;
mod rtt;
mod scoreboard;
mod segment;
mod send_memory;
mod seq;
mod settings;
mod snd;
mod socket;
mod state;
mod syn_cookie;
mod time;
mod timers;

pub use endpoint::{Config, Endpoint};
pub use errno::Errno;
pub use event::{
    Arrival, Call, Cause, ConnectionId, Disposition, DropReason, Event, EventKind, Keepalive, ListenerId,
    Purpose, Report, Subject, Timer, TimerChange,
};
pub use flags::Flags;
pub use header::{Header, Options, SackBlocks, Timestamps};
pub use info::{RecoveryPhase, TcpInfo, Totals};
pub use listener::ListenOptions;
pub use profiles::Profile;
pub use results::{ConnectionStatus, Readiness, Received, Transmit};
pub use segment::{encode_segment, read_segment};
pub use seq::Seq;
pub use settings::{
    AckRule, CongestionAlgorithm, DelayedAckSettings, Ecn, GiveUp, IcmpErrors, KeepaliveSettings, MtuProbing,
    RtoMin, RtoSettings, Settings, SynCookies, SynQueueLimit, WindowScale,
};
pub use socket::{SendFlags, SocketOptions};
pub use state::State;
pub use time::Instant;

#[cfg(test)]
mod tests;
