"""What happened in a run or a session: its events and its verdict, with selectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from . import servers
from ._parts import whole
from ._scenario import Scenario, mistakes_in, source
from ._time import delta, from_duration
from ._words import state_name
from .errors import BrokenExpectationError, CallError
from .rendering import ROWS, Form, render
from .servers import Server
from .v1 import event_pb2, render_pb2, run_pb2, tcp_pb2, verdict_pb2

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

FLAGS = ("SYN", "FIN", "RST", "PSH", "ACK", "URG")


@dataclass(frozen=True)
class Segment:
    """A segment that a host sent."""

    time: timedelta
    #: The hosts. The receiver is empty if no host has the address.
    sender: str
    receiver: str
    #: The number of its connection; 0 if there is none.
    connection: int
    #: Its control bits, such as `{"SYN", "ACK"}`.
    flags: frozenset[str]
    #: The number of bytes of data.
    length: int
    #: Whether any of it was sent before.
    retransmission: bool
    #: Why it was sent: `keepalive probe`; `normal` for most.
    purpose: str
    #: Whether it was lost on its way or discarded.
    lost: bool
    #: The event of the protocol.
    event: event_pb2.Event

    @property
    def sent(self) -> event_pb2.SegmentSent:
        """The segment, as a message of the protocol."""
        return self.event.segment_sent


@dataclass(frozen=True)
class Keepalive:
    """An outcome of keepalive."""

    time: timedelta
    #: `alive`, `probing`, `reset` or `dead`.
    verdict: str
    #: The number of probes and the time since the last segment was received.
    probes: int
    silence: timedelta


@dataclass(frozen=True)
class Connection:
    """One end of a connection."""

    host: str
    number: int
    #: The name that the scenario gives it; empty if it gives none.
    name: str
    local: str
    remote: str
    #: The states that it went through, as RFC 9293 names them.
    states: tuple[str, ...]
    #: The POSIX name of its error; empty if it had none.
    error: str
    keepalive: tuple[Keepalive, ...]


@dataclass(frozen=True)
class Expectation:
    """An expectation of the scenario, and whether it held."""

    text: str
    passed: bool
    #: Its path in the document, and its line.
    path: str
    line: int
    #: When it was decided; `None` for the end of the run.
    time: timedelta | None
    #: The message of the protocol, with what was expected, what was found, and the event that decided.
    result: verdict_pb2.ExpectationResult


class Host:
    """What happened on a host."""

    def __init__(self, run: Run, name: str) -> None:
        self._run = run
        self.name = name

    @property
    def connections(self) -> list[Connection]:
        """Its ends of connections, in the order in which they were created."""
        return [connection for connection in self._run.connections if connection.host == self.name]

    @property
    def states(self) -> tuple[str, ...]:
        """The states of its only connection."""
        return self._only().states

    @property
    def error(self) -> str:
        """The error of its only connection."""
        return self._only().error

    @property
    def keepalive(self) -> tuple[Keepalive, ...]:
        """The outcomes of keepalive on all connections."""
        return tuple(outcome for connection in self.connections for outcome in connection.keepalive)

    def connection(self, name: str) -> Connection:
        """The connection with that name."""
        found = [connection for connection in self.connections if connection.name == name]
        if len(found) != 1:
            names = ", ".join(connection.name or f"#{connection.number}" for connection in self.connections) or "none"
            raise LookupError(f"{self.name} had {len(found) or 'no'} connections called {name!r}; there are: {names}")
        return found[0]

    def _only(self) -> Connection:
        if len(self.connections) != 1:
            raise LookupError(f"{self.name} had {len(self.connections)} connections; `connections` has them all")
        return self.connections[0]


class Run:
    """A finished run. Its hosts are attributes: `run.client.states`."""

    def __init__(self, events: Iterable[event_pb2.Event], source: render_pb2.RenderRequest, server: Server) -> None:
        #: All events, as messages of the protocol.
        self.events = list(events)
        self._source = source
        self._server = server

    def __getattr__(self, name: str) -> Host:
        if name.startswith("_") or name not in self.hosts:
            raise AttributeError(f"this run has no host {name!r}; there are: {', '.join(self.hosts)}")
        return self.host(name)

    def host(self, name: str) -> Host:
        """The host with that name."""
        if name not in self.hosts:
            raise LookupError(f"this run has no host {name!r}; there are: {', '.join(self.hosts)}")
        return Host(self, name)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The names of the hosts."""
        return tuple(host.name for host in self.events[0].run_started.hosts)

    @cached_property
    def finished(self) -> verdict_pb2.RunFinished:
        """The verdict, as a message of the protocol."""
        return self.events[-1].run_finished

    @property
    def passed(self) -> bool:
        """Whether every expectation held, and every fault and step happened."""
        return self.finished.verdict == verdict_pb2.VERDICT_PASSED

    @property
    def virtual_time(self) -> timedelta:
        """The virtual time from start to end."""
        return delta(from_duration(self.finished.totals.virtual_time))

    @cached_property
    def expectations(self) -> list[Expectation]:
        """The expectations of the scenario, and whether they held."""
        found = []
        for event in self._of("expectation_result"):
            result = event.expectation_result
            decided = delta(from_duration(result.deciding_time)) if result.HasField("deciding_time") else None
            at = result.expectation
            found.append(Expectation(result.text, result.passed, at.path, at.line, decided, result))
        return found

    @cached_property
    def connections(self) -> list[Connection]:
        """Every end of every connection, in the order in which they were created."""
        ends: dict[tuple[str, int], _End] = {}
        for event in self.events:
            if event.connection:
                ends.setdefault((event.host, event.connection), _End()).take(event)
        return [end.connection(*key) for key, end in ends.items() if end.is_created]

    def segments(
        self,
        flags: str | None = None,
        *,
        sender: str | None = None,
        receiver: str | None = None,
        connection: int | None = None,
        retransmission: bool | None = None,
        purpose: str | None = None,
    ) -> list[Segment]:
        """The segments that were sent. `flags="SYN+ACK"` selects those with at least these flags."""
        wanted = frozenset(flags.upper().split("+")) if flags else frozenset()
        if unknown := wanted - set(FLAGS):
            raise ValueError(f"there is no flag {', '.join(sorted(unknown))}; there are {', '.join(FLAGS)}")
        return [
            segment
            for segment in self._segments
            if wanted <= segment.flags
            and sender in (None, segment.sender)
            and receiver in (None, segment.receiver)
            and connection in (None, segment.connection)
            and retransmission in (None, segment.retransmission)
            and purpose in (None, segment.purpose)
        ]

    @cached_property
    def _segments(self) -> list[Segment]:
        lost = {event.segment_lost.segment for event in self._of("segment_lost")}
        return [_segment(event, lost) for event in self._of("segment_sent")]

    def _of(self, kind: str) -> Iterator[event_pb2.Event]:
        return (event for event in self.events if event.WhichOneof("kind") == kind)

    def assert_passed(self) -> None:
        """Raises `BrokenExpectationError` if the run did not pass."""
        if not self.passed:
            raise BrokenExpectationError(self.render(rows=ROWS))

    def render(self, form: Form = "text", *, rows: int | None = None) -> str:
        """Renders a picture, an explanation or a report. A picture has at most `rows` rows, 200 by default."""
        rendered = self._rendered(form, rows)
        if form != "text" or self._source.name or self._source.run.name:
            return rendered
        # The command line knows neither a session nor a text or a document.
        lines = [line for line in rendered.splitlines(keepends=True) if not line.startswith("repeat it with: ")]
        if self._source.session and not self.passed:
            lines.append("export() of the session returns a scenario that repeats it\n")
        return "".join(lines)

    def _rendered(self, form: Form, rows: int | None) -> str:
        try:
            return render(self._server, self._source, form, rows)
        except CallError as error:
            if error.code != "NOT_FOUND":
                raise
        # The server has deleted the session, but its events are here.
        recording = render_pb2.Recording(events=self.events)
        return render(self._server, render_pb2.RenderRequest(recording=recording), form, rows)

    def __repr__(self) -> str:
        verdict = verdict_pb2.Verdict.Name(self.finished.verdict).removeprefix("VERDICT_").lower()
        return f"<halfopen.Run {self.events[0].run_started.scenario} {verdict}, {len(self.events)} events>"


def run(
    scenario: Scenario,
    *,
    seed: int | None = None,
    variant: str | None = None,
    profile: str | None = None,
    server: Server | None = None,
) -> Run:
    """Runs a scenario: a path, a text in YAML, a mapping, or the name of a bundled scenario."""
    request = run_pb2.ExecuteRunRequest(variant=variant or "", profile=profile or "")
    read = source(scenario)
    for field, text in read.fields.items():
        setattr(request, field, text)
    if seed is not None:
        request.seed = seed
    server = server or servers.server()
    stream = server.channel.stream("RunService/ExecuteRun", request, run_pb2.ExecuteRunResponse)
    # For the command that repeats the run.
    name = f"{read.name}/{variant}" if read.name and variant else read.name
    with mistakes_in(scenario):
        return Run(whole(stream), render_pb2.RenderRequest(run=request, name=name), server)


class _End:
    """One end of a connection, as its events tell."""

    def __init__(self) -> None:
        self.is_created = False
        self.name = self.local = self.remote = self.error = ""
        self.states: list[str] = []
        self.keepalive: list[Keepalive] = []

    def take(self, event: event_pb2.Event) -> None:
        kind = event.WhichOneof("kind")
        if kind == "connection_created":
            self.is_created = True
            self.local, self.remote = event.connection_created.local, event.connection_created.remote
        elif kind == "connection_opened":
            self.name = event.connection_opened.name
        elif kind == "state_transition":
            self.states = self.states or [state_name(event.state_transition.before)]
            self.states.append(state_name(event.state_transition.after))
        elif kind == "connection_error":
            self.error = str(event.connection_error.errno)
        elif kind == "keepalive_outcome":
            found = event.keepalive_outcome
            verdict = verdict_pb2.KeepaliveVerdict.Name(found.verdict).removeprefix("KEEPALIVE_VERDICT_").lower()
            outcome = Keepalive(_time(event), verdict, found.probes, delta(from_duration(found.silence)))
            self.keepalive.append(outcome)

    def connection(self, host: str, number: int) -> Connection:
        states, keepalive = tuple(self.states), tuple(self.keepalive)
        return Connection(host, number, self.name, self.local, self.remote, states, self.error, keepalive)


def _segment(event: event_pb2.Event, lost: set[int]) -> Segment:
    sent = event.segment_sent
    purpose = tcp_pb2.TcpPurpose.Name(sent.purpose).removeprefix("TCP_PURPOSE_").replace("_", " ").lower()
    return Segment(
        time=_time(event),
        sender=event.host,
        receiver=sent.receiver,
        connection=event.connection,
        flags=flags_of(sent.flags),
        length=sent.length,
        retransmission=sent.retransmission,
        purpose=purpose,
        lost=sent.segment in lost,
        event=event,
    )


def flags_of(flags: tcp_pb2.TcpFlags) -> frozenset[str]:
    """The names of the control bits that are set."""
    return frozenset(name for name in FLAGS if getattr(flags, name.lower()))


def _time(event: event_pb2.Event) -> timedelta:
    return delta(from_duration(event.time))
