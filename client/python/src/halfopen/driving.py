"""Blocking sockets in several threads: one thread runs at a time, and time moves when all of them wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .v1 import session_pb2

if TYPE_CHECKING:
    from .session import Session

#: pytest leaves the lines of this module out.
__tracebackhide__ = True


class _Thread:
    """A thread of the block: what it waits for, and what became of it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.may_run = threading.Event()
        self.is_done = False
        self.waits = False
        self.conditions: Sequence[session_pb2.SessionCondition] = ()
        self.until: int | None = None
        self.awaited: _Thread | None = None
        self.describe: Callable[[], str] = lambda: ""
        self.is_true = False
        self.error: BaseException | None = None


class Driver:
    """The threads of a `with session.driving()`. They take turns, so that the same happens each time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._threads: list[_Thread] = []
        self._running: _Thread | None = None
        self._current = threading.local()

    def start(self, function: Callable[..., object], /, *arguments: Any, name: str = "") -> None:
        """Runs a function in a thread of its own, from when this one waits. The end of the block waits for it."""
        thread = _Thread(name or getattr(function, "__name__", "thread"))
        thread.waits = False
        self._threads.append(thread)
        worker = threading.Thread(target=self._run, args=(thread, function, arguments), name=thread.name, daemon=True)
        worker.start()

    def __enter__(self) -> Driver:
        if self._session._driver:
            raise RuntimeError("another block drives this session")
        main = _Thread("main")
        self._threads.append(main)
        self._current.thread = self._running = main
        self._session._driver = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if error is None:
                self._join()
        finally:
            self._session._driver = None
            for thread in self._threads:
                # Whoever still waits finds that the block is over.
                thread.error = thread.error or SystemExit()
                thread.may_run.set()

    def _join(self) -> None:
        """Waits for all others; the first error of one is the block's."""
        own = self._current.thread
        for thread in self._threads:
            while thread is not own and not thread.is_done:
                own.awaited = thread
                self.block((), None, lambda name=thread.name: f"the end of thread {name}")  # type: ignore[misc]
                own.awaited = None
            if thread is not own and thread.error:
                raise thread.error

    def block(
        self,
        conditions: Sequence[session_pb2.SessionCondition] | None,
        until: int | None,
        describe: Callable[[], str] = lambda: "",
    ) -> bool:
        """Lets others run, and waits for one of the conditions (true) or until a time (false)."""
        thread: _Thread | None = getattr(self._current, "thread", None)
        if thread is None:
            raise RuntimeError("in a driving() block, only threads that driver.start() has started use the session")
        thread.conditions, thread.until, thread.describe = conditions or (), until, describe
        thread.waits = True
        thread.may_run.clear()
        self._next()
        thread.may_run.wait()
        if thread.error:
            error, thread.error = thread.error, None
            raise error
        return thread.is_true

    def _run(self, thread: _Thread, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self._current.thread = thread
        thread.may_run.wait()
        try:
            if thread.error is None:
                function(*arguments)
        except SystemExit:
            pass
        except BaseException as error:
            thread.error = error
        finally:
            thread.is_done = True
            if self._session._driver is self:
                self._next()

    def _next(self) -> None:
        """Gives the turn to a thread that can run, and moves time until there is one."""
        try:
            while not (ready := self._ready()):
                self._move()
        except BaseException as error:
            ready = self._threads[0]
            ready.error = error
        ready.waits = False
        self._running = ready
        ready.may_run.set()

    def _ready(self) -> _Thread | None:
        position = self._threads.index(self._running) + 1 if self._running else 0
        for thread in self._threads[position:] + self._threads[:position]:
            if thread.is_done:
                continue
            if not thread.waits or (thread.awaited and thread.awaited.is_done):
                return thread
        return None

    def _move(self) -> None:
        """Moves time to the first of what the threads wait for."""
        waiting = [thread for thread in self._threads if not thread.is_done]
        conditions = [(thread, condition) for thread in waiting for condition in thread.conditions]
        limits = [thread.until for thread in waiting if thread.until is not None]
        response = self._session._advance([condition for _, condition in conditions], min(limits, default=None))
        if response.stop == session_pb2.ADVANCE_STOP_CONDITION:
            thread = conditions[response.condition][0]
            thread.is_true, thread.waits = True, False
            return
        if response.stop == session_pb2.ADVANCE_STOP_TIME:
            for thread in waiting:
                if thread.until is not None and thread.until <= self._session._now:
                    thread.is_true, thread.waits = False, False
            return
        self._session._stopped(response, lambda: "; ".join(f"{thread.name} in {thread.describe()}" for thread in waiting))
