"""Virtual time: nanoseconds within the package, `timedelta` or seconds for its users."""

from __future__ import annotations

import math
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

#: What a user may give as a time: seconds, or a `timedelta`.
Time = float | timedelta

SECOND = 1_000_000_000


def nanoseconds(time: Time) -> int:
    """Rounded to the nearest: 0.07 s are 70 ms, whatever its binary form is."""
    if isinstance(time, timedelta):
        return (time.days * 86_400 + time.seconds) * SECOND + time.microseconds * 1000
    if not math.isfinite(time):
        raise ValueError(f"{time!r} is not a time")
    return round(time * SECOND)


def duration(time: int) -> Duration:
    """As the protocol has it."""
    return Duration(seconds=time // SECOND, nanos=time % SECOND)


def from_duration(time: Duration) -> int:
    """As the package has it."""
    return time.seconds * SECOND + time.nanos


def delta(time: int) -> timedelta:
    """As users get it."""
    return timedelta(microseconds=time / 1000)
