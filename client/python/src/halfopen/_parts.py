"""Events that are too large for one message and come in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .v1 import event_pb2, run_pb2, session_pb2


def whole(
    messages: Iterable[run_pb2.ExecuteRunResponse | session_pb2.WatchSessionResponse],
) -> Iterator[event_pb2.Event]:
    """The events of messages, each joined with the parts that were sent ahead of it."""
    ahead = run_pb2.EventPart()
    for message in messages:
        ahead.MergeFrom(message.part)
        for event in message.events:
            if ahead.settings:
                event.run_started.settings.extend(ahead.settings)
            if ahead.problems or ahead.final_states:
                event.run_finished.problems.extend(ahead.problems)
                event.run_finished.final_states.extend(ahead.final_states)
            ahead.Clear()
            yield event
