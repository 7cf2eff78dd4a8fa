//! The errors an application sees.

use std::fmt;

/// What a call on a socket failed with, by its POSIX name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Errno {
    /// Nobody listens there: a RST answered the SYN.
    ConnectionRefused,
    /// The peer reset the connection.
    ConnectionReset,
    /// The peer did not answer for too long.
    TimedOut,
    /// This end of the connection cannot send any more.
    BrokenPipe,
    /// A router said that it cannot reach the host.
    HostUnreachable,
    /// A router said that it cannot reach the network.
    NetworkUnreachable,
    /// Another socket holds this address.
    AddressInUse,
    /// No local address or port is left.
    AddressNotAvailable,
    /// The socket is not connected.
    NotConnected,
    /// The local application gave the connection up.
    ConnectionAborted,
    /// Nothing came, or nothing could be sent, for as long as the application wants to wait (SO_RCVTIMEO, SO_SNDTIMEO).
    Again,
    /// The same of an active open, which goes on.
    InProgress,
}

impl Errno {
    /// Every error there is.
    pub const ALL: [Errno; 12] = [
        Errno::ConnectionRefused,
        Errno::ConnectionReset,
        Errno::TimedOut,
        Errno::BrokenPipe,
        Errno::HostUnreachable,
        Errno::NetworkUnreachable,
        Errno::AddressInUse,
        Errno::AddressNotAvailable,
        Errno::NotConnected,
        Errno::ConnectionAborted,
        Errno::Again,
        Errno::InProgress,
    ];

    /// The POSIX name, for example `ECONNRESET`.
    pub const fn name(self) -> &'static str {
        match self {
            Errno::ConnectionRefused => "ECONNREFUSED",
            Errno::ConnectionReset => "ECONNRESET",
            Errno::TimedOut => "ETIMEDOUT",
            Errno::BrokenPipe => "EPIPE",
            Errno::HostUnreachable => "EHOSTUNREACH",
            Errno::NetworkUnreachable => "ENETUNREACH",
            Errno::AddressInUse => "EADDRINUSE",
            Errno::AddressNotAvailable => "EADDRNOTAVAIL",
            Errno::NotConnected => "ENOTCONN",
            Errno::ConnectionAborted => "ECONNABORTED",
            Errno::Again => "EAGAIN",
            Errno::InProgress => "EINPROGRESS",
        }
    }

    /// The error of that POSIX name.
    pub fn from_name(name: &str) -> Option<Errno> {
        Errno::ALL.into_iter().find(|errno| errno.name() == name)
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::error::Error for Errno {}
