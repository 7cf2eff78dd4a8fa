"""Calls of processes whose host is paused or frozen: they are made when the host resumes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ._errnos import StandstillError

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

Call = Callable[[], object]


class LateCalls:
    """The calls that wait for their hosts, in order."""

    def __init__(self) -> None:
        self._calls: dict[str, deque[Call]] = {}

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts for which calls wait."""
        return tuple(self._calls)

    def add(self, host: str, call: Call) -> None:
        """Adds a call, which raises `StandstillError` as long as its host stands still."""
        self._calls.setdefault(host, deque()).append(call)

    def make(self) -> bool:
        """Makes the calls of the hosts that have resumed. Returns whether there was one."""
        has_called = False
        for host in self.hosts:
            calls = self._calls.pop(host)
            while calls:
                call = calls.popleft()
                try:
                    call()
                except StandstillError:
                    self._calls[host] = deque([call, *calls])
                    break
                except OSError:
                    # Its caller has gone on, and finds the error at the next call.
                    pass
                has_called = True
        return has_called
