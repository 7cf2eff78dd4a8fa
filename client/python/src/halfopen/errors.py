"""What can go wrong, apart from the errors of sockets, which are `OSError`s with the errno that a socket would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class HalfopenError(Exception):
    """The base of the errors of this package."""


class ServerNotFoundError(HalfopenError):
    """There is no server, and no program that could be started as one."""


class ServerUnavailableError(HalfopenError):
    """The server cannot be reached, or is gone."""


class VersionMismatchError(HalfopenError):
    """The server has another version than this package."""


@dataclass(frozen=True)
class Mistake:
    """A mistake in a scenario, a fault or a condition."""

    #: Its path in the document: `hosts.server.tcp`.
    path: str
    #: What is wrong, and where.
    description: str


class CallError(HalfopenError):
    """The server refused a call, which had no effect. `reason` is that of google.rpc.ErrorInfo, such as `HOST_UNKNOWN`."""

    def __init__(self, message: str, *, code: str, reason: str = "", mistakes: Sequence[Mistake] = ()) -> None:
        super().__init__(message)
        #: The name of the status: `INVALID_ARGUMENT`.
        self.code = code
        self.reason = reason
        self.mistakes = tuple(mistakes)

    def __str__(self) -> str:
        # The message has the first of them.
        return "\n".join([str(self.args[0]), *(mistake.description for mistake in self.mistakes[1:])])


class SessionOverError(HalfopenError):
    """The session is at its end or at a limit: time cannot move any more."""


class IdleError(HalfopenError):
    """Nothing can happen any more, and code still waits: it would wait for ever."""


class BrokenExpectationError(AssertionError):
    """A run did not pass: the message has the broken expectations, and what happened around what decided."""
