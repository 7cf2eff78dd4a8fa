"""Finding a server, or starting one that stops with this process."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from google.protobuf.message import Message

from ._rpc import Channel
from .errors import CallError, ServerNotFoundError, ServerUnavailableError, VersionMismatchError
from .v1 import server_pb2
from .version import __version__

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

R = TypeVar("R", bound=Message)

PROTOCOL = "halfopen.v1"


class Server:
    """A halfopen server.

    `Server(url)` uses one that is running, `Server.start()` starts a new one, and `server()` returns the one of this process.
    """

    def __init__(self, url: str, *, token: str | None = None, ca: str | os.PathLike[str] | None = None) -> None:
        """`ca` is a PEM file with the certificates to trust instead of the system's. By default, `token` is HALFOPEN_TOKEN, and
        `ca` is HALFOPEN_CA.
        """
        self._process: subprocess.Popen[bytes] | None = None
        self._channel = Channel(url, token or os.environ.get("HALFOPEN_TOKEN"), _trust(url, ca), self._why_lost)
        self._known: server_pb2.GetServerResponse | None = None
        self._is_closed = False

    @classmethod
    def start(cls, binary: str | os.PathLike[str] | None = None) -> Server:
        """Starts a server on a free port. It stops with this process, or when it is closed."""
        command = _command(binary)
        # The HALFOPEN_ variables are meant for another server.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HALFOPEN_")}
        arguments = [*command, "--listen", "127.0.0.1:0", "--exit-with-stdin"]
        try:
            # In a process group of its own: Ctrl-C is for this process, which still needs its server to clean up.
            process = subprocess.Popen(arguments, env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        except OSError as error:
            raise ServerNotFoundError(f"cannot start {command[0]}: {error.strerror}") from error
        assert process.stdout is not None
        with process.stdout as output:
            said = output.readline()
        try:
            address = json.loads(said)["listening"]
        except (ValueError, KeyError, TypeError):
            _end(process)
            raise ServerUnavailableError(f"{command[0]} did not start: it ended with status {process.returncode}") from None
        started = cls(f"http://{address}")
        started._process = process
        return started

    @property
    def url(self) -> str:
        """Its URL."""
        return self._channel.url

    @property
    def is_own(self) -> bool:
        """Whether this process started it."""
        return self._process is not None

    @property
    def has_ended(self) -> bool:
        """Whether its process, which this process started, has ended."""
        return self._process is not None and self._process.poll() is not None

    @property
    def version(self) -> str:
        """Its version."""
        return self._describe().version

    def check(self) -> None:
        """Raises `VersionMismatchError` if its version is not that of this package."""
        known = self._describe()
        if (known.protocol, known.version) != (PROTOCOL, __version__):
            raise VersionMismatchError(
                f"the server at {self.url} is halfopen {known.version} and speaks {known.protocol}; this package is halfopen "
                f"{__version__} and speaks {PROTOCOL}: install the same version of both"
            )

    def call(self, method: str, request: Message, response: type[R]) -> R:
        """Makes a unary call of the protocol, such as `SessionService/GetSession`."""
        return self._channel.call(method, request, response)

    @property
    def channel(self) -> Channel:
        """The channel, for streams."""
        return self._channel

    def close(self) -> None:
        """Closes the connections, and stops the server if it was started here."""
        self._is_closed = True
        self._channel.close()
        if self._process:
            _end(self._process)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _why_lost(self) -> str:
        if self._is_closed or self._process is None:
            return ""
        try:
            # Its connections end a moment before it does.
            status = self._process.wait(0.1)
        except subprocess.TimeoutExpired:
            return ""
        outcome = f"signal {-status}" if status < 0 else f"status {status}"
        return f"the server that this package started has ended ({outcome}), and its sessions with it"

    def _describe(self) -> server_pb2.GetServerResponse:
        if self._known is None:
            try:
                request = server_pb2.GetServerRequest()
                self._known = self.call("ServerService/GetServer", request, server_pb2.GetServerResponse)
            except CallError as error:
                if error.code != "UNIMPLEMENTED":
                    raise
                raise VersionMismatchError(f"the server at {self.url} does not speak {PROTOCOL}") from error
        return self._known


def _trust(url: str, ca: str | os.PathLike[str] | None) -> ssl.SSLContext | None:
    """What to trust: the certificates in a file, or what the system does."""
    path = os.fspath(ca or os.environ.get("HALFOPEN_CA", ""))
    if not path or not url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        reason = "it has no certificate in PEM format" if isinstance(error, ssl.SSLError) else error.strerror
        raise ServerUnavailableError(f"{'' if ca else 'HALFOPEN_CA: '}{path}: {reason}") from error


def _command(binary: str | os.PathLike[str] | None) -> list[str]:
    """The command that starts a server."""
    named = os.fspath(binary) if binary else os.environ.get("HALFOPEN_BINARY")
    if named:
        found = shutil.which(named)
        if not found:
            raise ServerNotFoundError(f"{named!r} is not a program; HALFOPEN_BINARY is the path of halfopen or halfopend")
        return _serving(found)
    beside = os.pathsep.join([str(Path(sys.executable).parent), str(Path(__file__).parent / "bin")])
    for name in ("halfopend", "halfopen"):
        if found := shutil.which(name) or shutil.which(name, path=beside):
            return _serving(found)
    raise ServerNotFoundError(
        "there is no server: install halfopen so that it is on PATH, or set HALFOPEN_BINARY to its path, or HALFOPEN_SERVER to the "
        "address of a server that runs"
    )


def _serving(program: str) -> list[str]:
    """`halfopend` is a server; `halfopen` needs a command."""
    return [program] if Path(program).name.startswith("halfopend") else [program, "serve"]


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


_lock = threading.Lock()
_shared: dict[int, Server] = {}


def server() -> Server:
    """The server of this process: the one at HALFOPEN_SERVER, or one that is started when first needed."""
    with _lock:
        # Connections cannot be shared with a child of fork(), so it starts its own.
        if os.getpid() not in _shared or _shared[os.getpid()].has_ended:
            url = os.environ.get("HALFOPEN_SERVER")
            found = Server(url) if url else Server.start()
            atexit.register(found.close)
            try:
                found.check()
            except BaseException:
                found.close()
                raise
            _shared[os.getpid()] = found
        return _shared[os.getpid()]
