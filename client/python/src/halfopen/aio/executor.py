"""Work in executors: virtual time stands still until it is done."""

from __future__ import annotations

import concurrent.futures
import threading
from asyncio import Future
from collections.abc import Callable
from typing import Any

from ..session import Session
from . import clocks

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: How long, in seconds of wall-clock time, time stands still for work that waits for the loop.
PAUSE = 0.005
#: Thread pools whose threads share no objects (since Python 3.14).
INTERPRETERS: Any = getattr(concurrent.futures, "InterpreterPoolExecutor", ())


class _Job:
    """A function that an executor runs."""

    def __init__(self, result: Future[Any]) -> None:
        self.result = result
        self.work: concurrent.futures.Future[Any] | None = None
        #: Whether its thread is known, so that calls of the loop can be told from those of other jobs.
        self.is_tracked = False
        #: It has called the loop, and may wait for the outcome. If so, time must move.
        self.awaits_loop = False

    def is_done(self) -> bool:
        return self.work is not None and self.work.done()


class Jobs:
    """The functions that executors run for the loop. Their results are delivered in the order in which they were started."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changed = threading.Condition()
        self._called = False
        self._jobs: list[_Job] = []
        self._current = threading.local()
        #: The thread of the loop.
        self._own_thread = 0

    def start(
        self, executor: concurrent.futures.Executor, function: Callable[..., Any], arguments: tuple[Any, ...], result: Future[Any]
    ) -> None:
        """Runs a function in an executor."""
        self._own_thread = threading.get_ident()
        job = _Job(result)
        # Other executors may send the function to another process, which does not know the job.
        job.is_tracked = isinstance(executor, concurrent.futures.ThreadPoolExecutor) and not isinstance(executor, INTERPRETERS)
        # Its thread may call the loop before submit() returns.
        self._jobs.append(job)
        try:
            work = executor.submit(self._run, job, function, arguments) if job.is_tracked else executor.submit(function, *arguments)
        except BaseException:
            self._jobs.remove(job)
            raise
        job.work = work
        work.add_done_callback(lambda _: self._notify(called=False))
        result.add_done_callback(lambda _: work.cancel())

    def wake(self) -> None:
        """Notes that a thread has called the loop."""
        own: _Job | None = getattr(self._current, "job", None)
        if own:
            own.awaits_loop = True
        elif threading.get_ident() != self._own_thread:
            # It may be the thread of any job that is not tracked.
            for job in self._jobs:
                job.awaits_loop |= not job.is_tracked
        self._notify(called=True)

    def wait(self) -> bool:
        """Waits, in wall-clock time, until no thread works or one calls the loop. Returns whether the loop has something to do."""
        with self._changed:
            self._changed.wait_for(lambda: self._called or all(job.is_done() or job.awaits_loop for job in self._jobs))
            if self._jobs and not self._called:
                self._changed.wait_for(lambda: self._called or all(job.is_done() for job in self._jobs), PAUSE)
            was_called, self._called = self._called, False
        done = [job for job in self._jobs if job.is_done()]
        self._jobs = [job for job in self._jobs if job not in done]
        for job in done:
            self._deliver(job)
        return was_called or bool(done)

    def wait_longer(self) -> bool:
        """Waits for a thread because time cannot move. Returns whether there is one."""
        with self._changed:
            if self._jobs:
                self._changed.wait_for(lambda: self._called or any(job.is_done() for job in self._jobs))
        return bool(self._jobs)

    def _run(self, job: _Job, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self._current.job = job
        try:
            with clocks.shown(self._session):
                return function(*arguments)
        finally:
            self._current.job = None

    def _notify(self, *, called: bool) -> None:
        with self._changed:
            self._called |= called
            self._changed.notify_all()

    @staticmethod
    def _deliver(job: _Job) -> None:
        assert job.work is not None
        if job.result.done():
            return
        if job.work.cancelled():
            job.result.cancel()
        elif error := job.work.exception():
            job.result.set_exception(error)
        else:
            job.result.set_result(job.work.result())
