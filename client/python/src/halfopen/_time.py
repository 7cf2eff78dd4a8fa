"""Virtual time: nanoseconds inside the package, seconds or `timedelta` outside."""

from __future__ import annotations

import math
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

#: What can be used as a time: seconds or a `timedelta`.
Time = float | timedelta

SECOND = 1_000_000_000


def nanoseconds(time: Time) -> int:
    """Converts a time to the nearest nanosecond: 0.07 is 70 ms, although its binary form is not."""
    if isinstance(time, timedelta):
        return (time.days * 86_400 + time.seconds) * SECOND + time.microseconds * 1000
    if not isinstance(time, int | float):
        raise TypeError(f"{time!r} is not a time: give a number of seconds, or a timedelta")
    if not math.isfinite(time):
        raise ValueError(f"{time!r} is not a time")
    return round(time * SECOND)


def duration(time: int) -> Duration:
    """Converts nanoseconds to a message of the protocol."""
    return Duration(seconds=time // SECOND, nanos=time % SECOND)


def from_duration(time: Duration) -> int:
    """Converts a message of the protocol to nanoseconds."""
    return time.seconds * SECOND + time.nanos


def delta(time: int) -> timedelta:
    """Converts nanoseconds to a `timedelta`."""
    return timedelta(microseconds=time / 1000)


def text(time: int) -> str:
    """Writes nanoseconds as in pictures: `61.5ms`, `2h 0m 0.1s`."""
    if time == 0:
        return "0s"
    if time < SECOND:
        unit, size = ("µs", 1000) if time < 1_000_000 else ("ms", 1_000_000)
        return f"{_decimal(time, size)}{unit}"
    hours, minutes, rest = time // (3600 * SECOND), time // (60 * SECOND) % 60, time % (60 * SECOND)
    parts = [f"{hours}h"] if hours else []
    if minutes or (hours and rest):
        parts.append(f"{minutes}m")
    if rest:
        parts.append(f"{_decimal(rest, SECOND)}s")
    return " ".join(parts)


def _decimal(number: int, size: int) -> str:
    """A number of parts of which `size` make one, without trailing zeros."""
    digits = len(str(size)) - 1
    return f"{number // size}.{number % size:0{digits}}".rstrip("0").rstrip(".")
