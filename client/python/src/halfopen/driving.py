"""Blocking sockets in several threads: one thread runs at a time, and time moves when all wait."""

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

Conditions = Sequence[session_pb2.SessionCondition]


class _Thread:
    """A thread of the block, and what it waits for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.may_run = threading.Event()
        #: The thread of Python; `None` for the one that runs the block.
        self.worker: threading.Thread | None = None
        self.is_done = False
        self.waits = False
        self.conditions: Conditions = ()
        self.until: int | None = None
        self.until_idle = False
        self.until_done: _Thread | None = None
        self.describe: Callable[[], str] = lambda: ""
        #: The outcome of the wait.
        self.is_true = False
        self.error: BaseException | None = None

    def resume(self, *, is_true: bool, error: BaseException | None = None) -> None:
        """Ends its wait."""
        self.is_true, self.error, self.waits = is_true, error, False


class Driver:
    """The threads of a `with session.driving()` block. They take turns, so that each run is the same."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._main = _Thread("main")
        self._threads = [self._main]
        self._running = self._main
        self._current = threading.local()
        self._is_over = False
        #: The first error that a thread ended with.
        self._failure: BaseException | None = None

    def start(self, function: Callable[..., object], /, *arguments: Any, name: str = "") -> None:
        """Runs a function in a thread of its own, which starts when this one waits. The end of the block waits for it.

        If the function raises an error, the block raises it.
        """
        thread = _Thread(name or getattr(function, "__name__", "thread"))
        self._threads.append(thread)
        thread.worker = threading.Thread(target=self._run, args=(thread, function, arguments), name=thread.name, daemon=True)
        thread.worker.start()

    def __enter__(self) -> Driver:
        if self._session._driver:
            raise RuntimeError("another driving() block uses this session")
        self._current.thread = self._main
        self._session._driver = self
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        try:
            if error is None:
                self._await_threads()
        except BaseException as own:
            error = own
            raise
        finally:
            self._end()
            # The error of another thread came first: that of the block may be its consequence.
            if self._failure and (error is None or isinstance(error, Exception)):
                raise self._failure from error

    def _await_threads(self) -> None:
        """Waits for all other threads."""
        for thread in self._threads:
            if thread.worker and not thread.is_done:
                self._main.until_done = thread
                self.block((), None, lambda name=thread.name: f"the end of thread {name}")  # type: ignore[misc]
                self._main.until_done = None

    def _end(self) -> None:
        """Ends the threads that still wait, one after another."""
        self._is_over = True
        try:
            for thread in self._threads:
                if thread.worker:
                    thread.may_run.set()
                    thread.worker.join()
        finally:
            self._session._driver = None

    def block(self, conditions: Conditions, until: int | None, describe: Callable[[], str], *, until_idle: bool = False) -> bool:
        """Lets others run, and waits until one of the conditions is true (true), or until a time in nanoseconds (false)."""
        thread: _Thread | None = getattr(self._current, "thread", None)
        if thread is None:
            raise RuntimeError("in a driving() block, only threads that driver.start() has started can use the session")
        if self._is_over:
            raise SystemExit
        thread.conditions, thread.until, thread.until_idle, thread.describe = conditions, until, until_idle, describe
        thread.is_true, thread.error, thread.waits = False, None, True
        thread.may_run.clear()
        self._next()
        thread.may_run.wait()
        if self._is_over:
            raise SystemExit
        if thread.error:
            raise thread.error
        return thread.is_true

    def _run(self, thread: _Thread, function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
        self._current.thread = thread
        thread.may_run.wait()
        try:
            if not self._is_over:
                function(*arguments)
        except SystemExit:
            pass
        except BaseException as error:
            self._failure = self._failure or error
        finally:
            thread.is_done = True
            if not self._is_over:
                self._next()

    def _next(self) -> None:
        """Gives the turn to a thread that can run, and moves time until there is one."""
        try:
            while not (ready := self._ready()):
                self._move()
        except BaseException as error:
            ready = self._main
            ready.resume(is_true=False, error=error)
        ready.waits = False
        self._running = ready
        ready.may_run.set()

    def _ready(self) -> _Thread | None:
        position = self._threads.index(self._running) + 1
        for thread in self._threads[position:] + self._threads[:position]:
            if not thread.is_done and (not thread.waits or (thread.until_done and thread.until_done.is_done)):
                return thread
        return None

    def _move(self) -> None:
        """Moves time to the first event that the threads wait for."""
        waiting = [thread for thread in self._threads if not thread.is_done]
        conditions = [(thread, condition) for thread in waiting for condition in thread.conditions]
        limits = [thread.until for thread in waiting if thread.until is not None]
        response = self._session._advance([condition for _, condition in conditions], min(limits, default=None))
        if response.stop == session_pb2.ADVANCE_STOP_CONDITION:
            conditions[response.condition][0].resume(is_true=True)
            return
        if response.stop == session_pb2.ADVANCE_STOP_TIME:
            reached = [thread for thread in waiting if thread.until is not None and thread.until <= self._session._now]
        else:
            is_idle = response.stop == session_pb2.ADVANCE_STOP_IDLE
            reached = [thread for thread in waiting if thread.until_idle and is_idle]
        if not reached:
            self._session._check_stop(response, lambda: "; ".join(f"{thread.name} in {thread.describe()}" for thread in waiting))
        for thread in reached:
            thread.resume(is_true=False)
