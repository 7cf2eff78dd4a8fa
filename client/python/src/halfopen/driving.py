"""Blocking sockets in several threads: one thread runs at a time, and time moves when all wait.

On Linux, a thread may also wait for another one, with a lock or a queue. While it does, the others take turns without it. When it
goes on, it gets its turn at its next call of the session.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._threads import is_in_call, lock_wait, place
from .errors import IdleError
from .v1 import session_pb2

if TYPE_CHECKING:
    from .session import Session

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

Conditions = Sequence[session_pb2.SessionCondition]

#: The seconds of wall-clock time after which a thread that waits for a lock gives its turn to the others.
QUIET = 0.05
#: The seconds of wall-clock time after which a thread that makes no call of the session, while others wait, is an error.
PATIENCE = 20.0
#: The seconds of wall-clock time that the end of the block waits for threads that do not end.
GRACE = 1.0


class _Thread:
    """A thread of the block, and what it waits for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.may_run = threading.Event()
        #: The thread of Python, once it is known; `is_main` is the one that runs the block.
        self.worker = threading.current_thread()
        self.is_main = True
        #: The lock for which it waits outside the session, as `lock_wait` has it.
        self.lock_wait: str | None = None
        self.wants_turn = False
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

    @property
    def is_outside(self) -> bool:
        """Whether it waits for a lock, and has lost its turn."""
        return self.lock_wait is not None

    def where(self) -> str:
        """For messages: its name, and what it waits for."""
        return f"{self.name} in {self.describe()}" if self.waits else f"{self.name} {place(self.worker)}"


class Driver:
    """The threads of a `with session.driving()` block. They take turns, so that each run is the same."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._main = _Thread("main")
        self._threads = [self._main]
        self._running = self._main
        #: Guards who is outside.
        self._mutex = threading.Lock()
        self._is_moving = False
        #: The number of calls of the session, and of turns.
        self._progress = 0
        self._watcher = threading.Thread(target=self._watch, name="halfopen driving", daemon=True)
        #: Whether the watcher has interrupted the block, which waited for a lock.
        self._has_interrupted = False
        self._sigint_was_ignored = False
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
        thread.is_main = False
        thread.worker.start()

    def __enter__(self) -> Driver:
        if self._session._driver:
            raise RuntimeError("another driving() block uses this session")
        self._main.worker = threading.current_thread()
        self._current.thread = self._main
        self._session._driver = self
        # A shell lets jobs in the background ignore SIGINT, and nothing else gets a thread out of a lock.
        if self._main.worker is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._sigint_was_ignored = True
        self._watcher.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt) and self._has_interrupted:
            error = self._main.error
        try:
            if error is None:
                self._await_threads()
        except BaseException as own:
            error = own
            raise
        finally:
            self._end()
            if self._sigint_was_ignored:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            # The error of another thread came first: that of the block may be its consequence.
            if self._failure and (error is None or isinstance(error, Exception)):
                raise self._failure from error
            if self._has_interrupted and error:
                raise error from None

    def _await_threads(self) -> None:
        """Waits for all other threads."""
        for thread in self._threads:
            if not thread.is_main and not thread.is_done:
                self._main.until_done = thread
                self.block((), None, lambda name=thread.name: f"the end of thread {name}")  # type: ignore[misc]
                self._main.until_done = None

    def _end(self) -> None:
        """Ends the threads that still wait, one after another. Those that wait for something else are left alone."""
        self._is_over = True
        until = time.monotonic() + GRACE
        try:
            for thread in self._threads:
                if not thread.is_main:
                    thread.may_run.set()
                    thread.worker.join(None if thread.waits else max(until - time.monotonic(), 0))
        finally:
            self._session._driver = None

    def take_turn(self) -> None:
        """Waits for the turn of this thread, if it has lost it. Each call of the session does."""
        self._progress += 1
        thread: _Thread | None = getattr(self._current, "thread", None)
        if thread is None or not thread.is_outside:
            return
        with self._mutex:
            if not thread.is_outside:
                return
            thread.may_run.clear()
            thread.wants_turn = True
        thread.may_run.wait()
        self._check(thread)

    def _check(self, thread: _Thread) -> None:
        """Ends a thread whose block is over, and raises the error of its wait, once."""
        if self._is_over:
            raise SystemExit
        if error := thread.error:
            thread.error = None
            raise error

    def block(self, conditions: Conditions, until: int | None, describe: Callable[[], str], *, until_idle: bool = False) -> bool:
        """Lets others run, and waits until one of the conditions is true (true), or until a time in nanoseconds (false)."""
        thread: _Thread | None = getattr(self._current, "thread", None)
        if thread is None:
            raise RuntimeError("in a driving() block, only threads that driver.start() has started can use the session")
        self.take_turn()
        self._check(thread)
        thread.conditions, thread.until, thread.until_idle, thread.describe = conditions, until, until_idle, describe
        thread.is_true, thread.waits = False, True
        thread.may_run.clear()
        self._next()
        thread.may_run.wait()
        self._check(thread)
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
            with self._mutex:
                thread.is_done, had_turn = True, not thread.is_outside
            if had_turn and not self._is_over:
                self._next()

    def _next(self) -> None:
        """Gives the turn to a thread that can run, and moves time until there is one."""
        self._is_moving = True
        try:
            while not (ready := self._ready()):
                if not self._settle():
                    self._move()
        except BaseException as error:
            ready = self._main
            ready.resume(is_true=False, error=error)
            self._interrupt()
        with self._mutex:
            ready.waits, ready.wants_turn, ready.lock_wait = False, False, None
            self._running = ready
            self._progress += 1
            self._is_moving = False
        ready.may_run.set()

    def _ready(self) -> _Thread | None:
        position = self._threads.index(self._running) + 1
        for thread in self._threads[position:] + self._threads[:position]:
            if thread.is_done or (thread.is_outside and not thread.wants_turn):
                continue
            if not thread.waits or (thread.until_done and thread.until_done.is_done):
                return thread
        return None

    # Threads that wait for others

    def _outside(self) -> list[_Thread]:
        """Those that wait for locks."""
        return [thread for thread in self._threads if thread.is_outside and not thread.is_done]

    def _settle(self, patience: float = PATIENCE, *, expects: bool = False) -> bool:
        """Lets threads whose locks are free now run until their next call of the session, before time moves.

        Returns whether one wants a turn or has ended. If one is expected to, waits for it although all wait for locks.
        """
        outside, until = self._outside(), time.monotonic() + patience
        while not any(thread.wants_turn or thread.is_done for thread in outside):
            if all(lock_wait(thread.worker) == thread.lock_wait for thread in outside) and not expects:
                return False
            if time.monotonic() > until:
                return False
            time.sleep(0.0005)
            for thread in outside:
                # It may wait for another lock now.
                found = lock_wait(thread.worker)
                if found is not None and found != thread.lock_wait:
                    time.sleep(QUIET)
                    thread.lock_wait = found if lock_wait(thread.worker) == found else thread.lock_wait
        return True

    def _watch(self) -> None:
        """Takes the turn from a thread that waits for a lock: only the others can free it."""
        before: tuple[_Thread, int, str | None] | None = None
        since = time.monotonic()
        while not self._is_over:
            time.sleep(QUIET)
            running = self._running
            if self._is_moving or all(thread.is_done or thread is running for thread in self._threads):
                before = None
                continue
            now = (running, self._progress, lock_wait(running.worker))
            if before is None or before[:2] != now[:2]:
                since = time.monotonic()
            elif now[2] is not None and now == before and self._lose_turn(running, now[2]):
                self._next()
            elif time.monotonic() - since > PATIENCE and not running.is_main and not is_in_call(running.worker):
                self._give_up(running)
                return
            before = now

    def _lose_turn(self, running: _Thread, waits: str) -> bool:
        """Takes the turn from a thread that waits for a lock, unless it has gone on."""
        with self._mutex:
            running.lock_wait = waits
            if not self._is_over and not running.is_done and lock_wait(running.worker) == waits:
                self._is_moving = True
                return True
            running.lock_wait = None
            return False

    def _give_up(self, running: _Thread) -> None:
        """Fails the block, because a thread neither ends nor makes a call of the session."""
        others = (thread for thread in self._threads if thread.waits or (thread.is_outside and not thread.is_done))
        waiting = "; ".join(map(_Thread.where, others))
        message = (
            f"{running.where()} has made no call of the session for {PATIENCE:g} s of wall-clock time, while others wait: {waiting}"
        )
        self._main.resume(is_true=False, error=IdleError(message))
        self._interrupt()
        self._main.may_run.set()

    def _interrupt(self) -> None:
        """Interrupts the block if it waits for a lock that nobody can free."""
        main = self._main
        if main.is_outside and not main.wants_turn and main.worker is threading.main_thread():
            with contextlib.suppress(ValueError):
                if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                    self._has_interrupted = True
                    signal.pthread_kill(main.worker.ident or 0, signal.SIGINT)

    def _move(self) -> None:
        """Moves time to the first event that the threads wait for."""
        waiting = [thread for thread in self._threads if not thread.is_done and not thread.is_outside]
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
            # What is outside may wait for a thread that does not belong to the block.
            if response.stop == session_pb2.ADVANCE_STOP_IDLE and self._outside() and self._settle(GRACE, expects=True):
                return
            self._session._check_stop(response, lambda: "; ".join(map(_Thread.where, [*waiting, *self._outside()])))
        for thread in reached:
            thread.resume(is_true=False)
