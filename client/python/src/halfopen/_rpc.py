"""Unary calls and streams of the protocol, as gRPC-Web over HTTP/1.1.

A session makes its calls one after another and waits for each. For that, a request on a plain connection costs a fraction of what a
gRPC library needs, and the package needs no compiled code.
"""

from __future__ import annotations

import base64
import contextlib
import io
import socket
import ssl
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from .errors import CallError, Mistake, ServerUnavailableError
from .v1 import server_pb2

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

R = TypeVar("R", bound=Message)

#: The seconds within which a connection must be open, and a server that was silent for as long must show that it is there.
PATIENCE = 10.0
#: The flag of the frame with the trailers, which ends a response.
TRAILERS = 0x80
#: How most responses without an error end: the frame of the trailers, and the last chunk.
USUAL_HEADER = b"\r\ntransfer-encoding: chunked"
USUAL_END = b"\r\n14\r\n\x80\0\0\0\x0fgrpc-status:0\r\n\r\n0\r\n\r\n"
#: https://grpc.io/docs/guides/status-codes/
CODES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


class Channel:
    """Calls to one server. It may be used from several threads."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        context: ssl.SSLContext | None = None,
        why_lost: Callable[[], str] = lambda: "",
    ) -> None:
        """`why_lost` returns why the server is no longer there, if that is known."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ServerUnavailableError(f"{url!r} is not the address of a server: write http://HOST:PORT or https://HOST:PORT")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._address = (parts.hostname, port or (443 if parts.scheme == "https" else 80))
        self._context = (context or ssl.create_default_context()) if parts.scheme == "https" else None
        headers = {"host": parts.netloc, "content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        #: What requests begin with, by method.
        self._heads: dict[str, bytes] = {}
        self._idle: deque[_Connection] = deque()
        self._why_lost = why_lost

    def call(self, method: str, request: Message, response: type[R]) -> R:
        """Makes a unary call. If its response is lost, makes it again: calls must be safe to repeat."""
        head = self._head(method, request)
        while connection := self._take_idle():
            # The server closes connections that are idle for long.
            with contextlib.suppress(OSError):
                return self._exchange(connection, head, response)
        try:
            return self._exchange(self._open(self._check_alive), head, response)
        except OSError as error:
            raise self._lost(error) from error

    def stream(self, method: str, request: Message, response: type[R]) -> Generator[R, None, None]:
        """Reads a stream, on a connection of its own."""
        connection = self._open(self._check_alive)
        try:
            connection.send(self._head(method, request))
            trailers = connection.read_headers()
            for flag, payload in _frames(connection.read_body(trailers)):
                if flag & TRAILERS:
                    trailers.update(_headers(payload.splitlines()))
                else:
                    yield response.FromString(payload)
            _check(trailers)
        except OSError as error:
            raise self._lost(error) from error
        finally:
            connection.close()

    def close(self) -> None:
        """Closes the idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _take_idle(self) -> _Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _head(self, method: str, request: Message) -> bytes:
        message = request.SerializeToString()
        head = self._heads.get(method)
        if head is None:
            head = self._heads[method] = f"POST /halfopen.v1.{method} HTTP/1.1\r\n{self._headers}content-length: ".encode()
        return b"%b%d\r\n\r\n\0%b%b" % (head, len(message) + 5, len(message).to_bytes(4, "big"), message)

    def _open(self, when_silent: Callable[[], None]) -> _Connection:
        try:
            connected = socket.create_connection(self._address, PATIENCE)
            if self._context:
                connected = self._context.wrap_socket(connected, server_hostname=self._address[0])
        except OSError as error:
            reason = self._why_lost()
            raise ServerUnavailableError(reason or f"cannot reach the server at {self.url}: {error}") from error
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Connection(connected, when_silent)

    def _check_alive(self) -> None:
        """A call may take long, if much happens or other participants are awaited. Checks that the server is there meanwhile."""

        def give_up() -> None:
            raise ServerUnavailableError(f"the server at {self.url} does not answer: it has been silent for {2 * PATIENCE:g} s")

        head = self._head("ServerService/GetServer", server_pb2.GetServerRequest())
        try:
            self._exchange(self._open(give_up), head, server_pb2.GetServerResponse, keep=False)
        except OSError as error:
            raise self._lost(error) from error

    def _exchange(self, connection: _Connection, head: bytes, response: type[R], *, keep: bool = True) -> R:
        try:
            connection.send(head)
            payload, trailers = connection.read_usual(), None
            if payload is None:
                payload, trailers = connection.read_whole()
        except BaseException:
            # After an interrupt, too, it is in the middle of a response.
            connection.close()
            raise
        if keep:
            self._idle.append(connection)
        else:
            connection.close()
        if trailers is not None:
            _check(trailers)
        return response.FromString(payload)

    def _lost(self, error: OSError) -> ServerUnavailableError:
        if isinstance(error, NotHalfopenError):
            hint = "; if it speaks TLS, write https://" if self._context is None else ""
            return ServerUnavailableError(f"there is no halfopen server at {self.url}: what listens there {error}{hint}")
        return ServerUnavailableError(self._why_lost() or f"the server at {self.url} is gone: {error}")


class NotHalfopenError(ConnectionError):
    """The other end does not speak the protocol."""


class _Reader(socket.SocketIO):
    """Reads from a connection. Each time it was silent for as long as its socket's timeout, calls a function."""

    def __init__(self, connected: socket.socket, when_silent: Callable[[], None]) -> None:
        super().__init__(connected, "r")
        self._connected = connected
        self._when_silent = when_silent

    def readinto(self, buffer: Any) -> int:
        while True:
            try:
                return self._connected.recv_into(buffer)
            except TimeoutError:
                self._when_silent()


class _Connection:
    """An HTTP/1.1 connection."""

    def __init__(self, connected: socket.socket, when_silent: Callable[[], None]) -> None:
        self._socket = connected
        self._file = io.BufferedReader(_Reader(connected, when_silent), 65536)

    def send(self, octets: bytes) -> None:
        self._socket.sendall(octets)

    def read_usual(self) -> bytes | None:
        """The message, if the response has no error and arrived in one piece, as most do."""
        octets = self._file.peek()
        head, _, body = octets.partition(b"\r\n\r\n")
        if not (octets.endswith(USUAL_END) and head.startswith(b"HTTP/1.1 200 ") and USUAL_HEADER in head):
            return None
        size, _, frame = body[: -len(USUAL_END)].partition(b"\r\n")
        if size.lower() != b"%x" % len(frame) or frame[:5] != b"\0" + (len(frame) - 5).to_bytes(4, "big"):
            return None
        self._file.read(len(octets))
        return frame[5:]

    def read_whole(self) -> tuple[bytes, dict[str, str]]:
        """The message and the trailers of any response."""
        trailers, message = self.read_headers(), b""
        for flag, part in _frames(self.read_body(trailers)):
            if flag & TRAILERS:
                trailers.update(_headers(part.splitlines()))
            else:
                message = part
        return message, trailers

    def read_headers(self) -> dict[str, str]:
        status = self._line().split(None, 2)
        if len(status) < 2 or not status[0].startswith(b"HTTP/1."):
            raise NotHalfopenError("does not speak HTTP/1.1")
        lines = []
        while line := self._line():
            lines.append(line)
        headers = _headers(lines)
        if status[1] != b"200" or not headers.get("content-type", "").startswith("application/grpc-web"):
            raise NotHalfopenError(f"answered with HTTP status {status[1].decode('latin-1')} and does not speak gRPC-Web")
        return headers

    def read_body(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        if headers.get("transfer-encoding") != "chunked":
            yield self._exactly(int(headers.get("content-length", "0")))
            return
        while size := self._chunk_size():
            yield self._exactly(size)
            self._line()
        self._line()

    def _chunk_size(self) -> int:
        line = self._line()
        try:
            return int(line, 16)
        except ValueError:
            raise NotHalfopenError("does not speak HTTP/1.1") from None

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def _line(self) -> bytes:
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise NotHalfopenError("does not speak HTTP/1.1") if line else ConnectionError("it closed the connection")
        return line[:-2]

    def _exactly(self, size: int) -> bytes:
        octets = self._file.read(size)
        if len(octets) < size:
            raise ConnectionError("it closed the connection")
        return octets


def _headers(lines: list[bytes]) -> dict[str, str]:
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _frames(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The flag and the payload of each frame of a body."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        while len(rest) >= 5 and len(rest) >= 5 + (size := int.from_bytes(rest[1:5], "big")):
            yield rest[0], rest[5 : 5 + size]
            rest = rest[5 + size :]


def _check(trailers: Mapping[str, str]) -> None:
    """Raises the error that the trailers contain, if there is one."""
    number = trailers.get("grpc-status", "")
    if number == "0":
        return
    code = CODES[int(number)] if number.isdecimal() and int(number) < len(CODES) else "UNKNOWN"
    reason, mistakes = "", []
    details = trailers.get("grpc-status-details-bin", "")
    status = status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            mistakes = [Mistake(violation.field, violation.description) for violation in bad.field_violations]
    raise CallError(unquote(trailers.get("grpc-message", "")), code=code, reason=reason, mistakes=mistakes)
