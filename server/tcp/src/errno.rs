//! The errors an application sees.

use std::fmt;

/// What a call on a socket failed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Errno {
    /// ECONNREFUSED: no listener there; a RST answered the SYN.
    ConnectionRefused,
    /// ECONNRESET: the peer reset the connection.
    ConnectionReset,
    /// ETIMEDOUT: the peer did not answer for too long.
    TimedOut,
    /// EPIPE: this end of the connection cannot send any more.
    BrokenPipe,
    /// EHOSTUNREACH: a router cannot reach the host.
    HostUnreachable,
    /// ENETUNREACH: a router cannot reach the network, no host can have the address, or this host has no address to send from.
    NetworkUnreachable,
    /// EADDRINUSE: another socket has the address.
    AddressInUse,
    /// EADDRNOTAVAIL: the host does not have the address, or no port is left.
    AddressNotAvailable,
    /// ENOTCONN: the socket is not connected.
    NotConnected,
    /// ECONNABORTED: the local application aborted the connection.
    ConnectionAborted,
    /// EAGAIN: nothing was received or could be sent within the application's limit (SO_RCVTIMEO, SO_SNDTIMEO).
    Again,
    /// EINPROGRESS: an active open takes longer than that limit; it goes on.
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
