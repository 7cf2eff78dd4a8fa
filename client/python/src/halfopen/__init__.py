"""Run your own network code on a simulated TCP, in virtual time."""

from . import aio
from .errors import (
    BrokenExpectationError,
    CallError,
    HalfopenError,
    IdleError,
    Mistake,
    ServerNotFoundError,
    ServerUnavailableError,
    SessionOverError,
    VersionMismatchError,
)
from .runs import Run, run
from .servers import Server, server
from .session import Session
from .sockets import Socket
from .version import __version__

__all__ = [
    "BrokenExpectationError",
    "CallError",
    "HalfopenError",
    "IdleError",
    "Mistake",
    "Run",
    "Server",
    "ServerNotFoundError",
    "ServerUnavailableError",
    "Session",
    "SessionOverError",
    "Socket",
    "VersionMismatchError",
    "__version__",
    "aio",
    "run",
    "server",
]
