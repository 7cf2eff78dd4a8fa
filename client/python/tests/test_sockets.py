"""Blocking sockets in virtual time."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import queue
import select
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

import halfopen
from halfopen import CallError, IdleError, Session, SessionOverError, Socket
from halfopen._errnos import StandstillError
from halfopen._late import LateCalls
from halfopen._time import text


def connected(session: Session) -> tuple[Socket, Socket]:
    listener = session.listen("server", 80)
    client = session.connect("client", "server:80")
    return client, listener.accept()[0]


def test_data_takes_the_time_of_the_network(session: Session) -> None:
    client, server = connected(session)
    assert session.clock == timedelta(milliseconds=60)
    client.sendall(b"hello")
    assert server.recv(100) == b"hello"
    assert session.clock == timedelta(milliseconds=80)
    client.close()
    assert server.recv(100) == b""
    assert (server.state, server.getpeername()) == ("CLOSE-WAIT", ("10.0.0.1", 32768))


def test_timeouts_are_virtual(session: Session) -> None:
    client, _ = connected(session)
    client.settimeout(3600)
    with pytest.raises(TimeoutError, match=r"recv\(\) timed out after 3600s"):
        client.recv(1)
    assert session.clock == timedelta(hours=1, milliseconds=60)
    client.setblocking(False)
    with pytest.raises(BlockingIOError):
        client.recv(1)


def test_a_call_that_would_wait_forever_fails(session: Session) -> None:
    client, _ = connected(session)
    with pytest.raises(IdleError, match=r"recv\(\) on client 10\.0\.0\.1:32768 -> 10\.0\.0\.2:80 \(ESTABLISHED\)"):
        client.recv(1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"power-loss": "server"}, TimeoutError),
        ({"inject": {"from": "server", "to": "client", "flags": "RST", "sequence": 1}}, ConnectionResetError),
    ],
    ids=["power loss", "reset"],
)
def test_errors_are_those_of_a_socket(session: Session, fault: dict[str, str], error: type[OSError]) -> None:
    client, _ = connected(session)
    session.inject(fault)
    with pytest.raises(error):
        client.sendall(b"hello")
        client.recv(1)


def test_errors_of_connecting(session: Session) -> None:
    with pytest.raises(ConnectionRefusedError):
        session.connect("client", "server:81")
    with pytest.raises(TimeoutError, match=r"connect\(\)"):
        session.connect("client", "10.9.9.9:80", timeout=5)
    with pytest.raises(CallError, match="did you mean `server`") as caught:
        session.connect("client", "sever:80")
    assert caught.value.reason == "ARGUMENT_INVALID"
    session.listen("server", 80)
    with pytest.raises(OSError, match="Address already in use") as in_use:
        session.listen("server", 80)
    assert in_use.value.errno == errno.EADDRINUSE
    with pytest.raises(OSError, match="Bad file descriptor"), session.connect("client", "server:80") as client:
        client.close()
        client.send(b"late")


def test_a_host_without_power_has_no_sockets(session: Session) -> None:
    client, server = connected(session)
    session.inject(power_loss="server")
    with pytest.raises(ConnectionAbortedError):
        server.recv(1)
    with pytest.raises(OSError, match="Host is down"):
        session.listen("server", 81)
    server.close()
    client.abort()


def test_keepalive_finds_a_dead_peer(session: Session) -> None:
    _, server = connected(session)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    session.inject(power_loss="client")
    with pytest.raises(TimeoutError, match="timed out") as caught:
        server.recv(1)
    assert caught.value.errno == errno.ETIMEDOUT
    assert timedelta(seconds=90) <= session.clock < timedelta(seconds=91)


def test_options(session: Session) -> None:
    client = session.socket("client")
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    with pytest.raises(OSError, match="Protocol not available"):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener = session.listen("server", 80)
    client.connect(("server", 80))
    server, _ = listener.accept()
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)


@pytest.mark.parametrize(("size", "fits"), [(4096, False), (131_072, True)])
def test_a_receive_buffer_takes_what_it_has_space_for(session: Session, size: int, fits: bool) -> None:
    listener = session.listen("server", 80)
    client = session.socket("client")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == size
    client.connect(("server", 80))
    server, _ = listener.accept()
    sent = server.send(b"x" * 32_768)
    session.advance(10)
    # Linux allocates twice the size (socket(7)).
    assert 0 < client.info().unread_bytes <= 2 * size
    assert (client.info().unread_bytes == sent) == fits


def test_sendall_has_one_deadline(session: Session) -> None:
    listener = session.listen("server", 80)
    client = session.socket("client")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    client.connect(("server", 80))

    def read_slowly() -> None:
        server, _ = listener.accept()
        with contextlib.suppress(ConnectionResetError):
            while server.recv(100_000):
                session.advance(6)

    with session.driving() as driver:
        driver.start(read_slowly)
        client.settimeout(10)
        began = session.clock
        with pytest.raises(TimeoutError, match=r"sendall\(\) timed out after 10s"):
            client.sendall(b"x" * 10_000_000)
        assert session.clock - began == timedelta(seconds=10)
        client.abort()


@pytest.mark.parametrize("fault", ["freeze", "pause"])
@pytest.mark.parametrize("call", ["close", "abort", "shutdown", "setsockopt", "connect", "listen", "info"])
def test_calls_on_a_paused_or_frozen_host_are_made_when_it_resumes(session: Session, fault: str, call: str) -> None:
    client, server = connected(session)
    calls: dict[str, Callable[[], object]] = {
        "close": client.close,
        "abort": client.abort,
        "shutdown": lambda: client.shutdown(socket.SHUT_WR),
        "setsockopt": lambda: client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        "connect": lambda: session.connect("client", "server:80", timeout=1),
        "listen": lambda: session.listen("client", 81),
        "info": client.info,
    }
    session.inject({fault: "client", "resumes-after": "10s"})
    calls[call]()
    assert timedelta(seconds=10) <= session.clock < timedelta(seconds=11)
    if call in ("close", "shutdown"):
        assert server.recv(1) == b""
    elif call == "abort":
        with pytest.raises(ConnectionResetError):
            server.recv(1)


def test_late_calls_are_made_in_order_whatever_their_errors() -> None:
    calls, made = LateCalls(), []
    frozen = {"client"}

    def call(host: str, name: str, error: OSError | None = None) -> None:
        if host in frozen:
            raise StandstillError
        made.append(name)
        if error:
            raise error

    calls.add("client", lambda: call("client", "shutdown", OSError(errno.ENOTCONN, "not connected")))
    calls.add("server", lambda: call("server", "listen"))
    calls.add("client", lambda: call("client", "close"))
    assert calls.make()
    assert (made, calls.hosts) == (["listen"], ("client",))
    assert not calls.make()
    frozen.clear()
    assert calls.make()
    assert (made, calls.hosts) == (["listen", "shutdown", "close"], ())


def test_a_call_on_a_host_that_never_resumes_fails_but_its_sockets_can_be_closed(session: Session) -> None:
    client, _ = connected(session)
    session.inject(freeze="client")
    with pytest.raises(IdleError, match=r"shutdown\(\) on client .*, whose host is paused or frozen"), client:
        client.shutdown(socket.SHUT_WR)
    assert client.fileno() == -1


#: Mistakes, and what is said.
MISTAKES: dict[str, tuple[Callable[[Session], object], type[Exception], str]] = {
    "an address without a port": (
        lambda session: session.connect("client", "server"),
        ValueError,
        "'server' is not an address: write HOST:PORT, such as server:80",
    ),
    "a port that is no number": (lambda session: session.connect("client", "server:http"), ValueError, "such as server:80"),
    "a time that is a text": (lambda session: session.advance("5s"), TypeError, "'5s' is not a time"),  # type: ignore[arg-type]
    "a time that passed": (lambda session: session.advance(-5), ValueError, "time cannot move back by -5"),
    "a timeout that passed": (lambda session: session.wait_for(segment="FIN", timeout=-1), ValueError, "cannot move back"),
    "a flag": (lambda session: connected(session)[0].recv(1, socket.MSG_PEEK), OSError, "the flag MSG_PEEK"),
    "recv of a listener": (lambda session: session.listen("server", 80).recv(1), OSError, "not connected: a listening socket"),
    "send of a listener": (lambda session: session.listen("server", 80).send(b"x"), BrokenPipeError, "a listening socket"),
    "accept of a connection": (lambda session: connected(session)[0].accept(), OSError, "Invalid argument: only a listening"),
}


@pytest.mark.parametrize(("call", "error", "said"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes_are_said(session: Session, call: Callable[[Session], object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call(session)


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (0, "0s"),
        (250_000, "250µs"),
        (61_500_000, "61.5ms"),
        (10**9, "1s"),
        (60_780_000_000, "1m 0.78s"),
        (3_600_004_000_000, "1h 0m 0.004s"),
        (86_400 * 10**9, "24h"),
    ],
)
def test_times_are_written_as_in_pictures(time: int, written: str) -> None:
    assert text(time) == written


def test_the_standard_library_reads_from_them(session: Session) -> None:
    client, server = connected(session)
    server.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    connection = http.client.HTTPConnection("server")
    connection.sock = client
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"hello"
    lines = server.makefile("r", encoding="ascii", newline="\r\n")
    assert lines.readline() == "GET / HTTP/1.1\r\n"


def test_conditions(session: Session) -> None:
    client, server = connected(session)
    number = session.inject({"freeze": "client", "at": "2s", "resumes-after": "1s"})
    assert session.wait_for(fault=number) == timedelta(seconds=2)
    assert session.wait_for(host_changed="client") == timedelta(seconds=3)
    server.close()
    assert session.wait_for(state=("client", "CLOSE-WAIT")) == timedelta(seconds=3, milliseconds=20)
    client.close()
    session.wait_for(segment={"flags": "ACK", "from": "server"})
    with pytest.raises(TimeoutError, match=r"wait_for\(\)"):
        session.wait_for(segment="RST", timeout=10)
    with pytest.raises(ValueError, match="'CLOSEWAIT' is not a state; there are CLOSED, LISTEN, SYN-SENT"):
        session.wait_for(state=("client", "CLOSEWAIT"))
    with pytest.raises(CallError, match="did you mean `flags`"):
        session.wait_for(segment="{flasg: FIN}")
    session.advance()
    with pytest.raises(IdleError):
        session.wait_for(segment="RST")


def test_threads_take_turns(session: Session) -> None:
    said = []

    def serve(listener: Socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            while data := connection.recv(100):
                said.append(data)
                connection.sendall(data.upper())
            connection.close()

    with session.driving() as driver:
        driver.start(serve, session.listen("server", 80))
        for word in (b"one", b"two"):
            with session.connect("client", "server:80") as client:
                client.sendall(word)
                assert client.recv(100) == word.upper()
                session.advance(3600)
    assert said == [b"one", b"two"]
    assert session.clock > timedelta(hours=2)


def test_the_error_of_a_thread_is_that_of_the_block(session: Session) -> None:
    client, server = connected(session)

    def fail() -> None:
        server.recv(1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught, session.driving() as driver:
        driver.start(fail)
        client.send(b"x")
    assert caught.value.__cause__ is None
    with pytest.raises(ZeroDivisionError) as caught, session.driving() as driver:
        driver.start(fail)
        client.send(b"x")
        client.recv(1)
    assert isinstance(caught.value.__cause__, IdleError), "the block waited for the thread that had failed"


def test_a_thread_that_waits_forever_is_named(session: Session) -> None:
    listener = session.listen("server", 80)
    waiting = r"main in the end of thread accept; accept in accept\(\) on server"
    with pytest.raises(IdleError, match=waiting), session.driving() as driver:
        driver.start(listener.accept)
    waiting = r"main in wait_for\(\); accept in accept\(\) on server"
    with pytest.raises(IdleError, match=waiting), session.driving() as driver:
        driver.start(listener.accept)
        session.wait_for(segment="FIN")


def test_the_end_of_a_block_ends_its_threads(session: Session) -> None:
    listener = session.listen("server", 80)
    ended = []

    def wait() -> None:
        try:
            listener.accept()
        finally:
            time.sleep(0.05)
            ended.append(True)

    with pytest.raises(ZeroDivisionError), session.driving() as driver:
        driver.start(wait)
        session.advance(1)
        raise ZeroDivisionError
    assert ended
    assert session.advance(1) == timedelta(seconds=2)


def test_threads_run_until_nothing_can_happen(session: Session) -> None:
    listener = session.listen("server", 80)
    received = []

    def serve() -> None:
        connection, _ = listener.accept()
        received.append(connection.recv(100))
        connection.recv(100)

    with session.driving() as driver:
        driver.start(serve)
        client = session.connect("client", "server:80")
        client.sendall(b"hello")
        session.advance()
        assert received == [b"hello"]
        client.close()


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a thread waits for")


def echo(listener: Socket) -> None:
    connection, _ = listener.accept()
    while data := connection.recv(100):
        connection.sendall(data)
    connection.close()


@linux
def test_threads_may_share_a_connection_under_a_lock() -> None:
    def play() -> list[tuple[int, timedelta]]:
        lock, answered = threading.Lock(), []
        with Session() as session, session.driving() as driver:
            driver.start(echo, session.listen("server", 7))
            client = session.connect("client", "server:7")

            def ask(number: int) -> None:
                for _ in range(3):
                    with lock:
                        client.sendall(b"x")
                        assert client.recv(1) == b"x"
                        answered.append((number, session.clock))
                    session.advance(number)

            for number in (1, 2, 3):
                driver.start(ask, number)
            session.advance(100)
            client.close()
        return answered

    first = play()
    assert len(first) == 9
    assert play() == first


@linux
def test_a_thread_may_get_its_work_from_a_queue(session: Session) -> None:
    work: queue.Queue[bytes] = queue.Queue()
    done: queue.Queue[bytes] = queue.Queue()

    def serve(listener: Socket) -> None:
        connection, _ = listener.accept()
        while data := work.get():
            connection.sendall(data)

    with session.driving() as driver:
        driver.start(serve, session.listen("server", 80))
        client = session.connect("client", "server:80")
        driver.start(lambda: done.put(client.recv(10)), name="reader")
        session.advance(3600)
        work.put(b"late")
        assert done.get(timeout=10) == b"late"
        assert timedelta(hours=1) < session.clock < timedelta(hours=1, seconds=1)
        work.put(b"")


@linux
@pytest.mark.parametrize("waits", ["a thread", "the block", "both"])
def test_what_waits_forever_for_a_lock_is_named(session: Session, waits: str) -> None:
    nothing: queue.Queue[bytes] = queue.Queue()
    listener = session.listen("server", 80)
    line = r"at line \d+ of test_sockets\.py, .*nothing\.get"
    with pytest.raises(IdleError, match=line), session.driving() as driver:
        driver.start(listener.accept if waits == "the block" else lambda: nothing.get(), name="worker")
        if waits == "a thread":
            listener.accept()
        else:
            nothing.get()


@linux
def test_what_waits_forever_is_named_where_sigint_is_ignored(session: Session) -> None:
    nothing: queue.Queue[bytes] = queue.Queue()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with pytest.raises(IdleError, match=r"nothing\.get"), session.driving() as driver:
            driver.start(session.listen("server", 80).accept)
            nothing.get()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


@linux
def test_a_thread_that_works_keeps_its_turn(session: Session) -> None:
    def work() -> None:
        time.sleep(0.3)
        session.advance(1)

    with session.driving() as driver:
        driver.start(work)
        assert session.advance(1) == timedelta(seconds=1)
    assert session.clock == timedelta(seconds=1)


def test_a_thread_that_makes_no_call_is_named(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("halfopen.driving.PATIENCE", 0.3)
    is_over = threading.Event()

    def poll() -> None:
        while not is_over.is_set():
            time.sleep(0.01)

    listener = session.listen("server", 80)
    waits = r"poll at line \d+ of test_sockets\.py, poll\(\): .* no call of the session for 0\.3 s .* main in accept\(\) on server"
    with pytest.raises(IdleError, match=waits), session.driving() as driver:
        driver.start(poll)
        listener.accept()
    is_over.set()


@linux
def test_a_thread_that_makes_no_call_is_named_to_a_block_that_waits_for_a_queue(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("halfopen.driving.PATIENCE", 0.3)
    is_over, done = threading.Event(), queue.Queue[bytes]()

    def poll() -> None:
        while not is_over.is_set():
            time.sleep(0.01)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (
            pytest.raises(IdleError, match=r"poll\(\): .* no call of the session .* while others wait: .*done\.get"),
            session.driving() as driver,
        ):
            driver.start(poll)
            done.get()
    finally:
        signal.signal(signal.SIGINT, before)
        is_over.set()


def test_an_error_that_a_block_catches_is_over(session: Session) -> None:
    with session.driving() as driver:
        driver.start(session.listen("server", 80).accept)
        with pytest.raises(IdleError):
            session.wait_for(state=("client", "ESTABLISHED"))
        client = session.connect("client", "server:80")
        client.close()


def test_an_interrupt_ends_a_block_whose_thread_goes_on(session: Session) -> None:
    is_over = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def poll() -> None:
        while not is_over.is_set():
            time.sleep(0.01)

    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt), session.driving() as driver:
            driver.start(poll)
            session.advance(5)
    finally:
        signal.signal(signal.SIGINT, before)
        is_over.set()


def test_participants_wait_for_each_other() -> None:
    received: list[bytes] = []

    def serve(session: str) -> None:
        with Session.join(session, 2) as own:
            connection, _ = own.listen("server", 80).accept()
            while data := connection.recv(100):
                received.append(data)
                connection.sendall(data.upper())
            connection.close()

    with Session(participants=2) as session:
        thread = threading.Thread(target=serve, args=[session.id])
        thread.start()
        session.advance(1)
        with session.connect("client", "server:80") as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"HELLO"
            session.advance(3600)
        session.advance(1)
        thread.join()
        assert session.finish().passed
    assert received == [b"hello"]
    assert session.clock > timedelta(hours=1)


def test_a_participant_that_joins_again_makes_calls_of_its_own() -> None:
    with Session(participants=2) as session, ThreadPoolExecutor(1) as pool:
        other = pool.submit(session.advance, 7200)
        first = Session.join(session.id, 2)
        assert first.listen("server", 80).getsockname()[1] == 80
        first.advance(3600)
        with Session.join(session.id, 2) as second:
            assert second.clock == timedelta(hours=1)
            assert second.listen("server", 81).getsockname()[1] == 81
            with pytest.raises(TimeoutError, match="after 10s"):
                second.wait_for(segment="FIN", timeout=10)
            assert second.clock == timedelta(hours=1, seconds=10)
        assert other.result(10) == timedelta(hours=2)


def test_a_session_that_has_the_wrong_time_asks_for_it(session: Session) -> None:
    session.advance(60)
    session._now = 0
    assert session.advance(10) == timedelta(seconds=60)


def test_every_call_fails_after_the_end_of_the_session(session: Session) -> None:
    client, _ = connected(session)
    session.finish(until=60)
    calls: list[Callable[[], object]] = [
        lambda: client.send(b"x"),
        lambda: client.recv(1),
        lambda: client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        lambda: client.shutdown(socket.SHUT_WR),
        client.info,
        lambda: session.connect("client", "server:80"),
        lambda: session.listen("server", 81),
        lambda: session.advance(1),
        lambda: session.inject(drop="FIN"),
    ]
    for call in calls:
        with pytest.raises(SessionOverError):
            call()
    client.close()


def test_a_session_is_judged_and_drawn(session: Session) -> None:
    client, _ = connected(session)
    session.inject(drop="FIN", first=1)
    client.close()
    run = session.finish(until=60)
    run.assert_passed()
    assert [segment.lost for segment in run.segments("FIN")] == [True, False]
    assert "fault 1: drop" in run.render()
    session.close()
    assert "fault 1: drop" in run.render(), "the events are known, although the session is gone"


def test_a_lifted_fault_is_over_and_an_exported_session_plays_the_same(session: Session) -> None:
    client, server = connected(session)
    partition = session.inject(partition=["client", "server"])
    client.sendall(b"hello")
    session.advance(10)
    session.lift(partition)
    assert server.recv(9) == b"hello"
    with pytest.raises(CallError, match="is over"):
        session.lift(partition)
    played = session.finish(until=session.clock)
    exported = session.export()
    again = halfopen.run(exported.yaml, seed=exported.seed)
    told = [[(event.time, event.host, event.WhichOneof("kind")) for event in run.events] for run in (played, again)]
    assert told[0] == told[1]


def poll_of(made: Socket, timeout: float) -> bool:
    poll = select.poll()
    poll.register(made, select.POLLIN)
    found = poll.poll(timeout * 1000)
    assert found in ([], [(made.fileno(), select.POLLIN)])
    return bool(found)


def select_of(made: Socket, timeout: float) -> bool:
    return select.select([made], [], [], timeout)[0] == [made]


def selector_of(made: Socket, timeout: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(made, selectors.EVENT_READ)
        return bool(selector.select(timeout))


@pytest.mark.parametrize("is_readable", [poll_of, select_of, selector_of])
def test_whoever_polls_a_socket_learns_the_truth_and_waits_in_virtual_time(
    session: Session, is_readable: Callable[[Socket, float], bool]
) -> None:
    client, server = connected(session)
    began = session.clock
    assert not is_readable(client, 0)
    assert not is_readable(client, 3600)
    assert session.clock == began + timedelta(hours=1)
    server.sendall(b"hello")
    assert is_readable(client, 3600)
    assert session.clock == began + timedelta(hours=1, milliseconds=20)
    client.recv(100)
    assert not is_readable(client, 0)
    server.close()
    assert is_readable(client, 3600)
    other, peer = socket.socketpair()
    with other, peer:
        everything: list[Any] = [other, client]
        assert select.select(everything, everything, everything, 0) == ([client], [other, client], [])
        assert select.select([], [other], []) == ([], [other], [])


def test_what_is_polled_may_be_closed_not_connected_or_without_a_host(session: Session) -> None:
    client, server = connected(session)
    poll = select.poll()
    new = session.socket("client")
    for polled in (client, server, new):
        poll.register(polled, select.POLLIN)
    with pytest.raises(FileNotFoundError):
        poll.modify(session.socket("client"), select.POLLIN)
    assert poll.poll(0) == [(new.fileno(), select.POLLHUP)]
    poll.unregister(new)
    session.inject(power_loss="server")
    assert poll.poll(0) == [(server.fileno(), select.POLLIN | select.POLLHUP | select.POLLERR)]
    poll.unregister(server)
    with pytest.raises(IdleError, match=r"poll\(\) for client 10\.0\.0\.1:32768"):
        poll.poll()
    descriptor = client.fileno()
    client.close()
    assert poll.poll() == [(descriptor, select.POLLNVAL)]


def test_a_failed_session_is_repeated_by_its_export(session: Session) -> None:
    session.inject(drop="FIN", first=1)
    with pytest.raises(halfopen.BrokenExpectationError) as caught:
        session.finish().assert_passed()
    assert "fault 1 was never applied" in str(caught.value)
    assert str(caught.value).endswith("\nexport() of the session returns a scenario that repeats it\n")
    assert "repeat it with" not in str(caught.value)


def test_an_event_that_comes_in_parts_is_whole() -> None:
    name = "c" * 64
    steps = [{"connect": "server:80"}] * 10_000
    hosts: dict[str, object] = {name: {}, "server": {}}
    with Session({"scenario": "large", "hosts": hosts, "applications": {name: steps}}) as session:
        first = session.events()[0]
    assert len(first.run_started.settings) >= 10_000
    assert first.ByteSize() > 1 << 20
