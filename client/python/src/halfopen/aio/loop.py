"""The event loop."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import os
import socket
import ssl
import sys
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from socket import SOL_SOCKET
from typing import Any, TypeVar

from .._errnos import LostProcess, StandstillError
from .._time import SECOND, text
from .._words import Address
from ..errors import IdleError
from ..session import Session
from ..sockets import Socket
from . import clocks, hosts
from .executor import Jobs
from .selector import Selector
from .twins import Twins, take_over
from .waiting import describe

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: The addresses that mean every address of a host.
ANY = ("0.0.0.0", "::")


class EventLoop(BaseSelectorEventLoop):
    """Runs tasks in the virtual time of a session, over its connections.

    `loop.time()` is the virtual time in seconds. It moves when no task can run. Work in executors takes no virtual time.
    """

    def __init__(self, session: Session) -> None:
        #: The session.
        self.session = session
        self._jobs = Jobs(session)
        self._twins = Twins()
        self._session_selector = Selector(session, self._jobs, self._twins, self._idle, self._waiting)
        super().__init__(self._session_selector)
        self._default_executor: Executor | None = None
        self._clock_resolution = 1 / SECOND
        self._main: asyncio.Future[Any] | None = None
        self._idle_error: IdleError | None = None

    host = staticmethod(hosts.host)

    def time(self) -> float:
        """The virtual time since the start of the session, in seconds."""
        return self.session._now / SECOND

    def run_forever(self) -> None:
        """As asyncio's. Meanwhile, `time.time()` and `time.monotonic()` return virtual time, too."""
        with clocks.virtual(self.session):
            self.session._has_loop = True
            try:
                super().run_forever()
            finally:
                self.session._has_loop = False

    # Waiting forever

    def run_until_complete(self, future: Any) -> Any:
        """As asyncio's. If nothing can happen any more, cancels the future, and raises `IdleError` whatever the outcome is."""
        self._main, self._idle_error = asyncio.ensure_future(future, loop=self), None
        try:
            outcome = super().run_until_complete(self._main)
        except asyncio.CancelledError as cancelled:
            if self._idle_error is None:
                raise
            # The traceback shows the line that waited.
            raise self._idle_error.with_traceback(cancelled.__traceback__) from None
        except Exception as error:
            if self._idle_error is None or isinstance(error, IdleError):
                raise
            raise self._idle_error from error
        finally:
            self._main = None
        if self._idle_error:
            raise self._idle_error
        return outcome

    def _idle(self) -> None:
        waiting = self._waiting()
        error = IdleError(f"nothing can happen any more at {text(self.session._now)}, but {waiting}")
        # Code that ignores its cancellation and waits again is not cancelled twice.
        if self._main is None or self._idle_error or not self._main.cancel():
            raise error
        self._idle_error = error

    def _waiting(self) -> str:
        return describe(self, self._session_selector.waiting())

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """As asyncio's. Code whose process is gone, because it was killed or its host lost power, ends quietly."""
        error = context.get("exception")
        if isinstance(error, LostProcess):
            logger.info("%s: %s", context.get("message"), error)
        else:
            super().call_exception_handler(context)

    # Names

    async def getaddrinfo(
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[tuple[Any, ...]]:
        """As asyncio's, with the names of the scenario's hosts."""
        number = _port(port)
        if type not in (0, socket.SOCK_STREAM) or proto not in (0, socket.IPPROTO_TCP):
            raise socket.gaierror(socket.EAI_SOCKTYPE, "a session has TCP only")
        found = []
        for address in self._addresses(host, flags):
            kind = socket.AF_INET6 if ":" in address else socket.AF_INET
            if family in (0, kind):
                end = (address, number, 0, 0) if kind == socket.AF_INET6 else (address, number)
                found.append((kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", end))
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"the session has no host {_text(host)!r} with an address of this family")
        return found

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """As asyncio's, with the names of the scenario's hosts."""
        address, port = str(sockaddr[0]), str(sockaddr[1])
        if not flags & socket.NI_NUMERICHOST:
            for name, addresses in self.session.hosts.items():
                if address in addresses:
                    return name, port
        return address, port

    def _addresses(self, host: Any, flags: int) -> Sequence[str]:
        name = _text(host)
        own = self.session.hosts[hosts.current(self.session)] if not name or name == "localhost" else ()
        is_ipv6 = any(":" in address for address in own)
        if not name and flags & socket.AI_PASSIVE:
            return [ANY[is_ipv6]]
        if not name or name == "localhost":
            return ["::1" if is_ipv6 else "127.0.0.1"]
        try:
            return [str(ipaddress.ip_address(name))]
        except ValueError:
            return self.session.hosts.get(name, ())

    # Connections

    async def _connect_sock(self, exceptions: list[Any], addr_info: Any, local_addr_infos: Any = None) -> Socket:
        """Makes one attempt of `create_connection`. Overrides a private method, which uses a socket of the operating system."""
        own: list[OSError] = []
        exceptions.append(own)
        family, _, _, _, address = addr_info
        connecting = self._socket(family)
        try:
            if local_addr_infos is not None:
                local = next((info[4] for info in local_addr_infos if info[0] == family), None)
                if local is None:
                    raise OSError(errno.EADDRNOTAVAIL, f"no matching local address with family={family!r} found")
                connecting.bind(local)
            await self.sock_connect(connecting, address)
        except OSError as error:
            own.append(error)
            connecting.close()
            raise
        except BaseException:
            connecting.close()
            raise
        return connecting

    async def create_connection(self, protocol_factory: Any, *args: Any, **options: Any) -> Any:
        """As asyncio's. `sock` can be a socket of the operating system that `sock_connect` has connected."""
        if options.get("sock") is not None:
            options["sock"] = self._adopt(options["sock"])
        return await super().create_connection(protocol_factory, *args, **options)

    async def connect_accepted_socket(self, protocol_factory: Any, sock: Any, **options: Any) -> Any:
        """As asyncio's."""
        return await super().connect_accepted_socket(protocol_factory, self._adopt(sock), **options)

    async def create_server(  # type: ignore[override]
        self,
        protocol_factory: Any,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        family: int = 0,
        flags: int = socket.AI_PASSIVE,
        sock: Any = None,
        backlog: int = 100,
        ssl: ssl.SSLContext | None = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        start_serving: bool = True,
        **options: Any,
    ) -> asyncio.Server:
        """As asyncio's, on the current host. `sock` can be a socket of the operating system that is bound to a port."""
        if reuse_port:
            raise _missing("reuse_port", "a port of a host has one listening socket")
        if sock is None:
            names = [host] if host is None or isinstance(host, str) else list(host)
            found = [info[4] for name in names for info in await self._passive(name, port, family, flags)]
            # As in asyncio: an address that appears twice is bound once.
            sockets = [self._bound(address) for address in dict.fromkeys(found)]
            for listening in sockets:
                listening.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, reuse_address is not False)
                if keep_alive:
                    listening.setsockopt(SOL_SOCKET, socket.SO_KEEPALIVE, True)
        else:
            sockets = [sock if isinstance(sock, Socket) else self._bound_as(sock)]
        options.setdefault("ssl_handshake_timeout", None)
        server = asyncio.base_events.Server(self, sockets, protocol_factory, ssl, backlog, **options)  # type: ignore[arg-type]
        if start_serving:
            try:
                for listening in sockets:
                    await self._listen(listening, backlog)
            except BaseException:
                for listening in sockets:
                    listening.close()
                raise
            server._start_serving()  # type: ignore[attr-defined]
            # As in asyncio: the loop starts to accept before the caller continues.
            await asyncio.sleep(0)
        return server

    async def _listen(self, sock: Socket, backlog: int) -> None:
        """Listens, and waits while the host is paused or frozen."""
        listens: asyncio.Future[None] = self.create_future()

        def call() -> None:
            if listens.done():
                return
            try:
                sock.listen(backlog)
            except StandstillError:
                raise
            except OSError as error:
                listens.set_exception(error)
            else:
                listens.set_result(None)

        sock._now_or_late(call)
        await listens

    async def _passive(self, host: str | None, port: int | None, family: int, flags: int) -> list[tuple[Any, ...]]:
        own = self.session.hosts[hosts.current(self.session)]
        if host and host in self.session.hosts and self.session.hosts[host] != own:
            raise OSError(errno.EADDRNOTAVAIL, f"{os.strerror(errno.EADDRNOTAVAIL)}: {host!r} is another host")
        return await self.getaddrinfo(host, port, family=family, flags=flags)

    def _bound(self, address: Address) -> Socket:
        bound = self._socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        bound.bind(address)
        return bound

    def _bound_as(self, other: socket.socket) -> Socket:
        """Replaces a bound socket of the operating system by one on the same port of the current host."""
        bound = self._socket(other.family)
        take_over(other, bound)
        bound.setsockopt(SOL_SOCKET, socket.SO_REUSEADDR, other.getsockopt(SOL_SOCKET, socket.SO_REUSEADDR))
        address = other.getsockname()
        # Other addresses are those of this machine.
        bound.bind(("" if address[0] not in self.session.hosts[bound.host] else address[0], address[1]))
        other.close()
        return bound

    def _socket(self, family: int) -> Socket:
        made = self.session.socket(hosts.current(self.session), family)
        made.setblocking(False)
        return made

    # Sockets

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """As asyncio's. A socket of the operating system gets a twin in the session, which connects."""
        if isinstance(sock, Socket):
            await super().sock_connect(sock, address)  # type: ignore[arg-type]
            return
        twin = self._socket(sock.family)
        take_over(sock, twin)
        self._twins.add(sock, twin)
        try:
            await super().sock_connect(twin, address)  # type: ignore[arg-type]
        except BaseException:
            self._twins.remove(sock)
            twin.close()
            raise

    async def sock_accept(self, sock: Any) -> tuple[Any, Address]:
        """As asyncio's."""
        return await super().sock_accept(self._twin(sock))

    async def sock_recv(self, sock: Any, nbytes: int) -> bytes:
        """As asyncio's."""
        return await super().sock_recv(self._twin(sock), nbytes)

    async def sock_recv_into(self, sock: Any, buf: Any) -> int:
        """As asyncio's."""
        return await super().sock_recv_into(self._twin(sock), buf)

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        """As asyncio's."""
        await super().sock_sendall(self._twin(sock), data)

    def _twin(self, sock: Any) -> Any:
        """The socket of the session that stands for one of the operating system."""
        if isinstance(sock, Socket):
            return sock
        if twin := self._twins.get(sock):
            return twin
        raise NotImplementedError(f"{sock!r} is a socket of the operating system, and not connected in the session")

    def _adopt(self, sock: Any) -> Any:
        twin = self._twin(sock)
        if twin is not sock:
            self._twins.remove(sock)
            sock.close()
        return twin

    # Threads

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """As asyncio's. Virtual time stands still until all such work is done or waits for the loop."""
        self._check_closed()  # type: ignore[attr-defined]
        if executor is None:
            self._check_default_executor()  # type: ignore[attr-defined]
            executor = self._default_executor = self._default_executor or ThreadPoolExecutor(thread_name_prefix="halfopen")
        result: asyncio.Future[T] = self.create_future()
        self._jobs.start(executor, func, args, result)
        return result

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """As asyncio's, without a timeout."""
        del timeout
        self._executor_shutdown_called = True
        if self._default_executor:
            self._default_executor.shutdown()

    def _make_self_pipe(self) -> None:
        """Does nothing: other threads wake the loop with a condition variable."""

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        self._jobs.wake()

    # What a session does not have

    async def create_datagram_endpoint(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("create_datagram_endpoint", "a session has TCP only")

    async def create_unix_connection(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("create_unix_connection", "a session has TCP only")

    async def create_unix_server(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("create_unix_server", "a session has TCP only")

    async def connect_read_pipe(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("connect_read_pipe", "input from outside takes no virtual time")

    async def connect_write_pipe(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("connect_write_pipe", "output takes no virtual time")

    async def subprocess_exec(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("subprocess_exec", "other processes have no virtual time")

    async def subprocess_shell(self, *_args: Any, **_options: Any) -> Any:
        raise _missing("subprocess_shell", "other processes have no virtual time")

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        raise _missing("add_signal_handler", "signals have no virtual time")

    def remove_signal_handler(self, sig: int) -> bool:
        raise _missing("remove_signal_handler", "signals have no virtual time")

    async def sock_recvfrom(self, *_args: Any) -> Any:
        raise _missing("sock_recvfrom", "a session has TCP only")

    async def sock_recvfrom_into(self, *_args: Any) -> Any:
        raise _missing("sock_recvfrom_into", "a session has TCP only")

    async def sock_sendto(self, *_args: Any) -> Any:
        raise _missing("sock_sendto", "a session has TCP only")


def run(main: Coroutine[Any, Any, T], session: Session, *, debug: bool | None = None) -> T:
    """Runs a coroutine on a new event loop over a session, like `asyncio.run`."""
    if sys.version_info >= (3, 11):
        with asyncio.Runner(debug=debug, loop_factory=lambda: EventLoop(session)) as runner:
            return runner.run(main)
    loop = EventLoop(session)
    try:
        asyncio.set_event_loop(loop)
        loop.set_debug(bool(debug))
        return loop.run_until_complete(main)
    finally:
        try:
            _cancel(asyncio.all_tasks(loop), loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
        finally:
            asyncio.set_event_loop(None)
            loop.close()


def _cancel(tasks: Iterable[asyncio.Task[Any]], loop: EventLoop) -> None:
    waiting = list(tasks)
    for task in waiting:
        task.cancel()
    if waiting:
        loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))


def _missing(name: str, reason: str) -> NotImplementedError:
    return NotImplementedError(f"{name}: {reason}")


def _text(host: Any) -> str:
    return host.decode("idna") if isinstance(host, bytes) else str(host or "")


def _port(port: Any) -> int:
    if port is None or port == "":
        return 0
    try:
        return int(port)
    except ValueError:
        return socket.getservbyname(str(port), "tcp")
