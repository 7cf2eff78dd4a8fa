"""The selector of the loop: it waits for sockets by moving the time of the session."""

from __future__ import annotations

import selectors
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .._time import nanoseconds
from ..session import Session, check_end
from ..sockets import Socket, by_descriptor
from ..v1 import session_pb2
from .executor import Jobs
from .twins import Twins

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: Code that only yields never waits. Each time the loop has gone around this often, it moves time by a millisecond.
YIELDS = 1000
MILLISECOND = 1_000_000


class _Keys(Mapping[Any, selectors.SelectorKey]):
    """What the selector waits for, by file descriptor or by an object that has one, as in `selectors`."""

    def __init__(self) -> None:
        self.by_descriptor: dict[int, selectors.SelectorKey] = {}

    def __getitem__(self, fileobj: Any) -> selectors.SelectorKey:
        return self.by_descriptor[self.descriptor(fileobj)]

    def __iter__(self) -> Iterator[int]:
        return iter(self.by_descriptor)

    def __len__(self) -> int:
        return len(self.by_descriptor)

    def descriptor(self, fileobj: Any) -> int:
        """The descriptor of an object; that with which it was registered if it is closed."""
        if isinstance(fileobj, int):
            return fileobj
        found = int(fileobj.fileno())
        return found if found >= 0 else next((key.fd for key in self.by_descriptor.values() if key.fileobj is fileobj), found)


class Selector(selectors.BaseSelector):
    """Waits for sockets, timers and work in executors."""

    def __init__(self, session: Session, jobs: Jobs, twins: Twins, idle: Callable[[], None], describe: Callable[[], str]) -> None:
        """`idle` is called when nothing can happen any more; `describe` returns what waits."""
        self._session = session
        self._jobs = jobs
        self._twins = twins
        self._idle = idle
        self._describe = describe
        self._keys = _Keys()
        self._sockets: dict[int, Socket] = {}
        self._by_number: dict[int, selectors.SelectorKey] = {}
        self._gone: set[int] = set()
        #: What it waits for, as the protocol has it; `None` if that has changed, or if a socket has no number yet.
        self._conditions: list[session_pb2.SessionCondition] | None = None
        self._yields = 0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Starts to wait for a socket."""
        descriptor = self._keys.descriptor(fileobj)
        if not events or events & ~(selectors.EVENT_READ | selectors.EVENT_WRITE):
            raise ValueError(f"Invalid events: {events!r}")
        if descriptor in self._keys:
            raise KeyError(f"{fileobj!r} (FD {descriptor}) is already registered")
        socket = by_descriptor.get(descriptor)
        if socket is None or socket.session is not self._session:
            raise NotImplementedError(f"add_reader and add_writer: {fileobj!r} is not a socket of the session")
        key = selectors.SelectorKey(fileobj, descriptor, events, data)
        self._conditions = None
        self._keys.by_descriptor[descriptor] = key
        self._sockets[descriptor] = socket
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Stops waiting for a socket."""
        descriptor = self._keys.descriptor(fileobj)
        try:
            key = self._keys.by_descriptor.pop(descriptor)
        except KeyError:
            raise KeyError(f"{fileobj!r} is not registered") from None
        self._conditions = None
        del self._sockets[descriptor]
        return key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What it waits for."""
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Moves time until a socket is ready, or by a timeout in seconds."""
        if timeout is not None and timeout <= 0:
            # The loop has callbacks to run, for which a thread may wait.
            self._yields += 1
            if self._yields % YIELDS or self._jobs.wait():
                return []
            until: int | None = self._session._now + MILLISECOND
        elif self._jobs.wait():
            return []
        else:
            self._yields = 0
            until = None if timeout is None else self._session._now + max(nanoseconds(timeout), 1)
        self._twins.close_lost()
        if self._session._late_calls.make():
            return []
        conditions = self._conditions
        if conditions is None:
            if failed := [key for key in self._keys.by_descriptor.values() if self._sockets[key.fd]._late_error]:
                return [(key, key.events) for key in failed]
            conditions = self._make_conditions()
        response, has_called = self._session._advance_once(conditions, until)
        if response.stop == session_pb2.ADVANCE_STOP_IDLE:
            if not has_called and not self._jobs.wait_longer():
                self._idle()
            return []
        check_end(response, self._describe)
        return [ready for state in response.ready if (ready := self._ready(state))]

    def close(self) -> None:
        """Stops waiting for anything."""
        self._conditions = None
        self._keys.by_descriptor.clear()
        self._sockets.clear()

    def waiting(self) -> list[Socket]:
        """The sockets for which it waits."""
        return list(self._sockets.values())

    def _make_conditions(self) -> list[session_pb2.SessionCondition]:
        conditions = []
        has_all = True
        self._by_number.clear()
        for descriptor, key in self._keys.by_descriptor.items():
            number = self._sockets[descriptor].number
            # A connection of a paused or frozen host has none yet.
            has_all &= number != 0
            if not number or number in self._gone:
                continue
            self._by_number[number] = key
            if key.events & selectors.EVENT_READ:
                conditions.append(session_pb2.SessionCondition(readable=number))
            if key.events & selectors.EVENT_WRITE:
                conditions.append(session_pb2.SessionCondition(writable=number))
        self._conditions = conditions if has_all else None
        return conditions

    def _ready(self, state: session_pb2.SocketReadiness) -> tuple[selectors.SelectorKey, int] | None:
        key = self._by_number[state.socket]
        events = 0
        if state.gone:
            # The socket was closed, its host lost power, or its process was killed. Readers and writers learn it once; a
            # server only gets no more connections.
            self._gone.add(state.socket)
            self._conditions = None
            if self._sockets[key.fd].is_listening:
                return None
        if state.readable or state.gone:
            events |= selectors.EVENT_READ
        if state.writable or state.gone:
            events |= selectors.EVENT_WRITE
        return (key, events & key.events) if events & key.events else None
