"""Sessions: your test is the application on the hosts, and virtual time moves when it waits."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import count, islice
from socket import AF_INET, AF_INET6
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from google.protobuf.message import Message

from . import servers
from ._errnos import timeout_error
from ._late import LateCalls
from ._parts import whole
from ._scenario import Scenario, mistakes_in, source
from ._time import Time, delta, duration, from_duration, nanoseconds, text
from ._words import parse_address, state_number
from .errors import CallError, HalfopenError, IdleError, SessionOverError
from .rendering import Form, render
from .servers import Server
from .sockets import BACKLOG, Socket
from .v1 import event_pb2, render_pb2, session_pb2

if TYPE_CHECKING:
    from .driving import Driver
    from .runs import Run

#: pytest leaves the lines of this module out.
__tracebackhide__ = True

R = TypeVar("R", bound=Message)

#: Two hosts, both played by the test.
TWO_HOSTS: Mapping[str, Any] = {"scenario": "session", "hosts": {"client": {}, "server": {}}}
#: The lease, in seconds, of a session on a server of our own: long enough for a stop in a debugger.
PATIENCE = 3600.0
#: After these, only `finish` is left.
ENDS = (session_pb2.ADVANCE_STOP_END, session_pb2.ADVANCE_STOP_LIMIT)
#: The calls that have no request id.
WITHOUT_ID = ("FinishSession", "GetSocket", "LeaveSession")


def on_create(session: Session) -> None:
    """Called with each new session. The pytest plugin replaces it to know those of a test."""


class Export(NamedTuple):
    """A session as a scenario."""

    yaml: str
    #: The seed with which it plays the same.
    seed: int


class Session:
    """A session. Your test is the application on each host for which the scenario has none, and has sockets there.

    Only waiting takes virtual time: `advance`, `wait_for`, and calls of sockets that block.
    """

    def __init__(
        self,
        scenario: Scenario = TWO_HOSTS,
        *,
        seed: int | None = None,
        variant: str | None = None,
        profile: str | None = None,
        participants: int = 1,
        lease: Time | None = None,
        server: Server | None = None,
    ) -> None:
        """Creates a session of a scenario: a path, a text in YAML, a mapping, or the name of a bundled scenario. By default, there
        are two hosts, `client` and `server`.

        If there are several `participants`, the others call `join`, for example in processes of their own. Time moves when all of
        them wait. A shared server deletes the session after `lease` (1 s to 1 h of wall-clock time) without a call.
        """
        server = server or servers.server()
        request = session_pb2.CreateSessionRequest(
            variant=variant or "", profile=profile or "", participants=participants, request_id=os.urandom(16).hex()
        )
        for field, value in source(scenario).fields.items():
            setattr(request, field, value)
        if seed is not None:
            request.seed = seed
        lease = PATIENCE if lease is None and server.is_own else lease
        if lease is not None:
            request.lease.CopyFrom(duration(nanoseconds(lease)))
        with mistakes_in(scenario):
            created = server.call("SessionService/CreateSession", request, session_pb2.CreateSessionResponse)
        hosts = {host.name: tuple(host.addresses) for host in created.hosts}
        own_hosts = tuple(host.name for host in created.hosts if host.outside)
        self._begin(server, created.session, 1 if participants > 1 else 0, hosts, own_hosts)

    @classmethod
    def join(cls, session: str, participant: int, *, server: Server | None = None) -> Session:
        """Joins a session, by its id, as the participant with this number; the numbers start at 2."""
        joined = cls.__new__(cls)
        server = server or servers.server()
        request = session_pb2.WatchSessionRequest(session=session)
        stream = server.channel.stream("SessionService/WatchSession", request, session_pb2.WatchSessionResponse)
        started = next(stream).events[0].run_started
        stream.close()
        hosts = {host.name: tuple(host.addresses) for host in started.hosts}
        joined._begin(server, session, participant, hosts, tuple(hosts))
        joined._refresh_time()
        return joined

    def _begin(
        self,
        server: Server,
        session: str,
        participant: int,
        hosts: dict[str, tuple[str, ...]],
        own_hosts: tuple[str, ...],
    ) -> None:
        self._server = server
        #: When it was created, in nanoseconds since the epoch. On the event loop, `time.time()` starts there.
        self.created = time.time_ns()
        #: Its id.
        self.id = session
        #: The number of the participant; 0 if it is the only one.
        self.participant = participant
        #: The addresses of each host.
        self.hosts = hosts
        #: The hosts on which the test has sockets.
        self.own_hosts = own_hosts
        self._now = 0
        #: Two objects may be the same participant, whose request ids the server remembers: each object has ids of its own.
        self._request_prefix = os.urandom(8).hex()
        self._requests = count(1)
        self._requests_lock = threading.Lock()
        self._is_closed = False
        self._driver: Driver | None = None
        #: Whether an event loop moves time. Nothing else may then.
        self._has_loop = False
        self._late_calls = LateCalls()
        self._run: Run | None = None
        #: Called when an error leaves the block of this session, before it is deleted.
        self._on_error: Callable[[], None] = lambda: None
        on_create(self)

    # Sockets

    def socket(self, host: str, family: int | None = None) -> Socket:
        """Creates a socket on a host, not connected yet."""
        return Socket(self, host, family or _family(self.hosts.get(host, ())))

    def listen(self, host: str, port: int = 0, *, address: str = "", backlog: int = BACKLOG) -> Socket:
        """Creates a listening socket on a host, by default on any free port."""
        listening = self.socket(host)
        listening.bind((address, port))
        listening.listen(backlog)
        return listening

    def connect(self, host: str, to: str | tuple[str, int], *, timeout: float | None = None) -> Socket:
        """Connects a host to an address such as `"server:80"`, and waits until the connection is established.

        `timeout`, in seconds of virtual time, stays that of the socket.
        """
        connected = self.socket(host)
        connected.settimeout(timeout)
        try:
            connected.connect(parse_address(to) if isinstance(to, str) else to)
        except BaseException:
            connected.close()
            raise
        return connected

    # Time

    @property
    def clock(self) -> timedelta:
        """The virtual time since the start of the session."""
        return delta(self._now)

    def advance(self, by: Time | None = None) -> timedelta:
        """Moves time by this much, or until nothing can happen any more; returns the time."""
        limit = self._after(by)
        self._wait((), limit, lambda: "advance()", until_idle=by is None)
        return self.clock

    def wait_for(
        self,
        *,
        readable: Socket | None = None,
        writable: Socket | None = None,
        state: tuple[str, str] | None = None,
        segment: str | Mapping[str, Any] | None = None,
        fault: int | None = None,
        keepalive: str | None = None,
        host_changed: str | None = None,
        timeout: Time | None = None,
    ) -> timedelta:
        """Moves time until one of the conditions is true; returns the time.

        `state` is a host and a state of one of its connections: `("server", "CLOSE-WAIT")`. `segment` is as beside `drop` in a
        scenario: `"FIN"`, `{"flags": "SYN", "from": "client"}`. `fault` is the number of a fault that is applied. `keepalive` is a
        host whose keepalive has an outcome, `host_changed` a host that loses power, boots, stands still or resumes.
        """
        conditions = []
        for name, socket in (("readable", readable), ("writable", writable)):
            if socket is not None:
                conditions.append(condition(name, socket.number))
        if state is not None:
            match = {"host": state[0], "state": state_number(state[1])}
            conditions.append(session_pb2.SessionCondition(state=match))
        if segment is not None:
            wanted = segment if isinstance(segment, str) else json.dumps(segment)
            conditions.append(session_pb2.SessionCondition(segment=wanted))
        for name, value in (("fault", fault), ("keepalive", keepalive), ("host_changed", host_changed)):
            if value is not None:
                conditions.append(condition(name, value))
        if not conditions:
            raise TypeError("wait_for() needs a condition, such as segment='FIN'")
        limit = self._after(timeout)
        with mistakes_in(segment):
            is_true = self._wait(conditions, limit, lambda: "wait_for()")
        if not is_true and timeout is not None:
            raise timeout_error("wait_for", timeout)
        return self.clock

    def _after(self, time: Time | None) -> int | None:
        """The instant after a time, in nanoseconds."""
        if time is None:
            return None
        if (passes := nanoseconds(time)) < 0:
            raise ValueError(f"time cannot move back by {time!r}")
        return self._now + passes

    def driving(self) -> Driver:
        """Lets several threads use blocking sockets: `with session.driving() as driver: driver.start(serve, listener)`."""
        from .driving import Driver

        return Driver(self)

    # Faults

    @overload
    def inject(self, fault: str | Mapping[str, Any] | None = None, /, **words: Any) -> int: ...
    @overload
    def inject(self, fault: Sequence[Mapping[str, Any]], /) -> tuple[int, ...]: ...
    def inject(self, fault: Any = None, /, **words: Any) -> int | tuple[int, ...]:
        """Adds a fault from now on, as under `faults` in a scenario: `inject(drop="FIN", first=1)`, `inject("{drop: FIN}")`.

        Returns its number. A list adds several at once, or none if one is wrong.
        """
        if fault is None:
            fault = {word.replace("_", "-"): value for word, value in words.items()}
        elif words:
            raise TypeError("inject() takes a fault or its keywords, not both")
        request = session_pb2.ApplyFaultsRequest(yaml=fault if isinstance(fault, str) else json.dumps(fault))
        with mistakes_in(fault):
            numbers = tuple(self._call("ApplyFaults", request, session_pb2.ApplyFaultsResponse).faults)
        return numbers[0] if len(numbers) == 1 and not isinstance(fault, list | tuple) else numbers

    def lift(self, fault: int) -> None:
        """Lifts the fault with this number: it does nothing from now on, and what it does to a host or the network ends."""
        self._call("LiftFault", session_pb2.LiftFaultRequest(fault=fault), session_pb2.LiftFaultResponse)

    # The end

    def finish(self, until: Time | None = None) -> Run:
        """Plays until nothing can happen any more, or until a time, and checks what the scenario expects."""
        from .runs import Run

        if self._run is None:
            request = session_pb2.FinishSessionRequest()
            if until is not None:
                request.until.CopyFrom(duration(nanoseconds(until)))
            response = self._call("FinishSession", request, session_pb2.FinishSessionResponse)
            self._run = Run(self._watch(response.events), render_pb2.RenderRequest(session=self.id), self._server)
        return self._run

    def events(self) -> list[event_pb2.Event]:
        """The events so far, as messages of the protocol."""
        return list(self._watch(self._refresh_time().events))

    def render(self, form: Form = "text", *, rows: int | None = None) -> str:
        """Renders the events so far as a picture, an explanation or a report. A picture has at most `rows` rows, 200 by default."""
        return render(self._server, render_pb2.RenderRequest(session=self.id), form, rows)

    def export(self) -> Export:
        """Returns a scenario that plays the same: run with its seed, it gives the same events, and ends after the last one."""
        request = session_pb2.ExportSessionRequest(session=self.id)
        response = self._server.call("SessionService/ExportSession", request, session_pb2.ExportSessionResponse)
        return Export(response.yaml, response.seed)

    def close(self) -> None:
        """Deletes the session, or leaves it if it has several participants."""
        self._is_closed = True
        # The server may have deleted it already.
        with suppress(HalfopenError):
            if self.participant:
                self._call("LeaveSession", session_pb2.LeaveSessionRequest(), session_pb2.LeaveSessionResponse)
            else:
                request = session_pb2.DeleteSessionRequest(session=self.id)
                self._server.call("SessionService/DeleteSession", request, session_pb2.DeleteSessionResponse)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error:
            self._on_error()
        self.close()

    def __repr__(self) -> str:
        return f"<halfopen.Session {self.id} at {self.clock}>"

    def _watch(self, events: int) -> Iterator[event_pb2.Event]:
        """The first so many events; they must have happened."""
        request = session_pb2.WatchSessionRequest(session=self.id)
        stream = self._server.channel.stream("SessionService/WatchSession", request, session_pb2.WatchSessionResponse)
        return islice(whole(stream), events)

    # Calls

    def _call(self, method: str, request: Any, response: type[R]) -> R:
        if self._driver:
            self._driver.take_turn()
        request.session = self.id
        request.participant = self.participant
        if method not in WITHOUT_ID:
            with self._requests_lock:
                request.request_id = f"{self._request_prefix}-{next(self._requests)}"
        try:
            return self._server.call(f"SessionService/{method}", request, response)
        except CallError as error:
            if error.reason not in ("SESSION_OVER", "SESSION_FINISHED"):
                raise
            raise SessionOverError(str(error)) from None

    def _refresh_time(self) -> session_pb2.GetSessionResponse:
        """Asks for the time, which other participants also move."""
        request = session_pb2.GetSessionRequest(session=self.id)
        response = self._server.call("SessionService/GetSession", request, session_pb2.GetSessionResponse)
        self._now = from_duration(response.time)
        return response

    def _wait(
        self,
        conditions: Sequence[session_pb2.SessionCondition],
        until: int | None,
        describe: Callable[[], str],
        *,
        until_idle: bool = False,
    ) -> bool:
        """Moves time until one of the conditions is true (true), or until an instant in nanoseconds (false)."""
        if self._driver:
            return self._driver.block(conditions, until, describe, until_idle=until_idle)
        response = self._advance(conditions, until)
        if not (until_idle and response.stop == session_pb2.ADVANCE_STOP_IDLE):
            self._check_stop(response, describe)
        return response.stop == session_pb2.ADVANCE_STOP_CONDITION

    def _advance(self, conditions: Sequence[session_pb2.SessionCondition], until: int | None) -> session_pb2.AdvanceResponse:
        """Moves time, to an instant in nanoseconds at most, and makes the late calls of hosts that resume in between."""
        while True:
            response, has_called = self._advance_once(conditions, until)
            is_own = response.stop == session_pb2.ADVANCE_STOP_CONDITION and response.condition < len(conditions)
            if is_own or not (has_called or response.stop == session_pb2.ADVANCE_STOP_CONDITION):
                return response

    def _advance_once(
        self, conditions: Sequence[session_pb2.SessionCondition], until: int | None
    ) -> tuple[session_pb2.AdvanceResponse, bool]:
        """Moves time until a condition is true or a host with late calls changes. Returns whether late calls were made then."""
        self._late_calls.make()
        if hosts := self._late_calls.hosts:
            conditions = [*conditions, *(condition("host_changed", host) for host in hosts)]
        request = session_pb2.AdvanceRequest(conditions=conditions)
        if until is not None:
            request.until.CopyFrom(duration(max(until, self._now)))
        try:
            response = self._call("Advance", request, session_pb2.AdvanceResponse)
        except CallError as error:
            if error.reason != "TIME_PAST":
                raise
            self._refresh_time()
            return self._advance_once(conditions, until)
        self._now = from_duration(response.time)
        return response, response.stop not in ENDS and self._late_calls.make()

    def _block(self, socket: Socket, call: str, awaited: str, deadline: int | None) -> None:
        """Moves time until a socket is ready, or until a deadline in nanoseconds that its timeout has set."""
        if not self._wait([condition(awaited, socket.number)], deadline, lambda: f"{call}() on {socket.describe()}"):
            raise timeout_error(call, socket.gettimeout() or 0)

    def _await_host(self, socket: Socket, call: str) -> None:
        """Moves time until the host of a socket, which is paused or frozen, changes."""
        changed = condition("host_changed", socket.host)
        self._wait([changed], None, lambda: f"{call}() on {socket.describe()}, whose host is paused or frozen")

    def _check_stop(self, response: session_pb2.AdvanceResponse, describe: Callable[[], str]) -> None:
        """Raises an error if time cannot move any more."""
        if response.stop == session_pb2.ADVANCE_STOP_IDLE:
            raise IdleError(f"nothing can happen any more at {text(self._now)}, but code still waits: {describe()}")
        check_end(response, lambda: f"still waiting: {describe()}")


def condition(name: str, value: int | str) -> session_pb2.SessionCondition:
    """A condition, by its name in the protocol."""
    made = session_pb2.SessionCondition()
    setattr(made, name, value)
    return made


def check_end(response: session_pb2.AdvanceResponse, describe: Callable[[], str]) -> None:
    """Raises an error at the end of a scenario or at a limit. It says what still waits."""
    if response.stop not in ENDS:
        return
    clock = text(from_duration(response.time))
    if response.stop == session_pb2.ADVANCE_STOP_END:
        message = f"the scenario ends at {clock}; finish() has its verdict"
    else:
        limit = str(response.limit.WhichOneof("kind")).replace("_", "-")
        message = f"the session reached its limit `{limit}` at {clock}; `limits` in the scenario sets it"
    raise SessionOverError(f"{message}; {describe()}")


def _family(addresses: tuple[str, ...]) -> int:
    is_ipv6 = bool(addresses) and all(":" in address for address in addresses)
    return AF_INET6 if is_ipv6 else AF_INET
