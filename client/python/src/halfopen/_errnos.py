"""Errors like those of the operating system's sockets."""

from __future__ import annotations

import errno
import os

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


#: The errors that a process gets for calls that the service refuses, by reason.
REFUSALS = {
    "SOCKET_CLOSED": errno.ECONNABORTED,
    "HOST_DOWN": errno.EHOSTDOWN,
    "PROCESS_KILLED": errno.EHOSTDOWN,
    # Its processes stand still. They make the call later.
    "HOST_PAUSED": errno.EAGAIN,
    "HOST_FROZEN": errno.EAGAIN,
}


def as_socket_error(error: CallError, host: str) -> OSError | None:
    """The error that a socket of the operating system would raise for a call that was refused, if there is one."""
    number = REFUSALS.get(error.reason)
    if number is None:
        return None
    kind = StandstillError if number == errno.EAGAIN else OSError
    return kind(number, f"{os.strerror(number)}: {error} (on {host})")


def no_flags(flags: int) -> None:
    if flags:
        raise OSError(errno.EOPNOTSUPP, f"{os.strerror(errno.EOPNOTSUPP)}: flags {flags:#x}")


def timeout_error(call: str, after: Time) -> TimeoutError:
    """The error of a call that timed out after a time."""
    return TimeoutError(f"{call}() timed out after {nanoseconds(after) / SECOND:g}s of virtual time")
