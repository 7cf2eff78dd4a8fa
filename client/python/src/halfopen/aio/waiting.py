"""For what code waits when nothing can happen any more."""

from __future__ import annotations

import asyncio
import linecache
from collections.abc import Iterable
from pathlib import Path

from ..sockets import Socket


def describe(loop: asyncio.AbstractEventLoop, sockets: Iterable[Socket]) -> str:
    """The tasks that wait, with where they do, and the sockets for which somebody waits."""
    tasks = sorted((task for task in asyncio.all_tasks(loop) if not task.done()), key=lambda task: task.get_name())
    lines = [f"{len(tasks)} task{'s wait' if len(tasks) != 1 else ' waits'}:"]
    lines += [f"  {task.get_name()} {_place(task)}" for task in tasks]
    described = [socket.describe() for socket in sockets]
    if described:
        lines += ["sockets that are waited for:", *(f"  {socket}" for socket in described)]
    return "\n".join(lines)


def _place(task: asyncio.Task[object]) -> str:
    """The innermost line that waits, and the outermost one if that is another function."""
    frames = task.get_stack()
    awaited: object = task.get_coro()
    frame = frames[-1] if frames else None
    while awaited is not None:
        inner = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        frame = inner or frame
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)
    if frame is None:
        return "has not begun"
    source = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    outer = f", called from line {frames[0].f_lineno} of {Path(frames[0].f_code.co_filename).name}" if frames else ""
    return f"at line {frame.f_lineno} of {Path(frame.f_code.co_filename).name}: {source}{outer}"
