"""`select`, `poll` and the selectors of the standard library, which know the sockets of sessions, too.

Connection pools need this: those of httpx and urllib3 poll an idle connection before they use it again. The file descriptors of a
session's sockets mean nothing to the operating system, which would call each of them invalid.
"""

from __future__ import annotations

import errno
import os
import select
import selectors
import sys
import threading
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ._errnos import is_standstill
from .errors import CallError, SessionOverError
from .v1 import session_pb2

if TYPE_CHECKING:
    from .sockets import Socket

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: poll(2). Its numbers are the same everywhere, but Windows has no `poll`.
POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL = 0x001, 0x004, 0x008, 0x010, 0x020
POLLRDHUP = int(getattr(select, "POLLRDHUP", 0))
#: The events that are reported whether they were asked for or not.
ALWAYS = POLLERR | POLLHUP | POLLNVAL
#: What has ended is ready for everything.
ENDED = POLLIN | POLLOUT | POLLERR | POLLHUP

#: Sockets by file descriptor, each with the events that are wanted of it.
Wanted = Mapping[int, "tuple[Socket, int]"]

_select: Any = select.select
_lock = threading.Lock()
_installed = False


def install() -> None:
    """Replaces the functions, for good: with other file descriptors, they do what they did."""
    global _installed
    with _lock:
        if _installed:
            return
        _installed = True
        replaced: list[tuple[Any, Any]] = [(select.select, select_sockets)]
        if hasattr(select, "poll"):
            poll = select.poll

            def make_poll() -> Poller:
                return Poller(poll(), 1000)

            replaced.append((poll, make_poll))
            selectors.PollSelector._selector_cls = staticmethod(make_poll)  # type: ignore[attr-defined]
        if hasattr(selectors, "EpollSelector"):
            epoll = select.epoll
            selectors.EpollSelector._selector_cls = staticmethod(lambda: Poller(epoll(), 1))  # type: ignore[attr-defined]
        if sys.platform != "win32":
            selectors.SelectSelector._select = staticmethod(select_sockets)  # type: ignore[attr-defined]
        for module in list(sys.modules.values()):
            for name, value in list(vars(module).items()) if type(module) is ModuleType else ():
                for real, new in replaced:
                    if value is real and module.__name__ != __name__:
                        setattr(module, name, new)


def events_of(socket: Socket) -> int:
    """What poll(2) says of a socket."""
    if socket._closed:
        return POLLNVAL
    if not socket.number:
        return 0 if socket._connecting else POLLOUT | POLLHUP
    request = session_pb2.GetSocketRequest(socket=socket.number)
    try:
        found = socket.session._call("GetSocket", request, session_pb2.GetSocketResponse).readiness
    except SessionOverError:
        return ENDED
    except CallError as error:
        # Nothing is ready for processes that stand still.
        return 0 if is_standstill(error) else ENDED
    return sum(
        bit
        for is_true, bit in (
            (found.readable or found.gone, POLLIN),
            (found.writable or found.gone, POLLOUT),
            (found.peer_closed, POLLRDHUP),
            (found.hung_up or found.gone, POLLHUP),
            (found.failed or found.gone, POLLERR),
        )
        if is_true
    )


def _ready(wanted: Wanted) -> list[tuple[int, int]]:
    """The events of those that have some."""
    found = ((descriptor, events_of(socket) & (mask | ALWAYS)) for descriptor, (socket, mask) in wanted.items())
    return [(descriptor, events) for descriptor, events in found if events]


def _wait(call: str, wanted: Wanted, timeout: float | None) -> None:
    """Moves time until a socket may be ready, or by a timeout in seconds."""
    from .session import condition

    sockets = [socket for socket, _ in wanted.values()]
    session = sockets[0].session
    if any(socket.session is not session for socket in sockets):
        raise NotImplementedError(f"{call}(): the sockets belong to several sessions, and each has its own time")
    if session._has_loop:
        raise NotImplementedError(f"{call}(): it would block the event loop; a timeout of 0 does not")
    conditions = [
        condition(name, socket.number)
        for socket, mask in wanted.values()
        for name, bit in (("readable", POLLIN), ("writable", POLLOUT))
        if mask & bit and socket.number and not socket._closed
    ]
    session._wait(conditions, session._after(timeout), lambda: f"{call}() for {', '.join(socket.describe() for socket in sockets)}")


class Poller:
    """A `select.poll` or `select.epoll` that takes sockets of a session, too, and waits for them in virtual time."""

    def __init__(self, real: Any, second: int) -> None:
        """`second` is how many units of its timeout make a second."""
        self._real = real
        self._second = second
        self._wanted: dict[int, tuple[Socket, int]] = {}

    def register(self, fd: Any, eventmask: int = POLLIN | POLLOUT) -> None:
        """As that of `select.poll`."""
        if socket := find(fd):
            self._wanted[socket._descriptor] = (socket, eventmask)
        else:
            self._real.register(fd, eventmask)

    def modify(self, fd: Any, eventmask: int) -> None:
        """As that of `select.poll`."""
        if not (socket := find(fd)):
            self._real.modify(fd, eventmask)
        elif socket._descriptor in self._wanted:
            self.register(fd, eventmask)
        else:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    def unregister(self, fd: Any) -> None:
        """As that of `select.poll`."""
        descriptor = fd if isinstance(fd, int) else fd.fileno()
        if descriptor in self._wanted:
            del self._wanted[descriptor]
        else:
            self._real.unregister(fd)

    def poll(self, timeout: float | None = None, *limit: int) -> list[tuple[int, int]]:
        """As that of `select.poll`. Files of the operating system are not waited for if there are sockets of a session."""
        if not self._wanted:
            found: list[tuple[int, int]] = self._real.poll(timeout, *limit)
            return found
        ready = [*self._real.poll(0, *limit), *_ready(self._wanted)]
        if ready or timeout == 0:
            return ready
        _wait("poll", self._wanted, None if timeout is None or timeout < 0 else timeout / self._second)
        return [*self._real.poll(0, *limit), *_ready(self._wanted)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def select_sockets(
    rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout: float | None = None, /
) -> tuple[list[Any], list[Any], list[Any]]:
    """`select.select`, which takes sockets of a session, too, and waits for them in virtual time."""
    lists = [list(rlist), list(wlist), list(xlist)]
    wanted: dict[int, tuple[Socket, int]] = {}
    for files, bit in zip(lists, (POLLIN, POLLOUT, 0), strict=True):
        for socket in filter(None, map(find, files)):
            _, mask = wanted.get(socket._descriptor, (socket, 0))
            wanted[socket._descriptor] = (socket, mask | bit)
    if not wanted:
        found: tuple[list[Any], list[Any], list[Any]] = _select(*lists, timeout)
        return found
    ready = _select_ready(lists, wanted)
    if any(ready) or timeout == 0:
        return ready
    _wait("select", wanted, timeout)
    return _select_ready(lists, wanted)


def _select_ready(lists: list[list[Any]], wanted: Wanted) -> tuple[list[Any], list[Any], list[Any]]:
    events = dict(_ready(wanted))
    rest = [[file for file in files if not find(file)] for files in lists]
    # Windows takes no three empty lists.
    others = _select(*rest, 0) if any(rest) else rest

    def ready(position: int, bits: int) -> list[Any]:
        return [
            file
            for file in lists[position]
            if (events.get(socket._descriptor, 0) & bits if (socket := find(file)) else file in others[position])
        ]

    # As in Linux: what has failed or is closed is readable, and what has failed is writable.
    return ready(0, POLLIN | POLLHUP | POLLERR), ready(1, POLLOUT | POLLERR), ready(2, 0)


def find(fileobj: Any) -> Socket | None:
    """The socket of a session that a file descriptor, or an object that has one, stands for."""
    from .sockets import by_descriptor

    descriptor = fileobj.fileno() if hasattr(fileobj, "fileno") else fileobj
    return by_descriptor.get(descriptor) if isinstance(descriptor, int) else None
