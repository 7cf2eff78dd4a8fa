"""The errors of this package. Those of sockets are `OSError`s, with the errno of the operating system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class HalfopenError(Exception):
    """The base of the errors of this package."""


class ServerNotFoundError(HalfopenError):
    """No server is running, and there is no program to start one."""


class ServerUnavailableError(HalfopenError):
    """The server cannot be reached, or has gone away."""


class VersionMismatchError(HalfopenError):
    """The server and this package have different versions."""


@dataclass(frozen=True)
class Mistake:
    """A mistake in a scenario, a fault or a condition."""

    #: The path in the document, such as `hosts.server.tcp`.
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
        # The message contains the first mistake.
        return "\n".join([str(self.args[0]), *(mistake.description for mistake in self.mistakes[1:])])


class SessionOverError(HalfopenError):
    """The session has reached its end or a limit: time cannot move any more."""


class IdleError(HalfopenError):
    """Nothing can happen any more, but code still waits: it would wait forever."""


class BrokenExpectationError(AssertionError):
    """A run did not pass. The message has the broken expectations and what happened around them."""
