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
