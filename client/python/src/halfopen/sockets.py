"""Sockets of a session: the part of `socket.socket` that TCP needs, in virtual time."""

from __future__ import annotations

import builtins
import errno
import io
import os
import socket
import struct
from collections.abc import Iterable
from functools import partial
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from google.protobuf.message import Message

from . import _polling
from ._errnos import StandstillError, as_socket_error, check, errno_of, no_flags
from ._options import Options
from ._time import nanoseconds
from ._words import Address, parse_address, state_name, write_address
from .errors import CallError, HalfopenError, IdleError, SessionOverError
from .v1 import session_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Buffer

    from .session import Session

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

R = TypeVar("R", bound=Message)


class HasError(Protocol):
    """A response with the error of a call."""

    @property
    def error(self) -> str: ...


E = TypeVar("E", bound=HasError)

#: File descriptors beyond those of an operating system, so that they are never mistaken for one.
_descriptors = count(1 << 24)
#: All sockets, by file descriptor.
by_descriptor: WeakValueDictionary[int, Socket] = WeakValueDictionary()
#: The default backlog (SOMAXCONN of Linux).
BACKLOG = 4096
#: Calls that are repeated once the socket is ready, as with EAGAIN.
TRIED_AGAIN = ("Accept", "Receive", "Send")
#: The names here of methods that the protocol calls something else.
NAMES = {"StartConnect": "connect", "FinishConnect": "connect", "SetOptions": "setsockopt", "GetSocket": "info"}
#: The most bytes in one call.
CHUNK = 1 << 20
#: "More data will follow"; only Linux has the flag.
MSG_MORE = int(getattr(socket, "MSG_MORE", 0))


class Socket:
    """A TCP socket on a host of a session. It blocks in virtual time unless it has a timeout."""

    type: int = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, session: Session, host: str, family: int = socket.AF_INET) -> None:
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise OSError(errno.EAFNOSUPPORT, f"{os.strerror(errno.EAFNOSUPPORT)}: a host has TCP over IPv4 and IPv6")
        self.session = session
        #: The name of its host.
        self.host = host
        self.family = family
        #: Its number in the session; 0 before it connects or listens.
        self.number = 0
        self.is_listening = False
        self._descriptor = next(_descriptors)
        by_descriptor[self._descriptor] = self
        _polling.install()
        self._timeout: float | None = None
        self._closed = False
        self._connecting = False
        #: The error of `connect` on a host that was paused or frozen.
        self._late_error: OSError | HalfopenError | None = None
        self._bound: Address | None = None
        self._local: Address | None = None
        self._peer: Address | None = None
        self._options = Options()

    # Opening

    def bind(self, address: Address) -> None:
        """Sets the local address. "" and the unspecified address mean every address of the host."""
        self._bound = (str(address[0]), int(address[1]))

    def listen(self, backlog: int = BACKLOG) -> None:
        """Listens on the bound address, or on any free port. Has no effect on a socket that already listens."""
        if self.is_listening:
            return
        host, port = self._bound or ("", 0)
        request = session_pb2.ListenRequest(
            host=self.host,
            port=port,
            address="" if host in ("", "0.0.0.0", "::") else host,
            backlog=max(backlog, 1),
            reuse_address=self._options.reuse_address,
            options=self._options.initial(),
        )
        response = self._call("Listen", request, session_pb2.ListenResponse)
        check(response.error)
        self.number, self._local = response.socket, parse_address(response.local)
        self.is_listening = True

    def accept(self) -> tuple[Socket, Address]:
        """Waits for a connection and returns it, with the address of the peer."""
        request = session_pb2.AcceptRequest(socket=self._open())
        attempt = partial(self._call, "Accept", request, session_pb2.AcceptResponse)
        response = self._retry("accept", "readable", attempt, self._deadline())
        accepted = Socket(self.session, self.host, self.family)
        accepted.number = response.socket
        accepted._options = self._options.inherited()
        if response.local:
            accepted._local, accepted._peer = parse_address(response.local), parse_address(response.peer)
        return accepted, accepted._peer or ("", 0)

    def connect(self, address: Address) -> None:
        """Connects to an address, whose host may be a name in the scenario, and waits for the outcome."""
        if self.number and not self._connecting:
            raise OSError(errno.EISCONN, os.strerror(errno.EISCONN))
        if not self._connecting:
            try:
                error = self._start_connect(address)
            except StandstillError:
                if self._timeout != 0:
                    raise
                error = "EINPROGRESS"
                self.session._late_calls.add(self.host, lambda: self._start_late(address))
            if error != "EINPROGRESS":
                check(error)
                return
            self._connecting = True
            if self._timeout == 0:
                raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))
        elif self._timeout == 0:
            check(self._finish_connect(), in_progress=errno.EALREADY)
            return
        deadline = self._deadline()
        while (error := self._finish_connect()) == "EINPROGRESS":
            self.session._block(self, "connect", "writable", deadline)
        check(error)

    def connect_ex(self, address: Address) -> int:
        """Connects, and returns the errno instead of raising an error."""
        try:
            self.connect(address)
        except OSError as error:
            if error.errno is None:
                raise
            return error.errno
        return 0

    def _start_connect(self, address: Address) -> str:
        host, port = self._bound or ("", 0)
        request = session_pb2.StartConnectRequest(
            host=self.host,
            to=write_address(address),
            local_port=port,
            options=self._options.initial(),
        )
        setattr(request, "from", "" if host in ("0.0.0.0", "::") else host)
        response = self._call("StartConnect", request, session_pb2.StartConnectResponse)
        if response.socket:
            self.number = response.socket
            self._local, self._peer = parse_address(response.local), parse_address(response.peer)
        return response.error

    def _start_late(self, address: Address) -> None:
        if self._closed:
            return
        try:
            error = self._start_connect(address)
            if error != "EINPROGRESS":
                check(error)
        except StandstillError:
            raise
        except (OSError, HalfopenError) as lost:
            self._late_error = lost

    def _finish_connect(self) -> str:
        if self._late_error:
            lost, self._late_error, self._connecting = self._late_error, None, False
            if isinstance(lost, OSError):
                return errno.errorcode.get(lost.errno or 0, "EIO")
            raise lost
        if not self.number:
            return "EINPROGRESS"
        request = session_pb2.FinishConnectRequest(socket=self._open())
        error = self._call("FinishConnect", request, session_pb2.FinishConnectResponse).error
        self._connecting = error == "EINPROGRESS"
        return error

    # Data

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Waits for data and returns at most `size` bytes; none at the end of the stream."""
        no_flags(flags)
        if size == 0:
            return b""
        request = session_pb2.ReceiveRequest(socket=self._open(), max_bytes=min(size, CHUNK))
        attempt = partial(self._call, "Receive", request, session_pb2.ReceiveResponse)
        return self._retry("recv", "readable", attempt, self._deadline()).data

    def recv_into(self, buffer: Buffer, size: int = 0, flags: int = 0) -> int:
        """Receives into a buffer; returns the number of bytes."""
        with memoryview(buffer).cast("B") as view:
            octets = self.recv(size or len(view), flags)
            view[: len(octets)] = octets
        return len(octets)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Waits until the send buffer has space, sends as much as fits, and returns the number of bytes."""
        with memoryview(data).cast("B") as view:
            return self._send("send", view, flags, self._deadline())

    def _send(self, call: str, view: memoryview, flags: int, deadline: int | None) -> int:
        no_flags(flags & ~MSG_MORE)
        more = bool(flags & MSG_MORE)
        request = session_pb2.SendRequest(socket=self._open(), data=bytes(view[:CHUNK]), more=more)
        return self._retry(call, "writable", partial(self._call, "Send", request, session_pb2.SendResponse), deadline).sent

    def sendall(self, data: Buffer, flags: int = 0) -> None:
        """Sends everything, and waits while the send buffer is full. The timeout applies to the whole call."""
        deadline = self._deadline()
        with memoryview(data).cast("B") as view:
            sent = 0
            while sent < len(view):
                sent += self._send("sendall", view[sent:], flags, deadline)

    def sendmsg(self, buffers: Iterable[Buffer]) -> int:
        """Sends several buffers as one."""
        return self.send(b"".join(memoryview(buffer).cast("B") for buffer in buffers))

    def makefile(self, mode: str = "r", buffering: int = -1, **text: Any) -> Any:
        """Returns a file over the socket, like `socket.socket.makefile`."""
        if not set(mode) <= set("rwb") or not set(mode) & set("rw"):
            raise ValueError(f"invalid mode {mode!r} (only r, w, b allowed)")
        raw = _File(self, "r" in mode, "w" in mode)
        if buffering == 0:
            if "b" not in mode:
                raise ValueError("unbuffered streams must be binary")
            return raw
        size = buffering if buffering > 0 else io.DEFAULT_BUFFER_SIZE
        buffered: Any
        if "r" in mode and "w" in mode:
            buffered = io.BufferedRWPair(raw, raw, size)
        else:
            buffered = io.BufferedReader(raw, size) if "r" in mode else io.BufferedWriter(raw, size)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, **text)

    # Ending

    def shutdown(self, how: int) -> None:
        """Half-closes the connection."""
        request = session_pb2.ShutdownRequest(
            socket=self._open(),
            write=how in (socket.SHUT_WR, socket.SHUT_RDWR),
            read=how in (socket.SHUT_RD, socket.SHUT_RDWR),
        )

        def call() -> None:
            check(self._call("Shutdown", request, session_pb2.ShutdownResponse).error)

        self._now_or_late(call)

    def close(self) -> None:
        """Closes the socket. Its TCP still sends what is unsent."""
        self._end("Close", session_pb2.CloseRequest(), session_pb2.CloseResponse)

    def abort(self) -> None:
        """Resets the connection and closes the socket."""
        self._end("Abort", session_pb2.AbortRequest(), session_pb2.AbortResponse)

    def _end(self, method: str, request: Any, response: Any) -> None:
        was_open, self._closed = self.number and not self._closed, True
        if not was_open or self.session._is_closed:
            return
        request.socket = self.number

        def call() -> None:
            try:
                self._call(method, request, response)
            except StandstillError:
                raise
            except (OSError, SessionOverError, IdleError):
                # The socket was lost with its host, its host never resumes, or the session is over: for its caller, it is closed.
                pass
            except CallError as error:
                if error.code != "NOT_FOUND":
                    raise

        self._now_or_late(call)

    def __enter__(self) -> Socket:
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    # Properties

    def fileno(self) -> int:
        """A number for `select`, `poll` and the event loop, which means nothing to the operating system; -1 once it is closed."""
        return -1 if self._closed else self._descriptor

    def settimeout(self, timeout: float | None) -> None:
        """Sets how long calls wait, in seconds of virtual time: `None` is forever, 0 not at all."""
        if timeout is not None and timeout < 0:
            raise ValueError("Timeout value out of range")
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """The timeout in seconds of virtual time; `None` if there is none."""
        return self._timeout

    def setblocking(self, blocking: bool) -> None:
        """Sets whether calls wait."""
        self._timeout = None if blocking else 0.0

    def getblocking(self) -> bool:
        """Whether calls wait."""
        return self._timeout != 0

    def getsockname(self) -> Address:
        """The local address."""
        return self._local or self._bound or (("0.0.0.0", 0) if self.family == socket.AF_INET else ("::", 0, 0, 0))

    def getpeername(self) -> Address:
        """The peer's address."""
        if self._peer is None or self._connecting:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self._peer

    def setsockopt(self, level: int, option: int, value: int | Buffer | None, optlen: int = 0) -> None:
        """Sets an option. Those that the host's TCP does not have raise ENOPROTOOPT."""
        del optlen
        number = value if isinstance(value, int) else struct.unpack_from("i", value or bytes(8))[0]
        linger = struct.unpack_from("i", value, 4)[0] if not isinstance(value, int | None) and len(bytes(value)) >= 8 else 0
        changed = self._options.set(level, option, number, linger)
        if changed is not None and self.number and not self._closed:
            request = session_pb2.SetOptionsRequest(socket=self.number, options=changed)

            def call() -> None:
                try:
                    self._call("SetOptions", request, session_pb2.SetOptionsResponse)
                except CallError as error:
                    # A listening socket cannot be changed: connections inherit the options with which it started to listen.
                    if error.reason != "SOCKET_WRONG_KIND":
                        raise

            self._now_or_late(call)

    def getsockopt(self, level: int, option: int, buflen: int = 0) -> Any:
        """The value of an option. SO_ERROR is the outcome of `connect`."""
        if (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR):
            error = self._finish_connect() if self._connecting else ""
            return 0 if error in ("", "EINPROGRESS") else errno_of(error)
        value = self._options.get(level, option)
        return struct.pack("i", value)[:buflen] if buflen else value

    def info(self) -> session_pb2.GetSocketResponse:
        """What the host's TCP knows of the socket: state, queues, readiness, TCP_INFO."""
        request = session_pb2.GetSocketRequest(socket=self._open())
        return self._call("GetSocket", request, session_pb2.GetSocketResponse)

    @property
    def state(self) -> str:
        """The state of the connection as RFC 9293 names it, such as `FIN-WAIT-1`; CLOSED once it is gone."""
        return state_name(self.info().state)

    def __repr__(self) -> str:
        number = f" {self.number}" if self.number else ""
        ends = " ".join(f"{name}={write_address(end)}" for name, end in (("local", self._local), ("peer", self._peer)) if end)
        return f"<halfopen.Socket{number} on {self.host}{' closed' if self._closed else ''}{' ' + ends if ends else ''}>"

    def describe(self) -> str:
        """For messages: its host, addresses and state."""
        ends = " -> ".join(write_address(end) for end in (self._local, self._peer) if end)
        try:
            # A description does not wait for a paused or frozen host.
            request = session_pb2.GetSocketRequest(socket=self._open())
            state = self.session._call("GetSocket", request, session_pb2.GetSocketResponse).state
            return f"{self.host} {ends} ({state_name(state)})"
        except (HalfopenError, OSError):
            return f"{self.host} {ends}"

    # Calls

    def _open(self) -> int:
        if self._closed:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if not self.number:
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return self.number

    def _call(self, method: str, request: Message, response: builtins.type[R]) -> R:
        """Makes a call. While the host is paused or frozen, waits until it resumes, unless an event loop moves time."""
        while True:
            try:
                return self.session._call(method, request, response)
            except CallError as error:
                lost = as_socket_error(error, method, self.host)
                if not isinstance(lost, StandstillError) or method in TRIED_AGAIN or self.session._has_loop:
                    raise lost or error from None
            self.session._await_host(self, NAMES.get(method, method.lower()))

    def _now_or_late(self, call: Callable[[], object]) -> None:
        """Makes a call now. On an event loop whose host is paused or frozen, makes it when the host resumes."""
        try:
            call()
        except StandstillError:
            self.session._late_calls.add(self.host, call)

    def _deadline(self) -> int | None:
        """When a call that starts now times out, in nanoseconds."""
        return None if self._timeout is None else self.session._now + nanoseconds(self._timeout)

    def _retry(self, call: str, awaited: str, attempt: Callable[[], E], deadline: int | None) -> E:
        """Repeats a call while it returns EAGAIN, and waits in between, until a deadline in nanoseconds."""
        while True:
            try:
                response = attempt()
                check(response.error)
                return response
            except BlockingIOError:
                if self._timeout == 0:
                    raise
            self.session._block(self, call, awaited, deadline)


class _File(io.RawIOBase):
    """A raw file over a socket. Closing it leaves the socket open."""

    def __init__(self, over: Socket, reads: bool, writes: bool) -> None:
        super().__init__()
        self._socket, self._reads, self._writes = over, reads, writes

    def readable(self) -> bool:
        return self._reads

    def writable(self) -> bool:
        return self._writes

    def readinto(self, buffer: Buffer) -> int | None:
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError:
            return None

    def write(self, data: Buffer) -> int | None:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return None
