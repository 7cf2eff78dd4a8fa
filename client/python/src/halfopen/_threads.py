"""What threads of Python do outside the session: whether one waits for a lock, and at which line."""

from __future__ import annotations

import gc
import linecache
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

#: The modules in which a thread that makes a call of the session waits for its answer.
CALLS = ("halfopen._rpc",)


def lock_wait(thread: threading.Thread) -> str | None:
    """Identifies the wait of a thread for a lock, or for what is made of locks: a queue, an event. `None` if it does not wait for
    one, or if that is not known. As long as the text stays the same, the thread has not run.

    Linux only: a thread that waits for a lock sleeps in futex(2), and /proc counts how often a thread has run.
    """
    folder = Path(f"/proc/self/task/{thread.native_id}")
    try:
        status = (folder / "status").read_text(encoding="ascii", errors="replace")
        waits = (folder / "wchan").read_text(encoding="ascii").startswith("futex")
    except OSError:
        return None
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    if not waits or not fields.get("State", "").strip().startswith("S"):
        return None
    return "".join(fields.get(f"{kind}_ctxt_switches", "") for kind in ("voluntary", "nonvoluntary"))


def is_in_call(thread: threading.Thread) -> bool:
    """Whether a thread waits for the answer to a call of the session."""
    return any(frame.f_globals.get("__name__") in CALLS for frame in _frames(thread))


def place(thread: threading.Thread) -> str:
    """The innermost line of a thread outside the standard library's `threading` and `queue`."""
    frames = list(_frames(thread))
    outside = [frame for frame in frames if frame.f_globals.get("__name__") not in ("threading", "queue")]
    frame = next(iter(outside or frames), None)
    return line_of(frame) if frame else "at its end"


def line_of(frame: FrameType) -> str:
    """Where a frame is, with the source of the line."""
    source = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"at line {frame.f_lineno} of {Path(frame.f_code.co_filename).name}, {frame.f_code.co_name}(): {source}"


def _frames(thread: threading.Thread) -> Iterator[FrameType]:
    """Its frames, innermost first."""
    # A collection of garbage there would be a deadlock (https://github.com/python/cpython/issues/106883).
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        frame = sys._current_frames().get(thread.ident or 0)
    finally:
        if was_enabled:
            gc.enable()
    while frame:
        yield frame
        frame = frame.f_back
