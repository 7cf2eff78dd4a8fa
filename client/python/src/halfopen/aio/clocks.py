"""The clocks of the `time` module, which show the virtual time of the session to code that runs on its event loop.

Connection pools need this: those of aiohttp and httpx drop idle connections by `time.monotonic()`. The standard library and pytest
keep wall-clock time, because they wait for threads and measure tests with it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .._time import SECOND
from ..session import Session

#: The modules whose code keeps wall-clock time, by the first part of their names.
KEEP = sys.stdlib_module_names | {"_pytest", "pytest", "halfopen", "pluggy", "xdist"}

_monotonic, _monotonic_ns, _time, _time_ns = time.monotonic, time.monotonic_ns, time.time, time.time_ns

#: Guards the replacement of the clocks: several threads may have event loops.
_lock = threading.Lock()
#: The sessions whose loops run. Never changed in place, so that readers need no lock.
_running: tuple[Session, ...] = ()


class _Thread(threading.local):
    #: The session whose loop, or work for whose loop, runs in this thread.
    session: Session | None = None


_thread = _Thread()


def _now() -> tuple[Session, int] | None:
    """The session whose time the caller of a clock gets, and that time; `None` if it gets wall-clock time."""
    running = _running
    # A thread that code on a loop has started belongs to the latest.
    session = _thread.session or (running[-1] if running else None)
    if session is None:
        return None
    module = str(sys._getframe(2).f_globals.get("__name__", ""))
    return None if module.partition(".")[0] in KEEP else (session, session._now)


def monotonic() -> float:
    """`time.monotonic`, equal to `loop.time` as it is there."""
    now = _now()
    return _monotonic() if now is None else now[1] / SECOND


def monotonic_ns() -> int:
    """`time.monotonic_ns`."""
    now = _now()
    return _monotonic_ns() if now is None else now[1]


def wall_time() -> float:
    """`time.time`: that at which the session was created, plus its virtual time."""
    now = _now()
    return _time() if now is None else (now[0].created + now[1]) / SECOND


def wall_time_ns() -> int:
    """`time.time_ns`."""
    now = _now()
    return _time_ns() if now is None else now[0].created + now[1]


REPLACED: dict[Any, Callable[[], float]] = {
    _monotonic: monotonic,
    _monotonic_ns: monotonic_ns,
    _time: wall_time,
    _time_ns: wall_time_ns,
}
#: Where each module has one of the functions, for the modules that were searched.
_places: dict[ModuleType, list[tuple[str, Any]]] = {}


@contextmanager
def virtual(session: Session) -> Iterator[None]:
    """Replaces the clocks while a loop over the session runs in this thread."""
    global _running
    with _lock:
        _running = (*_running, session)
        for module, name, real in list(_each_place()):
            setattr(module, name, REPLACED[real])
    try:
        with shown(session):
            yield
    finally:
        with _lock:
            last = len(_running) - 1 - _running[::-1].index(session)
            _running = _running[:last] + _running[last + 1 :]
            if not _running:
                for module, name, real in list(_each_place()):
                    setattr(module, name, real)


@contextmanager
def shown(session: Session) -> Iterator[None]:
    """Within this block, the clocks show this thread the time of the session."""
    before, _thread.session = _thread.session, session
    try:
        yield
    finally:
        _thread.session = before


def _each_place() -> Iterator[tuple[ModuleType, str, Any]]:
    for module in list(sys.modules.values()):
        if type(module) is not ModuleType:
            continue
        if module not in _places:
            is_kept = module.__name__.partition(".")[0] in KEEP and module is not time
            values = () if is_kept else tuple(vars(module).items())
            _places[module] = [(name, value) for name, value in values if _is_clock(value)]
        for name, real in _places[module]:
            yield module, name, real


def _is_clock(value: object) -> bool:
    return any(value is real for real in REPLACED)
