"""Work in other threads: virtual time stands still until it is done."""

from __future__ import annotations

import concurrent.futures
import threading
from asyncio import Future
from collections.abc import Callable
from typing import Any

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: How long, in seconds of wall-clock time, time stands still for work that waits for the loop.
PAUSE = 0.005


class _Job:
    """A function in another thread."""

    def __init__(self, function: Callable[[], Any], result: Future[Any]) -> None:
        self.function = function
        self.result = result
        self.work: concurrent.futures.Future[Any] | None = None
        #: It has called the loop, and may wait for what comes of that. If so, time must move.
        self.awaits_loop = False

    def is_done(self) -> bool:
        return self.work is not None and self.work.done()


class Jobs:
    """What runs in other threads for the loop. What they return is delivered in the order in which they began."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._called = False
        self._jobs: list[_Job] = []
        self._current = threading.local()

    def start(self, executor: concurrent.futures.Executor, function: Callable[[], Any], result: Future[Any]) -> None:
        """Runs a function in a thread of an executor."""
        job = _Job(function, result)
        work = job.work = executor.submit(self._run, job)
        self._jobs.append(job)
        work.add_done_callback(lambda _: self._notify(called=False))
        result.add_done_callback(lambda _: work.cancel())

    def wake(self) -> None:
        """A thread has called the loop."""
        job: _Job | None = getattr(self._current, "job", None)
        if job:
            job.awaits_loop = True
        self._notify(called=True)

    def wait(self) -> bool:
        """Waits, in wall-clock time, until no thread works or one calls the loop; whether there is something to do at once."""
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
        """If time cannot move, there is only what threads still do; whether there is such."""
        with self._changed:
            if self._jobs:
                self._changed.wait_for(lambda: self._called or any(job.is_done() for job in self._jobs))
        return bool(self._jobs)

    def _run(self, job: _Job) -> Any:
        self._current.job = job
        try:
            return job.function()
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
