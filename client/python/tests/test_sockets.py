"""Blocking sockets in virtual time."""

from __future__ import annotations

import errno
import http.client
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from halfopen import CallError, IdleError, Session, SessionOverError, Socket


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


def test_who_would_wait_for_ever_is_told(session: Session) -> None:
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


def test_who_lost_power_has_no_sockets(session: Session) -> None:
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
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) == 4096
    with pytest.raises(OSError, match="Protocol not available"):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    listener = session.listen("server", 80)
    client.connect(("server", 80))
    server, _ = listener.accept()
    client.close()
    with pytest.raises(ConnectionResetError):
        server.recv(1)


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


def test_a_thread_that_fails_or_waits_for_ever_is_said(session: Session) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), session.driving() as driver:
        driver.start(fail)
    listener = session.listen("server", 80)
    waiting = r"main in the end of thread accept; accept in accept\(\) on server"
    with pytest.raises(IdleError, match=waiting), session.driving() as driver:
        driver.start(listener.accept)


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


def test_a_time_that_is_past_is_learned(session: Session) -> None:
    session.advance(60)
    session._now = 0
    assert session.advance(10) == timedelta(seconds=60)


def test_at_the_end_every_call_says_so(session: Session) -> None:
    client, _ = connected(session)
    session.finish(until=60)
    calls: list[Callable[[], object]] = [lambda: client.send(b"x"), lambda: session.advance(1), lambda: session.inject(drop="FIN")]
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
