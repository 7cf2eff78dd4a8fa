"""The host on which code runs. Tasks and servers stay on the host on which they started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..session import Session

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

_current: ContextVar[str] = ContextVar("halfopen_host")


@contextmanager
def host(name: str) -> Iterator[None]:
    """Runs the code in this block, and all tasks and servers that it starts, on a host of the session."""
    token = _current.set(name)
    try:
        yield
    finally:
        _current.reset(token)


def current(session: Session) -> str:
    """The host on which the caller runs."""
    own = session.own_hosts
    name = _current.get(own[0] if len(own) == 1 else "")
    if name in own:
        return name
    names = ", ".join(own) or "none"
    if name:
        raise LookupError(f"the test has no sockets on the host {name!r} of this session; it has sockets on: {names}")
    raise LookupError(f"this code runs on no host: put it in `with halfopen.aio.host(...)`; the hosts are: {names}")
