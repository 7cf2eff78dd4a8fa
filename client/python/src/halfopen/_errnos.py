"""Errors like those of the operating system's sockets."""

from __future__ import annotations

import errno
import os
import socket

from ._time import SECOND, Time, nanoseconds
from .errors import CallError

#: pytest leaves the lines of this module out.
__tracebackhide__ = True


def errno_of(name: str) -> int:
    """The number of an error."""
    return int(getattr(errno, name, errno.EIO))


def check(name: str, in_progress: int = errno.EINPROGRESS) -> None:
    """Raises an error of the protocol as Python does: ECONNRESET as `ConnectionResetError`."""
    if name:
        number = in_progress if name == "EINPROGRESS" else errno_of(name)
        raise OSError(number, os.strerror(number))


class StandstillError(BlockingIOError):
    """The host is paused or frozen: its processes make the call when it resumes."""


class LostProcess:
    """Marks the errors of calls of processes that are gone: killed, or without power. In real life, they would make none."""


class LostSocketError(LostProcess, ConnectionAbortedError):
    """The socket was lost with its process."""


class DownHostError(LostProcess, OSError):
    """The host is down, or the process was killed."""


#: The errors that a process gets for calls that the service refuses, by reason.
REFUSALS: dict[str, tuple[type[OSError], int]] = {
    "SOCKET_CLOSED": (LostSocketError, errno.ECONNABORTED),
    "HOST_DOWN": (DownHostError, errno.EHOSTDOWN),
    "PROCESS_KILLED": (DownHostError, errno.EHOSTDOWN),
    # Its processes stand still. They make the call later.
    "HOST_PAUSED": (StandstillError, errno.EAGAIN),
    "HOST_FROZEN": (StandstillError, errno.EAGAIN),
}
#: What Linux says of calls that a listening socket does not take, or only such a socket does.
WRONG_KIND = {"Accept": errno.EINVAL, "Receive": errno.ENOTCONN, "Send": errno.EPIPE, "Shutdown": errno.ENOTCONN}


def is_standstill(error: CallError) -> bool:
    """Whether a call was refused because the processes of its host stand still."""
    kind, _ = REFUSALS.get(error.reason, (OSError, 0))
    return kind is StandstillError


def as_socket_error(error: CallError, method: str, host: str) -> OSError | None:
    """The error that a socket of the operating system would raise for a call that was refused, if there is one."""
    if error.reason == "SOCKET_WRONG_KIND" and method in WRONG_KIND:
        number = WRONG_KIND[method]
        return OSError(number, f"{os.strerror(number)}: {error}")
    if error.reason not in REFUSALS:
        return None
    kind, number = REFUSALS[error.reason]
    return kind(number, f"{os.strerror(number)}: {error} (on {host})")


def no_flags(flags: int) -> None:
    if flags:
        names = " | ".join(flag.name or "" for flag in socket.MsgFlag if flag & flags) or f"{flags:#x}"
        raise OSError(errno.EOPNOTSUPP, f"{os.strerror(errno.EOPNOTSUPP)}: the flag {names}")


def timeout_error(call: str, after: Time) -> TimeoutError:
    """The error of a call that timed out after a time."""
    return TimeoutError(f"{call}() timed out after {nanoseconds(after) / SECOND:g}s of virtual time")
