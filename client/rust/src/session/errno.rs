//! The errors of system calls.

use std::io;

use tonic::Status;

/// The call would block.
pub(super) const WOULD_BLOCK: &str = "EAGAIN";
/// The outcome of a connect is not known yet.
pub(super) const IN_PROGRESS: &str = "EINPROGRESS";

/// The error of that name; `Ok` if it is empty.
pub(super) fn check(name: &str) -> io::Result<()> {
    let kind = match name {
        "" => return Ok(()),
        "EACCES" | "EPERM" => io::ErrorKind::PermissionDenied,
        "EADDRINUSE" => io::ErrorKind::AddrInUse,
        "EADDRNOTAVAIL" => io::ErrorKind::AddrNotAvailable,
        WOULD_BLOCK => io::ErrorKind::WouldBlock,
        "ECONNABORTED" => io::ErrorKind::ConnectionAborted,
        "ECONNREFUSED" => io::ErrorKind::ConnectionRefused,
        "ECONNRESET" => io::ErrorKind::ConnectionReset,
        "EHOSTUNREACH" => io::ErrorKind::HostUnreachable,
        "EINVAL" => io::ErrorKind::InvalidInput,
        "ENETDOWN" => io::ErrorKind::NetworkDown,
        "ENETUNREACH" => io::ErrorKind::NetworkUnreachable,
        "ENOTCONN" => io::ErrorKind::NotConnected,
        "EPIPE" => io::ErrorKind::BrokenPipe,
        "ETIMEDOUT" => io::ErrorKind::TimedOut,
        _ => io::ErrorKind::Other,
    };
    Err(io::Error::new(kind, name.to_owned()))
}

/// A call that could not be made.
pub(super) fn failed(status: &Status) -> io::Error {
    io::Error::other(status.message().to_owned())
}
