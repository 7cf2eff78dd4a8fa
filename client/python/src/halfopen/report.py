"""What a failed test shows: what was broken, what happened around it, and what repeats it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ._time import SECOND, from_duration
from .runs import FLAGS, Expectation, Run, flags_of
from .sockets import state_name
from .v1 import event_pb2, verdict_pb2

#: The number of events before the one that decided, and after it.
BEFORE, AFTER = 14, 3


def failure(run: Run) -> str:
    """Why a run did not pass."""
    started = run.events[0].run_started
    title = f"{started.scenario}{f' ({started.variant})' if started.variant else ''}"
    verdict = verdict_pb2.Verdict.Name(run.finished.verdict).removeprefix("VERDICT_").lower()
    broken = [expectation for expectation in run.expectations if not expectation.passed]
    lines = [f"{title}: {verdict}, {len(broken)} of {len(run.expectations)} expectations broken"]
    lines += [line for expectation in broken for line in _broken(run, expectation)]
    for problem in run.finished.problems:
        kind = str(problem.WhichOneof("kind"))
        text = getattr(getattr(problem, kind), "text", "")
        lines += ["", f"  problem: {kind.replace('_', ' ')}{f': {text}' if text else ''}"]
    if not broken:
        lines += ["", "  the last events:", *_around(run.events, 0)]
    lines += ["", f"  repeat it: {run.repeat}"]
    return "\n".join(lines)


def last_events(events: Sequence[event_pb2.Event]) -> str:
    """What happened last, one line for each event."""
    return "\n".join(_around(events, 0))


def _broken(run: Run, expectation: Expectation) -> list[str]:
    where = f"line {expectation.line}, " if expectation.line else ""
    when = f"at {_seconds(from_duration(expectation.result.deciding_time))}" if expectation.time is not None else "at the end"
    lines = ["", f"  expected: {expectation.text}", f"  found:    {found(expectation.result.finding)}"]
    lines += [f"  {where}{expectation.path}, decided {when}:"]
    return lines + list(_around(run.events, expectation.result.deciding_event))


def found(finding: verdict_pb2.Finding) -> str:
    """What was found, in the words of the scenario language."""
    kind = finding.WhichOneof("kind")
    if kind == "states":
        return " ".join(state_name(state) for state in finding.states.states)
    if kind == "last_state":
        return state_name(finding.last_state)
    if kind == "segments":
        return f"{finding.segments.count} segments"
    if kind in ("error", "pending_error"):
        return str(getattr(finding, kind)) or "no error"
    if kind == "virtual_time":
        return _seconds(from_duration(finding.virtual_time))
    if kind == "fact":
        return verdict_pb2.FindingFact.Name(finding.fact).removeprefix("FINDING_FACT_").replace("_", " ").lower()
    if kind == "keepalive":
        verdict = verdict_pb2.KeepaliveVerdict.Name(finding.keepalive.verdict).removeprefix("KEEPALIVE_VERDICT_")
        return f"{verdict.lower()} after {finding.keepalive.probes} probes"
    if kind == "not_closed":
        return f"{finding.not_closed.host} is in {state_name(finding.not_closed.state)}"
    if kind == "order":
        first = (f"{segment.sender}: {_flags(flags_of(segment.flags))}" for segment in finding.order.first)
        return ", ".join(first) + (f" and {finding.order.more} more" if finding.order.more else "")
    if kind == "data_missing":
        missing = finding.data_missing
        return f"{missing.received} of the {missing.sent} bytes that {missing.sender} sent"
    return " ".join(str(getattr(finding, kind)).split()) if kind else "nothing"


def _around(events: Sequence[event_pb2.Event], deciding: int) -> Iterable[str]:
    """The events around the one with that number, of those that a reader wants to see; the last ones if it is 0."""
    shown = [(event, text) for event in events if (text := _words(event))]
    position = sum(event.sequence <= deciding for event, _ in shown) if deciding else len(shown)
    first = max(position - BEFORE, 0)
    if first:
        yield f"    ... {first} before"
    for event, text in shown[first : position + AFTER]:
        mark = ">" if event.sequence == deciding else " "
        yield f"  {mark} {_seconds(from_duration(event.time)):>14}  {event.host:<10} {text}"


def _words(event: event_pb2.Event) -> str:
    """An event in a few words; none for those that say little."""
    kind = event.WhichOneof("kind")
    if kind == "segment_sent":
        sent = event.segment_sent
        data = f" {sent.length} B" if sent.length else ""
        again = " (retransmission)" if sent.retransmission else ""
        return f"-> {sent.receiver or sent.destination}  {_flags(flags_of(sent.flags))}{data}{again}"
    if kind == "segment_lost":
        return f"a segment to it is lost (segment {event.segment_lost.segment})"
    if kind == "state_transition":
        return f"{state_name(event.state_transition.before)} -> {state_name(event.state_transition.after)}"
    if kind == "connection_error":
        return f"the next call gets {event.connection_error.errno}"
    if kind == "call_returned":
        return f"a call returned {event.call_returned.error or 'the end of the stream'}"
    if kind == "keepalive_outcome":
        verdict = verdict_pb2.KeepaliveVerdict.Name(event.keepalive_outcome.verdict).removeprefix("KEEPALIVE_VERDICT_")
        return f"keepalive: {verdict.lower()}"
    if kind == "host_changed":
        return f"is {event_pb2.HostState.Name(event.host_changed.state).removeprefix('HOST_STATE_').lower()}"
    if kind == "fault_applied":
        return f"fault {event.fault_applied.fault.number} is applied"
    return ""


def _flags(flags: frozenset[str]) -> str:
    return "+".join(flag for flag in FLAGS if flag in flags and (flag != "PSH")) or "none"


def _seconds(time: int) -> str:
    return f"{time / SECOND:.9f}".rstrip("0").rstrip(".") + "s"
