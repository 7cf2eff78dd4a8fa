"""The clocks of the `time` module: code that runs on the loop and asks them gets the time of the session.

Connection pools do: those of aiohttp and httpx drop idle connections by `time.monotonic()`. The standard library and pytest keep
wall-clock time, because they wait for threads and measure tests with it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from .._time import SECOND
from ..session import Session

#: Whose code keeps wall-clock time, by the first part of its module's name.
KEEP = sys.stdlib_module_names | {"_pytest", "pytest", "halfopen", "pluggy", "xdist"}

_session: Session | None = None
_monotonic, _monotonic_ns, _time, _time_ns = time.monotonic, time.monotonic_ns, time.time, time.time_ns


def _now() -> tuple[Session, int] | None:
    """The session whose time the code that asks gets."""
    if _session is None:
        return None
    module = str(sys._getframe(2).f_globals.get("__name__", ""))
    return None if module.partition(".")[0] in KEEP else (_session, _session._now)


def monotonic() -> float:
    """`time.monotonic`, and as there the same as `loop.time`."""
    now = _now()
    return _monotonic() if now is None else now[1] / SECOND


def monotonic_ns() -> int:
    """`time.monotonic_ns`."""
    now = _now()
    return _monotonic_ns() if now is None else now[1]


def wall_time() -> float:
    """`time.time`: the session began when it was created."""
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
#: Where modules that were looked at have one of the functions.
_places: dict[ModuleType, list[tuple[str, Any]]] = {}


@contextmanager
def virtual(session: Session) -> Iterator[None]:
    """Code in this block that asks a clock gets the time of the session."""
    global _session
    outer, _session = _session, session
    try:
        for module, name, real in list(_each_place()):
            setattr(module, name, REPLACED[real])
        yield
    finally:
        _session = outer
        if outer is None:
            for module, name, real in list(_each_place()):
                setattr(module, name, real)


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
