"""Describes what code waits for when nothing can happen any more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

from .._threads import line_of
from ..sockets import Socket

#: The folder of asyncio, whose lines say less than those of its callers.
ASYNCIO = Path(asyncio.__file__).parent


def describe(loop: asyncio.AbstractEventLoop, sockets: Iterable[Socket]) -> str:
    """The tasks that wait, with their lines of code, and the sockets for which the loop waits."""
    tasks = sorted((task for task in asyncio.all_tasks(loop) if not task.done()), key=lambda task: task.get_name())
    lines = [f"{len(tasks)} task{'s still wait' if len(tasks) != 1 else ' still waits'}:"]
    lines += [f"  {task.get_name()} {_place(task)}" for task in tasks]
    described = [socket.describe() for socket in sockets]
    if described:
        lines += ["the loop waits for the sockets:", *(f"  {socket}" for socket in described)]
    return "\n".join(lines)


def _place(task: asyncio.Task[object]) -> str:
    """The innermost line of a task that waits, outside asyncio if possible."""
    frames = list(_frames(task.get_coro()))
    outside = [frame for frame in frames if ASYNCIO not in Path(frame.f_code.co_filename).parents]
    frame = next(reversed(outside or frames), None)
    if frame is None:
        return "has not started"
    return line_of(frame)


def _frames(awaited: object) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits, outermost first."""
    while awaited is not None:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None) or getattr(awaited, "gi_frame", None)
        if isinstance(frame, FrameType):
            yield frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None) or getattr(awaited, "gi_yieldfrom", None)
